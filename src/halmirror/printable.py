"""Text from outside, made safe for a terminal."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_BLANKS = re.compile(r"[\t\n\r ]+")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_HARMLESS: Final = frozenset("\N{SOFT HYPHEN}\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}")


def printable(text: str) -> str:
    r"""``text`` on one line, with nothing in it that a terminal would obey.

    Every control or format character is shown as its code (``\u001b``, ``\u202e``), save the
    soft hyphen and the joiners that Persian and Indic scripts need.
    """
    return "".join(_shown(character) for character in _BLANKS.sub(" ", text).strip())


def printable_text(text: str) -> str:
    r"""``text`` with its lines and blanks as they are, and nothing else that a terminal obeys."""
    return "".join(one if one in "\n\t" else _shown(one) for one in text.replace("\r\n", "\n"))


def _shown(character: str) -> str:
    if character in _HARMLESS or unicodedata.category(character) not in _HIDDEN:
        return character
    number = ord(character)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def printable_json(text: str) -> str:
    r"""JSON of the same value, with what a terminal would obey written as ``\uXXXX``.

    JSON itself escapes U+0000 to U+001F; all else that is hidden here stands inside strings.
    """
    return "".join(_escaped(character) if character > "~" else character for character in text)


def _escaped(character: str) -> str:
    if _shown(character) == character:
        return character
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
