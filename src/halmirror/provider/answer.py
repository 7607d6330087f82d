"""Answers to requests: the six verbs of OAI-PMH 2.0 over a mirror.

Answers are put together as bytes, record by record, from what is stored; so a whole mirror is
read from here faster than harvesters take it in.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import quoteattr

from msgspec import structs

from halmirror.export.oai_dc import comment, xml_text
from halmirror.provider import asked as requests
from halmirror.provider import metadata, tokens
from halmirror.provider.asked import LIST_VERBS, RESUMING, Asked, RefusedError, is_set_spec
from halmirror.provider.identity import Repository, identify, statement
from halmirror.provider.records import AS_IT_CAME, PREFIXES, Writing
from halmirror.provider.tokens import ListToken, SetsToken
from halmirror.record.labels import set_label
from halmirror.store.calendar import utc
from halmirror.store.database import translated
from halmirror.store.items import Place, Selection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from halmirror.mirror import Mirror
    from halmirror.store.items import Items

SETS_A_PAGE: Final = 1000
MOST_BYTES: Final = 8 * 1024 * 1024
"""A page of records ends after the record that brings it beyond this."""

_WITH_TERMS: Final = LIST_VERBS | {"GetRecord"}
_DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE: Final = "http://www.openarchives.org/OAI/2.0/"
_BEGIN: Final = (
    f'<OAI-PMH xmlns="{_NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    f'xsi:schemaLocation="{_NAMESPACE} {_NAMESPACE}OAI-PMH.xsd">\n'
)
_FORMATS: Final = "".join(
    f"<metadataFormat><metadataPrefix>{prefix}</metadataPrefix>"
    f"<schema>{_NAMESPACE}oai_dc.xsd</schema>"
    f"<metadataNamespace>{metadata.OAI_DC}</metadataNamespace></metadataFormat>\n"
    for prefix in PREFIXES
).encode()


def answer(pairs: Iterable[tuple[str, str]], mirror: Mirror, repository: Repository) -> bytes:
    """The answer to a request's arguments, as they came, in UTF-8.

    Error conditions are answers too.  Raises `MirrorError` where the mirror cannot be read.
    """
    items = mirror.items
    asked: Asked | None = None
    try:
        asked = requests.read(pairs)
        if asked.verb in LIST_VERBS and RESUMING not in asked.arguments:
            items.settle()
        # Before the mirror is read: what is committed after counts as later.
        now = utc(int(time.time()))
        with translated(mirror.path), items.reading():
            content = _answered(asked, items, repository, now)
            terms = statement(items.origins().values()) if asked.verb in _WITH_TERMS else None
    except RefusedError as refusal:
        now = utc(int(time.time()))
        asked, terms = refusal.asked, None
        content = f'<error code="{refusal.code}">{xml_text(str(refusal))}</error>\n'.encode()
    echoed = "".join(
        f" {name}={quoteattr(value)}" for name, value in (asked.echoed if asked else {}).items()
    )
    head = (
        f"{_BEGIN}<responseDate>{now}</responseDate>\n"
        f"<request{echoed}>{xml_text(repository.base_url)}</request>\n"
    )
    return b"".join((_DECLARATION, comment(terms), head.encode(), content, b"</OAI-PMH>\n"))


def _answered(asked: Asked, items: Items, repository: Repository, now: str) -> bytes:
    """The verb's element.  Raises `RefusedError`."""
    match asked.verb:
        case "Identify":
            earliest = items.earliest()
            since = now if earliest is None else utc(earliest)
            return identify(repository, since, items.origins().values())
        case "ListMetadataFormats":
            return _formats(asked, items)
        case "ListSets":
            return _sets(asked, items)
        case "GetRecord":
            return _record(asked, items)
        case _:
            return _list(asked, items, repository.page_size)


def _formats(asked: Asked, items: Items) -> bytes:
    """The formats of the mirror, or of an item (section 4.4)."""
    if (identifier := asked.arguments.get("identifier")) is not None:
        item = items.find(identifier)
        if item is None:
            raise asked.refused("idDoesNotExist", "there is no item of that identifier")
        if not item.is_active:
            raise asked.refused("noMetadataFormats", "the item is deleted")
    return b"<ListMetadataFormats>\n%s</ListMetadataFormats>\n" % _FORMATS


def _sets(asked: Asked, items: Items) -> bytes:
    """The sources' sets, in pages (section 4.6)."""
    place = SetsToken("", 0)
    if (text := asked.arguments.get(RESUMING)) is not None:
        token = tokens.read(text)
        if not isinstance(token, SetsToken):
            raise _bad_token(asked)
        place = token
    found: list[str] = []
    after = place.after
    while len(found) <= SETS_A_PAGE and (batch := items.sets(after, SETS_A_PAGE + 1)):
        after = batch[-1]
        found += filter(is_set_spec, batch)
    page = found[:SETS_A_PAGE]
    if not page:
        if place.cursor:
            raise _bad_token(asked)
        raise asked.refused("noSetHierarchy", "the sources have no sets")
    listed = "".join(
        f"<set><setSpec>{spec}</setSpec><setName>{xml_text(set_label(spec))}</setName></set>\n"
        for spec in page
    )
    following = None
    if len(found) > len(page):
        following = tokens.write(SetsToken(page[-1], place.cursor + len(page)))
    end = _token_element(following, place.cursor, None)
    return f"<ListSets>\n{listed}{end}</ListSets>\n".encode()


def _record(asked: Asked, items: Items) -> bytes:
    """One record (section 4.1)."""
    item = items.find(asked.arguments["identifier"])
    if item is None:
        raise asked.refused("idDoesNotExist", "there is no item of that identifier")
    prefix = _prefix(asked)
    written = Writing(items, items.calendar.latest, prefix).record(item)
    return b"<GetRecord>\n%s</GetRecord>\n" % written


def _list(asked: Asked, items: Items, page_size: int) -> bytes:
    """A page of records or headers (sections 4.3 and 4.5)."""
    token = _begun(asked, items)
    selection = Selection(token.set_spec, token.begin, token.end)
    size = token.size if token.cursor else items.count(selection, token.at)
    place = Place(token.seq, token.key) if token.cursor else None
    found, more = items.page(selection, token.at, place, page_size) if size != 0 else ([], False)
    if not found and token.cursor:
        raise _bad_token(asked)  # the mirror was replaced by one that never held the list
    if not found:
        raise _no_match(asked)
    writing = Writing(items, token.at, token.prefix)
    pieces: list[bytes] = []
    is_records = asked.verb == "ListRecords"
    length = 0
    for item in found:
        pieces.append(writing.record(item) if is_records else writing.header(item) + b"\n")
        length += len(pieces[-1])
        if length > MOST_BYTES:
            break
    given = len(pieces)
    following = None
    if more or given < len(found):
        last = found[given - 1]
        following = tokens.write(
            structs.replace(
                token, seq=last.seq, key=last.key, cursor=token.cursor + given, size=size
            )
        )
    end = _token_element(following, token.cursor, size)
    verb = asked.verb.encode()
    return b"<%s>\n%s%s</%s>\n" % (verb, b"".join(pieces), end.encode(), verb)


def _begun(asked: Asked, items: Items) -> ListToken:
    """The list that is asked for: one that was begun, by its token, or a new one."""
    text = asked.arguments.get(RESUMING)
    if text is None:
        begin, end = requests.span(asked)
        spec = requests.set_spec(asked)
        prefix = _prefix(asked)
        if spec is not None and not items.has_sets():
            raise asked.refused("noSetHierarchy", "the sources have no sets")
        # New rules changed records at a time: all of them are as of then, or later.
        renewed_at = items.renewed_at(as_they_came=prefix == AS_IT_CAME)
        if end is not None and end < renewed_at:
            raise _no_match(asked)
        if begin is not None and begin <= renewed_at:
            begin = None
        latest = items.calendar.latest
        return ListToken(asked.verb, prefix, spec, begin, end, latest, 0, 0, 0, None)
    token = tokens.read(text)
    if (
        not isinstance(token, ListToken)
        or token.verb != asked.verb
        or token.prefix not in PREFIXES
        or not items.reader.whole_from() <= token.at <= items.calendar.latest
        or not token.seq <= token.at
        or not token.cursor
    ):
        raise _bad_token(asked)
    return token


def _prefix(asked: Asked) -> str:
    prefix = asked.arguments["metadataPrefix"]
    if prefix not in PREFIXES:
        raise asked.refused("cannotDisseminateFormat", f"to be had as {' and '.join(PREFIXES)}")
    return prefix


def _no_match(asked: Asked) -> RefusedError:
    return asked.refused("noRecordsMatch", "nothing of the mirror matches from, until and set")


def _bad_token(asked: Asked) -> RefusedError:
    return asked.refused("badResumptionToken", "there is no such token here; begin the list anew")


def _token_element(token: str | None, cursor: int, size: int | None) -> str:
    """The resumptionToken element: none where a page holds all, an empty one on the last page."""
    if token is None and not cursor:
        return ""
    complete = "" if size is None else f' completeListSize="{size}"'
    return f'<resumptionToken{complete} cursor="{cursor}">{token or ""}</resumptionToken>\n'
