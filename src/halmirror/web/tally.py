"""Counts of what all serving processes answered, in memory they share.

Each process adds to a row of its own, so nothing is locked; whoever is asked for the metrics
sums the rows.  A process that was replaced leaves its counts behind.
"""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUTES: Final = ("home", "record", "search", "browse", "status", "terms", "asset", "oai", "other")
"""What requests are counted by: the names of the endpoints; all else is ``other``."""

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the durations counted, in seconds."""

_CLASSES: Final = 5
_WIDTH: Final = _CLASSES + len(BUCKETS) + 2
_ROWS: Final = 256


class Tally:
    """Requests by endpoint and class of status, and how long they took.

    Made before the processes start, and handed to each; `begin` takes a row for a process.
    """

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._next = context.Value("i", 0)
        self._cells = context.RawArray("d", _ROWS * len(ROUTES) * _WIDTH)
        self._row = 0

    def begin(self) -> None:
        """Take a row for this process."""
        with self._next.get_lock():
            self._row = self._next.value % _ROWS
            self._next.value += 1

    def count(self, route: str, status: int, seconds: float) -> None:
        """Count one request that was answered."""
        number = ROUTES.index(route) if route in ROUTES else len(ROUTES) - 1
        start = (self._row * len(ROUTES) + number) * _WIDTH
        self._cells[start + min(max(status // 100, 1), _CLASSES) - 1] += 1
        bucket = next((at for at, most in enumerate(BUCKETS) if seconds <= most), len(BUCKETS))
        self._cells[start + _CLASSES + bucket] += 1
        self._cells[start + _WIDTH - 1] += seconds

    def lines(self) -> Iterator[str]:
        """The counts as Prometheus's text format (0.0.4) has them."""
        rows = {route: self._sum(number) for number, route in enumerate(ROUTES)}
        known = {route: row for route, row in rows.items() if any(row)}
        yield "# HELP halmirror_http_requests_total Requests answered."
        yield "# TYPE halmirror_http_requests_total counter"
        for route, row in known.items():
            for place in range(_CLASSES):
                if row[place]:
                    labels = f'endpoint="{route}",status="{place + 1}xx"'
                    yield f"halmirror_http_requests_total{{{labels}}} {int(row[place])}"
        name = "halmirror_http_request_duration_seconds"
        yield f"# HELP {name} Time from the request to the last byte of its answer."
        yield f"# TYPE {name} histogram"
        for route, row in known.items():
            total = 0
            for most, count in zip((*BUCKETS, "+Inf"), row[_CLASSES:-1], strict=True):
                total += int(count)
                yield f'{name}_bucket{{endpoint="{route}",le="{most}"}} {total}'
            yield f'{name}_sum{{endpoint="{route}"}} {row[-1]!r}'
            yield f'{name}_count{{endpoint="{route}"}} {total}'

    def _sum(self, route: int) -> list[float]:
        total = [0.0] * _WIDTH
        for row in range(min(self._next.value, _ROWS) or 1):
            start = (row * len(ROUTES) + route) * _WIDTH
            for place, value in enumerate(self._cells[start : start + _WIDTH]):
                total[place] += value
        return total
