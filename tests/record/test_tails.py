"""The short citation of each document type, built from parts, beside what HAL wrote."""

from pathlib import Path

import msgspec
import pytest

from halmirror.record import Body, Container, DocumentType, Identifiers, OtherIdentifier
from halmirror.record.citation import tail
from recorded_records import recorded_records

CITATIONS = Path(__file__).parent.parent / "data" / "hal-exports" / "citations.txt"


def of(kind: str | None, date: str, **parts: object) -> Body:
    known = DocumentType(hal=kind) if kind else None
    return Body(type=known, date=date, year=int(date[:4]), **parts)


def container(title: str | None = None, **parts: str) -> Container:
    return Container(title=title, **parts)


def doi(value: str) -> Identifiers:
    return Identifiers(doi=(value,))


ARTICLE = "Applied Mathematics Letters"
ORCA = "2nd International Workshop on Vocal Interactivity in-and-between Humans, Animals and Robots"

# The expected lines are HAL's own (tests/data/hal-exports), as far as the parts can give them.
WRITTEN_BY_HAL = [
    (
        of("ART", "2008", container=container(ARTICLE, volume="21", issue="2", pages="128-133"),
           publishers=("Elsevier",)),
        "Applied Mathematics Letters, Elsevier, 2008, 21 (2), pp.128-133",
    ),
    (
        of("ART", "2015", container=container("Mechanics, Materials Science & Engineering Journal"),
           identifiers=doi("10.13140/RG.2.1.3257.1928")),
        "Mechanics, Materials Science & Engineering Journal, 2015, ⟨10.13140/RG.2.1.3257.1928⟩",
    ),
    (
        of("ART", "2016", identifiers=doi("10.1111/cgf.12820"), publishers=("Wiley",),
           container=container("Computer Graphics Forum", series="Proc. EUROGRAPHICS 2016",
                               volume="35", issue="2", pages="165-175")),
        ("Computer Graphics Forum, Wiley, 2016, Proc. EUROGRAPHICS 2016, 35 (2), pp.165-175. "
        "⟨10.1111/cgf.12820⟩"),
    ),
    (
        of("COMM", "2024-05-06", coverage=("Philadelphia, United States",),
           container=container(
               "ICFEC 2024 - 8th IEEE International Conference on Fog and Edge Computing",
               pages="1-8")),
        ("ICFEC 2024 - 8th IEEE International Conference on Fog and Edge Computing, May 2024, "
        "Philadelphia, United States. pp.1-8"),
    ),
    (
        of("COMM", "2019-08", coverage=("Londres, United Kingdom",), container=container(ORCA),
           identifiers=doi("10.7287/peerj.preprints.27979v1")),
        f"{ORCA}, Aug 2019, Londres, United Kingdom. ⟨10.7287/peerj.preprints.27979v1⟩",
    ),
    (
        of("COMM", "2019-10-01", coverage=("Lyon, France",),
           identifiers=doi("10.1109/SRDS.2019.00032"),
           container=container("Proceedings", pages="1-10", conference="SRDS 2019 - 38th IEEE "
                               "International Symposium on Reliable Distributed Systems")),
        ("SRDS 2019 - 38th IEEE International Symposium on Reliable Distributed Systems, Oct 2019, "
        "Lyon, France. pp.1-10, ⟨10.1109/SRDS.2019.00032⟩"),
    ),
    (
        of("POSTER", "2019-05-15", coverage=("Varsovie, Poland",),
           container=container("DARIAH Annual Event")),
        "DARIAH Annual Event, May 2019, Varsovie, Poland",
    ),
    (
        of("SOFTWARE", "2015", identifiers=Identifiers(other=(OtherIdentifier(
            scheme="SWHID", value="swh:1:dir:8ea716c0d9e69527a5f50378bf135c5952b1a229"),))),
        "2015, ⟨swh:1:dir:8ea716c0d9e69527a5f50378bf135c5952b1a229⟩",
    ),
    (of("UNDEFINED", "2012-01-05"), "2012"),
]  # fmt: skip

# What HAL writes between these parts (editors, institutions, kinds of report) is not in the parts.
BY_HALS_PATTERN = [
    (
        of("COUV", "2020-02", publishers=("Open Book Publishers",),
           container=container("Digital Technology", pages="49-80"),
           identifiers=Identifiers(isbn=("9781783748419",), doi=("10.11647/obp.0192.03",))),
        ("Digital Technology, Open Book Publishers, pp.49-80, 2020, 9781783748419. "
        "⟨10.11647/obp.0192.03⟩"),
    ),
    (
        of("COUV", "2012", publishers=("Presses des Mines", "École des mines"),
           container=container("Remettre la raison en chantier", pages="149"),
           identifiers=doi("10.1000/x")),
        ("Remettre la raison en chantier, Presses des Mines; École des mines, pp.149, 2012, "
        "⟨10.1000/x⟩"),
    ),
    (
        of("OUV", "1992", publishers=("Editions de L'Herne",),
           container=container(pages="220", series="Cahiers")),
        "Editions de L'Herne, pp.220, 1992, Cahiers",
    ),
    (
        of("DOUV", "2016-07", coverage=("Darmstadt, Germany",), publishers=("Springer",),
           container=container("Trust Management", pages="1-200")),
        "Trust Management, Jul 2016, Darmstadt, Germany. Springer, pp.1-200",
    ),
    (of("DOUV", "2016-07", publishers=("Springer",)), "Springer, 2016"),
    (
        of("REPORT", "1998", identifiers=Identifiers(report=("RR-3336",)),
           container=container(pages="16")),
        "RR-3336. 1998, pp.16",
    ),
    (
        of("THESE", "2013-04-23", domains=("shs.hist", "shs"), languages=("fr",),
           identifiers=Identifiers(nnt=("2013PA010612",))),
        "Histoire. 2013. Français. ⟨NNT : 2013PA010612⟩",
    ),
    (
        of("THESE", "2023", domains=("info.info-dc",), languages=("en",)),
        "Distributed, Parallel, and Cluster Computing [cs.DC]. 2023. English",
    ),
    (of("HDR", "2011", domains=("shs.hist",), languages=("en",)), "History. 2011"),
    (of("MEM", "2015", domains=("shs.hist",), languages=("fr",)), "Histoire. 2015"),
    (
        of("PATENT", "2009", coverage=("France",), identifiers=Identifiers(patent=("FR2930000",))),
        "France, Patent n° : FR2930000. 2009",
    ),
    (of("LECTURE", "2018", coverage=("Iran",)), "Iran. 2018"),
    (
        of("IMG", "2022", coverage=("Région du Cap-Oriental, South Africa",)),
        "Région du Cap-Oriental, South Africa. 2022",
    ),
    (of("VIDEO", "2019-07"), "2019"),
    (of("OTHER", "2009", container=container(pages="80"), identifiers=doi("10.1000/y")),
     "2009, pp.80. ⟨10.1000/y⟩"),
    (of(None, "2004", container=container("J"), identifiers=doi("10.1000/z")),
     "J, 2004, ⟨10.1000/z⟩"),
    (Body(), ""),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), WRITTEN_BY_HAL + BY_HALS_PATTERN)
def test_each_type_has_hals_pattern(body: Body, expected: str) -> None:
    assert tail(body) == expected


def test_what_is_called_hals_stands_in_its_lines() -> None:
    tails = CITATIONS.with_name("citation-tails.tsv").read_text(encoding="utf-8")
    written = f"{CITATIONS.read_text(encoding='utf-8')}{tails}".replace("〈", "⟨").replace(
        "〉", "⟩"
    )
    assert [line for _, line in WRITTEN_BY_HAL if line not in written] == []


def test_every_line_that_hal_wrote_stays_as_it_is() -> None:
    lines = CITATIONS.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 102
    for line in lines:
        whole = line.partition("\t")[2].replace("〈", "⟨").replace("〉", "⟩")
        written, _, last = whole.rpartition(". ⟨")
        assert last.endswith("⟩")
        assert tail(Body(citation=written)) == written


def test_recorded_conferences_come_out_as_hal_wrote_them_without_its_line() -> None:
    """Of those with a place and a month that have no organizer, editor or uncertain pages."""
    names = (
        "cea-00991452v1", "emse-01079698v1", "hal-02264033v1", "hal-02272978v1", "hal-02617950v2",
        "hal-02618067v1", "hal-02272962v1", "hal-02974946v1", "inria-00101016v1",
        "inria-00544997v1", "inria-00100200v1", "hal-01873805v1", "hal-02151788v1",
    )  # fmt: skip
    for name in names:
        body = recorded_records()[name].body
        assert tail(msgspec.structs.replace(body, citation=None)) == tail(body)
