"""A folder of sshfs, really mounted: SFTP's server answers over a pair of sockets, no network."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import CommandLine
from recorded_endpoint import RecordedEndpoint

SERVER = "/usr/lib/openssh/sftp-server"
ALLOWED = "HALMIRROR_MIRROR_NETWORK_FILE_SYSTEM"


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A folder that lies on a network file system."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("nothing can be mounted here: /dev/fuse cannot be used")
    far, near = tmp_path / "far", tmp_path / "near"
    far.mkdir()
    near.mkdir()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        server = subprocess.Popen([SERVER], stdin=theirs, stdout=theirs)
        client = subprocess.Popen(
            ["sshfs", "-f", "-o", "passive", f"far:{far}", str(near)], stdin=ours, stdout=ours
        )
    while not near.is_mount():
        assert client.poll() is None, "sshfs has ended"
        time.sleep(0.02)
    yield near
    subprocess.run(["fusermount3", "-u", str(near)], check=True)
    assert (client.wait(10), server.wait(10)) == (0, 0)


@pytest.fixture
def away(mounted: Path, endpoint: RecordedEndpoint, tmp_path: Path) -> CommandLine:
    """The command, its mirror on the network file system."""
    command = CommandLine(tmp_path)
    command.configure(endpoint.url, f'[mirror]\npath = "{mounted}/deep/mirror.sqlite"')
    return command


def allow(command: CommandLine) -> None:
    config = command.folder / "config.toml"
    config.write_text(config.read_text() + "network_file_system = true\n")


def test_a_mirror_is_written_there_only_where_that_is_told(
    away: CommandLine, mounted: Path, endpoint: RecordedEndpoint
) -> None:
    ran = away("harvest")
    assert ran.code == 2
    assert ran.err.startswith(
        f"halmirror: {mounted}/deep/mirror.sqlite lies on a network file system "
        f"(fuse.sshfs at {mounted}), where"
    )
    assert "network_file_system = true" in ran.err
    assert ran.err.count("\n") == 1
    assert endpoint.requests == []
    assert list(mounted.rglob("*.*")) == []
    allow(away)
    assert away("harvest").code == 0
    assert away("doctor", "--deep").code == 0


def test_every_command_that_writes_refuses_and_those_that_read_do_not(
    away: CommandLine, harvested: CommandLine, mounted: Path, tmp_path: Path
) -> None:
    (mounted / "deep").mkdir()
    assert harvested("backup", str(mounted / "deep" / "mirror.sqlite")).code == 0
    held = (mounted / "deep" / "mirror.sqlite").read_bytes()
    for arguments in (
        ("harvest",),
        ("reconcile",),
        ("quarantine", "retry"),
        ("renormalise", "--all"),
        ("forget", "hal-04493396", "--reason", "a court asked"),
    ):
        ran = away(*arguments)
        assert (ran.code, "network file system" in ran.err) == (2, True), (arguments, ran.err)
    assert (mounted / "deep" / "mirror.sqlite").read_bytes() == held
    assert away("show", "hal-04493396").code == 0
    assert away("status").code == 0
    assert away("doctor").code == 0
    parent = tmp_path / "snapshots"
    made = away("snapshot", "create", str(parent))
    assert made.code == 0, made.err
    (folder,) = parent.iterdir()
    target = mounted / "restored.sqlite"
    ran = away("snapshot", "restore", str(folder), "--output", str(target))
    assert (ran.code, "network file system" in ran.err) == (2, True)
    allow(away)
    assert away("snapshot", "restore", str(folder), "--output", str(target)).code == 0
