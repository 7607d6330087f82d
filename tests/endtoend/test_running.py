"""A scheduled run as its surroundings see it: report, log, disk, signals, lock, certificate."""

import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conftest import CommandLine, is_running
from endpoint_http import ParsedRequest, Reply
from faulty_server import FaultyEndpoint, damaged, data, held, later_pages, silent
from recorded_endpoint import RECORDED, RecordedEndpoint

BROKEN = "oai:HAL:hal-04493396v1"


@dataclass
class Gated(FaultyEndpoint):
    """Holds the third page back until ``gate`` is opened."""

    page_size: int | None = 10
    reached: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event = field(default_factory=threading.Event)
    pages: int = 0

    def respond(self, request: ParsedRequest) -> Reply:
        if request.verb == "ListRecords":
            self.pages += 1
            if self.pages == 3:
                self.reached.set()
                self.gate.wait(30)
        return super().respond(request)


@pytest.fixture
def gated() -> Iterator[Gated]:
    with Gated() as endpoint:
        yield endpoint
        endpoint.gate.set()


@pytest.fixture
def begun(tmp_path: Path, gated: Gated) -> Iterator["tuple[CommandLine, subprocess.Popen[bytes]]"]:
    """A harvest that waits for its third page."""
    command = CommandLine(tmp_path)
    command.configure(gated.url)
    path = tmp_path / "config.toml"
    path.write_text(path.read_text().replace('timeout = "5s"', 'timeout = "30s"'))
    running = command.start("harvest")
    try:
        assert gated.reached.wait(30)
        yield command, running
    finally:
        running.kill()
        running.communicate()


def test_a_report_accounts_for_every_record(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with FaultyEndpoint(page_size=10) as endpoint:
        command.configure(endpoint.url)
        endpoint.plan(damaged(b"&hellip;", BROKEN), data)
        ran = command("harvest", "--report", "report.json")
    assert ran.code == 3
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["command"], report["exit_code"], report["failure"]) == ("harvest", 3, None)
    (source,) = report["sources"]
    assert source["counts"] == {
        "new": 72, "changed": 0, "unchanged": 0, "gone": 0, "quarantined": 1,
    }  # fmt: skip
    assert source["problems"] == ["1 records newly quarantined"]
    shown = json.loads(command("status", "--windows", "--format", "json").out)
    (window,) = shown["sources"][0]["windows"]
    told = {key: window[key] for key in ("announced_first", "announced_last", "received")}
    assert told == {"announced_first": 73, "announced_last": 73, "received": 72}
    assert (window["distinct"], window["quarantined"]) == (72, 1)


def test_a_json_log_has_an_event_a_window_and_an_event_a_page(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with RecordedEndpoint(RECORDED, page_size=30) as endpoint:
        command.configure(endpoint.url)
        ran = command("-v", "harvest", "--log-format", "json")
        quieter = command("harvest", "--full", "--log-format", "json")
    events = [json.loads(line) for line in ran.err.splitlines()]
    told = [(one["level"], one["event"]) for one in events]
    pages = [("debug", "page")] * 3
    assert told == [("info", "window"), *pages, ("info", "closed")]
    assert [one["received"] for one in events] == [0, 30, 60, 73, 73]
    assert {one["source"] for one in events} == {"hal"}
    assert {json.loads(line)["level"] for line in quieter.err.splitlines()} == {"info"}


def test_a_disk_that_is_nearly_full_ends_the_run_before_a_page_is_written(
    tmp_path: Path,
) -> None:
    command = CommandLine(tmp_path)
    with FaultyEndpoint() as endpoint:
        command.configure(endpoint.url)
        path = tmp_path / "config.toml"
        frugal = path.read_text()
        path.write_text(f'[mirror]\nkeep_free = "900TB"\n\n{frugal}')
        ran = command("harvest")
        assert ran.code == 1
        assert "are kept free; make room or lower [mirror] keep_free" in ran.err
        assert held(command) == {}
        path.write_text(frugal)
        assert command("harvest").code == 0
        assert held(command) == endpoint.truth()


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_page_in_flight_come(
    gated: Gated, begun: "tuple[CommandLine, subprocess.Popen[bytes]]", by: signal.Signals
) -> None:
    command, running = begun
    running.send_signal(by)
    time.sleep(0.3)
    assert running.poll() is None
    gated.gate.set()
    _, err = running.communicate(timeout=30)
    assert running.returncode == 130, err
    assert b"the next run goes on from here" in err
    assert len(held(command)) == 30  # the third page is kept
    assert command("harvest").code == 0
    assert held(command) == gated.truth()


def test_a_page_that_does_not_come_is_dropped_after_the_grace(
    begun: "tuple[CommandLine, subprocess.Popen[bytes]]",
) -> None:
    command, running = begun
    running.send_signal(signal.SIGTERM)
    _, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert b"the page in flight dropped" in err
    assert len(held(command)) == 20


def test_a_second_signal_ends_at_once(
    begun: "tuple[CommandLine, subprocess.Popen[bytes]]",
) -> None:
    command, running = begun
    running.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert running.poll() is None
    running.send_signal(signal.SIGINT)
    # The grace is ten seconds; an end within it was not the grace's.
    running.communicate(timeout=8)
    assert running.returncode == 130
    assert len(held(command)) == 20


def test_a_second_run_says_who_holds_the_mirror_and_a_dead_holder_never_blocks(
    gated: Gated, begun: "tuple[CommandLine, subprocess.Popen[bytes]]"
) -> None:
    command, running = begun
    second = command("harvest")
    assert second.code == 4
    assert str(running.pid) in second.err
    assert os.uname().nodename in second.err
    running.kill()
    running.communicate()
    gated.gate.set()
    assert command("harvest").code == 0
    assert held(command) == gated.truth()


# The real command, with workers as soon as one page was there before it was wanted.
EAGER = """
from halmirror import cli
from halmirror.harvesting import ahead
ahead._PAGES_WAITING = 1
if __name__ == "__main__":
    cli.main()
"""


def children(process: int) -> set[int]:
    """The processes below one, as Linux lists them."""
    found = set()
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        found |= {int(one) for one in task.read_text().split()}
    return found | {each for one in found for each in children(one)}


def test_a_killed_run_leaves_no_worker_and_no_lock(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    (tmp_path / "eager.py").write_text(EAGER)
    with FaultyEndpoint(page_size=2) as endpoint:
        command.configure(endpoint.url)
        late = len(endpoint.records) // 2 - 3  # the last pages do not come
        endpoint.plan(silent, lambda request: later_pages(request) and len(endpoint.lists()) > late)
        running = subprocess.Popen(
            [sys.executable, "eager.py", "harvest", "--processes", "2"],
            cwd=command.folder, env=command.environment(),
        )  # fmt: skip
        while len(endpoint.lists()) <= late and running.poll() is None:
            time.sleep(0.02)
        started = children(running.pid)
        running.kill()
        running.wait()
        assert len(started) >= 2
        while any(is_running(one) for one in started):  # the test's time-out is the suite's
            time.sleep(0.02)
        endpoint.heal()
        assert command("harvest").code == 0
        assert held(command) == endpoint.truth()


@pytest.fixture(scope="module")
def expired(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A certificate whose time is over, and the file that makes it trusted."""
    folder = tmp_path_factory.mktemp("certificate")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    request, names = folder / "request.pem", folder / "names"
    names.write_text("subjectAltName=IP:127.0.0.1")
    for arguments in (
        ["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1",
         "-keyout", key, "-out", request],
        ["x509", "-req", "-in", request, "-signkey", key, "-days", "-1",
         "-extfile", names, "-out", certificate],
    ):  # fmt: skip
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate


def test_an_expired_certificate_is_refused_unless_the_source_is_named(
    tmp_path: Path, expired: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, certificate = expired
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    command = CommandLine(tmp_path)
    with FaultyEndpoint(tls=context) as endpoint:
        command.configure(endpoint.url)
        ran = command("harvest")
        assert ran.code == 1
        assert "certificate has expired" in ran.err
        assert "tls_verify" in ran.err
        assert endpoint.requests == []
        command.configure(endpoint.url, "tls_verify = false")
        assert command("harvest").code == 0
        assert held(command) == endpoint.truth()
