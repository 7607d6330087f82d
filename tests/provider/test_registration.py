"""What the validator of openarchives.org checks before it registers a data provider.

The checks of error conditions are in ``test_protocol.py``.
"""

import re
from datetime import datetime, timedelta

from provider_answers import NS, Provider, datestamp, error, identifier, is_deleted, judged, token

SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"


def _example(provider: Provider) -> tuple[str, str]:
    """The first set, and the first item in it that is not deleted."""
    spec = provider.ask("ListSets").findtext("*/o:set/o:setSpec", None, NS)
    listed = provider.ask("ListIdentifiers", metadataPrefix="oai_dc", set=spec)
    headers = listed.findall("*/o:header", NS)
    living = [one for one in headers if one.get("status") != "deleted"]
    return spec, living[0].findtext("o:identifier", None, NS)


def test_the_base_url_is_the_address_asked(provider: Provider) -> None:
    answer = provider.ask("Identify")
    assert answer.findtext("*/o:baseURL", None, NS) == provider.url
    assert re.fullmatch(r"\S+@(?:\S+\.)+\S+", answer.findtext("*/o:adminEmail", None, NS))
    assert SECONDS.fullmatch(answer.findtext("*/o:earliestDatestamp", None, NS))
    assert SECONDS.fullmatch(answer.findtext("o:responseDate", None, NS))
    assert answer.get(LOCATION) == f"{NS['o']} {NS['o']}OAI-PMH.xsd"


def test_the_first_set_has_an_item_that_says_so(provider: Provider) -> None:
    spec, name = _example(provider)
    answer = provider.ask("GetRecord", identifier=name, metadataPrefix="oai_dc")
    assert spec in [one.text for one in answer.iterfind(".//o:setSpec", NS)]
    prefixes = provider.ask("ListMetadataFormats", identifier=name)
    assert "oai_dc" in [one.text for one in prefixes.iterfind(".//o:metadataPrefix", NS)]


def test_the_datestamp_of_a_record_as_from_and_until_gives_it(provider: Provider) -> None:
    _, name = _example(provider)
    stamp = datestamp(provider.ask("GetRecord", identifier=name, metadataPrefix="oai_dc"))
    assert SECONDS.fullmatch(stamp)
    for verb in ("ListRecords", "ListIdentifiers"):
        pages = provider.pages(verb, metadataPrefix="oai_dc", from_=stamp, until=stamp)
        found = [one.text for page in pages for one in page.iterfind(".//o:identifier", NS)]
        assert name in found
        for page in pages:
            assert {one.text for one in page.iterfind(".//o:header/o:datestamp", NS)} == {stamp}


def test_nothing_is_older_than_the_earliest_datestamp(provider: Provider) -> None:
    told = provider.ask("Identify").findtext("*/o:earliestDatestamp", None, NS)
    earliest = datetime.fromisoformat(told)
    for before in (timedelta(days=365), timedelta(seconds=1)):
        until = f"{(earliest - before):%Y-%m-%dT%H:%M:%SZ}"
        none = provider.ask("ListRecords", metadataPrefix="oai_dc", until=until)
        assert error(none) == "noRecordsMatch"
    assert identifier(provider.ask("ListRecords", metadataPrefix="oai_dc", until=told))


def test_a_list_that_needs_no_token_has_none(provider: Provider) -> None:
    few = provider.ask("ListRecords", metadataPrefix="oai_dc", set="collection:AFSSA")
    assert few.find("*/o:record", NS) is not None
    assert few.find("*/o:resumptionToken", NS) is None


def test_a_token_works_twice_and_by_post(provider: Provider) -> None:
    first = provider.ask("ListRecords", metadataPrefix="oai_dc")
    assert first.find("*/o:resumptionToken", NS).get("cursor") == "0"
    value = token(first)
    second = [provider.ask("ListRecords", resumptionToken=value) for _ in range(2)]
    form = {"verb": "ListRecords", "resumptionToken": value}
    second.append(judged(provider.client.post(provider.url, data=form).content))
    names = [[one.text for one in page.iterfind(".//o:header/o:identifier", NS)] for page in second]
    assert names[0] == names[1] == names[2]
    assert {token(page) for page in second} == {token(second[0])}
    assert not set(names[0]) & {one.text for one in first.iterfind(".//o:header/o:identifier", NS)}


def test_formats_of_every_item(provider: Provider) -> None:
    for record in provider.records():
        one = provider.ask("ListMetadataFormats", identifier=identifier(record))
        assert error(one) == ("noMetadataFormats" if is_deleted(record) else None)
