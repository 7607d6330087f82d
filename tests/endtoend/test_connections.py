"""Several windows at once: how many, and what never comes together."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from endpoint_http import ParsedRequest, Reply
from halmirror.cli.progress import LogObserver
from halmirror.config import MirrorSettings, Settings, SourceSettings
from halmirror.errors import StoppedError
from halmirror.harvesting.harvest import Report, Request, harvest
from halmirror.mirror import Mirror
from halmirror.stopping import Stop
from halmirror.windows import Span, disjoint
from recorded_endpoint import RecordedEndpoint

WINDOW_RECORDS = 10


@dataclass
class Watched(RecordedEndpoint):
    """An endpoint that takes its time and watches which requests are under way together."""

    page_size: int | None = 4
    seconds: float = 0.02
    most_at_once: int = 0
    twice_at_once: list[ParsedRequest] = field(default_factory=list)
    shared_days: list[tuple[Span, Span]] = field(default_factory=list)
    _under_way: dict[int, ParsedRequest] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def respond(self, request: ParsedRequest) -> Reply:
        with self._lock:
            number = next(self._numbers)
            self._compare(request)
            self._under_way[number] = request
            self.most_at_once = max(self.most_at_once, len(self._under_way))
        try:
            time.sleep(self.seconds)
            return super().respond(request)
        finally:
            with self._lock:
                del self._under_way[number]

    def _compare(self, request: ParsedRequest) -> None:
        """Compare a request with those that are under way."""
        for other in self._under_way.values():
            if sorted(other.arguments) == sorted(request.arguments):
                self.twice_at_once.append(request)
            if other.verb == request.verb == "ListRecords":
                spans = self._span(request), self._span(other)
                if not disjoint(*spans):
                    self.shared_days.append(spans)

    def _span(self, request: ParsedRequest) -> Span:
        """The days of a list, also where it goes on from a token."""
        arguments = dict(request.arguments)
        token = arguments.get("resumptionToken")
        if token in self._cursors:
            arguments = dict(self._cursors[token].arguments)
        return arguments.get("from"), arguments.get("until")


def harvested(
    endpoint: RecordedEndpoint, path: Path, connections: int, stop: Stop | None = None
) -> Report:
    source = SourceSettings(
        "hal", endpoint.url, connections=connections, timeout=5.0, retries=1, tls_verify=False
    )
    return harvest(
        Settings(None, MirrorSettings(path, keep_free=0), (source,)),
        Request(),
        LogObserver(quiet=True, verbose=False),
        stop=stop,
        window_records=WINDOW_RECORDS,
    )


def count(path: Path) -> int:
    with Mirror(path) as mirror:
        return sum(1 for _ in mirror.records())


@pytest.mark.parametrize("connections", [1, 2, 3, 4])
def test_so_many_windows_at_once_as_connections_and_none_shares_a_day(
    tmp_path: Path, connections: int
) -> None:
    path = tmp_path / "mirror.sqlite"
    with Watched() as endpoint:
        report = harvested(endpoint, path, connections)
    assert report.exit_code == 0, report
    assert count(path) == 73
    assert endpoint.most_at_once == connections
    assert endpoint.shared_days == []
    assert endpoint.twice_at_once == []
    lists = Counter(one.arguments for one in endpoint.requests if one.verb == "ListRecords")
    assert set(lists.values()) == {1}


def test_windows_found_empty_together_do_not_ask_the_same_at_once(tmp_path: Path) -> None:
    """Each empty window is checked by a list without dates: the same request for all of them."""
    path = tmp_path / "mirror.sqlite"

    @dataclass
    class Failing(Watched):
        failing: bool = True

        def respond(self, request: ParsedRequest) -> Reply:
            reply = super().respond(request)
            asked = request.argument("until") is not None or request.argument("from") is not None
            if self.failing and request.verb == "ListRecords" and asked:
                return Reply(503, {"Retry-After": "0"}, b"")
            return reply

    with Failing() as endpoint:
        assert harvested(endpoint, path, 3).exit_code != 0
        endpoint.failing = False
        today = datetime.now(UTC).date().isoformat()
        endpoint.records = [record.stamped(today) for record in endpoint.records]
        report = harvested(endpoint, path, 3)
    assert report.exit_code == 0, report
    assert report.sources[0].closed_windows > 3
    assert count(path) == 73
    assert endpoint.twice_at_once == []


def test_a_window_that_is_stopped_while_another_ends_is_no_success(tmp_path: Path) -> None:
    """One of two windows hears of the end between its pages, the other is on its last page."""
    path = tmp_path / "mirror.sqlite"
    stop = Stop()

    @dataclass
    class Stopping(Watched):
        def respond(self, request: ParsedRequest) -> Reply:
            reply = super().respond(request)
            if request.verb == "ListRecords" and b"<resumptionToken" not in reply.body:
                # Its only page: it comes after the other window has heard of the end.
                stop.request()
                time.sleep(0.3)
            return reply

    with Stopping() as endpoint:
        # A window of eight records on two pages, and one of three on a single page.
        today = datetime.now(UTC).date().isoformat()
        endpoint.records = endpoint.records[-8:] + [
            record.stamped(today) for record in endpoint.records[:3]
        ]
        report = harvested(endpoint, path, 2, stop)
        assert isinstance(report.failure, StoppedError)
        assert report.exit_code == 130
        again = harvested(endpoint, path, 2)
    assert again.exit_code == 0
    assert count(path) == 11
