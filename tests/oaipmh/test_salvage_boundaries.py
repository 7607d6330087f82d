import re
from pathlib import Path

import pytest

from halmirror.errors import ResponseError
from halmirror.oaipmh.protocol import Token, parse
from halmirror.oaipmh.salvage import salvage
from oaipmh.damaged_pages import (
    CLOSING,
    HAL,
    HEADERS,
    ONE,
    OPENING,
    OTHER,
    RECORDS,
    SEVENTEENTH,
    TITLE,
    TOKEN,
    changed,
    contents,
    identifiers,
    listed,
    record,
    spans,
    without,
)

# -- what is no boundary ----------------------------------------------------------------


@pytest.mark.parametrize(
    "inside",
    [
        b'<c><record xmlns="http://www.loc.gov/MARC21/slim"><leader>x</leader></record></c>',
        b'<record xmlns="http://www.loc.gov/MARC21/slim"><record/><record a="/>" /></record >',
        b'<record xmlns="urn:m"/><record xmlns="urn:m"/>',
        b"<records/><record-x/><record.y></record.y><m:record xmlns:m='urn:m'/>",
        b"<![CDATA[</record>]]>",
        b"<![CDATA[<record><leader/></record><record><leader/></record> <!-- ]]>",
        b"<!-- </record> <![CDATA[ -->",
        b"<?p </record> <!-- ?>",
        b"&lt;/record&gt;",
    ],
)
def test_what_metadata_hold_is_no_boundary(inside: bytes) -> None:
    good = [record(1, inside), record(3, inside)]
    bad = record(2, inside + b"\x0b")
    page = salvage(listed(good[0], bad, good[1]))
    assert contents(page) == contents(parse(listed(*good)))
    assert [(one.data, one.identifier) for one in page.rejected] == [(bad, "oai:x:2")]


def test_white_space_and_comments_stand_between_records() -> None:
    page = salvage(
        listed(b"\n<!-- <record> -->", record(1), b"<!-- a --> <!-- b -->", record(2, b"&"), b"\n")
    )
    assert identifiers(page) == ["oai:x:1"]
    assert [one.identifier for one in page.rejected] == ["oai:x:2"]


@pytest.mark.parametrize(
    "between",
    [
        b"stray",
        b"]]>",
        b"<?p i?>",
        b"<![CDATA[ ]]>",
        b"</record>",
        b"<about/>",
        b"<record",
        b"<record <",
        b"<record a=b>",
        b"<record a='>",
        b"</record a='b'>",
        b"<!-- a",
        b"<!-- a -- b -->",
        b"<resumptionToken/>",
        CLOSING + OPENING,
        CLOSING + b'<?xml version="1.0"?>' + OPENING,
    ],
)
def test_anything_else_between_records_refuses_the_page(between: bytes) -> None:
    page = listed(record(1), between, record(2), record(3, b"\x0b"))
    with pytest.raises(ResponseError, match="cannot be saved one by one"):
        salvage(page)


@pytest.mark.parametrize(
    "damaged",
    [
        # The boundary between two records is damaged.
        [record(1).removesuffix(b"</record>"), record(2), record(3)],
        [record(1), record(2).removeprefix(b"<record>"), record(3)],
        [record(1).removesuffix(b"</record>"), record(2), record(3), b"</record>"],
        [record(1).removesuffix(b"</d></metadata></record>"), record(2), b"</record>", record(3)],
        # Both tags at a boundary are gone, so that the next ones would make two records one.
        [record(1)[:-8] + b"#ecord>", record(2).replace(b"<record>", b"<reco#d>"), record(3)],
        # The end of something opaque is lost, and the next one stands in another record.
        [record(1, b"<!-- c ->"), record(2, b"<!-- c -->"), record(3)],
        [record(1, b"<![CDATA[c]>"), record(2, b"<![CDATA[c]]>"), record(3)],
        [record(1, b"<?p ?"), record(2, b"<?p ?>"), record(3)],
        [record(1, b"<?p ?"), record(2, b"Pourquoi ?>"), record(3)],
        [record(1, b"<!-- c"), record(2), record(3)],
        # The beginning of something opaque is lost, and what it held counts.
        [record(1, b"<!x </record> -->"), record(2), record(3)],
    ],
)
def test_a_boundary_in_doubt_refuses_the_page(damaged: list[bytes]) -> None:
    page = listed(*damaged, record(9, b"&nbsp;"), record(10))
    with pytest.raises(ResponseError, match="cannot be saved one by one"):
        salvage(page)


# -- the page around the records --------------------------------------------------------


def prefixed(page: bytes, prefix: bytes = b"oai") -> bytes:
    names = (
        b"OAI-PMH|responseDate|request|ListRecords|record|header|identifier|datestamp|setSpec"
        b"|metadata|resumptionToken"
    )
    page = re.sub(rb"(</?)(" + names + rb")(?=[\s>])", rb"\1" + prefix + rb":\2", page)
    return page.replace(b'xmlns="http://www.open', b"xmlns:" + prefix + b'="http://www.open')


@pytest.mark.parametrize("prefix", [b"oai", b"header", b"a.b-c", "é".encode()])
def test_a_page_with_a_prefix_is_cut_at_its_own_tags(prefix: bytes) -> None:
    page = prefixed(RECORDS, prefix)
    assert contents(parse(page)) == contents(parse(RECORDS))
    damaged = salvage(changed(TITLE, TITLE + b"<record>&nbsp;</record></record>", page))
    assert contents(damaged) == without(RECORDS, 17)
    assert damaged.token == TOKEN
    assert [one.identifier for one in damaged.rejected] == [SEVENTEENTH]


def test_records_without_the_prefix_of_the_root_are_not_taken() -> None:
    page = prefixed(RECORDS).replace(b"oai:record>", b"record>")
    with pytest.raises(ResponseError, match="it has no record"):
        salvage(page)


def test_namespaces_of_the_root_and_of_the_list_hold_for_each_record() -> None:
    opening = OPENING.replace(b'"><', b'"\n xmlns:a="urn:a"><').replace(
        b"ListRecords", b'ListRecords\r\n xmlns:b="urn:b"'
    )
    good = record(1, b"<a:x b:y='1'/>")
    page = salvage(opening + good + record(2, b"&") + CLOSING)
    assert contents(page) == contents(parse(opening + good + CLOSING))
    assert page.rejected[0].reason.endswith("at line 1 of the record")


@pytest.mark.parametrize("encoding", ["iso-8859-1", "ISO-8859-15", "windows-1252", "us-ascii"])
def test_other_encodings_in_which_tags_are_ascii(encoding: str) -> None:
    text = RECORDS.decode().replace('encoding="utf-8"', f'encoding="{encoding}"')
    page = text.encode(encoding, "xmlcharrefreplace")
    assert contents(salvage(changed(TITLE, TITLE + b"&nbsp;", page))) == without(RECORDS, 17)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-7", "cp037"])
def test_an_encoding_in_which_tags_are_not_ascii_is_refused(encoding: str) -> None:
    text = RECORDS.decode().replace('encoding="utf-8"', f'encoding="{encoding}"')
    with pytest.raises(ResponseError):
        salvage(text.replace(TITLE.decode(), "&nbsp;").encode(encoding, "replace"))
    with pytest.raises(ResponseError, match="in its encoding"):
        salvage(text.replace(TITLE.decode(), "&nbsp;").encode())


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
@pytest.mark.parametrize("declaration", [b"", b"<?xml version='1.0'?>\n<!-- c --><?p?>"])
def test_a_byte_order_mark_or_no_declaration(mark: bytes, declaration: bytes) -> None:
    good = record(1, "é".encode())
    page = salvage(mark + declaration + listed(good, record(2, b"\xe9"), good))
    assert contents(page) == contents(parse(listed(good, good)))
    assert [one.identifier for one in page.rejected] == ["oai:x:2"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"AoFf+5MI", b"AoFf\x0b"),
        (b"AoFf+5MI", b"AoFf&nbsp;"),
        (b'cursor="0"', b'cursor="0'),
        (b"</resumptionToken>", b"</resumptionToke>"),
        (b"<resumptionToken ", b"<resumptionToken/><resumptionToken "),
        (b"</resumptionToken>", b"</resumptionToken>stray"),
        (b"</resumptionToken>", b"</resumptionToken><set/>"),
        (b"</ListRecords>", b"</ListRecord>"),
        (b"</ListRecords>", b"</ListRecords>stray"),
        (b"</ListRecords>", b""),
        (b"</OAI-PMH>", b""),
        (b"</OAI-PMH>", b"</OAI-PMH>stray"),
        (b"  <ListRecords>", b"  stray<ListRecords>"),
        (b"<ListRecords>", b"<ListRecords a=>"),
        (b"<ListRecords>", b"<ListRecords/>"),
        (b"<ListRecords>", b"<Identify/><ListRecords>"),
        (b"<ListRecords>", b'<error code="badVerb"/><ListRecords>'),
        (b"<ListRecords>", b"<set><ListRecords/></set><ListRecords>"),
        (b"<responseDate>", b"<responseDate>\x0b"),
        (b"2026-11-20T03:00:00Z", b"yesterday"),
        (b"<request ", b"<request a='&nbsp;' "),
        (b"<OAI-PMH xmlns=", b"<OAI-PMH a='<' xmlns="),
        (b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"', b'<OAI-PMH xmlns="urn:x"'),
        (b"<OAI-PMH ", b"<!DOCTYPE OAI-PMH><OAI-PMH "),
        (b"<?xml version", b" <?xml version"),
        (b"<?xml version", b"<?xml versio"),
    ],
)
def test_damage_outside_the_records_refuses_the_page(old: bytes, new: bytes) -> None:
    damaged = changed(TITLE, TITLE + b"&nbsp;").replace(old, new, 1)
    with pytest.raises(ResponseError, match="cannot be saved one by one"):
        salvage(damaged, url="https://example.org/oai")


def test_a_token_is_kept_as_it_came() -> None:
    token = b"<resumptionToken cursor='9'><![CDATA[a&b<record>]]></resumptionToken>\n"
    page = salvage(listed(record(1), record(2, b"&nbsp;"), b"<!-- c -->", token))
    assert page.token == Token("a&b<record>", 9, None, None)


def test_a_refusal_names_the_address_in_one_line() -> None:
    with pytest.raises(ResponseError) as caught:
        salvage(RECORDS.replace(b"</OAI-PMH>", b""), url="https://example.org/oai")
    assert caught.value.url == "https://example.org/oai"
    assert str(caught.value) == (
        "https://example.org/oai gave no usable OAI-PMH 2.0 answer: its records cannot be saved "
        "one by one: it is damaged outside of them, or cut short"
    )


@pytest.mark.parametrize("page", [RECORDS, HEADERS, ONE], ids=["records", "headers", "one"])
def test_a_body_cut_anywhere_is_refused(page: bytes) -> None:
    end = len(page.rstrip())
    for cut in {*range(0, end, 1999), *range(end - 40, end)}:
        with pytest.raises(ResponseError):
            salvage(page[:cut])


def test_two_pages_glued_together_are_refused() -> None:
    second = (HAL / "ListRecords-2.xml").read_bytes()
    for first in (RECORDS, RECORDS[:50_000], RECORDS[: spans(RECORDS)[16][1]], ONE):
        with pytest.raises(ResponseError):
            salvage(first + second)
        with pytest.raises(ResponseError):
            salvage(first + second[second.index(b"<OAI-PMH") :])


def test_a_page_may_have_no_good_record_but_not_none_at_all() -> None:
    page = salvage(listed(record(1, b"&nbsp;"), record(2, b"\x0b"), record(3, b"\xff")))
    assert page.records == page.headers == ()
    assert [(one.position, one.identifier) for one in page.rejected] == [
        ("record 1", "oai:x:1"),
        ("record 2", "oai:x:2"),
        ("record 3", "oai:x:3"),
    ]
    with pytest.raises(ResponseError, match="it has no record"):
        salvage(listed(b"&nbsp;"))


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in (*HAL.glob("*.xml"), *OTHER.glob("*.xml"))
        if b"<OAI-PMH" in path.read_bytes()
    ],
    ids=lambda path: str(path.name),
)
def test_a_whole_page_is_read_as_parse_reads_it(path: Path) -> None:
    data = path.read_bytes()
    whole = parse(data)
    if not whole.headers:
        with pytest.raises(ResponseError, match="it has no list of records"):
            salvage(data)
        return
    page = salvage(data)
    assert contents(page) == contents(whole)
    assert (page.token, page.arguments, page.rejected) == (whole.token, whole.arguments, ())


# -- nothing is expanded, all is bounded ------------------------------------------------


@pytest.mark.parametrize("entity", [b"&e9;", b"&x;"])
def test_a_document_type_declaration_is_refused(entity: bytes) -> None:
    doctype = b'<!DOCTYPE OAI-PMH [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY e9 "x">]>'
    page = doctype + listed(record(1, entity), record(2), record(3, b"\x0b"))
    with pytest.raises(ResponseError, match="it does not begin as OAI-PMH does"):
        salvage(page)


def test_the_limits_of_the_parser_hold_for_each_record() -> None:
    deep = record(2, b"<a>" * 300 + b"</a>" * 300)
    long = record(3, b"x" * 10_000_001)
    page = salvage(listed(record(1), deep, long))
    assert identifiers(page) == ["oai:x:1"]
    assert [one.identifier for one in page.rejected] == ["oai:x:2", "oai:x:3"]


GOOD = record(1)


@pytest.mark.parametrize(
    ("before", "unit", "after"),
    [
        (OPENING, b"<!--", CLOSING),
        (OPENING, b"x<!---->", CLOSING),
        (OPENING, b"<![CDATA[", CLOSING),
        (OPENING, b"<?", CLOSING),
        (OPENING, b"<record", CLOSING),
        (OPENING, b"<record ", CLOSING),
        (OPENING, b"<record>", CLOSING),
        (OPENING, b"<record/>", CLOSING),
        (OPENING, b'<record a="', CLOSING),
        (OPENING, b"<record><header>", CLOSING),
        (OPENING + GOOD + b"<record", b" ", b"<" + CLOSING),
        (OPENING + GOOD + b"<record", b" a='b'", b"<" + CLOSING),
        (OPENING + GOOD + b"<record>", b"<!--", b"</record>" + CLOSING),
        (OPENING + GOOD + b"<record><header>", b"<header ", b"&</header></record>" + CLOSING),
        (OPENING + GOOD + record(2, b"&"), b"x", CLOSING),
        (b"", b"<?", OPENING),
        (b"", b"<!--", OPENING),
        (b"", b"<!---->", OPENING),
        (b"<?xml", b" a", OPENING),
        (b"<OAI-PMH", b" ", OPENING),
        (b"<OAI-PMH", b" a='b'", OPENING),
        (b"<OAI-PMH>", b"<ListRecords ", CLOSING),
    ],
)
def test_twenty_million_hostile_bytes_are_refused(before: bytes, unit: bytes, after: bytes) -> None:
    with pytest.raises(ResponseError):
        salvage(before + unit * (20_000_000 // len(unit)) + after)


def test_long_start_tags_are_not_repeated_for_many_records() -> None:
    opening = OPENING.replace(b"<ListRecords", b"<ListRecords a='" + b"x" * 100_000 + b"'")
    records = b"".join(record(n) for n in range(1000))
    with pytest.raises(ResponseError, match="its start tags are too long for so many records"):
        salvage(opening + records + record(1000, b"\x0b") + CLOSING)
