"""Serves a generated repository over OAI-PMH on 127.0.0.1, as HAL answers, and fast.

    python benchmarks/serve.py FOLDER [--port N] [--update NAME]

It prints one line, ``serving http://127.0.0.1:PORT/oai/hal/``, and ends on SIGTERM or SIGINT.
What it answers is what the tests' recorded endpoint answers (arguments, errors, sets, tokens,
page sizes); only where records come from differs, and there is no work for each record: a
page of a list by days is an envelope around a few slices of a mapped file.  Answers are never
compressed.  ``responseDate`` is the day after the repository's last.
"""

from __future__ import annotations

import argparse
import base64
import re
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl, urlsplit

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from endpoint_http import ParsedRequest, Reply
from generated_repository import Repository
from halmirror.reference.document_types import DOCUMENT_TYPES
from recorded_endpoint import (
    TOKEN_LIFE,
    XML_HEADERS,
    ConditionError,
    EndpointRecord,
    RecordedEndpoint,
    bad_token,
    stamp,
)

if TYPE_CHECKING:
    from array import array
    from collections.abc import Mapping

    from recorded_endpoint import Pieces

_PATH = "/oai/hal/"
_IDENTIFIER = re.compile(
    r"oai:(?:HAL|hal\.archives-ouvertes\.fr):([a-z0-9]+[-_](\d+))(v\d+)?", re.ASCII
)
_SET = "    <set>\n      <setSpec>{}</setSpec>\n      <setName>{}</setName>\n    </set>\n"
_LONGEST_HEAD = 65_536
_SEND_BUFFER = 4 << 20
_AT_ONCE = 500
"""Pieces in one system call: fewer than IOV_MAX."""


@dataclass(frozen=True)
class _Place:
    """A place in a list, as a token carries it."""

    first: str
    last: str
    set: str
    done: int

    def token(self) -> str:
        text = f"{self.first} {self.last} {self.set} {self.done}"
        return base64.b64encode(text.encode()).decode()

    @classmethod
    def of(cls, token: str) -> Self:
        try:
            first, last, name, done = base64.b64decode(token, validate=True).decode().split(" ")
            return cls(first, last, name, int(done))
        except ValueError as error:
            raise bad_token() from error


class GeneratedEndpoint(RecordedEndpoint):
    """The recorded endpoint with the records of a generated repository."""

    def __init__(self, repository: Repository) -> None:
        day = datetime.fromisoformat(repository.last_day).replace(tzinfo=UTC)
        ahead = day + timedelta(days=1, hours=3) - datetime.now(UTC)
        super().__init__(path=_PATH, clock=lambda: datetime.now(UTC) + ahead)
        self.repository = repository
        self._in_set: dict[str, array[int]] = {}

    def _list(self, verb: str, arguments: Mapping[str, str], now: datetime) -> Pieces:
        if "resumptionToken" in arguments:
            place = _Place.of(arguments["resumptionToken"])
        else:
            self._check_list_arguments(arguments)
            first, last = arguments.get("from", ""), arguments.get("until", "9999-12-31")
            place = _Place(first, last, arguments.get("set", ""), 0)
        size = 100 if verb == "ListRecords" else 400
        parts, total = self._parts(verb, place, size)
        if place.done >= total:
            text = "The combination of the given values results in an empty list."
            raise ConditionError("noRecordsMatch", text)
        following = self._following(place, size, total, now) if total > size else b""
        return (b"  <%b>\n" % verb.encode(), *parts, following, b"  </%b>\n" % verb.encode())

    def _parts(self, verb: str, place: _Place, size: int) -> tuple[list[bytes | memoryview], int]:
        """The content of a page, and how many records the whole list has."""
        repository = self.repository
        if place.set:
            positions = self._positions(place.set)
            start, end = repository.span_in(positions, place.first, place.last)
            chosen = positions[start + place.done : min(start + place.done + size, end)]
            give = repository.xml if verb == "ListRecords" else repository.header
            return [b"    %b\n" % give(position) for position in chosen], end - start
        start, end = repository.span(place.first, place.last)
        here, upto = start + place.done, min(start + place.done + size, end)
        if verb == "ListRecords":
            return list(repository.records(here, upto)), end - start
        headers = repository.headers(here, upto)
        return [b"    %b\n" % bytes(header) for header in headers], end - start

    def _following(self, place: _Place, size: int, total: int, now: datetime) -> bytes:
        done = place.done + size
        if done > total:
            return b'    <resumptionToken completeListSize="%d"/>\n' % total
        token = _Place(place.first, place.last, place.set, done).token()
        expires = stamp(now + TOKEN_LIFE)
        opening = f'<resumptionToken expirationDate="{expires}" completeListSize="{total}"'
        return f'    {opening} cursor="{place.done}">{token}</resumptionToken>\n'.encode()

    def _find(self, asked: str) -> EndpointRecord:
        found = _IDENTIFIER.fullmatch(asked)
        position = self.repository.position_of(int(found[2])) if found else None
        if found and position is not None:
            record = EndpointRecord.from_xml(self.repository.xml(position))
            document, _, version = record.identifier.rpartition(":")[2].rpartition("v")
            if document == found[1] and found[3] in {None, f"v{version}"}:
                return record
        text = f"The value '{asked}' of the identifier is illegal for this repository."
        raise ConditionError("idDoesNotExist", text)

    def _positions(self, name: str) -> array[int]:
        if name not in self._in_set:
            self._in_set[name] = self.repository.in_set(name)
        return self._in_set[name]

    def _knows_set(self, name: str) -> bool:
        return len(self._positions(name)) > 0

    def _list_sets(self, arguments: Mapping[str, str]) -> bytes:
        # The recorded list is cut to some types; narrowing a list by type needs them all.
        listed = super()._list_sets(arguments)
        kinds = [(f"type:{one.code}", one.en) for one in DOCUMENT_TYPES.values()]
        lacking = (
            _SET.format(name, text)
            for name, text in kinds
            if f"<setSpec>{name}<".encode() not in listed
        )
        return listed.replace(b"  </ListSets>", "".join(lacking).encode() + b"  </ListSets>")


class Server:
    """HTTP/1.1 over kept connections, a thread each: no more of it than harvesters need."""

    def __init__(self, endpoint: GeneratedEndpoint, port: int = 0) -> None:
        self._endpoint = endpoint
        self._socket = socket.create_server(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}{_PATH}"
        endpoint.base_url = self.url

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                read = b""
                while True:
                    head, _, read = _until_head_ends(connection, read)
                    if not head:
                        return
                    request, read = _parsed(head, read, connection)
                    keep = request.headers.get("connection", "").lower() != "close"
                    _send(connection, self._answer(request), keep=keep)
                    if not keep:
                        return
            except ConnectionError:
                return

    def _answer(self, request: ParsedRequest) -> Reply:
        if request.path.rstrip("/") != _PATH.rstrip("/"):
            return self._endpoint.respond(request)
        return Reply(200, XML_HEADERS, b"", self._endpoint.pieces(request))


def _until_head_ends(connection: socket.socket, read: bytes) -> tuple[bytes, bytes, bytes]:
    while b"\r\n\r\n" not in read:
        more = connection.recv(65_536)
        if not more or len(read) > _LONGEST_HEAD:
            return b"", b"", b""
        read += more
    return read.partition(b"\r\n\r\n")


def _parsed(head: bytes, read: bytes, connection: socket.socket) -> tuple[ParsedRequest, bytes]:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    address = urlsplit(target)
    query, length = address.query, int(headers.get("content-length", "0"))
    while len(read) < length:
        more = connection.recv(65_536)
        if not more:
            raise ConnectionResetError
        read += more
    if method == "POST":
        query = read[:length].decode("ascii", "replace")
    arguments = tuple(parse_qsl(query, keep_blank_values=True))
    return ParsedRequest(method, address.path, arguments, headers), read[length:]


def _send(connection: socket.socket, reply: Reply, *, keep: bool) -> None:
    pieces = [reply.body] if reply.pieces is None else list(reply.pieces)
    reason = "OK" if reply.status == 200 else "Found"
    length = sum(len(piece) for piece in pieces)
    lines = [f"HTTP/1.1 {reply.status} {reason}", f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    lines += [] if keep else ["Connection: close"]
    head = "\r\n".join((*lines, "", "")).encode()
    rest = [memoryview(piece) for piece in (head, *pieces)]
    while rest:
        sent = connection.sendmsg(rest[:_AT_ONCE])
        while rest and sent >= len(rest[0]):
            sent -= len(rest.pop(0))
        if sent:
            rest[0] = rest[0][sent:]


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--update", metavar="NAME", help="as it is after this update")
    options = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with (
        Repository(options.folder, options.update) as repository,
        Server(GeneratedEndpoint(repository), options.port) as server,
    ):
        sys.stdout.write(f"serving {server.url}\n")
        sys.stdout.flush()
        ended.wait()


if __name__ == "__main__":
    main()
