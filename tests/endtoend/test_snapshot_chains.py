"""Increments and restoring, with the real command and a changing endpoint."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import bagit
import pytest

from conftest import CommandLine
from halmirror.export import FORMATS
from recorded_endpoint import RECORDED, RecordedEndpoint

NOW = datetime.now(UTC).date()
YESTERDAY, TODAY = (NOW - timedelta(days=1)).isoformat(), NOW.isoformat()


@dataclass(frozen=True)
class Chain:
    """A mirror, a whole snapshot of its beginnings, and an increment after each run."""

    command: CommandLine
    parent: Path
    folders: tuple[Path, ...]

    def elsewhere(self, folder: Path) -> CommandLine:
        """The command line with the mirror in another folder."""
        (folder / "data").mkdir(parents=True)
        shutil.copy(self.command.folder / "config.toml", folder)
        return replace(self.command, folder=folder)


def create(command: CommandLine, parent: Path, *arguments: str) -> Path:
    ran = command("snapshot", "create", str(parent), *arguments)
    assert ran.code == 0, ran.err
    return Path(ran.out.removesuffix("\n"))


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp("chain")
    command = CommandLine(folder)
    parent = folder / "snapshots"
    with RecordedEndpoint(RECORDED, page_size=30) as endpoint:
        command.configure(endpoint.url)
        assert command("harvest").code == 0
        made = [create(command, parent)]
        first = endpoint.record("oai:HAL:hal-04493396v1")
        second = (
            first.edited("une menace pour", "une chance pour")
            .edited("subject:shs", "collection:TEST")
            .stamped(YESTERDAY)
        )
        endpoint.replace(second)
        for change in (
            lambda: endpoint.replace(second.stamped(TODAY)),
            lambda: endpoint.remove(second.identifier),
            lambda: None,
        ):
            assert command("harvest").code == 0
            made.append(create(command, parent, "--since", str(made[-1])))
            change()
            endpoint.records.append(
                second.edited("hal-04493396v1", f"hal-04493396v{len(made)}").stamped(TODAY)
            )
        yield Chain(command, parent, tuple(made))


def everything(command: CommandLine) -> Iterator[tuple[str, str]]:
    """What every reader of the mirror gives, at all its times."""
    for form in FORMATS:
        if form != "parquet":
            yield form, command("export", "--format", form, "--status", "all").out
    for run in range(1, 5):
        ran = command("export", "--format", "jsonl", "--status", "all", "--as-of", str(run))
        assert ran.code == 0, ran.err
        yield f"run {run}", ran.out
    yield "changes", command("changes", "--since", "2020-01-01", "--format", "jsonl").out
    yield "history", command("show", "hal-04493396", "--history", "--format", "json").out
    yield "search", command("search", "--facets", "--format", "json", "--sort", "newest").out
    status = json.loads(command("status", "--format", "json", "--windows").out)
    for gone in ("path", "at", "size_bytes"):
        del status[gone]
    for source in status["sources"]:
        for gone in ("lag_seconds", "seconds_since_success"):
            del source[gone]
    yield "status", json.dumps(status)


def test_a_chain_in_any_order_gives_the_same_mirror(chain: Chain, tmp_path: Path) -> None:
    again = chain.elsewhere(tmp_path / "again")
    shuffled = [str(chain.folders[place]) for place in (2, 0, 3, 1)]
    ran = again("snapshot", "restore", *shuffled, "--output", "data/mirror.sqlite")
    assert ran.code == 0, ran.err
    assert sorted(one.name for one in (again.folder / "data").iterdir()) == ["mirror.sqlite"]
    assert dict(everything(again)) == dict(everything(chain.command))


def test_the_restored_mirror_makes_the_same_snapshot_and_goes_on(
    chain: Chain, tmp_path: Path
) -> None:
    whole = create(chain.command, tmp_path / "whole")
    again = chain.elsewhere(tmp_path / "again")
    assert again("snapshot", "restore", str(whole), "--output", "data/mirror.sqlite").code == 0
    copy = create(again, tmp_path / "copy")
    assert (copy / "manifest-sha512.txt").read_bytes() == (
        whole / "manifest-sha512.txt"
    ).read_bytes()
    increment = create(again, chain.parent.parent / "more", "--since", str(chain.folders[-1]))
    told = json.loads((increment / "snapshot.json").read_text("utf-8"))
    assert (told["documents"], told["digest"]["records"]) == (0, 0)
    assert again("snapshot", "verify", str(increment)).code == 0


def test_increments_are_small_valid_bags(chain: Chain) -> None:
    for place, folder in enumerate(chain.folders):
        assert chain.command("snapshot", "verify", str(folder)).out == ""
        bagit.Bag(str(folder)).validate()
        told = json.loads((folder / "snapshot.json").read_text("utf-8"))
        assert told["documents"] == (73 if place == 0 else 1)


def test_a_missing_increment_is_named(chain: Chain, tmp_path: Path) -> None:
    some = [str(one) for one in chain.folders if one != chain.folders[1]]
    ran = chain.command("snapshot", "restore", *some, "--output", str(tmp_path / "m.sqlite"))
    assert ran.code == 1
    assert f"{chain.folders[1].name} is missing: {chain.folders[2].name} goes on from it" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_all_stands_for_the_newest(chain: Chain, tmp_path: Path) -> None:
    parent = tmp_path / "s"
    shutil.copytree(chain.parent, parent)
    other = create(chain.command, parent)  # a second whole one, of the same state
    assert (
        chain.command("snapshot", "publish", str(parent), "--base-url", "http://x.test/").code == 0
    )
    for place in (tmp_path / "new.sqlite", tmp_path / "old.sqlite"):
        ran = chain.command("snapshot", "restore", str(parent), "--output", str(place))
        assert (ran.code, "75 records restored" in ran.err) == (0, True), ran.err
        assert chain.command("snapshot", "diff", str(place), str(chain.folders[-1])).out == (
            "0 added, 0 changed, 0 removed\n"
        )
        if other.exists():
            shutil.rmtree(other)  # then it is a chain's last
    empty = tmp_path / "empty"
    empty.mkdir()
    ran = chain.command("snapshot", "restore", str(empty), "--output", str(tmp_path / "m.sqlite"))
    assert (ran.code, "there is none in it" in ran.err) == (1, True)


def test_a_pipe_in_place_of_the_tag_manifest_is_not_waited_for(
    chain: Chain, tmp_path: Path
) -> None:
    parent = tmp_path / "s"
    shutil.copytree(chain.parent, parent)
    whole, increment = (parent / one.name for one in chain.folders[:2])
    (whole / "tagmanifest-sha512.txt").unlink()
    os.mkfifo(whole / "tagmanifest-sha512.txt")
    for arguments in (
        ("restore", str(whole), str(increment), "--output", str(tmp_path / "m.sqlite")),
        ("diff", str(increment), str(increment)),
        ("create", str(tmp_path / "more"), "--since", str(whole)),
    ):
        ran = chain.command("snapshot", *arguments)
        assert (ran.code, "tagmanifest-sha512.txt: missing, or no plain file" in ran.err) == (
            1, True,
        )  # fmt: skip


def rewrite(folder: Path, **changes: object) -> None:
    path = folder / "snapshot.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def test_a_chain_in_a_circle_is_refused(chain: Chain, tmp_path: Path) -> None:
    parent = tmp_path / "s"
    shutil.copytree(chain.parent, parent)
    first = parent / chain.folders[0].name
    last = {"name": chain.folders[2].name, "seq": 1, "tagmanifest": ""}
    rewrite(first, since=last)
    ran = chain.command("snapshot", "diff", str(parent / chain.folders[2].name), str(first))
    assert (ran.code, "goes in a circle" in ran.err) == (1, True)


def test_an_increment_is_named_after_what_it_goes_on_from(chain: Chain, tmp_path: Path) -> None:
    ahead = tmp_path / "2199-01-01T00-00-00Z"
    shutil.copytree(chain.folders[-1], ahead)
    rewrite(ahead, name=ahead.name)  # as if the clock had been wrong then
    assert create(chain.command, tmp_path, "--since", str(ahead)).name == "2199-01-01T00-00-01Z"


def test_nothing_is_overwritten(chain: Chain, tmp_path: Path) -> None:
    place = tmp_path / "m.sqlite"
    place.write_bytes(b"mine")
    ran = chain.command("snapshot", "restore", str(chain.folders[0]), "--output", str(place))
    assert (ran.code, "is there already" in ran.err) == (2, True)
    assert place.read_bytes() == b"mine"
    dangling = tmp_path / "link"
    dangling.symlink_to(tmp_path / "nowhere")
    ran = chain.command("snapshot", "restore", str(chain.folders[0]), "--output", str(dangling))
    assert (ran.code, (tmp_path / "nowhere").exists()) == (2, False)


def test_a_damaged_snapshot_is_not_restored(chain: Chain, tmp_path: Path) -> None:
    folder = tmp_path / chain.folders[0].name
    shutil.copytree(chain.folders[0], folder)
    path = folder / "data/history/history-00001.jsonl.zst"
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    ran = chain.command("snapshot", "restore", str(folder), "--output", str(tmp_path / "m.sqlite"))
    assert (ran.code, "history-00001.jsonl.zst: its SHA-512 is not" in ran.err) == (1, True)
    assert [one.name for one in tmp_path.iterdir()] == [folder.name]


def test_an_increment_needs_the_same_mirror(chain: Chain, tmp_path: Path) -> None:
    other = chain.elsewhere(tmp_path / "other")
    with RecordedEndpoint(RECORDED) as endpoint:
        other.configure(endpoint.url)
        assert other("harvest").code == 0
    ran = other("snapshot", "create", str(tmp_path / "s"), "--since", str(chain.folders[0]))
    assert (ran.code, "is of another mirror" in ran.err) == (1, True)
    assert list((tmp_path / "s").iterdir()) == []


def test_diff_tells_what_was_added_changed_and_removed(chain: Chain, tmp_path: Path) -> None:
    first, second, third, _ = map(str, chain.folders)
    ran = chain.command("snapshot", "diff", first, second)
    assert (ran.code, ran.out.splitlines()) == (
        0,
        ["changed hal hal-04493396v1: datestamp, sets, titles", "0 added, 1 changed, 0 removed"],
    )
    ran = chain.command("snapshot", "diff", second, third, "--format", "jsonl", "--exit-code")
    assert ran.code == 1
    assert [json.loads(line) for line in ran.out.splitlines()] == [
        {
            "change": "changed",
            "source": "hal",
            "id": "hal-04493396",
            "version": 1,
            "keys": ["datestamp", "status", "status_since", "followed_by"],
        },
        {"change": "added", "source": "hal", "id": "hal-04493396", "version": 2},
    ]
    ran = chain.command("snapshot", "diff", third, second)
    assert ran.out.endswith("0 added, 1 changed, 1 removed\n")


def test_a_chain_and_its_mirror_do_not_differ(chain: Chain) -> None:
    last, mirror = str(chain.folders[-1]), str(chain.command.mirror)
    ran = chain.command("snapshot", "diff", last, mirror, "--exit-code")
    assert (ran.code, ran.out) == (0, "0 added, 0 changed, 0 removed\n")


def test_list_names_them(chain: Chain) -> None:
    ran = chain.command("snapshot", "list", str(chain.parent), "--format", "jsonl")
    found = [json.loads(line) for line in ran.out.splitlines()]
    assert [one["name"] for one in found] == [one.name for one in chain.folders]
    assert [one["since"] for one in found] == [None, *(one.name for one in chain.folders[:-1])]
    assert found[0]["records"] == 73
    assert chain.command("snapshot", "list", str(chain.parent)).out.startswith(
        f"{chain.folders[0].name} whole: 73 records, "
    )


def test_prune_never_breaks_a_chain(chain: Chain, tmp_path: Path) -> None:
    parent = tmp_path / "s"
    shutil.copytree(chain.parent, parent)
    shutil.copytree(parent / chain.folders[0].name, parent / ".2020-01-01T00-00-00Z.gone")
    ran = chain.command("snapshot", "prune", str(parent), "--keep-last", "1", "--dry-run")
    assert "remove" not in ran.out
    assert ran.out.count("goes on from it") == 3
    shutil.rmtree(parent / chain.folders[3].name)
    shutil.rmtree(parent / chain.folders[2].name)
    again = create(chain.command, parent)
    ran = chain.command("snapshot", "prune", str(parent), "--keep-daily", "1")
    assert ran.out.splitlines() == [
        f"removed {chain.folders[0].name}",
        f"removed {chain.folders[1].name}",
        f"keep {again.name} (daily)",
    ]
    assert [one.name for one in parent.iterdir()] == [again.name]
    assert chain.command("snapshot", "prune", str(parent)).code == 2


def test_what_is_forgotten_is_in_no_later_snapshot(chain: Chain, tmp_path: Path) -> None:
    again = chain.elsewhere(tmp_path / "again")
    parent = tmp_path / "s"
    shutil.copytree(chain.parent, parent)
    mirror = again.folder / "data" / "mirror.sqlite"
    folders = [str(parent / one.name) for one in chain.folders]
    assert again("snapshot", "restore", *folders, "--output", str(mirror)).code == 0
    ran = again("forget", "hal-04493396", "--reason", "asked for by its author")
    assert ran.code == 0, ran.err
    increment = create(again, parent, "--since", folders[-1])
    told = json.loads((increment / "snapshot.json").read_text("utf-8"))
    assert (told["documents"], told["contents"], told["forgotten"]) == (1, 0, 1)
    assert again("snapshot", "verify", str(increment)).out == ""
    ran = again("snapshot", "diff", str(increment), str(mirror), "--exit-code")
    assert ran.code == 0, ran.out

    restored = chain.elsewhere(tmp_path / "restored")
    place = restored.folder / "data" / "mirror.sqlite"
    ran = restored("snapshot", "restore", *folders, str(increment), "--output", str(place))
    assert ran.code == 0, ran.err
    assert dict(everything(restored)) == dict(everything(again))
    assert b"menace pour la" not in place.read_bytes()
    with RecordedEndpoint(RECORDED) as endpoint:
        restored.configure(endpoint.url)
        assert restored("harvest", "--full").code == 0
    assert "une menace" not in restored("export", "--format", "jsonl", "--status", "all").out
