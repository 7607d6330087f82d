"""Where an export goes: standard output, or a file that appears only when it is whole."""

from __future__ import annotations

import contextlib
import gzip
import os
import sys
from typing import IO, TYPE_CHECKING, cast

import zstandard

from halmirror.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME_KEPT = 200
"""Bytes of a file's name that the file beside it keeps; file systems allow 255."""

_WRITTEN_AT_ONCE = 1 << 20


@contextlib.contextmanager
def opened(path: Path | None) -> Iterator[IO[bytes]]:
    """A place to write bytes to; none is standard output.

    A file is written beside its place and renamed when whole; ``.gz`` and ``.zst`` compress, in
    capitals too.
    Raises `OutputError`.
    """
    if path is None:
        if sys.stdout is None:
            raise OutputError("standard output is closed; name a file with --output")
        out = sys.stdout.buffer
        yield out
        out.flush()
        return
    start = os.fsencode(path.name)[:_NAME_KEPT].decode("utf-8", "ignore")
    if path.exists() and not path.is_file():
        with _direct(path) as out:
            yield out
        return
    path = path.resolve()
    beside = path.with_name(f".{start}.{os.getpid()}.part")
    try:
        with beside.open("wb", _WRITTEN_AT_ONCE) as raw:
            with _packed(raw, path.suffix) as out:
                yield out
            raw.flush()
            os.fsync(raw.fileno())
        beside.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror or error}); "
            "choose another place or free some room"
        ) from error
    finally:
        with contextlib.suppress(OSError):  # what could not be made need not be removed
            beside.unlink(missing_ok=True)


@contextlib.contextmanager
def _direct(path: Path) -> Iterator[IO[bytes]]:
    """A pipe or device is written to as it is: renaming a file over it would destroy it."""
    try:
        with path.open("wb") as raw, _packed(raw, path.suffix) as out:
            yield out
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror or error}); choose another place"
        ) from error


@contextlib.contextmanager
def _packed(raw: IO[bytes], suffix: str) -> Iterator[IO[bytes]]:
    """What compresses into a file, as the ending of its name says."""
    match suffix.lower():
        case ".gz":
            # No name and no time inside: the same records give the same bytes.
            with gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
                yield cast("IO[bytes]", packed)
        case ".zst":
            with zstandard.ZstdCompressor(level=6).stream_writer(raw, closefd=False) as packed:
                yield cast("IO[bytes]", packed)
        case _:
            yield raw
