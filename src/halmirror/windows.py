"""Spans of modification days: how a stream's past is cut so that no list outlives its token.

Days are ``YYYY-MM-DD``, both ends inclusive (OAI-PMH 2.0, section 2.7.1); none is unbounded.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

from halmirror.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Span = tuple[str | None, str | None]

WINDOW_RECORDS = 200_000
"""Records a window may announce before it is halved: 2,000 of HAL's pages, a quarter of an hour
at the rate measured, far inside the two hours that its tokens live."""

MOST_MEASURES = 500
"""Spans a cut may measure: far more than any archive's 200,000 a window take."""

OVERLAP_DAYS = 1
"""A run begins this many days before the last run's first answer: the server's day is its own."""

FIRST_DAY = "1990-01-01"
"""No repository is older; what claims to be so lies in the first window all the same."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d$")


def is_day(text: str) -> bool:
    """Whether ``text`` is a day that the calendar has."""
    try:
        return bool(_DAY.match(text)) and date.fromisoformat(text) is not None
    except ValueError:
        return False


def parse_day(text: str, option: str) -> str:
    """``text`` where it is a day.  Raises `UsageError` that names ``option``."""
    if is_day(text):
        return text
    raise UsageError(f"{option}: '{text}' is no day; write it as 2026-11-20")


def today_by(response_date: str, clock: date) -> str:
    """The day of the server's answer, never more than a day after our own ``clock``.

    A server whose clock runs ahead would otherwise set a mark that skips what comes meanwhile.
    """
    latest = clock + timedelta(days=1)
    try:
        return min(date.fromisoformat(response_date[:10]), latest).isoformat()
    except ValueError:
        return clock.isoformat()


def shifted(day: str, days: int) -> str:
    """``day`` moved by ``days``; the calendar's first and last day hold it."""
    try:
        return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
    except OverflowError:
        return day


def halve(span: Span, earliest: str, today: str) -> list[Span]:
    """Two disjoint spans that make up ``span``; the span alone where it is one day.

    Unbounded ends stay unbounded; ``earliest`` and ``today`` stand in for them to find the middle.
    """
    low = date.fromisoformat(span[0] or min(max(earliest, FIRST_DAY), span[1] or today))
    high = date.fromisoformat(span[1] or max(today, low.isoformat()))
    if low >= high:
        return [span]
    middle = low + (high - low) // 2
    return [(span[0], middle.isoformat()), (shifted(middle.isoformat(), 1), span[1])]


def cut(
    span: Span,
    size: int,
    measured: Callable[[Span], int | None],
    limit: int,
    *,
    earliest: str,
    today: str,
) -> list[Span]:
    """Disjoint spans that make up ``span``, as few as ``limit`` records each allow.

    What holds too much is halved, neighbours that hold little are joined.  ``size``: the records
    in ``span``; ``measured`` asks the server for another span's, none where it does not tell.
    A day that holds more than ``limit`` stays whole.
    """
    sized = _halved(span, size, measured, limit, earliest, today, [MOST_MEASURES])
    joined: list[tuple[Span, int]] = []
    for piece, held in sized:
        if joined and joined[-1][1] + held <= limit:
            before, so_far = joined[-1]
            joined[-1] = ((before[0], piece[1]), so_far + held)
        else:
            joined.append((piece, held))
    return [piece for piece, _ in joined]


def _halved(
    span: Span,
    size: int,
    measured: Callable[[Span], int | None],
    limit: int,
    earliest: str,
    today: str,
    left: list[int],
) -> list[tuple[Span, int]]:
    """The span halved until no piece holds too much, each with its size; ``left`` measures."""
    pieces = halve(span, earliest, today) if size > limit and left[0] else [span]
    if len(pieces) == 1:
        return [(span, size)]
    left[0] -= 1
    first = measured(pieces[0])
    if first is None:
        return [(piece, size) for piece in pieces]
    sizes = (first, max(size - first, 0))
    return [
        each
        for piece, held in zip(pieces, sizes, strict=True)
        for each in _halved(piece, held, measured, limit, earliest, today, left)
    ]


def disjoint(one: Span, other: Span) -> bool:
    """Whether no day lies in both spans."""
    after = one[0] is not None and other[1] is not None and one[0] > other[1]
    before = one[1] is not None and other[0] is not None and one[1] < other[0]
    return after or before


def arguments(span: Span, granularity: str) -> dict[str, str]:
    """The ``from`` and ``until`` arguments of a span, in the repository's own granularity."""
    seconds = granularity != "YYYY-MM-DD"
    found: dict[str, str] = {}
    if span[0] is not None:
        found["from"] = f"{span[0]}T00:00:00Z" if seconds else span[0]
    if span[1] is not None:
        found["until"] = f"{span[1]}T23:59:59Z" if seconds else span[1]
    return found


def contains(span: Span, datestamp: str) -> bool:
    """Whether a record's datestamp lies in the span."""
    day = datestamp[:10]
    return (span[0] is None or day >= span[0]) and (span[1] is None or day <= span[1])


def covers(outer: Span, inner: Span) -> bool:
    """Whether every day of ``inner`` lies in ``outer``."""
    starts = outer[0] is None or (inner[0] is not None and inner[0] >= outer[0])
    ends = outer[1] is None or (inner[1] is not None and inner[1] <= outer[1])
    return starts and ends


def told(span: Span) -> str:
    """A span as people read it: ``2026-11-19..2026-11-20``."""
    if span == (None, None):
        return "everything"
    return f"{span[0] or ''}..{span[1] or ''}"


def complete_as_of(planned_until: str | None, open_from: Sequence[str | None]) -> str | None:
    """The last day up to which a stream's planned windows are closed; none where there is none.

    ``open_from``: the first day of each window still open, none for one without a beginning.
    """
    if not open_from:
        return planned_until
    known = [day for day in open_from if day is not None]
    return shifted(min(known), -1) if len(known) == len(open_from) else None
