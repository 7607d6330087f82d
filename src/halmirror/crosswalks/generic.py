"""Everyone else's ``oai_dc``: what DSpace, EPrints, OJS, Invenio and the others put in it.

A rule stands here only where its reading is certain for any repository; ``docs/normalising.md``
gives each with its reason.  Whatever no rule places ends in ``notes``, ``contributors`` or
``identifiers.other``.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from halmirror.crosswalks import dublin_core as dc
from halmirror.crosswalks import names, source_forms, written_dates
from halmirror.crosswalks.dates import year_of
from halmirror.crosswalks.draft import Draft
from halmirror.crosswalks.funding import grant
from halmirror.identifiers import arxiv, doi, handle, isbn, issn, pmid
from halmirror.record import Affiliation, Container, DocumentType, Value
from halmirror.reference.document_types import DOCUMENT_TYPES, by_label, by_term
from halmirror.reference.languages import known_language
from halmirror.reference.licences import address_in, named, spdx
from halmirror.reference.resource_types import coar_type, is_coar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from halmirror.crosswalks.draft import Trace
    from halmirror.record import Access, Body

_EU_REPO = "info:eu-repo/semantics/"
_VERSIONS = frozenset(
    f"{_EU_REPO}{stage}version" for stage in ("submitted", "accepted", "published", "updated")
) | {f"{_EU_REPO}draft"}
_COAR_ACCESS = "purl.org/coar/access_right/"
_ACCESS: Mapping[str, Access] = {
    "openaccess": "open",
    "open": "open",
    "c_abf2": "open",
    "restrictedaccess": "restricted",
    "c_16ec": "restricted",
    "embargoedaccess": "restricted",
    "c_f1cf": "restricted",
    "closedaccess": "restricted",
    "metadataonlyaccess": "metadata-only",
    "c_14cb": "metadata-only",
}
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
_YEAR = re.compile(r"(?<![0-9])(?:1[5-9]|20)[0-9]{2}(?![0-9])", re.ASCII)
_EPRINT = re.compile(r"https?://([^/]+)/([0-9]+)/?", re.ASCII)
_EMBARGO = "info:eu-repo/date/"
_DESCRIPTION_TYPES = frozenset(
    {"Abstract", "Methods", "SeriesInformation", "TableOfContents", "TechnicalInfo", "Other"}
)
"""DataCite's ``descriptionType``, which its own crosswalk gives as a description before each."""
_MOST_FOLDERS = 12
_MOST_PIECES = 20
_LONGEST = 2000
"""What is longer than these is not taken apart."""


class _Generic(Draft):
    """A draft with what the generic rules weigh once all values are known."""

    def __init__(self, trace: Trace | None, own: str) -> None:
        super().__init__(trace)
        self.own = own
        self.named: list[tuple[int, str]] = []
        self.sources: list[tuple[int, str]] = []
        self.related: list[tuple[int, str]] = []
        self.licence_name: str | None = None
        self.page: str | None = None
        self.series = False


def _is_address(text: str) -> bool:
    return text.startswith(("http://", "https://")) and " " not in text


def _creator(draft: _Generic, index: int, text: str, _lang: str | None) -> None:
    said = names.reading(text)
    place = f"creators[{len(draft.creators)}]"
    draft.creators.append(said.name)
    if said.several:
        draft.warn(f"creators: {text!r} may be several names; kept whole")
    if said.affiliation:
        held = Affiliation(said.affiliation)
        at = draft.affiliations.setdefault(held, len(draft.affiliations))
        draft.tell(index, "creator with affiliation", f"{place} and affiliations[{at}]")
    elif said.whole:
        at = draft.notes.setdefault(text, len(draft.notes))
        draft.tell(index, "creator with role or years", f"{place} and notes[{at}]")
    else:
        draft.tell(index, "creator", place)


def _subject(draft: _Generic, index: int, text: str, lang: str | None) -> None:
    pieces = [piece.strip() for piece in text.split("|")]
    if len(pieces) == 1 and "; " in text and not text[0].isdigit():
        pieces = [piece.strip() for piece in text.split("; ")]
        pieces = pieces if len(pieces) > 2 else [text]
    if len(pieces) == 1 or not all(pieces):
        dc.keyword(draft, index, text, lang)
        return
    places = [draft.keywords.setdefault(Value(one, lang), len(draft.keywords)) for one in pieces]
    where = " and ".join(f"keywords[{at}]" for at in dict.fromkeys(places))
    draft.tell(index, "keywords in one value", where)


def _description(draft: _Generic, index: int, text: str, lang: str | None) -> None:
    if text in _DESCRIPTION_TYPES:
        draft.series = text == "SeriesInformation"
        draft.note(index, text, "kind of description")
        return
    series, draft.series = draft.series, False
    if text.startswith("Comment: ") or _is_address(text) or series:
        draft.note(index, text, "comment")
    elif text.startswith("Citation: ") and draft.citation is None:
        draft.citation = text.removeprefix("Citation: ")
        draft.tell(index, "labelled citation", "citation")
    else:
        dc.abstract(draft, index, text, lang)


def _language(draft: _Generic, index: int, text: str, _lang: str | None) -> None:
    tag = known_language(text)
    if tag is not None:
        draft.put(draft.languages, "languages", tag, index, "language")
        return
    pieces = re.split(r"[\s,;/|]+", text) if len(text) < 200 else []
    tags = [known_language(piece) for piece in pieces]
    if len(tags) > 1 and all(tags):
        places = [draft.languages.setdefault(one, len(draft.languages)) for one in tags if one]
        where = " and ".join(f"languages[{at}]" for at in dict.fromkeys(places))
        draft.tell(index, "languages in one value", where)
        return
    draft.warn(f"languages: {text!r} is no language; kept as given")
    draft.put(draft.languages, "languages", text, index, "language")


def _format(draft: _Generic, index: int, text: str, _lang: str | None) -> None:
    draft.note(index, text, "format")


def _settle_dates(draft: _Generic) -> None:
    """The date of the work among all that are there; every other stays in the notes."""
    if not draft.dates:
        return
    read = [written_dates.reading(text) for _, text in draft.dates]
    days = frozenset(one[:10] for one in read if one and "T" in one)
    chosen = _date_of_the_work(read, days)
    if chosen is None and len(draft.dates) == 1:
        ((index, text),) = draft.dates
        draft.date = text
        draft.tell(index, "date", "date")
        draft.warn(f"date: {text!r} is no date; kept as given")
        return
    if chosen is not None:
        draft.date = read[chosen]
        draft.year = year_of(read[chosen] or "")
    for at, (index, text) in enumerate(draft.dates):
        if text == draft.date:
            draft.tell(index, *dc.told("date", "date", again=at != chosen))
        elif at == chosen:
            place = draft.notes.setdefault(text, len(draft.notes))
            draft.tell(index, "date in words or signs", f"date and notes[{place}]")
            draft.warn(f"date: {text!r} is read as {draft.date!r}")
        else:
            _further_date(draft, index, text, read[at], days)


def _further_date(
    draft: _Generic, index: int, text: str, read: str | None, days: frozenset[str]
) -> None:
    if text.startswith(_EMBARGO) or (read and read[:10] in days):
        draft.note(index, text, "date of the repository")
    elif read is None:
        draft.note(index, text, "date", f"date: {text!r} is no date; kept in notes")
    else:
        draft.note(index, text, "date", f"date: {text!r} is a further date; kept in notes")


def _date_of_the_work(read: Sequence[str | None], days: frozenset[str]) -> int | None:
    """The place of the date of the work; ``days`` are those of the dates with a time.

    A time of day is a machine's note of when it took the work in, so a date without one comes
    first, and best one that is not the day of such a note.  A year alone, no later than the days
    beside it, is the catalogue's, since machines write days.  Else the first.
    """
    dates = {at: one for at, one in enumerate(read) if one is not None}
    plain = {at: one for at, one in dates.items() if "T" not in one}
    own = {at: one for at, one in plain.items() if one not in days}
    left = own or plain or dates
    alone = [at for at, one in left.items() if len(one) == 4]
    others = [one for one in left.values() if len(one) != 4]
    if alone and all(len(one) == 10 and one[:4] >= left[alone[0]] for one in others):
        return alone[0]
    return next(iter(left), None)


def _settle_type(draft: _Generic) -> None:
    """The first ``info:eu-repo`` type, and the COAR type of the most telling value."""
    term = next((text for _, text in draft.types if _is_type_term(text)), None)
    found = [_coar(text) for _, text in draft.types]
    coar = _chosen_type(term, [text for _, text in draft.types], found)
    other: dict[str, int] = {}
    seen = False
    for index, text in draft.types:
        if text == term:
            draft.tell(index, *dc.told("info:eu-repo term", "type.info_eu_repo", again=seen))
            seen = True
        elif text == coar:
            draft.tell(index, "COAR type", "type.coar")
        else:
            draft.put(other, "type.other", text, index, "type")
    if draft.types:
        draft.type = DocumentType(None, coar, term, tuple(other))


def _is_type_term(text: str) -> bool:
    return text.startswith(_EU_REPO) and text.casefold() not in _VERSIONS


def _coar(text: str) -> tuple[str, bool] | None:
    code = by_term(text) or by_label(text)
    if code:
        return DOCUMENT_TYPES[code].coar, True
    return coar_type(text)


def _chosen_type(
    term: str | None, texts: Sequence[str], found: Sequence[tuple[str, bool] | None]
) -> str | None:
    """A COAR address says it itself; then the term, a vocabulary's address, a telling word, any."""
    said = [(text, one) for text, one in zip(texts, found, strict=True) if one]
    for fits in (
        lambda text, _telling: is_coar(text),
        lambda text, _telling: text == term,
        lambda text, telling: telling and text.startswith("http"),
        lambda _text, telling: telling,
        lambda _text, _telling: True,
    ):
        for text, (coar, telling) in said:
            if fits(text, telling):
                return coar
    return None


def _rights(draft: _Generic, index: int, text: str, _lang: str | None) -> None:
    access = _access(text)
    if access is not None:
        draft.access = draft.access or access
        draft.note(index, text, "access")
        return
    address = _is_address(text)
    if address and _is_licence(text) and dc.rights_address(draft, index, text):
        return
    if draft.licence_url is None and not address:
        found = address_in(text)
        if found:
            draft.licence_url, draft.licence = found, spdx(found)
            place = draft.notes.setdefault(text, len(draft.notes))
            draft.tell(index, "licence in prose", f"licence_url and notes[{place}]")
            return
    draft.licence_name = draft.licence_name or named(text)
    draft.note(index, text, "rights")


def _access(text: str) -> Access | None:
    if len(text) > 60:
        return None
    said = text.casefold().removeprefix(_EU_REPO)
    if _COAR_ACCESS in said:
        said = said.rpartition("/")[2]
    return _ACCESS.get(said.replace(" ", "").replace("-", ""))


def _is_licence(address: str) -> bool:
    """Whether an address is a licence's or a rights statement's; many are only a home page."""
    return (
        spdx(address) is not None
        or "licen" in address.casefold()
        or "//rightsstatements.org/" in address
    )


def _settle_rights(draft: _Generic) -> None:
    if draft.licence is None and draft.licence_url is None:
        draft.licence = draft.licence_name


def _identifier(draft: _Generic, index: int, text: str, _lang: str | None) -> None:
    draft.named.append((index, text))


def _settle_identifiers(draft: _Generic) -> None:
    """The record's own page first, since further addresses depend on it; then each in its place."""
    local = draft.own.rpartition(":")[2]
    draft.page = next((text for _, text in draft.named if _ends_in(text, local)), None)
    for index, text in draft.named:
        if text == draft.own and not _speaks(text):
            draft.tell(index, "own identifier", "id")
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
        and _is_address(text)
    )


def _speaks(text: str) -> bool:
    """Whether a text says by itself what identifier it is."""
    if _is_address(text):
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
        return next((scheme for scheme, _, check, _ in _LABELS if check(text)), None), text
    labelled = next((scheme for scheme, _, _, marks in _LABELS if start.startswith(marks)), None)
    return labelled or _bare_scheme(text), text


def _bare_scheme(text: str) -> str | None:
    """The scheme an identifier's form alone shows; bare digits and handles show none."""
    if text.startswith("10.") and doi(text):
        return "doi"
    return "isbn" if _BARE_ISBN.fullmatch(text) and isbn(text) else None


def _one_identifier(draft: _Generic, index: int, text: str) -> None:
    scheme, value = _scheme_of(text)
    address = _is_address(text)
    where = _address_place(draft, text) if address else None
    if scheme is not None:
        given = next(name for key, name, _, _ in _LABELS if key == scheme)
        draft.identify(scheme, value, index, given)
        if where == "landing_page":
            draft.landing_page = text
    elif where == "landing_page":
        draft.tell(index, *dc.told("address", where, again=draft.landing_page == text))
        draft.landing_page = text
    elif where == "files":
        draft.put(draft.files, "files", text, index, "address of a file")
    elif address or not (_place_issn(draft, index, text) or _place_citation(draft, index, text)):
        draft.other_identifier(text, _name_of(text), index, "identifier without scheme")


def _address_place(draft: _Generic, address: str) -> str | None:
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


def _place_issn(draft: _Generic, index: int, text: str) -> bool:
    """Places an ISSN that says so, or that has the form and check digit of one and is no years."""
    labelled = _ISSN_LABEL.fullmatch(text)
    if labelled is None and (not _BARE_ISSN.fullmatch(text) or _YEARS.fullmatch(text)):
        return False
    value = issn((labelled[2] or labelled[3]) if labelled else text)
    if value is None:
        if labelled is None:
            return False
        draft.other_identifier(text, "ISSN", index, "failed check")
        draft.warn(f"container.issn: {text!r} fails its check; kept under identifiers.other")
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
    draft.tell(index, *dc.told("ISSN", where, again=there == value))
    return True


def _place_citation(draft: _Generic, index: int, text: str) -> bool:
    """Several words and a year in an identifier are the work's citation.

    DCMI's guidelines for citations (2005) put it there, as DSpace, EPrints and arXiv do.
    """
    if draft.citation == text:
        draft.tell(index, "citation", "repetition of citation")
        return True
    if draft.citation or text.count(" ") < 4 or not _YEAR.search(text):
        return False
    draft.citation = text
    draft.tell(index, "citation", "citation")
    return True


def _relation(draft: _Generic, index: int, text: str, _lang: str | None) -> None:
    if dc.alternative_identifier(draft, index, text):
        return
    funded = grant(text)
    if funded is not None:
        draft.put(draft.grants, "funding", funded, index, "grant agreement")
    elif _is_address(text):
        draft.related.append((index, text))
    else:
        draft.note(index, text, "relation")


def _settle_relations(draft: _Generic) -> None:
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


def _source(draft: _Generic, index: int, text: str, _lang: str | None) -> None:
    draft.sources.append((index, text))


def _settle_sources(draft: _Generic) -> None:
    """ISSNs, ISBNs, the title before one, a citation in a platform's form or with a year."""
    titled: tuple[int, str] | None = None
    parts: Container | None = None
    for at, (index, text) in enumerate(draft.sources):
        following = draft.sources[at + 1][1] if at + 1 < len(draft.sources) else ""
        if _place_issn(draft, index, text):
            continue
        if text[:4].casefold() == "isbn":
            draft.identify("isbn", text, index, "ISBN")
            continue
        found = source_forms.container(text)
        if _is_address(text):
            draft.note(index, text, "source")
        elif found is None and titled is None and _is_serial_number(following):
            titled = (index, text)
        elif (found or _YEAR.search(text)) and draft.citation in (None, text):
            again, draft.citation = draft.citation == text, text
            parts = parts or found
            draft.tell(index, *dc.told("citation", "citation", again=again))
        else:
            draft.note(index, text, "source")
    _settle_container(draft, parts, titled)


def _is_serial_number(text: str) -> bool:
    return text[:5].casefold() in ("issn:", "isbn:", "issn ", "isbn ")


def _settle_container(
    draft: _Generic, parts: Container | None, titled: tuple[int, str] | None
) -> None:
    held = draft.container or Container()
    title = parts.title if parts else None
    if titled is not None and title is None:
        title = titled[1]
        draft.tell(titled[0], "title of the container", "container.title")
    elif titled is not None:
        draft.note(titled[0], titled[1], "source")
    if title is None and parts is None:
        return
    draft.container = Container(
        title=title,
        volume=parts.volume if parts else None,
        issue=parts.issue if parts else None,
        pages=parts.pages if parts else None,
        issn=held.issn,
        eissn=held.eissn,
    )


_RULES: Mapping[str, dc.Rule[_Generic]] = {
    "title": dc.title,
    "creator": _creator,
    "subject": _subject,
    "description": _description,
    "publisher": dc.publisher,
    "contributor": dc.contributor,
    "date": dc.date,
    "type": dc.document_type,
    "format": _format,
    "identifier": _identifier,
    "source": _source,
    "language": _language,
    "relation": _relation,
    "coverage": dc.coverage,
    "rights": _rights,
}


def generic(
    sources: Sequence[dc.Source],
    identifier: str,
    _version: int | None,
    _sets: Iterable[str],
    trace: Trace | None,
) -> Body:
    """The body of any repository's Dublin Core, by the rules that hold for all.

    ``identifier`` is the record's OAI identifier.
    """
    draft = _Generic(trace, identifier)
    dc.apply(draft, _RULES, sources)
    _settle_identifiers(draft)
    _settle_type(draft)
    _settle_dates(draft)
    _settle_relations(draft)
    _settle_sources(draft)
    _settle_rights(draft)
    return draft.body()
