"""BibTeX, as HAL's own export writes it (CCSD's BibTeX style sheet, 2021).

Entry types, order and case of the fields, keys, layout and escaping are HAL's.  What Dublin
Core does not carry is left out: local references, the level of a lecture, version, repository
and licence of software.  Editors, organizers, school and institution are there where their
place in HAL's citation makes them certain (`halmirror.citation.roles`).

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

from halmirror.citation import Roles, roles
from halmirror.export.tex import balance, escape
from halmirror.record import Body, Container, Identifiers, Name, Record, versioned
from halmirror.reference.document_types import DOCUMENT_TYPES, by_term

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)
_TYPE_OF_TERM: Final = {
    "info:eu-repo/semantics/bachelorThesis": "MEM",
    "info:eu-repo/semantics/conferencePaper": "COMM",
    "info:eu-repo/semantics/workingPaper": "UNDEFINED",
}
"""HAL's type for info:eu-repo terms that HAL itself does not use but other repositories do."""

_TODAYS_TYPES: Final = {"SOFTWARE": "softwareversion", "PROCEEDINGS": "proceedings"}
"""Types that are newer than HAL's table of 2021, or whose entry has changed since."""

_CONFERENCES: Final = frozenset({"COMM", "DOUV", "PROCEEDINGS"})
_MEDIA: Final = frozenset({"IMG", "VIDEO", "SON", "MAP"})
_PLACED: Final = frozenset({"PATENT", "IMG", "MAP", "LECTURE"})
_PROCEEDINGS_WORDS = re.compile(r"proceeding|actes|conference|conférence|colloque", re.IGNORECASE)
_DEGREES: Final = {"THESE": "Theses", "HDR": r"Habilitation {\`a} diriger des recherches"}
_DEFAULT_NOTES: Final = {
    "UNDEFINED": "working paper or preprint",
    "POSTER": "Poster",
    "LECTURE": "Lecture",
}
_REPORT_TYPE = re.compile(r"\[([^\[\]]+)\] ?")
_REPORT_TYPES_IN_ENGLISH: Final = {
    "Rapport de recherche": "Research Report",
    "Rapport technique": "Technical Report",
}
_KEY_LETTERS: Final = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
_OUTSIDE_KEY_NAME = re.compile(r"[^a-z0-9]")
_OUTSIDE_KEY_ID = re.compile(r"[^A-Za-z0-9:._/+-]")
_SPLITS_NAME = re.compile(r",|(?:^|\s)and(?:\s|$)", re.IGNORECASE)
_OUTSIDE_ADDRESS = re.compile(r"[\x00-\x20\x7f{}\\]")
_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def write(records: Iterable[Record], out: IO[bytes], statement: str | None) -> int:
    """Write one entry a record, a blank line after each; return how many.

    ``statement`` (the source's terms of use) comes first, as ``%`` lines.
    """
    if statement:
        out.write(_comment(statement).encode())
    count = 0
    for record in records:
        out.write(f"{entry(record)}\n".encode())
        count += 1
    return count


def entry(record: Record) -> str:
    """The BibTeX entry of a record, with a line break at its end."""
    fields: dict[str, str] = {}
    for name, value in _fields(record):
        fields.setdefault(name, value)
    lines = "".join(f"  {name} = {value},\n" for name, value in fields.items())
    return f"@{entry_type(record.body)}{{{citation_key(record)},\n{lines}}}\n"


def citation_key(record: Record) -> str:
    """``firstauthor:id``: the first author's family name folded to ``a-z0-9``, and the id.

    The id has no version, save for software and for a superseded version (see the module).
    """
    head = record.head
    numbered = entry_type(record.body) == "softwareversion" or head.status == "superseded"
    shown = versioned(head.id, head.version if numbered else None)
    return f"{_key_name(record.body.creators)}:{_OUTSIDE_KEY_ID.sub('-', shown)}"


def entry_type(body: Body) -> str:
    """The entry type HAL gives a document of this type; ``misc`` where none is known."""
    code = _code(body)
    if code == "DOUV":
        return "proceedings" if _is_proceedings(body) else "book"
    if code in _TODAYS_TYPES:
        return _TODAYS_TYPES[code]
    known = DOCUMENT_TYPES.get(code)
    return known.bibtex if known else "misc"


def _comment(statement: str) -> str:
    """``statement`` as comment lines.

    BibTeX takes an ``@`` for the start of an entry even after ``%``.
    """
    plain = _LINES.sub(" ", statement).replace("@", "(at)")
    return "".join(f"% {line.strip()}".rstrip() + "\n" for line in plain.splitlines()) + "\n"


def _code(body: Body) -> str:
    if not body.type:
        return ""
    if body.type.hal:
        return body.type.hal
    term = body.type.info_eu_repo or ""
    return by_term(term) or _TYPE_OF_TERM.get(term, "")


def _is_proceedings(body: Body) -> bool:
    texts = [title.value for title in body.titles]
    container = body.container or Container()
    if container.series:
        texts.append(container.series)
    return bool(_conference(body)) or any(_PROCEEDINGS_WORDS.search(text) for text in texts)


def _conference(body: Body) -> str | None:
    """The title of the conference; a volume's container with an ISSN is a journal, none."""
    container = body.container or Container()
    if container.conference:
        return container.conference
    if _code(body) == "DOUV" and (container.issn or container.eissn):
        return None
    return container.title


def _fields(record: Record) -> Iterator[tuple[str, str]]:
    body = record.body
    known = roles(body)
    yield from _work(body)
    yield from _place(body, known)
    yield from _volume(body, known)
    yield from _dating(body)
    yield from _closing(body)
    if ":" not in record.head.id:
        yield "HAL_ID", _braced(balance(record.head.id))
        if record.head.version is not None:
            yield "HAL_VERSION", f"{{v{record.head.version}}}"


def _work(body: Body) -> Iterator[tuple[str, str]]:
    code = _code(body)
    if code in _MEDIA:
        yield "TYPE", _text(DOCUMENT_TYPES[code].en)
    if body.titles:
        yield "TITLE", _double(body.titles[0].value)
    if body.creators:
        yield "AUTHOR", _braced(" and ".join(_author(name) for name in body.creators))
    if body.landing_page:
        yield "URL", _address(body.landing_page)
    note = _note(code, body.notes)
    if note:
        yield "NOTE", _text(note)


def _place(body: Body, known: Roles) -> Iterator[tuple[str, str]]:
    code = _code(body)
    report_type = _REPORT_TYPE.match(body.citation or "") if code == "REPORT" else None
    if report_type:
        name = report_type.group(1)
        yield "TYPE", _text(_REPORT_TYPES_IN_ENGLISH.get(name, name))
    yield from _host(body)
    if code in _CONFERENCES and body.coverage:
        yield "ADDRESS", _text(body.coverage[0])
    if known.organizers:
        yield "ORGANIZATION", _double(" and ".join(known.organizers))
    number = _number(code, body.identifiers or Identifiers())
    if number:
        yield "NUMBER", _text(number)
    if code in _PLACED and body.coverage:
        yield "ADDRESS", _text(body.coverage[0])


def _host(body: Body) -> Iterator[tuple[str, str]]:
    """What the work appeared in, under the name its entry type has for that."""
    kind = entry_type(body)
    container = body.container or Container()
    conference = _conference(body)
    if kind == "article" and container.title:
        yield "JOURNAL", _double(container.title)
    elif kind == "incollection" and container.title:
        yield "BOOKTITLE", _double(container.title)
    elif kind in ("inproceedings", "proceedings") and conference:
        yield "BOOKTITLE", _double(conference)
    elif kind == "misc" and conference:
        yield "HOWPUBLISHED", _double(conference)


def _volume(body: Body, known: Roles) -> Iterator[tuple[str, str]]:
    container = body.container or Container()
    if known.editors:
        yield "EDITOR", _text(" and ".join(known.editors))
    if body.publishers:
        yield "PUBLISHER", _double(body.publishers[0])
    for name, value in (
        ("SERIES", container.series),
        ("VOLUME", container.volume),
        ("NUMBER", container.issue),
        ("PAGES", container.pages),
    ):
        if value:
            yield name, _text(value)
    if known.authorities:
        name = "INSTITUTION" if _code(body) == "REPORT" else "SCHOOL"
        yield name, _double(" ; ".join(known.authorities))


def _dating(body: Body) -> Iterator[tuple[str, str]]:
    if body.year is not None:
        yield "YEAR", f"{{{body.year}}}"
    month = re.match(r"-?\d{4}-(0[1-9]|1[0-2])(?:-|$)", body.date or "")
    if month:
        yield "MONTH", _MONTHS[int(month.group(1)) - 1]
    identifiers = body.identifiers or Identifiers()
    if entry_type(body) == "softwareversion":
        swhids = (item.value for item in identifiers.other if item.value.startswith("swh:"))
        for swhid in swhids:
            yield "SWHID", _braced(balance(swhid))
    if identifiers.doi:
        yield "DOI", _braced(balance(_doi(body, identifiers.doi[0])).replace("_", r"\_"))


def _closing(body: Body) -> Iterator[tuple[str, str]]:
    code = _code(body)
    if body.keywords:
        yield "KEYWORDS", _text(" ; ".join(keyword.value for keyword in body.keywords))
    if code in _DEGREES:
        yield "TYPE", _braced(_DEGREES[code])
    if body.files and code not in _MEDIA:
        main = next((file for file in body.files if "/file/" in file), body.files[0])
        yield "FILE" if entry_type(body) == "softwareversion" else "PDF", _address(main)


def _note(code: str, notes: tuple[str, ...]) -> str | None:
    comment = " ; ".join(notes)
    default = _DEFAULT_NOTES.get(code)
    if not comment or default is None or code == "UNDEFINED":
        return comment or default
    if code == "POSTER" and "poster" in comment.lower():
        return comment
    return f"{default} - {comment}"


def _number(code: str, identifiers: Identifiers) -> str | None:
    if code == "PATENT":
        numbers = identifiers.patent
    elif code == "REPORT":
        numbers = identifiers.report
    elif code in ("THESE", "HDR", "MEM"):
        numbers = identifiers.nnt
    else:
        numbers = ()
    return numbers[0] if numbers else None


def _doi(body: Body, doi: str) -> str:
    """The DOI in the letter case HAL's citation has it in, else as the record has it."""
    found = re.search(re.escape(doi), body.citation or "", re.IGNORECASE)
    return found.group() if found else doi


def _author(name: Name) -> str:
    if name.literal:
        return _braced(escape(name.literal))
    parts = (_name_part(part) for part in (name.family, name.given) if part)
    return ", ".join(parts)


def _name_part(part: str) -> str:
    escaped = escape(part)
    return _braced(escaped) if _SPLITS_NAME.search(part) else escaped


def _key_name(creators: tuple[Name, ...]) -> str:
    first = creators[0] if creators else Name()
    lower = (first.family or first.literal or "").lower().translate(_KEY_LETTERS)
    plain = _OUTSIDE_KEY_NAME.sub("", unicodedata.normalize("NFKD", lower))
    return plain or "anonymous"


def _address(address: str) -> str:
    """A URL as it is, but for what would break the entry: that is percent-encoded."""
    return _braced(_OUTSIDE_ADDRESS.sub(lambda match: f"%{ord(match.group()):02X}", address))


def _text(text: str) -> str:
    return _braced(escape(text))


def _double(text: str) -> str:
    return _braced(_braced(escape(text)))


def _braced(text: str) -> str:
    return f"{{{text}}}"
