import json
from pathlib import Path

import pytest

from crosswalks.recorded_values import everything
from halmirror.crosswalks import crosswalk
from halmirror.record import Head, Record

GOLDEN = Path(__file__).parent / "golden"
RECORDS = {one.name: one for one in everything()}


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("*.json")))
def test_record_is_as_typed_from_its_xml(name: str) -> None:
    source = RECORDS[name]
    body = crosswalk("oai_dc", "hal")(source.values, source.id, source.version, source.sets, None)
    head = Head(
        source.id,
        source.version,
        source="hal",
        oai_identifier=source.oai_identifier,
        datestamp=source.datestamp,
        sets=tuple(sorted(source.sets)),
    )
    expected = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    assert json.loads(Record(head, body).json()) == expected


def test_twelve_records_were_typed() -> None:
    assert len(list(GOLDEN.glob("*.json"))) == 12
