"""Looking up, searching and exporting with the real command, no network."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard
from lxml import etree

from conftest import REPOSITORY, CommandLine

CITATION = (
    "Jean-Sébastien Alix, Michel Autès, Nathalie Coutinet, Gabrielle Garrigue. Les contrats à "
    "impact social : une menace pour la solidarité ?. La vie des idées, 2018. ⟨hal-04493396⟩"
)


def test_show_gives_what_hals_page_gives(harvested: CommandLine) -> None:
    shown = harvested("--ui", "en", "show", "hal-04493396").out
    assert CITATION in shown.splitlines()
    for part in (
        "Journal article",
        "La vie des idées",
        "2018",
        "Les contrats à impact social : une menace pour la solidarité ?",
        "On March 16, 2016, the government inaugurated",
        "Le gouvernement a inauguré le 16 mars 2016",
        "No file deposited",
        "hal-04493396, version 1 (2024-03-07)",
        "English",
        "French",
    ):
        assert part in shown.replace("\n", " ") or part in shown


def test_show_in_french(harvested: CommandLine) -> None:
    shown = harvested("--ui", "fr", "show", "hal-04493396").out
    assert CITATION in shown.splitlines()
    for part in (
        "Article dans une revue",
        "Fichier non déposé",
        "hal-04493396 , version 1 (07-03-2024)",
        "anglais",
        "français",
    ):
        assert part.lower() in shown.lower()
    assert harvested("show", "hal-04493396", "--lang", "fr").out == shown


@pytest.mark.parametrize(
    "identifier",
    [
        "hal-02737739",
        "hal-02737739v1",
        "oai:HAL:hal-02737739v1",
        "oai:hal.archives-ouvertes.fr:hal-02737739",
        "https://hal.science/hal-02737739",
        "https://hal.inrae.fr/hal-02737739v1/document",
        "10.1016/j.engfracmech.2017.05.006",
        "https://doi.org/10.1016/J.ENGFRACMECH.2017.05.006",
        "doi:10.1016/j.engfracmech.2017.05.006",
    ],
)
def test_every_kind_of_identifier_finds_the_record(harvested: CommandLine, identifier: str) -> None:
    ran = harvested("show", identifier, "--format", "json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["id"] == "hal-02737739"


def test_arxiv_and_pmid(harvested: CommandLine) -> None:
    assert json.loads(harvested("show", "arXiv:2005.13236", "--format", "json").out)["id"] == (
        "hal-02617950"
    )
    assert json.loads(harvested("show", "36439150", "--format", "json").out)["id"] == "hal-04168081"


def test_identifiers_from_standard_input_in_order(harvested: CommandLine) -> None:
    ran = harvested("show", "-", "--format", "json", stdin="hal-04493396\nnope\nhal-02737739\n")
    assert ran.code == 3
    assert [json.loads(line)["id"] for line in ran.out.splitlines()] == [
        "hal-04493396",
        "hal-02737739",
    ]
    assert "nope" in ran.err


def test_json_keys_stand_in_the_contracts_order(harvested: CommandLine) -> None:
    order = [
        "id",
        "version",
        "source",
        "oai_identifier",
        "datestamp",
        "status",
        "status_since",
        "followed_by",
        "same_as",
        "sets",
        "type",
        "titles",
        "creators",
        "affiliations",
        "contributors",
        "funding",
        "abstracts",
        "notes",
        "keywords",
        "domains",
        "classifications",
        "date",
        "year",
        "languages",
        "container",
        "citation",
        "publishers",
        "identifiers",
        "landing_page",
        "files",
        "access",
        "licence",
        "licence_url",
        "audience",
        "coverage",
        "warnings",
    ]
    for line in harvested("export", "--format", "jsonl").out.splitlines():
        keys = list(json.loads(line))
        assert keys == [key for key in order if key in keys]


def test_dublin_core_as_it_came(harvested: CommandLine) -> None:
    ran = harvested("show", "hal-04493396", "--format", "dc")
    root = etree.fromstring(ran.out.encode())
    recorded = etree.parse(REPOSITORY / "data/hal-oai/GetRecord-hal-04493396.xml")
    metadata = recorded.find(".//{http://www.openarchives.org/OAI/2.0/oai_dc/}dc")
    assert etree.tostring(root, method="c14n", exclusive=True) == etree.tostring(
        metadata, method="c14n", exclusive=True, with_tail=False
    )


def test_search_folds_case_accents_and_ligatures(harvested: CommandLine) -> None:
    plain = harvested("search", "lexicographie", "--format", "ids").out.split()
    assert plain
    assert harvested("search", "LEXICOGRAPHIE", "--format", "ids").out.split() == plain
    accents = harvested("search", "author:Sebastien", "author:Alix", "--format", "ids").out.split()
    assert accents == ["hal-04493396v1"]


def test_every_title_pasted_whole_finds_its_record_first(harvested: CommandLine) -> None:
    from halmirror import Mirror

    pasted = 0
    missed = []
    with Mirror(harvested.mirror) as mirror:
        for record in mirror.records():
            for title in record.body.titles:
                whole = f"{title.value} : {title.subtitle}" if title.subtitle else title.value
                for text in {title.value, whole}:
                    found = [one.id for one in mirror.search(text, limit=3).records]
                    pasted += 1
                    if found[:1] != [record.id]:
                        missed.append((record.id, text, found))
    assert missed == []
    assert pasted > 80


def test_a_slip_in_a_query_without_hits_is_told(harvested: CommandLine) -> None:
    ran = harvested("search", "Lexicograhpie", "contrast*", "--format", "json")
    answer = json.loads(ran.out)
    assert answer["total"] == 0
    assert ran.code == 0
    assert "suggestion" not in answer  # that word with that beginning has no hits either
    ran = harvested("search", "impact", "social", "title:contratts")
    assert (ran.code, ran.out) == (0, "")
    assert "did you mean: impact social title:contrats" in ran.err
    ran = harvested("search", "qxzwvkj", "impact")
    assert "did you mean" not in ran.err


def test_the_table_shows_where_an_abstract_has_the_words(harvested: CommandLine) -> None:
    ran = harvested("search", "solidarité", "--limit", "1")
    lines = ran.out.splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("  ")
    assert "solidarité" in lines[2]
    assert "\x1b" not in ran.out  # no terminal: nothing is marked


@pytest.mark.parametrize(
    "asked",
    [
        "hal-04493396",
        "hal-04493396v1",
        "oai:HAL:hal-04493396v1",
        "https://hal.science/hal-04493396",
    ],
)
def test_search_finds_an_identifier_that_is_pasted(harvested: CommandLine, asked: str) -> None:
    assert harvested("search", asked, "--format", "ids").out == "hal-04493396v1\n"


def test_search_finds_a_doi_that_is_pasted(harvested: CommandLine) -> None:
    for asked in (
        "10.1016/j.engfracmech.2017.05.006",
        "https://doi.org/10.1016/j.engfracmech.2017.05.006",
    ):
        assert harvested("search", asked, "--format", "ids").out == "hal-02737739v1\n"


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("type:article", "type:ART"),
        ("lang:français", "lang:fr"),
        ("set:CNRS", "set:collection:CNRS"),
        ("social source:hla", "social source:hal"),
        ('creator:"laurent romary"', 'author:"laurent romary"'),
        ("année:2018 romary", "year:2018 romary"),
    ],
)
def test_search_names_the_field_or_value_that_was_meant(
    harvested: CommandLine, asked: str, meant: str
) -> None:
    ran = harvested("search", asked)
    assert ran.code == 0
    assert f"did you mean: {meant}\n" in ran.err
    assert harvested("search", meant, "--format", "ids").out != ""


def test_a_status_in_a_query_is_looked_for_in_every_record(harvested: CommandLine) -> None:
    everything = harvested("search", "status:all", "--limit", "0").err
    assert everything.startswith("73 hits")
    assert harvested("search", "NOT status:active", "--limit", "0").err.startswith("0 hits")
    assert harvested("search", "status:gone").code == 2


def test_search_filters_and_facets(harvested: CommandLine) -> None:
    ran = harvested("search", "--type", "THESE", "--type", "MEM", "--facets", "--format", "json")
    answer = json.loads(ran.out)
    assert list(answer) == ["total", "sort", "records", "facets", "next"]
    assert answer["total"] == 1
    assert answer["facets"]["type"] == {"MEM": 1}
    assert (
        json.loads(harvested("search", "--domain", "shs", "--format", "json").out)["total"]
        >= (
            json.loads(harvested("search", "--domain", "shs.socio", "--format", "json").out)[
                "total"
            ]
        )
    )
    assert harvested("search", "xyzzyqwerty").code == 0


def test_search_pages_by_cursor(harvested: CommandLine) -> None:
    seen: list[str] = []
    cursor: list[str] = []
    while True:
        answer = json.loads(
            harvested("search", "the", "--limit", "10", "--format", "json", *cursor).out
        )
        seen += [f"{one['id']}v{one['version']}" for one in answer["records"]]
        if answer["next"] is None:
            break
        cursor = ["--cursor", answer["next"]]
    assert len(seen) == len(set(seen)) == answer["total"]


def test_export_to_files(harvested: CommandLine, tmp_path: Path) -> None:
    plain = harvested("export", "--format", "jsonl").out.encode()
    for name, opened in (
        ("a.jsonl", lambda data: data),
        ("a.jsonl.gz", gzip.decompress),
        ("a.jsonl.zst", lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data)),
    ):
        ran = harvested("export", "--format", "jsonl", "--output", str(tmp_path / name))
        assert ran.code == 0, ran.err
        assert opened((tmp_path / name).read_bytes()) == plain
        assert "No commercial use" in ran.err
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.jsonl",
        "a.jsonl.gz",
        "a.jsonl.zst",
    ]
    lines = [json.loads(line) for line in plain.splitlines()]
    keys = [(one["source"], one["id"], one["version"]) for one in lines]
    assert keys == sorted(keys)


def test_export_of_dublin_core_is_one_well_formed_file(harvested: CommandLine) -> None:
    ran = harvested("export", "--format", "oai_dc")
    root = etree.fromstring(ran.out.encode())
    assert len(root.findall("{*}record")) == 73
    assert "No commercial use" in ran.out.splitlines()[1]


def test_an_export_that_cannot_be_written_leaves_nothing(
    harvested: CommandLine, tmp_path: Path
) -> None:
    ran = harvested("export", "--format", "jsonl", "--output", str(tmp_path / "no" / "a.jsonl"))
    assert ran.code == 1
    assert "cannot be written" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_status(harvested: CommandLine) -> None:
    status = json.loads(harvested("status", "--format", "json").out)
    assert status["records"] == {"active": 73, "deleted": 0, "withdrawn": 0, "superseded": 0}
    (source,) = status["sources"]
    assert source["name"] == "hal"
    assert source["announced"] == 73
    assert source["received"] == 73
    assert source["quarantined"] == 0
    assert source["open_windows"] == []
    assert source["last_success"].endswith("Z")
    assert harvested("status").code == 0
    assert harvested("status", "--check", "--max-age", "1h").code == 0
    assert harvested("status", "--check", "--max-age", "0").code == 1
    assert harvested("status", "--check", "--max-age", "soon").code == 2


def test_config_commands(harvested: CommandLine, tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    assert command("config", "init").code == 0
    assert command("config", "init").code == 2
    assert command("config", "check").code == 0
    assert "api.archives-ouvertes.fr" in command("config", "show").out
    (tmp_path / "config.toml").write_text('[[source]]\nname = "hal"\nbase_ulr = "https://x/"\n')
    ran = command("config", "check")
    assert ran.code == 2
    assert "base_ulr" in ran.err
    assert "base_url" in ran.err
    assert "3" in ran.err


@pytest.mark.parametrize(
    "arguments", [["--version"], ["show", "hal-04493396"], ["search", "impact"]], ids=str
)
def test_nothing_heavy_is_imported_to_read(harvested: CommandLine, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "halmirror", *arguments],
        cwd=harvested.folder,
        env=harvested.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert imported & {"click"}
    assert not imported & {"httpx", "sickle", "lxml", "pyarrow", "starlette", "jinja2", "rich"}


def test_the_example_of_the_api_runs(harvested: CommandLine) -> None:
    text = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
    example = text.split("```python\n")[1].split("```")[0]
    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=harvested.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first = done.stdout.splitlines()
    assert first[0] == "Les contrats à impact social : une menace pour la solidarité ?"
    assert first[1] == "active 2024-03-07"


def test_an_export_follows_links_and_leaves_pipes_and_devices_alone(
    harvested: CommandLine, tmp_path: Path
) -> None:
    target = tmp_path / "target.jsonl"
    link = tmp_path / "link.jsonl"
    link.symlink_to(target)
    assert harvested("export", "--format", "jsonl", "--output", str(link)).code == 0
    assert link.is_symlink()
    assert len(target.read_bytes().splitlines()) == 73
    assert harvested("export", "--format", "jsonl", "--output", "/dev/null").code == 0
    assert Path("/dev/null").is_char_device()


def test_cite_gives_hals_line_for_each_identifier(harvested: CommandLine) -> None:
    ran = harvested("cite", "hal-04493396")
    assert (ran.code, ran.out) == (0, f"{CITATION}\n")
    ran = harvested("cite", "-", "--style", "hal", stdin="nope\nhal-04493396v1\n")
    assert (ran.code, ran.out) == (3, f"{CITATION}\n")
    assert "nope: no such record" in ran.err
    assert harvested("cite", "nope").code == 1


def test_cite_in_an_unknown_style_lists_what_there_is(harvested: CommandLine) -> None:
    ran = harvested("cite", "hal-04493396", "--style", "bibble")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "halmirror: --style: there is no style 'bibble'; there are hal, apa, chicago-author-date, "
        "harvard, ieee, iso690, iso690-numeric, mla, vancouver, and any .csl file\n"
    )
