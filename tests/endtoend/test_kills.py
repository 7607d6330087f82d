"""SIGKILL at random instants: nothing that was committed is lost, and nothing comes twice."""

import contextlib
import fcntl
import os
import random
import signal
import sqlite3
import subprocess
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conftest import CommandLine
from endpoint_http import ParsedRequest, Reply
from halmirror.mirror import Filters, Mirror
from recorded_endpoint import RECORDED, RecordedEndpoint

KILLS = 51
"""In each of the two tests."""
AT_WORK = 36
"""So many of them come after the run's first request: the others hit its start."""
EDITED = "oai:HAL:hal-04493396v1"
VANISHED = ("oai:HAL:hal-02737739v1", "oai:HAL:inria-00100199v1", "oai:HAL:hal-00643787v1")
_START_SECONDS = 0.5
_WORK_SECONDS = 0.3


@dataclass
class Slow(RecordedEndpoint):
    """A little late with each answer, so that a kill can come anywhere in a harvest.

    ``most``: a list of more records it fails to make, so that it is taken in several windows.
    """

    most: int = 1000

    def respond(self, request: ParsedRequest) -> Reply:
        time.sleep(0.02)
        if request.verb == "ListRecords" and request.argument("resumptionToken") is None:
            asked = dict(request.arguments)
            if len(self._matching(asked)) > self.most:
                return Reply(500, {"Retry-After": "0"}, b"")
        return super().respond(request)


@dataclass
class Life:
    """One mirror, whose runs are killed again and again; and what was seen of it after each kill.

    ``states``: every state it has ever held, oldest first.
    """

    command: CommandLine
    endpoint: RecordedEndpoint
    chance: random.Random
    kills: int = 0
    kills_at_work: int = 0
    states: list[tuple[object, ...]] = field(default_factory=list)

    def until_done(self, *arguments: str, kills: int) -> None:
        """Run a command, kill it up to so many times, and let it end then."""
        for _ in range(kills):
            killed = self._killed(*arguments)
            self.look()
            if not killed:
                return
        ran = self.command(*arguments)
        assert ran.code == 0, ran.err
        self.look()

    def _killed(self, *arguments: str) -> bool:
        """Start a command and kill it at a random time; whether it was still there."""
        asked = len(self.endpoint.requests)
        process = subprocess.Popen(
            self.command.command(*arguments),
            cwd=self.command.folder,
            env=self.command.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        if self.chance.random() < 0.2:
            wait = self.chance.uniform(0.0, _START_SECONDS)
        else:
            while len(self.endpoint.requests) == asked and process.poll() is None:
                time.sleep(0.005)
            wait = self.chance.uniform(0.0, _WORK_SECONDS)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(wait)
        process.kill()
        code = process.wait()
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)  # whatever the run had started is gone with it
        if code != -signal.SIGKILL:
            assert code == 0
            return False
        self.kills += 1
        self.kills_at_work += len(self.endpoint.requests) > asked
        return True

    def look(self) -> None:
        """What must hold after every kill."""
        mirror = self.command.mirror
        lock = mirror.with_name("mirror.sqlite.lock")
        if lock.exists():
            with lock.open("r+b") as file:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        states = []
        if mirror.exists():
            with contextlib.closing(sqlite3.connect(mirror)) as file:
                states = read(file)
        # A state is ended, never taken away: all that an earlier kill left is still there.
        assert states[: len(self.states)] == self.states
        self.states = states


def read(file: sqlite3.Connection) -> list[tuple[object, ...]]:
    """Check the file; every state in it."""
    assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert file.execute("PRAGMA foreign_key_check").fetchall() == []
    (version,) = file.execute("PRAGMA user_version").fetchone()
    if version == 0:
        assert file.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        return []
    twice = file.execute(
        "SELECT document, version FROM state WHERE end_seq IS NULL GROUP BY 1, 2 "
        "HAVING count(*) > 1"
    )
    assert twice.fetchall() == []
    states = file.execute(
        "SELECT d.local_id, s.version, s.first_seq, s.status, s.content FROM state s "
        "JOIN document d ON d.id = s.document ORDER BY s.id"
    )
    return states.fetchall()


def lines(command: CommandLine, *status: str) -> list[bytes]:
    with Mirror(command.mirror) as mirror:
        return list(mirror.lines(Filters(status=status)))


def named(command: CommandLine, status: str) -> set[str]:
    with Mirror(command.mirror) as mirror:
        found = mirror.records(Filters(status=(status,)))
        return {one.head.oai_identifier for one in found}


def live(life: Life, undisturbed: CommandLine) -> None:
    """A first harvest, a harvest of changes and a comparison with the source, all killed."""
    endpoint, command = life.endpoint, life.command
    life.until_done("harvest", kills=8)
    assert lines(command) == lines(undisturbed)
    assert len(life.states) == 73

    today = datetime.now(UTC).date().isoformat()
    before = list(endpoint.records)
    record = endpoint.record(EDITED)
    endpoint.replace(record.edited("une menace pour", "une chance pour").stamped(today))
    for identifier in VANISHED:
        endpoint.remove(identifier)
    life.until_done("harvest", kills=2)
    assert len(life.states) == 74
    life.until_done("reconcile", kills=4)
    assert len(life.states) == 77
    assert named(command, "withdrawn") == set(VANISHED)
    assert len(lines(command)) == 70
    with Mirror(command.mirror) as mirror:
        assert mirror.search("title:chance contrats").total == 1
        found = mirror.get("hal-04493396")
        assert found is not None
        assert found.body.titles[0].value.startswith("Les contrats à impact social : une chance")
    endpoint.records[:] = before


@pytest.mark.parametrize(("connections", "most"), [(1, 1000), (3, 25)], ids=["one", "three"])
def test_killed_anywhere_a_mirror_comes_to_what_the_source_has(
    tmp_path: Path, harvested: CommandLine, connections: int, most: int
) -> None:
    chance = random.Random(connections)  # noqa: S311 - no secret
    kills = kills_at_work = number = 0
    with Slow(RECORDED, page_size=5, most=most) as endpoint:
        while kills < KILLS:
            number += 1
            folder = tmp_path / str(number)
            folder.mkdir()
            command = CommandLine(folder)
            command.configure(endpoint.url, f"connections = {connections}")
            life = Life(command, endpoint, chance)
            live(life, harvested)
            kills += life.kills
            kills_at_work += life.kills_at_work
    assert kills_at_work >= AT_WORK
