"""Cutting a window smaller: because it announces too much, or because the server fails over it.

By days as far as they go.  A single day is cut by sets that share no record and make up the whole
(HAL: ``type:…``), where the server's own figures bear that out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halmirror import windows
from halmirror.errors import (
    ForbiddenError,
    ResponseError,
    RetryLaterError,
    SourceError,
    TooHeavyError,
)

if TYPE_CHECKING:
    from halmirror.batch import Rules
    from halmirror.harvesting.repository import PageSource, Repository
    from halmirror.store.model import Stream, Window
    from halmirror.store.writer import Writer

_SPLITS = 64
_VAIN_CUTS = 40
"""Cuts after a failure beyond those that led to records: twice what it takes to find a day."""

_DISJOINT_SETS = {"hal": "type:"}
"""By profile, how the sets begin of which each record is in exactly one."""


class Narrowing:
    """Cuts the windows of one stream; what it cuts is in the mirror at once."""

    def __init__(
        self,
        client: PageSource,
        writer: Writer,
        stream: Stream,
        rules: Rules,
        repository: Repository,
        window_records: int,
    ) -> None:
        self._client = client
        self._writer = writer
        self._stream = stream
        self._rules = rules
        self._repository = repository
        self._window_records = window_records
        self._largest = 0
        self._cuts = 0
        self._cuts_left = _VAIN_CUTS

    def by_size(self, window: Window, size: int) -> list[Window]:
        """The windows in the place of one that announces ``size`` records; none where it stays.

        Raises `SourceError`.
        """
        span = (window.from_day, window.until_day)
        if not self._may_cut(size):
            return []
        pieces = windows.cut(
            span, size, lambda piece: self._measured(window, piece), self._window_records,
            earliest=self._repository.earliest, today=self._repository.today,
        )  # fmt: skip
        return self._writer.split(window, pieces) if len(pieces) > 1 else []

    def after(self, window: Window, error: SourceError) -> list[Window] | None:
        """The windows in the place of one that the server failed over; empty where it is smallest.

        None where the fault has nothing to do with its size: where the server is away, does not
        want to be asked, or fails over the smallest list too.  Raises `SourceError`.
        """
        if not self._cuts_left or not self._blames_size(error):
            return None
        self._cuts_left -= 1
        span = (window.from_day, window.until_day)
        pieces = windows.halve(span, self._repository.earliest, self._repository.today)
        if len(pieces) > 1:
            return self._writer.split(window, pieces)
        sets = self._disjoint_sets(window)
        return self._writer.split_by_set(window, sets) if len(sets) > 1 else []

    def proved(self) -> None:
        """A window gave its records to the end: cutting leads somewhere."""
        self._cuts_left = min(self._cuts_left + 2, _VAIN_CUTS)

    def _blames_size(self, error: SourceError) -> bool:
        if isinstance(error, RetryLaterError | ForbiddenError):
            return False
        if not isinstance(error, TooHeavyError | ResponseError):
            return False
        return self._gives_a_small_list()

    def _gives_a_small_list(self) -> bool:
        """Whether the server answers what cannot be too much: its very first day, or its last."""
        for day in (self._repository.earliest, self._repository.today):
            try:
                self._client.page("ListRecords", self.arguments(None, (day, day)))
            except (RetryLaterError, ForbiddenError):
                raise
            except SourceError:
                continue  # the error that led here is the one that is told
            return True
        return False

    def arguments(
        self, part: str | None, span: windows.Span, set_spec: str | None = None
    ) -> dict[str, str]:
        """The arguments of a list over a span of days, narrowed to a set."""
        arguments = {"metadataPrefix": self._stream.prefix}
        arguments |= windows.arguments(span, self._repository.granularity)
        narrowed = set_spec or self._stream.set_spec or part
        if narrowed:
            arguments["set"] = narrowed
        return arguments

    def _may_cut(self, size: int) -> bool:
        """Whether one more cut can be honest: a size that never shrinks would cut for ever."""
        self._largest = max(self._largest, size)
        self._cuts += 1
        return self._cuts <= _SPLITS + 4 * self._largest // self._window_records

    def _measured(self, window: Window, span: windows.Span) -> int | None:
        return self.size(self.arguments(window.part, span))

    def size(self, arguments: dict[str, str]) -> int | None:
        """How many records a list announces; none where the server does not tell.

        Raises `SourceError`.
        """
        page = self._client.page("ListIdentifiers", arguments)
        if {error.code for error in page.errors} == {"noRecordsMatch"}:
            return 0
        if page.errors:
            return None
        if page.token is None:
            return len(page.headers) + len(page.rejected)
        return page.token.complete_list_size

    def _disjoint_sets(self, window: Window) -> list[str]:
        """The sets that make up a day, each with records in it; none where that is not certain.

        Raises `SourceError`.
        """
        start = _DISJOINT_SETS.get(self._rules.profile)
        if start is None or window.part or self._stream.set_spec:
            return []
        span = (window.from_day, window.until_day)
        total = self.size(self.arguments(None, span))
        listed = self._client.page("ListSets", {}).sets
        sizes = {
            one.spec: self.size(self.arguments(None, span, one.spec))
            for one in listed
            if one.spec.startswith(start)
        }
        known = [size for size in sizes.values() if size is not None]
        if total is None or len(known) < len(sizes) or sum(known) != total:
            return []
        return [spec for spec, size in sizes.items() if size]
