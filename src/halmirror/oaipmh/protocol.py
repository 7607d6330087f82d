"""From the bytes of an OAI-PMH 2.0 answer to a page: strict, without network, clock or store.

An answer is either understood whole or refused with a `ResponseError`: a body that was cut, a
maintenance page in HTML or another vocabulary never passes for a short list.  Inside a page
whose record boundaries are certain, a record that cannot be taken is set aside as `Rejected`,
so that one bad record does not cost the others.

Only the children of the root and of the verb's element are looked at.  What metadata hold is
theirs: a ``resumptionToken`` or ``error`` in there is no part of the protocol.

Section numbers are those of the OAI-PMH 2.0 specification.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from lxml import etree

from halmirror.errors import ResponseError, UsageError
from halmirror.oaipmh.canonical import exclusive_form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lxml.etree import _Element

Item = TypeVar("Item")
NAMESPACE = "http://www.openarchives.org/OAI/2.0/"
OAI = f"{{{NAMESPACE}}}"
ARGUMENTS: dict[str, frozenset[str]] = {
    "Identify": frozenset(),
    "ListMetadataFormats": frozenset({"identifier"}),
    "ListSets": frozenset({"resumptionToken"}),
    "GetRecord": frozenset({"identifier", "metadataPrefix"}),
    "ListIdentifiers": frozenset({"from", "until", "metadataPrefix", "set", "resumptionToken"}),
    "ListRecords": frozenset({"from", "until", "metadataPrefix", "set", "resumptionToken"}),
}
"""The six verbs, and the arguments each may have (section 4)."""

_HEADER, _METADATA, _ABOUT = f"{OAI}header", f"{OAI}metadata", f"{OAI}about"
_IDENTIFIER, _DATESTAMP_OF, _SET_SPEC = f"{OAI}identifier", f"{OAI}datestamp", f"{OAI}setSpec"
_DATESTAMP = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?", re.ASCII)
_DATE_OR_TIME = re.compile(
    r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII
)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ROOT_END = re.compile(rb"</(?:[^\s<>/:]+:)?OAI-PMH\s*>\Z")
_DOCTYPE = re.compile(rb"\s*(?>(?:<\?.*?\?>|<!--.*?-->)\s*)*+<!DOCTYPE", re.DOTALL)
_HTML_START = re.compile(
    rb"\s*<(?:head|body|title|h\d|p|br|b|center|script|div|meta|font)[\s/>]", re.IGNORECASE
)
_HTML_ANYWHERE = re.compile(rb"<!doctype\s+html|<(?:\w+:)?html[\s>]", re.IGNORECASE)
# Begins with a literal: a search for it costs a tenth of one for any white space.
_NAMESPACE_NAMES = re.compile(rb"xmlns(?::[^\s=]+)?\s*=\s*[\"']([^\"']*)[\"']")
_ABSOLUTE_URI = re.compile(rb"(?:[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9_./:#?=~-]*)?")
_HAS_DOCTYPE = "it has a document type declaration, which OAI-PMH does without"
_TERMS = (
    "{*}description/{*}eprints/{*}metadataPolicy/{*}text",
    f"{{*}}description/{OAI[:-1]}oai_dc/}}dc/{{http://purl.org/dc/elements/1.1/}}rights",
)
_SOLR_OUTAGE = "Unknown error: code: '100', argument: 'Solr'"


@dataclass(frozen=True, slots=True)
class Header:
    """A record's header (section 2.5): identifier and datestamp without white space around them.

    ``sets`` are the setSpecs, each once, sorted.  ``deleted`` is true only where the server
    wrote ``status="deleted"``: HAL sends an empty status with living records.
    """

    identifier: str
    datestamp: str
    sets: tuple[str, ...]
    deleted: bool


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A record as it came (section 2.5).

    ``metadata`` is the element inside ``<metadata>`` (``oai_dc:dc``), and none for a deleted
    record without it; ``about`` holds the ``<about>`` elements.
    """

    header: Header
    metadata: _Element | None
    about: tuple[_Element, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """An item of a list that could not be taken: its XML, its place in the list, and why.

    ``data`` are in UTF-8, but as they came where they are no well-formed XML.  ``identifier`` is
    the item's OAI identifier, none where it cannot be read with certainty.
    """

    data: bytes
    position: str
    reason: str
    identifier: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A resumptionToken element (section 3.5); ``value`` is empty on the last page of a list.

    ``cursor`` and ``complete_list_size`` count records and are none where the server gives no
    number; ``expires`` is the ``expirationDate`` as it came.
    """

    value: str
    cursor: int | None
    complete_list_size: int | None
    expires: str | None


@dataclass(frozen=True, slots=True)
class Identity:
    """The answer to Identify (section 4.2); a text that is missing is empty.

    So is an ``earliest_datestamp`` that is no date.  ``metadata_policy`` is the text of the
    metadataPolicy in an ``eprints`` description, the place where a repository states the terms of
    its metadata, and of the rights in a description in Dublin Core, where an aggregator does.
    ``xml`` is the Identify element.
    """

    repository_name: str
    base_url: str
    protocol_version: str
    admin_emails: tuple[str, ...]
    earliest_datestamp: str
    deleted_record: str
    granularity: str
    metadata_policy: str | None
    xml: bytes


@dataclass(frozen=True, slots=True)
class MetadataFormat:
    """One format of ListMetadataFormats (section 4.4)."""

    prefix: str
    schema: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Set:
    """One set of ListSets (section 4.6)."""

    spec: str
    name: str


@dataclass(frozen=True, slots=True)
class OAIError:
    """An error condition (section 3.6): its code, and the server's message (may be empty)."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Page:
    """One answer, understood.

    ``response_date`` is a date, or a date and time in UTC, and begins with YYYY-MM-DD; it is empty
    where the server sent none.  ``verb`` is the name of the verb's element or, in an answer of
    errors, what the server repeats of the request (none for an illegal verb); ``arguments`` are the
    others it repeats.  ``headers`` are those of ``records``, or the answer to ListIdentifiers.
    ``token`` is none where there is no resumptionToken element.
    """

    response_date: str
    verb: str | None
    arguments: dict[str, str]
    errors: tuple[OAIError, ...] = ()
    records: tuple[SourceRecord, ...] = ()
    headers: tuple[Header, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    token: Token | None = None
    identity: Identity | None = None
    formats: tuple[MetadataFormat, ...] = ()
    sets: tuple[Set, ...] = ()


class _RefusedError(Exception):
    """Why one item of a list cannot be taken."""


def parse(data: bytes, *, url: str | None = None) -> Page:
    """The page that an answer's bytes (decompressed) hold; ``url`` is named in errors.

    Raises `ResponseError` for anything but a whole, well-formed OAI-PMH 2.0 answer.
    """
    return with_canonical_records(page_of(document(data, url=url), url=url), data)


def document(data: bytes, *, url: str | None = None) -> _Element:
    """The root element ``OAI-PMH`` of an answer.  Raises `ResponseError` as `parse` does.

    A document type declaration is refused: OAI-PMH needs none.
    """
    if _DOCTYPE.match(data.removeprefix(_BYTE_ORDER_MARK)):
        raise refusal(_described(data, _HAS_DOCTYPE), url)
    try:
        root = well_formed(data)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        reason = _described(data, syntax_reason(error))
        raise refusal(reason, url, f"{line}:{column}") from error
    # The look at the bytes above knows no UTF-16.
    if root.getroottree().docinfo.doctype:
        raise refusal(_HAS_DOCTYPE, url)
    if root.tag != f"{OAI}OAI-PMH":
        reason = f"its root element is {root.tag!s}, not OAI-PMH in {NAMESPACE}"
        raise refusal(_described(data, reason), url, str(root.sourceline))
    return root


def well_formed(data: bytes) -> _Element:
    """The root element of well-formed XML.  Raises `lxml.etree.XMLSyntaxError`.

    No entity is expanded, no DTD read, nothing fetched or repaired.  libxml2's limits hold
    (10 million bytes in one text, 256 levels of elements).
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False
    )
    return etree.fromstring(data, parser)


def page_of(root: _Element, *, url: str | None = None) -> Page:
    """The page below a root element that `document` gave.

    Raises `ResponseError` where it holds neither errors nor exactly one verb's element, where it
    holds both, two resumption tokens, or a responseDate that is none.
    """
    errors = tuple(OAIError(_attribute(e, "code"), _text(e)) for e in root.iterfind(f"{OAI}error"))
    answers = [child for child in root.iterchildren("*") if _verb(child) is not None]
    if len(answers) > 1 or not (answers or errors):
        found = "more than one verb's element" if answers else "neither an error nor an answer"
        raise refusal(f"it holds {found}", url, str(root.sourceline))
    if answers and errors:
        reason = f"it holds both an error ('{errors[0].code[:60]}') and an answer"
        raise refusal(reason, url, str(root.sourceline))
    request = root.find(f"{OAI}request")
    repeated = {} if request is None else {str(k): str(v) for k, v in request.attrib.items()}
    verb = repeated.pop("verb", None)
    date = _response_date(root, url)
    if not answers:
        return Page(date, verb, repeated, errors)
    token = _token([root, answers[0]], url)
    return _answer_page(Page(date, _verb(answers[0]), repeated, errors, token=token), answers[0])


def with_canonical_records(page: Page, data: bytes) -> Page:
    """The page of an answer's bytes with the records set aside that have no canonical form."""
    if _namespaces_are_absolute(data):
        return page
    kept: list[SourceRecord] = []
    rejected = list(page.rejected)
    for number, record in enumerate(page.records, start=1):
        refused = None if record.metadata is None else _refused(record.metadata, number)
        if refused is None:
            kept.append(record)
        else:
            rejected.append(refused)
    if len(kept) == len(page.records):
        return page
    headers = tuple(record.header for record in kept)
    return replace(page, records=tuple(kept), headers=headers, rejected=tuple(rejected))


def canonical(element: _Element) -> bytes:
    """Exclusive canonical XML 1.0 with comments, in UTF-8, without the text after the element.

    The bytes do not depend on where the element stands: those of a copy are the same.  Raises
    `ResponseError` where canonical XML is not defined, that is for a relative namespace name.
    """
    try:
        return exclusive_form(element)
    except etree.C14NError as error:
        reason = "a namespace name that is no absolute URI has no canonical form"
        raise refusal(reason, None, str(element.sourceline)) from error


def is_solr_outage(page: Page) -> bool:
    """Whether HAL says that its search engine is down, which it does as a ``badArgument``."""
    return any(error.message.startswith(_SOLR_OUTAGE) for error in page.errors)


def looks_cut_short(data: bytes) -> bool:
    """Whether a body that does not parse seems to lack its end, so that asking again may help.

    True for an empty body and for XML that does not end with the root's end tag.
    """
    text = data.removeprefix(_BYTE_ORDER_MARK).strip()
    if not text:
        return True
    return text.startswith(b"<") and not _looks_like_html(data) and not _ROOT_END.search(text[-99:])


def identifier_of(item: _Element) -> str | None:
    """The OAI identifier of a record or header element; none where it has none, or several."""
    try:
        header = item if item.tag == f"{OAI}header" else _single(item, "header")
        return None if header is None else _required(header, "identifier")
    except _RefusedError:
        return None


def syntax_reason(error: etree.XMLSyntaxError) -> str:
    """libxml2's message in one line, without the position that it repeats."""
    text = " ".join((error.msg or "it is no well-formed XML").split())
    return re.sub(r" ?,? line \d+, column \d+$", "", text)


def refusal(reason: str, url: str | None, position: str | None = None) -> ResponseError:
    """The error that an answer is of no use; ``position`` is a line, or line and column."""
    place = f", at {position}" if position else ""
    message = f"{url or 'the answer'} gave no usable OAI-PMH 2.0 answer: {reason}{place}"
    return ResponseError(message, url=url, position=position)


def check_arguments(verb: str, arguments: Mapping[str, str]) -> None:
    """Raises `UsageError` for a verb or an argument that OAI-PMH does not have (section 4)."""
    if verb not in ARGUMENTS:
        raise UsageError(f"'{verb}' is no OAI-PMH verb; the verbs are {', '.join(ARGUMENTS)}")
    unknown = [name for name in arguments if name not in ARGUMENTS[verb]]
    if unknown:
        known = ", ".join(sorted(ARGUMENTS[verb])) or "none"
        raise UsageError(f"{verb} takes no argument '{unknown[0]}'; it takes {known}")


def _answer_page(page: Page, answer: _Element) -> Page:
    """The page with what the verb's element holds."""
    match page.verb:
        case "Identify":
            return replace(page, identity=_identity(answer))
        case "ListMetadataFormats":
            formats, rejected = _taken(answer, "metadataFormat", _format)
            return replace(page, formats=formats, rejected=rejected)
        case "ListSets":
            sets, rejected = _taken(answer, "set", _set)
            return replace(page, sets=sets, rejected=rejected)
        case "ListIdentifiers":
            headers, rejected = _taken(answer, "header", _header)
            return replace(page, headers=headers, rejected=rejected)
        case _:
            records, rejected = _taken(answer, "record", _record)
            headers = tuple(record.header for record in records)
            return replace(page, records=records, headers=headers, rejected=rejected)


def _taken(
    answer: _Element, name: str, read: Callable[[_Element], Item]
) -> tuple[tuple[Item, ...], tuple[Rejected, ...]]:
    """What a list holds, and what of it cannot be taken.

    Every element but the token counts, so that a misnamed one is not lost without a word.
    """
    taken: list[Item] = []
    rejected: list[Rejected] = []
    elements = (e for e in answer.iterchildren("*") if e.tag != f"{OAI}resumptionToken")
    for number, element in enumerate(elements, start=1):
        try:
            taken.append(read(_named(element, name)))
        except _RefusedError as refused:
            rejected.append(_rejected(element, f"{name} {number}", str(refused)))
    return tuple(taken), tuple(rejected)


def _named(element: _Element, name: str) -> _Element:
    if element.tag != f"{OAI}{name}":
        raise _RefusedError(f"{element.tag!s} stands where a {name} of OAI-PMH is due")
    return element


def _rejected(element: _Element, place: str, reason: str) -> Rejected:
    position = f"{place}, line {element.sourceline}"
    return Rejected(_bytes(element), position, reason, identifier_of(element))


def _format(element: _Element) -> MetadataFormat:
    return MetadataFormat(
        _required(element, "metadataPrefix"),
        _child_text(element, "schema"),
        _child_text(element, "metadataNamespace"),
    )


def _set(element: _Element) -> Set:
    return Set(_required(element, "setSpec"), _child_text(element, "setName"))


def _record(element: _Element) -> SourceRecord:
    header_element = container = None
    about: list[_Element] = []
    for child in element:
        match child.tag:
            case tag if tag == _HEADER:
                header_element = _only(header_element, child, "header")
            case tag if tag == _METADATA:
                container = _only(container, child, "metadata")
            case tag if tag == _ABOUT:
                about.append(child)
    if header_element is None:
        raise _RefusedError("the record has no header")
    header = _header(header_element)
    inside = [] if container is None else list(container.iterchildren("*"))
    if len(inside) > 1:
        raise _RefusedError("the record's metadata hold more than one element")
    if not inside and not header.deleted:
        raise _RefusedError("the record has no metadata and is not deleted")
    return SourceRecord(header, inside[0] if inside else None, tuple(about))


def _header(element: _Element) -> Header:
    identifier = datestamp = None
    sets: set[str] = set()
    for child in element:
        match child.tag:
            case tag if tag == _SET_SPEC:
                sets.add(_text(child))
            case tag if tag == _IDENTIFIER:
                identifier = _only(identifier, child, "identifier")
            case tag if tag == _DATESTAMP_OF:
                datestamp = _only(datestamp, child, "datestamp")
    name, stamp = _filled(identifier, "identifier"), _filled(datestamp, "datestamp")
    if not is_datestamp(stamp):
        raise _RefusedError(
            f"the datestamp '{stamp}' is neither YYYY-MM-DD nor YYYY-MM-DDThh:mm:ssZ"
        )
    sets.discard("")
    deleted = _attribute(element, "status") == "deleted"
    return Header(name, stamp, tuple(sorted(sets)), deleted)


def _only(earlier: _Element | None, found: _Element, name: str) -> _Element:
    if earlier is not None:
        raise _RefusedError(f"it has more than one {name}")
    return found


def _filled(found: _Element | None, name: str) -> str:
    text = "" if found is None else _text(found)
    if not text:
        raise _RefusedError(f"it has no {name}")
    return text


@lru_cache(maxsize=4096)
def is_datestamp(text: str) -> bool:
    """Whether a text is a day or a second that the calendar has (section 3.3)."""
    if not _DATESTAMP.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _response_date(root: _Element, url: str | None) -> str:
    """The time of the answer, empty where it has none.  Raises `ResponseError`."""
    text = root.findtext(f"{OAI}responseDate", "").strip()
    date = _universal(text) if text else ""
    if date is None:
        raise refusal(f"its responseDate {text[:60]!r} is no date of the calendar", url)
    return date


def _universal(text: str) -> str | None:
    """A date or time as it is, brought to UTC where it is another's; none for anything else."""
    if not _DATE_OR_TIME.fullmatch(text):
        return None
    try:
        time = datetime.fromisoformat(text)
        if time.utcoffset():
            return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return None
    return text


def _token(parents: list[_Element], url: str | None) -> Token | None:
    found = [each for parent in parents for each in parent.iterfind(f"{OAI}resumptionToken")]
    if not found:
        return None
    if len(found) > 1:
        raise refusal("it holds more than one resumptionToken", url, str(found[1].sourceline))
    cursor, size = (_number(_attribute(found[0], n)) for n in ("cursor", "completeListSize"))
    return Token(_text(found[0]), cursor, size, _attribute(found[0], "expirationDate") or None)


def _number(text: str) -> int | None:
    # Twelve digits count any archive; more would be an attack on the database's integers.
    return int(text) if re.fullmatch(r"\d{1,12}", text, re.ASCII) else None


def _identity(element: _Element) -> Identity:
    policies = (_text(found) for path in _TERMS for found in element.iterfind(path))
    return Identity(
        repository_name=_child_text(element, "repositoryName"),
        base_url=_child_text(element, "baseURL"),
        protocol_version=_child_text(element, "protocolVersion"),
        admin_emails=tuple(_text(each) for each in element.iterfind(f"{OAI}adminEmail")),
        earliest_datestamp=_universal(_child_text(element, "earliestDatestamp")) or "",
        deleted_record=_child_text(element, "deletedRecord"),
        granularity=_child_text(element, "granularity"),
        metadata_policy="\n".join(dict.fromkeys(filter(None, policies))) or None,
        xml=_bytes(element),
    )


def _verb(element: _Element) -> str | None:
    """The verb whose answer an element is, if it is one."""
    tag = str(element.tag)
    name = tag.removeprefix(OAI)
    return name if tag.startswith(OAI) and name in ARGUMENTS else None


def _single(element: _Element, name: str) -> _Element | None:
    found = element.findall(f"{OAI}{name}")
    if len(found) > 1:
        raise _RefusedError(f"it has more than one {name}")
    return found[0] if found else None


def _required(element: _Element, name: str) -> str:
    return _filled(_single(element, name), name)


def _child_text(element: _Element, name: str) -> str:
    found = element.find(f"{OAI}{name}")
    return "" if found is None else _text(found)


def _text(element: _Element) -> str:
    """All text in an element, comments left out, without white space around it."""
    if not len(element):
        return (element.text or "").strip()
    return str(element.xpath("string()")).strip()


def _attribute(element: _Element, name: str) -> str:
    return (element.get(name) or "").strip()


def _bytes(element: _Element) -> bytes:
    return etree.tostring(element, encoding="utf-8", with_tail=False)


def _namespaces_are_absolute(data: bytes) -> bool:
    """Whether a look at the bytes is enough to know that every record has a canonical form."""
    names = set(_NAMESPACE_NAMES.findall(data))
    return all(_ABSOLUTE_URI.fullmatch(name) for name in names)


def _refused(metadata: _Element, number: int) -> Rejected | None:
    """The whole record as rejected, where its metadata have no canonical form."""
    try:
        canonical(metadata)
    except ResponseError as error:
        whole = next(metadata.iterancestors(f"{OAI}record"))
        return _rejected(whole, f"record {number}", str(error))
    return None


def _looks_like_html(data: bytes) -> bool:
    head = data[:1024].removeprefix(_BYTE_ORDER_MARK)
    return bool(_HTML_START.match(head) or _HTML_ANYWHERE.search(head))


def _described(data: bytes, reason: str) -> str:
    """The reason, led by what the body looks like, where that tells more."""
    if _looks_like_html(data):
        return f"it looks like an HTML page ({reason})"
    if not data.strip():
        return "the body is empty, as if cut short"
    if looks_cut_short(data):
        return f"the body looks cut short ({reason})"
    return reason
