"""What a client takes from a server, sends to it and tells of it has its limits."""

import contextlib
import gzip
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from halmirror.errors import HalmirrorError, ResponseError, TransportError, UsageError
from halmirror.oaipmh.body import whole
from halmirror.oaipmh.client import Client
from halmirror.oaipmh.transport import Politeness, Transport
from oaipmh.scripted_server import ScriptedServer, Step

HAL = Path(__file__).resolve().parents[2] / "data" / "hal-oai"
IDENTIFY = (HAL / "Identify.xml").read_bytes()
LIST = (HAL / "ListRecords-3.xml").read_bytes()


def body(data: bytes, status: int = 200, **headers: str) -> Callable[[Step], None]:
    return lambda step: step.send(data, status, **headers)


def client(url: str, method: str = "GET", **settings: object) -> Client:
    return Client(url, Politeness(**settings), method=method, sleep=lambda _: None)


def told(error: pytest.ExceptionInfo[HalmirrorError]) -> str:
    """The message, which has to be one line."""
    message = str(error.value)
    assert len(message.splitlines()) == 1
    return message


# -- time -------------------------------------------------------------------------------


def empty_blocks(step: Step) -> None:
    packer = zlib.compressobj(wbits=31)
    step.open(Content_Encoding="gzip")
    step.wfile.write(packer.flush(zlib.Z_SYNC_FLUSH))
    step.drip(b"\0\0\0\xff\xff", 0.01)


def header_by_header(step: Step) -> None:
    step.wfile.write(b"HTTP/1.1 200 OK\r\n")
    step.drip(b"X-More: yes\r\n", 0.02)


def headers_in_a_flood(step: Step) -> None:
    step.wfile.write(b"HTTP/1.1 200 OK\r\n")
    step.drip(b"X-More: yes\r\n" * 500)


def hints_in_a_flood(step: Step) -> None:
    step.drip(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 500)


def chunks_in_a_flood(step: Step) -> None:
    step.open(Transfer_Encoding="chunked", Content_Encoding="gzip")
    step.drip(b"5\r\n\0\0\0\xff\xff\r\n", 0.01)


@pytest.mark.parametrize(
    "forever",
    [empty_blocks, header_by_header, headers_in_a_flood, hints_in_a_flood, chunks_in_a_flood],
)
def test_what_never_ends_is_ended(
    forever: Callable[[Step], None], scripted: ScriptedServer
) -> None:
    scripted.play(forever)
    with client(scripted.url, timeout=0.1, retries=0) as asking, pytest.raises(TransportError):
        asking.page("Identify", {})


def test_a_client_goes_on_after_an_answer_that_was_ended(scripted: ScriptedServer) -> None:
    scripted.play(header_by_header, body(IDENTIFY))
    with client(scripted.url, timeout=0.1, retries=0) as asking:
        with pytest.raises(TransportError):
            asking.page("Identify", {})
        assert asking.page("Identify", {}).identity is not None


def test_a_handshake_that_never_ends_is_ended() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        connection, _ = server.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
            while not ended.wait(0.02):
                connection.sendall(b"\x03")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    address = f"https://127.0.0.1:{server.getsockname()[1]}/oai"
    try:
        with client(address, timeout=0.1, retries=0) as asking, pytest.raises(TransportError):
            asking.page("Identify", {})
    finally:
        ended.set()
        server.close()
        thread.join(10)


# -- size -------------------------------------------------------------------------------


def test_a_bomb_takes_no_more_memory_than_allowed() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(100)) + packer.flush()
    tracemalloc.start()
    try:
        with pytest.raises(ResponseError, match="larger than 1000000 bytes"):
            whole([bomb], packed=True, limit=1_000_000, url="http://127.0.0.1/")
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", "gzip,br", "\x1b[2J"])
def test_an_encoding_nobody_asked_for_is_refused(encoding: str, scripted: ScriptedServer) -> None:
    scripted.play(body(gzip.compress(IDENTIFY), Content_Encoding=encoding))
    with client(scripted.url) as asking, pytest.raises((ResponseError, TransportError)) as caught:
        asking.page("Identify", {})
    assert "\x1b" not in told(caught)


def test_a_refusal_in_another_encoding_is_told_by_its_status(scripted: ScriptedServer) -> None:
    scripted.play(body(b"?", 503, Content_Encoding="br"), body(b"?", 404, Content_Encoding="br"))
    with client(scripted.url) as asking, pytest.raises(TransportError, match="status 404"):
        asking.page("Identify", {})
    assert len(scripted.asked) == 2


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", "identity, gzip"])
def test_gzip_has_many_names(encoding: str, scripted: ScriptedServer) -> None:
    scripted.play(body(gzip.compress(IDENTIFY), Content_Encoding=encoding))
    with client(scripted.url) as asking:
        assert asking.page("Identify", {}).identity is not None


def test_a_gzip_that_ends_too_early_is_asked_for_again(scripted: ScriptedServer) -> None:
    cut = gzip.compress(IDENTIFY)[:-9]
    scripted.play(body(cut, Content_Encoding="gzip"), body(IDENTIFY))
    with client(scripted.url) as asking:
        assert asking.page("Identify", {}).identity is not None
    assert len(scripted.asked) == 2


# -- what cannot be asked ---------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_huge_token_is_refused(method: str, scripted: ScriptedServer) -> None:
    scripted.play(body(LIST))
    with client(scripted.url, method) as asking, pytest.raises(ResponseError) as caught:
        asking.page("ListRecords", {"resumptionToken": "t" * 100_000})
    assert "resumption token" in told(caught)
    assert len(told(caught)) < 300
    assert scripted.asked == []


@pytest.mark.parametrize(
    ("token", "method"),
    [
        ("t" * 7_000, "GET"),
        ("t" * 9_000, "POST"),
        ("=" * 3_000, "POST"),  # each "=" is "%3D" in an address
        ("é" * 20_000, "POST"),
    ],
)
def test_a_token_too_long_for_an_address_goes_by_post(
    token: str, method: str, scripted: ScriptedServer
) -> None:
    scripted.play(body(LIST))
    with client(scripted.url) as asking:
        asking.page("ListRecords", {"resumptionToken": token})
    assert scripted.asked[0].method == method
    assert scripted.asked[0].arguments == {"verb": "ListRecords", "resumptionToken": token}


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/\n\x1b[31m",
        "http://127.0.0.1/\0",
        "http://127.0.0.1/\udc80",
        "http://127.0.0.1/" + "a" * 100_000,
        "http://127.0.0.1:port/",
        "http://\u2028/",
    ],
)
def test_a_base_url_that_is_none_is_told_in_one_short_line(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        client(url)
    assert told(caught).isprintable()
    assert len(told(caught)) < 400


@pytest.mark.parametrize("host", ["a..b", "a" * 70 + ".example"])
def test_a_host_that_dns_cannot_have_is_a_transport_error(host: str) -> None:
    with client(f"http://{host}/") as asking, pytest.raises(TransportError, match="host") as caught:
        asking.page("Identify", {})
    assert told(caught)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_argument_that_is_no_text_is_a_usage_error(
    method: str, scripted: ScriptedServer
) -> None:
    with client(scripted.url, method) as asking, pytest.raises(UsageError) as caught:
        asking.page("GetRecord", {"identifier": "\udc80", "metadataPrefix": "oai_dc"})
    assert told(caught).isprintable()


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("http://example.org/new", True),
        ("http://example.org:80/oai", True),
        ("https://example.org/oai", False),
        ("http://example.org:8080/oai", False),
        ("http://www.example.org/oai", False),
    ],
)
def test_credentials_are_for_one_scheme_host_and_port(url: str, trusted: bool) -> None:
    with Transport("http://user:hush@example.org/oai", Politeness()) as transport:
        assert transport._is_repository(httpx.URL(url)) is trusted


# -- what an answer is to a request -----------------------------------------------------


def test_an_answer_with_an_error_beside_it_is_refused(scripted: ScriptedServer) -> None:
    both = LIST.replace(b"<ListRecords>", b'<error code="noRecordsMatch"/><ListRecords>', 1)
    scripted.play(body(both))
    with client(scripted.url) as asking, pytest.raises(ResponseError, match="both an error"):
        asking.page("ListRecords", {"metadataPrefix": "oai_dc"})


@pytest.mark.parametrize("verb", ["ListRecords", "ListSets", "ListMetadataFormats"])
def test_the_answer_to_another_verb_is_refused(verb: str, scripted: ScriptedServer) -> None:
    scripted.play(body(IDENTIFY))
    arguments = {"metadataPrefix": "oai_dc"} if verb == "ListRecords" else {}
    with client(scripted.url) as asking, pytest.raises(ResponseError, match="answers Identify"):
        asking.page(verb, arguments)
