"""Texts of one language: the order of words and their frequencies as recorded texts have them.

A `Language` is learnt from recorded texts.  Its common words keep their places: a chain of the
second order runs over them, and every other word is a slot.  Slots are filled by Zipf's law, from
the recorded words first.  Beyond those the frequencies fall faster (as in any large corpus), and
a word is made from its rank alone out of pieces of recorded words.  So there is no last word:
the number of distinct words grows with the size of the text by Heaps' law, and any worker makes
the same word for the same rank.

Texts are ready for XML: what has to be escaped is.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections import Counter, defaultdict
from html import escape
from itertools import accumulate
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Random = Callable[[], float]
    """Gives a number from 0 up to, not including, 1."""

HEAD = 4000
"""Ranks up to this one follow Zipf's law; beyond it the exponent is that of `_TAIL_POWER`."""
_OFFSET = 2.7
_TAIL_POWER = -1 / 0.6
"""A rank beyond the head is ``HEAD * u ** power``: frequencies fall with an exponent of 1.6."""
_TOPIC_SHARE = 0.42
"""The share of an abstract's slots that a word of the text's own topic takes."""
_TITLE_TOPIC_SHARE = 0.6
_TOPIC_SKEW = 1.4
_TABLE = 1 << 16
"""The head's words stand in a table of this size as often as their frequencies say."""
_KEPT = 200_000
"""Made words of ranks below this are kept, at the cost of some ten megabytes a language."""
_COMMON = 150
_MASK = (1 << 64) - 1
_TOKEN = re.compile(r"([^\w]*(?:[ldnjmsc]['’])?)(.*?)([^\w]*)", re.DOTALL | re.IGNORECASE)

_LITERAL, _WORD, _CAPITAL, _NUMBER = range(4)
_Step = tuple[int, str, str, int]
"""What comes next: kind, what stands before the word, what after it, the state it leads to."""


def mixed(number: int) -> int:
    """64 well mixed bits of a number (the finaliser of SplitMix64)."""
    number = (number + 0x9E3779B97F4A7C15) & _MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)


class Language:
    """The model of one language; ``Language.learn`` makes it from texts."""

    def __init__(
        self,
        code: str,
        head: Sequence[str],
        pieces: tuple[Sequence[str], Sequence[str], Sequence[str]],
        steps: Sequence[Sequence[_Step]],
    ) -> None:
        self.code = code
        self._salt = mixed(int.from_bytes(code.encode(), "big"))
        self._starts, self._middles, self._ends = pieces
        self._steps = steps
        self._joint = "" if code == "zh" else " "
        made = (self.made_word(rank) for rank in range(len(head), HEAD - _COMMON))
        words = [*head[: HEAD - _COMMON], *made]
        sums = list(accumulate(1 / (rank + _COMMON + _OFFSET) for rank in range(len(words))))
        self._table = [
            words[bisect(sums, (place + 0.5) / _TABLE * sums[-1])] for place in range(_TABLE)
        ]
        self._kept: dict[int, str] = {}
        # The integral of the tail, which sets in where the head ends.
        tail = HEAD / 0.6 / (HEAD + _OFFSET)
        self._tail_share = tail / (tail + sums[-1])

    @classmethod
    def learn(cls, code: str, texts: Iterable[str]) -> Self:
        """A language from plain texts of it."""
        cut = [[_cut(token) for token in text.split()] for text in texts]
        counted = Counter(core.lower() for text in cut for _, core, _ in text if core)
        known = [word for word, _ in counted.most_common()]
        common = {word for word in known[:_COMMON] if counted[word] > 1 and not _is_number(word)}
        head = [word for word in known if _is_content(word, common)]
        words = [word for word in known if word.isalpha() and len(word) > 3] or known
        pieces = (
            [word[:size] for word in words for size in (2, 3, 4) if size < len(word)] or words,
            [word[size : size + 2] for word in words for size in (2, 3)],
            [word[-size:] for word in words for size in (2, 3, 4) if size < len(word)] or words,
        )
        return cls(code, head, pieces, _chain(cut, common))

    def made_word(self, rank: int) -> str:
        """The word of a rank that no recorded word has: a word, a compound, an acronym, a code."""
        bits = mixed(rank ^ self._salt)
        kind = bits & 31
        bits >>= 5
        bits, start = divmod(bits, len(self._starts))
        bits, end = divmod(bits, len(self._ends))
        word = self._starts[start]
        if kind < 22:
            bits, middle = divmod(bits, len(self._middles))
            word += self._middles[middle]
        if kind < 28:
            return word + self._ends[end]
        if kind == 28:
            return f"{word}{self._ends[end]}-{self._starts[bits % len(self._starts)]}"
        return f"{word.upper()}{bits % 97}" if kind == 29 else f"{word}-{bits % 997}"

    def made_name(self, rank: int) -> str:
        """A name in the letters of the language."""
        bits = mixed(rank ^ self._salt)
        bits, start = divmod(bits, len(self._starts))
        return (self._starts[start] + self._ends[bits % len(self._ends)]).capitalize()

    def word(self, random: Random) -> str:
        """One word by its frequency."""
        if random() < self._tail_share:
            return self._tail_word(random)
        return self._table[int(random() * _TABLE)]

    def _tail_word(self, random: Random) -> str:
        rank = int(HEAD * (1 - random()) ** _TAIL_POWER)
        word = self._kept.get(rank)
        if word is None:
            word = self.made_word(rank)
            if rank < _KEPT:
                self._kept[rank] = word
        return word

    def topic(self, random: Random, size: int = 16) -> list[str]:
        """The words that a text keeps coming back to, the most frequent first."""
        return [self.word(random) for _ in range(size)]

    def prose(self, random: Random, topic: Sequence[str], words: int) -> str:
        """Sentences of about so many words; ends with a sentence."""
        out: list[str] = []
        add, steps, table, tail_share = out.append, self._steps, self._table, self._tail_share
        size, state, last = len(topic), 0, words + 40
        for count in range(last):
            options = steps[state]
            kind, before, after, state = options[int(random() * len(options))]
            if kind == _LITERAL:
                add(before)
            else:
                # The common case of `_filled`, written out: most of the time is spent here.
                if random() < _TOPIC_SHARE:
                    word = topic[int(random() ** _TOPIC_SKEW * size)]
                elif random() < tail_share:
                    word = self._tail_word(random)
                else:
                    word = table[int(random() * _TABLE)]
                if kind == _WORD:
                    add(before + word + after)
                elif kind == _CAPITAL:
                    add(before + word[0].upper() + word[1:] + after)
                else:
                    add(before + _number(random) + after)
            if count >= words and out[-1].endswith((".", "。")):
                break
        return self._joint.join(out)

    def phrase(self, random: Random, topic: Sequence[str], words: int) -> str:
        """A title or a name: so many words or a few more, ending with a word of weight."""
        out: list[str] = []
        state = 0
        for count in range(words + 12):
            options = self._steps[state]
            kind, before, after, state = options[int(random() * len(options))]
            text = before + self._filled(kind, random, topic)
            done = count + 1 >= words and kind != _LITERAL
            out.append(text if done else text + after.replace(".", ""))
            if done:
                break
        title = self._joint.join(out)
        return title[:1].upper() + title[1:]

    def keyword(self, random: Random, topic: Sequence[str]) -> str:
        """A keyword of one to three words."""
        size = 1 + (random() < 0.5) + (random() < 0.15)
        return self._joint.join(self._filled(_WORD, random, topic) for _ in range(size))

    def _filled(self, kind: int, random: Random, topic: Sequence[str]) -> str:
        if kind == _LITERAL:
            return ""
        if kind == _NUMBER:
            return _number(random)
        if random() < _TITLE_TOPIC_SHARE:
            word = topic[int(random() ** _TOPIC_SKEW * len(topic))]
        else:
            word = self.word(random)
        return word[0].upper() + word[1:] if kind == _CAPITAL else word


def _number(random: Random) -> str:
    number = int(10 ** (random() * 4))
    return str(number) if random() < 0.7 else f"{number / 10}"


def _cut(token: str) -> tuple[str, str, str]:
    """A token as what stands before its word (an elided article too), the word, what follows."""
    found = _TOKEN.fullmatch(token)
    return (found[1], found[2], found[3]) if found else ("", token, "")


def _is_number(word: str) -> bool:
    return any(letter.isdigit() for letter in word) and not any(map(str.isalpha, word))


def _is_content(word: str, common: set[str]) -> bool:
    plain = not _is_number(word) and len(word) < 30 and not set(word) & set("&<>")
    return plain and word not in common


def _chain(texts: Iterable[Sequence[tuple[str, str, str]]], common: set[str]) -> list[list[_Step]]:
    """The steps of a chain of the second order; state 0 is the start of a text.

    A text that ends goes on as from the start.
    """
    symbols = [[_symbol(token, common) for token in text] for text in texts]
    states: dict[tuple[object, object], int] = {(None, None): 0}
    followers: dict[int, list[_Step]] = defaultdict(list)
    for text in symbols:
        here: tuple[object, object] = (None, None)
        for place, symbol in enumerate(text):
            following: tuple[object, object] = (here[1], symbol)
            if place + 1 == len(text):
                following = (None, None)
            leads = states.setdefault(following, len(states))
            followers[states[here]].append((*symbol, leads))
            here = following
    return [followers[state] for state in range(len(states))]


def _symbol(token: tuple[str, str, str], common: set[str]) -> tuple[int, str, str]:
    before, core, after = token
    if not core or core.lower() in common:
        return (_LITERAL, escape(before + core + after, quote=False), "")
    before, after = escape(before, quote=False), escape(after, quote=False)
    if _is_number(core):
        return (_NUMBER, before, after)
    return (_CAPITAL if core[0].isupper() else _WORD, before, after)
