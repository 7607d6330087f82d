"""Measures what was weighed against each other where docs/decisions/ names figures.

    .venv/bin/python benchmarks/alternatives.py [--records 20000]

Compression of single records, facets of all records, pages read, and lists prepared by one process
or several; each beside its alternative, on a generated repository.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sqlite3
import sys
import time
import zlib
from contextlib import closing
from functools import partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

import zstandard
from lxml import etree
from pyroaring import BitMap

from generated_files import cache_folder
from halmirror.crosswalks.dublin_core import values
from halmirror.oaipmh.plain import plain_page
from halmirror.oaipmh.protocol import canonical, parse
from workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from workbench import Figures

_PAGE = 100
_SAMPLES = 1000
_DICTIONARY = 112 * 1024
_LEVEL, _SLOW_LEVEL = 3, 9
_REPEATS = 5
_Given = TypeVar("_Given")


def compression(bench: Workbench) -> Figures:
    """Bytes a record and records a second, each record by itself; trained on others than these."""
    with bench.truth() as truth:
        records = [truth.xml(place) for place in range(0, bench.records, bench.records // 4000)]
    samples, asked = records[:_SAMPLES], records[_SAMPLES:]
    trained = zstandard.train_dictionary(_DICTIONARY, [*samples])
    plain = zstandard.ZstdCompressor(level=_LEVEL)
    by_dictionary = zstandard.ZstdCompressor(level=_LEVEL, dict_data=trained)
    slow = zstandard.ZstdCompressor(level=_SLOW_LEVEL, dict_data=trained)
    ways: dict[str, Callable[[bytes], bytes]] = {
        "zlib": zlib.compress,
        "zstd": plain.compress,
        "zstd of level 9 with a dictionary": slow.compress,
        "zstd with a dictionary": by_dictionary.compress,
    }
    pages = [b"".join(asked[n : n + _PAGE]) for n in range(0, len(asked), _PAGE)]
    found: Figures = {
        "XML": {"bytes": _mean(asked)},
        "gzip of pages": {"bytes": sum(len(gzip.compress(one, 6)) for one in pages) / len(asked)},
        "zstd of pages": {"bytes": sum(map(len, map(plain.compress, pages))) / len(asked)},
    }
    for name, way in ways.items():
        seconds, packed = _timed(partial(_each, way, asked))
        found[name] = {"bytes": _mean(packed), "rate": len(asked) / seconds}
    opener = zstandard.ZstdDecompressor(dict_data=trained)
    seconds, _ = _timed(partial(_each, opener.decompress, packed))
    found["zstd with a dictionary"]["opened"] = len(asked) / seconds
    return found


def _each(way: Callable[[bytes], bytes], texts: Sequence[bytes]) -> list[bytes]:
    return [way(one) for one in texts]


def facets(bench: Workbench) -> Figures:
    """Milliseconds to count all records by year: from bitmaps, and by SQL over the same rows."""
    with closing(sqlite3.connect(bench.mirror())) as connection:
        hits = BitMap(row[0] for row in connection.execute("SELECT id FROM content"))

        def by_bitmaps() -> dict[str, int]:
            counts: dict[str, int] = {}
            for value, bits in connection.execute(
                "SELECT value, bits FROM facet WHERE kind = 'year'"
            ):
                count = BitMap.deserialize(bits).intersection_cardinality(hits)
                counts[value] = counts.get(value, 0) + count
            return counts

        def by_sql() -> dict[str, int]:
            statement = "SELECT year, count(*) FROM entry WHERE year IS NOT NULL GROUP BY year"
            return {str(year): count for year, count in connection.execute(statement)}

        bitmaps, counted = _timed(by_bitmaps)
        sql, expected = _timed(by_sql)
    if counted != expected:
        raise SystemExit("the two ways count differently")
    return {"bitmaps": bitmaps * 1000, "sql": sql * 1000}


def reading(bench: Workbench) -> Figures:
    """Microseconds a record of a page with its values and canonical form; lxml's tree alone."""
    with bench.truth() as truth:
        records = b"".join(truth.xml(place) for place in range(_PAGE))
    page = (
        b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><responseDate>2026-01-01T00:00:00Z'
        b"</responseDate><request>http://a/</request><ListRecords>" + records
        + b"</ListRecords></OAI-PMH>"
    )  # fmt: skip

    def tree() -> int:
        found = parse(page).records
        held = [one.metadata for one in found if one.metadata is not None]
        return sum(len(values(one)) + len(canonical(one)) for one in held)

    def plain() -> int:
        found = plain_page(page)
        if found is None:
            raise SystemExit("the page is not plain")
        return sum(len(one.source or b"") for one in found.records)

    ways: dict[str, Callable[[], object]] = {
        "lxml alone": lambda: etree.fromstring(page),
        "tree": tree,
        "plain": plain,
    }
    return {name: _timed(way)[0] / _PAGE * 1e6 for name, way in ways.items()}


def processes(bench: Workbench) -> Figures:
    """Records a second of a whole harvest, by one process and by one a core."""
    found: Figures = {}
    with bench.served() as url:
        for name, more in (("one", ("--processes", "1")), ("one a core", ())):
            done = bench.halmirror("harvest", *more, name=name.replace(" ", "-"), url=url)
            found[name] = {"rate": bench.records / done.wall, "memory": done.memory / 2**20}
    return found


def _timed(way: Callable[[], _Given]) -> tuple[float, _Given]:
    """The least seconds of some runs, and what they gave."""
    times = []
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        given = way()
        times.append(time.perf_counter() - begun)
    return min(times), given


def _mean(texts: Sequence[bytes]) -> float:
    return sum(map(len, texts)) / len(texts)


def main() -> None:
    """Measure everything, and print it as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--records", type=int, default=20_000)
    options = parser.parse_args()
    parent: Path = cache_folder(options.records, 1).parent
    with TemporaryDirectory(prefix="alternatives-", dir=parent) as folder:
        bench = Workbench(options.records, 1, parent / folder)
        found = {"processes": processes(bench)}
        (bench.folder / "one").rename(bench.folder / "full")
        for measure in (compression, facets, reading):
            found[measure.__name__] = measure(bench)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
