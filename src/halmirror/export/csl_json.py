"""CSL-JSON: an array of items of the Citation Style Language 1.0.2, for Zotero, pandoc, citeproc.

The facts are those of HAL's BibTeX (`halmirror.export.facts`).  An item's ``id`` is the key of
the BibTeX entry, so that a text cites alike with either file.  HAL's id and version stand in
``custom``, which citation styles leave alone.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import msgspec

from halmirror.export.bibtex import citation_key
from halmirror.export.facts import CONFERENCES, Facts, facts
from halmirror.record.citation import with_subtitle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from halmirror.export import Wanted
    from halmirror.record import Name, Record


def write(records: Iterable[Record], out: IO[bytes], wanted: Wanted) -> int:
    """Write the array, an item a line; return how many.  JSON has no place for a statement."""
    del wanted
    encode = msgspec.json.Encoder().encode
    count = 0
    for record in records:
        out.write((b",\n" if count else b"[\n") + encode(item(record)))
        count += 1
    out.write(b"\n]\n" if count else b"[]\n")
    return count


def item(record: Record) -> dict[str, Any]:
    """The item of a record; what is empty is left out."""
    known = facts(record)
    found: dict[str, Any] = {"id": citation_key(record), "type": known.kind.csl}
    for name, value in _variables(record, known):
        if value:
            found.setdefault(name, value)
    return found


def _variables(record: Record, known: Facts) -> Iterator[tuple[str, Any]]:
    if known.title:
        yield "title", with_subtitle(known.title)
    yield "author", [_name(one) for one in known.authors]
    yield "editor", [{"literal": one} for one in known.editors]
    yield "organizer", [{"literal": one} for one in known.organizers]
    yield "issued", _issued(known)
    yield from _place(known)
    yield from _numbers(known)
    yield from _words(record, known)


def _place(known: Facts) -> Iterator[tuple[str, Any]]:
    container = known.container
    yield "container-title", container.title or known.host
    yield "event-title", known.conference
    yield "event", known.conference
    if known.code == "PATENT":
        yield "jurisdiction", known.place
    elif known.code in CONFERENCES or known.code == "LECTURE":
        yield "event-place", known.place
    else:
        yield "publisher-place", known.place
    publishers = (*known.authorities, *((known.publisher,) if known.publisher else ()))
    yield "publisher", " ; ".join(publishers)
    yield "collection-title", container.series


def _numbers(known: Facts) -> Iterator[tuple[str, Any]]:
    container, held = known.container, known.identifiers
    yield "volume", container.volume
    yield "issue", container.issue
    yield "page", container.pages
    yield "number", known.number
    yield "DOI", known.doi
    yield "ISBN", " ".join(held.isbn)
    yield "ISSN", " ".join(known.issns)
    yield "PMID", next(iter(held.pmid), None)
    if known.swhids:
        yield "archive", "Software Heritage"
        yield "archive_location", known.swhids[0]


def _words(record: Record, known: Facts) -> Iterator[tuple[str, Any]]:
    yield "genre", known.genre
    yield "URL", known.body.landing_page
    yield "language", next(iter(known.body.languages), None)
    yield "keyword", " ; ".join(one.value for one in known.keywords)
    yield "abstract", known.abstract.value if known.abstract else None
    yield "note", known.note
    if ":" not in record.head.id:
        held = {"hal_id": record.head.id, "hal_version": record.head.version}
        yield "custom", {key: value for key, value in held.items() if value}


def _name(name: Name) -> dict[str, str]:
    if name.literal:
        return {"literal": name.literal}
    parts = (("family", name.family), ("given", name.given))
    return {key: part for key, part in parts if part}


def _issued(known: Facts) -> dict[str, Any]:
    """The date in parts; one that no rule could read stands as it came."""
    if known.body.year is None:
        return {"literal": known.body.date} if known.body.date else {}
    parts = [known.body.year, *(one for one in (known.month, known.day) if one)]
    return {"date-parts": [parts]}
