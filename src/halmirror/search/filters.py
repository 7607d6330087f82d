"""What picks records: values of fields, as commands, pages and programs name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from halmirror.errors import QueryError
from halmirror.record import EVERY_STATUS, STATUSES, Status

if TYPE_CHECKING:
    from halmirror.search import query as tree


class Filters(msgspec.Struct, frozen=True):
    """What `Mirror.search` and `Mirror.records` pick.

    Values of one kind mean OR, different kinds mean AND.  ``status`` holds statuses or ``all``;
    ``year`` holds years or ranges (``2015..2020``, ``2015..``).
    """

    author: tuple[str, ...] = ()
    title: tuple[str, ...] = ()
    year: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    domain: tuple[str, ...] = ()
    lang: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    access: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    status: tuple[str, ...] = ()

    def nodes(self) -> list[tree.Node]:
        """The filters as query nodes, one a kind.  Raises `QueryError`."""
        # Looking up needs no query: it starts faster without.
        from halmirror.search import query as tree

        found: list[tree.Node] = []
        if self.author:
            found.append(tree.Any(tuple(tree.words_in(value, "creator") for value in self.author)))
        if self.title:
            found.append(tree.Any(tuple(tree.words_in(value, "title") for value in self.title)))
        kinds = ("year", "type", "domain", "lang", "set", "access", "source")
        found.extend(
            tree.Any(tuple(tree.facet(kind, value) for value in getattr(self, kind)))
            for kind in kinds
            if getattr(self, kind)
        )
        return found

    def statuses(self, otherwise: tuple[Status, ...] = ("active",)) -> tuple[Status, ...]:
        """The statuses asked for; the active ones, or others, where none is named."""
        if not self.status:
            return otherwise
        if unknown := set(self.status) - {*STATUSES, EVERY_STATUS}:
            known = ", ".join((*STATUSES, EVERY_STATUS))
            raise QueryError(f"status: '{min(unknown)}' is none of {known}")
        if EVERY_STATUS in self.status:
            return STATUSES
        return tuple(status for status in STATUSES if status in self.status)
