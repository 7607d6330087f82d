"""Measurements of the mirror as an OAI-PMH data provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench import processor_of, spread

if TYPE_CHECKING:
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
    with bench.served() as source, bench.serving() as (home, server):
        url = f"{home}oai"
        bench.python("fetch_records.py", url, "1")  # the first list is counted, the others known
        for _ in range(bench.repeats):
            before = processor_of(server)
            runs["fetched"].append(bench.python("fetch_records.py", url, limit))
            between = processor_of(server)
            runs["sickle"].append(bench.python("sickle_jsonl.py", url, output, limit))
            spent["fetched"].append(between - before)
            spent["sickle"].append(processor_of(server) - between)
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
