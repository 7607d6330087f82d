"""The one writer: takes batches, keeps every earlier state, and commits each page whole.

The place to go on from (a window's token) is part of the same commit as the rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self

from halmirror.store import indexer
from halmirror.store.commits import Commits
from halmirror.store.database import time_stamp, translated
from halmirror.store.dictionaries import Dictionaries
from halmirror.store.model import WINDOW_COLUMNS, Counts, Source, Stream, Window
from halmirror.store.quarantine import QuarantineLog
from halmirror.store.room import Room
from halmirror.store.states import States

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from halmirror.batch import Batch, Dictionary


class Writer(Commits):
    """Writes to the mirror at ``path``; a context manager that holds the lock meanwhile.

    ``command`` is what the run is called in the mirror's log of runs.  ``keep_free``: bytes of
    the disk that no page may take.  ``network``: whether the mirror may lie on a network file
    system.  One thread at a time may use it.
    Raises `MirrorBusyError`, `NotAMirrorError`, `NewerMirrorError`, `MirrorWriteError` and
    `NetworkFileSystemError`.
    """

    def __init__(
        self,
        path: Path,
        command: str,
        *,
        keep_free: int = 0,
        network: bool = False,
        now: Callable[[], str] = time_stamp,
    ) -> None:
        super().__init__(path, command, network=network, now=now)
        self._room = Room(path, keep_free)

    def __enter__(self) -> Self:
        super().__enter__()
        try:
            self.quarantine = QuarantineLog(self)
            self._states = States(self, self.quarantine)
            self._dictionaries = Dictionaries(self)
        except BaseException:
            self.__exit__()
            raise
        self.on_rollback.append(self._states.forget)
        return self

    def dictionary(self, source: int) -> Dictionary | None:
        """The zstd dictionary for new frames of a source, where it has one."""
        return self._dictionaries.of(source)

    # -- sources and streams --------------------------------------------------------------

    def source(self, name: str, base_url: str, profile: str) -> tuple[Source, str | None]:
        """The source of that name, made where it is new; and its former base URL if that moved."""
        with self.transaction():
            row = self.connection.execute(
                "SELECT id, base_url FROM source WHERE name = ?", (name,)
            ).fetchone()
            if row is None:
                number = self.insert(
                    "INSERT INTO source (name, base_url, profile) VALUES (?, ?, ?)",
                    name, base_url, profile,
                )  # fmt: skip
                return Source(number, name, base_url), None
            self.connection.execute(
                "UPDATE source SET base_url = ?, profile = ? WHERE id = ?",
                (base_url, profile, row[0]),
            )
            return Source(row[0], name, base_url), row[1] if row[1] != base_url else None

    def keep_identity(self, source: Source, xml: bytes, statement: str | None) -> None:
        """Keep the source's Identify answer, and the words of its metadata policy."""
        with self.transaction():
            self.connection.execute(
                "UPDATE source SET identify = ?, statement = ? WHERE id = ?",
                (xml, statement, source.id),
            )

    def come_back_at(self, name: str, base_url: str) -> str | None:
        """The time until which a source asked to be left alone, if it did at that address."""
        row = self.connection.execute(
            "SELECT come_back_at FROM source WHERE name = ? AND base_url = ?", (name, base_url)
        ).fetchone()
        return row[0] if row else None

    def leave_alone(self, source: Source, until: str | None) -> None:
        """Keep the time until which a source wants to be left alone; none: it no longer does."""
        with self.transaction():
            self.connection.execute(
                "UPDATE source SET come_back_at = ? WHERE id = ?", (until, source.id)
            )

    def stream(self, source: Source, prefix: str, set_spec: str) -> Stream:
        """The stream of (source, prefix, set), made where it is new; ``""`` is no set."""
        with self.transaction():
            self.connection.execute(
                "INSERT OR IGNORE INTO stream (source, prefix, set_spec) VALUES (?, ?, ?)",
                (source.id, prefix, set_spec),
            )
            row = self.connection.execute(
                "SELECT id, planned_from, planned_until, last_success, first_complete_at, "
                "reconciled_at FROM stream "
                "WHERE source = ? AND prefix = ? AND set_spec = ?",
                (source.id, prefix, set_spec),
            ).fetchone()
        return Stream(row[0], source.id, source.name, prefix, set_spec, *row[1:])

    def streams_of(self, name: str, prefix: str) -> list[Stream]:
        """The streams that the mirror has of a source under a metadata prefix."""
        rows = self.connection.execute(
            "SELECT t.id, s.id, s.name, t.prefix, t.set_spec, t.planned_from, t.planned_until, "
            "t.last_success, t.first_complete_at, t.reconciled_at FROM stream t "
            "JOIN source s ON s.id = t.source WHERE s.name = ? AND t.prefix = ? ORDER BY t.id",
            (name, prefix),
        )
        return [Stream(*row) for row in rows]

    def is_untouched(self, stream: Stream) -> bool:
        """Whether the stream never gave anything: no window closed, no record, no quarantine."""
        (touched,) = self.connection.execute(
            "SELECT EXISTS (SELECT 1 FROM harvest_window WHERE stream = ?1 "
            "AND (state = 'closed' OR received > 0 OR quarantined > 0)) "
            "OR EXISTS (SELECT 1 FROM quarantine WHERE stream = ?1)",
            (stream.id,),
        ).fetchone()
        return not touched

    def discard(self, stream: Stream) -> None:
        """Take a stream that never gave a record out of the mirror, with its windows."""
        with self.transaction():
            rows = self.connection.execute(
                f"SELECT {WINDOW_COLUMNS} FROM harvest_window WHERE stream = ?", (stream.id,)
            )
            self.drop_windows([Window(*row) for row in rows.fetchall()])
            self.connection.execute("DELETE FROM stream WHERE id = ?", (stream.id,))

    def reread(self, stream: Stream) -> Stream:
        """The stream as it stands now."""
        row = self.connection.execute(
            "SELECT planned_from, planned_until, last_success FROM stream WHERE id = ?",
            (stream.id,),
        ).fetchone()
        return replace(stream, planned_from=row[0], planned_until=row[1], last_success=row[2])

    def announce(self, stream: Stream, announced: int | None) -> None:
        """Keep how many records the server says the whole stream holds, and when it said so."""
        with self.transaction():
            self.connection.execute(
                "UPDATE stream SET announced = ?, announced_at = ? WHERE id = ?",
                (announced, self.now(), stream.id),
            )

    def succeed(self, stream: Stream) -> None:
        """Note that a run over the stream ended with every window closed."""
        with self.transaction():
            self.connection.execute(
                "UPDATE stream SET last_success = ?1, "
                "first_complete_at = coalesce(first_complete_at, ?1) WHERE id = ?2",
                (self.now(), stream.id),
            )

    # -- windows --------------------------------------------------------------------------

    def open_windows(self, stream: Stream) -> list[Window]:
        """The stream's windows that are not closed, oldest first."""
        rows = self.connection.execute(
            f"SELECT {WINDOW_COLUMNS} FROM harvest_window "
            "WHERE stream = ? AND state = 'open' AND kind <> 'reconcile' ORDER BY id",
            (stream.id,),
        )
        return [Window(*row) for row in rows]

    def plan(
        self,
        stream: Stream,
        spans: Sequence[tuple[str | None, str | None]],
        *,
        kind: str,
        planned: tuple[str, str] | None = None,
        replaces: Sequence[Window] = (),
    ) -> list[Window]:
        """Lay windows over ``spans`` in one commit.

        ``planned``: first (empty: unbounded) and last day that the stream is planned for now.
        """
        with self.transaction():
            self.drop_windows(replaces)
            windows = [self._open_window(stream.id, kind, *span) for span in spans]
            if planned is not None:
                self.connection.execute(
                    "UPDATE stream SET planned_from = ?, planned_until = ? WHERE id = ?",
                    (*planned, stream.id),
                )
        return windows

    def split(self, window: Window, spans: Sequence[tuple[str | None, str | None]]) -> list[Window]:
        """Put windows over ``spans`` in the place of ``window``."""
        with self.transaction():
            self.drop_windows([window])
            return [
                self._open_window(window.stream, window.kind, *span, window.part) for span in spans
            ]

    def split_by_set(self, window: Window, parts: Sequence[str]) -> list[Window]:
        """Put a window over the same days for each of the sets in the place of ``window``."""
        with self.transaction():
            self.drop_windows([window])
            return [
                self._open_window(
                    window.stream, window.kind, window.from_day, window.until_day, part
                )
                for part in parts
            ]

    def restart(self, window: Window, reason: str, *, until: str | None = None) -> Window:
        """Set a window back to its start, with the reason; ``until`` bounds an unbounded one."""
        fresh = Window(
            window.id,
            window.stream,
            window.kind,
            window.from_day,
            window.until_day or until,
            attempts=window.attempts + 1,
            reason=reason,
            part=window.part,
        )
        with self.transaction():
            self.connection.execute("DELETE FROM listed WHERE harvest_window = ?", (window.id,))
            self.save(fresh)
        return fresh

    def bound(self, window: Window, until: str) -> Window:
        """Give a window that was open at its end a last day; its place and records stay."""
        bounded = replace(window, until_day=until)
        with self.transaction():
            self.save(bounded)
        return bounded

    def leave_open(self, window: Window, reason: str) -> None:
        """Keep the window for the next run, with the reason it could not be closed."""
        with self.transaction():
            self.save(replace(window, reason=reason))

    def distinct(self, window: Window) -> int:
        """How many distinct records the window's list has given."""
        (count,) = self.connection.execute(
            "SELECT count(*) FROM listed WHERE harvest_window = ?", (window.id,)
        ).fetchone()
        return int(count)

    def is_listed(self, stream: Stream, window: Window, local_id: str, version: int) -> bool:
        """Whether the window's list has given a record."""
        row = self.connection.execute(
            "SELECT 1 FROM listed l JOIN document d ON d.id = l.document WHERE "
            "l.harvest_window = ? AND l.version = ? AND d.source = ? AND d.local_id = ?",
            (window.id, version, stream.source, local_id),
        ).fetchone()
        return row is not None

    def close(self, window: Window, answer: str, withheld: Sequence[tuple[str, str]] = ()) -> None:
        """Close the window; ``answer`` says by which answer its list ended.

        ``withheld``: identifiers that the server announces but does not give, with the reason.
        """
        with self.transaction():
            distinct = self.distinct(window)
            self.connection.executemany(
                "INSERT OR REPLACE INTO withheld VALUES (?, ?, ?)",
                [(window.id, identifier, reason) for identifier, reason in withheld],
            )
            self.connection.execute("DELETE FROM listed WHERE harvest_window = ?", (window.id,))
            self.save(replace(window, token=None, reason=None))
            self.connection.execute(
                "UPDATE harvest_window SET state = 'closed', "
                "closed_at = ?, answer = ?, distinct_records = ? WHERE id = ?",
                (self.now(), answer, distinct, window.id),
            )
            self.quarantine.listed_again(window)

    def _open_window(
        self,
        stream: int,
        kind: str,
        from_day: str | None,
        until_day: str | None,
        part: str | None = None,
    ) -> Window:
        number = self.insert(
            "INSERT INTO harvest_window (stream, kind, from_day, until_day, part, state, "
            "opened_at) VALUES (?, ?, ?, ?, ?, 'open', ?)",
            stream, kind, from_day, until_day, part, self.now(),
        )  # fmt: skip
        return Window(number, stream, kind, from_day, until_day, part=part)

    def drop_windows(self, windows: Sequence[Window]) -> None:
        """Take windows out of the mirror, with what hangs on them; inside a transaction."""
        numbers = [(window.id,) for window in windows]
        self.connection.executemany("DELETE FROM listed WHERE harvest_window = ?", numbers)
        self.connection.executemany("DELETE FROM withheld WHERE harvest_window = ?", numbers)
        self.connection.executemany("DELETE FROM vanished WHERE harvest_window = ?", numbers)
        self.connection.executemany(
            "UPDATE quarantine SET harvest_window = NULL WHERE harvest_window = ?", numbers
        )
        self.connection.executemany("DELETE FROM harvest_window WHERE id = ?", numbers)

    def save(self, window: Window) -> None:
        """Write a window's place and counts; inside a transaction."""
        self.connection.execute(
            "UPDATE harvest_window SET from_day = ?, until_day = ?, token = ?, token_at = ?, "
            "cursor = ?, page_size = ?, announced_first = ?, announced_last = ?, received = ?, "
            "quarantined = ?, attempts = ?, reason = ? WHERE id = ?",
            (
                window.from_day, window.until_day, window.token, window.token_at,
                window.cursor, window.page_size, window.announced_first, window.announced_last,
                window.received, window.quarantined, window.attempts, window.reason, window.id,
            ),
        )  # fmt: skip

    # -- records --------------------------------------------------------------------------

    def commit_page(self, stream: Stream, window: Window, batch: Batch) -> tuple[Counts, int]:
        """Store a batch and the window's new place in one commit.

        Returns what became of the records, and how many the window's list had not given before.
        """
        self._room.check()
        with self.transaction():
            counts, fresh = self._states.store(stream, window, batch.rows)
            if batch.rejected:
                added = self.quarantine.keep(stream, window, batch.rejected)
                counts += Counts(quarantined=added)
            self.save(window)
        self._dictionaries.grown(stream.source, counts.new + counts.changed)
        return counts, fresh

    def commit_batch(self, stream: Stream, batch: Batch) -> Counts:
        """Store records that came by themselves (GetRecord), in one commit."""
        self._room.check()
        with self.transaction():
            counts, _ = self._states.store(stream, None, batch.rows)
            if batch.rejected:
                added = self.quarantine.keep(stream, None, batch.rejected)
                counts += Counts(quarantined=added)
        return counts

    def last_answer(self, stream: Stream) -> str | None:
        """By which answer the stream's window ended that was closed last."""
        row = self.connection.execute(
            "SELECT answer FROM harvest_window WHERE stream = ? AND state = 'closed' "
            "ORDER BY id DESC LIMIT 1",
            (stream.id,),
        ).fetchone()
        return row[0] if row else None

    def standing(self, stream: Stream, local_id: str, version: int) -> str | None:
        """The status of a version as it stands; none where the mirror does not hold it."""
        row = self._held(stream, local_id, version)
        return row[1] if row else None

    def withdraw(
        self, stream: Stream, versions: Sequence[tuple[str, int, str, str | None]]
    ) -> None:
        """Give versions (id, version) another status and what followed them, in one commit."""
        with self.transaction():
            for local_id, version, status, followed_by in versions:
                held = self._held(stream, local_id, version)
                if held is not None and held[1] != status:
                    self._states.change_status(held[0], status, followed_by)

    def _held(self, stream: Stream, local_id: str, version: int) -> tuple[int, str] | None:
        row: tuple[int, str] | None = self.connection.execute(
            "SELECT s.id, s.status FROM document d JOIN state s ON s.document = d.id "
            "WHERE d.source = ? AND d.local_id = ? AND s.version = ? AND s.end_seq IS NULL",
            (stream.source, local_id, version),
        ).fetchone()
        return row

    def check_room(self) -> None:
        """Raises `MirrorWriteError` where the disk has less room than is to be kept free."""
        self._room.check()

    def change_status(self, state: int, status: str, followed_by: str | None = None) -> None:
        """End a state and begin one that differs in its status alone; inside a transaction."""
        self._states.change_status(state, status, followed_by)

    def index(self) -> None:
        """Bring the search index up to what was committed."""
        with translated(self.path):
            indexer.catch_up(self.connection, ready=self._states.entries)
        self._states.entries.clear()
