"""Plain pages are read as any page is, or not at all."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from halmirror.crosswalks.dublin_core import keep_language, values
from halmirror.oaipmh.plain import plain_page
from halmirror.oaipmh.protocol import Header, Page, canonical, parse
from halmirror.oaipmh.source import Source

REPOSITORY = Path(__file__).resolve().parents[2]
HAL = sorted((REPOSITORY / "data" / "hal-oai").glob("ListRecords-[0-9].xml"))
OTHERS = sorted((REPOSITORY / "tests" / "data" / "other-oai").rglob("*.xml"))
SMALL = b"""<?xml version="1.0" encoding="UTF-8"?>
<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">
<responseDate>2026-11-20T03:00:00Z</responseDate>
<request verb="ListRecords" metadataPrefix="oai_dc">http://127.0.0.1/oai</request>
<ListRecords>
<record><header status=""><identifier>oai:x:1</identifier><datestamp>2026-11-19</datestamp>
<setSpec>b</setSpec><setSpec>a</setSpec></header>
<metadata><oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/"
 xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title xml:lang="fr">L'\xc5\x93uf &amp; la &quot;poule&quot;</dc:title>
<dc:date>2026</dc:date></oai_dc:dc></metadata></record>
<record><header status="deleted"><identifier>oai:x:2</identifier>
<datestamp>2026-11-18</datestamp></header></record>
<resumptionToken cursor="0" completeListSize="9">t&amp;1</resumptionToken>
</ListRecords></OAI-PMH>
"""

Read = tuple[Page, list[tuple[Header, bytes | None, tuple[Source, ...]]]]


def as_any_page(data: bytes) -> Read:
    """What a page says when it is read by way of its tree."""
    page = parse(data)
    assert page.rejected == ()
    records: list[tuple[Header, bytes | None, tuple[Source, ...]]] = []
    for record in page.records:
        if record.metadata is None:
            records.append((record.header, None, ()))
        else:
            read = values(record.metadata)
            keep_language(record.metadata)
            records.append((record.header, canonical(record.metadata), read))
    return page, records


def agree(data: bytes) -> bool:
    """Whether a page is plain; if it is, both ways have to say the same."""
    plain = plain_page(data)
    if plain is None:
        return False
    page, records = as_any_page(data)
    assert [tuple(one) for one in plain.records] == records
    assert plain.page.token == page.token
    assert plain.page.response_date == page.response_date
    assert (plain.page.verb, plain.page.errors) == (page.verb, page.errors)
    return True


def test_a_plain_page() -> None:
    plain = plain_page(SMALL)
    assert plain is not None
    first, second = plain.records
    assert first.header == Header("oai:x:1", "2026-11-19", ("a", "b"), deleted=False)
    assert first.values == (
        Source("title", 'L\'œuf & la "poule"', "fr"),
        Source("date", "2026", None),
    )
    assert (
        first.source
        == (
            '<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/">\n'
            '<dc:title xmlns:dc="http://purl.org/dc/elements/1.1/" xml:lang="fr">'
            'L\'œuf &amp; la "poule"</dc:title>\n'
            '<dc:date xmlns:dc="http://purl.org/dc/elements/1.1/">2026</dc:date></oai_dc:dc>'
        ).encode()
    )
    assert second == (Header("oai:x:2", "2026-11-18", (), deleted=True), None, ())
    assert plain.page.token is not None
    assert (plain.page.token.value, plain.page.token.complete_list_size) == ("t&1", 9)


@pytest.mark.parametrize("path", HAL, ids=lambda path: path.name)
def test_hals_pages_are_plain(path: Path) -> None:
    assert agree(path.read_bytes())


def test_other_repositories_pages_are_read_alike() -> None:
    plain = 0
    for path in OTHERS:
        data = path.read_bytes()
        if b"<ListRecords" in data:
            plain += agree(data)
    assert plain >= 5


DECLINED = {
    "a comment": (b"<dc:date>2026", b"<!-- no --><dc:date>2026"),
    "a comment in a text": (b">2026<", b">20<!-- no -->26<"),
    "CDATA": (b">2026<", b"><![CDATA[2026]]><"),
    "a carriage return": (b">2026<", b">20\r\n26<"),
    "a control character": (b">2026<", b">20\x0b26<"),
    "a code point that is none": (b">2026<", b">20\xef\xbf\xbe26<"),
    "a reference by number": (b">2026<", b">20&#50;6<"),
    "an unknown entity": (b">2026<", b">&hellip;<"),
    "a wrong byte": (b">2026<", b">\xe9<"),
    "a larger-than sign": (b">2026<", b">20>26<"),
    "an element in an element": (b">2026<", b">20<b/>26<"),
    "an element of another namespace": (b"<dc:date>2026</dc:date>", b"<x:y xmlns:x='urn:x'/>"),
    "an attribute": (b"<dc:date>", b'<dc:date id="1">'),
    "an empty language": (b'xml:lang="fr"', b'xml:lang=""'),
    "a language around": (b"<oai_dc:dc ", b'<oai_dc:dc xml:lang="de" '),
    "a language of the page": (b"<OAI-PMH ", b'<OAI-PMH xml:lang="de" '),
    "about": (b"</metadata>", b"</metadata><about><x/></about>"),
    "no identifier": (b"<identifier>oai:x:1</identifier>", b""),
    "a date that is none": (b">2026-11-19<", b">yesterday<"),
    "no metadata": (b'status="deleted"', b'status=""'),
    "dc that is not Dublin Core": (b"http://purl.org/dc/elements/1.1/", b"urn:dc"),
    "a relative namespace": (b"http://purl.org/dc/elements/1.1/", b"dc"),
    "an unbound prefix": (b' xmlns:dc="http://purl.org/dc/elements/1.1/"', b""),
    "another encoding": (b'"UTF-8"', b'"ISO-8859-1"'),
    "a comment around the records": (b"<ListRecords>\n", b"<ListRecords><!-- \n"),
    "a declaration": (b"<OAI-PMH ", b"<!DOCTYPE OAI-PMH []><OAI-PMH "),
    "another verb": (b"ListRecords>", b"GetRecord>"),
}


@pytest.mark.parametrize("change", DECLINED.values(), ids=DECLINED)
def test_what_is_not_plain_is_declined(change: tuple[bytes, bytes]) -> None:
    assert change[0] in SMALL
    assert plain_page(SMALL.replace(*change)) is None


def test_records_inside_an_instruction_are_none() -> None:
    hidden = SMALL.replace(b"<ListRecords>\n", b"<?x <ListRecords>\n")
    assert plain_page(hidden.replace(b"</ListRecords>", b"</ListRecords>?><ListRecords/>")) is None


PIECES = st.sampled_from(
    [
        b"<", b">", b"&", b"&amp;", b"&lt;", b"&#38;", b"]]>", b"<!--", b"-->", b'"', b"'", b"\t",
        b"\n", b"\r", b"\x00", b"\x7f", b"\xc2\x85", b"\xef\xbf\xbf", b"\xef\xbf\xbd", b"\xff",
        b" xml:lang='fr'", b' xml:lang="fr"', b' xmlns="urn:x"', b' xmlns:dc="urn:x"', b"<x/>",
        b"<record>", b"</record>", b"<record/>", b"</dc:title>", b"<dc:title>", b"<?x?>", b"x",
        b"<dc:date/>", b'<dc:date xml:lang="fr"/>', b"<setSpec>c</setSpec>", b"</oai_dc:dc>",
        b"<about/>", b"<ListRecords>",
    ]
)  # fmt: skip
CHANGES = st.lists(
    st.tuples(st.integers(0, len(SMALL)), st.integers(0, 12), PIECES), min_size=1, max_size=3
)


@given(CHANGES)
@example([(SMALL.index(b"<dc:date>"), 0, b"x")])  # text between the values
@example([(SMALL.index(b"2026<"), 0, b"&lt;")])
@example([(SMALL.index(b"<dc:date>"), 0, b"<dc:rights/>")])
def test_a_changed_page_is_read_alike_or_declined(changes: list[tuple[int, int, bytes]]) -> None:
    data = SMALL
    for at, removed, piece in changes:
        data = data[:at] + piece + data[at + removed :]
    agree(data)
