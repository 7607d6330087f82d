"""Measurements of the history: what a state more costs, reading as of an earlier time, pruning."""

from __future__ import annotations

import json
import sqlite3
import statistics
from contextlib import closing
from typing import TYPE_CHECKING

from queries import mix

if TYPE_CHECKING:
    from pathlib import Path

    from workbench import Figures, Workbench

_SHARE = 0.1
_NAME = "history"
_BEFORE = "1"
"""The first run: as of its end there was no change yet."""
_EVERY = 3
"""One query of the mix in so many is asked."""

_FEW = 200_000
"""Records of a mirror that is exported three times; a larger one once."""


def history(bench: Workbench) -> Figures:
    """A tenth of the records delivered again with changes; the past read, and pruned."""
    name = bench.updated(_SHARE)
    mirror = bench.copy(_NAME)
    before = mirror.stat().st_size
    with bench.served(name) as url:
        done = bench.halmirror("harvest", name=_NAME, url=url)
    changed = round(bench.records * _SHARE)
    first = bench.results["full"]
    _flush(mirror)
    grown = (mirror.stat().st_size - before) / changed
    return {
        "told": done.out.strip(),
        "wall": done.wall,
        "bytes_a_change": grown,
        "bytes_a_record": before / bench.records,
        "of_a_record_bytes": grown / (before / bench.records),
        "of_a_record_processor": (done.processor / changed) / (first["processor"] / bench.records),
        "memory": done.memory,
        "export": _exports(bench),
        "search": _searches(bench, mirror),
        "prune": _prune(bench, mirror),
    }


def _exports(bench: Workbench) -> Figures:
    """Everything as JSON Lines, as it is and as it was before the changes."""
    output = bench.folder / "past.jsonl"
    walls: dict[str, list[float]] = {"now": [], "then": []}
    memory = 0
    for _ in range(3 if bench.records < _FEW else 1):
        for when, more in (("now", ()), ("then", ("--as-of", _BEFORE))):
            done = bench.halmirror("export", "--format", "jsonl", "--output", str(output), *more,
                                   name=_NAME)  # fmt: skip
            walls[when].append(done.wall)
            memory = max(memory, done.memory)
            output.unlink()
    now, then = (statistics.median(walls[when]) for when in ("now", "then"))
    return {"rate": bench.records / now, "rate_as_of": bench.records / then,
            "as_of": then / now, "memory": memory}  # fmt: skip


def _searches(bench: Workbench, mirror: Path) -> Figures:
    """A part of the mix of searches in one open process, as it is and as of before the changes."""
    asked = bench.folder / "past-queries.json"
    with bench.truth() as truth:
        asked.write_text(json.dumps(mix(truth)[::_EVERY]), encoding="utf-8")
    found = {
        when: json.loads(bench.python("search_speed.py", mirror, asked, *more).out)
        for when, more in (("now", ()), ("then", ("3", _BEFORE)))
    }
    median = {when: statistics.median(one["ms"] for one in told) for when, told in found.items()}
    most = {when: max(one["ms"] for one in told) for when, told in found.items()}
    return {"queries": len(found["now"]), "p50": median["now"], "p50_as_of": median["then"],
            "most": most["now"], "most_as_of": most["then"]}  # fmt: skip


def _prune(bench: Workbench, mirror: Path) -> Figures:
    """Every earlier state taken away; then the file written anew."""
    done = bench.halmirror("history", "prune", "--keep-days", "0", "--format", "json", name=_NAME)
    told = json.loads(done.out)
    full = mirror.stat().st_size
    anew = bench.halmirror("history", "prune", "--keep-days", "0", "--vacuum", name=_NAME)
    return {
        "states": told["states"],
        "wall": done.wall,
        "rate": told["states"] / done.wall,
        "spare": told["spare"],
        "memory": max(done.memory, anew.memory),
        "vacuum": anew.wall,
        "shrunk": full - mirror.stat().st_size,
    }


def _flush(mirror: Path) -> None:
    with closing(sqlite3.connect(mirror)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
