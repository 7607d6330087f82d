"""Where a text has the words that a search asked for, and the part of it that shows them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from halmirror.search import query as tree
from halmirror.search.folding import UNSEEN, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WORD = re.compile(rf"[^\W_]+(?:[\u0300-\u036f{UNSEEN}]+[^\W_]*)*")
"""A run of letters and digits, with the marks, and the unseen characters, that may stand in it."""

LENGTH = 300
"""About how many characters of a text are shown."""


class Sought(NamedTuple):
    """A folded word that is looked for; ``prefix``: or what begins so."""

    word: str
    prefix: bool

    def is_in(self, one: str) -> bool:
        """Whether a folded word is the one."""
        return one.startswith(self.word) if self.prefix else one == self.word


def sought(node: tree.Node) -> list[Sought]:
    """The words that a hit of a query may contain."""
    return [
        Sought(word, text.prefix and place == len(text.words) - 1)
        for text in tree.texts(node)
        for place, word in enumerate(text.words)
    ]


def spans(text: str, wanted: Sequence[Sought]) -> Iterator[tuple[int, int]]:
    """Where words of a text begin and end that are looked for."""
    for match in _WORD.finditer(text):
        folded = words(match[0])
        if any(one.is_in(part) for part in folded for one in wanted):
            yield match.span()


def snippet(text: str, wanted: Sequence[Sought], length: int = LENGTH) -> str:
    """A part of the text of about ``length`` characters, around the first word looked for."""
    if len(text) <= length:
        return text
    found = next((start for start, _ in spans(text, wanted)), 0)
    start = max(found - length // 3, 0)
    start = 0 if start == 0 else text.find(" ", start) + 1
    cut = text[start : start + length].rsplit(" ", 1)[0]
    end = "" if start + len(cut) >= len(text) else " …"
    return ("… " if start else "") + cut + end
