"""The real command against the recorded endpoint, and against endpoints that fail."""

import itertools
import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conftest import CommandLine
from endpoint_http import ParsedRequest, Reply
from halmirror import Filters, Mirror
from halmirror.export import FORMATS, Wanted, export
from recorded_endpoint import RECORDED, RecordedEndpoint

LINE = re.compile(
    r"hal: (\d+) new, (\d+) changed, (\d+) unchanged, (\d+) gone, (\d+) quarantined; "
    r"complete as of (\S+)\n$"
)


def counts(out: str) -> tuple[int, ...]:
    match = LINE.search(out)
    assert match, out
    return tuple(int(number) for number in match.groups()[:5])


def lines(command: CommandLine) -> list[str]:
    ran = command("export", "--format", "jsonl")
    assert ran.code == 0, ran.err
    return ran.out.splitlines()


def test_everything_at_first_and_nothing_new_later(halmirror: CommandLine) -> None:
    first = halmirror("harvest")
    assert first.code == 0, first.err
    assert counts(first.out) == (73, 0, 0, 0, 0)
    exported = lines(halmirror)
    second = halmirror("harvest")
    assert second.code == 0
    assert counts(second.out)[:2] == (0, 0)
    assert lines(halmirror) == exported
    assert len(exported) == 73


@pytest.mark.parametrize("order", ["text", 1, 2, 3])
def test_any_order_of_pages_gives_the_same_bytes_in_every_format(
    harvested: CommandLine, tmp_path: Path, order: "str | int"
) -> None:
    command = CommandLine(tmp_path)
    with RecordedEndpoint(RECORDED, page_size=7, order=order) as endpoint:
        command.configure(endpoint.url)
        assert command("harvest").code == 0
    with Mirror(command.mirror) as ours, Mirror(harvested.mirror) as theirs:
        for name, form in FORMATS.items():
            for wanted in (Wanted(), Wanted(normalised=True)):
                if wanted.normalised and form.normalised is None:
                    continue
                written = []
                for mirror in (ours, theirs):
                    output = tmp_path / "out"
                    done = export(mirror, name, output, Filters(), wanted=wanted)
                    assert done.count == 73
                    written.append(output.read_bytes())
                assert written[0] == written[1], name
    assert len(lines(command)) == 73


def test_the_second_run_asks_for_changes_only(
    halmirror: CommandLine, endpoint: RecordedEndpoint
) -> None:
    halmirror("harvest")
    asked = len(endpoint.requests)
    halmirror("harvest")
    lists = [request for request in endpoint.requests[asked:] if request.verb == "ListRecords"]
    today = datetime.now(UTC).date()
    started = lists[0].argument("from")
    assert started is not None
    assert (today - datetime.fromisoformat(started).date()).days in {1, 2}
    assert len(lists) == 1


def test_changes_arrive_and_history_stays(
    halmirror: CommandLine, endpoint: RecordedEndpoint
) -> None:
    halmirror("harvest")
    today = datetime.now(UTC).date().isoformat()
    record = endpoint.record("oai:HAL:hal-04493396v1")
    endpoint.replace(record.edited("une menace pour", "une chance pour").stamped(today))
    ran = halmirror("harvest")
    assert counts(ran.out) == (0, 1, 0, 0, 0)
    now = json.loads(halmirror("show", "hal-04493396", "--format", "json").out)
    before = json.loads(halmirror("show", "hal-04493396", "--format", "json", "--as-of", "1").out)
    assert "une chance pour" in now["titles"][0]["value"]
    assert "une menace pour" in before["titles"][0]["value"]


def test_a_new_version_supersedes_the_old(
    halmirror: CommandLine, endpoint: RecordedEndpoint
) -> None:
    halmirror("harvest")
    today = datetime.now(UTC).date().isoformat()
    old = endpoint.record("oai:HAL:hal-04493396v1")
    endpoint.remove(old.identifier)
    new = old.edited("hal-04493396v1", "hal-04493396v2").stamped(today)
    endpoint.records.append(new)
    assert counts(halmirror("harvest").out) == (1, 0, 0, 0, 0)
    first = json.loads(halmirror("show", "hal-04493396v1", "--format", "json").out)
    assert first["status"] == "superseded"
    assert first["followed_by"] == "hal-04493396v2"
    assert json.loads(halmirror("show", "hal-04493396", "--format", "json").out)["version"] == 2
    assert len(lines(halmirror)) == 73


@pytest.mark.parametrize("after", range(1, 8))
def test_killed_at_any_page_the_next_run_goes_on(tmp_path: Path, after: int) -> None:
    command = CommandLine(tmp_path)
    process = None

    class Killing(RecordedEndpoint):
        asked = 0

        def respond(self, request: ParsedRequest) -> Reply:
            if request.verb == "ListRecords":
                self.asked += 1
                if self.asked == after and process is not None:
                    os.kill(process.pid, signal.SIGKILL)
            return super().respond(request)

    with Killing(RECORDED, page_size=10) as endpoint:
        command.configure(endpoint.url)
        process = command.start("harvest")
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        ran = command("harvest")
        assert ran.code == 0, ran.err
        fetched = endpoint.asked
    assert len(lines(command)) == 73
    with sqlite3.connect(command.mirror) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert file.execute("SELECT count(*) FROM state").fetchone() == (73,)
    file.close()
    # Eight pages, the one that was killed and two ahead of it once more, the new span's first.
    assert fetched <= 12


def test_interrupted_it_says_so_and_the_next_run_goes_on(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)

    class Slow(RecordedEndpoint):
        def respond(self, request: ParsedRequest) -> Reply:
            if request.argument("resumptionToken"):
                time.sleep(1)
            return super().respond(request)

    with Slow(RECORDED, page_size=10) as endpoint:
        command.configure(endpoint.url)
        process = command.start("harvest")
        while not any(request.argument("resumptionToken") for request in endpoint.requests):
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert b"Traceback" not in err
    with RecordedEndpoint(RECORDED, page_size=10) as endpoint:
        assert command("harvest", "--base-url", endpoint.url).code == 0
    assert len(lines(command)) == 73


def test_a_dead_token_restarts_its_window_once(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)

    class Forgetful(RecordedEndpoint):
        tokens = 0

        def respond(self, request: ParsedRequest) -> Reply:
            if request.argument("resumptionToken"):
                self.tokens += 1
                if self.tokens == 2:
                    return Reply(200, {}, (RECORDED / "error-badResumptionToken.xml").read_bytes())
            return super().respond(request)

    with Forgetful(RECORDED, page_size=10) as endpoint:
        command.configure(endpoint.url)
        ran = command("harvest")
    assert ran.code == 0, ran.err
    assert counts(ran.out)[0] == 73
    assert len(lines(command)) == 73


def always(verb: str, file: str) -> Callable[[RecordedEndpoint, ParsedRequest], Reply | None]:
    def fault(_: RecordedEndpoint, request: ParsedRequest) -> Reply | None:
        if request.verb == verb:
            return Reply(200, {}, (RECORDED / file).read_bytes())
        return None

    return fault


def after_token(file: str) -> Callable[[RecordedEndpoint, ParsedRequest], Reply | None]:
    def fault(_: RecordedEndpoint, request: ParsedRequest) -> Reply | None:
        if request.argument("resumptionToken"):
            return Reply(200, {}, (RECORDED / file).read_bytes())
        return None

    return fault


def same_token(endpoint: RecordedEndpoint, request: ParsedRequest) -> Reply | None:
    if request.verb == "ListRecords":
        page = (RECORDED / "ListRecords-1.xml").read_bytes()
        return Reply(200, {}, page)
    return None


@pytest.mark.parametrize(
    ("fault", "code", "told"),
    [
        (after_token("error-noRecordsMatch.xml"), 3, "26 of 73"),
        (after_token("error-badResumptionToken.xml"), 3, "token has died"),
        (same_token, 3, "AoFf+5MI"),
    ],
    ids=["false-end", "tokens-always-dead", "token-repeats"],
)
def test_a_list_that_cannot_be_trusted_leaves_its_window_open(
    tmp_path: Path,
    fault: Callable[[RecordedEndpoint, ParsedRequest], Reply | None],
    code: int,
    told: str,
) -> None:
    command = CommandLine(tmp_path)

    class Faulty(RecordedEndpoint):
        def respond(self, request: ParsedRequest) -> Reply:
            return fault(self, request) or super().respond(request)

    with Faulty(RECORDED, page_size=26) as endpoint:
        command.configure(endpoint.url)
        ran = command("harvest")
    assert ran.code == code, ran.err
    assert told in ran.err
    assert "Traceback" not in ran.err
    status = json.loads(command("status", "--format", "json").out)
    assert told in status["sources"][0]["open_windows"][0]["reason"]
    assert status["sources"][0]["complete_as_of"] is None
    assert command("status", "--check").code == 1
    with RecordedEndpoint(RECORDED) as endpoint:
        assert command("harvest", "--base-url", endpoint.url).code == 0
    assert len(lines(command)) == 73
    assert command("status", "--check").code == 0


def test_an_empty_source_that_never_held_anything_is_no_success(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with RecordedEndpoint(RECORDED) as endpoint:
        endpoint.records.clear()
        command.configure(endpoint.url)
        process = command.start("harvest")
        _, err = process.communicate(timeout=90)
    assert process.returncode == 1
    assert b"holds no records at all" in err


def test_part_of_a_source_by_set_and_days(
    halmirror: CommandLine, endpoint: RecordedEndpoint
) -> None:
    ran = halmirror("harvest", "--set", "type:THESE", "--set", "type:MEM")
    assert ran.code == 3
    assert "type:THESE" in ran.err
    assert counts(ran.out)[0] == 1
    assert halmirror("harvest", "--set", "type:MEM", "--set", "type:SOFTWARE").code == 0
    assert (
        json.loads(halmirror("status", "--format", "json").out)["sources"][0]["open_windows"] == []
    )
    ran = halmirror("harvest", "--from", "2024-01-01", "--until", "2024-12-31")
    assert ran.code == 0
    shown = halmirror("show", "hal-04493396", "--format", "json")
    assert json.loads(shown.out)["datestamp"] == "2024-03-07"
    held = len(lines(halmirror))
    assert 1 < held < 73
    full = halmirror("harvest")
    assert counts(full.out)[0] == 73 - held
    assert len(lines(halmirror)) == 73


def test_limit_stops_and_the_next_run_has_the_rest(halmirror: CommandLine) -> None:
    ran = halmirror("harvest", "--limit", "30")
    assert ran.code == 0, ran.err
    assert counts(ran.out)[0] == 30
    assert len(lines(halmirror)) == 30
    assert counts(halmirror("harvest").out)[0] == 43
    assert len(lines(halmirror)) == 73


def test_full_lists_everything_again_and_withdraws_nothing(
    halmirror: CommandLine, endpoint: RecordedEndpoint
) -> None:
    halmirror("harvest")
    endpoint.remove("oai:HAL:hal-04493396v1")
    ran = halmirror("harvest", "--full")
    assert ran.code == 0
    assert counts(ran.out) == (0, 0, 72, 0, 0)
    assert len(lines(halmirror)) == 73


def test_a_large_list_is_cut_into_windows(tmp_path: Path, endpoint: RecordedEndpoint) -> None:
    from halmirror.cli.progress import LogObserver
    from halmirror.config import load
    from halmirror.harvesting.harvest import Request, harvest
    from halmirror.mirror import Mirror

    command = CommandLine(tmp_path)
    command.configure(endpoint.url)
    settings = load(tmp_path / "config.toml")
    observer = LogObserver(quiet=True, verbose=False)
    report = harvest(settings, Request(), observer, window_records=20)
    assert report.exit_code == 0
    with Mirror(settings.mirror.path) as mirror:
        assert len(list(mirror.records())) == 73
    with sqlite3.connect(settings.mirror.path) as file:
        spans = file.execute(
            "SELECT from_day, until_day, announced_last, distinct_records FROM harvest_window "
            "ORDER BY coalesce(from_day, '')"
        ).fetchall()
    file.close()
    assert len(spans) > 3
    assert spans[0][0] is None
    assert spans[-1][1] is None
    assert sum(span[3] for span in spans) == 73
    for before, after in itertools.pairwise(spans):
        assert before[1] < after[0]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("harvest", "--set", "collection:NO-SUCH-SET"), 1, "collection:NO-SUCH-SET"),
        (("harvest", "--from", "2024-13-01"), 2, "--from: '2024-13-01'"),
        (("harvest", "--from", "2024-02-01", "--until", "2024-01-01"), 2, "later than"),
        (("harvest", "nowhere"), 2, "no source 'nowhere'"),
        (("harvest", "--base-url", "ftp://example.org/"), 2, "ftp://example.org/"),
        (("harvest", "--base-url", "http://127.0.0.1:9/oai"), 1, "127.0.0.1:9"),
        (
            (
                "harvest",
                "--no-such-option",
            ),
            2,
            "--no-such-option",
        ),
        (("no-such-command",), 2, "no-such-command"),
        (("show", "hal-99999999"), 1, "hal-99999999"),
        (("export", "--format", "clay-tablets"), 2, "clay-tablets"),
        (("search", "--year", "soon"), 2, "soon"),
        (("search", '"open'), 2, "not closed"),
        (("show", "hal-1", "--as-of", "yesterday"), 2, "yesterday"),
        (("--config", "missing.toml", "status"), 2, "missing.toml"),
    ],
)
def test_each_wrong_input_is_one_clear_line(
    halmirror: CommandLine, arguments: tuple[str, ...], code: int, told: str
) -> None:
    if arguments[0] in {"show", "export", "search"}:
        assert halmirror("harvest").code == 0
    ran = halmirror(*arguments)
    assert ran.code == code, ran.err
    assert told in ran.err
    assert "Traceback" not in ran.err
    problem = [line for line in ran.err.splitlines() if line.startswith("halmirror:")]
    assert len(problem) <= 1


def test_no_mirror_and_what_is_none(halmirror: CommandLine) -> None:
    ran = halmirror("show", "hal-04493396")
    assert ran.code == 1
    assert "there is no mirror at" in ran.err
    halmirror.mirror.parent.mkdir()
    halmirror.mirror.write_text("not a mirror " * 1000)
    for command in ("show", "harvest"):
        ran = halmirror(command, *(["hal-1"] if command == "show" else []))
        assert ran.code == 1
        assert "mirror.sqlite" in ran.err
        assert "Traceback" not in ran.err
    assert halmirror.mirror.read_text().startswith("not a mirror ")


def test_writes_that_fail_end_the_run_in_one_line(
    halmirror: CommandLine, endpoint: RecordedEndpoint
) -> None:
    limited = subprocess.run(
        ["bash", "-c", 'ulimit -f 300; exec "$@"', "-", *halmirror.command("harvest")],
        cwd=halmirror.folder,
        env=halmirror.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert limited.returncode == 1
    assert "mirror.sqlite" in limited.stderr
    assert "Traceback" not in limited.stderr
    assert halmirror("harvest").code == 0
    assert len(lines(halmirror)) == 73


def test_a_mirror_that_cannot_be_written(halmirror: CommandLine, tmp_path: Path) -> None:
    """A file in the place of the mirror's folder cannot be written by anyone, root included."""
    (tmp_path / "config.toml").write_text(
        (tmp_path / "config.toml").read_text() + '\n[mirror]\npath = "config.toml/mirror.sqlite"\n'
    )
    ran = halmirror("harvest")
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert "config.toml" in ran.err


def test_a_short_list_is_filled_by_get_record_and_what_is_withheld_is_named(
    tmp_path: Path,
) -> None:
    command = CommandLine(tmp_path)

    class Skipping(RecordedEndpoint):
        """Leaves two records out of ListRecords; one of them cannot be had at all."""

        def respond(self, request: ParsedRequest) -> Reply:
            reply = super().respond(request)
            if request.verb == "ListRecords":
                for name in ("hal-04493396v1", "hal-02737739v1"):
                    xml = self.record(f"oai:HAL:{name}").xml
                    reply = Reply(reply.status, reply.headers, reply.body.replace(xml, b""))
            asked = request.argument("identifier") or ""
            if request.verb == "GetRecord" and "hal-02737739" in asked:
                body = (RECORDED / "error-idDoesNotExist.xml").read_bytes()
                return Reply(200, {}, body)
            return reply

    with Skipping(RECORDED, page_size=10) as endpoint:
        command.configure(endpoint.url)
        ran = command("harvest")
    assert ran.code == 0, ran.err
    assert counts(ran.out)[0] == 72
    assert "oai:HAL:hal-02737739v1: announced but not given: idDoesNotExist" in ran.err
    assert command("show", "hal-04493396").code == 0
    (source,) = json.loads(command("status", "--format", "json").out)["sources"]
    assert [one["identifier"] for one in source["withheld"]] == ["oai:HAL:hal-02737739v1"]
    assert "announced but not given: oai:HAL:hal-02737739v1" in command("status").out
