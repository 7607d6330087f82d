"""Lists: every item once, in order, with true counts, whatever part of them is asked for."""

import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree

from conftest import CommandLine
from provider_answers import (
    FORGOTTEN,
    NS,
    PAGE_SIZE,
    WITHDRAWN,
    Provider,
    datestamp,
    dublin_core,
    error,
    identifier,
    is_deleted,
    judged,
    serving,
)
from recorded_endpoint import RECORDED, RecordedEndpoint
from web_pages import GONE, IN_TWO_VERSIONS

TOMBSTONES = {
    f"oai:HAL:{name}"
    for name in (f"{GONE}v1", f"{IN_TWO_VERSIONS}v3", f"{WITHDRAWN}v1", f"{FORGOTTEN}v1")
}


def commits(path: Path) -> dict[str, str]:
    """By OAI identifier the time, to the second, of the commit that brought what stands."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT oai_identifier, since FROM records").fetchall()
    return {name: f"{since[:19]}Z" for name, since in rows}


@pytest.mark.parametrize("verb", ["ListRecords", "ListIdentifiers"])
@pytest.mark.parametrize("prefix", ["oai_dc", "oai_dc_norm"])
def test_a_list_has_every_item_once(
    provider: Provider, provided: CommandLine, verb: str, prefix: str
) -> None:
    pages = provider.pages(verb, metadataPrefix=prefix)
    found = [one for page in pages for one in page.iterfind(".//o:header/o:identifier", NS)]
    expected = commits(provided.mirror)
    assert len(expected) == 74
    assert sorted(one.text for one in found) == sorted(expected)
    assert len(pages) == 8
    given = 0
    for page in pages:
        token = page.find("*/o:resumptionToken", NS)
        assert token.get("completeListSize") == "74"
        assert token.get("cursor") == str(given)
        given += len(page.findall(".//o:header", NS))
    assert not token.text


def test_datestamps_are_the_commits_and_never_go_back(
    provider: Provider, provided: CommandLine
) -> None:
    records = provider.records()
    stamps = [datestamp(record) for record in records]
    assert stamps == sorted(stamps)
    assert {identifier(one): datestamp(one) for one in records} == commits(provided.mirror)
    told = provider.ask("Identify").findtext("*/o:earliestDatestamp", None, NS)
    assert told == stamps[0]


def test_whatever_is_not_active_is_a_tombstone(provider: Provider) -> None:
    records = provider.records()
    gone = {identifier(record) for record in records if is_deleted(record)}
    assert gone == TOMBSTONES
    for record in records:
        assert (record.find("o:metadata", NS) is None) == is_deleted(record)
        assert (record.find("o:about", NS) is None) == is_deleted(record)
    for name in TOMBSTONES:
        for prefix in ("oai_dc", "oai_dc_norm"):
            one = provider.ask("GetRecord", identifier=name, metadataPrefix=prefix)
            assert is_deleted(one.find("*/o:record", NS))


def test_metadata_are_as_they_came(provider: Provider) -> None:
    found = {identifier(one): one for one in provider.records() if not is_deleted(one)}
    with RecordedEndpoint(RECORDED) as endpoint:
        came = {
            one.identifier: judged(
                b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/" '
                b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><responseDate>2020-01-01'
                b"T00:00:00Z</responseDate><request>http://example.org</request><GetRecord>"
                + one.xml
                + b"</GetRecord></OAI-PMH>"
            ).find("*/o:record", NS)
            for one in endpoint.records
        }
    same = set(found) & set(came) - {"oai:HAL:inria-00100188v1"}
    assert len(same) == 68
    for name in same:
        assert dublin_core(found[name]) == dublin_core(came[name])
        assert found[name].find(".//p:originDescription", NS).get("altered") == "false"
        sets = [one.findall("o:header/o:setSpec", NS) for one in (found[name], came[name])]
        assert {one.text for one in sets[0]} == {one.text for one in sets[1]}


def test_the_normalised_form_is_that_of_the_export(
    provider: Provider, provided: CommandLine
) -> None:
    ran = provided("export", "--format", "oai_dc", "--normalised")
    assert ran.code == 0, ran.err
    exported = {identifier(one): _values(one) for one in etree.fromstring(ran.out.encode())}
    found = [one for one in provider.records(metadataPrefix="oai_dc_norm") if not is_deleted(one)]
    assert {identifier(one): _values(one) for one in found} == exported
    for record in found:
        assert record.find(".//p:originDescription", NS).get("altered") == "true"


def _values(record: etree._Element) -> list[tuple[str, str | None, dict[str, str]]]:
    values = record.find("o:metadata/oai_dc:dc", NS)
    return [(one.tag, one.text, dict(one.attrib)) for one in values]


def test_a_span_of_time_is_inclusive_and_of_seconds_or_days(
    provider: Provider, provided: CommandLine
) -> None:
    expected = commits(provided.mirror)
    for stamp in set(expected.values()):
        at = sorted(name for name, one in expected.items() if one == stamp)
        found = provider.records(from_=stamp, until=stamp)
        assert sorted(map(identifier, found)) == at
        later = provider.records(from_=stamp)
        assert {identifier(one) for one in later} == {
            name for name, one in expected.items() if one >= stamp
        }
        earlier = provider.records(until=stamp)
        assert len(earlier) + len(later) == len(expected) + len(at)
    days = {stamp[:10] for stamp in expected.values()}
    assert len(provider.records(from_=min(days), until=max(days))) == len(expected)
    before = (datetime.fromisoformat(min(days)) - timedelta(days=1)).date().isoformat()
    none = provider.ask("ListRecords", metadataPrefix="oai_dc", until=before)
    assert error(none) == "noRecordsMatch"


def test_a_set_has_what_is_below_it(provider: Provider) -> None:
    records = provider.records()
    specs = {
        identifier(one): {spec.text for spec in one.iterfind("o:header/o:setSpec", NS)}
        for one in records
    }
    for wanted in ("type:ART", "subject", "subject:shs", "collection:CNRS"):
        expected = {
            name
            for name, held in specs.items()
            if any(spec == wanted or spec.startswith(f"{wanted}:") for spec in held)
        }
        assert expected
        found = provider.records(set=wanted)
        assert sorted(map(identifier, found)) == sorted(expected)
        first = provider.ask("ListIdentifiers", metadataPrefix="oai_dc", set=wanted)
        token = first.find("*/o:resumptionToken", NS)
        assert (token is None) == (len(expected) <= PAGE_SIZE)
        if token is not None:
            assert token.get("completeListSize") == str(len(expected))


def test_a_harvest_between_pages_takes_nothing_away_and_gives_nothing_twice(
    tmp_path: Path,
) -> None:
    command = CommandLine(tmp_path)
    with RecordedEndpoint(RECORDED) as endpoint:
        endpoint.deleted_record = "transient"
        command.configure(endpoint.url, "[serve]\noai_page_size = 7\n")
        assert command("harvest").code == 0
        served, provider = serving(command)
        with provider.client:
            before = {name: dublin_core(one) for name, one in _by_name(provider).items()}
            assert len(before) == 73
            page = provider.ask("ListRecords", metadataPrefix="oai_dc")
            begun = page.findtext("o:responseDate", None, NS)
            listed = []
            turn = 0
            while True:
                listed += page.findall("*/o:record", NS)
                value = page.findtext("*/o:resumptionToken", "", NS)
                assert page.find("*/o:resumptionToken", NS).get("completeListSize") == "73"
                if not value:
                    break
                if turn in (1, 4, 7):
                    _change(endpoint, listed, before, turn)
                    assert command("harvest").code == 0
                turn += 1
                page = provider.ask("ListRecords", resumptionToken=value)
            assert [identifier(one) for one in listed] == list(
                dict.fromkeys(map(identifier, listed))
            )
            assert {identifier(one): dublin_core(one) for one in listed} == before
            held = {identifier(one): one for one in listed}
            held |= _by_name(provider, from_=begun)
            after = _by_name(provider)
            assert {name: _shown(one) for name, one in held.items()} == {
                name: _shown(one) for name, one in after.items()
            }
            assert sum(map(is_deleted, after.values())) == 6
        assert served.stop() == 0, served.log.read_text()


def _by_name(provider: Provider, **arguments: str) -> dict[str, etree._Element]:
    return {identifier(one): one for one in provider.records(**arguments)}


def _shown(record: etree._Element) -> tuple[str, bytes]:
    return datestamp(record), b"" if is_deleted(record) else dublin_core(record)


def _change(
    endpoint: RecordedEndpoint, listed: list[etree._Element], names: dict[str, bytes], turn: int
) -> None:
    """Change and delete records that were given already, and others that were not."""
    today = datetime.now(UTC).date().isoformat()
    given = [identifier(one) for one in listed]
    left = [name for name in names if name not in given]
    for name in (given[turn], left[turn]):
        changed = endpoint.record(name).edited("</dc:title>", f" ({turn})</dc:title>", count=1)
        endpoint.replace(changed.stamped(today))
    for name in (given[turn + 1], left[turn + 1]):
        endpoint.replace(endpoint.record(name).tombstone(today))


def test_a_commit_under_way_is_waited_for(provided: CommandLine, provider: Provider) -> None:
    """Who begins a list in a second must not miss a commit of the second before."""
    lock = provided.mirror.with_name("mirror.sqlite.lock")
    lock.write_text("{}")
    try:
        for _ in range(3):
            time.sleep(1.001 - time.time() % 1)
            provider.ask("ListIdentifiers", metadataPrefix="oai_dc")
            assert time.time() % 1 >= 0.25
    finally:
        lock.write_text("")
