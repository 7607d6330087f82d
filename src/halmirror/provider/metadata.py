"""The metadata of a record as they are passed on: what came, or the Dublin Core of what it says.

What came is oai_dc that mostly is as the schema wants it; its stored bytes are looked at, not
parsed.  Only where that look is not enough are they parsed, and what the schema does not allow
is left out: an attribute, an element's tags, an element.  What was left out is told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from lxml import etree

from halmirror.errors import ResponseError
from halmirror.export.dublin_core import dublin_core
from halmirror.oaipmh.protocol import canonical, well_formed

if TYPE_CHECKING:
    from lxml.etree import _Element

    from halmirror.record import Record

OAI_DC: Final = "http://www.openarchives.org/OAI/2.0/oai_dc/"
DC: Final = "http://purl.org/dc/elements/1.1/"

_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_LOCATIONS: Final = frozenset(
    f"{{{_XSI}}}{name}" for name in ("schemaLocation", "noNamespaceSchemaLocation")
)
_ELEMENTS: Final = (
    "title", "creator", "subject", "description", "publisher", "contributor", "date", "type",
    "format", "identifier", "source", "language", "relation", "coverage", "rights",
)  # fmt: skip
_TAGS: Final = frozenset(f"{{{DC}}}{name}" for name in _ELEMENTS)
_LANG: Final = r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*"
_DECLARED: Final = b' xmlns:dc="%s"' % DC.encode()
_ROOT: Final = b'<oai_dc:dc xmlns:oai_dc="%s"' % OAI_DC.encode()
_LOCATED: Final = (
    f' xmlns:xsi="{_XSI}" xsi:schemaLocation="{OAI_DC} '
    'http://www.openarchives.org/OAI/2.0/oai_dc.xsd"'
).encode()
_LEGAL_LANG: Final = re.compile(_LANG)
_SIMPLE: Final = re.compile(
    rf'{_ROOT.decode()}(?: xmlns:xsi="{_XSI}" xsi:schemaLocation="[^"<&]*+")?+>'
    rf'(?:[ \n\t]*+<dc:(?>({"|".join(_ELEMENTS)})) xmlns:dc="{DC}"(?: xml:lang="{_LANG}")?+>'
    r"[^<&]*+(?:&(?:amp|lt|gt|#xD);[^<&]*+)*+</dc:\1>)*+[ \n\t]*+</oai_dc:dc>".encode()
)
"""The canonical form of metadata that are valid: nothing but the fifteen elements with text."""


class PassedOn(NamedTuple):
    """The metadata element, and what was changed of what came (``left_out``: in words)."""

    xml: bytes
    is_altered: bool = False
    left_out: tuple[str, ...] = ()


def as_it_came(source: bytes) -> PassedOn | None:
    """The oai_dc of a record, equal to what came under exclusive canonical XML.

    Where that is not valid, without what makes it so; none where it is no oai_dc.
    """
    if _SIMPLE.fullmatch(source):
        # One declaration for all, where no text holds the like.
        shorter = source.replace(_DECLARED, b"")
        if len(source) - len(shorter) == len(_DECLARED) * shorter.count(b"<dc:"):
            return PassedOn(_ROOT + _DECLARED + shorter[len(_ROOT) :])
        return PassedOn(source)
    try:
        root = well_formed(source)
        left_out = _purge(root)
        if left_out is None or root.getroottree().docinfo.doctype:
            return None
        return PassedOn(canonical(root), bool(left_out), tuple(left_out))
    except (etree.XMLSyntaxError, ResponseError):
        return None


def normalised(record: Record) -> PassedOn:
    """The Dublin Core of what the record says by the rules."""
    xml = dublin_core(record).encode()
    return PassedOn(_ROOT + _LOCATED + xml[len(_ROOT) :], is_altered=True)


def namespace_of(source: bytes) -> str:
    """The namespace of metadata that came in another format; oai_dc's where there is none."""
    try:
        name = etree.QName(well_formed(source)).namespace
    except etree.XMLSyntaxError:
        return OAI_DC
    return name or OAI_DC


def _purge(root: _Element) -> list[str] | None:
    """Take out what the schema of oai_dc does not allow; none where it is another format."""
    if root.tag != f"{{{OAI_DC}}}dc":
        return None
    left_out: list[str] = []
    if _text_of(root):
        left_out.append("text between the elements")
        root.text = None
        for child in root:
            child.tail = None
    left_out += _purge_attributes(root)
    for child in list(root.iterchildren("*")):
        if child.tag not in _TAGS:
            left_out.append(f"the element {child.tag!s}")
            root.remove(child)
            continue
        left_out += _purge_attributes(child)
        if any(isinstance(one.tag, str) for one in child):
            left_out.append(f"the tags inside {etree.QName(child).localname}")
            text = str(child.xpath("string()"))
            del child[:]
            child.text = text
    return left_out


def _purge_attributes(element: _Element) -> list[str]:
    left_out = []
    for name, value in list(element.attrib.items()):
        is_lang = name == _XML_LANG and element.tag in _TAGS
        if name in _LOCATIONS or (is_lang and _LEGAL_LANG.fullmatch(str(value).strip())):
            continue
        del element.attrib[name]
        told = f"{name}={str(value)[:50]!r}"
        left_out.append(f"the attribute {told} of {etree.QName(element).localname}")
    return left_out


def _text_of(root: _Element) -> str:
    """The text that stands directly in an element, white space aside."""
    return "".join([root.text or "", *(child.tail or "" for child in root)]).strip()
