"""Citations in the styles of the CSL project, through citeproc-py."""

from pathlib import Path

import pytest
from lxml import etree

from conftest import CommandLine
from export.any_records import made
from export.test_references import ARTICLE
from halmirror.errors import OutputError, UsageError
from halmirror.export import csl
from halmirror.export.csl import cite, styles
from halmirror.record import Record
from recorded_records import recorded_records

CSL = "{http://purl.org/net/xbiblio/csl}"
FOLDER = Path(csl.__file__).parent / "styles"


@pytest.fixture(scope="module")
def record() -> Record:
    return recorded_records()["hal-04493396v1"]


STYLED = dict(
    line.split("\t")
    for line in (Path(__file__).parent / "styled.tsv").read_text(encoding="utf-8").splitlines()
)
"""What each style makes of hal-04493396."""


@pytest.mark.parametrize(("style", "line"), STYLED.items())
def test_a_record_in_each_bundled_style(record: Record, style: str, line: str) -> None:
    assert cite(record, style, "en") == line


def test_every_bundled_style_is_tried_above() -> None:
    assert styles() == tuple(STYLED)


def test_the_interfaces_language_where_the_style_leaves_it_open(record: Record) -> None:
    assert "« Les contrats à impact social" in cite(record, "chicago-author-date", "fr")
    assert "[en ligne]" in cite(record, "iso690", "en")


def test_volume_issue_pages_and_doi_are_in_a_citation() -> None:
    assert cite(ARTICLE, "apa", "en") == (
        "Alix, J.-S., & LHCb Collaboration. (2018). Un essai & plus : le sous-titre. La vie des "
        "idées, 12(3), 1–20. https://doi.org/10.1103/PhysRevE.87.033017"
    )


@pytest.mark.parametrize("style", styles())
def test_every_recorded_record_can_be_cited(style: str) -> None:
    for one in recorded_records().values():
        line = cite(one, style, "en")
        first = one.body.creators[0]
        family = (first.family or first.literal or "").split()[0]
        assert family.lower() in line.lower()
        # MLA has the date of a lecture's event, which Dublin Core does not tell.
        assert str(one.body.year) in line or (style, one.body.type.hal) == ("mla", "LECTURE")
        assert "\n" not in line


@pytest.mark.parametrize("style", ["apa", "mla", "iso690"])
def test_any_record_is_cited_or_named_in_an_error(style: str) -> None:
    told = []
    for number in range(60):
        try:
            assert "\n" not in cite(made(number), style, "en")
        except OutputError as error:
            told.append(str(error))
    assert all("hal always does" in one for one in told)
    assert len(told) < 6


def test_a_style_from_a_file(record: Record, tmp_path: Path) -> None:
    path = tmp_path / "my own.csl"
    path.write_bytes((FOLDER / "apa.csl").read_bytes())
    csl.check(str(path))
    assert cite(record, str(path), "en") == cite(record, "apa", "en")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no XML", "cannot be used as a style"),
        ('<style xmlns="http://purl.org/net/xbiblio/csl" version="1.0"/>', "no list of references"),
        ("<html/>", "cannot be used as a style|no list of references"),
    ],
)
def test_a_file_that_is_no_style(record: Record, tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "bad.csl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=told):
        cite(record, str(path), "en")


@pytest.mark.parametrize("style", ["bibble", "../apa", "/etc/passwd", "missing.csl"])
def test_an_unknown_style_is_told_with_those_there_are(style: str) -> None:
    with pytest.raises(UsageError, match=r"there are hal, apa, .*vancouver, and any \.csl file"):
        csl.check(style)


def test_each_file_names_its_authors_and_licence_and_the_note_names_each_file() -> None:
    note = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert "https://citationstyles.org/" in note
    assert "Attribution-ShareAlike 3.0" in note
    for style in styles():
        root = etree.parse(FOLDER / f"{style}.csl").getroot()
        rights = root.find(f"{CSL}info/{CSL}rights")
        assert rights is not None
        assert rights.get("license") == "http://creativecommons.org/licenses/by-sa/3.0/"
        assert root.find(f".//{CSL}author/{CSL}name") is not None
        identifier = root.findtext(f"{CSL}info/{CSL}id", "").rpartition("/")[2]
        assert f"| `{style}.csl` | `{identifier}`" in note


def test_the_help_names_every_style(harvested: CommandLine) -> None:
    text = " ".join(harvested("cite", "--help").out.split())
    assert f"hal, {', '.join(styles())}, or a file" in text
