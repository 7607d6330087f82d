"""``halmirror renormalise`` on mirrors that an older halmirror has harvested."""

import hashlib
import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from conftest import CommandLine, Ran, is_running
from halmirror.crosswalks import RULES_VERSION
from halmirror.store.database import WriteLock
from older_rules import harvest_here, older_rules
from recorded_endpoint import RECORDED, RecordedEndpoint

FORMATS = ("jsonl", "oai_dc", "bibtex", "source")

# The real command with batches of ten, one of which is followed by a signal to itself.
CUT = """
import os, signal, sys
from halmirror import cli
from halmirror.care import renormalise
from halmirror.store import renewal
renormalise.renormalise.__kwdefaults__["batch"] = 10
renormalise._WORTH_WORKERS = 0
keep, kept, by = renewal.RenewalLog.keep, [], getattr(signal, sys.argv.pop(1))
def keep_and_cut(log, *batch):
    keep(log, *batch)
    kept.append(1)
    if len(kept) == 3:
        import multiprocessing
        print(*(one.pid for one in multiprocessing.active_children()), file=sys.stderr, flush=True)
        os.kill(os.getpid(), by)
renewal.RenewalLog.keep = keep_and_cut
cli.main()
"""


@pytest.fixture
def old(halmirror: CommandLine) -> CommandLine:
    """A mirror whose 73 records older rules have normalised."""
    with older_rules():
        harvest_here(halmirror.folder)
    return halmirror


def exports(command: CommandLine) -> list[str]:
    return [command("export", "--format", one).out for one in FORMATS]


def tables(command: CommandLine) -> dict[str, list[Any]]:
    """What the mirror knows of the source's past."""
    connection = sqlite3.connect(command.mirror)
    found = {
        name: connection.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall()  # noqa: S608
        for name in ("commit", "state", "document", "set_spec", "datestamp_note", "stream")
    }
    found["content"] = connection.execute(
        "SELECT id, document, version, digest, prefix FROM content ORDER BY id"
    ).fetchall()
    connection.close()
    return found


def rules_held(command: CommandLine) -> dict[int, int]:
    connection = sqlite3.connect(command.mirror)
    found = dict(connection.execute("SELECT rules, count(*) FROM content GROUP BY rules"))
    connection.close()
    return found


def identifiers(command: CommandLine) -> list[Any]:
    connection = sqlite3.connect(command.mirror)
    found = connection.execute(
        "SELECT scheme, value, local_id FROM identifier i JOIN document d ON d.id = i.document "
        "ORDER BY 1, 2, 3"
    ).fetchall()
    connection.close()
    return found


def file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def cut(command: CommandLine, by: str, *arguments: str) -> Ran:
    done = subprocess.run(
        [sys.executable, "-c", CUT, by, *arguments],
        cwd=command.folder,
        env=command.environment(),
        capture_output=True,
        timeout=120,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def test_afterwards_the_mirror_is_as_if_harvested_today(
    old: CommandLine, harvested: CommandLine
) -> None:
    assert exports(old) != exports(harvested)
    before = tables(old)
    ran = old("renormalise")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("hal: 73 normalised again, 73 changed, 0 failed\n")
    assert exports(old) == exports(harvested)
    assert identifiers(old) == identifiers(harvested)
    assert tables(old) == before
    assert rules_held(old) == {RULES_VERSION: 73}
    for query in ("lexicographie", "author:Romary", "year:2018", "type:ART", "10.9999/of-old"):
        found = [
            one("search", query, "--format", "json", "--facets", "--sort", "newest").out
            for one in (old, harvested)
        ]
        assert found[0] == found[1]


def test_search_finds_by_new_words_and_by_no_old_one(old: CommandLine) -> None:
    def total(query: str) -> int:
        return int(json.loads(old("search", query, "--format", "json").out)["total"])

    assert total("zyzzyva") == 73
    assert total("year:1901") == 73
    assert total("subject:sensibilité") == 0
    assert old("show", "10.9999/of-old").code == 0
    old("renormalise")
    assert total("zyzzyva") == 0
    assert total("year:1901") == 0
    assert total("subject:sensibilité") > 0
    assert old("show", "10.9999/of-old").code == 1
    connection = sqlite3.connect(old.mirror)
    connection.execute("INSERT INTO search_text (search_text) VALUES ('integrity-check')")
    terms = "CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, search_text, row)"
    connection.execute(terms)
    assert connection.execute("SELECT * FROM terms WHERE term = 'zyzzyva'").fetchall() == []
    connection.close()


def test_the_past_is_the_sources_and_shown_by_todays_rules(
    halmirror: CommandLine, endpoint: RecordedEndpoint
) -> None:
    with older_rules():
        harvest_here(halmirror.folder)
        record = endpoint.record("oai:HAL:hal-04493396v1")
        endpoint.remove(record.identifier)
        changed = record.edited("Les contrats", "Deux contrats").stamped("2026-11-19")
        endpoint.records.append(changed)
        harvest_here(halmirror.folder)
    assert halmirror("renormalise").code == 0
    then, now = (
        json.loads(halmirror("show", "hal-04493396", "--format", "json", *at).out)
        for at in (("--as-of", "1"), ())
    )
    assert then["titles"][0]["value"].startswith("Les contrats à impact social")
    assert now["titles"][0]["value"].startswith("Deux contrats à impact social")
    assert (then["datestamp"], now["datestamp"]) == ("2024-03-07", "2026-11-19")
    again = halmirror("harvest", "--full")
    assert "hal: 0 new, 0 changed" in again.out


def test_a_dry_run_tells_the_same_and_writes_nothing(old: CommandLine) -> None:
    before = file_digest(old.mirror)
    dry = old("renormalise", "--dry-run", "--format", "json")
    assert dry.code == 0, dry.err
    assert file_digest(old.mirror) == before
    told = json.loads(dry.out)
    done = json.loads(old("renormalise", "--format", "json").out)
    assert told.pop("dry_run") is True
    assert done.pop("dry_run") is False
    assert told == done
    assert rules_held(old) == {RULES_VERSION: 73}


def test_what_changed_is_told_by_key_with_samples(old: CommandLine) -> None:
    ran = old("renormalise", "--dry-run", "--samples", "1", "hal")
    lines = ran.out.splitlines()
    assert lines[0] == "hal: 73 would be normalised again, 73 would be changed, 0 failed"
    assert "  titles: 73 changed" in lines
    at = lines.index("  date: 73 changed")
    assert lines[at + 1] == '    anses-01067498v1: "1901-02-03" → "2014"'
    at = lines.index("  identifiers: 20 changed, 53 removed")
    assert lines[at + 1] == '    anses-01067498v1: {"doi":["10.9999/of-old"]} → nothing'
    (source,) = json.loads(old("renormalise", "--format", "json").out)["sources"]
    assert source["name"] == "hal"
    assert source["keys"]["titles"]["changed"] == 73
    names = [sample["id"] for sample in source["keys"]["titles"]["samples"]]
    assert len(names) == 3
    assert names == sorted(names)
    assert all("Zyzzyva" in one["before"] for one in source["keys"]["titles"]["samples"])
    assert not any("Zyzzyva" in one["after"] for one in source["keys"]["titles"]["samples"])


def test_a_mirror_of_todays_rules_is_not_written_to(harvested: CommandLine, tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    command.configure("http://127.0.0.1:9/")
    command.mirror.parent.mkdir()
    command.mirror.write_bytes(harvested.mirror.read_bytes())
    before = file_digest(command.mirror)
    ran = command("renormalise")
    assert ran.code == 0, ran.err
    assert ran.out == "hal: 0 normalised again, 0 changed, 0 failed\n"
    assert file_digest(command.mirror) == before
    assert len(json.loads(command("status", "--format", "json").out)["runs"]) == 1
    every = command("renormalise", "--all")
    assert every.out == "hal: 73 normalised again, 0 changed, 0 failed\n"
    assert exports(command) == exports(harvested)


@pytest.mark.parametrize("every", [(), ("--all",)])
def test_killed_in_the_middle_it_goes_on(
    old: CommandLine, harvested: CommandLine, every: tuple[str, ...]
) -> None:
    ran = cut(old, "SIGKILL", "renormalise", "--processes", "1", *every)
    assert ran.code == -signal.SIGKILL
    assert rules_held(old) == {0: 43, RULES_VERSION: 30}
    again = old("renormalise", *every)
    assert again.code == 0, again.err
    assert again.out.startswith("hal: 43 normalised again, 43 changed, 0 failed\n")
    assert exports(old) == exports(harvested)
    assert identifiers(old) == identifiers(harvested)
    connection = sqlite3.connect(old.mirror)
    marks = connection.execute("SELECT name FROM derived ORDER BY name").fetchall()
    connection.close()
    assert marks == [("content",), ("copy",), ("renewed at",), ("state",)]


def test_no_worker_outlives_a_killed_run(old: CommandLine, harvested: CommandLine) -> None:
    ran = cut(old, "SIGKILL", "renormalise", "--processes", "2")
    assert ran.code == -signal.SIGKILL
    workers = [int(pid) for pid in ran.err.split()]
    assert len(workers) == 2
    while any(is_running(pid) for pid in workers):  # the test's time-out is the suite's
        time.sleep(0.01)
    assert old("renormalise").code == 0
    assert exports(old) == exports(harvested)


@pytest.mark.parametrize("by", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_signal_ends_it_after_a_batch(
    old: CommandLine, harvested: CommandLine, by: str, processes: str
) -> None:
    ran = cut(old, by, "renormalise", "--processes", processes)
    assert ran.code == 130, ran.err
    assert "interrupted; the next run goes on from here" in ran.err
    assert "Traceback" not in ran.err
    assert ran.out.startswith("hal: 30 normalised again, 30 changed, 0 failed\n")
    assert rules_held(old) == {0: 43, RULES_VERSION: 30}
    assert old("renormalise").out.startswith("hal: 43 normalised again")
    assert exports(old) == exports(harvested)
    runs = json.loads(old("status", "--format", "json").out)["runs"]
    assert [run["outcome"] for run in runs] == ["done", "interrupted", "done"]


def test_one_at_a_time(old: CommandLine) -> None:
    lock = WriteLock(old.mirror)
    lock.acquire()
    try:
        ran = old("renormalise")
        assert ran.code == 4
        assert "another run holds the mirror" in ran.err
        assert old("renormalise", "--dry-run").code == 0
    finally:
        lock.release()


def test_status_and_harvest_say_that_it_is_time(old: CommandLine) -> None:
    words = "73 contents normalised by older rules: run 'halmirror renormalise'"
    assert words in old("status").out.splitlines()
    assert json.loads(old("status", "--format", "json").out)["older_rules"] == 73
    ran = old("harvest")
    assert ran.code == 0
    assert ran.err.count("run 'halmirror renormalise'") == 1
    assert rules_held(old) == {0: 73}
    old("renormalise")
    assert "older rules" not in old("status").out
    assert json.loads(old("status", "--format", "json").out)["older_rules"] == 0
    assert "renormalise" not in old("harvest").err


def test_only_the_sources_named(old: CommandLine, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with RecordedEndpoint(RECORDED) as endpoint, older_rules():
        (other / "config.toml").write_text(
            f'[mirror]\npath = "{old.mirror}"\n[[source]]\nname = "portal"\n'
            f'base_url = "{endpoint.url}"\n',
            encoding="utf-8",
        )
        harvest_here(other)
    ran = old("renormalise", "portal")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("portal: 73 normalised again, 73 changed")
    assert rules_held(old) == {0: 73, RULES_VERSION: 73}
    ran = old("renormalise")
    assert ran.out.startswith("hal: 73 normalised again, 73 changed")
    assert "portal: 0 normalised again" in ran.out
    assert rules_held(old) == {RULES_VERSION: 146}
    unknown = old("renormalise", "nowhere")
    assert unknown.code == 2
    assert "there is no source 'nowhere'; there are: hal, portal" in unknown.err


def test_without_a_mirror_it_says_so(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    command.configure("http://127.0.0.1:9/")
    ran = command("renormalise")
    assert ran.code == 1
    assert "there is no mirror" in ran.err
    assert not command.mirror.exists()


def test_what_fails_keeps_its_former_form_and_is_named(old: CommandLine) -> None:
    from halmirror.frame import Codec

    connection = sqlite3.connect(old.mirror)
    (number, frame) = connection.execute(
        "SELECT c.id, c.frame FROM content c JOIN document d ON d.id = c.document "
        "WHERE d.local_id = 'hal-04493396'"
    ).fetchone()
    body = Codec().open(frame).body
    connection.execute(
        "UPDATE content SET frame = ? WHERE id = ?", (Codec().pack(b"<no xml", body), number)
    )
    connection.commit()
    connection.close()
    for looked_at in (73, 1):
        ran = old("renormalise")
        assert ran.code == 3
        assert ran.out.startswith(f"hal: {looked_at} normalised again, ")
        assert ", 1 failed\n" in ran.out
        assert "hal-04493396v1 keeps its former form: XMLSyntaxError: " in ran.err
        shown = json.loads(old("show", "hal-04493396", "--format", "json").out)
        assert shown["titles"][0]["value"].startswith("Zyzzyva Les contrats")
    failed = json.loads(old("renormalise", "--format", "json").out)["sources"][0]["failures"]
    assert [one["id"] for one in failed] == ["hal-04493396v1"]
    assert json.loads(old("search", "zyzzyva", "--format", "json").out)["total"] == 1
