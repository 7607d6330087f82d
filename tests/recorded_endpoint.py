"""HAL's OAI-PMH endpoint on 127.0.0.1, played from recorded answers.

    with RecordedEndpoint(Path("data/hal-oai")) as endpoint:
        urllib.request.urlopen(endpoint.url + "?verb=Identify")

It answers the six verbs of OAI-PMH 2.0 the way HAL does: whole days only, opaque tokens that
name a place and not a list, no token where one page holds all, errors with HTTP 200.  The
records are the bytes of the recorded files, and `RecordedEndpoint.records` may be changed
while it runs.  A test that wants a fault overrides `RecordedEndpoint.respond`.

As a program (``python tests/recorded_endpoint.py --port 0``) it prints one line,
``serving http://127.0.0.1:PORT/oai/hal/``, and ends on SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import html
import re
import signal
import sys
import threading
import zlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from lxml import etree

from endpoint_http import EndpointServer, ParsedRequest, Reply

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping, Sequence

RECORDED = Path(__file__).resolve().parent.parent / "data" / "hal-oai"
OAI = "{http://www.openarchives.org/OAI/2.0/}"
TOKEN_LIFE = timedelta(hours=2)
XML_HEADERS = {"Content-Type": "text/xml; charset=utf-8"}

Order = Literal["descending", "text", "given"] | int
DeletedRecord = Literal["no", "transient", "persistent"]
Pieces = tuple[bytes | memoryview, ...]

_PREAMBLE = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<?xml-stylesheet type="text/xsl" href="/oai/xsl"?>\n'
    '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/'
    ' http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd">\n'
)
# For each verb the arguments it needs and those it may have (OAI-PMH 2.0, section 4).
_ARGUMENTS = {
    "Identify": (set(), set()),
    "ListSets": (set(), {"resumptionToken"}),
    "ListMetadataFormats": (set(), {"identifier"}),
    "GetRecord": ({"identifier", "metadataPrefix"}, set()),
    "ListIdentifiers": ({"metadataPrefix"}, {"from", "until", "set", "resumptionToken"}),
    "ListRecords": ({"metadataPrefix"}, {"from", "until", "set", "resumptionToken"}),
}
# The forms the schema allows in <request>; an argument of another form is not repeated there.
_ECHOED = {
    "verb": re.compile(r"[A-Za-z]+"),
    "identifier": re.compile(r"[a-z]+:\S+"),
    "metadataPrefix": re.compile(r"[\w.!~*'()-]+", re.ASCII),
    "set": re.compile(r"[\w.!~*'()-]+(:[\w.!~*'()-]+)*", re.ASCII),
    "from": re.compile(r"\d{4}-\d\d-\d\d", re.ASCII),
    "until": re.compile(r"\d{4}-\d\d-\d\d", re.ASCII),
    "resumptionToken": re.compile(r".*"),
}
_HAL_ID = re.compile(r"oai:(?:HAL|hal\.archives-ouvertes\.fr):(.+?)(?:v(\d+))?", re.ASCII)
_NOT_XML = re.compile("[^\t\n\r\\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NUMBER = re.compile(r"[-_](\d+)(?:v(\d+))?$", re.ASCII)


@dataclass(frozen=True)
class EndpointRecord:
    """One record as the endpoint holds it; ``xml`` is the whole ``<record>`` element.

    ``internal_id`` is the server's own number of the document, by which lists are ordered.
    """

    identifier: str
    datestamp: str
    sets: tuple[str, ...]
    xml: bytes
    deleted: bool
    internal_id: int

    @classmethod
    def from_xml(cls, xml: bytes) -> Self:
        """Read identifier, datestamp, sets and status from the header in ``xml``."""
        wrapped = b'<r xmlns="%b">%b</r>' % (OAI[1:-1].encode(), xml)
        header = etree.fromstring(wrapped)[0].find(f"{OAI}header")
        if header is None:
            raise ValueError("a record without a header")
        identifier = header.findtext(f"{OAI}identifier", "")
        return cls(
            identifier,
            header.findtext(f"{OAI}datestamp", ""),
            tuple(s.text or "" for s in header.findall(f"{OAI}setSpec")),
            xml,
            header.get("status") == "deleted",
            _internal_id(identifier),
        )

    @property
    def header(self) -> bytes:
        """The ``<header>`` element, byte for byte."""
        end = b"</header>"
        return self.xml[self.xml.index(b"<header") : self.xml.index(end) + len(end)]

    def edited(self, old: str, new: str, *, count: int = -1) -> Self:
        """The record with ``old`` replaced by ``new`` in its XML and the header read again.

        Raises `ValueError` where ``old`` does not occur.
        """
        if old.encode() not in self.xml:
            raise ValueError(f"{old!r} does not occur in {self.identifier}")
        return self.from_xml(self.xml.replace(old.encode(), new.encode(), count))

    def stamped(self, day: str) -> Self:
        """The record with another datestamp."""
        return self.edited(f">{self.datestamp}</datestamp>", f">{day}</datestamp>")

    def tombstone(self, day: str) -> Self:
        """The record as deleted on ``day``: a header and nothing else."""
        header = self.stamped(day).header.replace(b"<header", b'<header status="deleted"', 1)
        return self.from_xml(b"<record>\n      " + header + b"\n    </record>")


@dataclass(frozen=True)
class _Cursor:
    """A place in a list: what HAL remembers under a token."""

    arguments: Mapping[str, str]
    after: tuple[int, ...]
    position: int
    expires: datetime


class ConditionError(Exception):
    """An OAI-PMH error condition; ``echo`` says whether the arguments are repeated."""

    def __init__(self, code: str, message: str, *, echo: bool = True) -> None:
        super().__init__(message)
        self.code = code
        self.echo = echo


def utc_now() -> datetime:
    """The present time, UTC."""
    return datetime.now(UTC)


@dataclass
class RecordedEndpoint:
    """A HAL endpoint that answers from the files of ``directory``.

    ``page_size`` counts for both lists; ``None`` stands for HAL's own 100 records and 400
    headers.  ``order`` is ``descending`` (internal number, the recorded order), ``text`` (the
    same number compared as text, as HAL's search engine does), ``given`` (as in ``records``)
    or a number that seeds a shuffle.  ``base_url`` is the address the answers name; without
    one it is the endpoint's own.  ``clock`` gives ``responseDate``.  ``deleted_record`` is
    the policy: with ``no`` a deleted record is simply not there.  ``merged`` maps an
    identifier to the one that answers in its place.  ``prefix`` is the one metadata format the
    records are in.  With ``tls`` it speaks https.
    """

    directory: Path = RECORDED
    page_size: int | None = 26
    order: Order = "descending"
    base_url: str | None = None
    path: str = "/oai/hal/"
    port: int = 0
    clock: Callable[[], datetime] = utc_now
    deleted_record: DeletedRecord = "no"
    merged: dict[str, str] = field(default_factory=dict)
    prefix: str = "oai_dc"
    tls: ssl.SSLContext | None = None
    records: list[EndpointRecord] = field(default_factory=list, init=False)
    requests: list[ParsedRequest] = field(default_factory=list, init=False)
    _tokens: dict[str, str] = field(default_factory=dict, init=False)
    _cursors: dict[str, _Cursor] = field(default_factory=dict, init=False)
    _server: EndpointServer | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        for page in sorted(self.directory.glob("ListRecords-[0-9].xml")):
            self._load_page(page.read_bytes())

    def _load_page(self, page: bytes) -> None:
        cut = re.findall(rb"<record>.*?</record>", page, re.DOTALL)
        self.records.extend(EndpointRecord.from_xml(xml) for xml in cut)
        token = re.search(rb"<resumptionToken[^>]*>([^<]+)</resumptionToken>\s*</List", page)
        if token:
            self._tokens[self.records[-1].identifier] = token[1].decode()

    # -- running ------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._server = EndpointServer(self._logged, self.port, self.tls)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    @property
    def url(self) -> str:
        """The address of the running endpoint."""
        if self._server is None:
            raise RuntimeError("the endpoint does not run")
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://127.0.0.1:{self._server.server_address[1]}{self.path}"

    def record(self, identifier: str) -> EndpointRecord:
        """The record with exactly this identifier.  Raises `KeyError`."""
        for record in self.records:
            if record.identifier == identifier:
                return record
        raise KeyError(identifier)

    def replace(self, record: EndpointRecord) -> None:
        """Put ``record`` where the one of the same identifier stands, or at the end."""
        known = [each.identifier for each in self.records]
        if record.identifier in known:
            self.records[known.index(record.identifier)] = record
        else:
            self.records.append(record)

    def remove(self, identifier: str) -> None:
        """Let a record vanish.  Raises `KeyError` where there is none."""
        self.records.remove(self.record(identifier))

    def _logged(self, request: ParsedRequest) -> Reply:
        self.requests.append(request)
        return self.respond(request)

    # -- answering ----------------------------------------------------------------------

    def respond(self, request: ParsedRequest) -> Reply:
        """Answer one request; the place where a subclass adds its faults."""
        if request.path.rstrip("/") != self.path.rstrip("/"):
            return _elsewhere(request)
        return Reply(200, XML_HEADERS, b"".join(self.pieces(request)))

    def pieces(self, request: ParsedRequest) -> Pieces:
        """The pieces of an answer's XML document."""
        now = self.clock()
        try:
            content, echo = self._content(request, now), True
        except ConditionError as condition:
            content = (_element("error", str(condition), code=condition.code),)
            echo = condition.echo
        head = _element("responseDate", stamp(now)) + self._request_element(request, echo=echo)
        return (_PREAMBLE.encode() + head, *content, b"</OAI-PMH>\n")

    def loads(self, record: EndpointRecord) -> bool:
        """Say whether a document can be loaded; HAL counts but skips one that cannot."""
        return bool(record.xml)

    def _request_element(self, request: ParsedRequest, *, echo: bool) -> bytes:
        shown = {}
        if echo:
            shown = {
                name: value
                for name, value in (("verb", request.verb or ""), *request.arguments)
                if name in _ECHOED and _ECHOED[name].fullmatch(value)
            }
        return _element("request", self.base_url or self.url, **shown)

    def _content(self, request: ParsedRequest, now: datetime) -> Pieces:
        arguments = _checked_arguments(request)
        match verb := arguments.pop("verb"):
            case "Identify":
                return (self._identify(),)
            case "ListSets":
                return (self._list_sets(arguments),)
            case "ListMetadataFormats":
                return (self._list_formats(arguments),)
            case "GetRecord":
                return (self._get_record(arguments),)
            case _:
                return self._list(verb, arguments, now)

    def _recorded(self, verb: str) -> bytes:
        """The verb's element as it stands in the recorded answer, with its indent and end."""
        answer = (self.directory / f"{verb}.xml").read_bytes()
        start, end = answer.index(b"  <%b>" % verb.encode()), answer.index(b"</OAI-PMH>")
        return answer[start:end]

    def _identify(self) -> bytes:
        policy = f"<deletedRecord>{self.deleted_record}<".encode()
        content = self._recorded("Identify").replace(b"<deletedRecord>no<", policy)
        address = html.escape(self.base_url or self.url).encode()
        return re.sub(rb"(<baseURL>)[^<]*", lambda found: found[1] + address, content)

    def _list_sets(self, arguments: Mapping[str, str]) -> bytes:
        if "resumptionToken" in arguments:
            raise bad_token()
        return self._recorded("ListSets")

    def _list_formats(self, arguments: Mapping[str, str]) -> bytes:
        if "identifier" in arguments:
            self._find(arguments["identifier"])
        return self._recorded("ListMetadataFormats")

    def _get_record(self, arguments: Mapping[str, str]) -> bytes:
        record = self._find(arguments["identifier"])
        self._check_prefix(arguments["metadataPrefix"])
        return b"  <GetRecord>\n    %b\n  </GetRecord>\n" % record.xml

    def _check_prefix(self, prefix: str) -> None:
        # The recorded ListMetadataFormats names more, but only oai_dc was recorded.
        if prefix != self.prefix:
            text = f"The metadata format '{prefix}' given by metadataPrefix is not supported"
            raise ConditionError("cannotDisseminateFormat", f"{text} by this repository.")

    def _find(self, asked: str) -> EndpointRecord:
        """The record that answers to an identifier, with or without version, or its survivor."""
        name = _document(self.merged.get(asked, asked))
        found = [
            record
            for record in self._visible()
            if name in (_document(record.identifier), (_document(record.identifier)[0], None))
        ]
        if not found:
            text = f"The value '{asked}' of the identifier is illegal for this repository."
            raise ConditionError("idDoesNotExist", text)
        return max(found, key=lambda record: record.internal_id)

    def _visible(self) -> Iterator[EndpointRecord]:
        hidden = self.deleted_record == "no"
        return (record for record in tuple(self.records) if not (hidden and record.deleted))

    # -- lists --------------------------------------------------------------------------

    def _list(self, verb: str, arguments: Mapping[str, str], now: datetime) -> Pieces:
        cursor = self._cursor(arguments, now)
        matching = self._matching(cursor.arguments)
        rest = [(key, record) for key, record in matching if key > cursor.after]
        size = self.page_size or (100 if verb == "ListRecords" else 400)
        page = rest[:size]
        if not page:
            text = "The combination of the given values results in an empty list."
            raise ConditionError("noRecordsMatch", text)
        shown = [record for _, record in page if self.loads(record)]
        parts = [record.xml if verb == "ListRecords" else record.header for record in shown]
        content = b"".join(b"    " + part + b"\n" for part in parts)
        if len(matching) > size:
            content += self._token_element(cursor, page, size, len(matching), now)
        return (b"  <%b>\n%b  </%b>\n" % (verb.encode(), content, verb.encode()),)

    def _cursor(self, arguments: Mapping[str, str], now: datetime) -> _Cursor:
        if "resumptionToken" not in arguments:
            self._check_list_arguments(arguments)
            return _Cursor(arguments, (), 0, now)
        cursor = self._cursors.get(arguments["resumptionToken"])
        if cursor is None or cursor.expires <= now:
            raise bad_token()
        return cursor

    def _check_list_arguments(self, arguments: Mapping[str, str]) -> None:
        self._check_prefix(arguments["metadataPrefix"])
        days = [_day(name, arguments[name]) for name in ("from", "until") if name in arguments]
        if days != sorted(days):
            raise _bad_argument("until", arguments["until"])
        wanted = arguments.get("set")
        if wanted is not None and not self._knows_set(wanted):
            raise _bad_argument("set", wanted)

    def _knows_set(self, name: str) -> bool:
        listed = re.findall(rb"<setSpec>([^<]+)<", self._recorded("ListSets"))
        return name.encode() in listed or any(name in record.sets for record in self.records)

    def _matching(
        self, arguments: Mapping[str, str]
    ) -> list[tuple[tuple[int, ...], EndpointRecord]]:
        """The records of a list with their sort keys, in the list's order."""
        first, last = arguments.get("from", ""), arguments.get("until", "9999-12-31")
        wanted = arguments.get("set")
        keyed = [
            (_sort_key(self.order, record, index), record)
            for index, record in enumerate(self._visible())
            if first <= record.datestamp <= last and (wanted is None or wanted in record.sets)
        ]
        return sorted(keyed, key=lambda pair: pair[0])

    def _token_element(
        self,
        cursor: _Cursor,
        page: Sequence[tuple[tuple[int, ...], EndpointRecord]],
        size: int,
        total: int,
        now: datetime,
    ) -> bytes:
        if len(page) < size:
            return f'    <resumptionToken completeListSize="{total}"/>\n'.encode()
        key, record = page[-1]
        token = self._tokens.get(record.identifier) or _token(record.internal_id)
        expires = now + TOKEN_LIFE
        # As on HAL, the arguments are kept under the place alone: another list that stands
        # at the same record overwrites them.
        self._cursors[token] = _Cursor(cursor.arguments, key, cursor.position + size, expires)
        attributes = f'expirationDate="{stamp(expires)}" completeListSize="{total}"'
        opening = f'    <resumptionToken {attributes} cursor="{cursor.position}">'
        return f"{opening}{token}</resumptionToken>\n".encode()


def _elsewhere(request: ParsedRequest) -> Reply:
    """HAL's answer under any other path: a redirection to an HTML page."""
    page = b"<!DOCTYPE html>\n<html><head><title>HAL</title></head><body><p>HAL</body></html>\n"
    headers = {"Content-Type": "text/html; charset=utf-8"}
    if request.path == "/docs/oai":
        return Reply(200, headers, page)
    return Reply(302, {**headers, "Location": "/docs/oai"}, page)


def _checked_arguments(request: ParsedRequest) -> dict[str, str]:
    """The arguments as a mapping, by the rules of the verb (OAI-PMH 2.0, section 3.6)."""
    verb = request.verb
    counted = Counter(name for name, _ in request.arguments)
    if verb is None:
        raise ConditionError("badVerb", "The request does not provide any verb.", echo=False)
    if counted["verb"] > 1:
        raise ConditionError("badVerb", "Do not use verb more than once.", echo=False)
    if verb not in _ARGUMENTS:
        text = f"The verb '{verb}' provided in the request is illegal."
        raise ConditionError("badVerb", text, echo=False)
    if any(count > 1 for count in counted.values()):
        text = "Do not use the same argument more than once."
        raise ConditionError("badArgument", text, echo=False)
    arguments = dict(request.arguments)
    _check_names(arguments, *_ARGUMENTS[verb])
    return arguments


def _check_names(arguments: Mapping[str, str], required: set[str], optional: set[str]) -> None:
    for name, value in arguments.items():
        if name not in required | optional | {"verb"}:
            raise _bad_argument(name, value, echo=False)
    if "resumptionToken" in arguments:
        if len(arguments) > 2:
            text = "The usage of resumptionToken as an argument allows no other arguments."
            raise ConditionError("badArgument", text, echo=False)
        return
    for name in sorted(required - set(arguments)):
        text = f"The required argument '{name}' is missing in the request."
        raise ConditionError("badArgument", text, echo=False)


def _day(name: str, value: str) -> date:
    if not _ECHOED[name].fullmatch(value):
        raise _bad_argument(name, value, echo=False)
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise _bad_argument(name, value, echo=False) from error


def _bad_argument(name: str, value: str, *, echo: bool = True) -> ConditionError:
    text = f"The argument '{name}' (value='{value}') included in the request is not valid."
    return ConditionError("badArgument", text, echo=echo)


def bad_token() -> ConditionError:
    """The condition that an unknown or expired token raises."""
    # HAL's message names an empty token, whatever was sent.
    text = "The resumptionToken '' does not exist or has already expired."
    return ConditionError("badResumptionToken", text)


def _element(name: str, text: str, **attributes: str) -> bytes:
    shown = "".join(f' {key}="{html.escape(value)}"' for key, value in attributes.items())
    element = f"  <{name}{shown}>{html.escape(text, quote=False)}</{name}>\n"
    return _NOT_XML.sub("?", element).encode()


def stamp(moment: datetime) -> str:
    """A moment as OAI-PMH writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _document(identifier: str) -> tuple[str, str | None]:
    """The document and version an identifier names, whichever prefix it has."""
    found = _HAL_ID.fullmatch(identifier)
    return (found[1], found[2]) if found else (identifier, None)


def _internal_id(identifier: str) -> int:
    """A number for the document: that of the identifier with two digits for the version."""
    found = _NUMBER.search(identifier)
    if not found:
        return zlib.crc32(identifier.encode())
    return int(found[1]) * 100 + int(found[2] or 0)


def _sort_key(order: Order, record: EndpointRecord, index: int) -> tuple[int, ...]:
    match order:
        case "given":
            return (index,)
        case "descending":
            return (-record.internal_id, zlib.crc32(record.identifier.encode()))
        case "text":
            # Digits counted downwards; the closing 0 puts 999 before 99, as descending text does.
            return (*(-ord(digit) for digit in str(record.internal_id)), 0)
        case seed:
            digest = hashlib.sha256(f"{seed}:{record.identifier}".encode()).digest()
            return (int.from_bytes(digest[:8], "big"),)


def _token(internal_id: int) -> str:
    """A place in a list as HAL's search engine writes it: base64 that holds ``+`` and ``=``."""
    return base64.b64encode(b"\x02\x81\x5f\xfb" + internal_id.to_bytes(7, "big")).decode()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal comes, or until standard input closes where that is asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--page-size", type=int, help="default: HAL's 100 records, 400 headers")
    parser.add_argument("--order", default="descending", help="descending, text, given or a seed")
    parser.add_argument("--directory", type=Path, default=RECORDED)
    parser.add_argument("--until-stdin-closes", action="store_true")
    options = parser.parse_args(arguments)
    order = int(options.order) if options.order.isdecimal() else options.order
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    endpoint = RecordedEndpoint(options.directory, options.page_size, order, port=options.port)
    with endpoint:
        if options.until_stdin_closes:
            threading.Thread(target=_wait_for_stdin, args=(ended,), daemon=True).start()
        sys.stdout.write(f"serving {endpoint.url}\n")
        sys.stdout.flush()
        ended.wait()
    return 0


def _wait_for_stdin(ended: threading.Event) -> None:
    sys.stdin.buffer.read()
    ended.set()


if __name__ == "__main__":
    sys.exit(main())
