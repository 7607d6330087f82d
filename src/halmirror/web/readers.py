"""Mirrors for requests: a few threads, each with a read-only connection of its own.

Work waits in a line of bounded length, is given a bounded time, and sees the mirror as it is:
what a harvest commits at once, another file in its place (a restore) with the next request.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from halmirror.errors import NoMirrorError
from halmirror.mirror import Mirror
from halmirror.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_Answer = TypeVar("_Answer")

THREADS = 4
"""Requests of one process that read at the same time."""

MOST_WAITING = 100
"""Requests of one process that read or wait for it; further ones are asked to come back."""

SECONDS = 10.0
"""How long the database may work on one request."""


class Readers:
    """Runs work on the mirror at ``path``; ``sources`` are names in order of preference."""

    def __init__(self, path: Path, sources: Sequence[str]) -> None:
        self.path = path
        self.sources = tuple(sources)
        self._threads = ThreadPoolExecutor(THREADS, "reader")
        self._own = threading.local()
        self._taken = 0

    async def run(self, work: Callable[[Mirror], _Answer]) -> _Answer:
        """What ``work`` makes of the mirror.

        Raises `Problem` (503) where too many wait, what ``work`` raises, and `MirrorError`.
        """
        if self._taken >= MOST_WAITING:
            raise Problem(503, "too many requests are being answered; come back in a moment")
        self._taken += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._worked, work)
        finally:
            self._taken -= 1

    def close(self) -> None:
        """Let what runs end, and take nothing new."""
        self._threads.shutdown(cancel_futures=True)

    def _worked(self, work: Callable[[Mirror], _Answer]) -> _Answer:
        mirror = self._mirror()
        with mirror.within(SECONDS):
            return work(mirror)

    def _mirror(self) -> Mirror:
        """This thread's mirror, opened anew where the file is another than before."""
        held: tuple[Mirror, tuple[int, int]] | None = getattr(self._own, "held", None)
        try:
            found = self.path.stat()
        except OSError as error:
            raise NoMirrorError(f"there is no mirror at {self.path}") from error
        which = (found.st_dev, found.st_ino)
        if held is not None:
            if held[1] == which:
                return held[0]
            held[0].close()
            self._own.held = None
        mirror = Mirror(self.path, self.sources)
        self._own.held = (mirror, which)
        return mirror
