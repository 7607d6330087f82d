"""Every recorded record of HAL's, and fifty of other repositories, as read against their XML."""

import json
from pathlib import Path

import pytest
from lxml import etree

from crosswalks.golden_records import GOLDEN, golden, text_of
from halmirror.crosswalks import RULES_VERSION, crosswalk
from halmirror.crosswalks.dublin_core import values

DATA = Path(__file__).resolve().parents[2] / "data" / "hal-oai"
OAI = "{http://www.openarchives.org/OAI/2.0/}"
FILES = sorted(str(path.relative_to(GOLDEN)) for path in GOLDEN.rglob("*.json"))


@pytest.mark.parametrize("name", FILES)
def test_a_record_is_as_it_was_read(name: str) -> None:
    assert text_of(golden()[name]) == (GOLDEN / name).read_text(encoding="utf-8")


def test_every_recorded_record_has_its_file() -> None:
    assert set(golden()) == set(FILES)
    assert len([name for name in FILES if name.startswith("hal/")]) == 73 + 18 + 1
    assert len([name for name in FILES if name.startswith("others/")]) == 50


def test_the_files_are_of_todays_rules() -> None:
    """Whoever changes a file has changed a rule: then the version rises, here too."""
    assert RULES_VERSION == 2


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("GetRecord-hal-04493396.xml", "hal-04493396v1"),
        ("GetRecord.xml", "hal-02737739v1"),
    ],
)
def test_a_single_answer_gives_the_record_of_the_list(answer: str, name: str) -> None:
    record = etree.parse(DATA / answer).find(f".//{OAI}record")
    sources = values(record.find(f"{OAI}metadata"))
    sets = [one.text for one in record.iter(f"{OAI}setSpec")]
    identifier, _, version = name.rpartition("v")
    body = crosswalk("oai_dc", "hal")(sources, identifier, int(version), sets, None)
    assert body == golden()[f"hal/{name}.json"].body


def test_each_key_has_a_line_of_its_own() -> None:
    lines = (GOLDEN / FILES[0]).read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(json.loads("\n".join(lines))) + 2
