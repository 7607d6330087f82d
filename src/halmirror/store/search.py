"""Evaluating a query tree over the search index.

Every part of a query becomes a bitmap of contents; the bitmaps are combined and cut to what is
current at the commit asked for.  Words that very many contents have are kept as bitmaps
(`halmirror.store.frequent`); all others that a hit must have are one question to FTS5, which
leaps along the rarest of them.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyroaring import BitMap

from halmirror.record import EVERY_STATUS, STATUSES
from halmirror.record.identifiers import parse_hal_id
from halmirror.search import query as tree
from halmirror.search.folding import words
from halmirror.store import frequent, fulltext, indexer, ordering
from halmirror.store.bitmaps import COPY, bitmap, stored
from halmirror.store.unique import spare_contents

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from halmirror.store.preference import Preference

FACET_KINDS = ("type", "year", "domain", "lang", "access", "source")

_AT_ONCE = 100
"""Words in one question to FTS5, whose expressions may not be of any size."""


def _by_words(texts: Iterable[tree.Text]) -> Iterator[list[tree.Text]]:
    """Texts in lots, each of about `_AT_ONCE` words."""
    lot: list[tree.Text] = []
    for text in texts:
        lot.append(text)
        if sum(len(one.words) for one in lot) >= _AT_ONCE:
            yield lot
            lot = []
    if lot:
        yield lot


def complete_at(connection: sqlite3.Connection) -> int:
    """The newest commit of which the index knows everything; 0 where there is none."""
    row = connection.execute(
        'SELECT seq FROM "commit" WHERE last_state <= ? ORDER BY seq DESC LIMIT 1',
        (indexer.upto(connection, "state"),),
    ).fetchone()
    return int(row[0]) if row else 0


@dataclass(frozen=True, slots=True)
class Found:
    """Contents that answer a query, best first, and by what they were sorted."""

    hits: BitMap
    ordered: list[int]
    sort: str


class Index:
    """The search index of a mirror, as seen over one connection at one commit.

    What is current at the commit is always exact.  What contents are found by may trail: see
    `complete_at`.
    """

    def __init__(self, connection: sqlite3.Connection, at: int) -> None:
        self.connection = connection
        self._words = connection
        self._at = at
        self._moved = BitMap()
        self._stood: defaultdict[str, BitMap] = defaultdict(BitMap)
        for content, status, _, held in self._touched():
            self._moved.add(content)
            if held:
                self._stood[status].add(content)

    def find(
        self,
        node: tree.Node,
        *,
        sort: str,
        statuses: Sequence[str],
        wanted: int,
        preference: Preference | None = None,
        asked: str = "",
    ) -> Found:
        """The hits of a query; ``ordered`` holds at least the first ``wanted`` of them.

        ``asked``: the query as it was typed, which may be the title of what is looked for.
        ``preference``: where several sources' copies of one id are hits, only the preferred is.
        """
        scope = self.standing(statuses)
        hits = self._evaluate(node, scope)
        if preference is not None and (copies := hits & stored(self.connection, *COPY)):
            hits -= spare_contents(
                self.connection, copies, self._bits("status", "active"), preference
            )
        if sort == "relevance" and tree.texts(node) and len(hits) <= ordering.RANKED:
            first = hits & self._bearing(node)
            ranked = ordering.by_relevance(
                self.connection, node, hits, wanted, first=first, asked=words(asked)
            )
            return Found(hits, ranked, "relevance")
        order = "oldest" if sort == "oldest" else "newest"
        dated = ordering.by_date(self.connection, hits, wanted, oldest=order == "oldest")
        return Found(hits, dated, order)

    def _bearing(self, node: tree.Node) -> BitMap:
        """The contents that bear an identifier which a query names."""
        match node:
            case tree.Identifier():
                return self._under(node)
            case tree.All(parts) | tree.Any(parts):
                return BitMap.union(*map(self._bearing, parts)) if parts else BitMap()
            case _:
                return BitMap()

    def every_hit(self, nodes: Sequence[tree.Node], statuses: Sequence[str]) -> BitMap:
        """What fits every node, contents that came after the index's last batch included.

        Those are indexed in memory, a batch at a time: some 0.1 ms each.
        """
        scope = self.standing(statuses)
        known = indexer.upto(self.connection, "content")
        late = scope - BitMap(range(known + 1))
        node = tree.All(tuple(nodes))
        hits = self._evaluate(node, scope - late)
        for start in range(0, len(late), indexer.BATCH):
            some = BitMap(late[start : start + indexer.BATCH])
            with contextlib.closing(indexer.in_memory(self.connection, some)) as self._words:
                hits |= self._evaluate(node, some)
        self._words = self.connection
        return hits

    def standing(self, statuses: Sequence[str]) -> BitMap:
        """The contents that are current, of documents of those statuses."""
        return BitMap.union(*(self._bits("status", status) for status in statuses))

    def facets(self, hits: BitMap) -> dict[str, dict[str, int]]:
        """How many hits have each value of each facet, most frequent first."""
        counts: dict[str, dict[str, int]] = {}
        for kind in FACET_KINDS:
            found: dict[str, int] = {}
            rows = self.connection.execute(
                "SELECT value, bits FROM facet WHERE kind = ? ORDER BY value, chunk", (kind,)
            )
            for value, bits in rows:
                count = hits.intersection_cardinality(bitmap(bits))
                if count:
                    found[value] = found.get(value, 0) + count
            counts[kind] = dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
        return counts

    # -- evaluation -----------------------------------------------------------------------

    def _evaluate(self, node: tree.Node, scope: BitMap) -> BitMap:
        """The hits of a part among those in scope."""
        match node:
            case tree.All(parts):
                return self._all(parts, scope)
            case tree.Any(parts):
                return BitMap.union(*(self._evaluate(part, scope) for part in parts))
            case tree.Not(part):
                return scope - self._evaluate(part, scope)
            case tree.Text():
                return self._all((node,), scope)
            case _:
                return scope & self._under(node)

    def _under(self, node: tree.Facet | tree.Years | tree.Identifier) -> BitMap:
        """The contents under a value."""
        match node:
            case tree.Facet("status", value) if value == EVERY_STATUS:
                return self.standing(STATUSES)
            case tree.Facet(kind, value):
                return self._bits(kind, value)
            case tree.Years(first, last):
                return self._years(first, last)
            case tree.Identifier(scheme, value):
                return self._identified(scheme, value)

    def _all(self, parts: Iterable[tree.Node], scope: BitMap) -> BitMap:
        """What has every part: kept bitmaps first, then FTS5 for all other texts at once."""
        hits = scope
        asked: list[tree.Text] = []
        others: list[tree.Node] = []
        for part in dict.fromkeys(parts):
            if not isinstance(part, tree.Text):
                others.append(part)
            elif frequent.is_kept(self._words, part):
                hits = hits & frequent.matching(self._words, part)
            else:
                asked.append(part)
        for part in sorted(others, key=lambda one: isinstance(one, tree.Not)):
            if not hits:
                return hits
            hits = self._evaluate(part, hits)
        for some in _by_words(asked):
            if not hits:
                return hits
            expression = " AND ".join(map(fulltext.expression, some))
            hits = hits & fulltext.matching(self._words, expression)
        return hits

    def _bits(self, kind: str, value: str) -> BitMap:
        """The contents under a facet's value; status and sets as they were at the commit."""
        if kind not in {"status", "set"}:
            return stored(self._words, kind, value)
        moved = self._stood_in(value) if kind == "set" else self._stood[value]
        return (stored(self.connection, kind, value) - self._moved) | moved

    def _years(self, first: int | None, last: int | None) -> BitMap:
        bits = BitMap()
        for value, chunk in self._words.execute(
            "SELECT value, bits FROM facet WHERE kind = 'year'"
        ):
            year = int(value)
            if (first is None or year >= first) and (last is None or year <= last):
                bits |= bitmap(chunk)
        return bits

    def _identified(self, scheme: str, value: str) -> BitMap:
        if scheme == tree.HAL and (named := parse_hal_id(value)):
            return self._named(*named)
        rows = self.connection.execute(
            "SELECT c.id FROM identifier i JOIN content c ON c.document = i.document "
            "WHERE i.scheme = ? AND i.value = ?",
            (scheme, value),
        )
        return BitMap(row[0] for row in rows)

    def _named(self, local_id: str, version: int | None) -> BitMap:
        rows = self.connection.execute(
            "SELECT c.id, c.version FROM document d JOIN content c ON c.document = d.id "
            "WHERE d.local_id = ?",
            (local_id,),
        )
        return BitMap(content for content, held in rows if version in (None, held))

    def _touched(self) -> Iterator[tuple[int, str, str, bool]]:
        """The states of each version that a later commit touched, or one not yet indexed.

        Content, status, sets (a list of numbers) and whether it held at the commit.
        """
        row = self.connection.execute(
            'SELECT last_state FROM "commit" WHERE seq <= ? ORDER BY seq DESC LIMIT 1', (self._at,)
        ).fetchone()
        return self.connection.execute(
            "SELECT s.content, s.status, s.sets, s.first_seq <= ?1 "
            "AND (s.end_seq IS NULL OR s.end_seq > ?1) FROM "
            # An index in the order of DISTINCT would be read whole.
            "(SELECT DISTINCT document, version FROM state NOT INDEXED WHERE id > ?2) t "
            "CROSS JOIN state s ON s.document = t.document AND s.version = t.version "
            "WHERE s.content IS NOT NULL",
            (self._at, min(row[0] if row else 0, indexer.upto(self.connection, "state"))),
        )

    def _stood_in(self, set_spec: str) -> BitMap:
        """The contents that moved since and were in a set at the commit."""
        row = self.connection.execute(
            "SELECT id FROM set_spec WHERE spec = ?", (set_spec,)
        ).fetchone()
        if row is None or not self._moved:
            return BitMap()
        number = f",{row[0]},"
        return BitMap(
            content
            for content, _, sets, held in self._touched()
            if held and number in f",{sets[1:-1]},"
        )
