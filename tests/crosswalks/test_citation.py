"""The citation is HAL's own, for every record whose citation HAL has published."""

import csv
from pathlib import Path

import pytest

from crosswalks.recorded_values import PAGES, recorded
from halmirror.crosswalks import crosswalk
from halmirror.crosswalks.citation_parts import Parts, article_parts, page_range

TAILS = Path(__file__).resolve().parents[1] / "data" / "hal-exports" / "citation-tails.tsv"
BRACKETS = str.maketrans("〈〉<>", "⟨⟩⟨⟩")


def tails() -> dict[str, str]:
    with TAILS.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["id"]: row["citation_tail"].translate(BRACKETS) for row in rows}


def test_citation_is_hals_tail_for_all_that_are_known() -> None:
    known = tails()
    convert = crosswalk("oai_dc", "hal")
    ours = {
        one.id: (convert(one.values, one.id, one.version, one.sets, None).citation or "")
        for one in recorded(*PAGES)
        if one.id in known
    }
    assert len(ours) == 72
    assert {key: text.translate(BRACKETS) for key, text in ours.items()} == known


@pytest.mark.parametrize(
    ("citation", "journal", "publishers", "expected"),
    [
        ("J, Elsevier, 2015, 589 (2), pp.193 - 200. ⟨10.1/x⟩", "J", ["Elsevier"],
         Parts("589", "2", "193 - 200")),
        ("J, 2022, 13, pp.1002629. ⟨10.3389/x⟩", "J", ["Frontiers"], Parts("13", None, "1002629")),
        ("J, 2023, 32, p. 210-219", "J", [], Parts("32", None, "210-219")),
        ("J, 1990, 170, pp 37-45", "J", [], Parts("170", None, "37-45")),
        ("J, P, 2009, pp.131-136", "J", ["P"], Parts(None, None, "131-136")),
        ("J, A; B, 2009, XIV (3), pp.iv-x", "J", ["A", "B"], Parts()),
        ("J, A; B, 2009, XIV (3)", "J", ["A", "B"], Parts("XIV", "3", None)),
        ("J, ERCIM, 1998, 33", "J", ["ERCIM"], Parts("33", None, None)),
        ("J, 2012, (4), pp.1-2. http://x.org/1. ⟨10.1/x⟩", "J", [], Parts(None, "4", "1-2")),
        ("J, 2012, ⟨10.1/x⟩", "J", [], Parts()),
        ("J, 2018", "J", [], Parts()),
        ("J, 2020, Oralités contestataires, Hors-Série, pp.91-99", "J", [], Parts()),
        ("J, 2014, 4, 1301612, 11 p. ⟨10.1/x⟩", "J", [], Parts()),
        ("J, 2019, Begriffssysteme und ihre Darstellung, 19 (2)", "J", [], Parts("19", "2")),
        ("J, 2019, Titel, 19 (2-3), pp.1-9. ⟨10.1/x⟩", "J", [], Parts("19", "2-3", "1-9")),
        ("J, 2019, Série 19 (2)", "J", [], Parts()),
        ("J, 2019, Titel, 19 (special)", "J", [], Parts()),
        ("J, Unknown House, 2019, 19 (2)", "J", [], Parts()),
        ("J, In press, 19 (2)", "J", [], Parts()),
        ("J, 2022, 23p", "J", [], Parts()),
        ("K, 2019, 19 (2)", "J", [], Parts()),
        ("2019, 19 (2)", None, [], Parts()),
    ],
)  # fmt: skip
def test_article_parts_are_read_only_where_each_has_its_place(
    citation: str, journal: str | None, publishers: list[str], expected: Parts
) -> None:
    assert article_parts(citation, journal, publishers) == expected


@pytest.mark.parametrize(
    ("citation", "container", "pages"),
    [
        ("C, Jun 2020, Nancy, France. pp.54-65", "C", "54-65"),
        ("C, Oct 2010, Santiago, Chile. pp.S81-S89, ⟨10.1016/j⟩", "C", "S81-S89"),
        (
            "C, Jun 2014, Cherbourg, France. 8509, pp.151-160, 2014, LNCS. 〈10.1/x〉",
            "C",
            "151-160",
        ),
        ("E. Book, Roma, Viella, pp.245-266, 2011, I libri, 128", "Book", "245-266"),
        ("C pp.1-9, 2011, Paris. pp.3-4", "C pp.1-9", "3-4"),
        ("C, Jul 2011, New Orleans, United States. pp.471", "C", None),
        ("Editions de L'Herne, pp.220, 1992", None, None),
        ("C, 2004, Lisbonne, Portugal. 4 p", "C", None),
        ("2022, 23p", None, None),
        ("C. pp.1-2, pp.3-4", "C", None),
    ],
)
def test_page_range_is_read_where_there_is_one(
    citation: str, container: str | None, pages: str | None
) -> None:
    assert page_range(citation, container) == Parts(pages=pages)
