"""HAL's rules one by one, in both forms of its crosswalk."""

import pytest

from halmirror.crosswalks import crosswalk
from halmirror.oaipmh.source import Source
from halmirror.record import (
    Affiliation,
    Body,
    Classification,
    Container,
    Funding,
    Identifiers,
    Name,
    OtherIdentifier,
    Title,
    Value,
)

PAGE = "https://hal.science/hal-00000001"


def hal(*pairs: tuple[str, ...], told: list[tuple[int, str, str]] | None = None) -> Body:
    """The body of (element, text[, language]) values of hal-00000001v2."""
    sources = [Source(one[0], one[1], one[2] if len(one) > 2 else None) for one in pairs]
    trace = None if told is None else lambda *one: told.append(one)
    return crosswalk("oai_dc", "hal")(sources, "hal-00000001", 2, (), trace)


def test_the_archive_is_no_publisher() -> None:
    told: list[tuple[int, str, str]] = []
    body = hal(("publisher", "HAL CCSD"), ("publisher", "Elsevier"), told=told)
    assert body.publishers == ("Elsevier",)
    assert told == [
        (0, "archive", "dropped: the archive's own name"),
        (1, "publisher", "publishers[0]"),
    ]


@pytest.mark.parametrize("separator", [" : ", ": "])
@pytest.mark.parametrize("turned", [False, True])
def test_a_title_and_its_subtitle_are_one_title(separator: str, *, turned: bool) -> None:
    pair = [("title", "T", "en"), ("title", f"T{separator}S: s", "en")]
    told: list[tuple[int, str, str]] = []
    body = hal(*(reversed(pair) if turned else pair), ("title", "T", "fr"), told=told)
    assert body.titles == (Title("T", "S: s", "en"), Title("T", None, "fr"))
    assert (0 if turned else 1, "subtitle", "titles[0].subtitle") in told


def test_titles_that_only_look_alike_stay_apart() -> None:
    body = hal(("title", "A", "en"), ("title", "A : B", "fr"), ("title", "A:C", "en"))
    assert body.titles == (Title("A", None, "en"), Title("A : B", None, "fr"),
                           Title("A:C", None, "en"))  # fmt: skip


def test_a_second_subtitle_stays_a_title() -> None:
    body = hal(("title", "A"), ("title", "A : B"), ("title", "A : C"), ("title", "A : B"))
    assert body.titles == (Title("A", "B"), Title("A : C"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Pereira\n, \nRodrigo M.", Name("Pereira", "Rodrigo M.")),
        ("Relun, Anne, ", Name("Relun", "Anne")),
        ("Hasida\n, \nKoiti\n, \n", Name("Hasida", "Koiti")),
        ("Fillinger-David, Sabine, Helma, ", Name("Fillinger-David", "Sabine, Helma")),
        ("ATLAS Collaboration", Name(literal="ATLAS Collaboration")),
        ("Plato, ", Name("Plato")),
        (", Jean", Name(literal=", Jean")),
    ],
)
def test_creators(text: str, name: Name) -> None:
    assert hal(("creator", text)).creators == (name,)


def test_authors_of_one_name_are_two_authors() -> None:
    body = hal(("creator", "Wang, Wei"), ("creator", "Wang, Wei"))
    assert body.creators == (Name("Wang", "Wei"), Name("Wang", "Wei"))


def test_descriptions() -> None:
    body = hal(
        ("description", "\nInternational audience\n"),
        ("description", "Chapter 22"),
        ("description", "\n   An abstract\n  ", "eng"),
        ("description", "International audience"),
    )
    assert body.audience == "international"
    assert body.notes == ("Chapter 22",)
    assert body.abstracts == (Value("An abstract", "en"),)
    assert body.warnings == ()


def test_an_empty_language_makes_an_abstract_and_a_keyword_all_the_same() -> None:
    subjects = (("subject", "JEL : C1", ""), ("subject", "[A] b", ""))
    body = hal(("description", "About it", ""), *subjects)
    assert body.abstracts == (Value("About it"),)
    assert body.keywords == (Value("JEL : C1"), Value("[A] b"))
    assert body.notes == body.domains == body.classifications == ()


def test_an_acronym_is_a_laboratorys_only_among_the_laboratories() -> None:
    body = hal(
        ("title", "T", "en"),
        ("creator", "Family, Given"),
        ("contributor", "China Scholarship Council (CSC)"),
        ("source", "Proceedings"),
        ("contributor", "European Language Resources Association (ELRA)"),
        ("contributor", "Lab (ABC) ; Parent"),
    )
    assert body.affiliations == (
        Affiliation("China Scholarship Council", "CSC"),
        Affiliation("Lab", "ABC", ("Parent",)),
    )
    assert body.contributors == ("European Language Resources Association (ELRA)",)


def test_in_a_record_with_line_breaks_only_they_make_a_laboratory() -> None:
    body = hal(
        ("creator", "Family\n, \nGiven"),
        ("contributor", "A ; B\n (\nABC\n)\n\n ; \nParent"),
        ("contributor", "China Scholarship Council (CSC)"),
        ("contributor", "NSF ; NIH"),
    )
    assert body.affiliations == (Affiliation("A ; B", "ABC", ("Parent",)),)
    assert body.contributors == ("China Scholarship Council (CSC)", "NSF ; NIH")


def test_two_audiences_are_both_kept() -> None:
    body = hal(("description", "National audience"), ("description", "International audience"))
    assert body.audience == "national"
    assert body.notes == ("International audience",)
    assert body.warnings == ("audience: 'International audience' too; kept in notes",)


def test_sources_around_the_records_address() -> None:
    body = hal(
        ("source", "ISSN: \n1539-3755"),
        ("source", "EISSN: 1550-2376"),
        ("source", "Proceedings of C"),
        ("source", "C"),
        ("source", "Placenta"),
        ("source", PAGE),
        ("source", "C, Oct 2010, Santiago, Chile. pp.S81-S89"),
        ("source", "https://publisher.example/1"),
        ("source", "Lecture Notes"),
        ("source", "Another series"),
    )
    assert body.citation == "C, Oct 2010, Santiago, Chile. pp.S81-S89"
    assert body.landing_page == PAGE
    assert body.container == Container(
        title="Proceedings of C",
        series="Lecture Notes",
        pages="S81-S89",
        issn="1539-3755",
        eissn="1550-2376",
        conference="C",
        also=("Placenta", "Another series"),
        link="https://publisher.example/1",
    )


def test_the_title_right_before_a_place_is_the_conference() -> None:
    pairs = (("source", "J"), ("source", "C"), ("coverage", "Catania, Italy"))
    cited = (("source", PAGE), ("source", "J, 2017, 3"))
    assert hal(*pairs, *cited).container == Container(title="J", conference="C")
    elsewhere = hal(("source", "C"), ("coverage", "Catania, Italy"), ("source", "J"),
                    ("source", PAGE), ("source", "2017"))  # fmt: skip
    assert elsewhere.container == Container(title="C", also=("J",))
    own_place = hal(*pairs, ("type", "Maps"), *cited)
    assert own_place.container == Container(title="J", also=("C",))


def test_what_stands_between_citation_and_date_is_the_publishers_and_no_series() -> None:
    told: list[tuple[int, str, str]] = []
    body = hal(
        ("publisher", "A.D.B.S."),
        ("source", PAGE),
        ("source", "J, 2020"),
        ("source", "A.D.B.S."),
        ("source", "Another house"),
        ("date", "2020"),
        ("source", "Lecture Notes"),
        told=told,
    )
    assert body.container == Container(series="Lecture Notes", also=("Another house",))
    assert body.publishers == ("A.D.B.S.",)
    assert (3, "publisher's address", "repetition of publishers[0]") in told


def test_a_series_that_bears_the_publishers_name_is_a_series() -> None:
    body = hal(("publisher", "Vrin"), ("source", PAGE), ("source", "Vrin, 2020"),
               ("date", "2020"), ("source", "Vrin"))  # fmt: skip
    assert body.container == Container(series="Vrin")


def test_the_longest_cited_title_is_the_conference() -> None:
    citation = "ADSA-ASAS Joint Annual Meeting, Jul 2011"
    body = hal(("source", "ADSA-ASAS"), ("source", "ADSA-ASAS Joint Annual Meeting"),
               ("source", PAGE), ("source", citation))  # fmt: skip
    assert body.container == Container(
        title="ADSA-ASAS", conference="ADSA-ASAS Joint Annual Meeting"
    )


def test_without_the_records_address_no_source_is_a_citation() -> None:
    body = hal(("source", "J"), ("source", "J, 2012, 3 (4)"))
    assert body.citation is None
    assert body.container == Container(title="J", also=("J, 2012, 3 (4)",))


def test_a_wrong_or_further_issn_is_kept_under_other() -> None:
    body = hal(("source", "ISSN: 1539-3756"), ("source", "ISSN: 1539-3755"),
               ("source", "ISSN: 0013-7944"))  # fmt: skip
    assert body.container == Container(issn="1539-3755")
    assert body.identifiers == Identifiers(
        other=(
            OtherIdentifier(value="1539-3756", scheme="ISSN"),
            OtherIdentifier(value="0013-7944", scheme="ISSN"),
        )
    )
    assert body.warnings == (
        "container.issn: '1539-3756' fails its check; kept under other",
        "container.issn: '0013-7944' too; kept under other",
    )


@pytest.mark.parametrize("separator", ["\n : \n", " : ", ": ", ":"])
def test_identifiers_of_known_schemes(separator: str) -> None:
    pairs = (
        ("DOI", "10.1103/PhysRevE.87.033017"), ("ARXIV", "1303.0980"), ("PUBMED", "36439150"),
        ("NNT", "2013pa010612"), ("ISBN", "978-1-78374-841-9"), ("Report N°", "D 2.1"),
        ("Patent N°", "FR1234567"),
    )  # fmt: skip
    body = hal(*(("identifier", f"{scheme}{separator}{value}") for scheme, value in pairs))
    assert body.identifiers == Identifiers(
        doi=("10.1103/physreve.87.033017",),
        arxiv=("1303.0980",),
        pmid=("36439150",),
        nnt=("2013PA010612",),
        isbn=("9781783748419",),
        report=("D 2.1",),
        patent=("FR1234567",),
    )


def test_identifiers_of_other_schemes_and_wrong_ones() -> None:
    body = hal(
        ("identifier", "WOS : 000413575100009"),
        ("identifier", "SWH: swh:1:rev:f202e6b3543e7c3c14250b038e236868671d8d10"),
        ("identifier", "swh:1:rev:f202e6b3543e7c3c14250b038e236868671d8d10"),
        ("identifier", "DOI : 10.nonsense"),
        ("identifier", "hal-99999999"),
    )
    assert body.identifiers == Identifiers(
        other=(
            OtherIdentifier(scheme="WOS", value="000413575100009"),
            OtherIdentifier(
                scheme="SWH", value="swh:1:rev:f202e6b3543e7c3c14250b038e236868671d8d10"
            ),
            OtherIdentifier(value="swh:1:rev:f202e6b3543e7c3c14250b038e236868671d8d10"),
            OtherIdentifier(scheme="DOI", value="10.nonsense"),
            OtherIdentifier(value="hal-99999999"),
        )
    )
    assert body.warnings == ("identifiers.doi: '10.nonsense' fails its check; kept under other",)


def test_a_doi_given_twice_is_one() -> None:
    told: list[tuple[int, str, str]] = []
    body = hal(
        ("identifier", "DOI: 10.1000/ABC"),
        ("relation", "info:eu-repo/semantics/altIdentifier/doi/10.1000/abc"),
        told=told,
    )
    assert body.identifiers == Identifiers(doi=("10.1000/abc",))
    assert told[1] == (1, "identifier", "repetition of identifiers.doi[0]")


def test_addresses() -> None:
    files = (
        f"{PAGE}v2/document",
        f"{PAGE}/file/x.pdf",
        "http://hal.archives-ouvertes.fr/docs/00/12/34/56/PDF/x.pdf",
    )
    body = hal(
        ("identifier", "hal-00000001"),
        ("identifier", "hal-00000001v2"),
        ("identifier", PAGE),
        *(("identifier", one) for one in files),
        ("identifier", "http://hal.archives-ouvertes.fr/hal-00000001/fr/"),
        ("identifier", "https://example.org/else"),
    )
    assert body.landing_page == PAGE
    assert body.files == files
    assert body.access == "restricted"
    assert body.identifiers == Identifiers(
        other=(
            OtherIdentifier(value="http://hal.archives-ouvertes.fr/hal-00000001/fr/"),
            OtherIdentifier(value="https://example.org/else"),
        )
    )


@pytest.mark.parametrize(
    "address",
    [
        "https://hal.science/hal-000000012",
        "https://hal.science/xhal-00000001",
        "https://hal.science/a/b/hal-00000001",
        "https:///hal-00000001",
        "ftp://hal.science/hal-00000001",
        "https://hal.science/hal-00000001 (old)",
        "https://hal-00000001",
        "https://hal.science/hal-00000009",
    ],
)
def test_an_address_that_only_looks_like_the_records_is_another_identifier(address: str) -> None:
    body = hal(("identifier", PAGE), ("identifier", f"{PAGE}/document"), ("identifier", address))
    assert (body.landing_page, body.files) == (PAGE, (f"{PAGE}/document",))
    assert body.identifiers is not None
    (other,) = body.identifiers.other
    assert f"{other.scheme or ''}:{other.value}".endswith(address.partition(":")[2])


@pytest.mark.parametrize(
    ("address", "is_page"),
    [
        ("https://shs.hal.science/hal-00000001/", True),
        ("http://hal.archives-ouvertes.fr/HAL-00000001v2", True),
        ("https://hal.science/portal/hal-00000001", True),
        ("https://hal.science/ccsd-00000001#abstract", True),
        ("https://hal.science/hal-00000001v1/file/x.pdf?download=1", False),
    ],
)
def test_every_form_of_the_records_address_is_known(address: str, *, is_page: bool) -> None:
    body = hal(("identifier", PAGE), ("identifier", address))
    assert body.landing_page == PAGE
    if is_page:
        assert body.files == ()
        assert body.identifiers == Identifiers(other=(OtherIdentifier(value=address),))
    else:
        assert body.files == (address,)


@pytest.mark.parametrize("term", ["OpenAccess", "openAccess"])
def test_access(term: str) -> None:
    said = ("rights", f"info:eu-repo/semantics/{term}")
    assert hal(said, ("identifier", f"{PAGE}/document")).access == "open"
    assert hal(("identifier", f"{PAGE}/document")).access == "restricted"
    assert hal().access == "metadata-only"
    contradiction = hal(said)
    assert contradiction.access == "metadata-only"
    assert contradiction.notes == (f"info:eu-repo/semantics/{term}",)
    assert len(contradiction.warnings) == 1


def test_rights() -> None:
    first, second = "http://creativecommons.org/licenses/by/", "http://example.org/licence"
    body = hal(("rights", first), ("rights", second), ("rights", "All rights reserved"))
    assert (body.licence, body.licence_url) == ("CC-BY", first)
    assert body.notes == (second, "All rights reserved")


@pytest.mark.parametrize(
    "text",
    [
        "\n[\nSHS.HIST\n] \nHumanities and Social Sciences/History",
        "[SHS.HIST]Humanities and Social Sciences/History",
    ],
)
def test_a_domain_with_hals_label(text: str) -> None:
    body = hal(("subject", text))
    assert body.domains == ("shs.hist",)
    assert body.classifications == ()


@pytest.mark.parametrize(
    ("text", "code", "kept"),
    [
        ("[\nSDV.BC\n] \nLife Sciences/Cellular Biology", "sdv.bc",
         "[SDV.BC] Life Sciences/Cellular Biology"),
        ("[INFO:INFO_CR] Computer Science/Cryptography", "info.info-cr",
         "[INFO:INFO_CR] Computer Science/Cryptography"),
        ("[SHS.INFO.DOCU]Library/domain_shs.info.docu", "shs.info.docu",
         "[SHS.INFO.DOCU] Library/domain_shs.info.docu"),
        ("[SHS]", "shs", "[SHS]"),
    ],
)  # fmt: skip
def test_a_domain_with_another_label_keeps_it(text: str, code: str, kept: str) -> None:
    body = hal(("subject", text))
    assert body.domains == (code,)
    assert body.classifications == (Classification(scheme="HAL", value=kept),)


def test_subjects_that_are_no_domains() -> None:
    body = hal(
        ("subject", "MESH : Dermatitis, Atopic"),
        ("subject", "JEL: E - Macroeconomics"),
        ("subject", "[SHS] as a keyword", "en"),
        ("subject", "68T05"),
        ("subject", "BERT", "en"),
        ("subject", "BERT", "fr"),
        ("subject", "BERT", "fr"),
    )
    assert body.classifications == (
        Classification(scheme="MESH", value="Dermatitis, Atopic"),
        Classification(scheme="JEL", value="E - Macroeconomics"),
    )
    assert body.domains == ()
    assert body.keywords == (Value("[SHS] as a keyword", "en"), Value("68T05"),
                             Value("BERT", "en"), Value("BERT", "fr"))  # fmt: skip


def test_one_project_named_twice_is_one_entry() -> None:
    told: list[tuple[int, str, str]] = []
    body = hal(
        ("contributor", "European Project : \n"),
        ("contributor", "European Project : \n654119,H2020 X,H2020-Y-1,PAR\n(\n2015\n)\n"),
        ("relation", "info:eu-repo/grantAgreement/\n\n/\n654119\n/EU\n\n/\nTitle\n/\nPAR"),
        told=told,
    )
    assert body.funding == (
        Funding("EC", "H2020 X", "654119", "PAR", "Title", "H2020-Y-1", "2015"),
    )
    assert told == [
        (0, "project", "dropped: a project's label without a project"),
        (1, "project", "funding[0]"),
        (2, "grant agreement", "funding[0]"),
    ]


def test_dates() -> None:
    lone = hal(("date", "2018-13"))
    assert (lone.date, lone.year) == ("2018-13", None)
    assert lone.warnings == ("date: '2018-13' is no date; kept as given",)
    several = hal(("date", "in press"), ("date", "2018-03"), ("date", "2019"), ("date", "2018-03"))
    assert (several.date, several.year) == ("2018-03", 2018)
    assert several.notes == ("in press", "2019")
    assert len(several.warnings) == 2


def test_languages_coverage_and_what_has_no_rule() -> None:
    body = hal(
        ("language", "eng"),
        ("language", ""),
        ("language", "Klingonish"),
        ("coverage", "Las Palmas, Iles Canaries , Spain"),
        ("format", "application/pdf"),
        ("relation", "https://example.org/data"),
        ("{urn:x}y", "foreign"),
    )
    assert body.languages == ("en", "Klingonish")
    assert body.coverage == ("Las Palmas, Iles Canaries, Spain",)
    assert body.notes == ("application/pdf", "https://example.org/data", "foreign")
    assert body.warnings == (
        "languages: 'Klingonish' is no language tag; kept as given",
        "element 'format' has no rule; kept in notes",
        "element '{urn:x}y' has no rule; kept in notes",
    )
