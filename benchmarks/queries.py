"""The mix of searches: chosen from the repository's own words, the same ones for the same load.

A sample of records spread evenly tells how common each word is.  Which words are taken follows
from the counts and the alphabet alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from generated_repository import Repository

Key = TypeVar("Key", str, tuple[str, str])
One = TypeVar("One")

_SAMPLE = 2000
_DC = "{http://purl.org/dc/elements/1.1/}"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_WORD = re.compile(r"[^\W\d_]{3,}")
_BRACKETS = re.compile(r'[()"]')


class Query(NamedTuple):
    """A search: its kind, the words, filters by name, facets wanted, order."""

    kind: str
    words: str
    filters: dict[str, str]
    facets: bool = False
    sort: str = "relevance"


class _Seen(NamedTuple):
    """What the sample has: words by records, pairs of words, titles, authors, DOIs, sets."""

    words: Counter[str]
    pairs: Counter[tuple[str, str]]
    titles: list[str]
    authors: list[str]
    dois: list[str]
    sets: Counter[str]
    records: int


def mix(repository: Repository) -> list[Query]:
    """About a hundred searches of every kind a user makes."""
    seen = _sample(repository)
    return [*_words(seen), *_structured(seen), *_filtered(seen), *_faceted(seen)]


def _words(seen: _Seen) -> Iterator[Query]:
    common = [word for word, _ in _ranked(seen.words)]
    content = [word for word in common if len(word) > 6]
    middle = [word for word, count in _ranked(seen.words) if count == seen.records // 100]
    rare = sorted(word for word, count in seen.words.items() if count == 1)
    for word in common[:4]:
        yield Query("stop word", word, {})
    for word in content[:10]:
        yield Query("common word", word, {})
    for word in middle[:8]:
        yield Query("middling word", word, {})
    for word in _spread(rare, 10):
        yield Query("rare word", word, {})
    for first, second in zip(content[:4], content[10:14], strict=False):
        yield Query("two common words", f"{first} {second}", {})
    for first, second in zip(_spread(rare, 4), content, strict=False):
        yield Query("rare and common word", f"{first} {second}", {})
    yield Query("no such word", "qzxwvkj", {})


def _structured(seen: _Seen) -> Iterator[Query]:
    content = [word for word, _ in _ranked(seen.words) if len(word) > 6]
    yield Query("OR", f"{content[0]} OR {content[3]}", {})
    yield Query("NOT", f"{content[1]} NOT {content[2]}", {})
    yield Query("parentheses", f"({content[4]} OR {content[5]}) {content[6]}", {})
    pairs = [pair for pair, _ in _ranked(seen.pairs)]
    for pair in pairs[:3]:
        yield Query("phrase of common words", f'"{" ".join(pair)}"', {})
    for pair in _spread(sorted(pair for pair, count in seen.pairs.items() if count == 1), 6):
        yield Query("rare phrase", f'"{" ".join(pair)}"', {})
    for word in content[:3]:
        yield Query("prefix of three letters", f"{word[:3]}*", {})
    for word in _spread(content[:400], 6):
        yield Query("prefix of five letters", f"{word[:5]}*", {})
    for name in _spread(seen.authors, 5):
        yield Query("author", f"author:{name}", {})
    for word in content[2:6]:
        yield Query("word in the title", f"title:{word}", {})
    for title in _spread(seen.titles, 8):
        yield Query("title pasted whole", title, {})
    for doi in _spread(seen.dois, 3):
        yield Query("DOI", f"doi:{doi}", {})


def _filtered(seen: _Seen) -> Iterator[Query]:
    content = [word for word, _ in _ranked(seen.words) if len(word) > 6]
    sets = [name for name, _ in _ranked(seen.sets) if name.startswith("collection:")]
    for place, filters in enumerate(
        (
            {"year": "2015..2020"}, {"type": "THESE"}, {"domain": "shs"}, {"lang": "fr"},
            {"access": "open"}, {"set": sets[0]}, {"set": sets[len(sets) // 2]},
            {"type": "ART", "year": "2019", "lang": "en"},
            {"domain": "info", "access": "open", "year": "2010.."},
        )
    ):  # fmt: skip
        yield Query("common word, filtered", content[place], filters)
        yield Query("filters alone", "", filters)
    yield Query("newest first", content[0], {}, sort="newest")
    yield Query("newest first", "", {"type": "ART"}, sort="newest")
    yield Query("oldest first", content[1], {}, sort="oldest")
    yield Query("everything", "", {})


def _faceted(seen: _Seen) -> Iterator[Query]:
    content = [word for word, _ in _ranked(seen.words) if len(word) > 6]
    common = _ranked(seen.words)[0][0]
    for word in (common, content[0], content[9]):
        yield Query("facets of a common word", word, {}, facets=True)
    yield Query("facets of a filter", "", {"domain": "sdv"}, facets=True)
    yield Query("facets, filtered", content[3], {"year": "2010..2020"}, facets=True)
    yield Query("facets of everything", "", {}, facets=True)


def _sample(repository: Repository) -> _Seen:
    seen = _Seen(Counter(), Counter(), [], [], [], Counter(), min(_SAMPLE, repository.total))
    step = repository.total / seen.records
    for place in range(seen.records):
        record = etree.fromstring(repository.xml(int(place * step)))
        # Without a language stand notes and "International audience", which nobody looks for.
        told = record.iter(f"{_DC}title", f"{_DC}description")
        texts = [_text(node) for node in told if node.get(_LANGUAGE)]
        words = [word.lower() for text in texts for word in _WORD.findall(text)]
        seen.words.update(set(words))
        seen.pairs.update(set(pairwise(words)))
        seen.titles.append(_BRACKETS.sub(" ", texts[0]))
        seen.authors.append(_text(next(record.iter(f"{_DC}creator"))).partition(",")[0].split()[-1])
        seen.dois.extend(
            text[5:] for node in record.iter(f"{_DC}identifier")
            if (text := _text(node)).startswith("DOI: ")
        )  # fmt: skip
        seen.sets.update({node.text or "" for node in record.iter("setSpec")})
    return seen


def _text(node: etree._Element) -> str:
    return unicodedata.normalize("NFC", " ".join((node.text or "").split()))


def _ranked(counted: Counter[Key]) -> list[tuple[Key, int]]:
    return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))


def _spread(values: Sequence[One], count: int) -> Iterable[One]:
    step = max(1, len(values) // count)
    return values[::step][:count]
