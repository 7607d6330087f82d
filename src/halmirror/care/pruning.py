"""Pruning the history of a mirror whose keeper does not want it: earlier states go for good."""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from halmirror.errors import HalmirrorError, UsageError
from halmirror.places import parse_time
from halmirror.store import pruning
from halmirror.store.database import open_for_reading, time_stamp, translated
from halmirror.store.reader import Reader
from halmirror.store.writer import Writer

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

_MOST_DAYS = 36_525
"""A century: whoever keeps more prunes nothing."""


@dataclass(slots=True)
class Report:
    """What was pruned, or would be.

    ``first`` is the first commit that can be read from now on, made at ``first_at`` (0 and none:
    there was nothing before the time asked for).  ``states``, ``contents`` and ``datestamps`` are
    what went, ``size`` the contents' bytes, compressed.  ``spare``: bytes of the file that later
    runs use before it grows.  ``shrunk``: bytes that the file gave back to the disk; none where
    that was not asked for.
    """

    dry_run: bool
    first: int = 0
    first_at: str | None = None
    states: int = 0
    contents: int = 0
    datestamps: int = 0
    size: int = 0
    spare: int = 0
    shrunk: int | None = None

    def as_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        return {"command": "history prune", **asdict(self)}


def prune(
    path: Path,
    *,
    before: str | None = None,
    keep_days: int | None = None,
    dry_run: bool = False,
    vacuum: bool = False,
    keep_free: int = 0,
    network: bool = False,
) -> Report:
    """Take what the mirror at ``path`` held before a time out of it; later answers stay the same.

    ``before``: a day (its beginning, UTC), an RFC 3339 time stamp or a run's number;
    ``keep_days``: so many days before now.  Without either, a run that was cut is finished.
    The mirror as it was at that time stays the first that can be read.  ``dry_run`` changes
    nothing.  ``vacuum`` writes the file anew, so that it gives back what is free in it: that
    takes up to twice its room.  ``keep_free`` and ``network`` are the settings of
    `config.MirrorSettings`.

    Raises `UsageError` and `MirrorError`; what was pruned until then stays so.
    """
    moment = _moment(before, keep_days)
    report = Report(dry_run)
    with contextlib.closing(open_for_reading(path)) as connection, translated(path):
        connection.execute("BEGIN")
        first, is_new = _first(connection, moment)
        report.first, report.first_at = first, Reader(connection).commit_time(first)
        if dry_run:
            if first:
                _tell(report, pruning.of(connection, first))
            return report
        if not vacuum and not is_new and not pruning.is_pending(connection):
            return report
    with Writer(path, "history prune", keep_free=keep_free, network=network) as writer:
        outcome = "done"
        try:
            with translated(path):
                _prune(writer, report, is_new=is_new, vacuum=vacuum)
        except HalmirrorError as error:
            outcome = f"failed: {error}"
            raise
        except BaseException:
            outcome = "interrupted"
            raise
        finally:
            writer.finish(outcome, report.as_dict())
    return report


def _moment(before: str | None, keep_days: int | None) -> str | int | None:
    """The time that is asked for.  Raises `UsageError`."""
    if before is not None and keep_days is not None:
        raise UsageError("--before and --keep-days both say how much to keep; give one of them")
    if before is not None:
        return parse_time(before, begins=True)
    if keep_days is None:
        return None
    if not 0 <= keep_days <= _MOST_DAYS:
        raise UsageError(f"--keep-days: {keep_days} is no number from 0 to {_MOST_DAYS}")
    return time_stamp(datetime.now(UTC) - timedelta(days=keep_days))


def _first(connection: sqlite3.Connection, moment: str | int | None) -> tuple[int, bool]:
    """The first commit to be readable, and whether that is another one than until now."""
    reader = Reader(connection)
    now = reader.whole_from()
    if moment is None:
        if not pruning.is_pending(connection):
            raise UsageError(
                "nothing says how much of the history to keep; give --before TIME or --keep-days N"
            )
        return now, False
    asked = reader.seq_at(moment, before=True)
    return max(asked, now), asked > now


def _prune(writer: Writer, report: Report, *, is_new: bool, vacuum: bool) -> None:
    connection = writer.connection
    if is_new:
        pruning.begin(writer, report.first)
    if pruning.is_pending(connection):
        _tell(report, pruning.prune(writer))
    if vacuum:
        before = _bytes(connection, "page_count")
        connection.execute("INSERT INTO search_text (search_text) VALUES ('optimize')")
        connection.execute("VACUUM")
        report.shrunk = max(before - _bytes(connection, "page_count"), 0)
    # A reader that holds former pages keeps the log long; the next run shortens it.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    report.spare = _bytes(connection, "freelist_count")


def _tell(report: Report, taken: pruning.Surplus) -> None:
    report.states, report.contents = taken.states, taken.contents
    report.datestamps, report.size = taken.datestamps, taken.size


def _bytes(connection: sqlite3.Connection, pages: str) -> int:
    (count,) = connection.execute(f"PRAGMA {pages}").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int(count) * int(size)
