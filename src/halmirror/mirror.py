"""The read side of a mirror: look-up, search and whole-mirror reading, now or as of a time.

>>> from halmirror import Mirror
>>> with Mirror("data/mirror.sqlite") as mirror:                    # doctest: +SKIP
...     record = mirror.get("hal-04493396")
...     record.body.titles[0].value
'Les contrats à impact social : une menace pour la solidarité ?'

Readers never wait for a harvest, and need no network.
"""

from __future__ import annotations

import contextlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from halmirror.errors import NotFoundError, QueryError
from halmirror.places import parse_time, read_cursor, write_cursor
from halmirror.record import STATUSES, Record, Status
from halmirror.record.identifiers import parse_hal_id
from halmirror.search.filters import Filters
from halmirror.store.database import limited, open_for_reading, translated
from halmirror.store.look_up import LookUp
from halmirror.store.preference import Preference
from halmirror.store.reader import Reader, State
from halmirror.store.view import View

if TYPE_CHECKING:
    import os
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pyroaring import BitMap

    from halmirror.explaining import Explanation
    from halmirror.frame import Frame
    from halmirror.history import Change, Difference, History
    from halmirror.search import query as tree
    from halmirror.store.items import Items
    from halmirror.store.past import Past
    from halmirror.store.search import Index

# Search and the past are imported where they are used: look-up starts a fifth faster without.

__all__ = ["SORTS", "Chosen", "Filters", "Hits", "Mirror"]

SORTS = ("relevance", "newest", "oldest")
_FEW = 10_000
"""Records that are looked up one by one; beyond, what they share is found ahead in one pass."""


class Hits(msgspec.Struct, frozen=True):
    """One page of a search: ``total`` hits, these ``records``, and the cursor of the ``next``.

    ``suggestion``: where nothing was found, a query of other words that finds something;
    ``trails``: whether the mirror holds changes that cannot be searched yet.
    """

    total: int
    sort: str
    records: list[Record]
    facets: dict[str, dict[str, int]] = {}
    next: str | None = None
    suggestion: str | None = None
    trails: bool = False

    def json(self) -> bytes:
        """The page as one line of JSON; ``suggestion`` and ``trails`` only where they tell."""
        answer: dict[str, object] = {
            "total": self.total,
            "sort": self.sort,
            "records": [msgspec.Raw(record.json()) for record in self.records],
            "facets": self.facets,
            "next": self.next,
        }
        if self.suggestion is not None:
            answer["suggestion"] = self.suggestion
        if self.trails:
            answer["trails"] = True
        return msgspec.json.encode(answer)


class Chosen(msgspec.Struct, frozen=True):
    """What `Mirror.choose` found: identifiers that name records, and those that do not.

    ``missing``: identifiers the mirror held nothing for at the commit ``at``; ``left_out``:
    those whose records the filters do not pick.
    """

    at: int
    missing: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    _states: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        """How many records are chosen."""
        return len(self._states)


class Mirror:
    """A mirror, opened for reading.  A context manager; `close` ends it.

    ``sources``: names in order of preference, for an id that several sources hold.
    Raises `NoMirrorError`, `NotAMirrorError`, `NewerMirrorError`; reading as of a commit whose
    history was pruned raises `PrunedError`.
    """

    def __init__(self, path: str | os.PathLike[str], sources: Sequence[str] = ()) -> None:
        self.path = Path(path)
        self._preference = Preference.of(sources)
        self._connection = open_for_reading(self.path)
        with translated(self.path):
            self._reader = Reader(self._connection)
            self._look_up = LookUp(self._reader, self._preference)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was read stays valid."""
        self._connection.close()

    def within(self, seconds: float) -> contextlib.AbstractContextManager[None]:
        """Let look-ups and searches inside take in all at most ``seconds`` of the clock.

        What takes longer ends with `OverdueError`; reading everything is not timed.
        """
        return limited(self._connection, seconds)

    # -- times ----------------------------------------------------------------------------

    def latest(self) -> int:
        """The newest commit's sequence number."""
        with translated(self.path):
            return self._reader.latest()

    def whole_from(self) -> int:
        """The first commit as of which the mirror can be read; 0 unless history was pruned."""
        with translated(self.path):
            return self._reader.whole_from()

    def seq_at(self, time: str) -> int:
        """The newest commit at a time: a day (its end, UTC), a time stamp, or a run's number.

        Raises `UsageError`, and `PrunedError` for a time of which the history was pruned.
        """
        with translated(self.path):
            seq = self._reader.seq_at(parse_time(time))
            self._reader.check_whole(seq)
            return seq

    @contextlib.contextmanager
    def _as_of(self, at: int | None) -> Iterator[int]:
        """The commit to read at, the newest unless told.

        Raises `PrunedError` where the history does not reach back to it, or no longer does: it
        may be pruned while it is read.
        """
        with translated(self.path):
            if at is None:
                yield self._reader.latest()
                return
            self._reader.check_whole(at)
            yield at
            self._reader.check_whole(at)

    @contextlib.contextmanager
    def _one_moment(self) -> Iterator[None]:
        """One transaction: what a harvest commits meanwhile does not show."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    # -- look-up --------------------------------------------------------------------------

    def get(self, identifier: str, *, at: int | None = None) -> Record | None:
        """The record of an identifier, or none.

        ``identifier``: a HAL id with or without version, an OAI identifier, a HAL address, a
        DOI (bare or as address), an arXiv id, PMID or NNT.  Without a version: the newest
        active version, else the last state.  ``at``: a commit's sequence number.
        """
        with self._as_of(at) as seq:
            state = self._look_up.state(identifier, seq)
            return View(self._reader, seq).record(state) if state else None

    def json(self, identifier: str, *, at: int | None = None) -> bytes | None:
        """The record's line of JSON, or none: `get` without the cost of decoding."""
        with self._as_of(at) as seq:
            state = self._look_up.state(identifier, seq)
            return View(self._reader, seq).json(state) if state else None

    def source_metadata(self, identifier: str, *, at: int | None = None) -> tuple[Record, Frame]:
        """The record and its frame: the metadata as they came, canonical, beside the body.

        Raises `NotFoundError` where there is none, or it never had metadata.
        """
        with self._as_of(at) as seq:
            state = self._look_up.state(identifier, seq)
            if state is None or state.frame is None:
                raise NotFoundError(f"{identifier}: the mirror holds no metadata of it")
            return View(self._reader, seq).record(state), self._reader.frame(state)

    def explain(self, identifier: str, *, at: int | None = None) -> Explanation:
        """Where each value of the record's metadata went, and by which rule.

        Today's rules are walked once more over the metadata as they came.  Raises
        `NotFoundError` where there is no such record, or it never had metadata.
        """
        # The crosswalks need lxml, which looking up does without.
        from halmirror.batch import Rules
        from halmirror.explaining import explain

        with self._as_of(at) as seq:
            state = self._look_up.state(identifier, seq)
            if state is None or state.frame is None or state.prefix is None:
                raise NotFoundError(f"{identifier}: the mirror holds no metadata of it")
            rules = Rules(state.prefix, self._reader.profile(state))
            frame, head = self._reader.frame(state), self._reader.head(state, seq)
            return explain(frame.source, rules, head.id, head.version, head.sets, frame.body)

    def history(self, identifier: str, *, at: int | None = None) -> History:
        """The states of a document, or of one version where ``identifier`` names one.

        Raises `NotFoundError`.
        """
        from halmirror import history as past_of
        from halmirror.store.past import Past

        with self._as_of(at) as seq:
            state, version = self._document(identifier, seq)
            past = Past(self._connection)
            return past_of.history(self._reader, past, state, version, seq)

    def diff(
        self, identifier: str, *, before: int | None = None, after: int | None = None
    ) -> Difference:
        """What differs between a document's states at two commits, key by key.

        ``after``: the newest commit unless told.  ``before``: the state that came before that
        one unless told; where there is none, the difference says so and has no changes.
        Raises `NotFoundError` where the mirror did not hold the document at a commit named.
        """
        from halmirror import history as past_of
        from halmirror.store.past import Past

        with self._as_of(after) as seq:
            if before is not None:
                self._reader.check_whole(before)
            _, version = found = self._document(identifier, seq)
            document, new = found[0].document, found[0]
            old: tuple[State, int] | None = None
            past = Past(self._connection)
            if before is not None:
                state = self._look_up.of_document(document, before, version)
                if state is None:
                    raise NotFoundError(f"{identifier}: the mirror did not hold it at that time")
                old = state, before
            else:
                old = self._state_before(past, document, version, new, seq)
            return past_of.difference(self._reader, past, old, (new, seq))

    def _state_before(
        self, past: Past, document: int, version: int | None, shown: State, at: int
    ) -> tuple[State, int] | None:
        """What look-up gave of a document before it gave the state shown."""
        for begun in sorted({one.first_seq for one in past.states(document, at)}, reverse=True):
            if begun <= past.whole_from:
                return None
            state = self._look_up.of_document(document, begun - 1, version)
            if state is not None and state.id != shown.id:
                return state, begun - 1
        return None

    def changes(
        self, after: int, upto: int | None = None, *, sources: Sequence[str] = ()
    ) -> Iterator[Change]:
        """The feed: every new state after the commit ``after``, up to ``upto`` or the newest.

        By commit, and within one by source, id and version.  ``sources``: of these alone.
        """
        from halmirror import history as past_of
        from halmirror.store.past import Past

        with self._snapshot() as connection:
            reader = Reader(connection)
            reader.check_whole(after)
            last = reader.latest() if upto is None else upto
            for change in past_of.changes(reader, Past(connection), after, last):
                if not sources or change.source in sources:
                    yield change

    def _document(self, identifier: str, at: int) -> tuple[State, int | None]:
        """The state an identifier stands for, and the version where it names one."""
        state = self._look_up.state(identifier, at)
        if state is None:
            raise NotFoundError(f"{identifier}: no such record in the mirror")
        named = parse_hal_id(identifier.strip())
        own = named is not None and named == (state.local_id, state.version)
        return state, state.version if own else None

    def has_later_version(self, record: Record) -> bool:
        """Whether the mirror knows a higher version of the record's document."""
        with translated(self.path):
            at = self._reader.latest()
            return any(
                state.version > (record.head.version or 0)
                for document in self._reader.documents_named(record.head.id)
                for state in self._reader.versions(document, at)
            )

    # -- as a list of items ---------------------------------------------------------------

    @cached_property
    def items(self) -> Items:
        """The mirror as a list of items by OAI identifier, in the order of its commits."""
        from halmirror.store.items import Items

        return Items(self._connection, self._reader, self._preference, self.path)

    # -- several identifiers --------------------------------------------------------------

    def choose(
        self,
        identifiers: Iterable[str],
        filters: Filters | None = None,
        *,
        at: int | None = None,
        unique: bool = False,
    ) -> Chosen:
        """The records that identifiers of any kind name and the filters pick.

        An identifier names every document that bears it, in each source.  One with a version
        names that version, whatever its status where the filters name none.  ``unique``: of an
        id that several sources hold, the preferred source's record only.
        Raises `QueryError`.
        """
        from halmirror.store.search import Index
        from halmirror.store.unique import giving_way

        filters = filters or Filters()
        with self._as_of(at) as seq:
            hits = None
            if nodes := filters.nodes():
                statuses = filters.statuses() if filters.status else STATUSES
                hits = Index(self._connection, seq).every_hit(nodes, statuses)
            missing: list[str] = []
            left_out: list[str] = []
            states: dict[tuple[int, int], State] = {}
            for identifier in dict.fromkeys(identifiers):
                named = self._look_up.named(identifier, seq)
                picked = [
                    state
                    for state, by_version in named
                    if (by_version and not filters.status) or state.status in filters.statuses()
                    if hits is None or (state.content is not None and state.content in hits)
                ]
                if not picked:
                    (left_out if named else missing).append(identifier)
                states.update({(one.document, one.version): one for one in picked})
            spare = giving_way(states.values(), self._preference) if unique else ()
            ordered = sorted(
                (one for one in states.values() if one.document not in spare),
                key=lambda one: (one.source, one.local_id, one.version),
            )
            return Chosen(
                seq,
                tuple(missing),
                tuple(left_out),
                tuple((one.document, one.version) for one in ordered),
            )

    # -- search ---------------------------------------------------------------------------

    def search(
        self,
        query: str = "",
        filters: Filters | None = None,
        *,
        sort: str = "relevance",
        limit: int = 20,
        cursor: str | None = None,
        facets: bool = False,
        at: int | None = None,
    ) -> Hits:
        """Records that answer a query, best first, a page at a time.

        They are those of the newest commit that is indexed, or of ``at`` where that is earlier:
        the index trails a harvest by up to a batch.  ``cursor`` is the ``next`` of an earlier
        page; it stays with the commit that page saw.  Raises `QueryError`.
        """
        from halmirror.search import query as tree
        from halmirror.store.search import Index, complete_at

        filters = filters or Filters()
        if sort not in SORTS:
            raise QueryError(f"sort: '{sort}' is none of {', '.join(SORTS)}")
        node = tree.All((tree.parse(query), *filters.nodes()))
        statuses = filters.statuses(STATUSES if tree.names_status(node) else ("active",))
        at, offset = read_cursor(cursor) if cursor else (at, 0)
        with self._as_of(at) as asked, self._one_moment():
            seq = max(min(asked, complete_at(self._connection)), self._reader.whole_from())
            index = Index(self._connection, seq)
            found = index.find(
                node, sort=sort, statuses=statuses, wanted=offset + limit,
                preference=self._preference, asked=query,
            )  # fmt: skip
            page = found.ordered[offset : offset + limit]
            states = self._reader.of_contents(page, seq)
            view = View(self._reader, seq)
            records = [view.record(states[one]) for one in page if one in states]
            more = offset + limit < len(found.hits) and limit > 0
            return Hits(
                total=len(found.hits),
                sort=found.sort,
                records=records,
                facets=index.facets(found.hits) if facets else {},
                next=write_cursor(seq, offset + limit) if more else None,
                suggestion=self._meant(index, found.hits, query, filters, statuses),
                trails=seq < asked,
            )

    def _meant(
        self, index: Index, hits: BitMap, query: str, filters: Filters, statuses: Sequence[Status]
    ) -> str | None:
        """Where there are no hits: a query of other fields or words that has some."""
        from halmirror.search import query as tree
        from halmirror.store.suggesting import others

        for other in others(self._connection, query) if not hits else ():
            with contextlib.suppress(QueryError):
                nodes = [tree.parse(other), *filters.nodes()]
                if other != query and _hits(index, nodes, statuses):
                    return other
        return None

    # -- everything -----------------------------------------------------------------------

    def records(
        self,
        filters: Filters | None = None,
        *,
        at: int | None = None,
        unique: bool = False,
        only: Chosen | None = None,
    ) -> Iterator[Record]:
        """Every record the filters pick, by source, id and version.

        ``unique``: of an id that several sources hold, the preferred source's record only;
        ``only``: what `choose` chose, and nothing else (it has the filters and the commit).
        """
        for view, state in self._states(filters, at, unique=unique, only=only):
            yield view.record(state)

    def lines(
        self,
        filters: Filters | None = None,
        *,
        at: int | None = None,
        unique: bool = False,
        only: Chosen | None = None,
        by_year: bool = False,
    ) -> Iterator[bytes]:
        """The same as lines of JSON.

        ``by_year``: by source, year (none last), id and version.
        """
        states = self._states(filters, at, unique=unique, only=only, by_year=by_year)
        for view, state in states:
            yield view.json(state)

    def sources(
        self,
        filters: Filters | None = None,
        *,
        at: int | None = None,
        unique: bool = False,
        only: Chosen | None = None,
        prefix: str | None = None,
        left_out: dict[str, int] | None = None,
    ) -> Iterator[tuple[Record, bytes]]:
        """The same, each with its metadata as they came (canonical XML).

        ``prefix``: only records whose metadata came under this metadata prefix; ``left_out``
        then counts the others by theirs.
        """
        for view, state in self._states(filters, at, unique=unique, only=only):
            if state.frame is None or state.prefix is None:
                continue
            if prefix is None or state.prefix == prefix:
                yield view.record(state), view.reader.frame(state).source
            elif left_out is not None:
                left_out[state.prefix] = left_out.get(state.prefix, 0) + 1

    def count(
        self,
        filters: Filters | None = None,
        *,
        at: int | None = None,
        only: Chosen | None = None,
    ) -> int:
        """About how many records `records` gives: those with metadata, copies not left out.

        Counted in the search index, without reading a record.
        """
        from halmirror.store.search import Index

        filters = filters or Filters()
        if only is not None:
            return len(only)
        with self._as_of(at) as seq:
            index = Index(self._connection, seq)
            nodes, statuses = filters.nodes(), filters.statuses()
            return len(_hits(index, nodes, statuses) if nodes else index.standing(statuses))

    def _states(
        self,
        filters: Filters | None,
        at: int | None,
        *,
        unique: bool,
        only: Chosen | None,
        by_year: bool = False,
    ) -> Iterator[tuple[View, State]]:
        """The states picked, over a connection and one transaction of their own.

        So a harvest changes nothing underneath, and several passes may go on at once.
        """
        from halmirror.store.search import Index
        from halmirror.store.unique import spare_documents

        filters = filters or Filters()
        nodes = filters.nodes()
        statuses = filters.statuses()
        with self._snapshot() as connection:
            reader = Reader(connection)
            if only is not None:
                reader.check_whole(only.at)
                yield from _chosen(reader, only, by_year=by_year)
                return
            seq = reader.latest() if at is None else at
            reader.check_whole(seq)
            hits = Index(connection, seq).every_hit(nodes, statuses) if nodes else None
            picked = _picker(statuses, hits)
            spare = spare_documents(reader, seq, picked, self._preference) if unique else ()
            view = View(reader, seq, everything=hits is None or len(hits) > _FEW)
            for state in reader.every(seq, statuses, hits, by_year=by_year):
                if state.document not in spare:
                    yield view, state

    @contextlib.contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection and one transaction of their own: a harvest changes nothing in it."""
        connection = open_for_reading(self.path)
        try:
            with translated(self.path):
                connection.execute("BEGIN")
                yield connection
        finally:
            connection.close()

    def statement(self, names: Sequence[str] = ()) -> str | None:
        """What the sources (``names``; none: all) ask of those who take their metadata, as said."""
        with translated(self.path):
            rows = self._connection.execute(
                "SELECT name, statement FROM source WHERE statement IS NOT NULL ORDER BY name"
            ).fetchall()
        return (
            "\n".join(f"{one}: {said}" for one, said in rows if not names or one in names) or None
        )


def _hits(index: Index, nodes: Sequence[tree.Node], statuses: Sequence[Status]) -> BitMap:
    from halmirror.search import query as tree

    return index.find(tree.All(tuple(nodes)), sort="newest", statuses=statuses, wanted=0).hits


def _picker(statuses: Sequence[Status], hits: BitMap | None) -> Callable[[State], bool]:
    """Whether a state is of those statuses and, where there are filters, among their hits."""
    return lambda state: (
        state.status in statuses
        and (hits is None or (state.content is not None and state.content in hits))
    )


def _chosen(reader: Reader, only: Chosen, *, by_year: bool) -> Iterator[tuple[View, State]]:
    view = View(reader, only.at, everything=len(only) > _FEW)
    chosen = only._states  # noqa: SLF001 - the two are one thing
    for state in reader.chosen(chosen, only.at, by_year=by_year):
        yield view, state
