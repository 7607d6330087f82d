"""Independent clients harvest the mirror whole, deleted records included; so does halmirror."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from oaipmh_scythe import HTTPConfig, Scythe
from sickle import Sickle
from sickle.oaiexceptions import BadArgument, IdDoesNotExist, NoRecordsMatch

from conftest import REPOSITORY, CommandLine
from provider_answers import NS, Provider, identifier, is_deleted, serving
from recorded_endpoint import RECORDED, RecordedEndpoint
from web_pages import spoil

HERE = Path(__file__).parent
NPM = REPOSITORY / ".venv" / "npm"


@pytest.fixture(scope="module")
def known(provider: Provider) -> dict[str, bool]:
    """Every identifier, and whether it is deleted."""
    found = {identifier(one): is_deleted(one) for one in provider.records()}
    assert len(found) == 74
    assert sum(found.values()) == 4
    return found


def _ran(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_sickle(provider: Provider, known: dict[str, bool]) -> None:
    client = Sickle(provider.url)
    records = list(client.ListRecords(metadataPrefix="oai_dc"))
    assert {one.header.identifier: one.header.deleted for one in records} == known
    assert len(records) == len(known)
    living = [one for one in records if not one.deleted]
    titles = {one.header.identifier: one.metadata["title"] for one in living}
    assert titles["oai:HAL:hal-04493396v1"] == [
        "Les contrats à impact social : une menace pour la solidarité ?"
    ]
    active = list(client.ListRecords(metadataPrefix="oai_dc_norm", ignore_deleted=True))
    assert len(active) == 70
    assert len(list(client.ListIdentifiers(metadataPrefix="oai_dc"))) == len(known)
    assert client.Identify().deletedRecord == "persistent"
    assert "type:ART" in [one.setSpec for one in client.ListSets()]
    assert next(client.ListMetadataFormats()).metadataPrefix == "oai_dc"
    with pytest.raises(IdDoesNotExist):
        client.GetRecord(identifier="oai:x:1", metadataPrefix="oai_dc")
    with pytest.raises(NoRecordsMatch):
        client.ListRecords(metadataPrefix="oai_dc", until="2001-01-01")
    with pytest.raises(BadArgument):
        client.ListRecords(metadataPrefix="oai_dc", until="2001")


def test_oaipmh_scythe(provider: Provider, known: dict[str, bool]) -> None:
    with Scythe(provider.url, http_config=HTTPConfig(http_method="POST")) as client:
        records = list(client.list_records(metadata_prefix="oai_dc"))
        assert {one.header.identifier: one.header.deleted for one in records} == known
        assert len(records) == len(known)
        assert len(list(client.list_identifiers(metadata_prefix="oai_dc_norm"))) == len(known)
        assert client.identify().granularity == "YYYY-MM-DDThh:mm:ssZ"


def test_http_oai(provider: Provider, known: dict[str, bool]) -> None:
    told = _ran("oai_pmh", "-X", "ListIdentifiers", "--metadataPrefix", "oai_dc", provider.url)
    assert all(name in told for name in known)
    lines = [line.split() for line in _ran("perl", HERE / "harvest.pl", provider.url).splitlines()]
    assert {name: status == "deleted" for name, status in lines} == known
    assert len(lines) == len(known)


def test_catmandu(provider: Provider, known: dict[str, bool]) -> None:
    told = _ran(
        "catmandu", "convert", "OAI", "--url", provider.url, "to", "JSON", "--line_delimited", "1"
    )
    records = [json.loads(line) for line in told.splitlines()]
    assert {one["_identifier"]: one.get("_status") == "deleted" for one in records} == known
    assert len(records) == len(known)


@pytest.mark.skipif(
    not NPM.exists() or shutil.which("node") is None,
    reason="scripts/test sets up the npm package where there is npm",
)
def test_npm_oai_pmh(provider: Provider, known: dict[str, bool]) -> None:
    told = _ran("node", NPM / "harvest.js", provider.url)
    records = [json.loads(line) for line in told.splitlines()]
    assert {one["identifier"]: one["deleted"] for one in records} == known
    assert len(records) == len(known)


def test_halmirror_mirrors_the_mirror(tmp_path: Path) -> None:
    first, second = CommandLine(tmp_path / "first"), CommandLine(tmp_path / "second")
    for one in (first, second):
        one.folder.mkdir()
    with RecordedEndpoint(RECORDED) as endpoint:
        first.configure(endpoint.url, "[serve]\noai_page_size = 20\n")
        assert first("harvest").code == 0
        served, provider = serving(first)
        with provider.client:
            second.configure(provider.url)
            ran = second("harvest")
            assert ran.code == 0, ran.err
            assert "73 new, 0 changed, 0 unchanged, 0 gone" in ran.out
            assert _said(second) == _said(first)
            spoil(endpoint)
            assert first("harvest").code == 0
            ran = second("harvest")
            assert ran.code == 0, ran.err
            assert "1 new, 1 changed" in ran.out
            assert "2 gone" in ran.out, ran.out
            assert _said(second) == _said(first)
            statement = second("export", "--format", "oai_dc").out
            assert "No commercial use of the extracted data" in statement
    assert served.stop() == 0, served.log.read_text()


def _said(command: CommandLine) -> list[dict[str, object]]:
    """What the active records say; datestamps are each mirror's own."""
    ran = command("export", "--format", "jsonl")
    assert ran.code == 0, ran.err
    records = [json.loads(line) for line in ran.out.splitlines()]
    for record in records:
        del record["datestamp"]
    return records


def test_an_item_says_what_it_says_everywhere(provider: Provider) -> None:
    """GetRecord gives the record that the list gave, byte for byte."""
    for listed in provider.records()[::9]:
        one = provider.ask("GetRecord", identifier=identifier(listed), metadataPrefix="oai_dc")
        found = one.find("o:GetRecord/o:record", NS)
        assert [*found.itertext()] == [*listed.itertext()]
