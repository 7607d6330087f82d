r"""biblatex: UTF-8, the entry types and fields of biblatex 3, for Biber.

The facts are those of HAL's BibTeX (`halmirror.export.facts`), under biblatex's names, with what
BibTeX has no field for: subtitle, day, language, abstract, ISSN and ISBN, arXiv and PubMed ids.
Letters stay as they are.  TeX's special characters are escaped outside ``$…$`` (a ``$`` without a
counterpart too); commands and braces of the source are left alone, as titles hold LaTeX.
"""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, Final

from halmirror.export.bibtex import address, citation_key, names, write_entries
from halmirror.export.facts import CONFERENCES, PLACED, Facts, facts
from halmirror.export.tex import balance
from halmirror.record.labels import language_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from halmirror.export import Wanted
    from halmirror.record import Record

_HOSTS: Final = {
    "article": "journaltitle",
    "review": "journaltitle",
    "periodical": "maintitle",
    "inproceedings": "booktitle",
    "incollection": "booktitle",
    "inreference": "booktitle",
    "online": "organization",
}
"""The field of what a work appeared in, where the entry type has one."""

_KINDS: Final = {"THESE": "phdthesis", "MEM": "mathesis"}
"""Localisation keys of biblatex for the field ``type``."""

_HABILITATION: Final = "Habilitation à diriger des recherches"
_EPRINTS: Final = (("arxiv", "arxiv"), ("hdl", "hdl"), ("pmid", "pubmed"))
_SPECIAL: Final = {
    "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
    "^": r"\textasciicircum{}", "$": r"\$",
}  # fmt: skip
_TOKEN = re.compile(r"\\.|\$[^$]*\$|[&%#_^$]", re.DOTALL)
_RANGE = re.compile(r"\s*[-–—]+\s*")


def write(records: Iterable[Record], out: IO[bytes], wanted: Wanted) -> int:
    """Write one entry a record as `halmirror.export.bibtex` does; return how many."""
    return write_entries(map(entry, records), out, wanted)


def entry(record: Record) -> str:
    """The biblatex entry of a record, with a line break at its end."""
    known = facts(record)
    fields: dict[str, str] = {}
    for name, value in _fields(known):
        if value:
            fields.setdefault(name, value)
    lines = "".join(f"  {name} = {value},\n" for name, value in fields.items())
    return f"@{known.kind.biblatex}{{{citation_key(record)},\n{lines}}}\n"


def latex(text: str) -> str:
    """``text`` on one line, braces balanced, TeX's special characters escaped."""
    return _TOKEN.sub(_escaped, balance(text))


def _escaped(match: re.Match[str]) -> str:
    return _SPECIAL.get(match.group(), match.group())


def _fields(known: Facts) -> Iterator[tuple[str, str | None]]:
    yield from _work(known)
    yield from _place(known)
    yield from _volume(known)
    yield from _identifiers(known)
    yield from _words(known)


def _work(known: Facts) -> Iterator[tuple[str, str | None]]:
    if known.title:
        yield "title", _text(known.title.value)
        yield "subtitle", _text(known.title.subtitle)
    if known.authors:
        yield "author", f"{{{names(known.authors, latex)}}}"
    if known.editors:
        yield "editor", f"{{{' and '.join(f'{{{latex(one)}}}' for one in known.editors)}}}"
    yield "date", _date(known)
    kind = _KINDS.get(known.code)
    yield "type", f"{{{kind}}}" if kind else _text(known.report_type)
    if known.code == "HDR":
        yield "type", _text(_HABILITATION)


def _place(known: Facts) -> Iterator[tuple[str, str | None]]:
    if known.conference:
        yield "eventtitle", _text(known.conference)
    container = known.container.title
    host = container or known.host
    if host and known.kind.biblatex in _HOSTS:
        yield _HOSTS[known.kind.biblatex], _text(host)
    elif known.host and known.entry == "misc":
        yield "howpublished", _text(known.host)
    if known.code in CONFERENCES:
        yield "venue", _text(known.place)
    elif known.code in PLACED:
        yield "location", _text(known.place)
    if known.organizers:
        listed = " and ".join(f"{{{latex(one)}}}" for one in known.organizers)
        yield "organization", f"{{{listed}}}"


def _volume(known: Facts) -> Iterator[tuple[str, str | None]]:
    container = known.container
    if known.publisher:
        yield "publisher", f"{{{{{latex(known.publisher)}}}}}"
    if known.authorities:
        listed = " and ".join(f"{{{latex(one)}}}" for one in known.authorities)
        yield "institution", f"{{{listed}}}"
    yield "series", _text(container.series)
    yield "volume", _text(container.volume)
    yield "number", _text(known.number or container.issue)
    if container.pages:
        yield "pages", _text(_RANGE.sub("--", container.pages))


def _identifiers(known: Facts) -> Iterator[tuple[str, str | None]]:
    held = known.identifiers
    if known.doi:
        yield "doi", _verbatim(known.doi)
    for name, values in (("isbn", held.isbn), ("issn", known.issns)):
        if values:
            yield name, _verbatim(", ".join(values))
    for scheme, name in _EPRINTS:
        for value in getattr(held, scheme):
            yield "eprint", _verbatim(value)
            yield "eprinttype", f"{{{name}}}"
            return


def _words(known: Facts) -> Iterator[tuple[str, str | None]]:
    body = known.body
    if body.landing_page:
        yield "url", address(body.landing_page)
    yield "note", _text(known.note)
    if known.swhids and known.entry == "softwareversion":
        yield "swhid", _verbatim(known.swhids[0])
    yield "language", _text(" and ".join(_language(one) for one in body.languages))
    if known.keywords:
        yield "keywords", _text(", ".join(one.value.replace(",", ";") for one in known.keywords))
    if known.abstract:
        yield "abstract", _text(known.abstract.value)
    if known.main_file:
        yield "file", address(known.main_file)


def _language(code: str) -> str:
    """Biblatex's name of a language (``french``); the code where it is not known."""
    return language_name(code, "en").lower()


def _date(known: Facts) -> str | None:
    """The date with its precision, as ISO 8601 has it; a date that no rule could read is none."""
    if known.body.year is None:
        return None
    parts = [f"{known.body.year:04d}", *(f"{one:02d}" for one in (known.month, known.day) if one)]
    return f"{{{'-'.join(parts)}}}"


def _text(text: str | None) -> str | None:
    return f"{{{latex(text)}}}" if text else None


def _verbatim(text: str) -> str:
    """A field that biblatex reads verbatim: nothing but its braces must be right."""
    return f"{{{balance(text)}}}"
