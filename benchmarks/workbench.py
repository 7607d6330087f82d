"""What every measurement needs: the repository, its server, a folder with a mirror, the command."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from generated_files import cache_folder, generate
from generated_repository import Repository
from generated_update import make_update, update_of
from measured import Measured, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).resolve().parent
Figures = dict[str, Any]
"""What a measurement found; goes into the results as JSON."""


@dataclass
class Workbench:
    """A generated repository of ``records`` records and the mirrors made of it in ``folder``."""

    records: int
    seed: int
    folder: Path
    repeats: int = 3
    results: dict[str, Figures] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.repository = cache_folder(self.records, self.seed)
        generate(self.repository, self.records, self.seed)

    @cached_property
    def compared(self) -> int:
        """How many records are harvested beside the peers."""
        return min(self.records, 50_000)

    def updated(self, share: float) -> str:
        """The name of the update that changes this share of the records, made if need be."""
        update = update_of(share)
        make_update(self.repository, update)
        return update.name

    def truth(self, update: str | None = None) -> Repository:
        """The repository, opened."""
        return Repository(self.repository, update)

    @contextmanager
    def served(self, update: str | None = None) -> Iterator[str]:
        """The address at which the repository is served meanwhile."""
        more = ("--update", update) if update else ()
        command = [sys.executable, HERE / "serve.py", self.repository, *more]
        with _running(command) as (url, _):
            yield url

    @contextmanager
    def serving(self) -> Iterator[tuple[str, psutil.Process]]:
        """The address at which the full mirror is served meanwhile, and the process that does."""
        configuration = self.mirror().parent / "config.toml"
        command = (self.program, "--config", configuration, "serve", "--port", "0")
        environment = self.environment | {"HALMIRROR_SERVE_RATE_LIMIT": "0"}
        with _running(command, env=environment, stderr=subprocess.DEVNULL) as (url, process):
            yield url, psutil.Process(process)

    def mirror(self, name: str = "full") -> Path:
        """The mirror of that name."""
        return self.folder / name / "mirror.sqlite"

    def halmirror(self, *arguments: str, name: str = "full", url: str = "http://127.0.0.1:9/",
                  allowed: Sequence[int] = (0,)) -> Measured:  # fmt: skip
        """Run the installed command with the mirror of that name, and measure it."""
        home = self.folder / name
        home.mkdir(parents=True, exist_ok=True)
        configuration = home / "config.toml"
        configuration.write_text(
            f'[mirror]\npath = "mirror.sqlite"\n\n[[source]]\nname = "hal"\nbase_url = "{url}"\n'
            'profile = "hal"\n',
            encoding="utf-8",
        )
        command: tuple[str | Path, ...] = (self.program, "--config", configuration, *arguments)
        return run(
            command, folder=home, environment=self.environment, mirror=self.mirror(name),
            allowed=allowed,
        )  # fmt: skip

    @property
    def program(self) -> Path:
        """The ``halmirror`` command of this environment."""
        return Path(sys.executable).with_name("halmirror")

    @cached_property
    def environment(self) -> dict[str, str]:
        """The environment without a user's own settings, of halmirror or of Python.

        ``PYTHONDONTWRITEBYTECODE`` would have every command compile what an installed package
        has compiled.
        """
        own = ("HALMIRROR", "PYTHON")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(own)}
        return kept | {"XDG_CONFIG_HOME": str(self.folder), "LC_ALL": "C.UTF-8"}

    def copy(self, name: str) -> Path:
        """A copy of the full mirror under another name."""
        target = self.mirror(name)
        shutil.rmtree(target.parent, ignore_errors=True)
        target.parent.mkdir(parents=True)
        shutil.copyfile(self.mirror(), target)
        return target

    def python(self, program: str, *arguments: str | Path) -> Measured:
        """Run a program of this folder, and measure it."""
        return run([sys.executable, HERE / program, *arguments], environment=self.environment)


def spread(values: Sequence[float]) -> Figures:
    """The median and the extremes of some runs."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


@contextmanager
def _running(command: Sequence[str | Path], **options: Any) -> Iterator[tuple[str, int]]:  # noqa: ANN401 -- as of Popen
    """The address that a server prints as its second word, and its process; it ends after."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options) as server:
        assert server.stdout is not None  # noqa: S101 -- it is a pipe
        try:
            yield server.stdout.readline().split()[1], server.pid
        finally:
            server.terminate()


def processor_of(process: psutil.Process) -> float:
    """The seconds of processor time that a process has taken."""
    times = process.cpu_times()
    return times.user + times.system
