"""Questions to the full-text index: FTS5's expressions, hits and scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from pyroaring import BitMap

if TYPE_CHECKING:
    import sqlite3

    from halmirror.search import query as tree

_WEIGHTS = (10.0, 5.0, 3.0, 1.0, 1.0)
"""How much a word weighs in title, creator, subject, abstract and the rest."""

_numbers = msgspec.json.Decoder(list[int]).decode

_LAST = (1 << 63) - 1
"""The greatest number a content can have."""


def expression(text: tree.Text) -> str:
    """The FTS5 expression of words: quoted, so that nothing in them is an operator."""
    quoted = '"' + " ".join(text.words) + '"'
    column = f"{{{text.column}}} : " if text.column else ""
    return f"{column}{quoted}{' *' if text.prefix else ''}"


def matching(
    connection: sqlite3.Connection, asked: str, first: int = 0, last: int = _LAST
) -> BitMap:
    """The contents, in a span of their numbers, that answer an expression.

    One row of JSON: rows of their own would take two and a half times as long.
    """
    (found,) = connection.execute(
        "SELECT json_group_array(rowid) FROM search_text "
        "WHERE search_text MATCH ? AND rowid BETWEEN ? AND ?",
        (asked, first, last),
    ).fetchone()
    return BitMap(_numbers(found))


def count(connection: sqlite3.Connection, asked: str, most: int) -> int:
    """How many contents answer an expression, counted to ``most``."""
    (counted,) = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM search_text WHERE search_text MATCH ? LIMIT ?)",
        (asked, most),
    ).fetchone()
    return int(counted)


def scores(connection: sqlite3.Connection, asked: str, hits: BitMap) -> dict[int, float]:
    """How well hits answer an expression: by BM25, the least is the best; some 2 µs a hit.

    Rounded, so that records of the same words are equal wherever in the index they stand.
    """
    weights = ", ".join(str(weight) for weight in _WEIGHTS)
    rows = connection.execute(
        f"SELECT rowid, bm25(search_text, {weights}) FROM search_text WHERE search_text MATCH ?",
        (asked,),
    )
    return {number: round(score, 9) for number, score in rows if number in hits}
