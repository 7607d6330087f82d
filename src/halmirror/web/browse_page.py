"""Browsing: the values of one kind, each with its number of records, leading to the search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from halmirror.web.answering import reading
from halmirror.web.pages import Reader, page
from halmirror.web.problems import Problem
from halmirror.web.values import value_label

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from halmirror.mirror import Mirror

KINDS: Final = ("type", "domain", "year", "author", "source")
_MOST_VALUES: Final = 2000


@reading
def browse(request: Request, mirror: Mirror) -> Response:
    """What there is to browse by, or the values of one kind; authors by a form."""
    reader = Reader.of(request, request.app.state.settings.serve)
    kind: str = request.path_params.get("kind", "")
    if kind and kind not in KINDS:
        raise Problem(404, "there is no such page")
    values: list[tuple[str, str, int]] = []
    if kind and kind != "author":
        counts = mirror.search(limit=0, facets=True).facets.get(kind, {})
        values = [(one, value_label(kind, one, reader.ui), many) for one, many in counts.items()]
        if kind == "year":
            values.sort(key=lambda value: value[0], reverse=True)
        elif kind == "domain":
            values.sort(key=lambda value: value[0])
        del values[_MOST_VALUES:]
    return page(request, reader, "browse.html", kind=kind, kinds=KINDS, values=values)
