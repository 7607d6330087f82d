"""Checking a snapshot with nothing but its folder.

Each form of the records is read and compared with the others: the JSON Lines with the schema, the
digest and the counts; the columns and the source metadata with the lines; the lines with the
states that the history says are current; the completeness with the windows it was worked out from.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar
from xml.parsers import expat

import msgspec
from lxml.etree import XMLSyntaxError
from pyroaring import BitMap

from halmirror.errors import SnapshotError
from halmirror.export.digest import key_of
from halmirror.oaipmh.protocol import well_formed
from halmirror.record import STATUSES, versioned
from halmirror.record import schema as record_schema
from halmirror.snapshot import bag, columns, signature, tables
from halmirror.snapshot.completeness import Proofs
from halmirror.snapshot.layout import (
    COMMITS,
    FORGOTTEN,
    HISTORY,
    PARQUET,
    QUARANTINE,
    RECORDS,
    RUNS,
    SCHEMA,
    SIGNATURE,
    SOURCE,
    SOURCES,
    TABLES,
    WINDOWS,
    describe,
    read_text,
)
from halmirror.snapshot.packed import blocks, lines
from halmirror.store.whole import (
    Content,
    HeldCommit,
    HeldForgotten,
    HeldQuarantine,
    HeldRun,
    HeldSource,
    HeldState,
    HeldWindow,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator
    from pathlib import Path

    from halmirror.snapshot.layout import Description

    Watch = Callable[[str, int, int], None]

_Row = TypeVar("_Row")
Key = tuple[str, str, int]

_MOST: Final = 20
"""Faults of one kind that are named one by one."""

_TOLD_EVERY: Final = 2000
_LAST_COMMIT: Final = 2**32 - 1
_XML_DEPTH: Final = 200

_OAI: Final = "http://www.openarchives.org/OAI/2.0/ "


class Verified(NamedTuple):
    """What `verify` found: ``faults``, one line each, and who signed (none: it is not signed)."""

    faults: tuple[str, ...]
    signed_by: str | None


def verify(folder: Path, *, signers: Path | None = None, watch: Watch | None = None) -> Verified:
    """Check the snapshot in a folder.

    ``signers``: a file of allowed signers of OpenSSH, one of whom must have signed.  ``watch`` is
    called now and then with a name, how many records were read and how many there are.
    Raises `SnapshotError` only where the folder is no snapshot of this layout.
    """
    description = describe(folder)
    faults = list(bag.faults(folder))
    signed: str | None = None
    if signers is not None or os.path.lexists(folder / SIGNATURE):
        try:
            signed = signature.check(folder, signers)
        except SnapshotError as error:
            faults.append(str(error))
    if not faults:
        # What is damaged is named above; to compare damaged files would only say it again.
        faults += _Contents(folder, description, watch).faults()
    return Verified(tuple(faults), signed)


class _Contents:
    """Compares what the files hold; each fault is one line."""

    def __init__(self, folder: Path, description: Description, watch: Watch | None) -> None:
        self._folder = folder
        self._told = description
        self._watch = watch
        self._counted: dict[str, int] = {}
        self._by_source: dict[str, dict[str, int]] = {}
        self._identifiers = hashlib.sha256()

    def faults(self) -> list[str]:
        found: list[str] = []
        for part in (self._files, self._records, self._source, self._history, self._tables):
            try:
                found += _few(part())
            except SnapshotError as error:
                found.append(str(error))
        return found

    # -- the files that belong ------------------------------------------------------------

    def _files(self) -> Iterator[str]:
        """The description names the files of the manifest, and each kind has the same shards."""
        listed = {file.path for file in self._told.files}
        data = set(bag.manifest(self._folder, "manifest-sha512.txt"))
        for path in sorted(data ^ listed):
            where = "the manifest" if path in listed else "the description"
            yield f"{path}: {where} does not name it"
        for path in TABLES:
            if path not in listed:
                yield f"{path}: is missing"
        counts = {kind: len(tables.shards(self._told, kind)) for kind in
                  (RECORDS, PARQUET, SOURCE, HISTORY)}  # fmt: skip
        if len(set(counts.values())) > 1:
            yield "shards are missing: " + ", ".join(f"{n} of {k}" for k, n in counts.items())

    # -- records --------------------------------------------------------------------------

    def _records(self) -> Iterator[str]:
        """Lines against schema, order, digest and counts, and the columns against the lines."""
        valid = _schema(self._folder, self._told)
        summed = hashlib.sha256()
        tally = _Tally()
        for path in tables.shards(self._told, RECORDS):
            count = 0
            beside = path.replace(RECORDS, PARQUET, 1).replace(".jsonl.gz", ".parquet")
            columns = _Columns(_rows(self._folder, beside, path))
            for line in lines(self._folder / path):
                count += 1
                summed.update(line + b"\n")
                if fault := valid(line):
                    yield f"{path}: line {count} is not what the schema wants ({fault})"
                    continue
                if not tally.add(line):
                    yield f"{path}: line {count}, {tally.name}, is out of order or stands twice"
                if columns.differ(line):
                    yield f"{beside}: row {count} is {columns.said}, {path} has {tally.name}"
                if self._watch is not None and tally.records % _TOLD_EVERY == 0:
                    self._watch("verify", tally.records, self._told.digest.records)
            if columns.more():
                yield f"{path}: has fewer records than {beside}"
            yield from self._count(path, count)
        self._by_source = tally.by_source
        yield from self._totals(summed.hexdigest(), tally.by_status)

    def _totals(self, digest: str, by_status: dict[str, int]) -> Iterator[str]:
        told = self._told
        if digest != told.digest.sha256:
            yield f"the records' digest is {digest}, the description has {told.digest.sha256}"
        if told.since is None and told.whole != told.digest:
            yield "the description has another digest for the whole mirror than for its records"
        if by_status != told.records:
            yield f"the records are {by_status}, the description has {told.records}"

    def _count(self, path: str, count: int) -> Iterator[str]:
        for file in self._told.files:
            if file.path == path and file.lines != count:
                yield f"{path}: holds {count}, {file.lines} were written"

    # -- source metadata ------------------------------------------------------------------

    def _source(self) -> Iterator[str]:
        """The XML is well-formed, and holds as many records as were written."""
        for path in tables.shards(self._told, SOURCE):
            found = _Xml(self._identifiers)
            try:
                for block in blocks(self._folder / path):
                    found.feed(block)
                found.end()
            except (expat.ExpatError, ValueError) as error:
                yield f"{path}: is no well-formed XML ({error})"
                continue
            yield from self._count(path, found.records)

    # -- history --------------------------------------------------------------------------

    def _history(self) -> Iterator[str]:
        """Contents and states are counted; the states that still hold are those of the lines."""
        told = self._told
        contents = states = documents = 0
        document: tuple[str, str] | None = None
        current = _Followed(self._lines())
        known: dict[tuple[int, str], _Body] = {}
        commits = self._commits()
        gone = {(one.source, one.id) for one in self._read(FORGOTTEN, HeldForgotten)}
        held: list[HeldState] = []
        for one in tables.history(self._folder, told):
            if (one.source, one.id) != document:
                yield from _order_faults(document, one)
                yield from current.same(held, known)
                documents += 1
                document, known, held = (one.source, one.id), {}, []
            if isinstance(one, Content):
                contents += 1
                known[one.version, one.digest] = _Body.of(one)
                yield from _metadata_faults(one)
                if (one.source, one.id) in gone:
                    yield f"history: {one.id} of {one.source} was forgotten and has content"
                continue
            states += 1
            yield from _state_faults(one, known, told.seq, commits)
            if one.end is None:
                held.append(one)
        yield from current.same(held, known)
        yield from current.rest()
        if current.identifiers.digest() != self._identifiers.digest():
            yield "source: its records are not those that the history holds to be current"
        found = {
            "documents": documents, "contents": contents, "states": states, "forgotten": len(gone),
        }  # fmt: skip
        for what, count in found.items():
            if count != getattr(told, what):
                yield f"history: holds {count} {what}, {getattr(told, what)} were written"

    def _lines(self) -> Iterator[bytes]:
        for path in tables.shards(self._told, RECORDS):
            yield from lines(self._folder / path)

    def _commits(self) -> BitMap:
        """The numbers of the commits; a bitmap, so that a hostile list takes no room either."""
        rows = tables.read(self._folder, COMMITS, HeldCommit)
        return BitMap(row.seq for row in rows if 0 < row.seq <= _LAST_COMMIT)

    # -- completeness ---------------------------------------------------------------------

    def _tables(self) -> Iterator[str]:
        """The completeness follows from the windows; commits and runs fit together."""
        proofs = Proofs()
        proofs.windows(self._read(WINDOWS, HeldWindow))
        proofs.quarantine(self._read(QUARANTINE, HeldQuarantine))
        told = {one.name: one for one in self._told.sources}
        for source in self._read(SOURCES, HeldSource):
            expected = told.pop(source.name, None)
            proved = proofs.of(source, self._by_source.get(source.name, {}))
            if expected != proved:
                yield f"{source.name}: its completeness does not follow from {WINDOWS}"
        for name in told:
            yield f"{SOURCES}: {name} is missing"
        runs = {run.id for run in self._read(RUNS, HeldRun)}
        last = 0
        for commit in self._read(COMMITS, HeldCommit):
            if commit.seq <= last:
                yield f"{COMMITS}: commit {commit.seq} is out of order"
            if commit.run not in runs:
                yield f"{COMMITS}: commit {commit.seq} is of run {commit.run}, which is missing"
            last = commit.seq
        if last != self._told.seq:
            yield f"{COMMITS}: ends with commit {last}, the snapshot is as of {self._told.seq}"
        for path in TABLES:
            yield from self._count(path, self._counted.get(path, 0))

    def _read(self, path: str, kind: type[_Row]) -> Iterator[_Row]:
        for row in tables.read(self._folder, path, kind):
            self._counted[path] = self._counted.get(path, 0) + 1
            yield row


class _Tally:
    """Counts records as they come; ``name`` is the last one's."""

    def __init__(self) -> None:
        self.records = 0
        self.by_status: dict[str, int] = dict.fromkeys(STATUSES, 0)
        self.by_source: dict[str, dict[str, int]] = {}
        self._before: Key | None = None

    def add(self, line: bytes) -> bool:
        """Count a record; whether it follows the one before it."""
        key, status = key_of(line), _status.decode(line).status
        follows = self._before is None or key > self._before
        self._before = key
        self.records += 1
        for counts in (self.by_status, self.by_source.setdefault(key[0], {})):
            counts[status] = counts.get(status, 0) + 1
        return follows

    @property
    def name(self) -> str:
        return _name(self._before) if self._before else "nothing"


class _Columns:
    """The rows of a Parquet file beside the lines; after the first difference no more is told."""

    def __init__(self, rows: Iterator[bytes]) -> None:
        self._rows: Iterator[bytes] | None = rows
        self.said = ""

    def differ(self, line: bytes) -> bool:
        if self._rows is None:
            return False
        row = next(self._rows, None)
        if row == line:
            return False
        self.said = "missing" if row is None else f"{_name(key_of(row))} or says something else"
        self._rows = None
        return True

    def more(self) -> bool:
        return self._rows is not None and next(self._rows, None) is not None


class _Body(NamedTuple):
    """What the normalised form of a content ends with in its record's line, as length and sum."""

    length: int
    summed: bytes

    @classmethod
    def of(cls, content: Content) -> _Body:
        end = bytes(content.record)[1:]
        return cls(len(end), hashlib.sha256(end).digest())

    def ends(self, line: bytes) -> bool:
        return hashlib.sha256(line[len(line) - self.length :]).digest() == self.summed


class _Followed:
    """The lines of the records, followed beside the states that the history holds to be current.

    ``identifiers`` sums those of the current states that have metadata.
    """

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._keyed = ((key_of(line), line) for line in lines)
        self._next = next(self._keyed, None)
        self.identifiers = hashlib.sha256()

    def same(self, held: list[HeldState], known: dict[tuple[int, str], _Body]) -> Iterator[str]:
        """What differs for one document, whose contents are known."""
        for state in sorted(held, key=lambda one: one.version):
            key = (state.source, state.id, state.version)
            if state.content is not None:
                by_rule = f"oai:HAL:{state.id}v{state.version}"
                self.identifiers.update((state.oai_identifier or by_rule).encode() + b"\n")
            while self._next is not None and self._next[0] < key:
                yield f"records: {_name(self._next[0])} is not current in the history"
                self._next = next(self._keyed, None)
            if self._next is None or self._next[0] != key:
                yield f"records: {_name(key)} is missing, the history has it"
                continue
            body = known.get((state.version, state.content or ""))
            if body is not None and not body.ends(self._next[1]):
                yield f"records: {_name(key)} says something else than its content in the history"
            self._next = next(self._keyed, None)

    def rest(self) -> Iterator[str]:
        """Records beyond the last that the history has."""
        while self._next is not None:
            yield f"records: {_name(self._next[0])} is not current in the history"
            self._next = next(self._keyed, None)


class _Xml:
    """Reads a shard of source metadata as it comes: its records, and their identifiers.

    A document type declaration is refused: it could make a small file grow without end.
    """

    def __init__(self, identifiers: hashlib._Hash) -> None:
        self.records = 0
        self._identifiers = identifiers
        self._depth = 0
        self._text: list[str] | None = None
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._stop
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, data: bytes) -> None:
        self._parser.Parse(data, False)

    def end(self) -> None:
        self._parser.Parse(b"", True)

    def _start(self, name: str, _: object) -> None:
        self._depth += 1
        if self._depth > _XML_DEPTH:
            raise ValueError(f"elements more than {_XML_DEPTH} deep")
        if self._depth == 2:
            self.records += name == _OAI + "record"
        if self._depth == 4 and name == _OAI + "identifier":
            self._text = []

    def _stop(self, _: str) -> None:
        if self._depth == 4 and self._text is not None:
            self._identifiers.update("".join(self._text).encode() + b"\n")
            self._text = None
        self._depth -= 1

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    @staticmethod
    def _doctype(*_: object) -> None:
        raise ValueError("it has a document type declaration")


class _Status(msgspec.Struct):
    status: str


_status = msgspec.json.Decoder(_Status)


def _few(faults: Iterator[str]) -> Iterator[str]:
    """The first faults, and that there are more."""
    for count, fault in enumerate(faults):
        if count == _MOST:
            yield f"and more like this: {fault}"
            return
        yield fault


def _rows(folder: Path, path: str, beside: str) -> Iterator[bytes]:
    """The records of a Parquet file as lines; ``beside`` are the lines it is compared with.

    Raises `SnapshotError`, naming it.
    """
    try:
        yield from columns.rows(folder / path, path)
    except columns.LargeGroupError:
        # So it may be where a record is very large: then the lines have it too.
        longest = max(map(len, lines(folder / beside)), default=0)
        yield from columns.rows(folder / path, path, largest=longest)


def _schema(folder: Path, told: Description) -> Callable[[bytes], str | None]:
    """A function that says what is wrong with a line, by the schema in the folder.

    A schema of this release must be this release's own; that of another may refer to nothing but
    itself, so that checking reaches no network.
    """
    from jsonschema_rs import validator_for

    text = read_text(folder, SCHEMA)
    if told.record_schema == record_schema.SCHEMA_VERSION and text != record_schema.text().encode():
        raise SnapshotError(f"{SCHEMA}: is not version {told.record_schema} of the schema")
    try:
        schema = json.loads(text)
        if any(not str(reference).startswith("#") for reference in _references(schema)):
            raise SnapshotError(f"{SCHEMA}: refers to another file")
        validator = validator_for(schema)
    except (ValueError, RecursionError) as error:
        raise SnapshotError(f"{SCHEMA}: is no JSON Schema ({error})") from error
    decode = msgspec.json.Decoder().decode

    def fault(line: bytes) -> str | None:
        try:
            record = decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return f"no JSON: {error}"
        if validator.is_valid(record):
            return None
        first = next(iter(validator.iter_errors(record)))
        return f"{'/'.join(map(str, first.instance_path))}: {first.message[:200]}"

    return fault


def _references(part: object) -> Iterator[object]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key in {"$ref", "$dynamicRef", "$recursiveRef"}:
                yield value
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def _name(key: Key) -> str:
    return f"{versioned(key[1], key[2])} of {key[0]}"


def _order_faults(before: tuple[str, str] | None, one: Content | HeldState) -> Iterator[str]:
    if before is not None and (one.source, one.id) < before:
        yield f"history: {one.id} of {one.source} is out of order"


def _metadata_faults(content: Content) -> Iterator[str]:
    """Whether the metadata can be read as what they are: without that nothing is restored."""
    try:
        well_formed(content.metadata.encode())
    except (XMLSyntaxError, UnicodeEncodeError) as error:
        name = _name((content.source, content.id, content.version))
        yield f"history: the metadata of {name} are no well-formed XML ({error})"


def _state_faults(
    state: HeldState, known: Container[tuple[int, str]], seq: int, commits: BitMap
) -> Iterator[str]:
    """What is wrong with a state by itself, of a document whose contents are known."""
    name = _name((state.source, state.id, state.version))
    if state.content is not None and (state.version, state.content) not in known:
        yield f"history: a state of {name} has no content"
    if state.first > seq or (state.end or 0) > seq:
        yield f"history: {name} is later than the snapshot"
    elif not 0 < state.first <= _LAST_COMMIT or state.first not in commits:
        yield f"history: {name} is of a commit that is not in {COMMITS}"
