"""HAL's Dublin Core: the rules of ``docs/normalising.md``, profile ``hal``.

Both forms of HAL's crosswalk are taken: the one of 2019 with line breaks around separators, and
the present one.  Most values are placed as they come; titles, sources, projects, types, dates and
access depend on each other and are settled at the end.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from halmirror.crosswalks import dublin_core as dc
from halmirror.crosswalks.affiliations import BROKEN, affiliation, affiliation_by_breaks
from halmirror.crosswalks.citation_parts import NOTHING, Parts, article_parts, page_range
from halmirror.crosswalks.draft import Draft, Trace
from halmirror.crosswalks.funding import collect, grant, project
from halmirror.record import (
    Body,
    Classification,
    Container,
    DocumentType,
    Funding,
    Title,
    versioned,
)
from halmirror.record.identifiers import hal_address, issn
from halmirror.reference.document_types import (
    DOCUMENT_TYPES,
    by_former_label,
    by_label,
    by_term,
)
from halmirror.reference.domains import path
from halmirror.remembered import remembered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from halmirror.oaipmh.source import Source

ARCHIVE = "HAL CCSD"
TYPE_SET = "type:"
_AUDIENCES = {"International audience": "international", "National audience": "national"}
_SCHEMES = {
    "doi": "doi",
    "arxiv": "arxiv",
    "pubmed": "pmid",
    "nnt": "nnt",
    "isbn": "isbn",
    "hdl": "hdl",
    "handle": "hdl",
    "report n°": "report",
    "patent n°": "patent",
}
_SCHEME = re.compile(r"([^:]{1,40}?) ?:( ?)(.+)")
_SOURCE_ISSN = re.compile(r"(E?ISSN) ?: ?(.+)")
_DOMAIN = re.compile(r"\[ ?([A-Za-z][A-Za-z0-9_-]*(?:[.:][A-Za-z0-9_-]+)*) ?\] ?(.*)", re.ASCII)
_CLASSIFIED = re.compile(r"(JEL|ACM|MESH) ?: ?(.+)")
_FIRST = frozenset({"publisher", "title", "creator", "contributor"})
"""The elements that come first: the contributors among them are laboratories and funders."""
_WITH_A_PLACE = frozenset({"PATENT", "IMG", "MAP", "LECTURE"})
"""Types whose own place, not a conference's, is in ``dc:coverage``."""
_WEB = ("http://", "https://")
_PAGES_OF_A_RECORD = frozenset({"", "/", "/fr", "/fr/", "/en", "/en/"})
_OLD_FILE = re.compile(r"https?://[^/]+/docs/[0-9]{2}/[0-9]{2}/[0-9]{2}/[0-9]{2}/\S+", re.ASCII)
_OPEN = "info:eu-repo/semantics/openaccess"
_TERM = "info:eu-repo/semantics/"
_NO_CONTAINER = Container()
_MOST_SEPARATORS = 8
"""How many ``: `` of a title are tried as the one before its subtitle."""


class HalDraft(Draft, kw_only=True, eq=False):
    """A draft that also holds the values as they came, and what HAL's rules weigh at the end.

    ``id`` is the record's without version.  ``broken``: the first creator, or a contributor so
    far, had the line breaks of HAL's form until 2019.  ``addressed``: a slash and the id, once an
    address has shown that this is how it is written.
    """

    given: Sequence[Source]
    id: str
    version: int | None
    own_names: tuple[str, str] = ("", "")
    number: str = ""
    addressed: str = ""
    people_end: int = -1
    seen_titles: list[tuple[int, str, str | None]] = msgspec.field(default_factory=list)
    sources: list[tuple[int, str]] = msgspec.field(default_factory=list)
    projects: list[tuple[int, str, Funding]] = msgspec.field(default_factory=list)
    open_access: list[tuple[int, str]] = msgspec.field(default_factory=list)
    issns: dict[str, str] = msgspec.field(default_factory=dict)
    broken: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.own_names = (self.id, versioned(self.id, self.version))
        self.number = self.id.rpartition("-")[2].rpartition("_")[2]

    def is_among_people(self, index: int) -> bool:
        """Whether a value stands before any of another element than those HAL gives first."""
        if self.people_end < 0:
            elsewhere = (at for at, one in enumerate(self.given) if one.element not in _FIRST)
            self.people_end = next(elsewhere, len(self.given))
        return index < self.people_end

    def own_path(self, text: str) -> str | None:
        """What follows the record's id in an address about it, on any of HAL's hosts."""
        if self.number not in text:
            return None
        if self.addressed and self.addressed in text:  # most are https://host/id or …/id/…
            host, _, path = text.partition(self.addressed)
            plain = path[:1] in ("", "/") and not any(one in text for one in " ?#")
            if plain and host.startswith(_WEB) and host.count("/") == 2 and host[-1] != "/":
                return path
        named = hal_address(text)
        if named is None or named[0] != self.id:
            return None
        self.addressed = f"/{self.id}"
        return named[1]

    def is_own_page(self, text: str) -> bool:
        """Whether an address is that of the record's own page."""
        return text == self.landing_page or self.own_path(text) in _PAGES_OF_A_RECORD


def _publisher(draft: HalDraft, index: int, text: str, lang: str | None) -> None:
    if text == ARCHIVE:
        draft.tell(index, "archive", "dropped: the archive's own name")
    else:
        dc.publisher(draft, index, text, lang)


def _title(draft: HalDraft, index: int, text: str, lang: str | None) -> None:
    draft.seen_titles.append((index, text, lang))


def _creator(draft: HalDraft, index: int, text: str, lang: str | None) -> None:
    if not (draft.creators or draft.broken):
        draft.broken = "\n, \n" in draft.given[index].text
    dc.creator(draft, index, text, lang)


def _contributor(draft: HalDraft, index: int, text: str, lang: str | None) -> None:
    funded = project(text)
    if funded is not None:
        if funded == Funding(funded.funder):
            draft.tell(index, "project", "dropped: a project's label without a project")
        else:
            draft.projects.append((index, "project", funded))
        return
    given = draft.given[index].text
    if not draft.broken:
        draft.broken = "\n" in given and any(mark in given for mark in BROKEN)
    if draft.broken:
        found = affiliation_by_breaks(text, given)
    elif " ; " in text or text.endswith(")" if draft.is_among_people(index) else " )"):
        found = affiliation(text)
    else:
        found = None
    if found is None:
        dc.contributor(draft, index, text, lang)
    else:
        draft.put(draft.affiliations, "affiliations", found, index, "affiliation")


def _description(draft: HalDraft, index: int, text: str, lang: str | None) -> None:
    if draft.given[index].lang is not None:
        dc.abstract(draft, index, text, lang)
        return
    audience = _AUDIENCES.get(text)
    if audience is None:
        draft.note(index, text, "comment")
    elif draft.audience is None:
        draft.audience = audience
        draft.tell(index, "audience", "audience")
    elif draft.audience == audience:
        draft.tell(index, "audience", "repetition of audience")
    else:
        draft.note(index, text, "second audience", f"audience: {text!r} too; kept in notes")


def _source(draft: HalDraft, index: int, text: str, _lang: str | None) -> None:
    found = _SOURCE_ISSN.fullmatch(text) if "ISSN" in text[:5] else None
    if found is None:
        draft.sources.append((index, text))
        return
    key, value = found[1].lower(), issn(found[2])
    held = draft.issns.get(key)
    if value is None:
        draft.other_identifier(found[2], found[1], index, "failed check")
        draft.warn(index, f"container.{key}: {found[2]!r} fails its check; kept under other")
    elif held is None:
        draft.issns[key] = value
        draft.tell(index, "ISSN", f"container.{key}")
    elif held == value:
        draft.tell(index, "ISSN", f"repetition of container.{key}")
    else:
        draft.other_identifier(value, found[1], index, "further ISSN")
        draft.warn(index, f"container.{key}: {value!r} too; kept under other")


def _identifier(draft: HalDraft, index: int, text: str, _lang: str | None) -> None:
    if text in draft.own_names:
        draft.own_name(index, "record's id")
        return
    if text.startswith(_WEB):
        _address(draft, index, text)
        return
    found = _SCHEME.fullmatch(text)
    known = _SCHEMES.get(found[1].casefold()) if found else None
    if found and known:
        draft.identify(known, found[3], index, found[1])
    elif found and found[2]:
        draft.other_identifier(found[3], found[1], index, "other scheme")
    else:
        draft.other_identifier(text, None, index, "identifier without scheme")


def _address(draft: HalDraft, index: int, text: str) -> None:
    path_below = draft.own_path(text)
    if path_below in _PAGES_OF_A_RECORD:
        _own_page(draft, index, text)
    elif path_below is not None or _OLD_FILE.fullmatch(text):
        draft.put(draft.files, "files", text, index, "file")
    else:
        draft.other_identifier(text, None, index, "address of something else")


def _own_page(draft: HalDraft, index: int, text: str) -> None:
    if draft.landing_page is None:
        draft.landing_page = text
        draft.tell(index, "record's address", "landing_page")
    elif draft.landing_page == text:
        draft.tell(index, "record's address", "repetition of landing_page")
    else:
        draft.other_identifier(text, None, index, "further address")


def _relation(draft: HalDraft, index: int, text: str, _lang: str | None) -> None:
    if dc.alternative_identifier(draft, index, text):
        return
    funded = grant(text)
    if funded is None:
        draft.note(index, text, "relation")
    else:
        draft.projects.append((index, "grant agreement", funded))


def _subject(draft: HalDraft, index: int, text: str, lang: str | None) -> None:
    if lang is not None or draft.given[index].lang is not None:
        dc.keyword(draft, index, text, lang)
        return
    domain = _domain(text) if text[0] == "[" else None
    if domain is not None:
        _place_domain(draft, index, *domain)
        return
    classified = _CLASSIFIED.fullmatch(text)
    if classified is None:
        dc.keyword(draft, index, text, lang)
        return
    value = Classification(value=classified[2], scheme=classified[1])
    draft.put(draft.classifications, "classifications", value, index, "classification")


@remembered(1024)
def _domain(text: str) -> tuple[str, Classification | None] | None:
    """The code of ``[SHS.HIST] …``, and the whole where the label is not the one of HAL's table.

    Before 2015 ``[INFO:INFO_CR] …``, which is ``info.info-cr`` today.
    """
    found = _DOMAIN.fullmatch(text)
    if found is None:
        return None
    given, label = found[1], found[2]
    code = given.lower()
    old = ":" in code
    if old:
        code = code.replace(":", ".").replace("_", "-")
    if path(code) == label and not old:
        return code, None
    return code, Classification(value=f"[{given}] {label}".rstrip(), scheme="HAL")


def _place_domain(draft: HalDraft, index: int, code: str, value: Classification | None) -> None:
    if value is None:
        draft.put(draft.domains, "domains", code, index, "domain")
        return
    rule = "domain with its label"
    draft.together(
        index,
        rule,
        [
            partial(draft.put, draft.domains, "domains", code, index, rule),
            partial(draft.put, draft.classifications, "classifications", value, index, rule),
        ],
    )


def _rights(draft: HalDraft, index: int, text: str, _lang: str | None) -> None:
    if text.casefold() == _OPEN:
        draft.open_access.append((index, text))
    elif not dc.rights_address(draft, index, text):
        draft.note(index, text, "rights")


RULES: Mapping[str, dc.Rule[HalDraft]] = {
    "publisher": _publisher,
    "title": _title,
    "creator": _creator,
    "contributor": _contributor,
    "description": _description,
    "source": _source,
    "identifier": _identifier,
    "relation": _relation,
    "language": dc.language,
    "subject": _subject,
    "type": dc.document_type,
    "coverage": dc.coverage,
    "rights": _rights,
    "date": dc.date,
}
"""The rule of each element of simple Dublin Core."""


def settle_titles(draft: HalDraft) -> None:
    """``T`` and ``T : S`` of one language are one title with a subtitle."""
    if len(draft.seen_titles) == 1:
        ((index, text, lang),) = draft.seen_titles
        dc.title(draft, index, text, lang)
        return
    places: dict[tuple[str, str | None], str] = {}
    wholes = {(text, lang) for _, text, lang in draft.seen_titles}
    subtitles: dict[tuple[str, str | None], tuple[str, str]] = {}
    for _, text, lang in draft.seen_titles:
        split = _split_title(text, lang, wholes)
        if split and (split[0], lang) not in subtitles and (text, lang) not in subtitles:
            subtitles[(split[0], lang)] = (text, split[1])
    second = {(text, lang): (first, lang) for (first, lang), (text, _) in subtitles.items()}
    for index, text, lang in draft.seen_titles:
        key = (text, lang)
        if key in places:
            draft.tell(index, "title", f"repetition of {places[key]}")
            continue
        if key in second:
            continue
        places[key] = f"titles[{len(draft.titles)}]"
        held = subtitles.get(key)
        title = Title(text, held[1] if held else None, lang)
        draft.put(draft.titles, "titles", title, index, "title")
    _tell_subtitles(draft, second, places)


def _split_title(
    text: str, lang: str | None, wholes: set[tuple[str, str | None]]
) -> tuple[str, str] | None:
    place = text.find(": ")
    for _ in range(_MOST_SEPARATORS):
        if place < 0:
            return None
        for end in (place - 1 if text[place - 1 : place] == " " else place, place):
            if (text[:end], lang) in wholes:
                return text[:end], text[place + 2 :]
        place = text.find(": ", place + 1)
    return None


def _tell_subtitles(
    draft: HalDraft,
    second: Mapping[tuple[str, str | None], tuple[str, str | None]],
    places: Mapping[tuple[str, str | None], str],
) -> None:
    told: set[tuple[str, str | None]] = set()
    for index, text, lang in draft.seen_titles:
        key = (text, lang)
        if key not in second:
            continue
        where = f"{places[second[key]]}.subtitle"
        draft.tell_of_one(index, "subtitle", where, again=key in told)
        told.add(key)


def _settle_projects(draft: HalDraft) -> None:
    if not draft.projects:
        return
    draft.funding, places = collect([funded for _, _, funded in draft.projects])
    for (index, rule, _), (place, again) in zip(draft.projects, places, strict=True):
        where = f"funding[{place}]"
        draft.tell_of_one(index, rule, where, again=again)


def settle_type(draft: HalDraft, sets: Iterable[str], code: str | None = None) -> None:
    """The label decides, then a ``type:`` set, then the ``info:eu-repo`` term.

    ``code``: the type's code, where the metadata name it; it comes before all of them.  A label
    HAL no longer uses, or a term without its prefix (both before 2015), is kept as it came beside
    the code it gives.
    """
    term: str | None = None
    former: str | None = None
    bare: str | None = None
    other: dict[str, int] = {}
    for index, text in draft.types:
        labelled = by_label(text)
        if text.startswith(_TERM) and term in (None, text):
            draft.tell_of_one(index, "info:eu-repo term", "type.info_eu_repo", again=bool(term))
            term = text
        elif labelled and code in (None, labelled):
            draft.tell_of_one(index, "type label", "type.hal", again=bool(code))
            code = labelled
        else:
            before = by_former_label(text)
            former, bare = former or before, bare or by_term(text)
            draft.put(other, "type.other", text, index, "former type" if before else "unknown type")
    code = code or former or _type_of(sets) or by_term(term or "") or bare
    if code or term or other:
        coar = DOCUMENT_TYPES[code].coar if code in DOCUMENT_TYPES else None
        draft.type = DocumentType(code, coar, term, tuple(other))


def _type_of(sets: Iterable[str]) -> str | None:
    """The first document type that the header's sets name, in code order."""
    named = sorted(one.removeprefix(TYPE_SET) for one in sets if one.startswith(TYPE_SET))
    return next((one for one in named if one), None)


def settle_access(draft: HalDraft) -> None:
    """A file makes access; ``OpenAccess`` without one contradicts itself and is kept as a note."""
    if not draft.files:
        draft.access = "metadata-only"
        for index, text in draft.open_access:
            draft.note(index, text, "access", f"access: {text!r} without a file; kept in notes")
        return
    draft.access = "open" if draft.open_access else "restricted"
    for place, (index, _) in enumerate(draft.open_access):
        draft.tell_of_one(index, "access", "access", again=place > 0)


def _settle_sources(draft: HalDraft) -> None:
    """Container titles before the record's address; citation, link and series after it."""
    pages = (at for at, (_, text) in enumerate(draft.sources) if draft.is_own_page(text))
    middle = next(pages, None)
    before = draft.sources[:middle]
    after: Sequence[tuple[int, str]] = ()
    if middle is not None:
        _own_page(draft, *draft.sources[middle])
        after = _settle_citation(draft, draft.sources[middle + 1 :])
    also: dict[str, int] = {}
    title, conference = _settle_containers(draft, before, also)
    link, series = _settle_rest(draft, after, also)
    parts = _parts(draft, title, conference)
    container = Container(
        title=title,
        series=series,
        volume=parts.volume,
        issue=parts.issue,
        pages=parts.pages,
        issn=draft.issns.get("issn"),
        eissn=draft.issns.get("eissn"),
        conference=conference,
        also=tuple(also),
        link=link,
    )
    draft.container = container if container != _NO_CONTAINER else None


def _settle_citation(
    draft: HalDraft, after: Sequence[tuple[int, str]]
) -> Sequence[tuple[int, str]]:
    if not after or after[0][1].startswith(_WEB):
        return after
    draft.citation = after[0][1]
    draft.tell(after[0][0], "citation", "citation")
    return after[1:]


def _settle_containers(
    draft: HalDraft, before: Sequence[tuple[int, str]], also: dict[str, int]
) -> tuple[str | None, str | None]:
    if not before:
        return None, None
    title = before[0][1]
    cited = _cited(draft.citation or "", [text for _, text in before])
    if cited in (None, title):
        cited = _meeting(draft, before)
    conference = cited if cited != title else None
    told: set[str] = set()
    for index, text in before:
        if text not in (title, conference):
            draft.put(also, "container.also", text, index, "further container title")
            continue
        key = "title" if text == title else "conference"
        again = text in told
        draft.tell_of_one(index, f"container {key}", f"container.{key}", again=again)
        told.add(text)
    return title, conference


def _cited(citation: str, titles: Sequence[str]) -> str | None:
    """The longest of the titles with which the citation begins."""
    found = [
        one
        for one in titles
        if citation.startswith(one) and citation[len(one) : len(one) + 1] in ("", ",", ".")
    ]
    return max(found, key=len) if found else None


def _meeting(draft: HalDraft, sources: Sequence[tuple[int, str]]) -> str | None:
    """The title right before a place: that of the conference, which took place there."""
    if draft.type is not None and draft.type.hal in _WITH_A_PLACE:
        return None
    given = draft.given
    for index, text in sources:
        if index + 1 < len(given) and given[index + 1].element == "coverage":
            return text
    return None


def _settle_rest(
    draft: HalDraft, after: Sequence[tuple[int, str]], also: dict[str, int]
) -> tuple[str | None, str | None]:
    """A publisher's address comes before the language and the date, the series after the date."""
    link: str | None = None
    series: str | None = None
    dated = draft.dates[0][0] if draft.dates else -1
    for index, text in after:
        address = text.startswith(_WEB)
        if address and link in (None, text):
            draft.tell_of_one(
                index, "publisher's address", "container.link", again=link is not None
            )
            link = text
        elif text in draft.publishers and index < dated:
            place = draft.publishers[text]
            draft.tell(index, "publisher's address", f"repetition of publishers[{place}]")
        elif not address and index > dated and series in (None, text):
            draft.tell_of_one(index, "series", "container.series", again=series is not None)
            series = text
        else:
            draft.put(also, "container.also", text, index, "further source")
    return link, series


def _parts(draft: HalDraft, title: str | None, conference: str | None) -> Parts:
    if draft.citation is None:
        return NOTHING
    if draft.type is not None and draft.type.hal == "ART":
        found = article_parts(draft.citation, title, draft.publishers)
        if found != NOTHING:
            return found
    return page_range(draft.citation, conference or title)


def hal(
    sources: Sequence[Source],
    identifier: str,
    version: int | None,
    sets: Iterable[str],
    trace: Trace | None,
) -> Body:
    """The body of a HAL record: ``identifier`` without version, ``sets`` of its header."""
    draft = HalDraft(trace=trace, given=sources, id=identifier, version=version)
    dc.apply(draft, RULES, sources)
    settle_titles(draft)
    _settle_projects(draft)
    settle_type(draft, sets)
    settle_access(draft)
    _settle_sources(draft)
    dc.settle_dates(draft)
    return draft.body()
