"""Lists read ahead, and pages prepared by workers: nothing but the pace is different."""

import contextlib
import json
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from endpoint_http import ParsedRequest, Reply
from faulty_server import FAULTS, FaultyEndpoint, damaged, data, later_pages
from halmirror.cli.progress import LogObserver
from halmirror.config import MirrorSettings, Settings, SourceSettings
from halmirror.harvesting import ahead
from halmirror.harvesting.ahead import token_in
from halmirror.harvesting.harvest import Report, Request, harvest
from halmirror.mirror import Mirror
from recorded_endpoint import RECORDED, RecordedEndpoint

END = b"</ListRecords></OAI-PMH>"


@pytest.mark.parametrize(
    ("tail", "token"),
    [
        (b'<resumptionToken cursor="0">AoIIP4AAACo+a=</resumptionToken>', "AoIIP4AAACo+a="),
        (b"<resumptionToken>\n a &amp;lt; b &quot;\n</resumptionToken>\n", 'a &lt; b "'),
        (b"<resumptionToken>caf\xc3\xa9</resumptionToken>", "caf\u00e9"),
        (b'<resumptionToken cursor="9"></resumptionToken>', ""),
        (b'<resumptionToken cursor="9"/>', None),
        (b"<resumptionToken>a&#65;</resumptionToken>", None),
        (b"<resumptionToken><![CDATA[a]]></resumptionToken>", None),
        (b"<resumptionToken>\xe9</resumptionToken>", None),
        (b"<oai:resumptionToken>a</oai:resumptionToken>", None),
        (b"<resumptionToken>a</resumptionToken><!-- -->", None),
        (b"<resumptionToken>" + b"a" * 5000 + b"</resumptionToken>", None),
        (b"", None),
    ],
)
def test_a_token_is_read_from_a_page_that_ends_as_pages_do(tail: bytes, token: str | None) -> None:
    assert token_in(b"<OAI-PMH><ListRecords>" + tail + END) == token


def test_the_tokens_of_recorded_pages() -> None:
    page = (RECORDED / "ListRecords-1.xml").read_bytes()
    assert token_in(page) == "AoFf+5MI"
    assert token_in(page[:-3]) is None


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers come in with the first page that was read ahead."""
    monkeypatch.setattr(ahead, "_PAGES_WAITING", 1)


@dataclass
class Counting(FaultyEndpoint):
    """Counts the requests that are under way together."""

    page_size: int | None = 5
    under_way: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def respond(self, request: ParsedRequest) -> Reply:
        with self.lock:
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            time.sleep(0.005)
            return super().respond(request)
        finally:
            with self.lock:
                self.under_way -= 1


def harvested(endpoint: RecordedEndpoint, path: Path, processes: int | None) -> Report:
    source = SourceSettings("hal", endpoint.url, timeout=2.0, retries=2)
    return harvest(
        Settings(None, MirrorSettings(path, keep_free=0), (source,)),
        Request(now=True),
        LogObserver(quiet=True, verbose=False),
        processes=processes,
    )


def lines(path: Path) -> list[bytes]:
    with Mirror(path) as mirror:
        return list(mirror.lines())


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("processes", [1, 2])
def test_the_mirror_is_the_same_however_many_prepare_it(tmp_path: Path, processes: int) -> None:
    with RecordedEndpoint(RECORDED) as endpoint:
        harvested(endpoint, tmp_path / "whole.sqlite", 1)
    with Counting() as endpoint:
        report = harvested(endpoint, tmp_path / "pages.sqlite", processes)
        assert endpoint.most_at_once == 1
    assert report.exit_code == 0
    assert lines(tmp_path / "pages.sqlite") == lines(tmp_path / "whole.sqlite")
    assert len(lines(tmp_path / "pages.sqlite")) == 73


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    "fault",
    [
        "cut, Content-Length right",
        "HTML with 200",
        "entity bomb",
        "dead token",
        "noRecordsMatch",
        "search engine down",
        "status 503",
        "no records, a token",
        "no token",
        "records twice",
        "another list's page",
    ],
)
def test_a_fault_in_what_was_read_ahead_loses_nothing(
    tmp_path: Path, fault: str, processes: int
) -> None:
    path = tmp_path / "mirror.sqlite"
    with Counting() as endpoint:
        pages = iter(range(99))
        endpoint.plan(
            FAULTS[fault], lambda request: later_pages(request) and next(pages) == 6, times=1
        )
        report = harvested(endpoint, path, processes)
        if report.exit_code:
            endpoint.heal()
            report = harvested(endpoint, path, processes)
        assert report.exit_code == 0, report
        assert endpoint.most_at_once == 1
        found = {
            (f"oai:HAL:{one['id']}v{one['version']}", one["datestamp"])
            for one in map(json.loads, lines(path))
        }
        assert {name for name, _ in found} == set(endpoint.truth())
    assert len(found) == 73


@pytest.mark.usefixtures("at_once")
def test_a_broken_record_in_what_was_read_ahead_costs_no_other(tmp_path: Path) -> None:
    path = tmp_path / "mirror.sqlite"
    with Counting() as endpoint:
        name = sorted(endpoint.truth())[40]
        endpoint.plan(damaged(b"\x0b", name), data, times=99)
        report = harvested(endpoint, path, 2)
    assert report.exit_code == 3
    assert report.sources[0].counts.quarantined == 1
    assert len(lines(path)) == 72


@pytest.mark.usefixtures("at_once")
def test_a_run_whose_workers_die_goes_on_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mirror.sqlite"
    begun = ahead.Preparing.came

    def killing(self: ahead.Preparing, *, early: bool) -> None:
        begun(self, early=early)
        for process, _ in self._workers._workers if self._workers else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)

    monkeypatch.setattr(ahead.Preparing, "came", killing)
    with Counting() as endpoint:
        report = harvested(endpoint, path, 2)
    assert report.exit_code == 0
    assert len(lines(path)) == 73
