"""When a server may be asked again: by what it said, and by what it can bear."""

from __future__ import annotations

import threading
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

RETRIED_STATUSES = frozenset({429, *range(500, 600)})
"""Answers that may be better the next time (RFC 9110, RFC 6585); proxies have 5xx of their own."""

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
_LONGEST_WAIT = 10.0 * 365 * 86_400
"""No number that a server may send is taken for more than ten years."""

_GOOD_ANSWERS = 50
"""So many answers in a row without a 429, and requests may come twice as close again."""


class Pace:
    """When a repository may be asked next; shared by all connections to it.

    ``delay`` is the pause between an answer and the next request, in seconds.  ``clock`` gives
    seconds that only grow.  A 429 doubles the pause (from one second up to thirty); good answers
    bring it back, never below ``delay``.
    """

    def __init__(self, delay: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._delay = delay
        self._clock = clock
        self._lock = threading.Lock()
        self._pause = delay
        self._next = 0.0
        self._held_until = 0.0
        self._good = 0

    def turn(self) -> float:
        """Seconds until the caller may ask; the turn is then its own."""
        with self._lock:
            now = self._clock()
            start = max(now, self._next)
            if self._pause:
                self._next = start + self._pause
            return start - now

    def answered(self, *, too_often: bool = False) -> None:
        """Hear of an answer's end; ``too_often``: the server said 429."""
        with self._lock:
            if too_often:
                self._pause = min(max(self._pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
                self._pause = max(self._pause, self._delay)
                self._good = 0
            elif self._pause > self._delay:
                self._good += 1
                if self._good >= _GOOD_ANSWERS:
                    halved = self._pause / 2
                    self._pause = self._delay if halved < _FIRST_PAUSE else halved
                    self._pause = max(self._pause, self._delay)
                    self._good = 0
            if self._pause:
                self._next = max(self._next, self._clock() + self._pause)

    def hold(self, seconds: float) -> None:
        """Let nobody ask before so many seconds have passed (Retry-After)."""
        with self._lock:
            self._held_until = max(self._held_until, self._clock() + seconds)
            self._next = max(self._next, self._held_until)

    def held(self) -> float:
        """Seconds that the server still wants nobody to ask."""
        with self._lock:
            return max(self._held_until - self._clock(), 0.0)


def pause(attempt: int, chance: float) -> float:
    """Seconds to wait after the failed ``attempt`` (from 1), growing from one to thirty.

    ``chance`` (0 to 1) takes up to half off, so that harvesters do not come back all at once.
    """
    grown = min(_FIRST_PAUSE * 2.0 ** (attempt - 1), _LONGEST_PAUSE)
    return grown * (1.0 - chance / 2)


def retry_after(value: str | None, now: float) -> float | None:
    """The seconds a ``Retry-After`` header asks for (RFC 9110, section 10.2.3), or none.

    Its value is a number of seconds or an HTTP date; ``now`` is the time as a Unix time stamp.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _LONGEST_WAIT)
    if not text:
        return None
    try:
        return min(max(parsedate_to_datetime(text).timestamp() - now, 0.0), _LONGEST_WAIT)
    except (ValueError, TypeError, OverflowError):
        return None
