import pytest

from halmirror.crosswalks.funding import collect, grant, joined, project
from halmirror.record import Funding


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "ANR-18-CE38-0003,BASNUM,Le dictionnaire: lexicographie, réseaux ( 2018 )",
            Funding("ANR", None, "ANR-18-CE38-0003", "BASNUM",
                    "Le dictionnaire: lexicographie, réseaux", None, "2018"),
        ),
        ("ANR-11-LABX-0039-01,X", Funding("ANR", None, "ANR-11-LABX-0039-01", "X")),
        ("ANR-10-BLAN-0101", Funding("ANR", None, "ANR-10-BLAN-0101")),
        ("ANR : un projet (2018)", Funding("ANR", title="un projet (2018)")),
        ("ANR-foo bar", Funding("ANR", title="ANR-foo bar")),
        ("ANR :", Funding("ANR")),
        ("ANRS (Agence nationale de recherche)", None),
        ("ANR project X", None),
        ("European Project :", Funding("EC")),
        ("European Project : QLK5-CT-2000-00960,OAKFLOW",
         Funding("EC", None, "QLK5-CT-2000-00960", "OAKFLOW")),
        ("European Project : ECP-2007-DILI-537003,PEER ( 2008 )",
         Funding("EC", None, "ECP-2007-DILI-537003", "PEER", None, None, "2008")),
        (
            "European Project: 654119,H2020 Pilier Excellent Science,H2020-INFRADEV-1,P(2015)",
            Funding("EC", "H2020 Pilier Excellent Science", "654119", "P", None,
                    "H2020-INFRADEV-1", "2015"),
        ),
        ("European Project : 1,FP7,A", Funding("EC", "FP7", "1", "A")),
        ("European Project : 1,FP7-ICT-2009-5,A",
         Funding("EC", None, "1", "A", None, "FP7-ICT-2009-5")),
        ("DARIAH", None),
    ],
)  # fmt: skip
def test_projects_in_contributors(text: str, expected: Funding | None) -> None:
    assert project(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("info:eu-repo/grantAgreement/EC/FP7/246561/EU/A/B title/ACR",
         Funding("EC", "FP7", "246561", "ACR", "A/B title")),
        ("info:eu-repo/grantAgreement/ / 654119 /EU / Pooling / PARTHENOS",
         Funding("EC", None, "654119", "PARTHENOS", "Pooling")),
        ("info:eu-repo/grantAgreement//H2020/1/EU/T/A", Funding("EC", "H2020", "1", "A", "T")),
        ("info:eu-repo/grantAgreement/EC/FP7/246561", Funding("EC", "FP7", "246561")),
        ("info:eu-repo/grantAgreement/EC/FP7/246561/EU", Funding("EC", "FP7", "246561")),
        ("info:eu-repo/grantAgreement/EC", None),
        ("info:eu-repo/grantAgreement/EC/FP7//EU/T/A", None),
        ("https://example.org", None),
    ],
)  # fmt: skip
def test_grants_in_relations(text: str, expected: Funding | None) -> None:
    assert grant(text) == expected


def test_a_grant_fills_in_what_the_contributor_leaves_out() -> None:
    named = Funding("EC", "H2020 Pilier Excellent Science", "1", "A", None, "CALL", "2015")
    granted = Funding("EC", "H2020", "1", "A", "Title")
    one = Funding("EC", "H2020 Pilier Excellent Science", "1", "A", "Title", "CALL", "2015")
    assert joined(named, granted) == one
    assert collect([named, granted, named]) == ([one], [(0, False), (0, False), (0, True)])


def test_contradicting_entries_stay_apart() -> None:
    first, second = Funding("EC", None, "1", "A"), Funding("EC", None, "1", "B")
    assert collect([first, second]) == ([first, second], [(0, False), (1, False)])
    assert joined(Funding("EC", None, "1"), Funding("ANR", None, "1")) is None
