"""A record in each form the web has it in: JSON, references, RDF, XML, a citation in a style."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from halmirror.errors import NotFoundError, UsageError
from halmirror.export import FORMATS, Wanted, load
from halmirror.record.citation import cite

if TYPE_CHECKING:
    from halmirror.mirror import Mirror
    from halmirror.record import Record
    from halmirror.record.labels import Ui

HTML: Final = "text/html"
JSON: Final = "application/json"
BIBLIOGRAPHY: Final = "text/x-bibliography"


@dataclass(frozen=True, slots=True)
class Form:
    """A form of a record: what ``format=`` calls it, its media type, its writer among exports.

    ``ending``: of a file's name; ``title``: as a button has it.
    """

    name: str
    media_type: str
    export: str
    ending: str
    title: str


FORMS: Final = (
    Form("json", JSON, "jsonl", ".json", "JSON"),
    Form("csl-json", "application/vnd.citationstyles.csl+json", "csl-json", ".csl.json", "CSL"),
    Form("bibtex", "application/x-bibtex", "bibtex", ".bib", "BibTeX"),
    Form("biblatex", "application/x-biblatex", "biblatex", ".bib", "biblatex"),
    Form("ris", "application/x-research-info-systems", "ris", ".ris", "RIS"),
    Form("schema.org", "application/ld+json", "schema.org", ".jsonld", "JSON-LD"),
    # Every document in N-Triples is one in Turtle (RDF 1.1 N-Triples, section 1).
    Form("turtle", "text/turtle", "ntriples", ".ttl", "Turtle"),
    Form("ntriples", "application/n-triples", "ntriples", ".nt", "N-Triples"),
    Form("oai_dc", "application/xml", "source", ".xml", "Dublin Core"),
)
"""The forms, in the order in which a client that takes any gets them."""

BY_NAME: Final = {form.name: form for form in FORMS}
BY_TYPE: Final = {form.media_type: form for form in FORMS}

_citing = threading.Lock()
"""citeproc-py is not made for several threads."""


def written(mirror: Mirror, record: Record, form: Form, *, at: int | None = None) -> bytes:
    """The record in a form.  Raises `NotFoundError` where it has no metadata to give."""
    if form.name == "json":
        return record.json() + b"\n"
    _, writer = load(form.export)
    out = io.BytesIO()
    wanted = Wanted(statement=mirror.statement())
    if FORMATS[form.export].takes == "sources":
        _, frame = mirror.source_metadata(record.versioned_id, at=at)
        writer([(record, frame.source)], out, wanted)
    elif record.body.titles or record.body.creators or record.head.status == "active":
        writer([record], out, wanted)
    else:
        raise NotFoundError(f"{record.versioned_id}: the mirror holds no metadata of it")
    return out.getvalue()


def citation(mirror: Mirror, record: Record, style: str, ui: Ui) -> str:
    """The record's citation in a bundled style.  Raises `UsageError`, `OutputError`."""
    if style == "hal":
        return cite(record, later_versions=mirror.has_later_version(record))
    from halmirror.export import csl

    if style not in csl.styles():
        raise UsageError(f"style: there is no '{style[:40]}'; there are {', '.join(styles())}")
    with _citing:
        return csl.cite(record, style, ui)


def styles() -> tuple[str, ...]:
    """The styles a citation comes in, HAL's own first."""
    from halmirror.export import csl

    return ("hal", *csl.styles())
