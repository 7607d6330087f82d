"""What strangers wrote never reaches a terminal raw, and odd places end in one line."""

import json
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from conftest import CommandLine

NASTY = "a\n\tb\x1b[2J\x9b\u202e[red]c"
SHOWN = "a b\\u001b[2J\\u009b\\u202e[red]c"


@pytest.fixture
def nasty(harvested: CommandLine, tmp_path: Path) -> CommandLine:
    """A copy of the harvested mirror in which a stranger wrote whatever is printed."""
    shutil.copytree(harvested.folder, tmp_path, dirs_exist_ok=True)
    command = CommandLine(tmp_path)
    connection = sqlite3.connect(command.mirror)
    connection.execute("UPDATE source SET base_url = ?1, statement = ?1", (NASTY,))
    connection.execute("UPDATE run SET outcome = ?", (NASTY,))
    connection.execute("UPDATE harvest_window SET state = 'open', reason = ?", (NASTY,))
    connection.execute("UPDATE facet SET value = ? WHERE kind = 'type' AND value = 'ART'", (NASTY,))
    connection.execute(
        "UPDATE document SET local_id = ? WHERE local_id = 'hal-04493396'", (f"hal {NASTY}",)
    )
    connection.commit()
    connection.close()
    return command


def _is_clean(text: str) -> bool:
    return not any(ord(one) < 32 or 127 <= ord(one) < 160 or one == "\u202e" for one in text)


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (("status",), (f"hal ({SHOWN})", f"not finished|{SHOWN}")),
        (("search", "--facets", "--limit", "0"), (SHOWN,)),
        (("search", "author:Alix contrats impact", "--format", "ids"), (f"hal {SHOWN}v1",)),
        (("search", "author:Alix contrats impact"), (f"hal {SHOWN}v1",)),
        (
            ("export", "--format", "jsonl", "--output", "out"),
            (f"what the sources ask: hal: {SHOWN}",),
        ),
    ],
)
def test_text_of_strangers_is_printable(
    nasty: CommandLine, arguments: tuple[str, ...], lines: tuple[str, ...]
) -> None:
    ran = nasty(*arguments)
    assert ran.code == 0, ran.err
    told = ran.out + ran.err
    assert all(any(part in told for part in line.split("|")) for line in lines)
    assert all(_is_clean(line) for line in told.split("\n"))


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_json_on_the_command_line_hides_what_a_terminal_obeys(
    nasty: CommandLine, form: str
) -> None:
    ran = nasty("search", "author:Alix contrats impact", "--format", form)
    answer = json.loads(ran.out)
    record = answer["records"][0] if form == "json" else answer
    assert record["id"] == f"hal {NASTY}"
    assert all(_is_clean(line) for line in ran.out.split("\n"))


def test_an_export_keeps_every_character(nasty: CommandLine) -> None:
    out = nasty("export", "--format", "jsonl").out
    assert "\u202e" in out
    assert "\x9b" in out


def test_shown_json_has_the_same_value(nasty: CommandLine) -> None:
    ran = nasty("show", f"hal {NASTY}", "--format", "json")
    assert json.loads(ran.out)["id"] == f"hal {NASTY}"
    assert all(_is_clean(line) for line in ran.out.split("\n"))


def test_identifiers_from_standard_input_that_are_no_utf_8(harvested: CommandLine) -> None:
    done = subprocess.run(
        harvested.command("show", "-", "--format", "json"),
        cwd=harvested.folder,
        env=harvested.environment() | {"PYTHONIOENCODING": "utf-8:strict"},
        input=b"caf\xe9\nhal-04493396\n",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert json.loads(done.stdout)["id"] == "hal-04493396"
    assert done.stderr.count(b"\n") == 1
    assert b"no such record" in done.stderr


@pytest.mark.parametrize("words", [[], ["--author"], ["--set"], ["--title"]])
def test_a_search_for_what_is_no_utf_8_is_refused(harvested: CommandLine, words: list[str]) -> None:
    done = subprocess.run(
        [part.encode() for part in harvested.command("search", *words)] + [b"caf\xe9"],
        cwd=harvested.folder,
        env=harvested.environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"not valid UTF-8" in done.stderr


def test_a_closed_standard_output_is_no_fault_of_ours(harvested: CommandLine) -> None:
    command = " ".join(harvested.command("status"))
    done = subprocess.run(
        ["bash", "-c", f"{command} >&-"],
        cwd=harvested.folder,
        env=harvested.environment(),
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr == b""


@pytest.mark.parametrize("arguments", [("status",), ("search", "x"), ("show", "x"), ("harvest",)])
@pytest.mark.parametrize("name", ["m" * 300, "m" * 250, "m/" * 3000])
def test_a_mirror_path_that_is_too_long(
    tmp_path: Path, arguments: tuple[str, ...], name: str
) -> None:
    (tmp_path / "config.toml").write_text(f'[mirror]\npath = "{name}"\n', encoding="utf-8")
    ran = CommandLine(tmp_path)(*arguments)
    assert ran.code == 2, ran.err
    assert ran.err.count("\n") == 1
    assert "too long" in ran.err


def test_a_long_name_that_the_system_allows_can_be_exported_to(
    harvested: CommandLine, tmp_path: Path
) -> None:
    ran = harvested("export", "--format", "jsonl", "--output", str(tmp_path / ("x" * 250)))
    assert ran.code == 0, ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["x" * 250]


def test_as_of_a_year_before_the_mirror_gives_nothing(harvested: CommandLine) -> None:
    assert harvested("show", "hal-04493396", "--as-of", "0900-01-01T00:00:00Z").code == 1
