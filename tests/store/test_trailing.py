"""What is read while the search index does not know the newest commits: a run that was cut."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from deliveries import Delivery, Filling
from halmirror.care.doctor import examine, repair
from halmirror.mirror import Filters, Mirror
from halmirror.store import indexer


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    """Three records that are indexed; then sets, a title, a version and a record that are not."""
    path = tmp_path / "mirror.sqlite"
    with Filling(path) as filling:
        filling.take(*(Delivery(number, title=f"Old title {number}") for number in (1, 2, 3)))
    with Filling(path, day=2, killed=True) as filling:
        filling.take(
            Delivery(1, title="Old title 1", sets=("type:ART", "collection:NEW")),
            Delivery(2, title="New title 2"),
            Delivery(3, version=2, title="Next title 3"),
            Delivery(4, title="New title 4"),
        )
    with Mirror(path) as opened:
        yield opened


def ids(mirror: Mirror, filters: Filters, at: int | None = None) -> list[str]:
    return [one.versioned_id for one in mirror.records(filters, at=at)]


def test_filters_pick_the_same_as_from_a_mirror_that_is_indexed(mirror: Mirror) -> None:
    everything = [one.versioned_id for one in mirror.records()]
    assert everything == ["hal-00000001v1", "hal-00000002v1", "hal-00000003v2", "hal-00000004v1"]
    assert ids(mirror, Filters(source=("hal",))) == everything
    assert ids(mirror, Filters(year=("2020",))) == everything
    assert ids(mirror, Filters(title=("new",))) == ["hal-00000002v1", "hal-00000004v1"]
    assert ids(mirror, Filters(title=("old",))) == ["hal-00000001v1"]
    assert ids(mirror, Filters(title=("title NOT (old OR next)",))) == [
        "hal-00000002v1",
        "hal-00000004v1",
    ]
    assert ids(mirror, Filters(set=("collection:NEW",))) == ["hal-00000001v1"]
    assert ids(mirror, Filters(status=("superseded",), title=("old",))) == ["hal-00000003v1"]


def test_filters_pick_the_same_in_batches(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexer, "BATCH", 2)
    assert len(ids(mirror, Filters(source=("hal",)))) == 4
    assert ids(mirror, Filters(title=("new OR next",))) == [
        "hal-00000002v1",
        "hal-00000003v2",
        "hal-00000004v1",
    ]


def test_identifiers_from_a_list_are_filtered_alike(mirror: Mirror) -> None:
    chosen = mirror.choose(["hal-00000002", "hal-00000003"], Filters(title=("new",)))
    assert chosen.left_out == ("hal-00000003",)
    assert [one.versioned_id for one in mirror.records(only=chosen)] == ["hal-00000002v1"]


def test_a_past_that_is_indexed_is_read_as_ever(mirror: Mirror) -> None:
    assert ids(mirror, Filters(title=("old",)), at=1) == [
        "hal-00000001v1",
        "hal-00000002v1",
        "hal-00000003v1",
    ]
    assert ids(mirror, Filters(set=("collection:NEW",)), at=1) == []


def test_search_gives_whole_pages_of_the_newest_commit_that_is_indexed(mirror: Mirror) -> None:
    hits = mirror.search("title")
    assert (hits.total, hits.trails) == (3, True)
    assert json.loads(hits.json())["trails"] is True
    assert sorted(one.versioned_id for one in hits.records) == [
        "hal-00000001v1",
        "hal-00000002v1",
        "hal-00000003v1",
    ]
    assert {one.head.status for one in hits.records} == {"active"}
    assert mirror.search("new").total == 0
    with Filling(mirror.path, day=3):
        pass
    hits = mirror.search("title")
    assert (hits.total, hits.trails, len(hits.records)) == (4, False, 4)
    assert "trails" not in json.loads(hits.json())
    assert mirror.search("new").total == 2


def test_a_first_run_that_was_cut_before_the_index_is_searched(tmp_path: Path) -> None:
    path = tmp_path / "mirror.sqlite"
    with Filling(path, killed=True) as filling:
        filling.take(Delivery(1))
    with Mirror(path) as mirror:
        assert (mirror.search("title").total, mirror.search("title").trails) == (0, True)
        assert ids(mirror, Filters(title=("title",))) == ["hal-00000001v1"]


def test_the_doctor_tells_how_much_the_index_trails_and_adds_it(mirror: Mirror) -> None:
    found = examine(mirror.path, deep=True)
    assert (found.faults, found.not_indexed) == ([], 3 + 5)  # and the former version's new state
    mended = repair(mirror.path)
    assert (mended.faults, mended.not_indexed) == ([], 0)
    assert mirror.search("new").total == 2
