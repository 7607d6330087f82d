"""The log of a harvest: as text and as JSON, whatever is in it and wherever it goes."""

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conftest import CommandLine
from halmirror.cli.progress import JsonObserver, LogObserver, observer
from halmirror.config import load
from halmirror.harvesting.harvest import Request, harvest
from halmirror.store.model import Counts, Stream, Window

STREAM = Stream(1, 1, "hal", "oai_dc", "", None, None, None, None, None)
WINDOW = Window(7, 1, "plan", "2026-11-19", "2026-11-20")
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class Log:
    """A pipe whose other end keeps what was written."""

    def __init__(self) -> None:
        self._read, self.descriptor = os.pipe()
        self._taken = b""
        self._reader = threading.Thread(target=self._take)
        self._reader.start()

    def _take(self) -> None:
        while chunk := os.read(self._read, 65_536):
            self._taken += chunk

    def lines(self) -> list[bytes]:
        """Everything written, once; the pipe is closed then."""
        if self._reader.is_alive():
            os.close(self.descriptor)
            self._reader.join()
            os.close(self._read)
        assert self._taken.endswith(b"\n") or not self._taken
        return self._taken.split(b"\n")[:-1]

    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines()]


@pytest.fixture
def log() -> Iterator[Log]:
    opened = Log()
    yield opened
    opened.lines()


def happens(watching: JsonObserver | LogObserver) -> None:
    """A window of two pages that closes, one that stays open, a note and a warning."""
    watching.window(STREAM, WINDOW, 1)
    watching.page(STREAM, replace(WINDOW, received=3, announced_last=5), Counts(new=2, unchanged=1))
    watching.page(STREAM, replace(WINDOW, received=5, announced_last=5), Counts(changed=1, gone=1))
    watching.ended(STREAM, WINDOW, None)
    stream = replace(STREAM, set_spec="collection:CNRS")
    watching.window(stream, Window(8, 1, "plan", None, None, received=9, announced_last=20), 0)
    watching.ended(stream, Window(8, 1, "plan", None, None), "HTTP status 500")
    watching.note("hal: HTTP status 503; trying again in 2 s")
    watching.warning("hal everything: left open: HTTP status 500")


def test_every_event_as_json(log: Log) -> None:
    happens(JsonObserver(quiet=False, verbose=True, descriptor=log.descriptor))
    entries = log.entries()
    assert all(STAMP.fullmatch(entry.pop("at")) for entry in entries)
    first = {"source": "hal", "set": "", "from": "2026-11-19", "until": "2026-11-20"}
    second = {"source": "hal", "set": "collection:CNRS", "from": None, "until": None}
    assert entries == [
        {
            "level": "info", "event": "window", **first,
            "received": 0, "announced": None, "windows_waiting": 1,
        },
        {
            "level": "debug", "event": "page", **first, "received": 3, "announced": 5,
            "new": 2, "changed": 0, "unchanged": 1, "gone": 0, "quarantined": 0,
        },
        {
            "level": "debug", "event": "page", **first, "received": 5, "announced": 5,
            "new": 0, "changed": 1, "unchanged": 0, "gone": 1, "quarantined": 0,
        },
        {
            "level": "info", "event": "closed", **first, "received": 5, "announced": 5,
            "new": 2, "changed": 1, "unchanged": 1, "gone": 1, "quarantined": 0,
        },
        {
            "level": "info", "event": "window", **second,
            "received": 9, "announced": 20, "windows_waiting": 0,
        },
        {
            "level": "info", "event": "left_open", **second, "received": 9, "announced": 20,
            "new": 0, "changed": 0, "unchanged": 0, "gone": 0, "quarantined": 0,
            "reason": "HTTP status 500",
        },
        {
            "level": "info", "event": "note",
            "message": "hal: HTTP status 503; trying again in 2 s",
        },
        {
            "level": "warning", "event": "warning",
            "message": "hal everything: left open: HTTP status 500",
        },
    ]  # fmt: skip


def test_pages_show_only_when_verbose(log: Log) -> None:
    happens(JsonObserver(quiet=False, verbose=False, descriptor=log.descriptor))
    events = [entry["event"] for entry in log.entries()]
    assert events == ["window", "closed", "window", "left_open", "note", "warning"]


def test_quiet_leaves_warnings(log: Log) -> None:
    happens(JsonObserver(quiet=True, verbose=False, descriptor=log.descriptor))
    assert [entry["event"] for entry in log.entries()] == ["warning"]


def test_a_line_is_utf_8_without_control_characters_whatever_it_tells(log: Log) -> None:
    watching = JsonObserver(quiet=False, verbose=False, descriptor=log.descriptor)
    nasty = "é\n\r\t\0\x1b[2J\x7f\x9b\u202e\u2028\U000e0001 \udcff \ud83d 漢"
    watching.warning(nasty)
    watching.window(replace(STREAM, source_name=nasty, set_spec=nasty), WINDOW, 0)
    watching.ended(STREAM, WINDOW, nasty)
    shown = "é\n\r\t\0\x1b[2J\x7f\x9b\u202e\u2028\U000e0001 \\udcff \\ud83d 漢"
    entries = log.entries()
    assert entries[0]["message"] == shown
    assert entries[1]["source"] == entries[1]["set"] == shown
    assert entries[2]["reason"] == shown
    for line in log.lines():
        text = line.decode("utf-8")
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202e\u2028\U000e0001]", text)
        assert "é" in text
        assert not re.search(r"(?<!\\)\\u(dcff|d83d)", text)


@pytest.mark.parametrize("unit", ["x", "é", "\x1b", "漢", "\U000e0001", "\udcff", '"'])
def test_a_line_is_never_longer_than_a_pipe_takes_at_once(log: Log, unit: str) -> None:
    watching = JsonObserver(quiet=False, verbose=False, descriptor=log.descriptor)
    for length in (300, 700, 2000, 4000, 5000, 100_000):
        watching.note(unit * length)
    watching.ended(STREAM, WINDOW, unit * 100_000)
    assert max(len(line) for line in log.lines()) < 4096  # the line feed comes to it
    entries = log.entries()
    assert entries[0]["message"] == (unit * 300).replace("\udcff", "\\udcff")
    assert all(entry["message"].endswith("…") for entry in entries[4:6])
    assert entries[6]["reason"].endswith("…")
    assert len(log.lines()[5]) > 4000


def test_names_too_long_for_a_line_are_told_all_the_same(log: Log) -> None:
    watching = JsonObserver(quiet=False, verbose=False, descriptor=log.descriptor)
    watching.ended(replace(STREAM, set_spec="s" * 9000), WINDOW, "some reason")
    (entry,) = log.entries()
    assert entry["set"] == "s" * 9000


def test_a_window_that_is_read_again_has_its_last_figures(log: Log) -> None:
    """The harvest may hand in the window as it was when it began."""
    watching = JsonObserver(quiet=False, verbose=False, descriptor=log.descriptor)
    watching.window(STREAM, WINDOW, 0)
    watching.page(STREAM, replace(WINDOW, received=3), Counts(new=3))
    watching.ended(STREAM, replace(WINDOW, received=0), None)
    watching.ended(STREAM, replace(WINDOW, id=99, received=4), None)
    figures = [(entry["received"], entry.get("new")) for entry in log.entries()[1:]]
    assert figures == [(3, 3), (4, 0)]


def test_a_text_log_has_a_line_a_window(capfd: pytest.CaptureFixture[str]) -> None:
    happens(LogObserver(quiet=False, verbose=False))
    lines = [line.split(" ", 1)[1] for line in capfd.readouterr().err.splitlines()]
    became = "2 new, 1 changed, 1 unchanged, 1 gone, 0 quarantined"
    nothing = "0 new, 0 changed, 0 unchanged, 0 gone, 0 quarantined"
    assert lines == [
        "info: hal 2026-11-19..2026-11-20: listing; 1 windows wait",
        f"info: hal 2026-11-19..2026-11-20: closed with 5 of 5 records: {became}",
        "info: hal collection:CNRS everything: listing; 0 windows wait",
        f"info: hal collection:CNRS everything: left open with 9 of 20 records: {nothing}",
        "info: hal: HTTP status 503; trying again in 2 s",
        "warning: hal everything: left open: HTTP status 500",
    ]


def test_a_quiet_text_log_has_warnings_only(capfd: pytest.CaptureFixture[str]) -> None:
    happens(LogObserver(quiet=True, verbose=False))
    (line,) = capfd.readouterr().err.splitlines()
    assert line.endswith("warning: hal everything: left open: HTTP status 500")


def test_json_goes_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    with observer(quiet=False, verbose=False, log_format="json") as watching:
        watching.note("a note")
    captured = capfd.readouterr()
    assert json.loads(captured.err)["message"] == "a note"
    assert captured.out == ""


def test_a_stand_in_for_standard_error_gets_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with observer(quiet=False, verbose=False, log_format="json") as watching:
        watching.note("a note")
    assert json.loads(capsys.readouterr().err)["message"] == "a note"


def test_a_whole_harvest_as_json(halmirror: CommandLine, log: Log) -> None:
    watching = JsonObserver(quiet=False, verbose=True, descriptor=log.descriptor)
    report = harvest(load(halmirror.folder / "config.toml"), Request(), watching)
    assert report.exit_code == 0
    pages = [entry for entry in log.entries() if entry["event"] == "page"]
    assert [page["received"] for page in pages] == [26, 52, 73]
    assert sum(page["new"] for page in pages) == 73


# -- a log that nobody reads ----------------------------------------------------------------

HARVEST = """
import sys
from pathlib import Path
from halmirror.cli.progress import observer
from halmirror.config import load
from halmirror.harvesting.harvest import Request, harvest
with observer(quiet=False, verbose=True, log_format=sys.argv[1]) as watching:
    report = harvest(load(Path("config.toml")), Request(), watching)
print(report.sources[0].counts.new)
sys.exit(report.exit_code)
"""


@contextlib.contextmanager
def closed_reader() -> Iterator[int]:
    read, write = os.pipe()
    os.close(read)
    yield write
    os.close(write)


@contextlib.contextmanager
def full_pipe() -> Iterator[int]:
    """One that nobody empties, and that says so rather than wait."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(write, b"x" * 4096):
            pass
    yield write
    os.close(write)
    os.close(read)


@contextlib.contextmanager
def full_disk() -> Iterator[int]:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("wb") as opened:
        yield opened.fileno()


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("place", [closed_reader, full_pipe, full_disk])
def test_a_log_that_cannot_be_written_ends_no_harvest(
    halmirror: CommandLine,
    log_format: str,
    place: Callable[[], contextlib.AbstractContextManager[int]],
) -> None:
    with place() as descriptor:
        done = subprocess.run(
            [sys.executable, "-c", HARVEST, log_format],
            cwd=halmirror.folder,
            env=halmirror.environment(),
            stdout=subprocess.PIPE,
            stderr=descriptor,
            timeout=120,
            check=False,
        )
    assert (done.returncode, done.stdout) == (0, b"73\n")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_standard_error_closed_from_the_start_is_written_to_by_nobody(
    halmirror: CommandLine, log_format: str
) -> None:
    """The number of standard error is then another file's: the mirror's, or its lock's."""
    (halmirror.folder / "run.py").write_text(HARVEST, encoding="utf-8")
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} run.py {log_format} 2>&-"],
        cwd=halmirror.folder,
        env=halmirror.environment(),
        stdout=subprocess.PIPE,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"73\n")
    assert halmirror("status").code == 0
    for name in ("mirror.sqlite", "mirror.sqlite.lock"):
        assert b"listing" not in (halmirror.folder / "data" / name).read_bytes()


def test_the_real_command_harvests_though_nobody_reads_its_log(halmirror: CommandLine) -> None:
    with closed_reader() as descriptor:
        done = subprocess.run(
            halmirror.command("-v", "harvest"),
            cwd=halmirror.folder,
            env=halmirror.environment(),
            stdout=subprocess.PIPE,
            stderr=descriptor,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0
    assert done.stdout.startswith(b"hal: 73 new")


def test_a_terminal_shows_the_windows_figures(halmirror: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "watch.py").write_text(
        "from halmirror.cli.progress import observer\n"
        "from halmirror.store.model import Counts, Stream, Window\n"
        "stream = Stream(1, 1, 'hal', 'oai_dc', '', None, None, None, None, None)\n"
        "window = Window(7, 1, 'plan', None, None, received=5, announced_last=5)\n"
        "with observer(quiet=False, verbose=False) as watching:\n"
        "    watching.window(stream, window, 0)\n"
        "    watching.page(stream, window, Counts(new=5))\n"
        "    watching.ended(stream, window, None)\n",
        encoding="utf-8",
    )
    terminal, end = pty.openpty()
    started = subprocess.Popen(
        [sys.executable, "watch.py"],
        cwd=tmp_path,
        env=halmirror.environment() | {"TERM": "xterm", "COLUMNS": "200"},
        stderr=end,
    )
    os.close(end)
    seen = b""
    try:
        while chunk := os.read(terminal, 4096):
            seen += chunk
    except OSError:  # Linux says so when the other end is closed
        pass
    assert started.wait(60) == 0
    os.close(terminal)
    assert b"info: hal everything: closed with 5 of 5 records: 5 new, 0 changed" in seen
