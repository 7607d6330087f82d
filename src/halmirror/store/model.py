"""What the store's tables hold, as frozen values that harvesting passes around."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halmirror.oaipmh.protocol import Token


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
    stream's own span, ``extra`` ones were asked for with ``--from`` or ``--until``, ``full`` ones
    with ``--full``.
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

    def after(self, token: Token | None, got: int, response_date: str) -> Window:
        """The window after a page of ``got`` records: its place, and what the list announces.

        Its token is none after the list's last page.
        """
        size = token.complete_list_size if token else None
        cursor = token.cursor if token else None
        first = self.token is None
        page_size = got if first else self.page_size
        if not first and cursor is not None and self.cursor is not None and cursor > self.cursor:
            page_size = cursor - self.cursor
        return replace(
            self,
            token=token.value or None if token else None,
            token_at=response_date,
            cursor=cursor if cursor is not None else self.cursor,
            page_size=page_size,
            announced_first=size if first else self.announced_first,
            announced_last=size if size is not None else self.announced_last,
        )

    def may_end(self) -> bool:
        """Whether ``noRecordsMatch`` after a token can be the end: the counts bear it out.

        By the place, since a page may hold fewer than it stands for (HAL skips what fails to load).
        """
        reach = (self.cursor or 0) + (self.page_size or 0)
        return max(reach, self.received + self.quarantined) >= (self.announced_last or 0)


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
