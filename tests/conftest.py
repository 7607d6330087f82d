"""What tests share: the recorded endpoint on loopback, and the real command line."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from recorded_endpoint import RECORDED, RecordedEndpoint

# A landing is judged by the same examples each time; whoever develops meets new ones.
settings.register_profile("ci", derandomize=True, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class CommandLine:
    """The ``halmirror`` command in a folder of its own, with a configuration there."""

    folder: Path

    @property
    def mirror(self) -> Path:
        return self.folder / "data" / "mirror.sqlite"

    def configure(self, base_url: str, more: str = "") -> None:
        (self.folder / "config.toml").write_text(
            f'[[source]]\nname = "hal"\nbase_url = "{base_url}"\n'
            f'timeout = "5s"\nretries = 1\n{more}\n',
            encoding="utf-8",
        )

    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if "HALMIRROR" not in key}
        return kept | {"LC_ALL": "C.UTF-8", "HOME": str(self.folder), "XDG_CONFIG_HOME": ""}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "halmirror", *arguments]

    def __call__(self, *arguments: str, stdin: str = "") -> Ran:
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(),
            input=stdin.encode(),
            capture_output=True,
            timeout=120,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


def is_running(pid: int) -> bool:
    """Whether a process is there and no corpse that waits for its new parent."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return bool(state) and not state.startswith("Z")


@pytest.fixture
def endpoint() -> Iterator[RecordedEndpoint]:
    with RecordedEndpoint(RECORDED) as running:
        yield running


@pytest.fixture
def halmirror(tmp_path: Path, endpoint: RecordedEndpoint) -> CommandLine:
    command = CommandLine(tmp_path)
    command.configure(endpoint.url)
    return command


@pytest.fixture(scope="session")
def harvested(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A mirror of the 73 recorded records, to be read only."""
    command = CommandLine(tmp_path_factory.mktemp("harvested"))
    with RecordedEndpoint(RECORDED) as running:
        command.configure(running.url)
        ran = command("harvest")
    assert ran.code == 0, ran.err
    return command
