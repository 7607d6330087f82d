"""Pruning: no later answer changes, earlier times are refused, nothing is left over."""

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deliveries import Delivery, Filling
from halmirror.care.doctor import examine
from halmirror.care.pruning import prune
from halmirror.care.renormalise import renormalise
from halmirror.errors import NotFoundError, PrunedError, UsageError
from halmirror.mirror import Filters, Mirror
from halmirror.store import pruning
from halmirror.store.pruning import Span, surplus
from halmirror.store.writer import Writer

ALL = Filters(status=("all",))
TITLES = ("One title", "Another title", "A third one")
SETS = (("type:ART",), ("type:ART", "collection:A"), ("type:COMM",), ())


def rows(path: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as file:
        return file.execute(statement, values).fetchall()


# -- what is surplus ------------------------------------------------------------------------


def spans(*states: tuple[object, str, int | None]) -> list[Span]:
    return [Span(place, *one) for place, one in enumerate(states)]


@pytest.mark.parametrize(
    ("states", "gone"),
    [
        ([("a", "active", None)], []),
        ([("a", "active", 5), ("b", "active", None)], [0]),
        ([("a", "active", 6), ("b", "active", None)], []),
        ([("a", "active", 4), ("b", "active", 6), ("a", "active", None)], [0]),
        # A tombstone keeps the content, and the last state that had its sets.
        ([("a", "active", 3), ("a", "active", 4), ("a", "deleted", None)], [0]),
        ([("a", "active", 4), ("a", "deleted", 5), ("b", "active", None)], [1, 0]),
        ([("a", "active", 4), ("a", "deleted", 5), ("a", "active", None)], [1, 0]),
        ([(None, "deleted", 4), (None, "deleted", None)], [0]),
    ],
)
def test_what_no_later_commit_shows(
    states: list[tuple[object, str, int | None]], gone: list[int]
) -> None:
    assert sorted(surplus(spans(*states), 5)) == sorted(gone)


# -- any series of deliveries ---------------------------------------------------------------


deliveries = st.builds(
    Delivery,
    number=st.integers(1, 3),
    version=st.integers(1, 2),
    title=st.sampled_from(TITLES),
    sets=st.sampled_from(SETS),
    datestamp=st.sampled_from(["2024-01-01", "2024-01-02", "2024-01-03"]),
    deleted=st.integers(0, 4).map(lambda one: one == 0),
)


@contextlib.contextmanager
def filled(pages: Sequence[Sequence[Delivery]]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="halmirror-pruning-") as folder:
        path = Path(folder) / "mirror.sqlite"
        with Filling(path) as filling:
            for page in pages:
                filling.take(*page)
        yield path


def told(path: Path, at: int) -> tuple[object, ...]:
    """What the mirror says as of a commit: export, search, look-up, and the feed from there."""
    with Mirror(path) as mirror:
        found = [
            [one.versioned_id for one in mirror.search(query, ALL, at=at, limit=50).records]
            for query in ("title", "third", "set:collection:A", "type:ART", "")
        ]
        shown = [mirror.json(f"hal-{number:08d}", at=at) for number in (1, 2, 3)]
        feed = [one.json() for one in mirror.changes(at)]
        return list(mirror.lines(ALL, at=at)), found, shown, feed


@settings(deadline=None, max_examples=40)
@given(
    pages=st.lists(st.lists(deliveries, min_size=1, max_size=4), min_size=2, max_size=7),
    keep=st.integers(0, 6),
    data=st.data(),
)
def test_no_answer_from_the_first_commit_on_changes(
    pages: list[list[Delivery]], keep: int, data: st.DataObject
) -> None:
    with filled(pages) as path:
        with Mirror(path) as mirror:
            latest = mirror.latest()
        first = max(latest - keep, 1)
        before = {at: told(path, at) for at in range(first, latest + 1)}
        with Writer(path, "history prune") as writer:
            pruning.begin(writer, first)
            if data.draw(st.booleans(), label="cut before anything went"):
                assert {at: told(path, at) for at in before} == before
            expected = pruning.of(writer.connection, first)
            assert pruning.prune(writer) == expected
            assert pruning.of(writer.connection, first) == pruning.Surplus()
        assert {at: told(path, at) for at in before} == before
        examined = examine(path, deep=True)
        assert examined.faults == []
        for at in range(first):
            with Mirror(path) as mirror, pytest.raises(PrunedError):
                list(mirror.lines(ALL, at=at))
        # What is normalised again comes to the same: each content has the sets it came with.
        report = renormalise(path, every=True, processes=1)
        assert [one.changed for one in report.sources] == [0]
        # The next harvest goes on as if nothing had been pruned.
        with Filling(path, day=2) as filling:
            filling.take(Delivery(1, 2, "A title of later"), Delivery(2, 1, TITLES[0]))
        assert examine(path, deep=True).faults == []


# -- by hand --------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Three days of one record's life, and a record that was deleted."""
    path = tmp_path / "mirror.sqlite"
    with Filling(path, day=1) as filling:
        filling.take(Delivery(1, title="First words"), Delivery(2, title="Short life"))
        filling.take(Delivery(1, title="First words", datestamp="2024-01-02"))
        filling.take(Delivery(1, title="First words", datestamp="2024-01-03"))
    with Filling(path, day=2) as filling:
        filling.take(Delivery(1, title="Second words"), Delivery(2, deleted=True, sets=()))
    with Filling(path, day=3) as filling:
        filling.take(Delivery(1, title="Third words"))
    return path


def test_what_goes_and_what_stays(path: Path) -> None:
    planned = prune(path, before="2024-05-03", dry_run=True)
    assert (planned.states, planned.contents, planned.datestamps) == (1, 1, 2)
    assert planned.size > 0
    assert rows(path, "SELECT count(*) FROM state") == [(5,)]
    done = prune(path, before="2024-05-03")
    assert (done.first, done.first_at) == (4, "2024-05-02T00:01:00.000Z")
    assert (done.states, done.contents, done.datestamps, done.size) == (
        planned.states, planned.contents, planned.datestamps, planned.size,
    )  # fmt: skip
    assert rows(path, "SELECT seq, finished FROM pruned") == [(4, 1)]
    # The former words and their DOI are in no table; the tombstone keeps its content and its sets.
    assert rows(path, "SELECT value FROM identifier WHERE value LIKE '%first-words'") == []
    with Mirror(path) as mirror:
        assert mirror.search("first", ALL).total == 0
        assert mirror.get("10.1234/1.first-words") is None
        dead = mirror.get("hal-00000002")
        assert dead is not None
        assert (dead.head.status, dead.body.titles[0].value) == ("deleted", "Short life")
        changes = [(one.change, one.at, one.since) for one in mirror.history("hal-00000001").states]
        assert changes == [
            ("held", "2024-05-02T00:01:00.000Z", None),
            ("changed", "2024-05-03T00:01:00.000Z", "hal-00000001v1"),
        ]
        assert mirror.history("hal-00000001").whole_since == "2024-05-02T00:01:00.000Z"
        assert [one.change for one in mirror.history("hal-00000002").states] == ["deleted"]
        assert mirror.diff("hal-00000002").before is None
        assert mirror.seq_at("2024-05-02") == 4


def test_earlier_times_are_refused_wherever_they_are_asked_for(path: Path) -> None:
    with Mirror(path) as mirror:
        page = mirror.search("words", at=3, limit=0)
        assert page.total == 1
        chosen = mirror.choose(["hal-00000001"], at=3)
    prune(path, before="2024-05-03")
    with Mirror(path) as mirror:
        assert mirror.whole_from() == 4
        for ask in (
            lambda: mirror.seq_at("2024-05-01"),
            lambda: mirror.seq_at("1"),
            lambda: mirror.get("hal-00000001", at=3),
            lambda: mirror.json("hal-00000001", at=0),
            lambda: mirror.source_metadata("hal-00000001", at=3),
            lambda: mirror.explain("hal-00000001", at=3),
            lambda: mirror.history("hal-00000001", at=3),
            lambda: mirror.diff("hal-00000001", before=3),
            lambda: mirror.diff("hal-00000001", after=3),
            lambda: list(mirror.changes(3)),
            lambda: mirror.choose(["hal-00000001"], at=3),
            lambda: mirror.search("words", at=3),
            lambda: mirror.count(at=3),
            lambda: list(mirror.records(at=3)),
            lambda: list(mirror.lines(only=chosen)),
        ):
            with pytest.raises(PrunedError, match=r"begins with commit 4 of 2024-05-02T00:01"):
                ask()
        assert [one.change for one in mirror.changes(4)] == ["changed"]
        assert mirror.diff("hal-00000001", before=4).before is not None


def test_a_time_that_moves_back_prunes_nothing_and_forth_some_more(path: Path) -> None:
    assert prune(path, before="2024-05-02").first == 3
    assert (prune(path, before="2024-05-01").first, prune(path, before="2").first) == (3, 3)
    assert prune(path, before="2024-05-02T00:01:00Z").first == 3
    done = prune(path, before="3")
    assert (done.first, done.states) == (4, 1)
    assert prune(path, keep_days=0).first == 5
    assert rows(path, "SELECT count(*) FROM state WHERE end_seq IS NOT NULL") == [(1,)]
    with Mirror(path) as mirror, pytest.raises(NotFoundError):
        mirror.history("hal-00000009")


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"before": "yesterday"}, "'yesterday' is no time"),
        ({"before": "99"}, "there is no run 99"),
        ({"before": "2024-05-02", "keep_days": 3}, "give one of them"),
        ({"keep_days": -1}, "is no number from 0"),
        ({}, "give --before TIME or --keep-days N"),
    ],
)
def test_what_is_no_time_is_refused(path: Path, asked: dict[str, object], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        prune(path, **asked)  # type: ignore[arg-type] # wrong on purpose


def test_nothing_before_the_mirror_is_nothing_to_prune(path: Path) -> None:
    held = path.read_bytes()
    assert prune(path, before="2020-01-01").first == 0
    assert path.read_bytes() == held


def test_what_a_comparison_under_way_refers_to_waits(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as file, file:
        file.execute(
            "INSERT INTO vanished SELECT (SELECT max(id) FROM harvest_window), min(id), 'there', "
            "NULL FROM state"
        )
    assert prune(path, before="2024-05-03").states == 0
    assert examine(path, deep=True).faults == []
    with contextlib.closing(sqlite3.connect(path)) as file, file:
        file.execute("DELETE FROM vanished")
    assert prune(path, keep_days=0).states == 2


def test_a_file_written_anew_is_smaller_and_has_no_former_word(tmp_path: Path) -> None:
    path = tmp_path / "mirror.sqlite"
    with Filling(path) as filling:
        for turn in range(4):
            filling.take(*(Delivery(n, title=f"Kumquat {turn} {n}") for n in range(1, 101)))
        filling.take(*(Delivery(n, title=f"Quince {n}") for n in range(1, 101)))
    done = prune(path, keep_days=0, vacuum=True)
    assert (done.states, done.contents) == (400, 400)
    assert done.shrunk is not None
    assert done.shrunk > 20_000
    assert done.spare == 0
    assert b"umquat" not in path.read_bytes()
    assert examine(path, deep=True).faults == []
