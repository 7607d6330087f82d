"""What takes long to count and is asked often: kept until the mirror has changed.

While a harvest changes it all the time, a count may be as old as twenty times what it took, so
that counting never takes more than a twentieth of the time.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeVar, cast

from halmirror.store.database import log_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_Counted = TypeVar("_Counted")

_TIMES = 20.0
_State = tuple[tuple[int, int, int], ...]


class Kept:
    """Keeps what was counted in the mirror at ``path``; for all threads of a process."""

    def __init__(self, path: Path) -> None:
        self._files = (path, log_of(path))
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._held: dict[str, tuple[_State, float, object]] = {}

    def get(self, name: str, count: Callable[[], _Counted]) -> _Counted:
        """What ``count`` gives, or gave while the mirror was as it is now."""
        with self._lock:
            own = self._locks.setdefault(name, threading.Lock())
        with own:
            now = self._state()
            held = self._held.get(name)
            if held is not None and (held[0] == now or time.monotonic() < held[1]):
                return cast("_Counted", held[2])
            begun = time.monotonic()
            value = count()
            ended = time.monotonic()
            self._held[name] = (now, ended + _TIMES * (ended - begun), value)
            return value

    def _state(self) -> _State:
        """What changes with every commit: the file and its log."""
        found = []
        for file in self._files:
            try:
                told = file.stat()
            except OSError:  # there is no log, or no mirror: opening it says so
                continue
            found.append((told.st_ino, told.st_size, told.st_mtime_ns))
        return tuple(found)
