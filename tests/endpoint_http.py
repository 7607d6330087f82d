"""The HTTP side of the recorded endpoint: a request as a value in, a reply as a value out."""

from __future__ import annotations

import gzip
import socket
import struct
import sys
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Mapping

_AT_ONCE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class ParsedRequest:
    """One request: ``arguments`` as sent, in order, repeated ones too."""

    method: str
    path: str
    arguments: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]

    @property
    def verb(self) -> str | None:
        """The first ``verb``, if any."""
        return self.argument("verb")

    def argument(self, name: str) -> str | None:
        """The first value of an argument, or ``None``."""
        return next((value for key, value in self.arguments if key == name), None)


@dataclass(frozen=True)
class Reply:
    """An HTTP answer; ``Content-Length`` and gzip are added when it is sent.

    ``pieces`` are sent after ``body``, as they come and without a length; ``end`` says what
    becomes of the connection: kept, closed, or reset.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    pieces: Iterable[bytes | memoryview] | None = None
    end: Literal["keep", "close", "reset"] = "keep"


class EndpointServer(ThreadingHTTPServer):
    """The HTTP side: one thread a connection, all connections cut when it closes."""

    daemon_threads = True

    def __init__(
        self,
        respond: Callable[[ParsedRequest], Reply],
        port: int,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.respond = respond
        self.failures: list[BaseException] = []
        self._tls = tls
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        if self._tls is not None:
            # A handshake that the client breaks off is an OSError, which the server passes over.
            connection = self._tls.wrap_socket(connection, server_side=True)
        return connection, address

    def process_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: object) -> None:
        assert isinstance(request, socket.socket)
        self._open.discard(request)
        if request.fileno() >= 0 and _is_reset(request):
            request.close()  # an orderly end would come before the reset
        else:
            super().shutdown_request(request)

    def handle_error(self, *_: object) -> None:
        failure = sys.exception()
        # A client that hangs up is its own affair; anything else is the endpoint's fault.
        if failure is not None and not isinstance(failure, ConnectionError):
            self.failures.append(failure)

    def close(self) -> None:
        """Stop, cut what is connected, and raise the first failure of a handler."""
        self.shutdown()
        self.server_close()
        for connection in tuple(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                # The client, or the handler's thread, closed it a moment ago.
                self._open.discard(connection)
        if self.failures:
            raise self.failures[0]


class _Handler(BaseHTTPRequestHandler):
    server: EndpointServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self._answer(urlsplit(self.path).query)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self._answer(self.rfile.read(length).decode("ascii", "replace"))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name the base class gives it
        """Keep standard error quiet: the endpoint keeps a log."""

    def _answer(self, query: str) -> None:
        arguments = tuple(parse_qsl(query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = ParsedRequest(self.command, urlsplit(self.path).path, arguments, headers)
        self._send(_encoded(self.server.respond(request), headers))

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        length = {"Content-Length": str(len(reply.body))} if reply.pieces is None else {}
        for name, value in {**length, **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)
        for piece in reply.pieces or ():
            self.wfile.write(piece)
            self.wfile.flush()
        if reply.pieces is not None or reply.end != "keep":
            self.wfile.flush()
            self.close_connection = True
        if reply.end == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)


def _is_reset(connection: socket.socket) -> bool:
    option = connection.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(_AT_ONCE))
    return option == _AT_ONCE


def _encoded(reply: Reply, headers: Mapping[str, str]) -> Reply:
    """The reply in gzip where the client takes it and nothing else encoded it."""
    if "gzip" not in headers.get("accept-encoding", "") or "Content-Encoding" in reply.headers:
        return reply
    body = gzip.compress(reply.body, compresslevel=6, mtime=0)
    return replace(reply, headers={**reply.headers, "Content-Encoding": "gzip"}, body=body)
