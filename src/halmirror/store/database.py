"""Opening the mirror's file: who may, how, and what is said when it cannot be.

Writers hold a lock on a file beside the mirror (``mirror.sqlite.lock``), which the kernel
releases however they end.  Readers open the file read-only and never wait for a writer
(SQLite's write-ahead log).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from halmirror import errors
from halmirror.store.file_system import check_local
from halmirror.store.schema import APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WAIT_SECONDS = 30.0
_STEPS_PER_LOOK = 20_000
"""Instructions of SQLite's machine from one look at the clock to the next: about a millisecond."""

_WRITE_CACHE_KIB = 20 * 1024
_LOG_PAGES = 4000
"""Pages (32 MB) in the log before they go into the file: four times SQLite's own, since those that
many commits touch go there once for all of them."""


def time_stamp(moment: datetime | None = None) -> str:
    """A UTC time stamp with milliseconds and ``Z``: the form of every time in the mirror."""
    moment = (moment or datetime.now(UTC)).astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def seconds_since(stamp: str) -> float:
    """Seconds from a time stamp of the mirror until now."""
    return (datetime.now(UTC) - datetime.fromisoformat(stamp)).total_seconds()


def is_index_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite finds the full-text index damaged, not the file."""
    return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_CORRUPT_VTAB


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about the file at ``path`` into the project's own."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_INTERRUPT:
            raise errors.OverdueError(
                "this takes longer than is allowed here; ask for less, or with rarer words"
            ) from error
        raise _operational(path, error) from error
    except sqlite3.DatabaseError as error:
        if is_index_damage(error):
            raise errors.MirrorError(
                f"{path}: the search index is damaged ({error}); "
                "'halmirror doctor --deep --repair' makes it anew"
            ) from error
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in {
            sqlite3.SQLITE_NOTADB,
            sqlite3.SQLITE_CORRUPT,
        }:
            raise errors.NotAMirrorError(
                f"{path} cannot be read as a mirror ({error}); name another file, or restore it "
                "from a backup"
            ) from error
        raise errors.MirrorError(
            f"{path}: what was to be stored breaks the mirror's rules ({error}); "
            "nothing of it was stored"
        ) from error


def _operational(path: Path, error: sqlite3.OperationalError) -> errors.MirrorError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_READONLY:
        return errors.MirrorWriteError(
            f"{path} cannot be written: it or its folder is read-only; change its "
            "permissions or set another [mirror] path"
        )
    if code == sqlite3.SQLITE_FULL:
        return errors.MirrorWriteError(
            f"{path} cannot be written: the disk is full; free some room and run again, "
            "what was committed is safe"
        )
    if code == sqlite3.SQLITE_IOERR:
        return errors.MirrorWriteError(
            f"{path} cannot be read or written ({error}); check the disk and run again"
        )
    if code == sqlite3.SQLITE_CANTOPEN:
        way = "check that its folder exists and may be used"
        if log_of(path).exists() and not os.access(path.parent, os.W_OK):
            way = (
                f"its newest commits are in the log beside it ({log_of(path).name}), and SQLite "
                "must write in the folder to read them: allow that, or put a copy there that "
                "'halmirror backup' made"
            )
        return errors.MirrorWriteError(f"{path} cannot be opened ({error}); {way}")
    if code == sqlite3.SQLITE_BUSY:
        return errors.MirrorBusyError(
            f"{path} is held by another program ({error}); try again when it has ended"
        )
    return errors.MirrorError(f"{path}: {error}; run 'halmirror config check' to see the setting")


class WriteLock:
    """The right to write to the mirror at ``path``, held from ``acquire`` to ``release``.

    A POSIX record lock: the kernel drops it with the process, so a killed run never blocks.
    ``network``: whether the mirror may lie on a network file system.
    """

    def __init__(self, path: Path, *, network: bool = False) -> None:
        self.path = path.with_name(path.name + ".lock")
        self._mirror = path
        self._network = network
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises `MirrorBusyError` with who holds it, and `NetworkFileSystemError`.
        """
        check_local(self._mirror, network=self._network)
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise errors.MirrorWriteError(
                f"{self.path} cannot be written ({error.strerror}); check that its folder "
                "exists and may be written, or set another [mirror] path"
            ) from error
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._file, 4096, 0).decode(errors="replace").strip()
            self._close()
            raise errors.MirrorBusyError(
                f"another run holds the mirror ({holder or 'unknown holder'}); "
                "wait for it to end, or stop it"
            ) from error
        told = {"pid": os.getpid(), "host": os.uname().nodename, "start": time_stamp()}
        try:
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, msgspec.json.encode(told) + b"\n", 0)
        except OSError as error:
            self._close()
            raise errors.MirrorWriteError(
                f"{self.path} cannot be written ({error.strerror}); free some room and run again"
            ) from error

    def release(self) -> None:
        """Give the lock back; the file stays, empty."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # an empty file is a courtesy, the lock is not
                os.ftruncate(self._file, 0)
            self._close()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def open_for_reading(path: Path, *, earlier: bool = False) -> sqlite3.Connection:
    """A read-only connection to the mirror at ``path``.

    ``earlier``: whether it may have the schema of an earlier release, for one who copies it.
    Raises `NoMirrorError`, `NotAMirrorError`, `NewerMirrorError`, `OlderMirrorError`.
    """
    if not path.exists():
        raise errors.NoMirrorError(
            f"there is no mirror at {path}; run 'halmirror harvest' first, or set [mirror] path"
        )
    with translated(path):
        connection = sqlite3.connect(_uri(path), uri=True, timeout=_WAIT_SECONDS)
        connection.isolation_level = None
        try:
            connection.execute("PRAGMA query_only = ON")
            version = _check(path, connection)
            if not earlier:
                _check_current(path, version)
        except BaseException:
            connection.close()
            raise
    return connection


@contextlib.contextmanager
def limited(connection: sqlite3.Connection, seconds: float) -> Iterator[None]:
    """Interrupt the connection's statements once ``seconds`` have gone by."""
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS_PER_LOOK)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


def open_for_writing(path: Path) -> sqlite3.Connection:
    """A connection that may write, the schema brought up to date.

    The caller holds the `WriteLock`, and lets one thread at a time use the connection.  Creates
    the file where there is none.
    """
    with translated(path):
        connection = sqlite3.connect(path, timeout=_WAIT_SECONDS, check_same_thread=False)
        connection.isolation_level = None
        try:
            _prepare(path, connection)
        except BaseException:
            connection.close()
            raise
    return connection


def _uri(path: Path) -> str:
    """Read-only; immutable only where no log lies beside and the folder cannot be written."""
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    if not os.access(path.parent, os.W_OK) and not log_of(path).exists():
        address += "&immutable=1"
    return address


def log_of(path: Path) -> Path:
    """Where the log (WAL) of the mirror at ``path`` is, while there is one."""
    return path.with_name(path.name + "-wal")


def _check(path: Path, connection: sqlite3.Connection) -> int:
    """The file's schema version; raises where it is no mirror, or one from a later release."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise errors.NotAMirrorError(
            f"{path} is a file of another program, no mirror; name another file"
        )
    if version > SCHEMA_VERSION:
        raise errors.NewerMirrorError(
            f"{path} was written by a later halmirror (schema {version}, this one knows "
            f"{SCHEMA_VERSION}); install the newer halmirror"
        )
    return int(version)


def _check_current(path: Path, version: int) -> None:
    """Raises `OlderMirrorError` where a file has an earlier schema than readers know."""
    if version < SCHEMA_VERSION:
        raise errors.OlderMirrorError(
            f"{path} was written by an earlier halmirror (schema {version}, this one reads "
            f"{SCHEMA_VERSION}); run 'halmirror doctor --repair', which needs no network, or the "
            "next harvest, to bring it up to date"
        )


def _prepare(path: Path, connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{_WRITE_CACHE_KIB}")
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables:
        version = _check(path, connection)
    else:
        version = 0
        connection.execute("PRAGMA page_size = 8192")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
    for number, migration in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE; {migration} PRAGMA application_id = {APPLICATION_ID}; "
            f"PRAGMA user_version = {number}; COMMIT;"
        )
    # Not before: a migration may put a table in the place of one that others refer to.
    connection.execute("PRAGMA foreign_keys = ON")
