"""Identifiers and addresses of everyone else's records: schemes, pages, files, ISSNs, citations.

`settle` places what ``dc:identifier`` holds, `settle_relations` finds an EPrints page among the
related addresses; both when all values are known, since the record's own page decides about
the rest.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from halmirror.crosswalks import dublin_core as dc
from halmirror.record import Container
from halmirror.record.identifiers import arxiv, doi, handle, isbn, issn, pmid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from halmirror.crosswalks.draft import GenericDraft

_LABELS: tuple[tuple[str, str, Callable[[str], str | None], tuple[str, ...]], ...] = (
    ("doi", "DOI", doi, ("doi:", "info:doi/", "urn:doi:")),
    ("hdl", "HDL", handle, ("hdl:", "info:hdl/", "handle:")),
    ("arxiv", "ARXIV", arxiv, ("arxiv:", "oai:arxiv.org:")),
    ("pmid", "PUBMED", pmid, ("pmid:", "pmid ", "info:pmid/", "pubmed:")),
    ("isbn", "ISBN", isbn, ("isbn:", "isbn ", "isbn-1", "urn:isbn:")),
)
"""How an identifier says its scheme: key, the scheme's name, its check, what stands before it."""
_DOI_AGAIN = re.compile(
    r"(?:https?://(?:dx\.|www\.)?doi\.org/|doi:\s*)(?:https?://(?:dx\.|www\.)?doi\.org/|doi:\s*|//)"
    r"(10\..+)",
    re.ASCII | re.IGNORECASE,
)
_RESOLVER = re.compile(
    r"https?://(?:(?:dx\.|www\.)?doi\.org|hdl\.handle\.net|(?:www\.|export\.)?arxiv\.org"
    r"|(?:www\.|pubmed\.)?ncbi\.nlm\.nih\.gov)/",
    re.ASCII | re.IGNORECASE,
)
"""The hosts the checks know; other addresses, which are the most, need no check."""
_BARE_ISBN = re.compile(r"97[89](?:[- ]*[0-9]){10}|(?:[0-9]+ ?- ?){3}[0-9Xx]", re.ASCII)
_BARE_ISSN = re.compile(r"[0-9]{4}-[0-9]{3}[0-9Xx]", re.ASCII)
_YEARS = re.compile(r"(1[4-9]|20)[0-9]{2}-(1[4-9]|20)[0-9]{2}", re.ASCII)
_ISSN_LABEL = re.compile(r"(?:(e|p)-?)?issn(?: ?:| ) ?(.+)|urn:issn:(.+)", re.IGNORECASE)
_NAMED = (("oai:", "OAI"), ("urn:", "URN"), ("ark:/", "ARK"), ("pmc", "PMC"))
_PMC = re.compile(r"pmc(?:id:? ?)?(?:PMC)?[0-9]+", re.ASCII | re.IGNORECASE)
_BETWEEN = re.compile(r"\s*[;|]\s+|,\s+|\s+[|]\s*|\s+(?=https?://)")
_FILE = re.compile(
    r"\.(?:pdf|docx?|odt|rtf|ps|ps\.gz|epub|pptx?|xlsx?|ods|csv|tex|zip|tar|gz|tiff?|jpe?g|png|gif"
    r"|mp[34]|wav|avi|mov|cif)$|/bitstreams?/",
    re.IGNORECASE,
)
_BELOW = re.compile(r"/(?:files?|download)(?:/|$)", re.IGNORECASE)
_AFTER_PATH = re.compile(r"[?#].*")
_HOME = re.compile(r"https?://[^/?#]*/?(?:#.*)?")
YEAR = re.compile(r"(?<![0-9])(?:1[5-9]|20)[0-9]{2}(?![0-9])", re.ASCII)
_EPRINT = re.compile(r"https?://([^/]+)/([0-9]+)/?", re.ASCII)
_MOST_FOLDERS = 12
_MOST_PIECES = 20
_LONGEST = 2000
"""What is longer than these is not taken apart."""


def is_address(text: str) -> bool:
    """Whether a text is one web address and nothing else."""
    return text.startswith(("http://", "https://")) and " " not in text


def settle(draft: GenericDraft) -> None:
    """The record's own page first, since further addresses depend on it; then each in its place."""
    local = draft.own.rpartition(":")[2]
    draft.page = next((text for _, text in draft.named if _ends_in(text, local)), None)
    for index, text in draft.named:
        if text == draft.own and not _speaks(text):
            draft.own_name(index, "own identifier")
            continue
        if dc.alternative_identifier(draft, index, text):
            continue
        pieces = _BETWEEN.split(text) if " " in text and len(text) < _LONGEST else [text]
        if 1 < len(pieces) <= _MOST_PIECES and all(_speaks(piece) for piece in pieces):
            draft.together(
                index,
                "identifiers in one value",
                [partial(_one_identifier, draft, index, piece) for piece in pieces],
            )
        else:
            _one_identifier(draft, index, text)


def _ends_in(text: str, local: str) -> bool:
    """Whether an address ends in the local part of the OAI identifier, as a page's own does."""
    text = text.rstrip("/")
    return (
        len(local) > 2
        and text.endswith(local)
        and text[: -len(local)].endswith(("/", "="))
        and is_address(text)
    )


def _speaks(text: str) -> bool:
    """Whether a text says by itself what identifier it is."""
    if is_address(text):
        return True
    return _scheme_of(text)[0] is not None or (
        _ISSN_LABEL.fullmatch(text) is not None and issn(text) is not None
    )


def _scheme_of(text: str) -> tuple[str | None, str]:
    """The key of the scheme an identifier says, and the text to check; a wrong one says it too."""
    start = text[:16].casefold().replace(" :", ":")
    if "doi" in start:
        again = _DOI_AGAIN.fullmatch(text)
        if again:
            return "doi", f"doi:{again[1]}"
    if start.startswith("http"):
        if not _RESOLVER.match(text):
            return None, text
        return next((scheme for scheme, _, check, _ in _LABELS if check(text)), None), text
    labelled = next((scheme for scheme, _, _, marks in _LABELS if start.startswith(marks)), None)
    return labelled or _bare_scheme(text), text


def _bare_scheme(text: str) -> str | None:
    """The scheme an identifier's form alone shows; bare digits and handles show none."""
    if text.startswith("10.") and doi(text):
        return "doi"
    return "isbn" if _BARE_ISBN.fullmatch(text) and isbn(text) else None


def _one_identifier(draft: GenericDraft, index: int, text: str) -> None:
    scheme, value = _scheme_of(text)
    address = is_address(text)
    where = _address_place(draft, text) if address else None
    if scheme is not None:
        given = next(name for key, name, _, _ in _LABELS if key == scheme)
        draft.identify(scheme, value, index, given)
        if where == "landing_page":
            draft.landing_page = text
    elif where == "landing_page":
        draft.tell_of_one(index, "address", where, again=draft.landing_page == text)
        draft.landing_page = text
    elif where == "files":
        draft.put(draft.files, "files", text, index, "address of a file")
    elif address or not (place_issn(draft, index, text) or _place_citation(draft, index, text)):
        draft.other_identifier(text, _name_of(text), index, "identifier without scheme")


def _address_place(draft: GenericDraft, address: str) -> str | None:
    """Where an address belongs: a file by its ending, or the record's page; None for neither.

    A host's own home page is nobody's page, and a further address is only an identifier.
    """
    if address in (draft.page, draft.landing_page):
        return "landing_page"
    page = (draft.page or draft.landing_page or "").rstrip("/")
    below = page and address.startswith(f"{page}/") and _BELOW.search(address, len(page))
    if below or _FILE.search(_AFTER_PATH.sub("", address)):
        return "files"
    return None if page or _HOME.fullmatch(address) else "landing_page"


def _name_of(text: str) -> str | None:
    start = text[:5].casefold()
    for mark, name in _NAMED:
        if start.startswith(mark):
            return name if name != "PMC" or _PMC.fullmatch(text) else None
    return None


def place_issn(draft: GenericDraft, index: int, text: str) -> bool:
    """Places an ISSN that says so, or that has the form and check digit of one and is no years."""
    labelled = _ISSN_LABEL.fullmatch(text)
    if labelled is None and (not _BARE_ISSN.fullmatch(text) or _YEARS.fullmatch(text)):
        return False
    value = issn((labelled[2] or labelled[3]) if labelled else text)
    if value is None:
        if labelled is None:
            return False
        draft.other_identifier(text, "ISSN", index, "failed check")
        draft.warn(index, f"container.issn: {text!r} fails its check; kept under identifiers.other")
        return True
    held = draft.container or Container()
    electronic = bool(labelled and labelled[1] and labelled[1].casefold() == "e")
    there = held.eissn if electronic else held.issn
    if there not in (None, value):
        draft.other_identifier(text, "ISSN", index, "further ISSN")
        return True
    draft.container = Container(
        issn=held.issn if electronic else value, eissn=value if electronic else held.eissn
    )
    where = "container.eissn" if electronic else "container.issn"
    draft.tell_of_one(index, "ISSN", where, again=there == value)
    return True


def _place_citation(draft: GenericDraft, index: int, text: str) -> bool:
    """Several words and a year in an identifier are the work's citation.

    DCMI's guidelines for citations (2005) put it there, as DSpace, EPrints and arXiv do.
    """
    if draft.citation == text:
        draft.tell(index, "citation", "repetition of citation")
        return True
    if draft.citation or text.count(" ") < 4 or not YEAR.search(text):
        return False
    draft.citation = text
    draft.tell(index, "citation", "citation")
    return True


def settle_relations(draft: GenericDraft) -> None:
    """A related address above a file's, or made of the OAI identifier, is the page (EPrints)."""
    folders = _folders(draft.files) if draft.related and draft.landing_page is None else set()
    for index, text in draft.related:
        if draft.landing_page is None and (
            text.rstrip("/") in folders or _is_own_eprint(text, draft.own)
        ):
            draft.landing_page = text
            draft.tell(index, "address", "landing_page")
        else:
            draft.note(index, text, "relation")


def _folders(files: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for address in files:
        scheme, _, rest = address.partition("://")
        parts = rest.split("/")[:-1]
        found.update(
            f"{scheme}://{'/'.join(parts[:depth])}"
            for depth in range(2, min(len(parts), _MOST_FOLDERS) + 1)
        )
    return found


def _is_own_eprint(address: str, own: str) -> bool:
    found = _EPRINT.fullmatch(address)
    return found is not None and own == f"oai:{found[1]}:{found[2]}"
