"""Forgetting: after it, no byte of the file has a word of the record, and none comes back."""

import contextlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

from conftest import CommandLine
from faulty_server import FaultyEndpoint, damaged, data, held

RECORD = "oai:HAL:hal-04493396v1"
WORDS = ("Zyzzyvaquux", "Qwxyzforgotten", "Wjkpqsecret")
REASON = "court order 26/1"


def secret(endpoint: FaultyEndpoint) -> None:
    """Words that no other record has, in the title, a name and the abstract of one record."""
    record = endpoint.record(RECORD)
    record = record.edited("</dc:title>", f" {WORDS[0]}</dc:title>", count=1)
    record = record.edited("<dc:creator>", f"<dc:creator>{WORDS[1]}, ", count=1)
    xml = f'<dc:description xml:lang="fr">{WORDS[2]} {WORDS[2]}</dc:description>'
    endpoint.replace(record.edited("</oai_dc:dc>", f"{xml}</oai_dc:dc>"))


def anywhere(command: CommandLine) -> list[str]:
    """The words that stand in any byte of any file, plain or in any frame or dictionary."""
    texts = [path.read_bytes() for path in sorted(command.mirror.parent.iterdir())]
    with contextlib.closing(sqlite3.connect(f"file:{command.mirror}?mode=ro", uri=True)) as file:
        texts += [row[0] for row in file.execute("SELECT bytes FROM dictionary")]
        dictionaries = {
            number: zstandard.ZstdCompressionDict(one)
            for number, one in file.execute("SELECT id, bytes FROM dictionary")
        }
        for (frame,) in file.execute("SELECT frame FROM content"):
            number = zstandard.get_frame_parameters(frame).dict_id
            opener = zstandard.ZstdDecompressor(dictionaries.get(number))
            texts.append(opener.decompress(frame))
    whole = b"\n".join(texts).lower()
    return [word for word in WORDS if word.lower().encode() in whole]


@pytest.fixture
def endpoint() -> "FaultyEndpoint":
    with FaultyEndpoint(page_size=26) as running:
        secret(running)
        yield running


@pytest.fixture
def command(tmp_path: Path, endpoint: FaultyEndpoint) -> CommandLine:
    made = CommandLine(tmp_path)
    made.configure(endpoint.url)
    assert made("harvest").code == 0
    # A second state of the same record, so that there is a past to forget.
    changed = endpoint.record(RECORD).edited("</dc:title>", " encore</dc:title>", count=1)
    endpoint.replace(changed)
    assert made("harvest", "--full").code == 0
    assert f"{WORDS[2]}" in made("show", "hal-04493396").out
    return made


def test_no_byte_of_the_file_has_a_word_of_it(command: CommandLine) -> None:
    # SQLite's pages hold the index's words in the clear, and frames hold the rest.
    assert anywhere(command) == list(WORDS)
    ran = command("forget", "hal-04493396", "--reason", REASON)
    assert (ran.code, ran.out) == (0, "hal-04493396: forgotten\n"), ran.err
    assert anywhere(command) == []
    assert command("search", WORDS[0], "--format", "ids").out == ""
    assert command("doctor", "--deep").code == 0
    assert len(command("export", "--format", "jsonl").out.splitlines()) == 72
    assert "Zyzzyva" not in command("export", "--format", "jsonl", "--as-of", "1").out


def test_a_tombstone_stays_with_the_reason(command: CommandLine) -> None:
    command("forget", "hal-04493396", "--reason", REASON)
    shown = json.loads(command("show", "hal-04493396", "--format", "json").out)
    assert (shown["id"], shown["status"]) == ("hal-04493396", "deleted")
    assert "titles" not in shown
    assert command("show", "hal-04493396").code == 0
    assert "deleted" in command("show", "hal-04493396", "--history").out
    assert command("show", "hal-04493396", "--as-of", "1").code == 0
    with contextlib.closing(sqlite3.connect(command.mirror)) as file:
        told = file.execute("SELECT local_id, reason FROM forgotten").fetchall()
    assert told == [("hal-04493396", REASON)]


def test_no_later_harvest_brings_it_back(command: CommandLine, endpoint: FaultyEndpoint) -> None:
    command("forget", "hal-04493396", "--reason", REASON)
    endpoint.replace(endpoint.record(RECORD).edited(WORDS[0], f"{WORDS[0]} toujours", count=1))
    for arguments in (["harvest"], ["harvest", "--full"], ["reconcile"], ["renormalise", "--all"]):
        ran = command(*arguments)
        assert ran.code == 0, ran.err
        assert anywhere(command) == []
    assert set(held(command)) == set(endpoint.truth()) - {RECORD}
    assert command("status", "--check").code == 0
    # Not in quarantine either, where it comes broken.
    endpoint.plan(damaged(b"&hellip;", RECORD), data)
    assert command("harvest", "--full").code == 0
    assert anywhere(command) == []


def test_what_stood_in_quarantine_goes_too(tmp_path: Path, endpoint: FaultyEndpoint) -> None:
    command = CommandLine(tmp_path)
    command.configure(endpoint.url)
    assert command("harvest").code == 0
    endpoint.plan(damaged(b"&hellip;", RECORD), data)
    assert command("harvest", "--full").code == 3
    assert command("forget", "hal-04493396", "--reason", REASON).code == 0
    assert command("quarantine", "list").out == "nothing is in quarantine\n"
    assert anywhere(command) == []


def test_numbers_of_contents_that_are_given_again_are_indexed(
    tmp_path: Path, endpoint: FaultyEndpoint
) -> None:
    """The record is the newest content of the mirror; the next one takes its number."""
    command = CommandLine(tmp_path)
    last = endpoint.record(RECORD)
    endpoint.remove(RECORD)
    command.configure(endpoint.url)
    assert command("harvest").code == 0
    endpoint.replace(last)
    assert command("harvest", "--full").code == 0
    assert command("forget", "hal-04493396", "--reason", REASON).code == 0
    later = endpoint.records[4].edited("</dc:title>", " Erewhonquux</dc:title>", count=1)
    endpoint.replace(later)
    assert command("harvest", "--full").code == 0
    assert len(command("search", "Erewhonquux", "--format", "ids").out.split()) == 1
    assert command("doctor", "--deep").code == 0


SMALL = """
import sys
from halmirror import cli
from halmirror.store import dictionaries
dictionaries.SAMPLES = 40
dictionaries._BYTES = 8192
cli.main()
"""


def small(command: CommandLine, *arguments: str) -> None:
    """Run a command with dictionaries after 40 records already, so that any may be a sample."""
    done = subprocess.run(
        [sys.executable, "-c", SMALL, *arguments],
        cwd=command.folder, env=command.environment(), capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def dictionaries(command: CommandLine) -> list[int]:
    with contextlib.closing(sqlite3.connect(command.mirror)) as file:
        return [number for (number,) in file.execute("SELECT id FROM dictionary")]


def test_a_dictionary_that_may_quote_it_is_made_anew(
    tmp_path: Path, endpoint: FaultyEndpoint
) -> None:
    command = CommandLine(tmp_path)
    command.configure(endpoint.url)

    small(command, "harvest")
    others = json.loads(command("show", "hal-02737739", "--format", "json").out)
    query = "SELECT id FROM dictionary"
    with contextlib.closing(sqlite3.connect(command.mirror)) as file:
        before = file.execute(query).fetchall()
    small(command, "forget", "hal-04493396", "--reason", REASON)
    with contextlib.closing(sqlite3.connect(command.mirror)) as file:
        after = file.execute(query).fetchall()
        frames = file.execute("SELECT frame FROM content").fetchall()
    assert len(before) == len(after) == 1
    assert before != after
    used = {zstandard.get_frame_parameters(frame).dict_id for (frame,) in frames}
    assert used <= {0, after[0][0]}
    assert after[0][0] in used
    assert anywhere(command) == []
    assert json.loads(command("show", "hal-02737739", "--format", "json").out) == others
    assert command("doctor", "--deep").code == 0


LAST = "inria-00099546"
"""The record of the last page, which comes after the dictionary was trained."""


def test_of_two_records_each_costs_its_dictionary(tmp_path: Path, endpoint: FaultyEndpoint) -> None:
    """The second is no sample, which says nothing of the first."""
    command = CommandLine(tmp_path)
    command.configure(endpoint.url)
    small(command, "harvest")
    (before,) = dictionaries(command)
    small(command, "forget", "hal-04493396", LAST, "--reason", REASON)
    assert before not in dictionaries(command)
    assert anywhere(command) == []
    assert command("doctor", "--deep").code == 0


def test_what_is_forgotten_after_a_run_was_cut_leaves_every_record_readable(
    tmp_path: Path, endpoint: FaultyEndpoint
) -> None:
    """The dictionary that the cut run trained may quote what is forgotten next."""
    command = CommandLine(tmp_path)
    command.configure(endpoint.url)
    small(command, "harvest")
    for record, cut in (("hal-02737739", True), ("hal-04493396", False)):
        script = f"{TRAINED}\n{SMALL}" if cut else SMALL
        done = subprocess.run(
            [sys.executable, "-c", script, "forget", record, "--reason", REASON],
            cwd=tmp_path, env=command.environment(), check=False,
        )  # fmt: skip
        assert done.returncode == (-9 if cut else 0)
        assert len(dictionaries(command)) == (2 if cut else 1)
    assert anywhere(command) == []
    assert len(command("export", "--format", "jsonl").out.splitlines()) == 71
    assert command("doctor", "--deep").code == 0


TRAINED = """
import os, signal
from halmirror.store import forgetting
forgetting._repacked = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""

CUT = """
import os, signal, sys
from halmirror import cli
from halmirror.care import forgetting
forgetting.scrub = lambda _: os.kill(os.getpid(), signal.SIGKILL)
cli.main()
"""


def test_a_run_that_was_killed_is_finished_by_the_next(command: CommandLine) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", CUT, "forget", "hal-04493396", "--reason", REASON],
        cwd=command.folder, env=command.environment(), check=False,
    )  # fmt: skip
    assert killed.returncode == -9
    assert "titles" not in command("show", "hal-04493396", "--format", "json").out
    told = command("doctor")
    assert told.code == 1
    assert "bytes of a forgotten record may still stand in it" in told.out
    ran = command("forget")
    assert (ran.code, ran.out) == (0, "what an earlier run left was cleared\n"), ran.err
    assert anywhere(command) == []
    assert command("doctor", "--deep").code == 0


def test_a_reader_that_holds_former_pages_is_told(command: CommandLine) -> None:
    with contextlib.closing(sqlite3.connect(command.mirror)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM content").fetchone()
        ran = command("forget", "hal-04493396", "--reason", REASON)
        assert ran.code == 4
        assert "a reader still holds pages of before" in ran.err
    assert command("forget").code == 0
    assert anywhere(command) == []


def test_what_cannot_be_is_refused_and_nothing_forgotten(command: CommandLine) -> None:
    for arguments, code, told in (
        (["forget", "hal-04493396"], 2, "say it with --reason"),
        (["forget", "hal-04493396", "--reason", "  "], 2, "say it with --reason"),
        (["forget", "hal-04493396", "hal-99999999", "--reason", "x"], 1, "nothing was forgotten"),
    ):
        ran = command(*arguments)
        assert ran.code == code
        assert told in ran.err
    assert WORDS[0] in command("show", "hal-04493396").out
    assert command("forget", "hal-04493396v1", "--reason", REASON).code == 0
    again = command("forget", "hal-04493396", "--reason", REASON)
    assert (again.code, again.out) == (0, "hal-04493396: had been forgotten before\n")
