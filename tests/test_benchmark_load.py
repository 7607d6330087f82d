"""The generated repository: what it is like, and that it is served and harvested whole."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

import pytest
from lxml import etree
from sickle import Sickle
from sickle.oaiexceptions import NoRecordsMatch

from compare import differences
from conftest import CommandLine
from generated_files import generate
from generated_repository import Repository
from generated_update import Update, make_update
from recorded_sources import languages
from serve import GeneratedEndpoint, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDS = 1_001
UPDATE = Update("update", changed=0.05, added=0.02, removed=0.002)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("load") / "repository"
    generate(made, RECORDS, seed=5, workers=1)
    make_update(made, UPDATE)
    return made


@pytest.fixture
def repository(folder: Path) -> Iterator[Repository]:
    with Repository(folder) as opened:
        yield opened


@pytest.fixture
def updated(folder: Path) -> Iterator[Repository]:
    with Repository(folder, UPDATE.name) as opened:
        yield opened


def test_a_generated_record_is_well_formed_and_of_hal_s_length(repository: Repository) -> None:
    lengths = [len(etree.tostring(etree.fromstring(one.xml))) for one in repository.truth()]
    assert len(lengths) == RECORDS
    assert 4_700 < mean(lengths) < 5_800


def test_identifiers_are_all_different_and_three_fifths_have_no_file(
    repository: Repository,
) -> None:
    records = list(repository.truth())
    assert len({one.identifier for one in records}) == RECORDS
    assert 0.55 < mean(b"/file/" not in one.xml for one in records) < 0.67
    assert 0.03 < mean(not one.identifier.endswith("v1") for one in records) < 0.12


def test_the_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    generate(tmp_path, RECORDS, seed=5, workers=1)
    name = "records-0000.xml"
    assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_new_words_keep_coming_as_in_natural_text() -> None:
    english = languages()["en"]
    state = [0.5]

    def draw() -> float:
        state[0] = (state[0] * 16_807 * 2**31 % (2**31 - 1)) / (2**31 - 1)
        return state[0]

    seen: set[str] = set()
    growth = []
    for _ in range(2):
        for _ in range(150):
            seen.update(re.findall(r"\w+", english.prose(draw, english.topic(draw), 100).lower()))
        growth.append(len(seen))
    # Heaps' law with an exponent of 0.6 to 0.8: twice the text has about 1.6 times the words.
    assert 1.4 < growth[1] / growth[0] < 1.8


def test_a_list_by_days_holds_what_the_days_hold(repository: Repository) -> None:
    day = max(
        repository.days, key=lambda one: repository.span(one, one)[1] - repository.span(one, one)[0]
    )
    start, end = repository.span(day, day)
    xml = b"".join(bytes(piece) for piece in repository.records(start, end))
    assert re.findall(rb"<datestamp>(.+?)<", xml) == [day.encode()] * (end - start)
    assert end - start > RECORDS * 0.15, "the day of the re-index"


def test_stock_sickle_gets_every_record_after_an_update(updated: Repository) -> None:
    truth = {one.identifier: one for one in updated.truth()}
    with Server(GeneratedEndpoint(updated)) as server:
        listed = {}
        try:
            for record in Sickle(server.url).ListRecords(metadataPrefix="oai_dc"):
                listed[record.header.identifier] = record.header.datestamp
        except NoRecordsMatch:
            pass  # how HAL ends a list whose last page is full
    assert listed == {name: one.datestamp for name, one in truth.items()}
    assert len(truth) == RECORDS + round(RECORDS * 0.02) - round(RECORDS * 0.002)


def test_sets_and_single_records_are_served(repository: Repository) -> None:
    truth = list(repository.truth())
    articles = {one.identifier for one in truth if "type:ART" in one.sets}
    with Server(GeneratedEndpoint(repository)) as server:
        sickle = Sickle(server.url)
        headers = sickle.ListIdentifiers(metadataPrefix="oai_dc", set="type:ART")
        assert {header.identifier for header in headers} == articles
        bare = truth[3].identifier.rpartition("v")[0]
        record = sickle.GetRecord(metadataPrefix="oai_dc", identifier=bare)
        assert record.header.identifier == truth[3].identifier


def test_halmirror_holds_the_truth_after_a_harvest_and_an_update(
    repository: Repository, updated: Repository, tmp_path: Path
) -> None:
    halmirror = CommandLine(tmp_path)
    with Server(GeneratedEndpoint(repository)) as server:
        halmirror.configure(server.url)
        ran = halmirror("harvest")
    assert ran.code == 0, ran.err
    assert ran.out.startswith(f"hal: {RECORDS} new, 0 changed, 0 unchanged, 0 gone, 0 quarantined")
    assert list(differences(repository, halmirror.mirror)) == []
    with Server(GeneratedEndpoint(updated)) as server:
        halmirror.configure(server.url)
        assert halmirror("harvest").code == 0
        told = list(differences(updated, halmirror.mirror))
        assert told
        assert all(line.endswith("is not in the repository") for line in told)
        assert halmirror("reconcile").code == 0
    assert list(differences(updated, halmirror.mirror)) == []


def test_the_server_runs_as_a_program(folder: Path) -> None:
    program = [sys.executable, Path(__file__).parents[1] / "benchmarks" / "serve.py", folder]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert re.fullmatch(r"serving http://127\.0\.0\.1:\d+/oai/hal/\n", server.stdout.readline())
        server.terminate()
        assert server.wait() == 0
