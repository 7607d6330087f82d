"""From the bytes of a page to a batch of frozen rows, ready for the writer.

`prepare` is one pure, picklable function: it parses strictly, normalises, canonicalises,
hashes and compresses, so it can run in the harvesting process or in a worker.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from lxml import etree

from halmirror.crosswalks import RULES_VERSION, content_sets, crosswalk, without_rules
from halmirror.crosswalks.dublin_core import keep_language, values
from halmirror.entry import Entry, entry_of
from halmirror.errors import ResponseError
from halmirror.frame import Codec
from halmirror.oaipmh.plain import PlainPage, plain_page
from halmirror.oaipmh.protocol import (
    Header,
    OAIError,
    Page,
    Rejected,
    SourceRecord,
    Token,
    canonical,
    parse,
)
from halmirror.record import encode
from halmirror.record.identifiers import body_keys, parse_hal_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halmirror.record import Body

Dictionary = tuple[int, bytes]
"""Number and bytes of the zstd dictionary for new frames."""

DIGEST_BYTES = 20
"""160 bits: no two contents of one record meet by chance, nor by reasonable malice."""


_PROFILES = ("hal", "generic")

_UNFORESEEN = (ValueError, TypeError, ArithmeticError, LookupError, RecursionError)
"""One record that no rule foresaw must not cost the page: it goes to quarantine."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What `prepare` needs to know of a stream: its metadata prefix, profile, dictionary.

    ``dictionary`` is (number, bytes) of the zstd dictionary for new frames, or none.
    """

    prefix: str
    profile: str
    dictionary: Dictionary | None = None


class Row(NamedTuple):
    """One record as it is to be stored.

    ``version`` is 0 where the identifier bears none.  ``digest`` and ``frame`` are none where
    the server says the record is deleted.  ``keys`` are the (scheme, value) pairs that look-up
    finds the document by; ``entry`` is what it is searched by.
    """

    id: str
    version: int
    oai_identifier: str
    datestamp: str
    sets: tuple[str, ...]
    deleted: bool
    digest: bytes | None = None
    frame: bytes | None = None
    keys: tuple[tuple[str, str], ...] = ()
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What one page gives: rows, what was rejected, where the list goes on, what went wrong."""

    rows: tuple[Row, ...]
    rejected: tuple[Rejected, ...]
    token: Token | None
    response_date: str
    errors: tuple[OAIError, ...] = ()


class PageTask(NamedTuple):
    """A page as it came, to be prepared wherever there is room for it."""

    body: bytes
    url: str
    status: int
    rules: Rules


def prepare(data: bytes, rules: Rules, url: str | None = None) -> Batch:
    """The batch of a page's bytes.  Raises `ResponseError` where the page is no OAI-PMH."""
    return prepare_page(parse(data, url=url), rules)


def prepare_clean(_: None, task: PageTask) -> Batch | None:
    """The batch of a page of ListRecords with records and no errors; none for anything else.

    For `halmirror.workers`, which hand every worker something first; here there is nothing.
    """
    if task.status != HTTPStatus.OK:
        return None
    plain = plain_page(task.body)
    if plain is not None:
        return _prepare_plain(plain, task.rules)
    try:
        page = parse(task.body, url=task.url)
    except ResponseError:
        return None
    if page.errors or page.verb != "ListRecords" or not page.records:
        return None
    return prepare_page(page, task.rules)


def prepare_page(page: Page, rules: Rules) -> Batch:
    """The batch of a page that is parsed already."""
    rows: list[Row] = []
    rejected = list(page.rejected)
    for record in page.records:
        try:
            rows.append(_row(record, rules))
        except _UNFORESEEN as error:
            metadata = record.metadata
            source = b"" if metadata is None else etree.tostring(metadata, encoding="utf-8")
            rejected.append(_rejected(record.header, source, error))
    return Batch(tuple(rows), tuple(rejected), page.token, page.response_date, page.errors)


def _prepare_plain(plain: PlainPage, rules: Rules) -> Batch:
    """The batch of a page in the plainest form."""
    convert = crosswalk(rules.prefix, rules.profile)
    rows: list[Row] = []
    rejected: list[Rejected] = []
    for record in plain.records:
        header, source = record.header, record.source
        identifier, version = local_key(header.identifier, rules.profile)
        if header.deleted or source is None:
            rows.append(_deleted(header, identifier, version))
            continue
        try:
            body = convert(record.values, identifier, version or None, header.sets, None)
            rows.append(_filled(header, identifier, version, source, body, rules))
        except _UNFORESEEN as error:
            rejected.append(_rejected(header, source, error))
    page = plain.page
    return Batch(tuple(rows), tuple(rejected), page.token, page.response_date)


def local_key(oai_identifier: str, profile: str) -> tuple[str, int]:
    """The document's id and version (0: none) that an OAI identifier stands for.

    In profile ``hal`` that is HAL's own id; elsewhere the OAI identifier is the id.
    """
    parsed = parse_hal_id(oai_identifier) if profile == "hal" else None
    return (parsed[0], parsed[1] or 0) if parsed else (oai_identifier, 0)


def digest(source: bytes, rules: Rules, sets: Sequence[str]) -> bytes:
    """The hash of a content: the exclusive canonical form, and all else the body depends on.

    That is the metadata prefix, the profile and the header sets that the crosswalk reads.
    """
    context = "\0".join((rules.prefix, rules.profile, *content_sets(rules.profile, sets)))
    return hashlib.blake2b(context.encode() + b"\0\0" + source, digest_size=DIGEST_BYTES).digest()


def rules_of(
    source: bytes, prefix: str, profile: str, known: bytes, sets: Sequence[str]
) -> Rules | None:
    """The rules that a held content came under, by its digest; none where it is not that source's.

    ``profile`` is the one its source has now; a source may have had another.
    """
    for name in dict.fromkeys((profile, *_PROFILES)):
        rules = Rules(prefix, name)
        if digest(source, rules, sets) == known:
            return rules
    return None


def normalise(
    metadata: etree._Element, rules: Rules, identifier: str, version: int, sets: Sequence[str]
) -> tuple[bytes, Body]:
    """A record's metadata as they are kept (canonical XML), and what they say by the rules."""
    body = body_of(metadata, rules, identifier, version, sets)
    if without_rules(rules.prefix, rules.profile) is None:
        keep_language(metadata)
    return canonical(metadata), body


def body_of(
    metadata: etree._Element, rules: Rules, identifier: str, version: int, sets: Sequence[str]
) -> Body:
    """What a record's metadata say by the rules; ``version`` is 0 where it bears none."""
    convert = crosswalk(rules.prefix, rules.profile)
    return convert(values(metadata), identifier, version or None, sets, None)


def _row(record: SourceRecord, rules: Rules) -> Row:
    header = record.header
    identifier, version = local_key(header.identifier, rules.profile)
    if header.deleted or record.metadata is None:
        return _deleted(header, identifier, version)
    source, body = normalise(record.metadata, rules, identifier, version, header.sets)
    return _filled(header, identifier, version, source, body, rules)


def _deleted(header: Header, identifier: str, version: int) -> Row:
    return Row(identifier, version, header.identifier, header.datestamp, header.sets, deleted=True)


def _filled(
    header: Header, identifier: str, version: int, source: bytes, body: Body, rules: Rules
) -> Row:
    return Row(
        identifier,
        version,
        header.identifier,
        header.datestamp,
        header.sets,
        deleted=False,
        digest=digest(source, rules, header.sets),
        frame=_codec(rules.dictionary).pack(source, encode(body)),
        keys=body_keys(body),
        entry=entry_of(body),
    )


def _rejected(header: Header, source: bytes, error: Exception) -> Rejected:
    """A record whose metadata are ``source`` (empty: none) and that no rule foresaw."""
    data = b"\n".join(filter(None, (header.identifier.encode(), source)))
    reason = f"it cannot be normalised ({type(error).__name__}: {str(error)[:200]})"
    return Rejected(data, header.identifier, reason, header.identifier)


@lru_cache(maxsize=4)
def _codec(dictionary: Dictionary | None) -> Codec:
    if dictionary is None:
        return Codec()
    return Codec({dictionary[0]: dictionary[1]}, writes=dictionary[0])


__all__ = ["RULES_VERSION", "Batch", "Row", "Rules", "body_of", "digest", "local_key", "prepare"]
