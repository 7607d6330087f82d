"""The wish to end a run: uttered by a signal or a caller, heard between two requests."""

from __future__ import annotations

import threading

from halmirror.errors import StoppedError

GRACE_SECONDS = 10.0
"""How long a page in flight may still take once a run is asked to end."""


class Stop:
    """A run's wish to end.  ``request`` may be called from a signal handler or any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def request(self) -> None:
        """Ask the run to end."""
        self._event.set()

    @property
    def requested(self) -> bool:
        """Whether the run has been asked to end."""
        return self._event.is_set()

    def check(self) -> None:
        """Raises `StoppedError` where the run is to end."""
        if self._event.is_set():
            raise StoppedError("interrupted; the next run goes on from here")

    def sleep(self, seconds: float) -> None:
        """Wait; raises `StoppedError` at once where the run is to end."""
        self._event.wait(seconds)
        self.check()
