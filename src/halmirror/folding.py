"""Folding text for search: case, accents and ligatures do not matter to a reader who looks.

The same folding is applied to what is indexed and to what is asked.
"""

from __future__ import annotations

import re
import unicodedata

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "ı": "i"})
_WORDS = re.compile(r"\w+")


def fold(text: str) -> str:
    """``text`` in lower case without accents or ligatures: ``Œuvre`` gives ``oeuvre``."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text).casefold().translate(_LIGATURES)
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def words(text: str) -> list[str]:
    """The folded words of ``text``; all that is neither letter nor digit separates words."""
    return _WORDS.findall(fold(text).replace("_", " "))
