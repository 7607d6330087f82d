"""The good records of a page whose XML is not well formed: pure, and strict about each record.

One wrong byte makes a whole answer unreadable to a strict parser.  Here the page is cut at the
tags of its records, each is parsed by itself under the page's own start tags, and what is left
without the records has to be a well-formed page.  Nothing is repaired: a record is either read
as `parse` would have read it, or set aside with its bytes.

A page is cut only where its boundaries are certain.  `_Cut` tells what that takes.  Whatever
leaves a doubt refuses the page: that costs another request, a wrong cut would cost records.
Time is linear in the size of the page: every pattern runs to the next ``<`` at most, and
every search for the end of a comment goes on from there or gives up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lxml import etree

from halmirror.errors import ResponseError
from halmirror.oaipmh.protocol import (
    OAI,
    Page,
    Rejected,
    document,
    identifier_of,
    page_of,
    refusal,
    syntax_reason,
    well_formed,
    with_canonical_records,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

_ITEMS = {b"ListRecords": b"record", b"GetRecord": b"record", b"ListIdentifiers": b"header"}
"""What the lists that can be cut hold, by their verb."""

_CHILDREN = {b"record": (b"header", b"metadata"), b"header": (b"identifier", b"datestamp")}
"""What an item of OAI-PMH holds once, first one first (section 2.5), and no record of MARC."""

_MOST_ITEMS = 100_000
_MOST_REPEATED = 8
"""The start tags before each record may make that many times the page: they are some 500 bytes."""

_OPENS = frozenset({"start", "empty"})
_CLOSES = frozenset({"end", "empty"})
_DEPTH = {"start": 1, "end": -1}
_ENDS = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}
_OPAQUE = rb"(?P<opaque><!--|<!\[CDATA\[|<\?)"
_NAME = rb"[^\s<>/=:\"'!?&;]{1,100}"
_ATTRIBUTES = rb"(?:\s++[^\s<>/=\"']++\s*+=\s*+(?:\"[^\"<]*+\"|'[^'<]*+'))*+\s*+"
_ROOT = re.compile(
    rb"(?P<first>(?:\xef\xbb\xbf)?(?P<declaration><\?xml\s[^<>]*?\?>)?)"
    rb"\s*+(?>(?:<\?.*?\?>|<!--.*?-->)\s*+)*+"
    rb"(?P<tag><(?P<prefix>(?:" + _NAME + rb":)?)OAI-PMH" + _ATTRIBUTES + rb">)",
    re.DOTALL,
)
_ENCODING = re.compile(rb"\sencoding\s*=\s*[\"']([^\"'\s]*)[\"']")
_ASCII_SUPERSETS = re.compile(
    rb"utf-?8|(us-)?ascii|iso-8859-\d{1,2}|latin-?1|windows-125\d|koi8-[ru]|euc-(jp|kr)",
    re.IGNORECASE,
)
"""Encodings in which a byte below 128 is that character of ASCII wherever it stands."""


@dataclass(frozen=True, slots=True)
class _Tags:
    """The patterns of a page's tags, all in the prefix of its root.

    ``each`` finds what a cut has to look at; ``first`` is the beginning of an item after its
    start tag; ``begun`` is the same with the tag; ``identified`` is an item up to the end of its
    identifier, which comes first in a header, and ``after_identifier`` the end tags that are open
    there; ``header_end`` begins a header's end tag; ``identifier_start`` is what may begin another
    identifier or hide one.  ``once`` are the tags that an item has once.
    """

    each: re.Pattern[bytes]
    first: re.Pattern[bytes]
    begun: re.Pattern[bytes]
    once: re.Pattern[bytes]
    identified: re.Pattern[bytes]
    after_identifier: bytes
    header_end: bytes
    identifier_start: re.Pattern[bytes]


@dataclass(frozen=True, slots=True)
class _Cut:
    """A page cut into its items.

    ``opening`` are the start tags that every item stands under, on one line; ``closing`` are their
    end tags.  ``spans`` say where the items begin and end in the page, ``rest`` is the page
    without them.

    Tags count only outside comments, CDATA sections and processing instructions, which all have
    to end.  Between the items stand white space and comments.  Items may hold elements of their
    own name (MARC has its records), but none that begins as an item does, and neither may a
    comment or the like: there a boundary between two items is damaged.  So it is where an item
    that is not well formed has the tags of two.
    """

    verb: str
    item: str
    tags: _Tags
    opening: bytes
    closing: bytes
    spans: tuple[tuple[int, int], ...]
    rest: bytes


class _UncertainError(Exception):
    """Why a page cannot be cut."""


def salvage(data: bytes, *, url: str | None = None) -> Page:
    """The page of an answer (decompressed) that `parse` refused for its syntax.

    The records that are not well formed are among ``rejected``: bytes as they came, position
    ``record 17`` (``header 17`` in ListIdentifiers), libxml2's reason, and the identifier where
    the record begins with a readable one.  Their order is that of the page.

    It may be that none is good: certain boundaries are what saves a page.  Raises `ResponseError`
    where the page cannot be cut with certainty, is damaged outside its records, lacks its end, or
    has no record.
    """
    try:
        cut = _cut(data)
        page = _frame(cut)
        parts = [_part(cut, data[slice(*span)], n) for n, span in enumerate(cut.spans, start=1)]
    except _UncertainError as reason:
        raise refusal(f"its records cannot be saved one by one: {reason}", url) from reason
    return replace(
        page,
        records=tuple(record for part in parts for record in part.records),
        headers=tuple(header for part in parts for header in part.headers),
        rejected=tuple(rejected for part in parts for rejected in part.rejected),
    )


def _cut(data: bytes) -> _Cut:
    """The page cut at its items.  Raises `_UncertainError`."""
    root = _ROOT.match(data)
    if root is None:
        raise _UncertainError("it does not begin as OAI-PMH does")
    _check_encoding(root["declaration"] or b"")
    prefix = root["prefix"]
    verb = _verb_tag(data, root.end(), prefix)
    item = _ITEMS[verb["verb"]]
    tags = _tags(prefix, item)
    spans = _spans(data, verb.end(), tags)
    if not spans:
        raise _UncertainError(f"it has no {item.decode()}")
    opening = b"".join((root["first"], root["tag"], verb[0]))
    if len(opening) * len(spans) > _MOST_REPEATED * len(data):
        raise _UncertainError("its start tags are too long for so many records")
    ends = [0, *(end for _, end in spans)]
    starts = [*(start for start, _ in spans), len(data)]
    return _Cut(
        verb=verb["verb"].decode(),
        item=item.decode(),
        tags=tags,
        opening=opening.replace(b"\r", b" ").replace(b"\n", b" "),
        closing=b"</%b%b></%bOAI-PMH>" % (prefix, verb["verb"], prefix),
        spans=tuple(spans),
        rest=b"".join(data[a:b] for a, b in zip(ends, starts, strict=True)),
    )


def _check_encoding(declaration: bytes) -> None:
    declared = _ENCODING.search(declaration)
    if declared is not None and not _ASCII_SUPERSETS.fullmatch(declared[1]):
        raise _UncertainError("its tags cannot be told apart in its encoding")


def _verb_tag(data: bytes, start: int, prefix: bytes) -> re.Match[bytes]:
    """The start tag of the first verb's element that holds records."""
    verbs = b"|".join(_ITEMS)
    name = rb"<" + re.escape(prefix) + rb"(?P<verb>" + verbs + rb")"
    each = re.compile(_OPAQUE + rb"|" + name + rb"(?=[\s/>])")
    found = each.search(data, start)
    while found is not None and found["opaque"]:
        found = each.search(data, _opaque_end(data, found))
    tag = found and re.compile(name + _ATTRIBUTES + rb">").match(data, found.start())
    if not tag:
        raise _UncertainError("it has no list of records, or a damaged one")
    return tag


def _tags(prefix: bytes, item: bytes) -> _Tags:
    p, name = re.escape(prefix), re.escape(prefix) + item
    first = rb"[^<]*+<" + p + _CHILDREN[item][0] + rb"(?=[\s/>])"
    around = (b"record", b"header") if item == b"record" else (b"header",)
    to_identifier = rb"\s*+".join(
        rb"<" + p + level + _ATTRIBUTES + rb">" for level in (*around, b"identifier")
    )
    return _Tags(
        each=re.compile(
            _OPAQUE + rb"|(?P<end></" + name + rb"\s*+>)"
            rb"|(?P<start><" + name + _ATTRIBUTES + rb"(?P<empty>/?)>)"
            rb"|(?P<damaged></?" + name + rb"(?=[\s/>]))"
        ),
        first=re.compile(first),
        begun=re.compile(rb"<" + name + rb"(?=[\s/>])" + first),
        once=re.compile(rb"</?" + p + rb"(?:" + rb"|".join(_CHILDREN[item]) + rb")(?=[\s/>])"),
        identified=re.compile(to_identifier + rb"[^<]*+</" + p + rb"identifier\s*+>"),
        after_identifier=b"".join(b"</%b%b>" % (prefix, level) for level in reversed(around)),
        header_end=b"</" + prefix + b"header",
        identifier_start=re.compile(rb"<!|<\?|<" + p + rb"(?:identifier|header|metadata)[\s/>]"),
    )


def _spans(data: bytes, start: int, tags: _Tags) -> list[tuple[int, int]]:
    """Where the items begin and end, from the end of the verb's start tag on."""
    spans: list[tuple[int, int]] = []
    depth = 0
    opened = after = start
    only_items = True  # so far, with white space and comments; the resumptionToken ends that
    for kind, begin, end in _marks(data, start, tags):
        if depth == 0:
            only_items = only_items and kind != "other" and not data[after:begin].strip()
            if kind == "end" or (kind in _OPENS and not only_items):
                raise _UncertainError(f"something stands between its records, at byte {begin}")
            opened = begin
        elif kind in _OPENS and tags.first.match(data, end):
            raise _UncertainError(f"a record has no end, at byte {opened}")
        depth += _DEPTH.get(kind, 0)
        if depth == 0:
            after = end
            if kind in _CLOSES:
                spans.append((opened, end))
                if len(spans) > _MOST_ITEMS:
                    raise _UncertainError(f"it has more than {_MOST_ITEMS} records")
    if depth:
        raise _UncertainError(f"a record has no end, at byte {opened}")
    return spans


def _marks(data: bytes, start: int, tags: _Tags) -> Iterator[tuple[str, int, int]]:
    """What a cut has to look at, each with its kind, beginning and end.

    The kinds are ``start``, ``end`` and ``empty`` for the tags of items, ``comment``, and
    ``other`` for CDATA sections and processing instructions.
    """
    found = tags.each.search(data, start)
    while found is not None:
        begin, end = found.span()
        kind = "empty" if found["empty"] else str(found.lastgroup)
        if kind == "damaged":
            raise _UncertainError(f"the tag of a record is damaged, at byte {begin}")
        if kind == "opaque":
            kind = "comment" if found["opaque"] == b"<!--" else "other"
            end = _opaque_end(data, found)
            if tags.begun.search(data, begin, end):
                reason = f"a comment or the like holds the beginning of a record, at byte {begin}"
                raise _UncertainError(reason)
        yield kind, begin, end
        found = tags.each.search(data, end)


def _opaque_end(data: bytes, found: re.Match[bytes]) -> int:
    """Where a comment, CDATA section or processing instruction ends.

    Raises `_UncertainError` where that is not certain: another begins inside, as happens where
    the true end is damaged.
    """
    opener = found["opaque"]
    end = data.find(_ENDS[opener], found.end())
    if end < 0 or data.find(opener, found.end(), end) >= 0:
        raise _UncertainError(f"a comment or the like has no end, at byte {found.start()}")
    return end + len(_ENDS[opener])


def _frame(cut: _Cut) -> Page:
    """The page without its items.

    Raises `_UncertainError` where it is none, or holds anything but what OAI-PMH has around the
    items of a list (section 3.2).
    """
    try:
        root = document(cut.rest)
        page = page_of(root)
    except ResponseError as error:
        raise _UncertainError("it is damaged outside of them, or cut short") from error
    answer = root.find(f"{OAI}{cut.verb}")
    if answer is None or any(len(child) for child in root.iterchildren("*") if child != answer):
        raise _UncertainError("its records stand where none are due")
    if any(child.tag != f"{OAI}resumptionToken" for child in answer.iterchildren("*")):
        raise _UncertainError("it holds something that is no record")
    if _has_text(root) or _has_text(answer):
        raise _UncertainError("it holds text around its records")
    return page


def _has_text(element: _Element) -> bool:
    texts = [element.text, *(child.tail for child in element)]
    return any(text and text.strip() for text in texts)


def _part(cut: _Cut, piece: bytes, number: int) -> Page:
    """The page that holds nothing but one item.

    Raises `_UncertainError` where it is damaged and may be two, the boundary between them lost.
    """
    place = f"{cut.item} {number}"
    alone = cut.opening + piece + cut.closing
    try:
        root = well_formed(alone)
    except etree.XMLSyntaxError as error:
        once = cut.tags.once.findall(piece)
        if len(set(once)) < len(once):
            raise _UncertainError(f"{place} may be more than one") from error
        # The opening being one line, line numbers are the record's own.
        reason = f"{syntax_reason(error)}, at line {error.position[0]} of the {cut.item}"
        rejected = Rejected(piece, place, reason, _identifier(cut, piece))
        return Page("", cut.verb, {}, rejected=(rejected,))
    page = with_canonical_records(page_of(root), alone)
    return replace(page, rejected=tuple(replace(one, position=place) for one in page.rejected))


def _identifier(cut: _Cut, piece: bytes) -> str | None:
    """The identifier of a damaged item, where its bytes leave no doubt.

    The item has to begin with whole tags down to the identifier, its header to end, and
    nothing in between may be a second identifier or hide one.
    """
    found = cut.tags.identified.match(piece)
    end = piece.find(cut.tags.header_end, found.end()) if found else -1
    if not found or end < 0 or cut.tags.identifier_start.search(piece, found.end(), end):
        return None
    try:
        root = well_formed(cut.opening + found[0] + cut.tags.after_identifier + cut.closing)
    except etree.XMLSyntaxError:
        return None
    return identifier_of(root[0][0])
