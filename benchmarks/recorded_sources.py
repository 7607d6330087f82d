"""What the generator learns from: recorded records' texts, their shapes, names and affiliations.

English and French come from the recorded HAL answers and, for more words, from the recorded
answers of other repositories that are known to be in one language; the rest from ``texts/``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lxml import etree

from generated_text import Language

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[1]
HAL = ROOT / "data" / "hal-oai"
_OTHER = ROOT / "tests" / "data" / "other-oai"
_WRITTEN = Path(__file__).resolve().parent / "texts"
_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_ENGLISH = (
    "arxiv", "bepress-umass", "citeseerx", "dspace-colostate", "dspace-dryad",
    "dspace-harvard-dash", "dspace-illinois-ideals", "dspace-mit-2014", "eprints-caltech",
    "eprints-cogprints", "icpsr",
)  # fmt: skip
_LANGUAGES = {"en": "en", "eng": "en", "fr": "fr", "fre": "fr", "es-ES": "es"}


@dataclass(frozen=True)
class Shape:
    """How much of everything one recorded record has; counts of elements, lengths in words."""

    type: str
    creators: int
    contributors: int
    sets: int
    titles: tuple[int, ...]
    abstracts: tuple[int, ...]
    keywords: int
    domains: int
    audience: bool
    comment: int


@cache
def languages() -> Mapping[str, Language]:
    """The language models by code."""
    texts: dict[str, list[str]] = {}
    for code, text in (*_recorded_texts(), *_written_texts()):
        texts.setdefault(code, []).append(text)
    return {code: Language.learn(code, found) for code, found in sorted(texts.items())}


@cache
def shapes() -> tuple[Shape, ...]:
    """The shape of each recorded record."""
    return tuple(_shape(record) for record in _records())


@cache
def recorded(element: str) -> tuple[str, ...]:
    """Every value of a Dublin Core element in the recorded records, white space collapsed."""
    return tuple(
        text
        for record in _records()
        for node in record.iter(f"{_DC}{element}")
        if (text := _text(node))
    )


@cache
def recorded_sets() -> tuple[str, ...]:
    """Every set of the recorded headers, repetitions too."""
    return tuple(node.text or "" for record in _records() for node in record.iter(f"{_OAI}setSpec"))


@cache
def _records() -> tuple[etree._Element, ...]:
    pages = sorted(HAL.glob("ListRecords-*.xml"))
    return tuple(record for page in pages for record in etree.parse(page).iter(f"{_OAI}record"))


def _recorded_texts() -> Iterator[tuple[str, str]]:
    for path in (*sorted(HAL.glob("*Record*.xml")), *sorted(_OTHER.glob("*.xml"))):
        default = "en" if path.stem in _ENGLISH else ""
        for node in etree.parse(path).iter(f"{_DC}description", f"{_DC}title"):
            code = _LANGUAGES.get(node.get(_LANG, ""), default)
            text = _text(node)
            if code and text.count(" ") > 6:
                yield code, text


def _written_texts() -> Iterator[tuple[str, str]]:
    for path in sorted(_WRITTEN.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield path.stem, line


def _shape(record: etree._Element) -> Shape:
    described = [node for node in record.iter(f"{_DC}description") if _text(node)]
    abstracts = [_words(node) for node in described if node.get(_LANG) and _words(node) > 10]
    plain = [_text(node) for node in described if not node.get(_LANG)]
    comments = [text for text in plain if not text.endswith(" audience")]
    subjects = [node for node in record.iter(f"{_DC}subject") if _text(node)]
    sets = [node.text or "" for node in record.iter(f"{_OAI}setSpec")]
    return Shape(
        next((one.partition(":")[2] for one in sets if one.startswith("type:")), "OTHER"),
        len(list(record.iter(f"{_DC}creator"))),
        len(list(record.iter(f"{_DC}contributor"))),
        len(sets),
        tuple(_words(node) for node in record.iter(f"{_DC}title")),
        tuple(abstracts),
        sum(1 for node in subjects if node.get(_LANG)),
        sum(1 for node in subjects if not node.get(_LANG) and _text(node).startswith("[")),
        len(comments) < len(plain),
        sum(len(text.split()) for text in comments),
    )


def _text(node: etree._Element) -> str:
    return re.sub(r"\s+", " ", node.text or "").strip()


def _words(node: etree._Element) -> int:
    return len((node.text or "").split())
