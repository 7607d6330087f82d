"""Text from strangers on its way into a page: what it may not do there, and its marks.

Jinja escapes all of it; here it loses what no page may hold, and what would reach beyond its own
place: a direction of writing that it opens, it also closes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from halmirror.export.addresses import language_tag, uri
from halmirror.folding import words

if TYPE_CHECKING:
    from collections.abc import Iterable

# XML and HTML have no place for these (HTML, "Preprocessing the input stream").
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_EMBEDDINGS: Final = frozenset("\u202a\u202b\u202d\u202e")
_ISOLATES: Final = frozenset("\u2066\u2067\u2068")
_POP_EMBEDDING: Final = "\u202c"
_POP_ISOLATE: Final = "\u2069"
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_WORD = re.compile(r"[^\W_]+")


def contained(value: object) -> object:
    """``value`` as a page takes it; jinja calls this for everything that is put out."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    text = _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", value)
    return text if _DIRECTIONS.search(text) is None else _closed(text)


def _closed(text: str) -> str:
    """The text with every embedding, override and isolate closed, and none closed too much.

    UAX #9, sections 2.4 and 2.5.
    """
    kept: list[str] = []
    opened: list[str] = []
    for one in text:
        if one in _EMBEDDINGS:
            opened.append(_POP_EMBEDDING)
        elif one in _ISOLATES:
            opened.append(_POP_ISOLATE)
        elif one in (_POP_EMBEDDING, _POP_ISOLATE):
            if not opened or opened[-1] != one:
                continue
            opened.pop()
        kept.append(one)
    return "".join((*kept, *reversed(opened)))


def web_link(address: str | None) -> str | None:
    """The address where it is one of the web (``http``, ``https``), else none."""
    made = uri(address or "")
    if made is None:
        return None
    try:
        parts = urlsplit(made)
    except ValueError:
        return None
    return made if parts.scheme in ("http", "https") and parts.hostname else None


def lang_attribute(tag: str | None) -> Markup:
    """`` lang="fr"`` for a language tag, nothing for anything else."""
    known = language_tag(tag)
    return Markup(' lang="{}"').format(known) if known else Markup("")


def marked(text: str, sought: Iterable[tuple[str, bool]]) -> Markup:
    """The text with the words sought in ``<mark>``: each a folded word, or its beginning."""
    whole = {word for word, prefix in sought if not prefix}
    starts = tuple(word for word, prefix in sought if prefix)
    shown = str(contained(text))
    if not whole and not starts:
        return escape(shown)
    parts: list[Markup] = []
    place = 0
    for match in _WORD.finditer(shown):
        if any(one in whole or one.startswith(starts) for one in words(match[0])):
            parts += [
                escape(shown[place : match.start()]),
                Markup("<mark>{}</mark>").format(match[0]),
            ]
            place = match.end()
    return Markup("").join([*parts, escape(shown[place:])])


def snippet(text: str, sought: Iterable[tuple[str, bool]], length: int = 300) -> str:
    """A part of the text of about ``length`` characters, around the first word sought."""
    if len(text) <= length:
        return text
    pairs = list(sought)
    found = next(
        (
            match.start()
            for match in _WORD.finditer(text)
            for one in words(match[0])
            if any(one.startswith(word) if prefix else one == word for word, prefix in pairs)
        ),
        0,
    )
    start = max(found - length // 3, 0)
    start = 0 if start == 0 else text.find(" ", start) + 1
    cut = text[start : start + length].rsplit(" ", 1)[0]
    end = "" if start + len(cut) >= len(text) else " …"
    return ("… " if start else "") + cut + end
