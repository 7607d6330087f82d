"""The six verbs and every error condition, over HTTP as clients ask; all answers are valid."""

from urllib.parse import quote

import httpx
import pytest

from provider_answers import NS, WITHDRAWN, Provider, error, identifier, judged

KNOWN = "oai:HAL:hal-04493396v1"
REPEATED = {"metadataPrefix": "oai_dc"}


def test_identify_says_what_the_protocol_and_the_contract_want(provider: Provider) -> None:
    answer = provider.ask("Identify")
    told = {child.tag.rpartition("}")[2]: child.text for child in answer.find("o:Identify", NS)}
    assert told["repositoryName"] == "Mirror of HAL"
    assert told["baseURL"] == provider.url
    assert told["protocolVersion"] == "2.0"
    assert told["adminEmail"] == "library@example.org"
    assert told["deletedRecord"] == "persistent"
    assert told["granularity"] == "YYYY-MM-DDThh:mm:ssZ"
    assert told["compression"] == "gzip"
    friends = answer.findall(".//f:friends/f:baseURL", NS)
    assert [one.text for one in friends] == [_origin(provider)]
    rights = answer.findtext(".//oai_dc:dc/dc:rights", None, NS)
    assert rights == "1) No commercial use of the extracted data 2) The source must be cited"
    assert b"oai-identifier" not in provider.client.get(f"{provider.url}?verb=Identify").content


def _origin(provider: Provider) -> str:
    record = provider.ask("GetRecord", identifier=KNOWN, **REPEATED)
    return record.findtext(".//p:baseURL", None, NS)


def test_a_record_names_its_origin(provider: Provider) -> None:
    answer = provider.ask("GetRecord", identifier=KNOWN, **REPEATED)
    origin = answer.find(".//p:provenance/p:originDescription", NS)
    assert origin.get("altered") == "false"
    assert origin.get("harvestDate") == answer.findtext(".//o:datestamp", None, NS)
    assert [(child.tag.rpartition("}")[2], child.text) for child in origin] == [
        ("baseURL", _origin(provider)),
        ("identifier", KNOWN),
        ("datestamp", "2024-03-07"),
        ("metadataNamespace", NS["oai_dc"]),
    ]
    assert _origin(provider).endswith("/oai/hal/")


def test_the_request_is_repeated(provider: Provider) -> None:
    request = provider.ask("GetRecord", identifier=KNOWN, **REPEATED).find("o:request", NS)
    assert request.text == provider.url
    assert dict(request.attrib) == {"verb": "GetRecord", "identifier": KNOWN} | REPEATED


def test_the_sources_terms_stand_before_the_records(provider: Provider) -> None:
    asked = f"{provider.url}?verb=GetRecord&metadataPrefix=oai_dc&identifier={KNOWN}"
    answer = provider.client.get(asked)
    assert b"<!-- hal: 1) No commercial use of the extracted data" in answer.content[:200]
    assert answer.headers["link"] == (f'<{provider.url.removesuffix("/oai")}/terms>; rel="license"')


def test_formats_of_the_mirror_and_of_an_item(provider: Provider) -> None:
    for arguments in ({}, {"identifier": KNOWN}):
        answer = provider.ask("ListMetadataFormats", **arguments)
        prefixes = answer.findall("*/o:metadataFormat/o:metadataPrefix", NS)
        assert [one.text for one in prefixes] == ["oai_dc", "oai_dc_norm"]
    gone = provider.ask("ListMetadataFormats", identifier=f"oai:HAL:{WITHDRAWN}v1")
    assert error(gone) == "noMetadataFormats"


def test_sets_are_the_sources_and_have_names(provider: Provider) -> None:
    answer = provider.ask("ListSets")
    names = {
        one.findtext("o:setSpec", None, NS): one.findtext("o:setName", None, NS)
        for one in answer.iterfind("*/o:set", NS)
    }
    assert names["type:ART"] == "Journal articles"
    assert names["subject:shs"] == "Humanities and Social Sciences"
    assert names["collection:CNRS"] == "collection:CNRS"
    assert list(names) == sorted(names)
    assert answer.find("*/o:resumptionToken", NS) is None


ERRORS = [
    ("", "badVerb"),
    ("verb=", "badVerb"),
    ("junk", "badVerb"),
    ("verb=junk", "badVerb"),
    ("verb=identify", "badVerb"),
    ("verb=Identify&verb=Identify", "badVerb"),
    ("verb=Identify&junk=1", "badArgument"),
    ("verb=Identify&metadataPrefix=oai_dc", "badArgument"),
    ("verb=ListSets&resumptionToken=junk", "badResumptionToken"),
    ("verb=ListMetadataFormats&identifier=oai:HAL:nothing-1v1", "idDoesNotExist"),
    ("verb=ListMetadataFormats&identifier=invalid%22id", "idDoesNotExist"),
    ("verb=GetRecord", "badArgument"),
    ("verb=GetRecord&metadataPrefix=oai_dc", "badArgument"),
    (f"verb=GetRecord&identifier={KNOWN}", "badArgument"),
    (f"verb=GetRecord&identifier={KNOWN}&metadataPrefix=junk", "cannotDisseminateFormat"),
    (f"verb=GetRecord&identifier={KNOWN}&metadataPrefix=%00%3C", "cannotDisseminateFormat"),
    ("verb=GetRecord&identifier=invalid%22id&metadataPrefix=oai_dc", "idDoesNotExist"),
    ("verb=GetRecord&identifier=hal-04493396v1&metadataPrefix=oai_dc", "idDoesNotExist"),
    ("verb=GetRecord&identifier=&metadataPrefix=oai_dc", "idDoesNotExist"),
    (f"verb=GetRecord&identifier={KNOWN}&identifier={KNOWN}&metadataPrefix=oai_dc", "badArgument"),
    ("verb=ListIdentifiers", "badArgument"),
    ("verb=ListIdentifiers&until=junk", "badArgument"),
    ("verb=ListIdentifiers&from=junk", "badArgument"),
    ("verb=ListIdentifiers&metadataPrefix=junk", "cannotDisseminateFormat"),
    ("verb=ListIdentifiers&resumptionToken=junk", "badResumptionToken"),
    ("verb=ListIdentifiers&resumptionToken=", "badResumptionToken"),
    ("verb=ListIdentifiers&resumptionToken=junk&until=2000-02-05", "badArgument"),
    ("verb=ListRecords", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&metadataPrefix=oai_dc", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&from=junk", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&from=", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&until=2023-02-29", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&until=2023-02-28T24:00:00Z", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&from=2002-02-05T05:35:00.5Z", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&from=2002-02-05T05:35:00%2B01:00", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&from=2002", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&from=2002-02-05&until=2002-02-06T05:35:00Z",
     "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&from=2002-02-06&until=2002-02-05", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&until=2002-02-05", "noRecordsMatch"),
    ("verb=ListRecords&metadataPrefix=oai_dc&from=9999-12-31", "noRecordsMatch"),
    ("verb=ListRecords&metadataPrefix=oai_dc&until=0001-01-01", "noRecordsMatch"),
    ("verb=ListRecords&metadataPrefix=oai_dc&set=none:such", "noRecordsMatch"),
    ("verb=ListRecords&metadataPrefix=oai_dc&set=a:", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&set=", "badArgument"),
    (f"verb=ListRecords&metadataPrefix=oai_dc&set={'a' * 4000}", "badArgument"),
    ("verb=ListRecords&resumptionToken=junk", "badResumptionToken"),
    ("verb=ListRecords&resumptionToken=%F0%9F%92%A3%00", "badResumptionToken"),
    (f"verb=ListRecords&resumptionToken={'A' * 7000}", "badResumptionToken"),
    ("verb=ListRecords&metadataPrefix=oai_dc&resumptionToken=junk&until=1990-01-10",
     "badArgument"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "code"), ERRORS)
def test_errors(provider: Provider, query: str, code: str) -> None:
    answer = provider.raw(query)
    assert error(answer) == code
    if code in ("badVerb", "badArgument"):
        assert not answer.find("o:request", NS).attrib


def test_a_token_that_was_changed_is_refused(provider: Provider) -> None:
    first = provider.ask("ListRecords", **REPEATED)
    value = first.findtext("*/o:resumptionToken", None, NS)
    for wrong in (value[:-1], value[1:], value + "A", value + "=", value.swapcase()):
        assert error(provider.ask("ListRecords", resumptionToken=wrong)) == "badResumptionToken"
    assert error(provider.ask("ListIdentifiers", resumptionToken=value)) == "badResumptionToken"
    assert error(provider.ask("ListSets", resumptionToken=value)) == "badResumptionToken"


def test_a_slash_at_the_end_of_the_address_is_no_matter(provider: Provider) -> None:
    answer = judged(provider.client.get(f"{provider.url}/", params={"verb": "Identify"}).content)
    assert answer.findtext("*/o:baseURL", None, NS) == provider.url


def test_post_is_answered_as_get(provider: Provider) -> None:
    for form in ({"verb": "Identify"}, {"verb": "GetRecord", "identifier": KNOWN} | REPEATED):
        answer = judged(provider.client.post(provider.url, data=form).content)
        assert answer.find(f"o:{form['verb']}", NS) is not None
    assert error(judged(provider.client.post(provider.url, data={}, headers=FORM).content))


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_what_is_no_request_of_the_protocol_is_refused_by_http(provider: Provider) -> None:
    client, url = provider.client, provider.url
    assert (
        client.post(url, content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
    )
    assert client.post(url, content=b"a" * 100_000, headers=FORM).status_code == 413
    assert client.post(url, content=b"a&" * 5000, headers=FORM).status_code == 400
    assert client.get(url, params={"verb": "x" * 9000}).status_code == 414
    assert client.put(url).status_code == 405
    head = client.head(url, params={"verb": "Identify"})
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 100


def test_answers_come_packed_to_those_who_take_it(provider: Provider) -> None:
    asked = f"{provider.url}?verb=ListRecords&metadataPrefix=oai_dc"
    packed = provider.client.get(asked, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    plain = provider.client.get(asked, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert int(packed.headers["content-length"]) < len(plain.content) / 3


def test_an_identifier_may_come_encoded_or_not(provider: Provider) -> None:
    for written in (KNOWN, quote(KNOWN, safe="")):
        answer = provider.raw(f"verb=GetRecord&metadataPrefix=oai_dc&identifier={written}")
        assert identifier(answer) == KNOWN


def test_an_unknown_host_is_no_base_url(provider: Provider) -> None:
    answer = httpx.get(f"{provider.url}?verb=Identify", headers={"Host": "evil.example"})
    assert answer.status_code == 421
