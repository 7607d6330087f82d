"""``citation_*`` tags in a page's head: what Google Scholar and Zotero read.

The names are Highwire Press's, as Google Scholar's inclusion guidelines list them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halmirror.export.facts import CONFERENCES, THESES, facts
from halmirror.record.citation import display_name, with_subtitle
from halmirror.web.text import web_link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halmirror.export.facts import Facts
    from halmirror.record import Record


def tags(record: Record) -> list[tuple[str, str]]:
    """Names and contents of the tags, in order."""
    return [(name, value) for name, value in _tags(record) if value]


def _tags(record: Record) -> Iterator[tuple[str, str | None]]:
    known = facts(record)
    body = record.body
    yield "citation_title", with_subtitle(known.title) if known.title else None
    for name in known.authors:
        parts = [part for part in (name.family, name.given) if part]
        yield "citation_author", ", ".join(parts) if name.family else display_name(name)
    yield "citation_publication_date", (body.date or "").replace("-", "/")
    yield from _whole(known)
    yield from _numbers(known)
    yield "citation_publisher", known.publisher
    yield from (("citation_keywords", keyword.value) for keyword in body.keywords)
    yield from (("citation_language", code) for code in body.languages)
    yield "citation_abstract_html_url", web_link(body.landing_page)
    if body.access == "open":
        yield "citation_pdf_url", web_link(known.main_file)


def _whole(known: Facts) -> Iterator[tuple[str, str | None]]:
    """What the work appeared in, or who granted or issued it."""
    container = known.container
    if known.code in CONFERENCES or known.conference:
        yield "citation_conference_title", known.conference
    elif known.entry == "incollection":
        yield "citation_inbook_title", known.host
    else:
        yield "citation_journal_title", known.host
    yield "citation_volume", container.volume
    yield "citation_issue", container.issue
    first, _, last = (container.pages or "").partition("-")
    yield "citation_firstpage", first.strip()
    yield "citation_lastpage", last.strip("- ")
    kinds = dict.fromkeys(THESES, "dissertation") | {"REPORT": "technical_report"}
    if kind := kinds.get(known.code):
        for one in known.authorities:
            yield f"citation_{kind}_institution", one


def _numbers(known: Facts) -> Iterator[tuple[str, str | None]]:
    for name, values in (
        ("issn", known.issns),
        ("isbn", known.identifiers.isbn),
        ("arxiv_id", known.identifiers.arxiv),
        ("pmid", known.identifiers.pmid),
    ):
        yield from ((f"citation_{name}", value) for value in values)
    yield "citation_doi", known.doi
    if known.code == "REPORT":
        yield "citation_technical_report_number", known.number
