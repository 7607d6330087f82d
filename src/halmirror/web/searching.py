"""A search as an address asks for it: ``q``, filters, ``sort``, ``limit``, ``cursor``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from halmirror.errors import QueryError
from halmirror.mirror import SORTS, Filters
from halmirror.places import read_cursor
from halmirror.search import query as tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from halmirror.mirror import Hits, Mirror
    from halmirror.web.place import Place

PAGE: Final = 20
"""Hits of a page."""

MOST_HITS: Final = 100
"""Hits that one answer of the API holds at most."""

LONGEST_QUERY: Final = 2000
"""Characters of a query."""

MOST_WORDS: Final = 60
"""Words and values that one query asks for."""

MOST_VALUES: Final = 40
"""Values of filters, of all kinds together."""

DEEPEST: Final = 10_000
"""How far a list of hits is paged through; an export gives all of them."""

FACET_VALUES: Final = 100
"""Values of one facet that are given, the most frequent first."""

KINDS: Final = Filters.__struct_fields__


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for; ``offset`` is where the cursor stands."""

    q: str
    filters: Filters
    sort: str
    limit: int
    cursor: str | None
    offset: int

    @classmethod
    def of(cls, request: Request, *, most: int) -> Asked:
        """What an address asks for.  Raises `QueryError`.

        Years may also come as ``year_from`` and ``year_to``, as a form gives them.
        """
        given = request.query_params
        values = {kind: _values(given.getlist(kind)) for kind in KINDS}
        first, last = given.get("year_from", "").strip(), given.get("year_to", "").strip()
        if first or last:
            values["year"] = (f"{first}..{last}" if first != last else first,)
        cursor = given.get("cursor") or None
        return cls(
            given.get("q", ""),
            filters_of(values),
            given.get("sort") or "relevance",
            _limit(given.get("limit"), most),
            cursor,
            read_cursor(cursor)[1] if cursor else 0,
        )

    def identifier(self) -> str | None:
        """What may be a record's identifier: a query without blanks, filters or cursor."""
        text = self.q.strip()
        alone = not self.cursor and self.filters == Filters()
        return text if alone and text and len(text) <= LONGEST_QUERY and " " not in text else None

    def tree(self) -> tree.All:
        """Query and filters as one tree.  Raises `QueryError`."""
        return tree.All((tree.parse(self.q), *self.filters.nodes()))

    def hits(self, mirror: Mirror, *, facets: bool, at: int | None = None) -> Hits:
        """The hits, now or as of a commit.  Raises `QueryError`, `OverdueError`."""
        self.check()
        found = mirror.search(
            self.q,
            self.filters,
            sort=self.sort,
            limit=self.limit,
            cursor=self.cursor,
            facets=facets,
            at=at,
        )
        cut = {
            kind: dict(list(counts.items())[:FACET_VALUES]) for kind, counts in found.facets.items()
        }
        deep = self.offset + self.limit >= DEEPEST
        return msgspec.structs.replace(found, facets=cut, next=None if deep else found.next)

    def check(self) -> None:
        """Raises `QueryError` for what cannot be read or is too much."""
        if self.sort not in SORTS:
            listed = ", ".join(SORTS)
            raise QueryError(f"sort: it is none of {listed}", f"sort : choisissez parmi {listed}")
        if len(self.q) > LONGEST_QUERY:
            raise QueryError(
                f"the query is longer than {LONGEST_QUERY} characters",
                f"la requête dépasse {LONGEST_QUERY} caractères",
            )
        if self.offset > DEEPEST:
            raise QueryError(
                f"only the first {DEEPEST} hits can be paged through; export them",
                f"seuls les {DEEPEST} premiers résultats se feuillettent ; exportez-les",
            )
        self.filters.statuses()
        if sum(len(text.words) for text in tree.texts(self.tree())) > MOST_WORDS:
            raise QueryError(
                f"the query has more than {MOST_WORDS} words; ask for fewer",
                f"la requête compte plus de {MOST_WORDS} mots ; demandez-en moins",
            )

    def pairs(self) -> list[tuple[str, str]]:
        """Query, filters and order as an address has them."""
        found = [("q", self.q)] if self.q else []
        found += [(kind, value) for kind in KINDS for value in getattr(self.filters, kind)]
        return found + ([("sort", self.sort)] if self.sort != "relevance" else [])

    def link(self, place: Place, **changed: Any) -> str:  # noqa: ANN401 - of each field its own
        """The address of the search page with something changed: ``cursor``, ``sort``, a filter."""
        cursor = changed.pop("cursor", self.cursor)
        other = replace(self, sort=changed.pop("sort", self.sort))
        other = replace(other, filters=msgspec.structs.replace(self.filters, **changed))
        return place.path("/search", [*other.pairs(), ("cursor", cursor or "")])


def filters_of(values: Mapping[str, tuple[str, ...]]) -> Filters:
    """The filters of these values by kind.  Raises `QueryError` where they are too many."""
    if sum(map(len, values.values())) > MOST_VALUES:
        raise QueryError(
            f"more than {MOST_VALUES} filters; ask for fewer at once",
            f"plus de {MOST_VALUES} filtres ; demandez-en moins à la fois",
        )
    return Filters(**values)


def _values(given: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value.strip() for value in given if value.strip()))


def _limit(text: str | None, most: int) -> int:
    if not text:
        return PAGE
    if not text.isdecimal() or not text.isascii() or len(text) > 5 or int(text) > most:
        raise QueryError(f"limit: it is no number from 0 to {most}")
    return int(text)
