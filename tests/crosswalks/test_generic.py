"""Everyone else's records: typed from their XML, and nothing of any of them lost."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswalks.golden_records import golden
from crosswalks.inverses import squeezed, undone
from crosswalks.other_repositories import Recorded, everything
from halmirror.crosswalks import crosswalk
from halmirror.oaipmh.source import Source
from halmirror.record import Head, Record

RECORDS = everything()
COAR = "http://purl.org/coar/resource_type/"
OPEN = "info:eu-repo/semantics/openAccess"
LANGUAGES = {
    "English": "en", "english": "en", "eng": "en", "EN": "en", "en_US": "en-US", "ara": "ar",
    "nor": "no", "dan": "da", "ger": "de", "Japanese": "ja", "Russian": "ru", "Chinese": "zh",
    "jpn": "ja", "rus": "ru", "chi": "zh", "fre": "fr", "dut": "nl", "spa": "es", "por": "pt",
    "tam": "ta", "oty": "oty", "uzb": "uz", "GE": "GE", "other": "other",
}  # fmt: skip


def normalised(source: Recorded) -> tuple[dict[str, Any], list[tuple[int, str, str]]]:
    told: list[tuple[int, str, str]] = []
    body = crosswalk("oai_dc", "generic")(
        source.values, source.oai_identifier, None, (), lambda *one: told.append(one)
    )
    return json.loads(Record(Head(source.oai_identifier), body).json()), told


def record_of(*pairs: tuple[str, ...], own: str = "oai:example.org:1") -> dict[str, Any]:
    sources = tuple(Source(one[0], one[1], one[2] if len(one) > 2 else None) for one in pairs)
    return normalised(Recorded("", own, sources))[0]


def test_every_repository_is_walked_and_has_a_record_that_was_read() -> None:
    first_page = {"dataverse-scholarsportal-1"}
    read = {record.head.source for record in golden().values()} - {"hal"}
    assert read | first_page == {one.file for one in RECORDS}
    assert len(RECORDS) == 262


@pytest.mark.parametrize("source", RECORDS, ids=lambda one: one.name)
def test_every_value_is_told_once_and_found_again(source: Recorded) -> None:
    record, told = normalised(source)
    assert sorted(index for index, _, _ in told) == list(range(len(source.values)))
    missing = [one for one in source.values if one.text.strip() and not is_found_again(one, record)]
    assert missing == []


@pytest.mark.parametrize("source", RECORDS, ids=lambda one: one.name)
def test_places_that_are_told_exist(source: Recorded) -> None:
    record, told = normalised(source)
    for _, _, where in told:
        for place in where.removeprefix("repetition of ").split(" and "):
            if place.startswith("dropped: "):
                continue
            held: Any = record
            for step in re.findall(r"\w+", place):
                held = held[int(step)] if step.isdigit() else held[step]
            assert held


PIECES = (
    "doi:10.1000/a", "https://doi.org/10.1000/b", "https://example.org/1", "; ", ", ", " | ",
    "ISBN", "ISSN: 1539-3755", "1550-2376", "978-1-78374-841-9", "urn:isbn:", "10/2",
    "oai:example.org:1",
    "https://example.org/a/b.pdf", "https://example.org/1/file/2", "A B (2010) Words of a work.",
    "Dupont, Jean", " (éd.)", "، ", ", 1802-1870", "; Université", " et al.", "c2012", "[2012?]",
    "2012-05-03T10:00:00Z", "2012-05-03", "12-20-2007", "December 2010", "2011", "en", "eng", "fr",
    "Comment: ", "Abstract", "SeriesInformation", "Citation: ", "text", "Article", "Thesis / Book",
    "info:eu-repo/semantics/article", "info:eu-repo/semantics/publishedVersion", COAR + "c_5794",
    OPEN, "open", "CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/", "J; Vol. 1 (2010)",
)  # fmt: skip
ELEMENTS = (
    "title", "creator", "subject", "description", "publisher", "contributor", "date", "type",
    "format", "identifier", "source", "language", "relation", "coverage", "rights",
)  # fmt: skip
SOURCES = st.lists(
    st.builds(
        Source,
        st.sampled_from(ELEMENTS),
        st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map("".join),
        st.sampled_from((None, "en")),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=600)
@given(sources=SOURCES)
def test_any_mixture_of_habits_is_told_once_and_found_again(sources: list[Source]) -> None:
    source = Recorded("", "oai:example.org:1", tuple(sources))
    record, told = normalised(source)
    assert sorted(index for index, _, _ in told) == list(range(len(sources)))
    assert [one for one in sources if not is_found_again(one, record)] == []


def strings(held: Any) -> list[str]:
    if isinstance(held, str):
        return [held]
    parts = held.values() if isinstance(held, dict) else held if isinstance(held, list) else ()
    return [one for part in parts for one in strings(part)]


def is_found_again(source: Source, record: dict[str, Any]) -> bool:
    """Verbatim, white space aside, or by the inverse its element's rule has."""
    wanted = squeezed(undone(source.text))
    outside = {key: held for key, held in record.items() if key != "warnings"}
    if wanted in [squeezed(one) for one in strings(outside)]:
        return True
    if source.element == "identifier":
        pieces = re.split(r"\s*[;|]\s+|,\s+|\s+\|\s*|\s+(?=https?://)", source.text)
        if len(pieces) > 1:
            parts = [Source("identifier", one, None) for one in pieces]
            return all(is_found_again(one, record) for one in parts)
    return INVERSES.get(source.element, _is_an_identifier)(wanted, source.text, record)


def _is_a_language(_wanted: str, text: str, record: dict[str, Any]) -> bool:
    named = re.split(r"[\s,;/|]+", text.strip())
    return {LANGUAGES.get(one, one) for one in named} <= set(record["languages"])


def _is_a_subject(wanted: str, _text: str, record: dict[str, Any]) -> bool:
    held = {squeezed(one["value"]) for one in record["keywords"]}
    return any(set(wanted.split(mark)) <= held for mark in "|;")


def _is_a_citation(wanted: str, _text: str, record: dict[str, Any]) -> bool:
    return wanted == squeezed("Citation: " + record["citation"])


def _is_a_creator(wanted: str, _text: str, record: dict[str, Any]) -> bool:
    written = [
        squeezed(comma.join(one[key] for key in ("family", "given") if key in one))
        for one in record["creators"]
        for comma in ",،"
    ]
    ends = {wanted, wanted.rstrip(",،")}
    behind = [f";{squeezed(one['name'])}" for one in record.get("affiliations", [])]
    return any(name + after in ends for name in written for after in ("", *behind))


def _is_an_identifier(wanted: str, _text: str, record: dict[str, Any]) -> bool:
    held = {**record.get("identifiers", {}), "issn": [record.get("container", {}).get("issn")]}
    known = [one for key, some in held.items() if key != "other" for one in some if one]
    bare = wanted.casefold().replace("-", "")
    return any(bare.endswith(one.casefold().replace("-", "")) for one in known)


INVERSES = {
    "creator": _is_a_creator,
    "language": _is_a_language,
    "subject": _is_a_subject,
    "description": _is_a_citation,
}


@pytest.mark.parametrize("source", RECORDS, ids=lambda one: one.name)
def test_a_language_is_never_invented(source: Recorded) -> None:
    record, _ = normalised(source)
    given = [one.text.strip() for one in source.values if one.element == "language"]
    tags = {LANGUAGES.get(one, one) for text in given for one in text.split()}
    assert set(record.get("languages", [])) == tags


@pytest.mark.parametrize(
    ("written", "date", "year"),
    [
        ("c2012", "2012", 2012),
        ("©2012", "2012", 2012),
        ("[2012?]", "2012", 2012),
        ("(1876)", "1876", 1876),
        ("ca. 1980", "1980", 1980),
        ("2012-05-03 10:00", "2012-05-03T10:00:00", 2012),
        ("2012/05/03", "2012-05-03", 2012),
        ("20120503", "2012-05-03", 2012),
        ("3 mai 2012", "2012-05-03", 2012),
        ("1er août 2012", "2012-08-01", 2012),
        ("May 3, 2012", "2012-05-03", 2012),
        ("Dezember 2012", "2012-12", 2012),
        ("6 de julho de 1936", "1936-07-06", 1936),
        ("1940-1949", "1940/1949", 1940),
        ("31.12.2007", "2007-12-31", 2007),
        ("12/31/2007", "2007-12-31", 2007),
        ("07/07/2007", "2007-07-07", 2007),
        ("03-04-2007", "2007", 2007),
    ],
)
def test_a_date_in_words_or_signs_is_read_and_kept(written: str, date: str, year: int) -> None:
    record = record_of(("date", written))
    assert (record["date"], record["year"], record["notes"]) == (date, year, [written])
    assert record["warnings"] == [f"date: {written!r} is read as {date!r}"]


@pytest.mark.parametrize(
    "written",
    ["10000-01-01", "n.d.", "2012-13", "31-31-2007", "30 February 2012", "1949-1940", "12345678",
     "Vol. 2012", "2012 and 2013", "Smarch 2012", "0000", "[0000]", "1985-99-99"],
)  # fmt: skip
def test_what_has_no_sure_reading_is_no_date(written: str) -> None:
    record = record_of(("date", written))
    assert (record["date"], record.get("year"), record.get("notes")) == (written, None, None)
    assert record["warnings"] == [f"date: {written!r} is no date; kept as given"]


def test_a_time_stamp_is_kept_as_it_is() -> None:
    record = record_of(("date", "2012-05-03T10:00:00Z"))
    assert (record["date"], record["year"]) == ("2012-05-03T10:00:00Z", 2012)
    assert "warnings" not in record


@pytest.mark.parametrize(
    ("dates", "chosen"),
    [
        (["2013-05-28T14:33:28Z", "2009", "2013-05-28"], "2009"),
        (["2013-05-28T14:33:28Z", "2013-05-28"], "2013-05-28"),
        (["2013-05-01", "2014"], "2013-05-01"),
        (["2015-10-05", "2013-12-10", "2003"], "2003"),
        (["2014-10", "2013-07"], "2014-10"),
        (["embargoed", "2013-07"], "2013-07"),
    ],
)
def test_the_date_of_the_work_among_several(dates: list[str], chosen: str) -> None:
    record = record_of(*(("date", one) for one in dates))
    assert record["date"] == chosen
    assert sorted([*record["notes"], chosen]) == sorted(dates)


def test_several_texts_that_are_no_dates_all_stay() -> None:
    record = record_of(("date", "soon"), ("date", "later"))
    assert "date" not in record
    assert record["notes"] == ["soon", "later"]


@pytest.mark.parametrize(
    ("written", "languages"),
    [
        ("Français", ["fr"]),
        ("FRANÇAIS", ["fr"]),
        ("en_US", ["en-US"]),
        ("en fr", ["en", "fr"]),
        ("eng; fre", ["en", "fr"]),
        ("Deutsch/English", ["de", "en"]),
        ("zz", ["zz"]),
        ("English with summaries", ["English with summaries"]),
    ],
)
def test_languages_by_code_and_by_name(written: str, languages: list[str]) -> None:
    record = record_of(("language", written))
    assert record["languages"] == languages
    kept = [f"languages: {written!r} is no language; kept as given"]
    assert record.get("warnings") == (kept if languages == [written] else None)


@pytest.mark.parametrize(
    ("written", "name", "whole"),
    [
        ("Dupont, Jean (éd.)", {"family": "Dupont", "given": "Jean"}, True),
        ("Dupont, Jean [author]", {"family": "Dupont", "given": "Jean"}, True),
        ("Dupont, Jean, ed.", {"family": "Dupont", "given": "Jean"}, True),
        ("Dumas, Alexandre, 1802-1870", {"family": "Dumas", "given": "Alexandre"}, True),
        ("Dumas, Alexandre (1802-1870)", {"family": "Dumas", "given": "Alexandre"}, True),
        ("Jean Dupont (trad.)", {"literal": "Jean Dupont"}, True),
        ("Smith, Ed", {"family": "Smith", "given": "Ed"}, False),
        ("Vreeland, T., Jr.", {"family": "Vreeland", "given": "T., Jr."}, False),
        ("García Lorca, Federico", {"family": "García Lorca", "given": "Federico"}, False),
        ("Hoffecker (Takahashi), Lilian",
         {"family": "Hoffecker (Takahashi)", "given": "Lilian"}, False),
        ("Reeves (Firm)", {"literal": "Reeves (Firm)"}, False),
        ("College, Ann", {"family": "College", "given": "Ann"}, False),
        ("Institut Pasteur, Paris", {"literal": "Institut Pasteur, Paris"}, False),
        ("(éd.)", {"literal": "(éd.)"}, False),
    ],
)  # fmt: skip
def test_a_role_or_the_years_of_a_life_leave_the_name_and_stay_in_the_notes(
    written: str, name: dict[str, str], whole: bool
) -> None:
    record = record_of(("creator", written))
    assert record["creators"] == [name]
    assert record.get("notes") == ([written] if whole else None)


@pytest.mark.parametrize(
    ("written", "affiliation"),
    [
        ("Botero, Ana; Universidad de Antioquia", "Universidad de Antioquia"),
        ("Botero, Ana; Universidad de Antioquia, Medellín", "Universidad de Antioquia, Medellín"),
    ],
)
def test_an_affiliation_behind_a_semicolon(written: str, affiliation: str) -> None:
    record = record_of(("creator", written))
    assert record["creators"] == [{"family": "Botero", "given": "Ana"}]
    assert record["affiliations"] == [{"name": affiliation}]


@pytest.mark.parametrize(
    "written",
    ["Smith, J.; Jones, K.", "A. Kröller, R. Wessäly, T. Achterberg", "Stanislav Jendrol, et al.",
     "Moreno, Luis; Grupo GIDEM, CDT ASTIN, SENA", "Smith; Jones"],
)  # fmt: skip
def test_what_may_be_several_names_stays_whole(written: str) -> None:
    record = record_of(("creator", written))
    assert record["creators"] == [{"literal": written}]
    assert record["warnings"] == [f"creators: {written!r} may be several names; kept whole"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("doi:10.1000/a; https://example.org/1",
         {"identifiers": {"doi": ["10.1000/a"]}, "landing_page": "https://example.org/1"}),
        ("ISBN 978-1-78374-841-9, ISSN 1539-3755",
         {"identifiers": {"isbn": ["9781783748419"]}, "container": {"issn": "1539-3755"}}),
        (
            "info:eu-repo/semantics/altIdentifier/isbn/978-2-8218-7547-0",
            {"identifiers": {"isbn": ["9782821875470"]}},
        ),
        ("info:doi/10.1000/A", {"identifiers": {"doi": ["10.1000/a"]}}),
        ("https://doi.org/doi:10.1000/A",
         {"identifiers": {"doi": ["10.1000/a"]},
          "landing_page": "https://doi.org/doi:10.1000/A"}),
        ("info:hdl/1765/308", {"identifiers": {"hdl": ["1765/308"]}}),
        ("info:pmid/123", {"identifiers": {"pmid": ["123"]}}),
        ("1988-2015", {"identifiers": {"other": [{"value": "1988-2015"}]}}),
        ("9783319055787 x", {"identifiers": {"other": [{"value": "9783319055787 x"}]}}),
        ("ark:/12148/bpt6k", {"identifiers": {"other": [
            {"scheme": "ARK", "value": "ark:/12148/bpt6k"}]}}),
        ("PMC123", {"identifiers": {"other": [{"scheme": "PMC", "value": "PMC123"}]}}),
        ("https://example.org/", {"identifiers": {"other": [{"value": "https://example.org/"}]}}),
        ("https://example.org/a.PDF?seq=1", {"files": ["https://example.org/a.PDF?seq=1"]}),
        ("oai:example.org:1", {}),
    ],
)  # fmt: skip
def test_one_identifier_element(written: str, expected: dict[str, Any]) -> None:
    assert record_of(("identifier", written)) == {"id": "oai:example.org:1", **expected}


@pytest.mark.parametrize(
    ("written", "scheme", "key"),
    [
        ("doi:10.1/x", "DOI", "identifiers.doi"),
        ("ISBN: 9789462365660", "ISBN", "identifiers.isbn"),
        ("PMID: none", "PUBMED", "identifiers.pmid"),
        ("ISSN 1539-3756", "ISSN", "container.issn"),
    ],
)
def test_a_wrong_identifier_that_names_its_scheme_is_kept_with_a_warning(
    written: str, scheme: str, key: str
) -> None:
    record = record_of(("identifier", written))
    assert record["identifiers"] == {"other": [{"scheme": scheme, "value": written}]}
    (warning,) = record["warnings"]
    assert warning.startswith(f"{key}: {written!r} fails its check; kept under ")


@pytest.mark.parametrize(
    ("address", "scheme", "value"),
    [
        ("https://dx.doi.org/10.1000/A", "doi", "10.1000/a"),
        ("http://www.doi.org/10.1000/A", "doi", "10.1000/a"),
        ("https://hdl.handle.net/1765/308", "hdl", "1765/308"),
        ("https://export.arxiv.org/abs/1303.0980", "arxiv", "1303.0980"),
        ("https://arxiv.org/pdf/1303.0980", "arxiv", "1303.0980"),
        ("https://pubmed.ncbi.nlm.nih.gov/123/", "pmid", "123"),
        ("http://www.ncbi.nlm.nih.gov/pubmed/123", "pmid", "123"),
    ],
)
def test_a_resolvers_address_says_its_scheme(address: str, scheme: str, value: str) -> None:
    record = record_of(("identifier", address))
    assert (record["identifiers"], record["landing_page"]) == ({scheme: [value]}, address)


def test_the_page_that_ends_in_the_oai_identifier_is_the_records_own() -> None:
    record = record_of(
        ("identifier", "https://example.org/elsewhere"),
        ("identifier", "https://example.org/handle/10/2"),
        own="oai:example.org:10/2",
    )
    assert record["landing_page"] == "https://example.org/handle/10/2"
    assert record["identifiers"] == {"other": [{"value": "https://example.org/elsewhere"}]}


@pytest.mark.parametrize(
    ("rights", "licence", "address"),
    [
        (["Creative Commons Attribution 4.0 International"], "CC-BY-4.0", None),
        (["CC BY-NC-ND 3.0"], "CC-BY-NC-ND-3.0", None),
        (["Creative Commons Attribution-NonCommercial-NoDerivatives 4.0"], "CC-BY-NC-ND-4.0", None),
        (["Creative Commons Zero v1.0 Universal"], "CC0-1.0", None),
        (["cc-by"], "CC-BY", None),
        (["MIT License"], "MIT", None),
        (["All rights reserved"], None, None),
        (["Creative Commons"], None, None),
        (["See (https://creativecommons.org/licenses/by-sa/4.0/)."], "CC-BY-SA-4.0",
         "https://creativecommons.org/licenses/by-sa/4.0/"),
        (["CC BY 3.0", "https://creativecommons.org/licenses/by/4.0/"], "CC-BY-4.0",
         "https://creativecommons.org/licenses/by/4.0/"),
        (["https://example.org/copyright"], None, None),
        (["http://rightsstatements.org/vocab/InC/1.0/"], None,
         "http://rightsstatements.org/vocab/InC/1.0/"),
    ],
)  # fmt: skip
def test_licences_by_address_in_prose_and_by_name(
    rights: list[str], licence: str | None, address: str | None
) -> None:
    record = record_of(*(("rights", one) for one in rights))
    assert (record.get("licence"), record.get("licence_url")) == (licence, address)
    assert [one for one in rights if one not in record.get("notes", ())] in ([], [address])


@pytest.mark.parametrize(
    ("written", "access"),
    [
        ("openAccess", "open"),
        ("Open Access", "open"),
        ("http://purl.org/coar/access_right/c_abf2", "open"),
        ("info:eu-repo/semantics/embargoedAccess", "restricted"),
        ("closed access", "restricted"),
        ("metadata only access", "metadata-only"),
        ("Open to visitors", None),
    ],
)
def test_access_by_term_and_by_word(written: str, access: str | None) -> None:
    record = record_of(("rights", written))
    assert (record.get("access"), record["notes"]) == (access, [written])


@pytest.mark.parametrize(
    ("types", "coar", "term"),
    [
        (["info:eu-repo/semantics/publishedVersion", "info:eu-repo/semantics/bookPart"],
         "c_3248", "info:eu-repo/semantics/bookPart"),
        (["info:eu-repo/semantics/publishedVersion"], None, None),
        (["Text", "Working Paper"], "c_8042", None),
        (["Article", COAR + "c_5794"], "c_5794", None),
        (["http://purl.org/dc/dcmitype/StillImage"], "c_ecc8", None),
        (["journal-article"], "c_6501", None),
        (["Conference or Workshop Item"], "c_c94f", None),
        (["Article / Book"], None, None),
        (["Monograph"], None, None),
    ],
)  # fmt: skip
def test_types_by_vocabulary_and_by_word(
    types: list[str], coar: str | None, term: str | None
) -> None:
    held = record_of(*(("type", one) for one in types))["type"]
    assert held.get("coar") == (COAR + coar if coar else None)
    assert held.get("info_eu_repo") == term
    assert set(types) == {*held.get("other", ()), term, held.get("coar")} & set(types)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Cybergeo; Vol. 3, No. 2 (2010): Special; 12-20",
         {"title": "Cybergeo", "volume": "3", "issue": "2", "pages": "12-20"}),
        ("Cybergeo; Bd. 3 Nr. 2 (2010)", {"title": "Cybergeo", "volume": "3", "issue": "2"}),
        ("Cybergeo; v. 3 n. 2 (2010); 12-20",
         {"title": "Cybergeo", "volume": "3", "issue": "2", "pages": "12-20"}),
        ("Cybergeo, 2010, p. 12", None),
    ],
)  # fmt: skip
def test_a_source_in_a_platforms_form(source: str, expected: dict[str, str] | None) -> None:
    record = record_of(("source", source))
    assert record["citation"] == source
    assert record.get("container") == expected


def test_keywords_in_one_value() -> None:
    record = record_of(
        ("subject", "one; two; three", "en"),
        ("subject", "610 Medical sciences; Medicine"),
        ("subject", "a|b"),
    )
    assert record["keywords"] == [
        {"value": "one", "lang": "en"}, {"value": "two", "lang": "en"},
        {"value": "three", "lang": "en"}, {"value": "610 Medical sciences; Medicine"},
        {"value": "a"}, {"value": "b"},
    ]  # fmt: skip
