"""What the benchmarks make of their measurements: the mix of searches, the table, the plots."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from generated_files import generate
from generated_repository import Repository
from harvest_measures import _growth
from measured import CommandError, run
from plots import plot
from queries import mix
from report import rewrite, table
from soak import main as soak_main

if TYPE_CHECKING:
    from pathlib import Path

MACHINE = {
    "records": 1000,
    "cores": 2,
    "system": "Linux",
    "python": "3.11",
    "sqlite": "3.40",
    "load": 0.5,
}
SHOW = {
    "of_pass": 7.5,
    "of_pass_processor": 7.1,
    "ms": {"median": 120.0},
    "memory": 40 * 2**20,
}
LOOK_UP = {
    "rates": {"json by DOI": 4_000.0},
    "least_processor": 4_900.0,
    "memory": 300 * 2**20,
}
LOAD = {"p50_ms": 2.5, "p99_ms": 8.25, "most_ms": 41.0, "refused": 0, "broken": 0}
SERVE = {
    "connections": 8,
    "memory": 70 * 2**20,
    "file": LOAD | {"rate": 4_000.0, "of_file": 1.0},
    "record": LOAD | {"rate": 400.0, "of_file": 0.1},
    "record_json": LOAD | {"rate": 1_000.0, "of_file": 0.25},
    "search": LOAD | {"rate": 40.0, "of_file": 0.01, "refused": 3},
    "search_json": LOAD | {"rate": 60.0, "of_file": 0.015, "broken": 2},
    "get_record": LOAD | {"rate": 1_200.0, "of_file": 0.3},
    "list_records": LOAD | {"rate": 20.0, "of_file": 0.005},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("figures") / "repository"
    generate(made, 400, seed=3, workers=1)
    return made


def test_the_mix_has_every_kind_of_search_and_is_the_same_each_time(folder: Path) -> None:
    with Repository(folder) as repository:
        queries = mix(repository)
        assert queries == mix(repository)
    kinds = {query.kind for query in queries}
    assert {"rare word", "common word", "rare phrase", "prefix of three letters"} <= kinds
    assert {"filters alone", "facets of everything", "title pasted whole", "author"} <= kinds
    assert len(queries) > 80


def test_a_soak_survives_its_kills(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = folder.parent / "soak.json"
    code = soak_main(
        ["--records", "400", "--folder", str(folder), "--every", "1.5", "--json", str(figures)]
    )
    assert code == 0
    assert capsys.readouterr().out.endswith("ended with 0: 0 differences, doctor 0\n")
    told = json.loads(figures.read_text())
    assert (told["records"], told["differences"]) == (400, [])


def test_a_command_is_measured_with_its_children() -> None:
    program = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c',"
        " 'held = bytearray(60_000_000); import time; time.sleep(0.4)'])"
    )
    done = run([sys.executable, "-c", program])
    assert done.processes == 2
    assert 60_000_000 < done.memory < 120_000_000
    assert done.wall > 0.4


def test_a_command_that_fails_is_an_error() -> None:
    with pytest.raises(CommandError, match="exit code 3: no luck"):
        run([sys.executable, "-c", "import sys; print('no luck', file=sys.stderr); sys.exit(3)"])


def test_growth_is_the_last_fifth_beside_the_second() -> None:
    # A thousand records at one second a hundred, the last two hundred at two.
    series = [
        {"records": 100 * step, "at": step + max(0, step - 8), "processor": step}
        for step in range(11)
    ]
    assert _growth(series) == pytest.approx({"wall": 1.0, "processor": 0.0})


def test_the_table_says_what_is_met_and_what_is_missed() -> None:
    text = table({"machine": MACHINE, "show": SHOW, "look_up": LOOK_UP})
    assert "7.5 times (120 ms; by processor time 7.1) | at most 8 | met |" in text
    assert "the slowest by processor time 4,900 | 5,000 | **missed** |" in text
    assert "300 MiB (look up) | under 200 MiB | **missed** |" in text


def test_the_table_tells_what_a_server_refused_or_broke_off() -> None:
    text = table({"machine": MACHINE, "serve": SERVE})
    times = "p50 2.5 ms, p99 8.2 ms, most 41 ms"
    assert f"record by the API, requests a second | 1,000 ({times}; 0.25 of the static" in text
    assert f"search page, requests a second | 40 ({times}; 0.01 of the static file's; 3 ref" in text
    assert "0.01 of the static file's; 2 broke off)" in text
    assert "70 MiB (serve) | under 200 MiB | met |" in text


def test_a_new_table_leaves_the_prose_around_it(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "before\n<!-- written by scripts/bench: begin -->\nold\n"
        "<!-- written by scripts/bench: end -->\nafter\n"
    )
    rewrite(page, {"machine": MACHINE, "show": SHOW})
    text = page.read_text()
    assert text.startswith("before\n<!--")
    assert text.endswith("-->\nafter\n")
    assert "old" not in text
    assert "7.5 times (120 ms" in text


def test_a_plot_is_well_formed_and_holds_its_points() -> None:
    drawn = etree.fromstring(plot("Rate", [(0, 0), (500, 10), (1000, 7.5)]))
    (line,) = drawn.iterfind(".//{*}path[@class='l']")
    assert line.get("d") == "M64.0,204.0 L332.0,32.0 L600.0,75.0"
