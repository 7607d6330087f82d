"""Making a mirror again of a snapshot, or of a whole one and its increments.

The mirror is built under a hidden name, its records are compared with the digest that the newest
snapshot carries, and only then does it take its own name.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from itertools import groupby
from typing import TYPE_CHECKING, Final

from halmirror.config.values import KEEP_FREE
from halmirror.errors import OutputError, SnapshotError, UsageError
from halmirror.export.digest import digest
from halmirror.mirror import Filters, Mirror
from halmirror.record import EVERY_STATUS
from halmirror.snapshot import bag, tables
from halmirror.snapshot.chain import Link, named
from halmirror.snapshot.layout import (
    COMMITS,
    FORGOTTEN,
    HISTORY,
    QUARANTINE,
    RUNS,
    SOURCES,
    WINDOWS,
    kind_of,
)
from halmirror.store.database import WriteLock
from halmirror.store.file_system import check_local
from halmirror.store.loading import Loading
from halmirror.store.whole import (
    Content,
    HeldCommit,
    HeldForgotten,
    HeldQuarantine,
    HeldRun,
    HeldSource,
    HeldState,
    HeldWindow,
    remaining,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Watch = Callable[[str, int, int], None]

_TOLD_EVERY: Final = 500
_BESIDE: Final = ("", "-wal", "-shm", "-journal", ".lock")


def restore(
    folders: Sequence[Path],
    output: Path,
    *,
    network: bool = False,
    watch: Watch | None = None,
) -> int:
    """Make the mirror ``output`` of snapshots named in any order; gives how many records it holds.

    One folder that holds snapshots stands for the newest of them and what that goes on from.
    Every snapshot's checksums are checked first.  ``network``: whether the mirror may lie on a
    network file system.  ``watch`` is called now and then with a name, how many documents are
    done and how many there are.  Raises `UsageError` where there is something at ``output``,
    `NetworkFileSystemError`, `SnapshotError` where a snapshot is missing, damaged or does not
    belong, and `MirrorError` where the mirror cannot be written.
    """
    output = output.absolute()
    if os.path.lexists(output):
        raise UsageError(f"--output: {output} is there already; name a file that is not")
    check_local(output, network=network)
    chain = named(folders)
    for link in chain:
        if fault := next(bag.faults(link.folder), None):
            raise SnapshotError(f"{link.folder}: {fault}; 'snapshot verify' tells more")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        _check_room(chain, output)
        return _restored(chain, output, watch)
    except OSError as error:
        raise OutputError(
            f"{output} cannot be written ({error.strerror or error}); choose another place"
        ) from error


def _restored(chain: Sequence[Link], output: Path, watch: Watch | None) -> int:
    beside = output.with_name(f".{output.name}.part")
    lock = WriteLock(beside, network=True)  # whether that may be was asked before
    lock.acquire()
    try:
        # What an earlier run left when it was killed.
        for ending in _BESIDE[:-1]:
            beside.with_name(beside.name + ending).unlink(missing_ok=True)
        _build(chain, beside, watch)
        _check(chain[-1], beside)
        try:
            # Unlike renaming, this takes nothing away that came there meanwhile.
            os.link(beside, output)
        except FileExistsError as error:
            raise UsageError(f"--output: {output} is there already; nothing was changed") from error
        return chain[-1].told.whole.records
    finally:
        for ending in _BESIDE:
            with contextlib.suppress(OSError):  # the error itself says more
                beside.with_name(beside.name + ending).unlink(missing_ok=True)
        lock.release()


def _check_room(chain: Sequence[Link], output: Path) -> None:
    """Raises `OutputError` where the disk has less than the mirror is going to take."""
    needed = KEEP_FREE + 2 * sum(
        file.size for link in chain for file in link.told.files if kind_of(file.path) == HISTORY
    )
    free = shutil.disk_usage(output.parent).free
    if free < needed:
        raise OutputError(
            f"{output}: the mirror takes some {needed / 1e6:,.0f} MB and the disk has "
            f"{free / 1e6:,.0f} MB left; make room or choose another place"
        )


def _build(chain: Sequence[Link], path: Path, watch: Watch | None) -> None:
    total = sum(link.told.documents for link in chain)
    done = 0
    newest = chain[-1].folder
    # Of what was forgotten since, no byte may reach the mirror: the newest has its tombstones.
    # Nor of the history that was pruned since.
    history_from = chain[-1].told.history_from
    gone = {(one.source, one.id) for one in tables.read(newest, FORGOTTEN, HeldForgotten)}
    with Loading(path, KEEP_FREE) as loading:
        for link in chain:
            loading.sources(tables.read(link.folder, SOURCES, HeldSource))
            lines = tables.history(link.folder, link.told)
            for key, group in groupby(lines, key=lambda one: (one.source, one.id)):
                if key in gone and link is not chain[-1]:
                    continue
                contents: list[Content] = []
                states: list[HeldState] = []
                for one in group:
                    if isinstance(one, Content):
                        contents.append(one)
                    else:
                        states.append(one)
                loading.document(*remaining(contents, states, history_from))
                done += 1
                if watch is not None and done % _TOLD_EVERY == 0:
                    watch("restore", done, total)
        loading.tables(
            tables.read(newest, RUNS, HeldRun),
            tables.read(newest, COMMITS, HeldCommit),
            tables.read(newest, SOURCES, HeldSource),
            tables.read(newest, WINDOWS, HeldWindow),
            tables.read(newest, QUARANTINE, HeldQuarantine),
            tables.read(newest, FORGOTTEN, HeldForgotten),
        )
        if history_from:
            loading.pruned(history_from)
        loading.settle()


def _check(newest: Link, path: Path) -> None:
    """Raises `SnapshotError` where the mirror's records are not those that the snapshot had."""
    with Mirror(path) as mirror:
        found = digest(mirror.lines(Filters(status=(EVERY_STATUS,))))
    told = newest.told.whole
    if (found.records, found.sha256) != (told.records, told.sha256):
        raise SnapshotError(
            f"{newest.folder}: restored, it gives {found.records} records with the digest "
            f"{found.sha256}, the snapshot has {told.records} with {told.sha256}; no mirror is left"
        )
