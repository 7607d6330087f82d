"""The recorded HAL records, read with lxml alone: header, and Dublin Core values as they came."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lxml import etree

from halmirror.oaipmh.source import Source

DATA = Path(__file__).resolve().parents[2] / "data" / "hal-oai"
PAGES = ("ListRecords-1.xml", "ListRecords-2.xml", "ListRecords-3.xml")
CAPTURED = ("ListRecords-2022-extract.xml", "GetRecord-2019-verbatim.xml")
_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True)
class Recorded:
    """One recorded record."""

    oai_identifier: str
    id: str
    version: int
    datestamp: str
    sets: tuple[str, ...]
    values: tuple[Source, ...]
    metadata: "etree._Element"

    @property
    def name(self) -> str:
        return f"{self.id}v{self.version}"


@cache
def recorded(*files: str) -> tuple[Recorded, ...]:
    return tuple(
        _recorded(one) for name in files for one in etree.parse(DATA / name).iter(f"{_OAI}record")
    )


def everything() -> tuple[Recorded, ...]:
    return recorded(*PAGES, *CAPTURED)


def _recorded(element: "etree._Element") -> Recorded:
    header = element.find(f"{_OAI}header")
    identifier = header.findtext(f"{_OAI}identifier")
    named = re.fullmatch(r"oai:HAL:(.+)v(\d+)", identifier)
    metadata = element.find(f"{_OAI}metadata")[0]
    return Recorded(
        identifier,
        named[1],
        int(named[2]),
        header.findtext(f"{_OAI}datestamp"),
        tuple(one.text for one in header.findall(f"{_OAI}setSpec")),
        tuple(
            Source(one.tag.removeprefix(_DC), "".join(one.itertext()), one.get(_LANG))
            for one in metadata
        ),
        metadata,
    )
