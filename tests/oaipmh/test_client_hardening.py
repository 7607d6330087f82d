"""What a hostile or broken server must not do to a client."""

import base64
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from halmirror.errors import (
    ListError,
    ProtocolError,
    ResponseError,
    TransportError,
    UsageError,
)
from halmirror.oaipmh import transport
from halmirror.oaipmh.client import Client
from halmirror.oaipmh.politeness import Pace
from halmirror.oaipmh.transport import Politeness
from oaipmh.scripted_server import ScriptedServer, Step

HAL = Path(__file__).resolve().parents[2] / "data" / "hal-oai"
IDENTIFY = (HAL / "Identify.xml").read_bytes()
OPENING = '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'


def body(data: bytes, status: int = 200, **headers: str) -> Callable[[Step], None]:
    return lambda step: step.send(data, status, **headers)


def client(url: str, **settings: object) -> Client:
    more = {n: settings.pop(n) for n in ("method", "headers", "auth") if n in settings}
    slept: list[float] = []
    pace = Pace(float(str(settings.get("delay", 0.0))), clock=lambda: sum(slept))
    made = Client(
        url, Politeness(**settings), pace=pace, sleep=slept.append, chance=lambda: 0.0, **more
    )
    made.slept = slept  # so that a test can ask for it
    return made


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_keeps_the_arguments(code: int, scripted: ScriptedServer) -> None:
    scripted.play(body(b"", code, Location="/new?key=k"), body(IDENTIFY))
    with client(scripted.url) as asking:
        asking.page("Identify", {})
    assert scripted.asked[1].query == {"key": "k", "verb": "Identify"}


@pytest.mark.parametrize("code", [301, 307])
def test_a_redirect_keeps_the_form(code: int, scripted: ScriptedServer) -> None:
    scripted.play(body(b"", code, Location="/new"), body(IDENTIFY))
    with client(scripted.url, method="POST") as asking:
        asking.page("Identify", {})
    assert scripted.asked[1].method == "POST"
    assert scripted.asked[1].arguments == {"verb": "Identify"}


def test_credentials_do_not_go_elsewhere(
    scripted: ScriptedServer, elsewhere: ScriptedServer
) -> None:
    scripted.play(body(b"", 302, Location=f"{elsewhere.url}?verb=Identify"))
    elsewhere.play(body(IDENTIFY))
    headers = {"X-Api-Key": "secret"}
    with client(scripted.url, auth=("user", "secret"), headers=headers) as asking:
        asking.page("Identify", {})
    assert "authorization" in scripted.asked[0].headers
    assert scripted.asked[0].headers["x-api-key"] == "secret"
    assert "authorization" not in elsewhere.asked[0].headers
    assert "x-api-key" not in elsewhere.asked[0].headers
    assert elsewhere.asked[0].headers["user-agent"].startswith("halmirror/")


def test_a_password_in_the_address_works_and_is_not_told(scripted: ScriptedServer) -> None:
    scripted.play(body(b"", 404))
    with (
        client(scripted.url.replace("//", "//user:hush@")) as asking,
        pytest.raises(TransportError) as caught,
    ):
        asking.page("Identify", {})
    expected = base64.b64encode(b"user:hush").decode()
    assert scripted.asked[0].headers["authorization"] == f"Basic {expected}"
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("location", ["http://[", "http://127.0.0.1:99999999/", "//", "\x7f:"])
def test_a_location_that_is_none_is_a_transport_error(
    location: str, scripted: ScriptedServer
) -> None:
    scripted.play(body(b"", 302, Location=location))
    with client(scripted.url) as asking, pytest.raises(TransportError):
        asking.page("Identify", {})


def test_a_dripping_body_ends(scripted: ScriptedServer) -> None:
    def drip(step: Step) -> None:
        step.open()
        step.drip(b" ", 0.02)

    scripted.play(drip)
    # Long enough that a busy machine is never silent for so long.
    with client(scripted.url, timeout=0.5) as asking, pytest.raises(TransportError, match="longer"):
        asking.page("Identify", {})
    assert len(scripted.asked) == 1


def test_an_answer_to_another_verb_is_no_empty_list(scripted: ScriptedServer) -> None:
    scripted.play(body(IDENTIFY))
    with client(scripted.url) as asking, pytest.raises(ResponseError, match="Identify"):
        asking.page("ListRecords", {"metadataPrefix": "oai_dc"})


def test_getrecord_without_a_record_is_an_error(scripted: ScriptedServer) -> None:
    scripted.play(body(f"{OPENING}<GetRecord/></OAI-PMH>".encode()))
    with client(scripted.url) as asking, pytest.raises(ResponseError, match="no record"):
        asking.GetRecord(identifier="a", metadataPrefix="oai_dc")


def test_identify_raises_what_the_server_says(scripted: ScriptedServer) -> None:
    scripted.play(body(f'{OPENING}<error code="badVerb">no</error></OAI-PMH>'.encode()))
    with client(scripted.url) as asking, pytest.raises(ProtocolError, match="no"):
        asking.Identify()


def test_iterators_see_a_token_that_repeats(scripted: ScriptedServer) -> None:
    scripted.play(body((HAL / "ListIdentifiers-1.xml").read_bytes()))
    with client(scripted.url) as asking, pytest.raises(ListError, match="AoFf"):
        list(asking.ListIdentifiers(metadataPrefix="oai_dc"))


def test_a_token_goes_alone(scripted: ScriptedServer) -> None:
    scripted.play(body((HAL / "ListRecords-3.xml").read_bytes()))
    with client(scripted.url) as asking:
        asking.ListRecords(metadataPrefix="oai_dc", resumptionToken="t+/=", set=None)
    assert scripted.asked[0].arguments == {"verb": "ListRecords", "resumptionToken": "t+/="}


def test_a_closed_client_says_so(scripted: ScriptedServer) -> None:
    asking = client(scripted.url)
    asking.close()
    with pytest.raises(UsageError, match="closed"):
        asking.page("Identify", {})


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("ftp://example.org/", {}),
        ("http://", {}),
        ("http://[", {}),
        ("http://127.0.0.1/", {"contact": "é"}),
        ("http://127.0.0.1/", {"contact": "a\r\nX: y"}),
    ],
)
def test_what_cannot_be_asked_is_refused_at_once(url: str, settings: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        client(url, **settings)


def test_a_mail_address_becomes_a_mailto(scripted: ScriptedServer) -> None:
    scripted.play(body(IDENTIFY))
    with client(scripted.url, contact="library@example.org") as asking:
        asking.page("Identify", {})
    assert scripted.asked[0].headers["user-agent"].endswith(" (+mailto:library@example.org)")


def test_an_unreachable_host_is_given_up_in_two_minutes_whatever_the_settings() -> None:
    with client("http://127.0.0.1:9/oai", retries=1000) as asking:
        with pytest.raises(TransportError, match="cannot be reached"):
            asking.page("Identify", {})
        assert sum(asking.slept) <= 120.0


@pytest.fixture
def untrusted(tmp_path: Path) -> Iterator[str]:
    """A server whose certificate nobody signed but itself."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if "moved" in self.path:
                self.send_response(302)
                self.send_header("Location", "http://127.0.0.1:9/oai")
                self.end_headers()
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(IDENTIFY)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- as the base
            """Nothing."""

    class Server(HTTPServer):
        def handle_error(self, *_: object) -> None:
            """Refused handshakes are what is tested."""

        def get_request(self) -> tuple[object, object]:
            connection, address = self.socket.accept()
            return context.wrap_socket(connection, server_side=True), address

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"https://127.0.0.1:{server.server_address[1]}/oai"
        server.shutdown()
        thread.join()


def test_a_bad_certificate_is_told_at_once(untrusted: str) -> None:
    with client(untrusted) as asking, pytest.raises(TransportError, match="tls_verify") as caught:
        asking.page("Identify", {})
    assert "certificate" in str(caught.value)
    assert asking.slept == []


def test_a_bad_certificate_may_be_accepted(untrusted: str) -> None:
    with client(untrusted, tls_verify=False) as asking:
        assert asking.page("Identify", {}).identity is not None


def test_a_redirect_does_not_leave_tls(untrusted: str) -> None:
    asking = client(f"{untrusted}/moved", tls_verify=False)
    with asking, pytest.raises(TransportError, match="unprotected"):
        asking.page("Identify", {})


def test_http_on_a_tls_port_is_not_tried_again(scripted: ScriptedServer) -> None:
    scripted.play(body(IDENTIFY))
    with client(scripted.url.replace("http:", "https:")) as asking:
        with pytest.raises(TransportError):
            asking.page("Identify", {})
        assert asking.slept == []


def test_what_is_no_gzip_is_a_transport_error(scripted: ScriptedServer) -> None:
    scripted.play(body(IDENTIFY, Content_Encoding="gzip"))
    with client(scripted.url, retries=0) as asking, pytest.raises(TransportError):
        asking.page("Identify", {})


def test_errors_that_refer_to_each_other_are_followed_to_an_end() -> None:
    """As they do where a request fails while the failure of another is handled."""
    first, second = OSError("reset"), ValueError("cut")
    first.__context__, second.__context__ = second, first
    assert not transport._certificate_problem(first)
    second.__context__ = ssl.SSLCertVerificationError("expired")
    assert transport._certificate_problem(first)
