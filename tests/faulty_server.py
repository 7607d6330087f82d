"""A HAL endpoint on 127.0.0.1 that fails as the world's repositories do, by plan or by seed.

    with FaultyEndpoint() as endpoint:
        endpoint.plan(FAULTS["reset in mid-body"], when=later_pages, times=1)
        …                         # a harvest
        endpoint.heal()
        …                         # another one
        assert held(command) == endpoint.truth()

A fault takes the honest reply and gives the one that is sent.  `FaultyEndpoint.seed` draws one of
`SEEDED` for each request by chance, ``faults_left`` times in all: then the server is honest, and
a finite number of runs has to end with the truth.
"""

from __future__ import annotations

import gzip
import itertools
import random
import re
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lxml import etree

from endpoint_http import ParsedRequest, Reply
from recorded_endpoint import OAI, RECORDED, EndpointRecord, RecordedEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from conftest import CommandLine

    Fault = Callable[["FaultyEndpoint", ParsedRequest, Reply], Reply]
    When = Callable[[ParsedRequest], bool]

_TOKEN = re.compile(rb"<resumptionToken[^>]*>([^<]*)</resumptionToken>")
_RECORD = re.compile(rb"<record>.*?</record>", re.DOTALL)
_PLAIN = {"Content-Type": "text/xml; charset=utf-8", "Content-Encoding": "identity"}
_HTML = {"Content-Type": "text/html; charset=utf-8"}
_SECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


# -- which requests -----------------------------------------------------------------------


def anything(request: ParsedRequest) -> bool:
    """Every request."""
    return True


def records(request: ParsedRequest) -> bool:
    """Every list of records."""
    return request.verb == "ListRecords"


def later_pages(request: ParsedRequest) -> bool:
    """The pages of a list of records after its first."""
    return records(request) and request.argument("resumptionToken") is not None


def first_pages(request: ParsedRequest) -> bool:
    """The first pages of lists of records."""
    return records(request) and request.argument("resumptionToken") is None


def wide(request: ParsedRequest) -> bool:
    """The list of all records, not one of some days."""
    return first_pages(request) and request.argument("from") is None


def data(request: ParsedRequest) -> bool:
    """Whatever gives records or their headers."""
    return request.verb in {"ListRecords", "ListIdentifiers", "GetRecord"}


# -- faults -------------------------------------------------------------------------------


def reset(_: FaultyEndpoint, __: ParsedRequest, reply: Reply) -> Reply:
    """Half a body, then the connection is reset."""
    return replace(_cut(reply), end="reset")


def cut_long(_: FaultyEndpoint, __: ParsedRequest, reply: Reply) -> Reply:
    """Half a body under the Content-Length of the whole, then the connection is closed."""
    return replace(_cut(reply), end="close")


def cut_right(_: FaultyEndpoint, __: ParsedRequest, reply: Reply) -> Reply:
    """Half a body under its own Content-Length: to HTTP it is whole."""
    return Reply(reply.status, _PLAIN, _cut(reply).body)


def cut_short(_: FaultyEndpoint, __: ParsedRequest, reply: Reply) -> Reply:
    """A whole body under the Content-Length of its half."""
    return Reply(
        reply.status,
        {**_PLAIN, "Content-Length": str(len(reply.body) // 2)},
        reply.body,
        end="close",
    )


def _cut(reply: Reply) -> Reply:
    headers = {**_PLAIN, "Content-Length": str(len(reply.body))}
    return Reply(reply.status, headers, reply.body[: len(reply.body) // 2])


def silent(endpoint: FaultyEndpoint, _: ParsedRequest, reply: Reply) -> Reply:
    """Not a byte, until the client goes away."""
    endpoint.ended.wait(30)
    return replace(reply, end="close")


def html(_: FaultyEndpoint, __: ParsedRequest, ___: Reply) -> Reply:
    """A page for people, with HTTP 200."""
    page = b"<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body>Back soon"
    return Reply(200, _HTML, page + b"</body></html>\n")


def endless(_: FaultyEndpoint, __: ParsedRequest, reply: Reply) -> Reply:
    """The beginning of the answer, then blanks for ever."""
    return Reply(200, _PLAIN, _cut(reply).body, itertools.repeat(b" " * 1_000_000))


def drip(endpoint: FaultyEndpoint, _: ParsedRequest, reply: Reply) -> Reply:
    """A byte at a time, never silent for long and never done."""
    return Reply(200, _PLAIN, b"", endpoint.slowly(reply.body, 0.3))


def gzip_bomb(_: FaultyEndpoint, __: ParsedRequest, ___: Reply) -> Reply:
    """Some kilobytes that unpack to two gigabytes."""
    member = gzip.compress(b" " * 10_000_000, mtime=0)
    return Reply(200, {**_PLAIN, "Content-Encoding": "gzip"}, member * 200)


def entity_bomb(_: FaultyEndpoint, __: ParsedRequest, reply: Reply) -> Reply:
    """A title of a billion laughs."""
    levels = [b'<!ENTITY e0 "ha">']
    levels += [b'<!ENTITY e%d "%b">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 10)]
    return _with_doctype(reply, b"[" + b"".join(levels) + b"]", b"&e9;")


def external_entity(endpoint: FaultyEndpoint, _: ParsedRequest, reply: Reply) -> Reply:
    """A title that is to be fetched from elsewhere."""
    address = endpoint.url.replace(endpoint.path, "/stolen").encode()
    return _with_doctype(reply, b'[<!ENTITY stolen SYSTEM "%b">]' % address, b"&stolen;")


def _with_doctype(reply: Reply, subset: bytes, entity: bytes) -> Reply:
    body = reply.body.replace(b"<OAI-PMH", b"<!DOCTYPE OAI-PMH " + subset + b">\n<OAI-PMH", 1)
    return replace(reply, body=body.replace(b"</dc:title>", entity + b"</dc:title>"))


def moved_to(location: str) -> Fault:
    """Redirected; ``{url}`` stands for the endpoint's own address."""

    def fault(endpoint: FaultyEndpoint, _: ParsedRequest, __: Reply) -> Reply:
        return Reply(302, {**_HTML, "Location": location.format(url=endpoint.url)}, b"")

    return fault


def status(code: int, **headers: str) -> Fault:
    """An HTTP status; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def fault(_: FaultyEndpoint, __: ParsedRequest, ___: Reply) -> Reply:
        return Reply(code, {**_HTML, **named}, b"<html><body>Sorry</body></html>\n")

    return fault


def says(name: str) -> Fault:
    """One of HAL's recorded error answers."""

    def fault(_: FaultyEndpoint, __: ParsedRequest, reply: Reply) -> Reply:
        return Reply(200, reply.headers, (RECORDED / f"error-{name}.xml").read_bytes())

    return fault


def damaged(wrong: bytes, identifier: str | None = None) -> Fault:
    """Bytes that XML cannot have in a title of one record (none named: the answer's first)."""

    def fault(endpoint: FaultyEndpoint, _: ParsedRequest, reply: Reply) -> Reply:
        found = _RECORD.search(reply.body)
        whole = endpoint.record(identifier).xml if identifier else found and found[0]
        if not whole:
            return reply
        return replace(reply, body=reply.body.replace(whole, spoilt(whole, wrong), 1))

    return fault


def all_spoilt(wrong: bytes) -> Fault:
    """Bytes that XML cannot have in every record."""

    def fault(_: FaultyEndpoint, __: ParsedRequest, reply: Reply) -> Reply:
        body = _RECORD.sub(lambda one: spoilt(one[0], wrong), reply.body)
        return replace(reply, body=body)

    return fault


def spoilt(record: bytes, wrong: bytes) -> bytes:
    """The record with ``wrong`` at the end of its first title."""
    return record.replace(b"</dc:title>", wrong + b"</dc:title>", 1)


def nameless(identifier: str) -> Fault:
    """One record without its identifier."""

    def fault(endpoint: FaultyEndpoint, _: ParsedRequest, reply: Reply) -> Reply:
        whole = endpoint.record(identifier).xml
        bare = re.sub(rb"<identifier>[^<]*</identifier>", b"", whole, count=1)
        return replace(reply, body=reply.body.replace(whole, bare))

    return fault


def without_records(_: FaultyEndpoint, __: ParsedRequest, reply: Reply) -> Reply:
    """A page whose records are gone and whose token is there."""
    return replace(reply, body=_RECORD.sub(b"", reply.body)) if _token(reply) else reply


def without_first(_: FaultyEndpoint, __: ParsedRequest, reply: Reply) -> Reply:
    """A page that lacks its first record: HAL skips what it cannot load."""
    return replace(reply, body=_RECORD.sub(b"", reply.body, count=1))


def without_token(_: FaultyEndpoint, __: ParsedRequest, reply: Reply) -> Reply:
    """A page without the token that leads on."""
    return replace(reply, body=_TOKEN.sub(b"", reply.body))


def twice(_: FaultyEndpoint, __: ParsedRequest, reply: Reply) -> Reply:
    """Each record of the page twice."""
    return replace(reply, body=_RECORD.sub(rb"\g<0>\g<0>", reply.body))


def same_token(endpoint: FaultyEndpoint, request: ParsedRequest, reply: Reply) -> Reply:
    """A page whose token leads to itself."""
    sent = (request.argument("resumptionToken") or "").encode()
    return replace(reply, body=reply.body.replace(_token(reply), sent)) if sent else reply


def endless_list(endpoint: FaultyEndpoint, request: ParsedRequest, reply: Reply) -> Reply:
    """A page that was given before, with a token that never was."""
    first = endpoint.honest(_asked(request, metadataPrefix="oai_dc"))
    token = b"page-%d" % len(endpoint.requests)
    return replace(first, body=first.body.replace(_token(first), token))


def other_list(endpoint: FaultyEndpoint, request: ParsedRequest, _: Reply) -> Reply:
    """A page of the list of everything: another harvester has overwritten the token."""
    return endpoint.honest(_asked(request, metadataPrefix="oai_dc"))


def other_size(_: FaultyEndpoint, __: ParsedRequest, reply: Reply) -> Reply:
    """A list that announces nine hundred records more than before."""
    return replace(reply, body=reply.body.replace(b'completeListSize="', b'completeListSize="9'))


def _token(reply: Reply) -> bytes:
    found = _TOKEN.search(reply.body)
    return found[1] if found else b""


def _asked(request: ParsedRequest, **arguments: str) -> ParsedRequest:
    given = (("verb", request.verb or ""), *arguments.items())
    return replace(request, arguments=given)


FAULTS: Mapping[str, Fault] = {
    "reset in mid-body": reset,
    "cut, Content-Length too long": cut_long,
    "cut, Content-Length right": cut_right,
    "whole, Content-Length too short": cut_short,
    "silence": silent,
    "HTML with 200": html,
    "endless body": endless,
    "a byte at a time": drip,
    "gzip bomb": gzip_bomb,
    "entity bomb": entity_bomb,
    "external entity": external_entity,
    "redirect to ftp": moved_to("ftp://127.0.0.1/oai"),
    "redirect to a file": moved_to("file:///etc/hostname"),
    "redirect for ever": moved_to("{url}"),
    "wrong byte": damaged(b"\xe9"),
    "control character": damaged(b"\x0b"),
    "undefined entity": damaged(b"&hellip;"),
    "no records, a token": without_records,
    "a record left out": without_first,
    "no token": without_token,
    "records twice": twice,
    "token repeats": same_token,
    "endless list": endless_list,
    "another list's page": other_list,
    "another size": other_size,
    "dead token": says("badResumptionToken"),
    "noRecordsMatch": says("noRecordsMatch"),
    "search engine down": says("solr-outage"),
    "status 429": status(429),
    "status 500": status(500),
    "status 502": status(502),
    "status 503": status(503),
    "status 504": status(504),
    "Retry-After": status(503, Retry_After="1"),
}
"""What a repository can do wrong, by name."""

SEEDED: Mapping[str, When] = {
    "reset in mid-body": anything,
    "cut, Content-Length too long": anything,
    "cut, Content-Length right": anything,
    "whole, Content-Length too short": anything,
    "HTML with 200": anything,
    "gzip bomb": anything,
    "entity bomb": anything,
    "redirect to ftp": anything,
    "redirect for ever": anything,
    "wrong byte": data,
    "control character": data,
    "undefined entity": data,
    "no records, a token": records,
    "a record left out": records,
    "no token": records,
    "records twice": records,
    "token repeats": later_pages,
    "endless list": later_pages,
    "another list's page": later_pages,
    "another size": later_pages,
    "dead token": later_pages,
    "noRecordsMatch": records,
    "search engine down": data,
    "status 500": anything,
    "status 502": anything,
    "status 503": anything,
    "status 504": anything,
    "Retry-After": anything,
}
"""Faults that pass, and the requests they come on: what a seed draws from."""


@dataclass
class _Planned:
    fault: Fault
    when: When
    left: float


@dataclass(frozen=True)
class Arrival:
    """A request and when it came and was answered, in seconds of `time.monotonic`."""

    request: ParsedRequest
    came: float
    answered: float


@dataclass
class FaultyEndpoint(RecordedEndpoint):
    """A `RecordedEndpoint` with faults.

    ``seconds``: its granularity is seconds, and it refuses days.  ``refuses_above``: requests at
    once beyond that number are answered with 429.  ``arrivals`` are the requests with their
    times, ``most_at_once`` how many were under way together, ``drawn`` what a seed drew.
    """

    seconds: bool = False
    refuses_above: int | None = None
    lag: float = 0.0
    seed: int | None = None
    faults_left: int = 5
    arrivals: list[Arrival] = field(default_factory=list, init=False)
    drawn: list[str] = field(default_factory=list, init=False)
    most_at_once: int = field(default=0, init=False)
    ended: threading.Event = field(default_factory=threading.Event, init=False)
    _at_once: int = field(default=0, init=False)
    _planned: list[_Planned] = field(default_factory=list, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._random = random.Random(self.seed)  # noqa: S311 - chance, no secret
        if self.seconds:
            self.records = [one.stamped(f"{one.datestamp}T12:00:00Z") for one in self.records]

    def __exit__(self, *exception: object) -> None:
        self.ended.set()
        super().__exit__(*exception)

    # -- faults ---------------------------------------------------------------------------

    def plan(self, fault: Fault, when: When = records, times: float = float("inf")) -> None:
        """Answer so many of these requests with a fault; the first plan that fits counts."""
        self._planned.append(_Planned(fault, when, times))

    def heal(self) -> None:
        """Be honest from now on."""
        with self._lock:
            self._planned.clear()
            self.faults_left = 0

    def honest(self, request: ParsedRequest) -> Reply:
        """The answer without a fault."""
        return super().respond(request)

    def respond(self, request: ParsedRequest) -> Reply:
        came = time.monotonic()
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            crowded = self.refuses_above is not None and self._at_once > self.refuses_above
            fault = self._next(request)
        try:
            if self.lag:
                self.ended.wait(self.lag)
            if crowded:
                return status(429)(self, request, Reply(200, {}, b""))
            with self._lock:
                reply = self.honest(request)
            return fault(self, request, reply) if fault is not None else reply
        finally:
            with self._lock:
                self._at_once -= 1
                self.arrivals.append(Arrival(request, came, time.monotonic()))

    def _next(self, request: ParsedRequest) -> Fault | None:
        for one in self._planned:
            if one.left > 0 and one.when(request):
                one.left -= 1
                return one.fault
        if self.seed is None or self.faults_left <= 0 or self._random.random() > 0.4:
            return None
        name = self._random.choice([name for name, when in SEEDED.items() if when(request)])
        self.faults_left -= 1
        self.drawn.append(name)
        return FAULTS[name]

    def slowly(self, body: bytes, pause: float) -> Iterator[bytes]:
        """The body byte by byte."""
        for place in range(len(body)):
            yield body[place : place + 1]
            if self.ended.wait(pause):
                return

    # -- the truth ------------------------------------------------------------------------

    def truth(self) -> dict[str, tuple[str, bytes]]:
        """What a mirror has to hold: datestamp and metadata of each record that is there."""
        return {
            one.identifier: (one.datestamp, _metadata(one))
            for one in self._visible()
            if not one.deleted and self.loads(one)
        }

    def lists(self, since: int = 0) -> list[ParsedRequest]:
        """The requests for lists of records, from the ``since``-th request on."""
        return [one for one in self.requests[since:] if one.verb == "ListRecords"]

    # -- a repository in seconds ----------------------------------------------------------

    def _identify(self) -> bytes:
        content = super()._identify()
        if not self.seconds:
            return content
        whole = content.replace(b">YYYY-MM-DD<", b">YYYY-MM-DDThh:mm:ssZ<")
        return re.sub(rb"(<earliestDatestamp>[\d-]*)<", rb"\1T00:00:00Z<", whole)

    def _check_list_arguments(self, arguments: Mapping[str, str]) -> None:
        if not self.seconds:
            super()._check_list_arguments(arguments)
            return
        dates = {name: arguments[name] for name in ("from", "until") if name in arguments}
        # A wrong date stays among the arguments, and is refused as a day that is none.
        right = {name for name, value in dates.items() if _SECOND.fullmatch(value)}
        checked = {
            name: "not in seconds" if name in dates else value
            for name, value in arguments.items()
            if name not in right
        }
        super()._check_list_arguments(checked)


def _metadata(record: EndpointRecord) -> bytes:
    wrapped = etree.fromstring(b'<r xmlns="%b">%b</r>' % (OAI[1:-1].encode(), record.xml))
    return _canonical(wrapped[0].find(f"{OAI}metadata")[0])


def _canonical(metadata: etree._Element) -> bytes:
    metadata.tail = None
    return etree.tostring(metadata, method="c14n", exclusive=True, with_comments=True)


def held(command: CommandLine) -> dict[str, tuple[str, bytes]]:
    """What a mirror holds, as its export of Dublin Core tells: to compare with the truth."""
    ran = command("export", "--format", "oai_dc")
    assert ran.code == 0, ran.err
    found: dict[str, tuple[str, bytes]] = {}
    for record in etree.fromstring(ran.out.encode()):
        if record.tag == f"{OAI}record":
            header = record.find(f"{OAI}header")
            identifier = header.findtext(f"{OAI}identifier")
            assert identifier not in found
            metadata = _canonical(record.find(f"{OAI}metadata")[0])
            found[identifier] = (header.findtext(f"{OAI}datestamp"), metadata)
    return found
