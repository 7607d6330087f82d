"""Measurements of what writes the mirror: harvest, update, renormalise; its size."""

from __future__ import annotations

import json
import shutil
import sqlite3
import statistics
import zlib
from contextlib import closing
from typing import TYPE_CHECKING

from measured import size_of
from workbench import Figures, Workbench, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from measured import Measured

_PAGE = 100
_LOG = ("-v", "harvest", "--log-format", "json")


def compare(bench: Workbench) -> Figures:
    """Harvest with everything included, beside Sickle to JSON Lines and beside a bare count.

    The runs alternate.
    """
    runs: dict[str, list[Measured]] = {"halmirror": [], "sickle": [], "count": []}
    limit = str(bench.compared)
    with bench.served() as url:
        for _ in range(bench.repeats):
            runs["count"].append(bench.python("count_records.py", url, limit))
            output = bench.folder / "sickle.jsonl"
            runs["sickle"].append(bench.python("sickle_jsonl.py", url, output, limit))
            shutil.rmtree(bench.mirror("compare").parent, ignore_errors=True)
            runs["halmirror"].append(
                bench.halmirror(*_LOG, "--limit", limit, name="compare", url=url)
            )
    figures: Figures = {"records": bench.compared}
    for name, done in runs.items():
        rates = [bench.compared / one.wall for one in done]
        figures[name] = {
            "rate": spread(rates),
            "wall": spread([one.wall for one in done]),
            "processor": spread([one.processor for one in done]),
            "memory": max(one.memory for one in done),
            "memory_together": max(one.memory_together for one in done),
            "processes": max(one.processes for one in done),
        }
    pairs = zip(runs["halmirror"], runs["sickle"], strict=True)
    figures["of_sickle"] = spread([peer.wall / one.wall for one, peer in pairs])
    pairs = zip(runs["halmirror"], runs["sickle"], strict=True)
    figures["of_sickle_processor"] = spread([peer.processor / one.processor for one, peer in pairs])
    pairs = zip(runs["halmirror"], runs["count"], strict=True)
    figures["of_count"] = spread([peer.wall / one.wall for one, peer in pairs])
    return figures


def full(bench: Workbench) -> Figures:
    """The whole repository harvested: growth of a page's cost, memory and file over the run."""
    shutil.rmtree(bench.mirror().parent, ignore_errors=True)
    with bench.served() as url:
        done = bench.halmirror(*_LOG, url=url)
    last = done.series[-1]._replace(
        at=done.wall, processor=done.processor, records=done.pages[-1][1]
    )
    series = [one._asdict() for one in (*done.series, last)]
    return {
        "records": bench.records,
        "wall": done.wall,
        "processor": done.processor,
        "memory": done.memory,
        "memory_together": done.memory_together,
        "growth": _growth(series),
        "memory_growth": _memory_growth(series),
        "series": series,
    }


def size(bench: Workbench) -> Figures:
    """The file beside the gzip-compressed pages of the same records, by table and index."""
    mirror = bench.mirror()
    with closing(sqlite3.connect(mirror)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        tables = dict(
            connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC")
        )
        rows = connection.execute("SELECT count(*) FROM state").fetchone()[0]
    raw, packed, pages = 0, 0, 0
    with bench.truth() as truth:
        step = _PAGE * max(1, bench.records // 200_000)
        for start in range(0, bench.records, step):
            page = b"".join(map(bytes, truth.records(start, min(start + _PAGE, bench.records))))
            raw += len(page)
            packed += len(zlib.compress(page, 6))
            pages += min(_PAGE, bench.records - start)
    file = size_of(mirror)
    return {
        "file": file,
        "a_record": file / rows,
        "raw_a_record": raw / pages,
        "gzip_a_record": packed / pages,
        "of_gzip": file / rows / (packed / pages),
        "tables": {name: held for name, held in tables.items() if held > file / 1000},
    }


def update(bench: Workbench) -> Figures:
    """An update that changes a thousandth of the records, beside the first harvest."""
    name = bench.updated(0.001)
    bench.copy("update")
    with bench.served(name) as url:
        done = bench.halmirror("harvest", name="update", url=url)
        again = bench.halmirror("harvest", name="update", url=url)
    first = bench.results["full"]
    return {
        "told": done.out.strip(),
        "wall": done.wall,
        "processor": done.processor,
        "of_first_wall": done.wall / first["wall"],
        "of_first_processor": done.processor / first["processor"],
        "nothing_new": {"wall": again.wall, "processor": again.processor},
        "memory": done.memory,
    }


def renormalise(bench: Workbench) -> Figures:
    """Today's rules applied to every record held, beside the harvest."""
    bench.copy("renormalise")
    done = bench.halmirror("renormalise", "--all", name="renormalise")
    first = bench.results["full"]
    return {
        "rate": bench.records / done.wall,
        "wall": done.wall,
        "processor": done.processor,
        "of_harvest": first["wall"] / done.wall,
        "memory": done.memory,
        "memory_together": done.memory_together,
        "processes": done.processes,
    }


def _growth(series: Sequence[Figures]) -> Figures:
    """How much more a record costs in the last fifth of a run than in the second, as shares.

    The first fifth is left out: start-up and filling the caches stand in it.
    """
    total = series[-1]["records"]
    return {
        "wall": _cost(series, total * 0.8, total, "at")
        / _cost(series, total * 0.2, total * 0.4, "at") - 1,
        "processor": _cost(series, total * 0.8, total, "processor")
        / _cost(series, total * 0.2, total * 0.4, "processor") - 1,
    }  # fmt: skip


def _cost(series: Sequence[Figures], first: float, last: float, key: str) -> float:
    return (_value_at(series, last, key) - _value_at(series, first, key)) / (last - first)


def _value_at(series: Sequence[Figures], records: float, key: str) -> float:
    """The value when so many records were there, between the samples around."""
    before = series[0]
    for after in series:
        if after["records"] >= records and after["records"] > before["records"]:
            part = (records - before["records"]) / (after["records"] - before["records"])
            return float(before[key] + part * (after[key] - before[key]))
        before = after if after["records"] > before["records"] else before
    return float(series[-1][key])


def _memory_growth(series: Sequence[Figures]) -> float:
    """The memory of the last fifth beside that of the second, less one; of one process's run."""
    total = series[-1]["records"]

    def middle(first: float, last: float) -> float:
        held = [one["memory"] for one in series if first <= one["records"] <= last]
        return statistics.median(held) if held else 0.0

    early = middle(total * 0.2, total * 0.4)
    return middle(total * 0.8, total) / early - 1 if early else 0.0


def as_text(figures: Figures) -> str:
    """Figures without the long series, for reading."""
    kept = {key: value for key, value in figures.items() if key not in {"series", "all"}}
    return json.dumps(kept, indent=1, ensure_ascii=False)
