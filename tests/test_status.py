"""``halmirror status``: what is held of what was announced, what is missing, and the proof."""

import json
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from conftest import CommandLine
from endpoint_http import ParsedRequest, Reply
from halmirror.status import ALL_WINDOWS, check, status
from recorded_endpoint import RECORDED, RecordedEndpoint

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def copied(harvested: CommandLine, tmp_path: Path) -> CommandLine:
    """A copy of the mirror of 73 records, to be written to."""
    shutil.copytree(harvested.folder, tmp_path, dirs_exist_ok=True)
    return CommandLine(tmp_path)


def change(command: CommandLine, statement: str, *values: object) -> None:
    connection = sqlite3.connect(command.mirror)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def source(command: CommandLine, *options: str) -> dict[str, Any]:
    (found,) = json.loads(command("status", "--format", "json", *options).out)["sources"]
    return dict(found)


def quarantine(command: CommandLine, first_at: str, resolved_at: str | None = None) -> None:
    change(
        command,
        "INSERT INTO quarantine (stream, digest, position, reason, data, first_at, last_at, "
        "resolved_at) VALUES (1, ?1, '4', 'no header', x'00', ?2, ?2, ?3)",
        first_at.encode(), first_at, resolved_at,
    )  # fmt: skip


def test_a_whole_mirror_says_so_in_a_line(copied: CommandLine) -> None:
    change(copied, "UPDATE stream SET planned_until = '2026-11-20'")
    lines = copied("status").out.splitlines()
    assert "  complete as of 2026-11-20: 73 of 73 announced" in lines
    assert not any("missing" in line or "more than" in line for line in lines)


def test_what_is_missing_is_explained_by_what_is_known(copied: CommandLine) -> None:
    change(copied, "UPDATE stream SET planned_until = '2026-11-20', announced = 78")
    quarantine(copied, "2026-11-19T03:00:00.000Z")
    quarantine(copied, "2026-11-18T03:00:00.000Z")
    quarantine(copied, "2026-11-17T03:00:00.000Z", "2026-11-18T04:00:00.000Z")
    change(copied, "INSERT INTO withheld VALUES (1, 'oai:HAL:hal-99999999v1', 'idDoesNotExist')")
    change(
        copied,
        "UPDATE state SET status = 'deleted' WHERE document = "
        "(SELECT id FROM document WHERE local_id = 'hal-04493396')",
    )
    lines = copied("status").out.splitlines()
    assert "  complete as of 2026-11-20: 72 of 78 announced" in lines
    assert (
        "  6 missing: 2 quarantined, 1 announced but not given, 1 deleted by the source, "
        "2 not explained: 'halmirror harvest --full hal' lists everything again"
    ) in lines
    assert "  2 quarantined, the oldest since 2026-11-18T03:00:00.000Z" in lines
    assert "  announced but not given: oai:HAL:hal-99999999v1: idDoesNotExist" in lines
    found = source(copied)
    assert found["missing"] == {
        "total": 6, "quarantined": 2, "withheld": 1, "deleted": 1, "unexplained": 2
    }  # fmt: skip
    assert found["surplus"] == 0
    assert found["records"] == {"active": 72, "deleted": 1, "withdrawn": 0, "superseded": 0}
    assert found["quarantined_since"] == "2026-11-18T03:00:00.000Z"


def test_what_is_known_never_explains_more_than_is_missing(copied: CommandLine) -> None:
    change(copied, "UPDATE stream SET announced = 74")
    quarantine(copied, "2026-11-18T03:00:00.000Z")
    quarantine(copied, "2026-11-19T03:00:00.000Z")
    assert source(copied)["missing"] == {
        "total": 1, "quarantined": 1, "withheld": 0, "deleted": 0, "unexplained": 0
    }  # fmt: skip


def test_what_open_windows_may_hold_is_left_to_the_next_harvest(copied: CommandLine) -> None:
    change(copied, "UPDATE stream SET announced = 80")
    change(copied, "UPDATE harvest_window SET state = 'open', reason = 'cut', from_day = NULL")
    text = copied("status").out
    assert "  not complete: 73 of 80 announced\n" in text
    assert "7 missing: 7 to come from 1 open window: run 'halmirror harvest hal'" in text
    assert "  open everything: cut\n" in text
    assert source(copied)["open_windows"] == [
        {"set": "", "from": None, "until": None, "reason": "cut", "kind": "plan"}
    ]


def test_records_that_the_source_no_longer_announces(
    halmirror: CommandLine, endpoint: RecordedEndpoint
) -> None:
    halmirror("harvest")
    endpoint.remove("oai:HAL:hal-04493396v1")
    halmirror("harvest")
    assert (
        "1 more than announced: HAL keeps no list of deletions; "
        "'halmirror reconcile hal' finds them"
    ) in halmirror("status").out
    found = source(halmirror)
    assert (found["received"], found["announced"], found["surplus"]) == (73, 72, 1)


def test_a_harvest_that_was_cut_has_no_total_yet(halmirror: CommandLine) -> None:
    halmirror("harvest", "--limit", "30")
    text = halmirror("status").out
    assert "  not complete: 30 active; the total is asked for once every window is closed\n" in text
    found = source(halmirror)
    assert (found["missing"], found["surplus"], found["lag_seconds"]) == (None, None, None)


def test_a_server_that_announces_no_total(copied: CommandLine) -> None:
    change(copied, "UPDATE stream SET announced = NULL")
    assert ": 73 active; the server announces no total\n" in copied("status").out


def test_sets_that_overlap_have_no_total(copied: CommandLine) -> None:
    change(copied, "UPDATE stream SET set_spec = 'oa'")
    change(copied, "INSERT INTO stream (source, prefix, set_spec) VALUES (1, 'oai_dc', 'openaire')")
    assert "not complete: 73 active; the total of 2 sets is not known\n" in copied("status").out
    assert source(copied)["sets"] == ["oa", "openaire"]


def test_ages_are_told_from_the_time_of_the_question(copied: CommandLine) -> None:
    change(
        copied,
        "UPDATE stream SET planned_until = '2026-11-20', last_success = '2026-11-22T11:00:00.000Z'",
    )
    (found,) = status(copied.mirror, now=NOON).sources
    assert found.lag_seconds == 129_600  # from the end of the 20th to noon of the 22nd
    assert found.seconds_since_success == 3600
    (found,) = status(copied.mirror, now=datetime(2026, 11, 20, 12, tzinfo=UTC)).sources
    assert (found.lag_seconds, found.seconds_since_success) == (0, 0)


def test_a_pause_that_the_server_asked_for_is_told_while_it_lasts(copied: CommandLine) -> None:
    change(copied, "UPDATE source SET come_back_at = '2999-01-01T00:00:00.000Z'")
    assert "  asks to be left alone until 2999-01-01T00:00:00.000Z\n" in copied("status").out
    line = copied("status", "--check").out
    assert line.startswith("OK: 73 active records; hal complete as of ")
    assert line.endswith("; hal asks to be left alone until 2999-01-01T00:00:00.000Z\n")
    change(copied, "UPDATE source SET come_back_at = '2020-01-01T00:00:00.000Z'")
    assert "left alone" not in copied("status").out
    assert source(copied)["come_back_at"] is None


def test_the_check_warns_of_quarantine_and_stays_well(copied: CommandLine) -> None:
    quarantine(copied, "2026-11-18T03:00:00.000Z")
    ran = copied("status", "--check")
    assert ran.code == 0
    assert ran.out.startswith("OK: ")
    assert ran.out.endswith(
        "; warning: hal has 1 quarantined, the oldest since 2026-11-18T03:00:00.000Z\n"
    )


def test_the_check_is_critical_where_a_person_is_needed(copied: CommandLine) -> None:
    change(copied, "UPDATE stream SET last_success = '2026-11-20T03:00:00.000Z'")
    change(copied, "UPDATE source SET come_back_at = '2026-11-23T00:00:00.000Z'")
    day = 86_400.0
    assert check(status(copied.mirror, now=NOON), 3 * day)[0]
    well, line = check(status(copied.mirror, now=NOON), 2 * day)
    assert not well
    assert line == (
        "CRITICAL: hal last succeeded 2026-11-20T03:00:00.000Z; "
        "hal asks to be left alone until 2026-11-23T00:00:00.000Z"
    )


def test_a_source_that_was_never_harvested_shows_too(copied: CommandLine) -> None:
    with (copied.folder / "config.toml").open("a", encoding="utf-8") as file:
        file.write('[[source]]\nname = "tel"\nbase_url = "http://127.0.0.1:9/"\n')
    text = copied("status", "--windows").out
    assert "tel (never harvested)\n  not complete: 0 active" in text
    found = json.loads(copied("status", "--format", "json").out)["sources"][1]
    assert found["records"] == {"active": 0, "deleted": 0, "withdrawn": 0, "superseded": 0}
    assert copied("status", "--check").code == 1


def test_records_are_counted_by_source(copied: CommandLine) -> None:
    change(
        copied,
        "INSERT INTO source (id, name, base_url, profile) "
        "VALUES (2, 'tel', 'http://127.0.0.1:9/', 'hal')",
    )
    change(copied, "UPDATE document SET source = 2 WHERE local_id = 'hal-04493396'")
    found = status(copied.mirror)
    assert found.records == {"active": 73, "deleted": 0, "withdrawn": 0, "superseded": 0}
    assert {one.name: one.records["active"] for one in found.sources} == {"hal": 72, "tel": 1}


class Skipping(RecordedEndpoint):
    """Leaves a record out of ListRecords, and says that it does not exist when it is asked for."""

    hides = True

    def respond(self, request: ParsedRequest) -> Reply:
        reply = super().respond(request)
        if self.hides and request.verb == "ListRecords":
            xml = self.record("oai:HAL:hal-02737739v1").xml
            return Reply(reply.status, reply.headers, reply.body.replace(xml, b""))
        if self.hides and "hal-02737739" in (request.argument("identifier") or ""):
            return Reply(200, {}, (RECORDED / "error-idDoesNotExist.xml").read_bytes())
        return reply


def test_the_proof_of_each_window(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with Skipping(RECORDED, page_size=10) as endpoint:
        command.configure(endpoint.url)
        command("harvest")
        command("harvest", "--from", "2024-01-01", "--until", "2024-01-02")
    newest, first = source(command, "--windows")["windows"]
    assert (newest["kind"], newest["from"], newest["until"]) == (
        "extra", "2024-01-01", "2024-01-02"
    )  # fmt: skip
    opened, closed = first.pop("opened_at"), first.pop("closed_at")
    assert opened < closed
    assert first == {
        "kind": "plan", "set": "", "from": None, "until": None, "state": "closed",
        "announced_first": 73, "announced_last": 73, "received": 72, "distinct": 72,
        "withheld": 1, "quarantined": 0, "attempts": 0, "answer": "the list's last page",
        "reason": None, "unaccounted": 0,
    }  # fmt: skip
    assert (
        "    plan everything: announced 73, received 72, distinct 72, withheld 1, "
        f"quarantined 0; opened {opened}, closed {closed} by the list's last page\n"
    ) in command("status", "--windows").out
    assert "windows" not in source(command)


def test_a_window_that_lost_records_is_told_loudly(copied: CommandLine) -> None:
    change(copied, "UPDATE harvest_window SET announced_first = 74, attempts = 2")
    assert source(copied, "--windows")["windows"][0]["unaccounted"] == 1
    text = copied("status", "--windows").out
    assert "announced 74 then 73, received 73" in text
    assert "NOT ACCOUNTED FOR 1, taken again 2 times; opened" in text


def test_an_open_window_tells_what_it_has(halmirror: CommandLine) -> None:
    halmirror("harvest", "--limit", "30")
    (window,) = source(halmirror, "--windows")["windows"]
    assert (window["state"], window["distinct"], window["closed_at"]) == ("open", 30, None)
    assert window["unaccounted"] is None
    assert "distinct 30, withheld 0, quarantined 0; opened" in halmirror("status", "--windows").out


def test_windows_are_limited_newest_first(copied: CommandLine) -> None:
    for number in range(2, 62):
        change(
            copied,
            "INSERT INTO harvest_window (id, stream, kind, from_day, state, opened_at) "
            "VALUES (?, 1, 'plan', '2026-11-20', 'closed', '2026-11-20T03:00:00.000Z')",
            number,
        )
    assert copied("status", "--windows").out.count("    plan ") == 50
    assert copied("status", "--windows", "--limit", "3").out.count("    plan ") == 3
    assert len(source(copied, "--windows")["windows"]) == 61
    (found,) = status(copied.mirror, windows=ALL_WINDOWS).sources
    assert found.windows is not None
    assert found.windows[-1].from_day is None
    ran = copied("status", "--limit", "3")
    assert ran.code == 2
    assert "--windows" in ran.err


def test_what_a_later_list_gives_or_names_no_more_is_withheld_no_longer(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with Skipping(RECORDED, page_size=10) as endpoint:
        command.configure(endpoint.url)
        command("harvest")
        assert len(source(command)["withheld"]) == 1
        command("harvest", "--full")
        assert len(source(command)["withheld"]) == 1
        gone = endpoint.record("oai:HAL:hal-02737739v1")
        endpoint.hides = False
        endpoint.remove(gone.identifier)
        command("harvest", "--full")
        assert source(command)["withheld"] == []
        endpoint.replace(gone)
        command("harvest", "--full")
    assert source(command)["withheld"] == []
    assert source(command)["received"] == 73


def test_a_later_version_of_a_withheld_record_takes_its_place(copied: CommandLine) -> None:
    change(copied, "UPDATE state SET version = 2, oai_identifier = NULL WHERE document = 1")
    change(
        copied,
        "INSERT INTO withheld SELECT 1, 'oai:HAL:' || local_id || 'v1', 'gone' "
        "FROM document WHERE id = 1",
    )
    assert source(copied)["withheld"] == []


def test_many_withheld_records_do_not_drown_the_rest(copied: CommandLine) -> None:
    for number in range(25):
        change(
            copied, "INSERT INTO withheld VALUES (1, ?, 'no')", f"oai:HAL:hal-999999{number:02}v1"
        )
    lines = copied("status").out.splitlines()
    named = [line for line in lines if "announced but not given" in line]
    assert len(named) == 21
    assert named[-1] == "  announced but not given: 5 more; --format json names them all"
    assert len(source(copied)["withheld"]) == 25
