"""Which file system a mirror lies on: on those of a network SQLite's promises do not hold.

A log in write-ahead mode needs memory that all its users share, and every commit needs locks that
hold: both end at one machine (https://www.sqlite.org/wal.html, https://www.sqlite.org/faq.html#q5).
Linux tells by which mount a folder is reached; elsewhere nothing is said.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from halmirror.errors import NetworkFileSystemError

_OF_A_NETWORK = re.compile(
    r"9p|afs|beegfs|ceph|cifs|coda|gfs2|glusterfs|gpfs|lustre|ncpfs|nfs4?|ocfs2|orangefs|panfs"
    r"|pvfs2|smb[23]|smbfs|vboxsf|vmhgfs"
    r"|fuse\.(blobfuse2?|ceph(-fuse)?|curlftpfs|davfs2?|gcsfuse|glusterfs|goofys|gvfsd-fuse|hdfs"
    r"|juicefs|kio-fuse|lizardfs|mfs|moosefs|mountpoint-s3|nfs|onedriver|quobyte|rclone|s3fs|s3ql"
    r"|saunafs|seadrive|seaweedfs|smbnetfs|sshfs|vmhgfs-fuse)"
)
"""The kinds whose files lie on another machine, or may be used by several at a time."""

_ESCAPED = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """A file system in its place: ``kind`` as the kernel calls it, ``point`` the folder."""

    kind: str
    point: str

    @property
    def is_of_a_network(self) -> bool:
        """Whether its files lie on another machine, or may be used by several at a time."""
        return _OF_A_NETWORK.fullmatch(self.kind) is not None


def mount_of(number: int, mountinfo: str) -> Mount | None:
    """The mount of that number in a table as ``/proc/PID/mountinfo`` has it (proc(5)).

    None where the table does not name it.
    """
    for line in mountinfo.split("\n"):
        before, separator, after = line.partition(" - ")
        fields, rest = before.split(" "), after.split(" ")
        if separator and len(fields) > 4 and fields[0] == str(number):
            point = _ESCAPED.sub(lambda found: chr(int(found[1], 8)), fields[4])
            return Mount(rest[0], point)
    return None


def check_local(path: Path, *, network: bool) -> None:
    """Raises `NetworkFileSystemError` where a file at ``path`` would lie on a network's disk.

    ``network``: whether that is allowed.  Nothing is said where the system does not tell.
    """
    if network:
        return
    mount = _mount_at(path)
    if mount is not None and mount.is_of_a_network:
        raise NetworkFileSystemError(
            f"{path} lies on a network file system ({mount.kind} at {mount.point}), where locks "
            "and log of SQLite do not hold and a mirror may be damaged; set [mirror] path to a "
            "local disk, or network_file_system = true where one machine alone uses the file"
        )


def _mount_at(path: Path) -> Mount | None:
    """The mount by which the folder of ``path`` is reached, or the nearest above that is there."""
    folder = Path(os.path.realpath(path)).parent
    try:
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        number = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except (OSError, AttributeError):  # O_PATH is Linux's own
        return None
    try:
        told = Path(f"/proc/self/fdinfo/{number}").read_text("ascii")
        table = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")
    except OSError:
        return None
    finally:
        os.close(number)
    found = re.search(r"^mnt_id:\s*(\d+)$", told, re.MULTILINE)
    return mount_of(int(found[1]), table) if found else None
