"""N-Triples, JSON-LD and normalised Dublin Core, read by an RDF library and by lxml's schema."""

import io
import re
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from lxml import etree

from export.any_records import all_recorded, any_record
from halmirror.export import Wanted, load
from halmirror.export.addresses import language_tag, resolved, uri
from halmirror.record import Body, Head, Identifiers, Name, Record, Title
from recorded_records import recorded_records

TERMS = "http://purl.org/dc/terms/"
XSD = "http://www.w3.org/2001/XMLSchema#"
DC = "{http://purl.org/dc/elements/1.1/}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
SCHEMAS = Path(__file__).parents[1] / "data" / "schemas"
NOT_XML = re.compile("[^\t\n\r\\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def exported(form: str, *records: Record, **wanted: Any) -> bytes:
    out = io.BytesIO()
    given = Wanted(**wanted)
    assert load(form, given)[1](records, out, given) == len(records)
    return out.getvalue()


def statements(record: Record) -> dict[str, list[Any]]:
    """The objects of each term, with the one subject there is."""
    found: dict[str, list[Any]] = {}
    subjects = set()
    for quad in ox.parse(exported("ntriples", record), format=ox.RdfFormat.N_TRIPLES):
        subjects.add(quad.subject.value)
        found.setdefault(quad.predicate.value.removeprefix(TERMS), []).append(quad.object)
    assert len(subjects) == 1
    return found


def texts(record: Record, term: str) -> list[str]:
    return [one.value for one in statements(record).get(term, [])]


def check_triples(record: Record) -> None:
    body = record.body
    held = statements(record)
    values = {term: [one.value for one in objects] for term, objects in held.items()}
    for title in body.titles:
        assert any(one.startswith(title.value) for one in values["title"])
    assert values.get("abstract", []) == list(
        {(one.value, language_tag(one.lang)): one.value for one in body.abstracts}.values()
    )
    people = [one.literal or ", ".join(filter(None, (one.family, one.given)))
              for one in body.creators]  # fmt: skip
    assert values.get("creator", []) == list(dict.fromkeys(people))
    assert {one.value for one in body.keywords} | set(body.domains) <= set(
        values.get("subject", ())
    )
    assert values.get("date", []) == ([body.date] if body.date else [])
    assert values.get("bibliographicCitation", []) == ([body.citation] if body.citation else [])
    assert [uri(one) or one for one in dict.fromkeys(body.files)] == values.get("hasFormat", [])
    assert record.id in values["identifier"][0]


def test_triples_of_every_recorded_record() -> None:
    for record in all_recorded():
        check_triples(record)


@any_record
def test_triples_of_any_record(record: Record) -> None:
    check_triples(record)


def test_languages_types_and_addresses() -> None:
    held = statements(recorded_records()["hal-04493396v1"])
    (title,) = held["title"]
    assert (title.value, title.language) == (
        "Les contrats à impact social : une menace pour la solidarité ?", "fr",
    )  # fmt: skip
    (date,) = held["date"]
    assert (date.value, date.datatype.value) == ("2018", f"{XSD}gYear")
    assert ox.NamedNode("https://hal.science/hal-04493396") in held["identifier"]
    assert ox.NamedNode("info:eu-repo/semantics/article") in held["type"]
    (access,) = held["accessRights"]
    assert access == ox.NamedNode("http://purl.org/coar/access_right/c_14cb")


@pytest.mark.parametrize(
    ("date", "kind"),
    [
        ("2018", f"{XSD}gYear"),
        ("2018-03", f"{XSD}gYearMonth"),
        ("2018-03-05", f"{XSD}date"),
        ("2018-13", f"{XSD}string"),
        ("2018/2019", f"{XSD}string"),
    ],
)
def test_a_date_has_the_type_of_its_precision(date: str, kind: str) -> None:
    record = Record(Head("hal-1", oai_identifier="oai:HAL:hal-1"), Body(date=date, year=2018))
    (found,) = statements(record)["date"]
    assert (found.value, found.datatype.value) == (date, kind)


def test_the_statement_is_in_a_comment() -> None:
    written = exported("ntriples", statement="hal: 1) no use\n<a> <b> <c> .\x85")
    assert written == b"# hal: 1) no use\n# <a> <b> <c> .\n"
    assert list(ox.parse(written, format=ox.RdfFormat.N_TRIPLES)) == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://hal.science/hal-1", "https://hal.science/hal-1"),
        ("https://x.org/a b?c=%zz#d#e", "https://x.org/a%20b?c=%25zz#d%23e"),
        ('https://x.org/é<>"{}|^`\\', "https://x.org/%C3%A9%3C%3E%22%7B%7D%7C%5E%60%5C"),
        ("info:eu-repo/semantics/article", "info:eu-repo/semantics/article"),
        ("oai:HAL:hal-1v1", "oai:HAL:hal-1v1"),
        ("urn:isbn:9782070360024", "urn:isbn:9782070360024"),
        ("javascript:alert(1)", None),
        ("http://[::1", None),
        ("http://exa mple/", None),
        ("no address", None),
        ("", None),
    ],
)  # fmt: skip
def test_addresses(text: str, address: str | None) -> None:
    assert uri(text) == address


@pytest.mark.parametrize(
    ("doi", "address"),
    [
        ("10.1234/abc", "https://doi.org/10.1234/abc"),
        ("10.1234/a?b#c", "https://doi.org/10.1234/a%3Fb%23c"),
        (
            "10.1002/(sici)1:8<693::aid>3.0;2-o",
            "https://doi.org/10.1002/(sici)1:8%3C693::aid%3E3.0;2-o",
        ),
        ("10.1234/a%3cb", "https://doi.org/10.1234/a%3cb"),
    ],
)
def test_a_doi_leads_to_itself_whatever_is_in_it(doi: str, address: str) -> None:
    assert uri(resolved("doi", doi)) == address
    body = Body(identifiers=Identifiers(doi=(doi,)))
    record = Record(Head("hal-1", oai_identifier="oai:HAL:hal-1"), body)
    assert address in texts(record, "identifier")


@pytest.mark.parametrize(
    ("tag", "known"),
    [("fr", "fr"), ("pt-BR", "pt-BR"), ("zh-Hant-TW", "zh-Hant-TW"), ("es-419", "es-419"),
     ("french!", None), ("x--y", None), ("", None), (None, None)],
)  # fmt: skip
def test_language_tags(tag: str | None, known: str | None) -> None:
    assert language_tag(tag) == known


def json_ld(record: Record) -> list[Any]:
    """The statements, with a context that needs no network in place of schema.org's."""
    text = exported("schema.org", record)
    local = b'"@context":{"@vocab":"https://schema.org/"}'
    assert text.startswith(b'{"@context":"https://schema.org/",')
    text = text.replace(b'"@context":"https://schema.org/"', local, 1)
    return list(ox.parse(text, format=ox.RdfFormat.JSON_LD))


def test_json_ld_is_rdf_for_every_recorded_record() -> None:
    for record in all_recorded():
        found = json_ld(record)
        names = [one.object.value for one in found if one.predicate.value.lower().endswith("name")]
        for title in record.body.titles[:1]:
            assert any(title.value in name for name in names)


@any_record
def test_json_ld_is_rdf_for_any_record(record: Record) -> None:
    assert json_ld(record)


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    return etree.XMLSchema(etree.parse(SCHEMAS / "oai-pmh-all.xsd", parser))


def as_an_answer(listed: bytes) -> etree._ElementTree:
    """The file as an answer of OAI-PMH, which the schema is for."""
    root = etree.fromstring(listed)
    answer = etree.fromstring(
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
        "<responseDate>2026-11-25T00:00:00Z</responseDate>"
        '<request verb="ListRecords" metadataPrefix="oai_dc">https://example.org/oai</request>'
        "</OAI-PMH>"
    )
    answer.append(root)
    return etree.ElementTree(answer)


def test_normalised_dublin_core_is_valid(schema: etree.XMLSchema) -> None:
    records = [one for one in all_recorded() if one.head.source == "hal"]
    answer = as_an_answer(exported("oai_dc", *records, normalised=True, statement="a -- b"))
    schema.assertValid(answer)
    assert len(answer.findall(".//{*}dc")) == 92


def check_dublin_core(record: Record) -> None:
    root = etree.fromstring(exported("oai_dc", record, normalised=True))
    values: dict[str, list[str]] = {}
    for element in root.iter(f"{DC}*"):
        values.setdefault(element.tag.removeprefix(DC), []).append(element.text or "")
    body = record.body
    for title in body.titles:
        wanted = NOT_XML.sub("\ufffd", title.value)
        assert any(one.startswith(wanted) for one in values["title"])
    for name, given in (
        ("description", (*(one.value for one in body.abstracts), *body.notes)),
        ("publisher", body.publishers),
        ("coverage", body.coverage),
        ("language", body.languages),
        ("subject", (*(one.value for one in body.keywords), *body.domains)),
    ):
        assert {NOT_XML.sub("\ufffd", one) for one in given} <= set(values.get(name, ()))


def test_normalised_dublin_core_of_every_recorded_record() -> None:
    for record in all_recorded():
        check_dublin_core(record)


@any_record
def test_normalised_dublin_core_of_any_record(record: Record) -> None:
    check_dublin_core(record)


def test_normalised_dublin_core_in_whole() -> None:
    record = Record(
        Head("hal-1", 1, "hal", "oai:HAL:hal-1v1", "2024-03-07", "active", sets=("a",)),
        Body(titles=(Title("T", "S", "fr"),), creators=(Name("Alix", "J."),), access="open"),
    )
    assert exported("oai_dc", record, normalised=True).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<oai:ListRecords xmlns:oai="http://www.openarchives.org/OAI/2.0/">\n'
        "<oai:record><oai:header><oai:identifier>oai:HAL:hal-1v1</oai:identifier>"
        "<oai:datestamp>2024-03-07</oai:datestamp><oai:setSpec>a</oai:setSpec></oai:header>"
        '<oai:metadata><oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">'
        '<dc:title xml:lang="fr">T : S</dc:title><dc:creator>Alix, J.</dc:creator>'
        "<dc:identifier>hal-1v1</dc:identifier>"
        "<dc:rights>http://purl.org/coar/access_right/c_abf2</dc:rights>"
        "<dc:rights>info:eu-repo/semantics/openAccess</dc:rights>"
        "</oai_dc:dc></oai:metadata></oai:record>\n</oai:ListRecords>\n"
    )


def test_a_record_that_never_had_metadata_is_a_header_alone(schema: etree.XMLSchema) -> None:
    gone = Record(Head("x", None, "s", "oai:x:1", "2024-03-07", "deleted"), Body())
    written = exported("oai_dc", gone, normalised=True)
    assert b"metadata" not in written
    schema.assertValid(as_an_answer(written))
