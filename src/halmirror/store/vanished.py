"""What a reconciliation keeps in the mirror: its lists, its answers, and the marks it makes.

The list of identifiers is a window of its own kind, so it goes on where a run was cut; each
answer of GetRecord is kept beside it, so no record is asked for twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from halmirror.store.model import WINDOW_COLUMNS, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halmirror.store.model import Stream
    from halmirror.store.writer import Writer


@dataclass(frozen=True, slots=True)
class Vanished:
    """An active record that no list names: its state, document, version and OAI identifier."""

    state: int
    local_id: str
    version: int
    oai_identifier: str


class VanishedLog:
    """A reconciliation's side of the store, through the one writer."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def window(self, stream: Stream) -> Window:
        """The stream's list of identifiers, as far as it has come; a new one where none is open.

        Its token is none before the first page, and empty after the last.
        """
        row = self._writer.connection.execute(
            f"SELECT {WINDOW_COLUMNS} FROM harvest_window "
            "WHERE stream = ? AND kind = 'reconcile' ORDER BY id DESC LIMIT 1",
            (stream.id,),
        ).fetchone()
        if row is not None:
            return Window(*row)
        with self._writer.transaction():
            number = self._writer.insert(
                "INSERT INTO harvest_window (stream, kind, state, opened_at) "
                "VALUES (?, 'reconcile', 'open', ?)",
                stream.id,
                self._writer.now(),
            )
        return Window(number, stream.id, "reconcile", None, None)

    def keep(self, stream: Stream, window: Window, keys: Sequence[tuple[str, int]]) -> Window:
        """Keep a page of the list and the place to go on from (``window``), in one commit.

        ``keys``: (id, version) of records that are there (deleted headers left out).
        """
        moved = replace(window, token=window.token or "", received=window.received + len(keys))
        with self._writer.transaction():
            self._writer.connection.executemany(
                "INSERT OR IGNORE INTO listed SELECT ?, id, ? FROM document "
                "WHERE source = ? AND local_id = ?",
                [(window.id, version, stream.source, local_id) for local_id, version in keys],
            )
            self._writer.save(moved)
        return moved

    def active(self, source: int) -> int:
        """How many active records the source has in the mirror."""
        (count,) = self._writer.connection.execute(
            "SELECT count(*) FROM state s JOIN document d ON d.id = s.document "
            "WHERE d.source = ? AND s.end_seq IS NULL AND s.status = 'active'",
            (source,),
        ).fetchone()
        return int(count)

    def missing(self, source: int, windows: Sequence[Window]) -> list[Vanished]:
        """Active records of the source that none of the windows' lists names and no one asked."""
        numbers = ", ".join(str(window.id) for window in windows)
        rows = self._writer.connection.execute(
            "SELECT s.id, d.local_id, s.version, coalesce(s.oai_identifier, "
            "'oai:HAL:' || d.local_id || 'v' || s.version) FROM state s "
            "JOIN document d ON d.id = s.document "
            "WHERE d.source = ? AND s.end_seq IS NULL AND s.status = 'active' "
            "AND NOT EXISTS (SELECT 1 FROM listed l WHERE l.document = s.document "
            f"AND l.version = s.version AND l.harvest_window IN ({numbers})) "
            f"AND NOT EXISTS (SELECT 1 FROM vanished v WHERE v.state = s.id "
            f"AND v.harvest_window IN ({numbers})) ORDER BY d.local_id, s.version",
            (source,),
        ).fetchall()
        return [Vanished(*row) for row in rows]

    def judged(self, window: Window) -> list[tuple[str, str, str | None]]:
        """What earlier runs of this reconciliation found: (id with version, verdict, followed)."""
        rows = self._writer.connection.execute(
            "SELECT d.local_id || CASE WHEN s.version THEN 'v' || s.version ELSE '' END, "
            "v.verdict, v.followed_by FROM vanished v JOIN state s ON s.id = v.state "
            "JOIN document d ON d.id = s.document WHERE v.harvest_window = ? ORDER BY 1",
            (window.id,),
        )
        return rows.fetchall()

    def judge(self, window: Window, one: Vanished, verdict: str, followed_by: str | None) -> None:
        """Keep what the server said of a record that its list lacks."""
        with self._writer.transaction():
            self._writer.insert(
                "INSERT OR REPLACE INTO vanished VALUES (?, ?, ?, ?)",
                window.id,
                one.state,
                verdict,
                followed_by,
            )

    def mark(self, windows: Sequence[Window]) -> None:
        """Mark what vanished as withdrawn, or as superseded by what it was merged into.

        The first of the windows holds the answers.  A lower version that the lists still name is
        active again where none above it is left.
        """
        numbers = ", ".join(str(window.id) for window in windows)
        with self._writer.transaction():
            rows = self._writer.connection.execute(
                "SELECT v.state, v.verdict, v.followed_by FROM vanished v "
                "JOIN state s ON s.id = v.state WHERE v.harvest_window = ? "
                "AND v.verdict <> 'there' AND s.end_seq IS NULL AND s.status = 'active' "
                "ORDER BY v.state",
                (windows[0].id,),
            ).fetchall()
            for state, verdict, followed_by in rows:
                status = "withdrawn" if verdict == "withdrawn" else "superseded"
                self._writer.change_status(state, status, followed_by)
            left = self._writer.connection.execute(
                "SELECT s.id, max(s.version) FROM state s WHERE s.end_seq IS NULL "
                "AND s.status = 'superseded' AND EXISTS (SELECT 1 FROM listed l "
                "WHERE l.document = s.document AND l.version = s.version "
                f"AND l.harvest_window IN ({numbers})) AND NOT EXISTS (SELECT 1 FROM state o "
                "WHERE o.document = s.document AND o.end_seq IS NULL AND o.status = 'active') "
                "GROUP BY s.document ORDER BY s.document"
            ).fetchall()
            for state, _ in left:
                self._writer.change_status(state, "active")

    def finish(self, streams: Sequence[Stream], *, done: bool) -> None:
        """Clear the lists away; ``done``: note on the streams that they were compared."""
        with self._writer.transaction():
            for stream in streams:
                rows = self._writer.connection.execute(
                    f"SELECT {WINDOW_COLUMNS} FROM harvest_window "
                    "WHERE stream = ? AND kind = 'reconcile'",
                    (stream.id,),
                ).fetchall()
                self._writer.drop_windows([Window(*row) for row in rows])
                if done:
                    self._writer.connection.execute(
                        "UPDATE stream SET reconciled_at = ? WHERE id = ?",
                        (self._writer.now(), stream.id),
                    )
