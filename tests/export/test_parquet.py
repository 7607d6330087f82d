"""Parquet: what it says of itself, and what DuckDB and Polars read from it."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import REPOSITORY
from export.any_records import all_recorded, any_record
from halmirror.errors import MirrorError, OutputError
from halmirror.export import Wanted, parquet
from halmirror.export.digest import digest, in_order
from halmirror.record import Body, Head, Record, Title
from recorded_records import recorded_records


def written(path: Path, lines: list[bytes], **wanted: object) -> Path:
    with path.open("wb") as out:
        assert parquet.write(lines, out, Wanted(**wanted)) == len(lines)
    return path


def numbered(count: int) -> list[bytes]:
    return [
        Record(
            Head(f"hal-{number:06d}", 1, "hal", status="active"),
            Body(titles=(Title(f"Title {number}"),), date=str(year), year=year),
        ).json()
        for year in (2000 + one for one in range(20))
        for number in range(year * 10, year * 10 + count // 20)
    ]


def test_the_columns_are_the_records_keys_with_their_types(tmp_path: Path) -> None:
    schema = pq.read_schema(written(tmp_path / "a.parquet", [Record(Head("x"), Body()).json()]))
    published = json.loads((REPOSITORY / "docs/record.schema.json").read_text(encoding="utf-8"))
    assert schema.names == list(published["properties"])
    assert schema.field("year").type == pa.int32()
    assert schema.field("sets").type == pa.list_(pa.string())
    assert str(schema.field("titles").type) == (
        "list<element: struct<value: string, subtitle: string, lang: string>>"
    )
    assert str(schema.field("type").type) == (
        "struct<hal: string, coar: string, info_eu_repo: string, other: list<element: string>>"
    )


def test_every_recorded_record_comes_back_whole(tmp_path: Path) -> None:
    lines = [record.json() for record in all_recorded()]
    path = written(tmp_path / "a.parquet", lines)
    assert list(parquet.read(path)) == lines


@any_record
def test_any_record_comes_back_whole(record: Record) -> None:
    out = io.BytesIO()
    parquet.write([record.json()], out, Wanted())
    assert list(parquet.read(io.BytesIO(out.getvalue()))) == [record.json()]


def test_duckdb_reads_the_same_facts(tmp_path: Path) -> None:
    records = list(recorded_records().values())
    path = written(tmp_path / "a.parquet", [record.json() for record in records])
    columns = "id, version, year, titles, creators, identifiers.doi"
    read = duckdb.read_parquet(str(path)).project(columns).fetchall()
    assert len(read) == 92
    for one, (identifier, version, year, titles, creators, dois) in zip(records, read, strict=True):
        body = one.body
        assert (identifier, version, year) == (one.id, one.head.version, body.year)
        assert [title["value"] for title in titles] == [title.value for title in body.titles]
        families = [name["literal"] or name["family"] for name in creators or ()]
        assert families == [name.literal or name.family for name in body.creators]
        assert tuple(dois or ()) == (body.identifiers.doi if body.identifiers else ())


def test_polars_reads_the_same_facts(tmp_path: Path) -> None:
    records = list(recorded_records().values())
    path = written(tmp_path / "a.parquet", [record.json() for record in records])
    read = pl.read_parquet(path)
    assert read.shape == (92, 36)
    assert read["id"].to_list() == [one.id for one in records]
    assert read["year"].to_list() == [one.body.year for one in records]
    assert [[title["value"] for title in titles] for titles in read["titles"].to_list()] == [
        [title.value for title in one.body.titles] for one in records
    ]


def test_row_groups_of_a_hundred_thousand_bear_statistics_and_their_order(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", numbered(200_040), statement="hal: cite the source")
    file = pq.ParquetFile(path)
    assert [file.metadata.row_group(n).num_rows for n in range(3)] == [100_000, 100_000, 40]
    group = file.metadata.row_group(1)
    years = next(
        group.column(n) for n in range(group.num_columns)
        if group.column(n).path_in_schema == "year"
    )  # fmt: skip
    assert (years.statistics.min, years.statistics.max) == (2009, 2019)
    assert years.compression == "ZSTD"
    leaves = [group.column(n).path_in_schema for n in range(group.num_columns)]
    order = [(leaves[one.column_index], one.descending) for one in group.sorting_columns]
    assert order == [("source", False), ("year", False), ("id", False)]
    told = {key.decode(): value.decode() for key, value in file.metadata.metadata.items()}
    del told["ARROW:schema"]
    assert told == {
        "halmirror.version": "0.1.0",
        "halmirror.record_schema": "1.0",
        "halmirror.order": "source, year, id, version",
        "halmirror.statement": "hal: cite the source",
    }


def test_the_same_rows_give_the_same_bytes() -> None:
    lines = [record.json() for record in all_recorded()]
    first, second = io.BytesIO(), io.BytesIO()
    parquet.write(lines, first, Wanted())
    parquet.write(iter(lines), second, Wanted())
    assert first.getvalue() == second.getvalue()


def test_some_keys_alone(tmp_path: Path) -> None:
    lines = [record.json() for record in recorded_records().values()]
    path = written(tmp_path / "a.parquet", lines, fields=("titles.value", "id", "identifiers.doi"))
    schema = pq.read_schema(path)
    assert schema.names == ["id", "titles", "identifiers"]
    assert str(schema.field("identifiers").type) == "struct<doi: list<element: string>>"
    assert [json.loads(line)["id"] for line in parquet.read(path)] == [
        json.loads(line)["id"] for line in lines
    ]


def test_no_record_gives_a_file_without_rows(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", [])
    assert duckdb.read_parquet(str(path)).fetchall() == []
    assert list(parquet.read(path)) == []


def test_a_long_value_among_short_ones(tmp_path: Path) -> None:
    long = Record(Head("hal-2"), Body(citation="é" * 3_000_000)).json()
    lines = [Record(Head("hal-1"), Body()).json(), long, Record(Head("hal-3"), Body()).json()]
    assert list(parquet.read(written(tmp_path / "a.parquet", lines))) == lines


@pytest.mark.parametrize("line", [b'{"id":"x","unheard_of":1}', b'{"id":["x"]}', b"{"])
def test_a_line_that_is_no_record_is_refused(line: bytes) -> None:
    with pytest.raises(MirrorError, match="does not fit the schema"):
        parquet.write([line], io.BytesIO(), Wanted())


def test_a_file_that_is_no_parquet_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("id\n", encoding="utf-8")
    with pytest.raises(OutputError, match=r"a\.parquet cannot be read as Parquet"):
        list(parquet.read(tmp_path / "a.parquet"))


def test_its_rows_have_the_digest_of_the_lines(tmp_path: Path) -> None:
    lines = sorted(record.json() for record in recorded_records().values())
    path = written(tmp_path / "a.parquet", lines[::-1])
    assert digest(in_order(parquet.read(path))) == digest(in_order(lines))


def test_arrow_takes_its_memory_from_the_system() -> None:
    """Its own allocator reserves a gigabyte, which a reader with a bound does not have."""
    told = "print(pyarrow.default_memory_pool().backend_name)"
    code = f"import halmirror.export.parquet, pyarrow; {told}"
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ARROW_")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=kept)
    assert done.stdout == "system\n"
