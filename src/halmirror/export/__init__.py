"""Export formats: one table of names, modules, media types and file endings.

A format's module is imported only when the format is asked for.  Each such module has
``write(items, out, statement)``, which writes everything to a binary file, carries the sources'
terms of use (``statement``) where the format has room for them, and returns how many records it
wrote.  What the items are (records, lines of JSON, records with their XML) the row says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any, Final, Literal, Protocol, cast

from halmirror.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from halmirror.mirror import Chosen, Filters, Mirror


class Writer(Protocol):
    """What a format's module offers."""

    def write(self, items: Iterable[Any], out: IO[bytes], statement: str | None) -> int:
        """Write all items; return how many.  Raises `OutputError`."""


@dataclass(frozen=True)
class Format:
    """A format: its name, where its writer is, what it takes, and how files of it look.

    ``takes``: ``records`` (`Mirror.records`), ``lines`` or ``sources``.  ``carries_statement``:
    whether the statement has a place inside the file.  ``prefix``: the one metadata prefix whose
    metadata the format holds, where it holds them as they came.
    """

    name: str
    module: str
    takes: Literal["records", "lines", "sources"]
    media_type: str
    endings: tuple[str, ...]
    carries_statement: bool
    prefix: str | None = None


@dataclass(frozen=True)
class Done:
    """What an export wrote; ``statement`` is what the sources ask of those who take it.

    ``left_out`` counts the records whose metadata are of another format, by metadata prefix.
    """

    count: int
    statement: str | None
    left_out: Mapping[str, int] = field(default_factory=dict)


_ROWS: Final = (
    Format("jsonl", "halmirror.export.jsonl", "lines", "application/jsonl", (".jsonl",), False),
    Format(
        "oai_dc",
        "halmirror.export.oai_dc",
        "sources",
        "application/xml",
        (".xml",),
        True,
        prefix="oai_dc",
    ),
    Format("source", "halmirror.export.oai_dc", "sources", "application/xml", (".xml",), True),
    Format("bibtex", "halmirror.export.bibtex", "records", "application/x-bibtex", (".bib",), True),
)

FORMATS: Final[Mapping[str, Format]] = MappingProxyType({row.name: row for row in _ROWS})
"""Every export format by its name."""


def load(name: str) -> tuple[Format, Writer]:
    """The format called ``name`` and its writer.  Raises `UsageError` where there is none."""
    chosen = FORMATS.get(name)
    if chosen is None:
        raise UsageError(f"unknown export format '{name}'; known are: {', '.join(FORMATS)}")
    return chosen, cast("Writer", import_module(chosen.module))


def export(
    mirror: Mirror,
    name: str,
    output: Path | None,
    filters: Filters,
    *,
    at: int | None = None,
    unique: bool = False,
    only: Chosen | None = None,
) -> Done:
    """Write what the filters pick to a file, or to standard output where none is named.

    ``unique`` and ``only`` are those of `Mirror.records`.
    Raises `UsageError`, `MirrorError` and `OutputError`; a file appears only when it is whole.
    """
    from halmirror.export.output import opened

    form, writer = load(name)
    left_out: dict[str, int] = {}
    items: Iterable[Any]
    match form.takes:
        case "lines":
            items = mirror.lines(filters, at=at, unique=unique, only=only)
        case "sources":
            items = mirror.sources(
                filters, at=at, unique=unique, only=only, prefix=form.prefix, left_out=left_out
            )
        case "records":
            items = mirror.records(filters, at=at, unique=unique, only=only)
    filters.nodes()  # a wrong filter is told before the file is begun
    statement = mirror.statement()
    with opened(output) as out:
        count = writer.write(items, out, statement)
    return Done(count, statement, left_out)
