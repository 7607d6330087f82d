"""What users of other harvesters had to ask for, one by one, by the real command.

Found elsewhere: cut harvests that go on (`test_harvest.py`, `test_kills.py`), dead tokens, every
5xx, 429 and transport fault, lists too large (`test_faults.py`), empty sources
(`test_reconcile.py`).
"""

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from conftest import CommandLine
from endpoint_http import ParsedRequest, Reply
from faulty_server import FaultyEndpoint, held, records
from recorded_endpoint import RECORDED, RecordedEndpoint

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def asked(endpoint: RecordedEndpoint, since: int = 0) -> list[dict[str, str]]:
    """The arguments of each list of records that was begun, from a request on."""
    lists = [dict(one.arguments) for one in endpoint.requests[since:] if one.verb == "ListRecords"]
    return [one for one in lists if "resumptionToken" not in one]


def test_a_pause_is_kept_between_requests(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with FaultyEndpoint(page_size=26) as endpoint:
        command.configure(endpoint.url, 'delay = "0.4s"')
        assert command("harvest").code == 0
        times = sorted((one.came, one.answered) for one in endpoint.arrivals)
    assert len(times) == 5  # Identify, three pages, and the total
    # What passes between two processes may take some of the pause, never half of it.
    assert all(after[0] - before[1] > 0.2 for before, after in pairwise(times))


def test_the_mark_is_the_day_of_the_first_answer_and_no_records_datestamp(
    tmp_path: Path,
) -> None:
    command = CommandLine(tmp_path)
    with RecordedEndpoint(RECORDED, clock=lambda: NOON) as endpoint:
        command.configure(endpoint.url)
        newest = max(one.datestamp for one in endpoint.records)
        assert newest < "2026-11-19"
        assert command("harvest").code == 0
        begun = len(endpoint.requests)
        assert command("harvest").code == 0
        assert [one.get("from") for one in asked(endpoint, begun)] == ["2026-11-19"]


def test_a_repository_that_counts_seconds_is_asked_in_seconds_every_time(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with FaultyEndpoint(seconds=True, clock=lambda: NOON) as endpoint:
        command.configure(endpoint.url)
        assert command("harvest").code == 0
        changed = endpoint.records[5].stamped("2026-11-20T11:59:59Z")
        endpoint.replace(changed.edited("</dc:title>", " again</dc:title>", count=1))
        for more in ("1 changed", "0 changed"):
            begun = len(endpoint.requests)
            ran = command("harvest")
            assert ran.code == 0, ran.err
            assert more in ran.out
            assert [one.get("from") for one in asked(endpoint, begun)] == ["2026-11-19T00:00:00Z"]
        assert held(command) == endpoint.truth()


def test_records_of_this_very_moment_are_taken(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with FaultyEndpoint() as endpoint:
        now = datetime.now(UTC)
        for number, day in enumerate((now, now - timedelta(days=1))):
            endpoint.replace(endpoint.records[number].stamped(f"{day:%Y-%m-%d}"))
        command.configure(endpoint.url)
        assert command("harvest").code == 0
        assert held(command) == endpoint.truth()
        assert all(one.get("until", "9999") >= f"{now:%Y-%m-%d}" for one in asked(endpoint))


def test_a_set_that_is_added_later_gets_its_past(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with FaultyEndpoint() as endpoint:
        command.configure(endpoint.url, 'sets = ["type:ART"]')
        assert command("harvest").code == 0
        articles = set(held(command))
        command.configure(endpoint.url, 'sets = ["type:ART", "type:POSTER"]')
        begun = len(endpoint.requests)
        assert command("harvest").code == 0
        first = {one["set"]: one.get("from") for one in asked(endpoint, begun)}
        assert first["type:POSTER"] is None
        assert first["type:ART"] is not None
        wanted = {
            one.identifier for one in endpoint.records if {"type:ART", "type:POSTER"} & {*one.sets}
        }
    assert articles < wanted
    assert set(held(command)) == wanted


@dataclass
class Forgetful(FaultyEndpoint):
    """From some time on it does not know one set."""

    unknown: str = ""

    def respond(self, request: ParsedRequest) -> Reply:
        if self.unknown and request.argument("set") == self.unknown:
            hidden = tuple(
                (key, f"{value}:gone" if key == "set" else value)
                for key, value in request.arguments
            )
            return super().respond(ParsedRequest("GET", request.path, hidden, request.headers))
        return super().respond(request)


def test_a_set_that_vanished_is_no_success_and_nothing_new_is_one(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with Forgetful() as endpoint:
        command.configure(endpoint.url, 'sets = ["type:ART"]')
        assert command("harvest").code == 0
        before = held(command)
        again = command("harvest")
        assert (again.code, again.err.count("warning")) == (0, 0)
        assert "0 new, 0 changed" in again.out
        endpoint.unknown = "type:ART"
        gone = command("harvest")
    assert gone.code == 1
    assert "check that set 'type:ART' exists" in gone.err
    assert before
    assert held(command) == before


def test_a_source_that_fails_takes_nothing_away(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with FaultyEndpoint() as endpoint:
        command.configure(endpoint.url)
        assert command("harvest").code == 0
        endpoint.plan(lambda *_: Reply(500, {"Retry-After": "0"}, b""), lambda _: True)
        assert command("harvest", "--full").code == 1
        assert held(command) == endpoint.truth()


def quarantined(command: CommandLine) -> list[dict[str, str]]:
    return [
        json.loads(one)
        for one in command("quarantine", "list", "--format", "json").out.splitlines()
    ]


def test_each_failure_is_counted_and_has_its_reason(tmp_path: Path) -> None:
    """Never ``SUCCESS: 0 harvested``: what came and what failed add up to what was announced."""
    command = CommandLine(tmp_path)
    with FaultyEndpoint(page_size=26) as endpoint:
        command.configure(endpoint.url)
        bad = [one.identifier for one in endpoint.records[::3]]
        for one in bad:
            record = endpoint.record(one)
            broken = record.xml.replace(b"</dc:title>", b"&hellip;</dc:title>")
            endpoint.replace(replace(record, xml=broken))
        ran = command("harvest", "--report", "report.json")
    assert ran.code == 3
    counts = json.loads((tmp_path / "report.json").read_text())["sources"][0]["counts"]
    assert (counts["new"], counts["quarantined"]) == (48, 25)
    told = quarantined(command)
    assert sorted(one["identifier"] for one in told) == sorted(bad)
    assert {one["reason"].split(",")[0] for one in told} == {"Entity 'hellip' not defined"}
    assert "25 quarantined" in command("status").out


def test_a_record_without_an_identifier_is_quarantined_and_none_is_invented(
    tmp_path: Path,
) -> None:
    command = CommandLine(tmp_path)
    nameless = "oai:HAL:hal-04493396v1"
    with FaultyEndpoint() as endpoint:
        command.configure(endpoint.url)

        def without_name(_: FaultyEndpoint, __: ParsedRequest, reply: Reply) -> Reply:
            name = f"<identifier>{nameless}</identifier>".encode()
            return Reply(reply.status, reply.headers, reply.body.replace(name, b""))

        endpoint.plan(without_name, records)
        ran = command("harvest")
        wanted = set(endpoint.truth()) - {nameless}
    # The list of identifiers names the record that the page did not, and GetRecord gives it.
    assert ran.code == 3
    assert wanted <= set(held(command)) <= wanted | {nameless}
    assert [one["reason"] for one in quarantined(command)] == ["it has no identifier"]


@pytest.mark.parametrize(
    "form", ["https://hal.science/{}", "https://hal.science/{}v1/document", "oai:HAL:{}v1", "{}v1"]
)
def test_file_address_and_landing_page_are_one_record(harvested: CommandLine, form: str) -> None:
    shown = harvested("show", form.format("hal-04493396"), "--format", "json")
    assert shown.code == 0, shown.err
    (record,) = [json.loads(line) for line in re.split(r"\n(?=\{)", shown.out.strip())]
    assert (record["id"], record["version"]) == ("hal-04493396", 1)
