r"""Text for BibTeX fields, as HAL escapes it (CCSD's BibTeX style sheet, 2021).

HAL writes accents and special letters as TeX commands and leaves ``% $ ^ ~ { }`` alone, since
titles and abstracts may hold LaTeX.  What HAL's rules do not name stays in UTF-8.

Two things go beyond HAL's rules, so that no text can break a file: a brace without its
counterpart becomes ``{\textbraceleft}`` or ``{\textbraceright}``, and a character that the
source itself has escaped (``\&``) is not escaped again.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

SPECIAL: Final[dict[str, str]] = {
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    '"': "''",
    "”": "''",
    "“": "``",
    "«": "``",
    "»": "''",
    "’": "'",
    "–": "--",
    "—": "-",
    "…": r"{\ldots}",
    "°": r"{\textdegree}",
    "×": "x",
}
"""Marks that HAL replaces."""

LETTERS: Final[dict[str, str]] = {
    "ß": r"{\ss}",
    "ø": r"{{\o}}",
    "Ø": r"{{\O}}",
    "æ": r"{\ae}",
    "Æ": r"{\AE}",
    "œ": r"{\oe}",
    "Œ": r"{\OE}",
    "ł": "l",
    "Ł": "L",
    "ﬀ": "ff",
    "ﬁ": "fi",
    "ﬂ": "fl",
    "ﬃ": "ffi",
    "ﬄ": "ffl",
    "ﬅ": "st",
    "ﬆ": "st",
}
"""Letters and ligatures that are no accented ASCII letter."""

SIGNS: Final[dict[str, str]] = {
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "≠": r"$\ne$",
    "≈": r"$\approx$",
    "≡": r"$\equiv$",
    "∼": r"$\sim$",
    "±": r"$\pm$",
    "÷": r"$\div$",
    "⋅": r"$\cdot$",
    "∞": r"$\infty$",
    "∂": r"$\partial$",
    "∇": r"$\nabla$",
    "∑": r"$\sum$",
    "∏": r"$\prod$",
    "∫": r"$\int$",
    "∈": r"$\in$",
    "∉": r"$\notin$",
    "⊂": r"$\subset$",
    "⊆": r"$\subseteq$",
    "∪": r"$\cup$",
    "∩": r"$\cap$",
    "∀": r"$\forall$",
    "∃": r"$\exists$",
    "∝": r"$\propto$",
    "⊗": r"$\otimes$",
    "⊕": r"$\oplus$",
    "←": r"$\leftarrow$",
    "→": r"$\rightarrow$",
    "↔": r"$\leftrightarrow$",
    "⇒": r"$\Rightarrow$",
    "µ": r"$\mu$",
}
"""Signs of mathematics."""

_GREEK_NAMES: Final = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
_GREEK_LETTERS: Final = "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ"
GREEK: Final[dict[str, str]] = {
    letter: f"$\\{name}$" for letter, name in zip(_GREEK_LETTERS, _GREEK_NAMES.split(), strict=True)
} | {"ς": r"$\varsigma$"}
"""Greek letters that TeX has a command for (it has none for those that look Latin)."""

MARK_ACCENTS: Final[dict[str, str]] = {
    "\N{COMBINING GRAVE ACCENT}": "`",
    "\N{COMBINING ACUTE ACCENT}": "'",
    "\N{COMBINING CIRCUMFLEX ACCENT}": "^",
    "\N{COMBINING TILDE}": "~",
    "\N{COMBINING DIAERESIS}": '"',
}
"""Accents that TeX writes with a mark: ``{\\'e}``, no blank inside."""

LETTER_ACCENTS: Final[dict[str, str]] = {
    "\N{COMBINING CEDILLA}": "c",
    "\N{COMBINING CARON}": "v",
    "\N{COMBINING BREVE}": "u",
}
"""Accents that TeX writes with a letter: ``{\\c c}``, a blank between."""

_REPLACED: Final = SPECIAL | LETTERS | SIGNS | GREEK
_TOKEN = re.compile(r'\\[!-~]|[&#_"]|[^\x00-\x7f]')
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_BRACE = re.compile(r"[{}]")


def escape(text: str) -> str:
    """``text`` as the content of a braced BibTeX field: one line, its braces balanced."""
    return _TOKEN.sub(_replacement, balance(text))


def balance(text: str) -> str:
    """``text`` on one line, with braces that pair off and no backslash loose at its end.

    BibTeX counts braces whether a backslash stands before them or not, so a brace without
    its counterpart is written as a command; a backslash before it goes, as it did the same.
    """
    flat = _CONTROLS.sub(" ", text)
    pieces: list[str] = []
    start = 0
    for position in _unpaired(flat):
        brace = r"{\textbraceleft}" if flat[position] == "{" else r"{\textbraceright}"
        pieces += (_without_loose_backslash(flat[start:position]), brace)
        start = position + 1
    rest = flat[start:]
    closed = _without_loose_backslash(rest)
    pieces += (closed, r"{\textbackslash}" if closed != rest else "")
    return "".join(pieces)


def _replacement(match: re.Match[str]) -> str:
    token = match.group()
    if token.startswith("\\"):
        return token
    if token in _REPLACED:
        return _REPLACED[token]
    return _accented(token)


def _accented(letter: str) -> str:
    """The TeX form of an ASCII letter with one accent; any other character unchanged."""
    decomposed = unicodedata.normalize("NFD", letter)
    base, mark = decomposed[:1], decomposed[1:]
    if not base.isascii():
        return letter
    if mark in MARK_ACCENTS:
        return f"{{\\{MARK_ACCENTS[mark]}{base}}}"
    if mark in LETTER_ACCENTS:
        return f"{{\\{LETTER_ACCENTS[mark]} {base}}}"
    return letter


def _unpaired(text: str) -> list[int]:
    """Positions, ascending, of the braces that have no counterpart."""
    opened: list[int] = []
    stray: list[int] = []
    for match in _BRACE.finditer(text):
        if match.group() == "{":
            opened.append(match.start())
        elif opened:
            opened.pop()
        else:
            stray.append(match.start())
    return sorted(opened + stray)


def _without_loose_backslash(text: str) -> str:
    """``text`` without the last backslash where it would escape what follows."""
    count = len(text) - len(text.rstrip("\\"))
    return text[:-1] if count % 2 else text
