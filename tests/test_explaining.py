"""The account of a record: every value once, repetitions named, every rule documented."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from lxml import etree

from crosswalks import other_repositories, test_dcterms
from crosswalks.recorded_values import everything
from crosswalks.test_dcterms import TERMS_OF_DCMI, TEXTS
from crosswalks.test_properties import ELEMENTS, PIECES, SETS
from halmirror.batch import Rules
from halmirror.crosswalks import crosswalk
from halmirror.crosswalks.dublin_core import DC, Source
from halmirror.crosswalks.rule_names import DOCUMENT, RULE_SECTIONS
from halmirror.explaining import Explanation, Placement, explain
from halmirror.export import account
from halmirror.record import Head, Record, encode

DOCUMENTATION = (Path(__file__).resolve().parents[1] / DOCUMENT).read_text(encoding="utf-8")
HEADINGS = {line.lstrip("# ") for line in DOCUMENTATION.splitlines() if line.startswith("##")}
TERMS = "http://purl.org/dc/terms/"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
HAL = Rules("oai_dc", "hal")
GENERIC = Rules("oai_dc", "generic")
HAL_TERMS = Rules("oai_dcterms", "hal")
GENERIC_TERMS = Rules("oai_dcterms", "generic")
XML_TEXT = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn"))


def metadata(sources: Sequence[Source], namespace: str = DC) -> bytes:
    root = etree.Element("dc")
    for one in sources:
        tag = one.element if one.element.startswith("{") else f"{{{namespace}}}{one.element}"
        child = etree.SubElement(root, tag)
        child.text = one.text
        if one.lang is not None:
            child.set(LANG, one.lang)
    return etree.tostring(root, method="c14n", exclusive=True)


def told(rules: Rules, *pairs: tuple[str, str], identifier: str = "hal-1") -> list[Placement]:
    sources = [Source(element, text, None) for element, text in pairs]
    namespace = DC if rules.prefix == "oai_dc" else TERMS
    account = explain(metadata(sources, namespace), rules, identifier, 1, ())
    return list(account.placements)


def values_of(elements: Sequence[str], pieces: Sequence[str]) -> st.SearchStrategy[list[Source]]:
    text = st.one_of(
        st.sampled_from(pieces),
        st.lists(st.sampled_from(pieces), max_size=3).map("".join),
        st.text(XML_TEXT, max_size=8),
    ).filter(
        lambda text: all(character.isprintable() or character in "\n\xa0" for character in text)
    )
    lang = st.sampled_from((None, "en", "fr", ""))
    one = st.builds(Source, st.sampled_from(elements), text, lang)
    # Repetitions are what chance alone seldom makes.
    return st.lists(one, max_size=9).flatmap(
        lambda some: (
            st.lists(st.sampled_from(some), max_size=4).map(lambda more: some + more)
            if some
            else st.just(some)
        )
    )


SIMPLE = values_of(ELEMENTS, (*PIECES, "a|b", "b|a", "fr en", "Roe, Jane (ed.)", "text", "c2012"))
QUALIFIED = values_of(TERMS_OF_DCMI, (*TEXTS, "a|b", "c2012", "CC BY"))


def check(sources: list[Source], rules: Rules, sets: list[str], namespace: str) -> None:
    result = explain(metadata(sources, namespace), rules, "hal-00000001", 2, sets)
    placements = result.placements
    assert [one.position for one in placements] == list(range(1, len(sources) + 1))
    assert [one.text for one in placements] == [one.text for one in sources]
    known = RULE_SECTIONS[rules.prefix, rules.profile]
    assert {one.rule: one.section for one in placements}.items() <= known.items()
    named = [Source(f"{{{namespace}}}{one.element}", one.text, one.lang) for one in sources]
    plain = sources if namespace == DC else named
    body = crosswalk(rules.prefix, rules.profile)(plain, "hal-00000001", 2, sets, None)
    record = json.loads(Record(Head("hal-00000001", 2), body).json())
    held: set[tuple[str, ...]] = set()
    for one in placements:
        for place in one.places:
            assert at(record, place)
        if one.outcome == "repetition":
            assert all(any(place in earlier for earlier in held) for place in one.places) or (
                # What stands in a place may come later in the document, as a subtitle's title.
                set(one.places)
                <= {
                    place
                    for other in placements
                    if other is not one and other.outcome != "repetition"
                    for place in other.places
                }
            )
        elif one.outcome in ("placed", "kept in notes") and not one.places[0].startswith("funding"):
            assert one.places not in held, "two values in one place, and none named a repetition"
            held.add(one.places)
    about = {warning for one in placements for warning in one.warnings}
    assert about == set(result.warnings) == set(body.warnings)


def at(record: Any, place: str) -> Any:
    for step in re.findall(r"\w+", place):
        record = record[int(step)] if step.isdigit() else record[step]
    return record


@pytest.mark.parametrize("rules", [HAL, GENERIC], ids=lambda one: one.profile)
@settings(deadline=None, max_examples=300)
@given(sources=SIMPLE, sets=SETS)
@example(
    # The creator's role is kept in notes, and weighed before what stands ahead of it.
    sources=[Source("source", "Roe, Jane (ed.)", None), Source("creator", "Roe, Jane (ed.)", None)],
    sets=[],
)
def test_every_value_is_placed_once_or_named_as_a_repetition(
    rules: Rules, sources: list[Source], sets: list[str]
) -> None:
    check(sources, rules, sets, DC)


@pytest.mark.parametrize("rules", [HAL_TERMS, GENERIC_TERMS], ids=lambda one: one.profile)
@settings(deadline=None, max_examples=300)
@given(sources=QUALIFIED, sets=SETS)
def test_every_qualified_value_is_placed_once_or_named_as_a_repetition(
    rules: Rules, sources: list[Source], sets: list[str]
) -> None:
    check(sources, rules, sets, TERMS)


@settings(deadline=None, max_examples=200)
@given(sources=SIMPLE)
def test_the_table_fits_any_width_and_cuts_nothing(sources: list[Source]) -> None:
    assume(all(character.isascii() for one in sources for character in one.text))
    result = explain(metadata(sources), HAL, "hal-00000001", 2, ())
    for width in (40, 80, 100):
        lines = account.render(result, "en", width=width).splitlines()
        assert max(len(line) for line in lines) <= width
    first = len(lines[3].split("  ")[0]) if sources else 0
    column = "".join(line[: first + 1] for line in lines[4:])
    shown = re.sub(r"\s", "", column)
    for one in sources:
        assert re.sub(r"\s", "", one.text) in shown


def recorded() -> list[Explanation]:
    found = [
        explain(etree.tostring(one.metadata), rules, one.id, one.version, one.sets)
        for one in everything()
        for rules in (HAL, GENERIC)
    ]
    found += [
        explain(metadata(one.values), GENERIC, one.oai_identifier, None, ())
        for one in other_repositories.everything()
    ]
    for name, element in test_dcterms.RECORDS.items():
        source = etree.tostring(element.find(f"{test_dcterms.OAI}metadata")[0])
        identifier, _, version = name.rpartition("v")
        sets = [one.text for one in element.iter(f"{test_dcterms.OAI}setSpec")]
        found += [
            explain(source, rules, identifier, int(version), sets)
            for rules in (HAL_TERMS, GENERIC_TERMS)
        ]
    return found


def test_every_rule_that_recorded_records_yield_has_its_section_in_the_documentation() -> None:
    yielded = {
        (one.prefix, one.profile, placement.rule, placement.section)
        for one in recorded()
        for placement in one.placements
    }
    assert len({rule for _, _, rule, _ in yielded}) > 45
    for prefix, profile, rule, section in yielded:
        assert RULE_SECTIONS[prefix, profile][rule] == section
        assert section in HEADINGS


def test_the_documentations_table_names_every_rule_with_its_sections() -> None:
    table = DOCUMENTATION.partition("## Rules by name")[2]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    documented = {row[0]: set(row[2].split("; ")) for row in rows[1:]}
    assert documented.pop("no rules") == {"Any other metadata prefix"}
    in_code: dict[str, set[str]] = {}
    for rules in RULE_SECTIONS.values():
        for rule, section in rules.items():
            in_code.setdefault(rule, set()).add(section)
    assert documented == in_code
    assert {section for sections in documented.values() for section in sections} <= HEADINGS


def test_what_a_hal_record_says_and_where_it_went() -> None:
    found = told(
        HAL,
        ("publisher", "HAL CCSD"),
        ("title", "Les contrats"),
        ("title", "Les contrats : une menace"),
        ("creator", "Alix,\n Jean"),
        ("creator", "Alix,\n Jean"),
        ("identifier", "hal-1"),
        ("identifier", "DOI : 10.1000/ABC"),
        ("identifier", "doi: 10.1000/abc"),
        ("description", "A comment"),
        ("contributor", "European Project : "),
        ("date", "2018-13"),
        ("subject", "  "),
    )
    assert [(one.rule, one.outcome, one.places, one.reason) for one in found] == [
        ("archive", "dropped", (), "the archive's own name"),
        ("title", "placed", ("titles[0]",), None),
        ("subtitle", "placed", ("titles[0].subtitle",), None),
        ("creator", "placed", ("creators[0]",), None),
        ("creator", "placed", ("creators[1]",), None),
        ("record's id", "placed", ("id",), None),
        ("identifier", "placed", ("identifiers.doi[0]",), None),
        ("identifier", "repetition", ("identifiers.doi[0]",), None),
        ("comment", "kept in notes", ("notes[0]",), None),
        ("project", "dropped", (), "a project's label without a project"),
        ("date", "placed", ("date",), None),
        ("empty", "dropped", (), "empty"),
    ]
    assert [one.section for one in found][:3] == ["HAL's oai_dc (profile `hal`)"] * 3
    assert found[3].text == "Alix,\n Jean"
    warning = "date: '2018-13' is no date; kept as given"
    assert [one.warnings for one in found if one.warnings] == [(warning,)]
    assert found[10].warnings == (warning,)


@pytest.mark.parametrize(
    ("rules", "pairs", "expected"),
    [
        (
            GENERIC,
            [("subject", "a|b"), ("subject", "b|a"), ("subject", "a|c")],
            ["keywords[0] keywords[1]", "again keywords[1] keywords[0]", "keywords[0] keywords[2]"],
        ),
        (
            GENERIC,
            [("language", "fr en"), ("language", "en")],
            ["languages[0] languages[1]", "again languages[1]"],
        ),
        (
            GENERIC,
            [("type", "http://purl.org/coar/resource_type/c_6501")] * 2,
            ["type.coar", "again type.coar"],
        ),
        (
            HAL,
            [("subject", "[INFO:INFO_CR] Old name")] * 2,
            [
                "domains[0] classifications[0]",
                "again domains[0] classifications[0]",
            ],
        ),
    ],
)
def test_a_value_of_several_places_is_a_repetition_only_where_it_adds_nothing(
    rules: Rules, pairs: list[tuple[str, str]], expected: list[str]
) -> None:
    found = [
        ("again " if one.outcome == "repetition" else "") + " ".join(one.places)
        for one in told(rules, *pairs)
    ]
    assert found == expected


def test_a_prefix_without_rules_leaves_every_value_in_the_source() -> None:
    source = b'<r xmlns="urn:x"><a>b</a></r>'
    result = explain(source, Rules("marcxml", "generic"), "oai:x:1", None, ())
    (one,) = result.placements
    assert (one.element, one.outcome, one.rule) == ("{urn:x}a", "source only", "no rules")
    assert one.section == "Any other metadata prefix"
    assert result.warnings == (
        "no rules for metadata prefix 'marcxml'; the source is kept as it came",
    )


def test_a_record_that_earlier_rules_made_is_told() -> None:
    source = metadata([Source("title", "T", None)])
    body = crosswalk("oai_dc", "hal")([Source("title", "T", None)], "hal-1", 1, (), None)
    assert explain(source, HAL, "hal-1", 1, (), encode(body)).as_held
    earlier = explain(source, HAL, "hal-1", 1, (), b'{"titles":[{"value":"t"}]}')
    assert not earlier.as_held
    assert "Today's rules make another record" in account.render(earlier, "en")


def test_the_table_at_forty_columns() -> None:
    sources = [
        Source("publisher", "HAL CCSD", None),
        Source("title", "中文标题", "zh"),
        Source("date", "20\u202e18", None),
    ]
    result = explain(metadata(sources), HAL, "hal-1", 1, ())
    assert account.render(result, "en", width=40).splitlines() == [
        "hal-1v1 · oai_dc · hal · sections of",
        "docs/normalising.md",
        "",
        "Source value        Rule       Result",
        "                    (section)",
        "------------------  ---------  ---------",
        "1 publisher         archive    dropped",
        "HAL CCSD            (HAL's     by name:",
        "                    oai_dc     HAL CCSD",
        "                    (profile   (the",
        "                    hal))      archive's",
        "                               own name)",
        "2 title [zh]        title      titles[0]",
        "中文标题            (HAL's",
        "                    oai_dc",
        "                    (profile",
        "                    hal))",
        "3 date              date       date",
        "20\\u202e18          (HAL's     ! date:",
        "                    oai_dc     '20\\u202e",
        "                    (profile   18' is no",
        "                    hal))      date;",
        "                               kept as",
        "                               given",
        "",
        "Warnings",
        "date: '20\\u202e18' is no date; kept as",
        "given",
    ]
    wide = account.render(result, "fr", width=100).splitlines()
    assert wide[2].split("  ")[0] == "Valeur de la source"
    assert any(line.startswith("中文标题 ") for line in wide)
    assert any("20\\u202e18" in line for line in wide)
    assert "\u202e" not in "".join(wide)
