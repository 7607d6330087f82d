"""How long to wait before asking a server again: pure functions of what it said."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
"""Answers that may be better the next time (RFC 9110, RFC 6585)."""

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0


def pause(attempt: int, chance: float) -> float:
    """Seconds to wait after the failed ``attempt`` (from 1), growing from one to thirty.

    ``chance`` (0 to 1) takes up to half off, so that harvesters do not come back all at once.
    """
    grown = min(_FIRST_PAUSE * 2.0 ** (attempt - 1), _LONGEST_PAUSE)
    return grown * (1.0 - chance / 2)


def retry_after(value: str | None, now: float) -> float | None:
    """The seconds a ``Retry-After`` header asks for (RFC 9110, section 10.2.3), or none.

    Its value is a number of seconds or an HTTP date; ``now`` is the time as a Unix time stamp.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    if not text:
        return None
    try:
        return max(parsedate_to_datetime(text).timestamp() - now, 0.0)
    except (ValueError, TypeError, OverflowError):
        return None
