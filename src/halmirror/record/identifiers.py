"""Identifiers: HAL ids and versions, DOI, arXiv, PMID, NNT, ISBN, ISSN, handle.

Pure text in, normal form out.  A checker gives the normal form, or None where the text is not
such an identifier; none of them raises.  Comparing is ASCII only where the scheme says so
(a DOI or a handle folds A to Z, no other letter).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from halmirror.remembered import remembered

if TYPE_CHECKING:
    from collections.abc import Callable

    from halmirror.record import Body

_HAL_ID = re.compile(
    r"([a-z][a-z0-9]*)([-_])([0-9]+)(?:v([1-9][0-9]{0,8}))?", re.ASCII | re.IGNORECASE
)
_HAL_OAI = re.compile(
    r"oai:(?:hal|[a-z0-9.-]*(?:archives-ouvertes\.fr|hal\.science|ccsd\.cnrs\.fr)):",
    re.ASCII | re.IGNORECASE,
)
_HAL_ADDRESS = re.compile(
    r"(?:https?://[^/?#\s]+|[^/?#\s:]+\.[a-z]{2,})/(?:[^/?#\s]+/)??"
    r"([a-z][a-z0-9]*)([-_])([0-9]{6,})(?:v([1-9][0-9]{0,8}))?(/[^?#\s]*)?(?:[?#]\S*)?",
    re.ASCII | re.IGNORECASE,
)
_LEGACY = {"ccsd": "hal", "democrite": "in2p3"}
"""Prefixes HAL has renamed; the number stayed."""

_DOI_PREFIX = re.compile(
    r"(?:(https?://(?:dx\.|www\.)?doi\.org/|(?:dx\.)?doi\.org/)|info:doi/|urn:doi:|doi\s*:\s*)",
    re.ASCII | re.IGNORECASE,
)
_DOI = re.compile(r"10\.[0-9]{4,9}(?:\.[0-9]+)*/\S+", re.ASCII)
_ARXIV_PREFIX = re.compile(
    r"(?:https?://(?:www\.|export\.)?arxiv\.org/(?:abs|pdf)/|oai:arxiv\.org:|arxiv\s*:\s*)",
    re.ASCII | re.IGNORECASE,
)
_ARXIV = re.compile(
    r"(?:[0-9]{2}(?:0[1-9]|1[0-2])\.[0-9]{4,5}"
    r"|(?P<archive>[a-z]+(?:-[a-z]+)*)(?P<subject>\.[A-Z]{2})?"
    r"/[0-9]{2}(?:0[1-9]|1[0-2])[0-9]{3})(?P<version>v[0-9]+)?",
    re.ASCII,
)
_PMID_PREFIX = re.compile(
    r"(?:https?://(?:www\.)?(?:pubmed\.ncbi\.nlm\.nih\.gov|ncbi\.nlm\.nih\.gov/pubmed)/"
    r"|info:pmid/|pmid\s*:?\s*|pubmed\s*:\s*)",
    re.ASCII | re.IGNORECASE,
)
_PMID = re.compile(r"0*([1-9][0-9]{0,8})/?", re.ASCII)
_NNT_PREFIX = re.compile(r"(?:https?://(?:www\.)?theses\.fr/|nnt\s*:\s*)", re.ASCII | re.IGNORECASE)
_NNT = re.compile(r"(?:1[5-9]|20)[0-9]{2}[A-Z]{2}[A-Z0-9]{6}", re.ASCII)
_ISBN_PREFIX = re.compile(
    r"(?:urn:isbn:|isbn(?:-?1[03])?(?:\s*:\s*|\s+|(?=[0-9])))", re.ASCII | re.IGNORECASE
)
_ISSN_PREFIX = re.compile(r"(?:urn:issn:|e?issn\s*:?\s*)", re.ASCII | re.IGNORECASE)
_ISSN = re.compile(r"([0-9]{4})[-\u2010\u2011\u2013 ]?([0-9]{3}[0-9Xx])", re.ASCII)
_HANDLE_PREFIX = re.compile(
    r"(?:https?://hdl\.handle\.net/|hdl\.handle\.net/|info:hdl/|hdl\s*:\s*|handle\s*:\s*)",
    re.ASCII | re.IGNORECASE,
)
_HANDLE = re.compile(r"[0-9]+(?:\.[0-9A-Za-z_-]+)*/\S+", re.ASCII)
_ISBN_DASHES = str.maketrans("", "", "-\u2010\u2011\u2012\u2013 ")
_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def parse_hal_id(text: str) -> tuple[str, int | None] | None:
    """The HAL id in ``text`` and its version, or None where the text is no HAL identifier.

    Takes a bare id, an OAI identifier of HAL (``oai:HAL:…``, ``oai:hal.archives-ouvertes.fr:…``)
    and an address of a record or of its files on any host, since every portal has its own.
    ``ccsd-`` and ``democrite-`` give today's ``hal-`` and ``in2p3-``.
    """
    text = text.strip()
    oai = _HAL_OAI.match(text)
    if oai:
        return _hal_id(text[oai.end() :])
    return _hal_id(text) or _from_address(text)


def hal_address(text: str) -> tuple[str, str] | None:
    """The HAL id an address is about, and the path after it (``""`` for the record's page)."""
    found = _HAL_ADDRESS.fullmatch(text)
    return (_name(found), found[5] or "") if found else None


def _from_address(text: str) -> tuple[str, int | None] | None:
    found = _HAL_ADDRESS.fullmatch(text)
    return (_name(found), _version(found)) if found else None


def _hal_id(text: str) -> tuple[str, int | None] | None:
    found = _HAL_ID.fullmatch(text)
    return (_name(found), _version(found)) if found else None


def _name(found: re.Match[str]) -> str:
    """The id of a match that has prefix, sign and number as its first groups."""
    prefix = found[1].lower()
    return f"{_LEGACY.get(prefix, prefix)}{found[2]}{found[3]}"


def _version(found: re.Match[str]) -> int | None:
    return int(found[4]) if found[4] else None


@remembered(64)
def doi(text: str) -> str | None:
    """A DOI in lower case, without resolver or ``doi:`` (DOI Handbook, sections 2.2 and 2.6.1)."""
    text = text.strip()
    prefix = _DOI_PREFIX.match(text)
    if prefix:
        text = text[prefix.end() :]
        if prefix[1]:
            text = unquote(text)
    return text.translate(_ASCII_LOWER) if _DOI.fullmatch(text) else None


def arxiv(text: str) -> str | None:
    """An arXiv id, old form or new, with its version where it has one, without ``arXiv:``."""
    text = _without(_ARXIV_PREFIX, text).removesuffix(".pdf")
    return text if _ARXIV.fullmatch(text) else None


def pmid(text: str) -> str | None:
    """A PubMed number: one to nine digits without leading zeros."""
    found = _PMID.fullmatch(_without(_PMID_PREFIX, text))
    return found[1] if found else None


def nnt(text: str) -> str | None:
    """A French thesis number in upper case: year, establishment (4), number (4)."""
    text = _without(_NNT_PREFIX, text).upper()
    return text if _NNT.fullmatch(text) else None


def isbn(text: str) -> str | None:
    """An ISBN of 10 or 13 digits without hyphens, its check digit tested (ISO 2108)."""
    text = _without(_ISBN_PREFIX, text).translate(_ISBN_DASHES).upper()
    if not text.isascii() or not text[:-1].isdigit():
        return None
    if len(text) == 10:
        return text if _check_ten(text) else None
    if len(text) == 13 and text.isdigit() and text.startswith(("978", "979")):
        return text if _thirteen(text[:12]) == text else None
    return None


def _check_ten(text: str) -> bool:
    if text[-1] != "X" and not text[-1].isdigit():
        return False
    digits = [10 if one == "X" else int(one) for one in text]
    return sum((10 - place) * digit for place, digit in enumerate(digits)) % 11 == 0


def _thirteen(twelve: str) -> str:
    total = sum(int(one) * (3 if place % 2 else 1) for place, one in enumerate(twelve))
    return f"{twelve}{-total % 10}"


@remembered(4096)
def issn(text: str) -> str | None:
    """An ISSN as ``1234-567X``, its check digit tested (ISO 3297)."""
    found = _ISSN.fullmatch(_without(_ISSN_PREFIX, text))
    if found is None:
        return None
    digits = found[1] + found[2].upper()
    total = sum((8 - place) * int(one) for place, one in enumerate(digits[:7]))
    check = -total % 11
    return (
        f"{digits[:4]}-{digits[4:]}" if digits[7] == ("X" if check == 10 else str(check)) else None
    )


def handle(text: str) -> str | None:
    """A handle, ``prefix/suffix``, without resolver or ``hdl:`` (RFC 3651); a DOI is none here."""
    text = _without(_HANDLE_PREFIX, text)
    return text if _HANDLE.fullmatch(text) and not _DOI.fullmatch(text) else None


def _without(prefix: re.Pattern[str], text: str) -> str:
    text = text.strip()
    found = prefix.match(text)
    return text[found.end() :] if found else text


_CHECKERS: tuple[tuple[str, Callable[[str], str | None]], ...] = (
    ("doi", doi),
    ("arxiv", arxiv),
    ("pmid", pmid),
    ("nnt", nnt),
    ("isbn", isbn),
    ("hdl", handle),
)


def lookup_keys(text: str) -> tuple[tuple[str, str], ...]:
    """Every (scheme, value) under which a user's input could be found, the surest first.

    A HAL id has no scheme: it is the record's own id (see `parse_hal_id`).  A text that fits
    several schemes (ten digits) gives one pair for each.
    """
    return tuple(
        (scheme, key)
        for scheme, check in _CHECKERS
        if (value := check(text)) and (key := _key(scheme, value))
    )


def body_keys(body: Body) -> tuple[tuple[str, str], ...]:
    """The (scheme, value) pairs under which look-up finds a body, each once."""
    held = body.identifiers
    if held is None:
        return ()
    pairs = [
        (scheme, _key(scheme, value))
        for scheme, values in (
            ("doi", held.doi),
            ("arxiv", held.arxiv),
            ("pmid", held.pmid),
            ("nnt", held.nnt),
            ("isbn", held.isbn),
            ("hdl", held.hdl),
        )
        for value in values
    ]
    return tuple(dict.fromkeys(pairs))


def _key(scheme: str, value: str) -> str:
    """The form in which two identifiers of one thing are equal.

    arXiv: without version and subject class; ISBN: thirteen digits; handle: lower case.
    """
    if scheme == "arxiv":
        found = _ARXIV.fullmatch(value)
        if found:
            value = value.removesuffix(found["version"] or "")
            value = value.replace(found["subject"], "", 1) if found["subject"] else value
    elif scheme == "isbn" and len(value) == 10:
        return _thirteen(f"978{value[:9]}")
    elif scheme == "hdl":
        return value.translate(_ASCII_LOWER)
    return value
