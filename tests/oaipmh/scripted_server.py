"""A server on 127.0.0.1 that answers by a script, one step a request."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Asked:
    """One request as it came: ``arguments`` are those of the form for POST."""

    method: str
    path: str
    query: dict[str, str]
    arguments: dict[str, str]
    headers: dict[str, str]
    connection: int


class Step(BaseHTTPRequestHandler):
    """What a step of a script gets: send what you like with ``send`` or ``wfile``."""

    protocol_version = "HTTP/1.1"
    server: ScriptedServer

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        """A whole answer; underscores in header names stand for hyphens."""
        self.send_response(status)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"Content-Length": str(len(body)), **named}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def open(self, **headers: str) -> None:
        """The head of an answer without length, whose body ends with the connection."""
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()

    def drip(self, piece: bytes, pause: float = 0.0) -> None:
        """Send a piece again and again until the client goes away."""
        while True:
            try:
                self.wfile.write(piece)
            except ConnectionError:
                self.close_connection = True
                return
            self.server.ended.wait(pause)

    def reset(self) -> None:
        """Cut the connection with what was written sent, and nothing more."""
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def do_GET(self) -> None:
        self._play({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._play(dict(parse_qsl(body.decode(), keep_blank_values=True)))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
        """Keep standard error quiet: the server keeps a log."""

    def _play(self, form: dict[str, str]) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(
            self.command, parts.path, query, form or query, headers, self.client_address[1]
        )
        self.server.next_step(asked)(self)


@dataclass
class Script:
    """The steps in order; the last one is played again for every further request."""

    steps: list[Callable[[Step], None]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)


class ScriptedServer(ThreadingHTTPServer):
    """Plays a script; ``url`` is its base URL."""

    daemon_threads = True

    def __init__(self) -> None:
        self.script = Script()
        self.ended = threading.Event()
        super().__init__(("127.0.0.1", 0), Step)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/oai"

    @property
    def asked(self) -> list[Asked]:
        return self.script.asked

    def play(self, *steps: Callable[[Step], None]) -> None:
        self.script.steps.extend(steps)

    def next_step(self, asked: Asked) -> Callable[[Step], None]:
        self.script.asked.append(asked)
        steps = self.script.steps
        return steps.pop(0) if len(steps) > 1 else steps[0]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up in the middle is what many of these tests are about."""


@contextmanager
def running() -> Iterator[ScriptedServer]:
    """A server of its own thread, ended with the block."""
    with ScriptedServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.ended.set()
            server.shutdown()
            thread.join()
