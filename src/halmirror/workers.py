"""One function on several processes: tasks in, results out in the order of the tasks.

A worker ends when its pipe does, so none outlives the process that started it, however that
ended.  Signals are that process's business: workers never see a Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from multiprocessing import get_context, resource_tracker
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from halmirror.errors import WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

Shared = TypeVar("Shared")
Task = TypeVar("Task")
Result = TypeVar("Result")

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_ARENA_MAX = -8
"""mallopt's ``M_ARENA_MAX``."""

_NICENESS = 10
"""Who waits for the workers goes first: a writer that must stand back for them stops them all."""

_AHEAD = 2
"""Tasks a worker that are handed out before the first result is taken."""


def cores() -> int:
    """How many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share_memory() -> None:
    """Have all threads of this process take memory from one heap; before they are started.

    glibc gives each thread one of its own that keeps what was freed in it (mallopt(3)).  A harvest
    takes some 10 MB less so, and no longer.  Other C libraries are left as they are.
    """
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


class Workers(Generic[Shared, Task, Result]):
    """``processes`` workers that call ``function(shared, task)``; a context manager.

    The function, ``shared`` (handed over once) and tasks must be picklable.  With one process
    there are no workers: everything happens here.
    """

    def __init__(
        self, function: Callable[[Shared, Task], Result], shared: Shared, processes: int
    ) -> None:
        self._function = function
        self._shared = shared
        self._processes = processes
        self._workers: list[tuple[SpawnProcess, Connection]] = []
        self._threads: ThreadPoolExecutor | None = None
        self._idle: SimpleQueue[tuple[SpawnProcess, Connection]] = SimpleQueue()

    def __enter__(self) -> Self:
        if self._processes > 1:
            resource_tracker.ensure_running()  # it would unblock the signals below
            # What is blocked here stays blocked in the workers; for us it is only put off.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
            try:
                for _ in range(self._processes):
                    self._start()
            except BaseException:
                self._end()
                raise
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            # A thread a worker: it sends only to one that listens, so neither side waits for ever.
            self._threads = ThreadPoolExecutor(self._processes)
        return self

    def __exit__(self, *exception: object) -> None:
        self._end()

    def _start(self) -> None:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_serve, args=(theirs, self._function, self._shared), daemon=True
        )
        try:
            process.start()
        finally:
            theirs.close()
        self._workers.append((process, ours))
        self._idle.put((process, ours))

    def _end(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
        for _, pipe in self._workers:
            pipe.close()
        for process, _ in self._workers:
            process.join()
        self._workers.clear()

    def submit(self, task: Task) -> Future[Result]:
        """The result of one task, in time; what the function raises is raised there.

        `WorkerError` where a worker died.  Raises `WorkerError` where they have ended.
        """
        if self._threads is not None:
            try:
                return self._threads.submit(self._ask, task)
            except RuntimeError as error:
                raise WorkerError("the worker processes have ended; begin the run anew") from error
        done: Future[Result] = Future()
        try:
            done.set_result(self._function(self._shared, task))
        except Exception as error:  # noqa: BLE001 - raised where the result is taken
            done.set_exception(error)
        return done

    def map(self, tasks: Iterable[Task]) -> Generator[Result, None, None]:
        """The results in the order of the tasks, of which few are taken ahead.

        To be closed before the workers are, where it is not taken to its end.
        What the function raises ends the iteration.  Raises `WorkerError` where a worker died.
        """
        if self._threads is None:
            yield from (self._function(self._shared, task) for task in tasks)
            return
        waiting: deque[Future[Result]] = deque()
        try:
            for task in tasks:
                waiting.append(self.submit(task))
                if len(waiting) >= len(self._workers) * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()
            wait(waiting)

    def _ask(self, task: Task) -> Result:
        process, pipe = self._idle.get()
        try:
            pipe.send(task)
            failure, result = pipe.recv()
        except (EOFError, OSError) as error:
            process.join()
            raise WorkerError(
                f"a worker process died (exit code {process.exitcode}), perhaps for want of "
                "memory; what was committed is safe: run again with --processes 1"
            ) from error
        finally:
            self._idle.put((process, pipe))
        if failure is not None:
            raise failure
        return result  # type: ignore[no-any-return]


def _serve(pipe: Connection, function: Callable[[Shared, Task], Result], shared: Shared) -> None:
    """A worker's life: answer until the pipe ends."""
    os.nice(_NICENESS)
    with contextlib.suppress(EOFError, OSError):  # the process that asked is gone
        while True:
            task = pipe.recv()
            try:
                answer: tuple[Exception | None, Result | None] = (None, function(shared, task))
            except Exception as error:  # noqa: BLE001 - raised again by the process that asked
                answer = (error, None)
            pipe.send(answer)
