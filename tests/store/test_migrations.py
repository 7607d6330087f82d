"""Files of earlier schemas: readers say what to do, writers bring them up to date."""

import gzip
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from conftest import CommandLine
from halmirror.store.schema import SCHEMA_VERSION

MIRRORS = Path(__file__).resolve().parents[1] / "data" / "mirrors"


@pytest.fixture(params=[1, 2])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> CommandLine:
    """A mirror that an earlier halmirror wrote."""
    command = CommandLine(tmp_path)
    command.mirror.parent.mkdir()
    with (
        gzip.open(MIRRORS / f"schema-{request.param}.sqlite.gz") as packed,
        command.mirror.open("wb") as file,
    ):
        shutil.copyfileobj(packed, file)
    (version,) = sqlite3.connect(command.mirror).execute("PRAGMA user_version").fetchone()
    assert version == request.param
    return command


def test_a_reader_says_what_to_do(old: CommandLine) -> None:
    for arguments in (["show", "hal-04493396"], ["search", "contrats"], ["status"], ["doctor"]):
        ran = old(*arguments)
        assert ran.code == 1
        assert "run 'halmirror doctor --repair', which needs no network" in ran.err
        assert len(ran.err.splitlines()) == 1


def test_a_backup_is_made_before_it_is_brought_up_to_date(old: CommandLine) -> None:
    def schema(path: Path) -> int:
        (version,) = sqlite3.connect(path).execute("PRAGMA user_version").fetchone()
        return int(version)

    copy = old.folder / "before.sqlite"
    former = schema(old.mirror)
    ran = old("backup", str(copy))
    assert (ran.code, ran.err) == (0, "")
    assert (schema(copy), schema(old.mirror)) == (former, former)
    assert old("doctor", "--repair").code == 0
    shown = old("show", "hal-04493396", "--history").out
    shutil.copy(copy, old.mirror)
    assert old("doctor", "--repair").code == 0
    assert old("show", "hal-04493396", "--history").out == shown


def test_a_writer_brings_it_up_to_date_with_its_history(old: CommandLine) -> None:
    ran = old("doctor", "--repair", "--deep")
    assert ran.code == 0, ran.out + ran.err
    assert "all is well" in ran.out
    (version,) = sqlite3.connect(old.mirror).execute("PRAGMA user_version").fetchone()
    assert version == SCHEMA_VERSION
    shown = json.loads(old("show", "hal-04493396", "--format", "json").out)
    assert shown["date"] == "2019-02"
    assert "type:ART" in shown["sets"]
    assert "date: was 2018 and is now 2019-02\n" in old("diff", "hal-04493396").out
    assert old("search", "contrats impact social", "--format", "ids").out == "hal-04493396v1\n"
    counts = json.loads(old("status", "--format", "json").out)["records"]
    assert counts == {"active": 19, "deleted": 0, "withdrawn": 1, "superseded": 0}
    assert len(old("export", "--format", "jsonl").out.splitlines()) == 19
