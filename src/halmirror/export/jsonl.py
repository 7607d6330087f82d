"""JSON Lines: one normalised record a line, as the mirror holds it."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def write(lines: Iterable[bytes], out: IO[bytes], statement: str | None) -> int:
    """Write the lines; returns how many.  JSON Lines has no place for a statement."""
    del statement
    count = 0
    for line in lines:
        out.write(line)
        out.write(b"\n")
        count += 1
    return count
