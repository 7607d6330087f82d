"""Simple Dublin Core: reading it, and the rules that every crosswalk from it shares.

The elements are those of ``oai_dc`` (OAI-PMH 2.0, section 6; DCMES 1.1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from halmirror.crosswalks.dates import year_of
from halmirror.crosswalks.draft import Draft
from halmirror.crosswalks.names import plain
from halmirror.crosswalks.text import clean, without_blank_before_comma
from halmirror.oaipmh.source import DC, Source
from halmirror.record import Title, Value
from halmirror.reference.languages import language as language_tag
from halmirror.reference.licences import spdx
from halmirror.remembered import remembered

if TYPE_CHECKING:
    from lxml import etree

_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_ALTERNATIVE = "info:eu-repo/semantics/altIdentifier/"
_EU_REPO = "info:eu-repo/semantics/"
_GIVEN = {"doi": "DOI", "arxiv": "ARXIV", "pmid": "PUBMED", "hdl": "HDL", "isbn": "ISBN"}


DraftT = TypeVar("DraftT", bound=Draft)
Rule = Callable[[DraftT, int, str, str | None], None]
"""Places one cleaned value: draft, index of the source value, text, ``xml:lang``."""


def values(metadata: etree._Element) -> tuple[Source, ...]:
    """The children of a Dublin Core element in document order, whatever their prefix.

    Takes the ``oai_dc:dc`` element, or the ``metadata`` element around it.  An element of another
    namespace than Dublin Core's keeps its Clark name.  Text of nested elements is joined;
    comments and processing instructions are skipped.  A value without ``xml:lang`` has that of
    the nearest element around it that has one (XML 1.0, section 2.12).
    """
    if metadata.tag in ("metadata", "{http://www.openarchives.org/OAI/2.0/}metadata"):
        inner = next((one for one in metadata if isinstance(one.tag, str)), None)
        if inner is None:
            return ()
        metadata = inner
    around = _language_of(metadata)
    found = []
    for one in metadata:
        tag = one.tag
        if isinstance(tag, str):
            text = (one.text or "") if len(one) == 0 else "".join(one.itertext())
            found.append(Source(tag.removeprefix(f"{{{DC}}}"), text, one.get(_XML_LANG, around)))
    return tuple(found)


def _language_of(element: etree._Element) -> str | None:
    """The ``xml:lang`` of an element, its own or the nearest around it; an empty one is one."""
    lang = element.get(_XML_LANG)
    if lang is not None:
        return lang
    around = (one.get(_XML_LANG) for one in element.iterancestors())
    return next((lang for lang in around if lang is not None), None)


def keep_language(metadata: etree._Element) -> None:
    """Write the language that `values` finds around a Dublin Core element onto its values.

    A part taken out of a document loses what it inherits; so its canonical form (Canonical XML
    1.0, section 2.4) tells the language by itself, and gives the same values when read again.
    """
    if metadata.get(_XML_LANG) is None and (lang := _language_of(metadata)):
        for one in metadata:
            if isinstance(one.tag, str) and one.get(_XML_LANG) is None:
                one.set(_XML_LANG, lang)


def apply(draft: DraftT, rules: Mapping[str, Rule[DraftT]], sources: Sequence[Source]) -> None:
    """Cleans each value and gives it to its element's rule; what has none becomes a note."""
    for index, source in enumerate(sources):
        text = clean(source.text)
        rule = rules.get(source.element)
        if not text:
            draft.tell(index, "empty", "dropped: empty")
        elif rule is None:
            draft.note(
                index, text, "no rule", f"element {source.element!r} has no rule; kept in notes"
            )
        else:
            rule(draft, index, text, tag_of(source.lang) if source.lang else None)


@remembered(1024)
def tag_of(lang: str) -> str | None:
    """An ``xml:lang`` by BCP 47; one that is no tag stays as it came, a blank one is none."""
    return language_tag(lang) or lang.strip() or None


def title(draft: Draft, index: int, text: str, lang: str | None) -> None:
    """Every title as it stands."""
    draft.put(draft.titles, "titles", Title(text, None, lang), index, "title")


def creator(draft: Draft, index: int, text: str, _lang: str | None) -> None:
    """``Family, Given``; without a comma the whole is a literal.

    A comma at the end, left by a lost middle name, goes.  Creators are never taken for
    repetitions: two authors of one work can bear one name.
    """
    if draft.traced:
        draft.tell(index, "creator", f"creators[{len(draft.creators)}]")
    draft.creators.append(plain(text))


def contributor(draft: Draft, index: int, text: str, _lang: str | None) -> None:
    """Kept whole."""
    draft.put(draft.contributors, "contributors", text, index, "contributor")


def publisher(draft: Draft, index: int, text: str, _lang: str | None) -> None:
    """Kept whole."""
    draft.put(draft.publishers, "publishers", text, index, "publisher")


def coverage(draft: Draft, index: int, text: str, _lang: str | None) -> None:
    """Kept whole, without the blank that line breaks leave before a comma."""
    text = without_blank_before_comma(text)
    draft.put(draft.coverage, "coverage", text, index, "coverage")


def abstract(draft: Draft, index: int, text: str, lang: str | None) -> None:
    """A description is an abstract."""
    draft.put(draft.abstracts, "abstracts", Value(text, lang), index, "abstract")


def keyword(draft: Draft, index: int, text: str, lang: str | None) -> None:
    """A subject is a keyword."""
    draft.put(draft.keywords, "keywords", Value(text, lang), index, "keyword")


def language(draft: Draft, index: int, text: str, _lang: str | None) -> None:
    """A language tag by BCP 47; what is none is kept as given, with a warning."""
    tag = language_tag(text)
    if tag is None:
        draft.warn(index, f"languages: {text!r} is no language tag; kept as given")
    draft.put(draft.languages, "languages", tag or text, index, "language")


def date(draft: Draft, index: int, text: str, _lang: str | None) -> None:
    """Dates are weighed together, in `settle_dates`."""
    draft.dates.append((index, text))


def settle_dates(draft: Draft) -> None:
    """The first date of EDTF level 0 is ``date``; a lone value that is none is kept there too."""
    if not draft.dates:
        return
    years = [year_of(text) for _, text in draft.dates]
    chosen = next((at for at, year in enumerate(years) if year is not None), 0)
    draft.date, draft.year = draft.dates[chosen][1], years[chosen]
    for at, (index, text) in enumerate(draft.dates):
        if at == chosen:
            draft.tell(index, "date", "date")
            if years[at] is None:
                draft.warn(index, f"date: {text!r} is no date; kept as given")
        elif text == draft.date:
            draft.tell(index, "date", "repetition of date")
        elif years[at] is None:
            draft.note(index, text, "date", f"date: {text!r} is no date; kept in notes")
        else:
            draft.note(index, text, "date", f"date: {text!r} is a further date; kept in notes")


def alternative_identifier(draft: Draft, index: int, text: str) -> bool:
    """Places ``info:eu-repo/semantics/altIdentifier/SCHEME/VALUE``; False where it is none."""
    if not text.startswith(_ALTERNATIVE):
        return False
    scheme, _, value = text.removeprefix(_ALTERNATIVE).partition("/")
    scheme, value = scheme.strip(), value.strip()
    known = {"handle": "hdl"}.get(scheme.lower(), scheme.lower())
    if not scheme or not value:
        return False
    if known in _GIVEN:
        draft.identify(known, value, index, _GIVEN[known])
    else:
        draft.other_identifier(value, scheme, index, "alternative identifier")
    return True


def rights_address(draft: Draft, index: int, text: str) -> bool:
    """Places the first licence address; False where the text is no address or a further one."""
    if not text.startswith(("http://", "https://")) or " " in text:
        return False
    if draft.licence_url is None:
        draft.licence_url, draft.licence = text, spdx(text)
        draft.tell(index, "licence", "licence_url")
        return True
    if draft.licence_url == text:
        draft.tell(index, "licence", "repetition of licence_url")
        return True
    return False


def document_type(draft: Draft, index: int, text: str, _lang: str | None) -> None:
    """Types are weighed together, once all are known."""
    draft.types.append((index, text))
