"""Harvests a generated repository while the harvest is killed again and again, then compares.

    .venv/bin/python benchmarks/soak.py --records 1000000 --every 60

Each run of ``halmirror harvest`` is killed with SIGKILL after so many seconds, with all its
processes, until one ends by itself.  Then the mirror must equal the repository: every identifier,
version, datestamp, set and byte of metadata, nothing twice, and SQLite's integrity check; and
``halmirror doctor --deep`` must find nothing.  The exit code is 0 if so.  ``--json FILE`` writes
the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from compare import differences
from generated_files import cache_folder, generate
from generated_repository import Repository
from serve import GeneratedEndpoint, Server

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN = 20


@dataclass(frozen=True)
class Figures:
    """What came of a soak: how often it was killed, and of the run that ended its exit code.

    ``seconds`` are those of all runs together, ``unbroken`` those of the last one;
    ``size`` is the mirror's in bytes; ``differences`` from the repository, in words; ``doctor`` is
    the exit code of the examination.
    """

    records: int
    every: float
    killed: int
    code: int
    seconds: float
    unbroken: float
    size: int
    differences: list[str]
    doctor: int


def soak(folder: Path, home: Path, every: float, records: int) -> Figures:
    """Harvest the repository in ``folder`` into ``home``, killing it every so many seconds."""
    killed = 0
    mirror = home / "mirror.sqlite"
    begun = time.monotonic()
    with Repository(folder) as repository, Server(GeneratedEndpoint(repository)) as server:
        (home / "config.toml").write_text(
            f'[mirror]\npath = "mirror.sqlite"\n\n[[source]]\nname = "hal"\n'
            f'base_url = "{server.url}"\nprofile = "hal"\n',
            encoding="utf-8",
        )
        seconds, commits = every, 0
        last = begun
        while (code := _run(home, seconds)) is None:
            killed += 1
            last = time.monotonic()
            before, commits = commits, _commits(mirror)
            _tell(f"\rkilled {killed} times, {commits} commits are safe")
            if commits == before:
                seconds *= 1.5  # too little even to start: it would never end
        _tell("\n")
        ended = time.monotonic()
        told = list(differences(repository, mirror))
        doctor = subprocess.run(
            _command(home, "doctor", "--deep"), capture_output=True, text=True, check=False
        )
        _tell(doctor.stdout + doctor.stderr)
    size = mirror.stat().st_size
    return Figures(
        records, every, killed, code, ended - begun, ended - last, size, told, doctor.returncode
    )


def _command(home: Path, *arguments: str) -> tuple[str, ...]:
    settings = ("--config", str(home / "config.toml"), "-q")
    return (sys.executable, "-m", "halmirror", *settings, *arguments)


def _run(home: Path, seconds: float) -> int | None:
    """One harvest; its exit code, or None where it had to be killed."""
    command = _command(home, "harvest")
    # A group of its own: its worker processes are killed with it.
    with subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return None


def _commits(mirror: Path) -> int:
    """How many commits the mirror has; a file that is not one yet has none."""
    try:
        with closing(sqlite3.connect(f"file:{mirror}?mode=ro", uri=True)) as connection:
            return int(connection.execute('SELECT count(*) FROM "commit"').fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def _tell(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak, and print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--folder", type=Path, help="of the repository; default: the cache")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args(arguments)
    folder = options.folder or cache_folder(options.records, options.seed)
    generate(folder, options.records, options.seed)
    with TemporaryDirectory(prefix="halmirror-soak-", dir=folder.parent) as home:
        done = soak(folder, Path(home), options.every, options.records)
    sys.stdout.write(
        f"{done.records} records, killed {done.killed} times, {done.seconds:.0f} s, the last run "
        f"ended with {done.code}: {len(done.differences)} differences, doctor {done.doctor}\n"
    )
    sys.stdout.writelines(f"  {line}\n" for line in done.differences[:_SHOWN])
    if options.json is not None:
        options.json.write_text(json.dumps(asdict(done), indent=2) + "\n", encoding="utf-8")
    return 1 if done.differences or done.code or done.doctor else 0


if __name__ == "__main__":
    sys.exit(main())
