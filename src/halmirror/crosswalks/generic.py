"""Everyone else's ``oai_dc``: what DSpace, EPrints, OJS, Invenio and the others put in it.

A rule stands here only where its reading is certain for any repository; ``docs/normalising.md``
gives each with its reason.  Whatever no rule places ends in ``notes``, ``contributors`` or
``identifiers.other``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halmirror.crosswalks import dublin_core as dc
from halmirror.crosswalks import generic_identifiers as given
from halmirror.crosswalks import names, source_forms, written_dates
from halmirror.crosswalks.dates import year_of
from halmirror.crosswalks.draft import GenericDraft
from halmirror.crosswalks.funding import grant
from halmirror.record import Affiliation, Container, DocumentType, Value
from halmirror.reference.document_types import DOCUMENT_TYPES, by_label, by_term
from halmirror.reference.languages import known_language
from halmirror.reference.licences import address_in, named, spdx
from halmirror.reference.resource_types import coar_type, is_coar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from halmirror.crosswalks.draft import Trace
    from halmirror.oaipmh.source import Source
    from halmirror.record import Access, Body

_EU_REPO = "info:eu-repo/semantics/"
_VERSIONS = frozenset(
    f"{_EU_REPO}{stage}version" for stage in ("submitted", "accepted", "published", "updated")
) | {f"{_EU_REPO}draft"}
_COAR_ACCESS = "purl.org/coar/access_right/"
_ACCESS: Mapping[str, Access] = {
    "openaccess": "open",
    "open": "open",
    "c_abf2": "open",
    "restrictedaccess": "restricted",
    "c_16ec": "restricted",
    "embargoedaccess": "restricted",
    "c_f1cf": "restricted",
    "closedaccess": "restricted",
    "metadataonlyaccess": "metadata-only",
    "c_14cb": "metadata-only",
}
_OF_THE_REPOSITORY = "info:eu-repo/date/"
_DESCRIPTION_TYPES = frozenset(
    {"Abstract", "Methods", "SeriesInformation", "TableOfContents", "TechnicalInfo", "Other"}
)
"""DataCite's ``descriptionType``, which its own crosswalk gives as a description before each."""


def _creator(draft: GenericDraft, index: int, text: str, _lang: str | None) -> None:
    said = names.reading(text)
    place = f"creators[{len(draft.creators)}]"
    draft.creators.append(said.name)
    if said.several:
        draft.warn(index, f"creators: {text!r} may be several names; kept whole")
    if said.affiliation:
        held = Affiliation(said.affiliation)
        at = draft.affiliations.setdefault(held, len(draft.affiliations))
        draft.tell(index, "creator with affiliation", f"{place} and affiliations[{at}]")
    elif said.whole:
        at = draft.notes.setdefault(text, len(draft.notes))
        draft.tell(index, "creator with role or years", f"{place} and notes[{at}]")
    else:
        draft.tell(index, "creator", place)


def _subject(draft: GenericDraft, index: int, text: str, lang: str | None) -> None:
    pieces = [piece.strip() for piece in text.split("|")]
    if len(pieces) == 1 and "; " in text and not text[0].isdigit():
        pieces = [piece.strip() for piece in text.split("; ")]
        pieces = pieces if len(pieces) > 2 else [text]
    if len(pieces) == 1 or not all(pieces):
        dc.keyword(draft, index, text, lang)
        return
    values = [Value(one, lang) for one in pieces]
    draft.put_all("keywords", draft.keywords, values, index, "keywords in one value")


def _description(draft: GenericDraft, index: int, text: str, lang: str | None) -> None:
    if text in _DESCRIPTION_TYPES:
        draft.series = text == "SeriesInformation"
        draft.note(index, text, "kind of description")
        return
    series, draft.series = draft.series, False
    if text.startswith("Comment: ") or given.is_address(text) or series:
        draft.note(index, text, "comment")
    elif text.startswith("Citation: ") and draft.citation is None:
        draft.citation = text.removeprefix("Citation: ")
        draft.tell(index, "labelled citation", "citation")
    else:
        dc.abstract(draft, index, text, lang)


def _language(draft: GenericDraft, index: int, text: str, _lang: str | None) -> None:
    tag = known_language(text)
    if tag is not None:
        draft.put(draft.languages, "languages", tag, index, "language")
        return
    pieces = re.split(r"[\s,;/|]+", text) if len(text) < 200 else []
    tags = [tag for piece in pieces if (tag := known_language(piece))]
    if len(tags) == len(pieces) > 1:
        draft.put_all("languages", draft.languages, tags, index, "languages in one value")
        return
    draft.warn(index, f"languages: {text!r} is no language; kept as given")
    draft.put(draft.languages, "languages", text, index, "language")


def _format(draft: GenericDraft, index: int, text: str, _lang: str | None) -> None:
    draft.note(index, text, "format")


def _settle_dates(draft: GenericDraft) -> None:
    """The date of the work among all that are there; every other stays in the notes."""
    if not draft.dates:
        return
    read = [written_dates.reading(text) for _, text in draft.dates]
    days = frozenset(one[:10] for one in read if one and "T" in one)
    chosen = _date_of_the_work(read, days)
    if chosen is None and len(draft.dates) == 1:
        ((index, text),) = draft.dates
        draft.date = text
        draft.tell(index, "date", "date")
        draft.warn(index, f"date: {text!r} is no date; kept as given")
        return
    if chosen is not None:
        draft.date = read[chosen]
        draft.year = year_of(read[chosen] or "")
    for at, (index, text) in enumerate(draft.dates):
        if text == draft.date:
            draft.tell_of_one(index, "date", "date", again=at != chosen)
        elif at == chosen:
            place = draft.notes.setdefault(text, len(draft.notes))
            draft.tell(index, "date in words or signs", f"date and notes[{place}]")
            draft.warn(index, f"date: {text!r} is read as {draft.date!r}")
        else:
            _further_date(draft, index, text, read[at], days)


def _further_date(
    draft: GenericDraft, index: int, text: str, read: str | None, days: frozenset[str]
) -> None:
    if text.startswith(_OF_THE_REPOSITORY) or (read and read[:10] in days):
        draft.note(index, text, "date of the repository")
    elif read is None:
        draft.note(index, text, "date", f"date: {text!r} is no date; kept in notes")
    else:
        draft.note(index, text, "date", f"date: {text!r} is a further date; kept in notes")


def _date_of_the_work(read: Sequence[str | None], days: frozenset[str]) -> int | None:
    """The place of the date of the work; ``days`` are those of the dates with a time.

    A time of day is a machine's note of when it took the work in, so a date without one comes
    first, and best one that is not the day of such a note.  A year alone, no later than the days
    beside it, is the catalogue's, since machines write days.  Else the first.
    """
    dates = {at: one for at, one in enumerate(read) if one is not None}
    plain = {at: one for at, one in dates.items() if "T" not in one}
    own = {at: one for at, one in plain.items() if one not in days}
    left = own or plain or dates
    alone = [at for at, one in left.items() if len(one) == 4]
    others = [one for one in left.values() if len(one) != 4]
    if alone and all(len(one) == 10 and one[:4] >= left[alone[0]] for one in others):
        return alone[0]
    return next(iter(left), None)


def _settle_type(draft: GenericDraft) -> None:
    """The first ``info:eu-repo`` type, and the COAR type of the most telling value."""
    term = next((text for _, text in draft.types if _is_type_term(text)), None)
    found = [_coar(text) for _, text in draft.types]
    coar = _chosen_type(term, [text for _, text in draft.types], found)
    other: dict[str, int] = {}
    seen: set[str] = set()
    for index, text in draft.types:
        again = text in seen
        seen.add(text)
        if text == term:
            draft.tell_of_one(index, "info:eu-repo term", "type.info_eu_repo", again=again)
        elif text == coar:
            draft.tell_of_one(index, "COAR type", "type.coar", again=again)
        else:
            draft.put(other, "type.other", text, index, "type")
    if draft.types:
        draft.type = DocumentType(None, coar, term, tuple(other))


def _is_type_term(text: str) -> bool:
    return text.startswith(_EU_REPO) and text.casefold() not in _VERSIONS


def _coar(text: str) -> tuple[str, bool] | None:
    code = by_term(text) or by_label(text)
    if code:
        return DOCUMENT_TYPES[code].coar, True
    return coar_type(text)


def _chosen_type(
    term: str | None, texts: Sequence[str], found: Sequence[tuple[str, bool] | None]
) -> str | None:
    """A COAR address says it itself; then the term, a vocabulary's address, a telling word, any."""
    said = [(text, one) for text, one in zip(texts, found, strict=True) if one]
    for fits in (
        lambda text, _telling: is_coar(text),
        lambda text, _telling: text == term,
        lambda text, telling: telling and text.startswith("http"),
        lambda _text, telling: telling,
        lambda _text, _telling: True,
    ):
        for text, (coar, telling) in said:
            if fits(text, telling):
                return coar
    return None


def _rights(draft: GenericDraft, index: int, text: str, _lang: str | None) -> None:
    access = _access(text)
    if access is not None:
        draft.access = draft.access or access
        draft.note(index, text, "access")
        return
    address = given.is_address(text)
    if address and _is_licence(text) and dc.rights_address(draft, index, text):
        return
    if draft.licence_url is None and not address:
        found = address_in(text)
        if found:
            draft.licence_url, draft.licence = found, spdx(found)
            place = draft.notes.setdefault(text, len(draft.notes))
            draft.tell(index, "licence in prose", f"licence_url and notes[{place}]")
            return
    draft.licence_name = draft.licence_name or named(text)
    draft.note(index, text, "rights")


def _access(text: str) -> Access | None:
    if len(text) > 60:
        return None
    said = text.casefold().removeprefix(_EU_REPO)
    if _COAR_ACCESS in said:
        said = said.rpartition("/")[2]
    return _ACCESS.get(said.replace(" ", "").replace("-", ""))


def _is_licence(address: str) -> bool:
    """Whether an address is a licence's or a rights statement's; many are only a home page."""
    return (
        spdx(address) is not None
        or "licen" in address.casefold()
        or "//rightsstatements.org/" in address
    )


def _settle_rights(draft: GenericDraft) -> None:
    if draft.licence is None and draft.licence_url is None:
        draft.licence = draft.licence_name


def _identifier(draft: GenericDraft, index: int, text: str, _lang: str | None) -> None:
    draft.named.append((index, text))


def _relation(draft: GenericDraft, index: int, text: str, _lang: str | None) -> None:
    if dc.alternative_identifier(draft, index, text):
        return
    funded = grant(text)
    if funded is not None:
        draft.put(draft.grants, "funding", funded, index, "grant agreement")
    elif given.is_address(text):
        draft.related.append((index, text))
    else:
        draft.note(index, text, "relation")


def _source(draft: GenericDraft, index: int, text: str, _lang: str | None) -> None:
    draft.sources.append((index, text))


def _citation(draft: GenericDraft, index: int, text: str, _lang: str | None) -> None:
    """Qualified Dublin Core says so by the term's name."""
    again = draft.citation is not None
    if draft.citation in (None, text):
        draft.tell_of_one(index, "citation", "citation", again=again)
        draft.citation = text
    else:
        draft.note(index, text, "source")


def _settle_sources(draft: GenericDraft) -> None:
    """ISSNs, ISBNs, the title before one, a citation in a platform's form or with a year."""
    titled: tuple[int, str] | None = None
    parts: Container | None = None
    for at, (index, text) in enumerate(draft.sources):
        following = draft.sources[at + 1][1] if at + 1 < len(draft.sources) else ""
        if given.place_issn(draft, index, text):
            continue
        if text[:4].casefold() == "isbn":
            draft.identify("isbn", text, index, "ISBN")
            continue
        found = source_forms.container(text)
        if given.is_address(text):
            draft.note(index, text, "source")
        elif found is None and titled is None and _is_serial_number(following):
            titled = (index, text)
        elif (found or given.YEAR.search(text)) and draft.citation in (None, text):
            again, draft.citation = draft.citation == text, text
            parts = parts or found
            draft.tell_of_one(index, "citation", "citation", again=again)
        else:
            draft.note(index, text, "source")
    _settle_container(draft, parts, titled)


def _is_serial_number(text: str) -> bool:
    return text[:5].casefold() in ("issn:", "isbn:", "issn ", "isbn ")


def _settle_container(
    draft: GenericDraft, parts: Container | None, titled: tuple[int, str] | None
) -> None:
    held = draft.container or Container()
    title = parts.title if parts else None
    if titled is not None and title is None:
        title = titled[1]
        draft.tell(titled[0], "title of the container", "container.title")
    elif titled is not None:
        draft.note(titled[0], titled[1], "source")
    if title is None and parts is None:
        return
    draft.container = Container(
        title=title,
        volume=parts.volume if parts else None,
        issue=parts.issue if parts else None,
        pages=parts.pages if parts else None,
        issn=held.issn,
        eissn=held.eissn,
    )


_RULES: Mapping[str, dc.Rule[GenericDraft]] = {
    "title": dc.title,
    "creator": _creator,
    "subject": _subject,
    "description": _description,
    "publisher": dc.publisher,
    "contributor": dc.contributor,
    "date": dc.date,
    "type": dc.document_type,
    "format": _format,
    "identifier": _identifier,
    "source": _source,
    "bibliographicCitation": _citation,
    "language": _language,
    "relation": _relation,
    "coverage": dc.coverage,
    "rights": _rights,
}


def generic(
    sources: Sequence[Source],
    identifier: str,
    _version: int | None,
    _sets: Iterable[str],
    trace: Trace | None,
) -> Body:
    """The body of any repository's Dublin Core, by the rules that hold for all.

    ``identifier`` is the record's OAI identifier.
    """
    draft = GenericDraft(trace=trace, own=identifier)
    dc.apply(draft, _RULES, sources)
    given.settle(draft)
    _settle_type(draft)
    _settle_dates(draft)
    given.settle_relations(draft)
    _settle_sources(draft)
    _settle_rights(draft)
    return draft.body()
