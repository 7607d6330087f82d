"""What a reference says of a record, read once for BibTeX, biblatex, RIS, CSL-JSON and JSON-LD.

The rules are those of HAL's own BibTeX (CCSD's style sheet, 2021): which title is a journal's, a
book's or a conference's, which number counts, what a note says.  What Dublin Core does not carry
is left out: local references, the level of a lecture, version, repository and licence of software.
Editors, organizers and institutions are there where their place in HAL's citation makes them
certain (`halmirror.record.citation.roles`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from halmirror.record import Body, Container, Identifiers
from halmirror.record.citation import primary, roles, title_in
from halmirror.reference.document_types import DOCUMENT_TYPES, DocumentType, by_coar, by_term

if TYPE_CHECKING:
    from halmirror.record import Name, Record, Title, Value

_TYPE_OF_TERM: Final = {
    "info:eu-repo/semantics/bachelorThesis": "MEM",
    "info:eu-repo/semantics/conferencePaper": "COMM",
    "info:eu-repo/semantics/workingPaper": "UNDEFINED",
}
"""HAL's type for info:eu-repo terms that HAL itself does not use but other repositories do."""

_TODAYS_TYPES: Final = {"SOFTWARE": "softwareversion", "PROCEEDINGS": "proceedings"}
"""Types that are newer than HAL's table of 2021, or whose entry has changed since."""

CONFERENCES: Final = frozenset({"COMM", "DOUV", "PROCEEDINGS"})
MEDIA: Final = frozenset({"IMG", "VIDEO", "SON", "MAP"})
PLACED: Final = frozenset({"PATENT", "IMG", "MAP", "LECTURE"})
THESES: Final = frozenset({"THESE", "HDR", "MEM"})
_PROCEEDINGS_WORDS = re.compile(r"proceeding|actes|conference|conférence|colloque", re.IGNORECASE)
_DEFAULT_NOTES: Final = {
    "UNDEFINED": "working paper or preprint",
    "POSTER": "Poster",
    "LECTURE": "Lecture",
}
_GENRES: Final = {
    "THESE": ("Doctoral thesis", "Thèse de doctorat"),
    "HDR": ("Habilitation à diriger des recherches",) * 2,
    "MEM": ("Master's thesis", "Mémoire de master"),
    "POSTER": ("Poster", "Poster"),
    "IMG": ("Image", "Image"),
    "MAP": ("Map", "Carte"),
    "VIDEO": ("Video", "Vidéo"),
    "SON": ("Audio", "Son"),
}
"""What kind of its type a work is, in English and in French."""

_REPORT_TYPE = re.compile(r"\[([^\[\]]+)\] ?")
_REPORT_TYPES_IN_ENGLISH: Final = {
    "Rapport de recherche": "Research Report",
    "Rapport technique": "Technical Report",
}
_DATE = re.compile(r"-?\d{4}-(0[1-9]|1[0-2])(?:-(?:(0[1-9]|[12]\d|3[01])(?:T|$))?|$)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Facts:
    """A record as a reference has it; what it does not have is none or empty.

    ``code``: HAL's type, also where another repository's type means the same; ``kind``: its row
    in the table of types; ``entry``: HAL's BibTeX entry type; ``proceedings``: a volume of a
    conference.  ``title``: the one in the document's language, else English, else the first.
    ``host``: what the work appeared in, where its type appears in something; ``conference``: the
    conference's title.  ``genre``: what kind of its type it is, in the document's language where
    that is French.  ``month`` and ``day`` are 0 where the date has none.
    """

    body: Body
    code: str
    kind: DocumentType
    entry: str
    title: Title | None
    authors: tuple[Name, ...]
    editors: tuple[str, ...]
    organizers: tuple[str, ...]
    authorities: tuple[str, ...]
    note: str | None
    report_type: str | None
    genre: str | None
    abstract: Value | None
    host: str | None
    conference: str | None
    place: str | None
    number: str | None
    container: Container
    identifiers: Identifiers
    month: int
    day: int
    doi: str | None
    swhids: tuple[str, ...]
    keywords: tuple[Value, ...]
    main_file: str | None

    @property
    def publisher(self) -> str | None:
        """The first publisher."""
        return next(iter(self.body.publishers), None)

    @property
    def issns(self) -> tuple[str, ...]:
        """The ISSNs of what it appeared in, the printed one first."""
        return tuple(one for one in (self.container.issn, self.container.eissn) if one)


def facts(record: Record) -> Facts:
    """The facts of a record."""
    body = record.body
    code = type_code(body)
    known = roles(body)
    identifiers = body.identifiers or Identifiers()
    found = _DATE.match(body.date or "")
    return Facts(
        body=body,
        code=code,
        kind=_kind(body, code),
        entry=entry_type(body),
        title=title_in(body.titles, body.languages),
        authors=body.creators,
        editors=known.editors,
        organizers=known.organizers,
        authorities=known.authorities,
        note=_note(code, body.notes),
        report_type=_report_type(body) if code == "REPORT" else None,
        genre=_genre(body, code),
        abstract=_abstract(body),
        host=_host(body),
        conference=_conference_of(body, code),
        place=body.coverage[0] if body.coverage and code in CONFERENCES | PLACED else None,
        number=_number(code, identifiers),
        container=body.container or Container(),
        identifiers=identifiers,
        month=int(found[1]) if found else 0,
        day=int(found[2] or 0) if found else 0,
        doi=_doi(body, identifiers.doi[0]) if identifiers.doi else None,
        swhids=tuple(one.value for one in identifiers.other if one.value.startswith("swh:")),
        keywords=body.keywords,
        main_file=_main_file(body) if code not in MEDIA else None,
    )


def type_code(body: Body) -> str:
    """HAL's code of the document's type; empty where none means the same."""
    if not body.type:
        return ""
    if body.type.hal:
        return body.type.hal
    term = body.type.info_eu_repo or ""
    code = by_term(term) or _TYPE_OF_TERM.get(term)
    if code is None and body.type.coar:
        kind = by_coar(body.type.coar)
        code = kind.code if kind else None
    return code or ""


def entry_type(body: Body) -> str:
    """The entry type HAL gives a document of this type; ``misc`` where none is known."""
    code = type_code(body)
    if code == "DOUV":
        return "proceedings" if _is_proceedings(body) else "book"
    if code in _TODAYS_TYPES:
        return _TODAYS_TYPES[code]
    known = DOCUMENT_TYPES.get(code)
    return known.bibtex if known else "misc"


def _kind(body: Body, code: str) -> DocumentType:
    """The row of the type; that of other publications where none is known."""
    if code in DOCUMENT_TYPES:
        return DOCUMENT_TYPES["PROCEEDINGS" if code == "DOUV" and _is_proceedings(body) else code]
    coar = by_coar(body.type.coar) if body.type and body.type.coar else None
    return coar or DOCUMENT_TYPES["OTHER"]


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
    if type_code(body) == "DOUV" and (container.issn or container.eissn):
        return None
    return container.title


def _conference_of(body: Body, code: str) -> str | None:
    """The conference where the type has one: elsewhere a container is none."""
    if code in CONFERENCES or code in ("POSTER", "PRESCONF"):
        return _conference(body)
    return body.container.conference if body.container else None


def _host(body: Body) -> str | None:
    """What the work appeared in: a journal, a book, a conference's volume."""
    match entry_type(body):
        case "article" | "incollection":
            return body.container.title if body.container else None
        case "inproceedings" | "proceedings" | "misc":
            return _conference(body)
        case _:
            return None


def _report_type(body: Body) -> str | None:
    found = _REPORT_TYPE.match(body.citation or "")
    return _REPORT_TYPES_IN_ENGLISH.get(found[1], found[1]) if found else None


def _genre(body: Body, code: str) -> str | None:
    if code == "REPORT":
        return _report_type(body)
    names = _GENRES.get(code)
    return names[_in_french(body)] if names else None


def _in_french(body: Body) -> bool:
    return bool(body.languages) and primary(body.languages[0]) == "fr"


def _abstract(body: Body) -> Value | None:
    """The abstract in the document's language, else in English, else the first."""
    wanted = (*map(primary, body.languages), "en")
    by_language = {primary(one.lang): one for one in reversed(body.abstracts) if one.lang}
    found = (by_language[language] for language in wanted if language in by_language)
    return next(found, body.abstracts[0] if body.abstracts else None)


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
    elif code in THESES:
        numbers = identifiers.nnt
    else:
        numbers = ()
    return numbers[0] if numbers else None


def _doi(body: Body, doi: str) -> str:
    """The DOI in the letter case HAL's citation has it in, else as the record has it."""
    found = re.search(re.escape(doi), body.citation or "", re.IGNORECASE)
    return found.group() if found else doi


def _main_file(body: Body) -> str | None:
    files = body.files
    return next((file for file in files if "/file/" in file), files[0] if files else None)
