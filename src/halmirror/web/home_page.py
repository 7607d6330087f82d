"""The home page: the search, and the state of the mirror."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halmirror.web.answering import reading
from halmirror.web.pages import Reader, page
from halmirror.web.status_page import current

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from halmirror.mirror import Mirror

_LATEST = 5


@reading
def home(request: Request, mirror: Mirror) -> Response:
    """Search, what the mirror holds, and its newest records."""
    settings = request.app.state.settings
    held = current(request, mirror)
    latest = mirror.search(sort="newest", limit=_LATEST)
    return page(
        request,
        Reader.of(request, settings.serve),
        "home.html",
        held=held,
        latest=latest.records,
    )


@reading
def terms(request: Request, mirror: Mirror) -> Response:
    """What the sources ask of those who take their metadata, in their own words."""
    statement = mirror.statement() or ""
    return page(
        request,
        Reader.of(request, request.app.state.settings.serve),
        "terms.html",
        statements=statement.splitlines(),
    )
