import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sickle
from sickle import oaiexceptions

from halmirror.errors import ResponseError, RetryLaterError, TransportError, UsageError
from halmirror.oaipmh.client import Client
from halmirror.oaipmh.politeness import Pace
from halmirror.oaipmh.transport import Politeness
from oaipmh.scripted_server import ScriptedServer, Step
from recorded_endpoint import RecordedEndpoint

HAL = Path(__file__).resolve().parents[2] / "data" / "hal-oai"
OTHER = Path(__file__).resolve().parents[1] / "data" / "other-oai"
IDENTIFY = (HAL / "Identify.xml").read_bytes()
NOW = 1_795_000_000.0  # 2026-11-18T11:06:40Z


def body(data: bytes, status: int = 200, **headers: str) -> Callable[[Step], None]:
    return lambda step: step.send(data, status, **headers)


def status(code: int, **headers: str) -> Callable[[Step], None]:
    return body(b"busy", code, **headers)


@dataclass
class Waits:
    """What a client waited and told, without the waiting."""

    slept: list[float] = field(default_factory=list)
    told: list[tuple[str, float]] = field(default_factory=list)

    def clock(self) -> float:
        return sum(self.slept)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def connect(scripted: ScriptedServer, waits: Waits) -> Iterator[Callable[..., Client]]:
    opened: list[Client] = []

    def make(base_url: str | None = None, **settings: object) -> Client:
        names = ("method", "headers", "auth")
        more = {name: settings.pop(name) for name in names if name in settings}
        client = Client(
            base_url or scripted.url,
            Politeness(**settings),
            pace=Pace(float(str(settings.get("delay", 0.0))), clock=waits.clock),
            sleep=waits.slept.append,
            now=lambda: NOW,
            chance=lambda: 0.0,
            on_retry=lambda reason, seconds: waits.told.append((reason, seconds)),
            **more,
        )
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.close()


# -- one request ------------------------------------------------------------------------


def test_the_harvester_gets_pages_over_one_connection(
    scripted: ScriptedServer, connect: Callable[..., Client]
) -> None:
    scripted.play(*(body((HAL / f"ListRecords-{n}.xml").read_bytes()) for n in (1, 2, 3)))
    client = connect(contact="mailto:library@example.org")
    first = client.page("ListRecords", {"metadataPrefix": "oai_dc", "from": "2024-01-01"})
    second = client.page("ListRecords", {"resumptionToken": "AoFf+5MI"})
    third = client.page("ListRecords", {"resumptionToken": "AoFf+zM="})
    assert [len(page.records) for page in (first, second, third)] == [26, 26, 21]
    assert [asked.arguments for asked in scripted.asked] == [
        {"verb": "ListRecords", "metadataPrefix": "oai_dc", "from": "2024-01-01"},
        {"verb": "ListRecords", "resumptionToken": "AoFf+5MI"},
        {"verb": "ListRecords", "resumptionToken": "AoFf+zM="},
    ]
    assert len({asked.connection for asked in scripted.asked}) == 1
    assert scripted.asked[0].headers["user-agent"] == (
        "halmirror/0.1.0 (+mailto:library@example.org)"
    )
    assert scripted.asked[0].headers["accept-encoding"] == "gzip"


def test_post_sends_a_form(scripted: ScriptedServer, connect: Callable[..., Client]) -> None:
    scripted.play(body(IDENTIFY))
    connect(f"{scripted.url}?key=k", method="POST").page("Identify", {})
    assert scripted.asked[0].method == "POST"
    assert scripted.asked[0].query == {"key": "k"}
    assert scripted.asked[0].arguments == {"verb": "Identify"}


def test_a_query_of_the_base_url_is_kept(
    scripted: ScriptedServer, connect: Callable[..., Client]
) -> None:
    scripted.play(body(IDENTIFY))
    connect(f"{scripted.url}?key=a%2Bb").page("Identify", {})
    assert scripted.asked[0].query == {"key": "a+b", "verb": "Identify"}


def test_errors_are_in_the_page(scripted: ScriptedServer, connect: Callable[..., Client]) -> None:
    scripted.play(body((HAL / "error-badResumptionToken.xml").read_bytes()))
    page = connect().page("ListRecords", {"resumptionToken": "old"})
    assert [error.code for error in page.errors] == ["badResumptionToken"]


def test_an_oai_error_with_a_status_of_its_own_is_a_page(
    scripted: ScriptedServer, connect: Callable[..., Client]
) -> None:
    scripted.play(body((OTHER / "zenodo-2026-no-records.xml").read_bytes(), 422))
    page = connect().page("ListRecords", {"metadataPrefix": "oai_dc"})
    assert [error.code for error in page.errors] == ["noRecordsMatch"]


def test_unknown_arguments_are_refused_before_the_network(
    scripted: ScriptedServer, connect: Callable[..., Client]
) -> None:
    with pytest.raises(UsageError, match="takes no argument 'sets'"):
        connect().page("ListRecords", {"sets": "a"})
    assert scripted.asked == []


def test_identity(scripted: ScriptedServer, connect: Callable[..., Client]) -> None:
    scripted.play(body(IDENTIFY))
    identity, page = connect().identity()
    assert identity.repository_name == "HAL"
    assert page.response_date == "2026-11-20T03:00:00Z"


def test_delay_keeps_requests_apart(
    scripted: ScriptedServer, connect: Callable[..., Client], waits: Waits
) -> None:
    scripted.play(body(IDENTIFY))
    client = connect(delay=2.5)
    for _ in range(3):
        client.page("Identify", {})
    assert waits.slept == [2.5, 2.5]


# -- asking again -----------------------------------------------------------------------


@pytest.mark.parametrize("code", [429, 500, 501, 502, 503, 504, 507, 520, 599])
def test_passing_statuses_are_tried_again(
    code: int, scripted: ScriptedServer, connect: Callable[..., Client], waits: Waits
) -> None:
    scripted.play(status(code), status(code), status(code), body(IDENTIFY))
    assert connect().page("Identify", {}).identity is not None
    assert waits.slept == [1.0, 2.0, 4.0]
    assert [seconds for _, seconds in waits.told] == [1.0, 2.0, 4.0]
    assert str(code) in waits.told[0][0]


def test_retries_come_to_an_end(
    scripted: ScriptedServer, connect: Callable[..., Client], waits: Waits
) -> None:
    scripted.play(status(503))
    with pytest.raises(TransportError, match="503"):
        connect(retries=2).page("Identify", {})
    assert len(scripted.asked) == 3
    assert len(waits.slept) == 2


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410])
def test_other_statuses_are_told_at_once(
    code: int, scripted: ScriptedServer, connect: Callable[..., Client]
) -> None:
    scripted.play(status(code))
    with pytest.raises(TransportError, match=rf"/oai\?verb=Identify .* {code}"):
        connect().page("Identify", {})
    assert len(scripted.asked) == 1


@pytest.mark.parametrize(
    "value", ["120", "Wed, 18 Nov 2026 11:08:40 GMT", "Wednesday, 18-Nov-26 11:08:40 GMT"]
)
def test_retry_after_is_obeyed_in_both_forms(
    value: str, scripted: ScriptedServer, connect: Callable[..., Client], waits: Waits
) -> None:
    scripted.play(status(503, Retry_After=value), body(IDENTIFY))
    connect().page("Identify", {})
    assert waits.slept == [120.0]


def test_a_retry_after_that_says_nothing_means_the_usual_pause(
    scripted: ScriptedServer, connect: Callable[..., Client], waits: Waits
) -> None:
    scripted.play(status(503, Retry_After="soon"), body(IDENTIFY))
    connect().page("Identify", {})
    assert waits.slept == [1.0]


def test_too_long_a_retry_after_ends_the_request(
    scripted: ScriptedServer, connect: Callable[..., Client], waits: Waits
) -> None:
    scripted.play(status(429, Retry_After="3600"))
    with pytest.raises(RetryLaterError, match="max_wait") as caught:
        connect().page("Identify", {})
    assert caught.value.seconds == 3600.0
    assert waits.slept == []


def test_the_waits_of_one_request_are_added_up(
    scripted: ScriptedServer, connect: Callable[..., Client], waits: Waits
) -> None:
    scripted.play(status(503, Retry_After="40"))
    with pytest.raises(RetryLaterError):
        connect(max_wait=100.0).page("Identify", {})
    assert waits.slept == [40.0, 40.0]


def test_a_search_engine_outage_is_tried_again(
    scripted: ScriptedServer, connect: Callable[..., Client], waits: Waits
) -> None:
    outage = body((HAL / "error-solr-outage.xml").read_bytes())
    scripted.play(outage, outage, body((HAL / "ListRecords-3.xml").read_bytes()))
    page = connect().page("ListRecords", {"metadataPrefix": "oai_dc"})
    assert len(page.records) == 21
    assert waits.slept == [1.0, 2.0]


def test_a_lasting_outage_is_an_error_and_no_empty_list(
    scripted: ScriptedServer, connect: Callable[..., Client]
) -> None:
    scripted.play(body((HAL / "error-solr-outage.xml").read_bytes()))
    with pytest.raises(TransportError, match="search engine is down"):
        connect(retries=1).page("ListRecords", {"metadataPrefix": "oai_dc"})
    assert len(scripted.asked) == 2


def short_of_its_length(step: Step) -> None:
    step.send(IDENTIFY[:900], Content_Length=str(len(IDENTIFY)))
    step.reset()


def reset_at_once(step: Step) -> None:
    step.reset()


def cut_without_length(step: Step) -> None:
    step.open()
    step.wfile.write(IDENTIFY[:900])


@pytest.mark.parametrize(
    "fault", [short_of_its_length, reset_at_once, cut_without_length, body(b""), body(IDENTIFY[:9])]
)
def test_faults_and_cut_bodies_are_tried_again(
    fault: Callable[[Step], None],
    scripted: ScriptedServer,
    connect: Callable[..., Client],
    waits: Waits,
) -> None:
    scripted.play(fault, body(IDENTIFY))
    assert connect().page("Identify", {}).identity is not None
    assert waits.slept == [1.0]


def test_a_silent_server_is_tried_again(
    scripted: ScriptedServer, connect: Callable[..., Client], waits: Waits
) -> None:
    scripted.play(lambda step: step.server.ended.wait(1) and None, body(IDENTIFY))
    assert connect(timeout=0.2).page("Identify", {}).identity is not None
    assert waits.slept == [1.0]


def test_nobody_there(connect: Callable[..., Client], waits: Waits) -> None:
    with pytest.raises(TransportError, match="cannot be reached"):
        connect("http://127.0.0.1:9/oai").page("Identify", {})
    assert waits.slept == [1.0, 2.0, 4.0, 8.0, 16.0]


def test_a_whole_body_that_is_no_oai_pmh_is_asked_for_once_more(
    scripted: ScriptedServer, connect: Callable[..., Client]
) -> None:
    scripted.play(body((OTHER / "malformed/html-instead-of-xml.html").read_bytes()))
    with pytest.raises(ResponseError) as caught:
        connect().page("Identify", {})
    assert caught.value.url == f"{scripted.url}?verb=Identify"
    assert len(scripted.asked) == 2


def test_a_page_with_a_broken_record_gives_the_others(
    scripted: ScriptedServer, connect: Callable[..., Client]
) -> None:
    scripted.play(body((OTHER / "malformed/puc-rio-maxwell.xml").read_bytes()))
    page = connect().page("ListRecords", {"metadataPrefix": "oai_dc"})
    assert page.records
    assert page.rejected
    assert len(scripted.asked) == 1


# -- limits -----------------------------------------------------------------------------


def test_gzip_is_unpacked(scripted: ScriptedServer, connect: Callable[..., Client]) -> None:
    scripted.play(body(gzip.compress(IDENTIFY), Content_Encoding="gzip"))
    assert connect().page("Identify", {}).identity is not None


def test_a_gzip_bomb_is_stopped(scripted: ScriptedServer, connect: Callable[..., Client]) -> None:
    scripted.play(body(gzip.compress(b" " * 50_000_000), Content_Encoding="gzip"))
    with pytest.raises((ResponseError, TransportError), match="larger than 1000000 bytes"):
        connect(max_bytes=1_000_000).page("Identify", {})


def test_an_endless_body_is_stopped(
    scripted: ScriptedServer, connect: Callable[..., Client]
) -> None:
    def endless(step: Step) -> None:
        step.open()
        step.drip(b" " * 65536)

    scripted.play(endless)
    with pytest.raises((ResponseError, TransportError), match="larger than 1000000 bytes"):
        connect(max_bytes=1_000_000).page("Identify", {})


# -- redirects --------------------------------------------------------------------------


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_followed(
    code: int, scripted: ScriptedServer, connect: Callable[..., Client]
) -> None:
    scripted.play(status(code, Location="/new?verb=Identify"), body(IDENTIFY))
    assert connect().page("Identify", {}).identity is not None
    assert [asked.path for asked in scripted.asked] == ["/oai", "/new"]
    assert scripted.asked[1].arguments == {"verb": "Identify"}


def test_a_circle_of_redirects_ends(
    scripted: ScriptedServer, connect: Callable[..., Client]
) -> None:
    scripted.play(status(302, Location="/oai?verb=Identify"))
    with pytest.raises(TransportError, match="more than 5 times"):
        connect().page("Identify", {})
    assert len(scripted.asked) == 6


@pytest.mark.parametrize("target", ["ftp://127.0.0.1/oai", "file:///etc/passwd"])
def test_redirects_lead_to_the_web_only(
    target: str, scripted: ScriptedServer, connect: Callable[..., Client]
) -> None:
    scripted.play(status(302, Location=target))
    with pytest.raises(TransportError, match="is not followed"):
        connect().page("Identify", {})


def test_credentials_are_sent_to_the_repository(
    scripted: ScriptedServer, connect: Callable[..., Client]
) -> None:
    scripted.play(body(IDENTIFY))
    connect(auth=("user", "secret")).page("Identify", {})
    assert scripted.asked[0].headers["authorization"] == "Basic dXNlcjpzZWNyZXQ="


# -- Sickle's surface -------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_six_verbs(method: str, connect: Callable[..., Client]) -> None:
    with RecordedEndpoint(HAL, page_size=26) as endpoint:
        client = connect(endpoint.url, method=method)
        assert client.Identify().repositoryName == "HAL"
        formats = [one.metadataPrefix for one in client.ListMetadataFormats()]
        assert formats == ["oai_dc", "oai_dcterms", "xml-tei"]
        assert len(list(client.ListSets())) == 35
        records = [one.header.identifier for one in client.ListRecords(metadataPrefix="oai_dc")]
        headers = [one.identifier for one in client.ListIdentifiers(metadataPrefix="oai_dc")]
        assert records == headers
        assert len(set(records)) == 73
        record = client.GetRecord(identifier="oai:HAL:hal-04493396v1", metadataPrefix="oai_dc")
        assert record.header.datestamp == "2024-03-07"
        assert record.metadata["date"] == ["2018"]
        assert {request.method for request in endpoint.requests} == {method}


def test_a_list_goes_on_from_a_stored_token(connect: Callable[..., Client]) -> None:
    with RecordedEndpoint(HAL, page_size=26) as endpoint:
        client = connect(endpoint.url)
        token = client.page("ListRecords", {"metadataPrefix": "oai_dc"}).token
        assert token is not None
        assert len(list(client.ListRecords(resumptionToken=token.value))) == 47


def test_plain_sickle_finds_the_same_on_clean_pages(connect: Callable[..., Client]) -> None:
    with RecordedEndpoint(HAL, page_size=26) as endpoint:
        plain = sickle.Sickle(endpoint.url)
        ours = connect(endpoint.url)
        for verb in ("ListRecords", "ListIdentifiers"):
            expected = [one.raw for one in getattr(plain, verb)(metadataPrefix="oai_dc")]
            found = [one.raw for one in getattr(ours, verb)(metadataPrefix="oai_dc")]
            assert len(expected) == 73
            assert [_identifier(raw) for raw in found] == [_identifier(raw) for raw in expected]


def _identifier(raw: str) -> str:
    return raw.partition("<identifier>")[2].partition("<")[0]


@pytest.mark.parametrize(
    ("name", "exception"),
    [
        ("badArgument", oaiexceptions.BadArgument),
        ("badResumptionToken", oaiexceptions.BadResumptionToken),
        ("noRecordsMatch", oaiexceptions.NoRecordsMatch),
        ("idDoesNotExist", oaiexceptions.IdDoesNotExist),
    ],
)
def test_sickles_exceptions(
    name: str,
    exception: type[Exception],
    scripted: ScriptedServer,
    connect: Callable[..., Client],
) -> None:
    scripted.play(body((HAL / f"error-{name}.xml").read_bytes()))
    with pytest.raises(exception):
        connect().ListRecords(metadataPrefix="oai_dc")


def test_an_unknown_error_code_is_sickles_general_one(
    scripted: ScriptedServer, connect: Callable[..., Client]
) -> None:
    scripted.play(
        body(b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><error code="x"/></OAI-PMH>')
    )
    with pytest.raises(oaiexceptions.OAIError):
        connect().ListRecords(metadataPrefix="oai_dc")


def test_a_page_cut_short_is_no_short_list_for_the_iterators_either(
    scripted: ScriptedServer, connect: Callable[..., Client]
) -> None:
    whole = (HAL / "ListRecords-1.xml").read_bytes()
    scripted.play(body(whole[: len(whole) * 6 // 10]))
    with pytest.raises(ResponseError, match="cut short"):
        connect(retries=0).ListRecords(metadataPrefix="oai_dc")
