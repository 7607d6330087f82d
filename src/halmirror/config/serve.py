"""The settings of ``halmirror serve``: the section ``[serve]`` and how each value is read."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

from halmirror.config.values import (
    check_base_url,
    flag_in,
    read_count,
    read_flag,
    read_text,
)
from halmirror.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}))|\[[0-9A-Fa-f:.]+\]")
_EMAIL = re.compile(r"[^\s@<>&]+@[^\s@<>&.]+(?:\.[^\s@<>&.]+)+")
_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")

SERVE_TEMPLATE: Final = """\

# The web pages of 'halmirror serve'; each setting can be overridden by the environment,
# $HALMIRROR_SERVE_<KEY>: HALMIRROR_SERVE_PORT=8080, say.
[serve]
# Where to listen; 127.0.0.1 is this machine alone.
# host = "127.0.0.1"
# port = 8077
# Processes that answer.
# workers = 1
# The address people use where a proxy stands before it, with its path; all links begin with it.
# public_url = "https://example.org/hal/"
# Other hosts it answers to, beside that of public_url, localhost, 127.0.0.1 and [::1].
# allowed_hosts = ["mirror.example.org"]
# Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.
# trusted_proxies = ["127.0.0.1", "::1"]
# Web sites whose scripts may read records, or ["*"].
# cors_origins = []
# Requests a second from one address, after a start of ten seconds' worth; 0 means no limit.
# This machine's own are not counted.
# rate_limit = 20
# Whether each request is told on standard error.
# access_log = true
# As an OAI-PMH data provider: its name (else "Mirror of" the sources'), whom to write to (else
# postmaster at its host), and the records of a page.
# oai_repository_name = "Mirror of HAL"
# oai_admin_emails = ["library@example.org"]
# oai_page_size = 500
"""


class ServeSettings(msgspec.Struct, frozen=True):
    """How the mirror is served.

    ``public_url``: the base of every absolute address, with a ``/`` at its end; none: the address
    asked.  ``allowed_hosts``: names the ``Host`` header may have beside the public one and this
    machine's.  ``rate_limit``: requests a second and client address and process (0: no limit).
    What begins with ``oai_`` is told or done as an OAI-PMH data provider.
    """

    host: str = "127.0.0.1"
    port: int = 8077
    workers: int = 1
    public_url: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    cors_origins: tuple[str, ...] = ()
    rate_limit: int = 20
    access_log: bool = True
    oai_repository_name: str | None = None
    oai_admin_emails: tuple[str, ...] = ()
    oai_page_size: int = 500

    @property
    def prefix(self) -> str:
        """The path of ``public_url`` without the ``/`` at its end; empty where there is none."""
        return urlsplit(self.public_url).path.rstrip("/") if self.public_url else ""

    @property
    def hosts(self) -> frozenset[str]:
        """Every host name that is answered to, lower case, without port."""
        public = urlsplit(self.public_url).hostname if self.public_url else None
        named = {"localhost", "127.0.0.1", "[::1]", *map(str.lower, self.allowed_hosts)}
        if public:
            named.add(f"[{public}]" if ":" in public else public)
        return frozenset(named)


def _public_url(value: object) -> str:
    text = check_base_url(value if isinstance(value, str) else read_text(value))
    if urlsplit(text).query:
        raise UsageError(f'"{text}" has a query; write https://HOST/PATH/')
    return text.rstrip("/") + "/"


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, list | tuple):
        raise UsageError('not a list; write ["one", "another"]')
    return tuple(dict.fromkeys(read_text(each) for each in value))


def _host(value: object) -> str:
    text = read_text(value)
    if not _HOST.fullmatch(text) and not _is_address(text):
        raise UsageError(f'"{text}" is no host name or address')
    return text.strip("[]") if _is_address(text.strip("[]")) else text


def _hosts(value: object) -> tuple[str, ...]:
    for text in _texts(value):
        if not _HOST.fullmatch(text):
            raise UsageError(f'"{text}" is no host name; write mirror.example.org, without port')
    return _texts(value)


def _proxies(value: object) -> tuple[str, ...]:
    for text in _texts(value):
        try:
            ipaddress.ip_network(text)
        except ValueError as error:
            raise UsageError(f'"{text}" is no address or network of addresses') from error
    return _texts(value)


def _origins(value: object) -> tuple[str, ...]:
    for text in _texts(value):
        if text != "*" and not _ORIGIN.fullmatch(text):
            raise UsageError(f'"{text}" is no origin; write https://example.org, or "*" for any')
    return _texts(value)


def _emails(value: object) -> tuple[str, ...]:
    for text in _texts(value):
        if not _EMAIL.fullmatch(text):
            raise UsageError(f'"{text}" is no address of the form library@example.org')
    return _texts(value)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


SERVE_READERS: Final[Mapping[str, Callable[[object], Any]]] = {
    "host": _host,
    "port": read_count(0, 65_535),
    "workers": read_count(1, 64),
    "public_url": _public_url,
    "allowed_hosts": _hosts,
    "trusted_proxies": _proxies,
    "cors_origins": _origins,
    "rate_limit": read_count(0, 1_000_000),
    "access_log": read_flag,
    "oai_repository_name": read_text,
    "oai_admin_emails": _emails,
    "oai_page_size": read_count(1, 1000),
}
"""The settings of the section and how each is read."""


def typed(key: str, text: str) -> object:
    """The text of a variable as the type that a file would give it."""
    if key in ("allowed_hosts", "trusted_proxies", "cors_origins", "oai_admin_emails"):
        return [part.strip() for part in text.split(",") if part.strip()]
    if key in ("port", "workers", "rate_limit", "oai_page_size") and text.isdecimal():
        return int(text)
    if key == "access_log":
        return flag_in(text)
    return text
