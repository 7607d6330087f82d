"""The recorded records of ``data/hal-oai``, normalised by HAL's crosswalk."""

from functools import cache
from pathlib import Path

from lxml import etree

from halmirror.crosswalks import Source, crosswalk
from halmirror.record import Head, Record

_RECORDED = Path(__file__).parents[1] / "data" / "hal-oai"
_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


@cache
def recorded_records() -> dict[str, Record]:
    """Every record of the recorded lists and single answers, by its id with version."""
    found: dict[str, Record] = {}
    for page in sorted(_RECORDED.glob("*Record*.xml")):
        for element in etree.parse(page).iter(f"{_OAI}record"):
            record = _normalised(element)
            found[record.versioned_id] = record
    return found


def _normalised(element: etree._Element) -> Record:
    full_name = element.findtext(f"{_OAI}header/{_OAI}identifier")
    identifier, _, version = full_name.rpartition(":")[2].rpartition("v")
    sets = [node.text for node in element.iter(f"{_OAI}setSpec")]
    values = [
        Source(etree.QName(node).localname, node.text or "", node.get(_LANGUAGE))
        for node in element.find(f"{_OAI}metadata")[0]
    ]
    body = crosswalk("oai_dc", "hal")(values, identifier, int(version), sets, None)
    datestamp = element.findtext(f"{_OAI}header/{_OAI}datestamp")
    return Record(Head(identifier, int(version), "hal", full_name, datestamp, "active"), body)
