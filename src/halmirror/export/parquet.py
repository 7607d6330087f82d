"""Parquet: the record's keys as typed, nested columns, sorted by source, year, id and version.

The columns are those of `halmirror.record`; what a record does not have is null.  A record
without a year comes after those with one.  Row groups carry statistics, so that a
reader that wants one source or some years skips the rest.  The file's key-value metadata say what
wrote it, by which schema, and what the sources ask of those who take their metadata.

Needs pyarrow, which is imported only here.  Its JSON reader turns the mirror's lines into columns
without a detour through Python's values.
"""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Any, Final, Self

import msgspec

# Arrow's own allocator reserves a gigabyte ahead and keeps what was freed: some 60 MB more, for
# no time gained.  The library looks at this when it is loaded.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

import pyarrow as pa
import pyarrow.json
import pyarrow.parquet as pq

from halmirror.errors import MirrorError, OutputError, UsageError
from halmirror.export.keys import Key, chosen, project
from halmirror.record.schema import SCHEMA_VERSION
from halmirror.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from halmirror.export import Wanted

ROW_GROUP: Final = 100_000
"""Rows of a row group, at most."""

_MOST_HELD: Final = 32 * 1024 * 1024
"""Bytes of columns that are held for a row group; it ends there, however few its rows are.

A row group is written when all its rows are there: 100,000 with abstracts take 660 MB."""

_AT_ONCE: Final = 500
"""Lines that are read into columns at once; 2,000 take 30 MB more, for no time gained."""

MOST_AT_ONCE: Final = 8 * 1024 * 1024
"""Bytes of lines that are enough, however few they are."""

_LEAST_BLOCK: Final = 1 << 20
_LEVEL: Final = 3
_ORDER: Final = ("source", "year", "id")


def write(lines: Iterable[bytes], out: IO[bytes], wanted: Wanted) -> int:
    """Write the lines, which come in the file's order; returns how many records.

    While lines are read, those before them are turned into columns and written, by another thread.
    Raises `MirrorError` for a line that is no record of this release.
    """
    count = 0
    with Rows(out, wanted) as rows, ThreadPoolExecutor(1) as worker:
        before: Future[None] | None = None
        for some in _batches(lines):
            count += len(some)
            if before is not None:
                before.result()
            before = worker.submit(rows.add, some)
        if before is not None:
            before.result()
    return count


def _batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The lines, so many at a time as are read into columns at once."""
    some: list[bytes] = []
    size = 0
    for line in lines:
        some.append(line)
        size += len(line)
        if len(some) == _AT_ONCE or size >= MOST_AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some


_UNREADABLE: Final = (pa.ArrowException, OSError, UsageError, ValueError, TypeError, RecursionError)
"""What a file gives rise to that is none, or none of records: names and texts that are no UTF-8,
columns that no record has, values that no JSON has."""


class LargeGroupError(OutputError):
    """A row group that says that it unpacks to more than may be read."""


def alone() -> None:
    """Read in this thread alone from now on: those of Arrow's pools take room for themselves."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)


def read(
    path: str | Path | IO[bytes], at_once: int = 1_000, most: int | None = None
) -> Iterator[bytes]:
    """The records of a file as canonical lines of JSON, in the file's order.

    ``most``: bytes that a row group may unpack to (none: any), as the file says.  Raises
    `LargeGroupError` where one is larger, `OutputError` where it is no such file.
    """
    encode = msgspec.json.Encoder().encode
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            told = file.metadata
            largest = max(
                (told.row_group(one).total_byte_size for one in range(told.num_row_groups)),
                default=0,
            )
            if most is not None and largest > most:
                raise LargeGroupError(f"{path} has a row group of {largest} bytes; {most} are read")
            keys = chosen(tuple(file.schema_arrow.names))
            for batch in file.iter_batches(batch_size=at_once, use_threads=False):
                for row in batch.to_pylist():
                    yield encode(project(row, keys))
    except _UNREADABLE as error:
        raise OutputError(f"{path} cannot be read as Parquet ({error}); write it again") from error


class Rows:
    """A Parquet file being written: lines become columns, a row group at a time.

    A context manager; ``row_group``: the rows of a row group; ``order``: the keys that the lines
    are sorted by, before the version.
    """

    def __init__(
        self,
        out: IO[bytes],
        wanted: Wanted,
        *,
        row_group: int = ROW_GROUP,
        order: Sequence[str] = _ORDER,
    ) -> None:
        keys = chosen(wanted.fields)
        self._schema = _schema(keys, wanted, order)
        # A line has every key; of those that are not wanted nothing is kept.
        self._parsing = pyarrow.json.ParseOptions(
            explicit_schema=self._schema,
            unexpected_field_behavior="ignore" if wanted.fields else "error",
        )
        self._row_group = row_group
        self._held: list[pa.Table] = []
        self._file = pq.ParquetWriter(
            _Counted(out),
            self._schema,
            compression="zstd",
            compression_level=_LEVEL,
            sorting_columns=_sorting(self._schema, order),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._end()
        self._file.close()

    def add(self, lines: Sequence[bytes]) -> None:
        """Add records.  Raises `MirrorError` for a line that is no record of this release."""
        block = max(_LEAST_BLOCK, 2 * max(map(len, lines)) + 2)
        try:
            table = pyarrow.json.read_json(
                pa.BufferReader(b"\n".join(lines) + b"\n"),
                read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=block),
                parse_options=self._parsing,
            )
        except pa.ArrowInvalid as error:
            raise MirrorError(
                f"a record does not fit the schema ({error}); run 'halmirror renormalise'"
            ) from error
        self._held.append(table.cast(self._schema))
        rows = sum(one.num_rows for one in self._held)
        if rows >= self._row_group or sum(one.nbytes for one in self._held) >= _MOST_HELD:
            self._end()

    def _end(self) -> None:
        if self._held:
            self._file.write_table(pa.concat_tables(self._held), row_group_size=self._row_group)
            self._held = []


def _schema(keys: Sequence[Key], wanted: Wanted, order: Sequence[str]) -> pa.Schema:
    told = {
        "halmirror.version": __version__,
        "halmirror.record_schema": SCHEMA_VERSION,
        "halmirror.order": ", ".join((*order, "version")),
        "halmirror.statement": wanted.statement,
    }
    return pa.schema(
        [pa.field(key.name, _type(key), nullable=True) for key in keys],
        metadata={name: text for name, text in told.items() if text},
    )


def _type(key: Key) -> pa.DataType:
    kind: pa.DataType
    if key.keys:
        kind = pa.struct([pa.field(one.name, _type(one)) for one in key.keys])
    else:
        kind = pa.int32() if key.number else pa.string()
    return pa.list_(kind) if key.many else kind


def _sorting(schema: pa.Schema, order: Sequence[str]) -> list[pq.SortingColumn]:
    """The columns that the rows are sorted by, as far as they are among those written."""
    held: list[tuple[str, str]] = []
    for name in order:
        if name not in schema.names:
            break
        held.append((name, "ascending"))
    return list(pq.SortingColumn.from_ordering(schema, held, null_placement="at_end"))


class _Counted:
    """A place to write to that knows how far it is, as a pipe or a compressor does not."""

    closed = False
    mode = "wb"

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._at = 0

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        self._out.write(data)
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def flush(self) -> None:
        self._out.flush()

    def close(self) -> None:
        """The place is closed by whoever opened it."""
