"""Records as they come: each brings its document's state up to what it says, and no further.

A page's records of documents that the mirror does not hold yet, most of a first harvest, are
stored together; all others one by one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from halmirror.batch import RULES_VERSION
from halmirror.store.indexer import BATCH
from halmirror.store.model import Counts
from halmirror.store.sets import Sets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from halmirror.batch import Row
    from halmirror.entry import Entry
    from halmirror.store.commits import Commits
    from halmirror.store.model import Stream, Window
    from halmirror.store.quarantine import QuarantineLog

_MOST_ENTRIES = 2 * BATCH
"""Entries kept at hand; further ones are made from the contents, for which memory is no limit."""

_STATE_COLUMNS = (
    "id, document, version, content, oai_identifier, datestamp, sets, status, first_seq, run"
)


class States:
    """The writer's way to store records; every method is called inside its transaction.

    ``entries`` holds those of the contents that were stored since the index was brought up to
    date last, for `halmirror.store.indexer.catch_up`.
    """

    def __init__(self, commits: Commits, quarantine: QuarantineLog) -> None:
        self._commits = commits
        self._quarantine = quarantine
        self._connection = commits.connection
        self._sets = Sets(commits.connection)
        (self._is_forgetful,) = commits.connection.execute(
            "SELECT EXISTS (SELECT 1 FROM forgotten)"
        ).fetchone()
        self.entries: dict[int, Entry] = {}

    def forget(self) -> None:
        """Nothing of what a transaction gave numbers to holds any more: it was rolled back."""
        self._sets.forget()
        self.entries.clear()

    def store(
        self, stream: Stream, window: Window | None, rows: Sequence[Row]
    ) -> tuple[Counts, int]:
        """Store rows, as given by a window's list where there is one.

        Returns what became of them, and how many the list had not given before.
        """
        held = self._documents(stream.source, rows)
        rows, forgotten = self._without_forgotten(stream, window, rows, held)
        times = Counter(row.id for row in rows)
        new = [row for row in rows if row.id not in held and times[row.id] == 1]
        counts = self._add(stream, window, new) if new else Counts()
        counts += Counts(unchanged=len(forgotten))
        fresh = len(new) + sum(forgotten)
        for row in rows:
            if row.id not in held and times[row.id] == 1:
                continue
            document = held.get(row.id) or self._document(stream.source, row.id)
            held[row.id] = document
            first = window is None or self._listed(window, document, row.version)
            fresh += first
            counts += self._store(stream, document, row, again=not first)
            if row.deleted and window is not None:
                self._revive_below(window, document, row.version)
        return counts, fresh

    def _without_forgotten(
        self, stream: Stream, window: Window | None, rows: Sequence[Row], held: Mapping[str, int]
    ) -> tuple[Sequence[Row], list[bool]]:
        """The rows that are not of forgotten records; of those, whether the list's are fresh."""
        if not self._is_forgetful:
            return rows, []
        known = {
            row[0]
            for row in self._connection.execute(
                "SELECT local_id FROM forgotten WHERE source = ?", (stream.source,)
            )
        }
        fresh = [
            window is not None and bool(self._listed(window, held[row.id], row.version))
            for row in rows
            if row.id in known
        ]
        return [row for row in rows if row.id not in known], fresh

    # -- documents that are new -----------------------------------------------------------

    def _documents(self, source: int, rows: Sequence[Row]) -> dict[str, int]:
        """The numbers of the rows' documents, of those that the mirror holds."""
        marks = ", ".join("?" * len(rows))
        found = self._connection.execute(
            f"SELECT local_id, id FROM document WHERE source = ? AND local_id IN ({marks})",
            (source, *(row.id for row in rows)),
        )
        return dict(found.fetchall())

    def _add(self, stream: Stream, window: Window | None, rows: Sequence[Row]) -> Counts:
        """Store rows of documents that are new, one row each."""
        seq = self._commits.sequence()
        first, content, state = (self._next(table) for table in ("document", "content", "state"))
        documents, contents, states, identifiers = [], [], [], []
        gone = 0
        for document, row in enumerate(rows, first):
            self._quarantine.came(stream, row.oai_identifier)
            documents.append((document, stream.source, row.id))
            number = None
            if row.frame is not None:
                number = content
                contents.append(
                    (number, document, row.version, row.digest, stream.prefix, RULES_VERSION,
                     row.frame)
                )  # fmt: skip
                self._keep_entry(number, row)
                content += 1
            gone += row.deleted
            states.append(
                (state, document, row.version, number, _kept_identifier(row), row.datestamp,
                 self._sets.numbers(row.sets), "deleted" if row.deleted else "active", seq,
                 self._commits.run)
            )  # fmt: skip
            state += 1
            identifiers += [(scheme, value, document) for scheme, value in row.keys]
        many = self._connection.executemany
        many("INSERT INTO document (id, source, local_id) VALUES (?, ?, ?)", documents)
        many(
            "INSERT INTO content (id, document, version, digest, prefix, rules, frame) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            contents,
        )
        many(f"INSERT INTO state ({_STATE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", states)
        many("INSERT OR IGNORE INTO identifier VALUES (?, ?, ?)", sorted(identifiers))
        if window is not None:
            listed = zip((one[0] for one in documents), rows, strict=True)
            many(
                "INSERT INTO listed VALUES (?, ?, ?)",
                [(window.id, document, row.version) for document, row in listed],
            )
        return Counts(new=len(rows) - gone, gone=gone)

    def _next(self, table: str) -> int:
        """The number for the next row: there is one writer."""
        (number,) = self._connection.execute(
            f"SELECT coalesce(max(id), 0) + 1 FROM {table}"
        ).fetchone()
        return int(number)

    # -- one record -----------------------------------------------------------------------

    def _listed(self, window: Window, document: int, version: int) -> int:
        cursor = self._connection.execute(
            "INSERT OR IGNORE INTO listed VALUES (?, ?, ?)", (window.id, document, version)
        )
        return cursor.rowcount

    def _document(self, source: int, local_id: str) -> int:
        return self._commits.insert(
            "INSERT INTO document (source, local_id) VALUES (?, ?)", source, local_id
        )

    def _store(self, stream: Stream, document: int, row: Row, *, again: bool = False) -> Counts:
        """Bring one record's state up to what the row says; add nothing that is there already.

        ``again``: this list has given the record before.
        """
        self._quarantine.came(stream, row.oai_identifier)
        held = self._current(document, row.version)
        if again and held is not None and self._is_staler(row, held):
            return Counts(unchanged=1)
        sets = self._sets.numbers(row.sets)
        status, content = self._standing(document, row, held)
        if row.frame is not None:
            content = self._content(stream, document, row)
        if held is not None and (held.content, held.sets, held.status) == (content, sets, status):
            self._note_datestamp(held, row.datestamp)
            return Counts(unchanged=1)
        seq = self._commits.sequence()
        if held is not None:
            self.end_state(held.id, seq)
        self._commits.insert(
            "INSERT INTO state (document, version, content, oai_identifier, datestamp, sets, "
            "status, followed_by, first_seq, run) VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?, ?)",
            document, row.version, content,
            _kept_identifier(row), row.datestamp, sets, status, seq, self._commits.run,
        )  # fmt: skip
        if status == "active":
            self._supersede_below(document, row.version)
        self._connection.executemany(
            "INSERT OR IGNORE INTO identifier VALUES (?, ?, ?)",
            [(scheme, value, document) for scheme, value in row.keys],
        )
        if status == "deleted":
            return Counts(gone=1)
        return Counts(new=1) if held is None else Counts(changed=1)

    def _standing(self, document: int, row: Row, held: _Held | None) -> tuple[str, int | None]:
        """The row's status, and the content kept for it where it brings none."""
        if row.deleted:
            return "deleted", held.content if held else None
        (higher,) = self._connection.execute(
            "SELECT EXISTS (SELECT 1 FROM state WHERE document = ? AND version > ? "
            "AND end_seq IS NULL AND status = 'active')",
            (document, row.version),
        ).fetchone()
        return ("superseded" if higher else "active"), None

    def _current(self, document: int, version: int) -> _Held | None:
        row = self._connection.execute(
            "SELECT id, content, sets, status, datestamp FROM state WHERE document = ? "
            "AND version = ? ORDER BY first_seq DESC, id DESC LIMIT 1",
            (document, version),
        ).fetchone()
        return _Held(*row) if row else None

    def _supersede_below(self, document: int, version: int) -> None:
        """Versions below a new one are superseded from this commit on (contract, ``status``)."""
        rows = self._connection.execute(
            "SELECT id FROM state WHERE document = ? AND version < ? AND end_seq IS NULL "
            "AND status IN ('active', 'withdrawn')",
            (document, version),
        ).fetchall()
        for (number,) in rows:
            self.change_status(number, "superseded")

    def end_state(self, state: int, seq: int) -> None:
        """Close a state with the commit at which it no longer holds; inside a transaction."""
        self._connection.execute("UPDATE state SET end_seq = ? WHERE id = ?", (seq, state))

    def _revive_below(self, window: Window, document: int, version: int) -> None:
        """Where a version is deleted, the highest lower one that the same list gives is active."""
        row = self._connection.execute(
            "SELECT s.id FROM state s JOIN listed l ON l.harvest_window = ? "
            "AND l.document = s.document AND l.version = s.version WHERE s.document = ? "
            "AND s.version < ? AND s.end_seq IS NULL AND s.status = 'superseded' "
            "AND NOT EXISTS (SELECT 1 FROM state o WHERE o.document = s.document "
            "AND o.end_seq IS NULL AND o.status = 'active') ORDER BY s.version DESC LIMIT 1",
            (window.id, document, version),
        ).fetchone()
        if row is not None:
            self.change_status(row[0], "active")

    def change_status(self, state: int, status: str, followed_by: str | None = None) -> None:
        """End a state and begin one that differs in its status alone; inside a transaction."""
        seq = self._commits.sequence()
        self.end_state(state, seq)
        self._commits.insert(
            "INSERT INTO state (document, version, content, oai_identifier, datestamp, sets, "
            "status, followed_by, first_seq, run) SELECT document, version, content, "
            "oai_identifier, coalesce((SELECT datestamp FROM datestamp_note WHERE state = ?1 "
            "ORDER BY seq DESC LIMIT 1), datestamp), sets, ?2, ?3, ?4, ?5 FROM state "
            "WHERE id = ?1",
            state, status, followed_by, seq, self._commits.run,
        )  # fmt: skip

    def _is_staler(self, row: Row, held: _Held) -> bool:
        """Of two answers for one record in one list the newer counts, then the greater digest."""
        if row.datestamp != held.datestamp:
            return row.datestamp < held.datestamp
        found = self._connection.execute(
            "SELECT digest FROM content WHERE id = ?", (held.content,)
        ).fetchone()
        return (row.digest or b"") <= (found[0] if found else b"")

    def _note_datestamp(self, held: _Held, datestamp: str) -> None:
        """A datestamp that moved alone is a note beside the state, not a new state."""
        latest = self._connection.execute(
            "SELECT datestamp FROM datestamp_note WHERE state = ? ORDER BY seq DESC LIMIT 1",
            (held.id,),
        ).fetchone()
        if datestamp != (latest[0] if latest else held.datestamp):
            self._connection.execute(
                "INSERT OR REPLACE INTO datestamp_note VALUES (?, ?, ?)",
                (held.id, self._commits.sequence(), datestamp),
            )

    def _content(self, stream: Stream, document: int, row: Row) -> int:
        found = self._connection.execute(
            "SELECT id FROM content WHERE document = ? AND version = ? AND digest = ?",
            (document, row.version, row.digest),
        ).fetchone()
        if found is not None:
            return int(found[0])
        number = self._commits.insert(
            "INSERT INTO content (document, version, digest, prefix, rules, frame) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            document, row.version, row.digest, stream.prefix, RULES_VERSION, row.frame,
        )  # fmt: skip
        self._keep_entry(number, row)
        return number

    def _keep_entry(self, content: int, row: Row) -> None:
        if row.entry is not None and len(self.entries) < _MOST_ENTRIES:
            self.entries[content] = row.entry


def _kept_identifier(row: Row) -> str | None:
    """The OAI identifier, where it is not the one that HAL gives by rule."""
    return None if row.oai_identifier == f"oai:HAL:{row.id}v{row.version}" else row.oai_identifier


@dataclass(frozen=True, slots=True)
class _Held:
    """The state of a version as it stands."""

    id: int
    content: int | None
    sets: str
    status: str
    datestamp: str
