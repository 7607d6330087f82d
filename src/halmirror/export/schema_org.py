"""JSON-LD with schema.org's vocabulary: one document, an object a record in its ``@graph``.

The facts are those of HAL's BibTeX (`halmirror.export.facts`) and what else of the record the
vocabulary has a property for.  Nothing is fetched: a reader that has schema.org's context at hand
needs no network either.  Whether an author that is no ``Family, Given`` is a person or a group
Dublin Core does not say, so such a one has a name and no type.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, Final

import msgspec

from halmirror.export.addresses import language_tag, uri
from halmirror.export.facts import Facts, facts
from halmirror.export.terms import links
from halmirror.record import versioned
from halmirror.record.citation import display_name, with_subtitle
from halmirror.reference import domains

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from halmirror.export import Wanted
    from halmirror.record import Funding, Name, Record

_SCHEMES: Final = (
    ("doi", "DOI"),
    ("arxiv", "arXiv"),
    ("pmid", "PMID"),
    ("nnt", "NNT"),
    ("hdl", "Handle"),
    ("report", "Report number"),
    ("patent", "Patent number"),
)
_PARTS: Final = {"incollection": "Book", "article": "Periodical"}
"""The class of what a work appeared in, by HAL's BibTeX entry type."""


def write(records: Iterable[Record], out: IO[bytes], wanted: Wanted) -> int:
    """Write the document, a record a line; return how many.

    A statement about the whole file has no place in it.
    """
    del wanted
    encode = msgspec.json.Encoder().encode
    out.write(b'{"@context":"https://schema.org/","@graph":[')
    count = 0
    for record in records:
        out.write((b",\n" if count else b"\n") + encode(described(record)))
        count += 1
    out.write(b"\n]}\n")
    return count


def described(record: Record) -> dict[str, Any]:
    """The record as an object of schema.org; what is empty is left out."""
    known = facts(record)
    found: dict[str, Any] = {"@type": known.kind.schema_org}
    if name := _name_of(record):
        found["@id"] = name
    parts = (_work(known), _people(known), _place(known), _identified(record, known))
    pairs = (pair for part in (*parts, _access(known)) for pair in part)
    return found | {key: value for key, value in pairs if value}


def _name_of(record: Record) -> str | None:
    """The record's page; its OAI identifier where a newer version has that page, or none."""
    page = uri(record.body.landing_page or "") if record.head.status != "superseded" else None
    return page or uri(record.head.oai_identifier)


def _work(known: Facts) -> Iterator[tuple[str, Any]]:
    body = known.body
    if known.title:
        yield "name", _text(with_subtitle(known.title), known.title.lang)
    others = (one for one in body.titles if one is not known.title)
    yield "alternateName", [_text(with_subtitle(one), one.lang) for one in others]
    yield "abstract", [_text(one.value, one.lang) for one in body.abstracts]
    yield "keywords", [_text(one.value, one.lang) for one in body.keywords]
    yield "about", [_domain(code) for code in body.domains]
    yield "inLanguage", list(body.languages)
    yield "datePublished" if body.year is not None else "temporal", body.date
    yield "genre", known.genre
    yield "comment", [{"@type": "Comment", "text": note} for note in body.notes]


def _people(known: Facts) -> Iterator[tuple[str, Any]]:
    body = known.body
    yield "author", [_person(one) for one in known.authors]
    yield "editor", [{"name": one} for one in known.editors]
    yield "publisher", [_organisation(one) for one in body.publishers]
    yield "sourceOrganization", [_organisation(one) for one in known.authorities]
    affiliations = (_organisation(one.name, one.acronym, one.parents) for one in body.affiliations)
    roles = {*known.editors, *known.authorities, *known.organizers}
    others = ({"name": one} for one in body.contributors if one not in roles)
    yield "contributor", [*affiliations, *others]
    yield "funding", [_grant(one) for one in body.funding]


def _place(known: Facts) -> Iterator[tuple[str, Any]]:
    container = known.container
    whole = [_whole(known)] if _whole(known) else []
    if container.series:
        whole.append({"@type": "CreativeWorkSeries", "name": container.series})
    yield "isPartOf", whole
    yield "pagination", container.pages
    if known.conference:
        event = {"@type": "PublicationEvent", "name": known.conference}
        organizers = [_organisation(one) for one in known.organizers]
        more = (("location", known.place), ("organizer", organizers))
        yield "publication", event | {key: value for key, value in more if value}
    elif known.place:
        yield "locationCreated", {"@type": "Place", "name": known.place}
    yield "creditText", known.body.citation


def _whole(known: Facts) -> dict[str, Any]:
    """The journal (with volume and issue around it) or the book that the work is in."""
    container = known.container
    whole: dict[str, Any] = {}
    if container.title:
        kind = "Periodical" if known.issns else _PARTS.get(known.entry, "CreativeWork")
        whole = {"@type": kind, "name": container.title}
    if known.issns:
        whole["issn"] = list(known.issns)
    for kind, key, number in (
        ("PublicationVolume", "volumeNumber", container.volume),
        ("PublicationIssue", "issueNumber", container.issue),
    ):
        if number:
            inner = {"isPartOf": whole} if whole else {}
            whole = {"@type": kind, key: number} | inner
    return whole


def _identified(record: Record, known: Facts) -> Iterator[tuple[str, Any]]:
    held = known.identifiers
    own = versioned(record.head.id, record.head.version)
    listed = [_property("HAL" if ":" not in record.head.id else "OAI", own)]
    for key, name in _SCHEMES:
        listed += [_property(name, value) for value in getattr(held, key)]
    listed += [_property(one.scheme, one.value) for one in held.other]
    yield "identifier", listed
    yield "isbn", list(held.isbn)
    yield "url", known.body.landing_page
    yield "sameAs", [address for one in links(held) if (address := uri(one))]
    yield "version", record.head.version


def _access(known: Facts) -> Iterator[tuple[str, Any]]:
    body = known.body
    yield "license", uri(body.licence_url or "") or body.licence
    if body.access == "open":
        yield "isAccessibleForFree", True
    yield "encoding", [{"@type": "MediaObject", "contentUrl": one} for one in body.files]
    if body.audience:
        yield "audience", {"@type": "Audience", "audienceType": body.audience}


def _text(text: str, lang: str | None) -> str | dict[str, str]:
    tag = language_tag(lang)
    return {"@value": text, "@language": tag} if tag else text


def _person(name: Name) -> dict[str, str]:
    if name.literal:
        return {"name": name.literal}
    parts = (("familyName", name.family), ("givenName", name.given))
    known = {key: part for key, part in parts if part}
    return {"@type": "Person", "name": display_name(name)} | known


def _organisation(
    name: str,
    acronym: str | None = None,
    parents: tuple[str, ...] = (),
) -> dict[str, Any]:
    above = [{"@type": "Organization", "name": one} for one in parents]
    more = (("alternateName", acronym), ("parentOrganization", above))
    return {"@type": "Organization", "name": name} | {key: value for key, value in more if value}


def _domain(code: str) -> dict[str, str]:
    named = domains.label(code, "en")
    known = {"@type": "DefinedTerm", "termCode": code}
    return known | ({"name": named} if named else {})


def _grant(item: Funding) -> dict[str, Any]:
    funder = " ".join(part for part in (item.funder, item.programme) if part)
    parts = (
        ("identifier", item.number),
        ("name", item.title or item.acronym),
        ("alternateName", item.acronym if item.title else None),
        ("funder", _organisation(funder) if funder else None),
    )
    return {"@type": "Grant"} | {key: value for key, value in parts if value}


def _property(scheme: str | None, value: str) -> dict[str, str]:
    known = {"@type": "PropertyValue", "value": value}
    return known | ({"propertyID": scheme} if scheme else {})
