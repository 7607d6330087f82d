"""Records in other metadata formats than ``oai_dc``, through the real command line."""

import json
import re
from pathlib import Path

import pytest
from lxml import etree

from conftest import CommandLine
from recorded_endpoint import RECORDED, EndpointRecord, RecordedEndpoint

TERMS = Path(__file__).resolve().parents[1] / "data" / "hal-dcterms" / "ListRecords.xml"
OAI = "{http://www.openarchives.org/OAI/2.0/}"
MARC = "{http://www.loc.gov/MARC21/slim}"
UNRULED = "no rules for metadata prefix 'marcxml'; the source is kept as it came"
_MARC_RECORD = """<record><header><identifier>oai:HAL:hal-0000000{0}v1</identifier>
<datestamp>2024-03-0{0}</datestamp><setSpec>type:ART</setSpec></header><metadata>
<marc:record xmlns:marc="http://www.loc.gov/MARC21/slim"><marc:datafield tag="245" ind1="0"
ind2="0"><marc:subfield code="a">Title {0} &amp; more</marc:subfield></marc:datafield></marc:record>
</metadata></record>"""


def terms_endpoint() -> RecordedEndpoint:
    endpoint = RecordedEndpoint(RECORDED, prefix="oai_dcterms")
    cut = re.findall(rb"<record>.*?</record>", TERMS.read_bytes(), re.DOTALL)
    endpoint.records = [EndpointRecord.from_xml(xml) for xml in cut]
    return endpoint


def marc_endpoint() -> RecordedEndpoint:
    endpoint = RecordedEndpoint(RECORDED, prefix="marcxml", page_size=2)
    endpoint.records = [
        EndpointRecord.from_xml(_MARC_RECORD.format(number).encode()) for number in range(1, 6)
    ]
    return endpoint


def test_hals_dcterms_are_harvested_found_and_exported(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with terms_endpoint() as endpoint:
        command.configure(endpoint.url, 'metadata_prefix = "oai_dcterms"')
        ran = command("harvest")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("hal: 3 new, 0 changed, 0 unchanged, 0 gone, 0 quarantined")
    assert "no rules" not in ran.err
    shown = json.loads(command("show", "10.5281/zenodo.438684", "--format", "json").out)
    assert shown["id"] == "hal-01587361"
    assert shown["type"]["hal"] == "SOFTWARE"
    found = command("search", "--type", "ART", "--format", "ids")
    assert found.out == "hal-02737739v1\n"


def test_an_unknown_prefix_is_mirrored_with_one_warning(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with marc_endpoint() as endpoint:
        command.configure(endpoint.url, 'metadata_prefix = "marcxml"')
        ran = command("harvest")
        again = command("harvest")
    assert (ran.code, again.code) == (0, 0), ran.err
    assert ran.out.startswith("hal: 5 new, 0 changed, 0 unchanged, 0 gone, 0 quarantined")
    assert ran.err.count(UNRULED) == 1
    assert f"hal: {UNRULED}" in ran.err
    for identifier in ("hal-00000003", "oai:HAL:hal-00000003v1"):
        shown = json.loads(command("show", identifier, "--format", "json").out)
        assert shown == {
            "id": "hal-00000003",
            "version": 1,
            "source": "hal",
            "oai_identifier": "oai:HAL:hal-00000003v1",
            "datestamp": "2024-03-03",
            "status": "active",
            "sets": ["type:ART"],
            "warnings": [UNRULED],
        }


@pytest.mark.parametrize("form", ["text", "bibtex"])
def test_a_record_without_rules_can_be_shown(tmp_path: Path, form: str) -> None:
    command = CommandLine(tmp_path)
    with marc_endpoint() as endpoint:
        command.configure(endpoint.url, 'metadata_prefix = "marcxml"')
        command("harvest")
    ran = command("show", "hal-00000003", "--format", form)
    assert ran.code == 0, ran.err
    assert "hal-00000003" in ran.out
    assert "Traceback" not in ran.err


def test_sources_are_exported_as_they_came_and_never_as_dublin_core(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with marc_endpoint() as endpoint:
        command.configure(endpoint.url, 'metadata_prefix = "marcxml"')
        command("harvest")
    plain = command("export", "--format", "oai_dc", "--output", "dc.xml")
    assert plain.code == 0
    assert list(etree.parse(tmp_path / "dc.xml").getroot()) == []
    assert (
        "5 records left out: their metadata are marcxml, not oai_dc; --format source has them"
        in plain.err
    )
    source = command("export", "--format", "source", "--output", "source.xml")
    assert source.code == 0, source.err
    assert "left out" not in source.err
    root = etree.parse(tmp_path / "source.xml").getroot()
    assert [one.text for one in root.iter(f"{OAI}identifier")] == [
        f"oai:HAL:hal-0000000{number}v1" for number in range(1, 6)
    ]
    assert [one.text for one in root.iter(f"{MARC}subfield")] == [
        f"Title {number} & more" for number in range(1, 6)
    ]


def test_a_mirror_of_two_formats_gives_each_export_its_own(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with RecordedEndpoint(RECORDED) as plain, marc_endpoint() as marc:
        command.configure(
            plain.url,
            f'[[source]]\nname = "library"\nbase_url = "{marc.url}"\nprofile = "generic"\n'
            'metadata_prefix = "marcxml"\ntimeout = "5s"',
        )
        ran = command("harvest")
    assert ran.code == 0, ran.err
    assert ran.err.count(UNRULED) == 1
    assert f"library: {UNRULED}" in ran.err
    dublin = command("export", "--format", "oai_dc")
    assert dublin.out.count("<oai:record>") == 73
    assert "5 records left out" in dublin.err
    only = command("export", "--format", "oai_dc", "--source", "hal")
    statement, listed = only.out.split("<oai:ListRecords", 1)
    assert listed == dublin.out.split("<oai:ListRecords", 1)[1]
    assert "library: 1)" in dublin.out
    assert "library" not in statement  # a statement of a source that was not asked for
    assert "left out" not in only.err
    assert command("export", "--format", "source").out.count("<oai:record>") == 78
    shown = json.loads(command("show", "oai:HAL:hal-00000003v1", "--format", "json").out)
    assert (shown["source"], shown["id"]) == ("library", "oai:HAL:hal-00000003v1")
