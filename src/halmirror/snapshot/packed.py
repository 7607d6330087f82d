"""Compressed data files: written with their checksums, read back line by line within bounds.

A file is written under a hidden name and takes its own when it is whole and on the disk.  Reading
trusts nothing: a line, a file and a rate of compression have limits, so that a small hostile file
can fill neither memory nor time.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import zlib
from typing import IO, TYPE_CHECKING, Final, Protocol, Self, cast

import zstandard

from halmirror.errors import SnapshotError
from halmirror.snapshot.layout import File, is_folder, is_plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_LINE: Final = 72 * 1024 * 1024
"""Bytes of a line: one content of the mirror, at most 64 MiB, and its names."""

_GZIP_LEVEL: Final = 5
_ZSTD_LEVEL: Final = 5
_READ_AT_ONCE: Final = 256 * 1024
_MOST_TIMES: Final = 1000
"""How many times larger than its file what is unpacked may be; metadata reach some thirty."""

_GRACE: Final = 16 * 1024 * 1024
"""Bytes that any file may unpack to, however small."""

_LARGEST_WINDOW: Final = 8 * 1024 * 1024
"""Bytes that a zstd frame may ask a reader to keep (RFC 8878, section 3.1.1.1.2)."""


class _Into(Protocol):
    def write(self, data: bytes, /) -> int: ...


class Packed:
    """A data file being written; a context manager that gives it its place at the end.

    ``path`` is inside ``folder``; its ending says how it is compressed.  Raises `OSError`.
    """

    def __init__(self, folder: Path, path: str) -> None:
        self.path = path
        self.lines = 0
        self._place = folder / path
        self._beside = self._place.with_name(f".{self._place.name}.part")
        self._plain = 0
        self.file: File | None = None

    def __enter__(self) -> Self:
        self._place.parent.mkdir(parents=True, exist_ok=True)
        self._raw = self._beside.open("wb", 1 << 20)
        self._summed = _Summed(self._raw)
        self._into: _Into = self._summed
        if self.path.endswith(".gz"):
            # No name and no time inside: the same lines give the same bytes.
            self._into = gzip.GzipFile("", "wb", _GZIP_LEVEL, cast("IO[bytes]", self._summed), 0)
        elif self.path.endswith(".zst"):
            packer = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True)
            self._into = packer.stream_writer(cast("IO[bytes]", self._summed), closefd=False)
        return self

    def write(self, data: bytes, lines: int = 0) -> int:
        """Write bytes, which are so many lines or records."""
        self._plain += len(data)
        self.lines += lines
        self._into.write(data)
        return len(data)

    def line(self, data: bytes) -> None:
        """Write one line."""
        self.write(data + b"\n", 1)

    def flush(self) -> None:
        """For writers that flush what they write to; the end does it."""

    def __exit__(self, kind: object, *_: object) -> None:
        with contextlib.ExitStack() as last:
            if kind is not None:
                last.callback(self._beside.unlink, missing_ok=True)
            last.enter_context(self._raw)
            if self._into is not self._summed:
                cast("IO[bytes]", self._into).close()
            self._raw.flush()
            os.fsync(self._raw.fileno())
        if kind is not None:
            return
        self._beside.replace(self._place)
        self.file = File(
            self.path,
            self.lines,
            self._plain,
            self._summed.size,
            self._summed.sha256.hexdigest(),
            self._summed.sha512.hexdigest(),
        )


class _Summed:
    """Passes bytes on and sums them."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self.size = 0
        self.sha256 = hashlib.sha256()
        self.sha512 = hashlib.sha512()

    def write(self, data: bytes) -> int:
        self._out.write(data)
        self.size += len(data)
        self.sha256.update(data)
        self.sha512.update(data)
        return len(data)

    def flush(self) -> None:
        """For the compressors; the end does it."""


def sums(path: Path) -> tuple[str, str]:
    """The SHA-256 and SHA-512 of a file.  Raises `OSError`."""
    short, long = hashlib.sha256(), hashlib.sha512()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            short.update(block)
            long.update(block)
    return short.hexdigest(), long.hexdigest()


def blocks(path: Path) -> Iterator[bytes]:
    """What a data file holds, unpacked, in blocks.  Raises `SnapshotError`, naming the file."""
    if not (is_plain(path) and is_folder(path.parent) and is_folder(path.parent.parent)):
        raise SnapshotError(f"{path}: missing, or no plain file in a plain folder")
    try:
        allowed = _GRACE + _MOST_TIMES * path.stat().st_size
        with path.open("rb") as raw, _unpacked(raw, path.suffix) as file:
            while block := file.read(_READ_AT_ONCE):
                allowed -= len(block)
                if allowed < 0:
                    raise SnapshotError(
                        f"{path} unpacks to more than {_MOST_TIMES} times its size; that is no "
                        "metadata, it is not read on"
                    )
                yield block
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SnapshotError(f"{path} cannot be unpacked ({reason})") from error


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a data file, without their ends.  Raises `SnapshotError`, naming the file."""
    rest: list[bytes] = []
    held = 0
    for block in blocks(path):
        first, *others = block.split(b"\n")
        rest.append(first)
        held += len(first)
        if held > LONGEST_LINE:
            raise SnapshotError(f"{path} has a line of more than {LONGEST_LINE} bytes")
        if others:
            yield b"".join(rest)
            yield from others[:-1]
            rest, held = [others[-1]], len(others[-1])
    if held:
        raise SnapshotError(f"{path} ends in the middle of a line")


@contextlib.contextmanager
def _unpacked(raw: IO[bytes], suffix: str) -> Iterator[IO[bytes]]:
    if suffix == ".gz":
        with gzip.GzipFile(fileobj=raw, mode="rb") as file:
            yield cast("IO[bytes]", file)
    elif suffix == ".zst":
        opener = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
        with opener.stream_reader(raw, closefd=False, read_across_frames=True) as stream:
            yield cast("IO[bytes]", stream)
    else:
        yield raw
