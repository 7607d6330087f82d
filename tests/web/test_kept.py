"""Counts that are kept until the mirror changes."""

import sqlite3
import time
from contextlib import closing
from datetime import date
from pathlib import Path

from halmirror.web.kept import Kept
from halmirror.web.plots import line


def test_a_count_is_kept_until_the_file_or_its_log_changes(tmp_path: Path) -> None:
    path = tmp_path / "mirror.sqlite"
    counted: list[int] = []

    def count() -> int:
        counted.append(1)
        return len(counted)

    kept = Kept(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (x)")
        connection.commit()
        assert [kept.get("a", count) for _ in range(3)] == [1, 1, 1]
        assert kept.get("b", lambda: "other") == "other"
        connection.execute("INSERT INTO t VALUES (1)")
        connection.commit()
        deadline = time.monotonic() + 20
        while kept.get("a", count) == 1:  # as old as twenty times what counting took
            assert time.monotonic() < deadline
        assert kept.get("a", count) == 2


def test_while_the_mirror_changes_a_slow_count_is_not_made_again_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mirror.sqlite"
    path.write_bytes(b"1")
    kept = Kept(path)

    def slow() -> int:
        time.sleep(0.5)
        return path.stat().st_size

    assert kept.get("a", slow) == 1
    path.write_bytes(b"12")
    assert kept.get("a", slow) == 1


def test_a_line_is_flat_between_its_days() -> None:
    drawn = line([(date(2026, 1, 1), 5), (date(2026, 1, 11), 10)], str)
    assert 'class="line" d="M104 232H104.0V140.3H952.0V48.7H952"' in drawn  # 12 is the top
    assert ">2026-01-01<" in drawn
    assert ">2026-01-11<" in drawn
    assert not line([], str)
