"""Each fault of the table in docs/operations.md: what the run says, and that nothing is lost.

The real command harvests a server that has the fault, then the same server honest again; the
mirror has to equal the truth, whatever the first run came to.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import CommandLine
from endpoint_http import ParsedRequest
from faulty_server import FAULTS, FaultyEndpoint, held, later_pages, records

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
