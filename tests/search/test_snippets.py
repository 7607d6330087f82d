"""The part of a text that shows what was looked for."""

from hypothesis import given
from hypothesis import strategies as st

from halmirror.export.text import marked
from halmirror.search.query import parse
from halmirror.search.snippets import Sought, snippet, sought, spans

TEXT = "Œuvres complètes de Poincaré : l'œuvre d'un géomètre"


def found(text: str, query: str) -> list[str]:
    return [text[start:end] for start, end in spans(text, sought(parse(query)))]


def test_words_are_found_as_search_finds_them() -> None:
    assert found(TEXT, "oeuvre poincare") == ["Poincaré", "œuvre"]
    assert found(TEXT, "geo*") == ["géomètre"]
    assert found(TEXT, '"complètes de" NOT poincaré') == ["complètes", "de"]
    assert found("機械学習の研究", "学") == ["機械学習の研究"]
    assert found(TEXT, "type:ART") == []


def test_a_letter_and_its_mark_apart_are_one_word() -> None:
    assert found("Poincare\u0301 et autres", "poincaré") == ["Poincare\u0301"]


def test_a_soft_hyphen_in_a_word_does_not_hide_it() -> None:
    text = "of infor\u00admation here"
    assert [text[slice(*span)] for span in spans(text, sought(parse("information")))] == [
        "infor\u00admation"
    ]


def test_a_snippet_surrounds_the_first_hit() -> None:
    text = "before " * 40 + "needle " + "after " * 40
    cut = snippet(text, [Sought("needle", prefix=False)], 60)
    assert cut.startswith("… before")
    assert "needle" in cut
    assert cut.endswith("after …")
    assert len(cut) <= 64
    assert snippet("short", [Sought("x", prefix=False)]) == "short"


def test_marks_are_bold_and_end() -> None:
    assert marked("a needle here", sought(parse("needle"))) == "a \x1b[1mneedle\x1b[22m here"


@given(st.text(max_size=400), st.text(alphabet="aeo nés*", max_size=12))
def test_spans_lie_apart_and_in_order_and_a_snippet_is_a_part(text: str, query: str) -> None:
    wanted = sought(parse(query))
    places = [place for span in spans(text, wanted) for place in span]
    assert places == sorted(places)
    assert snippet(text, wanted, 50).removeprefix("… ").removesuffix(" …") in text
