"""Commits of the one writer: its lock, its run, and the numbers that commits get.

A commit that changes what the mirror says of any record gets the next sequence number and the
UTC time.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Self

from halmirror.store.database import WriteLock, open_for_writing, time_stamp, translated

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Commits:
    """The mirror at ``path``, open for one writer; a context manager that holds the lock meanwhile.

    ``command`` is what the run is called in the mirror's log of runs; ``run`` is its number.
    ``on_rollback``: what is called after a transaction came to nothing.
    """

    def __init__(
        self,
        path: Path,
        command: str,
        *,
        network: bool = False,
        now: Callable[[], str] = time_stamp,
    ) -> None:
        self.path = path
        self.now = now
        self._command = command
        self._lock = WriteLock(path, network=network)
        self._seq: int | None = None
        self.on_rollback: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        self._lock.acquire()
        try:
            self.connection = open_for_writing(self.path)
        except BaseException:
            self._lock.release()
            raise
        try:
            with self.transaction():
                self.run = self.insert(
                    "INSERT INTO run (command, started) VALUES (?, ?)", self._command, self.now()
                )
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.connection.close()
        self._lock.release()

    def finish(self, outcome: str, report: object) -> None:
        """Close the run's entry with its outcome and its report (anything JSON can say)."""
        with self.transaction():
            self.connection.execute(
                "UPDATE run SET finished = ?, outcome = ?, report = ? WHERE id = ?",
                (self.now(), outcome, json.dumps(report, ensure_ascii=False), self.run),
            )

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; ends the sequence number that the transaction may have taken."""
        with translated(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            self._seq = None
            try:
                yield
                if self._seq is not None:
                    self._close_sequence()
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                for forget in self.on_rollback:
                    forget()
                raise

    def sequence(self) -> int:
        """This transaction's sequence number, taken when something first needs one."""
        if self._seq is None:
            self._seq = self.insert(
                'INSERT INTO "commit" (at, run, last_state) VALUES (?, ?, 0)',
                self.now(), self.run,
            )  # fmt: skip
        return self._seq

    def _close_sequence(self) -> None:
        """Give the commit its time, as late as can be, and never before an earlier commit's.

        Who asks for what came since a time must not miss a commit that was under way then.
        """
        self.connection.execute(
            'UPDATE "commit" SET last_state = (SELECT coalesce(max(id), 0) FROM state), '
            'at = max(?2, coalesce((SELECT e.at FROM "commit" e WHERE e.seq < ?1 '
            "ORDER BY e.seq DESC LIMIT 1), '')) WHERE seq = ?1",
            (self._seq, self.now()),
        )

    def insert(self, statement: str, *values: object) -> int:
        """Insert a row and give its number; inside a transaction."""
        cursor: sqlite3.Cursor = self.connection.execute(statement, values)
        number = cursor.lastrowid
        if number is None:
            raise AssertionError("an INSERT has no row number")
        return number
