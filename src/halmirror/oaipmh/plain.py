"""Pages in the plainest form, read by regular expressions; everything else is left to `protocol`.

Nearly every page of every repository is plain: Dublin Core whose elements hold text and perhaps an
``xml:lang``.  Such a page is well-formed by the grammar below alone, so its records cost a third of
what a tree of them does.  What is not matched to the last byte is declined, never guessed at: a
page is either read here as `halmirror.oaipmh.protocol` would read it, or not at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from lxml import etree

from halmirror.errors import ResponseError
from halmirror.oaipmh.protocol import (
    OAI,
    Header,
    Page,
    canonical,
    document,
    is_datestamp,
    page_of,
    well_formed,
)
from halmirror.oaipmh.source import DC, Source

_OAI_DC = "{http://www.openarchives.org/OAI/2.0/oai_dc/}dc"
_FIRST, _LAST = b"<record>", b"</record>"
_STAND_IN = b"<record/>"
_END = "</oai_dc:dc>"

_ILLEGAL = bytes({*range(32)} - {9, 10})
"""What XML cannot hold, and carriage returns, which it reads as line feeds."""

_NONCHARACTER = b"\xef\xbf"
"""How U+FFFE and U+FFFF begin, which XML cannot hold either, and few characters besides."""

_OTHER_ENTITY = re.compile("&(?!(?:amp|lt|gt|quot|apos);)")
_ATTRIBUTES = r"""((?:[ \n]+[A-Za-z_][\w.:-]*="[^"<>&\t\n]*")*)[ \n]*"""
_RECORD = re.compile(
    r"[ \t\n]*<record>[ \t\n]*"
    r'<header(?: status="([^"<>&]*)")?>[ \t\n]*'
    r"<identifier>([^<>&]*)</identifier>[ \t\n]*"
    r"<datestamp>([^<>&]*)</datestamp>[ \t\n]*"
    r"((?:<setSpec>[^<>&]*</setSpec>[ \t\n]*)*)"
    r"</header>[ \t\n]*"
    rf"(?:<metadata{_ATTRIBUTES}>[ \t\n]*<oai_dc:dc{_ATTRIBUTES}>|</record>)",
    re.ASCII,
)
_SET = re.compile("<setSpec>([^<]*)<")
_VALUE = re.compile(r'<dc:([A-Za-z]+)(?: xml:lang="([A-Za-z0-9-]+)")?(?:/>|>([^<]*)</dc:\1>)')
_RECORD_END = re.compile(r"[ \t\n]*</metadata>[ \t\n]*</record>")


class PlainRecord(NamedTuple):
    """A record: header, metadata in exclusive canonical form (none: deleted), and their values."""

    header: Header
    source: bytes | None
    values: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class PlainPage:
    """A page of ListRecords: ``page`` is all of it but the records."""

    page: Page
    records: tuple[PlainRecord, ...]


def plain_page(data: bytes) -> PlainPage | None:
    """A page of ListRecords in the plainest form; none for any other answer."""
    first, last = data.find(_FIRST), data.rfind(_LAST) + len(_LAST)
    if first < 0 or last < len(_LAST) or not _is_legal(data):
        return None
    around = _around(data[:first] + _STAND_IN + data[last:])
    if around is None:
        return None
    try:
        text = data[first:last].decode()
    except UnicodeDecodeError:
        return None
    records = _records(text, around.declarations)
    return None if records is None else PlainPage(around.page, records)


def _is_legal(data: bytes) -> bool:
    if _NONCHARACTER in data and (b"\xef\xbf\xbe" in data or b"\xef\xbf\xbf" in data):
        return False
    return len(data.translate(None, _ILLEGAL)) == len(data)


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around the records: the page, and the namespaces declared there."""

    page: Page
    declarations: str


def _around(data: bytes) -> _Around | None:
    """Read what stands around the records, by the rules for any answer.

    ``data`` has one empty record in their place: where just that is found, and refused, they
    stand in ListRecords and nowhere else (no attribute, no processing instruction).
    """
    try:
        root = document(data)
        page = page_of(root)
    except ResponseError:
        return None
    info = root.getroottree().docinfo
    if (info.encoding or "UTF-8").upper() != "UTF-8" or info.xml_version != "1.0":
        return None
    answer = root.find(f"{OAI}ListRecords")
    if answer is None or page.errors or len(page.rejected) != 1 or page.records:
        return None
    if b"xml:lang" in data:  # records would inherit it
        return None
    names = sorted((prefix or "", name) for prefix, name in answer.nsmap.items())
    declarations = "".join(
        f' xmlns{prefix and ":"}{prefix}="{name}"'
        for prefix, name in names
        if '"' not in name and "<" not in name and "&" not in name
    )
    return _Around(page, declarations)


def _records(text: str, around: str) -> tuple[PlainRecord, ...] | None:
    """The records that make up ``text`` from its first to its last character; none otherwise."""
    found: list[PlainRecord] = []
    at, end = 0, len(text)
    while at < end:
        begins = _RECORD.match(text, at)
        if begins is None:
            return None
        status, identifier, datestamp, sets, outer, inner = begins.groups()
        header = _header(status, identifier, datestamp, sets)
        if header is None:
            return None
        at = begins.end()
        if inner is None:
            if not header.deleted:
                return None
            found.append(PlainRecord(header, None, ()))
            continue
        closes = text.find(_END, at)
        ends = _RECORD_END.match(text, closes + len(_END)) if closes >= 0 else None
        shell = _shell(around, outer, inner)
        if ends is None or shell is None:
            return None
        read = _metadata(text[at:closes], shell)
        if read is None:
            return None
        found.append(PlainRecord(header, *read))
        at = ends.end()
    return tuple(found)


def _header(status: str | None, identifier: str, datestamp: str, sets: str) -> Header | None:
    name, stamp = identifier.strip(), datestamp.strip()
    if not name or not is_datestamp(stamp):
        return None
    specs = {spec.strip() for spec in _SET.findall(sets)} if sets else set()
    specs.discard("")
    return Header(name, stamp, tuple(sorted(specs)), (status or "").strip() == "deleted")


class _Shell(NamedTuple):
    """How ``oai_dc:dc`` begins in canonical form, and what it adds to the name of each value."""

    start: str
    added: str


@lru_cache(maxsize=256)
def _shell(around: str, outer: str, inner: str) -> _Shell | None:
    """The canonical form of what stands around the values, as lxml gives it.

    ``around``, ``outer`` and ``inner`` are the attributes of the ancestors, of ``metadata`` and of
    ``oai_dc:dc``.  None where the names are not those of Dublin Core, or a language is inherited.
    """
    if "xml:lang" in outer + inner:
        return None
    whole = f"<r{around}><metadata{outer}><oai_dc:dc{inner}><dc:title></dc:title></oai_dc:dc>"
    try:
        metadata = well_formed(f"{whole}</metadata></r>".encode())[0][0]
        text = canonical(metadata).decode()
    except (etree.XMLSyntaxError, ResponseError):
        return None
    if metadata.tag != _OAI_DC or metadata[0].tag != f"{{{DC}}}title":
        return None
    start, _, rest = text.partition("<dc:title")
    return _Shell(start, rest.partition(">")[0])


def _metadata(text: str, shell: _Shell) -> tuple[bytes, tuple[Source, ...]] | None:
    """Canonical form and values of what stands inside ``oai_dc:dc``."""
    if "&" in text and _OTHER_ENTITY.search(text):
        return None
    cut = _VALUE.split(text)
    # Where no other tag stands between the values, and no text has a ">" of its own, which
    # canonical form would change, only these have brackets: two each, one where it is empty.
    brackets = len(cut) // 2 - cut[3::4].count(None)
    if text.count("<") != brackets or text.count(">") != brackets:
        return None
    start, added = shell
    parts = [start]
    values = []
    pieces = iter(cut)
    for between, element, lang, inside in zip(pieces, pieces, pieces, pieces, strict=False):
        tag = f'{added} xml:lang="{lang}"' if lang else added
        value = inside or ""
        parts.append(f"{between}<dc:{element}{tag}>{value}</dc:{element}>")
        values.append(Source(element, _plain(value) if "&" in value else value, lang))
    parts += (cut[-1], _END)
    source = "".join(parts)
    if "&" in text:
        source = source.replace("&quot;", '"').replace("&apos;", "'")
    return source.encode(), tuple(values)


def _plain(text: str) -> str:
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'")):
        text = text.replace(entity, character)
    return text.replace("&amp;", "&")
