"""What a client would like: a media type (RFC 9110, 12.5.1), gzip (12.5.3), a language (12.5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from halmirror.record.labels import Ui

_MOST = 50
"""Alternatives of a header that are looked at."""


def best_type(accept: str, offered: Sequence[str]) -> str | None:
    """The offered media type the header likes best, the earlier of equals; none if none does.

    Parameters of a type other than ``q`` are not compared.  An empty header takes the first.
    """
    if not accept.strip():
        return offered[0]
    asked = [(name.lower(), quality) for name, quality, _ in _alternatives(accept)]
    best: tuple[float, str] | None = None
    for one in offered:
        quality = _quality(one, asked)
        if quality > 0 and (best is None or quality > best[0]):
            best = quality, one
    return best[1] if best else None


def parameters(accept: str, media_type: str) -> dict[str, str]:
    """The parameters that the header gives with a media type (``style=apa``)."""
    for name, _, given in _alternatives(accept):
        if name.lower() == media_type:
            return given
    return {}


def language(accept: str) -> Ui:
    """French where the header prefers it to English, else English."""
    asked = [(name.lower().split("-", 1)[0], quality) for name, quality, _ in _alternatives(accept)]
    known = dict(reversed([pair for pair in asked if pair[0] in ("en", "fr", "*")]))
    rest = known.get("*", 0.0)
    french = known.get("fr", rest if "en" in known else 0.0)
    return "fr" if french > known.get("en", 0.0) else "en"


def takes_gzip(accept_encoding: str) -> bool:
    """Whether an answer may come compressed with gzip (RFC 9110, 12.5.3)."""
    asked = dict(
        reversed([(name.lower(), quality) for name, quality, _ in _alternatives(accept_encoding)])
    )
    return next((asked[one] for one in ("gzip", "x-gzip", "*") if one in asked), 0.0) > 0


def _quality(offered: str, asked: Iterable[tuple[str, float]]) -> float:
    """The quality that the most specific range gives a type."""
    ranges = dict(reversed(list(asked)))
    for one in (offered, offered.partition("/")[0] + "/*", "*/*"):
        if one in ranges:
            return ranges[one]
    return 0.0


def _alternatives(header: str) -> Iterator[tuple[str, float, dict[str, str]]]:
    for part in header.split(",")[:_MOST]:
        name, *pieces = (piece.strip() for piece in part.split(";"))
        pairs = (piece.partition("=") for piece in pieces)
        given = {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs}
        if name:
            yield name, _number(given.pop("q", "1")), given


def _number(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
