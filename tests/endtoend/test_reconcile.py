"""Reconciling against an endpoint that loses records without a word, as HAL does."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from conftest import CommandLine
from endpoint_http import ParsedRequest, Reply
from recorded_endpoint import RECORDED, RecordedEndpoint

GONE = "oai:HAL:hal-04493396v1"


def shown(command: CommandLine, identifier: str) -> dict[str, object]:
    ran = command("show", identifier, "--format", "json")
    assert ran.code == 0, ran.err
    found: dict[str, object] = json.loads(ran.out)
    return found


def test_what_vanished_is_withdrawn_only_by_reconciling(
    halmirror: CommandLine, endpoint: RecordedEndpoint
) -> None:
    halmirror("harvest")
    endpoint.remove(GONE)
    halmirror("harvest")
    assert shown(halmirror, "hal-04493396")["status"] == "active"
    dry = halmirror("reconcile", "--dry-run")
    assert dry.code == 0, dry.err
    assert "hal-04493396v1: would be withdrawn" in dry.out
    assert shown(halmirror, "hal-04493396")["status"] == "active"
    ran = halmirror("reconcile")
    assert ran.code == 0, ran.err
    assert ran.out == (
        "hal: 72 listed, 73 active; 1 withdrawn, 0 merged, 0 still there, 0 not asked\n"
    )
    record = shown(halmirror, "hal-04493396")
    assert record["status"] == "withdrawn"
    assert str(record["status_since"]).endswith("Z")
    assert "Les contrats" in str(record["titles"])
    assert len(halmirror("export", "--format", "jsonl").out.splitlines()) == 72
    assert shown(halmirror, "hal-04493396v1")["status"] == "withdrawn"
    again = halmirror("reconcile")
    assert "0 withdrawn" in again.out


def test_a_merged_record_is_superseded_by_the_survivor(
    halmirror: CommandLine, endpoint: RecordedEndpoint
) -> None:
    halmirror("harvest")
    endpoint.remove(GONE)
    endpoint.merged[GONE] = "oai:HAL:hal-02737739v1"
    ran = halmirror("reconcile")
    assert ran.code == 0, ran.err
    assert "1 merged" in ran.out
    record = shown(halmirror, "hal-04493396")
    assert record["status"] == "superseded"
    assert record["followed_by"] == "hal-02737739v1"


def test_a_record_that_comes_back_is_active_again(
    halmirror: CommandLine, endpoint: RecordedEndpoint
) -> None:
    halmirror("harvest")
    kept = endpoint.record(GONE)
    endpoint.remove(GONE)
    halmirror("reconcile")
    endpoint.records.append(kept)
    assert halmirror("harvest", "--full").code == 0
    assert shown(halmirror, "hal-04493396")["status"] == "active"


def test_a_record_that_only_left_the_list_stays(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)

    class Hiding(RecordedEndpoint):
        hidden = False

        def respond(self, request: ParsedRequest) -> Reply:
            if self.hidden and request.verb == "ListIdentifiers":
                kept = self.record(GONE)
                self.remove(GONE)
                try:
                    return super().respond(request)
                finally:
                    self.records.append(kept)
            return super().respond(request)

    with Hiding(RECORDED) as endpoint:
        command.configure(endpoint.url)
        command("harvest")
        endpoint.hidden = True
        ran = command("reconcile")
    assert ran.code == 0, ran.err
    assert "1 still there" in ran.out
    assert shown(command, "hal-04493396")["status"] == "active"


def test_too_great_a_loss_is_refused(halmirror: CommandLine, endpoint: RecordedEndpoint) -> None:
    halmirror("harvest")
    before = halmirror("export", "--format", "jsonl").out
    for record in endpoint.records[:10]:
        endpoint.remove(record.identifier)
    ran = halmirror("reconcile")
    assert ran.code == 1
    assert "nothing was changed" in ran.err
    assert "--max-loss" in ran.err
    assert halmirror("export", "--format", "jsonl").out == before
    assert halmirror("reconcile", "--max-loss", "10").code == 0
    assert len(halmirror("export", "--format", "jsonl").out.splitlines()) == 63


def test_an_empty_list_withdraws_nothing(
    halmirror: CommandLine, endpoint: RecordedEndpoint
) -> None:
    halmirror("harvest")
    endpoint.records.clear()
    ran = halmirror("reconcile", "--max-loss", "100%")
    assert ran.code == 1
    assert len(halmirror("export", "--format", "jsonl").out.splitlines()) == 73


def test_what_cannot_be_asked_for_stays(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)

    class Mute(RecordedEndpoint):
        def respond(self, request: ParsedRequest) -> Reply:
            if request.verb == "GetRecord":
                return Reply(500, {}, b"")
            return super().respond(request)

    with Mute(RECORDED) as endpoint:
        command.configure(endpoint.url)
        command("harvest")
        endpoint.remove(GONE)
        ran = command("reconcile")
    assert ran.code == 3, ran.err
    assert "1 not asked" in ran.out
    assert shown(command, "hal-04493396")["status"] == "active"


@pytest.mark.parametrize("after", [1, 3, 5])
def test_killed_in_the_middle_it_goes_on(tmp_path: Path, after: int) -> None:
    command = CommandLine(tmp_path)
    process = None

    class Killing(RecordedEndpoint):
        asked = 0

        def respond(self, request: ParsedRequest) -> Reply:
            if process is not None and request.verb in {"ListIdentifiers", "GetRecord"}:
                self.asked += 1
                if self.asked == after:
                    os.kill(process.pid, signal.SIGKILL)
            return super().respond(request)

    with Killing(RECORDED, page_size=20) as endpoint:
        command.configure(endpoint.url)
        command("harvest")
        for record in endpoint.records[:3]:
            endpoint.remove(record.identifier)
        process = command.start("reconcile")
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        ran = command("reconcile")
    assert ran.code == 0, ran.err
    assert "3 withdrawn" in ran.out
    status = json.loads(command("status", "--format", "json").out)
    assert status["records"] == {"active": 70, "deleted": 0, "withdrawn": 3, "superseded": 0}
    assert status["sources"][0]["open_windows"] == []


def test_a_harvest_reconciles_by_itself_when_it_is_time(
    halmirror: CommandLine, endpoint: RecordedEndpoint
) -> None:
    halmirror.configure(endpoint.url, 'reconcile_every = "1s"')
    assert "comparing" not in halmirror("harvest").err
    endpoint.remove(GONE)
    time.sleep(1.1)
    ran = halmirror("harvest")
    assert ran.code == 0, ran.err
    assert "1 gone" in ran.out
    assert shown(halmirror, "hal-04493396")["status"] == "withdrawn"
    for record in endpoint.records[:10]:
        endpoint.remove(record.identifier)
    time.sleep(1.1)
    refused = halmirror("harvest")
    assert refused.code == 3
    assert "nothing was changed" in refused.err


def test_a_lower_version_that_is_listed_is_active_again_once_the_higher_one_is_gone(
    halmirror: CommandLine, endpoint: RecordedEndpoint
) -> None:
    first = endpoint.record(GONE)
    second = first.edited("hal-04493396v1</id", "hal-04493396v2</id")
    endpoint.records.append(second)
    assert halmirror("harvest").code == 0
    assert shown(halmirror, "hal-04493396v1")["status"] == "superseded"
    endpoint.remove(second.identifier)
    ran = halmirror("reconcile")
    assert ran.code == 0, ran.err
    assert shown(halmirror, "hal-04493396v2")["status"] == "withdrawn"
    assert shown(halmirror, "hal-04493396v1")["status"] == "active"
    assert "followed_by" not in shown(halmirror, "hal-04493396v1")


def test_a_list_with_tombstones_that_ends_on_a_page_edge_is_whole(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with RecordedEndpoint(RECORDED, page_size=10, deleted_record="persistent") as endpoint:
        endpoint.records = endpoint.records[:20]
        endpoint.replace(endpoint.records[0].tombstone("2025-11-01"))
        command.configure(endpoint.url)
        assert command("harvest").code == 0
        ran = command("reconcile")
    assert ran.code == 0, ran.err
    assert ran.out == (
        "hal: 19 listed, 19 active; 0 withdrawn, 0 merged, 0 still there, 0 not asked\n"
    )


def test_a_token_that_died_between_two_runs_costs_only_its_list(tmp_path: Path) -> None:
    """On some servers an expired token finds no records: that is not the list's end."""
    command = CommandLine(tmp_path)
    process = None

    class Forgetful(RecordedEndpoint):
        tokens = 0

        def respond(self, request: ParsedRequest) -> Reply:
            if process is not None and request.argument("resumptionToken"):
                self.tokens += 1
                if self.tokens == 1:
                    os.kill(process.pid, signal.SIGKILL)
                if self.tokens == 2:
                    return Reply(200, {}, (RECORDED / "error-noRecordsMatch.xml").read_bytes())
            return super().respond(request)

    with Forgetful(RECORDED, page_size=20) as endpoint:
        command.configure(endpoint.url)
        command("harvest")
        endpoint.remove(GONE)
        process = command.start("reconcile")
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        ran = command("reconcile")
    assert ran.code == 0, ran.err
    assert "72 listed, 73 active; 1 withdrawn" in ran.out
