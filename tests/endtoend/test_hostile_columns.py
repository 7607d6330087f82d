"""Parquet files in a snapshot that say of themselves what is not so, their checksums made anew.

`snapshot verify` has to name the file, and to stay within its memory, whatever the file holds.
"""

import io
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import CommandLine
from halmirror.errors import SnapshotError
from halmirror.export import Wanted, parquet
from halmirror.record import Body, Head, Record, Title, Value
from halmirror.snapshot.columns import rows
from sealed_snapshots import sealed

COLUMNS = "data/parquet/records-00001.parquet"
MOST_MEMORY = 200 * 1024 * 1024
MEASURED = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.returncode, done.stdout, done.stderr, used.ru_maxrss * 1024]))
"""


@pytest.fixture(scope="module")
def made(harvested: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    ran = harvested("snapshot", "create", str(tmp_path_factory.mktemp("snapshots")))
    assert ran.code == 0, ran.err
    return Path(ran.out.strip())


def written(table: pa.Table, **options: object) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd", **options)
    return out.getvalue()


def varint(number: int, length: int = 1) -> bytes:
    """A signed number as Thrift's compact protocol has it, in at least so many bytes."""
    rest, found = number * 2, bytearray()
    while rest or len(found) < length:
        found.append(rest & 127 | 128)
        rest >>= 7
    found[-1] &= 127
    return bytes(found)


def said(data: bytes, true: int, claimed: int) -> bytes:
    """The file with another number in the place of a true one, which its footer has."""
    number = varint(true)
    assert data.count(number) > 0
    return data.replace(number, varint(claimed, len(number)))


def one(**columns: object) -> pa.Table:
    return pa.table({"id": ["a"], "source": ["hal"], "version": [1], **columns})


def a_column_that_unpacks_to_much(_: bytes) -> bytes:
    """300 MB of one letter: ten kilobytes."""
    return written(one(citation=["x" * 300_000_000]), use_dictionary=False, write_statistics=False)


def the_same_with_a_footer_that_lies(held: bytes) -> bytes:
    data = a_column_that_unpacks_to_much(held)
    true = pq.read_metadata(io.BytesIO(data)).row_group(0).total_byte_size
    data = said(data, true, 1000)
    assert pq.read_metadata(io.BytesIO(data)).row_group(0).total_byte_size == 1000
    return data


def a_list_of_thirty_million(_: bytes) -> bytes:
    """Run lengths: a kilobyte, and the footer says so."""
    count = 30_000_000
    notes = pa.ListArray.from_arrays([0, count], pa.repeat(pa.scalar(""), count))
    data = written(one(notes=notes))
    assert pq.read_metadata(io.BytesIO(data)).row_group(0).total_byte_size < 1000
    return data


def a_page_header_of_two_gigabytes(held: bytes) -> bytes:
    """The size that the first page unpacks to, right after its kind."""
    place = pq.read_metadata(io.BytesIO(held)).row_group(0).column(0).dictionary_page_offset
    begin = held.index(b"\x15", place + 2) + 1
    end = next(n for n in range(begin, begin + 6) if held[n] < 128) + 1
    return held[:begin] + varint(2**30, end - begin)[: end - begin] + held[end:]


def names_that_are_no_text(held: bytes) -> bytes:
    assert held.count(b"titles") > 0
    return held.replace(b"titles", b"title\xff")


def a_column_that_no_record_has(_: bytes) -> bytes:
    return written(one(colour=["red"]))


def another_kind_of_column(_: bytes) -> bytes:
    return written(one(titles=[[b"\xff\xfe"]]))


def a_row_too_many(held: bytes) -> bytes:
    table = pq.read_table(io.BytesIO(held))
    return written(pa.concat_tables([table, table.slice(72, 1)]))


def a_footer_of_two_gigabytes(held: bytes) -> bytes:
    return held[:-8] + (2**31 - 1).to_bytes(4, "little") + b"PAR1"


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        (a_column_that_unpacks_to_much, "has a row group of 300000130 bytes"),
        (the_same_with_a_footer_that_lies, "cannot be read as Parquet"),
        (a_list_of_thirty_million, "cannot be read as Parquet"),
        (a_page_header_of_two_gigabytes, "cannot be read as Parquet"),
        (names_that_are_no_text, "cannot be read as Parquet"),
        (a_column_that_no_record_has, "the record has no key 'colour'"),
        (another_kind_of_column, ""),
        (a_row_too_many, "has fewer records than"),
        (a_footer_of_two_gigabytes, "cannot be read as Parquet"),
    ],
)
def test_it_is_named_within_the_memory(
    harvested: CommandLine,
    made: Path,
    tmp_path: Path,
    forge: Callable[[bytes], bytes],
    reason: str,
) -> None:
    folder = tmp_path / made.name
    shutil.copytree(made, folder)
    place = folder / COLUMNS
    place.write_bytes(forge(place.read_bytes()))
    sealed(folder)
    command = harvested.command("snapshot", "verify", str(folder))
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command],
        cwd=harvested.folder, env=harvested.environment(), capture_output=True, check=True,
        timeout=60,
    )  # fmt: skip
    code, out, err, memory = json.loads(done.stdout)
    assert (code, "Traceback" in err) == (1, False), err
    named = [line for line in out.splitlines() if COLUMNS in line and reason in line]
    assert named, out
    assert memory < MOST_MEMORY


def outcome(path: Path) -> str:
    try:
        count = sum(1 for _ in rows(path, "it"))
    except SnapshotError as error:
        message = str(error)
        assert message.startswith("it: ")
        assert len(message) < 600
        return "refused"
    return f"{count} rows"


@pytest.mark.parametrize("seed", range(12))
def test_bytes_that_are_changed_anywhere_end_in_rows_or_an_error(
    made: Path, tmp_path: Path, seed: int
) -> None:
    """Half of them in the footer, where sizes and places are said."""
    draw = random.Random(seed)  # noqa: S311 - a series that is the same each time
    data = bytearray((made / COLUMNS).read_bytes())
    footer = int.from_bytes(data[-8:-4], "little")
    first, last = (len(data) - 8 - footer, len(data) - 8) if seed % 2 else (4, len(data) - footer)
    for _ in range(draw.randint(1, 4)):
        place = draw.randrange(first, last - 4)
        many = draw.choice([b"\xff", b"\x00", b"\xfe\xff\xff\xff", draw.randbytes(3)])
        data[place : place + len(many)] = many
    path = tmp_path / "changed.parquet"
    path.write_bytes(data)
    assert outcome(path) in ("refused", "73 rows")


def test_a_reader_that_is_not_read_to_its_end_is_ended(made: Path) -> None:
    found = rows(made / COLUMNS, "it")
    assert json.loads(next(found))["source"] == "hal"
    found.close()


def test_a_record_that_is_larger_than_usual_is_read_where_the_lines_have_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "large.parquet"
    path.write_bytes(written(one(citation=["x" * 80_000_000]), use_dictionary=False))
    with pytest.raises(SnapshotError, match="has a row group of 80"):
        list(rows(path, "it"))
    (line,) = rows(path, "it", largest=80_000_000)
    assert len(line) > 80_000_000


def test_a_shard_with_long_abstracts_is_read_within_its_bound(tmp_path: Path) -> None:
    draw = random.Random(7)  # noqa: S311 - the same each time
    path = tmp_path / "shard.parquet"
    with path.open("wb") as out, parquet.Rows(out, Wanted(), row_group=4_000) as columns:
        for first in range(0, 8_000, 500):
            columns.add([_long(number, draw) for number in range(first, first + 500)])
    assert sum(1 for _ in rows(path, "shard.parquet")) == 8_000


def _long(number: int, draw: random.Random) -> bytes:
    """A record with two abstracts of 1,500 characters and forty keywords."""
    body = Body(
        titles=(Title(draw.randbytes(60).hex()),),
        abstracts=tuple(Value(draw.randbytes(750).hex(), lang) for lang in ("en", "fr")),
        keywords=tuple(Value(draw.randbytes(8).hex(), "en") for _ in range(40)),
    )
    return Record(Head(f"hal-{number:08d}", 1, "hal", status="active"), body).json()
