"""Room on the disk: a page is not begun where it might not fit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from halmirror.errors import MirrorWriteError
from halmirror.store.database import log_of

if TYPE_CHECKING:
    from pathlib import Path

_WAL_TIMES = 2
"""A checkpoint copies the log into the file while the log still stands: twice its size."""


class Room:
    """Watches the disk of the mirror at ``path``.

    ``keep_free``: bytes to leave to others; 0 watches nothing.
    """

    def __init__(self, path: Path, keep_free: int) -> None:
        self._path = path
        self._log = log_of(path)
        self._keep_free = keep_free

    def check(self) -> None:
        """Raises `MirrorWriteError` where less room is left than is to be kept free."""
        if not self._keep_free:
            return
        try:
            log = self._log.stat().st_size
        except FileNotFoundError:
            log = 0
        needed = max(self._keep_free, _WAL_TIMES * log)
        disk = os.statvfs(self._path.parent)
        free = disk.f_bavail * disk.f_frsize
        if free < needed:
            raise MirrorWriteError(
                f"{self._path} is not written to any more: its disk has {free / 1e6:.0f} MB left, "
                f"and {needed / 1e6:.0f} MB are kept free; make room or lower [mirror] keep_free, "
                "then run again; what was committed is safe"
            )
