"""The columns of a snapshot, read by a process of their own that may take little and may die.

A Parquet file from elsewhere can say of itself what it likes: pages that unpack to gigabytes, more
values than there are, sizes that are none.  The library that reads it is written in C++, and not
everything that is wrong comes back as an error.  So the reader is a child with a bound on memory
and processor time, which gives the records as lines; whatever becomes of it is one error here.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from halmirror.errors import OutputError, SnapshotError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_MIB: Final = 1024 * 1024
USUAL_GROUP: Final = 64 * _MIB
"""Bytes that a row group may unpack to: that of a snapshot holds 32 MB, and what came last."""

_USUAL_MEMORY: Final = 96 * _MIB
"""What reading may take beside the library itself; a snapshot's own shards take some 50 MB."""

_LEAST_SECONDS: Final = 60
_SECONDS_A_MIB: Final = 30
"""Processor time: twenty times what a snapshot's own shards take."""

_ROWS_AT_ONCE: Final = 500
_BLOCK: Final = 64 * 1024
_LONGEST_MESSAGE: Final = 500
_FAILED, _TOO_LARGE = 3, 4


class LargeGroupError(SnapshotError):
    """A row group says that it unpacks to more than may be read."""


def rows(path: Path, name: str, *, largest: int = 0) -> Iterator[bytes]:
    """The records of a Parquet file as canonical lines of JSON.

    ``name`` is what errors call the file; ``largest``: bytes of the longest record that is known
    to be in it, where that is more than usual.  Raises `LargeGroupError`, `SnapshotError`.
    """
    group = USUAL_GROUP + 2 * largest
    memory = _USUAL_MEMORY + 6 * largest
    seconds = _LEAST_SECONDS + _SECONDS_A_MIB * (path.stat().st_size // _MIB)
    # Nothing of the working folder is imported (-P): it may be the snapshot's.
    command = [sys.executable, "-P", "-m", __name__, str(path), *map(str, (group, memory, seconds))]
    # Another allocator reserves more than is allowed, or too much of it.
    environment = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system"}
    with subprocess.Popen(  # noqa: S603 - this very interpreter
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield from _lines(process)
        except BaseException:
            process.kill()  # nobody wants the rest
            raise
        told = process.stderr.read(_LONGEST_MESSAGE) if process.stderr else b""
        code = process.wait()
    if code:
        kind = LargeGroupError if code == _TOO_LARGE else SnapshotError
        raise kind(f"{name}: {_reason(code, told.decode(errors='replace'))}")


def _lines(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    if process.stdout is None:
        raise AssertionError("the child was started with a pipe")
    for line in process.stdout:
        yield line.removesuffix(b"\n")


def _reason(code: int, told: str) -> str:
    if code in (_FAILED, _TOO_LARGE):
        return " ".join(told.split())
    if code == -signal.SIGXCPU:
        return "cannot be read as Parquet: it takes longer than a file of that size may"
    return f"cannot be read as Parquet: its reader died of it ({_end(code)})"


def _end(code: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"exit code {code}"


def main(path: str, group: int, memory: int, seconds: int) -> int:
    """Write the records of the file at ``path`` to standard output; for `rows` alone."""
    from halmirror.export import parquet

    # One thread does it all: others take room for themselves.
    parquet.alone()
    _bound(memory, seconds)
    out, say = sys.stdout.buffer, _own_words()
    try:
        for line in parquet.read(path, _ROWS_AT_ONCE, group):
            out.write(line)
            out.write(b"\n")
        out.flush()
    except parquet.LargeGroupError as error:
        return say(str(error), _TOO_LARGE)
    except OutputError as error:
        return say(str(error), _FAILED)
    except MemoryError:
        return say("cannot be read as Parquet: it takes more memory than is allowed", _FAILED)
    except BrokenPipeError:  # whoever asked has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _own_words() -> Callable[[str, int], int]:
    """A function that tells why this ends; what libraries write to standard error goes nowhere."""
    kept = os.dup(sys.stderr.fileno())
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())

    def say(message: str, code: int) -> int:
        os.write(kept, message.encode(errors="replace")[:_LONGEST_MESSAGE])
        return code

    return say


def _bound(memory: int, seconds: int) -> None:
    """Let this process take no more than so many bytes beside those it has, and so long."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - no file
            held = next(int(line.split()[1]) for line in status if line.startswith("VmData:"))
    except (OSError, StopIteration):
        return  # a system that does not tell what a process has
    bound = held * 1024 + memory
    resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:])))
