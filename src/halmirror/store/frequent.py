"""Words that very many contents have, kept as bitmaps.

The full-text index gives the contents that have a word one by one, 0.1 µs each: of a word that
stands in every second record those are too many to be read for each search.  So for each chunk of
65,536 contents that is complete, the words, and pairs of words that follow each other, which an
eighth of its contents have are kept in the table ``facet``; words also by whether the title has
them.  What a search reads of a word beyond its bitmaps is then at most an eighth of the contents.

Which words those are is guessed from a sample and then counted: one that the sample misses costs
time, never a hit.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
from pyroaring import BitMap

from halmirror.entry import entry_of
from halmirror.frame import FrameError
from halmirror.record import decode_body
from halmirror.search import query as tree
from halmirror.search.folding import words
from halmirror.store import fulltext
from halmirror.store.bitmaps import CHUNK_BITS, bitmap
from halmirror.store.dictionaries import codec

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

ANYWHERE, TITLE = "word", "title"
"""The kinds in the table ``facet``: contents that have the words in any column, or in the title."""

_KINDS = {None: ANYWHERE, "title": TITLE}

_LONGEST = {None: 2, "title": 1}
"""How many words that follow each other are kept as one, by column."""

SHARE = 8
"""A word is kept where one in so many contents of a chunk has it."""

_SAMPLED = 128
"""One in so many contents is read to guess which words are frequent."""

_DONE = ""
"""The value that says, by an empty bitmap, that a chunk's words are kept: no word is empty."""


def is_kept(connection: sqlite3.Connection, text: tree.Text) -> bool:
    """Whether words are kept as bitmaps, be it of a part of the contents."""
    longest = _LONGEST.get(text.column, 0)
    if text.prefix or len(text.words) > longest:
        return False
    row = connection.execute(
        "SELECT 1 FROM facet WHERE kind = ? AND value = ? LIMIT 1", _key(text)
    ).fetchone()
    return row is not None


def matching(connection: sqlite3.Connection, text: tree.Text) -> BitMap:
    """The contents that have words: by what is kept, and by the full-text index for the rest."""
    if not is_kept(connection, text):
        return fulltext.matching(connection, fulltext.expression(text))
    rows = connection.execute(
        "SELECT chunk, bits FROM facet WHERE kind = ? AND value = ? ORDER BY chunk", _key(text)
    ).fetchall()
    bits = BitMap.union(*(bitmap(data) for _, data in rows))
    for first, last in _between([chunk for chunk, _ in rows]):
        bits |= fulltext.matching(connection, fulltext.expression(text), first, last)
    return bits


def _key(text: tree.Text) -> tuple[str, str]:
    return _KINDS[text.column], " ".join(text.words)


def _between(chunks: list[int]) -> Iterator[tuple[int, int]]:
    """The spans of contents around chunks, the last one open: to SQLite's greatest number."""
    begin = 0
    for chunk in chunks:
        if begin < chunk << CHUNK_BITS:
            yield begin, (chunk << CHUNK_BITS) - 1
        begin = (chunk + 1) << CHUNK_BITS
    yield begin, (1 << 63) - 1


def next_chunk(connection: sqlite3.Connection, upto: int) -> int | None:
    """The first chunk whose contents, up to the last, are indexed, and whose words are not kept."""
    done = {
        chunk
        for (chunk,) in connection.execute(
            "SELECT chunk FROM facet WHERE kind = ? AND value = ?", (ANYWHERE, _DONE)
        )
    }
    complete = (upto + 1) >> CHUNK_BITS
    return next((chunk for chunk in range(complete) if chunk not in done), None)


def keep(connection: sqlite3.Connection, chunk: int) -> None:
    """Keep the frequent words of a chunk; inside a transaction."""
    first, last = chunk << CHUNK_BITS, ((chunk + 1) << CHUNK_BITS) - 1
    (held,) = connection.execute(
        "SELECT count(*) FROM entry WHERE content BETWEEN ? AND ?", (first, last)
    ).fetchone()
    rows = [(ANYWHERE, _DONE, chunk, BitMap().serialize())]
    for value in _guessed(connection, first, last):
        text = tree.Text(tuple(value.split()))
        hits = fulltext.matching(connection, fulltext.expression(text), first, last)
        if len(hits) * SHARE < held:
            continue
        rows.append((ANYWHERE, value, chunk, hits.serialize()))
        if len(text.words) == 1:
            titled = fulltext.expression(replace(text, column="title"))
            hits = fulltext.matching(connection, titled, first, last)
            rows.append((TITLE, value, chunk, hits.serialize()))
    connection.executemany("INSERT OR REPLACE INTO facet VALUES (?, ?, ?, ?)", sorted(rows))


def drop(connection: sqlite3.Connection, contents: Iterable[int]) -> None:
    """Keep no words of the chunks in which contents change; inside a transaction."""
    for chunk in {number >> CHUNK_BITS for number in contents}:
        done = connection.execute(
            "SELECT 1 FROM facet WHERE kind = ? AND value = ? AND chunk = ?",
            (ANYWHERE, _DONE, chunk),
        ).fetchone()
        if done is not None:
            connection.execute(
                "DELETE FROM facet WHERE kind IN (?, ?) AND chunk = ?", (ANYWHERE, TITLE, chunk)
            )


def faults(connection: sqlite3.Connection) -> Iterator[str]:
    """What is kept and is not what the full-text index says, in words."""
    rows = connection.execute(
        "SELECT kind, value, chunk, bits FROM facet WHERE kind IN (?, ?) AND value <> ?",
        (ANYWHERE, TITLE, _DONE),
    )
    for kind, value, chunk, data in rows:
        text = tree.Text(tuple(value.split()), "title" if kind == TITLE else None)
        first, last = chunk << CHUNK_BITS, ((chunk + 1) << CHUNK_BITS) - 1
        said = fulltext.matching(connection, fulltext.expression(text), first, last)
        try:
            wrong = BitMap.deserialize(data) ^ said
        except ValueError:
            wrong = said
        if wrong:
            yield f"{kind} {value}, {len(wrong)} contents"


def _guessed(connection: sqlite3.Connection, first: int, last: int) -> list[str]:
    """Words and pairs that a sample of a chunk has so often that they may be frequent."""
    opener = codec(connection)
    counted: Counter[str] = Counter()
    sample = 0
    for (frame,) in connection.execute(
        "SELECT frame FROM content WHERE id BETWEEN ? AND ? AND id % ? = 0",
        (first, last, _SAMPLED),
    ):
        try:
            texts = entry_of(decode_body(opener.open(frame).body)).texts
        except (FrameError, msgspec.DecodeError):
            continue  # damaged: it has no words, and reading the record says so
        sample += 1
        values: set[str] = set()
        for text in texts:
            row = words(text)
            values.update(row)
            values.update(map(" ".join, pairwise(row)))
        counted.update(values)
    least = sample / SHARE * 0.9
    return sorted(value for value, count in counted.items() if count >= least)
