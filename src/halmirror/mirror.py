"""The read side of a mirror: look-up, search and whole-mirror reading, now or as of a time.

>>> from halmirror import Mirror
>>> with Mirror("data/mirror.sqlite") as mirror:                    # doctest: +SKIP
...     record = mirror.get("hal-04493396")
...     record.body.titles[0].value
'Les contrats à impact social : une menace pour la solidarité ?'

Readers never wait for a harvest, and need no network.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from datetime import date as day_type
from pathlib import Path
from typing import TYPE_CHECKING, Self

from halmirror import query as tree
from halmirror.errors import NotFoundError, QueryError, UsageError
from halmirror.record import STATUSES, Record, Status
from halmirror.store.database import open_for_reading, translated
from halmirror.store.look_up import LookUp
from halmirror.store.reader import Reader, State
from halmirror.store.search import Index
from halmirror.store.unique import Preference, giving_way, spare_documents
from halmirror.store.view import View

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pyroaring import BitMap

    from halmirror.frame import Frame

SORTS = ("relevance", "newest", "oldest")
_LARGEST = 2**62
_FEW = 10_000
"""Records that are looked up one by one; beyond, what they share is found ahead in one pass."""

_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Filters:
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
        found: list[tree.Node] = []
        if self.author:
            found.append(tree.Any(tuple(_words_in(value, "creator") for value in self.author)))
        if self.title:
            found.append(tree.Any(tuple(_words_in(value, "title") for value in self.title)))
        kinds = ("year", "type", "domain", "lang", "set", "access", "source")
        found.extend(
            tree.Any(tuple(tree.facet(kind, value) for value in getattr(self, kind)))
            for kind in kinds
            if getattr(self, kind)
        )
        return found

    def statuses(self) -> tuple[Status, ...]:
        """The statuses asked for; the active ones where none is named."""
        if not self.status:
            return ("active",)
        if unknown := set(self.status) - {*STATUSES, "all"}:
            raise QueryError(f"status: '{min(unknown)}' is none of {', '.join(STATUSES)}, all")
        return STATUSES if "all" in self.status else tuple(s for s in STATUSES if s in self.status)


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of a search: ``total`` hits, these ``records``, and the cursor of the ``next``."""

    total: int
    sort: str
    records: list[Record]
    facets: dict[str, dict[str, int]] = field(default_factory=dict)
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
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
    Raises `NoMirrorError`, `NotAMirrorError`, `NewerMirrorError`.
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

    # -- times ----------------------------------------------------------------------------

    def latest(self) -> int:
        """The newest commit's sequence number."""
        with translated(self.path):
            return self._reader.latest()

    def seq_at(self, time: str) -> int:
        """The newest commit at a time: a day (its end, UTC), a time stamp, or a run's number."""
        with translated(self.path):
            moment = parse_time(time)
            if isinstance(moment, str):
                return self._reader.seq_at(moment)
            known = self._connection.execute("SELECT 1 FROM run WHERE id = ?", (moment,)).fetchone()
            if known is None:
                raise UsageError(f"there is no run {time}; 'halmirror status' lists the runs")
            (seq,) = self._connection.execute(
                'SELECT coalesce(max(seq), 0) FROM "commit" WHERE run <= ?', (moment,)
            ).fetchone()
            return int(seq)

    # -- look-up --------------------------------------------------------------------------

    def get(self, identifier: str, *, at: int | None = None) -> Record | None:
        """The record of an identifier, or none.

        ``identifier``: a HAL id with or without version, an OAI identifier, a HAL address, a
        DOI (bare or as address), an arXiv id, PMID or NNT.  Without a version: the newest
        active version, else the last state.  ``at``: a commit's sequence number.
        """
        with translated(self.path):
            seq = self._reader.latest() if at is None else at
            state = self._look_up.state(identifier, seq)
            return View(self._reader, seq).record(state) if state else None

    def json(self, identifier: str, *, at: int | None = None) -> bytes | None:
        """The record's line of JSON, or none: `get` without the cost of decoding."""
        with translated(self.path):
            seq = self._reader.latest() if at is None else at
            state = self._look_up.state(identifier, seq)
            return View(self._reader, seq).json(state) if state else None

    def source_metadata(self, identifier: str, *, at: int | None = None) -> tuple[Record, Frame]:
        """The record and its frame: the metadata as they came, canonical, beside the body.

        Raises `NotFoundError` where there is none, or it never had metadata.
        """
        with translated(self.path):
            seq = self._reader.latest() if at is None else at
            state = self._look_up.state(identifier, seq)
            if state is None or state.frame is None:
                raise NotFoundError(f"{identifier}: the mirror holds no metadata of it")
            return View(self._reader, seq).record(state), self._reader.frame(state)

    def has_later_version(self, record: Record) -> bool:
        """Whether the mirror knows a higher version of the record's document."""
        with translated(self.path):
            at = self._reader.latest()
            return any(
                state.version > (record.head.version or 0)
                for document in self._reader.documents_named(record.head.id)
                for state in self._reader.versions(document, at)
            )

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
        filters = filters or Filters()
        with translated(self.path):
            latest = self._reader.latest()
            seq = latest if at is None else at
            hits = None
            if nodes := filters.nodes():
                statuses = filters.statuses() if filters.status else STATUSES
                hits = _hits(Index(self._connection, seq, latest), nodes, statuses)
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

        ``cursor`` is the ``next`` of an earlier page; it stays with the commit that page saw.
        Raises `QueryError`.
        """
        filters = filters or Filters()
        if sort not in SORTS:
            raise QueryError(f"sort: '{sort}' is none of {', '.join(SORTS)}")
        node = tree.All((tree.parse(query), *filters.nodes()))
        with translated(self.path):
            latest = self._reader.latest()
            seq, offset = read_cursor(cursor) if cursor else (latest if at is None else at, 0)
            index = Index(self._connection, seq, latest)
            found = index.find(
                node,
                sort=sort,
                statuses=filters.statuses(),
                wanted=offset + limit,
                preference=self._preference,
            )
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
                next=_write_cursor(seq, offset + limit) if more else None,
            )

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
    ) -> Iterator[bytes]:
        """The same as lines of JSON."""
        for view, state in self._states(filters, at, unique=unique, only=only):
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

    def _states(
        self, filters: Filters | None, at: int | None, *, unique: bool, only: Chosen | None
    ) -> Iterator[tuple[View, State]]:
        """The states picked, over a connection and one transaction of their own.

        So a harvest changes nothing underneath, and several passes may go on at once.
        """
        filters = filters or Filters()
        nodes = filters.nodes()
        statuses = filters.statuses()
        connection = open_for_reading(self.path)
        try:
            with translated(self.path):
                connection.execute("BEGIN")
                reader = Reader(connection)
                if only is not None:
                    yield from _chosen(reader, only)
                    return
                latest = reader.latest()
                seq = latest if at is None else at
                hits = _hits(Index(connection, seq, latest), nodes, statuses) if nodes else None
                picked = _picker(statuses, hits)
                spare = spare_documents(reader, seq, picked, self._preference) if unique else ()
                view = View(reader, seq, everything=hits is None or len(hits) > _FEW)
                for state in reader.every(seq, statuses):
                    if picked(state) and state.document not in spare:
                        yield view, state
        finally:
            connection.close()

    def statement(self) -> str | None:
        """What the sources ask of those who take their metadata, in their own words."""
        with translated(self.path):
            rows = self._connection.execute(
                "SELECT name, statement FROM source WHERE statement IS NOT NULL ORDER BY name"
            ).fetchall()
        return "\n".join(f"{name}: {statement}" for name, statement in rows) or None


def _hits(index: Index, nodes: Sequence[tree.Node], statuses: Sequence[Status]) -> BitMap:
    return index.find(tree.All(tuple(nodes)), sort="newest", statuses=statuses, wanted=0).hits


def _picker(statuses: Sequence[Status], hits: BitMap | None) -> Callable[[State], bool]:
    """Whether a state is of those statuses and, where there are filters, among their hits."""
    return lambda state: (
        state.status in statuses
        and (hits is None or (state.content is not None and state.content in hits))
    )


def _chosen(reader: Reader, only: Chosen) -> Iterator[tuple[View, State]]:
    view = View(reader, only.at, everything=len(only) > _FEW)
    for document, version in only._states:  # noqa: SLF001 - the two are one thing
        for state in reader.versions(document, only.at):
            if state.version == version:
                yield view, state


def _words_in(value: str, column: str) -> tree.Node:
    """Words of a filter's value in one column; quoted, they follow each other."""
    parts = tree.parse(value)
    return _in_column(parts, column)


def _in_column(node: tree.Node, column: str) -> tree.Node:
    match node:
        case tree.Text(words, None, prefix):
            return tree.Text(words, column, prefix)
        case tree.All(parts):
            return tree.All(tuple(_in_column(part, column) for part in parts))
        case tree.Any(parts):
            return tree.Any(tuple(_in_column(part, column) for part in parts))
        case tree.Not(part):
            return tree.Not(_in_column(part, column))
        case _:
            return node


def parse_time(time: str) -> str | int:
    """A time stamp, or a run's number.  Raises `UsageError` for what is neither."""
    if time.isascii() and time.isdigit() and len(time) < 8:
        return int(time)
    return _moment(time)


def _moment(time: str) -> str:
    """The mirror's time stamp for a day (its last millisecond, UTC) or an RFC 3339 time stamp."""
    from datetime import UTC, datetime

    from halmirror.store.database import time_stamp

    try:
        if _TIME.match(time):
            moment = datetime.fromisoformat(time.upper())
            stamp = time_stamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
            return stamp.zfill(24)  # some systems write the year 900 with three digits
        return f"{day_type.fromisoformat(time).isoformat()}T23:59:59.999Z"
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"'{time}' is no time; write a day (2026-11-20), a time stamp "
            "(2026-11-20T03:00:00Z) or a run's number"
        ) from error


def _write_cursor(seq: int, offset: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([seq, offset]).encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[int, int]:
    """The commit and offset of a cursor.  Raises `QueryError`."""
    try:
        seq, offset = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        known = isinstance(seq, int) and isinstance(offset, int)
        if known and 0 <= seq < _LARGEST and 0 <= offset < _LARGEST:
            return seq, offset
    except (ValueError, TypeError, RecursionError, binascii.Error):
        pass
    raise QueryError(f"cursor: '{cursor}' is none that a search gave; leave it out to start anew")
