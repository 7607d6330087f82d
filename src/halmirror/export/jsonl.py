"""JSON Lines: one normalised record a line, as the mirror holds it, or some of its keys."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import msgspec

from halmirror.export.keys import chosen, project

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from halmirror.export import Wanted


def write(lines: Iterable[bytes], out: IO[bytes], wanted: Wanted) -> int:
    """Write the lines; returns how many.  JSON Lines has no place for a statement."""
    count = 0
    for line in _projected(lines, wanted.fields) if wanted.fields else lines:
        out.write(line + b"\n")
        count += 1
    return count


def _projected(lines: Iterable[bytes], fields: tuple[str, ...]) -> Iterator[bytes]:
    keys = chosen(fields)
    decode, encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
    for line in lines:
        yield encode(project(decode(line), keys))
