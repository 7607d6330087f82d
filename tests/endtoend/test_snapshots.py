"""Snapshots with the real command: made, cut, checked, damaged."""

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import bagit
import pytest
import zstandard

from conftest import CommandLine
from halmirror import Filters, Mirror
from halmirror.export.digest import digest
from halmirror.snapshot.packed import lines
from sealed_snapshots import sealed


@pytest.fixture(scope="module")
def made(harvested: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of the recorded records, to be read only."""
    ran = harvested("snapshot", "create", str(tmp_path_factory.mktemp("snapshots")))
    assert ran.code == 0, ran.err
    folder = Path(ran.out.removesuffix("\n"))
    assert "\n" not in str(folder)
    return folder


def test_a_snapshot_verifies_and_bagit_agrees(harvested: CommandLine, made: Path) -> None:
    ran = harvested("snapshot", "verify", str(made))
    assert (ran.code, ran.out) == (0, "")
    bag = bagit.Bag(str(made))
    bag.validate()
    assert bag.info["External-Identifier"] == made.name
    assert bag.info["Halmirror-Records-Active"] == "73"


def test_its_digest_is_that_of_the_mirror(harvested: CommandLine, made: Path) -> None:
    told = json.loads((made / "snapshot.json").read_text("utf-8"))
    with Mirror(harvested.mirror) as mirror:
        found = digest(mirror.lines(Filters(status=("all",))))
    assert told["whole"] == told["digest"] == {"records": 73, "sha256": found.sha256}
    assert told["sources"][0]["complete_as_of"] is not None
    assert told["sources"][0]["records"]["active"] == 73


def test_data_files_are_the_same_bytes_each_time(
    harvested: CommandLine, made: Path, tmp_path: Path
) -> None:
    ran = harvested("snapshot", "create", str(tmp_path))
    again = Path(ran.out.strip())
    name = "manifest-sha512.txt"
    assert (again / name).read_bytes() == (made / name).read_bytes()


def test_the_data_package_names_every_data_file(made: Path) -> None:
    package = json.loads((made / "datapackage.json").read_text("utf-8"))
    named = {one["path"] for one in package["resources"]}
    there = {str(one.relative_to(made)) for one in (made / "data").rglob("*") if one.is_file()}
    assert named == there
    assert len({one["name"] for one in package["resources"]}) == len(named)
    for one in package["resources"]:
        assert (
            one["hash"] == "sha512:" + hashlib.sha512((made / one["path"]).read_bytes()).hexdigest()
        )
        assert one["bytes"] == (made / one["path"]).stat().st_size


def flip(folder: Path) -> None:
    path = folder / "data/records/records-00001.jsonl.gz"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def lose(folder: Path) -> None:
    (folder / "data/parquet/records-00001.parquet").unlink()


def add(folder: Path) -> None:
    (folder / "data/extra").mkdir()
    (folder / "data/extra/more.txt").write_text("x")


def link(folder: Path) -> None:
    path = folder / "data/records/records-00001.jsonl.gz"
    beside = folder.parent / "elsewhere"
    path.rename(beside)
    path.symlink_to(beside)


def link_folder(folder: Path) -> None:
    (folder / "data").rename(folder.parent / "elsewhere")
    (folder / "data").symlink_to(folder.parent / "elsewhere")


def lead_outside(folder: Path) -> None:
    manifest = folder / "manifest-sha512.txt"
    manifest.write_text(manifest.read_text("utf-8") + f"{'0' * 128}  ../../etc/passwd\n", "utf-8")


def take_one(folder: Path) -> None:
    path = folder / "data/records/records-00001.jsonl.gz"
    path.write_bytes(
        gzip.compress(
            b"".join(gzip.decompress(path.read_bytes()).splitlines(keepends=True)[:-1]), mtime=0
        )
    )
    sealed(folder)


def change_one(folder: Path) -> None:
    path = folder / "data/records/records-00001.jsonl.gz"
    text = gzip.decompress(path.read_bytes()).replace(b'"year":2018', b'"year":1918')
    path.write_bytes(gzip.compress(text, mtime=0))
    sealed(folder)


def break_schema(folder: Path) -> None:
    path = folder / "data/records/records-00001.jsonl.gz"
    text = gzip.decompress(path.read_bytes()).replace(b'"status":"active"', b'"status":"lost"', 1)
    path.write_bytes(gzip.compress(text, mtime=0))
    sealed(folder)


def of_another_time(folder: Path) -> None:
    rewrite_history(folder, lambda line: line.replace(b'"first":', b'"first":-', 1))


def say_another_thing(folder: Path) -> None:
    rewrite_history(folder, lambda line: line.replace(b'"year":2018', b'"year":1918'))


def spoil_metadata(folder: Path) -> None:
    rewrite_history(folder, lambda line: line.replace(b'"metadata":"<', b'"metadata":"<<'))


def spoil_a_time(folder: Path) -> None:
    path = folder / "data/harvest/commits.jsonl.gz"
    text = gzip.decompress(path.read_bytes()).replace(b'"at":"2', b'"at":"\\u001b[31m2')
    path.write_bytes(gzip.compress(text, mtime=0))
    sealed(folder)


def rewrite_history(folder: Path, change: Callable[[bytes], bytes]) -> None:
    path = folder / "data/history/history-00001.jsonl.zst"
    text = zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
    changed = b"".join(map(change, text.splitlines(keepends=True)))
    assert changed != text
    path.write_bytes(zstandard.ZstdCompressor().compress(changed))
    sealed(folder)


def claim_more(folder: Path) -> None:
    path = folder / "snapshot.json"
    told = json.loads(path.read_text("utf-8"))
    told["sources"][0]["complete_as_of"] = "2030-01-01"
    path.write_text(json.dumps(told), "utf-8")
    sealed(folder)


def bomb(folder: Path) -> None:
    path = folder / "data/harvest/quarantine.jsonl.gz"
    path.write_bytes(gzip.compress(b" " * 200_000_000, mtime=0))
    sealed(folder)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (flip, "data/records/records-00001.jsonl.gz: its SHA-512 is not the manifest's"),
        (lose, "data/parquet/records-00001.parquet: is missing"),
        (add, "data/extra/more.txt: no manifest names it"),
        (link, "data/records/records-00001.jsonl.gz: is no plain file"),
        (link_folder, "data: no manifest names it; it is a link"),
        (link_folder, "records-00001.jsonl.gz: its folder is missing or a link"),
        (lead_outside, "../../etc/passwd: manifest-sha512.txt names it"),
        (take_one, "data/records/records-00001.jsonl.gz: holds 72, 73 were written"),
        (take_one, "is missing, the history has it"),
        (change_one, "the records' digest is"),
        (change_one, "data/parquet/records-00001.parquet: row"),
        (break_schema, "is not what the schema wants (status"),
        (of_another_time, "v1 of hal is of a commit that is not in data/harvest/commits.jsonl.gz"),
        (say_another_thing, "says something else than its content in the history"),
        (spoil_metadata, "are no well-formed XML"),
        (spoil_a_time, "commits.jsonl.gz: line 1 is not what belongs there"),
        (claim_more, "hal: its completeness does not follow"),
        (bomb, "has a line of more than"),
    ],
)
def test_what_is_wrong_is_found_and_named(
    harvested: CommandLine,
    made: Path,
    tmp_path: Path,
    damage: Callable[[Path], None],
    said: str,
) -> None:
    folder = tmp_path / made.name
    shutil.copytree(made, folder)
    damage(folder)
    ran = harvested("snapshot", "verify", str(folder))
    assert ran.code == 1
    assert any(said in line for line in ran.out.splitlines()), ran.out + ran.err
    assert "Traceback" not in ran.err


def test_a_run_that_is_killed_leaves_nothing_and_goes_on(
    harvested: CommandLine, made: Path, tmp_path: Path
) -> None:
    """Killed after each file that becomes whole, until a run has time to end."""
    stop_after = 1
    while True:
        done = subprocess.run(
            [
                *_PYTHON,
                str(stop_after),
                *harvested.command("snapshot", "create", str(tmp_path))[2:],
            ],
            cwd=harvested.folder,
            env=harvested.environment(),
            capture_output=True,
            check=False,
        )
        if done.returncode == 0:
            break
        assert done.returncode == 99, done.stderr
        assert [one.name for one in tmp_path.iterdir() if not one.name.startswith(".")] == []
        stop_after += 1
    assert stop_after > 5
    folder = Path(done.stdout.decode().strip())
    assert [one.name for one in tmp_path.iterdir()] == [folder.name]
    assert harvested("snapshot", "verify", str(folder)).code == 0
    name = "manifest-sha512.txt"
    assert (folder / name).read_bytes() == (made / name).read_bytes()


_PYTHON = [
    sys.executable,
    "-c",
    """
import os, pathlib, sys
left = int(sys.argv.pop(1))
replace = pathlib.Path.replace
def counted(self, target):
    global left
    left -= 1
    if left < 0:
        os._exit(99)
    return replace(self, target)
pathlib.Path.replace = counted
from halmirror.cli import main
sys.argv = sys.argv[:1] + sys.argv[2:]
main()
""",
]


def test_a_signed_snapshot_names_its_signer(harvested: CommandLine, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    folder = Path(
        harvested("snapshot", "create", str(tmp_path / "s"), "--sign", str(key)).out.strip()
    )
    signers = tmp_path / "signers"
    signers.write_text("archive@example.org " + key.with_suffix(".pub").read_text())
    ran = harvested("snapshot", "verify", str(folder), "--allowed-signers", str(signers))
    assert ran.code == 0, ran.out
    assert "signed with ED25519 key SHA256:" in ran.err
    bagit.Bag(str(folder)).validate()

    unsigned = Path(harvested("snapshot", "create", str(tmp_path / "u")).out.strip())
    ran = harvested("snapshot", "verify", str(unsigned), "--allowed-signers", str(signers))
    assert (ran.code, "the snapshot is not signed" in ran.out) == (1, True)

    others = tmp_path / "others"
    others.write_text("")
    ran = harvested("snapshot", "verify", str(folder), "--allowed-signers", str(others))
    assert (ran.code, "was not made by any signer" in ran.out) == (1, True)
    change_one(folder)
    ran = harvested("snapshot", "verify", str(folder))
    assert (ran.code, "the signature does not fit" in ran.out) == (1, True)


def test_what_a_snapshot_says_of_a_run_is_told_but_not_obeyed(
    harvested: CommandLine, made: Path, tmp_path: Path
) -> None:
    folder = tmp_path / made.name
    shutil.copytree(made, folder)
    path = folder / "data/harvest/runs.jsonl.gz"
    text = gzip.decompress(path.read_bytes())
    text = text.replace(b'"command":"harvest"', b'"command":"\\u001b[31mharvest"', 1)
    path.write_bytes(gzip.compress(text, mtime=0))
    sealed(folder)
    again = replace(harvested, folder=tmp_path / "again")
    again.folder.mkdir()
    shutil.copy(harvested.folder / "config.toml", again.folder)
    ran = again("snapshot", "restore", str(folder), "--output", str(again.mirror))
    assert ran.code == 0, ran.err
    assert r"\u001b[31mharvest" in again("status").out


def test_lines_have_limits(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a":1}\n{"b":2}\n'))
    assert list(lines(path)) == [b'{"a":1}', b'{"b":2}']
