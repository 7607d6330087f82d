"""The order of hits: by relevance or by date, as far as it is wanted.

Relevance is computed for up to `RANKED` hits.  Words that too many contents have, for BM25 to be
computed in time, weigh by whether the title has them.  A record whose title is what was asked
comes first.  What is equal is ordered by date, the newest first, and then by source, id and
version: an order that no arrival can change.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from pyroaring import BitMap

from halmirror.search import query as tree
from halmirror.search.folding import words
from halmirror.store import frequent, fulltext
from halmirror.store.bitmaps import stored

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

RANKED = 20_000
"""Hits that are ranked; of more, the newest come first."""

_WEIGHED = 2 * RANKED
"""Contents that BM25 is computed for at most, those among them that are no hits included."""

_WEIGHED_WORDS = 100
"""Words of a query that BM25 is computed for at most: each costs time for each content."""

_FEW = 2_000
"""Contents whose dates and names are looked up one by one."""

_COMPARED = 200
"""Hits, the best by their words, whose titles are compared with what was asked."""


def by_relevance(
    connection: sqlite3.Connection,
    node: tree.Node,
    hits: BitMap,
    wanted: int,
    *,
    first: BitMap,
    asked: Sequence[str],
) -> list[int]:
    """The hits that come ``first``, then the best, to ``wanted`` and perhaps more.

    ``asked``: the folded words that were typed; a record whose title they are is among the first.
    """
    scores, unweighed = _scores(connection, node, hits)
    titled: dict[int, int] = defaultdict(int)
    for text in unweighed:
        for number in hits & _in_title(connection, text):
            titled[number] -= 1
    groups: defaultdict[tuple[float, int], list[int]] = defaultdict(list)
    for number in hits:
        groups[scores.get(number, 0.0), titled.get(number, 0)].append(number)
    ranked = [BitMap(groups[key]) for key in sorted(groups)]
    if asked:
        first = first | _exact(connection, asked, ranked)
    ranked = [first, *(group - first for group in ranked)]
    ordered: list[int] = []
    for group in ranked:
        if len(ordered) >= wanted:
            break
        ordered += by_date(connection, group, wanted - len(ordered), oldest=False)
    return ordered


def by_date(
    connection: sqlite3.Connection, hits: BitMap, wanted: int, *, oldest: bool
) -> list[int]:
    """The first ``wanted`` hits and perhaps more, by date; those without one come last."""
    if wanted <= 0:
        return []
    if len(hits) <= _FEW:
        return _sorted(connection, hits, oldest=oldest)
    ordered: list[int] = []
    rest = hits
    for year in sorted(_years(connection), reverse=not oldest):
        part = rest & stored(connection, "year", str(year))
        if not part:
            continue
        if len(part) <= _FEW:
            ordered += _sorted(connection, part, oldest=oldest)
        else:
            ordered += _walked(connection, year, part, wanted - len(ordered), oldest=oldest)
        if len(ordered) >= wanted:
            return ordered
        rest = rest - part
    return ordered + _sorted(connection, rest, oldest=oldest)


# -- dates --------------------------------------------------------------------------------


def _years(connection: sqlite3.Connection) -> list[int]:
    rows = connection.execute("SELECT DISTINCT value FROM facet WHERE kind = 'year'")
    return [int(year) for (year,) in rows]


def _walked(
    connection: sqlite3.Connection, year: int, part: BitMap, wanted: int, *, oldest: bool
) -> list[int]:
    """The first hits of a year along the index of dates; days whole, so that ties sort alike."""
    direction = "ASC" if oldest else "DESC"
    ordered: list[int] = []
    tied = BitMap()
    day = None
    for number, date in connection.execute(
        "SELECT content, sort_date FROM entry WHERE sort_date BETWEEN ? AND ? "
        f"ORDER BY sort_date {direction}",
        (year * 10_000, year * 10_000 + 9_999),
    ):
        if date != day:
            ordered += _sorted(connection, tied, oldest=oldest)
            tied = BitMap()
            day = date
            if len(ordered) >= wanted:
                return ordered
        if number in part:
            tied.add(number)
    return ordered + _sorted(connection, tied, oldest=oldest)


def _sorted(connection: sqlite3.Connection, contents: BitMap, *, oldest: bool) -> list[int]:
    """Contents by date, source, id and version; each costs some 3 µs."""
    rows = connection.execute(
        "SELECT e.sort_date, src.name, d.local_id, c.version, c.id FROM json_each(?) j "
        "CROSS JOIN content c ON c.id = j.value JOIN document d ON d.id = c.document "
        "JOIN source src ON src.id = d.source JOIN entry e ON e.content = c.id",
        (json.dumps(contents.to_array().tolist()),),
    ).fetchall()
    rows.sort(key=lambda row: (row[0] == 0, row[0] if oldest else -row[0], *row[1:4]))
    return [row[4] for row in rows]


# -- relevance ----------------------------------------------------------------------------


def _scores(
    connection: sqlite3.Connection, node: tree.Node, hits: BitMap
) -> tuple[dict[int, float], list[tree.Text]]:
    """Hits' scores by the rarer texts, and the texts that are not weighed in them."""
    texts = list(dict.fromkeys(tree.texts(node)))
    rarer = {text for text in texts if not frequent.is_kept(connection, text)}
    few = hits and sum(len(text.words) for text in texts) <= _WEIGHED_WORDS
    asked = _expression(node, rarer) if few else None
    if asked is None or fulltext.count(connection, asked, _WEIGHED) == _WEIGHED:
        return {}, texts
    return fulltext.scores(connection, asked, hits), [one for one in texts if one not in rarer]


def _expression(node: tree.Node, rarer: set[tree.Text]) -> str | None:
    """What the rarer texts of a query say, as one expression; its filters and NOT left out."""
    match node:
        case tree.Text():
            return fulltext.expression(node) if node in rarer else None
        case tree.All(parts) | tree.Any(parts):
            each = dict.fromkeys(_expression(part, rarer) for part in parts)
            found = [one for one in each if one is not None]
            operator = " AND " if isinstance(node, tree.All) else " OR "
            return f"({operator.join(found)})" if found else None
        case _:
            return None


def _in_title(connection: sqlite3.Connection, text: tree.Text) -> BitMap:
    """The contents that have a word in the title; none for phrases, and words of another column."""
    if text.column not in (None, "title") or len(text.words) > 1:
        return BitMap()
    return frequent.matching(connection, replace(text, column="title"))


def _exact(connection: sqlite3.Connection, asked: Sequence[str], ranked: list[BitMap]) -> BitMap:
    """Among the best hits, those whose title is what was asked, word for word."""
    best = BitMap()
    for group in ranked:
        if len(best) + len(group) > _FEW:
            break
        best |= group
        if len(best) >= _COMPARED:
            break
    rows = connection.execute(
        "SELECT e.content, e.title FROM json_each(?) j CROSS JOIN entry e ON e.content = j.value",
        (json.dumps(best.to_array().tolist()),),
    )
    return BitMap([number for number, title in rows if words(title or "") == asked])
