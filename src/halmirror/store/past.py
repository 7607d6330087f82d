"""What the mirror's file tells of the past: every state, in the order of commits.

A state that began and ended in one commit was never to be seen, and is left out.  So is one that
no commit of the history that is kept shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halmirror.store.reader import COLUMNS, TABLES, Reader, State

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

_SEEN = "(s.end_seq IS NULL OR s.end_seq > max(s.first_seq, :first))"
_AS_BEGUN = 0
"""The commit to read datestamps at, for the one that a state began with."""


class Past:
    """Reads earlier states over a connection that `open_for_reading` gave."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.whole_from = Reader(connection).whole_from()

    def states(self, document: int, at: int) -> list[State]:
        """Every state of a document's versions that began by a commit, oldest first."""
        rows = self._connection.execute(
            f"SELECT {COLUMNS} FROM {TABLES} WHERE d.id = :document AND s.first_seq <= :upto "
            f"AND {_SEEN} ORDER BY s.first_seq, s.version",
            {"document": document, "at": _AS_BEGUN, "upto": at, "first": self.whole_from},
        )
        return [State._make(row) for row in rows]

    def before(self, state: State) -> State | None:
        """The state before this one: of the same version, else of the version below it.

        None too where what came before a state was pruned.
        """
        if state.first_seq <= self.whole_from:
            return None
        row = self._connection.execute(
            f"SELECT {COLUMNS} FROM {TABLES} WHERE d.id = :document AND s.version <= :version "
            f"AND s.first_seq < :seq AND {_SEEN} ORDER BY s.version DESC, s.first_seq DESC LIMIT 1",
            {
                "document": state.document,
                "version": state.version,
                "seq": state.first_seq,
                "at": _AS_BEGUN,
                "first": self.whole_from,
            },
        ).fetchone()
        return State._make(row) if row else None

    def begun(self, after: int, upto: int) -> Iterator[State]:
        """The states that began after one commit and up to another, by commit.

        Within a commit by source, id and version, so that the order of arrival does not show.
        One content at a time is in memory.
        """
        (last,) = self._connection.execute(
            'SELECT coalesce(max(last_state), 0) FROM "commit" WHERE seq <= ?', (after,)
        ).fetchone()
        commits = self._connection.execute(
            'SELECT seq, last_state FROM "commit" WHERE seq > ? AND seq <= ? ORDER BY seq',
            (after, upto),
        )
        for seq, newest in commits:
            numbers = self._connection.execute(
                f"SELECT s.id FROM {TABLES} WHERE s.id > :last AND s.id <= :newest "
                f"AND s.first_seq = :seq AND {_SEEN} ORDER BY src.name, d.local_id, s.version",
                {"last": last, "newest": newest, "seq": seq, "first": self.whole_from},
            ).fetchall()
            last = newest
            for (number,) in numbers:
                yield self._state(number)

    def commit(self, seq: int) -> tuple[str, int]:
        """When a commit was made (UTC time stamp), and by which run."""
        at, run = self._connection.execute(
            'SELECT at, run FROM "commit" WHERE seq = ?', (seq,)
        ).fetchone()
        return at, run

    def datestamps(self, state: State, at: int) -> list[tuple[int, str]]:
        """The datestamps that moved alone during a state, up to a commit: (commit, datestamp)."""
        return self._connection.execute(
            "SELECT seq, datestamp FROM datestamp_note WHERE state = ? AND seq <= ? ORDER BY seq",
            (state.id, at),
        ).fetchall()

    def _state(self, number: int) -> State:
        row = self._connection.execute(
            f"SELECT {COLUMNS} FROM {TABLES} WHERE s.id = :number",
            {"number": number, "at": _AS_BEGUN},
        ).fetchone()
        return State._make(row)
