"""TeX escaping, row by row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halmirror.export.tex import balance, escape

ROWS = [
    ("R&D", r"R\&D"),
    ("C#", r"C\#"),
    ("595_596", r"595\_596"),
    ('"Roncal"', "''Roncal''"),
    ("“quoted”", "``quoted''"),
    ("« cité »", r"`` cit{\'e} ''"),
    ("Don’t", "Don't"),
    ("sit–stand", "sit--stand"),
    ("a—b", "a-b"),
    ("etc…", r"etc{\ldots}"),
    ("n° 15083", r"n{\textdegree} 15083"),
    ("2×3", "2x3"),
    ("é", r"{\'e}"),
    ("É", r"{\'E}"),
    ("è", r"{\`e}"),
    ("à", r"{\`a}"),
    ("ô", r"{\^o}"),
    ("î", r"{\^i}"),
    ("í", r"{\'i}"),
    ("ï", r"{\"i}"),
    ("ö", r"{\"o}"),
    ("ñ", r"{\~n}"),
    ("ç", r"{\c c}"),
    ("ş", r"{\c s}"),
    ("š", r"{\v s}"),
    ("Č", r"{\v C}"),
    ("ğ", r"{\u g}"),
    ("ß", r"{\ss}"),
    ("ø", r"{{\o}}"),
    ("æ", r"{\ae}"),
    ("œ", r"{\oe}"),
    ("Œ", r"{\OE}"),
    ("Łódź", r"L{\'o}d{\'z}"),
    ("ﬂow", "flow"),
    ("ﬁeld", "field"),
    ("eﬃcient", "efficient"),
    ("p ≤ 0.05", r"p $\le$ 0.05"),
    ("≥", r"$\ge$"),
    ("±", r"$\pm$"),
    ("α-decay", r"$\alpha$-decay"),
    ("Ω", r"$\Omega$"),
    ("µm", r"$\mu$m"),
    ("100 % open", "100 % open"),
    ("$^{209}$Bi", "$^{209}$Bi"),
    ("a~b^c", "a~b^c"),
    ("{LaTeX}", "{LaTeX}"),
    (r"R\&D and 5\% of A\_1", r"R\&D and 5\% of A\_1"),
    (r"{\"o}", r"{\"o}"),
    (r"a\\&b", r"a\\\&b"),
    ("å ế 山田 ‘x", "å ế 山田 ‘x"),
    ("chercheur·e·s", "chercheur·e·s"),
    ("one\ntwo\x00\x1b[31m", "one two [31m"),
]


@pytest.mark.parametrize(("text", "escaped"), ROWS)
def test_escape(text: str, escaped: str) -> None:
    assert escape(text) == escaped


@pytest.mark.parametrize(
    ("text", "paired"),
    [
        ("{a}{b{c}}", "{a}{b{c}}"),
        ("a{b", r"a{\textbraceleft}b"),
        ("a}b", r"a{\textbraceright}b"),
        ("}{", r"{\textbraceright}{\textbraceleft}"),
        ("{{a}", r"{\textbraceleft}{a}"),
        (r"\{a", r"{\textbraceleft}a"),
        (r"\\{a", r"\\{\textbraceleft}a"),
        (r"\{a\}", r"\{a\}"),
        ("end\\", r"end{\textbackslash}"),
        ("end\\\\", "end\\\\"),
        ("{\\", r"{\textbraceleft}{\textbackslash}"),
        ("", ""),
    ],
)
def test_braces_pair_off(text: str, paired: str) -> None:
    assert balance(text) == paired


@given(st.text())
def test_any_text_is_one_line_with_paired_braces(text: str) -> None:
    escaped = escape(text)
    depth = 0
    for character in escaped:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    assert len(escaped.splitlines()) <= 1
    trailing = len(escaped) - len(escaped.rstrip("\\"))
    assert trailing % 2 == 0


@given(
    st.text(
        st.characters(
            codec="ascii", exclude_characters='&#_"{}\\', min_codepoint=32, max_codepoint=126
        )
    )
)
def test_plain_text_is_left_alone(text: str) -> None:
    assert escape(text) == text
