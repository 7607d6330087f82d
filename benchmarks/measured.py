"""Runs a command and measures it: wall and processor time, memory of every process, progress."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_EVERY = 0.25
"""Seconds between looks at the processes; a look takes some milliseconds of a core itself."""
_AT_FIRST = 0.01
"""The same in a run's first second, for commands that end in less."""
_SERIES_EVERY = 0.5


class Sample(NamedTuple):
    """A moment of a run: seconds, records so far, processor seconds, bytes of memory and file."""

    at: float
    records: int
    processor: float
    memory: int
    file: int


@dataclass
class Measured:
    """What a run took.  Times in seconds, memory in bytes.

    ``memory`` is the peak of the largest process, ``memory_together`` the largest sum of all;
    ``pages`` has for each page event of the log its wall time and the records so far.
    """

    code: int = 0
    wall: float = 0.0
    processor: float = 0.0
    memory: int = 0
    memory_together: int = 0
    processes: int = 0
    out: str = ""
    err: str = ""
    series: list[Sample] = field(default_factory=list)
    pages: list[tuple[float, int]] = field(default_factory=list)


class CommandError(Exception):
    """A measured command failed."""


def run(
    command: Sequence[str | Path],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    mirror: Path | None = None,
    allowed: Sequence[int] = (0,),
) -> Measured:
    """Run a command to its end and measure it.

    ``mirror``: the file whose size the series follows, with SQLite's files beside it.
    Raises `CommandError` where the exit code is none of ``allowed``.
    """
    done = Measured()
    begun = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=folder,
        env=None if environment is None else dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    readers = _readers(process, done, begun)
    _watch(process, done, begun, mirror)
    _, status, used = os.wait4(process.pid, 0)
    done.wall = time.perf_counter() - begun
    process.returncode = done.code = os.waitstatus_to_exitcode(status)
    done.processor = used.ru_utime + used.ru_stime
    for reader in readers:
        reader.join()
    process.communicate()
    if done.code not in allowed:
        told = done.err.strip().rpartition("\n")[2]
        raise CommandError(f"{' '.join(map(str, command))}: exit code {done.code}: {told}")
    return done


def _readers(
    process: subprocess.Popen[bytes], done: Measured, begun: float
) -> list[threading.Thread]:
    def follow(stream: IO[bytes]) -> None:
        for line in stream:
            text = line.decode(errors="replace")
            if '"event":"page"' in text:
                done.pages.append((time.perf_counter() - begun, _so_far(done, text)))
            else:
                done.err += text

    def take(stream: IO[bytes]) -> None:
        done.out = stream.read().decode(errors="replace")

    assert process.stdout is not None  # noqa: S101 -- both are pipes
    assert process.stderr is not None  # noqa: S101
    threads = [
        threading.Thread(target=follow, args=(process.stderr,)),
        threading.Thread(target=take, args=(process.stdout,)),
    ]
    for thread in threads:
        thread.start()
    return threads


def _so_far(done: Measured, text: str) -> int:
    event = json.loads(text)
    count = sum(event[key] for key in ("new", "changed", "unchanged", "quarantined"))
    return (done.pages[-1][1] if done.pages else 0) + int(count)


def _watch(
    process: subprocess.Popen[bytes], done: Measured, begun: float, mirror: Path | None
) -> None:
    root = psutil.Process(process.pid)
    peaks: dict[int, int] = {}
    series_at = 0.0
    while not _ended(process.pid):
        tree = _tree(root)
        together = 0
        processor = 0.0
        for each in tree:
            try:
                together += each.memory_info().rss
                peaks[each.pid] = max(peaks.get(each.pid, 0), _peak(each))
                times = each.cpu_times()
                processor += times.user + times.system
            except psutil.Error:
                continue  # it ended a moment ago
        done.memory_together = max(done.memory_together, together)
        now = time.perf_counter() - begun
        if now >= series_at:
            series_at = now + _SERIES_EVERY
            records = done.pages[-1][1] if done.pages else 0
            done.series.append(Sample(now, records, processor, together, size_of(mirror)))
        time.sleep(_EVERY if now > 1 else _AT_FIRST)
    done.memory = max(peaks.values(), default=0)
    done.processes = len(peaks)


def _ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _tree(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def _peak(process: psutil.Process) -> int:
    """The peak of a process so far; where the system does not tell, what it has now."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split(None, 1)[0]) * 1024
    except (OSError, IndexError, ValueError):
        return int(process.memory_info().rss)


def size_of(mirror: Path | None) -> int:
    """The bytes of a SQLite file and its log."""
    if mirror is None:
        return 0
    files = (mirror, mirror.with_name(mirror.name + "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())
