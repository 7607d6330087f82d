"""Look-ups and searches read what they need: SQLite's plans scan no table that grows."""

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from deliveries import Delivery, Filling
from halmirror.mirror import Filters, Mirror

GROWING = ("state", "s", "content", "c", "document", "d", "entry", "e", "identifier", "i")
"""Tables with a row for each record, and the names that statements give them."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two commits, so that there is a past, and an index that knows both."""
    path = tmp_path / "mirror.sqlite"
    with Filling(path) as filling:
        filling.take(*(Delivery(number, title=f"Old title {number}") for number in range(1, 30)))
    with Filling(path, day=2) as filling:
        filling.take(*(Delivery(number, title=f"New title {number}") for number in range(1, 5)))
    return path


@pytest.mark.parametrize(
    "ask",
    [
        lambda mirror: mirror.get("hal-00000001"),
        lambda mirror: mirror.get("10.1234/5"),
        lambda mirror: mirror.get("hal-00000001", at=1),
        lambda mirror: mirror.search("title"),
        lambda mirror: mirror.search("nothing"),
        lambda mirror: mirror.search("new title", Filters(year=("2020",)), sort="newest"),
        lambda mirror: mirror.search("", Filters(set=("type:ART",)), sort="oldest"),
        lambda mirror: mirror.search("title", at=1),
        lambda mirror: mirror.search("", Filters(type=("ART",)), at=1),
    ],
)
def test_no_table_that_grows_is_scanned(path: Path, ask: Callable[[Mirror], object]) -> None:
    asked: list[str] = []
    with Mirror(path) as mirror:
        mirror._connection.set_trace_callback(asked.append)
        ask(mirror)
        mirror._connection.set_trace_callback(None)
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        scans = {
            (statement, detail)
            for statement in asked
            if statement.startswith(("SELECT", "WITH"))
            for _, _, _, detail in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
            if (found := re.match(r"SCAN (\w+)", detail)) and found[1] in GROWING
        }
    assert len(asked) > 2
    assert scans == set()
