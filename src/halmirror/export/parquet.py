"""Parquet: the record's keys as typed, nested columns, sorted by source, year, id and version.

The columns are those of `halmirror.record`; what a record does not have is null.  A record
without a year comes after those with one.  Row groups of 100,000 rows carry statistics, so that a
reader that wants one source or some years skips the rest.  The file's key-value metadata say what
wrote it, by which schema, and what the sources ask of those who take their metadata.

Needs pyarrow, which is imported only here.  Its JSON reader turns the mirror's lines into columns
without a detour through Python's values.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec
import pyarrow as pa
import pyarrow.json
import pyarrow.parquet as pq

from halmirror.errors import MirrorError, OutputError
from halmirror.export.keys import Key, chosen, project
from halmirror.record_schema import SCHEMA_VERSION
from halmirror.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from halmirror.export import Wanted

ROW_GROUP: Final = 100_000
"""Rows of a row group."""

_AT_ONCE: Final = 10_000
"""Lines that are read into columns at once."""

_LEAST_BLOCK: Final = 1 << 20
_LEVEL: Final = 3
_ORDER: Final = ("source", "year", "id")


def write(lines: Iterable[bytes], out: IO[bytes], wanted: Wanted) -> int:
    """Write the lines, which come in the file's order; returns how many records.

    While lines are read, those before them are turned into columns and written, by another thread.
    Raises `MirrorError` for a line that is no record of this release.
    """
    keys = chosen(wanted.fields)
    schema = _schema(keys, wanted)
    # A line has every key; of those that are not wanted nothing is kept.
    parsing = pyarrow.json.ParseOptions(
        explicit_schema=schema,
        unexpected_field_behavior="ignore" if wanted.fields else "error",
    )
    file = pq.ParquetWriter(
        _Counted(out),
        schema,
        compression="zstd",
        compression_level=_LEVEL,
        sorting_columns=_sorting(schema),
    )
    count = 0
    with file, ThreadPoolExecutor(1) as worker:
        groups = _RowGroups(file, schema, parsing)
        before: Future[None] | None = None
        rest = iter(lines)
        while some := list(islice(rest, _AT_ONCE)):
            count += len(some)
            if before is not None:
                before.result()
            before = worker.submit(groups.add, some)
        if before is not None:
            before.result()
        groups.end()
    return count


def read(path: Path | IO[bytes]) -> Iterator[bytes]:
    """The records of a file as canonical lines of JSON, in the file's order.

    Raises `OutputError` where it is no such file.
    """
    encode = msgspec.json.Encoder().encode
    try:
        with pq.ParquetFile(path) as file:
            keys = chosen(tuple(file.schema_arrow.names))
            for batch in file.iter_batches(batch_size=_AT_ONCE // 10):
                for row in batch.to_pylist():
                    yield encode(project(row, keys))
    except (pa.ArrowException, OSError) as error:
        raise OutputError(f"{path} cannot be read as Parquet ({error}); write it again") from error


class _RowGroups:
    """Gathers lines as columns and writes them, a row group at a time."""

    def __init__(
        self, file: pq.ParquetWriter, schema: pa.Schema, parsing: pyarrow.json.ParseOptions
    ) -> None:
        self._file = file
        self._schema = schema
        self._parsing = parsing
        self._held: list[pa.Table] = []

    def add(self, lines: Sequence[bytes]) -> None:
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
        if sum(one.num_rows for one in self._held) >= ROW_GROUP:
            self.end()

    def end(self) -> None:
        if self._held:
            self._file.write_table(pa.concat_tables(self._held), row_group_size=ROW_GROUP)
            self._held = []


def _schema(keys: Sequence[Key], wanted: Wanted) -> pa.Schema:
    told = {
        "halmirror.version": __version__,
        "halmirror.record_schema": SCHEMA_VERSION,
        "halmirror.order": ", ".join((*_ORDER, "version")),
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


def _sorting(schema: pa.Schema) -> list[pq.SortingColumn]:
    """The columns that the rows are sorted by, as far as they are among those written."""
    held: list[tuple[str, str]] = []
    for name in _ORDER:
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
