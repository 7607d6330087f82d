"""HAL's short citation, built from a record's parts where the source does not bring it.

HAL's ``oai_dc`` has the citation whole (`halmirror.record.citation.tail`); its ``oai_dcterms`` has
not, nor has a record that lost its own address.  Each document type has HAL's pattern
(CCSDForge/FinHal, ``Hal_Settings``), compared with lines that HAL wrote.  Parts that Dublin Core
does not tell apart are left out: editors, organizers, institutions, kinds of report, and of a
communication the publisher and year of its volume.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from halmirror.record import Container, Identifiers
from halmirror.record.labels import language_name
from halmirror.reference import domains

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halmirror.record import Body
    from halmirror.record.labels import Ui

MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
"""The months as HAL writes them, in any language."""

_AT_A_CONFERENCE: Final = frozenset({"COMM", "POSTER", "PRESCONF"})
_VOLUMES: Final = frozenset({"DOUV", "PROCEEDINGS", "ISSUE"})
_THESES: Final = frozenset({"THESE", "HDR", "MEM"})
_PLACED: Final = frozenset({"IMG", "MAP", "LECTURE", "PATENT"})
_YEAR_AND_PAGES: Final = frozenset({"OTHER", "UNDEFINED", "REPORT", "PATENT", "LECTURE"})
_YEAR_ALONE: Final = frozenset({"IMG", "MAP", "VIDEO", "SON", "SOFTWARE"})


def built_tail(body: Body) -> str:
    """The short citation by the pattern of the document's type; of no known type, an article's.

    Sentences end with a full stop; where the last part of one is not there, the comma before it
    stays, as in HAL's lines: ``2012, ⟨10.4000/x⟩``.
    """
    code = body.type.hal if body.type else None
    written, closed = "", True
    for group in (*_groups(body, code), (_mark(body, code),)):
        listed = ", ".join(part for part in group if part).rstrip(". ")
        if listed:
            written = f"{written}{'. ' if closed else ', '}{listed}" if written else listed
            closed = bool(group[-1])
    return written


def page_range(pages: str) -> str:
    """Pages as HAL's citation has them: ``pp.`` before, unless there is a ``p`` in them."""
    return pages if "p" in pages.lower() else f"pp.{pages}"


def _groups(body: Body, code: str | None) -> tuple[Sequence[str | None], ...]:
    """The parts of a type's pattern, in sentences."""
    container = body.container or Container()
    identifiers = body.identifiers or Identifiers()
    pages = page_range(container.pages) if container.pages else None
    place = next(iter(body.coverage), None)
    year = _year(body)
    event = (container.conference or container.title, _month_and_year(body) or year, place)
    publishers = "; ".join(body.publishers)
    volume = (container.volume, publishers, pages)
    bound = (container.series, "; ".join(identifiers.isbn))
    found: tuple[Sequence[str | None], ...]
    if code in _AT_A_CONFERENCE:
        found = event, (container.volume, pages, container.series)
    elif code in _VOLUMES and event[0]:
        found = event, (*volume, *bound)
    elif code == "OUV" or code in _VOLUMES:
        found = ((publishers, container.volume, pages, year, *bound),)
    elif code == "COUV":
        found = ((container.title, *volume, year, *bound),)
    elif code in _THESES:
        found = (_domain(body),), (year,), (_language(body) if code == "THESE" else None,)
    elif code in _YEAR_AND_PAGES or code in _YEAR_ALONE:
        found = _numbered(body, code, year, pages)
    else:
        found = (_article(body, container, year, pages),)
    return found


def _numbered(
    body: Body, code: str, year: str | None, pages: str | None
) -> tuple[Sequence[str | None], ...]:
    """Reports, patents, lectures, images, programs and the rest: place, number, year, pages."""
    identifiers = body.identifiers or Identifiers()
    where = next(iter(body.coverage), None) if code in _PLACED else None
    number = None
    if code == "REPORT":
        number = "; ".join(identifiers.report)
    elif code == "PATENT" and identifiers.patent:
        number = f"Patent n° : {'; '.join(identifiers.patent)}"
    shown = (where, number) if number else (where,)
    return shown, (year, pages if code in _YEAR_AND_PAGES else None)


def _article(
    body: Body, container: Container, year: str | None, pages: str | None
) -> Sequence[str | None]:
    issue = f"({container.issue})" if container.issue else None
    return (
        container.title or container.conference,
        next(iter(body.publishers), None),
        year,
        container.series,
        " ".join(part for part in (container.volume, issue) if part),
        pages,
    )


def _year(body: Body) -> str | None:
    return str(body.year) if body.year is not None else body.date


def _month_and_year(body: Body) -> str | None:
    """``Jul 2016`` in English, as HAL writes it, where the date has a month."""
    if body.date is None or body.year is None:
        return None
    month = body.date[5:7]
    known = body.date[4:5] == "-" and month.isdigit() and 1 <= int(month) <= len(MONTHS)
    return f"{MONTHS[int(month) - 1]} {body.year}" if known else None


def _ui(body: Body) -> Ui:
    """The language of labels: the document's where that is French, else English."""
    first = next(iter(body.languages), "")
    return "fr" if first.split("-", 1)[0].lower() == "fr" else "en"


def _language(body: Body) -> str | None:
    first = next(iter(body.languages), None)
    if first is None:
        return None
    name = language_name(first, _ui(body))
    return name[:1].upper() + name[1:] if name != first else None


def _domain(body: Body) -> str | None:
    """The name of the first domain alone, without those above it."""
    code = next(iter(body.domains), None)
    if code is None:
        return None
    return domains.label(code, _ui(body)) or domains.label(code, "en") or domains.label(code, "fr")


def _mark(body: Body, code: str | None) -> str | None:
    """The identifier in brackets: a thesis's number, a program's SWHID, else the DOI."""
    held = body.identifiers or Identifiers()
    if code == "THESE":
        return f"⟨NNT : {held.nnt[0]}⟩" if held.nnt else None
    if code == "SOFTWARE":
        known = (one.value for one in held.other if one.value.startswith("swh:"))
        return next((f"⟨{value}⟩" for value in known), None)
    return f"⟨{held.doi[0]}⟩" if held.doi else None
