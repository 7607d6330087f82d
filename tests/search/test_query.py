import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halmirror.errors import QueryError
from halmirror.search.query import All, Any, Facet, Identifier, Not, Text, Years, parse


def test_words_are_joined_by_and() -> None:
    assert parse("impact social") == All((Text(("impact",)), Text(("social",))))


def test_phrases_prefixes_and_operators() -> None:
    assert parse('"impact social"') == Text(("impact", "social"))
    assert parse("lexico*") == Text(("lexico",), prefix=True)
    assert parse("a OR b c") == Any((Text(("a",)), All((Text(("b",)), Text(("c",))))))
    assert parse("a AND NOT b") == All((Text(("a",)), Not(All((Text(("b",)),)))))
    assert parse("(a OR b) c") == All((Any((Text(("a",)), Text(("b",)))), Text(("c",))))


def test_fields() -> None:
    assert parse("author:Romary") == Text(("romary",), "creator")
    assert parse('title:"digital humanities"') == Text(("digital", "humanities"), "title")
    assert parse("year:2015..2020") == Years(2015, 2020)
    assert parse("year:2015..") == Years(2015, None)
    assert parse("year:2015") == Years(2015, 2015)
    assert parse("type:art") == Facet("type", "ART")
    assert parse("set:collection:CNRS") == Facet("set", "collection:CNRS")
    assert parse("doi:10.1103/PhysRevE.87.033017") == Identifier(
        "doi", "10.1103/physreve.87.033017"
    )


def test_a_field_of_several_values() -> None:
    assert parse('author:(Romary OR "Jean Alix")') == Any(
        (Text(("romary",), "creator"), Text(("jean", "alix"), "creator"))
    )
    assert parse("type:(ART OR comm) a") == All(
        (Any((Facet("type", "ART"), Facet("type", "COMM"))), Text(("a",)))
    )
    assert parse("year:(2015 OR 2017..)") == Any((Years(2015, 2015), Years(2017, None)))
    assert parse("title:(a author:b NOT c) d") == All(
        (
            All(
                (
                    Text(("a",), "title"),
                    Text(("b",), "creator"),
                    Not(All((Text(("c",), "title"),))),
                )
            ),
            Text(("d",)),
        )
    )


def test_a_long_phrase_is_looked_for_in_pieces() -> None:
    asked = [f"w{number}" for number in range(70)]
    pieces = (asked[:32], asked[32:64], asked[64:])
    assert parse(f'"{" ".join(asked)}"') == All(tuple(Text(tuple(piece)) for piece in pieces))


def test_what_is_said_twice_is_looked_for_once() -> None:
    assert parse(" OR ".join(["a"] * 10_000)) == Any((Text(("a",)),))


def test_an_identifier_that_is_the_whole_query() -> None:
    assert parse("hal-04493396v1") == Any(
        (Identifier("hal", "hal-04493396v1"), All((Text(("hal",)), Text(("04493396v1",)))))
    )
    assert parse(" 10.1016/S0167-2789(96 ") == Any((Identifier("doi", "10.1016/s0167-2789(96"),))
    assert parse("2018") == Text(("2018",))
    assert parse("hal-04493396 x") == All((Text(("hal",)), Text(("04493396",)), Text(("x",))))


def test_an_unknown_name_before_a_colon_is_a_word() -> None:
    assert parse("TEI:2019 encoding") == All((Text(("tei",)), Text(("2019",)), Text(("encoding",))))


def test_punctuation_separates_words() -> None:
    assert parse("l'archive, c'est-à-dire : HAL ?") == All(
        tuple(Text((word,)) for word in ("l", "archive", "c", "est", "a", "dire", "hal"))
    )


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ('an "unclosed quote', "character 4"),
        ("(open", "character 1"),
        ("closed)", "character 7"),
        ("year:soon", "soon"),
        ("year:2020..2015", "2015..2020"),
        ("access:opne", "open"),
        ("status:delted", "deleted"),
        ("type:(ART", "character 6"),
    ],
)
def test_what_cannot_be_read_is_named(query: str, place: str) -> None:
    with pytest.raises(QueryError) as error:
        parse(query)
    assert place in str(error.value)


@given(st.text())
def test_any_text_gives_a_tree_or_a_query_error(text: str) -> None:
    with contextlib.suppress(QueryError):
        assert parse(text) is not None


def test_nesting_has_a_limit() -> None:
    assert parse("(" * 100 + "a" + ")" * 100) == Text(("a",))
    with pytest.raises(QueryError, match="character 101"):
        parse("(" * 101 + "a" + ")" * 101)
    with pytest.raises(QueryError, match="more than 100"):
        parse("NOT (" * 5000 + "a" + ")" * 5000)


def test_a_chain_of_not_is_read_in_pairs() -> None:
    assert parse("NOT " * 20_000 + "a") == Text(("a",))
    assert parse("NOT " * 20_001 + "a") == Not(All((Text(("a",)),)))
