import pytest
from hypothesis import given
from hypothesis import strategies as st

from halmirror.errors import ResponseError, UsageError
from halmirror.oaipmh.protocol import canonical, check_arguments, looks_cut_short, parse
from oaipmh.written_answers import HAL, OPENING, OTHER, answer, listed, record

# -- what is refused --------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["ListRecords-3.xml", "ListIdentifiers-1.xml", "GetRecord.xml", "Identify.xml"]
)
def test_a_body_cut_anywhere_is_an_error_that_says_so(name: str) -> None:
    whole = (HAL / name).read_bytes()
    end = len(whole.rstrip())
    for cut in {*range(0, end, 487), *range(end - 40, end)}:
        with pytest.raises(ResponseError, match="cut short"):
            parse(whole[:cut])
        assert looks_cut_short(whole[:cut])
    assert not looks_cut_short(whole)


def test_an_error_names_url_position_and_reason() -> None:
    data = (OTHER / "malformed" / "puc-rio-maxwell.xml").read_bytes()
    with pytest.raises(ResponseError) as caught:
        parse(data, url="https://example.org/oai?verb=ListRecords")
    assert caught.value.url == "https://example.org/oai?verb=ListRecords"
    assert caught.value.position == "5:12"
    assert str(caught.value) == (
        "https://example.org/oai?verb=ListRecords gave no usable OAI-PMH 2.0 answer: "
        "PCDATA invalid Char value 11, at 5:12"
    )
    assert not looks_cut_short(data)


@pytest.mark.parametrize(
    "data",
    [
        (OTHER / "malformed" / "html-instead-of-xml.html").read_bytes(),
        b"<html><body><p>Maintenance<br></body></html>",
        b"<html><head/><body/></html>",
        b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body/></html>',
        b"\xef\xbb\xbf\n<!doctype HTML><title>Down</title>",
        b"<h1>503 Service Unavailable</h1>",
    ],
)
def test_html_is_called_html(data: bytes) -> None:
    with pytest.raises(ResponseError, match="looks like an HTML page"):
        parse(data)
    assert not looks_cut_short(data)


BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "doctype",
    [
        f'<!DOCTYPE OAI-PMH [<!ENTITY e0 "x">{BOMB}]>',
        '<!DOCTYPE OAI-PMH [<!ENTITY e9 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE OAI-PMH SYSTEM "http://127.0.0.1:9/oai.dtd">',
        "<?p?><!-- c --><!DOCTYPE OAI-PMH>",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_declaration_is_refused(doctype: str, encoding: str) -> None:
    entity = "&e9;" if "e9" in doctype else ""
    content = f'<error code="badVerb">{entity}</error>'
    text = f'<?xml version="1.0" encoding="{encoding}"?>{doctype}{OPENING}{content}</OAI-PMH>'
    # In UTF-16 the parser comes to the entities first, and its own limit stops them.
    with pytest.raises(ResponseError, match=r"document type declaration|amplification"):
        parse(text.encode(encoding))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the body is empty"),
        (b" \n", "the body is empty"),
        (b'{"error": "busy"}', "Start tag expected"),
        (b"<OAI-PMH/>", "its root element is OAI-PMH, not OAI-PMH in"),
        (b'<feed xmlns="http://www.w3.org/2005/Atom"/>', "its root element is"),
        (
            b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/1.1/"><ListRecords/></OAI-PMH>',
            "its root element is",
        ),
        (answer(""), "it holds neither an error nor an answer"),
        (answer("<ListRecords xmlns='urn:x'/>"), "it holds neither an error nor an answer"),
        (answer("<Identify/><ListSets/>"), "it holds more than one verb's element"),
        (
            answer('<error code="noRecordsMatch"/><ListRecords/>'),
            r"both an error \('noRecordsMatch'\) and an answer",
        ),
        (
            listed("<resumptionToken>a</resumptionToken><resumptionToken>b</resumptionToken>"),
            "more than one resumptionToken",
        ),
        (listed("<record>&nbsp;</record>"), "Entity 'nbsp' not defined"),
        (listed("<x:record/>"), "prefix x"),
        (
            b'<?xml version="1.0" encoding="utf-8"?>' + listed("\xe9").replace(b"\xc3", b""),
            "encoding",
        ),
        (b'<?xml version="1.0" encoding="x-none"?>' + listed(""), "ncoding"),
        (b'<?xml version="1.0" encoding="us-ascii"?>' + listed("\xe9"), "encoding"),
        (listed("<a>" * 300 + "</a>" * 300), "depth"),
        (listed(f"<record>{'x' * 10_000_001}</record>"), "limit|[Hh]uge"),
    ],
)
def test_anything_else_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ResponseError, match=reason):
        parse(data)


def test_other_encodings_are_read() -> None:
    text = listed(record(identifier="<identifier>oai:x:é</identifier>")).decode()
    for encoding in ("iso-8859-1", "utf-16"):
        data = f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding)
        assert parse(data).headers[0].identifier == "oai:x:é"


@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_nothing_but_a_response_error(data: bytes) -> None:
    with pytest.raises(ResponseError):
        parse(data)


@given(st.integers(0, 2600), st.integers(0, 2600), st.binary(max_size=8))
def test_a_damaged_answer_raises_nothing_but_a_response_error(
    start: int, length: int, noise: bytes
) -> None:
    whole = (OTHER / "gallica-bnf.xml").read_bytes()
    try:
        page = parse(whole[:start] + noise + whole[start + length :])
    except ResponseError:
        return
    assert page.verb is not None
    assert all(canonical(one.metadata) for one in page.records if one.metadata is not None)


# -- arguments --------------------------------------------------------------------------


def test_known_arguments_pass() -> None:
    check_arguments("ListRecords", {"metadataPrefix": "oai_dc", "from": "2024-01-01", "set": "a"})
    check_arguments("Identify", {})


@pytest.mark.parametrize(
    ("verb", "arguments", "reason"),
    [
        ("ListRecord", {}, "'ListRecord' is no OAI-PMH verb"),
        ("Identify", {"set": "a"}, "Identify takes no argument 'set'; it takes none"),
        ("GetRecord", {"from": "x"}, "it takes identifier, metadataPrefix"),
    ],
)
def test_unknown_verbs_and_arguments_are_refused(
    verb: str, arguments: dict[str, str], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        check_arguments(verb, arguments)
