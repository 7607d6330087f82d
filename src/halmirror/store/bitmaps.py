"""The bitmaps of contents in the table ``facet``: a value's contents, chunk by chunk."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from typing import TYPE_CHECKING

from pyroaring import BitMap

from halmirror.errors import MirrorError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

CHUNK_BITS = 16
"""A stored bitmap covers 65,536 contents: the unit that Roaring bitmaps work in."""

COPY = ("copy", "")
"""The bitmap of contents whose document's id another source holds too."""


def bitmap(data: bytes) -> BitMap:
    """A stored bitmap.  Raises `MirrorError` where it is damaged."""
    try:
        return BitMap.deserialize(data)
    except ValueError as error:
        raise MirrorError(
            f"the search index is damaged ({error}); 'halmirror doctor --repair' makes it anew"
        ) from error


def stored(connection: sqlite3.Connection, kind: str, value: str) -> BitMap:
    """The contents under a value.  Raises `MirrorError` where a bitmap is damaged."""
    rows = connection.execute(
        "SELECT bits FROM facet WHERE kind = ? AND value = ?", (kind, value)
    ).fetchall()
    return BitMap.union(*(bitmap(bits) for (bits,) in rows)) if rows else BitMap()


class Marks:
    """Contents that come under values and leave them; no content does both."""

    def __init__(self) -> None:
        self.added: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self.removed: defaultdict[tuple[str, str], list[int]] = defaultdict(list)

    def apply(self, connection: sqlite3.Connection) -> None:
        """Write them; inside a transaction."""
        for kind, value in sorted({*self.added, *self.removed}):
            added = _chunks(self.added.get((kind, value), ()))
            removed = _chunks(self.removed.get((kind, value), ()))
            for chunk in sorted({*added, *removed}):
                key = (kind, value, chunk)
                row = connection.execute(
                    "SELECT bits FROM facet WHERE kind = ? AND value = ? AND chunk = ?", key
                ).fetchone()
                bits = BitMap.deserialize(row[0]) if row else BitMap()
                bits -= BitMap(removed.get(chunk, ()))
                bits |= BitMap(added.get(chunk, ()))
                connection.execute(
                    "INSERT OR REPLACE INTO facet VALUES (?, ?, ?, ?)", (*key, bits.serialize())
                )


def unmark(connection: sqlite3.Connection, contents: BitMap) -> None:
    """Take contents out of every bitmap; inside a transaction.  One bitmap is in memory at once."""
    chunks = {number >> CHUNK_BITS for number in contents}
    keys = [
        key
        for key in connection.execute("SELECT kind, value, chunk FROM facet")
        if key[2] in chunks
    ]
    for key in keys:
        (data,) = connection.execute(
            "SELECT bits FROM facet WHERE kind = ? AND value = ? AND chunk = ?", key
        ).fetchone()
        bits = bitmap(data)
        if not bits.intersect(contents):
            continue
        if left := bits - contents:
            connection.execute(
                "UPDATE facet SET bits = ? WHERE kind = ? AND value = ? AND chunk = ?",
                (left.serialize(), *key),
            )
        else:
            connection.execute("DELETE FROM facet WHERE kind = ? AND value = ? AND chunk = ?", key)


def _chunks(contents: Iterable[int]) -> dict[int, list[int]]:
    return {
        chunk: list(group) for chunk, group in groupby(sorted(contents), lambda n: n >> CHUNK_BITS)
    }
