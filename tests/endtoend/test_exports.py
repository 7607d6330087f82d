"""Every export format with the real command: options, endings, statement, a bar on a terminal."""

import csv
import gzip
import io
import json
import os
import pty
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
import rispy
import zstandard
from lxml import etree
from pybtex.database import parse_string

from conftest import REPOSITORY, CommandLine
from halmirror import Filters, Mirror
from halmirror.errors import MirrorError
from halmirror.export import FORMATS, Wanted, export, load, named_after

STATEMENT = "hal: 1) No commercial use of the extracted data"
DOI = "10.1016/j.engfracmech.2017.05.006"


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_reaches_a_file_and_standard_output(
    harvested: CommandLine, tmp_path: Path, form: str
) -> None:
    output = tmp_path / "out"
    ran = harvested("export", "--format", form, "--output", str(output))
    assert (ran.code, ran.out) == (0, "")
    assert f"73 records written to {output}" in ran.err
    assert f"what the sources ask: {STATEMENT}" in ran.err
    with (tmp_path / "piped").open("wb") as out:
        done = subprocess.run(
            harvested.command("export", "--format", form),
            cwd=harvested.folder,
            env=harvested.environment(),
            stdout=out,
            stderr=subprocess.PIPE,
            check=True,
        )
    written = output.read_bytes()
    assert (tmp_path / "piped").read_bytes() == written
    assert (STATEMENT.encode() in written) == FORMATS[form].carries_statement
    assert (STATEMENT.encode() in done.stderr) != FORMATS[form].carries_statement


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.jsonl", "jsonl"),
        ("a.ndjson.gz", "jsonl"),
        ("a.csv", "csv"),
        ("A.TSV.ZST", "tsv"),
        ("a.parquet", "parquet"),
        ("a.xml.gz", "oai_dc"),
        ("a.bib", "bibtex"),
        ("a.biblatex.bib", "biblatex"),
        ("a.ris", "ris"),
        ("a.csl.json", "csl-json"),
        ("a.json", "csl-json"),
        ("a.jsonld", "schema.org"),
        ("a.nt.zst", "ntriples"),
        ("a.txt", None),
        ("jsonl", None),
        (".gz", None),
    ],
)
def test_a_files_ending_names_its_format(name: str, form: str | None) -> None:
    assert named_after(Path(name)) == form


def test_capitals_and_pipes_are_compressed_as_their_ending_says(
    harvested: CommandLine, tmp_path: Path
) -> None:
    assert harvested("export", "--output", str(tmp_path / "A.JSONL.GZ")).code == 0
    pipe = tmp_path / "pipe.jsonl.gz"
    os.mkfifo(pipe)
    with (tmp_path / "read").open("wb") as out:
        reader = subprocess.Popen(["cat", str(pipe)], stdout=out)
    assert harvested("export", "--output", str(pipe)).code == 0
    assert reader.wait() == 0
    with gzip.open(tmp_path / "A.JSONL.GZ") as file:
        assert file.read().count(b"\n") == 73
    assert (tmp_path / "read").read_bytes() == (tmp_path / "A.JSONL.GZ").read_bytes()


def test_the_ending_decides_where_no_format_is_told(harvested: CommandLine, tmp_path: Path) -> None:
    assert harvested("export", "--output", str(tmp_path / "a.ris.gz")).code == 0
    with gzip.open(tmp_path / "a.ris.gz", "rt", encoding="utf-8", newline="") as file:
        assert len(rispy.loads(file.read().replace("\r\n", "\n"))) == 73
    assert harvested("export", "--output", str(tmp_path / "a.nt.zst")).code == 0
    packed = (tmp_path / "a.nt.zst").read_bytes()
    assert zstandard.ZstdDecompressor().decompressobj().decompress(packed).startswith(b"# hal: 1)")
    for arguments, told in (
        (("--output", str(tmp_path / "a.txt")), "stands for no format; give --format: jsonl"),
        ((), "--format is missing; there are jsonl, csv"),
    ):
        ran = harvested("export", *arguments)
        assert (ran.code, ran.out) == (2, "")
        assert told in ran.err
        assert ran.err.count("\n") == 1


def test_only_some_keys(harvested: CommandLine) -> None:
    picked = ("--fields", "year, identifiers.doi,id", "--ids-from", "-")
    given = f"hal-04493396\n{DOI}\n"
    ran = harvested("export", "--format", "jsonl", *picked, stdin=given)
    assert [json.loads(line) for line in ran.out.splitlines()] == [
        {"id": "hal-02737739", "year": 2017, "identifiers": {"doi": [DOI]}},
        {"id": "hal-04493396", "year": 2018},
    ]
    ran = harvested("export", "--format", "csv", *picked, stdin=given)
    assert ran.out == f"id,year,identifiers.doi\nhal-02737739,2017,{DOI}\nhal-04493396,2018,\n"
    ran = harvested("export", "--format", "tsv", *picked, stdin=given)
    assert ran.out.splitlines()[1].split("\t") == ["hal-02737739", "2017", DOI]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ris", "--fields", "id"), "fields: ris has fields of its own; it goes with jsonl, csv"),
        (("csv", "--fields", "id,"), "fields: the record has no key ''"),
        (("csv", "--fields", "doi"), "no key 'doi'; did you mean identifiers.doi?"),
        (("bibtex", "--normalised"), "normalised: bibtex is no Dublin Core as it came"),
        (("parquet", "--defuse"), "defuse: parquet is for no spreadsheet program; it goes with"),
        (("docx",), "unknown export format 'docx'; known are: jsonl, csv, tsv, parquet, oai_dc"),
    ],
)
def test_what_a_format_does_not_heed_is_refused_before_anything_is_touched(
    tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    ran = CommandLine(tmp_path)("export", "--format", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
    assert ran.err.count("\n") == 1


def test_normalised_dublin_core_is_not_as_it_came(harvested: CommandLine) -> None:
    arguments = ("export", "--format", "oai_dc", "--ids-from", "-")
    came = harvested(*arguments, stdin="hal-04493396\n")
    made = harvested(*arguments, "--normalised", stdin="hal-04493396\n")
    assert "HAL CCSD" in came.out
    assert "HAL CCSD" not in made.out
    for ran in (came, made):
        root = etree.fromstring(ran.out.encode())
        assert len(root.findall(".//{http://www.openarchives.org/OAI/2.0/oai_dc/}dc")) == 1


def test_parquet_is_sorted_by_source_year_and_id(harvested: CommandLine, tmp_path: Path) -> None:
    output = tmp_path / "a.parquet"
    assert harvested("export", "--output", str(output)).code == 0
    rows = pq.read_table(output, columns=["source", "year", "id", "version"]).to_pylist()
    keys = [(one["source"], one["year"] or 10_000, one["id"], one["version"]) for one in rows]
    assert len(keys) == 73
    assert keys == sorted(keys)
    assert len({one["year"] for one in rows}) > 5
    chosen = tmp_path / "b.parquet"
    given = "hal-04493396\n" + DOI
    ran = harvested("export", "--output", str(chosen), "--ids-from", "-", stdin=given)
    assert ran.code == 0, ran.err
    assert pq.read_table(chosen)["id"].to_pylist() == ["hal-02737739", "hal-04493396"]


def test_filters_hold_for_every_order(harvested: CommandLine, tmp_path: Path) -> None:
    with Mirror(harvested.mirror) as mirror:
        for filters in (Filters(), Filters(domain=("shs",)), Filters(year=("..2010",))):
            by_id = list(mirror.lines(filters))
            by_year = list(mirror.lines(filters, by_year=True))
            assert sorted(by_year) == sorted(by_id)
            assert len(by_id) == mirror.count(filters)
            years = [json.loads(line).get("year", 10_000) for line in by_year]
            assert years == sorted(years)
        counted: list[int] = []
        export(mirror, "jsonl", tmp_path / "a", Filters(), watch=counted.append)
        assert counted == [73]


def test_as_of_an_earlier_time_holds_for_every_format(
    harvested: CommandLine, tmp_path: Path
) -> None:
    with Mirror(harvested.mirror) as mirror:
        for name in FORMATS:
            assert export(mirror, name, tmp_path / "a", Filters(), at=0).count == 0


def test_show_gives_records_in_the_table_of_formats(harvested: CommandLine) -> None:
    ids = ("hal-04493396", "hal-02737739")
    read = rispy.loads(harvested("show", *ids, "--format", "ris").out.replace("\r\n", "\n"))
    assert [one["accession_number"] for one in read] == ["hal-04493396v1", "hal-02737739v1"]
    read = json.loads(harvested("show", *ids, "--format", "csl-json").out)
    assert [one["custom"]["hal_id"] for one in read] == list(ids)
    text = harvested("show", *ids, "--format", "bibtex").out
    assert len(parse_string(text, "bibtex").entries) == 2
    rows = csv.DictReader(io.StringIO(harvested("show", *ids, "--format", "csv").out))
    assert [row["id"] for row in rows] == list(ids)
    missing = harvested("show", "nope", ids[0], "--format", "ntriples")
    assert (missing.code, "nope: no such record" in missing.err) == (3, True)
    assert missing.out.count("\n<oai:HAL:hal-04493396v1> ") > 5
    assert harvested("show", ids[0], "--format", "parquet").code == 2


def test_search_gives_hits_in_the_table_of_formats(harvested: CommandLine) -> None:
    query = ("search", "--type", "ART", "--limit", "3", "--format")
    found = harvested("search", "--type", "ART", "--limit", "3", "--format", "ids").out.split()
    assert len(found) == 3
    read = rispy.loads(harvested(*query, "ris").out.replace("\r\n", "\n"))
    assert [one["accession_number"] for one in read] == found
    assert len(parse_string(harvested(*query, "bibtex").out, "bibtex").entries) == 3
    assert len(json.loads(harvested(*query, "csl-json").out)) == 3
    assert len(json.loads(harvested(*query, "schema.org").out)["@graph"]) == 3
    lines = harvested(*query, "jsonl").out.splitlines()
    assert [f"{one['id']}v{one['version']}" for one in map(json.loads, lines)] == found


def test_cite_in_a_style(harvested: CommandLine, tmp_path: Path) -> None:
    ran = harvested("cite", "hal-04493396", "--style", "apa")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Alix, J.-S., Autès, M., Coutinet, N., & Garrigue, G. (2018). ")
    french = harvested("--ui", "fr", "cite", "-", "--style", "ieee", stdin="nope\nhal-04493396\n")
    assert french.code == 3
    assert "« Les contrats à impact social" in french.out
    own = tmp_path / "own.csl"
    own.write_text("no style", encoding="utf-8")
    bad = harvested("cite", "hal-04493396", "--style", str(own))
    assert (bad.code, bad.out, bad.err.count("\n")) == (2, "", 1)


def on_a_terminal(command: CommandLine, *arguments: str) -> tuple[int, str]:
    """Run with a terminal for both outputs; what it showed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command.command(*arguments),
        cwd=command.folder,
        env=command.environment() | {"TERM": "xterm"},
        stdout=theirs,
        stderr=theirs,
    ) as running:
        os.close(theirs)
        shown = b""
        while True:
            try:
                block = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not block:
                break
            shown += block
        os.close(ours)
    return running.returncode, shown.decode()


def test_a_terminal_sees_how_far_an_export_is(harvested: CommandLine, tmp_path: Path) -> None:
    code, shown = on_a_terminal(
        harvested, "export", "--format", "csv", "--output", str(tmp_path / "a.csv")
    )
    assert code == 0
    assert re.search(r"csv .*73 of 73", shown)
    code, shown = on_a_terminal(harvested, "export", "--format", "jsonl", "--fields", "id")
    assert code == 0
    assert shown.startswith('{"id":"')
    assert "of 73" not in shown
    code, shown = on_a_terminal(
        harvested, "--quiet", "export", "--format", "csv", "--output", str(tmp_path / "a.csv")
    )
    assert (code, shown) == (0, "")


@pytest.fixture
def changed(harvested: CommandLine, tmp_path: Path) -> Callable[[str, str], CommandLine]:
    """Copies of the mirror, each after a statement of SQL with one value."""

    def change(statement: str, value: str) -> CommandLine:
        command = CommandLine(tmp_path / "changed")
        shutil.copytree(harvested.folder, command.folder)
        connection = sqlite3.connect(command.mirror)
        connection.execute(statement, (value,))
        connection.commit()
        connection.close()
        return command

    return change


def test_a_terminal_obeys_nothing_in_a_shown_record(
    changed: Callable[[str, str], CommandLine],
) -> None:
    hostile = "hal \u202e\x9b"
    command = changed("UPDATE document SET local_id = ? WHERE local_id = 'hal-04493396'", hostile)
    for form in ("ris", "bibtex", "jsonl", "csl-json"):
        code, shown = on_a_terminal(command, "show", hostile, "--format", form)
        assert code == 0
        assert "\\u202e" in shown
        assert not {"\u202e", "\x9b", "\x1b"} & set(shown)
    assert "\u202e" in command("show", hostile, "--format", "ris").out


@pytest.mark.parametrize(
    "statement", ["INSERT INTO derived VALUES ('outdated', ?)", "UPDATE derived SET upto = ?"]
)
def test_the_order_by_year_needs_no_index(
    harvested: CommandLine, changed: Callable[[str, str], CommandLine], statement: str
) -> None:
    copy = changed(statement, "1")
    with Mirror(copy.mirror) as ours, Mirror(harvested.mirror) as theirs:
        lines = list(ours.lines(by_year=True))
        assert lines == list(theirs.lines(by_year=True))
    assert len(lines) == 73


def test_a_damaged_record_leaves_no_file(
    changed: Callable[[str, str], CommandLine], tmp_path: Path
) -> None:
    command = changed("UPDATE content SET frame = x'00' WHERE id = ?", "7")
    folder = tmp_path / "out"
    folder.mkdir()
    with Mirror(command.mirror) as mirror:
        for name in FORMATS:
            with pytest.raises(MirrorError, match="is damaged in the mirror"):
                export(mirror, name, folder / "out", Filters())
            assert list(folder.iterdir()) == []


def test_the_documented_queries_run(harvested: CommandLine, tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "exports.md").read_text(encoding="utf-8")
    output = tmp_path / "hal.parquet"
    assert harvested("export", "--output", str(output)).code == 0
    queries = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    assert len(queries) == 3
    years, creators, metadata = (
        duckdb.sql(query.replace("hal.parquet", str(output))).fetchall() for query in queries
    )
    assert [row[0] for row in years] == [2015, 2016, 2017, 2018, 2019, 2020]
    assert ("hal-04493396", "Alix", "Jean-Sébastien") in creators
    assert ("halmirror.order", "source, year, id, version") in metadata


def test_help_and_documentation_name_every_format(harvested: CommandLine) -> None:
    text = harvested("export", "--help").out
    told = harvested("export", "--formats").out
    page = (REPOSITORY / "docs" / "exports.md").read_text(encoding="utf-8")
    for name, form in FORMATS.items():
        assert name in text
        assert f"{name}: {form.about}\n  {', '.join(form.endings)} ({form.media_type})" in told
        endings = ", ".join(f"`{one}`" for one in form.endings)
        inside = "yes" if form.carries_statement else "no"
        row = rf"^\| `{re.escape(name)}` \| .* \| {re.escape(endings)} \| "
        row += rf"`{re.escape(form.media_type)}` \| {inside} \|$"
        assert re.search(row, page, re.MULTILINE), name


def test_every_writer_says_how_many_it_wrote() -> None:
    for name in FORMATS:
        out = io.BytesIO()
        assert load(name)[1]([], out, Wanted()) == 0


def test_no_format_but_parquet_costs_a_heavy_import() -> None:
    """A command starts fast: what is heavy is imported by what needs it."""
    program = (
        "import sys\n"
        "import halmirror.cli.look_up, halmirror.cli.exporting, halmirror.mirror\n"
        "from halmirror.export import FORMATS, load\n"
        "[load(name) for name in FORMATS if name != 'parquet']\n"
        "print(*{'pyarrow', 'citeproc', 'lxml', 'httpx', 'rich'} & set(sys.modules))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert ran.stdout.strip() == b""
