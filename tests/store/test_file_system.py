"""The table of mounts as Linux gives it, and what is said of each file system in it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from halmirror.errors import NetworkFileSystemError
from halmirror.store.file_system import Mount, check_local, mount_of

TABLE = r"""22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard,resv_strict
41 27 0:40 / /home rw,relatime shared:1 - btrfs /dev/sdb1 rw,space_cache,subvolid=5
42 27 0:42 / /srv/my\040own\011mirror rw,nosuid,nodev,relatime - fuse.sshfs me@host:/ rw,user_id=0
43 41 0:43 / /home/a rw,relatime shared:3 master:1 propagate_from:2 - nfs4 10.0.0.1:/export rw
44 27 0:44 / /mnt/c rw,noatime - 9p C:\134 rw,dirsync,aname=drvfs,trans=fd
45 43 0:45 /sub /home/a/local rw - xfs /dev/sdc1 rw
46 27 0:46 / /media/usb rw - fuseblk /dev/sdd1 rw,user_id=0
47 27 0:47 / /snap rw - fuse.squashfuse squashfuse rw
48 27 0:48 / /mnt/hyphen-\040-\040nfs rw - tmpfs tmpfs rw
"""
"""Lines of proc(5)'s form: optional fields or none, octal escapes, a separator inside a name."""


@pytest.mark.parametrize(
    ("number", "mount", "networked"),
    [
        (22, Mount("proc", "/proc"), False),
        (27, Mount("ext4", "/"), False),
        (41, Mount("btrfs", "/home"), False),
        (42, Mount("fuse.sshfs", "/srv/my own\tmirror"), True),
        (43, Mount("nfs4", "/home/a"), True),
        (44, Mount("9p", "/mnt/c"), True),
        (45, Mount("xfs", "/home/a/local"), False),
        (46, Mount("fuseblk", "/media/usb"), False),
        (47, Mount("fuse.squashfuse", "/snap"), False),
        (48, Mount("tmpfs", "/mnt/hyphen- - nfs"), False),
    ],
)
def test_a_mount_is_found_by_its_number(number: int, mount: Mount, networked: bool) -> None:
    assert mount_of(number, TABLE) == mount
    assert mount.is_of_a_network is networked


@pytest.mark.parametrize("number", [2, 4, 7, 427])
def test_a_number_that_no_line_begins_with_is_none(number: int) -> None:
    assert mount_of(number, TABLE) is None


@pytest.mark.parametrize(
    "table", ["", "\n", "27", "27 1 254:0 / /", "27 - nfs x rw", " - ", "27 -"]
)
def test_a_table_of_another_form_tells_nothing(table: str) -> None:
    assert mount_of(27, table) is None


@pytest.mark.parametrize(
    "kind",
    ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "lustre", "afs", "glusterfs", "gpfs",
     "fuse.sshfs", "fuse.glusterfs", "fuse.ceph-fuse", "fuse.rclone", "fuse.s3fs"],
)  # fmt: skip
def test_file_systems_of_a_network(kind: str) -> None:
    assert Mount(kind, "/").is_of_a_network


@pytest.mark.parametrize(
    "kind",
    ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "virtiofs", "fuse", "fuseblk", "sshfs",
     "fuse.encfs", "nfsd", "xnfs", "fuse.sshfs2"],
)  # fmt: skip
def test_all_others_are_of_the_machine(kind: str) -> None:
    assert not Mount(kind, "/").is_of_a_network


def test_a_folder_of_this_machine_may_be_written_also_where_it_is_not_there_yet(
    tmp_path: Path,
) -> None:
    check_local(tmp_path / "not" / "yet" / "mirror.sqlite", network=False)


def test_the_error_is_a_refusal() -> None:
    assert NetworkFileSystemError("x").exit_code == 2


def test_a_folder_that_cannot_be_entered_is_for_others_to_tell(tmp_path: Path) -> None:
    link = tmp_path / "circle"
    link.symlink_to(link)
    (tmp_path / "file").write_bytes(b"")
    for place in (link / "a" / "mirror.sqlite", tmp_path / "file" / "a" / "mirror.sqlite"):
        check_local(place, network=False)
    user = (
        "import os, pathlib, sys; from halmirror.store.file_system import check_local; "
        "os.setuid(65534); "
        "check_local(pathlib.Path(sys.argv[1]), network=False)"
    )
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    if os.geteuid() == 0:
        ran = subprocess.run(
            [sys.executable, "-c", user, str(closed / "a" / "mirror.sqlite")],
            capture_output=True, check=False,
        )  # fmt: skip
        assert (ran.returncode, ran.stderr) == (0, b"")
