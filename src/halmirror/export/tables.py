"""Tables for a terminal: cells are wrapped into their columns, and nothing is cut."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from halmirror.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Cell = Sequence[str]

_GAP: Final = "  "
_NARROWEST: Final = 40
_LEAST_COLUMN: Final = 8
_WIDE: Final = frozenset({"W", "F"})


def table(
    headings: Sequence[str], rows: Sequence[Sequence[Cell]], shares: Sequence[int], width: int
) -> str:
    """The table in at most ``width`` columns of the terminal (at least 40).

    A cell is a sequence of paragraphs; ``shares`` says how the width is parted.  The text may
    come from strangers: what a terminal would obey is shown as its code.
    """
    columns = _columns(shares, max(width, _NARROWEST))
    lines = [
        *_row([(heading,) for heading in headings], columns),
        _GAP.join("-" * column for column in columns),
    ]
    for row in rows:
        lines.extend(_row(row, columns))
    return "\n".join(lines)


def _columns(shares: Sequence[int], width: int) -> list[int]:
    """Each column's width; what rounding leaves over goes to the first."""
    free = width - len(_GAP) * (len(shares) - 1)
    found = [max(free * share // sum(shares), _LEAST_COLUMN) for share in shares]
    found[0] += free - sum(found)
    return found


def _row(cells: Sequence[Cell], columns: Sequence[int]) -> list[str]:
    wrapped = [
        [line for paragraph in cell for line in wrap(printable(paragraph), column)]
        for cell, column in zip(cells, columns, strict=True)
    ]
    height = max(len(cell) for cell in wrapped)
    return [
        _GAP.join(
            _padded(cell[at] if at < len(cell) else "", column)
            for cell, column in zip(wrapped, columns, strict=True)
        ).rstrip()
        for at in range(height)
    ]


def wrap(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` columns, broken at blanks where that is possible."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if cells(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *whole, line = _pieces(word, width)
        lines.extend(whole)
    return [*lines, line]


def _pieces(word: str, width: int) -> Iterator[str]:
    """A word in pieces of at most ``width`` columns."""
    piece, used = "", 0
    for character in word:
        room = cells(character)
        if piece and used + room > width:
            yield piece
            piece, used = "", 0
        piece += character
        used += room
    yield piece


def cells(text: str) -> int:
    """How many columns of a terminal a text takes (Unicode Standard Annex 11)."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def _padded(text: str, column: int) -> str:
    return text + " " * (column - cells(text))
