"""Chains: a whole snapshot and the increments that go on from it, each from the one before."""

from __future__ import annotations

import hashlib
import heapq
import os
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from halmirror.errors import SnapshotError
from halmirror.export.digest import key_of
from halmirror.snapshot import tables
from halmirror.snapshot.layout import (
    DESCRIPTION,
    RECORDS,
    TAG_MANIFEST,
    Description,
    describe,
    is_folder,
    is_name,
    read_text,
)
from halmirror.snapshot.packed import lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path


class Link(NamedTuple):
    """A snapshot of a chain: its folder and what it says of itself."""

    folder: Path
    told: Description


def ordered(folders: Iterable[Path]) -> list[Link]:
    """The chain that the newest of some folders ends, oldest first; the others must belong to it.

    Raises `SnapshotError`, naming what is missing or does not belong.
    """
    links = {link.told.name: link for link in (Link(one, describe(one)) for one in folders)}
    if not links:
        raise SnapshotError("no snapshot is named")
    newest = max(links.values(), key=lambda link: (link.told.seq, link.told.name))
    chain = [newest]
    while (before := chain[-1].told.since) is not None:
        link = links.get(before.name)
        if link is None:
            raise SnapshotError(
                f"{before.name} is missing: {chain[-1].told.name} goes on from it; name it too"
            )
        if seal(link.folder) != before.tagmanifest:
            raise SnapshotError(
                f"{link.folder} is not the {before.name} that {chain[-1].told.name} goes on from: "
                "its tag manifest differs"
            )
        if len(chain) > len(links):
            raise SnapshotError(f"{newest.told.name}: its chain goes in a circle")
        chain.append(link)
    if spare := sorted(links.keys() - {link.told.name for link in chain}):
        raise SnapshotError(
            f"{spare[0]} is not in the chain that ends with {newest.told.name}; leave it out"
        )
    return chain[::-1]


def seal(folder: Path) -> str:
    """The SHA-512 of a snapshot's tag manifest, which stands for all of it.

    Raises `SnapshotError` where that is missing or no plain file.
    """
    return hashlib.sha512(read_text(folder, TAG_MANIFEST)).hexdigest()


def named(folders: Sequence[Path]) -> list[Link]:
    """The chain that is meant: its folders, or the one of `create` for the newest inside it.

    Raises `SnapshotError`, naming what is missing or does not belong.
    """
    if len(folders) == 1 and not os.path.lexists(folders[0] / DESCRIPTION):
        links = there(folders[0])
        if not links:
            raise SnapshotError(f"{folders[0]} is no snapshot, and there is none in it")
        return leading_to(links[-1].folder)
    return ordered(folders)


def there(parent: Path) -> list[Link]:
    """The snapshots in a folder, oldest first.  Raises `SnapshotError`."""
    if not is_folder(parent):
        raise SnapshotError(f"{parent} is no folder; name the one given to 'snapshot create'")
    names = sorted(one.name for one in parent.iterdir() if is_name(one.name) and is_folder(one))
    return [Link(parent / name, describe(parent / name)) for name in names]


def leading_to(folder: Path) -> list[Link]:
    """The chain that a snapshot ends, the others from the folder beside it.

    Raises `SnapshotError` where one is missing.
    """
    last = Link(folder, describe(folder))
    folders = [folder]
    names = {last.told.name}
    while (before := last.told.since) is not None:
        place = folder.absolute().parent / before.name
        if not is_folder(place):
            raise SnapshotError(
                f"{before.name} is missing beside {last.folder}, which goes on from it"
            )
        last = Link(place, describe(place))
        folders.append(place)
        if last.told.name in names:
            raise SnapshotError(f"{place}: its chain goes in a circle")
        names.add(last.told.name)
    return ordered(folders)


def records(chain: Sequence[Link]) -> Iterator[bytes]:
    """The records that a chain holds, as lines by source, id and version.

    A document is taken from the newest snapshot that has it.  Raises `SnapshotError`.
    """
    streams = [_keyed(link, -place) for place, link in enumerate(chain)]
    merged = heapq.merge(*streams, key=itemgetter(0, 1))
    for _, group in groupby(merged, key=itemgetter(0)):
        newest: int | None = None
        for _, place, line in group:
            newest = place if newest is None else newest
            if place == newest:
                yield line


def _keyed(link: Link, place: int) -> Iterator[tuple[tuple[str, str], int, bytes]]:
    for path in tables.shards(link.told, RECORDS):
        for line in lines(link.folder / path):
            source, identifier, _ = key_of(line)
            yield (source, identifier), place, line
