"""What the API answers about records, searches, changes and the mirror's state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.responses import Response

from halmirror.errors import UsageError
from halmirror.web import forms, searching
from halmirror.web.answering import reading
from halmirror.web.api.parameters import CHANGES, DIFFERENCE, PAST, RECORD, SEARCH, Given
from halmirror.web.negotiation import best_type
from halmirror.web.pages import Reader, link_header, terms_link
from halmirror.web.problems import Problem
from halmirror.web.record_page import LONGEST_IDENTIFIER, in_form, wanted_form
from halmirror.web.status_page import current

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from starlette.requests import Request

    from halmirror.history import Change
    from halmirror.mirror import Mirror

JSON_LINES: Final = "application/jsonl"


@reading
def record(request: Request, mirror: Mirror) -> Response:
    """A record by any identifier, in the form asked for."""
    given = Given.of(request, RECORD)
    at = given.commit(mirror)
    found = mirror.get(_identifier(request), at=at)
    if found is None:
        raise Problem(404, "the mirror holds no record of that identifier")
    asked = wanted_form(request, (*forms.BY_TYPE, forms.BIBLIOGRAPHY))
    return in_form(request, mirror, found, asked, _reader(request), at=at)


@reading
def history(request: Request, mirror: Mirror) -> Response:
    """The states of a record."""
    at = Given.of(request, PAST).commit(mirror)
    return _json(request, mirror.history(_identifier(request), at=at).json())


@reading
def difference(request: Request, mirror: Mirror) -> Response:
    """What differs between two states of a record."""
    given = Given.of(request, DIFFERENCE)
    found = mirror.diff(
        _identifier(request),
        before=given.commit(mirror, "from"),
        after=given.commit(mirror, "to"),
    )
    return _json(request, found.json())


@reading
def search(request: Request, mirror: Mirror) -> Response:
    """A page of hits; its ``next`` is also a link."""
    given = Given.of(request, SEARCH)
    asked = searching.Asked.of(request, most=searching.MOST_HITS)
    hits = asked.hits(mirror, facets=given.flag("facets"), at=given.commit(mirror))
    links = []
    if hits.next:
        pairs = [pair for pair in request.query_params.multi_items() if pair[0] != "cursor"]
        links.append(_next(request, [*pairs, ("cursor", hits.next)]))
    return _json(request, hits.json(), links)


@reading
def changes(request: Request, mirror: Mirror) -> Response:
    """What changed since a time or a commit, to the end of a commit."""
    given = Given.of(request, CHANGES)
    since, cursor = given.text("since"), given.text("cursor")
    if (since is None) == (cursor is None):
        raise UsageError("one of since and cursor says where to begin; give one of them")
    after = mirror.seq_at(since) if since else int(cursor or 0)
    latest = mirror.latest()
    if after > latest:
        raise UsageError(f"cursor: it lies beyond the mirror's last commit, {latest}")
    most = given.number("limit", 100)
    feed = mirror.changes(after, latest, sources=given.all("source"))
    found, upto = _taken(feed, most, latest)
    links = []
    if upto < latest:
        kept = [("source", one) for one in given.all("source")]
        links.append(_next(request, [("cursor", str(upto)), *kept, ("limit", str(most))]))
    offered = ("application/json", JSON_LINES)
    if best_type(request.headers.get("accept", ""), offered) == JSON_LINES:
        body = b"".join(one.json() + b"\n" for one in found)
        return _json(request, body, links, JSON_LINES)
    answer = {"changes": found, "cursor": upto, "more": upto < latest}
    return _json(request, msgspec.json.encode(answer), links)


@reading
def status(request: Request, mirror: Mirror) -> Response:
    """What the mirror holds and how its harvests stand; where its file is, is no one's business."""
    Given.of(request, ())
    told = current(request, mirror).as_dict()
    del told["path"], told["at"]  # the time would make each answer another
    return _json(request, msgspec.json.encode(told))


def _taken(feed: Iterable[Change], most: int, latest: int) -> tuple[list[Change], int]:
    """The first changes, to the end of a commit, and the commit they reach to."""
    found: list[Change] = []
    for change in feed:
        if len(found) >= most and change.seq != found[-1].seq:
            return found, found[-1].seq
        found.append(change)
    return found, latest


def _identifier(request: Request) -> str:
    identifier: str = request.path_params["identifier"]
    if len(identifier) > LONGEST_IDENTIFIER or "\0" in identifier:
        raise Problem(404, "the mirror holds no record of that identifier")
    return identifier


def _reader(request: Request) -> Reader:
    return Reader.of(request, request.app.state.settings.serve)


def _next(request: Request, pairs: Sequence[tuple[str, str]]) -> tuple[str, str, None]:
    address = _reader(request).place.absolute(request.scope["path"], pairs)
    return address, "next", None


def _json(
    request: Request,
    body: bytes,
    links: Iterable[tuple[str, str, Any]] = (),
    kind: str = "application/json",
) -> Response:
    terms = terms_link(_reader(request).place)
    headers = {"Cache-Control": "no-cache", "Link": link_header([terms, *links])}
    return Response(body, 200, headers, kind)


def endpoints() -> Iterator[tuple[str, Any]]:
    """The addresses below ``/api/v1`` and what answers there."""
    yield "/records/{identifier:path}", record
    yield "/history/{identifier:path}", history
    yield "/differences/{identifier:path}", difference
    yield "/search", search
    yield "/changes", changes
    yield "/status", status
