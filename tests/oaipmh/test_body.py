"""Unpacking within bounds of memory, and ending what drips for ever."""

import gzip
import socket
import threading
import time

import pytest

from halmirror.errors import ResponseError, TransportError
from halmirror.oaipmh.body import BrokenBodyError, is_packed, whole
from halmirror.oaipmh.transport import Politeness, Transport

TEXT = b"some text that is long enough to be packed " * 50


def unpacked(parts: list[bytes], encoding: str | None, most: int) -> bytes:
    packed = is_packed([encoding] if encoding else [], "http://127.0.0.1/")
    return whole(parts, packed=packed, limit=most, url="http://127.0.0.1/")


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_gzip_in_pieces_and_members(size: int) -> None:
    packed = gzip.compress(TEXT) + gzip.compress(b"more")
    assert unpacked(pieces(packed, size), "gzip", 10_000) == TEXT + b"more"
    assert unpacked(pieces(TEXT, size), None, 10_000) == TEXT


def test_a_bomb_is_refused_before_it_fills_the_memory() -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, 9)
    with pytest.raises(ResponseError, match="1000000"):
        unpacked([bomb], "gzip", 1_000_000)


@pytest.mark.parametrize("encoding", ["zstd", "br", "deflate", "gzip, gzip"])
def test_an_encoding_that_was_not_asked_for_is_refused(encoding: str) -> None:
    with pytest.raises(ResponseError, match="only gzip"):
        unpacked([b"x"], encoding, 100)


def test_a_cut_gzip_body_is_cut() -> None:
    with pytest.raises(BrokenBodyError):
        unpacked([gzip.compress(TEXT)[:-10]], "gzip", 100_000)
    with pytest.raises(BrokenBodyError):
        unpacked([b"no gzip at all"], "gzip", 100_000)


DRIPS = {
    "a body": (b"HTTP/1.1 200 OK\r\n\r\n", b"<"),
    "a body of known length": (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"<"),
    "a header": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
    "early hints": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
}


@pytest.mark.parametrize(("begin", "drop"), DRIPS.values(), ids=DRIPS)
def test_what_drips_for_ever_ends(begin: bytes, drop: bytes) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                connection.recv(65536)
                connection.sendall(begin)
                while not stop.is_set():
                    connection.sendall(drop)
                    time.sleep(0.02)
            except OSError:
                continue
            finally:
                connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        # Ten drops and more in the time of one silence: a busy machine drips unevenly.
        politeness = Politeness(timeout=0.3, retries=0)
        with (
            Transport(address, politeness, sleep=lambda _: None) as transport,
            pytest.raises(TransportError, match="longer than 3 seconds"),
        ):
            transport.ask({"verb": "Identify"})
    finally:
        stop.set()
        listener.close()
        thread.join(10)
