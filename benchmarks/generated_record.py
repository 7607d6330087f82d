"""One generated record as HAL's endpoint gives it today: header, sets and Dublin Core in order.

How much of everything a record has comes from the shape of a recorded one of its type, lengths
within a quarter of it; elements and their order are those of HAL's answer captured in 2022
(``data/hal-oai/ListRecords-2022-extract.xml``).  Shares that the recorded sample cannot tell
(types, languages, identifiers) are rounded from what is generally known of HAL; they stand in
the tables below.
"""

from __future__ import annotations

import random
from bisect import bisect
from dataclasses import dataclass
from html import escape
from itertools import accumulate
from typing import TYPE_CHECKING

from generated_pools import Pools, isbn_of
from halmirror.reference import domains
from halmirror.reference.document_types import DOCUMENT_TYPES
from recorded_sources import languages, shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from generated_pools import Laboratory
    from generated_text import Language
    from recorded_sources import Shape

_TYPES = {
    "ART": 430, "COMM": 245, "COUV": 85, "THESE": 55, "UNDEFINED": 48, "POSTER": 28, "OUV": 24,
    "REPORT": 24, "OTHER": 20, "DOUV": 14, "MEM": 12, "IMG": 8, "HDR": 6, "PROCEEDINGS": 4,
    "NOTICE": 4, "BLOG": 4, "PATENT": 4, "LECTURE": 3, "TRAD": 3, "ISSUE": 2, "SOFTWARE": 2,
    "VIDEO": 2, "SON": 1, "MAP": 1,
}  # fmt: skip
_LANGUAGES = {
    "en": 630, "fr": 325, "es": 12, "de": 10, "it": 8, "pt": 6, "ar": 3, "ru": 2, "zh": 2, "el": 1,
}  # fmt: skip
_PREFIXES = {
    "hal-": 780, "halshs-": 70, "tel-": 40, "inria-": 25, "in2p3-": 20, "cea-": 12, "pastel-": 8,
    "dumas-": 10, "medihal-": 8, "inserm-": 8, "lirmm-": 7, "sic_": 3, "mem_": 2, "ijn_": 2,
    "cel-": 3,
}  # fmt: skip
_PORTALS = {
    "hal.science": 640, "hal.inrae.fr": 90, "shs.hal.science": 70, "theses.hal.science": 40,
    "inria.hal.science": 40, "hal.univ-lorraine.fr": 25, "in2p3.hal.science": 20,
    "cnrs.hal.science": 20, "amu.hal.science": 20, "univ-lyon3.hal.science": 15,
    "dumas.ccsd.cnrs.fr": 10, "medihal.archives-ouvertes.fr": 10,
}  # fmt: skip
_LICENCES = (
    "http://creativecommons.org/licenses/by/4.0/", "http://creativecommons.org/licenses/by/",
    "http://creativecommons.org/licenses/by-nc-nd/4.0/",
    "http://creativecommons.org/licenses/by-nc/", "https://about.hal.science/hal-authorisation-v1/",
    "http://hal.archives-ouvertes.fr/licences/copyright/",
    "https://www.etalab.gouv.fr/licence-ouverte-open-licence",
)  # fmt: skip
NOTICES = 0.61
"""The share of records without a file."""
_MANY_AUTHORS = 0.0005
"""The share of records of a large collaboration, with hundreds of authors."""
_BESIDE_JOURNAL = {"ART": 0.62, "COMM": 0.3, "COUV": 0.2, "UNDEFINED": 0.15}
"""The share of records of a type that have a DOI."""
_IN_CONFERENCE = ("COMM", "POSTER", "PROCEEDINGS")
_OF_A_SCHOOL = ("THESE", "HDR", "MEM")
_OPENING = (
    '<metadata xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"><oai_dc:dc'
    ' xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:tei="http://www.tei-c.org/ns/1.0"'
    ' xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/oai_dc/'
    "  http://www.openarchives.org/OAI/2.0/oai_dc.xsd http://purl.org/dc/elements/1.1/"
    '  http://dublincore.org/schemas/xmls/qdc/2008/02/11/dc.xsd">\n'
)
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def weighted(weights: dict[str, int]) -> Callable[[float], str]:
    """A function that takes a number below 1 to a key, as often as its weight says."""
    keys, sums = list(weights), list(accumulate(weights.values()))
    return lambda place: keys[bisect(sums, place * sums[-1])]


_type_at = weighted(_TYPES)
_language_at = weighted(_LANGUAGES)
_prefix_at = weighted(_PREFIXES)
_portal_at = weighted(_PORTALS)


@dataclass(frozen=True)
class Made:
    """A record: its OAI identifier and the whole ``<record>`` element."""

    identifier: str
    xml: bytes


class Maker:
    """Makes the records of one repository; each depends on seed, size, number and day alone."""

    def __init__(self, seed: int, records: int) -> None:
        self._seed = seed
        self.pools = Pools(seed, records)
        by_type: dict[str, list[Shape]] = {}
        for shape in shapes():
            by_type.setdefault(shape.type, []).append(shape)
        self._shapes = {code: by_type.get(code) or list(shapes()) for code in _TYPES}
        self._domains = [
            (code, escape(text, quote=False))
            for code in domains.domains()
            if (text := domains.path(code)) and not code.startswith("spm")
        ]
        random.Random(seed).shuffle(self._domains)

    def record(self, number: int, day: str) -> Made:
        """The record of the document with this number, modified on ``day``."""
        return _Draft(self, self._seed * 100_000_007 + number, number, day).made()

    def shape(self, code: str, place: float) -> Shape:
        """A recorded shape for a type."""
        among = self._shapes[code]
        return among[int(place * len(among))]

    def domain(self, place: float) -> tuple[str, str]:
        """A domain's code and label; some are far more common than others."""
        return self._domains[int(len(self._domains) * place**2)]


class _Draft:
    """A record in the making."""

    def __init__(self, maker: Maker, seed: int, number: int, day: str) -> None:
        self._draw = draw = random.Random(seed).random
        self._maker, self._pools, self._number, self._day = maker, maker.pools, number, day
        self._lines: list[str] = []
        self._type = _type_at(draw())
        self._shape = maker.shape(self._type, draw())
        self._main: Language = languages()[_language_at(draw())]
        self._topics: dict[str, list[str]] = {}
        prefix = "tel-" if self._type == "THESE" and draw() < 0.6 else _prefix_at(draw())
        self._id = f"{prefix}{number:08}"
        place = draw()
        self._version = 1 + (place > 0.93) + (place > 0.985) + (place > 0.996)
        self._url = f"https://{_portal_at(draw())}/{self._id}"
        self._year = 2026 - int(draw() ** 1.3 * 45)
        self._date = self._drawn_date()
        self._labs = self._drawn_laboratories()
        self._codes = [maker.domain(draw()) for _ in range(max(self._shape.domains, draw() < 0.9))]

    def made(self) -> Made:
        """The record."""
        self._titles()
        self._people()
        self._notes()
        self._place()
        self._identify()
        self._describe()
        identifier = f"oai:HAL:{self._id}v{self._version}"
        sets = "".join(f"  <setSpec>{one}</setSpec>\n" for one in self._sets())
        text = (
            f"<record>\n      <header>\n  <identifier>{identifier}</identifier>\n"
            f"  <datestamp>{self._day}</datestamp>\n{sets}</header>\n      {_OPENING}"
            f"  <dc:publisher>HAL CCSD</dc:publisher>\n{''.join(self._lines)}"
            "</oai_dc:dc>\n</metadata>\n    </record>"
        )
        return Made(identifier, text.encode())

    # -- parts, in the order of HAL's crosswalk --------------------------------------------

    def _titles(self) -> None:
        lengths = self._shape.titles
        self._title = ""
        for place, length in enumerate(lengths):
            language = self._main if place == 0 else self._second()
            text = language.phrase(self._draw, self._topic(language), self._about(length))
            self._title = self._title or text
            self._add("title", text, language.code)
        if self._draw() < 0.1:
            part = self._main.phrase(self._draw, self._topic(self._main), 6)
            self._add("title", f"{self._title} : {part}", self._main.code)

    def _people(self) -> None:
        draw, add = self._draw, self._add
        count = max(1, self._about(self._shape.creators))
        if draw() < _MANY_AUTHORS:
            count = 300 + int(draw() * 2500)
        for _ in range(count):
            add("creator", self._pools.author(draw))
        for lab in self._labs:
            add("contributor", lab.affiliation)

    def _notes(self) -> None:
        shape, draw, add = self._shape, self._draw, self._add
        if shape.comment:
            text = self._main.phrase(draw, self._topic(self._main), self._about(shape.comment))
            add("description", text)
        if shape.audience or draw() < 0.35:
            kind = "International" if draw() < 0.8 else "National"
            add("description", f"{kind} audience")

    def _place(self) -> None:
        """Journal, book, conference or school, and what the citation says of them."""
        self._pages = f"pp.{int(self._draw() * 900) + 1}-{int(self._draw() * 900) + 901}"
        self._doi_prefix = f"10.{1000 + int(self._draw() ** 2 * 9000)}"
        if self._type == "ART":
            self._cited = self._in_journal()
        elif self._type in _IN_CONFERENCE:
            self._cited = self._at_conference()
        elif self._type in _OF_A_SCHOOL:
            self._cited = self._of_school()
        else:
            self._cited = self._in_book()

    def _in_journal(self) -> str:
        journal = self._pools.journal(self._draw)
        if journal.issn:
            self._add("source", f"ISSN: {journal.issn}")
        if journal.eissn:
            self._add("source", f"EISSN: {journal.eissn}")
        self._add("source", journal.title)
        self._add("publisher", journal.publisher)
        self._doi_prefix = journal.doi_prefix
        volume = f"{int(self._draw() * 300) + 1} ({int(self._draw() * 12) + 1})"
        return f"{journal.title}, {journal.publisher}, {self._year}, {volume}, {self._pages}."

    def _at_conference(self) -> str:
        language = self._main if self._draw() < 0.5 else languages()["en"]
        name = f"{language.phrase(self._draw, self._topic(language), 5)} {self._year}"
        town = self._pools.town(self._draw)
        self._add("source", name)
        self._add("coverage", town)
        month = _MONTHS[int(self._draw() * 12)]
        return f"{name}, {month} {self._year}, {town}. {self._pages}"

    def _of_school(self) -> str:
        school = self._pools.laboratory(self._draw).affiliation.rpartition(" ; ")[2]
        field = self._codes[0][1] if self._codes else "Sciences"
        cited = f"{field}. {school}, {self._year}. Français."
        if self._type == "THESE":
            thesis = f"{self._year}PA{self._number % 10**6:06}"
            self._add("identifier", f"NNT: {thesis}")
            cited += f" &amp;#x27E8;NNT : {thesis}&amp;#x27E9;"
        self._add("contributor", school)
        self._add("contributor", self._plain_name())
        return cited

    def _in_book(self) -> str:
        publisher = self._pools.publisher(self._draw)
        isbn = isbn_of(self._number * 7 + self._year)
        self._add("identifier", f"ISBN: {isbn}")
        cited = f"{publisher}, {self._pages}, {self._year}, {isbn}"
        if self._type == "COUV":
            book = self._main.phrase(self._draw, self._topic(self._main), 7)
            editor = self._plain_name()
            self._add("source", book)
            self._add("contributor", editor)
            cited = f"{editor}. {book}, {cited}"
        self._add("publisher", publisher)
        return cited

    def _identify(self) -> None:
        draw, add, number = self._draw, self._add, self._number
        add("identifier", self._id)
        add("identifier", self._url)
        self._open = draw() >= NOTICES
        if self._open:
            add("identifier", f"{self._url}v{self._version}/document")
            name = self._title[:24].translate(_FILE_NAME) or "article"
            add("identifier", f"{self._url}v{self._version}/file/{name}.pdf")
        add("source", self._url)
        doi = ""
        if draw() < _BESIDE_JOURNAL.get(self._type, 0.05):
            # One in two hundred is another record's too.
            own = number if draw() < 0.995 else number // 2
            form = int(draw() * 3)
            tail = (f"j.{own}.{self._year}", f"s{own // 1000:05}-{own % 1000:03}", f"{own:x}.01")
            doi = f"{self._doi_prefix}/{tail[form]}"
            self._cited += f" &amp;#x27E8;{doi}&amp;#x27E9;"
        add("source", self._cited)
        if doi:
            add("identifier", f"DOI: {doi}")
            add("relation", f"info:eu-repo/semantics/altIdentifier/doi/{doi}")
        if self._type in {"ART", "UNDEFINED", "COMM"} and draw() < 0.1:
            arxiv = f"{7 + number % 19:02}{1 + number % 12:02}.{number % 10_000:04}"
            add("identifier", f"ARXIV: {arxiv}")
            add("relation", f"info:eu-repo/semantics/altIdentifier/arxiv/{arxiv}")
        if self._type == "ART" and draw() < 0.15:
            add("identifier", f"PUBMED: {10_000_000 + number}")
            add("relation", f"info:eu-repo/semantics/altIdentifier/pmid/{10_000_000 + number}")
        if draw() < 0.15:
            add("identifier", f"WOS: {300_000_000_000_000 + number * 13:015}")
        if draw() < 0.08:
            grant = 200_000 + int(draw() ** 2 * 60_000)
            funded = f"info:eu-repo/grantAgreement/EC/FP7/{grant}/EU/"
            add(
                "relation",
                f"{funded}{self._main.phrase(draw, self._topic(self._main), 6)}/P{grant}",
            )

    def _describe(self) -> None:
        draw, add, shape, main = self._draw, self._add, self._shape, self._main
        add("language", main.code)
        for place in range(shape.keywords):
            # Half of the records with many keywords give them in a second language too.
            language = main if place < 6 or shape.keywords < 9 else self._second()
            add("subject", language.keyword(draw, self._topic(language)), language.code)
        for code, label in self._codes:
            add("subject", f"[{code.upper()}]{label}")
        kind = DOCUMENT_TYPES[self._type]
        add("type", kind.info_eu_repo)
        add("type", kind.en)
        for place, length in enumerate(shape.abstracts):
            language = main if place == 0 else self._second()
            text = language.prose(draw, self._topic(language), self._about(length))
            add("description", f"\n              {text}\n            ", language.code)
        if self._open and draw() < 0.4:
            add("rights", _LICENCES[int(draw() ** 1.5 * len(_LICENCES))])
        add("date", self._date)
        if self._open and draw() < 0.93:
            add("rights", "info:eu-repo/semantics/OpenAccess")

    # -- values ------------------------------------------------------------------------

    def _add(self, element: str, text: str, language: str = "") -> None:
        lang = f' xml:lang="{language}"' if language else ""
        self._lines.append(f"  <dc:{element}{lang}>{text}</dc:{element}>\n")

    def _about(self, count: float) -> int:
        return round(count * (0.75 + self._draw() / 2))

    def _second(self) -> Language:
        return languages()["en" if self._main.code != "en" else "fr"]

    def _topic(self, language: Language) -> Sequence[str]:
        topic = self._topics.get(language.code)
        if topic is None:
            topic = self._topics[language.code] = language.topic(self._draw)
        return topic

    def _plain_name(self) -> str:
        family, _, given = self._pools.author(self._draw).partition(", ")
        return f"{given.strip(', ')} {family}"

    def _drawn_laboratories(self) -> list[Laboratory]:
        """A third more affiliations than the shape has: they have grown since it was recorded."""
        count = self._about(self._shape.contributors * 4 / 3)
        return [self._pools.laboratory(self._draw) for _ in range(max(count, count < 1))]

    def _drawn_date(self) -> str:
        place, month, day = self._draw(), int(self._draw() * 12) + 1, int(self._draw() * 28) + 1
        if place < 0.45:
            return str(self._year)
        return f"{self._year}-{month:02}" if place < 0.6 else f"{self._year}-{month:02}-{day:02}"

    def _sets(self) -> list[str]:
        tops = (f"subject:{code.partition('.')[0]}" for code, _ in self._codes)
        named = (f"collection:{code}" for lab in self._labs for code in lab.collections)
        first = ["openaire"] if self._open and self._number % 4 == 0 else []
        every = dict.fromkeys((*first, f"type:{self._type}", *tops, *named))
        return list(every)[:60]


_FILE_NAME = str.maketrans(dict.fromkeys(" /\\&;:,.<>'’\"()[]{}#?%+=$|\n", "_"))
