"""Text as the record holds it: white space collapsed, double escapes undone once, NFC."""

from __future__ import annotations

import re
from html.entities import html5
from unicodedata import normalize

_REFERENCE = re.compile(
    r"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{1,31}));", re.ASCII
)
_LONG = 200
"""Characters from which looking for white space to collapse is cheaper than collapsing it."""
_WHITE = tuple(one for one in map(chr, range(0x3001)) if one.isspace() and one != " ")
_ASCII_WHITE = tuple(one for one in _WHITE if one.isascii())


def clean(text: str) -> str:
    """The text without what only the transport put there; nothing else is changed or cut.

    A character reference that is still there after XML parsing was escaped twice at the source;
    it is undone once, so ``&amp;amp;`` in the parsed text gives ``&amp;``.
    """
    if "&" in text:
        text = _REFERENCE.sub(_character, text)
    if len(text) < _LONG or _may_collapse(text := text.strip()):
        text = " ".join(text.split())
    return text if text.isascii() else normalize("NFC", text)


def _may_collapse(text: str) -> bool:
    """Whether a text has white space to collapse between its words."""
    if "  " in text:
        return True
    return any(map(text.__contains__, _ASCII_WHITE if text.isascii() else _WHITE))


def _character(found: re.Match[str]) -> str:
    decimal, hexadecimal, name = found.groups()
    if name:
        return html5.get(f"{name};", found[0])
    number = int(decimal) if decimal else int(hexadecimal, 16)
    return chr(number) if _is_xml(number) else found[0]


def _is_xml(number: int) -> bool:
    """Whether XML 1.0 (section 2.2) allows the character: anything else would break exports."""
    return (
        number in (0x9, 0xA, 0xD)
        or 0x20 <= number <= 0xD7FF
        or 0xE000 <= number <= 0xFFFD
        or 0x10000 <= number <= 0x10FFFF
    )


def without_blank_before_comma(text: str) -> str:
    """``Lisbonne , Portugal`` gives ``Lisbonne, Portugal``: HAL breaks lines around separators."""
    return text.replace(" ,", ",")
