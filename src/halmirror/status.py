"""What the mirror holds and how its harvests stand: for people, programs and monitoring."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from halmirror.record import STATUSES
from halmirror.store.database import open_for_reading, translated
from halmirror.windows import complete_as_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A window that no run could close yet, and why."""

    set: str
    from_day: str | None
    until_day: str | None
    reason: str | None

    def as_dict(self) -> dict[str, str | None]:
        """The window under the contract's keys."""
        return {
            "set": self.set,
            "from": self.from_day,
            "until": self.until_day,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Withheld:
    """A record that the server announces but does not give, and what it says instead."""

    identifier: str
    reason: str


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How one source stands.

    ``last_success``: time stamp of the last run that closed every window; ``complete_as_of``: a
    day; ``announced``: what the server said the whole list holds, none where it gave no number;
    ``received``: active records held.
    """

    name: str
    base_url: str
    last_success: str | None
    complete_as_of: str | None
    announced: int | None
    received: int
    quarantined: int
    open_windows: tuple[OpenWindow, ...]
    withheld: tuple[Withheld, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One run that wrote to the mirror."""

    number: int
    command: str
    started: str
    finished: str | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """What a mirror holds: records by status, sources, and the last runs (newest first)."""

    path: str
    records: dict[str, int]
    sources: tuple[SourceStatus, ...]
    runs: tuple[Run, ...]

    def json(self) -> str:
        """The status as one JSON object."""
        plain = {
            "path": self.path,
            "records": self.records,
            "sources": [
                {
                    **asdict(source),
                    "open_windows": [window.as_dict() for window in source.open_windows],
                }
                for source in self.sources
            ],
            "runs": [asdict(run) for run in self.runs],
        }
        return json.dumps(plain, ensure_ascii=False, indent=2)


def status(path: Path, sources: Sequence[str] = (), runs: int = 5) -> Status:
    """The status of the mirror at ``path``.

    ``sources``: the configured names, so that one never harvested shows too.
    Raises `MirrorError`.
    """
    connection = open_for_reading(path)
    try:
        with translated(path):
            connection.execute("BEGIN")
            held = {
                row[0]: row[1:]
                for row in connection.execute("SELECT name, id, base_url FROM source ORDER BY id")
            }
            names = [*sources, *(name for name in held if name not in sources)]
            return Status(
                str(path),
                _records(connection),
                tuple(_source(connection, name, held.get(name)) for name in names),
                _runs(connection, runs),
            )
    finally:
        connection.close()


def check(status_: Status, max_age: float) -> tuple[bool, str]:
    """Whether all is well for monitoring, and the one line that says so.

    ``max_age``: seconds since each source's last success that are still well.
    """
    worries = []
    limit = datetime.now(UTC) - timedelta(seconds=max_age)
    for source in status_.sources:
        if source.last_success is None:
            worries.append(f"{source.name} was never harvested whole")
        elif datetime.fromisoformat(source.last_success) < limit:
            worries.append(f"{source.name} last succeeded {source.last_success}")
        if source.open_windows:
            worries.append(f"{source.name} has {len(source.open_windows)} open windows")
    if not status_.sources:
        worries.append("no source")
    if worries:
        return False, "CRITICAL: " + "; ".join(worries)
    active = status_.records["active"]
    days = ", ".join(f"{one.name} complete as of {one.complete_as_of}" for one in status_.sources)
    return True, f"OK: {active} active records; {days}"


def _records(connection: sqlite3.Connection) -> dict[str, int]:
    counts: dict[str, int] = dict.fromkeys(STATUSES, 0)
    counts.update(
        connection.execute(
            "SELECT status, count(*) FROM state WHERE end_seq IS NULL GROUP BY status"
        ).fetchall()
    )
    return counts


def _source(
    connection: sqlite3.Connection, name: str, held: tuple[int, str] | None
) -> SourceStatus:
    if held is None:
        return SourceStatus(name, "", None, None, None, 0, 0, ())
    number, base_url = held
    streams = connection.execute(
        "SELECT id, set_spec, planned_until, last_success, announced FROM stream "
        "WHERE source = ? ORDER BY id",
        (number,),
    ).fetchall()
    whole = [row for row in streams if not row[1]]
    windows: list[OpenWindow] = []
    days: list[str | None] = []
    for stream, set_spec, planned_until, _, _ in streams:
        rows = connection.execute(
            "SELECT kind, from_day, until_day, reason FROM harvest_window "
            "WHERE stream = ? AND state = 'open' AND kind <> 'reconcile' ORDER BY id",
            (stream,),
        ).fetchall()
        windows += [OpenWindow(set_spec, *row[1:]) for row in rows]
        if not set_spec or not whole:
            # Where the whole source is harvested, a set asked for besides says nothing of it.
            firsts = [row[1] for row in rows if row[0] == "plan"]
            days.append(complete_as_of(planned_until, firsts))
    (received,) = connection.execute(
        "SELECT count(*) FROM state s JOIN document d ON d.id = s.document "
        "WHERE d.source = ? AND s.end_seq IS NULL AND s.status = 'active'",
        (number,),
    ).fetchone()
    (quarantined,) = connection.execute(
        "SELECT count(*) FROM quarantine q JOIN stream t ON t.id = q.stream "
        "WHERE t.source = ? AND q.resolved_at IS NULL",
        (number,),
    ).fetchone()
    successes = [row[3] for row in whole or streams]
    announced = [row[4] for row in whole or streams]
    return SourceStatus(
        name,
        base_url,
        min(successes) if successes and None not in successes else None,
        min(day for day in days if day) if days and all(days) else None,
        announced[0] if len(announced) == 1 else None,
        received,
        quarantined,
        tuple(windows),
        _withheld(connection, number),
    )


def _withheld(connection: sqlite3.Connection, source: int) -> tuple[Withheld, ...]:
    """What the newest list that announced it did not give, and nothing has brought since."""
    rows = connection.execute(
        "SELECT w.oai_identifier, w.reason, max(w.harvest_window) FROM withheld w "
        "JOIN harvest_window h ON h.id = w.harvest_window JOIN stream t ON t.id = h.stream "
        "WHERE t.source = ?1 AND NOT EXISTS (SELECT 1 FROM document d JOIN state s "
        "ON s.document = d.id WHERE d.source = ?1 AND coalesce(s.oai_identifier, "
        "'oai:HAL:' || d.local_id || 'v' || s.version) = w.oai_identifier) "
        "GROUP BY w.oai_identifier ORDER BY w.oai_identifier",
        (source,),
    )
    return tuple(Withheld(row[0], row[1]) for row in rows)


def _runs(connection: sqlite3.Connection, wanted: int) -> tuple[Run, ...]:
    rows = connection.execute(
        "SELECT id, command, started, finished, outcome FROM run ORDER BY id DESC LIMIT ?",
        (wanted,),
    )
    return tuple(Run(*row) for row in rows)
