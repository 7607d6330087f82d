"""Harvests a generated repository while the harvest is killed again and again, then compares.

    .venv/bin/python benchmarks/soak.py --records 1000000 --every 60

Each run of ``halmirror harvest`` is killed with SIGKILL after so many seconds, with all its
processes, until one ends by itself.  Then the mirror must equal the repository: every identifier,
version, datestamp, set and byte of metadata, nothing twice, and SQLite's integrity check.
The exit code is 0 if it does.
"""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
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


def soak(folder: Path, home: Path, every: float) -> tuple[int, int, list[str]]:
    """Harvest the repository in ``folder`` into ``home``, killing it every so many seconds.

    Returns how often it was killed, the exit code of the run that ended, and the differences.
    """
    killed = 0
    with Repository(folder) as repository, Server(GeneratedEndpoint(repository)) as server:
        (home / "config.toml").write_text(
            f'[mirror]\npath = "mirror.sqlite"\n\n[[source]]\nname = "hal"\n'
            f'base_url = "{server.url}"\nprofile = "hal"\n',
            encoding="utf-8",
        )
        seconds, commits = every, 0
        while (code := _run(home, seconds)) is None:
            killed += 1
            _tell(f"\rkilled {killed} times")
            before, commits = commits, _commits(home / "mirror.sqlite")
            if commits == before:
                seconds *= 1.5  # too little even to start: it would never end
        _tell("\n")
        return killed, code, list(differences(repository, home / "mirror.sqlite"))


def _run(home: Path, seconds: float) -> int | None:
    """One harvest; its exit code, or None where it had to be killed."""
    settings = ("--config", str(home / "config.toml"), "-q")
    command = (sys.executable, "-m", "halmirror", *settings, "harvest")
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
    options = parser.parse_args(arguments)
    folder = options.folder or cache_folder(options.records, options.seed)
    generate(folder, options.records, options.seed)
    begun = time.monotonic()
    with TemporaryDirectory(prefix="halmirror-soak-", dir=folder.parent) as home:
        killed, code, told = soak(folder, Path(home), options.every)
    sys.stdout.write(
        f"{options.records} records, killed {killed} times, {time.monotonic() - begun:.0f} s,"
        f" the last run ended with {code}: {len(told)} differences\n"
    )
    sys.stdout.writelines(f"  {line}\n" for line in told[:_SHOWN])
    return 1 if told or code else 0


if __name__ == "__main__":
    sys.exit(main())
