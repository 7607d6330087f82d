"""Searches an open mirror with the mix of queries, each several times, and prints JSON.

python benchmarks/search_speed.py MIRROR QUERIES [REPEATS [AS-OF]]

``QUERIES`` is a JSON file of what `queries.mix` gives.
"""

import json
import statistics
import sys
import time
from pathlib import Path

from halmirror import Filters, Mirror
from queries import Query


def main(mirror: str, asked: str, repeats: int, as_of: str | None) -> None:
    """Print for each query its kind, how many hits it has, and its median time in milliseconds."""
    queries = [Query(*one) for one in json.loads(Path(asked).read_text(encoding="utf-8"))]
    told = []
    with Mirror(mirror) as opened:
        at = opened.seq_at(as_of) if as_of else None
        opened.search("warm", limit=1, at=at)
        for query in queries:
            filters = Filters(**{name: (value,) for name, value in query.filters.items()})
            times, processor = [], []
            for _ in range(repeats):
                begun, used = time.perf_counter(), time.process_time()
                hits = opened.search(
                    query.words, filters, sort=query.sort, facets=query.facets, at=at
                )
                processor.append((time.process_time() - used) * 1000)
                times.append((time.perf_counter() - begun) * 1000)
            told.append(
                {
                    "kind": query.kind,
                    "query": _written(query),
                    "hits": hits.total,
                    "first": times[0],
                    "ms": statistics.median(times),
                    "processor_ms": statistics.median(processor),
                }
            )
    sys.stdout.write(json.dumps(told, ensure_ascii=False))


def _written(query: Query) -> str:
    options = "".join(f" --{name} {value}" for name, value in query.filters.items())
    order = "" if query.sort == "relevance" else f" --sort {query.sort}"
    return f"{query.words}{options}{order}{' --facets' if query.facets else ''}".strip()


if __name__ == "__main__":
    mirror, asked, *more = sys.argv[1:]
    main(mirror, asked, int(more[0]) if more else 3, more[1] if len(more) > 1 else None)
