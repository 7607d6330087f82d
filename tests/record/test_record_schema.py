"""The JSON Schema of the record, against every record there is and every one that can be made."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator
from lxml import etree

from conftest import REPOSITORY, CommandLine
from crosswalks.other_repositories import everything
from crosswalks.test_properties import SETS, SOURCES
from halmirror.crosswalks import crosswalk
from halmirror.crosswalks.dublin_core import Source, values
from halmirror.record import Body, Head, Record
from halmirror.record import schema as record_schema
from recorded_endpoint import RECORDED, RecordedEndpoint
from recorded_records import recorded_records

KEPT = REPOSITORY / "docs" / "record.schema.json"
DCTERMS = Path(__file__).parent.parent / "data" / "hal-dcterms" / "ListRecords.xml"
VALIDATOR = Draft202012Validator(record_schema.schema())
ROW = re.compile(r"\| `([a-z_]+)` \| (.+) \|")
MINIMAL = {
    "id": "hal-1",
    "version": 1,
    "source": "hal",
    "oai_identifier": "oai:HAL:hal-1v1",
    "datestamp": "2024-03-07",
    "status": "active",
}


def faults(line: bytes | str | dict[str, Any]) -> list[str]:
    record = line if isinstance(line, dict) else json.loads(line)
    return [f"{one.json_path}: {one.message}" for one in VALIDATOR.iter_errors(record)]


def as_line(body: Body, identifier: str = "oai:example.org:1") -> bytes:
    return Record(Head(identifier, None, "x", identifier, "2024-03-07", "active"), body).json()


def test_the_schema_in_the_documentation_is_the_one_of_the_types() -> None:
    Draft202012Validator.check_schema(record_schema.schema())
    assert KEPT.read_text(encoding="utf-8") == record_schema.text()


def test_the_documentation_has_each_key_with_its_meaning() -> None:
    page = (REPOSITORY / "docs" / "record.md").read_text(encoding="utf-8")
    table = page.split("## Keys")[1].split("##")[0]
    told = dict(ROW.findall(table))
    properties = record_schema.schema()["properties"]
    assert told == {key: value["description"] for key, value in properties.items()}
    assert list(told) == list(properties)


def test_every_key_and_object_is_described() -> None:
    schema = record_schema.schema()
    assert all(value["description"] for value in schema["properties"].values())
    for definition in schema["$defs"].values():
        assert definition["description"].endswith(".")
        assert definition["additionalProperties"] is False


def test_every_recorded_record_of_hal_is_valid() -> None:
    records = recorded_records()
    assert len(records) >= 73
    assert [fault for record in records.values() for fault in faults(record.json())] == []


def test_every_recorded_record_of_other_repositories_is_valid() -> None:
    convert = crosswalk("oai_dc", "generic")
    found = [
        (one.name, fault)
        for one in everything()
        for fault in faults(
            as_line(convert(one.values, one.oai_identifier, None, (), None), one.oai_identifier)
        )
    ]
    assert found == []


def test_hals_dcterms_are_valid() -> None:
    convert = crosswalk("oai_dcterms", "hal")
    metadata = list(etree.parse(DCTERMS).iter("{*}metadata"))
    assert len(metadata) == 3
    for one in metadata:
        assert faults(as_line(convert(values(one[0]), "hal-1", 1, (), None))) == []


@pytest.mark.parametrize("profile", ["hal", "generic"])
@pytest.mark.parametrize("prefix", ["oai_dc", "oai_dcterms"])
@settings(deadline=None, max_examples=200)
@given(sources=SOURCES, sets=SETS)
def test_whatever_dublin_core_gives_is_valid(
    prefix: str, profile: str, sources: list[Source], sets: list[str]
) -> None:
    body = crosswalk(prefix, profile)(sources, "hal-00000001", 2, sets, None)
    assert faults(as_line(body)) == []


def test_records_of_every_status_are_valid_as_the_command_line_gives_them(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with RecordedEndpoint(RECORDED, deleted_record="persistent") as endpoint:
        first = endpoint.record("oai:HAL:hal-02737739v1")
        other = endpoint.record("oai:HAL:hal-04493396v1")
        endpoint.records = [first, first.edited("hal-02737739", "hal-09999999"), other]
        command.configure(endpoint.url)
        assert command("harvest").code == 0
        second = first.edited("hal-02737739v1", "hal-02737739v2").stamped("2026-11-01")
        endpoint.records += [second]
        endpoint.records[2] = other.tombstone("2026-11-01")
        assert command("harvest", "--full").code == 0
    lines = command("export", "--format", "jsonl", "--status", "all").out.splitlines()
    records = [json.loads(line) for line in lines]
    assert sorted(one["status"] for one in records) == [
        "active",
        "active",
        "deleted",
        "superseded",
    ]
    assert {"same_as", "status_since", "followed_by"} <= {key for one in records for key in one}
    assert [fault for one in records for fault in faults(one)] == []


@pytest.mark.parametrize(
    "more",
    [
        {"unknown": 1},
        {"titles": []},
        {"titles": [{"value": ""}]},
        {"titles": [{"value": "T", "language": "fr"}]},
        {"citation": None},
        {"citation": ""},
        {"container": {}},
        {"creators": [{"given": "Anne"}]},
        {"creators": [{"family": "Roe", "literal": "Anne Roe"}]},
        {"status": "lost"},
        {"status": "deleted"},
        {"status_since": "2026-11-20T03:00:00.000Z"},
        {"datestamp": "yesterday"},
        {"version": 0},
        {"access": "closed"},
        {"year": 2018},
        {"year": 2018, "date": "2018-13"},
        {"identifiers": {"doi": ["https://doi.org/10.1000/x"]}},
        {"same_as": [{"source": "hal", "id": "hal-2", "version": 1, "by": ["isbn"]}]},
        {"same_as": [{"source": "hal", "id": "hal-2", "version": 1}]},
    ],
    ids=str,
)
def test_what_no_release_writes_is_refused(more: dict[str, Any]) -> None:
    assert faults(MINIMAL) == []
    assert faults({**MINIMAL, **more})


@pytest.mark.parametrize(
    "more",
    [
        {"year": 2018, "date": "2018"},
        {"year": 2018, "date": "2018-03"},
        {"year": 2018, "date": "2018-03-31T23:59:59+02:00"},
        {"year": 2018, "date": "2018-03/2019"},
        {"date": "2018-13"},
        {"creators": [{"family": "Roe"}, {"family": "Roe", "given": "A."}, {"literal": "CERN"}]},
        {"status": "withdrawn", "status_since": "2026-11-20T03:00:00.000Z"},
        {"datestamp": "2024-03-07T10:11:12Z"},
        {"identifiers": {"arxiv": ["1303.0980v2", "math.GT/0309136"], "isbn": ["080442957X"]}},
    ],
    ids=str,
)
def test_what_a_release_writes_is_taken(more: dict[str, Any]) -> None:
    assert faults({**MINIMAL, **more}) == []
