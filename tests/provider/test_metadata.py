"""What is passed on of metadata: all that the schema allows, as it came; nothing else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from conftest import REPOSITORY
from halmirror.oaipmh.protocol import canonical
from halmirror.provider.metadata import PassedOn, as_it_came, namespace_of
from provider_answers import NS, schema

OAI_DC, DC = NS["oai_dc"], NS["dc"]
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
LOCATION = f"{{{XSI}}}schemaLocation"
RECORDED = sorted(
    [
        *(REPOSITORY / "data" / "hal-oai").glob("*Record*.xml"),
        *(REPOSITORY / "tests" / "data" / "other-oai").glob("*.xml"),
    ]
)


def is_valid(xml: bytes) -> bool:
    return schema().validate(etree.fromstring(xml))


def passed_on(source: bytes) -> PassedOn:
    found = as_it_came(source)
    assert found is not None
    assert is_valid(found.xml), (schema().error_log, found.xml)
    assert found.is_altered == bool(found.left_out)
    if is_valid(source):
        assert not found.left_out
    if not found.left_out:
        assert canonical(etree.fromstring(found.xml)) == source
    return found


def element(inside: str, attributes: str = "") -> bytes:
    written = f'<oai_dc:dc xmlns:oai_dc="{OAI_DC}" xmlns:dc="{DC}"{attributes}>{inside}</oai_dc:dc>'
    return canonical(etree.fromstring(written))


def _name(one: etree._Element) -> str:
    return etree.QName(one).localname


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_metadata(path: Path) -> None:
    for found in etree.parse(path).iter(f"{{{OAI_DC}}}dc"):
        source = canonical(found)
        passed = passed_on(source)
        told = [one.text for one in found if is_valid(element(f"<dc:{_name(one)}/>"))]
        assert [one.text for one in etree.fromstring(passed.xml)] == told


def test_metadata_in_the_plainest_form_are_shorter_and_the_same() -> None:
    source = element('<dc:title xml:lang="fr">A &amp; B</dc:title>\n<dc:date>2018</dc:date>')
    passed = passed_on(source)
    assert source.count(DC.encode()) == 2
    assert passed.xml.count(DC.encode()) == 1


def test_a_text_like_a_declaration_stays() -> None:
    inside = f'<dc:title>in XML: xmlns:dc="{DC}" is one</dc:title>'
    passed = passed_on(element(inside))
    assert etree.fromstring(passed.xml)[0].text == f'in XML: xmlns:dc="{DC}" is one'


@pytest.mark.parametrize(
    ("inside", "attributes", "left_out", "kept"),
    [
        ('<dc:title xml:lang="">a</dc:title>', "", [f"the attribute {LANG}='' of title"],
         "<dc:title>a</dc:title>"),
        ('<dc:title xml:lang="en_US">a</dc:title>', "",
         [f"the attribute {LANG}='en_US' of title"], "<dc:title>a</dc:title>"),
        ('<dc:title xml:lang=" fr ">a</dc:title>', "", [],
         '<dc:title xml:lang=" fr ">a</dc:title>'),
        (f'<dc:date xmlns:xsi="{XSI}" xsi:type="W3CDTF">2018</dc:date>', "",
         [f"the attribute {{{XSI}}}type='W3CDTF' of date"], "<dc:date>2018</dc:date>"),
        ('<dc:title>a</dc:title><x:y xmlns:x="http://x">b</x:y>', "",
         ["the element {http://x}y"], "<dc:title>a</dc:title>"),
        ("<dc:abstract>a</dc:abstract>", "", [f"the element {{{DC}}}abstract"], ""),
        ("<dc:title>a <i>b<!--c--></i> d</dc:title>", "", ["the tags inside title"],
         "<dc:title>a b d</dc:title>"),
        ("text<dc:title>a</dc:title>", "", ["text between the elements"], "<dc:title>a</dc:title>"),
        ("<dc:title>a</dc:title>", ' id="1"', ["the attribute id='1' of dc"],
         "<dc:title>a</dc:title>"),
        ("<dc:title><!-- a -->b<?c d?></dc:title>", "", [],
         "<dc:title><!-- a -->b<?c d?></dc:title>"),
        ("", "", [], ""),
    ],
)  # fmt: skip
def test_only_what_makes_it_invalid_is_left_out(
    inside: str, attributes: str, left_out: list[str], kept: str
) -> None:
    passed = passed_on(element(inside, attributes))
    assert list(passed.left_out) == left_out
    assert canonical(etree.fromstring(passed.xml)) == element(kept)


def test_what_is_no_oai_dc_is_none() -> None:
    assert as_it_came(b'<mods xmlns="http://www.loc.gov/mods/v3"></mods>') is None
    assert as_it_came(b"<title>a</title>") is None
    assert as_it_came(b"<oai_dc:dc") is None
    with_doctype = b'<!DOCTYPE d [<!ENTITY e "e">]>' + element("<dc:title>&amp;e;</dc:title>")
    assert as_it_came(with_doctype) is None
    assert namespace_of(b'<m:mods xmlns:m="http://www.loc.gov/mods/v3"/>').endswith("/mods/v3")


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
NAMES = st.sampled_from(
    [f"{{{DC}}}{name}" for name in ("title", "creator", "date", "rights", "abstract")]
    + [f"{{{OAI_DC}}}dc", "{http://x.example/}y", "z"]
)
LANGS = st.sampled_from(["fr", "en-GB", "x-klingon", "", "en_US", "zz-", "-", " de ", "123"])
ATTRIBUTES = st.dictionaries(
    st.sampled_from([LANG, "id", LOCATION, f"{{{XSI}}}type"]), LANGS, max_size=2
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 2) -> etree._Element:
    made = etree.Element(draw(NAMES), draw(ATTRIBUTES))
    made.text = draw(TEXTS)
    made.tail = draw(st.sampled_from(["", "\n  ", "text"]))
    if depth:
        made.extend(draw(st.lists(elements(depth - 1), max_size=2)))
    return made


@given(st.lists(elements(), max_size=4), ATTRIBUTES)
def test_whatever_came_what_is_passed_on_is_valid(
    children: list[etree._Element], attributes: dict[str, str]
) -> None:
    root = etree.Element(f"{{{OAI_DC}}}dc", attributes, nsmap={"oai_dc": OAI_DC, "dc": DC})
    root.extend(children)
    passed_on(canonical(root))
