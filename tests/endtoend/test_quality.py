"""``halmirror status --quality``: what a curator reads, and what a program reads."""

import json
from pathlib import Path

import pytest
from rich.cells import cell_len

from conftest import CommandLine, Ran
from written_records import harvested_of, written

NASTY = "a\x85\u202e b\u2028[red]c"


@pytest.fixture
def odd(tmp_path: Path) -> CommandLine:
    """A mirror of four records: wide characters, combining accents, and a hostile hand."""
    return harvested_of(
        tmp_path,
        [
            written("oai:HAL:hal-00000001v1", "論文論文論文論文論文論文論文", ("date", NASTY)),
            written("oai:HAL:hal-00000002v1", "The\u0301se", ("date", "é" * 300)),
            written("oai:HAL:hal-00000003v1", "漢" * 300, ("date", "漢" * 300)),
            written("oai:HAL:hal-00000004v1", "x\u202ey", ("date", "2020")),
        ],
    )


def row(name: str, records: str, cells: str) -> str:
    """A line of the table: 22 columns, then 8, then 5 for each cell."""
    return f"{name:<22}{records:>8}" + "".join(f"{cell:>5}" for cell in cells.split())


def told(ran: Ran) -> list[str]:
    assert (ran.code, ran.err) == (0, "")
    return ran.out.splitlines()


def test_a_table_tells_what_the_records_have(harvested: CommandLine) -> None:
    lines = told(harvested("status", "--quality"))
    at = lines.index("hal")
    assert lines[at + 1 : at + 5] == [
        row("", "records", "abst keyw DOI lic. file open lang ISSN date aff. fund cont page warn"),
        row("all", "73", "87 67 15 30 68 67 98 76 100 98 10 87 100 0"),
        "",
        row("COMM Conference papers", "37", "100 67 8 18 67 67 100 – 100 100 8 100 100 0"),
    ]
    assert row("POSTER Poster communi…", "5", "40 40 0 60 100 100 100 – 100 100 20 100 100 0") in (
        lines
    )
    assert row("2018", "4", "50 0 0 50 75 75 75 0 100 75 0 75 100 0") in lines
    assert row("earlier", "14", "92 92 0 14 71 71 100 33 100 100 0 92 100 0") in lines
    assert lines[-1] == "no warnings"
    assert {len(line) for line in lines[at + 1 :] if line and line != "no warnings"} == {100}


def test_the_table_is_told_in_french(harvested: CommandLine) -> None:
    lines = told(harvested("--ui", "fr", "status", "--quality", "--examples", "2"))
    assert "pour cent des notices, arrondi vers le bas, qui ont :" in lines
    assert any(line.startswith("COMM Communication da…      37  100   67") for line in lines)
    assert any(line.startswith("MEM Mémoire d'étudiant       1  100  100") for line in lines)
    assert "aucun avertissement" in lines
    assert "sans résumé : anses-01067498v1, hal-01821474v2" in lines
    assert "sans langue : hal-01821474v2" in lines


def test_json_has_the_report_beside_the_status(harvested: CommandLine) -> None:
    ran = harvested("status", "--quality", "--format", "json", "--examples", "1")
    assert (ran.code, ran.err) == (0, "")
    answer = json.loads(ran.out)
    assert answer["records"] == {"active": 73, "deleted": 0, "withdrawn": 0, "superseded": 0}
    assert answer["sources"][0]["received"] == 73
    (source,) = answer["quality"]["sources"]
    assert (source["name"], source["records"], source["in_journals"]) == ("hal", 73, 17)
    assert source["fields"]["abstract"] == {"count": 64, "share": 0.8767}
    assert source["fields"]["issn"] == {"count": 13, "share": 0.7647}
    assert source["types"][1]["type"] == "ART"
    assert source["types"][1]["fields"]["doi"] == {"count": 6, "share": 0.3529}
    assert source["types"][0]["fields"]["issn"] == {"count": 0, "share": None}
    assert len(source["years"]) == 22
    assert source["years"][-1]["year"] == 1990
    assert source["warnings"] == []
    assert source["lacking"]["language"] == ["hal-01821474v2"]


def test_wide_and_hostile_text_stays_in_its_column(odd: CommandLine) -> None:
    lines = told(odd("status", "--quality"))
    assert all(cell_len(line) <= 100 for line in lines)
    at = lines.index("", lines.index("hal"))
    cells = {line[:-78].rstrip(): line[-78:] for line in lines[at + 1 : at + 5]}
    assert list(cells) == ["The\u0301se", "x\\u202ey", "漢" * 10 + "…", "論文論文論文論文論文…"]
    assert cells["x\\u202ey"] == row("", "1", "0 0 0 0 0 0 0 – 100 0 0 0 0 0")[22:]
    assert all(cell_len(line) == 100 for line in lines[at + 1 : at + 5])
    assert not any(one in "".join(lines) for one in "\x85\u202e\u2028")
    assert "  3 in 3 records: date: '…' is no date; kept as given" in lines


def test_hostile_text_is_escaped_in_json(odd: CommandLine) -> None:
    ran = odd("status", "--quality", "--format", "json")
    assert not any(one in ran.out for one in "\x85\u202e\u2028")
    (kind,) = json.loads(ran.out)["quality"]["sources"][0]["warnings"]
    assert (kind["kind"], kind["count"], kind["records"]) == (
        "date: '…' is no date; kept as given", 3, 3
    )  # fmt: skip
    assert kind["examples"][1] == {
        "id": "hal-00000002v1",
        "warning": f"date: '{'é' * 300}' is no date; kept as given",
    }


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--quality", "--check"), "--quality and --check are two reports"),
        (("--quality", "--windows"), "--quality and --windows are two reports"),
        (("--examples", "2"), "give it with --quality"),
        (("--quality", "--examples", "-1"), "--examples"),
    ],
)
def test_wrong_usage_is_told_before_the_mirror_is_touched(
    tmp_path: Path, options: tuple[str, ...], reason: str
) -> None:
    ran = CommandLine(tmp_path)("status", *options)
    assert ran.code == 2
    assert reason in ran.err
    assert ran.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_no_mirror_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    ran = CommandLine(tmp_path)("status", "--quality")
    assert (ran.code, ran.out) == (1, "")
    assert "there is no mirror" in ran.err
    assert ran.err.count("\n") == 1


def test_an_empty_source_has_no_table(harvested: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        f'[mirror]\npath = "{harvested.mirror}"\n[[source]]\nname = "new"\n'
        'base_url = "http://127.0.0.1:9/oai"\n',
        encoding="utf-8",
    )
    lines = told(CommandLine(tmp_path)("status", "--quality"))
    at = lines.index("new")
    assert lines[at + 1] == "  no records"
    assert "hal" in lines[at + 2 :]
