"""What a query without hits may have meant: a field's other name or value, or another word.

A value is sought by what it is called (``lang:french``, ``type:article``), by its last part
(``set:CNRS``), and by its spelling.

A word is tried with one letter left out, put in, replaced, or two neighbours exchanged, the four
slips that make up four fifths of all (F. J. Damerau, 1964).  Each is asked of the index, which
takes some 40 µs.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from halmirror.record.labels import domain_label, language_name
from halmirror.reference.document_types import DOCUMENT_TYPES
from halmirror.search import query as tree
from halmirror.search.folding import fold, words
from halmirror.store import fulltext
from halmirror.store.bitmaps import stored

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

_OTHER_NAMES = {
    name: field
    for field, names in {
        "author": ("auteur", "authors", "creator", "contributor", "au"),
        "title": ("titre", "ti"),
        "subject": ("sujet", "keyword", "keywords", "mots", "kw"),
        "abstract": ("resume", "résumé", "description", "ab"),
        "year": ("annee", "année", "date"),
        "lang": ("langue", "language"),
        "domain": ("domaine",),
        "access": ("acces", "accès"),
        "set": ("ensemble",),
        "set:collection": ("collection",),
    }.items()
    for name in names
}
"""What people call fields elsewhere, Dublin Core and HAL's own search among them."""

_CHOSEN = ("type", "domain", "lang", "set", "source")
"""Fields whose values are those that the mirror has."""


_ALIKE = 0.65
"""How like a value's spelling another is that it may be meant (`difflib`'s ratio)."""


def others(connection: sqlite3.Connection, text: str) -> Iterator[str]:
    """Queries that one without hits may have meant, the likeliest first; none is tried."""
    yield tree.with_fields(text, partial(_known, connection))
    for slips in suggestions(connection, tree.parse(text)):
        yield tree.with_words(text, slips)


def _known(connection: sqlite3.Connection, name: str, value: str) -> str | None:
    if name in _OTHER_NAMES:
        name = _OTHER_NAMES[name]
        return f'{name}:"{value}"' if " " in value else f"{name}:{value}"
    if name not in _CHOSEN:
        return None
    held = [
        row[0]
        for row in connection.execute("SELECT DISTINCT value FROM facet WHERE kind = ?", (name,))
    ]
    asked = fold(value)
    called = [one for one in held if asked in _names(name, one)]
    if not called:
        spelt = {fold(one): one for one in held}
        near = [one for one in spelt if one.startswith(asked)]
        near = near or difflib.get_close_matches(asked, spelt, n=1, cutoff=_ALIKE)
        called = [spelt[one] for one in near]
    best = min(called, key=lambda one: (-len(stored(connection, name, one)), one), default=None)
    return None if best is None else f"{name}:{best}"


def _names(field: str, value: str) -> set[str]:
    """What a field's value may be called, folded."""
    found = {fold(value), fold(value.replace(":", ".").rpartition(".")[2])}
    if field == "type" and value in DOCUMENT_TYPES:
        kind = DOCUMENT_TYPES[value]
        for name in (kind.en, kind.fr):
            parts = words(name)
            found |= {fold(name), *parts, *(part.removesuffix("s") for part in parts)}
    if field == "lang":
        found |= {fold(language_name(value, ui)) for ui in ("en", "fr")}
    if field == "domain":
        for label in (domain_label(value, "en"), domain_label(value, "fr")):
            found |= {fold(label), fold(label.rpartition("/")[2])} if label else set()
    return found


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
