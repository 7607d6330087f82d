"""The same work, and the same id, in two sources: with the real command."""

import json
from pathlib import Path

import pytest

from conftest import CommandLine
from recorded_endpoint import RECORDED, RecordedEndpoint

DOI = "10.1016/j.engfracmech.2017.05.006"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """All 73 records from ``hal``; from ``portal`` one of them, and its work under another id."""
    command = CommandLine(tmp_path_factory.mktemp("two"))
    with RecordedEndpoint(RECORDED) as whole, RecordedEndpoint(RECORDED) as portal:
        copy = portal.record("oai:HAL:hal-02737739v1")
        portal.records = [copy, copy.edited("hal-02737739", "hal-09999999")]
        command.configure(
            whole.url,
            f'[[source]]\nname = "portal"\nbase_url = "{portal.url}"\ntimeout = "5s"',
        )
        ran = command("harvest")
    assert ran.code == 0, ran.err
    return command


def test_show_tells_where_else_the_work_is(two: CommandLine) -> None:
    english = two("--ui", "en", "show", "hal-02737739").out.splitlines()
    assert "  Same work: hal-02737739v1 (portal; DOI)" in english
    assert "  Same work: hal-09999999v1 (portal; DOI)" in english
    french = two("--ui", "fr", "show", "hal-09999999").out.splitlines()
    assert "  Même œuvre : hal-02737739v1 (hal; DOI)" in french
    assert "  Même œuvre : hal-02737739v1 (DOI)" in french
    shown = json.loads(two("show", "hal-09999999", "--format", "json").out)
    assert shown["same_as"] == [
        {"source": "hal", "id": "hal-02737739", "version": 1, "by": ["doi"]},
        {"source": "portal", "id": "hal-02737739", "version": 1, "by": ["doi"]},
    ]
    assert "Same work" not in two("--ui", "en", "show", "hal-04493396").out


def test_nothing_is_dropped_from_an_export_unless_asked(two: CommandLine) -> None:
    lines = [json.loads(line) for line in two("export", "--format", "jsonl").out.splitlines()]
    assert len(lines) == 75
    assert [one["id"] for one in lines if "same_as" in one] == [
        "hal-02737739",
        "hal-02737739",
        "hal-09999999",
    ]
    unique = two("export", "--format", "jsonl", "--unique").out.splitlines()
    assert len(unique) == 74
    assert [one["source"] for one in map(json.loads, unique)].count("portal") == 1
    assert two("export", "--format", "bibtex", "--unique").out.count("\n@") == 74


def test_only_the_sources_taken_are_told_what_they_ask(two: CommandLine) -> None:
    for arguments, told in (
        (("--source", "portal"), ["% portal: 1)"]),
        ((), ["% hal: 1)", "% portal: 1)"]),
    ):
        out = two("export", "--format", "bibtex", *arguments).out
        assert [line[: line.index(")") + 1] for line in out.splitlines() if "%" in line[:1]] == told


def test_search_counts_an_id_once(two: CommandLine) -> None:
    answer = json.loads(two("search", f"doi:{DOI}", "--facets", "--format", "json").out)
    assert (answer["total"], answer["facets"]["source"]) == (2, {"hal": 1, "portal": 1})
    assert [(one["source"], one["id"]) for one in answer["records"]] == [
        ("hal", "hal-02737739"),
        ("portal", "hal-09999999"),
    ]
    assert two("search", "--format", "ids", "--source", "portal").out.split() == [
        "hal-02737739v1",
        "hal-09999999v1",
    ]


def test_identifiers_from_a_file_choose_what_is_exported(two: CommandLine, tmp_path: Path) -> None:
    listed = tmp_path / "ids.txt"
    listed.write_text(f"hal-04493396\n\nhttps://doi.org/{DOI.upper()}\nhal-04493396v1\n")
    ran = two("export", "--format", "jsonl", "--ids-from", str(listed))
    assert ran.code == 0, ran.err
    given = [(one["source"], one["id"]) for one in map(json.loads, ran.out.splitlines())]
    assert given == [
        ("hal", "hal-02737739"),
        ("hal", "hal-04493396"),
        ("portal", "hal-02737739"),
        ("portal", "hal-09999999"),
    ]
    piped = two(
        "export", "--format", "jsonl", "--ids-from", "-", "--unique", stdin="hal-02737739\n"
    )
    assert json.loads(piped.out)["source"] == "hal"
    filtered = two(
        "export", "--format", "bibtex", "--ids-from", str(listed), "--source", "portal"
    )  # fmt: skip
    assert (filtered.code, filtered.out.count("\n@")) == (0, 2)
    assert "1 of the identifiers left out" not in filtered.err
    assert "2 of the identifiers left out (hal-04493396" in filtered.err


def test_identifiers_that_name_nothing_are_told(two: CommandLine, tmp_path: Path) -> None:
    some = two("export", "--format", "jsonl", "--ids-from", "-", stdin="nope\nhal-04493396\n")
    assert (some.code, len(some.out.splitlines())) == (3, 1)
    assert "nope: no such record in the mirror" in some.err
    output = tmp_path / "none.jsonl"
    none = two(
        "export", "--format", "jsonl", "--ids-from", "-", "--output", str(output), stdin="nope\n"
    )
    assert (none.code, output.exists()) == (1, False)
    nothing = two("export", "--format", "jsonl", "--ids-from", "-")
    assert (nothing.code, nothing.out) == (0, "")
    no_file = two("export", "--format", "jsonl", "--ids-from", str(tmp_path / "missing"))
    assert no_file.code == 2
    assert "missing" in no_file.err
