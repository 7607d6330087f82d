"""HAL's own citation line, and what its tail tells about a record.

The line on a HAL page is ``authors. title. tail. ⟨id⟩``.  The *tail* is HAL's short citation
(``La vie des idées, 2018``): HAL's Dublin Core carries it whole, as the ``dc:source`` right
after the record's address, and a record keeps it in ``body.citation``.

One thing can differ from the line on the page: HAL leaves middle names out of it, and Dublin
Core does not tell where a first name ends and a middle one starts.  So a given name is written
whole, as Dublin Core has it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

import msgspec

from halmirror.record import Affiliation, Body, Container, Name, Record, Title, versioned
from halmirror.record.tails import built_tail

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHOWN_AUTHORS = 5
"""As many authors stand in HAL's citation; further ones are ``et al.``."""

_BRACKETED = re.compile(
    r"(?:〈|<)(?P<inner>\s*(?:10\.|doi\b|NNT\b|swh:|https?:|hdl\b|arXiv\b)[^<>〈〉]*)(?:〉|>)",
    re.IGNORECASE,
)
_THESES = frozenset({"THESE", "HDR", "MEM"})
_EVENTS = frozenset({"COMM", "POSTER", "PRESCONF", "DOUV", "PROCEEDINGS", "ISSUE"})
_EDITED = _EVENTS | {"OUV", "COUV"}
_PART_STARTS = re.compile(r"(?:^|\. |, |\] )")
_JOIN = "; "
_MOST_ENDS = 8
"""How many separators on from its start a name can end: names hold separators of their own."""


class Roles(msgspec.Struct, frozen=True):
    """Contributors whose part is certain, from their place in the tail of HAL's citation.

    ``editors`` of a volume, ``organizers`` of a conference, ``authorities`` (the institutions
    that granted a degree or issued a report); each as the source writes it.
    """

    editors: tuple[str, ...] = ()
    organizers: tuple[str, ...] = ()
    authorities: tuple[str, ...] = ()


def cite(record: Record, *, later_versions: bool = False) -> str:
    """HAL's citation of a record, on one line.

    The id carries ``vN`` from version 2 on, or where ``later_versions`` says that the mirror
    knows a later one.  Without a tail (other repositories have none) one is built from the parts
    by HAL's pattern for the type (`halmirror.record.tails`).
    """
    number = record.head.version
    shown = number if number is not None and (number > 1 or later_versions) else None
    parts = (
        authors(record.body.creators),
        main_title(record.body),
        tail(record.body),
        f"⟨{versioned(record.head.id, shown)}⟩",
    )
    return ". ".join(part for part in parts if part)


def authors(creators: tuple[Name, ...]) -> str:
    """``Given Family`` of the first five, and ``et al.`` where there are more."""
    shown = [display_name(name) for name in creators[:SHOWN_AUTHORS]]
    if len(creators) > SHOWN_AUTHORS:
        shown.append("et al.")
    return ", ".join(shown)


def display_name(name: Name) -> str:
    """A name in reading order: ``Given Family``, or the literal one."""
    if name.literal:
        return name.literal
    return " ".join(part for part in (name.given, name.family) if part)


def title_in(titles: tuple[Title, ...], languages: tuple[str, ...]) -> Title | None:
    """The title in the first language that has one, else the English, else the first."""
    first: dict[str, Title] = {}
    for title in titles:
        if title.lang:
            first.setdefault(primary(title.lang), title)
    wanted = (first.get(primary(language)) for language in (*languages, "en"))
    return next((title for title in wanted if title), titles[0] if titles else None)


def with_subtitle(title: Title) -> str:
    """``Titre : sous-titre`` in French, ``Title: subtitle`` in any other language."""
    if not title.subtitle:
        return title.value
    colon = " : " if title.lang and primary(title.lang) == "fr" else ": "
    return f"{title.value}{colon}{title.subtitle}"


def main_title(body: Body) -> str:
    """The title in the document's language, else English, else the first, with its subtitle."""
    title = title_in(body.titles, body.languages)
    return with_subtitle(title) if title else ""


def tail(body: Body) -> str:
    """What follows the title, without an end mark: HAL's own, or one built from the parts.

    HAL wrote ``<>`` around a DOI, NNT, SWHID or address until 2015, ``〈〉`` (U+3008) until
    about 2019 and ``⟨⟩`` (U+27E8) since: all become the last.  Other text in such brackets,
    a Chinese title for one, stays as it is.
    """
    if body.citation:
        return _BRACKETED.sub(r"⟨\g<inner>⟩", body.citation).rstrip(". ")
    return built_tail(body)


def roles(body: Body) -> Roles:
    """Editors, organizers and authorities, where contributors stand in their place in the tail.

    The places are those of HAL's citation patterns: editors before the volume's title or its
    publisher, organizers after the conference, authorities before the year.  A contributor
    that is not found there word for word has no certain role and is in none of the three.
    """
    code = body.type.hal if body.type else None
    if not code or not body.citation:
        return Roles()
    names = _contributor_names(body)
    if code in _EDITED:
        editors, rest = _listed(body.citation, names, ". ") or ((), body.citation)
        organizers = _organizers(body, rest, names) if code in _EVENTS else ()
        return Roles(editors=editors, organizers=organizers)
    if code in _THESES or code == "REPORT":
        return Roles(authorities=_authorities(body, names))
    return Roles()


def primary(language: str) -> str:
    """The language of a tag (BCP 47) without script and region: ``fr`` of ``fr-CA``."""
    return language.split("-", 1)[0].lower()


def _contributor_names(body: Body) -> frozenset[str]:
    """Contributors as they stood in the source.

    One that ends in an acronym is kept as an affiliation; HAL's citation has it as it came.
    """
    affiliations = (_as_it_came(item) for item in body.affiliations if not item.parents)
    return frozenset((*body.contributors, *affiliations))


def _as_it_came(affiliation: Affiliation) -> str:
    if not affiliation.acronym:
        return affiliation.name
    return f"{affiliation.name} ({affiliation.acronym})"


def _listed(
    text: str, names: frozenset[str], end: str, starts: Iterable[int] = (0,)
) -> tuple[tuple[str, ...], str] | None:
    """The names, joined by ``; `` up to ``end``, at the first of ``starts`` where some stand.

    Gives them and what follows ``end``; of names that begin alike the longest counts.  A place
    from which no list was found is not walked again, so that the work grows with the text.
    """
    if not names:
        return None
    joins, ends = _places(_JOIN, text), _places(end, text)
    lengths = frozenset(map(len, names))
    walked: set[int] = set()
    for start in starts:
        found: list[str] = []
        place = start
        while place not in walked:
            walked.add(place)
            last = _name_at(place, ends, text, names, lengths)
            if last is not None:
                return (*found, last), text[place + len(last) + len(end) :]
            name = _name_at(place, joins, text, names, lengths)
            if name is None:
                break
            found.append(name)
            place += len(name) + len(_JOIN)
    return None


def _places(mark: str, text: str) -> list[int]:
    return [found.start() for found in re.finditer(re.escape(mark), text)]


def _name_at(
    start: int, ends: list[int], text: str, names: frozenset[str], lengths: frozenset[int]
) -> str | None:
    """The longest of the names that stands at ``start`` and ends at one of ``ends``."""
    first = bisect_left(ends, start)
    for end in reversed(ends[first : first + _MOST_ENDS]):
        if end - start in lengths and text[start:end] in names:
            return text[start:end]
    return None


def _organizers(body: Body, text: str, names: frozenset[str]) -> tuple[str, ...]:
    container = body.container or Container()
    for conference in (container.conference, container.title):
        if conference and text.startswith(f"{conference}, "):
            listed = _listed(text[len(conference) + 2 :], names, ", ")
            return listed[0] if listed else ()
    return ()


def _authorities(body: Body, names: frozenset[str]) -> tuple[str, ...]:
    if body.year is None or body.citation is None:
        return ()
    mark = ". " if body.type and body.type.hal == "REPORT" else ", "
    starts = _starts(body.citation)
    listed = _listed(body.citation, names, f"{mark}{body.year}", starts)
    return listed[0] if listed else ()


def _starts(text: str) -> Iterator[int]:
    return (match.end() for match in _PART_STARTS.finditer(text))
