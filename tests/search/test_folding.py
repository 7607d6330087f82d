"""Folding: what it means by Unicode's own definitions, and that the index takes the same words."""

import re
import sqlite3
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from halmirror.search.folding import fold, words
from halmirror.store.schema import MIGRATIONS

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
LETTERS = {"œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "ı": "i"}
UNSEEN = "\u00ad\u200d\u2060\ufeff"
IDEOGRAPH = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]")


def by_unicode(text: str) -> list[str]:
    """The words of a text, each character folded by itself and slowly."""
    folded = ""
    for one in text:
        for part in unicodedata.normalize("NFKD", one).casefold():
            unseen = unicodedata.combining(part) or part in UNSEEN
            letter = LETTERS.get(part, "" if unseen else part)
            folded += f" {letter} " if IDEOGRAPH.fullmatch(letter) else letter
    return re.findall(r"[^\W_]+", folded)


@given(st.one_of(TEXTS, st.text("aéœÆßµ½’ «αΩжŁ中か가\u0301_-.1²ﬁ", max_size=40)))
@example("L’œuvre de Straße")
@example("e\u0301 \u00b5 ½")
@example("infor\u00adma\u2060tion \ufeffœuvre\u00ad")
def test_folding_is_what_unicode_says_of_each_character(text: str) -> None:
    assert words(text) == by_unicode(text)


@given(TEXTS)
@example("« été » · ¿qué? — _x_ 中文")
def test_the_index_takes_the_same_words_as_a_query(text: str) -> None:
    table = next(part for part in MIGRATIONS[-1].split(";") if "USING fts5" in part)
    with sqlite3.connect(":memory:") as connection:
        connection.execute(table)
        connection.execute("INSERT INTO search_text (rowid, title) VALUES (1, ?)", (fold(text),))
        connection.execute("CREATE VIRTUAL TABLE terms USING fts5vocab(search_text, row)")
        taken = {term for (term,) in connection.execute("SELECT term FROM terms")}
    connection.close()
    assert taken == set(words(text))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Œuvre", "oeuvre"),
        ("Poincaré", "poincare"),
        ("STRASSE Straße", "strasse strasse"),
        ("ﬁne", "fine"),
        ("Łódź", "lodz"),
        ("ÉCOLE", "ecole"),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_words_as_people_write_them() -> None:
    assert words("Poincaré's “Théorie” – Łódź") == ["poincare", "s", "theorie", "lodz"]
    assert words("Ἀθήνα العربية 中文") == ["αθηνα", "العربية", "中", "文"]
    assert words("¹⁴C ﬁnite Ⅻ Strasse Straße") == ["14c", "finite", "xii", "strasse", "strasse"]
