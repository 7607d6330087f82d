"""What holds for any Dublin Core at all: nothing raises, and every value is accounted for."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswalks.inverses import squeezed, stands_for
from halmirror.crosswalks import content_sets, crosswalk
from halmirror.crosswalks.text import clean
from halmirror.oaipmh.source import Source
from halmirror.record import Head, Record, encode

ELEMENTS = (
    "title", "creator", "subject", "description", "publisher", "contributor", "date", "type",
    "format", "identifier", "source", "language", "relation", "coverage", "rights",
    "{urn:x}thing",
)  # fmt: skip
PIECES = (
    "hal-00000001", "hal-00000001v2", "https://hal.science/hal-00000001", "HAL CCSD", "Journal",
    "http://shs.hal.science/hal-00000001v2/file/x.pdf", "International audience", " : ", ": ",
    "National audience", "DOI : 10.1000/ABC", "DOI: 10.1000/abc", "DOI: nonsense", "ISSN: ",
    "1539-3755", "EISSN: 1550-2376", "ARXIV : 1303.0980", "ISBN : 978-1-78374-841-9", "PRODINRA",
    "NNT: 2013PA010612", "Report N° : 7", "info:eu-repo/semantics/altIdentifier/doi/10.1000/abc",
    "info:eu-repo/grantAgreement/EC/FP7/654119/EU/Title/ACR", "European Project : ", ", ", " ; ",
    "info:eu-repo/grantAgreement/\n/\n654119\n/EU\n/Title/ACR", "654119,H2020 X,H2020-Y-1,ACR",
    "ANR-18-CE38-0003,BASNUM,Title ( 2018 )", "ANR : ", "Lab (ABC)", "( ABC )", ")-", "(", ")",
    "[\nSHS.HIST\n] \nHumanities and Social Sciences/History", "[INFO:INFO_CR]", "JEL : E", "ACM: ",
    "info:eu-repo/semantics/article", "info:eu-repo/semantics/OpenAccess", "Journal articles",
    "Thèse", "2013", "2018-13", "2014-06-30", "http://creativecommons.org/licenses/by/4.0/", "fr",
    "eng", "FR", "\n", "\u00a0", "e\u0301", "&amp;#x3008;", "&gt;", "&#0;", "é", "Dupont, Jean, ",
)  # fmt: skip
TEXT = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=4).map("".join),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=20),
    st.builds("{}{}".format, st.sampled_from(PIECES), st.text(max_size=4)),
)
SOURCES = st.lists(
    st.builds(
        Source,
        st.sampled_from(ELEMENTS),
        TEXT,
        st.sampled_from((None, "en", "fr", "eng", "", "x y")),
    ),
    max_size=14,
)
SETS = st.lists(
    st.sampled_from(("type:ART", "type:IMG", "type:ZZZ", "subject:shs", "oa", "type:")),
    max_size=3,
)
HAL_RULES_BY_TABLE = ("empty", "language", "archive")
ALTERNATIVE = "info:eu-repo/semantics/altidentifier/"
NAMES = {"pmid": "pubmed", "handle": "hdl"}
FUNDING_RULES = ("project", "grant agreement")


def strings(held: Any) -> list[str]:
    if isinstance(held, str):
        return [held]
    parts = held.values() if isinstance(held, dict) else held if isinstance(held, list) else ()
    return [one for part in parts for one in strings(part)]


@pytest.mark.parametrize("profile", ["hal", "generic"])
@settings(deadline=None, max_examples=400)
@given(sources=SOURCES, sets=SETS)
def test_any_dublin_core_is_told_once_and_never_raises(
    profile: str, sources: list[Source], sets: list[str]
) -> None:
    told: list[tuple[int, str, str]] = []
    convert = crosswalk("oai_dc", profile)
    body = convert(sources, "hal-00000001", 2, sets, lambda *one: told.append(one))
    assert sorted(index for index, _, _ in told) == list(range(len(sources)))
    assert all(rule and where for _, rule, where in told)
    assert body == convert(sources, "hal-00000001", 2, content_sets(profile, sets), None)
    assert msgspec.json.decode(encode(body), type=type(body)) == body


@settings(deadline=None, max_examples=800)
@given(sources=SOURCES, sets=SETS)
def test_any_value_is_found_in_hals_record_or_by_its_rule(
    sources: list[Source], sets: list[str]
) -> None:
    told: dict[int, tuple[str, str]] = {}
    body = crosswalk("oai_dc", "hal")(
        sources, "hal-00000001", 2, sets, lambda index, *one: told.__setitem__(index, one)
    )
    record = json.loads(Record(Head("hal-00000001", 2), body).json())
    held = [squeezed(one) for one in strings(record)]
    for index, source in enumerate(sources):
        text, (rule, where) = clean(source.text), told[index]
        if rule in HAL_RULES_BY_TABLE:
            assert_by_table(rule, text, record)
        elif where.startswith("dropped: "):
            assert text.rstrip(" :") in ("European Project", "ANR")
        elif rule in FUNDING_RULES:
            assert_in_one_project(text, record)
        else:
            found = squeezed(text) in held
            assert found or stands_for(source.element, source.lang, text, record), (rule, where)


def assert_by_table(rule: str, text: str, record: dict[str, Any]) -> None:
    if rule == "empty":
        assert text == ""
    elif rule == "archive":
        assert text == "HAL CCSD"
    else:
        tags = {"eng": "en", "FR": "fr"}
        held = [one.casefold().replace("_", "-") for one in record["languages"]]
        assert tags.get(text, text).casefold().replace("_", "-") in [*held, *map_short(text)]


def map_short(text: str) -> list[str]:
    """A three-letter code that random text happened to make is under its two letters."""
    return [text.casefold()] if len(text) >= 3 and text[:3].isalpha() else []


def assert_in_one_project(text: str, record: dict[str, Any]) -> None:
    """Each part is in one entry; funder, form and jurisdiction are named by the rule."""
    for name in ("info:eu-repo/grantAgreement/", "European Project", "ANR : "):
        text = text.removeprefix(name)
    parts = text.replace("/", ",").replace("(", ",").replace(")", ",").lstrip(" :").split(",")
    wanted = [squeezed(one) for one in parts if one.strip() and one.strip() not in ("EC", "EU")]
    entries = [squeezed("".join(one.values())) for one in record["funding"]]
    whole = [squeezed(one) for one in strings(record["funding"])]
    cleaned = [one.replace("/", "").replace("(", "").replace(")", "") for one in entries]
    assert squeezed(text) in whole or any(
        all(one in entry for one in wanted) for entry in (*entries, *cleaned)
    )


@settings(deadline=None, max_examples=200)
@given(sources=SOURCES)
def test_any_value_is_found_in_a_generic_record(sources: list[Source]) -> None:
    told: dict[int, tuple[str, str]] = {}
    body = crosswalk("oai_dc", "generic")(
        sources, "oai:x:1", None, [], lambda index, *one: told.__setitem__(index, one)
    )
    record = json.loads(encode(body))
    held = {squeezed(one).casefold() for one in strings(record)}
    for index, source in enumerate(sources):
        text, (rule, where) = squeezed(clean(source.text)).casefold(), told[index]
        verbatim = where.split("[")[0].removeprefix("repetition of ") in {
            "notes", "contributors", "publishers", "keywords", "abstracts", "titles", "citation",
            "landing_page", "licence_url", "date", "identifiers.other",
        }  # fmt: skip
        if rule == "failed check" and not text.startswith(ALTERNATIVE):
            assert text in held
        elif rule in ("failed check", "alternative identifier"):
            scheme, _, value = text.removeprefix(ALTERNATIVE).partition("/")
            assert {value, NAMES.get(scheme, scheme)} <= held
        elif rule == "keywords in one value":
            parts = text.split("|") if "|" in text else source.text.split("; ")
            assert {squeezed(clean(one)).casefold() for one in parts} <= held
        elif rule != "empty" and verbatim:
            assert text in held


def test_an_unknown_prefix_gives_an_empty_body_with_one_warning() -> None:
    told: list[int] = []
    sources = [Source("a", "b", None), Source("c", "d", None)]
    body = crosswalk("oai_datacite", "hal")(
        sources, "hal-1", 1, [], lambda index, _rule, _where: told.append(index)
    )
    assert told == [0, 1]
    warning = "no rules for metadata prefix 'oai_datacite'; the source is kept as it came"
    assert json.loads(encode(body)) == {"warnings": [warning]}


def test_content_sets() -> None:
    sets = ["type:IMG", "collection:X", "type:ART", "openaire", "type:ART"]
    assert content_sets("hal", sets) == ("type:ART", "type:IMG")
    assert content_sets("generic", sets) == ()
