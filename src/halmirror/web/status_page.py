"""The status page: what the mirror holds, how complete it is, its last runs, and a plot."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from halmirror.status import growth
from halmirror.status import status as status_of
from halmirror.web.answering import reading
from halmirror.web.pages import Reader, page
from halmirror.web.plots import bars, line

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from halmirror.mirror import Mirror
    from halmirror.status import Status
    from halmirror.web.kept import Kept

_RUNS: Final = 10
_YEARS: Final = 80
"""Years that the picture shows; older records are few and would make its bars too thin."""


def current(request: Request, mirror: Mirror) -> Status:
    """The status of the mirror, counted anew only where it has changed."""
    state = request.app.state
    sources = [source.name for source in state.settings.sources]
    kept: Kept = state.kept
    return kept.get("status", lambda: status_of(mirror.path, sources, runs=_RUNS))


@reading
def status(request: Request, mirror: Mirror) -> Response:
    """Records by status, source and year; completeness, quarantine, open windows, runs."""
    settings = request.app.state.settings
    reader = Reader.of(request, settings.serve)
    held = current(request, mirror)
    kept: Kept = request.app.state.kept
    counts = kept.get("years", lambda: mirror.search(limit=0, facets=True).facets["year"])
    grown = kept.get("growth", lambda: growth(mirror.path))
    years = {int(year): count for year, count in counts.items() if year.isdecimal()}
    first = max(years, default=0) - _YEARS + 1
    shown = {year: count for year, count in years.items() if year >= first}
    return page(
        request,
        reader,
        "status.html",
        held=held,
        plot=bars(shown, reader.number),
        grown=grown,
        growth_plot=line([(date.fromisoformat(day), count) for day, count in grown], reader.number),
        years=sorted(shown.items(), reverse=True),
        first_year=first if len(shown) < len(years) else None,
    )
