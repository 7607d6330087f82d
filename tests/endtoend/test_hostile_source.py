"""Repositories that answer wrongly, by mistake or by malice: nothing is lost, nothing believed."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from conftest import CommandLine
from endpoint_http import ParsedRequest, Reply
from recorded_endpoint import RECORDED, RecordedEndpoint

Fault = Callable[[ParsedRequest, Reply], Reply]


def page(body: bytes, verb: bytes = b"ListRecords") -> Reply:
    return Reply(
        200,
        {},
        b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
        b"<responseDate>2026-11-20T03:00:00Z</responseDate>"
        b'<request verb="' + verb + b'">http://127.0.0.1/</request>' + body + b"</OAI-PMH>",
    )


def run(tmp_path: Path, fault: Fault) -> tuple[CommandLine, int, str]:
    command = CommandLine(tmp_path)

    class Faulty(RecordedEndpoint):
        def respond(self, request: ParsedRequest) -> Reply:
            return fault(request, super().respond(request))

    with Faulty(RECORDED, page_size=26) as endpoint:
        command.configure(endpoint.url)
        ran = command("harvest")
    assert "Traceback" not in ran.err
    return command, ran.code, ran.err


def heals(command: CommandLine) -> None:
    """An honest answer later gives everything: nothing was marked as done."""
    with RecordedEndpoint(RECORDED) as endpoint:
        ran = command("harvest", "--base-url", endpoint.url)
    assert ran.code == 0, ran.err
    assert len(command("export", "--format", "jsonl").out.splitlines()) == 73


def status(command: CommandLine) -> dict[str, object]:
    found: dict[str, object] = json.loads(command("status", "--format", "json").out)["sources"][0]
    return found


LISTED = (RECORDED / "ListIdentifiers-1.xml").read_bytes()
IDENTIFY = (RECORDED / "Identify.xml").read_bytes()
ANSWERS = {
    "a list of identifiers": Reply(200, {}, LISTED),
    "an Identify answer": Reply(200, {}, IDENTIFY),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_to_another_verb_is_no_success(tmp_path: Path, answer: Reply) -> None:
    def fault(request: ParsedRequest, reply: Reply) -> Reply:
        return answer if request.verb == "ListRecords" else reply

    command, code, _ = run(tmp_path, fault)
    assert code == 1
    assert status(command)["complete_as_of"] is None
    heals(command)


def test_an_empty_list_is_judged_as_no_records_match(tmp_path: Path) -> None:
    def fault(request: ParsedRequest, reply: Reply) -> Reply:
        if request.verb in {"ListRecords", "ListIdentifiers"}:
            verb = (request.verb or "").encode()
            return page(b"<" + verb + b"/>", verb)
        return reply

    command, code, told = run(tmp_path, fault)
    assert code == 1
    assert "holds no records at all" in told
    heals(command)


def dated(day: str) -> Fault:
    def fault(request: ParsedRequest, reply: Reply) -> Reply:
        body = re.sub(rb"<responseDate>[^<]*<", b"<responseDate>" + day.encode() + b"<", reply.body)
        return Reply(reply.status, reply.headers, body)

    return fault


def test_a_clock_far_ahead_does_not_move_the_mark_there(tmp_path: Path) -> None:
    command, code, _ = run(tmp_path, dated("2062-11-20T03:00:00Z"))
    assert code == 0
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    assert str(status(command)["complete_as_of"]) <= tomorrow


@pytest.mark.parametrize("day", ["", "9999-99-99T00:00:00Z", "yesterday"])
def test_a_date_that_is_none_harms_no_later_run(tmp_path: Path, day: str) -> None:
    command, _, _ = run(tmp_path, dated(day))
    heals(command)


def test_a_refusal_in_the_middle_keeps_the_place(tmp_path: Path) -> None:
    def fault(request: ParsedRequest, reply: Reply) -> Reply:
        if request.argument("resumptionToken"):
            return Reply(200, {}, (RECORDED / "error-badArgument.xml").read_bytes())
        return reply

    command, code, _ = run(tmp_path, fault)
    assert code == 3
    assert status(command)["received"] == 26
    assert status(command)["open_windows"]
    heals(command)


HOSTILE = {
    "a version of twenty digits": (
        b"hal-04493396v1",
        b"hal-04493396v99999999999999999999",
    ),
    "an address with a version of 5,000 digits": (
        b"<dc:identifier>hal-04493396</dc:identifier>",
        b"<dc:identifier>https://hal.science/hal-04493396v" + b"9" * 5000 + b"</dc:identifier>",
    ),
    "a date of thirty digits": (
        b"<dc:date>2018</dc:date>",
        b"<dc:date>" + b"1" * 30 + b"</dc:date>",
    ),
    "a title of a megabyte": (
        b"Les contrats \xc3\xa0 impact social",
        b"x" * 1_000_000,
    ),
    "escapes and directions": (
        b"La vie des id\xc3\xa9es</dc:source>",
        b"\xc2\x9b31m \xe2\x80\xae <b>'; DROP TABLE state; --</dc:source>".replace(
            b"<b>", b"&lt;b&gt;"
        ),
    ),
}


@pytest.mark.parametrize(("old", "new"), HOSTILE.values(), ids=HOSTILE)
def test_one_hostile_record_costs_no_other(tmp_path: Path, old: bytes, new: bytes) -> None:
    def fault(request: ParsedRequest, reply: Reply) -> Reply:
        return Reply(reply.status, reply.headers, reply.body.replace(old, new))

    command, code, told = run(tmp_path, fault)
    assert code in {0, 3}, told
    assert len(command("export", "--format", "jsonl").out.splitlines()) >= 72
    assert command("search", "lexicographie", "--format", "ids").out.split()
    for form in ("text", "json", "bibtex"):
        shown = command("show", "hal-04493396", "--format", form)
        assert "Traceback" not in shown.err
        if form == "text":
            assert not {"\x9b", "\u202e", "\x1b"} & set(shown.out)
    assert command("harvest", "--base-url", "http://127.0.0.1:9/").code in {1, 3}


def test_the_same_record_twice_in_a_list_is_one(tmp_path: Path) -> None:
    def fault(request: ParsedRequest, reply: Reply) -> Reply:
        if request.verb != "ListRecords":
            return reply
        records = re.findall(rb"<record>.*?</record>", reply.body, re.DOTALL)
        doubled = reply.body.replace(records[0], records[0] + records[0]) if records else reply.body
        return Reply(reply.status, reply.headers, doubled)

    command, code, _ = run(tmp_path, fault)
    assert code == 0
    assert len(command("export", "--format", "jsonl").out.splitlines()) == 73


def test_a_size_that_never_shrinks_ends_all_the_same(tmp_path: Path) -> None:
    asked = 0

    def fault(request: ParsedRequest, reply: Reply) -> Reply:
        nonlocal asked
        asked += 1
        body = re.sub(rb'completeListSize="\d+"', b'completeListSize="300000"', reply.body)
        return Reply(reply.status, reply.headers, body)

    _, code, _ = run(tmp_path, fault)
    assert code in {0, 3}
    assert asked < 2000


@pytest.mark.parametrize("length", [5_000, 100_000])
def test_a_long_token_is_sent_or_refused_in_one_line(tmp_path: Path, length: int) -> None:
    token = b"A" * length

    def fault(request: ParsedRequest, reply: Reply) -> Reply:
        if request.verb == "ListRecords" and not request.argument("resumptionToken"):
            body = re.sub(rb">AoFf[^<]*<", b">" + token + b"<", reply.body)
            return Reply(reply.status, reply.headers, body)
        return reply

    command, code, told = run(tmp_path, fault)
    assert code == (3 if length == 5_000 else 1)
    assert ("token has died" if length == 5_000 else "not usable") in told
    heals(command)


def test_one_false_empty_answer_is_not_believed(tmp_path: Path) -> None:
    asked = 0

    def fault(request: ParsedRequest, reply: Reply) -> Reply:
        nonlocal asked
        if request.verb == "ListRecords":
            asked += 1
            if asked == 1:
                return Reply(200, {}, (RECORDED / "error-noRecordsMatch.xml").read_bytes())
        return reply

    command, code, _ = run(tmp_path, fault)
    assert code == 0
    assert status(command)["received"] == 73


def test_a_list_without_its_last_token_is_filled(tmp_path: Path) -> None:
    def fault(request: ParsedRequest, reply: Reply) -> Reply:
        if request.argument("resumptionToken") and request.verb == "ListRecords":
            body = re.sub(rb"<resumptionToken.*?</resumptionToken>", b"", reply.body)
            return Reply(reply.status, reply.headers, body)
        return reply

    command, code, _ = run(tmp_path, fault)
    assert code == 0
    assert status(command)["received"] == 73


def test_a_small_limit_moves_on(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with RecordedEndpoint(RECORDED, page_size=26) as endpoint:
        command.configure(endpoint.url)
        for held in (5, 10, 15, 20, 25, 30):
            assert command("harvest", "--limit", "5").code == 0
            assert status(command)["received"] == held
        assert command("harvest").code == 0
    assert status(command)["received"] == 73


def test_a_set_asked_for_besides_leaves_the_sources_status_alone(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with RecordedEndpoint(RECORDED) as endpoint:
        command.configure(endpoint.url)
        assert command("harvest").code == 0
        assert command("harvest", "--set", "type:ART", "--limit", "3").code == 0
    found = status(command)
    assert found["announced"] == 73
    assert found["complete_as_of"] is not None
