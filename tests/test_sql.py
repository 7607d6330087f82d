"""The views of docs/sql.md, with nothing but Python's own SQLite."""

import contextlib
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from conftest import CommandLine
from deliveries import Delivery, Filling

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "sql.md"
EXAMPLES = re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)


def ask(command: CommandLine, statement: str) -> list[Any]:
    address = f"file:{command.mirror}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True)) as file:
        return file.execute(statement).fetchall()


def test_the_documented_views_have_the_documented_columns(harvested: CommandLine) -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", DOCUMENT.read_text(), re.MULTILINE)
    assert [name for name, _ in rows] == [
        "records", "creators", "domains", "languages", "sets", "identifiers", "history",
    ]  # fmt: skip
    for name, described in rows:
        columns = [row[1] for row in ask(harvested, f"PRAGMA table_info({name})")]
        told = re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", described))
        assert told == columns


def test_records(harvested: CommandLine) -> None:
    found = ask(harvested, "SELECT * FROM records WHERE id = 'hal-04493396'")
    assert len(found) == 1
    assert found[0][:13] == (
        "hal", "hal-04493396", 1, "active", "oai:HAL:hal-04493396v1", "2024-03-07", "ART",
        "Les contrats à impact social : une menace pour la solidarité ?", "2018", 2018,
        "La vie des idées", "metadata-only", None,
    )  # fmt: skip


def test_what_a_record_has_several_of(harvested: CommandLine) -> None:
    def of(columns: str, view: str) -> list[Any]:
        statement = f"SELECT {columns} FROM {view} WHERE id = 'hal-04493396' ORDER BY 1"  # noqa: S608
        return ask(harvested, statement)

    assert of("position, family, given, name", "creators") == [
        (1, "Alix", "Jean-Sébastien", None),
        (2, "Autès", "Michel", None),
        (3, "Coutinet", "Nathalie", None),
        (4, "Garrigue", "Gabrielle", None),
    ]
    assert of("language", "languages") == [("fr",)]
    assert ("shs",) in of("domain", "domains")
    assert ("type:ART",) in of("set_spec", "sets")


def test_history_has_every_state(harvested: CommandLine) -> None:
    assert ask(harvested, "SELECT count(*), count(until) FROM history") == [(73, 0)]
    assert ask(harvested, "SELECT DISTINCT command FROM history") == [("harvest",)]


@pytest.mark.parametrize("statement", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_documented_examples_run(harvested: CommandLine, statement: str) -> None:
    assert ask(harvested, statement)


def test_history_leaves_out_what_no_commit_shows(tmp_path: Path) -> None:
    path = tmp_path / "mirror.sqlite"
    with Filling(path) as filling:
        filling.take(Delivery(1, title="First"), Delivery(1, title="Second"))
    with contextlib.closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT title FROM history").fetchall() == [("Second",)]
