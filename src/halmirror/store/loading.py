"""Building a mirror's file from documents and tables that left another whole.

The file is new and nobody else's: it is filled without a journal, and thrown away where that
fails.  States get their numbers at the end, in the order of their commits, as a harvest gives
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import msgspec
from lxml.etree import XMLSyntaxError

from halmirror.errors import SnapshotError
from halmirror.frame import Codec, FrameError
from halmirror.oaipmh.protocol import well_formed
from halmirror.record import decode_body, versioned
from halmirror.record.identifiers import body_keys
from halmirror.store import indexer
from halmirror.store.database import open_for_writing, translated
from halmirror.store.dictionaries import SAMPLES, codec, train
from halmirror.store.room import Room
from halmirror.store.sets import Sets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from halmirror.store.whole import (
        Content,
        HeldCommit,
        HeldForgotten,
        HeldQuarantine,
        HeldRun,
        HeldSource,
        HeldState,
        HeldWindow,
    )

_STAGED = """
CREATE TABLE staged_state (
  document INTEGER NOT NULL, version INTEGER NOT NULL, content INTEGER, oai_identifier TEXT,
  datestamp TEXT NOT NULL, sets TEXT NOT NULL, status TEXT NOT NULL, followed_by TEXT,
  first_seq INTEGER NOT NULL, end_seq INTEGER, run INTEGER NOT NULL
) STRICT;
CREATE INDEX staged_state_document ON staged_state (document);
CREATE TABLE staged_note (
  document INTEGER NOT NULL, version INTEGER NOT NULL, first_seq INTEGER NOT NULL,
  seq INTEGER NOT NULL, datestamp TEXT NOT NULL
) STRICT;
CREATE INDEX staged_note_document ON staged_note (document);
"""
_SETTLED = """
INSERT INTO state (document, version, content, oai_identifier, datestamp, sets, status,
    followed_by, first_seq, end_seq, run)
  SELECT t.document, t.version, t.content, t.oai_identifier, t.datestamp, t.sets, t.status,
    t.followed_by, t.first_seq, t.end_seq, t.run
  FROM staged_state t JOIN document d ON d.id = t.document JOIN source s ON s.id = d.source
  ORDER BY t.first_seq, s.name, d.local_id, t.version;
INSERT INTO datestamp_note
  SELECT s.id, n.seq, n.datestamp FROM staged_note n JOIN state s ON s.document = n.document
    AND s.version = n.version AND s.first_seq = n.first_seq ORDER BY s.id, n.seq;
CREATE TEMP TABLE reach AS SELECT first_seq AS seq, max(id) AS last FROM state GROUP BY first_seq;
CREATE TEMP TABLE reached AS
  SELECT c.seq, coalesce(max(r.last) OVER (ORDER BY c.seq), 0) AS last
  FROM "commit" c LEFT JOIN reach r ON r.seq = c.seq;
CREATE UNIQUE INDEX temp.reached_seq ON reached (seq);
UPDATE "commit" SET last_state = (SELECT r.last FROM reached r WHERE r.seq = "commit".seq);
DROP TABLE reach;
DROP TABLE reached;
DROP TABLE staged_state;
DROP TABLE staged_note;
"""
_CHECKED_EVERY = 500


class Loading:
    """Fills the new mirror at ``path``; a context manager.

    ``keep_free``: bytes of its disk to leave free.  Documents come one by one, those of an
    increment in the place of what there was; then `tables` and `settle`.
    Raises `MirrorError` and `SnapshotError`.
    """

    def __init__(self, path: Path, keep_free: int) -> None:
        self._path = path
        self._room = Room(path, keep_free)
        self._sources: dict[str, int] = {}
        self._codecs: dict[int, Codec] = {}
        self._contents: dict[int, int] = {}
        self._documents = 0

    def __enter__(self) -> Self:
        self._connection = open_for_writing(self._path)
        with translated(self._path):
            execute = self._connection.execute
            execute("PRAGMA foreign_keys = OFF")
            execute("PRAGMA journal_mode = OFF")
            execute("PRAGMA synchronous = OFF")
            self._connection.executescript(_STAGED)
            execute("BEGIN")
        self._sets = Sets(self._connection)
        self._opener = codec(self._connection)
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.close()

    # -- documents ------------------------------------------------------------------------

    def sources(self, sources: Iterable[HeldSource]) -> None:
        """Bring in sources that are new; what is known of one is settled by `tables`."""
        for source in sources:
            if source.name not in self._sources:
                cursor = self._connection.execute(
                    "INSERT INTO source (name, base_url, profile) VALUES (?, ?, ?)",
                    (source.name, source.base_url, source.profile),
                )
                self._sources[source.name] = int(cursor.lastrowid or 0)

    def document(self, contents: Sequence[Content], states: Sequence[HeldState]) -> None:
        """Bring in a document whole, in the place of what was known of it."""
        self._documents += 1
        if self._documents % _CHECKED_EVERY == 0:
            self._room.check()
        first = (states or contents)[0]
        source = self._sources.get(first.source)
        if source is None:
            raise SnapshotError(f"{first.id}: its source {first.source} is not in the snapshot")
        with translated(self._path):
            number = self._cleared(source, first.id)
            held = {(one.version, one.digest): self._content(source, number, one)
                    for one in contents}  # fmt: skip
            for state in states:
                self._state(number, state, held)

    def _cleared(self, source: int, local_id: str) -> int:
        """The document's number; nothing hangs on it."""
        execute = self._connection.execute
        row = execute(
            "SELECT id FROM document WHERE source = ? AND local_id = ?", (source, local_id)
        ).fetchone()
        if row is None:
            cursor = execute(
                "INSERT INTO document (source, local_id) VALUES (?, ?)", (source, local_id)
            )
            return int(cursor.lastrowid or 0)
        number = int(row[0])
        for (frame,) in execute("SELECT frame FROM content WHERE document = ?", (number,)):
            body = self._opener.open(frame).body
            self._connection.executemany(
                "DELETE FROM identifier WHERE scheme = ? AND value = ? AND document = ?",
                [(scheme, value, number) for scheme, value in body_keys(decode_body(body))],
            )
        execute("DELETE FROM content WHERE document = ?", (number,))
        execute("DELETE FROM staged_state WHERE document = ?", (number,))
        execute("DELETE FROM staged_note WHERE document = ?", (number,))
        return number

    def _content(self, source: int, document: int, one: Content) -> int:
        name = versioned(one.id, one.version)
        try:
            keys = body_keys(decode_body(bytes(one.record)))
        except msgspec.DecodeError as error:
            raise SnapshotError(f"{name}: its normalised form is none ({error})") from error
        metadata = one.metadata.encode()
        try:
            well_formed(metadata)
        except XMLSyntaxError as error:
            raise SnapshotError(f"{name}: its metadata are no well-formed XML ({error})") from error
        try:
            frame = self._codec(source).pack(metadata, bytes(one.record))
            digest = bytes.fromhex(one.digest)
        except (FrameError, ValueError) as error:
            raise SnapshotError(f"{name}: its content cannot be taken ({error})") from error
        cursor = self._connection.execute(
            "INSERT INTO content (document, version, digest, prefix, rules, frame) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (document, one.version, digest, one.prefix, one.rules, frame),
        )
        self._connection.executemany(
            "INSERT OR IGNORE INTO identifier VALUES (?, ?, ?)",
            [(scheme, value, document) for scheme, value in keys],
        )
        return int(cursor.lastrowid or 0)

    def _codec(self, source: int) -> Codec:
        """How a source's frames are packed: by a dictionary, once there are enough to train one."""
        count = self._contents[source] = self._contents.get(source, 0) + 1
        if count == SAMPLES + 1 and (trained := train(self._connection, source)):
            self._codecs[source] = Codec({trained[0]: trained[1]}, writes=trained[0])
        return self._codecs.setdefault(source, Codec())

    def _state(self, document: int, one: HeldState, held: dict[tuple[int, str], int]) -> None:
        content = None
        if one.content is not None:
            content = held.get((one.version, one.content))
            if content is None:
                raise SnapshotError(f"{versioned(one.id, one.version)}: a state has no content")
        self._connection.execute(
            "INSERT INTO staged_state VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                document, one.version, content, one.oai_identifier, one.datestamp,
                self._sets.numbers(one.sets), one.status, one.followed_by, one.first, one.end,
                one.run,
            ),
        )  # fmt: skip
        self._connection.executemany(
            "INSERT INTO staged_note VALUES (?, ?, ?, ?, ?)",
            [(document, one.version, one.first, seq, day) for seq, day in one.datestamps],
        )

    # -- tables ---------------------------------------------------------------------------

    def tables(
        self,
        runs: Iterable[HeldRun],
        commits: Iterable[HeldCommit],
        sources: Iterable[HeldSource],
        windows: Iterable[HeldWindow],
        quarantine: Iterable[HeldQuarantine],
        forgotten: Iterable[HeldForgotten],
    ) -> None:
        """Bring in how the harvests went, of the newest snapshot."""
        with translated(self._path):
            many = self._connection.executemany
            many(
                "INSERT INTO run (id, command, started, finished, outcome, report) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                map(msgspec.structs.astuple, runs),
            )
            many(
                'INSERT INTO "commit" (seq, at, run, last_state) VALUES (?, ?, ?, 0)',
                map(msgspec.structs.astuple, commits),
            )
            streams = {
                (source.name, stream.prefix, stream.set): self._stream(source.name, *stream_row)
                for source in self._told(sources)
                for stream in source.streams
                for stream_row in [msgspec.structs.astuple(stream)]
            }
            for window in windows:
                self._window(streams, window)
            for entry in quarantine:
                self._quarantined(streams, entry)
            many(
                "INSERT INTO forgotten SELECT id, ?2, ?3, ?4, ?5 FROM source WHERE name = ?1",
                map(msgspec.structs.astuple, forgotten),
            )

    def pruned(self, first: int) -> None:
        """Nothing is to be answered as of a commit before ``first``: its history was pruned."""
        with translated(self._path):
            self._connection.execute("INSERT INTO pruned VALUES (?, 1)", (first,))

    def _told(self, sources: Iterable[HeldSource]) -> Iterable[HeldSource]:
        for source in sources:
            self._connection.execute(
                "UPDATE source SET base_url = ?, profile = ?, identify = ?, statement = ? "
                "WHERE name = ?",
                (source.base_url, source.profile, source.identify, source.statement, source.name),
            )
            yield source

    def _stream(self, source: str, *row: object) -> int:
        cursor = self._connection.execute(
            "INSERT INTO stream (source, prefix, set_spec, planned_from, planned_until, "
            "last_success, first_complete_at, reconciled_at, announced, announced_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (self._sources[source], *row),
        )
        return int(cursor.lastrowid or 0)

    def _window(self, streams: dict[tuple[str, str, str], int], one: HeldWindow) -> None:
        cursor = self._connection.execute(
            "INSERT INTO harvest_window (stream, kind, from_day, until_day, part, state, reason, "
            "announced_first, announced_last, received, quarantined, distinct_records, attempts, "
            "opened_at, closed_at, answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                _of(streams, one), one.kind, one.from_day, one.until_day, one.part, one.state,
                one.reason, one.announced_first, one.announced_last, one.received,
                one.quarantined, one.distinct, one.attempts, one.opened_at, one.closed_at,
                one.answer,
            ),
        )  # fmt: skip
        self._connection.executemany(
            "INSERT INTO withheld VALUES (?, ?, ?)",
            [(cursor.lastrowid, identifier, reason) for identifier, reason in one.withheld],
        )

    def _quarantined(self, streams: dict[tuple[str, str, str], int], one: HeldQuarantine) -> None:
        try:
            digest = bytes.fromhex(one.digest)
        except ValueError as error:
            raise SnapshotError(f"an entry of the quarantine has no digest ({error})") from error
        self._connection.execute(
            "INSERT INTO quarantine (stream, digest, identifier, position, reason, data, "
            "first_at, last_at, attempts, resolved_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                _of(streams, one), digest, one.identifier, one.position, one.reason, one.data,
                one.first_at, one.last_at, one.attempts, one.resolved_at,
            ),
        )  # fmt: skip

    def settle(self) -> None:
        """Number the states, check what refers to what, and build the search index."""
        with translated(self._path):
            for statement in _SETTLED.split(";\n"):
                self._connection.execute(statement)
            broken = self._connection.execute("PRAGMA foreign_key_check").fetchone()
            if broken is not None:
                raise SnapshotError(
                    f"a row of '{broken[0]}' refers to one of '{broken[2]}' that is not there"
                )
            self._connection.execute("COMMIT")
            indexer.catch_up(self._connection)
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA journal_mode = WAL")


def _of(streams: dict[tuple[str, str, str], int], one: HeldWindow | HeldQuarantine) -> int:
    try:
        return streams[one.source, one.prefix, one.set]
    except KeyError as error:
        raise SnapshotError(f"{one.source}: a window is of a list that is not named") from error
