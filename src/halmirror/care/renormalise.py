"""Normalising again, by today's rules, what the mirror holds: no network, no new harvest.

The metadata are kept as they came, so every body can be made anew from them.  Batches are
committed one by one, and a run that was cut goes on where it was.  What the source said, and
when, stays as it is.
"""

from __future__ import annotations

import json
from bisect import insort
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from itertools import tee
from typing import TYPE_CHECKING

import msgspec
from lxml import etree

from halmirror.batch import RULES_VERSION, Rules, body_of, rules_of
from halmirror.errors import HalmirrorError, MirrorError, StoppedError, UsageError
from halmirror.frame import Codec
from halmirror.oaipmh.protocol import well_formed
from halmirror.record import encode, versioned
from halmirror.record.differences import Difference, differences
from halmirror.record.identifiers import body_keys
from halmirror.stopping import Stop
from halmirror.store import indexer
from halmirror.store.database import open_for_reading, translated
from halmirror.store.dictionaries import newest
from halmirror.store.renewal import Held, RenewalLog, Renewed, Selection, former_keys
from halmirror.store.writer import Writer
from halmirror.workers import Workers, cores

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from pathlib import Path

BATCH = 500
"""Contents a transaction."""

_WORTH_WORKERS = 2000
"""Fewer contents are done sooner than workers have started."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a key said of one record before and after (shortened JSON, none: not there)."""

    id: str
    version: int
    before: str | None
    after: str | None


@dataclass(slots=True)
class KeyChanges:
    """How many contents a key was added to, changed in and removed from; the first few by id."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    samples: list[Sample] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Failure:
    """A record that keeps its former body, since today's rules cannot take its metadata."""

    id: str
    reason: str


@dataclass(slots=True)
class SourceReport:
    """What came of one source's contents (a version may have had several).

    ``looked_at``: all that were normalised again; ``changed``: those whose body differs.
    """

    name: str
    looked_at: int = 0
    changed: int = 0
    failures: list[Failure] = field(default_factory=list)
    keys: dict[str, KeyChanges] = field(default_factory=dict)

    def count(self, record: Held, found: tuple[Difference, ...], samples: int) -> None:
        """Count what differs; keep a sample where it is among the first by id and version."""
        for one in found:
            key = self.keys.setdefault(one.key, KeyChanges())
            setattr(key, one.kind, getattr(key, one.kind) + 1)
            sample = Sample(record.local_id, record.version, one.before, one.after)
            insort(key.samples, sample, key=_sample_order)
            del key.samples[samples:]


def _sample_order(sample: Sample) -> tuple[str, int, str, str]:
    return sample.id, sample.version, sample.before or "", sample.after or ""


@dataclass(slots=True)
class Report:
    """What a run did.  ``failure`` ended it before its time."""

    dry_run: bool
    sources: list[SourceReport] = field(default_factory=list)
    failure: HalmirrorError | None = None

    @property
    def exit_code(self) -> int:
        """0 done, 3 where some records keep their former body, or the failure's."""
        if self.failure is not None:
            return self.failure.exit_code
        return 3 if any(source.failures for source in self.sources) else 0

    def as_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        return {
            "command": "renormalise",
            "rules": RULES_VERSION,
            "dry_run": self.dry_run,
            "exit_code": self.exit_code,
            "failure": None if self.failure is None else str(self.failure),
            "sources": [_source_dict(source) for source in self.sources],
        }

    def json(self) -> str:
        """The report as one JSON object."""
        return json.dumps(self.as_dict(), ensure_ascii=False, indent=2)


def _source_dict(source: SourceReport) -> dict[str, object]:
    plain = asdict(source)
    for key in plain["keys"].values():
        for sample in key["samples"]:
            sample["id"] = versioned(sample["id"], sample.pop("version"))
    return plain | {"keys": dict(sorted(plain["keys"].items()))}


# -- one batch, in any process ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Task:
    """A batch to be normalised again; ``profile`` is the one its source has now.

    ``dictionary``: the number of the one for new frames.  ``indexed``: what search is to know is
    made too.
    """

    profile: str
    contents: tuple[Held, ...]
    dictionary: int | None
    indexed: bool


@dataclass(frozen=True, slots=True)
class Redone:
    """What came of a batch: what is to be stored, what differs by content, what failed."""

    renewed: tuple[Renewed, ...]
    differences: dict[int, tuple[Difference, ...]]
    failures: tuple[Failure, ...]


def redo(dictionaries: tuple[tuple[int, bytes], ...], task: Task) -> Redone:
    """Normalise a batch by today's rules: pure, and picklable with all it takes and gives."""
    renewed: list[Renewed] = []
    found: dict[int, tuple[Difference, ...]] = {}
    failures: list[Failure] = []
    frames = _codec(dictionaries, task.dictionary)
    for one in task.contents:
        try:
            new, different = _redone(frames, task, one)
        except (
            ValueError, TypeError, ArithmeticError, LookupError, RecursionError, etree.LxmlError
        ) as error:  # fmt: skip
            # What makes a harvest put a record into quarantine; here its former body stays.
            reason = f"{type(error).__name__}: {str(error)[:200]}"
            failures.append(Failure(versioned(one.local_id, one.version), reason))
        else:
            renewed.append(new)
            if different:
                found[one.id] = different
    return Redone(tuple(renewed), found, tuple(failures))


def _redone(frames: Codec, task: Task, one: Held) -> tuple[Renewed, tuple[Difference, ...]]:
    held = frames.open(one.frame)
    sets = one.sets
    rules = rules_of(held.source, one.prefix, task.profile, one.digest, sets) or Rules(
        one.prefix, task.profile
    )
    body = body_of(well_formed(held.source), rules, one.local_id, one.version, sets)
    new, keys = encode(body), body_keys(body)
    if new == held.body:
        return Renewed(one.id, None, keys, (), None), ()
    stale = tuple(key for key in former_keys(held.body) if key not in keys)
    frame = frames.pack(held.source, new)
    index = indexer.renewal(held.body, body) if task.indexed else None
    return Renewed(one.id, frame, keys, stale, index), _told(held.body, new)


def _told(before: bytes, after: bytes) -> tuple[Difference, ...]:
    try:
        return differences(before, after)
    except msgspec.DecodeError:
        return differences(b"{}", after)


@lru_cache(maxsize=4)
def _codec(dictionaries: tuple[tuple[int, bytes], ...], writes: int | None) -> Codec:
    return Codec(dict(dictionaries), writes)


# -- a run ------------------------------------------------------------------------------------


def renormalise(
    path: Path,
    *,
    sources: Sequence[str] = (),
    known: Sequence[str] = (),
    every: bool = False,
    dry_run: bool = False,
    samples: int = 3,
    processes: int | None = None,
    keep_free: int = 0,
    network: bool = False,
    watch: Callable[[str, int, int], None] | None = None,
    stop: Stop | None = None,
    batch: int = BATCH,
) -> Report:
    """Bring the contents of the mirror at ``path`` that bear older rules up to today's.

    ``sources``: names (none: all); ``known``: names that may be asked for though the mirror holds
    nothing of them.  ``every``: contents of today's rules too.  ``dry_run`` stores nothing.
    ``samples``: how many to keep for each key.  ``processes``: how many normalise (none: one a
    core).  ``keep_free`` and ``network`` are the settings of `config.MirrorSettings`.  ``watch`` is
    called with source, done and total after each batch.  Where nothing is to be done nothing is
    written.

    Raises `UsageError` and `MirrorError`; what ends a run later is in the report.
    """
    run = _Run(path, every, samples, processes or cores(), batch, watch, stop or Stop())
    report = Report(dry_run)
    connection = open_for_reading(path)
    try:
        with translated(path):
            picked = _picked(connection, sources, known)
            report.sources = [SourceReport(name) for name, _, _ in picked]
            if dry_run:
                run.over(connection, picked, report, None)
            elif not run.is_needed(connection, picked):
                return report
    finally:
        connection.close()
    if not dry_run:
        with Writer(path, "renormalise", keep_free=keep_free, network=network) as writer:
            try:
                run.over(writer.connection, picked, report, writer)
            finally:
                _finish(writer, report)
    return report


def _finish(writer: Writer, report: Report) -> None:
    """Close the run's entry; where even that cannot be written, the first failure is told."""
    try:
        writer.finish(_outcome(report), report.as_dict())
    except MirrorError:
        if report.failure is None:
            raise


def _outcome(report: Report) -> str:
    if report.failure is None:
        return "done in part" if report.exit_code else "done"
    return (
        "interrupted" if isinstance(report.failure, StoppedError) else f"failed: {report.failure}"
    )


_Picked = list[tuple[str, int, str]]
"""Name, number and profile of sources."""


def _picked(connection: sqlite3.Connection, names: Sequence[str], known: Sequence[str]) -> _Picked:
    rows: _Picked = connection.execute(
        "SELECT name, id, profile FROM source ORDER BY id"
    ).fetchall()
    held = [row[0] for row in rows]
    for name in names:
        if name not in held and name not in known:
            told = ", ".join(dict.fromkeys((*known, *held))) or "none"
            raise UsageError(f"there is no source '{name}'; there are: {told}")
    return [row for row in rows if not names or row[0] in names]


@dataclass(frozen=True, slots=True)
class _Run:
    """How a run is to be done."""

    path: Path
    every: bool
    samples: int
    processes: int
    batch: int
    watch: Callable[[str, int, int], None] | None
    stop: Stop

    def is_needed(self, connection: sqlite3.Connection, picked: _Picked) -> bool:
        """Whether there is anything to do; a search index left half made counts too."""
        return (
            indexer.is_outdated(connection)
            or indexer.is_behind(connection)
            or any(not Selection(one[1], self.every).is_empty(connection) for one in picked)
        )

    def over(
        self,
        connection: sqlite3.Connection,
        picked: _Picked,
        report: Report,
        writer: Writer | None,
    ) -> None:
        """Go over the sources; without a writer nothing is stored."""
        try:
            with translated(self.path):
                self._over(connection, picked, report, writer)
        except HalmirrorError as error:
            report.failure = error

    def _over(
        self,
        connection: sqlite3.Connection,
        picked: _Picked,
        report: Report,
        writer: Writer | None,
    ) -> None:
        jobs = [
            _Job(
                profile,
                selection := Selection(number, self.every),
                selection.count(connection),
                dictionary[0] if (dictionary := newest(connection, number)) else None,
            )
            for _, number, profile in picked
        ]
        log = RenewalLog(writer) if writer is not None else None
        dictionaries = tuple(connection.execute("SELECT id, bytes FROM dictionary ORDER BY id"))
        processes = self.processes if sum(job.total for job in jobs) >= _WORTH_WORKERS else 1
        with Workers(redo, dictionaries, processes) as workers:
            for job, source in zip(jobs, report.sources, strict=True):
                self._source(connection, workers, job, source, log)
        if log is not None:
            log.index()

    def _source(
        self,
        connection: sqlite3.Connection,
        workers: Workers[tuple[tuple[int, bytes], ...], Task, Redone],
        job: _Job,
        report: SourceReport,
        log: RenewalLog | None,
    ) -> None:
        batches, asked = tee(job.selection.batches(connection, self.batch))
        with closing(
            workers.map(
                Task(job.profile, tuple(batch), job.dictionary, log is not None) for batch in asked
            )
        ) as results:
            for batch, done in zip(batches, results, strict=True):
                self.stop.check()
                if log is not None:
                    log.keep(job.selection, batch[-1].id, done.renewed)
                report.looked_at += len(batch)
                report.changed += sum(one.frame is not None for one in done.renewed)
                report.failures += done.failures
                for one in batch:
                    report.count(one, done.differences.get(one.id, ()), self.samples)
                if self.watch is not None:
                    self.watch(report.name, report.looked_at, job.total)
        if log is not None:
            log.finish(job.selection)


@dataclass(frozen=True, slots=True)
class _Job:
    """A source's contents to be done, how many they are, and what holds for the source now."""

    profile: str
    selection: Selection
    total: int
    dictionary: int | None
