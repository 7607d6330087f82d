"""A copy of the mirror in one file, made while a harvest runs.

SQLite's ``VACUUM INTO`` writes what a reader sees at one moment: compact, without a log beside it,
so that it opens anywhere, from read-only folders too.  A bare copy of the live file lacks what is
still in its log.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from halmirror.errors import MirrorError, OutputError
from halmirror.store.database import open_for_reading

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that was made: its bytes, and the newest commit in it (0 in an empty mirror)."""

    path: Path
    size: int
    latest: int


def backup(mirror: Path, target: Path) -> Backup:
    """Copy the mirror at ``mirror`` to the new file ``target``.

    It is written beside its place, checked, and then takes it; a file that is there stays.
    Harvests go on meanwhile, and the copy has none or all of each of their commits.  A mirror of
    an earlier release is copied as it is, before it is brought up to date.  Raises
    `OutputError`, and `MirrorError` where there is no mirror that can be read.
    """
    if os.path.lexists(target):
        raise OutputError(f"{target} is there already; name a new file")
    beside = target.with_name(f".{target.name[:200]}.part")
    with contextlib.closing(open_for_reading(mirror, earlier=True)) as connection:
        try:
            beside.unlink(missing_ok=True)  # what a killed run has left
            _check_room(connection, target)
            # Only the copy is written; the mirror itself was opened read-only.
            connection.execute("PRAGMA query_only = OFF")
            connection.execute("VACUUM INTO ?", (str(beside),))
            latest = _checked(beside)
            _place(beside, target)
        except FileExistsError as error:
            raise OutputError(f"{target} is there already; name a new file") from error
        except OSError as error:
            raise OutputError(
                f"{target} cannot be written ({error.strerror or error}); choose another place"
            ) from error
        except sqlite3.Error as error:
            raise _failed(mirror, target, error) from error
        finally:
            with contextlib.suppress(OSError):  # the error itself says more
                beside.unlink(missing_ok=True)
    return Backup(target, target.stat().st_size, latest)


def _check_room(connection: sqlite3.Connection, target: Path) -> None:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    free = shutil.disk_usage(target.parent).free
    if pages * size > free:
        raise OutputError(
            f"{target} needs up to {pages * size // 1_000_000} MB and its disk has "
            f"{free // 1_000_000} MB left; make room or choose another disk"
        )


def _checked(copy: Path) -> int:
    """The newest commit of a copy that SQLite finds whole.  Raises `OutputError`."""
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        (latest,) = connection.execute('SELECT coalesce(max(seq), 0) FROM "commit"').fetchone()
    if (mode, found) != ("delete", "ok"):
        raise OutputError(f"the copy is not whole ({found}); check the mirror: 'halmirror doctor'")
    return int(latest)


def _place(beside: Path, target: Path) -> None:
    """Give the copy its name, which nothing may bear yet, once the disk has all of it."""
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    try:
        os.link(beside, target)
    except PermissionError:  # a file system without links
        if os.path.lexists(target):
            raise FileExistsError from None
        beside.rename(target)


def _failed(mirror: Path, target: Path, error: sqlite3.Error) -> OutputError | MirrorError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return MirrorError(f"{mirror} is damaged ({error}); 'halmirror doctor' tells more")
    return OutputError(f"{target} cannot be written ({error}); choose another place")
