"""A record as statements in DCMI Metadata Terms: what N-Triples and normalised Dublin Core write.

Each statement also has an element of simple Dublin Core (DCMI's "dumb-down" rule), in which the
same value stands in ``oai_dc``.  Access rights are COAR's, and OpenAIRE's where it has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from halmirror.export.addresses import RESOLVERS, language_tag, resolved, uri
from halmirror.export.facts import facts
from halmirror.record import versioned
from halmirror.record.citation import with_subtitle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halmirror.export.facts import Facts
    from halmirror.record import Affiliation, Funding, Identifiers, Record

Kind = Literal["text", "address", "date"]

_ACCESS: Final = {
    "open": ("c_abf2", "info:eu-repo/semantics/openAccess"),
    "restricted": ("c_16ec", "info:eu-repo/semantics/restrictedAccess"),
    "metadata-only": ("c_14cb", None),
}
_COAR_ACCESS: Final = "http://purl.org/coar/access_right/"
_GRANT: Final = "info:eu-repo/grantAgreement"
_NUMBERED: Final = (("report", "Report"), ("patent", "Patent"))

ELEMENTS: Final = {
    "title": "title",
    "creator": "creator",
    "subject": "subject",
    "abstract": "description",
    "description": "description",
    "audience": "description",
    "publisher": "publisher",
    "contributor": "contributor",
    "date": "date",
    "type": "type",
    "identifier": "identifier",
    "isPartOf": "source",
    "bibliographicCitation": "source",
    "language": "language",
    "hasFormat": "identifier",
    "relation": "relation",
    "isReplacedBy": "relation",
    "coverage": "coverage",
    "license": "rights",
    "accessRights": "rights",
}
"""For each term the element of simple Dublin Core that says the same with less precision."""


class Statement(NamedTuple):
    """A term of DCMI and its value: a text in a language, an address, or a date."""

    term: str
    value: str
    lang: str | None = None
    kind: Kind = "text"


def statements(record: Record) -> list[Statement]:
    """What a record says, each statement once, in the order of the Dublin Core elements."""
    known = facts(record)
    parts = (_about(known), _people(known), _formal(record, known), _places(known), _rights(known))
    return list(dict.fromkeys(one for part in parts for one in part if one.value))


def links(held: Identifiers) -> Iterator[str]:
    """The addresses of identifiers that have one."""
    for scheme in RESOLVERS:
        for value in getattr(held, scheme):
            yield resolved(scheme, value)


def _about(known: Facts) -> Iterator[Statement]:
    body = known.body
    for title in body.titles:
        yield Statement("title", with_subtitle(title), language_tag(title.lang))
    for keyword in body.keywords:
        yield Statement("subject", keyword.value, language_tag(keyword.lang))
    for domain in body.domains:
        yield Statement("subject", domain)
    for item in body.classifications:
        yield Statement("subject", f"{item.scheme}: {item.value}" if item.scheme else item.value)
    for abstract in body.abstracts:
        yield Statement("abstract", abstract.value, language_tag(abstract.lang))
    for note in body.notes:
        yield Statement("description", note)
    if body.audience:
        yield Statement("audience", body.audience)


def _people(known: Facts) -> Iterator[Statement]:
    body = known.body
    for name in body.creators:
        joined = ", ".join(part for part in (name.family, name.given) if part)
        yield Statement("creator", name.literal or joined)
    for publisher in body.publishers:
        yield Statement("publisher", publisher)
    for affiliation in body.affiliations:
        for organisation in _organisations(affiliation):
            yield Statement("contributor", organisation)
    for contributor in body.contributors:
        yield Statement("contributor", contributor)
    for item in body.funding:
        yield _funded(item)


def _organisations(item: Affiliation) -> Iterator[str]:
    yield f"{item.name} ({item.acronym})" if item.acronym else item.name
    yield from item.parents


def _funded(item: Funding) -> Statement:
    """OpenAIRE's form of a grant where there is a number, else what is known of the project."""
    if item.number:
        # A slash inside a part would begin the next one.
        parts = (item.funder, item.programme, item.number, None, item.title, item.acronym)
        path = "/".join((part or "").replace("/", "%2F") for part in parts).rstrip("/")
        return Statement("relation", uri(f"{_GRANT}/{path}") or path, kind="address")
    told = (item.funder, item.programme, item.call, item.acronym, item.title, item.year)
    return Statement("contributor", ", ".join(part for part in told if part))


def _formal(record: Record, known: Facts) -> Iterator[Statement]:
    body = known.body
    if body.date:
        yield Statement("date", body.date, kind="date" if body.year is not None else "text")
    if body.type:
        for address in (body.type.info_eu_repo, body.type.coar):
            if address:
                yield Statement("type", address, kind="address")
        if body.type.hal:
            yield Statement("type", known.kind.en if known.kind.code else body.type.hal)
        for other in body.type.other:
            yield Statement("type", other)
    yield Statement("identifier", versioned(record.head.id, record.head.version))
    yield from _identifiers(known)
    if record.head.followed_by:
        yield Statement("isReplacedBy", record.head.followed_by)


def _identifiers(known: Facts) -> Iterator[Statement]:
    held = known.identifiers
    for address in (known.body.landing_page, *links(held)):
        if address:
            yield Statement("identifier", address, kind="address")
    for key, name in _NUMBERED:
        for value in getattr(held, key):
            yield Statement("identifier", f"{name}: {value}")
    for item in held.other:
        yield Statement("identifier", f"{item.scheme}: {item.value}" if item.scheme else item.value)
    for file in known.body.files:
        yield Statement("hasFormat", file, kind="address")


def _places(known: Facts) -> Iterator[Statement]:
    container = known.container
    for title in (container.title, container.conference, container.series, *container.also):
        if title:
            yield Statement("isPartOf", title)
    for issn in known.issns:
        yield Statement("isPartOf", f"urn:issn:{issn}", kind="address")
    if known.body.citation:
        yield Statement("bibliographicCitation", known.body.citation)
    for language in known.body.languages:
        yield Statement("language", language)
    for coverage in known.body.coverage:
        yield Statement("coverage", coverage)


def _rights(known: Facts) -> Iterator[Statement]:
    body = known.body
    if body.access:
        coar, open_aire = _ACCESS[body.access]
        yield Statement("accessRights", _COAR_ACCESS + coar, kind="address")
        if open_aire:
            yield Statement("accessRights", open_aire, kind="address")
    if body.licence_url:
        yield Statement("license", body.licence_url, kind="address")
    elif body.licence:
        yield Statement("license", body.licence)
