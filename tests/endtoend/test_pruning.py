"""``history prune`` by the real command: what it says, that it can be killed, what follows it."""

import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import CommandLine
from deliveries import Delivery, Filling
from halmirror.store.writer import Writer

MANY = 2500
"""Records that change once: pruning them takes several transactions."""


def later(command: CommandLine) -> dict[str, str]:
    """What every reader of the mirror gives as of the third day and now."""
    found = {
        " ".join(arguments): command(*arguments)
        for arguments in (
            ("export", "--format", "jsonl", "--status", "all"),
            ("export", "--format", "oai_dc", "--status", "all"),
            ("export", "--format", "jsonl", "--status", "all", "--as-of", "2024-05-03"),
            ("search", "words", "--format", "ids", "--as-of", "2024-05-03"),
            ("show", "hal-00000001", "--format", "json", "--as-of", "2024-05-03"),
            ("changes", "--since", "2024-05-03", "--format", "jsonl"),
        )
    }
    assert {ran.code for ran in found.values()} == {0}
    return {name: ran.out for name, ran in found.items()}


@pytest.fixture
def lived(tmp_path: Path) -> CommandLine:
    """Four days of three records, one of which was deleted on the second."""
    command = CommandLine(tmp_path)
    command.configure("http://127.0.0.1:9/")
    command.mirror.parent.mkdir()
    live(command.mirror)
    return command


def live(path: Path, days: tuple[int, ...] = (1, 2, 3, 4)) -> None:
    for day in days:
        with Filling(path, day=day) as filling:
            filling.take(
                Delivery(1, title=f"Words of day {day}"),
                Delivery(2, title="Short words", deleted=day > 1),
                Delivery(3, title="Lasting words", datestamp=f"2024-01-0{day}"),
            )


def test_what_is_said_and_what_is_true(lived: CommandLine) -> None:
    before = later(lived)
    held = lived.mirror.read_bytes()
    asked = ("history", "prune", "--before", "2024-05-04")
    ran = lived(*asked, "--dry-run")
    assert (ran.code, ran.err) == (0, "")
    what = "2 states and 2 contents (0.0 MB compressed, their part of the search index besides)"
    since = "commit 3 of 2024-05-03T00:01:00.000Z"
    assert ran.out == (
        f"would go: {what}, 1 datestamps that moved alone\nthe history would begin with {since}\n"
    )
    assert lived.mirror.read_bytes() == held
    ran = lived(*asked)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"gone: {what}, 1 datestamps that moved alone\n"), ran.out
    assert f"\nthe history begins with {since}\n" in ran.out
    assert later(lived) == before
    assert lived("doctor", "--deep").code == 0
    for refused in (
        ("export", "--format", "jsonl", "--as-of", "2024-05-02"),
        ("search", "words", "--as-of", "2024-05-02"),
        ("show", "hal-00000001", "--as-of", "1"),
        ("show", "hal-00000001", "--history", "--as-of", "2024-05-02"),
        ("diff", "hal-00000001", "--from", "2024-05-02"),
        ("changes", "--since", "2024-05-02"),
        ("changes", "--cursor", "2"),
    ):
        ran = lived(*refused)
        assert (ran.code, ran.out) == (1, ""), refused
        assert ran.err == (
            "halmirror: what the mirror held then was pruned: its history begins with "
            f"{since}; ask for that time or a later one\n"
        )
    assert "the history begins 2024-05-03T00:01:00.000Z: what came" in lived("status").out
    told = json.loads(lived("status", "--format", "json").out)
    assert told["history_since"] == "2024-05-03T00:01:00.000Z"
    assert told["runs"][0]["command"] == "history prune"
    shown = lived("show", "hal-00000001", "--history").out
    assert "so already when the history" in shown
    assert shown.endswith("The history begins: 2024-05-03T00:01:00.000Z\n")
    again = json.loads(lived("history", "prune", "--keep-days", "0", "--format", "json").out)
    assert (again["first"], again["states"], again["contents"]) == (4, 1, 1)
    ran = lived("history", "prune", "--keep-days", "0", "--vacuum")
    assert ran.out.startswith("nothing was left to prune\nthe history begins with commit 4 of ")
    assert ran.out.endswith(" MB smaller\n")


def test_only_one_writes(lived: CommandLine) -> None:
    with Writer(lived.mirror, "test"):
        ran = lived("history", "prune", "--before", "2024-05-04")
    assert (ran.code, "another run holds the mirror" in ran.err) == (4, True)
    assert lived("show", "hal-00000001", "--as-of", "2024-05-01").code == 0


def test_wrong_options_are_refused(lived: CommandLine) -> None:
    for wrong, reason in (
        ((), "give --before TIME or --keep-days N"),
        (("--before", "soon"), "'soon' is no time"),
        (("--before", "2024-05-04", "--keep-days", "3"), "give one of them"),
    ):
        ran = lived("history", "prune", *wrong)
        assert (ran.code, reason in ran.err) == (2, True), ran.err


def counts(path: Path) -> tuple[int, int]:
    """States that are no longer current, and whether pruning has ended (2: never begun)."""
    file = sqlite3.connect(path)
    try:
        (former,) = file.execute("SELECT count(*) FROM state WHERE end_seq IS NOT NULL").fetchone()
        (done,) = file.execute("SELECT coalesce(max(finished), 2) FROM pruned").fetchone()
    finally:
        file.close()
    return former, done


def killed_when_below(command: CommandLine, former: int, *arguments: str) -> None:
    """Prune, and end that with SIGKILL once fewer former states are left."""
    process = command.start("history", "prune", *arguments)
    while counts(command.mirror)[0] >= former:
        assert process.poll() is None
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def test_a_killed_run_is_finished_by_the_next(lived: CommandLine) -> None:
    lived.mirror.unlink()
    for day in (1, 2):
        with Filling(lived.mirror, day=day) as filling:
            for start in range(0, MANY, 500):
                numbers = range(start + 1, start + 501)
                filling.take(*(Delivery(n, title=f"Day {day} of words {n}") for n in numbers))
    live(lived.mirror, (3, 4))
    before = later(lived)
    killed_when_below(lived, MANY, "--before", "2024-05-04")
    left, done = counts(lived.mirror)
    assert (left > 3, done) == (True, 0)
    assert "pruning was cut: 'halmirror history prune' finishes it" in lived("status").out
    # What the history keeps is answered as ever, what is half gone not at all.
    assert later(lived) == before
    assert lived("export", "--format", "jsonl", "--as-of", "2024-05-02").code == 1
    assert lived("doctor", "--deep").code == 0
    killed_when_below(lived, 1000)
    assert later(lived) == before
    ran = lived("history", "prune")
    assert (ran.code, "gone: " in ran.out) == (0, True), ran.err
    assert counts(lived.mirror) == (2, 1)
    assert later(lived) == before
    assert lived("doctor", "--deep").code == 0


# -- snapshots ------------------------------------------------------------------------------


def create(command: CommandLine, parent: Path, *more: str) -> Path:
    ran = command("snapshot", "create", str(parent), *more)
    assert ran.code == 0, ran.err
    return Path(ran.out.strip())


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "snapshots"
    folder.mkdir()
    yield folder
    for one in folder.iterdir():
        ran = CommandLine(tmp_path)("snapshot", "verify", str(one))
        assert (ran.code, ran.out) == (0, ""), ran.out + ran.err


def restored(command: CommandLine, folder: Path, *snapshots: Path) -> CommandLine:
    folder.mkdir()
    again = CommandLine(folder)
    again.configure("http://127.0.0.1:9/")
    names = map(str, snapshots)
    ran = again("snapshot", "restore", *names, "--output", str(again.mirror))
    assert ran.code == 0, ran.err
    assert later(again) == later(command)
    assert again("doctor", "--deep").code == 0
    assert again("export", "--format", "jsonl", "--as-of", "2024-05-02").code == 1
    assert counts(again.mirror) == counts(command.mirror)
    return again


def test_a_snapshot_of_a_pruned_mirror_restores_it(
    lived: CommandLine, parent: Path, tmp_path: Path
) -> None:
    assert lived("history", "prune", "--before", "2024-05-04").code == 0
    whole = create(lived, parent)
    assert "Its history begins with commit 3" in (whole / "README.md").read_text()
    again = restored(lived, tmp_path / "again", whole)
    assert (again.folder / "data").exists()
    more = create(again, parent, "--since", str(whole))
    assert json.loads((more / "snapshot.json").read_text())["documents"] == 0


@pytest.mark.parametrize("pruned", ["2024-05-03", "2024-05-04"], ids=["before it", "after it"])
def test_an_increment_goes_on_from_a_snapshot_of_before_pruning(
    lived: CommandLine, parent: Path, tmp_path: Path, pruned: str
) -> None:
    """The whole snapshot is of the second day; the history then begins there, or a day later."""
    lived.mirror.unlink()
    live(lived.mirror, (1, 2))
    whole = create(lived, parent)
    live(lived.mirror, (3, 4))
    assert lived("history", "prune", "--before", pruned).code == 0
    if pruned == "2024-05-03":
        # The first that can be read is the snapshot's own commit.
        assert lived("show", "hal-00000001", "--as-of", "2024-05-02").code == 0
        assert lived("history", "prune", "--before", "2024-05-03T00:01:00.001Z").code == 0
    increment = create(lived, parent, "--since", str(whole))
    restored(lived, tmp_path / "again", increment, whole)
