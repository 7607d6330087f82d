"""Workers: real processes."""

import os
import signal
import time

import pytest

from halmirror.errors import HalmirrorError
from halmirror.workers import Workers


def product(factor: int, number: int) -> int:
    time.sleep(0.02 * (number % 3))
    if number < 0:
        raise LookupError(f"no {number}")
    return factor * number


def own_number(_: None, task: int) -> tuple[int, int]:
    time.sleep(0.01)
    return task, os.getpid()


def die(_: None, task: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return task


@pytest.mark.parametrize("processes", [1, 3])
def test_results_come_in_the_order_of_the_tasks(processes: int) -> None:
    with Workers(product, 10, processes) as workers:
        assert list(workers.map(iter(range(20)))) == [10 * number for number in range(20)]


def test_few_tasks_are_taken_ahead() -> None:
    taken = []

    def tasks() -> "object":
        for number in range(100):
            taken.append(number)
            yield number

    with Workers(product, 1, 2) as workers:
        results = workers.map(tasks())
        assert next(results) == 0
        assert len(taken) == 4
        results.close()


def test_the_work_is_shared_out_and_none_is_left_running() -> None:
    with Workers(own_number, None, 2) as workers:
        found = list(workers.map(range(50)))
    pids = {pid for _, pid in found}
    assert [task for task, _ in found] == list(range(50))
    assert len(pids) == 2
    assert os.getpid() not in pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize("processes", [1, 2])
def test_what_the_function_raises_is_raised_here(processes: int) -> None:
    with Workers(product, 10, processes) as workers, pytest.raises(LookupError, match="no -1"):
        list(workers.map([1, -1, 2]))


def test_a_worker_that_dies_is_told() -> None:
    with (
        Workers(die, None, 2) as workers,
        pytest.raises(HalmirrorError, match=r"a worker process died \(exit code -9\)"),
    ):
        list(workers.map([1, 2, 3]))
