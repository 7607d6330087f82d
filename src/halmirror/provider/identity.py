"""Who answers, and whom the records come from: Identify, and the addresses of the origins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from lxml import etree

from halmirror.export.oai_dc import xml_text
from halmirror.oaipmh.protocol import OAI, well_formed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from halmirror.store.items import Origin

GRANULARITY: Final = "YYYY-MM-DDThh:mm:ssZ"

_XSI: Final = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_OAI_DC: Final = "http://www.openarchives.org/OAI/2.0/oai_dc/"
_HOST: Final = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z][A-Za-z0-9-]*")
_NOBODY: Final = "postmaster@localhost.localdomain"


@dataclass(frozen=True, slots=True)
class Repository:
    """How the mirror presents itself as a data provider.

    ``base_url``: the address it is asked at.  ``name``: none makes one of the sources' names;
    ``admin_emails``: none gives ``postmaster`` at the host of ``base_url``.  ``page_size``: items
    a page.
    """

    base_url: str
    name: str | None = None
    admin_emails: tuple[str, ...] = ()
    page_size: int = 500


def identify(repository: Repository, earliest: str, origins: Iterable[Origin]) -> bytes:
    """The Identify element (section 4.2)."""
    origins = list(origins)
    names = [_told(one, "repositoryName") or one.name for one in origins]
    name = repository.name or f"Mirror of {' and '.join(dict.fromkeys(names)) or 'nothing yet'}"
    emails = repository.admin_emails or (_postmaster(repository.base_url),)
    return "".join(
        (
            f"<Identify>\n<repositoryName>{xml_text(name)}</repositoryName>\n",
            f"<baseURL>{xml_text(repository.base_url)}</baseURL>\n",
            "<protocolVersion>2.0</protocolVersion>\n",
            *(f"<adminEmail>{xml_text(email)}</adminEmail>\n" for email in emails),
            f"<earliestDatestamp>{earliest}</earliestDatestamp>\n",
            "<deletedRecord>persistent</deletedRecord>\n",
            f"<granularity>{GRANULARITY}</granularity>\n",
            "<compression>gzip</compression>\n",
            _friends(origins),
            _terms(origins),
            "</Identify>\n",
        )
    ).encode()


def origin_url(origin: Origin) -> str:
    """The base URL of the repository that a source's records come from, by its own word."""
    told = _told(origin, "baseURL") or ""
    return told if _is_web(told) else origin.base_url


def statement(origins: Iterable[Origin]) -> str | None:
    """What the sources ask of those who take their metadata, in their own words."""
    return "\n".join(f"{one.name}: {one.statement}" for one in origins if one.statement) or None


def _friends(origins: Iterable[Origin]) -> str:
    """The ``friends`` container: the repositories that the records come from."""
    urls = dict.fromkeys(url for one in origins if _is_web(url := origin_url(one)))
    if not urls:
        return ""
    space = "http://www.openarchives.org/OAI/2.0/friends/"
    listed = "".join(f"<baseURL>{xml_text(url)}</baseURL>" for url in urls)
    return (
        f'<description><friends xmlns="{space}" {_XSI} xsi:schemaLocation="{space} '
        f'http://www.openarchives.org/OAI/2.0/friends.xsd">{listed}</friends></description>\n'
    )


def _terms(origins: Iterable[Origin]) -> str:
    """What the sources ask for, as the rights of the whole in Dublin Core."""
    told = [f"<dc:rights>{xml_text(one.statement)}</dc:rights>" for one in origins if one.statement]
    if not told:
        return ""
    return (
        f'<description><oai_dc:dc xmlns:oai_dc="{_OAI_DC}" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/" {_XSI} xsi:schemaLocation="{_OAI_DC} '
        f'http://www.openarchives.org/OAI/2.0/oai_dc.xsd">{"".join(told)}</oai_dc:dc>'
        "</description>\n"
    )


def _told(origin: Origin, name: str) -> str | None:
    """What a source's Identify answer says under a name."""
    return _element(origin.identify, name) if origin.identify else None


@lru_cache(maxsize=256)
def _element(identify_xml: bytes, name: str) -> str | None:
    try:
        text = well_formed(identify_xml).findtext(f"{OAI}{name}")
    except etree.XMLSyntaxError:
        return None
    return " ".join(str(text).split()) if text else None


def _is_web(url: str) -> bool:
    """Whether an address is one of the web, in its plain form."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = re.fullmatch(r"[!#-;=?-Z_a-z~]+", url) and not re.search("%(?![0-9A-Fa-f]{2})", url)
    return bool(plain and parts.scheme in ("http", "https") and parts.netloc)


def _postmaster(base_url: str) -> str:
    """Every domain has one (RFC 2142); a host without a domain has nobody to write to."""
    host = urlsplit(base_url).hostname or ""
    return f"postmaster@{host}" if _HOST.fullmatch(host) else _NOBODY
