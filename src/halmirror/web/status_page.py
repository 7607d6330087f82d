"""The status page: what the mirror holds, how complete it is, its last runs, and a plot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from halmirror.status import status as status_of
from halmirror.web.answering import reading
from halmirror.web.pages import Reader, page
from halmirror.web.plots import bars

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from halmirror.mirror import Mirror

_RUNS: Final = 10
_YEARS: Final = 80
"""Years that the picture shows; older records are few and would make its bars too thin."""


@reading
def status(request: Request, mirror: Mirror) -> Response:
    """Records by status, source and year; completeness, quarantine, open windows, runs."""
    settings = request.app.state.settings
    reader = Reader.of(request, settings.serve)
    held = status_of(mirror.path, [source.name for source in settings.sources], runs=_RUNS)
    counts = mirror.search(limit=0, facets=True).facets.get("year", {})
    years = {int(year): count for year, count in counts.items() if year.isdecimal()}
    first = max(years, default=0) - _YEARS + 1
    shown = {year: count for year, count in years.items() if year >= first}
    return page(
        request,
        reader,
        "status.html",
        held=held,
        plot=bars(shown, reader.number),
        years=sorted(shown.items(), reverse=True),
        first_year=first if len(shown) < len(years) else None,
    )
