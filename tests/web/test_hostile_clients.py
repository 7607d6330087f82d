"""Clients that mean harm, or are broken: each gets an answer or a refusal, and others go on."""

import contextlib
import json
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from conftest import CommandLine
from halmirror import Mirror
from halmirror.web import serving
from web_pages import Served, started

FUZZ = Path(__file__).parents[2] / "benchmarks" / "fuzz_serve.py"


@pytest.fixture(scope="module")
def own(filled: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of these tests' own: what they do to it reaches no other test."""
    command = CommandLine(tmp_path_factory.mktemp("hostile"))
    command.configure(
        "http://127.0.0.1:9/", f'[mirror]\npath = "{filled.mirror}"\n[serve]\nrate_limit = 2'
    )
    server = started(command)
    yield server
    assert server.stop() == 0, server.log.read_text()
    assert "Traceback" not in server.log.read_text()


def place(server: Served) -> tuple[str, int]:
    host, _, port = server.url.removeprefix("http://").partition(":")
    return host, int(port)


def said(server: Served, request: bytes) -> bytes:
    """Everything the server says to these bytes, until it closes."""
    with socket.create_connection(place(server), timeout=60) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(request)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(65_536):
                answer += part
        return answer


def well(server: Served) -> bool:
    return httpx.get(f"{server.url}/hal-04493396", timeout=30).status_code == 200


def test_hostile_requests_are_answered_or_refused(own: Served) -> None:
    ran = subprocess.run(
        [sys.executable, FUZZ, own.url, "--requests", "1500", "--seed", "3"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = json.loads(ran.stdout)
    assert told["faults"] == []
    assert ran.returncode == 0
    assert sum(told["statuses"].values()) == 1500
    assert {"200", "304", "400", "404", "405", "414", "421"} <= set(told["statuses"])


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (
            b"GET / HTTP/1.1\r\nHost: H\r\nX-A: "
            + b"a" * 40_000
            + b"\r\nConnection: close\r\n\r\n",
            b"431",
        ),
        (b"GET / HTTP/1.1\r\n" + b"X-A: a\r\n" * 5_000 + b"\r\n", b"400"),
        (b"GET /" + b"a" * 3_000 + b" HTTP/1.1\r\nHost: H\r\nConnection: close\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nHost: H\r\nHost: H\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", b"421"),
        (b"GET /\0 HTTP/1.1\r\nHost: H\r\n\r\n", b"400"),
        (b"GET /../../etc/passwd HTTP/1.1\r\nHost: H\r\nConnection: close\r\n\r\n", b"404"),
        (b"GET /static/..%2f..%2fapp.py HTTP/1.1\r\nHost: H\r\nConnection: close\r\n\r\n", b"404"),
        (
            (
                b"POST /oai HTTP/1.1\r\nHost: H\r\nContent-Length: 4\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"
            ),
            b"4",
        ),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"400"),
    ],
)
def test_a_broken_head_is_refused_at_once(own: Served, head: bytes, status: bytes) -> None:
    host, port = place(own)
    answer = said(own, head.replace(b"Host: H\r", f"Host: {host}:{port}\r".encode()))
    assert answer.startswith(b"HTTP/1.1 " + status), answer[:200]
    assert answer.count(b"HTTP/1.1 2") == 0
    assert "smuggled" not in own.log.read_text()
    assert well(own)


def test_a_head_that_never_ends_is_given_up(own: Served) -> None:
    begun = time.monotonic()
    assert said(own, b"GET / HTTP/1.1\r\nX-Slow: ") == b""
    assert time.monotonic() - begun >= serving.REQUEST_SECONDS - 1
    assert well(own)


def test_more_connections_than_there_is_room_for_are_told_to_come_back(own: Served) -> None:
    held: list[socket.socket] = []
    try:
        refused = b""
        for _ in range(serving.MOST_CONNECTIONS + 20):
            one = socket.create_connection(place(own), timeout=30)
            held.append(one)
        one = held[-1]
        with contextlib.suppress(ConnectionError):
            refused = one.recv(4096)
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after:" in refused.lower()
    finally:
        for one in held:
            one.close()
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(httpx.HTTPError):
            if well(own):
                break
        assert time.monotonic() < deadline


def test_a_client_that_asks_too_often_is_told_to_slow_down_and_others_are_not(own: Served) -> None:
    with httpx.Client(base_url=own.url) as client:
        often = {"X-Forwarded-For": "198.51.100.7"}
        answers = [client.get("/terms", headers=often) for _ in range(60)]
        late = [answer for answer in answers if answer.status_code == 429]
        assert len(late) > 20
        assert {answer.status_code for answer in answers} == {200, 429}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in late)
        assert client.get("/terms", headers={"X-Forwarded-For": "198.51.100.8"}).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "a* OR b* OR c* OR d* OR e* OR f*",
        "(" * 90 + "a" + ")" * 90,
        " OR ".join(f'"{one} {one}"' for one in "abcdefghijkl"),
        "NOT " * 300 + "a",
        " ".join(["title:a*"] * 30),
        "^a NEAR(b c, 1000000) {x}: -d",
        "a" * 1999,
    ],
)
def test_a_query_made_to_take_long_ends(own: Served, query: str) -> None:
    answer = httpx.get(f"{own.url}/search", params={"q": query}, timeout=60)
    assert answer.status_code in (200, 400, 503)
    assert well(own)


def test_deep_paging_ends_and_says_what_to_do(own: Served) -> None:
    from halmirror.places import write_cursor

    with httpx.Client(base_url=own.url) as client:
        cursor = write_cursor(1, 50_000_000)
        answer = client.get("/api/v1/search", params={"cursor": cursor})
        assert answer.status_code == 400
        assert "export" in answer.json()["detail"]


def test_a_served_mirror_cannot_be_written_to(filled: CommandLine) -> None:
    with Mirror(filled.mirror) as mirror:
        for statement in ("DELETE FROM state", "CREATE TABLE x (y)", "PRAGMA user_version = 9"):
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                mirror._connection.execute(statement)
