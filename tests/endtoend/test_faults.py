"""Each fault of the table in docs/operations.md: what the run says, and that nothing is lost.

The real command harvests a server that has the fault, then the same server honest again; the
mirror has to equal the truth, whatever the first run came to.
"""

import json
import re
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import CommandLine
from endpoint_http import ParsedRequest
from faulty_server import (
    FAULTS,
    FaultyEndpoint,
    all_spoilt,
    damaged,
    data,
    first_pages,
    held,
    later_pages,
    records,
    status,
)

PATIENCE = 'timeout = "1s"\nretries = 2\nmax_wait = "3s"'


@dataclass(frozen=True)
class Row:
    """A fault, how often it comes on which requests, the first run's code and what it tells."""

    fault: str
    when: Callable[[ParsedRequest], bool] = later_pages
    times: float = 1
    code: int = 0
    told: str = ""


PASSING = [
    Row("reset in mid-body", told="cannot be reached or broke off"),
    Row("cut, Content-Length too long", told="trying again"),
    Row("cut, Content-Length right", told="looks cut short"),
    Row("whole, Content-Length too short", told="looks cut short"),
    Row("silence", told="trying again"),
    Row("HTML with 200", told="it looks like an HTML page"),
    Row("gzip bomb", told="is larger than"),
    Row("entity bomb", told="document type declaration"),
    Row("external entity", told="document type declaration"),
    Row("dead token", told="its resumption token has died"),
    Row("noRecordsMatch", told="the list ended"),
    Row("search engine down", told="search engine is down"),
    Row("status 429", told="429"),
    Row("status 500", told="500"),
    Row("status 502", told="502"),
    Row("status 503", told="503"),
    Row("status 504", told="504"),
    Row("Retry-After", told="trying again in 1 s"),
    Row("no records, a token"),
    Row("a record left out", told="more by GetRecord"),
    Row("no token", told="more by GetRecord"),
    Row("records twice"),
    Row("another list's page", code=3, told="twice"),
    Row("another size", told="announced size moved"),
]
LASTING = [
    Row("reset in mid-body", times=99, code=3, told="broke off"),
    Row("HTML with 200", times=99, code=0, told="cut into smaller windows"),
    Row("endless body", when=records, times=1, code=0, told="is larger than"),
    Row("entity bomb", when=records, times=99, code=1, told="document type declaration"),
    Row("external entity", when=records, times=99, code=1, told="document type declaration"),
    Row("redirect to ftp", when=records, times=99, code=1, told="which is not followed"),
    Row("redirect to a file", when=records, times=99, code=1, told="which is not followed"),
    Row("redirect for ever", when=records, times=99, code=1, told="redirects more than 5 times"),
    Row("token repeats", times=99, code=3, told="twice"),
    Row("endless list", times=9999, code=3, told="never ends"),
    Row("dead token", times=99, code=3, told="token has died"),
    Row("status 503", when=records, times=99, code=1, told="503"),
]


@pytest.fixture
def faulty() -> Iterator[FaultyEndpoint]:
    with FaultyEndpoint(page_size=10) as endpoint:
        yield endpoint


@pytest.fixture
def command(tmp_path: Path, faulty: FaultyEndpoint) -> CommandLine:
    made = CommandLine(tmp_path)
    made.configure(faulty.url)
    path = tmp_path / "config.toml"
    lines = path.read_text(encoding="utf-8").replace('timeout = "5s"\nretries = 1', PATIENCE)
    path.write_text(lines, encoding="utf-8")
    return made


def heals(command: CommandLine, faulty: FaultyEndpoint) -> None:
    """The honest server gives everything, in at most two runs; the file is whole."""
    faulty.heal()
    ran = command("harvest", "--now")
    if ran.code:
        ran = command("harvest", "--now")
    assert ran.code == 0, ran.err
    assert held(command) == faulty.truth()
    with sqlite3.connect(command.mirror) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        twice = "SELECT 1 FROM state WHERE end_seq IS NULL GROUP BY document, version"
        assert file.execute(f"{twice} HAVING count(*) > 1").fetchall() == []
    file.close()
    assert command("status", "--check").code == 0


@pytest.mark.parametrize("row", [*PASSING, *LASTING], ids=lambda row: f"{row.fault} {row.times}")
def test_a_fault_loses_nothing(command: CommandLine, faulty: FaultyEndpoint, row: Row) -> None:
    faulty.plan(FAULTS[row.fault], row.when, row.times)
    ran = command("harvest")
    assert "Traceback" not in ran.err
    assert ran.code == row.code
    assert row.told in ran.err
    if ran.code == 0:
        assert held(command) == faulty.truth()
    else:
        found = json.loads(command("status", "--format", "json").out)["sources"][0]
        assert found["open_windows"]
        assert command("status", "--check").code == 1
    assert not [one for one in faulty.requests if "stolen" in one.path]
    heals(command, faulty)


def raw(command: CommandLine, *arguments: str) -> bytes:
    done = subprocess.run(
        command.command(*arguments),
        cwd=command.folder, env=command.environment(), capture_output=True, check=True,
    )  # fmt: skip
    return done.stdout


BROKEN = "oai:HAL:hal-04493396v1"


@pytest.mark.parametrize(
    "fault", [b"\xe9", b"\x0b", b"&hellip;"], ids=["byte", "control", "entity"]
)
def test_one_broken_record_costs_no_other(
    command: CommandLine, faulty: FaultyEndpoint, fault: bytes
) -> None:
    faulty.plan(damaged(fault, BROKEN), data, 99)
    ran = command("harvest")
    assert ran.code == 3
    assert "72 new" in ran.out
    assert "1 quarantined" in ran.out
    assert set(held(command)) == set(faulty.truth()) - {BROKEN}
    told = command("quarantine", "list")
    assert BROKEN in told.out
    assert fault in raw(command, "quarantine", "show", "1", "--raw")
    again = command("harvest")
    assert again.code == 0
    assert "1 still in quarantine" in again.err
    heals(command, faulty)
    assert command("quarantine", "list").out == "nothing is in quarantine\n"


def test_pages_whose_every_record_is_broken_are_kept_record_by_record(
    command: CommandLine, faulty: FaultyEndpoint
) -> None:
    """More such pages in a row than a list may have without anything new."""
    faulty.page_size = 3
    faulty.plan(all_spoilt(b"&hellip;"), data, float("inf"))
    ran = command("harvest")
    assert (ran.code, "73 quarantined" in ran.out) == (3, True), ran.err
    assert held(command) == {}
    found = json.loads(command("status", "--format", "json").out)["sources"][0]
    assert (found["open_windows"], found["quarantined"]) == ([], 73)
    again = command("harvest")
    assert (again.code, "73 still in quarantine" in again.err) == (0, True)
    heals(command, faulty)
    assert command("quarantine", "list").out == "nothing is in quarantine\n"


def test_a_long_pause_is_kept_between_runs(command: CommandLine, faulty: FaultyEndpoint) -> None:
    faulty.plan(status(503, Retry_After="3600"), later_pages, 1)
    first = command("harvest")
    assert first.code == 3
    assert "asks to come back in 3600 seconds" in first.err
    asked = len(faulty.requests)
    for arguments in (("harvest",), ("reconcile",), ("quarantine", "retry")):
        ran = command(*arguments)
        assert ran.code == 3
        assert "asked to be left alone until" in ran.err
    assert len(faulty.requests) == asked
    assert "asks to be left alone until" in command("status").out
    assert command("harvest", "--now").code == 0
    assert held(command) == faulty.truth()


def test_a_source_that_wants_us_gone_is_left_alone(
    command: CommandLine, faulty: FaultyEndpoint
) -> None:
    faulty.plan(status(403), later_pages, 1)
    ran = command("harvest")
    assert ran.code == 3
    assert "403" in ran.err
    assert len(faulty.requests) == 3  # Identify, a page, and the refusal
    heals(command, faulty)


@pytest.mark.parametrize("most", [20, 1])  # the fullest day holds 17
def test_what_is_too_large_for_the_server_is_taken_in_pieces(
    command: CommandLine, faulty: FaultyEndpoint, most: int
) -> None:
    def too_large(request: ParsedRequest) -> bool:
        if not first_pages(request):
            return False
        body = faulty.honest(request).body
        size = re.search(rb'completeListSize="(\d+)"', body)
        return (int(size[1]) if size else body.count(b"<record>")) > most

    faulty.plan(status(413), too_large)
    ran = command("harvest")
    assert ran.code == 0, ran.err
    assert held(command) == faulty.truth()
    assert ("asked for by name" in ran.err) == (most == 1)
