"""Measurements of the mirror as an OAI-PMH data provider."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

from workbench import spread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from measured import Measured
    from workbench import Figures, Workbench


def provider(bench: Workbench) -> Figures:
    """The mirror harvested from `halmirror serve`: fetched plainly, and by Sickle to JSON Lines.

    Beside it Sickle's own limit: the same program at a server that takes next to no time.  The
    runs alternate.
    """
    runs: dict[str, list[Measured]] = {"fetched": [], "sickle": [], "alone": []}
    spent: dict[str, list[float]] = {"fetched": [], "sickle": []}
    limit = str(bench.compared)
    output = bench.folder / "sickle.jsonl"
    with bench.served() as source, _serving(bench) as (url, server):
        bench.python("fetch_records.py", url, "1")  # the first list is counted, the others known
        for _ in range(bench.repeats):
            before = _processor(server)
            runs["fetched"].append(bench.python("fetch_records.py", url, limit))
            between = _processor(server)
            runs["sickle"].append(bench.python("sickle_jsonl.py", url, output, limit))
            spent["fetched"].append(between - before)
            spent["sickle"].append(_processor(server) - between)
            runs["alone"].append(bench.python("sickle_jsonl.py", source, output, limit))
        memory = server.memory_info().rss
    rates = {name: spread([bench.compared / one.wall for one in done])
             for name, done in runs.items()}  # fmt: skip
    pairs = zip(runs["fetched"], runs["alone"], strict=True)
    return {
        "records": bench.compared,
        "rate": rates,
        "rate_processor": spread([bench.compared / seconds for seconds in spent["fetched"]]),
        "of_sickle": spread([peer.wall / one.wall for one, peer in pairs]),
        "memory": memory,
    }


@contextmanager
def _serving(bench: Workbench) -> Iterator[tuple[str, psutil.Process]]:
    """The base URL at which the mirror is served meanwhile, and the process that does."""
    configuration = str(bench.mirror().parent / "config.toml")
    with subprocess.Popen(
        [str(bench.program), "--config", configuration, "serve", "--port", "0"],
        env=bench.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout is not None  # noqa: S101 -- it is a pipe
        try:
            url = server.stdout.readline().split()[1]
            yield f"{url}oai", psutil.Process(server.pid)
        finally:
            server.terminate()


def _processor(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
