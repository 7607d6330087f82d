import copy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from halmirror.errors import ResponseError, UsageError
from halmirror.oaipmh.protocol import (
    MetadataFormat,
    OAIError,
    Set,
    Token,
    canonical,
    check_arguments,
    is_solr_outage,
    looks_cut_short,
    parse,
)

REPOSITORY = Path(__file__).resolve().parents[2]
HAL = REPOSITORY / "data" / "hal-oai"
OTHER = REPOSITORY / "tests" / "data" / "other-oai"
OPENING = (
    '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
    "<responseDate>2026-11-20T03:00:00Z</responseDate>"
)


def answer(content: str) -> bytes:
    return f"{OPENING}{content}</OAI-PMH>".encode()


def listed(content: str) -> bytes:
    return answer(f"<ListRecords>{content}</ListRecords>")


def record(
    identifier: str = "<identifier>oai:x:1</identifier>",
    datestamp: str = "<datestamp>2024-03-07</datestamp>",
    metadata: str = '<metadata><d xmlns="urn:d">v</d></metadata>',
    status: str = "",
) -> str:
    return f"<record><header{status}>{identifier}{datestamp}</header>{metadata}</record>"


# -- what HAL's answers hold ------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "count", "first", "last", "token"),
    [
        (
            "ListRecords-1.xml",
            26,
            "oai:HAL:hal-05324585v1",
            None,
            Token("AoFf+5MI", 0, 73, "2026-11-20T05:00:00Z"),
        ),
        (
            "ListRecords-2.xml",
            26,
            "oai:HAL:halshs-02106332v1",
            None,
            Token("AoFf+zM=", 26, 73, "2026-11-20T05:00:01Z"),
        ),
        ("ListRecords-3.xml", 21, "oai:HAL:inria-00107761v1", None, Token("", None, 73, None)),
        ("ListRecords-2022-extract.xml", 18, "oai:HAL:hal-00999999v1", None, None),
        ("GetRecord.xml", 1, "oai:HAL:hal-02737739v1", "oai:HAL:hal-02737739v1", None),
    ],
)
def test_records_and_token_of_a_recorded_page(
    name: str, count: int, first: str, last: str | None, token: Token | None
) -> None:
    page = parse((HAL / name).read_bytes())
    assert len(page.records) == count
    assert page.headers == tuple(one.header for one in page.records)
    assert page.headers[0].identifier == first
    assert last is None or page.headers[-1].identifier == last
    assert page.token == token
    assert page.rejected == ()
    assert page.errors == ()
    assert {one.metadata.tag for one in page.records if one.metadata is not None} == {
        "{http://www.openarchives.org/OAI/2.0/oai_dc/}dc"
    }


@pytest.mark.parametrize(("number", "count"), [(1, 26), (2, 26), (3, 21)])
def test_identifiers_are_those_of_the_records(number: int, count: int) -> None:
    identifiers = parse((HAL / f"ListIdentifiers-{number}.xml").read_bytes())
    records = parse((HAL / f"ListRecords-{number}.xml").read_bytes())
    assert len(identifiers.headers) == count
    assert identifiers.headers == records.headers
    assert identifiers.records == ()


def test_a_header_of_hal() -> None:
    header = parse((HAL / "GetRecord-hal-04493396.xml").read_bytes()).headers[0]
    assert header.identifier == "oai:HAL:hal-04493396v1"
    assert header.datestamp == "2024-03-07"
    assert header.sets == ("subject:shs", "type:ART")
    assert not header.deleted


def test_the_request_is_repeated() -> None:
    page = parse((HAL / "ListRecords-2.xml").read_bytes())
    assert page.response_date == "2026-11-20T03:00:01Z"
    assert page.verb == "ListRecords"
    assert page.arguments == {"resumptionToken": "AoFf+5MI"}


def test_identify_of_hal() -> None:
    page = parse((HAL / "Identify.xml").read_bytes())
    identity = page.identity
    assert identity is not None
    assert identity.repository_name == "HAL"
    assert identity.base_url == "https://api.archives-ouvertes.fr/oai/hal/"
    assert identity.protocol_version == "2.0"
    assert identity.admin_emails == ("contact@archives-ouvertes.fr",)
    assert identity.earliest_datestamp == "2002-09-23"
    assert identity.deleted_record == "no"
    assert identity.granularity == "YYYY-MM-DD"
    assert identity.metadata_policy == (
        "1) No commercial use of the extracted data 2) The source must be cited"
    )
    assert identity.xml.startswith(b"<Identify ")
    assert identity.xml.endswith(b"</Identify>")


def test_formats_and_sets_of_hal() -> None:
    formats = parse((HAL / "ListMetadataFormats.xml").read_bytes()).formats
    assert [one.prefix for one in formats] == ["oai_dc", "oai_dcterms", "xml-tei"]
    assert formats[0] == MetadataFormat(
        "oai_dc",
        "http://www.openarchives.org/OAI/2.0/oai_dc.xsd",
        "http://www.openarchives.org/OAI/2.0/oai_dc/",
    )
    sets = parse((HAL / "ListSets.xml").read_bytes()).sets
    assert len(sets) == 35
    assert sets[0] == Set("openaire", "OpenAIRE set")
    assert sets[-1] == Set("collection:GIP-BE", "GIP Bretagne Environnement")


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        (
            "error-badArgument.xml",
            "badArgument",
            (
                "The argument 'set' (value='collection:NO-SUCH-SET') included in the request "
                "is not valid."
            ),
        ),
        (
            "error-badResumptionToken.xml",
            "badResumptionToken",
            "The resumptionToken '' does not exist or has already expired.",
        ),
        (
            "error-idDoesNotExist.xml",
            "idDoesNotExist",
            "The value 'oai:HAL:hal-99999999v1' of the identifier is illegal for this repository.",
        ),
        (
            "error-noRecordsMatch.xml",
            "noRecordsMatch",
            "The combination of the given values results in an empty list.",
        ),
        (
            "error-verbatim.xml",
            "badArgument",
            'The record "oai:hal.archives-ouvertes.fr:hal-00939473" does not exist.',
        ),
    ],
)
def test_an_error_is_a_page(name: str, code: str, message: str) -> None:
    page = parse((HAL / name).read_bytes())
    assert page.errors == (OAIError(code, message),)
    assert page.records == ()
    assert not is_solr_outage(page)


def test_the_search_engine_outage_is_known() -> None:
    page = parse((HAL / "error-solr-outage.xml").read_bytes())
    assert page.errors[0].code == "badArgument"
    assert is_solr_outage(page)


# -- other repositories -----------------------------------------------------------------


def test_deleted_records_have_no_metadata() -> None:
    page = parse((OTHER / "dataverse-scholarsportal-1.xml").read_bytes())
    assert [one.header.deleted for one in page.records] == [False] + [True] * 9
    assert page.records[1].metadata is None
    assert page.records[1].header.identifier == "hdl:10864/10820"
    assert page.token == Token("1429887886829_null:10:null:oai_dc", 0, 19, "2015-04-24T20:04:46Z")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("zenodo-2026-no-records.xml", ""),
        (
            "fedora-mla-core-after-last-token.xml",
            (
                "The combination of the values of the from, until, set and metadataPrefix "
                "arguments results in an empty list."
            ),
        ),
    ],
)
def test_an_empty_list_elsewhere(name: str, message: str) -> None:
    page = parse((OTHER / name).read_bytes())
    assert page.errors == (OAIError("noRecordsMatch", message),)
    assert page.verb is None
    assert page.arguments == {}


def test_a_response_date_stays_as_it_came() -> None:
    page = parse((OTHER / "hubzero-purdue-purr.xml").read_bytes())
    assert page.response_date == "2015-12-22T15:30:11+00:00"
    assert page.headers[0].identifier == "http://dx.doi.org/10.4231/R7TQ5ZG3"


def dated(date: str) -> bytes:
    opening = '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
    return f"{opening}<responseDate>{date}</responseDate><ListRecords/></OAI-PMH>".encode()


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("", ""),
        (" 2026-11-20\n", "2026-11-20"),
        ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"),
        ("2026-11-20T03:00:00", "2026-11-20T03:00:00"),
        ("2026-11-20T03:00:00.123456789Z", "2026-11-20T03:00:00.123456789Z"),
        ("2026-11-20T00:30:00+01:00", "2026-11-19T23:30:00Z"),
        ("2026-11-19T23:30:00-01:00", "2026-11-20T00:30:00Z"),
    ],
)
def test_a_response_date_is_in_utc(date: str, expected: str) -> None:
    assert parse(dated(date)).response_date == expected


@pytest.mark.parametrize(
    "date",
    [
        "yesterday",
        "2023-02-29T00:00:00Z",
        "9999-99-99T00:00:00Z",
        "0000-01-01",
        "20261120T030000Z",
        "2026-W47-5",
        "2026-11-20T25:00:00Z",
        "2026-11-20T03:00:00Z; DROP",
        "٢٠٢٦-11-20",
        "0001-01-01T00:00:00+10:00",
        "9999-12-31T23:00:00-10:00",
    ],
)
def test_a_response_date_that_is_none_is_refused(date: str) -> None:
    with pytest.raises(ResponseError, match="responseDate") as caught:
        parse(dated(date))
    assert repr(date) in str(caught.value)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("2002-09-23", "2002-09-23"),
        ("2002-09-23T10:00:00Z", "2002-09-23T10:00:00Z"),
        ("1823-01-01", "1823-01-01"),
        ("2999-01-01", "2999-01-01"),
        ("2002-13-23", ""),
        ("long ago", ""),
        ("", ""),
    ],
)
def test_an_earliest_datestamp_is_a_date_or_unknown(told: str, kept: str) -> None:
    page = parse(answer(f"<Identify><earliestDatestamp>{told}</earliestDatestamp></Identify>"))
    assert page.identity is not None
    assert page.identity.earliest_datestamp == kept


def test_namespaces_of_the_root_reach_the_canonical_form() -> None:
    page = parse((OTHER / "gallica-bnf.xml").read_bytes())
    assert page.token is not None
    assert page.token.complete_list_size == 2402263
    metadata = page.records[0].metadata
    assert metadata is not None
    form = canonical(metadata)
    assert form.startswith(
        b'<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/">\n'
    )
    assert etree.fromstring(form).tag == "{http://www.openarchives.org/OAI/2.0/oai_dc/}dc"


# -- the small print of a record --------------------------------------------------------


def test_white_space_around_values_is_trimmed_and_sets_are_sorted_once() -> None:
    page = parse(
        listed(
            "<record><header status=''>\n<identifier>\n oai:x:1 </identifier>"
            "<datestamp> 2024-03-07T01:02:03Z\n</datestamp>"
            "<setSpec>b</setSpec><setSpec> a </setSpec><setSpec>b</setSpec><setSpec/></header>"
            "<metadata><d xmlns='urn:d'/></metadata><about><p xmlns='urn:p'/></about></record>"
        )
    )
    header = page.headers[0]
    assert header.identifier == "oai:x:1"
    assert header.datestamp == "2024-03-07T01:02:03Z"
    assert header.sets == ("a", "b")
    assert not header.deleted
    assert len(page.records[0].about) == 1


def test_text_goes_on_after_a_comment() -> None:
    page = parse(listed(record(identifier="<identifier>oai:x:<!-- c -->1</identifier>")))
    assert page.headers[0].identifier == "oai:x:1"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (record(identifier=""), "it has no identifier"),
        (record(identifier="<identifier> </identifier>"), "it has no identifier"),
        (record(identifier="<identifier>a</identifier>" * 2), "it has more than one identifier"),
        (record(datestamp=""), "it has no datestamp"),
        (
            record(datestamp="<datestamp>07/03/2024</datestamp>"),
            "the datestamp '07/03/2024' is neither YYYY-MM-DD nor YYYY-MM-DDThh:mm:ssZ",
        ),
        (
            record(datestamp="<datestamp>2024-02-30</datestamp>"),
            "the datestamp '2024-02-30' is neither YYYY-MM-DD nor YYYY-MM-DDThh:mm:ssZ",
        ),
        (
            record(datestamp="<datestamp>2024-03-07T01:02:03.5Z</datestamp>"),
            "the datestamp '2024-03-07T01:02:03.5Z' is neither YYYY-MM-DD nor YYYY-MM-DDThh:mm:ssZ",
        ),
        (record(metadata=""), "the record has no metadata and is not deleted"),
        (record(metadata="<metadata/>"), "the record has no metadata and is not deleted"),
        (record(metadata="", status=' status=""'), "the record has no metadata and is not deleted"),
        (
            record(metadata="<metadata><a xmlns='urn:a'/><a xmlns='urn:a'/></metadata>"),
            "the record's metadata hold more than one element",
        ),
        ("<record/>", "the record has no header"),
        (
            "<record xmlns='urn:other'/>",
            "{urn:other}record stands where a record of OAI-PMH is due",
        ),
    ],
)
def test_a_bad_record_is_set_aside_and_its_neighbours_stay(bad: str, reason: str) -> None:
    good = record(identifier="<identifier>oai:x:good</identifier>")
    page = parse(listed(f"{good}\n{bad}\n{good}"))
    assert [one.header.identifier for one in page.records] == ["oai:x:good", "oai:x:good"]
    assert [one.reason for one in page.rejected] == [reason]
    assert page.rejected[0].position == "record 2, line 2"
    assert page.rejected[0].data.startswith(b"<record")


def test_a_deleted_record_needs_no_metadata() -> None:
    page = parse(listed(record(metadata="", status=' status="deleted"')))
    assert page.headers[0].deleted
    assert page.rejected == ()


def test_metadata_without_a_canonical_form_are_set_aside() -> None:
    relative = '<metadata><d xmlns="relative">v</d></metadata>'
    page = parse(listed(record() + record(metadata=relative) + record()))
    assert len(page.records) == len(page.headers) == 2
    assert page.rejected[0].position == "record 2, line 1"
    assert b"relative" in page.rejected[0].data


def test_a_token_or_error_inside_metadata_is_no_part_of_the_protocol() -> None:
    inside = (
        '<metadata><d xmlns="urn:d" xmlns:o="http://www.openarchives.org/OAI/2.0/">'
        '<o:resumptionToken>trap</o:resumptionToken><o:error code="badVerb"/><o:record/>'
        "</d></metadata>"
    )
    page = parse(listed(record(metadata=inside)))
    assert page.token is None
    assert page.errors == ()
    assert len(page.records) == 1


@pytest.mark.parametrize(
    ("element", "token"),
    [
        ("<resumptionToken> a+b/c= </resumptionToken>", Token("a+b/c=", None, None, None)),
        ('<resumptionToken cursor="x" completeListSize=""/>', Token("", None, None, None)),
        (
            '<resumptionToken cursor="9" completeListSize=" 10 ">t</resumptionToken>',
            Token("t", 9, 10, None),
        ),
        ('<resumptionToken cursor="-1">t</resumptionToken>', Token("t", None, None, None)),
    ],
)
def test_tokens(element: str, token: Token) -> None:
    assert parse(listed(record() + element)).token == token


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


# -- canonical form ---------------------------------------------------------------------


def test_canonical_form_is_exclusive_keeps_comments_and_drops_the_tail() -> None:
    root = etree.fromstring(
        '<r xmlns="urn:r" xmlns:unused="urn:u" xml:lang="fr">'
        "<d:a b='2' a='1' xmlns:d='urn:d'>é<!-- c --><e/></d:a>tail</r>"
    )
    assert canonical(root[0]) == (
        '<d:a xmlns:d="urn:d" a="1" b="2">é<!-- c --><e xmlns="urn:r"></e></d:a>'.encode()
    )


@pytest.mark.parametrize("name", ["ListRecords-1.xml", "ListRecords-2022-extract.xml"])
def test_canonical_form_is_the_same_in_place_copied_and_read_again(name: str) -> None:
    for one in parse((HAL / name).read_bytes()).records:
        assert one.metadata is not None
        form = canonical(one.metadata)
        assert canonical(copy.deepcopy(one.metadata)) == form
        assert canonical(etree.fromstring(form)) == form


def test_a_record_has_one_canonical_form_in_a_list_and_alone() -> None:
    wanted = "oai:HAL:hal-04493396v1"
    alone = parse((HAL / "GetRecord-hal-04493396.xml").read_bytes()).records[0].metadata
    page = parse((HAL / "ListRecords-1.xml").read_bytes())
    among = next(one.metadata for one in page.records if one.header.identifier == wanted)
    assert alone is not None
    assert among is not None
    assert canonical(alone) == canonical(among)


def test_a_relative_namespace_has_no_canonical_form() -> None:
    with pytest.raises(ResponseError, match="canonical form"):
        canonical(etree.fromstring('<d xmlns="relative"/>'))


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
