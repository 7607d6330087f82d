"""Lists read ahead: while one page is stored the next is under way, and workers prepare others.

The token of a page is read from its last bytes as soon as they are there, and the next page asked
for.  What comes is used only where the strict reading of the page before gives the same token,
and only where it is a clean page of records: everything else is looked into, asked again or
saved as if nothing had been read ahead.  One connection never has two requests under way.
"""

from __future__ import annotations

import re
import threading
from concurrent.futures import CancelledError
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Self
from xml.sax.saxutils import unescape

from halmirror.batch import PageTask, prepare_clean, prepare_page
from halmirror.errors import WorkerError
from halmirror.workers import Workers, cores

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future

    from halmirror.batch import Batch, Rules
    from halmirror.harvesting.lanes import Lane
    from halmirror.oaipmh.reply import Reply

LIST = "ListRecords"
_PAGES_AHEAD = 2
_TASKS_A_WORKER = 6
_LARGE = 8 * 1024 * 1024
"""Bytes of a page; nothing is read ahead of a larger one, so that memory stays bounded."""

_PAGES_WAITING = 8
"""Pages in a row that were there before they were wanted: the source outruns one process."""

_TAIL = 4096
_TOKEN = re.compile(
    rb"<resumptionToken(?:\s[^<>]*)?>([^<>]*)</resumptionToken>\s*</ListRecords>\s*</OAI-PMH>\s*\Z"
)
_ENTITIES = {"&quot;": '"', "&apos;": "'"}
_OTHER_ENTITY = re.compile("&(?!(?:amp|lt|gt|quot|apos);)")


class Preparing:
    """Prepares pages, here or in workers; a context manager that one run's lists share.

    ``processes``: how many workers at most (none: one a core).  They are started once the source
    outruns this process; with one process, never.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._processes = processes or cores()
        self._workers: Workers[None, PageTask, Batch | None] | None = None
        self._waiting = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        workers, self._workers = self._workers, None
        if workers is not None:
            workers.__exit__(*exception)

    @property
    def pages_ahead(self) -> int:
        """How many pages of a list are worth having before they are wanted."""
        if self._workers is None:
            return _PAGES_AHEAD
        return self._processes * _TASKS_A_WORKER

    def begin(self, task: PageTask) -> Future[Batch | None] | None:
        """Have a page prepared by a worker; none where there are no workers."""
        workers = self._workers
        if workers is None:
            return None
        try:
            return workers.submit(task)
        except WorkerError:  # another list has found them dead
            return None

    def prepare(self, task: PageTask) -> Batch | None:
        """The page's batch, made here; none where it is no clean page of records."""
        return prepare_clean(None, task)

    def do_without(self) -> None:
        """A worker died, perhaps for want of memory: no more of them in this run."""
        self._processes = 1
        self.__exit__()

    def came(self, *, early: bool) -> None:
        """A page was wanted; ``early``: it had been there already."""
        self._waiting = self._waiting + 1 if early else 0
        if self._waiting == _PAGES_WAITING and self._processes > 1 and self._workers is None:
            workers = Workers(prepare_clean, None, self._processes)
            self._workers = workers.__enter__()


@dataclass(slots=True)
class _Coming:
    """A page that was asked for ahead: what came, or what went wrong instead."""

    arguments: Mapping[str, str]
    reply: Reply | None = None
    batch: Future[Batch | None] | None = None
    error: BaseException | None = None


class ReadAhead:
    """The pages of one list after another, over one lane; ``rules`` gives those that hold now.

    Every method is called in the lane's turn.
    """

    def __init__(self, lane: Lane, preparing: Preparing, rules: Callable[[], Rules]) -> None:
        self._lane = lane
        self._preparing = preparing
        self._rules = rules
        self._reader: _Reader | None = None

    def batch(self, arguments: Mapping[str, str], pages: int | None = None) -> Batch:
        """The batch of a page of ListRecords; OAI-PMH errors are in it.

        ``pages``: how many pages are wanted from this one on (none: all), so that no more are
        asked for.  Raises `SourceError` and `StoppedError`.
        """
        some = pages is None or pages > 1
        if self._reader is None and "resumptionToken" in arguments and some:
            self._reader = _Reader(self._lane, self._preparing, self._rules, arguments, pages)
        if self._reader is None:
            return self._asked(arguments)
        coming, early = self._next(self._reader)
        if coming is None or coming.arguments != arguments:
            self.close()
            return self._asked(arguments)
        if coming.error is not None:
            self.close()
            raise coming.error
        self._preparing.came(early=early)
        batch = self._prepared(coming)
        if batch is None:
            self.close()
            return self._asked(arguments, coming.reply)
        return batch

    def close(self) -> None:
        """End what is under way, and drop it."""
        if self._reader is not None:
            reader, self._reader = self._reader, None
            with self._lane.waiting():
                reader.close()

    def _next(self, reader: _Reader) -> tuple[_Coming | None, bool]:
        early = not reader.pages.empty()
        with self._lane.waiting():
            coming = reader.pages.get()
        reader.room.release()
        return coming, early

    def _prepared(self, coming: _Coming) -> Batch | None:
        if coming.reply is None:
            return None
        if coming.batch is not None:
            try:
                with self._lane.waiting():
                    return coming.batch.result()
            except (WorkerError, CancelledError):
                self._preparing.do_without()
        return self._preparing.prepare(_task(coming.reply, self._rules()))

    def _asked(self, arguments: Mapping[str, str], first: Reply | None = None) -> Batch:
        return prepare_page(self._lane.page(LIST, arguments, first), self._rules())


class _Reader:
    """A thread that reads one list ahead, from a token to its end or to what is no clean page.

    ``pages`` gives what came, in order, and none at the end; ``room`` is released for each that
    was taken.
    """

    def __init__(
        self,
        lane: Lane,
        preparing: Preparing,
        rules: Callable[[], Rules],
        arguments: Mapping[str, str],
        pages: int | None,
    ) -> None:
        self.pages: SimpleQueue[_Coming | None] = SimpleQueue()
        self.room = threading.Semaphore(0)
        self._lane = lane
        self._preparing = preparing
        self._rules = rules
        self._closed = threading.Event()
        # A daemon: a page that is dropped must not keep the process.
        self._thread = threading.Thread(target=self._read, args=(arguments, pages), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Drop what is under way; returns when its request has ended."""
        self._closed.set()
        self.room.release()
        self._thread.join()

    def _read(self, arguments: Mapping[str, str], pages: int | None) -> None:
        ahead = read = 0
        following: Mapping[str, str] | None = arguments
        while following is not None and not self._closed.is_set():
            coming = _Coming(following)
            try:
                reply = self._lane.fetch(LIST, following)
                coming.reply = reply
                coming.batch = self._preparing.begin(_task(reply, self._rules()))
            except BaseException as error:  # noqa: BLE001 - raised where the page is wanted
                coming.error = error
            self.pages.put(coming)
            ahead += 1
            read += 1
            following = _following(coming) if read != pages else None
            while following is not None and ahead >= self._preparing.pages_ahead:
                self.room.acquire()
                ahead -= 1
                if self._closed.is_set():
                    return
        self.pages.put(None)


def _following(coming: _Coming) -> dict[str, str] | None:
    """The arguments of the page after one that came; none where that cannot be told."""
    if coming.error is not None or coming.reply is None or len(coming.reply.body) > _LARGE:
        return None
    token = token_in(coming.reply.body)
    if not token or token == coming.arguments.get("resumptionToken"):
        return None
    return {"resumptionToken": token}


def token_in(body: bytes) -> str | None:
    """The resumption token at the end of a page, none where that takes more than a look."""
    found = _TOKEN.search(body[-_TAIL:])
    if found is None:
        return None
    try:
        text = found[1].decode().strip()
    except UnicodeDecodeError:
        return None
    return None if _OTHER_ENTITY.search(text) else unescape(text, _ENTITIES)


def _task(reply: Reply, rules: Rules) -> PageTask:
    return PageTask(reply.body, reply.url, reply.status, rules)
