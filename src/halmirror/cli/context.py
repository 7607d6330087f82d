"""What every command shares: the settings, the mirror, the language of the interface."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from halmirror.errors import UsageError
from halmirror.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from halmirror.config import Settings
    from halmirror.mirror import Filters, Mirror
    from halmirror.record.labels import Ui

_Command = TypeVar("_Command", bound="Callable[..., Any]")


@dataclass
class Invocation:
    """The options that stand before the command."""

    config_path: str | None
    ui_option: Ui | None
    quiet: bool
    verbose: bool

    @cached_property
    def settings(self) -> Settings:
        """The settings in force.  Raises `ConfigError`."""
        from halmirror import config

        return config.load(Path(self.config_path) if self.config_path else None)

    @property
    def ui(self) -> Ui:
        """The interface's language: the option, else the locale's, else English."""
        if self.ui_option:
            return self.ui_option
        names = ("LC_ALL", "LC_MESSAGES", "LANG")
        told = next((os.environ[name] for name in names if os.environ.get(name)), None)
        if told is None:
            import locale

            told = locale.getlocale()[0] or ""
        return "fr" if told.lower().startswith("fr") else "en"

    @property
    def source_names(self) -> list[str]:
        """The configured sources' names, in order."""
        return [source.name for source in self.settings.sources]

    def mirror(self) -> Mirror:
        """The configured mirror, opened for reading.  Raises `MirrorError`."""
        from halmirror.mirror import Mirror

        return Mirror(self.settings.mirror.path, self.source_names)


pass_invocation = click.make_pass_decorator(Invocation)

_FILTERS: tuple[tuple[str, str, str], ...] = (
    ("--author", "NAME", "Words of a creator's name."),
    ("--title", "WORDS", "Words of the title."),
    ("--year", "YEARS", "A year or range: 2015, 2015..2020, 2015.."),
    ("--type", "CODE", "HAL's document type: ART, COMM, THESE …"),
    ("--domain", "CODE", "HAL's domain, with all below it: shs, info.info-cl …"),
    ("--lang", "CODE", "Language of the document: fr, en …"),
    ("--set", "SET", "An OAI-PMH set: collection:CNRS …"),
    ("--access", "KIND", "open, restricted or metadata-only."),
    ("--source", "NAME", "A configured source."),
    ("--status", "STATUS", "active (the default), superseded, withdrawn, deleted, all."),
)


def filter_options(command: _Command) -> _Command:
    """The filters of ``search`` and ``export``; each may be given more than once (OR)."""
    for option, metavar, text in reversed(_FILTERS):
        name = option.removeprefix("--") + "_"
        command = click.option(option, name, multiple=True, metavar=metavar, help=text)(command)
    return command


def log_format_option(command: _Command) -> _Command:
    """The option ``--log-format`` of commands that run for long."""
    return click.option(
        "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True,
        help="How standard error tells what goes on.",
    )(command)  # fmt: skip


def columns() -> int:
    """The terminal's width, up to what reads well."""
    import shutil

    return min(shutil.get_terminal_size((80, 24)).columns, 100)


def identifier_lines(lines: Iterable[bytes]) -> Iterator[str]:
    """Identifiers, one a line; bytes that are no UTF-8 become text that names no record."""
    for line in lines:
        if text := line.decode("utf-8", "backslashreplace").strip():
            yield text


def say_missing(identifier: str, as_of: str | None) -> None:
    """Tell that the mirror has no record of an identifier."""
    when = f" as of {printable(as_of)}" if as_of else ""
    click.echo(
        f"halmirror: {printable(identifier[:200])}: no such record in the mirror{when}; "
        "check the identifier, or harvest first",
        err=True,
    )


def check_sources(asked: Sequence[str], known: Sequence[str]) -> None:
    """Raises `UsageError` for a source that the configuration does not name."""
    for name in asked:
        if name not in known:
            raise UsageError(
                f"--source: there is no source '{name}'; the configuration has {', '.join(known)}"
            )


def check_time(as_of: str | None) -> None:
    """Raises `UsageError` for a time that is none, before the mirror is touched."""
    if as_of is not None:
        from halmirror.places import parse_time

        parse_time(as_of)


def filters(options: dict[str, Any]) -> Filters:
    """The filters among a command's options."""
    from halmirror.mirror import Filters

    names = [option.removeprefix("--") for option, _, _ in _FILTERS]
    for name in names:
        check_text(*options[f"{name}_"])
    return Filters(**{name: options[f"{name}_"] for name in names})


def check_text(*values: str) -> None:
    """Raises `UsageError` for an argument whose bytes were no UTF-8."""
    for value in values:
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise UsageError(f"'{value}' is not valid UTF-8; correct its characters")
