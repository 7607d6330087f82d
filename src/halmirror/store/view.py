"""Records as they stood at a commit, each with the other documents of the same work.

Two documents are linked (``same_as``) where both bear an identifier of `LINKING`: this record's
own content, and the other's newest active version.  Both are read as of the commit: what either
bore before or after does not count.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, get_args

from halmirror.errors import MirrorError
from halmirror.record import SameAs, Shared

if TYPE_CHECKING:
    from pyroaring import BitMap

    from halmirror.record import Record
    from halmirror.store.reader import Reader, State

LINKING: tuple[Shared, ...] = get_args(Shared)
"""The schemes whose identifiers name a work.  An ISBN names a book, not its chapters."""

SHARED_BY_AT_MOST = 20
"""An identifier that more documents bear names no single work (a conference's DOI on each of its
papers), and links none of them."""

_REMEMBERED = 1_000
"""Shared identifiers whose bearers are kept while everything is read: most have two, far apart, and
what is kept of many more would only take room."""

_Key = tuple[str, str]


class View:
    """What a reader gives as of one commit.

    ``everything``: most of the mirror will be read, so one pass over the identifiers finds ahead
    which documents share any.
    """

    def __init__(self, reader: Reader, at: int, *, everything: bool = False) -> None:
        self.reader = reader
        self.at = at
        self._sharing: BitMap | None = reader.sharing(LINKING) if everything else None
        self._bearers = lru_cache(_REMEMBERED)(self._find_bearers)

    def record(self, state: State) -> Record:
        """The state's record.  Raises `MirrorError` where it is damaged."""
        return self.reader.record(state, self.at, self.same_as(state))

    def json(self, state: State) -> bytes:
        """The record's one line of JSON.  Raises `MirrorError` where it is damaged."""
        return self.reader.json(state, self.at, self.same_as(state))

    def same_as(self, state: State) -> tuple[SameAs, ...]:
        """The other documents of the same work, by source and id."""
        if state.frame is None:
            return ()
        if self._sharing is not None and state.document not in self._sharing:
            return ()
        schemes: dict[int, list[Shared]] = {}
        others: dict[int, State] = {}
        keys = self.reader.keys(state)
        for linking in LINKING:
            for key in keys:
                if key[0] != linking:
                    continue
                for other in self._bearers(key):
                    if other.document != state.document:
                        others[other.document] = other
                        named = schemes.setdefault(other.document, [])
                        if linking not in named:
                            named.append(linking)
        return tuple(
            SameAs(
                source=other.source,
                id=other.local_id,
                version=other.version or None,
                by=tuple(schemes[other.document]),
            )
            for other in sorted(others.values(), key=lambda one: (one.source, one.local_id))
        )

    def _find_bearers(self, key: _Key) -> tuple[State, ...]:
        """The newest active versions that bear an identifier; none where they are too many."""
        documents = self.reader.documents(*key)
        if len(documents) < 2:
            return ()
        found: list[State] = []
        for document in documents:
            state = self.reader.newest_active(document, self.at)
            if state is not None and self._bears(state, key):
                if len(found) == SHARED_BY_AT_MOST:
                    return ()
                found.append(state)
        return tuple(found)

    def _bears(self, state: State, key: _Key) -> bool:
        try:
            return key in self.reader.keys(state)
        except MirrorError:
            # Damaged: reading that record says so; this one is whole.
            return False
