"""Backup and doctor: copies that are whole; damage that is found, named and mended if it can be."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import CommandLine
from faulty_server import FaultyEndpoint, held

FORMATS = ("jsonl", "oai_dc", "bibtex")


def exports(command: CommandLine) -> list[str]:
    return [command("export", "--format", one).out for one in FORMATS]


@pytest.fixture
def copy(harvested: CommandLine, tmp_path: Path) -> CommandLine:
    """A mirror of the 73 recorded records, to be damaged."""
    command = CommandLine(tmp_path)
    shutil.copytree(harvested.mirror.parent, command.mirror.parent)
    shutil.copy(harvested.folder / "config.toml", tmp_path)
    return command


def change(command: CommandLine, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(command.mirror)) as file, file:
        for statement in statements:
            file.execute(statement)


# -- backup ---------------------------------------------------------------------------------


def test_a_backup_is_the_mirror_in_one_file_that_opens_in_a_folder_nobody_may_write(
    harvested: CommandLine, tmp_path: Path
) -> None:
    folder = tmp_path / "shelf"
    folder.mkdir()
    target = folder / "backup.sqlite"
    ran = harvested("backup", str(target))
    assert ran.code == 0, ran.err
    assert ran.out.startswith(f"{target}: ")
    assert [one.name for one in folder.iterdir()] == ["backup.sqlite"]
    with contextlib.closing(sqlite3.connect(target)) as file:
        assert file.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    target.chmod(0o444)
    folder.chmod(0o555)
    restored = CommandLine(tmp_path / "elsewhere")
    restored.folder.mkdir()
    (restored.folder / "config.toml").write_text(f'[mirror]\npath = "{target}"\n')
    assert exports(restored) == exports(harvested)
    assert restored("doctor", "--deep").code == 0
    assert [one.name for one in folder.iterdir()] == ["backup.sqlite"]


def test_a_backup_overwrites_nothing(harvested: CommandLine, tmp_path: Path) -> None:
    target = tmp_path / "mine.txt"
    target.write_text("mine")
    ran = harvested("backup", str(target))
    assert ran.code == 1
    assert ran.err == f"halmirror: {target} is there already; name a new file\n"
    assert target.read_text() == "mine"
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    assert harvested("backup", str(dangling)).code == 1
    assert not (tmp_path / "nowhere").exists()


def test_a_backup_to_nowhere_is_one_line(harvested: CommandLine, tmp_path: Path) -> None:
    ran = harvested("backup", str(tmp_path / "no" / "folder.sqlite"))
    assert ran.code == 1
    assert len(ran.err.splitlines()) == 1
    assert "No such file or directory" in ran.err


def test_a_backup_while_a_harvest_runs_is_one_moment_of_it(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with FaultyEndpoint(page_size=3, lag=0.05) as endpoint:
        command.configure(endpoint.url)
        running = command.start("harvest")
        while len(endpoint.lists()) < 5:
            time.sleep(0.02)
        made = command("backup", "during.sqlite")
        _, err = running.communicate(timeout=60)
        assert running.returncode == 0, err
        assert made.code == 0, made.err
        whole = held(command)
        assert whole == endpoint.truth()
    (tmp_path / "config.toml").write_text('[mirror]\npath = "during.sqlite"\n')
    part = held(command)
    assert 3 <= len(part) < 73
    assert part.items() <= whole.items()
    assert len(part) % 3 == 0  # whole pages only


KILLED = """
import os, signal, sys
from halmirror import cli
from halmirror.care import backup
def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)
backup._checked = killed
cli.main()
"""


def test_a_killed_backup_leaves_no_file_of_that_name_and_the_next_one_is_whole(
    harvested: CommandLine, tmp_path: Path
) -> None:
    target = tmp_path / "backup.sqlite"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, "backup", str(target)],
        cwd=harvested.folder, env=harvested.environment(), check=False,
    )  # fmt: skip
    assert killed.returncode == -9
    assert not target.exists()
    assert len(list(tmp_path.iterdir())) == 1
    assert harvested("backup", str(target)).code == 0
    assert [one.name for one in tmp_path.iterdir()] == ["backup.sqlite"]


def test_a_log_in_a_folder_nobody_may_write_is_named(copy: CommandLine) -> None:
    folder = copy.mirror.parent
    log = copy.mirror.with_name("mirror.sqlite-wal")
    with contextlib.closing(sqlite3.connect(copy.mirror)) as file, file:
        file.execute("UPDATE run SET outcome = 'done'")
        file.commit()
        held = log.read_bytes()
    log.write_bytes(held)  # as a bare copy of the live file has it
    folder.chmod(0o555)
    # Root may write everywhere, unless it gives that up.
    as_others = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    ran = subprocess.run(
        [*as_others, *copy.command("search", "social")],
        cwd=copy.folder, env=copy.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    folder.chmod(0o755)
    assert ran.returncode == 1
    assert "in the log beside it (mirror.sqlite-wal)" in ran.stderr
    assert "'halmirror backup'" in ran.stderr


# -- doctor ---------------------------------------------------------------------------------


def test_a_whole_mirror_is_well(harvested: CommandLine) -> None:
    ran = harvested("doctor", "--deep")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("73 contents read\nall is well\n")
    quick = json.loads(harvested("doctor", "--format", "json").out)
    assert quick["faults"] == []
    assert quick["contents_read"] is False
    assert quick["looked_at"]["states"] == 73


MENDED = {
    "a content has no entry": ("DELETE FROM entry WHERE content = 5", False),
    "words of no content": (
        "INSERT INTO search_text (rowid, title) VALUES (999, 'zyzzyva')",
        False,
    ),
    "a bitmap cannot be read": ("UPDATE facet SET bits = x'0102' WHERE kind = 'status'", False),
    "a bitmap does not agree with the records: status": (
        "UPDATE facet SET value = 'withdrawn' WHERE kind = 'status'",
        False,
    ),
    "a bitmap does not agree with the records: type": (
        "DELETE FROM facet WHERE kind = 'type' AND value = 'ART'",
        True,
    ),
    "a bitmap does not agree with the records: set": (
        "DELETE FROM facet WHERE kind = 'set' AND value = 'type:ART'",
        True,
    ),
    "an entry tells another record": ("UPDATE entry SET title = 'Zyzzyva'", True),
    "look-up does not know an identifier": ("DELETE FROM identifier", True),
    "its words are not those of the records: as 'zyzzyva'": (
        "INSERT INTO search_text (rowid, title) VALUES (5, 'zyzzyva')",
        True,
    ),
    "its words cannot be read: ": ("DELETE FROM search_text_data WHERE id > 1000000", True),
    "it is marked as outdated": ("INSERT INTO derived VALUES ('outdated', 1)", False),
}


@pytest.mark.parametrize("fault", MENDED)
def test_what_is_derived_is_found_wrong_and_made_again(
    copy: CommandLine, harvested: CommandLine, fault: str
) -> None:
    statement, deep = MENDED[fault]
    change(copy, statement)
    more = ["--deep"] if deep else []
    ran = copy("doctor", *more)
    assert ran.code == 1
    assert fault in ran.out
    assert f"'halmirror doctor {'--deep ' if deep else ''}--repair' mends it" in ran.out
    assert copy("doctor", *more).out == ran.out  # looking changes nothing
    mended = copy("doctor", "--repair", *more)
    assert mended.code == 0, mended.out
    assert "repaired: " in mended.out
    assert copy("doctor", "--deep").code == 0
    for arguments in (
        ["search", "type:ART", "--facets"], ["search", "social set:type:ART"],
        ["show", "10.1016/j.engfracmech.2017.05.006"],
    ):  # fmt: skip
        assert copy(*arguments).out == harvested(*arguments).out
    assert exports(copy) == exports(harvested)


def rewrite(command: CommandLine, source: bool) -> None:
    """Damage one content's metadata, or its normalised form, in a frame that opens."""
    from halmirror.frame import Codec

    with contextlib.closing(sqlite3.connect(command.mirror)) as file, file:
        (frame,) = file.execute("SELECT frame FROM content WHERE id = 7").fetchone()
        opened = Codec().open(frame)
        damaged = (
            Codec().pack(opened.source.replace(b"<dc:title", b"<dc:titel", 1), opened.body)
            if source
            else Codec().pack(opened.source, b'{"titles": 7')
        )
        file.execute("UPDATE content SET frame = ? WHERE id = 7", (damaged,))


def test_a_normalised_form_that_cannot_be_read_is_made_again(
    copy: CommandLine, harvested: CommandLine
) -> None:
    rewrite(copy, source=False)
    assert copy("doctor").code == 0  # it opened no content, and says so
    ran = copy("doctor", "--deep")
    assert ran.code == 1
    assert "the normalised form cannot be read" in ran.out
    assert copy("doctor", "--deep", "--repair").code == 0
    assert exports(copy) == exports(harvested)


def test_metadata_that_are_not_what_their_hash_says_are_named_and_left(copy: CommandLine) -> None:
    rewrite(copy, source=True)
    for arguments in (["doctor", "--deep"], ["doctor", "--deep", "--repair"]):
        ran = copy(*arguments)
        assert ran.code == 1
        assert "the metadata are not what their hash says" in ran.out
        assert "(a backup has it)" in ran.out


def test_a_frame_that_cannot_be_opened_is_named(copy: CommandLine) -> None:
    change(copy, "UPDATE content SET frame = x'00' WHERE id = 7")
    ran = copy("doctor", "--deep")
    assert ran.code == 1
    assert "the metadata cannot be opened: " in ran.out


HISTORY = {
    "a version has two states at once": (
        "INSERT INTO state (document, version, content, datestamp, sets, status, first_seq, run) "
        "SELECT document, version, content, datestamp, sets, status, first_seq, run FROM state "
        "WHERE id = 3"
    ),
    "a state ends before it begins": "UPDATE state SET end_seq = 0 WHERE id = 3",
    "a state has another record's content": "UPDATE state SET content = 9 WHERE id = 3",
    "an active version has no content": "UPDATE state SET content = NULL WHERE id = 3",
    "a row of state refers to no document": "UPDATE state SET document = 9999 WHERE id = 3",
}


@pytest.mark.parametrize("fault", HISTORY)
def test_a_history_that_contradicts_itself_is_named(copy: CommandLine, fault: str) -> None:
    change(copy, HISTORY[fault])
    ran = copy("doctor")
    assert ran.code == 1
    assert f"{fault}: " in ran.out


def test_many_faults_of_a_kind_are_counted(copy: CommandLine) -> None:
    change(copy, "DELETE FROM entry")
    ran = copy("doctor")
    assert ran.out.count("a content has no entry: content") == 20
    assert "a content has no entry: and 53 more" in ran.out


def test_a_damaged_file_is_told_in_words(copy: CommandLine) -> None:
    size = copy.mirror.stat().st_size
    with copy.mirror.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * 40_000)
    ran = copy("doctor", "--deep")
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert "damage" in ran.out + ran.err


def test_repairing_waits_for_no_other_writer(copy: CommandLine) -> None:
    from halmirror.store.database import WriteLock

    change(copy, "DELETE FROM entry")
    lock = WriteLock(copy.mirror)
    lock.acquire()
    try:
        ran = copy("doctor", "--repair")
    finally:
        lock.release()
    assert ran.code == 4
    assert copy("doctor").code == 1
