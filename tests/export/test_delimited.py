"""CSV and TSV: read back with the csv module, and the flattening undone."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from export.any_records import HOSTILE, all_recorded, any_record
from halmirror.export import Wanted, load
from halmirror.export.keys import Key, record_keys
from halmirror.record import (
    Affiliation,
    Body,
    Container,
    Head,
    Name,
    Record,
    Title,
    Value,
)

DELIMITERS = {"csv": ",", "tsv": "\t"}


def rows(form: str, *records: Record, **wanted: Any) -> list[dict[str, str]]:
    out = io.BytesIO()
    _, writer = load(form, Wanted(**wanted))
    assert writer([one.json() for one in records], out, Wanted(**wanted)) == len(records)
    text = io.StringIO(out.getvalue().decode(), newline="")
    return list(csv.DictReader(text, delimiter=DELIMITERS[form], strict=True))


def parted(cell: str, mark: str) -> list[str]:
    """The values of a cell: the stated inverse, by a regular expression of its own."""
    if not cell:
        return []
    alone = re.escape(mark)
    parts = re.split(rf" (?<!{alone}){alone}(?!{alone}) ", cell)
    return [part.replace(mark * 2, mark) for part in parts]


def unflattened(row: dict[str, str], keys: tuple[Key, ...], above: str = "") -> dict[str, Any]:
    """The record's JSON value that a row came from."""
    found: dict[str, Any] = {}
    for key in keys:
        path = above + key.name
        if key.keys and not key.many:
            value: Any = unflattened(row, key.keys, f"{path}.")
        elif key.keys:
            value = objects(row, key.keys, f"{path}.")
        elif key.many:
            value = parted(row[path], "|")
        else:
            value = int(row[path]) if key.number and row[path] else row[path]
        if value:
            found[key.name] = value
    return found


def objects(row: dict[str, str], keys: tuple[Key, ...], above: str) -> list[dict[str, Any]]:
    columns = {key: parted(row[above + key.name], "|") for key in keys}
    count = max(map(len, columns.values()))
    made: list[dict[str, Any]] = [{} for _ in range(count)]
    for key, values in columns.items():
        for one, value in zip(made, values, strict=bool(values)):
            if value:
                held = parted(value, ";") if key.many else value
                one[key.name] = int(value) if key.number else held
    return made


def record_of(row: dict[str, str]) -> dict[str, Any]:
    return unflattened(row, record_keys())


@pytest.mark.parametrize("form", DELIMITERS)
def test_every_recorded_record_comes_back_whole(form: str) -> None:
    read = rows(form, *all_recorded())
    assert len(read) == 354
    for row, record in zip(read, all_recorded(), strict=True):
        assert record_of(row) == json.loads(record.json())


@any_record
def test_any_record_comes_back_whole(record: Record) -> None:
    for form in DELIMITERS:
        (row,) = rows(form, record)
        assert record_of(row) == json.loads(record.json())


@any_record
def test_no_cell_is_a_formula_where_that_is_asked_and_nothing_is_lost(record: Record) -> None:
    plain, defused = rows("csv", record)[0], rows("csv", record, defuse=True)[0]
    for name, cell in defused.items():
        start = cell.lstrip("".join(map(chr, range(33))))[:1]
        assert start not in tuple("=+-@＝＋－＠") or not start
        assert plain[name] in (cell, cell.removeprefix("'"))


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("'=1+1", "''=1+1"),
        ("+33 1", "'+33 1"),
        (" \t@SUM(1)", "' \t@SUM(1)"),
        ("＝1", "'＝1"),
        ("-5", "'-5"),
        ("'tis", "'tis"),
        ("1-20", "1-20"),
        ("a=b", "a=b"),
    ],
)
def test_formulas_are_defused_by_an_apostrophe(cell: str, written: str) -> None:
    record = Record(Head("hal-1"), Body(citation=cell))
    assert rows("csv", record, defuse=True)[0]["citation"] == written
    assert rows("csv", record)[0]["citation"] == cell


def test_a_record_in_whole() -> None:
    record = Record(
        Head("hal-1", 2, "hal", "oai:HAL:hal-1v2", "2024-03-07", "active", sets=("a:b", "c")),
        Body(
            titles=(Title("Un | deux", lang="fr"), Title("One", "two")),
            creators=(Name("Alix", "Jean"), Name(literal="A group")),
            affiliations=(Affiliation("A", None, ("P; Q", "R")), Affiliation("B", "BB")),
            keywords=(Value("x"), Value("y")),
            year=2018,
            container=Container(title='The "Journal", quarterly'),
        ),
    )
    (row,) = rows("csv", record)
    assert {name: cell for name, cell in row.items() if cell} == {
        "id": "hal-1",
        "version": "2",
        "source": "hal",
        "oai_identifier": "oai:HAL:hal-1v2",
        "datestamp": "2024-03-07",
        "status": "active",
        "sets": "a:b | c",
        "titles.value": "Un || deux | One",
        "titles.subtitle": " | two",
        "titles.lang": "fr | ",
        "creators.family": "Alix | ",
        "creators.given": "Jean | ",
        "creators.literal": " | A group",
        "affiliations.name": "A | B",
        "affiliations.acronym": " | BB",
        "affiliations.parents": "P;; Q ; R | ",
        "keywords.value": "x | y",
        "year": "2018",
        "container.title": 'The "Journal", quarterly',
    }


def test_fields_pick_columns_and_keep_the_records_order() -> None:
    record = Record(Head("hal-1", 1), Body(titles=(Title("T"),), year=2018))
    (row,) = rows("tsv", record, fields=("year", "titles.value", "id"))
    assert list(row.items()) == [("id", "hal-1"), ("titles.value", "T"), ("year", "2018")]
    (lone,) = rows("csv", Record(Head("hal-1"), Body()), fields=("licence",))
    assert lone == {"licence": ""}


def test_lines_end_with_a_line_feed_alone() -> None:
    out = io.BytesIO()
    load("csv")[1]([Record(Head("hal-1"), Body(citation="a\rb")).json()], out, Wanted())
    head, line, rest = out.getvalue().split(b"\n")
    assert head.startswith(b"id,version,source,")
    assert b',"a\rb",' in line
    assert rest == b""


@pytest.mark.parametrize("text", [one for one in HOSTILE if "\x00" not in one and "\r" not in one])
def test_duckdb_reads_what_the_csv_module_reads(text: str, tmp_path: Path) -> None:
    """It reads no NUL, and takes a carriage return for a line's end."""
    path = tmp_path / "a.csv"
    record = Record(Head("hal-1", 1), Body(titles=(Title(text),), citation=text))
    with path.open("wb") as out:
        load("csv")[1]([record.json()], out, Wanted())
    held = duckdb.read_csv(
        str(path), header=True, all_varchar=True, sep=",", quotechar='"', escapechar='"'
    )
    read = held.project("citation").fetchall()
    assert read == [(text,)]
