"""Clients that do not take their answer, or do not send their form: none keeps its connection."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import uvicorn

from halmirror.web import oai, serving
from halmirror.web.problems import Problem
from web_pages import Served

SIZE = 16 * 1024 * 1024
"""More than the system keeps for a connection."""


async def large(scope: Any, receive: Any, send: Any) -> None:
    del scope, receive
    length = [(b"content-length", b"%d" % SIZE)]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": b"." * SIZE})


def with_server(client: Callable[[socket.socket, asyncio.Event], Awaitable[None]]) -> None:
    """Runs ``client`` with a connection whose request is sent, and what tells its end."""

    async def run() -> None:
        lost = asyncio.Event()

        class Watched(serving.BoundedProtocol):
            def connection_lost(self, exc: Exception | None) -> None:
                super().connection_lost(exc)
                lost.set()

        config = uvicorn.Config(large, http=Watched, ws="none", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        with serving._listening("127.0.0.1", 0) as listener, socket.socket() as connection:
            served = asyncio.create_task(server.serve(sockets=[listener]))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
            connection.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(connection, listener.getsockname())
            await loop.sock_sendall(connection, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await client(connection, lost)
            server.should_exit = True
            await served

    asyncio.run(run())


def test_who_takes_nothing_of_an_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "TAKING_SECONDS", 0.2)

    async def client(_: socket.socket, lost: asyncio.Event) -> None:
        await lost.wait()

    with_server(client)


def test_who_takes_it_slowly_gets_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "TAKING_SECONDS", 1.0)
    got = bytearray()

    async def client(connection: socket.socket, _: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        while len(got.partition(b"\r\n\r\n")[2]) < SIZE:
            part = await loop.sock_recv(connection, 65_536)
            assert part
            got.extend(part)
            await asyncio.sleep(0.001)

    with_server(client)
    assert got.endswith(b"." * SIZE)


def test_a_form_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oai, "FORM_SECONDS", 0.05)

    class Waiting:
        headers = httpx.Headers({"Content-Type": "application/x-www-form-urlencoded"})

        async def stream(self) -> Any:
            yield b"verb="
            await asyncio.Event().wait()

    with pytest.raises(Problem) as refused:
        asyncio.run(oai._form(Waiting()))  # type: ignore[arg-type]
    assert refused.value.status == 408
    assert refused.value.headers["Connection"] == "close"


def test_a_client_that_leaves_within_its_form_is_no_error_of_the_server(served: Served) -> None:
    host, _, port = served.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            f"POST /oai?left=1 HTTP/1.1\r\nHost: {host}\r\nContent-Length: 13\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\nverb".encode()
        )
    line = ""
    while not line:
        with contextlib.suppress(StopIteration):
            line = next(one for one in served.log.read_text().splitlines() if "left=1" in one)
    assert '"POST /oai?left=1" 400 ' in line
    assert "Traceback" not in served.log.read_text()
