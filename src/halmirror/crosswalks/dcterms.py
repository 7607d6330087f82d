"""Qualified Dublin Core (``oai_dcterms``): HAL's own, and any other repository's.

HAL's has fewer facts than its ``oai_dc`` (no affiliations, funding, comments, citation), and some
that are not there: collections with their names, the day an embargo ends, coordinates.  The rules
are those of ``docs/normalising.md``; the elements are those of HAL's published crosswalk
(CCSDForge/FinHal, ``library/Hal/Document/xsl/dcterms.xsl``), and the other DCMI Metadata Terms
by their definitions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from halmirror.crosswalks import dublin_core as dc
from halmirror.crosswalks.citation_parts import NOTHING, Parts, article_parts, page_range
from halmirror.crosswalks.generic import generic
from halmirror.crosswalks.hal import (
    RULES,
    HalDraft,
    settle_access,
    settle_titles,
    settle_type,
)
from halmirror.record import Body, Classification, Container
from halmirror.record.identifiers import handle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from halmirror.crosswalks.draft import Trace
    from halmirror.oaipmh.source import Source

TERMS = "http://purl.org/dc/terms/"
_COLLECTION = re.compile(r"\[[^\[\]]+\] ?.*")
_CODE = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)
_IN_A_CONTAINER = frozenset({"ART", "COUV"})
_AT_A_CONFERENCE = frozenset({"COMM", "POSTER", "PRESCONF"})
_REFINES = {
    "abstract": "description",
    "accessRights": "rights",
    "alternative": "title",
    "created": "date",
    "issued": "date",
    "licence": "rights",
    "license": "rights",
    "spatial": "coverage",
    "temporal": "coverage",
}
"""Terms and the element of simple Dublin Core whose rule holds for them (``licence`` is HAL's)."""

_RELATIONS = frozenset(
    {
        "conformsTo", "hasFormat", "hasPart", "hasVersion", "isFormatOf", "isPartOf",
        "isReferencedBy", "isReplacedBy", "isRequiredBy", "isVersionOf", "references",
        "replaces", "requires",
    }
)  # fmt: skip
_NAMED_IN_NOTES = _RELATIONS | {
    "audience", "available", "dateAccepted", "dateCopyrighted", "dateSubmitted", "extent",
    "format", "medium", "modified", "provenance", "rightsHolder", "tableOfContents", "valid",
}  # fmt: skip
"""Terms whose value would not tell by itself what it is: ``available: 2017-10-19``."""


class TermsDraft(HalDraft, kw_only=True, eq=False):
    """A draft that also holds the codes of types and the dates of publication."""

    codes: list[tuple[int, str]] = msgspec.field(default_factory=list)
    issued: list[tuple[int, str]] = msgspec.field(default_factory=list)


def _local(element: str) -> str:
    return element.removeprefix(f"{{{TERMS}}}")


def _named(term: str) -> dc.Rule[TermsDraft]:
    """A rule that keeps a value in the notes with its term before it."""

    def rule(draft: TermsDraft, index: int, text: str, _lang: str | None) -> None:
        draft.note(index, f"{term}: {text}", term)

    return rule


def _identifier(draft: TermsDraft, index: int, text: str, lang: str | None) -> None:
    """As in ``oai_dc``, with lower-case schemes; a bare handle is ENSAM's or Sciences Po's."""
    if text not in draft.own_names and text == handle(text):
        draft.identify("hdl", text, index, "HDL")
    else:
        RULES["identifier"](draft, index, text, lang)


def _part_of(draft: TermsDraft, index: int, text: str, _lang: str | None) -> None:
    """``[CNRS] CNRS - Centre …`` is a collection."""
    if _COLLECTION.fullmatch(text):
        value = Classification(value=text, scheme="collection")
        draft.put(draft.classifications, "classifications", value, index, "collection")
    else:
        draft.note(index, f"isPartOf: {text}", "isPartOf")


def _abstract(draft: TermsDraft, index: int, text: str, lang: str | None) -> None:
    """An abstract says by its element that it is one, with or without a language."""
    dc.abstract(draft, index, text, lang)


def _type(draft: TermsDraft, index: int, text: str, _lang: str | None) -> None:
    if _CODE.fullmatch(text):
        draft.codes.append((index, text))
    else:
        draft.types.append((index, text))


def _issued(draft: TermsDraft, index: int, text: str, _lang: str | None) -> None:
    draft.issued.append((index, text))


def _citation(draft: TermsDraft, index: int, text: str, _lang: str | None) -> None:
    if draft.citation in (None, text):
        draft.tell_of_one(index, "citation", "citation", again=draft.citation is not None)
        draft.citation = text
    else:
        draft.note(index, f"bibliographicCitation: {text}", "bibliographicCitation")


_OWN_RULES: Mapping[str, dc.Rule[TermsDraft]] = {
    "identifier": _identifier,
    "isPartOf": _part_of,
    "abstract": _abstract,
    "type": _type,
    "issued": _issued,
    "bibliographicCitation": _citation,
    "alternative": RULES["title"],
    "created": RULES["date"],
    "licence": RULES["rights"],
    "license": RULES["rights"],
    "accessRights": RULES["rights"],
    "spatial": RULES["coverage"],
    "temporal": RULES["coverage"],
}
_BY_NAME: Mapping[str, dc.Rule[TermsDraft]] = {
    **RULES,
    **{term: _named(term) for term in _NAMED_IN_NOTES},
    **_OWN_RULES,
}


def _settle_code(draft: TermsDraft, sets: Iterable[str]) -> None:
    """The first code is the type's; a further one is kept."""
    code: str | None = None
    for index, text in draft.codes:
        if code in (None, text):
            draft.tell_of_one(index, "type code", "type.hal", again=code is not None)
            code = text
        else:
            draft.types.append((index, text))
    settle_type(draft, sets, code)


def _settle_issued(draft: TermsDraft) -> None:
    """A date of publication is ``date`` only where no date of production is."""
    if draft.dates:
        for index, text in draft.issued:
            draft.note(index, f"issued: {text}", "issued")
    else:
        draft.dates = draft.issued
    dc.settle_dates(draft)


def _settle_sources(draft: TermsDraft) -> None:
    """HAL gives journal or book, publishers and conference in one element, in that order.

    Which is which is certain for the first one of an article or a chapter, and for the last of a
    communication: that is its conference, and its only one is its container too, as in
    ``oai_dc``.  All others are kept in ``container.also``.
    """
    kind = draft.type.hal if draft.type is not None else None
    held = [one for one in draft.sources if not draft.is_own_page(one[1])]
    texts = {text for _, text in held}
    title = conference = None
    if texts and (kind in _IN_A_CONTAINER or (kind in _AT_A_CONFERENCE and len(texts) == 1)):
        title = held[0][1]
    elif texts and kind in _AT_A_CONFERENCE:
        conference = held[-1][1]
    also: dict[str, int] = {}
    told: set[str] = set()
    for index, text in held:
        if text not in (title, conference):
            draft.put(also, "container.also", text, index, "source")
            continue
        key = "container.title" if text == title else "container.conference"
        draft.tell_of_one(index, "source", key, again=text in told)
        told.add(text)
    for index, text in draft.sources:
        if draft.is_own_page(text):
            RULES["identifier"](draft, index, text, None)
    parts = _parts(draft, title or conference, article=kind == "ART")
    container = Container(
        title=title,
        volume=parts.volume,
        issue=parts.issue,
        pages=parts.pages,
        issn=draft.issns.get("issn"),
        eissn=draft.issns.get("eissn"),
        conference=conference,
        also=tuple(also),
    )
    draft.container = container if container != Container() else None


def _parts(draft: TermsDraft, title: str | None, *, article: bool) -> Parts:
    if draft.citation is None:
        return NOTHING
    found = article_parts(draft.citation, title, draft.publishers) if article else NOTHING
    if found != NOTHING:
        return found
    return page_range(draft.citation, title)


def hal_terms(
    sources: Sequence[Source],
    identifier: str,
    version: int | None,
    sets: Iterable[str],
    trace: Trace | None,
) -> Body:
    """The body of a HAL record in ``oai_dcterms``."""
    named = [replace(source, element=_local(source.element)) for source in sources]
    draft = TermsDraft(trace=trace, given=named, id=identifier, version=version)
    dc.apply(draft, _BY_NAME, named)
    settle_titles(draft)
    _settle_code(draft, sets)
    settle_access(draft)
    _settle_sources(draft)
    _settle_issued(draft)
    return draft.body()


def generic_terms(
    sources: Sequence[Source],
    identifier: str,
    version: int | None,
    sets: Iterable[str],
    trace: Trace | None,
) -> Body:
    """The body of any repository's qualified Dublin Core.

    A term is taken as the element it refines ("dumb-down", DCMI Abstract Model); one whose value
    says nothing without its name ends in ``notes`` with it.
    """
    plain = [_plain(source) for source in sources]
    return generic(plain, identifier, version, sets, trace)


def _plain(source: Source) -> Source:
    term = _local(source.element)
    if term in _NAMED_IN_NOTES and source.text.strip():
        return replace(source, element="relation", text=f"{term}: {source.text}")
    return replace(source, element=_REFINES.get(term, term))
