"""Reading records out of the mirror's file, as it is or as it was at an earlier commit."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from halmirror import errors
from halmirror.frame import Frame, FrameError
from halmirror.record import (
    STATUSES,
    Body,
    Head,
    Record,
    SameAs,
    decode_body,
    encode,
    join_json,
    versioned,
)
from halmirror.record.identifiers import body_keys
from halmirror.store.dictionaries import codec
from halmirror.store.sets import Sets

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from pyroaring import BitMap

COLUMNS = (
    "s.id, d.id, src.name, d.local_id, s.version, s.oai_identifier, "
    "coalesce((SELECT n.datestamp FROM datestamp_note n WHERE n.state = s.id AND n.seq <= :at "
    "ORDER BY n.seq DESC LIMIT 1), s.datestamp), s.sets, s.status, s.followed_by, s.first_seq, "
    "s.content, c.prefix, c.frame"
)
TABLES = (
    "document d JOIN source src ON src.id = d.source JOIN state s ON s.document = d.id "
    "LEFT JOIN content c ON c.id = s.content"
)
_NO_YEAR = 1 << 31
_HELD_AT = "s.first_seq <= :at AND (s.end_seq IS NULL OR s.end_seq > :at)"


class _Year(msgspec.Struct):
    year: int | None = None


_year_decoder = msgspec.json.Decoder(_Year)


class State(NamedTuple):
    """How one version of a document stood at a commit.

    A tuple, since whole mirrors are read as such.

    ``frame`` is its content, compressed, and ``prefix`` the metadata prefix it came under.
    """

    id: int
    document: int
    source: str
    local_id: str
    version: int
    oai_identifier: str | None
    datestamp: str
    sets: str
    status: str
    followed_by: str | None
    first_seq: int
    content: int | None
    prefix: str | None
    frame: bytes | None


class Reader:
    """Reads states and records over a connection that `open_for_reading` gave."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._codec = codec(connection)
        self._sets = Sets(connection)

    def latest(self) -> int:
        """The newest commit's sequence number; 0 in an empty mirror."""
        (seq,) = self.connection.execute('SELECT coalesce(max(seq), 0) FROM "commit"').fetchone()
        return int(seq)

    def commit_time(self, seq: int) -> str | None:
        """When a commit was made (UTC time stamp)."""
        row = self.connection.execute('SELECT at FROM "commit" WHERE seq = ?', (seq,)).fetchone()
        return row[0] if row else None

    def seq_at(self, moment: str | int, *, before: bool = False) -> int:
        """The newest commit not later than a UTC time stamp or a run of that number.

        ``before``: that is earlier; 0 where there is none.  Raises `UsageError` for no run.
        """
        sign, column = "<" if before else "<=", "at"
        if isinstance(moment, int):
            column = "run"
            if not self.connection.execute("SELECT 1 FROM run WHERE id = ?", (moment,)).fetchone():
                raise errors.UsageError(
                    f"there is no run {moment}; 'halmirror status' lists the runs"
                )
        (seq,) = self.connection.execute(
            f'SELECT coalesce(max(seq), 0) FROM "commit" WHERE {column} {sign} ?', (moment,)
        ).fetchone()
        return int(seq)

    def whole_from(self) -> int:
        """The first commit as of which the mirror can be read; 0 where no history was pruned."""
        (seq,) = self.connection.execute("SELECT coalesce(max(seq), 0) FROM pruned").fetchone()
        return int(seq)

    def check_whole(self, at: int) -> None:
        """Raises `PrunedError` where a commit comes before the history that is kept."""
        first = self.whole_from()
        if at < first:
            raise errors.PrunedError(
                "what the mirror held then was pruned: its history begins with commit "
                f"{first} of {self.commit_time(first)}; ask for that time or a later one"
            )

    def documents(self, scheme: str, value: str) -> list[int]:
        """The documents that ever bore an identifier, in the order of their sources and ids."""
        rows = self.connection.execute(
            "SELECT i.document FROM identifier i JOIN document d ON d.id = i.document "
            "JOIN source src ON src.id = d.source WHERE i.scheme = ? AND i.value = ? "
            "ORDER BY src.name, d.local_id",
            (scheme, value),
        )
        return [row[0] for row in rows]

    def documents_named(self, local_id: str) -> list[int]:
        """The documents of that id, one a source."""
        rows = self.connection.execute(
            "SELECT d.id FROM document d JOIN source src ON src.id = d.source "
            "WHERE d.local_id = ? ORDER BY src.name",
            (local_id,),
        )
        return [row[0] for row in rows]

    def versions(self, document: int, at: int) -> list[State]:
        """The document's versions as they stood at a commit, lowest first."""
        rows = self.connection.execute(
            f"SELECT {COLUMNS} FROM {TABLES} WHERE d.id = :document AND {_HELD_AT} "
            "ORDER BY s.version",
            {"document": document, "at": at},
        )
        return [State._make(row) for row in rows]

    def newest_active(self, document: int, at: int) -> State | None:
        """The document's newest active version at a commit."""
        row = self.connection.execute(
            f"SELECT {COLUMNS} FROM {TABLES} WHERE d.id = :document AND {_HELD_AT} "
            "AND s.status = 'active' ORDER BY s.version DESC LIMIT 1",
            {"document": document, "at": at},
        ).fetchone()
        return State._make(row) if row else None

    def copies(self) -> Iterator[list[int]]:
        """The documents of each id that several sources hold."""
        rows = self.connection.execute(
            "SELECT local_id, id FROM document WHERE local_id IN (SELECT local_id FROM document "
            "GROUP BY local_id HAVING count(*) > 1) ORDER BY local_id, id"
        )
        for _, group in groupby(rows, key=itemgetter(0)):
            yield [document for _, document in group]

    def sharing(self, schemes: Sequence[str]) -> BitMap:
        """The documents that bear, or bore, an identifier that another has or had too."""
        from pyroaring import BitMap as Documents  # look-up starts faster without

        marks = ", ".join("?" * len(schemes))
        rows = self.connection.execute(
            "SELECT i.document FROM (SELECT scheme, value FROM identifier "
            f"WHERE scheme IN ({marks}) GROUP BY scheme, value HAVING count(*) > 1) AS shared "
            "JOIN identifier i ON i.scheme = shared.scheme AND i.value = shared.value",
            tuple(schemes),
        )
        return Documents(row[0] for row in rows)

    def every(
        self,
        at: int,
        statuses: Sequence[str] = ("active",),
        contents: BitMap | None = None,
        *,
        by_year: bool = False,
    ) -> Iterator[State]:
        """All states of those statuses at a commit, by source, id and version.

        ``contents``: only states that have one of these; ``by_year``: by source, year (none
        last), id and version.
        """
        names = self.connection.execute("SELECT name, id FROM source ORDER BY name").fetchall()
        marks = ", ".join(f"'{status}'" for status in STATUSES if status in statuses)
        within = f"d.source = :source AND {_HELD_AT} AND s.status IN ({marks})"
        order = f"{self._year_order()}, " if by_year else ""
        for _, source in names:
            bound = {"source": source, "at": at}
            if contents is None and not by_year:
                rows = self.connection.execute(
                    f"SELECT {COLUMNS} FROM {TABLES} WHERE {within} ORDER BY d.local_id, s.version",
                    bound,
                )
                for row in rows:
                    yield State._make(row)
                continue
            # Small keys are put in order first (SQLite's sorter spills what is too much).
            keys = self.connection.execute(
                f"SELECT s.id, s.content FROM {TABLES} WHERE {within} "
                f"ORDER BY {order}d.local_id, s.version",
                bound,
            )
            for number, content in keys:
                if contents is None or content in contents:
                    yield self.state(number, at)

    def _year_order(self) -> str:
        """What to order by for the year: the index's column where that is sure to be right."""
        # Looking records up does without the index, and starts faster so.
        from halmirror.store.indexer import is_behind, is_outdated

        indexed = self.connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'entry'")
        if indexed.fetchone() and not (is_behind(self.connection) or is_outdated(self.connection)):
            held = "SELECT e.year FROM entry e WHERE e.content = s.content"
            return f"coalesce(({held}), {_NO_YEAR})"
        self.connection.create_function("year_of", 1, self._year, deterministic=True)
        return "year_of(c.frame)"

    def chosen(
        self, keys: Sequence[tuple[int, int]], at: int, *, by_year: bool = False
    ) -> Iterator[State]:
        """The states at a commit of these documents and versions, in the order given.

        ``by_year``: by source, year (none last), id and version.
        """
        if by_year:
            places = [
                (one.source, self._year(one.frame), one.local_id, one.version, one.document)
                for one in self.chosen(keys, at)
            ]
            keys = [(document, version) for *_, version, document in sorted(places)]
        for document, version in keys:
            for state in self.versions(document, at):
                if state.version == version:
                    yield state

    def state(self, number: int, at: int) -> State:
        """The state of that row number, its datestamp as of a commit."""
        row = self.connection.execute(
            f"SELECT {COLUMNS} FROM {TABLES} WHERE s.id = :number", {"number": number, "at": at}
        ).fetchone()
        return State._make(row)

    def _year(self, frame: bytes | None) -> int:
        """The year that orders a content by; the greatest of all where its body has none."""
        if frame is None:
            return _NO_YEAR
        try:
            return _year_decoder.decode(self._codec.open(frame).body).year or _NO_YEAR
        except (FrameError, msgspec.DecodeError):
            return _NO_YEAR  # damaged: reading the record itself says so

    def of_contents(self, contents: Iterable[int], at: int) -> dict[int, State]:
        """The states at a commit that have these contents, by content."""
        found: dict[int, State] = {}
        for content in contents:
            row = self.connection.execute(
                f"SELECT {COLUMNS} FROM {TABLES} WHERE s.content = :content "
                "AND (d.id, s.version) = "
                "(SELECT document, version FROM content WHERE id = :content) "
                f"AND {_HELD_AT}",
                {"content": content, "at": at},
            ).fetchone()
            if row is not None:
                found[content] = State._make(row)
        return found

    def head(self, state: State, at: int, same_as: tuple[SameAs, ...] = ()) -> Head:
        """The head of a state's record: where it is not active, since when, and what followed.

        ``same_as``: the documents it is linked to (`halmirror.store.view`).
        """
        since = followed_by = None
        if state.status != "active":
            since = self.commit_time(state.first_seq)
            followed_by = state.followed_by
            if followed_by is None and state.status == "superseded":
                followed_by = self._followed_by(state, at)
        return Head(
            id=state.local_id,
            version=state.version or None,
            source=state.source,
            oai_identifier=oai_identifier(state),
            datestamp=state.datestamp,
            status=state.status,
            status_since=since,
            followed_by=followed_by,
            same_as=same_as,
            sets=self._sets_of(state),
        )

    def body_json(self, state: State) -> bytes:
        """The JSON of the state's body; ``{}`` where it never had metadata."""
        return self.frame(state).body if state.frame is not None else b"{}"

    def frame(self, state: State) -> Frame:
        """The state's source metadata and body.  Raises `MirrorError` where it is damaged."""
        if state.frame is None:
            raise errors.MirrorError(f"{state.local_id} never had metadata in this mirror")
        return self.opened(state.local_id, state.version, state.frame)

    def opened(self, local_id: str, version: int, frame: bytes) -> Frame:
        """What a frame of that document and version holds.  Raises `MirrorError` if damaged."""
        try:
            return self._codec.open(frame)
        except FrameError as error:
            raise _damaged_record(local_id, version, str(error)) from error

    def profile(self, state: State) -> str:
        """The profile of the state's source: whose rules hold for it."""
        (profile,) = self.connection.execute(
            "SELECT profile FROM source WHERE name = ?", (state.source,)
        ).fetchone()
        return str(profile)

    def keys(self, state: State) -> tuple[tuple[str, str], ...]:
        """The (scheme, value) pairs of the identifiers that the state's body bears."""
        return body_keys(self._decoded(state))

    def record(self, state: State, at: int, same_as: tuple[SameAs, ...] = ()) -> Record:
        """The state's record."""
        return Record(self.head(state, at, same_as), self._decoded(state))

    def json(self, state: State, at: int, same_as: tuple[SameAs, ...] = ()) -> bytes:
        """The record's one line of JSON, without decoding its body."""
        body = self.body_json(state)
        if not (body.startswith(b"{") and body.endswith(b"}")):
            raise _damaged(state, "its normalised form is no JSON object")
        return join_json(encode(self.head(state, at, same_as)), body)

    def _decoded(self, state: State) -> Body:
        try:
            return decode_body(self.body_json(state))
        except msgspec.DecodeError as error:
            raise _damaged(state, str(error)) from error

    def _sets_of(self, state: State) -> tuple[str, ...]:
        try:
            return self._sets.specs(state.sets)
        except (ValueError, TypeError) as error:
            raise _damaged(state, f"its sets: {error}") from error

    def _followed_by(self, state: State, at: int) -> str | None:
        """The highest version of the document that the mirror held at a commit."""
        (highest,) = self.connection.execute(
            f"SELECT max(s.version) FROM state s WHERE s.document = :document AND {_HELD_AT}",
            {"document": state.document, "at": at},
        ).fetchone()
        return versioned(state.local_id, highest) if highest > state.version else None


def oai_identifier(state: State) -> str:
    """The OAI identifier of a state: as it came, or by HAL's rule where that is the same."""
    return state.oai_identifier or f"oai:HAL:{state.local_id}v{state.version}"


def _damaged(state: State, reason: str) -> errors.MirrorError:
    return _damaged_record(state.local_id, state.version, reason)


def _damaged_record(local_id: str, version: int, reason: str) -> errors.MirrorError:
    return errors.MirrorError(
        f"{versioned(local_id, version)} is damaged in the mirror ({reason}); "
        "restore the file from a backup"
    )
