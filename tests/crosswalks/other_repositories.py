"""The recorded records of other repositories, read with lxml alone."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lxml import etree

from halmirror.oaipmh.source import Source

DATA = Path(__file__).resolve().parents[1] / "data" / "other-oai"
_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True)
class Recorded:
    """One recorded record: the repository's file, its OAI identifier, its values."""

    file: str
    oai_identifier: str
    values: tuple[Source, ...]

    @property
    def name(self) -> str:
        return f"{self.file} {self.oai_identifier}"


@cache
def everything() -> tuple[Recorded, ...]:
    """Every record that has metadata, of every file that lxml can read."""
    found = []
    for path in sorted(DATA.glob("*.xml")):
        for record in etree.parse(path).iter(f"{_OAI}record", "record"):
            metadata = record.find("{*}metadata")
            if metadata is not None:
                identifier = record.findtext("{*}header/{*}identifier").strip()
                found.append(Recorded(path.stem, identifier, _values(metadata[0])))
    return tuple(found)


def _values(element: "etree._Element") -> tuple[Source, ...]:
    return tuple(
        Source(one.tag.removeprefix(_DC), "".join(one.itertext()), one.get(_LANG))
        for one in element
        if isinstance(one.tag, str)
    )
