"""The mirror as a list of items, one for each OAI identifier, in the order of its commits.

An item is there from the commit that brought it, and never leaves: once it is not active it is a
tombstone.  Where several sources hold an identifier, there is one item: the active copy of the
preferred source, as of the newest commit of any copy.

Lists are read as of a commit, which the history makes exact: a harvest that goes on meanwhile
takes nothing out of a list, and puts nothing in twice.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from heapq import nsmallest
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

from halmirror.errors import MirrorError
from halmirror.record.identifiers import parse_hal_id
from halmirror.store.calendar import Calendar, Span
from halmirror.store.reader import oai_identifier
from halmirror.store.renewal import RENEWED_AT

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

    from halmirror.store.preference import Preference
    from halmirror.store.reader import Reader, State

_IDENTIFIER = "coalesce(s.oai_identifier, 'oai:HAL:' || d.local_id || 'v' || s.version)"
_HELD = "(s.end_seq IS NULL OR s.end_seq > :at) AND (s.status <> 'active' OR s.content NOT NULL)"
_GIVES_WAY = (
    "EXISTS (SELECT 1 FROM document od JOIN state o ON o.document = od.id "
    "WHERE od.local_id = d.local_id AND od.id <> d.id AND o.version = s.version "
    "AND o.first_seq <= :at AND (o.end_seq IS NULL OR o.end_seq > :at) "
    "AND (o.status <> 'active' OR o.content NOT NULL) "
    "AND (o.first_seq, o.id) > (s.first_seq, s.id))"
)
_NAMED = "state s CROSS JOIN document d ON d.id = s.document"
_SHARED = "SELECT local_id FROM document GROUP BY local_id HAVING count(*) > 1"
_IN_SHARED = (
    f"({_SHARED}) c CROSS JOIN document d ON d.local_id = c.local_id "
    "CROSS JOIN state s ON s.document = d.id"
)
_MOST_COUNTED: Final = 200_000
"""Documents that several sources hold: more take seconds to look at."""

_COUNTS_REMEMBERED: Final = 64
_SETTLING_SECONDS: Final = 0.25
"""How long a commit may take to be seen after its time was taken."""


class Selection(NamedTuple):
    """What is asked for: a set with all below it, seconds since 1970 from and until, inclusive."""

    set_spec: str | None = None
    begin: int | None = None
    end: int | None = None


class Place(NamedTuple):
    """A place in a list: after the item of that commit and key."""

    seq: int
    key: int


class Item(NamedTuple):
    """An item as it stood: the commit that brought it so, its state, and what its header says.

    ``key`` orders the items of one commit, by nothing but the identifier.  ``sets`` are numbers,
    for `Items.set_spec`.
    """

    seq: int
    key: int
    state: int
    identifier: str
    sets: tuple[str, ...]
    is_active: bool


class Origin(NamedTuple):
    """A source: its name, the address it was harvested at, its Identify element, its terms."""

    name: str
    base_url: str
    identify: bytes | None
    statement: str | None


class Items:
    """Reads items over a connection; everything inside one `reading`."""

    def __init__(
        self, connection: sqlite3.Connection, reader: Reader, preference: Preference, path: Path
    ) -> None:
        self._connection = connection
        self._preference = preference
        self._lock = path.with_name(f"{path.name}.lock")
        self._counts: dict[tuple[int, Selection], int | None] = {}
        self._several_sources = False
        self.reader = reader
        self.calendar = Calendar()
        # What is made of each set's number, kept from page to page: none is given to another set.
        self.written_sets: dict[str, bytes] = {}

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """One transaction: what is read inside is of one commit."""
        self._connection.execute("BEGIN")
        try:
            self.calendar.refresh(self._connection)
            (sources,) = self._connection.execute("SELECT count(*) FROM source").fetchone()
            self._several_sources = sources > 1
            yield
        finally:
            self._connection.execute("ROLLBACK")

    def settle(self) -> None:
        """Wait until every commit of seconds that are over can be seen; before `reading`.

        Its time is taken just before a commit ends.  Where a harvest runs, one may be under way
        whose second is over; a list without it would be missing it for ever to those who ask
        next for what came from that second on.
        """
        try:
            is_writing = self._lock.stat().st_size > 0
        except OSError:
            return  # no harvest ever ran at this place
        into = time.time() % 1
        if is_writing and into < _SETTLING_SECONDS:
            time.sleep(_SETTLING_SECONDS - into)

    # -- lists ----------------------------------------------------------------------------

    def page(
        self, selection: Selection, at: int, place: Place | None, limit: int
    ) -> tuple[list[Item], bool]:
        """The next items of a list as of a commit, after a place, and whether more follow."""
        span = self.calendar.span(at, selection.begin, selection.end)
        if place is not None:
            span = span._replace(after=max(span.after, self.calendar.before(place.seq)))
        found: list[Item] = []
        more = False
        with contextlib.closing(self._items(selection, at, span)) as items:
            for _, group in groupby(items, key=attrgetter("seq")):
                wanted = limit - len(found)
                after = (item for item in group if place is None or item[:2] > place)
                some = nsmallest(wanted + 1, after)
                found += some[:wanted]
                more = len(some) > wanted
                if more:
                    break
        return [self._standing(item, at) for item in found], more

    def count(self, selection: Selection, at: int) -> int | None:
        """How many items a whole list has; none where several sources share too many to count."""
        key = (at, selection)
        if key not in self._counts:
            if len(self._counts) >= _COUNTS_REMEMBERED:
                self._counts.clear()
            self._counts[key] = self._counted(selection, at)
        return self._counts[key]

    def _counted(self, selection: Selection, at: int) -> int | None:
        span = self.calendar.span(at, selection.begin, selection.end)
        (states,) = self._select("count(*)", selection, at, span, copies=True).fetchone()
        if not self._several_sources or not states:
            return int(states)
        (shared,) = self._connection.execute(f"SELECT count(*) FROM ({_SHARED})").fetchone()
        if shared > _MOST_COUNTED:
            return None
        (giving_way,) = self._select(
            "count(*)", selection, at, span, f"AND {_GIVES_WAY}", tables=_IN_SHARED, copies=True
        ).fetchone()
        return int(states - giving_way)

    def earliest(self) -> int | None:
        """The second of the item that is unchanged for longest; none in an empty mirror."""
        at = self.calendar.latest
        row = self._select(
            "s.first_seq",
            Selection(),
            at,
            self.calendar.span(at, None, None),
            "ORDER BY s.id LIMIT 1",
            tables=_NAMED,
        ).fetchone()
        return self.calendar.second(row[0]) if row else None

    def _items(self, selection: Selection, at: int, span: Span) -> Generator[Item]:
        columns = f"s.first_seq, s.id, {_IDENTIFIER}, s.sets, s.status = 'active'"
        with contextlib.closing(
            self._select(columns, selection, at, span, "ORDER BY s.id", tables=_NAMED)
        ) as rows:
            for seq, state, identifier, sets, is_active in rows:
                yield Item(
                    seq, _key(identifier), state, identifier, _numbers(sets), bool(is_active)
                )

    def _select(
        self,
        columns: str,
        selection: Selection,
        at: int,
        span: Span,
        more: str = "",
        *,
        tables: str = "state s",
        copies: bool = False,
    ) -> sqlite3.Cursor:
        """Standing states of a selection; ``copies``: those that give way to another's too."""
        wanted = [f"s.id > :after AND s.id <= :upto AND {_HELD}"]
        if selection.set_spec is not None:
            named = _naming(self._below(selection.set_spec))
            self._connection.create_function("in_set", 1, named, deterministic=True)
            wanted.append("in_set(s.sets)")
        if self._several_sources and not copies:
            wanted.append(f"NOT {_GIVES_WAY}")
        return self._connection.execute(
            f"SELECT {columns} FROM {tables} WHERE {' AND '.join(wanted)} {more}",
            {"after": span.after, "upto": span.upto, "at": at},
        )

    def renewed_at(self, *, as_they_came: bool) -> int:
        """The second since which records say what they say by the rules; 0 where none changed.

        ``as_they_came``: of records given as they came; only what came in other formats is then
        given by the rules.
        """
        if as_they_came:
            row = self._connection.execute(
                "SELECT 1 FROM stream WHERE prefix <> 'oai_dc' LIMIT 1"
            ).fetchone()
            if row is None:
                return 0
        row = self._connection.execute(
            "SELECT upto FROM derived WHERE name = ?", (RENEWED_AT,)
        ).fetchone()
        return int(row[0]) if row else 0

    # -- one item -------------------------------------------------------------------------

    def find(self, identifier: str) -> Item | None:
        """The item of an identifier, as it stands."""
        return self._find(identifier) or self._find(unquote(identifier))

    def _find(self, identifier: str) -> Item | None:
        copies = self._copies(identifier, self.calendar.latest)
        if not copies:
            return None
        best = min(copies, key=self._preference.state_rank)
        seq = max(one.first_seq for one in copies)
        return Item(seq, 0, best.id, identifier, _numbers(best.sets), best.status == "active")

    def state(self, item: Item, at: int) -> State:
        """The state that an item's metadata are to be had from."""
        return self.reader.state(item.state, at)

    def _standing(self, item: Item, at: int) -> Item:
        """The item as the best of its copies has it."""
        copies = self._copies(item.identifier, at) if self._several_sources else []
        if len(copies) < 2:
            return item
        best = min(copies, key=self._preference.state_rank)
        return item._replace(
            state=best.id, sets=_numbers(best.sets), is_active=best.status == "active"
        )

    def _copies(self, identifier: str, at: int) -> list[State]:
        """The states of that OAI identifier at a commit, one a source that holds it."""
        named: list[tuple[str, int]] = [(identifier, 0)]
        if hal := parse_hal_id(identifier):
            named.append((hal[0], hal[1] or 0))
        return [
            state
            for local_id, version in named
            for document in self.reader.documents_named(local_id)
            for state in self.reader.versions(document, at)
            if state.version == version
            and oai_identifier(state) == identifier
            and (state.status != "active" or state.content is not None)
        ]

    # -- sets and sources -----------------------------------------------------------------

    def has_sets(self) -> bool:
        """Whether the mirror's sources have sets."""
        return self._connection.execute("SELECT 1 FROM set_spec LIMIT 1").fetchone() is not None

    def sets(self, after: str, limit: int) -> list[str]:
        """The setSpecs that follow one, in the order of their bytes."""
        rows = self._connection.execute(
            "SELECT spec FROM set_spec WHERE spec > ? ORDER BY spec LIMIT ?", (after, limit)
        )
        return [row[0] for row in rows]

    def set_spec(self, number: str) -> str:
        """The setSpec of a number of an item's.  Raises `MirrorError` where there is none."""
        row = self._connection.execute(
            "SELECT spec FROM set_spec WHERE id = CAST(? AS INTEGER)", (number,)
        ).fetchone()
        if row is None:
            raise MirrorError(
                f"a record is in set number {number[:20]}, which the mirror lacks: it is damaged; "
                "restore the file from a backup"
            )
        return str(row[0])

    def origins(self) -> dict[str, Origin]:
        """The sources by name."""
        rows = self._connection.execute(
            "SELECT name, base_url, identify, statement FROM source ORDER BY name"
        )
        return {row[0]: Origin(*row) for row in rows}

    def _below(self, spec: str) -> list[str]:
        """The numbers, as text, of a set and of all below it."""
        rows = self._connection.execute(
            "SELECT id FROM set_spec WHERE spec = ?1 "
            "OR substr(spec, 1, length(?1) + 1) = ?1 || ':'",
            (spec,),
        )
        return [str(row[0]) for row in rows]


def _key(identifier: str) -> int:
    """What orders the items of one commit: 48 bits of a hash, so that a token stays short."""
    return int.from_bytes(hashlib.blake2b(identifier.encode(), digest_size=6).digest())


def _naming(numbers: Sequence[str]) -> Callable[[str], bool]:
    """Whether a state's list of sets (a JSON text) has one of these numbers."""
    search = re.compile(rf"[\[,](?:{'|'.join(numbers) or '-'})[,\]]").search
    return lambda sets: search(sets) is not None


def _numbers(sets: str) -> tuple[str, ...]:
    """The numbers of a state's list of sets, a JSON text."""
    return tuple(sets[1:-1].split(",")) if len(sets) > len("[]") else ()
