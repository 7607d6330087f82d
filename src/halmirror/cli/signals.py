"""SIGINT and SIGTERM while a run writes to the mirror: first end well, then end at once."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING

from halmirror.stopping import GRACE_SECONDS, Stop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

INTERRUPTED = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LAST_SECONDS = 1.0
"""So much longer than the page in flight has a commit to end."""


@contextlib.contextmanager
def heeded() -> Iterator[Stop]:
    """A `Stop` that the first signal requests; a second one ends the process at once.

    A request that takes longer than the grace is broken off by `KeyboardInterrupt`.
    """
    stop = Stop()

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        if stop.requested:
            # Safe at any instant: what is committed stays, the rest never was.
            os._exit(INTERRUPTED)
        stop.request()
        signal.setitimer(signal.ITIMER_REAL, GRACE_SECONDS + _LAST_SECONDS)
        _say("ending after the page in flight; again to end at once")

    def give_up(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in _SIGNALS}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, give_up)
    try:
        yield stop
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(message: str) -> None:
    if sys.stderr is not None:
        with contextlib.suppress(OSError):  # nobody reads; the run ends all the same
            os.write(sys.stderr.fileno(), f"halmirror: {message}\n".encode())
