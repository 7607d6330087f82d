"""Dictionaries: trained on a source's own records, used for what comes later, read by all."""

import sqlite3
from pathlib import Path

import pytest
import zstandard

from halmirror.batch import Rules, prepare
from halmirror.mirror import Mirror
from halmirror.store import dictionaries
from halmirror.store.writer import Writer
from recorded_endpoint import RECORDED

PAGES = [(RECORDED / f"ListRecords-{number}.xml").read_bytes() for number in (1, 2, 3)]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dictionary is trained on fifty records."""
    monkeypatch.setattr(dictionaries, "SAMPLES", 50)


def numbers(path: Path) -> list[int]:
    """The dictionary of each frame, in the order they came; 0 is none."""
    with sqlite3.connect(path) as file:
        frames = file.execute("SELECT frame FROM content ORDER BY id").fetchall()
    file.close()
    return [zstandard.get_frame_parameters(frame).dict_id for (frame,) in frames]


def take(path: Path, name: str, pages: list[bytes]) -> list[int]:
    """Store pages as a source's, each by the rules that hold then; the frames' sizes."""
    sizes = []
    with Writer(path, "test") as writer:
        source, _ = writer.source(name, "http://127.0.0.1/", "hal")
        stream = writer.stream(source, "oai_dc", "")
        (window,) = writer.plan(stream, [(None, None)], kind="plan")
        for page in pages:
            batch = prepare(page, Rules("oai_dc", "hal", writer.dictionary(source.id)))
            writer.commit_page(stream, window, batch)
            sizes += [len(row.frame or b"") for row in batch.rows]
        writer.index()
    return sizes


@pytest.mark.usefixtures("few")
def test_later_records_are_compressed_by_what_the_first_ones_gave(tmp_path: Path) -> None:
    path = tmp_path / "mirror.sqlite"
    take(path, "hal", PAGES)
    assert numbers(path) == [0] * 52 + [32768] * 21
    (tmp_path / "plain").mkdir()
    plain = take(tmp_path / "plain" / "mirror.sqlite", "hal", PAGES[2:])
    with sqlite3.connect(path) as file:
        (size,) = file.execute("SELECT sum(length(frame)) FROM content WHERE id > 52").fetchone()
    file.close()
    assert size < 0.7 * sum(plain)


@pytest.mark.usefixtures("few")
def test_what_was_compressed_by_a_dictionary_is_read_by_a_mirror_opened_before(
    tmp_path: Path,
) -> None:
    path = tmp_path / "mirror.sqlite"
    take(path, "hal", PAGES[:1])
    with Mirror(path) as mirror:
        take(path, "hal", PAGES[1:])
        lines = list(mirror.lines())
        record = mirror.get("hal-02737739")
    assert len(lines) == 73
    assert record is not None
    assert record.body.year == 2017
    take(tmp_path / "other.sqlite", "hal", PAGES)
    with Mirror(tmp_path / "other.sqlite") as mirror:
        assert list(mirror.lines()) == lines


@pytest.mark.usefixtures("few")
def test_each_source_has_a_dictionary_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "mirror.sqlite"
    take(path, "one", PAGES)
    take(path, "other", PAGES)
    assert numbers(path) == [0] * 52 + [32768] * 21 + [0] * 52 + [32769] * 21
    take(path, "one", [PAGES[0].replace(b"</dc:title>", b"!</dc:title>")])
    assert set(numbers(path)[146:]) == {32768}


def test_records_too_small_to_learn_from_leave_it_at_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dictionaries, "SAMPLES", 5)
    path = tmp_path / "mirror.sqlite"
    take(path, "hal", PAGES)
    assert len(numbers(path)) == 73
