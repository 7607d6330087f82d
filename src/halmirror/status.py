"""What the mirror holds and how its harvests stand: for people, programs and monitoring."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from halmirror.record import STATUSES
from halmirror.store.database import log_of, open_for_reading, time_stamp, translated
from halmirror.windows import complete_as_of, shifted

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def _no_records() -> dict[str, int]:
    return dict.fromkeys(STATUSES, 0)


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A window that no run could close yet, and why.  ``kind``: ``plan`` or ``extra``."""

    set: str
    from_day: str | None
    until_day: str | None
    reason: str | None
    kind: str = "plan"

    def as_dict(self) -> dict[str, str | None]:
        """The window under the contract's keys."""
        return {
            "set": self.set,
            "from": self.from_day,
            "until": self.until_day,
            "reason": self.reason,
            "kind": self.kind,
        }


@dataclass(frozen=True, slots=True)
class Withheld:
    """A record that the server announces but does not give, and what it says instead."""

    identifier: str
    reason: str


@dataclass(frozen=True, slots=True)
class WindowProof:
    """What is known of one window: what was announced, what came, and how its list ended.

    ``kind``: ``plan`` (the stream's own span), ``extra`` (``--from``, ``--until``) or
    ``reconcile`` (a comparison under way).  ``state``: ``open`` or ``closed``.  ``received``
    counts deliveries, ``distinct`` records (those that came by GetRecord too; none while a
    comparison is under way).  ``attempts``: how often the list had to be taken again.
    ``answer``: by which answer the list ended.
    """

    kind: str
    set: str
    from_day: str | None
    until_day: str | None
    state: str
    announced_first: int | None
    announced_last: int | None
    received: int
    distinct: int | None
    withheld: int
    quarantined: int
    attempts: int
    opened_at: str
    closed_at: str | None
    answer: str | None
    reason: str | None

    @property
    def announced(self) -> int | None:
        """The greater of the first and the last size announced; none where none was."""
        sizes = [one for one in (self.announced_first, self.announced_last) if one is not None]
        return max(sizes, default=None)

    @property
    def unaccounted(self) -> int | None:
        """Announced records of a closed window that neither came nor are named as withheld.

        None where that cannot be told: the window is open, or no size was announced.
        """
        if self.state != "closed" or self.announced is None or self.distinct is None:
            return None
        return max(self.announced - self.distinct - self.withheld - self.quarantined, 0)

    def as_dict(self) -> dict[str, Any]:
        """The window with the keys of ``docs/monitoring.md``."""
        plain = _with_days(asdict(self))
        return plain | {"unaccounted": self.unaccounted}


@dataclass(frozen=True, slots=True)
class Missing:
    """How many announced records are not held as active ones, by what is known of them.

    ``deleted``: those the server says are deleted, which it may announce all the same.
    ``unexplained``: the rest; open windows may hold it.
    """

    total: int
    quarantined: int
    withheld: int
    deleted: int
    unexplained: int


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How one source stands.

    ``last_success``: time stamp of the last run that closed every window; ``complete_as_of``: a
    day; ``announced``: what the server said at ``announced_at`` the whole list holds, none where
    it gave no number or several sets overlap; ``received``: active records held; ``records``:
    versions held by status; ``quarantined``: records that could not be taken, the oldest of them
    since ``quarantined_since``; ``come_back_at``: until when the server asked to be left alone,
    where that lies ahead; ``sets``: the sets whose lists make the source up, ``""`` the whole;
    ``lag_seconds``: from the end of ``complete_as_of`` (UTC) until now, never below 0;
    ``windows``: newest first, where they were asked for.
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
    profile: str | None = None
    records: Mapping[str, int] = field(default_factory=_no_records)
    announced_at: str | None = None
    quarantined_since: str | None = None
    come_back_at: str | None = None
    sets: tuple[str, ...] = ()
    lag_seconds: int | None = None
    seconds_since_success: int | None = None
    windows: tuple[WindowProof, ...] | None = None

    @property
    def missing(self) -> Missing | None:
        """What is announced and not held, explained; none where no number was announced."""
        if self.announced is None:
            return None
        total = max(self.announced - self.received, 0)
        quarantined = min(self.quarantined, total)
        withheld = min(len(self.withheld), total - quarantined)
        deleted = min(self.records["deleted"], total - quarantined - withheld)
        unexplained = total - quarantined - withheld - deleted
        return Missing(total, quarantined, withheld, deleted, unexplained)

    @property
    def surplus(self) -> int | None:
        """How many more are held than announced; none where no number was announced."""
        return None if self.announced is None else max(self.received - self.announced, 0)

    def as_dict(self) -> dict[str, Any]:
        """The source with the keys of ``docs/monitoring.md``; ``windows`` only where asked for."""
        plain = asdict(self)
        plain["open_windows"] = [window.as_dict() for window in self.open_windows]
        plain["missing"] = None if self.missing is None else asdict(self.missing)
        plain["surplus"] = self.surplus
        del plain["windows"]
        if self.windows is not None:
            plain["windows"] = [window.as_dict() for window in self.windows]
        return plain


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
    """What a mirror holds: records by status, sources, and the last runs (newest first).

    ``at``: the time stamp it is true for; ``size_bytes``: the mirror's file and its log;
    ``older_rules``: contents (a version may have had several) that older rules normalised;
    ``history_since``: the time from which the mirror can be read, where the history was pruned;
    ``pruning_open``: whether a run that pruned was cut.
    """

    path: str
    at: str
    size_bytes: int
    records: dict[str, int]
    sources: tuple[SourceStatus, ...]
    runs: tuple[Run, ...]
    older_rules: int = 0
    history_since: str | None = None
    pruning_open: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The status with the keys of ``docs/monitoring.md``."""
        return {
            "path": self.path,
            "at": self.at,
            "size_bytes": self.size_bytes,
            "records": self.records,
            "sources": [source.as_dict() for source in self.sources],
            "older_rules": self.older_rules,
            "history_since": self.history_since,
            "pruning_open": self.pruning_open,
            "runs": [asdict(run) for run in self.runs],
        }

    def json(self) -> str:
        """The status as one JSON object."""
        return json.dumps(self.as_dict(), ensure_ascii=False, indent=2)


ALL_WINDOWS = -1
"""As ``windows`` of `status`: every one."""


def status(
    path: Path,
    sources: Sequence[str] = (),
    runs: int = 5,
    *,
    windows: int | None = None,
    now: datetime | None = None,
) -> Status:
    """The status of the mirror at ``path``.

    ``sources``: the configured names, so that one never harvested shows too; ``windows``: how
    many of each source's windows to tell, newest first (none: not at all); ``now``: the time
    that ages are told from.  Raises `MirrorError`.
    """
    from halmirror.store.renewal import older_contents

    now = now or datetime.now(UTC)
    connection = open_for_reading(path)
    try:
        with translated(path):
            connection.execute("BEGIN")
            held = {
                row[1]: _Held(*row)
                for row in connection.execute(
                    "SELECT id, name, base_url, profile, come_back_at FROM source ORDER BY id"
                )
            }
            names = [*sources, *(name for name in held if name not in sources)]
            counts = _records(connection)
            reader = _Reader(connection, now, windows)
            return Status(
                str(path),
                time_stamp(now),
                _size(path),
                {one: sum(part[one] for part in counts.values()) for one in STATUSES},
                tuple(
                    reader.source(held[name], counts.get(held[name].id, _no_records()))
                    if name in held
                    else SourceStatus(name, "", None, None, None, 0, 0, ())
                    for name in names
                ),
                _runs(connection, runs),
                older_contents(connection),
                *_history(connection),
            )
    finally:
        connection.close()


def growth(path: Path) -> tuple[tuple[str, int], ...]:
    """The days (UTC) on which the number of active records changed, and how many there were then.

    Read from the states, by the time of their commits; states that were pruned do not count.
    Raises `MirrorError`.
    """
    connection = open_for_reading(path)
    try:
        with translated(path):
            rows = connection.execute(
                "SELECT substr(c.at, 1, 10) AS day, sum(m.moved) FROM ("
                "SELECT first_seq AS seq, count(*) AS moved FROM state WHERE status = 'active' "
                "GROUP BY first_seq UNION ALL SELECT end_seq, -count(*) FROM state "
                "WHERE status = 'active' AND end_seq IS NOT NULL GROUP BY end_seq) m "
                'JOIN "commit" c ON c.seq = m.seq GROUP BY day ORDER BY day'
            ).fetchall()
    finally:
        connection.close()
    held = accumulate(moved for _, moved in rows)
    return tuple((day, count) for (day, moved), count in zip(rows, held, strict=True) if moved)


def _history(connection: sqlite3.Connection) -> tuple[str | None, bool]:
    """The time of the first commit that can be read (none: all can), and whether more is to go."""
    row = connection.execute(
        'SELECT c.at, NOT p.finished FROM pruned p JOIN "commit" c ON c.seq = p.seq '
        "ORDER BY p.seq DESC LIMIT 1"
    ).fetchone()
    return (row[0], bool(row[1])) if row else (None, False)


def check(status_: Status, max_age: float) -> tuple[bool, str]:
    """Whether all is well for monitoring, and the one line that says so.

    ``max_age``: seconds since each source's last success that are still well.  What a person
    may look at some day (quarantine, a pause the server asked for) is told and leaves all well.
    """
    worries = []
    limit = datetime.fromisoformat(status_.at) - timedelta(seconds=max_age)
    for source in status_.sources:
        if source.last_success is None:
            worries.append(f"{source.name} was never harvested whole")
        elif datetime.fromisoformat(source.last_success) < limit:
            worries.append(f"{source.name} last succeeded {source.last_success}")
        if source.open_windows:
            worries.append(f"{source.name} has {len(source.open_windows)} open windows")
    if not status_.sources:
        worries.append("no source")
    asides = "".join(f"; {aside}" for source in status_.sources for aside in _asides(source))
    if worries:
        return False, "CRITICAL: " + "; ".join(worries) + asides
    active = status_.records["active"]
    days = ", ".join(f"{one.name} complete as of {one.complete_as_of}" for one in status_.sources)
    return True, f"OK: {active} active records; {days}{asides}"


def _asides(source: SourceStatus) -> list[str]:
    """What is worth a word beside a source's health."""
    found = []
    if source.quarantined:
        since = source.quarantined_since
        found.append(
            f"warning: {source.name} has {source.quarantined} quarantined, the oldest since {since}"
        )
    if source.come_back_at is not None:
        found.append(f"{source.name} asks to be left alone until {source.come_back_at}")
    return found


def _size(path: Path) -> int:
    """Bytes of the mirror's file and of SQLite's log beside it."""
    log = log_of(path)
    return path.stat().st_size + (log.stat().st_size if log.exists() else 0)


def _records(connection: sqlite3.Connection) -> dict[int, dict[str, int]]:
    """Versions held of each source (by its row's number), by status; the one scan of states."""
    found: dict[int, dict[str, int]] = {}
    for source, status_, count in connection.execute(
        "SELECT d.source, s.status, count(*) FROM state s "
        "CROSS JOIN document d ON d.id = s.document "
        "WHERE s.end_seq IS NULL GROUP BY d.source, s.status"
    ):
        found.setdefault(source, _no_records())[status_] = count
    return found


def _runs(connection: sqlite3.Connection, wanted: int) -> tuple[Run, ...]:
    rows = connection.execute(
        "SELECT id, command, started, finished, outcome FROM run ORDER BY id DESC LIMIT ?",
        (wanted,),
    )
    return tuple(Run(*row) for row in rows)


@dataclass(frozen=True, slots=True)
class _Held:
    """A source's row."""

    id: int
    name: str
    base_url: str
    profile: str
    come_back_at: str | None


@dataclass(frozen=True, slots=True)
class _Stream:
    """What a stream's row says of how far it came."""

    id: int
    set: str
    planned_until: str | None
    last_success: str | None
    announced: int | None
    announced_at: str | None


class _Reader:
    """Reads how the sources of one mirror stand, inside one transaction."""

    def __init__(self, connection: sqlite3.Connection, now: datetime, windows: int | None) -> None:
        self._connection = connection
        self._now = now
        self._windows = windows

    def source(self, held: _Held, records: dict[str, int]) -> SourceStatus:
        """How one source stands; ``records``: its versions by status."""
        rows = self._connection.execute(
            "SELECT id, set_spec, planned_until, last_success, announced, announced_at "
            "FROM stream WHERE source = ? ORDER BY id",
            (held.id,),
        )
        streams = [_Stream(*row) for row in rows]
        # Where the whole source is harvested, a set asked for besides says nothing of it.
        telling = [one for one in streams if not one.set] or streams
        opened = {one.id: self._open_windows(one) for one in streams}
        days = [
            complete_as_of(
                one.planned_until,
                [window.from_day for window in opened[one.id] if window.kind == "plan"],
            )
            for one in telling
        ]
        known = [day for day in days if day is not None]
        complete = min(known) if known and len(known) == len(days) else None
        successes = [one.last_success for one in telling if one.last_success is not None]
        success = min(successes) if successes and len(successes) == len(telling) else None
        quarantined, since = self._quarantined(held)
        return SourceStatus(
            held.name,
            held.base_url,
            success,
            complete,
            telling[0].announced if len(telling) == 1 else None,
            records["active"],
            quarantined,
            tuple(window for one in streams for window in opened[one.id]),
            self._withheld(held),
            profile=held.profile,
            records=records,
            announced_at=telling[0].announced_at if len(telling) == 1 else None,
            quarantined_since=since,
            come_back_at=self._ahead(held.come_back_at),
            sets=tuple(one.set for one in telling),
            lag_seconds=None if complete is None else self._since(day_end(complete)),
            seconds_since_success=(
                None if success is None else self._since(datetime.fromisoformat(success))
            ),
            windows=None if self._windows is None else self._proofs(held, self._windows),
        )

    def _since(self, moment: datetime) -> int:
        return max(int((self._now - moment).total_seconds()), 0)

    def _ahead(self, stamp: str | None) -> str | None:
        """The time stamp where it lies ahead, else none."""
        ahead = stamp is not None and datetime.fromisoformat(stamp) > self._now
        return stamp if ahead else None

    def _open_windows(self, stream: _Stream) -> list[OpenWindow]:
        rows = self._connection.execute(
            "SELECT from_day, until_day, reason, kind FROM harvest_window "
            "WHERE stream = ? AND state = 'open' AND kind <> 'reconcile' ORDER BY id",
            (stream.id,),
        )
        return [OpenWindow(stream.set, *row) for row in rows]

    def _quarantined(self, held: _Held) -> tuple[int, str | None]:
        """How many records could not be taken, and since when the oldest waits."""
        count, since = self._connection.execute(
            "SELECT count(*), min(q.first_at) FROM quarantine q JOIN stream t ON t.id = q.stream "
            "WHERE t.source = ? AND q.resolved_at IS NULL",
            (held.id,),
        ).fetchone()
        return count, since

    def _withheld(self, held: _Held) -> tuple[Withheld, ...]:
        """What the newest list that announced it did not give, and nothing has brought since.

        A later list of the same days that closed without naming it no longer announces it.
        """
        rows = self._connection.execute(
            "SELECT w.oai_identifier, w.reason, max(w.harvest_window) FROM withheld w "
            "JOIN harvest_window h ON h.id = w.harvest_window JOIN stream t ON t.id = h.stream "
            "WHERE t.source = ? AND NOT EXISTS (SELECT 1 FROM harvest_window n "
            "WHERE n.stream = h.stream AND n.id > h.id AND n.state = 'closed' "
            "AND (n.from_day IS NULL OR n.from_day <= h.from_day) "
            "AND (n.until_day IS NULL OR n.until_day >= h.until_day) "
            "AND NOT EXISTS (SELECT 1 FROM withheld m WHERE m.harvest_window = n.id "
            "AND m.oai_identifier = w.oai_identifier)) "
            "GROUP BY w.oai_identifier ORDER BY w.oai_identifier",
            (held.id,),
        ).fetchall()
        return tuple(Withheld(row[0], row[1]) for row in rows if not self._holds(held, row[0]))

    def _holds(self, held: _Held, oai_identifier: str) -> bool:
        """Whether the mirror has a record of that identifier, or a later version of it."""
        from halmirror.batch import local_key

        local_id, version = local_key(oai_identifier, held.profile)
        row = self._connection.execute(
            "SELECT 1 FROM document d JOIN state s ON s.document = d.id "
            "WHERE d.source = ? AND d.local_id = ? AND s.version >= ? LIMIT 1",
            (held.id, local_id, version),
        ).fetchone()
        return row is not None

    def _proofs(self, held: _Held, wanted: int) -> tuple[WindowProof, ...]:
        rows = self._connection.execute(
            "SELECT h.kind, t.set_spec, h.from_day, h.until_day, h.state, h.announced_first, "
            "h.announced_last, h.received, CASE WHEN h.state = 'closed' THEN h.distinct_records "
            "WHEN h.kind <> 'reconcile' THEN (SELECT count(*) FROM listed l "
            "WHERE l.harvest_window = h.id) END, "
            "(SELECT count(*) FROM withheld w WHERE w.harvest_window = h.id), h.quarantined, "
            "h.attempts, h.opened_at, h.closed_at, h.answer, h.reason "
            "FROM harvest_window h JOIN stream t ON t.id = h.stream "
            "WHERE t.source = ? ORDER BY h.id DESC LIMIT ?",
            (held.id, wanted),
        )
        return tuple(WindowProof(*row) for row in rows)


def day_end(day: str) -> datetime:
    """The instant (UTC) at which a day ends."""
    return datetime.fromisoformat(f"{shifted(day, 1)}T00:00:00Z")


def _with_days(plain: dict[str, Any]) -> dict[str, Any]:
    """The same with ``from`` and ``until`` for the names that Python could not take."""
    names = {"from_day": "from", "until_day": "until"}
    return {names.get(key, key): value for key, value in plain.items()}
