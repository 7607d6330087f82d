"""What a snapshot's folder is made of: names, and the description that programs read.

Names come from this module alone.  A folder from elsewhere is read by the same names: whatever is
called otherwise, is a link or no plain file is a fault, so that nothing in a snapshot leads
outside it.
"""

from __future__ import annotations

import re
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from halmirror.errors import SnapshotError

if TYPE_CHECKING:
    from pathlib import Path

FORMAT: Final = "halmirror-snapshot/1"
"""What the description calls the layout; a reader refuses any other."""

DESCRIPTION: Final = "snapshot.json"
README: Final = "README.md"
SCHEMA: Final = "record.schema.json"
DATA_PACKAGE: Final = "datapackage.json"
BAGIT: Final = "bagit.txt"
BAG_INFO: Final = "bag-info.txt"
MANIFEST: Final = "manifest-sha512.txt"
TAG_MANIFEST: Final = "tagmanifest-sha512.txt"
SIGNATURE: Final = "tagmanifest-sha512.txt.sig"

TAG_FILES: Final = (BAGIT, BAG_INFO, MANIFEST, DATA_PACKAGE, README, SCHEMA, DESCRIPTION)
"""The files beside the data, save the manifest that names them and its signature."""

RECORDS: Final = "records"
PARQUET: Final = "parquet"
SOURCE: Final = "source"
HISTORY: Final = "history"
SHARDED: Final = {RECORDS: "jsonl.gz", PARQUET: "parquet", SOURCE: "xml.gz", HISTORY: "jsonl.zst"}
"""The kinds of data that are cut into shards, and how the files of each end."""

RUNS: Final = "data/harvest/runs.jsonl.gz"
COMMITS: Final = "data/harvest/commits.jsonl.gz"
SOURCES: Final = "data/harvest/sources.jsonl.gz"
WINDOWS: Final = "data/harvest/windows.jsonl.gz"
QUARANTINE: Final = "data/harvest/quarantine.jsonl.gz"
FORGOTTEN: Final = "data/harvest/forgotten.jsonl.gz"
TABLES: Final = (RUNS, COMMITS, SOURCES, WINDOWS, QUARANTINE, FORGOTTEN)
"""The data that are one file each: how the harvests went."""

LARGEST_TEXT: Final = 64 * 1024 * 1024
"""Bytes of a manifest or description that is read; more is no snapshot."""

_STAMP: Final = "%Y-%m-%dT%H-%M-%SZ"
_NAME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ")
_SHARD: Final = re.compile(
    r"data/(?:records/records-\d{5}\.jsonl\.gz|parquet/records-\d{5}\.parquet"
    r"|source/source-\d{5}\.xml\.gz|history/history-\d{5}\.jsonl\.zst)"
)


class File(msgspec.Struct, frozen=True):
    """A data file: how many records or lines it holds, and its size before and as compressed."""

    path: str
    lines: int
    plain: int
    size: int
    sha256: str
    sha512: str


class Records(msgspec.Struct, frozen=True):
    """How many records there are, and the SHA-256 of their JSON Lines in ascending order."""

    records: int
    sha256: str


class Previous(msgspec.Struct, frozen=True):
    """The snapshot that an increment goes on from; ``tagmanifest`` is the SHA-512 of that file."""

    name: str
    seq: int
    tagmanifest: str


class SourceProof(msgspec.Struct, frozen=True):
    """What is known of a source's completeness, worked out from the folder's own tables.

    ``complete_as_of`` is a day, none where that cannot be said.  ``windows`` and ``open_windows``
    count spans of modification days; ``announced``, ``distinct`` and ``withheld`` are sums over
    the closed ones that announced a size: records announced, received, and announced but never
    given by the server.
    """

    name: str
    base_url: str
    profile: str
    records: dict[str, int]
    complete_as_of: str | None
    first_day: str | None
    windows: int
    open_windows: int
    announced: int
    distinct: int
    withheld: int
    quarantined: int
    statement: str | None = None


class Description(msgspec.Struct, frozen=True):
    """What a snapshot says of itself.

    ``seq`` is the mirror's commit that it shows, ``at`` that commit's time; ``mirror`` tells
    mirrors apart.  ``digest`` is over the records in the folder, ``whole`` over all that the
    mirror held, the same where nothing came before (``since`` none).  ``rules`` counts the
    contents that the mirror held by the version of the rules that normalised them;
    ``forgotten`` counts the documents whose content was removed for good.  ``history_from`` is
    the first commit as of which the mirror could be read (0: all, nothing was pruned).
    """

    format: str
    name: str
    created: str
    software: str
    libraries: dict[str, str]
    mirror: str
    seq: int
    at: str
    since: Previous | None
    records: dict[str, int]
    documents: int
    contents: int
    states: int
    digest: Records
    whole: Records
    rules: dict[str, int]
    record_schema: str
    forgotten: int
    sources: list[SourceProof]
    files: list[File]
    history_from: int = 0


_decoder = msgspec.json.Decoder(Description)


def stamp(moment: datetime | None = None) -> str:
    """The name of a snapshot that is made now: a UTC time stamp that every file system takes."""
    return (moment or datetime.now(UTC)).strftime(_STAMP)


def is_name(name: str) -> bool:
    """Whether a folder's name is one of `stamp`."""
    return _NAME.fullmatch(name) is not None


def time_of(name: str) -> datetime:
    """The time (UTC) in a snapshot's name.  Raises `SnapshotError`."""
    try:
        return datetime.strptime(name, _STAMP).replace(tzinfo=UTC)
    except ValueError as error:
        raise SnapshotError(
            f"'{name[:100]}' is no name of a snapshot; its name is a time"
        ) from error


def shard(kind: str, number: int) -> str:
    """The path of a shard inside a snapshot."""
    stem = RECORDS if kind == PARQUET else kind
    return f"data/{kind}/{stem}-{number:05d}.{SHARDED[kind]}"


def kind_of(path: str) -> str | None:
    """What a data file's path says it holds: a kind of shard, the path of a table, or nothing."""
    if path in TABLES:
        return path
    return path.split("/")[1] if _SHARD.fullmatch(path) else None


def is_plain(path: Path) -> bool:
    """Whether a path is a regular file itself, no link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Whether a path is a folder itself, no link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def read_text(folder: Path, name: str) -> bytes:
    """The bytes of a small file of a snapshot.  Raises `SnapshotError`, naming it."""
    path = folder / name
    if not is_plain(path):
        raise SnapshotError(f"{path}: missing, or no plain file; this is no whole snapshot")
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_TEXT + 1)
    except OSError as error:
        raise SnapshotError(f"{path} cannot be read ({error.strerror or error})") from error
    if len(data) > LARGEST_TEXT:
        raise SnapshotError(f"{path} is larger than {LARGEST_TEXT} bytes; it is no snapshot's")
    return data


def describe(folder: Path) -> Description:
    """The description of the snapshot in a folder.  Raises `SnapshotError`."""
    if not is_folder(folder):
        raise SnapshotError(f"{folder} is no folder; name one that 'snapshot create' printed")
    return parse_description(read_text(folder, DESCRIPTION), str(folder / DESCRIPTION))


def parse_description(data: bytes, place: str) -> Description:
    """The description that is read at ``place``.  Raises `SnapshotError`."""
    try:
        found = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SnapshotError(
            f"{place} is no description of a snapshot ({error}); take it from its source again"
        ) from error
    if found.format != FORMAT:
        raise SnapshotError(
            f"{place} has the layout '{found.format[:50]}', this halmirror reads {FORMAT}; "
            "use the release that wrote it"
        )
    if not is_name(found.name):
        raise SnapshotError(f"{place} calls it '{found.name[:50]}', which is no name")
    for file in found.files:
        if kind_of(file.path) is None:
            raise SnapshotError(
                f"{place} names '{file.path[:100]}', which is no file of a snapshot"
            )
    return found


def encode(description: Description) -> bytes:
    """The text of a description's file."""
    return msgspec.json.format(msgspec.json.encode(description), indent=2) + b"\n"
