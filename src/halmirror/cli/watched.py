"""How work on the mirror's records is watched: bars on a terminal, a log line now and then."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING

from halmirror.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress, TaskID

    from halmirror.cli.context import Invocation
    from halmirror.cli.progress import LogFormat
    from halmirror.harvesting.watching import Observer

    Watch = Callable[[str, int, int], None]

_LOG_SECONDS = 30.0


@contextlib.contextmanager
def watched(invocation: Invocation, said: str, log_format: LogFormat = "text") -> Iterator[Watch]:
    """A bar for each thing on a terminal, a line now and then elsewhere.

    Gives a function to call with the thing's name, how many are done and how many there are;
    ``said`` is what a line says was done to them.
    """
    if log_format == "text" and not invocation.quiet and sys.stderr and sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            yield _bars(progress)
        return
    from halmirror.cli.progress import observer

    told = observer(quiet=invocation.quiet, verbose=invocation.verbose, log_format=log_format)
    with told as watching:
        yield _lines(watching, said, 0.0 if invocation.verbose else _LOG_SECONDS)


def _bars(progress: Progress) -> Watch:
    tasks: dict[str, TaskID] = {}

    def move(name: str, done: int, total: int) -> None:
        if name not in tasks:
            tasks[name] = progress.add_task(printable(name), total=total)
        progress.update(tasks[name], completed=done)

    return move


def _lines(watching: Observer, said: str, seconds: float) -> Watch:
    last = time.monotonic()

    def tell(name: str, done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= seconds:
            last = time.monotonic()
            watching.note(f"{name}: {done} of {total} {said}")

    return tell
