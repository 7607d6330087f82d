"""Normalising again: which contents bear older rules, and how their new bodies are stored.

Neither states nor commits are touched: the source said nothing new.  A batch's bodies, look-up
keys, search entries and the place to go on from are one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from halmirror.batch import RULES_VERSION
from halmirror.frame import FrameError
from halmirror.record import decode_body
from halmirror.record.identifiers import body_keys
from halmirror.store import indexer
from halmirror.store.dictionaries import codec
from halmirror.store.sets import Sets

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from halmirror.store.indexer import Renewal
    from halmirror.store.writer import Writer

_BATCH_BYTES = 8 * 1024 * 1024
"""Compressed bytes after which a batch is full, however few its contents are."""


@dataclass(frozen=True, slots=True)
class Held:
    """A content as it is held: enough to normalise it again.

    ``version`` is 0 where there is none; ``sets`` are its header's.
    """

    id: int
    local_id: str
    version: int
    prefix: str
    digest: bytes
    sets: tuple[str, ...]
    frame: bytes


@dataclass(frozen=True, slots=True)
class Renewed:
    """What normalising a content again gave, as it is to be stored.

    ``frame`` is none where the body is the same.  ``keys`` are today's (scheme, value) pairs for
    look-up, ``stale`` those that only the former body gave.
    """

    id: int
    frame: bytes | None
    keys: tuple[tuple[str, str], ...]
    stale: tuple[tuple[str, str], ...]
    index: Renewal | None


def older_contents(connection: sqlite3.Connection) -> int:
    """How many contents were normalised by older rules than today's."""
    (count,) = connection.execute(
        "SELECT count(*) FROM content WHERE rules < ?", (RULES_VERSION,)
    ).fetchone()
    return int(count)


@dataclass(frozen=True, slots=True)
class Selection:
    """A source's contents to be normalised again.

    ``every``: those of today's rules too, but for what an earlier such run has done already.
    """

    source: int
    every: bool

    def count(self, connection: sqlite3.Connection) -> int:
        """How many there are."""
        (count,) = connection.execute(
            "SELECT count(*) FROM content c CROSS JOIN document d ON d.id = c.document "
            f"WHERE d.source = :source AND {self._wanted}",
            self._values(connection),
        ).fetchone()
        return int(count)

    def is_empty(self, connection: sqlite3.Connection) -> bool:
        """Whether there are none."""
        row = connection.execute(
            "SELECT 1 FROM content c CROSS JOIN document d ON d.id = c.document "
            f"WHERE d.source = :source AND {self._wanted} LIMIT 1",
            self._values(connection),
        ).fetchone()
        return row is None

    def batches(self, connection: sqlite3.Connection, size: int) -> Iterator[list[Held]]:
        """They, in batches of at most ``size``; batches may be stored while others are read."""
        values = self._values(connection) | {"size": size}
        if self.every:
            yield from _batches(connection, self._wanted, values)
            return
        # One version of the rules after the other: the index then leads to each batch's start.
        older = connection.execute(
            "SELECT DISTINCT rules FROM content WHERE rules < ? ORDER BY rules", (RULES_VERSION,)
        ).fetchall()
        for (rules,) in older:
            yield from _batches(connection, "c.rules = :rules", values | {"rules": rules})

    @property
    def mark(self) -> str:
        """The name of the watermark that says how far a run over every content has come."""
        return f"renormalised {self.source} by rules {RULES_VERSION}"

    @property
    def _wanted(self) -> str:
        return "(c.rules < :today OR c.id > :done)" if self.every else "c.rules < :today"

    def _values(self, connection: sqlite3.Connection) -> dict[str, int]:
        values = {"source": self.source, "today": RULES_VERSION}
        return values | {"done": indexer.upto(connection, self.mark)} if self.every else values


def all_contents(connection: sqlite3.Connection, source: int, size: int) -> Iterator[list[Held]]:
    """Every content of a source, in batches of at most ``size``."""
    return _batches(connection, "1", {"source": source, "size": size})


def _batches(
    connection: sqlite3.Connection, wanted: str, values: dict[str, int]
) -> Iterator[list[Held]]:
    """The contents that a condition picks, by their numbers."""
    statement = (
        "SELECT c.id, d.local_id, c.version, c.prefix, c.digest, "
        # A tombstone keeps the content, and has sets of its own.
        "coalesce((SELECT s.sets FROM state s WHERE s.document = c.document "
        "AND s.version = c.version AND s.content = c.id "
        "ORDER BY s.status = 'deleted', s.id LIMIT 1), '[]'), c.frame "
        "FROM content c CROSS JOIN document d ON d.id = c.document "
        f"WHERE d.source = :source AND {wanted} AND c.id > :id ORDER BY c.id LIMIT :size"
    )
    last = 0
    sets = Sets(connection)
    while batch := _batch(connection.execute(statement, values | {"id": last}), sets):
        yield batch
        last = batch[-1].id


def _batch(rows: sqlite3.Cursor, sets: Sets) -> list[Held]:
    """The first rows, until they are many bytes."""
    batch: list[Held] = []
    size = 0
    for row in rows:
        number, local_id, version, prefix, digest, numbers, frame = row
        batch.append(Held(number, local_id, version, prefix, digest, sets.specs(numbers), frame))
        size += len(batch[-1].frame)
        if size >= _BATCH_BYTES:
            break
    rows.close()
    return batch


RENEWED_AT = "renewed at"
"""The name in ``derived`` of the second (since 1970) when new rules last changed a record."""


class RenewalLog:
    """Stores what was normalised again, through the one writer."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._codec = codec(writer.connection)

    def keep(self, selection: Selection, upto: int, renewed: Sequence[Renewed]) -> None:
        """Store a batch in one commit; ``upto`` is the last content that was looked at."""
        self._writer.check_room()
        connection = self._writer.connection
        with self._writer.transaction():
            connection.executemany(
                "UPDATE content SET rules = ?, frame = coalesce(?, frame) WHERE id = ?",
                [(RULES_VERSION, one.frame, one.id) for one in renewed],
            )
            for one in renewed:
                self._keep_keys(one)
            changed = [(one.id, one.index) for one in renewed if one.frame is not None]
            indexer.renew(connection, changed)
            if changed:
                connection.execute(
                    "INSERT INTO derived SELECT ?1, max(CAST(strftime('%s', ?2) AS INTEGER), "
                    "coalesce((SELECT CAST(strftime('%s', at) AS INTEGER) FROM \"commit\" "
                    "ORDER BY seq DESC LIMIT 1), 0)) WHERE 1 "
                    "ON CONFLICT DO UPDATE SET upto = max(upto, excluded.upto)",
                    (RENEWED_AT, self._writer.now()),
                )
            if selection.every:
                connection.execute(
                    "INSERT INTO derived VALUES (?, ?) "
                    "ON CONFLICT DO UPDATE SET upto = max(upto, excluded.upto)",
                    (selection.mark, upto),
                )

    def finish(self, selection: Selection) -> None:
        """All was looked at: a later run over every content begins at the first."""
        if selection.every:
            with self._writer.transaction():
                self._writer.connection.execute(
                    "DELETE FROM derived WHERE name LIKE ?", (f"renormalised {selection.source} %",)
                )

    def index(self) -> None:
        """Bring search up to date."""
        if indexer.is_outdated(self._writer.connection):
            indexer.rebuild(self._writer.connection)
        self._writer.index()

    def _keep_keys(self, one: Renewed) -> None:
        """Add new keys; a stale one goes unless another content of the document gives it."""
        if not (one.keys or one.stale):
            return
        connection = self._writer.connection
        (document,) = connection.execute(
            "SELECT document FROM content WHERE id = ?", (one.id,)
        ).fetchone()
        connection.executemany(
            "INSERT OR IGNORE INTO identifier VALUES (?, ?, ?)",
            [(scheme, value, document) for scheme, value in one.keys],
        )
        if one.stale:
            gone = set(one.stale) - self._keys_of(document)
            connection.executemany(
                "DELETE FROM identifier WHERE scheme = ? AND value = ? AND document = ?",
                [(scheme, value, document) for scheme, value in sorted(gone)],
            )

    def _keys_of(self, document: int) -> set[tuple[str, str]]:
        """The keys of all contents that the document ever had."""
        keys: set[tuple[str, str]] = set()
        for (frame,) in self._writer.connection.execute(
            "SELECT frame FROM content WHERE document = ?", (document,)
        ):
            keys.update(former_keys(self._body(frame)))
        return keys

    def _body(self, frame: bytes) -> bytes:
        try:
            return self._codec.open(frame).body
        except FrameError:
            return b"{}"


def former_keys(body: bytes) -> tuple[tuple[str, str], ...]:
    """The look-up keys of a body's JSON; none where it is no body of today's form."""
    try:
        return body_keys(decode_body(body))
    except msgspec.DecodeError:
        return ()
