import copy

import pytest
from lxml import etree

from halmirror.errors import ResponseError
from halmirror.oaipmh.protocol import (
    MetadataFormat,
    OAIError,
    Set,
    Token,
    canonical,
    is_solr_outage,
    parse,
)
from oaipmh.written_answers import HAL, OTHER, answer, listed, record

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
