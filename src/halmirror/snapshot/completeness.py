"""What a snapshot's own tables prove of its sources: made when it is written, and to check it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from halmirror.record import STATUSES
from halmirror.snapshot.layout import SourceProof
from halmirror.windows import complete_as_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from halmirror.store.whole import HeldQuarantine, HeldSource, HeldWindow

_Stream = tuple[str, str, str]


@dataclass(slots=True)
class _Sums:
    """What a source's windows add up to; ``open_from``: by stream, where its open plan begins."""

    windows: int = 0
    open_windows: int = 0
    announced: int = 0
    distinct: int = 0
    withheld: int = 0
    quarantined: int = 0
    open_from: dict[_Stream, list[str | None]] = field(default_factory=dict)


class Proofs:
    """Adds windows and quarantine up, one line at a time."""

    def __init__(self) -> None:
        self._sums: dict[str, _Sums] = {}

    def windows(self, windows: Iterable[HeldWindow]) -> None:
        """Count the windows."""
        for window in windows:
            sums = self._of(window.source)
            sums.windows += 1
            if window.state == "open":
                sums.open_windows += 1
                if window.kind == "plan":
                    stream = (window.source, window.prefix, window.set)
                    begin = sums.open_from.setdefault(stream, [])
                    if window.from_day is None or None not in begin:
                        # The earliest decides; there may be many.
                        begin[:] = [_earlier(begin, window.from_day)]
                continue
            sizes = [one for one in (window.announced_first, window.announced_last) if one]
            if sizes and window.distinct is not None:
                sums.announced += max(sizes)
                sums.distinct += window.distinct
                sums.withheld += len(window.withheld) + window.quarantined

    def quarantine(self, entries: Iterable[HeldQuarantine]) -> None:
        """Count what waits in quarantine."""
        for entry in entries:
            self._of(entry.source).quarantined += entry.resolved_at is None

    def of(self, source: HeldSource, records: Mapping[str, int]) -> SourceProof:
        """What is proved of a source that has so many records by status."""
        sums = self._of(source.name)
        # Where the whole source is harvested, a set asked for besides says nothing of it.
        telling = [one for one in source.streams if not one.set] or list(source.streams)
        days = [
            complete_as_of(
                one.planned_until,
                sums.open_from.get((source.name, one.prefix, one.set), []),
            )
            for one in telling
        ]
        known = [day for day in days if day is not None]
        first = {one.planned_from or "" for one in telling}
        return SourceProof(
            source.name,
            source.base_url,
            source.profile,
            {status: records.get(status, 0) for status in STATUSES},
            min(known) if known and len(known) == len(days) else None,
            max(first, default="") or None,
            sums.windows,
            sums.open_windows,
            sums.announced,
            sums.distinct,
            sums.withheld,
            sums.quarantined,
            source.statement,
        )

    def _of(self, source: str) -> _Sums:
        return self._sums.setdefault(source, _Sums())


def _earlier(begin: list[str | None], day: str | None) -> str | None:
    """The earlier of a first day and another; none is before all."""
    if day is None or not begin:
        return day
    return None if begin[0] is None else min(begin[0], day)
