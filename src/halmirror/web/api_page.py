"""The page about the API: its addresses, what each takes, and a command to try each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from halmirror.web.answering import reading
from halmirror.web.api.openapi import described
from halmirror.web.pages import Reader, page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from halmirror.mirror import Mirror

_TRIED: Final = {
    "/records/{identifier}": "/records/{}",
    "/history/{identifier}": "/history/{}",
    "/differences/{identifier}": "/differences/{}",
    "/search": "/search?q=title:science&year=2015..&facets=true",
    "/changes": "/changes?since=2026-01-01",
    "/export": "/export?format=bibtex&author=Martin",
    "/status": "/status",
}


@reading
def api(request: Request, mirror: Mirror) -> Response:
    """What a program can ask, with a record that is there as the example."""
    reader = Reader.of(request, request.app.state.settings.serve)
    base = reader.place.absolute("/api/v1")
    newest = mirror.search(sort="newest", limit=1).records
    example = newest[0].id if newest else "hal-04493396"
    paths = described(base)["paths"]
    rows = [
        (path, paths[path]["get"], base + tried.format(example)) for path, tried in _TRIED.items()
    ]
    return page(request, reader, "api.html", rows=rows)
