"""Folding text for search: case, accents and ligatures do not matter to a reader who looks.

The same folding is applied to what is indexed and to what is asked.  It maps each character by
itself (compatibility decomposition, case folding, combining marks dropped), so a text can be
folded piece by piece: what Latin-1 has goes through one table of bytes, a tenth of the cost of
Unicode's own way.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import lru_cache

UNSEEN = "\u00ad\u200d\u2060\ufeff"
"""What may stand inside a word and is not seen: the soft hyphen of copied text above all."""

_LIGATURES = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "ı": "i", **dict.fromkeys(UNSEEN, "")}
)
_IDEOGRAPHS = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f])")
"""Kana and Han characters, folded: written without blanks, each is a word of its own."""

_WORDS = re.compile(r"[^\W_]+")
_LATIN_END = 0x100
_SHORT = 32
"""Characters of a run that is remembered: the same short ones come often."""


def _folded(text: str) -> str:
    """What `fold` means, for a run of characters that the table of bytes lacks."""
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_LIGATURES)
    bare = "".join(one for one in plain if not unicodedata.combining(one))
    # What parts words beyond ASCII becomes a blank: the index takes all the rest for letters.
    known = "".join(one if one.isascii() or one.isalnum() else " " for one in bare)
    return _IDEOGRAPHS.sub(r" \1 ", known)


_remembered = lru_cache(maxsize=4096)(_folded)


def _latin_tables() -> tuple[bytes, dict[str, str]]:
    """What each byte of Latin-1 folds to; and what becomes of those that fold to more."""
    table = bytearray(range(_LATIN_END))
    longer = {}
    for number in range(_LATIN_END):
        folded = _folded(chr(number))
        if len(folded) == 1 and ord(folded) < _LATIN_END:
            table[number] = ord(folded)
        else:
            longer[chr(number)] = folded
    return bytes(table), longer


_LATIN, _LONGER = _latin_tables()
_BEYOND = re.compile(f"([^\0-\xff]+|[{''.join(_LONGER)}]+)")


def fold(text: str) -> str:
    """``text`` in lower case without accents or ligatures: ``Œuvre`` gives ``oeuvre``.

    Blanks part what is written without any: ``機械学習`` gives ``機 械 学 習``.
    """
    if text.isascii():
        return text.lower()
    if not any(one in text for one in _LONGER):
        try:
            return text.encode("latin-1", _HANDLER).translate(_LATIN).decode("latin-1")
        except UnicodeEncodeError:  # letters that no Latin-1 stands for: Greek, Arabic …
            pass
    pieces = _BEYOND.split(text)
    pieces[::2] = [one.encode("latin-1").translate(_LATIN).decode("latin-1") for one in pieces[::2]]
    pieces[1::2] = map(_beyond, pieces[1::2])
    return "".join(pieces)


def words(text: str) -> list[str]:
    """The folded words of ``text``; all that is neither letter nor digit separates words."""
    return _WORDS.findall(fold(text))


def _beyond(text: str) -> str:
    return _remembered(text) if len(text) <= _SHORT else _folded(text)


def _in_latin(error: UnicodeError) -> tuple[bytes, int]:
    """What stands in Latin-1 for a run that it lacks; raises the error where nothing can."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    try:
        return _beyond(error.object[error.start : error.end]).encode("latin-1"), error.end
    except UnicodeEncodeError:
        raise error from None


_HANDLER = "halmirror.fold"
codecs.register_error(_HANDLER, _in_latin)
