"""RIS, the tagged format of reference managers (Research Information Systems, 2011 tags).

The facts are those of HAL's BibTeX (`halmirror.export.facts`).  A value stands on one line: line
breaks and control characters become a blank.  Where one tag has several customary meanings the
one counts that EndNote's and Zotero's tables share for the reference type.
"""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, Final

from halmirror.export.bibtex import citation_key
from halmirror.export.facts import Facts, facts
from halmirror.record import versioned
from halmirror.record.citation import with_subtitle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from halmirror.export import Wanted
    from halmirror.record import Name, Record

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PAGES = re.compile(r"([^\s–-]+)\s*[–-]+\s*([^\s–-]+)")
_NUMBERED_AS_SERIALS: Final = frozenset({"REPORT", "PATENT"})


def write(records: Iterable[Record], out: IO[bytes], wanted: Wanted) -> int:
    """Write the references, a blank line after each; return how many.

    RIS has no comments: the statement has no place in it.
    """
    del wanted
    count = 0
    for record in records:
        out.write(f"{entry(record)}\r\n".encode())
        count += 1
    return count


def entry(record: Record) -> str:
    """The reference of a record: lines of ``TAG  - value``, each ended by CR and LF."""
    known = facts(record)
    lines = [("TY", known.kind.ris), ("ID", citation_key(record))]
    lines += [(tag, value) for tag, value in _tags(record, known) if value]
    body = "".join(f"{tag}  - {_CONTROLS.sub(' ', value)}\r\n" for tag, value in lines)
    return f"{body}ER  - \r\n"


def _tags(record: Record, known: Facts) -> Iterator[tuple[str, str | None]]:
    yield from _work(known)
    yield from _place(known)
    yield from _numbers(known)
    yield from _words(known)
    yield "AN", versioned(record.head.id, record.head.version)
    if ":" not in record.head.id:
        yield "DB", "HAL"


def _work(known: Facts) -> Iterator[tuple[str, str | None]]:
    if known.title:
        yield "TI", with_subtitle(known.title)
    others = (one for one in known.body.titles if one is not known.title)
    yield from (("TT", with_subtitle(one)) for one in others)
    yield from (("AU", name_of(one)) for one in known.authors)
    yield from (("A2", one) for one in known.editors)
    yield from (("A4", one) for one in known.organizers)
    if known.body.year is not None:
        yield "PY", f"{known.body.year:04d}"
        if known.month:
            day = f"{known.day:02d}" if known.day else ""
            yield "DA", f"{known.body.year:04d}/{known.month:02d}/{day}/"
    yield "M3", known.genre


def _place(known: Facts) -> Iterator[tuple[str, str | None]]:
    title = known.container.title
    yield "T2", known.host or title
    if title and title != (known.host or title):
        yield "C3", title
    yield "T3", known.container.series
    yield "CY", known.place
    yield from (("PB", one) for one in known.authorities)
    yield "PB", known.publisher


def _numbers(known: Facts) -> Iterator[tuple[str, str | None]]:
    container = known.container
    yield "VL", container.volume
    yield "IS", container.issue
    pages = _PAGES.fullmatch(container.pages or "")
    if pages:
        yield "SP", pages[1]
        yield "EP", pages[2]
    else:
        yield "SP", container.pages
    yield "SN" if known.code in _NUMBERED_AS_SERIALS else "M1", known.number
    yield from (("SN", one) for one in (*known.issns, *known.identifiers.isbn))
    yield "DO", known.doi
    yield from (("C1", one) for one in known.swhids)


def _words(known: Facts) -> Iterator[tuple[str, str | None]]:
    yield "UR", known.body.landing_page
    yield "L1", known.main_file
    yield "LA", next(iter(known.body.languages), None)
    yield from (("KW", one.value) for one in known.keywords)
    yield "AB", known.abstract.value if known.abstract else None
    yield "N1", known.note


def name_of(name: Name) -> str:
    """``Family, Given``, or the literal one."""
    return name.literal or ", ".join(part for part in (name.family, name.given) if part)
