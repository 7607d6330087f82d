"""Making a snapshot: the mirror as of one commit, written shard by shard, made a bag at the end.

The work is done in a hidden folder inside the parent, ``.<name>.part``, in which a log says which
shards are whole; a run that was cut goes on after the last of them, as of the same commit.  The
folder takes its place by one renaming, when everything is on the disk.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from halmirror import whole_file
from halmirror.errors import OutputError, SnapshotError
from halmirror.record import STATUSES
from halmirror.record.schema import SCHEMA_VERSION
from halmirror.record.schema import text as schema_text
from halmirror.snapshot import bag, signature, tables
from halmirror.snapshot.chain import seal
from halmirror.snapshot.completeness import Proofs
from halmirror.snapshot.layout import (
    COMMITS,
    DATA_PACKAGE,
    DESCRIPTION,
    FORGOTTEN,
    FORMAT,
    QUARANTINE,
    README,
    RECORDS,
    RUNS,
    SCHEMA,
    SOURCES,
    WINDOWS,
    Description,
    File,
    Previous,
    Records,
    describe,
    encode,
    is_folder,
    is_name,
    stamp,
    time_of,
)
from halmirror.snapshot.packed import Packed, blocks
from halmirror.snapshot.shard import Shard, Step, written
from halmirror.snapshot.words import data_package, info, readme
from halmirror.store.database import open_for_reading, translated
from halmirror.store.reader import Reader
from halmirror.store.view import View
from halmirror.store.whole import HeldQuarantine, HeldSource, HeldWindow, Whole
from halmirror.version import __version__

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from pyroaring import BitMap

    from halmirror.store.whole import Document

    Watch = Callable[[str, int, int], None]

SHARD_RECORDS: Final = 50_000
"""Records of a shard, a document's versions never apart."""

_LOG: Final = "log.jsonl"
_TOLD_EVERY: Final = 500
_FRAME_TIMES: Final = 4
"""Bytes of a snapshot to one of the mirror's frames, at most, as measured; files beside it too."""

_LEAST_ROOM: Final = 64 * 1024 * 1024
_encode = msgspec.json.Encoder().encode


class _Plan(msgspec.Struct, frozen=True):
    """What a run that goes on must find as it was."""

    name: str
    seq: int
    since: Previous | None
    mirror: str
    rules: dict[str, int]
    software: str
    libraries: dict[str, str]
    documents: int
    forgotten: int
    history_from: int


def create(
    mirror: Path,
    parent: Path,
    *,
    since: Path | None = None,
    key: Path | None = None,
    watch: Watch | None = None,
) -> Path:
    """Make a snapshot of a mirror inside ``parent``, and give its folder.

    ``since``: a snapshot that this one is to be an increment of; ``key``: a private key of
    OpenSSH's that signs it.  ``watch`` is called now and then with a name, how many documents are
    done and how many there are.  Raises `MirrorError`, `SnapshotError` and `OutputError`.
    """
    if key is not None:
        signature.check_key(key)
    connection = open_for_reading(mirror)
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with held(parent), translated(mirror):
            connection.execute("BEGIN")
            return _Making(mirror, connection, parent, since, watch).run(key)
    except OSError as error:
        raise OutputError(
            f"{error.filename or parent} cannot be written ({error.strerror or error}); make room "
            "or choose another place, then run again: what is whole is kept"
        ) from error
    finally:
        connection.close()


@contextlib.contextmanager
def held(parent: Path) -> Iterator[None]:
    """The parent folder, held against another run that makes or prunes snapshots in it."""
    number = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SnapshotError(
                f"another run is at work on the snapshots in {parent}; wait for it to end"
            ) from error
        yield
    finally:
        os.close(number)


class _Making:
    """One snapshot being made, inside one transaction of the mirror."""

    def __init__(
        self,
        mirror: Path,
        connection: sqlite3.Connection,
        parent: Path,
        since: Path | None,
        watch: Watch | None,
    ) -> None:
        self._path = mirror
        self._connection = connection
        self._parent = parent
        self._watch = watch
        self._reader = Reader(connection)
        latest = self._reader.latest()
        if not latest:
            raise SnapshotError(f"{mirror} holds nothing yet; run 'halmirror harvest' first")
        self._whole = Whole(connection, latest)
        previous = None if since is None else self._previous(since, latest)
        self._plan, self._part = self._laid(latest, previous)
        self._folder = self._part / self._plan.name
        self._log = self._part / _LOG
        self._whole = Whole(connection, self._plan.seq)
        self._view = View(self._reader, self._plan.seq, everything=True)
        self._touched: BitMap | None = None
        if previous is not None:
            self._touched = self._whole.touched(previous.seq)

    # -- the plan -------------------------------------------------------------------------

    def _previous(self, since: Path, latest: int) -> Previous:
        """The snapshot to go on from.  Raises `SnapshotError` where that cannot be."""
        before = describe(since)
        if before.mirror != self._whole.mirror():
            raise SnapshotError(
                f"--since: {since} is of another mirror; make a whole snapshot without --since"
            )
        if before.seq > latest:
            raise SnapshotError(
                f"--since: {since} is newer than the mirror {self._path}; was that restored from "
                "an older copy? Make a whole snapshot without --since"
            )
        if not self._has_rules_of(before):
            raise SnapshotError(
                f"--since: records that {since} holds were normalised again since; make a whole "
                "snapshot without --since"
            )
        return Previous(before.name, before.seq, seal(since))

    def _has_rules_of(self, before: Description) -> bool:
        """Whether what a snapshot holds is still normalised as it was.

        Contents that were forgotten or pruned since are fewer, none moves to other rules.
        """
        now = self._whole.rules(before.seq)
        if (sum(1 for _ in self._whole.forgotten()), self._reader.whole_from()) == (
            before.forgotten,
            before.history_from,
        ):
            return now == before.rules
        return all(count <= before.rules.get(rules, 0) for rules, count in now.items())

    def _laid(self, latest: int, previous: Previous | None) -> tuple[_Plan, Path]:
        """The plan of a run that was cut, where it can go on, else a new one; others are gone."""
        found: tuple[_Plan, Path] | None = None
        for part in sorted(self._parent.glob(".*.part"), reverse=True):
            if not is_folder(part) or not is_name(part.name[1:-5]):
                continue
            plan = self._read_plan(part)
            if found is None and plan is not None and self._may_go_on(plan, previous):
                found = plan, part
            else:
                shutil.rmtree(part)
        if found is not None:
            for half in (found[1] / found[0].name).rglob(".*.part"):
                half.unlink()
            return found
        name = self._name(previous)
        plan = _Plan(
            name, latest, previous, self._whole.mirror(), self._whole.rules(latest),
            __version__, _libraries(), self._whole.count(),
            sum(1 for _ in self._whole.forgotten()), self._reader.whole_from(),
        )  # fmt: skip
        part = self._parent / f".{name}.part"
        self._check_room(plan)
        (part / name).mkdir(parents=True)
        whole_file.write(part / "plan.json", _encode(plan).decode())
        return plan, part

    def _read_plan(self, part: Path) -> _Plan | None:
        try:
            plan = msgspec.json.decode((part / "plan.json").read_bytes(), type=_Plan)
        except (OSError, msgspec.DecodeError):
            return None  # cut before there was anything to keep
        return plan if part.name == f".{plan.name}.part" and is_name(plan.name) else None

    def _may_go_on(self, plan: _Plan, previous: Previous | None) -> bool:
        return (
            plan.since == previous
            and plan.software == __version__
            and plan.libraries == _libraries()
            and plan.mirror == self._whole.mirror()
            and plan.rules == self._whole.rules(plan.seq)
            # What was forgotten since must not be in what is written already.
            and plan.forgotten == sum(1 for _ in self._whole.forgotten())
            # Nor may a part have more of the history than the rest.
            and plan.history_from == self._reader.whole_from()
            # Its tables are those of its own commit: they must have been written then.
            and (self._parent / f".{plan.name}.part" / _LOG).exists()
        )

    def _name(self, previous: Previous | None) -> str:
        """A name that no snapshot in the folder has: the time, or the next second that is free.

        An increment is called later than what it goes on from, even where the clock went back:
        whoever follows or prunes goes by the names.
        """
        name = stamp()
        if previous is not None and name <= previous.name:
            name = stamp(time_of(previous.name) + timedelta(seconds=1))
        while (self._parent / name).exists():
            name = stamp(time_of(name) + timedelta(seconds=1))
        return name

    def _check_room(self, plan: _Plan) -> None:
        """Estimate the disk needed.  Raises `OutputError` where it has less."""
        (frames,) = self._connection.execute(
            "SELECT coalesce(sum(length(frame)), 0) FROM content"
        ).fetchone()
        share = 1.0
        if plan.since is not None:
            share = len(self._whole.touched(plan.since.seq)) / max(plan.documents, 1)
        needed = int(frames * _FRAME_TIMES * share) + _LEAST_ROOM
        free = shutil.disk_usage(self._parent).free
        if free < needed:
            raise OutputError(
                f"{self._parent}: a snapshot takes up to {needed / 1e6:,.0f} MB and the disk has "
                f"{free / 1e6:,.0f} MB left; make room or choose another place"
            )

    # -- the work -------------------------------------------------------------------------

    def run(self, key: Path | None) -> Path:
        steps = self._steps()
        if not steps:
            steps.append(self._tables())
        proofs = Proofs()
        proofs.windows(tables.read(self._folder, WINDOWS, HeldWindow))
        proofs.quarantine(tables.read(self._folder, QUARANTINE, HeldQuarantine))
        sources = list(tables.read(self._folder, SOURCES, HeldSource))
        self._statement = "\n".join(
            f"{one.name}: {one.statement}" for one in sources if one.statement
        )
        digest = hashlib.sha256()
        for path in [file.path for step in steps for file in step.files]:
            if path.startswith(f"data/{RECORDS}/"):
                for block in blocks(self._folder / path):
                    digest.update(block)
        steps += self._shards(steps, digest)
        total = _sum_of(step.records for step in steps)
        held = Records(sum(total.values()), digest.hexdigest())
        whole = held if self._touched is None else self._digest()
        made = Description(
            format=FORMAT,
            name=self._plan.name,
            created=stamp(),
            software=f"halmirror {self._plan.software}",
            libraries=self._plan.libraries,
            mirror=self._plan.mirror,
            seq=self._plan.seq,
            at=self._reader.commit_time(self._plan.seq) or "",
            since=self._plan.since,
            records=total,
            documents=sum(step.documents for step in steps),
            contents=sum(step.contents for step in steps),
            states=sum(step.states for step in steps),
            digest=held,
            whole=whole,
            rules=self._plan.rules,
            record_schema=SCHEMA_VERSION,
            forgotten=self._plan.forgotten,
            sources=[
                proofs.of(one, _sum_of(step.by_source.get(one.name, {}) for step in steps))
                for one in sources
            ],
            files=sorted((file for step in steps for file in step.files), key=lambda f: f.path),
            history_from=self._plan.history_from,
        )
        return self._finish(made, key)

    def _steps(self) -> list[Step]:
        """What an earlier run finished; a half line at the log's end counts for nothing."""
        decode = msgspec.json.Decoder(Step).decode
        steps: list[Step] = []
        if not self._log.exists():
            return steps
        with self._log.open("rb") as log:
            for line in log:
                try:
                    step = decode(line)
                except msgspec.DecodeError:
                    break
                if not all(self._is_whole(file) for file in step.files):
                    break
                steps.append(step)
        whole_file.write(self._log, "".join(f"{_encode(step).decode()}\n" for step in steps))
        return steps

    def _is_whole(self, file: File) -> bool:
        place = self._folder / file.path
        return place.is_file() and place.stat().st_size == file.size

    def _done(self, step: Step) -> Step:
        with self._log.open("ab") as log:
            log.write(_encode(step) + b"\n")
            log.flush()
            os.fsync(log.fileno())
        return step

    def _tables(self) -> Step:
        tables: Sequence[tuple[str, Iterable[object]]] = (
            (RUNS, self._whole.runs()),
            (COMMITS, self._whole.commits()),
            (SOURCES, self._whole.sources()),
            (WINDOWS, self._whole.windows()),
            (QUARANTINE, self._whole.quarantine()),
            (FORGOTTEN, self._whole.forgotten()),
        )
        files = []
        for path, rows in tables:
            with Packed(self._folder, path) as out:
                for row in rows:
                    out.line(_encode(row))
            files.append(written(out))
        return self._done(Step(files))

    def _documents(self, after: tuple[str, str] | None = None) -> Iterator[Document]:
        for document in self._whole.documents(after):
            if self._touched is None or document.number in self._touched:
                yield document

    def _shards(self, steps: Sequence[Step], digest: hashlib._Hash) -> list[Step]:
        """Write the shards that are still missing."""
        made: list[Step] = []
        number = sum(step.last is not None for step in steps)
        done = sum(step.documents for step in steps)
        total = self._plan.documents if self._touched is None else len(self._touched)
        rest = self._documents(steps[-1].last)
        following = next(rest, None)
        while following is not None or number == 0:
            number += 1
            with Shard(self._folder, number, self._statement or None) as shard_:
                while following is not None and shard_.records < SHARD_RECORDS:
                    self._add(shard_, following, digest)
                    done += 1
                    if self._watch is not None and done % _TOLD_EVERY == 0:
                        self._watch("snapshot", done, total)
                    following = next(rest, None)
            made.append(self._done(shard_.step()))
        return made

    def _add(self, shard_: Shard, document: Document, digest: hashlib._Hash) -> None:
        for state in self._reader.versions(document.number, self._plan.seq):
            line = self._view.json(state)
            digest.update(line)
            digest.update(b"\n")
            shard_.add_record(state, line)
            if state.frame is not None:
                shard_.add_source(self._view.record(state), self._reader.frame(state).source)
        contents, states = self._whole.history(document)
        for number in contents:
            shard_.add_history(_encode(self._whole.content(document, number)))
        for one in states:
            shard_.add_history(_encode(one))
        shard_.end_document(document, len(contents), len(states))

    def _digest(self) -> Records:
        """The digest of all records of the mirror, of which an increment holds a part."""
        summed = hashlib.sha256()
        count = 0
        for state in self._reader.every(self._plan.seq, STATUSES):
            summed.update(self._view.json(state))
            summed.update(b"\n")
            count += 1
        return Records(count, summed.hexdigest())

    # -- the end --------------------------------------------------------------------------

    def _finish(self, made: Description, key: Path | None) -> Path:
        texts = (
            (SCHEMA, schema_text()),
            (README, readme(made)),
            (DATA_PACKAGE, data_package(made)),
            (DESCRIPTION, encode(made).decode()),
        )
        for name, text in texts:
            whole_file.write(self._folder / name, text)
        bag.write(self._folder, made.files, info(made))
        if key is not None:
            signature.sign(self._folder, key)
        for folder, _, _ in os.walk(self._folder):
            _sync(folder)
        place = self._parent / made.name
        if os.path.lexists(place):
            raise SnapshotError(f"{place} is there already; move it away and run again")
        (self._part / made.name).rename(place)
        _sync(self._parent)
        shutil.rmtree(self._part)
        return place


def _sum_of(parts: Iterable[dict[str, int]]) -> dict[str, int]:
    """Counts by status, added up, zeros too."""
    found: dict[str, int] = dict.fromkeys(STATUSES, 0)
    for part in parts:
        for status, count in part.items():
            found[status] += count
    return found


def _libraries() -> dict[str, str]:
    """The versions that the bytes of compressed files depend on."""
    import platform
    import zlib

    import pyarrow as pa
    import zstandard

    return {
        "python": platform.python_version(),
        "pyarrow": str(pa.__version__),
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
        "zstd": ".".join(map(str, zstandard.ZSTD_VERSION)),
    }


def _sync(folder: str | Path) -> None:
    """Put a folder's names on the disk."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
