"""Several windows of a source at once, each over a connection of its own.

Lanes take turns: whatever is not waiting for the server is done by one thread at a time, so the
mirror has one writer and nothing else needs a lock.  Windows that share a day never run side by
side: a repository may take the resumption token of one for that of the other (HAL does).
"""

from __future__ import annotations

import queue
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from halmirror import windows
from halmirror.errors import StoppedError
from halmirror.stopping import GRACE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from halmirror.harvesting.repository import ReplySource
    from halmirror.harvesting.sources import Client
    from halmirror.oaipmh.protocol import Page
    from halmirror.oaipmh.reply import Reply
    from halmirror.stopping import Stop
    from halmirror.store.model import Window

Taken = TypeVar("Taken")
"""What taking a window comes to."""

_LOOK_SECONDS = 0.2

_Asked = tuple[str, tuple[tuple[str, str], ...]]
"""A request: its verb, and its arguments in order of their names."""


class Lane:
    """One connection, and its place in the turns; a `PageSource` for the window it takes."""

    def __init__(self, client: ReplySource, lanes: Lanes[Any]) -> None:
        self._client = client
        self._lanes = lanes

    def page(self, verb: str, arguments: Mapping[str, str], first: Reply | None = None) -> Page:
        """The page that answers a request; others have their turn meanwhile.

        The same request of another lane is waited for first: no server is asked it twice at once.
        ``first``: a reply that `fetch` gave.
        """
        with self.waiting(), self._lanes.asking(verb, arguments):
            return self._client.page(verb, arguments, first)

    def fetch(self, verb: str, arguments: Mapping[str, str]) -> Reply:
        """The reply to a request as it came; outside of the turns, in any thread."""
        with self._lanes.asking(verb, arguments):
            return self._client.fetch(verb, arguments)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Within, others have their turn; the end waits for the next one."""
        self._lanes.pass_turn()
        try:
            yield
        finally:
            self._lanes.take_turn()

    def sleep(self, seconds: float) -> None:
        """Wait; others have their turn meanwhile."""
        with self.waiting():
            self._lanes.stop.sleep(seconds)


class Lanes(Generic[Taken]):
    """Takes windows over up to ``connections`` lanes; a context manager.

    The first lane uses ``client``, ``connect`` opens the others when they are needed.
    """

    def __init__(
        self, client: ReplySource, connect: Callable[[], Client], connections: int, stop: Stop
    ) -> None:
        self.stop = stop
        self._connect = connect
        self._connections = connections
        self._turn = threading.Lock()
        self._changed = threading.Condition()
        self._asked: set[_Asked] = set()
        self._dropped = False
        self._opened = ExitStack()
        self._idle = [Lane(client, self)]
        self._running: dict[int, Window] = {}
        self._stopped: StoppedError | None = None
        self._done: queue.SimpleQueue[tuple[Lane, Window, Taken | BaseException]] = (
            queue.SimpleQueue()
        )

    def __enter__(self) -> Self:
        self._turn.acquire()
        return self

    def __exit__(self, *exception: object) -> None:
        # A lane that still waits for the server finds this when it comes back, and writes nothing.
        self._dropped = True
        with self._changed:
            self._changed.notify_all()
        self._turn.release()
        self._opened.close()

    def take_turn(self) -> None:
        """Wait for the turn.  Raises `StoppedError` where the run has ended meanwhile."""
        self._turn.acquire()
        self._check()

    def pass_turn(self) -> None:
        """Let the others go on."""
        self._turn.release()

    @contextmanager
    def asking(self, verb: str, arguments: Mapping[str, str]) -> Iterator[None]:
        """Within, the request is this lane's: it begins when no other has it under way.

        Outside of the turns.  Raises `StoppedError` where the run has ended meanwhile.
        """
        asked: _Asked = (verb, tuple(sorted(arguments.items())))
        with self._changed:
            while asked in self._asked:
                self._changed.wait()
                self._check()
            self._asked.add(asked)
        try:
            yield
        finally:
            with self._changed:
                self._asked.discard(asked)
                self._changed.notify_all()

    def _check(self) -> None:
        if self._dropped:
            raise StoppedError("the run has ended")

    def run(
        self, todo: list[Window], take: Callable[[Lane, Window], Taken]
    ) -> Iterator[tuple[Window, Taken]]:
        """Take the windows of ``todo`` in order, as far as they share no day; give each outcome.

        The caller may add to ``todo`` or clear it between two outcomes.  Raises what a window
        raised, and `StoppedError`: then a page in flight has `GRACE_SECONDS` to come.
        """
        while todo or self._running:
            while len(self._running) < self._connections and not self.stop.requested:
                place = self._next(todo)
                if place is None:
                    break
                self._start(todo.pop(place), take)
            if not self._running:
                self.stop.check()
            window, outcome = self._ended()
            yield window, outcome
        if self._stopped is not None:
            raise self._stopped

    def _next(self, todo: list[Window]) -> int | None:
        """The first window that shares no day with those under way."""
        busy = [(one.from_day, one.until_day) for one in self._running.values()]
        for place, window in enumerate(todo):
            span = (window.from_day, window.until_day)
            if all(windows.disjoint(span, other) for other in busy):
                return place
        return None

    def _start(self, window: Window, take: Callable[[Lane, Window], Taken]) -> None:
        if self._idle:
            lane = self._idle.pop()
        else:
            lane = Lane(self._opened.enter_context(self._connect()), self)
        self._running[window.id] = window
        # A daemon: a page that is dropped must not keep the process.
        thread = threading.Thread(target=self._go, args=(lane, window, take), daemon=True)
        thread.start()

    def _go(self, lane: Lane, window: Window, take: Callable[[Lane, Window], Taken]) -> None:
        result: Taken | BaseException
        try:
            self.take_turn()
            result = take(lane, window)
        except BaseException as error:  # noqa: BLE001 - raised again where the outcome is awaited
            result = error
        finally:
            self.pass_turn()
        self._done.put((lane, window, result))

    def _ended(self) -> tuple[Window, Taken]:
        """Wait for a window to end.  Raises what it raised, and `StoppedError` in the end."""
        self.pass_turn()
        try:
            lane, window, result = self._await()
        finally:
            self._turn.acquire()
        del self._running[window.id]
        self._idle.append(lane)
        if isinstance(result, StoppedError) and self._running:
            self._stopped = result
            return self._ended()  # the others have their grace
        if isinstance(result, BaseException):
            raise result
        return window, result

    def _await(self) -> tuple[Lane, Window, Taken | BaseException]:
        deadline: float | None = None
        while True:
            if self.stop.requested and deadline is None:
                deadline = time.monotonic() + GRACE_SECONDS
            try:
                return self._done.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                if deadline is not None and time.monotonic() > deadline:
                    raise StoppedError(
                        "interrupted, the page in flight dropped; the next run goes on from here"
                    ) from None
