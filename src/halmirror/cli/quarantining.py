"""``halmirror quarantine``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from halmirror.cli.context import (
    Invocation,
    check_sources,
    log_format_option,
    pass_invocation,
)
from halmirror.printable import printable, printable_json

if TYPE_CHECKING:
    from halmirror.cli.progress import LogFormat
    from halmirror.harvesting.quarantine import Entry


@click.group()
def quarantine() -> None:
    """Records that came but could not be taken: kept with their bytes, asked for by every run."""


@quarantine.command("list")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--all", "resolved", is_flag=True, help="Those that were repaired meanwhile too.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@pass_invocation
def list_(invocation: Invocation, sources: tuple[str, ...], form: str, *, resolved: bool) -> None:
    """Name the entries, oldest first; as JSON one object a line."""
    from halmirror.harvesting import quarantine as quarantined

    check_sources(sources, invocation.source_names)
    path = invocation.settings.mirror.path
    found = quarantined.entries(path, sources, resolved=resolved)
    for entry in found:
        click.echo(printable_json(entry.json()) if form == "json" else _line(entry))
    if not found and form == "text":
        click.echo("nothing is in quarantine")


def _line(entry: Entry) -> str:
    name = entry.identifier or f"no identifier, {entry.position}"
    state = f"repaired {entry.resolved_at}" if entry.resolved_at else f"since {entry.first_at}"
    return printable(
        f"{entry.number}  {entry.source}  {name}: {entry.reason} ({state}, tried "
        f"{entry.attempts} {'time' if entry.attempts == 1 else 'times'})"
    )


@quarantine.command("show")
@click.argument("number", type=click.IntRange(min=1))
@click.option("--raw", is_flag=True, help="Nothing but the bytes, as they came.")
@pass_invocation
def show(invocation: Invocation, number: int, *, raw: bool) -> None:
    """Show the entry of that NUMBER with what came, control characters made visible."""
    from halmirror.harvesting import quarantine as quarantined

    entry, data = quarantined.entry(invocation.settings.mirror.path, number)
    if raw:
        sys.stdout.buffer.write(data)
        return
    click.echo(_line(entry))
    click.echo(f"  {printable(entry.position)}, {entry.size} bytes, last seen {entry.last_at}:")
    for line in data.decode("utf-8", "backslashreplace").split("\n"):
        click.echo(printable(line))


@quarantine.command("retry")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@log_format_option
@pass_invocation
def retry(invocation: Invocation, sources: tuple[str, ...], log_format: LogFormat) -> None:
    """Ask the sources for all entries again; exit code 3 where some stay."""
    from halmirror.cli.progress import observer
    from halmirror.cli.signals import heeded
    from halmirror.harvesting import quarantine as quarantined

    told = observer(quiet=invocation.quiet, verbose=invocation.verbose, log_format=log_format)
    with heeded() as stop, told as watching:
        found = quarantined.retry(invocation.settings, watching, sources=sources, stop=stop)
    for name, done in found.items():
        click.echo(done.line(name))
        for problem in done.problems:
            click.echo(f"halmirror: {printable(problem)}", err=True)
    if any(done.left or done.problems for done in found.values()):
        raise click.exceptions.Exit(3)
