"""How a harvest is watched: a live line on a terminal, plain log lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from halmirror.printable import printable
from halmirror.windows import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, TaskID

    from halmirror.store.model import Counts, Stream, Window

_LOG_SECONDS = 30.0


@contextlib.contextmanager
def observer(*, quiet: bool, verbose: bool) -> Iterator[LogObserver]:
    """The observer that fits where standard error goes."""
    if quiet or not sys.stderr.isatty():
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
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield TerminalObserver(progress, verbose=verbose)


class LogObserver:
    """Plain lines with a UTC time, one now and then."""

    def __init__(self, *, quiet: bool, verbose: bool) -> None:
        self._quiet = quiet
        self._verbose = verbose
        self._pace = _Pace()
        self._last = time.monotonic()

    def window(self, stream: Stream, window: Window, left: int) -> None:
        """Tell which window begins."""
        self._pace.begin(window)
        self._line("info", f"{_name(stream, window)}: listing; {left} windows wait")

    def page(self, stream: Stream, window: Window, counts: Counts) -> None:
        """Tell the rate now and then; every page when verbose."""
        del counts
        self._pace.page(window)
        now = time.monotonic()
        if self._verbose or now - self._last >= _LOG_SECONDS:
            self._last = now
            total = f" of {window.announced_last}" if window.announced_last else ""
            self._line(
                "info",
                f"{_name(stream, window)}: {window.received}{total} records, "
                f"{self._pace.rate():.0f} a second{self._pace.remaining(window)}",
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
        click.echo(f"{stamp} {level}: {printable(message)}", err=True)


class TerminalObserver(LogObserver):
    """A live line: records, rate, remaining time and the current window."""

    def __init__(self, progress: Progress, *, verbose: bool) -> None:
        super().__init__(quiet=False, verbose=verbose)
        self._progress = progress
        self._task: TaskID = progress.add_task("asking …", total=None, announced="?", rate="0")

    def window(self, stream: Stream, window: Window, left: int) -> None:
        """Show the window that begins."""
        self._pace.begin(window)
        waiting = f", {left} windows wait" if left else ""
        self._progress.update(
            self._task,
            description=_name(stream, window) + waiting,
            completed=window.received,
            total=window.announced_last,
        )

    def page(self, stream: Stream, window: Window, counts: Counts) -> None:
        """Move the bar on."""
        del stream, counts
        self._pace.page(window)
        self._progress.update(
            self._task,
            completed=window.received,
            total=window.announced_last,
            announced=window.announced_last or "?",
            rate=f"{self._pace.rate():.0f}",
        )

    def _line(self, level: str, message: str) -> None:
        self._progress.console.print(
            f"{level}: {printable(message)}", markup=False, highlight=False
        )


class _Pace:
    """Records a second since a window began, and the time that what is left will take."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._at_start = 0
        self._received = 0

    def begin(self, window: Window) -> None:
        self._began = time.monotonic()
        self._at_start = self._received = window.received

    def page(self, window: Window) -> None:
        self._received = window.received

    def rate(self) -> float:
        elapsed = max(time.monotonic() - self._began, 1e-3)
        return max(self._received - self._at_start, 0) / elapsed

    def remaining(self, window: Window) -> str:
        rate = self.rate()
        if not window.announced_last or not rate:
            return ""
        minutes = (window.announced_last - window.received) / rate / 60
        return f", {max(minutes, 0):.0f} min to go"


def _name(stream: Stream, window: Window) -> str:
    set_spec = f" {stream.set_spec}" if stream.set_spec else ""
    return printable(f"{stream.source_name}{set_spec} {told((window.from_day, window.until_day))}")
