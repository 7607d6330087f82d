"""Folding text for search: case, accents and ligatures do not matter to a reader who looks.

The same folding is applied to what is indexed and to what is asked.
"""

from __future__ import annotations

import re
import unicodedata


class _Folds(dict[int, int | str | None]):
    """What becomes of each character (by its number) of a decomposed text; filled as they come."""

    def __missing__(self, number: int) -> int | None:
        kept = None if unicodedata.combining(chr(number)) else number
        self[number] = kept
        return kept


_FOLDS = _Folds(
    (ord(ligature), letters)
    for ligature, letters in zip("œæøđłı", ("oe", "ae", "o", "d", "l", "i"), strict=True)
)
_WORDS = re.compile(r"\w+")


def fold(text: str) -> str:
    """``text`` in lower case without accents or ligatures: ``Œuvre`` gives ``oeuvre``."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKD", text).casefold().translate(_FOLDS)


def words(text: str) -> list[str]:
    """The folded words of ``text``; all that is neither letter nor digit separates words."""
    return _WORDS.findall(fold(text).replace("_", " "))
