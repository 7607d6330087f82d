"""Records of tens of thousands of values, and of values far longer than any real one.

The work must grow with the number of values: where each is compared with all before it, these
tests take minutes.
"""

import pytest

from halmirror.crosswalks import crosswalk
from halmirror.crosswalks.funding import collect
from halmirror.oaipmh.source import Source
from halmirror.record import Body, DocumentType, Funding, OtherIdentifier, Title

MANY = 30_000
PROFILES = ("generic", "hal")


def body_of(profile: str, sources: list[Source]) -> Body:
    return crosswalk("oai_dc", profile)(sources, "hal-01000001", 1, (), None)


def numbered(element: str, form: str) -> list[Source]:
    """`MANY` differing values of an element, and each of them once more."""
    return [Source(element, form.format(number), None) for number in range(MANY)] * 2


@pytest.mark.parametrize("profile", PROFILES)
def test_many_titles(profile: str) -> None:
    body = body_of(profile, numbered("title", "Title {}"))
    assert body.titles == tuple(Title(f"Title {number}") for number in range(MANY))


def test_many_titles_with_a_subtitle() -> None:
    first, second = numbered("title", "Title {}"), numbered("title", "Title {} : Sub")
    body = body_of("hal", [*first, *second])
    assert body.titles == tuple(Title(f"Title {number}", "Sub") for number in range(MANY))


@pytest.mark.parametrize("profile", PROFILES)
def test_many_types(profile: str) -> None:
    body = body_of(profile, numbered("type", "Type {}"))
    assert body.type == DocumentType(other=tuple(f"Type {number}" for number in range(MANY)))


@pytest.mark.parametrize("profile", PROFILES)
def test_many_terms_of_a_type(profile: str) -> None:
    start = "info:eu-repo/semantics/type"
    body = body_of(profile, numbered("type", start + "{}"))
    others = tuple(f"{start}{number}" for number in range(1, MANY))
    assert body.type == DocumentType(info_eu_repo=f"{start}0", other=others)


@pytest.mark.parametrize("profile", PROFILES)
def test_many_grants(profile: str) -> None:
    body = body_of(profile, numbered("relation", "info:eu-repo/grantAgreement/EC/FP7/{}"))
    assert body.funding == tuple(Funding("EC", "FP7", str(number)) for number in range(MANY))


@pytest.mark.parametrize("profile", PROFILES)
def test_many_grants_of_one_number_that_contradict_each_other(profile: str) -> None:
    body = body_of(profile, numbered("relation", "info:eu-repo/grantAgreement/EC/FP7/1/EU/T/A{}"))
    expected = (Funding("EC", "FP7", "1", f"A{number}", "T") for number in range(MANY))
    assert body.funding == tuple(expected)


def test_a_finding_is_joined_with_the_first_eight_entries_of_its_number_at_most() -> None:
    rivals = [Funding("EC", None, "1", f"A{number}") for number in range(9)]
    eighth, ninth = (Funding("EC", None, "1", f"A{number}", "Title") for number in (7, 8))
    entries, places = collect([*rivals, eighth, ninth])
    assert entries == [*rivals[:7], eighth, rivals[8], ninth]
    assert places[-2:] == [(7, False), (9, False)]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "element",
    [
        "creator",
        "subject",
        "description",
        "publisher",
        "contributor",
        "date",
        "identifier",
        "source",
        "language",
        "relation",
        "coverage",
        "rights",
        "format",
    ],
)
def test_many_values_of_any_element(profile: str, element: str) -> None:
    body = body_of(profile, numbered(element, "Value {}"))
    held = (
        *(name.literal for name in body.creators),
        *(value.value for value in (*body.keywords, *body.abstracts)),
        *(one.value for one in (body.identifiers.other if body.identifiers else ())),
        *(body.container.also if body.container else ()),
        *(body.publishers + body.contributors + body.languages + body.coverage + body.notes),
        *(one for one in (body.date, body.citation) if one),
        *(one for one in (body.container.title if body.container else None,) if one),
    )
    times = 2 if element == "creator" else 1
    assert sorted(held) == sorted([f"Value {number}" for number in range(MANY)] * times)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("date", ["9" * 30, "2015-" + "1" * 30, "2015-01-01/" + "9" * 30])
def test_a_text_of_too_many_digits_is_no_date(profile: str, date: str) -> None:
    alone = body_of(profile, [Source("date", date, None)])
    assert (alone.date, alone.year) == (date, None)
    assert alone.warnings == (f"date: {date!r} is no date; kept as given",)
    beside = body_of(profile, [Source("date", date, None), Source("date", "2015-07", None)])
    assert (beside.date, beside.year, beside.notes) == ("2015-07", 2015, (date,))


LONG_VERSION = "hal-01000001v" + "9" * 5000


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("value", [LONG_VERSION, f"oai:HAL:{LONG_VERSION}"])
def test_an_id_with_a_version_of_too_many_digits_is_another_identifier(
    profile: str, value: str
) -> None:
    body = body_of(profile, [Source("identifier", value, None)])
    assert body.identifiers is not None
    assert len(body.identifiers.other) == 1
    other = body.identifiers.other[0]
    assert value in (other.value, f"{other.scheme}:{other.value}")


def test_an_address_with_a_version_of_too_many_digits_is_no_page_of_the_record() -> None:
    address = f"https://hal.science/{LONG_VERSION}"
    body = body_of("hal", [Source("identifier", address, None)])
    assert body.landing_page is None
    assert body.identifiers is not None
    assert body.identifiers.other == (OtherIdentifier(value=address),)


def test_a_source_with_a_version_of_too_many_digits_stays_a_source() -> None:
    address = f"https://hal.science/{LONG_VERSION}"
    sources = [Source("source", text, None) for text in (LONG_VERSION, address)]
    held = body_of("hal", sources)
    assert held.container is not None
    assert (held.container.title, held.container.also) == (LONG_VERSION, (address,))
    assert held.citation is None
    anyone = body_of("generic", sources)
    assert (anyone.citation, anyone.notes) == (None, (LONG_VERSION, address))
