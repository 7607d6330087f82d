"""Evaluating a query tree over the search index.

Every part of a query becomes a bitmap of contents; the bitmaps are combined and cut to what is
current at the commit asked for.  Relevance is computed for up to `RANKED` hits; beyond that the
newest come first, and the answer says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyroaring import BitMap

from halmirror import query as tree
from halmirror.errors import MirrorError
from halmirror.store.sets import Sets
from halmirror.store.unique import spare_contents

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from halmirror.store.unique import Preference

RANKED = 20_000
"""Hits that are ranked exactly."""

FACET_KINDS = ("type", "year", "domain", "lang", "access", "source")
COPY = ("copy", "")
"""The bitmap of contents whose document's id another source holds too."""

WEIGHTS = (10.0, 5.0, 3.0, 1.0, 1.0)
"""How much a word weighs in title, creator, subject, abstract and the rest."""


@dataclass(frozen=True, slots=True)
class Found:
    """Contents that answer a query, best first, and by what they were sorted."""

    hits: BitMap
    ordered: list[int]
    sort: str


class Index:
    """The search index of a mirror, as seen over one connection at one commit."""

    def __init__(self, connection: sqlite3.Connection, at: int, latest: int) -> None:
        self.connection = connection
        self._moved = self._moved_since(at) if at < latest else {}

    def find(
        self,
        node: tree.Node,
        *,
        sort: str,
        statuses: Sequence[str],
        wanted: int,
        preference: Preference | None = None,
    ) -> Found:
        """The hits of a query; ``ordered`` holds at least the first ``wanted`` of them.

        ``preference``: where several sources' copies of one id are hits, only the preferred is.
        """
        scope = self.standing(statuses)
        hits = self._evaluate(node, scope) & scope
        if preference is not None and (copies := hits & self._bits(*COPY)):
            hits -= spare_contents(
                self.connection, copies, self._bits("status", "active"), preference
            )
        texts = tree.texts(node)
        if sort == "relevance" and texts and len(hits) <= RANKED:
            return Found(hits, self._by_relevance(hits, texts), "relevance")
        order = "oldest" if sort == "oldest" else "newest"
        return Found(hits, self._by_date(hits, wanted, oldest=order == "oldest"), order)

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
                count = hits.intersection_cardinality(_bitmap(bits))
                if count:
                    found[value] = found.get(value, 0) + count
            counts[kind] = dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
        return counts

    # -- evaluation -----------------------------------------------------------------------

    def _evaluate(self, node: tree.Node, scope: BitMap) -> BitMap:
        match node:
            case tree.All(parts):
                hits = scope
                for part in parts:
                    hits = hits & self._evaluate(part, scope)
                return hits
            case tree.Any(parts):
                return BitMap.union(*(self._evaluate(part, scope) for part in parts))
            case tree.Not(part):
                return scope - self._evaluate(part, scope)
            case _:
                return self._leaf(node)

    def _leaf(self, node: tree.Text | tree.Facet | tree.Years | tree.Identifier) -> BitMap:
        match node:
            case tree.Text():
                return self._matching(match_expression(node))
            case tree.Facet(kind, value):
                return self._bits(kind, value)
            case tree.Years(first, last):
                return self._years(first, last)
            case tree.Identifier(scheme, value):
                return self._identified(scheme, value)

    def _matching(self, expression: str) -> BitMap:
        rows = self.connection.execute(
            "SELECT rowid FROM search_text WHERE search_text MATCH ?", (expression,)
        )
        return BitMap(row[0] for row in rows)

    def _bits(self, kind: str, value: str) -> BitMap:
        """The contents under a facet's value; status and sets as they were at the commit."""
        bits = BitMap()
        for (chunk,) in self.connection.execute(
            "SELECT bits FROM facet WHERE kind = ? AND value = ?", (kind, value)
        ):
            bits |= _bitmap(chunk)
        if kind in {"status", "set"} and self._moved:
            bits -= BitMap(self._moved)
            bits |= BitMap(
                content
                for content, standing in self._moved.items()
                if standing is not None
                and (standing[0] == value if kind == "status" else value in standing[1])
            )
        return bits

    def _years(self, first: int | None, last: int | None) -> BitMap:
        bits = BitMap()
        for value, chunk in self.connection.execute(
            "SELECT value, bits FROM facet WHERE kind = 'year'"
        ):
            year = int(value)
            if (first is None or year >= first) and (last is None or year <= last):
                bits |= _bitmap(chunk)
        return bits

    def _identified(self, scheme: str, value: str) -> BitMap:
        rows = self.connection.execute(
            "SELECT c.id FROM identifier i JOIN content c ON c.document = i.document "
            "WHERE i.scheme = ? AND i.value = ?",
            (scheme, value),
        )
        return BitMap(row[0] for row in rows)

    def _moved_since(self, at: int) -> dict[int, tuple[str, tuple[str, ...]] | None]:
        """For each content that a later commit touched: its status and sets at ``at``, or none."""
        row = self.connection.execute(
            'SELECT last_state FROM "commit" WHERE seq <= ? ORDER BY seq DESC LIMIT 1', (at,)
        ).fetchone()
        moved: dict[int, tuple[str, tuple[str, ...]] | None] = {}
        specs = Sets(self.connection)
        touched = self.connection.execute(
            "SELECT DISTINCT document, version FROM state WHERE id > ?", (row[0] if row else 0,)
        ).fetchall()
        for document, version in touched:
            states = self.connection.execute(
                "SELECT content, status, sets, first_seq, end_seq FROM state "
                "WHERE document = ? AND version = ?",
                (document, version),
            ).fetchall()
            moved.update(dict.fromkeys(one[0] for one in states if one[0] is not None))
            for content, status, sets, first, end in states:
                if content is not None and first <= at and (end is None or end > at):
                    moved[content] = (status, specs.specs(sets))
        return moved

    # -- order ----------------------------------------------------------------------------

    def _by_relevance(self, hits: BitMap, texts: Iterable[tree.Text]) -> list[int]:
        expression = " OR ".join(match_expression(text) for text in texts)
        weights = ", ".join(str(weight) for weight in WEIGHTS)
        rows = self.connection.execute(
            f"SELECT rowid, bm25(search_text, {weights}) FROM search_text "
            "WHERE search_text MATCH ?",
            (expression,),
        )
        scores = {number: round(score, 9) for number, score in rows if number in hits}
        keys = self._keys(hits)
        return sorted(hits, key=lambda number: (scores.get(number, 0.0), keys[number]))

    def _by_date(self, hits: BitMap, wanted: int, *, oldest: bool) -> list[int]:
        """The first hits along the date index; whole days are read, so that ties sort alike."""
        direction = "ASC" if oldest else "DESC"
        ordered: list[int] = []
        tied: list[int] = []
        day = None
        for number, date in self.connection.execute(
            f"SELECT content, sort_date FROM entry ORDER BY sort_date {direction}"
        ):
            if date != day:
                ordered += self._in_id_order(tied)
                tied = []
                day = date
                if len(ordered) >= min(wanted, len(hits)):
                    return ordered
            if number in hits:
                tied.append(number)
        return ordered + self._in_id_order(tied)

    def _in_id_order(self, contents: list[int]) -> list[int]:
        keys = self._keys(contents)
        return sorted(contents, key=keys.__getitem__)

    def _keys(self, contents: Iterable[int]) -> dict[int, tuple[str, str, int]]:
        """(source, id, version) of contents: the order that no arrival can change."""
        return {
            number: self.connection.execute(
                "SELECT src.name, d.local_id, c.version FROM content c "
                "JOIN document d ON d.id = c.document JOIN source src ON src.id = d.source "
                "WHERE c.id = ?",
                (number,),
            ).fetchone()
            for number in contents
        }


def _bitmap(data: bytes) -> BitMap:
    try:
        return BitMap.deserialize(data)
    except ValueError as error:
        raise MirrorError(
            f"the search index is damaged ({error}); restore the mirror from a backup"
        ) from error


def match_expression(text: tree.Text) -> str:
    """The FTS5 expression of words: quoted, so that nothing in them is an operator."""
    quoted = '"' + " ".join(text.words) + '"'
    column = f"{{{text.column}}} : " if text.column else ""
    return f"{column}{quoted}{' *' if text.prefix else ''}"
