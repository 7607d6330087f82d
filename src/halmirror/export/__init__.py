"""Export formats: one table of names, writers, media types and file endings.

A format's module is imported only when the format is asked for.  Its row names the function in it
that writes everything to a binary file, carries the sources' terms of use where the format has
room for them, and returns how many records it wrote (see `Writer`).  What it is given (records,
lines of JSON, records with their XML) the row says too.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any, Final, Literal, Protocol, cast

import msgspec

from halmirror.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from halmirror.mirror import Chosen, Filters, Mirror

    Watch = Callable[[int], None]

COMPRESSED: Final = (".gz", ".zst")
"""The endings of a file's name that have it compressed."""

_TOLD_EVERY: Final = 500


class Wanted(msgspec.Struct, frozen=True):
    """How records are to be written, as far as a format leaves a choice.

    ``fields``: the keys to write (dotted names of `halmirror.export.keys`; none: all);
    ``normalised``: in place of what came, Dublin Core made from the normalised record;
    ``defuse``: nothing that a spreadsheet program takes for a formula; ``statement``: what the
    sources ask of those who take their metadata.
    """

    fields: tuple[str, ...] = ()
    normalised: bool = False
    defuse: bool = False
    statement: str | None = None


class Writer(Protocol):
    """What a format's module offers."""

    def __call__(self, items: Iterable[Any], out: IO[bytes], wanted: Wanted) -> int:
        """Write all items; return how many.  Raises `OutputError`."""


class Format(msgspec.Struct, frozen=True):
    """A format: its name, where its writer is, what it takes, and how files of it look.

    ``writer``: ``module:function``.  ``takes``: ``records`` (`Mirror.records`), ``lines`` or
    ``sources``.  ``carries_statement``: whether the statement has a place inside the file.
    ``choices``: which of `Wanted` it heeds.  ``prefix``: the one metadata prefix whose metadata
    the format holds, where it holds them as they came; ``normalised``: its writer of records in
    place of these.  ``by_year``: it takes the items by source, year, id and version, not by
    source, id and version.  ``text``: a terminal can show it.
    """

    name: str
    about: str
    writer: str
    takes: Literal["records", "lines", "sources"]
    media_type: str
    endings: tuple[str, ...]
    carries_statement: bool = False
    choices: tuple[Literal["fields", "normalised", "defuse"], ...] = ()
    prefix: str | None = None
    normalised: str | None = None
    by_year: bool = False
    text: bool = True

    @property
    def shown(self) -> bool:
        """Whether single records are shown in it: it is text, made of the record."""
        return self.text and self.takes != "sources"


class Done(msgspec.Struct, frozen=True):
    """What an export wrote; ``statement`` is what the sources ask of those who take it.

    ``left_out`` counts the records whose metadata are of another format, by metadata prefix.
    """

    count: int
    statement: str | None
    left_out: Mapping[str, int] = {}


_ROWS: Final = (
    Format(
        "jsonl",
        "JSON Lines: one normalised record a line.",
        "halmirror.export.jsonl:write",
        "lines",
        "application/jsonl",
        (".jsonl", ".ndjson"),
        choices=("fields",),
    ),
    Format(
        "csv",
        "A table for spreadsheet programs, flattened.",
        "halmirror.export.delimited:write_csv",
        "lines",
        "text/csv",
        (".csv",),
        choices=("fields", "defuse"),
    ),
    Format(
        "tsv",
        "The same with tabs.",
        "halmirror.export.delimited:write_tsv",
        "lines",
        "text/tab-separated-values",
        (".tsv",),
        choices=("fields", "defuse"),
    ),
    Format(
        "parquet",
        "Typed, nested columns for DuckDB, pandas, Polars and Spark.",
        "halmirror.export.parquet:write",
        "lines",
        "application/vnd.apache.parquet",
        (".parquet",),
        carries_statement=True,
        choices=("fields",),
        by_year=True,
        text=False,
    ),
    Format(
        "oai_dc",
        "OAI-PMH records with their Dublin Core as it came.",
        "halmirror.export.oai_dc:write",
        "sources",
        "application/xml",
        (".xml",),
        carries_statement=True,
        choices=("normalised",),
        prefix="oai_dc",
        normalised="halmirror.export.dublin_core:write_xml",
    ),
    Format(
        "source",
        "OAI-PMH records in whatever format they were harvested.",
        "halmirror.export.oai_dc:write",
        "sources",
        "application/xml",
        (".xml",),
        carries_statement=True,
    ),
    Format(
        "bibtex",
        "BibTeX as HAL's own export writes it.",
        "halmirror.export.bibtex:write",
        "records",
        "application/x-bibtex",
        (".bib",),
        carries_statement=True,
    ),
    Format(
        "biblatex",
        "biblatex in UTF-8, with its entry types and fields.",
        "halmirror.export.biblatex:write",
        "records",
        "application/x-bibtex",
        (".biblatex.bib",),
        carries_statement=True,
    ),
    Format(
        "ris",
        "RIS, for EndNote, Zotero, Mendeley and the like.",
        "halmirror.export.ris:write",
        "records",
        "application/x-research-info-systems",
        (".ris",),
    ),
    Format(
        "csl-json",
        "CSL-JSON, for citation processors: pandoc, Zotero, citeproc.",
        "halmirror.export.csl_json:write",
        "records",
        "application/vnd.citationstyles.csl+json",
        (".csl.json", ".json"),
    ),
    Format(
        "schema.org",
        "JSON-LD with schema.org's vocabulary.",
        "halmirror.export.schema_org:write",
        "records",
        "application/ld+json",
        (".jsonld",),
    ),
    Format(
        "ntriples",
        "RDF in N-Triples, with DCMI Metadata Terms.",
        "halmirror.export.ntriples:write",
        "records",
        "application/n-triples",
        (".nt",),
        carries_statement=True,
    ),
)

FORMATS: Final[Mapping[str, Format]] = MappingProxyType({row.name: row for row in _ROWS})
"""Every export format by its name."""

SHOWN: Final = tuple(row.name for row in _ROWS if row.shown)
"""The formats in which single records are shown."""

_CHOICES: Final = {
    "fields": "has fields of its own",
    "normalised": "is no Dublin Core as it came",
    "defuse": "is for no spreadsheet program",
}
"""For each choice of `Wanted` why a format does not heed it."""


def load(name: str, wanted: Wanted | None = None) -> tuple[Format, Writer]:
    """The format called ``name`` and its writer.

    Raises `UsageError` where there is none, or where it does not heed what is wanted.
    """
    chosen = FORMATS.get(name)
    if chosen is None:
        raise UsageError(f"unknown export format '{name}'; known are: {', '.join(FORMATS)}")
    wanted = wanted or Wanted()
    for choice, reason in _CHOICES.items():
        if getattr(wanted, choice) and choice not in chosen.choices:
            others = ", ".join(row.name for row in _ROWS if choice in row.choices)
            raise UsageError(f"{choice}: {name} {reason}; it goes with {others}")
    if wanted.fields:
        from halmirror.export import keys

        keys.chosen(wanted.fields)
    if wanted.normalised and chosen.normalised:
        chosen = msgspec.structs.replace(chosen, takes="records", writer=chosen.normalised)
    module, _, function = chosen.writer.partition(":")
    return chosen, cast("Writer", getattr(import_module(module), function))


def named_after(output: Path) -> str | None:
    """The name of the format that a file's ending stands for, or none."""
    name = output.name.lower()
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    found = ((ending, row) for row in _ROWS for ending in row.endings if name.endswith(ending))
    best = max(found, key=lambda pair: len(pair[0]), default=None)
    return best[1].name if best else None


def check(name: str, filters: Filters, wanted: Wanted | None = None) -> None:
    """Find what is wrong with an export before its file is begun.

    Raises `UsageError`, and `QueryError` for a wrong filter.
    """
    load(name, wanted)
    filters.nodes()
    filters.statuses()


def export(
    mirror: Mirror,
    name: str,
    output: Path | None,
    filters: Filters,
    *,
    at: int | None = None,
    unique: bool = False,
    only: Chosen | None = None,
    wanted: Wanted | None = None,
    watch: Watch | None = None,
) -> Done:
    """Write what the filters pick to a file, or to standard output where none is named.

    ``unique`` and ``only`` are those of `Mirror.records`; ``watch`` is called now and then with
    the number of records taken.
    Raises `UsageError`, `MirrorError` and `OutputError`; a file appears only when it is whole.
    """
    from halmirror.export.output import opened

    check(name, filters, wanted)
    with opened(output) as out:
        return write(
            mirror, name, out, filters, at=at, unique=unique, only=only, wanted=wanted, watch=watch
        )


def write(
    mirror: Mirror,
    name: str,
    out: IO[bytes],
    filters: Filters,
    *,
    at: int | None = None,
    unique: bool = False,
    only: Chosen | None = None,
    wanted: Wanted | None = None,
    watch: Watch | None = None,
) -> Done:
    """The same, to a binary file that is open.  Raises `UsageError`, `MirrorError`."""
    form, writer = load(name, wanted)
    left_out: dict[str, int] = {}
    items: Iterable[Any]
    match form.takes:
        case "lines":
            items = mirror.lines(filters, at=at, unique=unique, only=only, by_year=form.by_year)
        case "sources":
            items = mirror.sources(
                filters, at=at, unique=unique, only=only, prefix=form.prefix, left_out=left_out
            )
        case "records":
            items = mirror.records(filters, at=at, unique=unique, only=only)
    statement = mirror.statement(filters.source)
    told = _watched(items, watch) if watch else items
    count = writer(told, out, msgspec.structs.replace(wanted or Wanted(), statement=statement))
    return Done(count, statement, left_out)


def _watched(items: Iterable[Any], watch: Watch) -> Iterator[Any]:
    count = 0
    for count, item in enumerate(items, 1):
        yield item
        if count % _TOLD_EVERY == 0:
            watch(count)
    watch(count)
