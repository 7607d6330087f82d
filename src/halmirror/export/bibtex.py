"""BibTeX, as HAL's own export writes it (CCSD's BibTeX style sheet, 2021).

Entry types, order and case of the fields, keys, layout and escaping are HAL's; what a field says
is in `halmirror.export.facts`.

Choices where HAL's own output leaves room:

* Without an author the key begins with ``anonymous``.
* Software is a ``softwareversion`` with the version in its key, as HAL has written it since
  2021 (a plain ``misc`` before).
* A superseded version has its version in the key, so that a file with all versions of a
  document has no key twice; HAL repeats the key.
* A collective author, and a name part with a comma or the word ``and``, stands in braces of
  its own, since BibTeX would take it apart.
"""

from __future__ import annotations

import re
import unicodedata
from typing import IO, TYPE_CHECKING, Final

from halmirror.export.facts import CONFERENCES, MEDIA, PLACED, Facts, entry_type, facts
from halmirror.export.tex import balance, escape
from halmirror.record import Name, versioned
from halmirror.record.tails import MONTHS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from halmirror.export import Wanted
    from halmirror.record import Record

_HOSTS: Final = {"article": "JOURNAL", "misc": "HOWPUBLISHED"}
"""What the field of a host is called where that is not BOOKTITLE."""

_DEGREES: Final = {"THESE": "Theses", "HDR": r"Habilitation {\`a} diriger des recherches"}
_KEY_LETTERS: Final = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
_OUTSIDE_KEY_NAME = re.compile(r"[^a-z0-9]")
_OUTSIDE_KEY_ID = re.compile(r"[^A-Za-z0-9:._/+-]")
_SPLITS_NAME = re.compile(r",|(?:^|\s)and(?:\s|$)", re.IGNORECASE)
_OUTSIDE_ADDRESS = re.compile(r"[\x00-\x20\x7f{}\\]")
_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def write(records: Iterable[Record], out: IO[bytes], wanted: Wanted) -> int:
    """Write one entry a record, a blank line after each; return how many.

    The sources' terms of use come first, as ``%`` lines.
    """
    return write_entries(map(entry, records), out, wanted)


def write_entries(entries: Iterable[str], out: IO[bytes], wanted: Wanted) -> int:
    """Write entries as `write` does."""
    if wanted.statement:
        out.write(_comment(wanted.statement).encode())
    count = 0
    for text in entries:
        out.write(f"{text}\n".encode())
        count += 1
    return count


def entry(record: Record) -> str:
    """The BibTeX entry of a record, with a line break at its end."""
    known = facts(record)
    fields: dict[str, str] = {}
    for name, value in _fields(record, known):
        fields.setdefault(name, value)
    lines = "".join(f"  {name} = {value},\n" for name, value in fields.items())
    return f"@{known.entry}{{{citation_key(record)},\n{lines}}}\n"


def citation_key(record: Record) -> str:
    """``firstauthor:id``: the first author's family name folded to ``a-z0-9``, and the id.

    The id has no version, save for software and for a superseded version (see the module).
    """
    head = record.head
    numbered = entry_type(record.body) == "softwareversion" or head.status == "superseded"
    shown = versioned(head.id, head.version if numbered else None)
    return f"{_key_name(record.body.creators)}:{_OUTSIDE_KEY_ID.sub('-', shown)}"


def _comment(statement: str) -> str:
    """``statement`` as comment lines.

    BibTeX takes an ``@`` for the start of an entry even after ``%``.
    """
    plain = _LINES.sub(" ", statement).replace("@", "(at)")
    return "".join(f"% {line.strip()}".rstrip() + "\n" for line in plain.splitlines()) + "\n"


def address(text: str) -> str:
    """A URL as it is, but for what would break the entry: that is percent-encoded."""
    return _braced(_OUTSIDE_ADDRESS.sub(lambda match: f"%{ord(match.group()):02X}", text))


def names(people: Iterable[Name], escaped: Callable[[str], str]) -> str:
    """Names joined by ``and``, those that BibTeX would take apart in braces of their own."""
    return " and ".join(_author(name, escaped) for name in people)


def _fields(record: Record, known: Facts) -> Iterator[tuple[str, str]]:
    yield from _work(known)
    yield from _place(known)
    yield from _volume(known)
    yield from _dating(known)
    yield from _closing(known)
    if ":" not in record.head.id:
        yield "HAL_ID", _braced(balance(record.head.id))
        if record.head.version is not None:
            yield "HAL_VERSION", f"{{v{record.head.version}}}"


def _work(known: Facts) -> Iterator[tuple[str, str]]:
    body = known.body
    if known.code in MEDIA:
        yield "TYPE", _text(known.kind.en)
    if body.titles:
        yield "TITLE", _double(body.titles[0].value)
    if known.authors:
        yield "AUTHOR", _braced(names(known.authors, escape))
    if body.landing_page:
        yield "URL", address(body.landing_page)
    if known.note:
        yield "NOTE", _text(known.note)


def _place(known: Facts) -> Iterator[tuple[str, str]]:
    if known.report_type:
        yield "TYPE", _text(known.report_type)
    if known.host:
        yield _HOSTS.get(known.entry, "BOOKTITLE"), _double(known.host)
    if known.code in CONFERENCES and known.place:
        yield "ADDRESS", _text(known.place)
    if known.organizers:
        yield "ORGANIZATION", _double(" and ".join(known.organizers))
    if known.number:
        yield "NUMBER", _text(known.number)
    if known.code in PLACED and known.place:
        yield "ADDRESS", _text(known.place)


def _volume(known: Facts) -> Iterator[tuple[str, str]]:
    container = known.container
    if known.editors:
        yield "EDITOR", _text(" and ".join(known.editors))
    if known.publisher:
        yield "PUBLISHER", _double(known.publisher)
    for name, value in (
        ("SERIES", container.series),
        ("VOLUME", container.volume),
        ("NUMBER", container.issue),
        ("PAGES", container.pages),
    ):
        if value:
            yield name, _text(value)
    if known.authorities:
        name = "INSTITUTION" if known.code == "REPORT" else "SCHOOL"
        yield name, _double(" ; ".join(known.authorities))


def _dating(known: Facts) -> Iterator[tuple[str, str]]:
    if known.body.year is not None:
        yield "YEAR", f"{{{known.body.year}}}"
    if known.month:
        yield "MONTH", MONTHS[known.month - 1]
    if known.entry == "softwareversion":
        for swhid in known.swhids:
            yield "SWHID", _braced(balance(swhid))
    if known.doi:
        yield "DOI", _braced(balance(known.doi).replace("_", r"\_"))


def _closing(known: Facts) -> Iterator[tuple[str, str]]:
    if known.keywords:
        yield "KEYWORDS", _text(" ; ".join(keyword.value for keyword in known.keywords))
    if known.code in _DEGREES:
        yield "TYPE", _braced(_DEGREES[known.code])
    if known.main_file:
        yield "FILE" if known.entry == "softwareversion" else "PDF", address(known.main_file)


def _author(name: Name, escaped: Callable[[str], str]) -> str:
    if name.literal:
        return _braced(escaped(name.literal))
    parts = (_name_part(part, escaped) for part in (name.family, name.given) if part)
    return ", ".join(parts)


def _name_part(part: str, escaped: Callable[[str], str]) -> str:
    written = escaped(part)
    # What is blank once it stands on one line is no name to BibTeX either.
    return _braced(written) if _SPLITS_NAME.search(part) or not written.strip() else written


def _key_name(creators: tuple[Name, ...]) -> str:
    first = creators[0] if creators else Name()
    lower = (first.family or first.literal or "").lower().translate(_KEY_LETTERS)
    plain = _OUTSIDE_KEY_NAME.sub("", unicodedata.normalize("NFKD", lower))
    return plain or "anonymous"


def _text(text: str) -> str:
    return _braced(escape(text))


def _double(text: str) -> str:
    return _braced(_braced(escape(text)))


def _braced(text: str) -> str:
    return f"{{{text}}}"
