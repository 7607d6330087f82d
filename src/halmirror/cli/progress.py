"""How a harvest is watched: a live line on a terminal, plain or JSON log lines elsewhere.

A log that cannot be written (its reader went away, the disk is full) never ends a harvest: lines
are then lost, records are not.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from halmirror.printable import printable, printable_json
from halmirror.store.database import time_stamp
from halmirror.store.model import Counts
from halmirror.windows import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, TaskID

    from halmirror.harvesting.watching import Observer
    from halmirror.store.model import Stream, Window

LogFormat = Literal["text", "json"]

_LOG_SECONDS = 30.0
_LINE_BYTES = 4096
"""Linux's PIPE_BUF: a pipe takes so many bytes whole, whoever else writes to it."""

_SHORTENED = ("message", "reason")
"""The fields that are cut where a line would be longer than that."""


@contextlib.contextmanager
def observer(*, quiet: bool, verbose: bool, log_format: LogFormat = "text") -> Iterator[Observer]:
    """The observer that fits where standard error goes."""
    if log_format == "json":
        yield JsonObserver(quiet=quiet, verbose=verbose)
        return
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield LogObserver(quiet=quiet, verbose=verbose)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.fields[announced]} records"),
        TextColumn("{task.fields[rate]}/s"),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    with contextlib.suppress(OSError):
        progress.start()
    try:
        yield TerminalObserver(progress, verbose=verbose)
    finally:
        with contextlib.suppress(OSError):  # the terminal is gone
            progress.stop()


class LogObserver:
    """Plain lines with a UTC time, one now and then."""

    def __init__(self, *, quiet: bool, verbose: bool) -> None:
        self._quiet = quiet
        self._verbose = verbose
        self._paces = _Paces()
        self._last = time.monotonic()

    def window(self, stream: Stream, window: Window, left: int) -> None:
        """Tell which window begins."""
        self._paces.begin(window)
        self._line("info", f"{_name(stream, window)}: listing; {left} windows wait")

    def page(self, stream: Stream, window: Window, counts: Counts) -> None:
        """Tell the rate now and then; every page when verbose."""
        self._paces.page(window, counts)
        now = time.monotonic()
        if self._verbose or now - self._last >= _LOG_SECONDS:
            self._last = now
            total = f" of {window.announced_last}" if window.announced_last else ""
            self._line(
                "info",
                f"{_name(stream, window)}: {window.received}{total} records, "
                f"{self._paces.rate(window):.0f} a second{self._paces.remaining(window)}",
            )

    def cut(self, stream: Stream, window: Window, pieces: int) -> None:
        """Tell that a window was cut."""
        self._paces.end(window)
        self._line("info", f"{_name(stream, window)}: cut into {pieces} windows")

    def ended(self, stream: Stream, window: Window, reason: str | None) -> None:
        """Tell the figures of a window that was closed, or left open."""
        last, counts = self._paces.end(window)
        total = f" of {last.announced_last}" if last.announced_last else ""
        self._line(
            "info",
            f"{_name(stream, window)}: {'closed' if reason is None else 'left open'} with "
            f"{last.received}{total} records: {counts.new} new, {counts.changed} changed, "
            f"{counts.unchanged} unchanged, {counts.gone} gone, {counts.quarantined} quarantined",
        )

    def note(self, message: str) -> None:
        """Tell something worth a line."""
        self._line("info", message)

    def warning(self, message: str) -> None:
        """Tell something a person should see."""
        self._line("warning", message)

    def _line(self, level: str, message: str) -> None:
        if self._quiet and level == "info":
            return
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        _write(f"{stamp} {level}: {printable(message)}\n".encode(errors="backslashreplace"))


class TerminalObserver(LogObserver):
    """A live line: records, rate, remaining time and the current window."""

    def __init__(self, progress: Progress, *, verbose: bool) -> None:
        super().__init__(quiet=False, verbose=verbose)
        self._progress = progress
        self._tasks: dict[int, TaskID] = {}
        self._asking = progress.add_task("asking …", total=None, announced="?", rate="0")

    def window(self, stream: Stream, window: Window, left: int) -> None:
        """Show the window that begins, each on a line of its own."""
        self._paces.begin(window)
        self._progress.update(self._asking, visible=False)
        waiting = f", {left} windows wait" if left else ""
        self._tasks[window.id] = self._progress.add_task(
            _name(stream, window) + waiting,
            completed=window.received,
            total=window.announced_last,
            announced=window.announced_last or "?",
            rate="0",
        )

    def page(self, stream: Stream, window: Window, counts: Counts) -> None:
        """Move the bar on."""
        del stream
        self._paces.page(window, counts)
        if window.id in self._tasks:
            self._progress.update(
                self._tasks[window.id],
                completed=window.received,
                total=window.announced_last,
                announced=window.announced_last or "?",
                rate=f"{self._paces.rate(window):.0f}",
            )

    def cut(self, stream: Stream, window: Window, pieces: int) -> None:
        """Take the window's line away."""
        super().cut(stream, window, pieces)
        self._remove(window)

    def ended(self, stream: Stream, window: Window, reason: str | None) -> None:
        """Take the window's line away, and tell its figures."""
        super().ended(stream, window, reason)
        self._remove(window)

    def _remove(self, window: Window) -> None:
        if (task := self._tasks.pop(window.id, None)) is not None:
            self._progress.remove_task(task)
        if not self._tasks:
            self._progress.update(self._asking, visible=True)

    def _line(self, level: str, message: str) -> None:
        with contextlib.suppress(OSError):  # as `_write` does
            self._progress.console.print(
                f"{level}: {printable(message)}", markup=False, highlight=False
            )


class JsonObserver:
    """One JSON object a line, for log collectors; ``docs/monitoring.md`` names the keys.

    ``descriptor``: where to write; none is standard error.  Each line is one write.
    """

    def __init__(self, *, quiet: bool, verbose: bool, descriptor: int | None = None) -> None:
        self._levels = {"warning"} if quiet else {"info", "warning"}
        if verbose:
            self._levels.add("debug")
        self._descriptor = descriptor
        self._paces = _Paces()

    def window(self, stream: Stream, window: Window, left: int) -> None:
        """Tell which window begins."""
        self._paces.begin(window)
        self._tell("info", "window", _place(stream, window, window) | {"windows_waiting": left})

    def page(self, stream: Stream, window: Window, counts: Counts) -> None:
        """Tell what became of a page's records, when verbose."""
        self._paces.page(window, counts)
        self._tell("debug", "page", _place(stream, window, window) | _counted(counts))

    def cut(self, stream: Stream, window: Window, pieces: int) -> None:
        """Tell that a window was cut."""
        last, _ = self._paces.end(window)
        self._tell("info", "cut", _place(stream, window, last) | {"pieces": pieces})

    def ended(self, stream: Stream, window: Window, reason: str | None) -> None:
        """Tell the figures of a window that was closed, or left open with the reason."""
        last, counts = self._paces.end(window)
        fields = _place(stream, window, last) | _counted(counts)
        if reason is None:
            self._tell("info", "closed", fields)
        else:
            self._tell("info", "left_open", fields | {"reason": reason})

    def note(self, message: str) -> None:
        """Tell something worth a line."""
        self._tell("info", "note", {"message": message})

    def warning(self, message: str) -> None:
        """Tell something a person should see."""
        self._tell("warning", "warning", {"message": message})

    def _tell(self, level: str, event: str, fields: dict[str, str | int | None]) -> None:
        if level in self._levels:
            values = {key: _whole(value) for key, value in fields.items()}
            entry = {"at": time_stamp(), "level": level, "event": event, **values}
            _write(_encoded(entry), self._descriptor)


@dataclass(slots=True)
class _Pace:
    """How a window goes in this run: as its last page left it, and what became of its records."""

    window: Window
    at_start: int
    began: float = field(default_factory=time.monotonic)
    counts: Counts = field(default_factory=Counts)


class _Paces:
    """How the windows under way go, and how fast; several may be at once."""

    def __init__(self) -> None:
        self._under_way: dict[int, _Pace] = {}

    def begin(self, window: Window) -> None:
        self._under_way[window.id] = _Pace(window, window.received)

    def page(self, window: Window, counts: Counts) -> None:
        pace = self._under_way.setdefault(window.id, _Pace(window, window.received))
        pace.window = window
        pace.counts += counts

    def end(self, window: Window) -> tuple[Window, Counts]:
        """The window as its last page left it, and what became of its records in this run."""
        pace = self._under_way.pop(window.id, None)
        return (window, Counts()) if pace is None else (pace.window, pace.counts)

    def rate(self, window: Window) -> float:
        """Records a second since the window began."""
        pace = self._under_way[window.id]
        elapsed = max(time.monotonic() - pace.began, 1e-3)
        return max(pace.window.received - pace.at_start, 0) / elapsed

    def remaining(self, window: Window) -> str:
        """The time that the rest of the window will take, where that can be told."""
        rate = self.rate(window)
        if not window.announced_last or not rate:
            return ""
        minutes = (window.announced_last - window.received) / rate / 60
        return f", {max(minutes, 0):.0f} min to go"


def _name(stream: Stream, window: Window) -> str:
    set_spec = f" {stream.set_spec}" if stream.set_spec else ""
    return printable(f"{stream.source_name}{set_spec} {told((window.from_day, window.until_day))}")


def _place(stream: Stream, window: Window, figures: Window) -> dict[str, str | int | None]:
    """Which window it is, and how far its list has come by ``figures``."""
    return {
        "source": stream.source_name,
        "set": stream.set_spec,
        "from": window.from_day,
        "until": window.until_day,
        "received": figures.received,
        "announced": figures.announced_last,
    }


def _counted(counts: Counts) -> dict[str, str | int | None]:
    return {
        "new": counts.new,
        "changed": counts.changed,
        "unchanged": counts.unchanged,
        "gone": counts.gone,
        "quarantined": counts.quarantined,
    }


def _whole(value: str | int | None) -> str | int | None:
    """The value; half a character in it (a surrogate alone) becomes the text of its code."""
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def _encoded(entry: dict[str, str | int | None]) -> bytes:
    """The entry as a line of UTF-8 without control characters, short enough to be one write."""
    while True:
        text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
        line = printable_json(text).encode() + b"\n"
        long = [key for key in _SHORTENED if len(str(entry.get(key) or "")) > 1]
        if len(line) <= _LINE_BYTES or not long:
            return line
        value = str(entry[long[0]])
        kept = min(len(value) * _LINE_BYTES // len(line), len(value) - 2)
        entry = entry | {long[0]: value[:kept] + "…"}


def _write(line: bytes, descriptor: int | None = None) -> None:
    """Write a line to standard error (or ``descriptor``) at once, or lose it."""
    if descriptor is None and sys.stderr is None:
        return  # closed from the start: by now its number may be another file's
    with contextlib.suppress(OSError):  # nobody reads, or there is no room: the harvest goes on
        if descriptor is None:
            try:
                descriptor = sys.stderr.fileno()
            except io.UnsupportedOperation:  # a stand-in without a file, as notebooks have
                sys.stderr.write(line.decode())
                return
        while line:
            line = line[os.write(descriptor, line) :]
