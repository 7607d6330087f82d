"""What a query without hits may have meant: a word that the index has in the place of one.

A word is tried with one letter left out, put in, replaced, or two neighbours exchanged, the four
slips that make up four fifths of all (F. J. Damerau, 1964).  Each is asked of the index, which
takes some 40 µs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from halmirror import query as tree
from halmirror.store import fulltext

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_SHORTEST = 4
"""Letters of a word for which others are tried: shorter ones are one slip from too many."""

_LONGEST = 40
_MOST_WORDS = 3
"""Words of a query for which others are tried."""

_RARE = 3
"""Contents that a word may have and still be a slip that was made there too."""

_COUNTED = 1000
"""Contents of a word that are counted; beyond, it is frequent enough."""


def suggestions(connection: sqlite3.Connection, node: tree.Node) -> Iterator[dict[str, str]]:
    """Words of a query, folded, with others in their place, the likeliest first."""
    slips = sorted(
        {
            (count, text)
            for text in tree.texts(node)
            if len(text.words) == 1 and not text.prefix
            if _SHORTEST <= len(text.words[0]) <= _LONGEST
            if (count := fulltext.count(connection, fulltext.expression(text), _RARE + 1)) <= _RARE
        },
        key=lambda one: (one[0], one[1].words),
    )[:_MOST_WORDS]
    best = {
        text.words[0]: near for count, text in slips if (near := _nearest(connection, text, count))
    }
    if len(best) > 1:
        yield best
    yield from ({word: near} for word, near in best.items())


def _nearest(connection: sqlite3.Connection, text: tree.Text, rare: int) -> str | None:
    """The most frequent word that one slip makes of a text's; none where all are as rare."""
    (word,) = text.words
    counts = {
        other: fulltext.count(
            connection, fulltext.expression(replace(text, words=(other,))), _COUNTED
        )
        for other in _one_slip_from(word)
    }
    found = [other for other, count in counts.items() if count > rare]
    return min(found, key=lambda other: (-counts[other], other), default=None)


def _one_slip_from(word: str) -> set[str]:
    parts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    made = {before + after[1:] for before, after in parts if after}
    made |= {before + after[1] + after[0] + after[2:] for before, after in parts if len(after) > 1}
    made |= {before + one + after[1:] for before, after in parts if after for one in _LETTERS}
    made |= {before + one + after for before, after in parts for one in _LETTERS}
    return made - {word}
