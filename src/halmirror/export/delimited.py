"""CSV and TSV: one row a record, one column for each value that a record can have.

``docs/exports.md`` states the flattening, which can be undone:

* A column is named by its path (``container.title``); columns stand in the record's order.
* The values of a list stand in one cell with `` | `` between; those of a list within a list with
  `` ; ``.  A ``|`` (inside an inner list also a ``;``) of a value is doubled.
* The columns of a list of objects keep step: the second value of each belongs to the second
  object.  Where no object has a value the cell is empty.
"""

from __future__ import annotations

import csv
import re
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec

from halmirror.export.keys import Key, chosen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from halmirror.export import Wanted

_OUTER: Final = " | "
_INNER: Final = " ; "
_FORMULA = re.compile(r"'*(?:[\t\r\n]|[\s\x00-\x1f\x7f-\x9f\u200b\ufeff]*[=+\-@＝＋－＠])")
"""What a spreadsheet program may take for a formula (OWASP, CSV injection), quoted or not."""


def write_csv(lines: Iterable[bytes], out: IO[bytes], wanted: Wanted) -> int:
    """Write RFC 4180's form, in UTF-8, lines ended by a line feed; returns how many records."""
    return _write(lines, out, wanted, ",")


def write_tsv(lines: Iterable[bytes], out: IO[bytes], wanted: Wanted) -> int:
    """Write the same with tabs, quoted where a value holds a tab, a quote or a line break."""
    return _write(lines, out, wanted, "\t")


def _write(lines: Iterable[bytes], out: IO[bytes], wanted: Wanted, delimiter: str) -> int:
    keys = chosen(wanted.fields)
    rows = _Rows(out)
    # A carriage return in the line's end makes the writer quote those in values.
    writer = csv.writer(rows, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(_columns(keys))
    decode = msgspec.json.Decoder().decode
    count = 0
    for line in lines:
        cells = _cells(decode(line), keys)
        writer.writerow(map(_defused, cells) if wanted.defuse else cells)
        count += 1
    return count


class _Rows:
    """A text file for the csv module: each row is written as it comes, ended by a line feed."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out

    def write(self, row: str) -> int:
        return self._out.write(row.removesuffix("\r\n").encode() + b"\n")


def _columns(keys: Sequence[Key], above: str = "") -> Iterator[str]:
    for key in keys:
        if key.keys:
            yield from _columns(key.keys, f"{above}{key.name}.")
        else:
            yield above + key.name


def _cells(value: dict[str, Any], keys: Sequence[Key]) -> Iterator[str]:
    for key in keys:
        held = value.get(key.name)
        if key.keys and not key.many:
            yield from _cells(held or {}, key.keys)
        elif key.keys:
            for inner in key.keys:
                yield _together([_inner(one.get(inner.name)) for one in held or ()])
        elif key.many:
            yield _together(held or ())
        else:
            yield "" if held is None else str(held)


def _inner(held: Any) -> str:  # noqa: ANN401 - JSON
    """A value of an object in a list; several, as one text."""
    if isinstance(held, list):
        return _joined(held, _INNER)
    return "" if held is None else str(held)


def _together(values: Sequence[str]) -> str:
    return _joined(values, _OUTER) if any(values) else ""


def _joined(values: Iterable[str], separator: str) -> str:
    mark = separator.strip()
    return separator.join(value.replace(mark, mark * 2) for value in values)


def _defused(cell: str) -> str:
    """A cell that a spreadsheet program takes for text: an apostrophe stands before a formula.

    One that has an apostrophe there already gets another, so that taking one away undoes it.
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell
