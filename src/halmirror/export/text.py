r"""The text view of a record, for a terminal: what HAL's record page gives.

Metadata come from strangers, so nothing of them reaches a terminal raw: control characters,
escape sequences and marks that turn the direction of writing are shown as ``\u202e`` and the
like.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final, NamedTuple

from halmirror.printable import printable
from halmirror.record import (
    Affiliation,
    Body,
    Container,
    Funding,
    Head,
    Identifiers,
    Record,
    SameAs,
    versioned,
)
from halmirror.record.citation import cite, display_name, with_subtitle
from halmirror.record.labels import (
    Ui,
    day,
    domain_label,
    label,
    labelled,
    language_name,
    type_label,
)
from halmirror.record.tails import page_range

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from halmirror.search.snippets import Sought

_NARROWEST: Final = 20
_INDENT: Final = "  "
_BOLD: Final = "\x1b[1m"
_PLAIN: Final = "\x1b[22m"
_SCHEMES: Final = (
    ("doi", "DOI"),
    ("arxiv", "arXiv"),
    ("pmid", "PMID"),
    ("nnt", "NNT"),
    ("isbn", "ISBN"),
    ("hdl", "Handle"),
)
_NUMBERS: Final = (("report", "Report no.", "Rapport n°"), ("patent", "Patent no.", "Brevet n°"))


class _Section(NamedTuple):
    """A heading and its paragraphs; ``whole`` ones are neither wrapped nor indented."""

    heading: str
    paragraphs: tuple[str, ...]
    whole: bool = False


def render(record: Record, ui: Ui, *, width: int = 80, later: bool = False) -> str:
    """The record as text of at most ``width`` columns, with a line break at its end.

    ``later`` tells that the mirror knows a later version: the citation then names this one.
    Addresses are never broken, and the citation stands on a line of its own.
    """
    columns = max(width, _NARROWEST)
    blocks = [
        _opening(record, ui, columns),
        *(
            _laid_out(section, columns)
            for section in _sections(record, ui, later=later)
            if section.paragraphs
        ),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def line(record: Record, ui: Ui) -> str:
    """The record on two lines, for a list: id and kind, then authors, title and tail."""
    body = record.body
    kind = (
        record.versioned_id,
        type_label(body.type, ui),
        None if body.year is None else str(body.year),
        None if record.head.status == "active" else _status(record.head, ui),
    )
    first = " · ".join(printable(part) for part in kind if part)
    return f"{first}\n{_INDENT}{printable(cite(record))}"


def excerpt(record: Record, wanted: Sequence[Sought], columns: int) -> list[str]:
    """A line of the first abstract or note that has a word looked for; none where none has."""
    # Showing a record marks nothing: it starts faster without.
    from halmirror.search.snippets import snippet, spans

    body = record.body
    for text in (*(one.value for one in body.abstracts), *body.notes):
        if next(spans(text, wanted), None) is not None:
            room = max(columns, _NARROWEST) - len(_INDENT) - len("…  …")
            return [_INDENT + printable(snippet(text, wanted, room))]
    return []


def marked(text: str, wanted: Sequence[Sought]) -> str:
    """The text with the words looked for in bold, for a terminal (ECMA-48, SGR)."""
    from halmirror.search.snippets import spans

    parts: list[str] = []
    place = 0
    for start, end in spans(text, wanted):
        parts += [text[place:start], _BOLD, text[start:end], _PLAIN]
        place = end
    return "".join([*parts, text[place:]])


def _laid_out(section: _Section, columns: int) -> str:
    lines = [section.heading]
    for paragraph in section.paragraphs:
        shown = printable(paragraph)
        lines += [shown] if section.whole else _wrapped(shown, columns, _INDENT)
    return "\n".join(lines)


def _wrapped(text: str, columns: int, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        columns,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _opening(record: Record, ui: Ui, columns: int) -> str:
    """Status where it is not active, kind of document, titles and authors."""
    body = record.body
    kind = (type_label(body.type, ui), _host(body), None if body.year is None else str(body.year))
    titles = (
        with_subtitle(title) + (f" [{language_name(title.lang, ui)}]" if title.lang else "")
        for title in body.titles
    )
    authors = ", ".join(display_name(name) for name in body.creators)
    blocks = (
        (_status(record.head, ui) or "",),
        (" · ".join(part for part in kind if part),),
        (*titles, authors),
    )
    laid_out = (
        "\n".join(row for text in block for row in _wrapped(printable(text), columns))
        for block in blocks
    )
    return "\n\n".join(block for block in laid_out if block)


def _status(head: Head, ui: Ui) -> str | None:
    if head.status in ("", "active"):
        return None
    words = label(f"status.{head.status}", ui)
    if head.status_since:
        words += f" {label('since', ui)} {head.status_since}"
    if head.followed_by:
        words += f", {label('followed_by', ui)} {head.followed_by}"
    return labelled(label("status", ui), words, ui)


def _host(body: Body) -> str | None:
    container = body.container
    if container is None:
        return None
    issue = f"({container.issue})" if container.issue else None
    number = " ".join(part for part in (container.volume, issue) if part)
    parts = (
        container.title or container.conference,
        number,
        page_range(container.pages) if container.pages else None,
    )
    return ", ".join(part for part in parts if part) or None


def _sections(record: Record, ui: Ui, *, later: bool) -> Iterator[_Section]:
    body = record.body
    for abstract in body.abstracts:
        language = f" ({printable(language_name(abstract.lang, ui))})" if abstract.lang else ""
        yield _Section(label("abstract", ui) + language, (abstract.value,))
    yield _files(body, ui)
    yield _Section(label("versions", ui), tuple(_dates(record, ui)))
    yield _Section(label("identifiers", ui), tuple(_identifiers(body, ui)))
    yield _Section(label("domains", ui), tuple(_domain(code, ui) for code in body.domains))
    yield _listing("keywords", (keyword.value for keyword in body.keywords), ui)
    yield _Section(label("licence", ui), tuple(_licence(body)))
    yield _Section(label("funding", ui), tuple(_funding(item) for item in body.funding))
    yield _Section(
        label("affiliations", ui), tuple(_affiliation(item) for item in body.affiliations)
    )
    yield _Section(label("contributors", ui), body.contributors)
    yield _Section(label("details", ui), tuple(_details(body, ui)))
    yield _Section(label("warnings", ui), body.warnings)
    yield _Section(label("citation", ui), (cite(record, later_versions=later),), whole=True)


def _listing(key: str, values: Iterable[str], ui: Ui) -> _Section:
    joined = " ; ".join(values)
    return _Section(label(key, ui), (joined,) if joined else ())


def _files(body: Body, ui: Ui) -> _Section:
    access = body.access or ("restricted" if body.files else "metadata-only")
    return _Section(label("files", ui), (label(f"access.{access}", ui), *body.files))


def _dates(record: Record, ui: Ui) -> Iterator[str]:
    """``hal-04493396, version 1 (2024-03-07)``; French sets the comma as HAL's page does."""
    head = record.head
    version = ""
    if head.version is not None:
        comma = " , " if ui == "fr" else ", "
        version = f"{comma}{label('version', ui)} {head.version}"
    added = f" ({day(head.datestamp, ui)})" if head.datestamp else ""
    yield f"{head.id}{version}{added}"
    if record.body.date:
        yield labelled(label("date", ui), day(record.body.date, ui), ui)
    for other in head.same_as:
        yield labelled(label("same_as", ui), _same_work(other, head.source), ui)


def _same_work(other: SameAs, source: str) -> str:
    """``hal-01000002v1 (portal; DOI, PMID)``: its source where that is another, and why."""
    names = ", ".join(name for key, name in _SCHEMES if key in other.by)
    place = "" if other.source == source else f"{other.source}; "
    return f"{versioned(other.id, other.version)} ({place}{names})"


def _identifiers(body: Body, ui: Ui) -> Iterator[str]:
    known = body.identifiers or Identifiers()
    for key, name in _SCHEMES:
        for value in getattr(known, key):
            yield labelled(name, value, ui)
    for key, english, french in _NUMBERS:
        for value in getattr(known, key):
            yield labelled(french if ui == "fr" else english, value, ui)
    for item in known.other:
        yield labelled(item.scheme, item.value, ui) if item.scheme else item.value
    container = body.container or Container()
    for name, number in (("ISSN", container.issn), ("EISSN", container.eissn)):
        if number:
            yield labelled(name, number, ui)
    if body.landing_page:
        yield labelled(label("landing_page", ui), body.landing_page, ui)


def _domain(code: str, ui: Ui) -> str:
    name = domain_label(code, ui)
    return f"{name} ({code})" if name else code


def _licence(body: Body) -> Iterator[str]:
    if body.licence:
        yield body.licence
    if body.licence_url:
        yield body.licence_url


def _funding(item: Funding) -> str:
    source = (item.funder, item.programme, item.call, item.number, item.acronym, item.title)
    year = f" ({item.year})" if item.year else ""
    return ", ".join(part for part in source if part) + year


def _affiliation(item: Affiliation) -> str:
    acronym = f" ({item.acronym})" if item.acronym else ""
    parents = f" – {' ; '.join(item.parents)}" if item.parents else ""
    return f"{item.name}{acronym}{parents}"


def _details(body: Body, ui: Ui) -> Iterator[str]:
    container = body.container or Container()
    audience = body.audience
    if audience in ("international", "national"):
        audience = label(f"audience.{audience}", ui)
    classifications = (
        f"{item.scheme} {item.value}" if item.scheme else item.value
        for item in body.classifications
    )
    rows: tuple[tuple[str, Iterable[str | None]], ...] = (
        ("languages", (language_name(code, ui) for code in body.languages)),
        ("conference", (container.conference if container.title else None, *container.also)),
        ("series", (container.series,)),
        ("publishers", body.publishers),
        ("coverage", body.coverage),
        ("audience", (audience,)),
        ("classifications", classifications),
        ("notes", body.notes),
    )
    for key, values in rows:
        joined = " ; ".join(value for value in values if value)
        if joined:
            yield labelled(label(key, ui), joined, ui)
