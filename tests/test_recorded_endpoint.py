"""The recorded endpoint answers as HAL does, so that what is tested against it counts."""

from __future__ import annotations

import gzip
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import pytest
from lxml import etree
from sickle import Sickle

import recorded_endpoint
from endpoint_http import ParsedRequest, Reply
from recorded_endpoint import RECORDED, RecordedEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS = Path(__file__).parent / "data" / "schemas"
HAL = "https://api.archives-ouvertes.fr/oai/hal/"
NS = {"o": "http://www.openarchives.org/OAI/2.0/"}
LIST = {"verb": "ListRecords", "metadataPrefix": "oai_dc"}
HEADERS = {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc"}
FIRST_TOKEN, SECOND_TOKEN = "AoFf+5MI", "AoFf+zM="


def three_o_clock() -> datetime:
    return datetime(2026, 11, 20, 3, 0, 0, tzinfo=UTC)


@pytest.fixture
def endpoint() -> Iterator[RecordedEndpoint]:
    with RecordedEndpoint(clock=three_o_clock) as running:
        yield running


def fetch(endpoint: RecordedEndpoint, **arguments: str) -> bytes:
    return fetch_query(endpoint, urlencode(arguments))


def fetch_query(endpoint: RecordedEndpoint, query: str) -> bytes:
    with urllib.request.urlopen(f"{endpoint.url}?{query}") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
        return bytes(answer.read())


def identifiers(page: bytes) -> list[str]:
    return [i.decode() for i in re.findall(rb"<header[^>]*>\s*<identifier>([^<]+)", page)]


def token_of(page: bytes) -> str | None:
    found = re.search(rb"<resumptionToken[^>]*>([^<\s]+)<", page)
    return found[1].decode() if found else None


def error_of(page: bytes) -> tuple[str, str]:
    (error,) = etree.fromstring(page).findall("o:error", NS)
    return error.attrib["code"], error.text or ""


def pages(endpoint: RecordedEndpoint, **arguments: str) -> list[bytes]:
    found = [fetch(endpoint, **arguments)]
    while token := token_of(found[-1]):
        found.append(fetch(endpoint, verb=arguments["verb"], resumptionToken=token))
    return found


def listed(endpoint: RecordedEndpoint, **arguments: str) -> list[str]:
    return [i for page in pages(endpoint, **arguments) for i in identifiers(page)]


# -- the recording ---------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["ListRecords", "ListIdentifiers"])
def test_pages_are_the_recorded_ones_byte_for_byte(verb: str) -> None:
    seconds = iter(range(3))

    def clock() -> datetime:
        return datetime(2026, 11, 20, 3, 0, next(seconds), tzinfo=UTC)

    with RecordedEndpoint(clock=clock, base_url=HAL) as endpoint:
        got = pages(endpoint, verb=verb, metadataPrefix="oai_dc")
    assert got == [(RECORDED / f"{verb}-{n}.xml").read_bytes() for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("query", "file"),
    [
        ("verb=Identify", "Identify.xml"),
        ("verb=ListMetadataFormats", "ListMetadataFormats.xml"),
        ("verb=ListSets", "ListSets.xml"),
        (
            "verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:HAL:hal-04493396v1",
            "GetRecord-hal-04493396.xml",
        ),
        (
            "verb=ListRecords&metadataPrefix=oai_dc&set=collection:NO-SUCH-SET",
            "error-badArgument.xml",
        ),
        (
            "verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:HAL:hal-99999999v1",
            "error-idDoesNotExist.xml",
        ),
        (
            "verb=ListRecords&metadataPrefix=oai_dc&from=2002-09-23&until=2002-09-24",
            "error-noRecordsMatch.xml",
        ),
        ("verb=ListRecords&resumptionToken=AoFf%2B5MI", "error-badResumptionToken.xml"),
    ],
)
def test_answers_are_the_recorded_ones_byte_for_byte(query: str, file: str) -> None:
    with RecordedEndpoint(clock=three_o_clock, base_url=HAL) as endpoint:
        assert fetch_query(endpoint, query) == (RECORDED / file).read_bytes()


def test_plain_sickle_harvests_all_73(endpoint: RecordedEndpoint) -> None:
    records = list(Sickle(endpoint.url).ListRecords(metadataPrefix="oai_dc"))
    assert len(records) == 73
    assert len({record.header.identifier for record in records}) == 73
    assert records[0].header.identifier == "oai:HAL:hal-05324585v1"
    assert records[72].header.identifier == "oai:HAL:halshs-00005023v2"


def test_every_answer_is_valid() -> None:
    schema = etree.XMLSchema(etree.parse(SCHEMAS / "oai-pmh-all.xsd"))
    queries = [
        "verb=ListMetadataFormats",
        "verb=ListMetadataFormats&identifier=oai:HAL:nothing",
        "verb=ListSets",
        "verb=ListSets&resumptionToken=x",
        "verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:HAL:hal-04493396",
        "verb=GetRecord&metadataPrefix=oai_dc&identifier=no%20address",
        "verb=GetRecord",
        "verb=ListRecords&metadataPrefix=oai_dc&from=yesterday",
        "verb=ListRecords&metadataPrefix=oai_dc&from=2020-13-01",
        "verb=ListRecords&metadataPrefix=two%20words",
        "verb=ListRecords&metadataPrefix=oai_dc&set=%C3%A9t%C3%A9%20%3C%22",
        "verb=ListRecords&metadataPrefix=oai_dc&set=%00%1B%EF%BF%BF%ED%A0%80",
        "verb=ListRecords&resumptionToken=%00",
        "verb=%22%3E",
        "verb",
        "",
    ]
    with RecordedEndpoint(deleted_record="transient") as endpoint:
        endpoint.replace(endpoint.record("oai:HAL:hal-04493396v1").tombstone("2026-11-19"))
        answers = [fetch_query(endpoint, query) for query in queries]
        answers += pages(endpoint, **LIST) + pages(endpoint, **HEADERS)
    for answer in answers:
        schema.assertValid(etree.fromstring(answer))
    assert len(answers) == 22


def test_identify_is_valid_but_for_hals_own_description(endpoint: RecordedEndpoint) -> None:
    schema = etree.XMLSchema(etree.parse(SCHEMAS / "oai-pmh-all.xsd"))
    answer = etree.fromstring(fetch(endpoint, verb="Identify"))
    assert answer.findtext("o:Identify/o:baseURL", namespaces=NS) == endpoint.url
    (identify,) = answer.findall("o:Identify", NS)
    for description in identify.findall("o:description", NS):
        identify.remove(description)
    schema.assertValid(answer)


# -- errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "code", "text"),
    [
        ("", "badVerb", "The request does not provide any verb."),
        ("verb=Harvest", "badVerb", "The verb 'Harvest' provided in the request is illegal."),
        ("verb=Identify&verb=Identify", "badVerb", "Do not use verb more than once."),
        (
            "verb=ListRecords",
            "badArgument",
            "The required argument 'metadataPrefix' is missing in the request.",
        ),
        (
            "verb=ListRecords&metadataPrefix=oai_dc&metadataPrefix=oai_dc",
            "badArgument",
            "Do not use the same argument more than once.",
        ),
        (
            "verb=Identify&colour=red",
            "badArgument",
            "The argument 'colour' (value='red') included in the request is not valid.",
        ),
        (
            "verb=ListRecords&metadataPrefix=oai_dc&resumptionToken=x",
            "badArgument",
            "The usage of resumptionToken as an argument allows no other arguments.",
        ),
        (
            "verb=ListRecords&metadataPrefix=oai_dc&from=2020-01-01T00:00:00Z",
            "badArgument",
            (
                "The argument 'from' (value='2020-01-01T00:00:00Z') included in the request"
                " is not valid."
            ),
        ),
        (
            "verb=ListRecords&metadataPrefix=oai_dc&from=2020-02-02&until=2020-02-01",
            "badArgument",
            "The argument 'until' (value='2020-02-01') included in the request is not valid.",
        ),
        (
            "verb=ListRecords&metadataPrefix=xml-tei",
            "cannotDisseminateFormat",
            (
                "The metadata format 'xml-tei' given by metadataPrefix is not supported"
                " by this repository."
            ),
        ),
        (
            "verb=ListSets&resumptionToken=x",
            "badResumptionToken",
            "The resumptionToken '' does not exist or has already expired.",
        ),
    ],
)
def test_errors(endpoint: RecordedEndpoint, query: str, code: str, text: str) -> None:
    assert error_of(fetch_query(endpoint, query)) == (code, text)


def test_an_ill_formed_argument_is_not_repeated(endpoint: RecordedEndpoint) -> None:
    page = fetch_query(endpoint, "verb=ListRecords&metadataPrefix=oai_dc&from=2020-1-1")
    assert f"<request>{endpoint.url}</request>".encode() in page


# -- selection -------------------------------------------------------------------------------


def test_days_are_inclusive_at_both_ends(endpoint: RecordedEndpoint) -> None:
    day = {"from": "2024-03-07", "until": "2024-03-07"}
    assert listed(endpoint, **HEADERS, **day) == ["oai:HAL:hal-04493396v1"]
    assert len(listed(endpoint, **HEADERS, **{"from": "2019-04-08", "until": "2019-04-08"})) == 17


def test_a_set_no_list_of_sets_names_is_known_from_a_header(endpoint: RecordedEndpoint) -> None:
    assert b"collection:IPANEMA<" not in fetch(endpoint, verb="ListSets")
    assert listed(endpoint, **LIST, set="collection:IPANEMA") == ["oai:HAL:hal-02139658v1"]


def test_a_listed_set_without_records_is_empty(endpoint: RecordedEndpoint) -> None:
    endpoint.records.clear()
    assert error_of(fetch(endpoint, **LIST, set="openaire"))[0] == "noRecordsMatch"


@pytest.mark.parametrize(
    "asked",
    [
        "oai:HAL:hal-04493396v1",
        "oai:HAL:hal-04493396",
        "oai:hal.archives-ouvertes.fr:hal-04493396v1",
        "oai:hal.archives-ouvertes.fr:hal-04493396",
    ],
)
def test_get_record_under_every_form_of_the_identifier(
    endpoint: RecordedEndpoint, asked: str
) -> None:
    page = fetch(endpoint, verb="GetRecord", metadataPrefix="oai_dc", identifier=asked)
    assert identifiers(page) == ["oai:HAL:hal-04493396v1"]


def test_get_record_without_version_gives_the_newest(endpoint: RecordedEndpoint) -> None:
    first = endpoint.record("oai:HAL:hal-04493396v1")
    endpoint.replace(first.edited("hal-04493396v1", "hal-04493396v2"))
    get = {"verb": "GetRecord", "metadataPrefix": "oai_dc"}
    page = fetch(endpoint, **get, identifier="oai:HAL:hal-04493396")
    assert identifiers(page) == ["oai:HAL:hal-04493396v2"]
    page = fetch(endpoint, **get, identifier="oai:HAL:hal-04493396v3")
    assert error_of(page)[0] == "idDoesNotExist"


def test_a_merged_identifier_is_answered_with_the_survivor(endpoint: RecordedEndpoint) -> None:
    endpoint.remove("oai:HAL:hal-04493396v1")
    endpoint.merged["oai:HAL:hal-04493396v1"] = "oai:HAL:hal-05324585v1"
    get = {"verb": "GetRecord", "metadataPrefix": "oai_dc"}
    page = fetch(endpoint, **get, identifier="oai:HAL:hal-04493396v1")
    assert identifiers(page) == ["oai:HAL:hal-05324585v1"]


# -- pages and tokens ------------------------------------------------------------------------


def test_a_list_of_one_page_has_no_token(endpoint: RecordedEndpoint) -> None:
    endpoint.page_size = 73
    page = fetch(endpoint, **LIST)
    assert len(identifiers(page)) == 73
    assert b"resumptionToken" not in page


def test_hals_own_page_sizes() -> None:
    with RecordedEndpoint(page_size=None) as endpoint:
        original = endpoint.records[0]
        endpoint.records = [
            original.edited("hal-05324585v1", f"hal-{number:08}v1") for number in range(1, 502)
        ]
        assert [len(identifiers(p)) for p in pages(endpoint, **HEADERS)] == [400, 101]
        sizes = [len(identifiers(p)) for p in pages(endpoint, **LIST)]
        assert sizes == [100, 100, 100, 100, 100, 1]


def test_an_end_on_a_pages_edge_is_an_empty_list_after_a_token() -> None:
    with RecordedEndpoint(page_size=26) as endpoint:
        del endpoint.records[52:]
        found = pages(endpoint, **LIST)
    assert [len(identifiers(page)) for page in found] == [26, 26, 0]
    assert error_of(found[2])[0] == "noRecordsMatch"


def test_tokens_hold_characters_that_must_be_encoded() -> None:
    with RecordedEndpoint(page_size=10) as endpoint:
        place = token_of(fetch(endpoint, **LIST))
    assert place == "AoFf+wAAABHhWlk="


def test_a_token_is_the_same_for_the_same_place_and_forgets_its_first_list(
    endpoint: RecordedEndpoint,
) -> None:
    endpoint.page_size = 2
    whole = token_of(fetch(endpoint, **LIST))
    # Both lists stand at hal-04493396 after one page; the second overwrites the first.
    other = token_of(fetch(endpoint, **LIST, until="2025-12-31", **{"from": "2020-01-01"}))
    assert whole == other == "AoFf+wAAABrIYNE="
    page = fetch(endpoint, verb="ListRecords", resumptionToken=whole)
    assert b'completeListSize="41"' in page


def test_a_token_expires_after_two_hours(endpoint: RecordedEndpoint) -> None:
    page = fetch(endpoint, **LIST)
    assert b'expirationDate="2026-11-20T05:00:00Z"' in page
    endpoint.clock = lambda: datetime(2026, 11, 20, 5, 0, 0, tzinfo=UTC)
    page = fetch(endpoint, verb="ListRecords", resumptionToken=FIRST_TOKEN)
    assert error_of(page)[0] == "badResumptionToken"


def test_a_document_that_cannot_be_loaded_is_counted_and_skipped() -> None:
    class OneMissing(RecordedEndpoint):
        def loads(self, record: recorded_endpoint.EndpointRecord) -> bool:
            return record.identifier != "oai:HAL:hal-04493396v1"

    with OneMissing() as endpoint:
        first, second, _ = pages(endpoint, **LIST)
    assert len(identifiers(first)) == 25
    assert b'completeListSize="73" cursor="0"' in first
    assert b'completeListSize="73" cursor="26"' in second


@pytest.mark.parametrize(
    ("order", "first_three"),
    [
        ("descending", ["hal-05324585v1", "hal-04493396v1", "hal-04168081v1"]),
        ("text", ["inria-00099858v1", "inria-00099546v1", "cea-00991452v1"]),
        ("given", ["halshs-00005023v2", "inria-00099546v1", "inria-00099858v1"]),
    ],
)
def test_orders(order: recorded_endpoint.Order, first_three: list[str]) -> None:
    with RecordedEndpoint(order=order) as endpoint:
        endpoint.records.reverse()
        found = listed(endpoint, **LIST)
    assert found[:3] == [f"oai:HAL:{name}" for name in first_three]
    assert len(set(found)) == 73


def test_a_shuffle_is_another_order_of_the_same_records() -> None:
    found = []
    for seed in (1, 1, 2):
        with RecordedEndpoint(order=seed) as endpoint:
            found.append(listed(endpoint, **HEADERS))
    assert found[0] == found[1] != found[2]
    assert sorted(found[0]) == sorted(found[2])


# -- a living archive ------------------------------------------------------------------------


def test_records_change_while_it_runs(endpoint: RecordedEndpoint) -> None:
    before = endpoint.record("oai:HAL:hal-04493396v1")
    endpoint.replace(before.edited("menace", "chance").stamped("2026-11-19"))
    assert endpoint.record(before.identifier).datestamp == "2026-11-19"
    since = {"from": "2026-11-19"}
    assert listed(endpoint, **LIST, **since) == ["oai:HAL:hal-04493396v1"]
    assert "une chance pour la solidarité".encode() in fetch(endpoint, **LIST, **since)
    endpoint.remove("oai:HAL:hal-04493396v1")
    assert len(listed(endpoint, **LIST)) == 72
    with pytest.raises(KeyError, match="hal-04493396v1"):
        endpoint.remove("oai:HAL:hal-04493396v1")
    with pytest.raises(ValueError, match="does not occur"):
        before.edited("no such text", "")


def test_a_list_goes_on_from_its_place_when_records_come_and_go(
    endpoint: RecordedEndpoint,
) -> None:
    first = fetch(endpoint, **HEADERS)
    newest = endpoint.record("oai:HAL:hal-05324585v1")
    endpoint.replace(newest.edited("hal-05324585v1", "hal-05999999v1"))
    endpoint.remove("oai:HAL:hal-02139658v1")  # the last one of the first page
    second = fetch(endpoint, verb="ListIdentifiers", resumptionToken=FIRST_TOKEN)
    assert identifiers(first)[-1] == "oai:HAL:hal-02139658v1"
    assert identifiers(second)[0] == "oai:HAL:halshs-02106332v1"
    assert token_of(second) == SECOND_TOKEN


@pytest.mark.parametrize(("policy", "count"), [("no", 72), ("transient", 73), ("persistent", 73)])
def test_deleted_records_by_policy(policy: recorded_endpoint.DeletedRecord, count: int) -> None:
    with RecordedEndpoint(deleted_record=policy) as endpoint:
        endpoint.replace(endpoint.record("oai:HAL:hal-04493396v1").tombstone("2026-11-19"))
        assert f"<deletedRecord>{policy}</".encode() in fetch(endpoint, verb="Identify")
        records = b"".join(pages(endpoint, **LIST))
        assert len(identifiers(records)) == count
        assert records.count(b'<header status="deleted">') == count - 72


# -- HTTP ------------------------------------------------------------------------------------


def test_post_answers_as_get(endpoint: RecordedEndpoint) -> None:
    query = urlencode({**LIST, "set": "type:IMG"}).encode()
    with urllib.request.urlopen(endpoint.url, data=query) as answer:
        assert answer.read() == fetch_query(endpoint, query.decode())
    assert [request.method for request in endpoint.requests] == ["POST", "GET"]


def test_gzip_only_when_asked_for(endpoint: RecordedEndpoint) -> None:
    request = urllib.request.Request(
        f"{endpoint.url}?verb=Identify", headers={"Accept-Encoding": "gzip"}
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(answer.read()) == fetch(endpoint, verb="Identify")


def test_another_portal_leads_to_a_page_of_html(endpoint: RecordedEndpoint) -> None:
    with urllib.request.urlopen(endpoint.url.replace("/hal/", "/nowhere/")) as answer:
        assert answer.url.endswith("/docs/oai")
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_requests_are_logged_as_sent(endpoint: RecordedEndpoint) -> None:
    fetch(endpoint, verb="ListRecords", resumptionToken=SECOND_TOKEN)
    (request,) = endpoint.requests
    assert request.arguments == (("verb", "ListRecords"), ("resumptionToken", "AoFf+zM="))
    assert request.headers["user-agent"].startswith("Python-urllib")


def test_a_subclass_adds_faults() -> None:
    class Busy(RecordedEndpoint):
        def respond(self, request: ParsedRequest) -> Reply:
            if len(self.requests) == 1:
                return Reply(503, {"Retry-After": "7"}, b"")
            return super().respond(request)

    with Busy() as endpoint:
        with pytest.raises(urllib.error.HTTPError, match="503") as refused:
            fetch(endpoint, verb="Identify")
        assert refused.value.headers["Retry-After"] == "7"
        refused.value.close()
        assert b"<Identify>" in fetch(endpoint, verb="Identify")


def test_a_failure_of_the_endpoint_does_not_pass_unseen() -> None:
    class Broken(RecordedEndpoint):
        def respond(self, request: ParsedRequest) -> Reply:
            raise RuntimeError(request.verb)

    def ask() -> None:
        with Broken() as endpoint, pytest.raises(RemoteDisconnected):
            fetch(endpoint, verb="Identify")

    with pytest.raises(RuntimeError, match="Identify"):
        ask()


def test_stopping_cuts_a_kept_connection() -> None:
    with RecordedEndpoint() as endpoint:
        address = urlsplit(endpoint.url)
        client = HTTPConnection(str(address.hostname), address.port)
        client.request("GET", "/oai/hal/?verb=Identify")
        client.getresponse().read()
        connection = client.sock
    assert connection.recv(1) == b""
    client.close()


# -- the program -----------------------------------------------------------------------------

PROGRAM = [sys.executable, recorded_endpoint.__file__]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_program_serves_until_a_signal(number: signal.Signals) -> None:
    command = [*PROGRAM, "--port", "0", "--page-size", "40"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        line = program.stdout.readline()
        found = re.fullmatch(r"serving (http://127\.0\.0\.1:\d+/oai/hal/)\n", line)
        assert found is not None
        with urllib.request.urlopen(f"{found[1]}?{urlencode(HEADERS)}") as answer:
            assert len(identifiers(answer.read())) == 40
        program.send_signal(number)
        assert program.stdout.read() == ""
    assert program.returncode == 0


def test_program_ends_with_its_standard_input() -> None:
    command = [*PROGRAM, "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stdout.readline().startswith(b"serving ")
        program.stdin.close()
        assert program.stdout.read() == b""
    assert program.returncode == 0
