"""What search and plain SQL know of a record: folded texts, facets, and a few columns.

An `Entry` is a pure function of a body, so it can be made where the body is, be it in a worker,
or again from what the mirror holds.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from halmirror.record.citation import main_title
from halmirror.search.folding import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from halmirror.record import Body, Name

_DATE = re.compile(r"([0-9]{4})(?![0-9])(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_json = msgspec.json.Encoder()


class Columns(NamedTuple):
    """The columns of the mirror's table ``entry`` after the content's number.

    ``sort_date`` is the number that ``date`` sorts by, 0 where there is no year.
    ``creators``, ``languages`` and ``domains`` are JSON lists; a creator is a list of family and
    given name, or of a whole name.
    """

    sort_date: int
    date: str | None
    year: int | None
    type: str | None
    title: str | None
    creators: str
    container: str | None
    languages: str
    domains: str
    access: str | None
    licence: str | None


class Entry(NamedTuple):
    """What one content is found by.

    ``texts`` are folded: title, creator, subject, abstract, other.  ``facets`` are (kind, value)
    pairs, a domain's parents among them.
    """

    texts: tuple[str, ...]
    facets: tuple[tuple[str, str], ...]
    columns: Columns


def entry_of(body: Body) -> Entry:
    """The entry of a body."""
    return Entry(tuple(map(fold, texts(body))), tuple(facets(body)), columns(body))


def columns(body: Body) -> Columns:
    """The columns of a body."""
    kind, container = body.type, body.container
    return Columns(
        sort_date=0 if body.year is None else sort_date(body.date),
        date=body.date,
        year=body.year,
        type=None if kind is None else kind.hal or next(iter(kind.other), None),
        title=main_title(body) or None,
        creators=_json.encode([_name(one) for one in body.creators]).decode(),
        container=None if container is None else container.title or container.conference,
        languages=_json.encode(body.languages).decode(),
        domains=_json.encode(body.domains).decode(),
        access=body.access,
        licence=body.licence or body.licence_url,
    )


def texts(body: Body) -> tuple[str, ...]:
    """The texts of a body as they are: title, creator, subject, abstract, other."""
    titles: list[str | None] = []
    for title in body.titles:
        titles += (title.value, title.subtitle)
    names: list[str | None] = []
    for name in body.creators:
        names += (name.given, name.family, name.literal)
    subjects = [one.value for one in body.keywords]
    subjects += [one.value for one in body.classifications]
    return (
        _text(titles),
        _text(names),
        "\n".join(subjects),
        "\n".join([one.value for one in body.abstracts]),
        _text(_other(body)),
    )


def facets(body: Body) -> list[tuple[str, str]]:
    """The (kind, value) pairs a content is found under, each once; a domain also by its parents."""
    found = []
    if body.type is not None and body.type.hal:
        found.append(("type", body.type.hal))
    if body.year is not None:
        found.append(("year", str(body.year)))
    found += dict.fromkeys([pair for domain in body.domains for pair in _lineage(domain)])
    found += dict.fromkeys([("lang", one.lower()) for one in body.languages])
    if body.access is not None:
        found.append(("access", body.access))
    return found


def sort_date(date: str | None) -> int:
    """The number a date sorts by: ``2018-03`` is 20180300; an interval's start; none is 0."""
    found = _DATE.match(date or "")
    if found is None:
        return 0
    year, month, day = found.groups("00")
    return int(year + month + day)


def _name(name: Name) -> tuple[str, ...]:
    if name.family is None:
        return (name.literal or name.given or "",)
    return (name.family, name.given or "")


@lru_cache(maxsize=4096)
def _lineage(domain: str) -> tuple[tuple[str, str], ...]:
    """The facets of ``shs.info.docu``: its own and those of the domains above it."""
    parts = domain.split(".")
    return tuple(("domain", ".".join(parts[:upto])) for upto in range(1, len(parts) + 1))


def _other(body: Body) -> list[str | None]:
    """Where it appeared, who was behind it, and all that is said besides."""
    container = body.container
    found: list[str | None] = []
    if container is not None:
        found += (container.title, container.series, container.conference, *container.also)
    found.append(body.citation)
    found += body.publishers
    found += body.contributors
    for affiliation in body.affiliations:
        found += (affiliation.name, affiliation.acronym)
        found += affiliation.parents
    for project in body.funding:
        found += (project.acronym, project.title, project.number)
    found += body.coverage
    found += body.notes
    return found


def _text(parts: Iterable[str | None]) -> str:
    return "\n".join(filter(None, parts))
