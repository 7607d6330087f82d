"""Measurements of what reads the mirror: show, look-up, search, export."""

from __future__ import annotations

import json
import random
import re
import shutil
import statistics
import sys
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from measured import run
from queries import mix
from workbench import spread

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from workbench import Figures, Workbench

_COLD_STARTS = 15
_COLD_SEARCHES = 10
_LOOKED_UP = 10_000
_DOI = re.compile(rb"<dc:identifier>DOI: ([^<]+)<")
_HAL_ID = re.compile(rb"<dc:identifier>([a-z0-9]+[-_]\d+)<")


def show(bench: Workbench) -> Figures:
    """`show` of a record from a new process, beside a Python that does nothing; alternating."""
    with bench.truth() as truth:
        places = random.Random(3).sample(range(bench.records), _COLD_STARTS)
        names = [truth.header(place).split(b">")[2].split(b"<")[0].decode() for place in places]
    nothing, shown = [], []
    bench.halmirror("show", names[0])
    for name in names:
        nothing.append(run([sys.executable, "-c", "pass"], environment=bench.environment))
        shown.append(bench.halmirror("show", name))
    clock = spread([one.wall for one in shown])["median"]
    floor = spread([one.wall for one in nothing])["median"]
    processor = spread([one.processor for one in shown])["median"]
    return {
        "ms": spread([one.wall * 1000 for one in shown]),
        "pass_ms": spread([one.wall * 1000 for one in nothing]),
        "of_pass": clock / floor,
        "of_pass_processor": processor / spread([one.processor for one in nothing])["median"],
        "memory": max(one.memory for one in shown),
    }


def look_up(bench: Workbench) -> Figures:
    """Look-ups a second in an open process."""
    asked = bench.folder / "identifiers.json"
    asked.write_text(json.dumps(_identifiers(bench)), encoding="utf-8")
    done = bench.python("look_up_speed.py", bench.mirror(), asked)
    rates: dict[str, dict[str, float]] = json.loads(done.out)
    return {
        "rates": {kind: rate["clock"] for kind, rate in rates.items()},
        "least": min(rate["clock"] for rate in rates.values()),
        "least_processor": min(rate["processor"] for rate in rates.values()),
        "memory": done.memory,
    }


def search(bench: Workbench) -> Figures:
    """The mix of searches in an open process, and some of them from the command line."""
    asked = bench.folder / "queries.json"
    with bench.truth() as truth:
        asked.write_text(json.dumps(mix(truth)), encoding="utf-8")
    done = bench.python("search_speed.py", bench.mirror(), asked)
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
        "p95_processor": _percentile(sorted(one["processor_ms"] for one in queries), 0.95),
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
        "rate_processor": bench.records / done.processor,
        "wall": done.wall,
        "processor": done.processor,
        "bytes": size,
        "copy_wall": copied,
        "memory": done.memory,
        "memory_together": done.memory_together,
    }


def snapshot(bench: Workbench) -> Figures:
    """A snapshot made, verified and restored, beside a plain copy of the same bytes."""
    parent, again = bench.folder / "snapshots", bench.folder / "again.sqlite"
    shutil.rmtree(parent, ignore_errors=True)
    again.unlink(missing_ok=True)
    made = bench.halmirror("-q", "snapshot", "create", str(parent))
    (folder,) = parent.iterdir()
    verified = bench.halmirror("-q", "snapshot", "verify", str(folder))
    restored = bench.halmirror("-q", "snapshot", "restore", str(folder), "--output", str(again))
    begun = time.perf_counter()
    shutil.copytree(folder, parent / "copy")
    copied = time.perf_counter() - begun
    size = sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
    shutil.rmtree(parent)
    again.unlink()
    steps = {"create": made, "verify": verified, "restore": restored}
    return {
        "bytes": size,
        "copy_wall": copied,
        **{
            name: {
                "wall": one.wall,
                "processor": one.processor,
                "rate": bench.records / one.wall,
                "memory": one.memory,
            }
            for name, one in steps.items()
        },
    }


def _identifiers(bench: Workbench) -> dict[str, list[str]]:
    """HAL ids and DOIs of records all over the repository."""
    ids, dois = [], []
    with bench.truth() as truth:
        count = min(_LOOKED_UP, bench.records)
        for position in random.Random(7).sample(range(bench.records), count):
            xml = truth.xml(position)
            ids += [found.decode() for found in _HAL_ID.findall(xml)[:1]]
            dois += [found.decode() for found in _DOI.findall(xml)]
    return {"HAL id": ids, "DOI": dois}


def _cold(bench: Workbench, query: str) -> float:
    words, *options = query.split(" --")
    wanted = [part for option in options for part in f"--{option}".split(" ", 1)]
    if query.startswith("--"):
        wanted = [part for option in query[2:].split(" --") for part in f"--{option}".split(" ", 1)]
        words = ""
    return bench.halmirror("search", *wanted, "--", words).wall


def _percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]
