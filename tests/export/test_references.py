"""biblatex, RIS, CSL-JSON and JSON-LD carry the facts of BibTeX: read back by other programs."""

import codecs
import importlib.resources
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import latexcodec  # noqa: F401 - registers the codec
import pytest
import rispy
from pybtex.database import Entry, parse_string

from export.any_records import all_recorded, any_record
from halmirror.export import Wanted, biblatex, bibtex, csl_json, load, ris, schema_org
from halmirror.export.facts import facts
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
from halmirror.reference.document_types import DOCUMENT_TYPES
from recorded_records import recorded_records

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def flat(text: str) -> str:
    """What a format of lines makes of a value: control characters become a blank."""
    return CONTROLS.sub(" ", text)


def read_ris(record: Record) -> dict[str, Any]:
    text = ris.entry(record).replace("\r\n", "\n")
    (read,) = rispy.loads(text, delimiter_tags_mapping={})
    return read


def read_biblatex(record: Record) -> Entry:
    entries = parse_string(biblatex.entry(record), "bibtex").entries
    assert list(entries) == [bibtex.citation_key(record)]
    return entries[bibtex.citation_key(record)]


def read_csl(record: Record) -> dict[str, Any]:
    out = io.BytesIO()
    csl_json.write([record], out, Wanted())
    (read,) = json.loads(out.getvalue())
    return read


def read_schema_org(record: Record) -> dict[str, Any]:
    out = io.BytesIO()
    schema_org.write([record], out, Wanted())
    (read,) = json.loads(out.getvalue())["@graph"]
    return read


def plain(latex: str) -> str:
    """The text that LaTeX would set: the escapes undone, what the source wrote left alone."""
    for command, character in (
        (r"\textasciicircum{}", "^"),
        (r"{\textbraceleft}", "{"),
        (r"{\textbraceright}", "}"),
        (r"{\textbackslash}", "\\"),
    ):
        latex = latex.replace(command, character)
    return re.sub(r"\\([&%#_$])", r"\1", latex)


def titled(record: Record) -> str:
    """The main title and its subtitle without the marks between."""
    title = facts(record).title
    return f"{title.value}{title.subtitle or ''}" if title else ""


def names(record: Record) -> list[str]:
    return [
        flat(one.literal or ", ".join(filter(None, (one.family, one.given)))).strip()
        for one in record.body.creators
    ]


def check_ris(record: Record) -> None:
    read = read_ris(record)
    body = record.body
    assert read.get("authors", []) == names(record)
    assert read.get("year") == (f"{body.year:04d}" if body.year is not None else None)
    assert read.get("keywords", []) == [flat(one.value).strip() for one in body.keywords]
    main = facts(record).title
    if main:
        start, end = flat(main.value).strip(), flat(main.subtitle or "").strip()
        assert read["title"].startswith(start)
        assert read["title"].endswith(end)
    dois = body.identifiers.doi if body.identifiers else ()
    assert read.get("doi", "").lower() == (flat(dois[0]).strip().lower() if dois else "")
    assert read.get("urls", []) == [flat(one).strip() for one in (body.landing_page,) if one]
    assert read["accession_number"].startswith(flat(record.id).strip())
    known = Container() if body.container is None else body.container
    for key, value in (("volume", known.volume), ("number", known.issue)):
        assert read.get(key) == (flat(value).strip() if value else None)
    pages = "-".join(filter(None, (read.get("start_page"), read.get("end_page"))))
    assert re.sub(r"[\s–-]", "", pages) == re.sub(r"[\s–-]", "", flat(known.pages or ""))


def test_ris_of_every_recorded_record() -> None:
    for record in all_recorded():
        check_ris(record)


@any_record
def test_ris_of_any_record(record: Record) -> None:
    assert "unknown_tag" not in read_ris(record)
    check_ris(record)


def check_biblatex(record: Record) -> None:
    read = read_biblatex(record)
    body, known = record.body, facts(record)
    assert read.type == known.kind.biblatex
    assert len(read.persons.get("author", ())) == len(body.creators)
    assert len(read.persons.get("editor", ())) == len(known.editors)
    year = read.fields["date"][:4] if "date" in read.fields else None
    assert year == (f"{body.year:04d}" if body.year is not None else None)
    if known.title:
        assert _spaced(plain(read.fields["title"])) == _spaced(known.title.value)
    assert ("subtitle" in read.fields) == bool(known.title and known.title.subtitle)
    for name, value in (("volume", known.container.volume), ("series", known.container.series)):
        assert _spaced(plain(read.fields.get(name, ""))) == _spaced(value or "")
    assert _spaced(plain(read.fields.get("doi", ""))) == _spaced(known.doi or "")


def _spaced(text: str) -> str:
    """A text as TeX takes it: any blanks are one.  A backslash that a brace would meet is gone."""
    return " ".join(flat(text).replace("\\", "").split())


def test_biblatex_of_every_recorded_record() -> None:
    for record in all_recorded():
        check_biblatex(record)


@any_record
def test_biblatex_of_any_record(record: Record) -> None:
    check_biblatex(record)


def check_csl(record: Record) -> None:
    read, known, body = read_csl(record), facts(record), record.body
    assert read["id"] == bibtex.citation_key(record)
    assert read.get("author", []) == [
        {key: value for key, value in (
            ("family", one.family), ("given", one.given), ("literal", one.literal),
        ) if value} for one in body.creators
    ]  # fmt: skip
    if body.year is not None:
        assert read["issued"]["date-parts"][0][0] == body.year
    assert read.get("DOI", "").lower() == (known.identifiers.doi or ("",))[0].lower()
    assert read.get("URL") == body.landing_page
    for key, value in (
        ("volume", known.container.volume),
        ("issue", known.container.issue),
        ("page", known.container.pages),
        ("collection-title", known.container.series),
    ):
        assert read.get(key) == value
    title = known.title
    assert read.get("title", "").startswith(title.value if title else "")
    assert read.get("title", "").endswith((title.subtitle or "") if title else "")
    assert set(read) <= VARIABLES | {"id", "type", "custom"}
    assert read["type"] in TYPES


def _names_in(schema: str) -> set[str]:
    """The words that a part of the CSL project's schema (RELAX NG, compact) lists."""
    folder = importlib.resources.files("citeproc") / "data" / "schema" / "schemas" / "styles"
    return set(re.findall(r'"([\w-]+)"', (folder / schema).read_text(encoding="utf-8")))


VARIABLES = _names_in("csl-variables.rnc") | {"event"}
TYPES = _names_in("csl-types.rnc")


def test_csl_json_of_every_recorded_record() -> None:
    for record in all_recorded():
        check_csl(record)


@any_record
def test_csl_json_of_any_record(record: Record) -> None:
    check_csl(record)


def check_schema_org(record: Record) -> None:
    read, body = read_schema_org(record), record.body
    titles = [read["name"]] if "name" in read else []
    shown = [one["@value"] if isinstance(one, dict) else one
             for one in (*titles, *read.get("alternateName", ()))]  # fmt: skip
    assert len(shown) == len(body.titles)
    for title in body.titles:
        assert any(one.startswith(title.value) for one in shown)
    assert [one.get("familyName", one["name"]) for one in read.get("author", ())] == [
        one.family or one.literal for one in body.creators
    ]
    values = {one["value"] for one in read["identifier"]}
    if body.identifiers:
        assert {*body.identifiers.doi, *body.identifiers.pmid, *body.identifiers.nnt} <= values
    if body.date:
        assert body.date in (read.get("datePublished"), read.get("temporal"))
    assert [one["contentUrl"] for one in read.get("encoding", ())] == list(body.files)
    assert read.get("creditText") == body.citation


def test_json_ld_of_every_recorded_record() -> None:
    for record in all_recorded():
        check_schema_org(record)


@any_record
def test_json_ld_of_any_record(record: Record) -> None:
    check_schema_org(record)


ARTICLE = Record(
    Head("hal-01000001", 2, "hal", "oai:HAL:hal-01000001v2", "2024-03-07", "active"),
    Body(
        type=DocumentType(hal="ART"),
        titles=(
            Title("Un essai & plus", "le sous-titre", "fr"),
            Title("An essay", lang="en"),
        ),
        creators=(Name("Alix", "Jean-Sébastien"), Name(literal="LHCb Collaboration")),
        abstracts=(Value("In English.", "en"), Value("En français.", "fr")),
        notes=("31 pages",),
        keywords=(Value("lexique", "fr"), Value("lexicon", "en")),
        domains=("shs.socio",),
        date="2018-03-05",
        year=2018,
        languages=("fr",),
        container=Container(
            title="La vie des idées", volume="12", issue="3", pages="1-20",
            issn="1539-3755", eissn="1550-2376",
        ),
        citation="La vie des idées, 2018, 12 (3), pp.1-20. ⟨10.1103/PhysRevE.87.033017⟩",
        publishers=("Collège de France",),
        identifiers=Identifiers(doi=("10.1103/physreve.87.033017",), pmid=("36439150",)),
        landing_page="https://hal.science/hal-01000001",
        files=("https://hal.science/hal-01000001/file/article.pdf",),
        access="open",
        licence="CC-BY-4.0",
        licence_url="https://creativecommons.org/licenses/by/4.0/",
    ),
)  # fmt: skip


def test_an_article_in_ris() -> None:
    assert ris.entry(ARTICLE).split("\r\n") == [
        "TY  - JOUR",
        "ID  - alix:hal-01000001",
        "TI  - Un essai & plus : le sous-titre",
        "TT  - An essay",
        "AU  - Alix, Jean-Sébastien",
        "AU  - LHCb Collaboration",
        "PY  - 2018",
        "DA  - 2018/03/05/",
        "T2  - La vie des idées",
        "PB  - Collège de France",
        "VL  - 12",
        "IS  - 3",
        "SP  - 1",
        "EP  - 20",
        "SN  - 1539-3755",
        "SN  - 1550-2376",
        "DO  - 10.1103/PhysRevE.87.033017",
        "UR  - https://hal.science/hal-01000001",
        "L1  - https://hal.science/hal-01000001/file/article.pdf",
        "LA  - fr",
        "KW  - lexique",
        "KW  - lexicon",
        "AB  - En français.",
        "N1  - 31 pages",
        "AN  - hal-01000001v2",
        "DB  - HAL",
        "ER  - ",
        "",
    ]


def test_an_article_in_biblatex() -> None:
    assert biblatex.entry(ARTICLE).split("\n") == [
        "@article{alix:hal-01000001,",
        "  title = {Un essai \\& plus},",
        "  subtitle = {le sous-titre},",
        "  author = {Alix, Jean-Sébastien and {LHCb Collaboration}},",
        "  date = {2018-03-05},",
        "  journaltitle = {La vie des idées},",
        "  publisher = {{Collège de France}},",
        "  volume = {12},",
        "  number = {3},",
        "  pages = {1--20},",
        "  doi = {10.1103/PhysRevE.87.033017},",
        "  issn = {1539-3755, 1550-2376},",
        "  eprint = {36439150},",
        "  eprinttype = {pubmed},",
        "  url = {https://hal.science/hal-01000001},",
        "  note = {31 pages},",
        "  language = {french},",
        "  keywords = {lexique, lexicon},",
        "  abstract = {En français.},",
        "  file = {https://hal.science/hal-01000001/file/article.pdf},",
        "}",
        "",
    ]


def test_an_article_in_csl_json() -> None:
    assert csl_json.item(ARTICLE) == {
        "id": "alix:hal-01000001",
        "type": "article-journal",
        "title": "Un essai & plus : le sous-titre",
        "author": [
            {"family": "Alix", "given": "Jean-Sébastien"},
            {"literal": "LHCb Collaboration"},
        ],
        "issued": {"date-parts": [[2018, 3, 5]]},
        "container-title": "La vie des idées",
        "publisher": "Collège de France",
        "volume": "12",
        "issue": "3",
        "page": "1-20",
        "DOI": "10.1103/PhysRevE.87.033017",
        "ISSN": "1539-3755 1550-2376",
        "PMID": "36439150",
        "URL": "https://hal.science/hal-01000001",
        "language": "fr",
        "keyword": "lexique ; lexicon",
        "abstract": "En français.",
        "note": "31 pages",
        "custom": {"hal_id": "hal-01000001", "hal_version": 2},
    }


def test_an_article_in_schema_org() -> None:
    assert schema_org.described(ARTICLE) == {
        "@type": "ScholarlyArticle",
        "@id": "https://hal.science/hal-01000001",
        "name": {"@value": "Un essai & plus : le sous-titre", "@language": "fr"},
        "alternateName": [{"@value": "An essay", "@language": "en"}],
        "abstract": [
            {"@value": "In English.", "@language": "en"},
            {"@value": "En français.", "@language": "fr"},
        ],
        "keywords": [
            {"@value": "lexique", "@language": "fr"},
            {"@value": "lexicon", "@language": "en"},
        ],
        "about": [{"@type": "DefinedTerm", "termCode": "shs.socio", "name": "Sociology"}],
        "inLanguage": ["fr"],
        "datePublished": "2018-03-05",
        "comment": [{"@type": "Comment", "text": "31 pages"}],
        "author": [
            {
                "@type": "Person",
                "name": "Jean-Sébastien Alix",
                "familyName": "Alix",
                "givenName": "Jean-Sébastien",
            },
            {"name": "LHCb Collaboration"},
        ],
        "publisher": [{"@type": "Organization", "name": "Collège de France"}],
        "isPartOf": [
            {
                "@type": "PublicationIssue",
                "issueNumber": "3",
                "isPartOf": {
                    "@type": "PublicationVolume",
                    "volumeNumber": "12",
                    "isPartOf": {
                        "@type": "Periodical",
                        "name": "La vie des idées",
                        "issn": ["1539-3755", "1550-2376"],
                    },
                },
            }
        ],
        "pagination": "1-20",
        "creditText": "La vie des idées, 2018, 12 (3), pp.1-20. ⟨10.1103/PhysRevE.87.033017⟩",
        "identifier": [
            {"@type": "PropertyValue", "value": "hal-01000001v2", "propertyID": "HAL"},
            {
                "@type": "PropertyValue",
                "value": "10.1103/physreve.87.033017",
                "propertyID": "DOI",
            },
            {"@type": "PropertyValue", "value": "36439150", "propertyID": "PMID"},
        ],
        "url": "https://hal.science/hal-01000001",
        "sameAs": [
            "https://doi.org/10.1103/physreve.87.033017",
            "https://pubmed.ncbi.nlm.nih.gov/36439150",
        ],
        "version": 2,
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "isAccessibleForFree": True,
        "encoding": [
            {
                "@type": "MediaObject",
                "contentUrl": "https://hal.science/hal-01000001/file/article.pdf",
            }
        ],
    }


def test_editors_and_institutions_are_in_every_format_where_they_are_certain() -> None:
    thesis = recorded_records()["hal-02139658v1"]
    assert "INSTITUTION = {{Inria}}" in bibtex.entry(thesis)
    assert read_biblatex(thesis).fields["institution"] == "{Inria}"
    assert read_ris(thesis)["publisher"] == "Inria"
    assert read_csl(thesis)["publisher"] == "Inria"
    assert read_schema_org(thesis)["sourceOrganization"] == [
        {"@type": "Organization", "name": "Inria"}
    ]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("ART", ("article", "article", "JOUR", "article-journal", "ScholarlyArticle")),
        ("COMM", ("inproceedings", "inproceedings", "CPAPER", "paper-conference",
                  "ScholarlyArticle")),
        ("COUV", ("incollection", "incollection", "CHAP", "chapter", "Chapter")),
        ("DOUV", ("book", "collection", "EDBOOK", "book", "Book")),
        ("THESE", ("phdthesis", "thesis", "THES", "thesis", "Thesis")),
        ("REPORT", ("techreport", "report", "RPRT", "report", "Report")),
        ("SOFTWARE", ("softwareversion", "software", "COMP", "software", "SoftwareSourceCode")),
        ("UNHEARD_OF", ("misc", "misc", "GEN", "document", "CreativeWork")),
    ],
)  # fmt: skip
def test_types(kind: str, expected: tuple[str, ...]) -> None:
    known = facts(Record(Head("hal-1"), Body(type=DocumentType(hal=kind))))
    row = known.kind
    assert (known.entry, row.biblatex, row.ris, row.csl, row.schema_org) == expected


@pytest.mark.parametrize(
    ("coar", "expected"),
    [
        ("c_6501", ("article", "article", "JOUR", "article-journal")),
        ("c_ddb1", ("misc", "dataset", "DATA", "dataset")),
        ("c_46ec", ("misc", "thesis", "THES", "thesis")),
        ("c_7ad9", ("misc", "misc", "GEN", "document")),
    ],
)
def test_types_of_other_repositories_go_by_their_coar_type(
    coar: str, expected: tuple[str, ...]
) -> None:
    kind = DocumentType(coar=f"http://purl.org/coar/resource_type/{coar}")
    known = facts(Record(Head("oai:x:1"), Body(type=kind)))
    assert (known.entry, known.kind.biblatex, known.kind.ris, known.kind.csl) == expected


def test_the_table_of_types_names_what_each_format_knows() -> None:
    known = rispy.config.TYPE_OF_REFERENCE_MAPPING
    for row in DOCUMENT_TYPES.values():
        assert row.csl in TYPES
        assert row.ris in known or row.ris in {"EDBOOK", "UNPB"}


def test_a_conference_beside_its_volume() -> None:
    paper = Record(
        Head("hal-1", 1),
        Body(
            type=DocumentType(hal="COMM"),
            titles=(Title("T"),),
            container=Container(title="Lecture Notes", conference="TKE 2004"),
            coverage=("Dresden, Germany",),
        ),
    )
    assert read_csl(paper)["container-title"] == "Lecture Notes"
    assert read_csl(paper)["event-title"] == "TKE 2004"
    assert read_csl(paper)["event-place"] == "Dresden, Germany"
    assert (read_ris(paper)["secondary_title"], read_ris(paper)["custom3"]) == (
        "TKE 2004", "Lecture Notes",
    )  # fmt: skip
    assert read_biblatex(paper).fields["eventtitle"] == "TKE 2004"
    assert read_biblatex(paper).fields["booktitle"] == "Lecture Notes"
    assert read_biblatex(paper).fields["venue"] == "Dresden, Germany"


def test_software_has_its_swhid_everywhere() -> None:
    swhid = "swh:1:rev:f202e6b3543e7c3c14250b038e236868671d8d10"
    held = Identifiers(other=(OtherIdentifier(scheme="SWHID", value=swhid),))
    code = Record(Head("hal-1", 1), Body(type=DocumentType(hal="SOFTWARE"), identifiers=held))
    assert read_ris(code)["custom1"] == swhid
    assert read_biblatex(code).fields["swhid"] == swhid
    assert read_csl(code)["archive_location"] == swhid
    assert swhid in {one["value"] for one in read_schema_org(code)["identifier"]}


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("50% of #1 & a_b", r"50\% of \#1 \& a\_b"),
        ("$x_1^2$ and 5$", r"$x_1^2$ and 5\$"),
        (r"already \& \alpha", r"already \& \alpha"),
        ("a^b", r"a\textasciicircum{}b"),
        ("Loïc – « ici »", "Loïc – « ici »"),
        ("}{", r"{\textbraceright}{\textbraceleft}"),
    ],
)
def test_biblatex_escapes_what_tex_would_obey_and_no_letter(text: str, latex: str) -> None:
    assert biblatex.latex(text) == latex


@pytest.mark.parametrize("form", ["ris", "csl-json", "schema.org", "biblatex"])
def test_files_hold_as_many_references_as_records(form: str) -> None:
    counted: dict[str, Callable[[str], int]] = {
        "ris": lambda text: len(rispy.loads(text.replace("\r\n", "\n"))),
        "csl-json": lambda text: len(json.loads(text)),
        "schema.org": lambda text: len(json.loads(text)["@graph"]),
        "biblatex": lambda text: len(parse_string(text, "bibtex").entries),
    }
    for records, count in ((list(recorded_records().values()), 92), ([], 0)):
        out = io.BytesIO()
        assert load(form)[1](records, out, Wanted(statement="cite @us")) == count
        assert counted[form](out.getvalue().decode()) == count


def folded(text: str) -> str:
    """Letters and digits alone."""
    plain = unicodedata.normalize("NFKD", text).casefold().translate(LETTERS)
    return "".join(one for one in plain if one.isalnum() and one.isascii())


def of_tex(text: str) -> str:
    """What TeX's accents and letters stand for; its signs of mathematics are left out."""
    if "\\" not in text:
        return text
    return codecs.decode(re.sub(r"\{\\(textdegree|ldots)\}|\$\\\w+\$", "", text), "ulatex")


def values(item: Any) -> Iterator[str]:
    """The texts and numbers of a JSON value, in their order."""
    if isinstance(item, dict | list):
        for one in item.values() if isinstance(item, dict) else item:
            yield from values(one)
    else:
        yield str(item)


LETTERS = {ord("œ"): "oe", ord("æ"): "ae", ord("ø"): "o", ord("ł"): "l", ord("ß"): "ss"}
ELSEWHERE = {"TITLE", "MONTH", "KEYWORDS", "TYPE", "HAL_VERSION", "PDF", "FILE"}
"""Fields that the other formats write in another form; each has a test of its own."""


def test_every_fact_of_bibtex_is_in_the_other_references() -> None:
    compared = set()
    for record in all_recorded():
        _, *lines = bibtex.entry(record).splitlines()
        fields = [re.fullmatch(r"  ([A-Z_]+) = (.*),", line) for line in lines[:-1]]
        lines_of_ris = "".join(line[6:] for line in ris.entry(record).split("\r\n"))
        values_of_csl = "".join(values(csl_json.item(record)))
        others = [folded(one) for one in (lines_of_ris, values_of_csl, biblatex.entry(record))]
        for field in filter(None, fields):
            if field[1] in ELSEWHERE:
                continue
            compared.add(field[1])
            for part in re.split(r" and | ; ", field[2]):
                # A source may hold TeX of its own, which is left as it is.
                forms = {folded(of_tex(part)), folded(part)}
                for other in others:
                    assert any(form in other for form in forms), (record.versioned_id, field[0])
    assert compared >= {
        "AUTHOR", "URL", "JOURNAL", "BOOKTITLE", "ADDRESS", "NUMBER", "PUBLISHER", "VOLUME",
        "PAGES", "YEAR", "DOI", "NOTE", "INSTITUTION", "HAL_ID",
    }  # fmt: skip
