"""Addresses: where identifiers lead, and URIs with every other character percent-encoded."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

RESOLVERS: Final = {
    "doi": "https://doi.org/",
    "arxiv": "https://arxiv.org/abs/",
    "hdl": "https://hdl.handle.net/",
    "pmid": "https://pubmed.ncbi.nlm.nih.gov/",
    "nnt": "https://theses.fr/",
    "isbn": "urn:isbn:",
}
"""Schemes whose identifiers have an address, and what stands before them there."""

_SAFE: Final = "-._~:/?@!$&'()*+,;=%"
_LOOSE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_WEB = re.compile(
    r"(?:https?|ftp)://(?:[\w.~-]+@)?[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:[/?#].*)?", re.ASCII
)
_OTHER = re.compile(r"(?:info|oai|urn:[A-Za-z0-9-]+|swh|hdl|doi|mailto):[^/].*", re.ASCII)
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?", re.ASCII)


def uri(text: str) -> str | None:
    """``text`` as a URI (RFC 3986), or none where it is no address of a known scheme.

    What a URI may not hold is percent-encoded; so are a loose ``%`` and all of ``#`` but the first.
    """
    before, mark, after = text.strip().partition("#")
    encoded = _encoded(before) + (f"#{_encoded(after)}" if mark else "")
    return encoded if _WEB.fullmatch(encoded) or _OTHER.fullmatch(encoded) else None


def resolved(scheme: str, identifier: str) -> str:
    """Where an identifier leads, of a scheme of `RESOLVERS`.

    Its ``?`` and ``#`` begin no query or fragment there.  Some sources write identifiers
    percent-encoded: that is kept.
    """
    return RESOLVERS[scheme] + identifier.replace("?", "%3F").replace("#", "%23")


def language_tag(text: str | None) -> str | None:
    """A language tag of a language, script and region (BCP 47); none for anything else."""
    return text if text and _TAG.fullmatch(text) else None


def _encoded(text: str) -> str:
    return quote(_LOOSE_PERCENT.sub("%25", text), _SAFE)
