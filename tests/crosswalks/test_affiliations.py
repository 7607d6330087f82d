import pytest

from halmirror.crosswalks.affiliations import affiliation, affiliation_by_breaks
from halmirror.crosswalks.text import clean
from halmirror.record import Affiliation

SPLIT = [
    ("Lab ; Parent", Affiliation("Lab", None, ("Parent",))),
    ("Lab (ABC) ; P (A)-Q (B)", Affiliation("Lab", "ABC", ("P (A)", "Q (B)"))),
    ("Lab ( ABC ) ; P ( A ) -Q ( B )", Affiliation("Lab", "ABC", ("P (A)", "Q (B)"))),
    ("Lab (ABC) ; P (A)-Q", Affiliation("Lab", "ABC", ("P (A)-Q",))),
    ("Lab (ABC) ; P (A) ; Q (B)-R (C)", Affiliation("Lab", "ABC", ("P (A) ; Q (B)-R (C)",))),
    ("Lab (UMR 8539) (LMD) ; P", Affiliation("Lab (UMR 8539)", "LMD", ("P",))),
    ("Géo (GC (UMR_8504)) ; P (A)", Affiliation("Géo", "GC (UMR_8504)", ("P (A)",))),
    ("Lab ; P (A (B)-C)-Q (D)", Affiliation("Lab", None, ("P (A (B)-C)-Q (D)",))),
    ("Lab ; P ( A ) - not a join (B)", Affiliation("Lab", None, ("P (A) - not a join (B)",))),
    ("China Scholarship Council (CSC)", Affiliation("China Scholarship Council", "CSC")),
    ("Austrian Academy of Sciences (OeAW)", Affiliation("Austrian Academy of Sciences", "OeAW")),
    (
        "Institut National de Recherche en Informatique et en Automatique (Inria)",
        Affiliation("Institut National de Recherche en Informatique et en Automatique", "Inria"),
    ),
    ("Praxiling UMR 5267 ( Praxiling )", Affiliation("Praxiling UMR 5267", "Praxiling")),
]


@pytest.mark.parametrize(("text", "expected"), SPLIT)
def test_affiliations(text: str, expected: Affiliation) -> None:
    assert affiliation(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "DARIAH",
        "Benzitoun, Christophe",
        "Marie Curie (dir.)",
        "Marie Curie (Varsovie)",
        "ASDA-ASAS (ASDA-ASAS). USA.",
        "University of Oxford [Oxford]",
        "DGPR (Direction Générale de la Prévention des Risques - Ministère de la Transition)",
        "Foo(BAR)",
        "(ABC)",
        "Foo ()",
        "a)",
    ],
)
def test_what_is_no_affiliation(text: str) -> None:
    assert affiliation(text) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            "Analyse ; Processing\n (\nALPAGE\n)\n\n ; \nU\n (\nUPD7\n)\n-Paris\n ; \nInria",
            Affiliation("Analyse ; Processing", "ALPAGE", ("U (UPD7)-Paris ; Inria",)),
        ),
        ("Genclis SAS\n ; \nGenclis SAS", Affiliation("Genclis SAS", None, ("Genclis SAS",))),
        ("Lab (UMR 1)\n (\nABC \n)\n", Affiliation("Lab (UMR 1)", "ABC")),
        ("R&amp;D\n (\nFT R&amp;D\n)\n", Affiliation("R&D", "FT R&D")),
        ("China Scholarship Council (CSC)", None),
        ("National Science Foundation ; Ministry of Health", None),
        ("DARIAH", None),
    ],
)
def test_line_breaks_tell_hals_marks_from_those_of_a_name(
    given: str, expected: Affiliation | None
) -> None:
    assert affiliation_by_breaks(clean(given), given) == expected
