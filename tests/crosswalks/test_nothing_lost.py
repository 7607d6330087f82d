"""Every value of every recorded record is found again in the normalised one."""

import json
import re
from typing import Any

import pytest

from crosswalks.inverses import stands_for, undone
from crosswalks.recorded_values import Recorded, everything
from halmirror.crosswalks import crosswalk
from halmirror.crosswalks.dublin_core import values
from halmirror.record import Head, Record

RECORDS = everything()
OTHER_SCHEMES = {"PRODINRA", "WOS", "PUBMEDCENTRAL", "SWH"}


def normalised(source: Recorded) -> tuple[dict[str, Any], list[tuple[int, str, str]]]:
    told: list[tuple[int, str, str]] = []
    body = crosswalk("oai_dc", "hal")(
        source.values,
        source.id,
        source.version,
        source.sets,
        lambda index, rule, where: told.append((index, rule, where)),
    )
    return json.loads(Record(Head(source.id, source.version), body).json()), told


def test_all_recorded_records_are_walked() -> None:
    assert len(RECORDS) == 73 + 18 + 1
    assert sum(len(one.values) for one in RECORDS) > 2500


@pytest.mark.parametrize("source", RECORDS, ids=lambda one: one.name)
def test_values_are_read_as_lxml_reads_them(source: Recorded) -> None:
    assert values(source.metadata) == source.values


@pytest.mark.parametrize("source", RECORDS, ids=lambda one: one.name)
def test_every_value_is_found_again(source: Recorded) -> None:
    record, _ = normalised(source)
    missing = [
        one
        for one in source.values
        if one.text.strip() and not stands_for(one.element, one.lang, undone(one.text), record)
    ]
    assert missing == []


@pytest.mark.parametrize("source", RECORDS, ids=lambda one: one.name)
def test_every_value_is_told_once(source: Recorded) -> None:
    _, told = normalised(source)
    assert sorted(index for index, _, _ in told) == list(range(len(source.values)))


@pytest.mark.parametrize("source", RECORDS, ids=lambda one: one.name)
def test_only_comments_and_other_schemes_end_outside_their_keys(source: Recorded) -> None:
    record, told = normalised(source)
    for index, _, where in told:
        value = source.values[index]
        if "notes" in where:
            assert (value.element, value.lang) == ("description", None)
        if "identifiers.other" in where:
            scheme = re.match(r"\s*(\w+)\s*:\s", value.text)
            assert value.element == "identifier"
            assert scheme is not None
            assert scheme[1] in OTHER_SCHEMES
    assert "warnings" not in record
    assert "other" not in record["type"]


@pytest.mark.parametrize("source", RECORDS, ids=lambda one: one.name)
def test_places_that_are_told_exist(source: Recorded) -> None:
    record, told = normalised(source)
    for _, _, where in told:
        for place in where.removeprefix("repetition of ").split(" and "):
            if place.startswith("dropped: "):
                continue
            held: Any = record
            for step in re.findall(r"\w+", place):
                held = held[int(step)] if step.isdigit() else held[step]
            assert held


def test_the_same_input_gives_the_same_bytes() -> None:
    first = [normalised(one) for one in RECORDS]
    assert [normalised(one) for one in RECORDS] == first
