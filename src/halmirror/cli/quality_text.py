"""What ``halmirror status --quality`` prints on a terminal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, set_cell_size

from halmirror.printable import printable
from halmirror.quality import FIELDS, FURTHER_TYPES, together
from halmirror.record import DocumentType
from halmirror.record.labels import label, labelled, type_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from halmirror.quality import Group, Quality, SourceQuality, WarningKind
    from halmirror.record.labels import Ui

COLUMNS: Final = 100
"""No line is wider, unless one identifier alone is."""

_NAME: Final = 22
_RECORDS: Final = 8
_CELL: Final = 5
_TYPES_TOLD: Final = 30
_YEARS_TOLD: Final = 15
_KINDS_TOLD: Final = 20


def render(found: Quality, ui: Ui, *, lacking: bool) -> str:
    """The report as lines of at most `COLUMNS`; ``lacking``: name the records that lack a field."""
    lines = [_cut(printable(found.path)), label("quality.shares", ui), *_legend(ui)]
    for source in found.sources:
        lines += ["", *_source(source, ui)]
        if lacking:
            lines += _lacking(source, ui)
    return "\n".join(lines)


def _legend(ui: Ui) -> list[str]:
    """What the heads of the columns stand for, where they do not say it themselves."""
    told = ((label(f"head.{one}", ui), label(f"field.{one}", ui)) for one in FIELDS)
    # No-break blanks hold each head to its meaning until the lines are made.
    words = (labelled(head, name, ui).replace(" ", "\xa0") for head, name in told if head != name)
    return [line.replace("\xa0", " ") for line in _wrapped(", ".join(words), "  ")]


def _source(source: SourceQuality, ui: Ui) -> Iterator[str]:
    yield _cut(printable(source.name))
    if not source.total.records:
        yield f"  {label('quality.no_records', ui)}"
        return
    heads = [label(f"head.{one}", ui) for one in FIELDS]
    yield _line("", label("quality.records", ui), heads)
    yield _row(label("quality.all", ui), source.total)
    yield ""
    yield from (_row(name, group) for name, group in _types(source, ui))
    yield ""
    yield from (_row(name, group) for name, group in _years(source, ui))
    yield ""
    yield from _warnings(source.warnings, ui)


def _types(source: SourceQuality, ui: Ui) -> Iterator[tuple[str, Group]]:
    known = [one for one in source.types if one[0] != FURTHER_TYPES]
    for kind, group in known[:_TYPES_TOLD]:
        yield _type(kind, ui), group
    further = [one for one in source.types if one not in known[:_TYPES_TOLD]]
    if further:
        yield label("quality.further_types", ui), together(group for _, group in further)


def _type(kind: str | None, ui: Ui) -> str:
    """``ART Journal articles``: the code to search for, and what it means where known."""
    if kind is None:
        return label("quality.no_type", ui)
    name = type_label(DocumentType(hal=kind), ui)
    return kind if name in {None, kind} else f"{kind} {name}"


def _years(source: SourceQuality, ui: Ui) -> Iterator[tuple[str, Group]]:
    known = [one for one in source.years if one[0] is not None]
    for year, group in known[:_YEARS_TOLD]:
        yield str(year), group
    if known[_YEARS_TOLD:]:
        yield label("quality.earlier", ui), together(group for _, group in known[_YEARS_TOLD:])
    for year, group in source.years:
        if year is None:
            yield label("quality.no_year", ui), group


def _warnings(kinds: Sequence[WarningKind], ui: Ui) -> Iterator[str]:
    if not kinds:
        yield label("quality.no_warnings", ui)
        return
    yield labelled(label("quality.warnings", ui), "", ui).rstrip()
    for kind in kinds[:_KINDS_TOLD]:
        where = label("quality.times", ui).format(kind.count, kind.records)
        yield _cut(f"  {labelled(where, printable(kind.kind), ui)}")
        for one in kind.examples:
            yield _cut(f"    {printable(labelled(one.id, one.warning, ui))}")
    if kinds[_KINDS_TOLD:]:
        yield f"  {label('quality.more', ui).format(len(kinds) - _KINDS_TOLD)}"


def _lacking(source: SourceQuality, ui: Ui) -> Iterator[str]:
    """Records to look at, field by field."""
    for name, ids in source.lacking.items():
        if ids:
            what = f"{label('quality.without', ui)} {label(f'field.{name}', ui)}"
            yield from _wrapped(labelled(what, ", ".join(map(printable, ids)), ui), "", "    ")


def _row(name: str, group: Group) -> str:
    shares = [_share(group.counts[one], group.base(one)) for one in FIELDS]
    return _line(printable(name), str(group.records), shares)


def _share(count: int, base: int) -> str:
    """Whole per cent, rounded down, so that 100 is all of them; ``<1`` is not none."""
    if not base:
        return "–"
    return "<1" if 0 < count * 100 < base else str(count * 100 // base)


def _line(name: str, records: str, cells: list[str]) -> str:
    """A row of the table: the name on the left, all else on the right of its column."""
    return "".join(
        (
            set_cell_size(_cut(name, _NAME), _NAME),
            records.rjust(_RECORDS),
            *(cell.rjust(_CELL) for cell in cells),
        )
    )


def _cut(text: str, width: int = COLUMNS) -> str:
    """The text in at most so many columns of a terminal, ``…`` for what has no room."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…"


def _wrapped(text: str, first: str, further: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        COLUMNS,
        initial_indent=first,
        subsequent_indent=first if further is None else further,
        break_long_words=False,
        break_on_hyphens=False,
    )
