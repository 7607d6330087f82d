"""A record's address: its page, and the record itself in the form a client asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from halmirror.export.addresses import RESOLVERS, resolved
from halmirror.export.facts import facts
from halmirror.export.schema_org import described
from halmirror.record import Container, Identifiers, versioned
from halmirror.record.citation import primary
from halmirror.record.identifiers import parse_hal_id
from halmirror.reference.document_types import DOCUMENT_TYPES
from halmirror.web import forms, highwire
from halmirror.web.answering import reading
from halmirror.web.negotiation import best_type, parameters
from halmirror.web.pages import Reader, json_in_page, link_header, page, terms_link
from halmirror.web.place import record_path
from halmirror.web.problems import Problem
from halmirror.web.text import web_link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from halmirror.config import ServeSettings
    from halmirror.mirror import Mirror
    from halmirror.record import Name, Record
    from halmirror.record.labels import Ui

LONGEST_IDENTIFIER: Final = 500

_SCHEMES: Final = {
    "doi": "DOI",
    "arxiv": "arXiv",
    "pmid": "PMID",
    "nnt": "NNT",
    "hdl": "Handle",
    "isbn": "ISBN",
    "report": "Report",
    "patent": "Patent",
}
"""The keys of a record's identifiers, and their names."""

_SHOWN_AUTHORS: Final = 200
_SHOWN_VERSIONS: Final = 100


@reading
def record(request: Request, mirror: Mirror) -> Response:
    """The page of a record, or the record in another form, by ``format`` or ``Accept``."""
    settings: ServeSettings = request.app.state.settings.serve
    identifier: str = request.path_params["identifier"]
    if not request.scope["path"].startswith("/record/") and parse_hal_id(identifier) is None:
        raise Problem(404, "there is no such page")
    found = looked_up(mirror, identifier)
    reader = Reader.of(request, settings)
    asked = wanted_form(request, (forms.HTML, *forms.BY_TYPE, forms.BIBLIOGRAPHY))
    if asked != forms.HTML:
        return in_form(request, mirror, found, asked, reader)
    match request.query_params.get("view", ""):
        case "history":
            return _history(request, mirror, found, reader)
        case "source":
            return _source(request, mirror, found, reader)
        case _:
            return _page(request, mirror, found, reader)


def looked_up(mirror: Mirror, identifier: str) -> Record:
    """The record of an identifier of any kind.  Raises `Problem` (404)."""
    found = mirror.get(identifier) if len(identifier) <= LONGEST_IDENTIFIER else None
    if found is None:
        raise Problem(404, "the mirror holds no record of that identifier")
    return found


def wanted_form(request: Request, offered: tuple[str, ...]) -> str:
    """The media type asked for, by ``format`` or ``Accept``.  Raises `Problem` (400, 406)."""
    named = request.query_params.get("format")
    if named == "citation":
        return forms.BIBLIOGRAPHY
    if named:
        if named not in forms.BY_NAME:
            known = ", ".join((*forms.BY_NAME, "citation"))
            raise Problem(400, f"format: it is none of {known}")
        return forms.BY_NAME[named].media_type
    chosen = best_type(request.headers.get("accept", ""), offered)
    if chosen is None:
        raise Problem(406, f"to be had as {', '.join(offered)}")
    return chosen


def in_form(
    request: Request,
    mirror: Mirror,
    found: Record,
    media_type: str,
    reader: Reader,
    *,
    at: int | None = None,
) -> Response:
    """The record in a form that is no page; ``at``: the commit it was read as of."""
    links: list[tuple[str, str, str | None]] = [terms_link(reader.place)]
    links += [(reader.place.absolute(record_path(found.versioned_id)), "describes", forms.HTML)]
    headers = {"Vary": "Accept", "Cache-Control": "no-cache", "Link": link_header(links)}
    if media_type == forms.BIBLIOGRAPHY:
        given = parameters(request.headers.get("accept", ""), forms.BIBLIOGRAPHY)
        style = request.query_params.get("style") or given.get("style") or "hal"
        local = request.query_params.get("locale") or given.get("locale") or reader.ui
        text = forms.citation(mirror, found, style, "fr" if primary(local) == "fr" else "en")
        headers["Vary"] = "Accept, Accept-Language, Cookie"
        return Response(text + "\n", 200, headers, f"{forms.BIBLIOGRAPHY}; charset=utf-8")
    form = forms.BY_TYPE[media_type]
    kind = media_type if "json" in media_type else f"{media_type}; charset=utf-8"
    return Response(forms.written(mirror, found, form, at=at), 200, headers, kind)


def _page(request: Request, mirror: Mirror, found: Record, reader: Reader) -> Response:
    known = facts(found)
    body = found.body
    style = request.query_params.get("style") or "hal"
    name = found.versioned_id
    later = mirror.has_later_version(found)
    shown_style = style if style in forms.styles() else "hal"
    return page(
        request,
        reader,
        "record.html",
        links=_signposts(found, reader),
        record=found,
        head=found.head,
        body=body,
        facts=known,
        container=body.container or Container(),
        identifiers=list(_identifiers(found, reader.ui)),
        author_query=_author_query,
        authors=body.creators[:_SHOWN_AUTHORS],
        more_authors=len(body.creators) - _SHOWN_AUTHORS,
        versions=_versions(mirror, found, later=later),
        later=later,
        style=shown_style,
        styles=forms.styles(),
        citation=forms.citation(mirror, found, shown_style, reader.ui),
        forms=forms.FORMS,
        address=record_path(name),
        canonical=record_path(found.id if found.head.status == "active" and not later else name),
        highwire=highwire.tags(found),
        json_ld=json_in_page({"@context": "https://schema.org/"} | described(found)),
        others=[(one, versioned(one.id, one.version)) for one in found.head.same_as],
    )


def _history(request: Request, mirror: Mirror, found: Record, reader: Reader) -> Response:
    return page(
        request,
        reader,
        "history.html",
        record=found,
        history=mirror.history(found.id),
        difference=mirror.diff(found.id),
        address=record_path(found.versioned_id),
    )


def _source(request: Request, mirror: Mirror, found: Record, reader: Reader) -> Response:
    _, frame = mirror.source_metadata(found.versioned_id)
    return page(
        request,
        reader,
        "source.html",
        record=found,
        xml=frame.source.decode("utf-8", "replace").replace("><", ">\n<"),
        address=record_path(found.versioned_id),
    )


def _author_query(name: Name) -> str:
    """The words of a name, to be searched among authors."""
    text = " ".join(part for part in (name.given, name.family, name.literal) if part)
    return text.replace('"', " ").replace("(", " ").replace(")", " ")


def _identifiers(found: Record, ui: Ui) -> Iterator[tuple[str, str, str | None]]:
    """Names, values and links of everything the record is known by."""
    known = found.body.identifiers or Identifiers()
    yield (
        "HAL" if parse_hal_id(found.head.id) else "OAI",
        found.versioned_id,
        web_link(found.body.landing_page),
    )
    for key, name in _SCHEMES.items():
        shown = {"report": "Rapport", "patent": "Brevet"}.get(key, name) if ui == "fr" else name
        for value in getattr(known, key):
            yield shown, value, web_link(resolved(key, value)) if key in RESOLVERS else None
    for other in known.other:
        yield other.scheme or "", other.value, web_link(other.value)
    container = found.body.container or Container()
    for name, number in (("ISSN", container.issn), ("EISSN", container.eissn)):
        if number:
            yield name, number, f"https://portal.issn.org/resource/ISSN/{number}"


def _versions(mirror: Mirror, found: Record, *, later: bool) -> list[tuple[str, Any]]:
    """The ids with version that the mirror holds of the document, newest first, and their status.

    One that has never had another version is not asked about.
    """
    if not later and (found.head.version or 1) == 1:
        return [(found.versioned_id, found.head.datestamp)]
    newest = {state.versioned_id: state.datestamp for state in mirror.history(found.id).states}
    pairs = sorted(newest.items(), key=lambda pair: len(pair[0]) and (len(pair[0]), pair[0]))
    return pairs[::-1][:_SHOWN_VERSIONS]


def _signposts(found: Record, reader: Reader) -> list[tuple[str, str, str | None]]:
    """Links for machines (signposting.org, level 1)."""
    body = found.body
    known = facts(found)
    address = record_path(found.versioned_id)
    cited = web_link(resolved("doi", known.doi) if known.doi else body.landing_page)
    links: list[tuple[str, str, str | None]] = []
    if cited:
        links.append((cited, "cite-as", None))
    kind = known.kind.schema_org if known.code in DOCUMENT_TYPES else "CreativeWork"
    links += [
        ("https://schema.org/AboutPage", "type", None),
        (f"https://schema.org/{kind}", "type", None),
    ]
    links += [
        (reader.place.absolute(address, [("format", form.name)]), "describedby", form.media_type)
        for form in forms.FORMS
    ]
    if web_link(body.licence_url):
        links.append((str(web_link(body.licence_url)), "license", None))
    links += [(link, "item", None) for one in body.files[:20] if (link := web_link(one))]
    return links
