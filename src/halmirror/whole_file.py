"""Writing a small file whole: its readers see the old one or the new one, never a half."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from halmirror.errors import OutputError

_NAME_KEPT = 200
"""Bytes of a file's name that the file beside it keeps; file systems allow 255."""


def write(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` so that a reader sees the old file or the new one, whole.

    It is written beside its place under a name that no collector reads, and then takes it; a link
    stays and what it points to is replaced.  Anyone may read the file, whoever wrote it (the
    node exporter runs as another user).  Raises `OutputError`.
    """
    try:
        place = Path(os.path.realpath(path))
        # What is still a link leads in a circle.
        if place.is_symlink() or (place.exists() and not place.is_file()):
            raise OutputError(f"{path} is no regular file; name another")
        _replace(place, text.encode("utf-8", "backslashreplace"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"{path} cannot be written ({reason}); choose another place or make its folder"
        ) from error


def _replace(place: Path, data: bytes) -> None:
    start = os.fsencode(place.name)[:_NAME_KEPT].decode("utf-8", "ignore")
    number, name = tempfile.mkstemp(".part", f".{start}.", place.parent)
    beside = Path(name)
    try:
        with open(number, "wb") as out:  # noqa: PTH123 - a descriptor has no path
            out.write(data)
            out.flush()
            os.fchmod(number, 0o644)
            os.fsync(number)
        beside.replace(place)
    except BaseException:
        with contextlib.suppress(OSError):  # the error itself says more
            beside.unlink(missing_ok=True)
        raise
