"""``halmirror config``."""

from __future__ import annotations

from pathlib import Path

import click

from halmirror.cli.context import Invocation, pass_invocation
from halmirror.printable import printable


@click.group()
def config() -> None:
    """Show, check or make the configuration.

    The file is --config, else $HALMIRROR_CONFIG, else ./config.toml, else the user's config
    folder; without any, all of HAL is mirrored into data/mirror.sqlite.
    """


@config.command("show")
@pass_invocation
def show(invocation: Invocation) -> None:
    """Print the settings that are in force, as TOML."""
    from halmirror.config import render

    click.echo(render(invocation.settings).rstrip("\n"))


@config.command("check")
@pass_invocation
def check(invocation: Invocation) -> None:
    """Say whether the configuration can be used; names file and line of what cannot."""
    settings = invocation.settings
    where = settings.path or "the built-in defaults"
    names = ", ".join(source.name for source in settings.sources)
    click.echo(printable(f"{where}: well; mirror {settings.mirror.path}; sources: {names}"))


@config.command("init")
@click.argument("file", default="config.toml", type=click.Path(path_type=Path))
def init(file: Path) -> None:
    """Write FILE (config.toml) with every setting explained; never over an existing one."""
    from halmirror.config import TEMPLATE
    from halmirror.errors import OutputError, UsageError

    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(TEMPLATE)
    except FileExistsError as error:
        raise UsageError(f"{file} exists; name another file, or remove it first") from error
    except OSError as error:
        raise OutputError(f"{file} cannot be written: {error.strerror}") from error
    click.echo(f"wrote {printable(str(file))}; now run 'halmirror harvest'")
