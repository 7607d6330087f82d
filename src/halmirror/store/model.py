"""What the store's tables hold, as frozen values that harvesting passes around."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of a batch's records (``gone``: the server says deleted)."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    quarantined: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.new + other.new,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.gone + other.gone,
            self.quarantined + other.quarantined,
        )


@dataclass(frozen=True, slots=True)
class Stream:
    """One (source, metadata prefix, set) and how far its harvests are planned.

    ``planned_from`` is the first day its windows cover (empty: unbounded; none: never planned),
    ``planned_until`` is the day of the first answer of the last run that laid its windows;
    ``first_complete_at`` and ``reconciled_at`` are time stamps.
    """

    id: int
    source: int
    source_name: str
    prefix: str
    set_spec: str
    planned_from: str | None
    planned_until: str | None
    last_success: str | None
    first_complete_at: str | None
    reconciled_at: str | None


@dataclass(frozen=True, slots=True)
class Window:
    """A span of modification days of a stream, and how far its list has come.

    Days are ``YYYY-MM-DD``, inclusive; none means unbounded.  ``plan`` windows make up the
    stream's own span, ``extra`` ones were asked for with ``--from``, ``--until`` or ``--full``.
    ``part`` is the set that narrows the window's list, where a day was too large for the server.
    """

    id: int
    stream: int
    kind: str
    from_day: str | None
    until_day: str | None
    token: str | None = None
    token_at: str | None = None
    cursor: int | None = None
    page_size: int | None = None
    announced_first: int | None = None
    announced_last: int | None = None
    received: int = 0
    quarantined: int = 0
    attempts: int = 0
    reason: str | None = None
    part: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A repository as the mirror knows it."""

    id: int
    name: str
    base_url: str


WINDOW_COLUMNS = (
    "id, stream, kind, from_day, until_day, token, token_at, cursor, page_size, "
    "announced_first, announced_last, received, quarantined, attempts, reason, part"
)
"""The columns of `Window`, in its order."""
