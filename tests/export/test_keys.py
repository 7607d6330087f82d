"""The keys of the record as a tree, and choosing among them."""

import json
from pathlib import Path
from typing import Any

import pytest

from export.any_records import all_recorded, any_record
from halmirror.errors import UsageError
from halmirror.export.keys import Key, chosen, project, record_keys
from halmirror.record import Record

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "record.schema.json").read_text(encoding="utf-8")
)


def as_in_the_schema(keys: tuple[Key, ...]) -> dict[str, Any]:
    return {key.name: as_in_the_schema(key.keys) if key.keys else key.number for key in keys}


def of_the_schema(properties: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name, value in properties.items():
        item = value.get("items", value)
        if "$ref" in item:
            definition = SCHEMA["$defs"][item["$ref"].rpartition("/")[2]]
            found[name] = of_the_schema(definition["properties"])
        else:
            found[name] = item.get("type") == "integer"
    return found


def test_the_tree_is_that_of_the_published_schema() -> None:
    assert as_in_the_schema(record_keys()) == of_the_schema(SCHEMA["properties"])
    assert [key.name for key in record_keys()] == list(SCHEMA["properties"])
    lists = {name for name, value in SCHEMA["properties"].items() if value.get("type") == "array"}
    assert {key.name for key in record_keys() if key.many} == lists


def test_keys_stand_in_the_records_order_however_they_are_named() -> None:
    keys = chosen(["year", "identifiers.isbn", "creators.given", "id", "identifiers.doi"])
    assert [key.name for key in keys] == ["id", "creators", "year", "identifiers"]
    assert [key.name for key in keys[3].keys] == ["doi", "isbn"]
    assert chosen([]) == record_keys()
    (whole,) = chosen(["container", "container.title"])
    assert len(whole.keys) == 10


@pytest.mark.parametrize(
    ("name", "near"),
    [("titel", "titles"), ("doi", "identifiers.doi"), ("container.titles", "container.title")],
)
def test_a_wrong_name_is_told_with_a_near_one(name: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"no key '{name}'; did you mean .*{near}"):
        chosen(["id", name])


def test_what_is_chosen_keeps_its_shape_and_nothing_empty() -> None:
    value = {
        "id": "hal-1",
        "titles": [{"value": "A", "lang": "fr"}, {"value": "B"}],
        "container": {"volume": "3"},
    }
    assert project(value, chosen(["id", "titles.lang", "container.title", "year"])) == {
        "id": "hal-1",
        "titles": [{"lang": "fr"}],
    }
    assert project(value, record_keys()) == value


@any_record
def test_all_keys_chosen_is_the_record_itself(record: Record) -> None:
    assert project(json.loads(record.json()), record_keys()) == json.loads(record.json())


def test_every_recorded_record_is_covered_by_the_tree() -> None:
    assert len(all_recorded()) == 354
    for record in all_recorded():
        value = json.loads(record.json())
        assert project(value, record_keys()) == value
