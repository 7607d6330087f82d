"""The search page: hits with the words marked, facets, what is in force, the query in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import RedirectResponse

from halmirror.errors import QueryError
from halmirror.mirror import SORTS, Filters
from halmirror.search.snippets import snippet, sought
from halmirror.web import searching
from halmirror.web.answering import reading
from halmirror.web.explained import explained
from halmirror.web.pages import Reader, page
from halmirror.web.place import record_path
from halmirror.web.text import marked
from halmirror.web.values import value_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markupsafe import Markup
    from starlette.requests import Request
    from starlette.responses import Response

    from halmirror.mirror import Hits, Mirror
    from halmirror.record import Record
    from halmirror.search.snippets import Sought

_FACETS: Final = ("type", "year", "domain", "lang", "access", "source")
_SHOWN: Final = 8
_AUTHORS: Final = 6


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a facet: its label, how many hits have it, and where it leads."""

    label: str
    count: int
    link: str
    chosen: bool


@reading
def search(request: Request, mirror: Mirror) -> Response:
    """The results of a query, or the form and the reason where it cannot be read."""
    reader = Reader.of(request, request.app.state.settings.serve)
    asked = searching.Asked.of(request, most=searching.PAGE)
    named = asked.identifier()
    if named and (record := mirror.get(named)) is not None:
        return RedirectResponse(reader.place.path(record_path(record.versioned_id)), 302)
    try:
        hits = asked.hits(mirror, facets=True)
        tree_of = asked.tree()
    except QueryError as error:
        return page(
            request, reader, "search.html", status=400, asked=asked, hits=None,
            error=(reader.ui == "fr" and error.french) or str(error),
            error_lang=reader.ui if error.french else "en", **_form(asked),
        )  # fmt: skip
    wanted = sought(tree_of)
    return page(
        request,
        reader,
        "search.html",
        asked=asked,
        hits=hits,
        error=None,
        sought=explained(tree_of, reader.ui),
        found=[_Hit(record, wanted) for record in hits.records],
        suggestion=_instead(asked, hits, reader),
        facets=list(_facets(hits, asked, reader)),
        chips=list(_chips(asked, reader)),
        first=asked.offset + 1,
        last=asked.offset + len(hits.records),
        next=asked.link(reader.place, cursor=hits.next) if hits.next else None,
        begin=asked.link(reader.place, cursor=None) if asked.cursor else None,
        exports=asked.pairs(),
        **_form(asked),
    )


def _form(asked: searching.Asked) -> dict[str, Any]:
    """What the form of the search shows again."""
    return {
        "sorts": SORTS,
        "kept": [pair for pair in asked.pairs() if pair[0] not in ("q", "sort")],
    }


def _instead(asked: searching.Asked, hits: Hits, reader: Reader) -> tuple[str, str] | None:
    """What may have been meant where nothing was found, and its address."""
    if hits.suggestion is None:
        return None
    other = replace(asked, q=hits.suggestion)
    return hits.suggestion, other.link(reader.place, cursor=None)


class _Hit:
    """A hit as the list shows it."""

    def __init__(self, record: Record, wanted: Sequence[Sought]) -> None:
        self.record = record
        self._wanted = wanted
        self.authors = record.body.creators[:_AUTHORS]
        self.more = len(record.body.creators) - _AUTHORS

    def mark(self, text: str) -> Markup:
        """The text with the words sought marked."""
        return marked(text, self._wanted)

    @property
    def abstract(self) -> tuple[Markup, str | None] | None:
        """A part of the abstract around the first word sought, and its language."""
        abstracts = self.record.body.abstracts
        if not abstracts:
            return None
        shown = [
            (marked(snippet(one.value, self._wanted), self._wanted), one.lang) for one in abstracts
        ]
        return next((pair for pair in shown if "<mark>" in pair[0]), shown[0])


def _facets(
    hits: Hits, asked: searching.Asked, reader: Reader
) -> Iterator[tuple[str, list[Choice], list[Choice]]]:
    """Each facet: its kind, the values always shown, and the rest."""
    for kind in _FACETS:
        counts = hits.facets.get(kind, {})
        chosen = getattr(asked.filters, kind)
        if len(counts) < 2 and not chosen:  # nothing to choose
            continue
        choices = [
            Choice(
                value_label(kind, value, reader.ui),
                count,
                asked.link(
                    reader.place,
                    **{kind: _toggled(chosen, value), "cursor": None},
                ),
                value in chosen,
            )
            for value, count in list(counts.items())[: searching.FACET_VALUES]
        ]
        if kind == "year":
            choices.sort(key=lambda one: one.label, reverse=True)
        choices.sort(key=lambda one: not one.chosen)
        yield kind, choices[:_SHOWN], choices[_SHOWN:]


def _toggled(chosen: tuple[str, ...], value: str) -> tuple[str, ...]:
    if value in chosen:
        return tuple(one for one in chosen if one != value)
    return (*chosen, value)


def _chips(asked: searching.Asked, reader: Reader) -> Iterator[tuple[str, str, str]]:
    """The filters in force: kind, value, and the address without it."""
    for kind in Filters.__struct_fields__:
        values = getattr(asked.filters, kind)
        for value in values:
            rest = tuple(one for one in values if one != value)
            link = asked.link(reader.place, **{kind: rest, "cursor": None})
            shown = value_label(kind, value, reader.ui)
            yield reader.word(f"facet.{kind}"), shown, link
