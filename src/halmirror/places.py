"""Places in a mirror's past and in a list of hits, as people and programs write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from datetime import date as day_type

from halmirror.errors import QueryError, UsageError
from halmirror.store.database import time_stamp

_LARGEST = 2**62
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?$", re.IGNORECASE
)


_BEGINS, _ENDS = "00:00:00.000", "23:59:59.999"


def parse_time(time: str, *, begins: bool = False) -> str | int:
    """A time stamp, or a run's number.  Raises `UsageError` for what is neither.

    A day (UTC) stands for its last millisecond, where it ``begins`` for its first.
    """
    if time.isascii() and time.isdigit() and len(time) < 8:
        return int(time)
    return _moment(time, _BEGINS if begins else _ENDS)


def _moment(time: str, in_day: str) -> str:
    """The mirror's time stamp for a day, at a time in it, or for an RFC 3339 time stamp."""
    try:
        if _TIME.match(time):
            moment = datetime.fromisoformat(time.upper())
            stamp = time_stamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
            return stamp.zfill(24)  # some systems write the year 900 with three digits
        return f"{day_type.fromisoformat(time).isoformat()}T{in_day}Z"
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"'{time}' is no time; write a day (2026-11-20), a time stamp "
            "(2026-11-20T03:00:00Z) or a run's number"
        ) from error


def write_cursor(seq: int, offset: int) -> str:
    """The cursor of a place in a list of hits: the commit it is of, and how many came before."""
    import base64
    import json

    return base64.urlsafe_b64encode(json.dumps([seq, offset]).encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[int, int]:
    """The commit and offset of a cursor.  Raises `QueryError`."""
    import base64
    import json

    try:
        seq, offset = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        known = isinstance(seq, int) and isinstance(offset, int)
        if known and 0 <= seq < _LARGEST and 0 <= offset < _LARGEST:
            return seq, offset
    except (ValueError, TypeError, RecursionError):
        pass
    raise QueryError(
        f"cursor: '{cursor}' is none that a search gave; leave it out to start anew",
        f"cursor : « {cursor} » n'est pas un curseur donné par une recherche ; sans lui, elle "
        "recommence au début",
    )
