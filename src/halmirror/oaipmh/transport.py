"""One kept HTTP connection to a repository: asks, limits what comes back, and tries again.

This is the only module that imports httpx.
"""

from __future__ import annotations

import random
import ssl
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Self, TypeVar

import httpx

from halmirror.errors import (
    AwayError,
    ResponseError,
    RetryLaterError,
    TooHeavyError,
    TransportError,
    UsageError,
)
from halmirror.oaipmh.body import BrokenBodyError, is_packed, whole
from halmirror.oaipmh.deadline import Deadline
from halmirror.oaipmh.politeness import RETRIED_STATUSES, Pace, pause, retry_after
from halmirror.oaipmh.reply import HEAVY_STATUSES, AgainError, Reply, understood
from halmirror.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from halmirror.oaipmh.protocol import Page

Given = TypeVar("Given")

MAX_BYTES = 64 * 1024 * 1024
"""Bytes an answer may have when unpacked: HAL's pages have 0.6 MB, the largest seen 20 MB."""

MAX_REDIRECTS = 5
UNREACHABLE_SECONDS = 120.0
"""A host that cannot be reached is given up within this time, whatever ``retries`` says."""

CONNECT_SECONDS = 15.0
"""The longest wait for a connection, where ``timeout`` is not shorter."""

_TOO_MANY_REQUESTS = 429
_LONGEST_URL = 8_000
"""Characters that every server takes (RFC 9110, section 4.1); what needs more goes by POST."""

_LONGEST_ARGUMENTS = 64_000
"""Characters of a request's arguments: HAL's tokens have a hundred or so."""

_BODY_TIMEOUTS = 10
"""A body may take this many times ``timeout`` in all, however steadily it drips; one that takes
longer is not asked for again."""


@dataclass(frozen=True, slots=True)
class Politeness:
    """How a repository is asked.

    ``timeout``, ``max_wait`` and ``delay`` are seconds: the longest silence, the longest wait for
    ``Retry-After`` in sum for one request, and the pause between requests.
    """

    timeout: float = 60.0
    retries: int = 5
    max_wait: float = 900.0
    delay: float = 0.0
    contact: str | None = None
    tls_verify: bool = True
    max_bytes: int = MAX_BYTES


@dataclass(frozen=True, slots=True)
class Answer:
    """A page, the bytes it was read from, and the address that gave it."""

    page: Page
    body: bytes
    url: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """How one HTTP answer came: ``seconds`` from asking to its last byte, pauses left out.

    ``packed``: whether it travelled as gzip.  ``size``: bytes when unpacked.
    """

    verb: str
    seconds: float
    packed: bool
    size: int


class Transport:
    """Asks one repository over one connection; a context manager.

    ``sleep`` waits, ``now`` gives the Unix time and ``chance`` a number from 0 to 1: handed in,
    so that nothing here waits or rolls dice by itself.  ``on_retry`` hears of each new attempt,
    ``on_answer`` of each answer that is OAI-PMH.  ``pace`` is shared by all connections to the
    repository; without one this is the only one.
    ``headers`` and credentials (``auth``, else those in ``base_url``) go to the scheme, host and
    port of ``base_url`` only.  Raises `UsageError` for an address or contact that cannot be sent.
    """

    def __init__(
        self,
        base_url: str,
        politeness: Politeness,
        *,
        method: Literal["GET", "POST"] = "GET",
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
        on_retry: Callable[[str, float], None] | None = None,
        on_answer: Callable[[Exchange], None] | None = None,
        pace: Pace | None = None,
    ) -> None:
        address = _address(base_url)
        self._url = _without_user(address)
        self._politeness = politeness
        self._method = method
        self._auth = auth or ((address.username, address.password) if address.userinfo else None)
        self._headers = dict(headers or {})
        self._sleep = sleep
        self._now = now
        self._chance = chance
        self._on_retry = on_retry
        self._on_answer = on_answer
        self._pace = pace or Pace(politeness.delay)
        self._deadline = Deadline(politeness.timeout * _BODY_TIMEOUTS)
        self._connect_seconds = min(politeness.timeout, CONNECT_SECONDS)
        self._client = httpx.Client(
            headers={
                "User-Agent": _user_agent(politeness.contact),
                "Accept": "text/xml, application/xml;q=0.9, */*;q=0.1",
                "Accept-Encoding": "gzip",
            },
            timeout=httpx.Timeout(politeness.timeout, connect=self._connect_seconds),
            verify=politeness.tls_verify,
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def ask(self, arguments: Mapping[str, str], first: Reply | None = None) -> Answer:
        """The answer to a request, asked again where that may help.

        ``first``: a reply to it that `fetch` gave; it is looked into before anything is asked.
        Raises `TransportError`, `RetryLaterError` or `ResponseError`; `UsageError` where closed.
        """
        given = [first] if first is not None else []

        def attempt() -> Answer:
            reply = given.pop() if given else self._once(arguments)
            page = understood(reply, arguments["verb"])
            if self._on_answer is not None:
                size = len(reply.body)
                self._on_answer(Exchange(arguments["verb"], reply.seconds, reply.packed, size))
            return Answer(page, reply.body, reply.url)

        return self._insist(attempt, at_once=first is not None)

    def fetch(self, arguments: Mapping[str, str]) -> Reply:
        """The reply to a request as it came, whatever it says; asked again after faults of HTTP.

        Raises as `ask` does.
        """
        return self._insist(lambda: self._once(arguments))

    def _insist(self, attempt: Callable[[], Given], *, at_once: bool = False) -> Given:
        """What an attempt gives, made again where that may help.

        ``at_once``: the first one asks nothing, so it waits for no turn.
        """
        if self._client.is_closed:
            raise UsageError(f"the client of {self._url} is closed")
        tried = 0
        waited = 0.0
        silent = 0.0
        while True:
            tried += 1
            if tried > 1 or not at_once:
                waited += self._await_turn(waited)
            began = time.monotonic()
            try:
                return attempt()
            except AgainError as again:
                if again.wait is not None:
                    self._pace.hold(again.wait)
                tries = 1 + self._politeness.retries
                if tried >= min(tries, again.tries or tries):
                    if again.wait is not None:
                        self._wait(again, tried, waited)  # too long a pause is told as one
                    raise again.reason from again
                wait = self._wait(again, tried, waited)
                waited += wait if again.wait is not None else 0.0
                # A next try may take as long as a connection may: it has to end in time as well.
                silent += time.monotonic() - began + wait if again.silent else 0.0
                if silent + self._connect_seconds > UNREACHABLE_SECONDS:
                    raise again.reason from again
                if self._on_retry is not None:
                    self._on_retry(str(again.reason), wait)
                self._sleep(wait)

    def _await_turn(self, waited: float) -> float:
        """Wait until the repository may be asked; the part of it that Retry-After took."""
        total = 0.0
        while True:
            held = self._pace.held()
            if waited + total + held > self._politeness.max_wait:
                raise self._retry_later(held)
            wait = self._pace.turn()
            if wait:
                self._sleep(wait)
            total += held
            # Another connection may have been told to wait meanwhile.
            if not self._pace.held():
                return total

    def _wait(self, again: AgainError, attempt: int, waited: float) -> float:
        if again.wait is None:
            return pause(attempt, self._chance())
        if waited + again.wait > self._politeness.max_wait:
            raise self._retry_later(again.wait) from again.reason
        return again.wait

    def _retry_later(self, seconds: float) -> RetryLaterError:
        return RetryLaterError(
            f"{self._url} asks to come back in {seconds:.0f} seconds, more than "
            f"max_wait allows ({self._politeness.max_wait:.0f}); run again then",
            seconds,
        )

    def _once(self, arguments: Mapping[str, str]) -> Reply:
        """One reply.  Raises `AgainError` for a status that asks to come back later."""
        began = time.monotonic()
        reply = None
        try:
            reply = self._follow(arguments)
        finally:
            too_often = reply is not None and reply.status == _TOO_MANY_REQUESTS
            self._pace.answered(too_often=too_often)
        if reply.status in RETRIED_STATUSES:
            kind = TooHeavyError if reply.status in HEAVY_STATUSES else AwayError
            error = kind(f"{reply.url} answers with HTTP status {reply.status}; try again later")
            raise AgainError(error, retry_after(reply.retry_after, self._now()))
        return replace(reply, seconds=time.monotonic() - began)

    def _follow(self, arguments: Mapping[str, str]) -> Reply:
        """Ask, and follow redirects by hand: only to http and https, never away from TLS."""
        url = self._url
        for _ in range(MAX_REDIRECTS + 1):
            request = self._request(url, arguments)
            reply, location = self._exchange(request)
            if location is None:
                return reply
            url = _target(request.url, location)
        raise TransportError(
            f"{self._url} redirects more than {MAX_REDIRECTS} times; correct base_url"
        )

    def _request(self, url: httpx.URL, arguments: Mapping[str, str]) -> httpx.Request:
        """A request with the arguments, as far as a redirect's address has not got them."""
        headers = self._headers if self._is_repository(url) else {}
        length = sum(len(name) + len(text) for name, text in arguments.items())
        if length > _LONGEST_ARGUMENTS:
            raise ResponseError(
                f"{self._url} gave a resumption token of {length} characters; it is not usable",
                url=str(self._url),
            )
        missing = {name: text for name, text in arguments.items() if name not in url.params}
        try:
            # Servers refuse long addresses; every repository takes POST (section 3.1.1).
            size = len(str(url)) + len(str(httpx.QueryParams(missing)))
            if self._method == "POST" or size > _LONGEST_URL:
                return self._client.build_request(
                    "POST", url, data=dict(arguments), headers=headers
                )
            merged = url.copy_merge_params(missing)
            return self._client.build_request("GET", merged, headers=headers)
        except (httpx.InvalidURL, ValueError) as error:
            raise UsageError(f"what {url} is asked cannot be sent ({error})") from error

    def _is_repository(self, url: httpx.URL) -> bool:
        # A port that the scheme has anyway is none: without the scheme, 80 would pass for 443.
        return (url.scheme, url.host, url.port) == (
            self._url.scheme,
            self._url.host,
            self._url.port,
        )

    def _exchange(self, request: httpx.Request) -> tuple[Reply, str | None]:
        trusted = self._is_repository(request.url)
        auth = httpx.BasicAuth(*self._auth) if self._auth and trusted else None
        request.extensions["trace"] = self._deadline.observe
        with self._deadline.running():
            try:
                response = self._client.send(request, stream=True, auth=auth)
                try:
                    location = response.headers.get("location") if response.is_redirect else None
                    body = b"" if location else self._read(response, str(request.url))
                finally:
                    response.close()
            except httpx.RequestError as error:
                if self._deadline.expired:
                    raise self._too_slow(str(request.url)) from error
                raise self._fault(error, str(request.url)) from error
            except UnicodeError as error:
                # A host name that DNS cannot have is found out no sooner.
                raise TransportError(f"{request.url} has no usable host ({error})") from error
        if self._deadline.expired:
            # A body without a length ends with its connection: it may look whole.
            raise self._too_slow(str(request.url))
        reply = Reply(
            response.status_code,
            body,
            str(request.url),
            response.headers.get("retry-after"),
            packed="gzip" in response.headers.get("content-encoding", "").lower(),
        )
        return reply, location

    def _read(self, response: httpx.Response, url: str) -> bytes:
        """The unpacked body, within its limits of size and time."""
        encodings = response.headers.get_list("content-encoding", split_commas=True)
        try:
            packed = is_packed(encodings, url)
        except ResponseError:
            if response.is_error:
                return b""  # the status says more than the encoding of its page
            raise
        try:
            return whole(
                response.iter_raw(),
                packed=packed,
                limit=self._politeness.max_bytes,
                url=url,
            )
        except BrokenBodyError as error:
            if self._deadline.expired:
                raise self._too_slow(url) from error
            cut = TransportError(f"the answer of {url} was cut ({error}); run again later")
            raise AgainError(cut) from error

    def _too_slow(self, url: str) -> TooHeavyError:
        seconds = self._politeness.timeout * _BODY_TIMEOUTS
        return TooHeavyError(
            f"the answer of {url} took longer than {seconds:.0f} seconds; "
            f"raise timeout (now {self._politeness.timeout:g} s) or run again later"
        )

    def _fault(self, error: httpx.RequestError, url: str) -> TransportError | AgainError:
        """What a fault below HTTP means: a certificate is not tried again, all else is."""
        reason = str(error) or type(error).__name__
        if _certificate_problem(error):
            return TransportError(
                f"{url}: the server's certificate is not valid ({reason}); if you trust it all "
                "the same, set tls_verify = false for this source"
            )
        if _handshake_problem(error):
            return TransportError(f"{url}: TLS does not come about ({reason}); check base_url")
        kind = TooHeavyError if isinstance(error, httpx.ReadTimeout) else AwayError
        told = kind(
            f"{url} cannot be reached or broke off ({reason}); check the address and the "
            "network, then run again"
        )
        silent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
        return AgainError(told, silent=silent)


def _address(base_url: str) -> httpx.URL:
    shown = repr(base_url[:200])
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, ValueError) as error:
        raise UsageError(f"base_url {shown} is no address ({error})") from error
    if url.scheme not in {"http", "https"} or not url.host or "%" in url.host:
        raise UsageError(f"base_url {shown} is no http or https address")
    return url


def _without_user(url: httpx.URL) -> httpx.URL:
    """The address without user name and password, which no message may tell."""
    return url.copy_with(username=None, password=None)


def _target(source: httpx.URL, location: str) -> httpx.URL:
    """Where a redirect leads.  Raises `TransportError` where it must not be followed."""
    shown = location[:200]
    try:
        target = _without_user(source.join(location))
    except (httpx.InvalidURL, ValueError) as error:
        raise TransportError(f"{source} redirects to '{shown}', which is no address") from error
    if target.scheme not in {"http", "https"} or not target.host:
        raise TransportError(f"{source} redirects to '{shown}', which is not followed")
    if source.scheme == "https" and target.scheme == "http":
        raise TransportError(
            f"{source} redirects to unprotected '{shown}', which is not followed; "
            "set base_url to an address that you trust"
        )
    return target


def _user_agent(contact: str | None) -> str:
    if not contact:
        return f"halmirror/{__version__}"
    if not (contact.isascii() and contact.isprintable()):
        raise UsageError(f"contact {contact!r} has characters that no HTTP header may have")
    is_mail = "@" in contact and ":" not in contact
    return f"halmirror/{__version__} (+{'mailto:' if is_mail else ''}{contact})"


def _handshake_problem(error: BaseException) -> bool:
    """Whether a connection failed for TLS itself; one that broke off in a handshake may pass."""
    if not isinstance(error, httpx.ConnectError):
        return False
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            return not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError)
    return False


def _certificate_problem(error: BaseException) -> bool:
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
        return True
    return "CERTIFICATE_VERIFY_FAILED" in str(error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what led to it; errors met while others were handled can form a circle."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
