"""Examining the mirror's file: whether it is whole and what is derived agrees with what is not.

What can be made again from the source metadata (search index, look-up keys, normalised form) is
repaired where that is asked for; what cannot (the metadata themselves, the history) is named.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import msgspec
from pyroaring import BitMap

from halmirror.batch import rules_of
from halmirror.care.renormalise import renormalise
from halmirror.entry import Columns, entry_of
from halmirror.errors import NotAMirrorError, OlderMirrorError
from halmirror.frame import FrameError
from halmirror.record import decode_body, versioned
from halmirror.record.identifiers import body_keys
from halmirror.store import frequent, indexer
from halmirror.store.database import is_index_damage, open_for_reading, translated
from halmirror.store.dictionaries import codec
from halmirror.store.forgetting import PENDING
from halmirror.store.renewal import Held, all_contents
from halmirror.store.sets import Sets
from halmirror.store.word_sums import WordSums
from halmirror.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from halmirror.record import Body

Remedy = Literal["index", "keys", "body", "none"]
"""What brings a thing in order: the index made anew, keys added, a body normalised again."""

NAMED = 20
"""Faults of one kind that are named; the others are counted."""

UNFINISHED = "bytes of a forgotten record may still stand in it; run 'halmirror forget' to finish"

_BATCH = 500
_COLUMNS = ", ".join(Columns._fields)

_HISTORY = {
    "a version has two states at once": (
        "SELECT d.local_id, a.version FROM state a JOIN document d ON d.id = a.document "
        "WHERE a.end_seq IS NULL GROUP BY a.document, a.version HAVING count(*) > 1"
    ),
    "a state ends before it begins": (
        "SELECT d.local_id, s.version FROM state s JOIN document d ON d.id = s.document "
        "WHERE s.end_seq < s.first_seq"
    ),
    "a state begins before the one below it has ended": (
        "SELECT d.local_id, s.version FROM (SELECT document, version, first_seq, "
        "lag(end_seq) OVER past AS former, lag(id) OVER past AS before FROM state "
        "WINDOW past AS (PARTITION BY document, version ORDER BY first_seq, id)) s "
        "JOIN document d ON d.id = s.document "
        "WHERE s.before IS NOT NULL AND (s.former IS NULL OR s.former > s.first_seq)"
    ),
    "a state has another record's content": (
        "SELECT d.local_id, s.version FROM state s JOIN content c ON c.id = s.content "
        "JOIN document d ON d.id = s.document "
        "WHERE c.document <> s.document OR c.version <> s.version"
    ),
    "an active version has no content": (
        "SELECT d.local_id, s.version FROM state s JOIN document d ON d.id = s.document "
        "WHERE s.status = 'active' AND s.content IS NULL AND s.end_seq IS NULL"
    ),
}
"""What must not be in the history, with the query that finds it (id and version)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it must be: in which part of the file, what, and what mends it."""

    part: str
    what: str
    remedy: Remedy


@dataclass(slots=True)
class Examination:
    """What was found.

    ``looked_at``: how many things of each part were examined.  ``repaired``: faults of an earlier
    look that are gone.  ``unread``: whether contents were left unopened (no deep examination).
    ``not_indexed``: contents and states that the search index does not know yet, which is no
    fault: a run that is under way adds them, or the next one where it was cut.
    """

    looked_at: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    repaired: list[Fault] = field(default_factory=list)
    unread: bool = True
    not_indexed: int = 0

    @property
    def exit_code(self) -> int:
        """0 where all is well, by now; 1 where something is not."""
        return 1 if self.faults else 0

    def as_dict(self) -> dict[str, object]:
        """The examination as JSON has it."""
        return {
            "command": "doctor",
            "exit_code": self.exit_code,
            "contents_read": not self.unread,
            "looked_at": dict(self.looked_at),
            "not_indexed": self.not_indexed,
            "faults": [_fault(one) for one in self.faults],
            "repaired": [_fault(one) for one in self.repaired],
        }


def _fault(fault: Fault) -> dict[str, object]:
    return {"part": fault.part, "what": fault.what, "repairable": fault.remedy != "none"}


def examine(path: Path, *, deep: bool = False) -> Examination:
    """Look at the mirror at ``path`` without changing it.

    ``deep`` opens every content too, and compares index and look-up keys with what it says.
    Raises `MirrorError` where the file cannot be opened as a mirror.
    """
    with contextlib.closing(open_for_reading(path)) as connection:
        try:
            connection.execute("PRAGMA query_only = OFF")  # temporary tables; the file is read-only
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("BEGIN")
            return _Doctor(connection, deep=deep).examine()
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_CORRUPT:
                with translated(path):
                    raise
            raise NotAMirrorError(
                f"{path} is damaged beyond what can be examined ({error}); restore it from a backup"
            ) from error


def repair(
    path: Path,
    *,
    deep: bool = False,
    network: bool = False,
    watch: Callable[[str], None] | None = None,
) -> Examination:
    """Look at the mirror, make again what can be made, and look once more.

    A file of an earlier schema is brought up to date first.  ``network``: whether the
    mirror may lie on a network file system.  ``watch`` is told each step.  Raises `MirrorError`,
    also where another run writes to the mirror, and `NetworkFileSystemError`.
    """
    tell = watch or (lambda _: None)
    try:
        found = examine(path, deep=deep)
    except OlderMirrorError:
        tell("bringing the file up to date")
        with Writer(path, "doctor", network=network) as writer:
            writer.index()
            writer.finish("done", {"command": "doctor"})
        found = examine(path, deep=deep)
    remedies = {fault.remedy for fault in found.faults} - {"none"}
    if not remedies and not found.not_indexed:
        return found
    left = "indexing what a run that was cut has left"
    tell("repairing: " + ", ".join(sorted(remedies)) if remedies else left)
    with Writer(path, "doctor", network=network) as writer, translated(path):
        doctor = _Doctor(writer.connection, deep=deep)
        if remedies & {"keys", "body"}:
            with writer.transaction():
                doctor.mend_contents()
        if "index" in remedies:
            indexer.rebuild(writer.connection)
        writer.index()
        writer.finish("done", found.as_dict())
    if "body" in remedies:
        renormalise(path)
    again = examine(path, deep=deep)
    again.repaired = [one for one in found.faults if one not in again.faults]
    return again


class _Doctor:
    """Examines what one connection sees."""

    def __init__(self, connection: sqlite3.Connection, *, deep: bool) -> None:
        self._connection = connection
        self._deep = deep
        self._found = Examination(unread=not deep)
        self._told: Counter[tuple[str, str]] = Counter()
        self._more: dict[tuple[str, str], Remedy] = {}

    def examine(self) -> Examination:
        self._file()
        self._history()
        self._standing()
        self._index()
        if self._deep:
            self._contents()
        for (part, kind), remedy in self._more.items():
            count = self._told[part, kind] - NAMED
            self._found.faults.append(Fault(part, f"{kind}: and {count} more", remedy))
        return self._found

    def _fault(self, part: str, kind: str, where: str, remedy: Remedy = "none") -> None:
        self._told[part, kind] += 1
        if self._told[part, kind] <= NAMED:
            self._found.faults.append(Fault(part, f"{kind}: {where}" if where else kind, remedy))
        else:
            self._more[part, kind] = remedy

    # -- the file and its history -------------------------------------------------------------

    def _file(self) -> None:
        """SQLite's own checks: pages and B-trees, in depth indexes too; references."""
        check = "integrity_check" if self._deep else "quick_check"
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        self._found.looked_at["pages"] = int(pages)
        for (line,) in self._connection.execute(f"PRAGMA {check}({NAMED})"):
            if "FTS5 table" in str(line):  # SQLite 3.44 and later look into the words too
                self._fault("index", "its words cannot be read", str(line), "index")
            elif line != "ok":
                self._fault("file", "SQLite finds it damaged", str(line))
        for table, row, parent, _ in self._connection.execute("PRAGMA foreign_key_check"):
            remedy: Remedy = "index" if table == "entry" else "none"
            self._fault("file", f"a row of {table} refers to no {parent}", f"row {row}", remedy)

    def _history(self) -> None:
        (states,) = self._connection.execute("SELECT count(*) FROM state").fetchone()
        self._found.looked_at["states"] = int(states)
        for kind, statement in _HISTORY.items():
            for local_id, version in self._connection.execute(statement):
                self._fault("history", kind, versioned(local_id, version or None))

    # -- the index ----------------------------------------------------------------------------

    def _standing(self) -> None:
        """The bitmaps of what is current, in which status and sets, against the states."""
        upto = indexer.upto(self._connection, "state")
        kinds = ("status", "set") if self._deep else ("status",)
        specs = Sets(self._connection)
        wanted: defaultdict[tuple[str, str], BitMap] = defaultdict(BitMap)
        rows = self._connection.execute(
            "SELECT content, status, sets FROM (SELECT content, status, sets, row_number() OVER "
            "(PARTITION BY document, version ORDER BY id DESC) AS back FROM state WHERE id <= ?) "
            "WHERE back = 1 AND content IS NOT NULL",
            (upto,),
        )
        for content, status, sets in rows:
            wanted["status", status].add(content)
            if self._deep:
                for spec in specs.specs(sets):
                    wanted["set", spec].add(content)
        self._compare(kinds, wanted)

    def _compare(
        self, kinds: tuple[str, ...], wanted: defaultdict[tuple[str, str], BitMap]
    ) -> None:
        """Compare stored bitmaps of some kinds with those that are right."""
        marks = ", ".join("?" * len(kinds))
        held: defaultdict[tuple[str, str], BitMap] = defaultdict(BitMap)
        for kind, value, bits in self._connection.execute(
            f"SELECT kind, value, bits FROM facet WHERE kind IN ({marks})",  # noqa: S608
            kinds,
        ):
            try:
                held[kind, value] |= BitMap.deserialize(bits)
            except ValueError:
                self._fault("index", "a bitmap cannot be read", f"{kind} {value}", "index")
        for kind, value in sorted({*held, *wanted}):
            self._found.looked_at["bitmaps"] += 1
            if wrong := held[kind, value] ^ wanted[kind, value]:
                where = f"{kind} {value}, {len(wrong)} contents"
                self._fault("index", "a bitmap does not agree with the records", where, "index")

    def _index(self) -> None:
        """Every content up to the watermark has an entry and words, and nothing else has."""
        if indexer.upto(self._connection, PENDING):
            self._fault("file", UNFINISHED, "")
        if indexer.is_outdated(self._connection):
            self._fault("index", "it is marked as outdated", "", "index")
        upto = indexer.upto(self._connection, "content")
        (self._found.not_indexed,) = self._connection.execute(
            "SELECT (SELECT count(*) FROM content WHERE id > ?) "
            "+ (SELECT count(*) FROM state WHERE id > ?)",
            (upto, indexer.upto(self._connection, "state")),
        ).fetchone()
        contents = self._numbers("SELECT id FROM content WHERE id <= ?", upto)
        self._found.looked_at["contents"] = len(contents)
        for name, table, column in (
            ("entry", "entry", "content"),
            ("words", "search_text_docsize", "id"),
        ):
            held = self._numbers(f"SELECT {column} FROM {table}")  # noqa: S608
            for number in contents - held:
                self._fault("index", f"a content has no {name}", f"content {number}", "index")
            for number in held - contents:
                self._fault("index", f"{name} of no content", f"content {number}", "index")

    def _numbers(self, statement: str, *values: int) -> BitMap:
        return BitMap([row[0] for row in self._connection.execute(statement, values)])

    # -- the contents ---------------------------------------------------------------------------

    def _contents(self) -> None:
        """Open each content; compare it with its hash, the index and the look-up keys."""
        upto = indexer.upto(self._connection, "content")
        wanted: defaultdict[tuple[str, str], BitMap] = defaultdict(BitMap)
        sums = WordSums()
        for source, profile, held in self._held():
            self._found.looked_at["contents read"] += 1
            body = self._body(profile, held)
            if body is None:
                continue
            self._keys(held, body)
            if held.id <= upto:
                wanted["source", source].add(held.id)
                entry = entry_of(body)
                for key in entry.facets:
                    wanted[key].add(held.id)
                self._entry(held, entry.columns)
                sums.add(held.id, entry.texts)
        kinds = sorted({kind for kind, _ in wanted})
        if kinds:
            self._compare(tuple(kinds), wanted)
        try:
            for word in sums.differing(self._connection):
                where = f"as '{word}'" if word else "it lacks some"
                self._fault("index", "its words are not those of the records", where, "index")
            for where in frequent.faults(self._connection):
                self._fault("index", "a bitmap does not agree with the words", where, "index")
        except sqlite3.DatabaseError as error:
            if not is_index_damage(error):
                raise
            self._fault("index", "its words cannot be read", str(error), "index")

    def _held(self) -> Iterator[tuple[str, str, Held]]:
        """Every content, with the name and profile of its source."""
        sources = self._connection.execute("SELECT id, name, profile FROM source ORDER BY id")
        for number, name, profile in sources.fetchall():
            for batch in all_contents(self._connection, number, _BATCH):
                yield from ((name, profile, one) for one in batch)

    def _body(self, profile: str, held: Held) -> Body | None:
        """A content's body where it can be read; faults of the content are told."""
        where = f"{versioned(held.local_id, held.version or None)} (content {held.id})"
        try:
            frame = codec(self._connection).open(held.frame)
        except FrameError as error:
            self._fault("contents", "the metadata cannot be opened", f"{where}: {error}")
            return None
        if rules_of(frame.source, held.prefix, profile, held.digest, held.sets) is None:
            self._fault("contents", "the metadata are not what their hash says", where)
        try:
            return decode_body(frame.body)
        except msgspec.DecodeError:
            self._fault("contents", "the normalised form cannot be read", where, "body")
            return None

    def _keys(self, held: Held, body: Body) -> None:
        for scheme, value in body_keys(body):
            row = self._connection.execute(
                "SELECT 1 FROM identifier WHERE scheme = ? AND value = ? AND document = "
                "(SELECT document FROM content WHERE id = ?)",
                (scheme, value, held.id),
            ).fetchone()
            if row is None:
                where = f"{scheme} {value} of {held.local_id}"
                self._fault("keys", "look-up does not know an identifier", where, "keys")

    def _entry(self, held: Held, columns: Columns) -> None:
        row = self._connection.execute(
            f"SELECT {_COLUMNS} FROM entry WHERE content = ?",  # noqa: S608
            (held.id,),
        ).fetchone()
        if row is not None and row != tuple(columns):
            self._fault("index", "an entry tells another record", f"content {held.id}", "index")

    # -- repairs --------------------------------------------------------------------------------

    def mend_contents(self) -> None:
        """Add keys that look-up lacks, and mark bodies that cannot be read as to be made anew."""
        for _, _, held in self._held():
            try:
                body = decode_body(codec(self._connection).open(held.frame).body)
            except FrameError:
                continue
            except msgspec.DecodeError:
                self._connection.execute("UPDATE content SET rules = 0 WHERE id = ?", (held.id,))
                continue
            self._connection.executemany(
                "INSERT OR IGNORE INTO identifier SELECT ?, ?, document FROM content WHERE id = ?",
                [(scheme, value, held.id) for scheme, value in body_keys(body)],
            )
