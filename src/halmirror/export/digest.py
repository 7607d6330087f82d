"""A digest that says whether two exports hold the same records, whatever format they are in.

It is the SHA-256 of the canonical JSON Lines in ascending (source, id, version): of the bytes
that ``export --format jsonl`` writes, so ``sha256sum`` of such a file gives the same.
"""

from __future__ import annotations

import hashlib
import heapq
import os
import tempfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

import msgspec

from halmirror.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_SORTED_AT_ONCE: Final = 64 * 1024 * 1024
"""Bytes of lines that are put in order in memory."""

_READ_AT_ONCE: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Digest:
    """How many records there are, and the SHA-256 (hexadecimal) of their lines."""

    records: int
    sha256: str


class _Key(msgspec.Struct):
    """What orders records; an identifier without a version sorts below any numbered one."""

    source: str
    id: str
    version: int = 0


_decoder = msgspec.json.Decoder(_Key)


def digest(lines: Iterable[bytes]) -> Digest:
    """The digest of records given as lines of JSON, without line breaks, in ascending order.

    Raises `OutputError` for a line that is no record, that stands twice or out of order.
    """
    summed = hashlib.sha256()
    count = 0
    before: tuple[str, str, int] | None = None
    for line in lines:
        key = key_of(line)
        if before is not None and key <= before:
            raise OutputError(
                f"{key[1]} of {key[0]} follows {before[1]} of {before[0]}: the records are not "
                "in ascending order, or one stands twice; sort them first"
            )
        before = key
        summed.update(line)
        summed.update(b"\n")
        count += 1
    return Digest(count, summed.hexdigest())


def in_order(lines: Iterable[bytes], folder: Path | None = None) -> Iterator[bytes]:
    """The lines in ascending (source, id, version), for `digest`.

    Memory stays bounded: what is too much is kept in a nameless file in ``folder``, the system's
    place for temporary files unless told.  Raises `OutputError` for a line that is no record.
    """
    with tempfile.TemporaryFile(dir=folder) as kept:
        runs: list[tuple[int, int]] = []
        held: list[tuple[tuple[str, str, int], bytes]] = []
        size = 0
        for line in lines:
            held.append((key_of(line), line))
            size += len(line)
            if size >= _SORTED_AT_ONCE:
                runs.append(_keep(held, kept))
                held, size = [], 0
        held.sort()
        kept.flush()
        parts = [_run(kept.fileno(), *run) for run in runs]
        yield from heapq.merge(*parts, (line for _, line in held), key=key_of)


def key_of(line: bytes) -> tuple[str, str, int]:
    """Source, id and version (0: none) of a record's line.  Raises `OutputError` for no record."""
    try:
        key = _decoder.decode(line)
    except msgspec.DecodeError as error:
        raise OutputError(f"a line is no record ({error}); write the export again") from error
    return key.source, key.id, key.version


def _keep(held: list[tuple[tuple[str, str, int], bytes]], kept: IO[bytes]) -> tuple[int, int]:
    """Write lines in order to the end of a file; gives where they begin and end there."""
    held.sort()
    begin = kept.tell()
    for _, line in held:
        kept.write(line + b"\n")
    return begin, kept.tell()


def _run(number: int, begin: int, end: int) -> Iterator[bytes]:
    """The lines that stand in a part of a file, which others read too."""
    rest = b""
    while begin < end:
        block = os.pread(number, min(_READ_AT_ONCE, end - begin), begin)
        begin += len(block)
        *whole, rest = (rest + block).split(b"\n")
        yield from whole
