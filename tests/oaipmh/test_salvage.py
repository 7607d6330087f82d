import contextlib
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from halmirror.errors import ResponseError
from halmirror.oaipmh.protocol import Token, parse
from halmirror.oaipmh.salvage import salvage
from oaipmh.damaged_pages import (
    CLOSING,
    HEADERS,
    MAXWELL,
    ONE,
    OPENING,
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

# -- a fault inside a record ------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (TITLE + b"\xff", "encoding"),
        (TITLE + b"caf\xe9", "encoding"),
        (TITLE + b"\x0b", "PCDATA invalid Char value 11, at line 21 of the record"),
        (TITLE + b"\x00", "Char 0x0|invalid Char"),
        (TITLE + b"&nbsp;", "Entity 'nbsp' not defined, at line 21 of the record"),
        (TITLE + b"&", "xmlParseEntityRef: no name, at line 21 of the record"),
        (TITLE + b"</b>", "tag mismatch: title line 21 and b, at line 21 of the record"),
        (TITLE + b"<b>", "tag mismatch: b line 21 and dc:title"),
        (TITLE + b"<", "at line 21 of the record"),
        (TITLE + b"<x:y/>", "Namespace prefix x on y is not defined"),
        (TITLE + b'<y a="1" a="2"/>', "Attribute a redefined"),
        (TITLE + b"]]>", "not allowed in content"),
        (TITLE + b"<!-- a -- b -->", "hyphen"),
        (TITLE + b'<y xml:lang="</record"/>', "<"),
    ],
)
def test_a_fault_costs_its_own_record_only(fault: bytes, reason: str) -> None:
    page = salvage(changed(TITLE, fault))
    assert contents(page) == without(RECORDS, 17)
    assert page.headers == tuple(one.header for one in page.records)
    assert page.token == TOKEN
    assert page.verb == "ListRecords"
    assert page.response_date == "2026-11-20T03:00:00Z"
    assert page.arguments == {"metadataPrefix": "oai_dc"}
    rejected = page.rejected[0]
    assert len(page.rejected) == 1
    assert rejected.position == "record 17"
    assert rejected.identifier == SEVENTEENTH
    assert re.search(reason, rejected.reason)
    assert "\n" not in rejected.reason
    start, end = spans(RECORDS)[16]
    assert rejected.data == RECORDS[start:end].replace(TITLE, fault)


def test_a_page_that_was_served_with_a_control_character() -> None:
    page = salvage(MAXWELL)
    assert identifiers(page) == [
        "oai:MAXWELL.puc-rio.br:24182",
        "oai:MAXWELL.puc-rio.br:24253",
        "oai:MAXWELL.puc-rio.br:24269",
        "oai:MAXWELL.puc-rio.br:24274",
    ]
    assert page.token == Token("", 0, 5, None)
    assert [(one.position, one.identifier) for one in page.rejected] == [
        ("record 2", "oai:MAXWELL.puc-rio.br:24183")
    ]
    assert page.rejected[0].data.count(b"\x0b") == 1


def test_several_damaged_records_are_told_in_their_order() -> None:
    damaged = bytearray(RECORDS)
    for number in (2, 3, 26):
        damaged[spans(RECORDS)[number - 1][1] - 40] = 0xFF
    page = salvage(bytes(damaged))
    assert contents(page) == without(RECORDS, 2, 3, 26)
    assert [one.position for one in page.rejected] == ["record 2", "record 3", "record 26"]
    assert [one.identifier for one in page.rejected] == [
        "oai:HAL:hal-04493396v1",
        "oai:HAL:hal-04168081v1",
        "oai:HAL:hal-02139658v1",
    ]


def test_a_damaged_header_in_a_list_of_identifiers() -> None:
    page = salvage(changed(b"oai:HAL:hal-04168081v1", b"oai:HAL:hal-\x0b", HEADERS))
    assert contents(page) == without(HEADERS, 3)
    assert page.records == ()
    assert [(one.position, one.identifier) for one in page.rejected] == [("header 3", None)]
    assert page.rejected[0].data.startswith(b"<header>")
    assert page.rejected[0].data.endswith(b"</header>")


def test_a_single_record_is_set_aside() -> None:
    page = salvage(changed("Autès".encode(), b"Aut\xe8s", ONE))
    assert page.records == page.headers == ()
    assert page.verb == "GetRecord"
    assert [(one.position, one.identifier) for one in page.rejected] == [
        ("record 1", "oai:HAL:hal-04493396v1")
    ]


def test_a_record_that_is_well_formed_and_of_no_use_is_set_aside_as_ever() -> None:
    faults = (
        record(2, b"&nbsp;"),
        b"<record/>",
        record(3).replace(b"urn:d", b"relative"),
        record(4).replace(b"2024-03-07", b"yesterday"),
    )
    page = salvage(listed(record(1), *faults, record(9)))
    assert identifiers(page) == ["oai:x:1", "oai:x:9"]
    assert [(one.position, one.identifier) for one in page.rejected] == [
        ("record 2", "oai:x:2"),
        ("record 3", None),
        ("record 4", "oai:x:3"),
        ("record 5", "oai:x:4"),
    ]
    alone = parse(listed(record(4).replace(b"2024-03-07", b"yesterday"))).rejected[0]
    assert (page.rejected[3].data, page.rejected[3].reason) == (alone.data, alone.reason)


# -- the identifier of a damaged record -------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "identifier"),
    [
        (b"</header>", b"<setSpec>\x0b</setSpec></header>", "oai:x:2"),
        (b"<identifier>", b"\n<identifier >\n ", "oai:x:2"),
        (b"oai:x:2", b"oai:x:&#50;", "oai:x:2"),
        (b"oai:x:2", b"oai:x:2\xff", None),
        (b"oai:x:2", b"oai:x:2&nbsp;", None),
        (b"oai:x:2", b"oai:x:<b>2</b>", None),
        (b"oai:x:2", b" ", None),
        (b"<identifier>", b"<identifer>", None),
        (b"<header>", b"<head>", None),
        (b"<header>", b"<header status='\x0b'>", None),
        (b"</header>", b"</head>", None),
        (b"</header>", b"<identifier>oai:x:3</identifier></header>", None),
        (b"<identifier>", b"<!-- c --><identifier>", None),
        (b"</datestamp>", b"</datestamp><![CDATA[ ]]>", None),
    ],
)
def test_an_identifier_is_told_where_the_bytes_leave_no_doubt(
    old: bytes, new: bytes, identifier: str | None
) -> None:
    bad = record(2, b"&nbsp;").replace(old, new)
    page = salvage(listed(record(1), bad, record(3)))
    assert identifiers(page) == ["oai:x:1", "oai:x:3"]
    assert [(one.data, one.identifier) for one in page.rejected] == [(bad, identifier)]


@pytest.mark.parametrize(
    ("bad", "identifier"),
    [
        (record(2).replace(b"2024-03-07", b"yesterday"), "oai:x:2"),
        (record(2).replace(b"urn:d", b"relative"), "oai:x:2"),
        (record(2).replace(b"<header>", b"<header><identifier>b</identifier>"), None),
        (b"<record/>", None),
        (b"<record><header/><header/></record>", None),
    ],
)
def test_a_record_that_parse_rejects_tells_its_identifier(
    bad: bytes, identifier: str | None
) -> None:
    assert [one.identifier for one in parse(listed(record(1), bad)).rejected] == [identifier]


def test_a_header_that_parse_rejects_tells_its_identifier() -> None:
    headers = b"<header><identifier>oai:x:1</identifier></header>"
    page = parse(listed(headers).replace(b"ListRecords", b"ListIdentifiers"))
    assert [one.identifier for one in page.rejected] == ["oai:x:1"]


# -- any damage -------------------------------------------------------------------------


def shortened(page: bytes, item: bytes) -> bytes:
    """The page with its first five items."""
    found = spans(page, item)
    return page[: found[4][1]] + page[found[-1][1] :]


SHORT = {
    b"record": shortened(RECORDS, b"record"),
    b"header": shortened(HEADERS, b"header"),
}
WHOLE = {item: contents(parse(page)) for item, page in SHORT.items()}


@settings(deadline=None, max_examples=800)
@given(data=st.data())
def test_one_changed_byte_costs_the_record_it_lies_in_or_the_page(data: st.DataObject) -> None:
    item = data.draw(st.sampled_from(sorted(SHORT)))
    page, whole = SHORT[item], WHOLE[item]
    position = data.draw(st.integers(0, len(page) - 1))
    byte = data.draw(st.sampled_from(b"<>/!?-[]&;\"'= \n\x00\x0b\xff") | st.integers(0, 255))
    damaged = page[:position] + bytes([byte]) + page[position + 1 :]
    saved = False
    try:
        found = parse(damaged)
    except ResponseError:
        try:
            found = salvage(damaged)
        except ResponseError:
            return
        saved = True
    touched = [start <= position < end for start, end in spans(page, item)]
    untouched = [one for one, hit in zip(whole, touched, strict=True) if not hit]
    taken = contents(found)
    kept = [one for one in taken if one in untouched]
    assert len(taken) + len(found.rejected) == len(whole) == 5
    assert len(taken) - len(kept) <= sum(touched)
    assert kept == [one for one in untouched if one in kept]
    # A namespace of the root that is damaged, and still well formed, spoils every record.
    assert kept == untouched or not saved


@settings(deadline=None, max_examples=400)
@given(data=st.data())
def test_a_damaged_block_never_costs_a_record_that_it_does_not_touch(data: st.DataObject) -> None:
    item = data.draw(st.sampled_from(sorted(SHORT)))
    page, whole = SHORT[item], WHOLE[item]
    start = data.draw(st.integers(0, len(page)))
    length = data.draw(st.integers(0, 400))
    damaged = page[:start] + data.draw(st.binary(max_size=8)) + page[start + length :]
    try:
        found = salvage(damaged)
    except ResponseError:
        return
    untouched = [
        one
        for one, (first, end) in zip(whole, spans(page, item), strict=True)
        if end <= start or start + length <= first
    ]
    taken = contents(found)
    assert [one for one in taken if one in untouched] == untouched
    assert len(taken) + len(found.rejected) <= len(whole)


@given(st.binary(max_size=300))
@example(b"<record/>")
def test_arbitrary_bytes_raise_nothing_but_a_response_error(noise: bytes) -> None:
    for page in (noise, OPENING + noise + CLOSING, noise + OPENING + CLOSING):
        # Noise may be an empty record, which is something to set aside.
        with contextlib.suppress(ResponseError):
            found = salvage(page)
            assert b"<record" in noise
            assert found.records == ()
            assert found.rejected
