"""Reading Dublin Core elements, and the crosswalk for every repository."""

import pytest
from lxml import etree

from halmirror.crosswalks import crosswalk
from halmirror.crosswalks.dublin_core import values
from halmirror.oaipmh.source import Source
from halmirror.record import (
    Body,
    Container,
    DocumentType,
    Funding,
    Identifiers,
    Name,
    OtherIdentifier,
    Title,
    Value,
)

XML = """
<oaidc:dc xmlns:oaidc="http://www.openarchives.org/OAI/2.0/oai_dc/"
          xmlns="http://purl.org/dc/elements/1.1/" xmlns:x="urn:x" xml:lang="pt">
  <!-- a comment --><?an instruction?>
  <title xml:lang="en"> A <!-- in the middle -->title
</title>
  <x:note>foreign</x:note>
  <description>one <x:b>two <x:c/></x:b>three</description>
  <date/>
</oaidc:dc>
"""


def generic(*pairs: tuple[str, ...]) -> Body:
    sources = [Source(one[0], one[1], one[2] if len(one) > 2 else None) for one in pairs]
    return crosswalk("oai_dc", "generic")(sources, "oai:example.org:1", None, (), None)


@pytest.mark.parametrize("wrapped", [False, True])
def test_values_in_document_order(*, wrapped: bool) -> None:
    element = etree.fromstring(XML)
    if wrapped:
        around = etree.Element("{http://www.openarchives.org/OAI/2.0/}metadata")
        around.append(element)
        element = around
    assert values(element) == (
        Source("title", " A title\n", "en"),
        Source("{urn:x}note", "foreign", "pt"),
        Source("description", "one two three", "pt"),
        Source("date", "", "pt"),
    )


@pytest.mark.parametrize(
    ("root", "record", "inner", "expected"),
    [
        ("fr", None, None, "fr"),
        ("fr", "pt", None, "pt"),
        ("fr", "pt", "de", "de"),
        ("fr", "", None, ""),
        (None, None, None, None),
    ],
)
def test_a_language_is_inherited_from_the_nearest_element_around(
    root: str | None, record: str | None, inner: str | None, expected: str | None
) -> None:
    def lang(value: str | None) -> str:
        return "" if value is None else f' xml:lang="{value}"'

    page = etree.fromstring(
        f"<OAI-PMH{lang(root)}><record{lang(record)}><metadata><dc{lang(inner)}>"
        '<title/><title xml:lang="en"/><title xml:lang=""/>'
        "</dc></metadata></record></OAI-PMH>"
    )
    languages = [expected, "en", ""]
    for part in (page.find(".//dc"), page.find(".//metadata")):
        assert [source.lang for source in values(part)] == languages


def test_an_empty_language_is_none() -> None:
    assert generic(("title", "T", "")).titles == (Title("T"),)


def test_the_first_term_decides_the_coar_type_else_the_first_known_label() -> None:
    report, article = "info:eu-repo/semantics/report", "http://purl.org/coar/resource_type/c_6501"
    labels = ("Unheard of", "Journal articles", "Theses")
    of_labels = generic(*(("type", label) for label in labels)).type
    assert of_labels == DocumentType(coar=article, other=labels)
    with_term = generic(*(("type", one) for one in (*labels, report, report))).type
    coar = "http://purl.org/coar/resource_type/c_93fc"
    assert with_term == DocumentType(coar=coar, info_eu_repo=report, other=labels)


def test_values_of_an_empty_metadata_part() -> None:
    assert values(etree.Element("{http://www.openarchives.org/OAI/2.0/}metadata")) == ()


def test_the_rules_that_hold_for_all() -> None:
    body = generic(
        ("title", "T : S", "eng"),
        ("creator", "Curie, Marie"),
        ("creator", "Plato"),
        ("subject", "[SHS] x"),
        ("description", "International audience"),
        ("publisher", "HAL CCSD"),
        ("contributor", "Lab (ABC) ; Parent"),
        ("date", "2015-07-16T12:23:02Z"),
        ("type", "info:eu-repo/semantics/article"),
        ("type", "Peer reviewed"),
        ("source", "ISSN 1539-3755"),
        ("source", "1539-3755"),
        ("source", "Journal; Vol 1 (2010); 1-2"),
        ("language", "eng"),
        ("relation", "info:eu-repo/grantAgreement/EC/FP7/246561"),
        ("coverage", "Dresden"),
        ("rights", "https://creativecommons.org/licenses/by/4.0/"),
        ("rights", "info:eu-repo/semantics/openAccess"),
        ("format", "text/html"),
    )
    assert body == Body(
        type=DocumentType(
            None,
            "http://purl.org/coar/resource_type/c_6501",
            "info:eu-repo/semantics/article",
            ("Peer reviewed",),
        ),
        titles=(Title("T : S", None, "en"),),
        creators=(Name("Curie", "Marie"), Name(literal="Plato")),
        contributors=("Lab (ABC) ; Parent",),
        funding=(Funding("EC", "FP7", "246561"),),
        abstracts=(Value("International audience"),),
        notes=("info:eu-repo/semantics/openAccess", "text/html"),
        keywords=(Value("[SHS] x"),),
        date="2015-07-16T12:23:02Z",
        year=2015,
        languages=("en",),
        container=Container(title="Journal", volume="1", pages="1-2", issn="1539-3755"),
        citation="Journal; Vol 1 (2010); 1-2",
        publishers=("HAL CCSD",),
        access="open",
        licence="CC-BY-4.0",
        licence_url="https://creativecommons.org/licenses/by/4.0/",
        coverage=("Dresden",),
    )


def test_identifiers_that_say_their_scheme() -> None:
    body = generic(
        ("identifier", "https://doi.org/10.1000/ABC%3C1"),
        ("identifier", "doi:10.1000/def"),
        ("identifier", "10.1000/ghi"),
        ("identifier", "http://hdl.handle.net/1765/308"),
        ("identifier", "arXiv:0704.0001"),
        ("identifier", "PMID: 123"),
        ("identifier", "urn:isbn:9781783748419"),
        ("identifier", "https://example.org/1"),
        ("identifier", "12345"),
        ("identifier", "1765/308"),
    )
    assert body.landing_page == "https://doi.org/10.1000/ABC%3C1"
    assert body.identifiers == Identifiers(
        doi=("10.1000/abc<1", "10.1000/def", "10.1000/ghi"),
        hdl=("1765/308",),
        arxiv=("0704.0001",),
        pmid=("123",),
        isbn=("9781783748419",),
        other=(
            OtherIdentifier(value="https://example.org/1"),
            OtherIdentifier(value="12345"),
            OtherIdentifier(value="1765/308"),
        ),
    )
