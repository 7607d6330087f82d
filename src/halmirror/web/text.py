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
from halmirror.search.snippets import spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halmirror.search.snippets import Sought

# XML and HTML have no place for these (HTML, "Preprocessing the input stream").
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_EMBEDDINGS: Final = frozenset("\u202a\u202b\u202d\u202e")
_ISOLATES: Final = frozenset("\u2066\u2067\u2068")
_POP_EMBEDDING: Final = "\u202c"
_POP_ISOLATE: Final = "\u2069"
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")


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


def marked(text: str, wanted: Sequence[Sought]) -> Markup:
    """The text with the words sought in ``<mark>``."""
    shown = str(contained(text))
    parts: list[Markup] = []
    place = 0
    for start, end in spans(shown, wanted):
        parts += [
            escape(shown[place:start]),
            Markup("<mark>{}</mark>").format(shown[start:end]),
        ]
        place = end
    return Markup("").join([*parts, escape(shown[place:])])
