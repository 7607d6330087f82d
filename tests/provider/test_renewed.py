"""After new rules, the normalised form is new to who harvests it; what came as it is, is not."""

from pathlib import Path

from lxml import etree

from conftest import CommandLine
from halmirror import Mirror
from halmirror.provider.answer import answer
from halmirror.provider.identity import Repository
from older_rules import harvest_here, older_rules
from provider_answers import NS, datestamp, error, judged
from recorded_endpoint import RecordedEndpoint

REPOSITORY = Repository("http://127.0.0.1/oai", page_size=500)


def ask(path: Path, **arguments: str) -> etree._Element:
    given = [(name.strip("_"), value) for name, value in arguments.items()]
    with Mirror(path) as mirror:
        return judged(answer([("verb", "ListRecords"), *given], mirror, REPOSITORY))


def test_the_normalised_form_has_the_time_of_the_new_rules(
    halmirror: CommandLine, endpoint: RecordedEndpoint
) -> None:
    del endpoint
    with older_rules():
        harvest_here(halmirror.folder)
    before = ask(halmirror.mirror, metadataPrefix="oai_dc_norm")
    stamps = {datestamp(one) for one in before.iterfind("*/o:record", NS)}
    titles = [one.text for one in before.iterfind(".//dc:title", NS)]
    assert all(title.startswith("Zyzzyva ") for title in titles)
    assert halmirror("renormalise").code == 0
    since = before.findtext("o:responseDate", None, NS)
    after = ask(halmirror.mirror, metadataPrefix="oai_dc_norm", from_=since)
    records = after.findall("*/o:record", NS)
    assert len(records) == 73
    assert not any("Zyzzyva" in one.text for one in after.iterfind(".//dc:title", NS))
    (renewed,) = {datestamp(one) for one in records}
    assert renewed >= max(stamps)
    same = ask(halmirror.mirror, metadataPrefix="oai_dc_norm", from_=renewed, until=renewed)
    assert len(same.findall("*/o:record", NS)) == 73
    came = ask(halmirror.mirror, metadataPrefix="oai_dc")
    assert {datestamp(one) for one in came.iterfind("*/o:record", NS)} == stamps
    if renewed > max(stamps):
        none = ask(halmirror.mirror, metadataPrefix="oai_dc_norm", until=max(stamps))
        assert error(none) == "noRecordsMatch"
    halmirror("renormalise", "--all")
    again = ask(halmirror.mirror, metadataPrefix="oai_dc_norm")
    assert {datestamp(one) for one in again.iterfind("*/o:record", NS)} == {renewed}
