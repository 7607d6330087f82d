"""Measurements of what reads the mirror: show, look-up, search, export."""

from __future__ import annotations

import json
import random
import shutil
import statistics
import sys
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from measured import run
from workbench import spread

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from workbench import Figures, Workbench

_COLD_STARTS = 15
_COLD_SEARCHES = 10


def show(bench: Workbench) -> Figures:
    """`show` of a record from a new process, beside a Python that does nothing; alternating."""
    with bench.truth() as truth:
        places = random.Random(3).sample(range(bench.records), _COLD_STARTS)
        names = [truth.header(place).split(b">")[2].split(b"<")[0].decode() for place in places]
    nothing, shown, memory = [], [], 0
    bench.halmirror("show", names[0])
    for name in names:
        nothing.append(run([sys.executable, "-c", "pass"]).wall)
        done = bench.halmirror("show", name)
        shown.append(done.wall)
        memory = max(memory, done.memory)
    ratios = [one / floor for one, floor in zip(shown, nothing, strict=True)]
    return {
        "ms": spread([one * 1000 for one in shown]),
        "pass_ms": spread([one * 1000 for one in nothing]),
        "of_pass": statistics.median(shown) / statistics.median(nothing),
        "of_pass_spread": spread(ratios),
        "memory": memory,
    }


def look_up(bench: Workbench) -> Figures:
    """Look-ups a second in an open process."""
    done = bench.python("look_up_speed.py", bench.mirror(), bench.repository)
    rates: dict[str, float] = json.loads(done.out)
    return {"rates": rates, "least": min(rates.values()), "memory": done.memory}


def search(bench: Workbench) -> Figures:
    """The mix of searches in an open process, and some of them from the command line."""
    done = bench.python("search_speed.py", bench.mirror(), bench.repository)
    queries = json.loads(done.out)
    times = sorted(one["ms"] for one in queries)
    kinds: dict[str, list[float]] = defaultdict(list)
    for one in queries:
        kinds[one["kind"]].append(one["ms"])
    slowest = sorted(queries, key=lambda one: -one["ms"])
    step = max(1, len(queries) // _COLD_SEARCHES)
    cold = [_cold(bench, one["query"]) for one in queries[::step]]
    return {
        "queries": len(queries),
        "p50": _percentile(times, 0.5),
        "p95": _percentile(times, 0.95),
        "most": times[-1],
        "worst": slowest[:5],
        "by_kind": {kind: {"median": statistics.median(ms), "most": max(ms)}
                    for kind, ms in kinds.items()},
        "first_p95": _percentile(sorted(one["first"] for one in queries), 0.95),
        "cold_ms": spread([one * 1000 for one in cold]),
        "memory": done.memory,
        "all": queries,
    }  # fmt: skip


def export(bench: Workbench) -> Figures:
    """Everything exported to a file, beside a plain copy of the same bytes."""
    formats = ["jsonl"]
    offered = bench.halmirror("export", "--help").out
    formats += [name for name in ("parquet",) if name in offered]
    return {name: _exported(bench, name, bench.folder / f"export.{name}") for name in formats}


def _exported(bench: Workbench, name: str, output: Path) -> Figures:
    output.unlink(missing_ok=True)
    done = bench.halmirror("export", "--format", name, "--output", str(output))
    begun = time.perf_counter()
    shutil.copyfile(output, output.with_suffix(".copy"))
    copied = time.perf_counter() - begun
    output.with_suffix(".copy").unlink()
    size = output.stat().st_size
    output.unlink()
    return {
        "rate": bench.records / done.wall,
        "wall": done.wall,
        "processor": done.processor,
        "bytes": size,
        "copy_wall": copied,
        "memory": done.memory,
        "memory_together": done.memory_together,
    }


def _cold(bench: Workbench, query: str) -> float:
    words, *options = query.split(" --")
    wanted = [part for option in options for part in f"--{option}".split(" ", 1)]
    if query.startswith("--"):
        wanted = [part for option in query[2:].split(" --") for part in f"--{option}".split(" ", 1)]
        words = ""
    return bench.halmirror("search", *wanted, "--", words).wall


def _percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]
