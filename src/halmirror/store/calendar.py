"""When the mirror's commits were made, to the second, and which states each of them brought.

Times never go back from one commit to the next, whatever the machine's clock did: one that says
less than the one before it counts as made in that one's second.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3


class Span(NamedTuple):
    """States by their row numbers: those above ``after``, up to ``upto``."""

    after: int
    upto: int


class Calendar:
    """The commits that a connection sees; `refresh` takes in those that came since."""

    def __init__(self) -> None:
        self._seqs = array("q")
        self._seconds = array("q")
        self._last_states = array("q")

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Take in the commits since the last one known."""
        rows = connection.execute(
            "SELECT seq, coalesce(CAST(strftime('%s', at) AS INTEGER), 0), last_state "
            'FROM "commit" WHERE seq > ? ORDER BY seq',
            (self.latest,),
        )
        second = self._seconds[-1] if self._seconds else 0
        last = self._last_states[-1] if self._last_states else 0
        for seq, at, last_state in rows:
            second, last = max(second, at), max(last, last_state)
            self._seqs.append(seq)
            self._seconds.append(second)
            self._last_states.append(last)

    @property
    def latest(self) -> int:
        """The newest commit's sequence number; 0 where there is none."""
        return self._seqs[-1] if self._seqs else 0

    def second(self, seq: int) -> int:
        """When a commit was made: seconds since 1970, UTC."""
        return self._seconds[bisect_left(self._seqs, seq)]

    def span(self, at: int, begin: int | None, end: int | None) -> Span:
        """The states that began in commits up to ``at``, made in the seconds from and until."""
        first = 0 if begin is None else bisect_left(self._seconds, begin)
        beyond = bisect_right(self._seqs, at)
        if end is not None:
            beyond = min(beyond, bisect_right(self._seconds, end))
        return Span(self._reached(first), self._reached(beyond))

    def before(self, seq: int) -> int:
        """The last state of the commits before one."""
        return self._reached(bisect_left(self._seqs, seq))

    def _reached(self, count: int) -> int:
        """The last state of the first commits, as many as told."""
        return self._last_states[count - 1] if count else 0


@lru_cache(maxsize=4096)
def utc(second: int) -> str:
    """Seconds since 1970 as a UTC time stamp to the second, ending in ``Z``."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
