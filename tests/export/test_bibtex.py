"""BibTeX against HAL's own entries, field for field, and what no text may break."""

import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pybtex.database import parse_string

from export.bibtex_cases import CASES, OMITTED, REASONS, people
from halmirror.errors import UsageError
from halmirror.export import FORMATS, Wanted, load
from halmirror.export.bibtex import citation_key, entry, write
from halmirror.export.facts import entry_type
from halmirror.record import (
    Body,
    Container,
    DocumentType,
    Head,
    Identifiers,
    Name,
    OtherIdentifier,
    Record,
    Title,
    Value,
)
from halmirror.record.citation import cite
from recorded_records import recorded_records

EXPORTS = Path(__file__).parents[1] / "data" / "hal-exports"

Fields = list[tuple[str, str]]


def parts(text: str) -> tuple[str, str, Fields]:
    """Type, key and fields of one entry, as the characters stand in it."""
    head, *lines, end = text.strip().split("\n")
    kind, key = re.fullmatch(r"@(\w+)\{(.+),", head).groups()
    assert end == "}"
    return kind, key, [re.fullmatch(r"  ([A-Z_]+) = (.*),", line).groups() for line in lines]


def hals_entries() -> dict[tuple[str, str], tuple[str, str, Fields]]:
    """HAL's own entries by id and version."""
    text = (EXPORTS / "bibtex.bib").read_text(encoding="utf-8")
    read = [parts(match) for match in re.findall(r"^@.*?^\}$", text, re.MULTILINE | re.DOTALL)]
    assert len(read) == 77
    return {(dict(one[2])["HAL_ID"], dict(one[2])["HAL_VERSION"]): one for one in read}


HALS = hals_entries()


def made(kind: str | None = "ART", status: str = "active", **body: object) -> Record:
    kept = {"type": DocumentType(hal=kind), **body}
    return Record(Head("hal-01000001", 1, status=status), Body(**kept))


def field(record: Record, name: str) -> str | None:
    return dict(parts(entry(record))[2]).get(name)


@pytest.mark.parametrize("record", CASES, ids=lambda record: record.versioned_id)
def test_an_entry_is_hals_field_for_field(record: Record) -> None:
    identity = (f"{{{record.id}}}", f"{{v{record.head.version}}}")
    kind, key, fields = HALS[identity]
    left_out = OMITTED.get(record.versioned_id, ())
    expected = [(name, value) for name, value in fields if name not in left_out]
    assert parts(entry(record)) == (kind, key, expected)


def test_what_is_left_out_is_in_hals_entry_and_has_a_reason() -> None:
    for record in CASES:
        names = {name for name, _ in HALS[f"{{{record.id}}}", f"{{v{record.head.version}}}"][2]}
        for name in OMITTED.get(record.versioned_id, ()):
            assert name in names
            assert name in REASONS


def test_every_entry_type_that_hal_was_seen_to_write_is_compared() -> None:
    seen = {kind for kind, _, _ in HALS.values()}
    compared = {entry_type(record.body) for record in CASES}
    assert compared == seen
    assert len(CASES) >= 25


def test_pybtex_reads_every_entry_back() -> None:
    for record in CASES:
        read = parse_string(entry(record), "bibtex").entries
        assert list(read) == [citation_key(record)]
        people_read = read[citation_key(record)].persons.get("AUTHOR", [])
        assert len(people_read) == len(record.body.creators)
        for person, creator in zip(people_read, record.body.creators, strict=True):
            assert person.first_names or creator.given is None


def test_a_file_has_the_terms_first_and_a_blank_line_after_each_entry() -> None:
    out = io.BytesIO()
    records = [made(titles=(Title("One"),)), made("OTHER", titles=(Title("Two"),))]
    terms = "1) No commercial use of the extracted data\n2) The source must be cited (a@b.fr)"
    assert write(iter(records), out, Wanted(statement=terms)) == 2
    assert out.getvalue().decode() == (
        "% 1) No commercial use of the extracted data\n"
        "% 2) The source must be cited (a(at)b.fr)\n"
        "\n"
        "@article{anonymous:hal-01000001,\n"
        "  TITLE = {{One}},\n"
        "  HAL_ID = {hal-01000001},\n"
        "  HAL_VERSION = {v1},\n"
        "}\n"
        "\n"
        "@misc{anonymous:hal-01000001,\n"
        "  TITLE = {{Two}},\n"
        "  HAL_ID = {hal-01000001},\n"
        "  HAL_VERSION = {v1},\n"
        "}\n"
        "\n"
    )


def test_no_records_and_no_terms_give_an_empty_file() -> None:
    out = io.BytesIO()
    assert write([], out, Wanted()) == 0
    assert out.getvalue() == b""


def test_the_format_is_in_the_table_and_loads() -> None:
    assert FORMATS["bibtex"].endings == (".bib",)
    out = io.BytesIO()
    _, writer = load("bibtex")
    assert writer([made()], out, Wanted()) == 1
    with pytest.raises(UsageError, match=r"unknown export format 'docx'; known are: .*bibtex"):
        load("docx")


def test_keys_are_hals_for_72_recorded_records() -> None:
    recorded = recorded_records()
    rows = (EXPORTS / "citation-tails.tsv").read_text(encoding="utf-8").splitlines()[1:]
    assert len(rows) == 72
    for row in rows:
        identifier, version, kind, key = row.split("\t")[:4]
        record = recorded[identifier + version]
        assert record.body.type.hal == kind
        # HAL's TEI has one key for all types; its BibTeX entry for software adds the version.
        assert citation_key(record) == key + (version if kind == "SOFTWARE" else "")


def test_every_recorded_record_is_read_back() -> None:
    out = io.BytesIO()
    records = recorded_records()
    assert (
        write(records.values(), out, Wanted(statement="The source must be cited"))
        == len(records)
        == 92
    )
    read = parse_string(out.getvalue().decode(), "bibtex").entries
    assert len(read) == 92
    for record in records.values():
        found = read[citation_key(record)]
        assert found.fields["HAL_ID"] == record.id
        assert len(found.persons.get("AUTHOR", ())) == len(record.body.creators)


def test_a_recorded_report_in_whole() -> None:
    assert parts(entry(recorded_records()["hal-02139658v1"])) == (
        "techreport",
        "romary:hal-02139658",
        [
            ("TITLE", "{{IPERION CH Data Management Plan}}"),
            (
                "AUTHOR",
                '{Romary, Laurent and Bertrand, Lo{\\"i}c and Holowati, Susanna and David, Sophie}',
            ),
            ("URL", "{https://hal.archives-ouvertes.fr/hal-02139658}"),
            ("TYPE", "{Research Report}"),
            ("NUMBER", "{D 2.1}"),
            ("INSTITUTION", "{{Inria}}"),
            ("YEAR", "{2015}"),
            ("MONTH", "Dec"),
            ("HAL_ID", "{hal-02139658}"),
            ("HAL_VERSION", "{v1}"),
        ],
    )


@pytest.mark.parametrize(
    ("family", "key"),
    [
        ("Nguyen-Van-Yen", "nguyenvanyen"),
        ("d'Ørsted Æble", "dorstedaeble"),
        ("Straße", "strasse"),
        ("Łukasiewicz", "lukasiewicz"),
        ("Ångström 3", "angstrom3"),
        ("ﬁsher", "fisher"),
        ("山田", "anonymous"),
        ("ILHAN İnönü", "ilhaninonu"),
    ],
)
def test_the_key_has_the_name_in_plain_letters(family: str, key: str) -> None:
    assert citation_key(made(creators=(Name(family=family),))) == f"{key}:hal-01000001"


def test_keys_without_an_author_of_a_group_of_old_versions_and_of_other_repositories() -> None:
    assert citation_key(made()) == "anonymous:hal-01000001"
    group = (Name(literal="LHCb Collaboration"),)
    assert citation_key(made(creators=group)) == "lhcbcollaboration:hal-01000001"
    assert citation_key(made(status="superseded")) == "anonymous:hal-01000001v1"
    assert citation_key(made("SOFTWARE")) == "anonymous:hal-01000001v1"
    foreign = Record(Head("oai:example.org:10.5072/a(b)%7,c"), Body(creators=people("Roe, Jane")))
    assert citation_key(foreign) == "roe:oai:example.org:10.5072/a-b--7-c"
    assert "HAL_ID" not in entry(foreign)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("ART", "article"),
        ("COMM", "inproceedings"),
        ("POSTER", "misc"),
        ("COUV", "incollection"),
        ("OUV", "book"),
        ("THESE", "phdthesis"),
        ("HDR", "phdthesis"),
        ("MEM", "mastersthesis"),
        ("REPORT", "techreport"),
        ("PATENT", "patent"),
        ("UNDEFINED", "unpublished"),
        ("LECTURE", "unpublished"),
        ("OTHER", "misc"),
        ("IMG", "misc"),
        ("SOFTWARE", "softwareversion"),
        ("PROCEEDINGS", "proceedings"),
        ("BLOG", "misc"),
        ("DOUV", "book"),
        ("UNHEARD_OF", "misc"),
        (None, "misc"),
    ],
)
def test_entry_types(kind: str | None, expected: str) -> None:
    assert entry_type(Body(type=DocumentType(hal=kind))) == expected


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("article", "article"),
        ("conferencePaper", "inproceedings"),
        ("workingPaper", "unpublished"),
        ("bachelorThesis", "mastersthesis"),
        ("doctoralThesis", "phdthesis"),
        ("other", "misc"),
    ],
)
def test_other_repositories_types_go_by_their_info_eu_repo_term(term: str, expected: str) -> None:
    kind = DocumentType(info_eu_repo=f"info:eu-repo/semantics/{term}")
    assert entry_type(Body(type=kind)) == expected
    assert entry_type(Body()) == "misc"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (Body(titles=(Title("Actes du XIe congrès"),)), "proceedings"),
        (Body(titles=(Title("Mélanges"),), container=Container(series="Colloques")), "proceedings"),
        (Body(container=Container(title="TKE 2004", issn="0013-7944")), "book"),
        (Body(container=Container(title="TKE 2004")), "proceedings"),
        (Body(titles=(Title("Mélanges"),)), "book"),
    ],
)
def test_an_edited_volume_is_proceedings_where_something_says_so(body: Body, expected: str) -> None:
    fields = {name: getattr(body, name) for name in ("titles", "container")}
    assert entry_type(Body(type=DocumentType(hal="DOUV"), **fields)) == expected


@pytest.mark.parametrize(
    ("kind", "notes", "expected"),
    [
        ("UNDEFINED", (), "{working paper or preprint}"),
        ("UNDEFINED", ("31 pages",), "{31 pages}"),
        ("POSTER", (), "{Poster}"),
        ("POSTER", ("Best poster award",), "{Best poster award}"),
        ("POSTER", ("Award",), "{Poster - Award}"),
        ("LECTURE", (), "{Lecture}"),
        ("LECTURE", ("Master",), "{Lecture - Master}"),
        ("ART", ("In French", "2 vol."), "{In French ; 2 vol.}"),
        ("ART", (), None),
    ],
)
def test_notes(kind: str, notes: tuple[str, ...], expected: str | None) -> None:
    assert field(made(kind, notes=notes), "NOTE") == expected


@pytest.mark.parametrize(
    ("date", "year", "month"),
    [
        ("2016", 2016, None),
        ("2016-01", 2016, "Jan"),
        ("2016-12-31", 2016, "Dec"),
        ("2016-13", 2016, None),
        ("c. 1900", None, None),
        (None, None, None),
    ],
)
def test_a_month_is_there_only_where_the_date_has_one(
    date: str | None, year: int | None, month: str | None
) -> None:
    record = made(date=date, year=year)
    assert field(record, "YEAR") == (f"{{{year}}}" if year else None)
    assert field(record, "MONTH") == month


def test_fields_of_types_without_a_real_entry_to_compare() -> None:
    image = made(
        "IMG",
        titles=(Title("Village"),),
        coverage=("Région du Cap-Oriental, South Africa",),
        files=("https://media.hal.science/hal-01000001/file/Image.jpg",),
    )
    assert parts(entry(image)) == (
        "misc",
        "anonymous:hal-01000001",
        [
            ("TYPE", "{Photos}"),
            ("TITLE", "{{Village}}"),
            ("ADDRESS", "{R{\\'e}gion du Cap-Oriental, South Africa}"),
            ("HAL_ID", "{hal-01000001}"),
            ("HAL_VERSION", "{v1}"),
        ],
    )
    patent = made("PATENT", coverage=("France",), identifiers=Identifiers(patent=("FR2987_1",)))
    assert parts(entry(patent))[2][:2] == [("NUMBER", "{FR2987\\_1}"), ("ADDRESS", "{France}")]
    report = made("REPORT", citation="[Rapport de recherche] RR-9485, Inria Paris. 2022", year=2022)
    assert field(report, "TYPE") == "{Research Report}"
    contract = made("REPORT", citation="[Contrat] 2022")
    assert field(contract, "TYPE") == "{Contrat}"
    swhid = "swh:1:rev:f202e6b3543e7c3c14250b038e236868671d8d10"
    software = made(
        "SOFTWARE", identifiers=Identifiers(other=(OtherIdentifier(scheme="SWH", value=swhid),))
    )
    assert field(software, "SWHID") == f"{{{swhid}}}"


def test_a_doi_keeps_the_case_of_hals_citation() -> None:
    record = made(
        citation="Phys. Rev. E, 2013. ⟨10.1103/PhysRevE.87.033017⟩",
        identifiers=Identifiers(doi=("10.1103/physreve.87.033017",)),
    )
    assert field(record, "DOI") == "{10.1103/PhysRevE.87.033017}"
    bare = made(identifiers=Identifiers(doi=("10.1103/a_b",)))
    assert field(bare, "DOI") == "{10.1103/a\\_b}"


def test_names_that_bibtex_would_take_apart_stand_in_braces() -> None:
    creators = (
        Name(literal="Institut Pasteur and Friends, Inc."),
        Name(family="Rock and Roll", given="J."),
        Name(family="Smith", given="J., Jr"),
        Name(family="Anderson", given="Andy"),
    )
    assert field(made(creators=creators), "AUTHOR") == (
        "{{Institut Pasteur and Friends, Inc.} and {Rock and Roll}, J. and Smith, {J., Jr} and "
        "Anderson, Andy}"
    )


def test_addresses_are_not_escaped_but_cannot_break_the_entry() -> None:
    record = made(
        landing_page="https://hal.science/hal-1?a_b&c#d%20",
        files=("https://hal.science/hal-1/document", "https://hal.science/hal-1/file/a b}{.pdf"),
    )
    assert field(record, "URL") == "{https://hal.science/hal-1?a_b&c#d%20}"
    assert field(record, "PDF") == "{https://hal.science/hal-1/file/a%20b%7D%7B.pdf}"


ANY_TEXT = st.text(
    st.one_of(st.sampled_from("{}\\@%$&#_,\"'~^ aé\n"), st.characters(exclude_categories=["Cs"])),
    min_size=1,
    max_size=30,
)


@given(
    title=ANY_TEXT,
    family=ANY_TEXT,
    given_name=ANY_TEXT,
    group=ANY_TEXT,
    place=ANY_TEXT,
    address=ANY_TEXT,
    number=ANY_TEXT,
    terms=ANY_TEXT,
)
def test_no_text_breaks_the_structure(
    title: str,
    family: str,
    given_name: str,
    group: str,
    place: str,
    address: str,
    number: str,
    terms: str,
) -> None:
    record = Record(
        Head(number, 2),
        Body(
            type=DocumentType(hal="COMM"),
            titles=(Title(title),),
            creators=(Name(family=family, given=given_name), Name(literal=group)),
            container=Container(
                title=place, series=place, volume=number, issue=number, pages=number
            ),
            publishers=(place,),
            coverage=(place,),
            notes=(title,),
            keywords=(Value(title), Value(place)),
            identifiers=Identifiers(doi=(number,)),
            landing_page=address,
            files=(address,),
            year=2020,
        ),
    )
    out = io.BytesIO()
    write([record, record], out, Wanted(statement=terms))
    text = out.getvalue().decode()
    entries = text[text.index("\n\n") + 2 :]
    assert balanced(entries)
    assert "@" not in text[: text.index("\n\n")]
    read = parse_string(entry(record), "bibtex").entries
    assert list(read) == [citation_key(record)]
    names = {name for name, _ in parts(entry(record))[2]}
    found = read[citation_key(record)]
    assert {*found.fields, *found.persons} == names
    assert {"TITLE", "AUTHOR", "URL", "PDF", "DOI", "BOOKTITLE", "YEAR"} <= names
    assert len(found.persons["AUTHOR"]) == 2


MANY = tuple(f"Université {number}, A; B. C" for number in range(30_000))


@pytest.mark.parametrize(
    ("kind", "citation", "name", "value"),
    [
        ("THESE", "; ".join(MANY) + ", 2020", "SCHOOL", "{{" + " ; ".join(MANY) + "}}"),
        ("THESE", ", ".join(MANY) + ", 2020", "SCHOOL", "{{" + MANY[-1] + "}}"),
        ("THESE", "; ".join(MANY) + ", 2019", "SCHOOL", None),
        ("THESE", "x, A; " * len(MANY), "SCHOOL", None),
        ("REPORT", "; ".join(MANY) + ". 2020", "INSTITUTION", "{{" + " ; ".join(MANY) + "}}"),
        ("OUV", "; ".join(MANY) + ". Title, 2020", "EDITOR", "{" + " and ".join(MANY) + "}"),
        ("COMM", "J, " + "; ".join(MANY) + ", May", "ORGANIZATION",
         "{{" + " and ".join(MANY) + "}}"),
    ],
    ids=["a thesis", "the last", "another year", "starts", "a report", "a book", "a conference"],
)  # fmt: skip
def test_thirty_thousand_contributors(
    kind: str, citation: str, name: str, value: str | None
) -> None:
    """The work grows with the contributors: testing each at every start would take hours."""
    contributors = (*MANY, "A", "x, A")
    container = Container(title="J", conference="J")
    record = made(
        kind, citation=citation, contributors=contributors, year=2020, container=container
    )
    assert field(record, name) == (value and value.replace("é", r"{\'e}"))


def test_thirty_thousand_titles_and_languages() -> None:
    titles = tuple(Title(f"T{number}", None, f"x{number}") for number in range(30_000))
    languages = tuple(f"y{number}" for number in range(30_000))
    record = made(titles=titles, languages=(*languages, "x29999"))
    assert cite(record).startswith("T29999. ")


def balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0
