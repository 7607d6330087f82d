"""Metrics as the node exporter reads them: parsed back by Prometheus's own client library."""

import os
import shutil
import stat
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from conftest import CommandLine
from halmirror import errors
from halmirror.metrics import RunFacts, render
from halmirror.status import SourceStatus, Status, Withheld, status
from halmirror.store.model import Counts
from halmirror.version import __version__
from halmirror.whole_file import write

HAL = SourceStatus(
    name="hal",
    base_url="https://example.org/oai",
    last_success="2026-11-20T03:00:00.500Z",
    complete_as_of="2026-11-20",
    announced=75,
    received=73,
    quarantined=1,
    open_windows=(),
    withheld=(Withheld("oai:HAL:hal-1v1", "idDoesNotExist"),),
    records={"active": 73, "deleted": 2, "withdrawn": 1, "superseded": 4},
    lag_seconds=129_600,
)
NEW = SourceStatus("tel", "", None, None, None, 0, 0, ())
RUN = RunFacts(
    "harvest",
    "2026-11-20T02:00:00.250Z",
    12.5,
    3,
    retries={"hal": 2},
    counts={"hal": Counts(5, 4, 3, 2, 1)},
)

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def of(*sources: SourceStatus) -> Status:
    total = {"active": 73, "deleted": 2, "withdrawn": 1, "superseded": 4}
    return Status("mirror.sqlite", "2026-11-22T12:00:00.000Z", 614_400, total, sources, ())


def parsed(text: str) -> Samples:
    """Every sample; none of them twice, each of a metric with a help and a type."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.type == "gauge"
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((f"halmirror_{name}", frozenset(labels.items())))


def test_every_metric_of_a_source() -> None:
    samples = parsed(render(of(HAL), None))
    told = {(name, tuple(sorted(labels))): number for (name, labels), number in samples.items()}
    hal = (("source", "hal"),)
    assert told == {
        ("halmirror_records", (*hal, ("status", "active"))): 73,
        ("halmirror_records", (*hal, ("status", "deleted"))): 2,
        ("halmirror_records", (*hal, ("status", "withdrawn"))): 1,
        ("halmirror_records", (*hal, ("status", "superseded"))): 4,
        ("halmirror_announced_records", hal): 75,
        ("halmirror_unexplained_records", hal): 0,
        ("halmirror_last_success_timestamp_seconds", hal): 1_795_143_600.5,
        ("halmirror_complete_as_of_timestamp_seconds", hal): 1_795_219_200,
        ("halmirror_lag_seconds", hal): 129_600,
        ("halmirror_open_windows", hal): 0,
        ("halmirror_quarantined_records", hal): 1,
        ("halmirror_withheld_records", hal): 1,
        ("halmirror_mirror_size_bytes", ()): 614_400,
        ("halmirror_build_info", (("version", __version__),)): 1,
    }


def test_the_last_run() -> None:
    samples = parsed(render(of(HAL), RUN))
    assert value(samples, "last_run_info", command="harvest") == 1
    assert value(samples, "last_run_timestamp_seconds") == 1_795_140_000.25
    assert value(samples, "last_run_duration_seconds") == 12.5
    assert value(samples, "last_run_exit_code") == 3
    assert value(samples, "last_run_retries", source="hal") == 2
    outcomes = {"new": 5, "changed": 4, "unchanged": 3, "gone": 2, "quarantined": 1}
    for outcome, number in outcomes.items():
        assert value(samples, "last_run_records", source="hal", outcome=outcome) == number


def test_what_is_not_known_is_left_out() -> None:
    text = render(of(NEW), None)
    assert {name for name, _ in parsed(text)} == {
        "halmirror_records",
        "halmirror_open_windows",
        "halmirror_quarantined_records",
        "halmirror_withheld_records",
        "halmirror_mirror_size_bytes",
        "halmirror_build_info",
    }
    assert "NaN" not in text
    assert "last_run" not in text


def test_each_metric_has_one_header_however_many_sources() -> None:
    text = render(of(HAL, NEW), RUN)
    assert text.count("# TYPE halmirror_records gauge\n") == 1
    assert text.endswith("\n")
    assert value(parsed(text), "open_windows", source="tel") == 0


@pytest.mark.parametrize(
    "name",
    ['a"b', "a\\b", "a\\", "a\nb", "a\\nb", "a\r\tb", "a}b 1", "é\u202e\x9b", "#", ""],
)
def test_a_source_of_any_name_is_read_back(name: str) -> None:
    text = render(of(replace(HAL, name=name), NEW), replace(RUN, retries={name: 2}))
    samples = parsed(text)
    assert value(samples, "announced_records", source=name) == 75
    assert value(samples, "last_run_retries", source=name) == 2
    assert value(samples, "open_windows", source="tel") == 0


def test_a_name_that_is_no_utf_8_leaves_the_file_readable(tmp_path: Path) -> None:
    write(tmp_path / "a.prom", render(of(replace(HAL, name="a\udcff")), None))
    samples = parsed((tmp_path / "a.prom").read_text(encoding="utf-8"))
    assert value(samples, "announced_records", source="a\\udcff") == 75


def test_large_numbers_have_all_their_digits() -> None:
    text = render(replace(of(HAL), size_bytes=12_345_678_901_234), None)
    assert "halmirror_mirror_size_bytes 12345678901234\n" in text


def test_the_metrics_of_a_harvested_mirror(harvested: CommandLine) -> None:
    samples = parsed(render(status(harvested.mirror), None))
    assert value(samples, "records", source="hal", status="active") == 73
    assert value(samples, "announced_records", source="hal") == 73
    size = value(samples, "mirror_size_bytes")
    assert size is not None
    assert size >= harvested.mirror.stat().st_size
    success = value(samples, "last_success_timestamp_seconds", source="hal")
    assert success is not None
    assert 0 <= datetime.now(UTC).timestamp() - success < 86_400


# -- the file -------------------------------------------------------------------------------


def test_the_file_is_for_everyone_to_read_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write(tmp_path / "hal.prom", "a 1\n")
        write(tmp_path / "hal.prom", "a 2\n")
    finally:
        os.umask(before)
    assert (tmp_path / "hal.prom").read_text() == "a 2\n"
    assert stat.S_IMODE((tmp_path / "hal.prom").stat().st_mode) == 0o644
    assert [one.name for one in tmp_path.iterdir()] == ["hal.prom"]


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    place = tmp_path / "hal.prom"
    texts = ["a 1\n" * 50_000, "b 2\n" * 40_000]
    write(place, texts[0])
    ended = threading.Event()
    seen: set[str] = set()
    names: set[str] = set()

    def read() -> None:
        while not ended.is_set():
            seen.add(place.read_text())
            names.update(one.name for one in tmp_path.glob("*.prom"))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for turn in range(40):
            write(place, texts[turn % 2])
    finally:
        ended.set()
        reader.join()
    assert seen <= set(texts)
    assert names == {"hal.prom"}


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "hal.prom"
    link.symlink_to("there/real.prom")
    write(link, "a 1\n")
    assert link.is_symlink()
    assert (tmp_path / "there" / "real.prom").read_text() == "a 1\n"
    assert [one.name for one in (tmp_path / "there").iterdir()] == ["real.prom"]


def test_a_name_as_long_as_the_system_allows(tmp_path: Path) -> None:
    place = tmp_path / ("é" * 125 + ".prom")
    write(place, "a 1\n")
    assert place.read_text() == "a 1\n"


def test_places_that_cannot_be_written_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "folder.prom").mkdir()
    (tmp_path / "loop.prom").symlink_to("loop.prom")
    (tmp_path / "file").write_text("kept")
    os.mkfifo(tmp_path / "pipe.prom")
    for name in (
        "no/hal.prom", "folder.prom", "loop.prom", "file/hal.prom", "pipe.prom", "a\0b.prom",
        "x" * 300,
    ):  # fmt: skip
        with pytest.raises(errors.OutputError) as caught:
            write(tmp_path / name, "a 1\n")
        assert "\n" not in str(caught.value)
        assert name in str(caught.value)
    assert (tmp_path / "file").read_text() == "kept"
    assert stat.S_ISFIFO((tmp_path / "pipe.prom").stat().st_mode)
    left = {"folder.prom", "loop.prom", "file", "pipe.prom"}
    assert {one.name for one in tmp_path.iterdir()} == left


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a small file system or /dev/full")
def test_a_device_is_never_replaced() -> None:
    with pytest.raises(errors.OutputError):
        write(Path("/dev/full"), "a 1\n")
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "shut"
    folder.mkdir(mode=0o500)
    with pytest.raises(errors.OutputError, match="Permission denied"):
        write(folder / "hal.prom", "a 1\n")
    shutil.rmtree(folder)
