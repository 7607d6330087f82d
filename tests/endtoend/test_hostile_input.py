"""What people and scripts hand in wrongly, and places that cannot be written: one line each."""

import subprocess
from pathlib import Path

import pytest

from conftest import CommandLine


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("search", "(" * 5000), 2, "nested more than 100"),
        (("search", "NOT " * 3000 + "x"), 0, ""),
        (("search", "x", "--cursor", "WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAsMF0"), 2, "cursor"),
        (("search", "x", "--cursor", "W1tbW1tbW1tb"), 2, "cursor"),
        (("show", "hal-1", "--as-of", "9999-12-31T23:59:59-14:00"), 2, "9999-12-31"),
        (("show", "hal-1v" + "1" * 5000), 1, "no such record"),
        (("search", "--source", "nowhere"), 2, "nowhere"),
        (("search", "--status", "lost"), 2, "lost"),
        (("harvest", "--set", "a b&c"), 2, "--set"),
        (("harvest", "--base-url", "http://"), 2, "--base-url"),
        (("harvest", "--base-url", "http://a\x01b/"), 2, "--base-url"),
        (("--config", "/dev/zero", "status"), 2, "/dev/zero"),
    ],
)
def test_hostile_arguments_are_one_line(
    harvested: CommandLine, arguments: tuple[str, ...], code: int, told: str
) -> None:
    ran = harvested(*arguments)
    assert ran.code == code, ran.err
    assert told in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "("),
        ("search", "--access", "bad"),
        ("search", "--year", "soon"),
        ("search", "x", "--cursor", "junk"),
        ("show", "x", "--as-of", "bogus"),
        ("export", "--format", "nope"),
    ],
)
def test_wrong_usage_is_told_before_the_mirror_is_touched(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    ran = CommandLine(tmp_path)(*arguments)
    assert ran.code == 2, ran.err
    assert "there is no mirror" not in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "hal-04493396"],
        ["search", "the"],
        ["status"],
        ["config", "show"],
        ["export", "--format", "jsonl"],
        ["--help"],
    ],
    ids=" ".join,
)
def test_output_that_cannot_be_written_is_one_line(
    harvested: CommandLine, arguments: list[str]
) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            harvested.command(*arguments),
            cwd=harvested.folder,
            env=harvested.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_fault(harvested: CommandLine) -> None:
    command = " ".join(harvested.command("export", "--format", "jsonl"))
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | head -c 100"],
        cwd=harvested.folder,
        env=harvested.environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""


def test_a_name_too_long_for_a_file(harvested: CommandLine, tmp_path: Path) -> None:
    ran = harvested("export", "--format", "jsonl", "--output", str(tmp_path / ("x" * 300)))
    assert ran.code == 1
    assert "cannot be written" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("arguments", [["show"], ["search", "--set"], ["harvest", "--set"]])
def test_arguments_that_are_no_utf_8(harvested: CommandLine, arguments: list[str]) -> None:
    command = [part.encode() for part in harvested.command(*arguments)] + [b"\xff"]
    done = subprocess.run(
        command,
        cwd=harvested.folder,
        env=harvested.environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in {0, 1, 2}
    assert b"Traceback" not in done.stderr


def test_a_group_without_a_command_says_what_there_is(harvested: CommandLine) -> None:
    for group in ("history", "quarantine", "snapshot", "source", "schedule", "config"):
        ran = harvested(group)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("Usage: ")
        assert f"halmirror {group} [OPTIONS] COMMAND" in ran.err
        assert "\nCommands:\n" in ran.err


def test_what_click_refuses_is_one_sentence(harvested: CommandLine) -> None:
    told = harvested("diff").err
    assert told.startswith("halmirror: Missing argument 'ID'; see '")
    assert told.endswith("halmirror diff --help'\n")
