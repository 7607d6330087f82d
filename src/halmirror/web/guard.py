"""What stands before every answer: limits, the Host check, headers, the access log, counts.

A pure ASGI layer.  It refuses what is too long, asked too often or meant for another host; it
takes the public path off, and tells each request on standard error and in the tally.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from halmirror.printable import printable
from halmirror.store.database import time_stamp
from halmirror.web.negotiation import takes_gzip
from halmirror.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from halmirror.config import ServeSettings
    from halmirror.web.tally import Tally

LONGEST_PATH = 2048
LONGEST_QUERY = 8192
"""Bytes of a request's target; beyond, the answer is 414."""

LONGEST_HEAD = 32 * 1024
"""Bytes of a request's line and headers."""

BURST_SECONDS = 10
_CLIENTS_REMEMBERED = 10_000
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]/@\s]+)(?::[0-9]{1,5})?", re.IGNORECASE)
_UNCHECKED: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked by machines that know an address and no name."""

_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    b"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS: Final = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)

_log = logging.getLogger("halmirror.access")


class Guard:
    """The layer around ``app``; ``tally`` counts what was answered.

    ``shared``: what lets other web sites read an answer, for those that are given here.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: ServeSettings,
        tally: Tally,
        shared: Callable[[ASGIApp], ASGIApp],
    ) -> None:
        self._app = app
        self._shared = shared
        self._prefix = settings.prefix
        self._hosts = settings.hosts
        self._told = settings.access_log
        self._tally = tally
        self._rates = Rates(settings.rate_limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        inner = dict(scope)
        began = time.monotonic()
        try:
            try:
                self._check(inner)
            except Problem as problem:
                await self._shared(problem.response())(inner, receive, answer.send)
            else:
                await self._app(inner, receive, answer.send)
        except (TimeoutError, asyncio.CancelledError):
            # The client takes it too slowly, or the server ends: what is left goes nowhere.
            answer.status = answer.status or 408
        finally:
            self._tell(inner, answer, time.monotonic() - began)

    def _check(self, scope: Scope) -> None:
        """Raises `Problem` for what is not to be answered; sets the path without the prefix."""
        path: str = scope["path"]
        if len(scope.get("raw_path") or b"") > LONGEST_PATH:
            raise Problem(414, f"the path is longer than {LONGEST_PATH} bytes")
        if len(scope["query_string"]) > LONGEST_QUERY:
            raise Problem(414, f"the query is longer than {LONGEST_QUERY} bytes")
        # What comes in one piece is whole before it is found to be too long.
        if sum(len(name) + len(value) for name, value in scope["headers"]) > LONGEST_HEAD:
            raise Problem(431, f"the headers are longer than {LONGEST_HEAD} bytes")
        if path in _UNCHECKED:
            return
        self._check_host(scope)
        if self._prefix and (path == self._prefix or path.startswith(f"{self._prefix}/")):
            scope["path"] = path[len(self._prefix) :] or "/"
        self._rates.check(_client(scope))
        scope["headers"] = _with_one_encoding(scope["headers"])

    def _check_host(self, scope: Scope) -> None:
        named = [value for name, value in scope["headers"] if name == b"host"]
        found = _HOST.fullmatch(named[0].decode("latin-1")) if len(named) == 1 else None
        if found is None or found[1].lower() not in self._hosts:
            raise Problem(
                421, "this server does not answer to that host; set [serve] allowed_hosts"
            )

    def _tell(self, scope: Scope, answer: _Answer, seconds: float) -> None:
        status = answer.status or 499  # the client left before there was an answer
        self._tally.count(getattr(scope.get("endpoint"), "__name__", "other"), status, seconds)
        if self._told:
            target = scope["path"] + (
                "?" + scope["query_string"].decode("latin-1") if scope["query_string"] else ""
            )
            _log.info(
                '%s %s "%s %s" %d %d %.3f',
                time_stamp(),
                _client(scope) or "-",
                scope["method"],
                printable(target)[:500],
                status,
                answer.sent,
                seconds,
            )


class _Answer:
    """An answer on its way: gets the headers that all have."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.sent = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            named = {name for name, _ in headers}
            headers += [pair for pair in SECURITY_HEADERS if pair[0] not in named]
            message = {**message, "headers": headers}
        else:
            self.sent += len(message.get("body", b""))
        await self._send(message)


class Rates:
    """Requests a second of each client: a bucket that holds `BURST_SECONDS` worth."""

    def __init__(self, per_second: int) -> None:
        self._rate = per_second
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, client: str | None) -> None:
        """Take one request of the client.  Raises `Problem` (429) where none is left."""
        if not self._rate or client is None:
            return
        key = _network(client)
        if key is None:
            return
        now = time.monotonic()
        most = float(self._rate * BURST_SECONDS)
        left, then = self._buckets.pop(key, (most, now))
        left = min(most, left + (now - then) * self._rate)
        self._buckets[key] = (max(left - 1.0, 0.0), now)
        if len(self._buckets) > _CLIENTS_REMEMBERED:
            self._buckets.popitem(last=False)
        if left < 1.0:
            raise Problem(429, f"more than {self._rate} requests a second; slow down")


def _network(client: str) -> str | None:
    """What is counted as one client: an IPv4 address, an IPv6 /64; this machine is not counted."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if address.is_loopback:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _with_one_encoding(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers, with ``Accept-Encoding`` as gzip or none: who compresses looks for that word."""
    name = b"accept-encoding"
    asked = ", ".join(value.decode("latin-1") for one, value in headers if one == name)
    kept = [pair for pair in headers if pair[0] != name]
    return [*kept, (name, b"gzip")] if takes_gzip(asked) else kept


def _client(scope: Scope) -> str | None:
    client = scope.get("client")
    return str(client[0]) if client else None
