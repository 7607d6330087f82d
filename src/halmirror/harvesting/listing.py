"""One window's list, from its first page (or a stored token) to its end.

What a server says is judged by ``docs/harvesting.md``: an end is believed only where the counts
bear it out, a list that contradicts itself is taken again, and what cannot be settled leaves the
window open for the next run.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from halmirror import windows
from halmirror.errors import (
    ListError,
    ProtocolError,
    ResponseError,
    SourceError,
    TransportError,
)
from halmirror.harvesting.ahead import ReadAhead
from halmirror.harvesting.filling import MOST_BY_NAME, MOST_GAPS, fill
from halmirror.harvesting.narrowing import Narrowing
from halmirror.store import indexer
from halmirror.store.model import Counts

if TYPE_CHECKING:
    from collections.abc import Callable

    from halmirror.batch import Batch, Rules
    from halmirror.harvesting.ahead import Preparing
    from halmirror.harvesting.lanes import Lane
    from halmirror.harvesting.repository import PageSource, Repository
    from halmirror.harvesting.watching import Observer
    from halmirror.store.model import Stream, Window
    from halmirror.store.writer import Writer

RETAKES = 3
"""How often a window is taken again within a run when its list contradicts itself."""

DEAD_TOKEN_RETAKES = 1
BARREN_PAGES = 20
"""Pages in a row that bring nothing the list had not given before: the list never ends."""

CONTROL_WAITS = (5.0, 30.0)
"""Seconds between the questions whether an empty list is true (HAL's search engine may be down)."""

_COLLISION_SHARE = 0.01
_COLLISION_RECORDS = 100
_EXCESS_RECORDS = 10_000
_LONGEST_TOKEN = 60_000


@dataclass(slots=True)
class Outcome:
    """What came of a window.  ``pieces``: the windows it was cut into, to be taken instead."""

    counts: Counts = field(default_factory=Counts)
    closed: bool = False
    reason: str | None = None
    error: SourceError | None = None
    pieces: list[Window] = field(default_factory=list)
    limited: bool = False


class _Retake(Exception):  # noqa: N818 - a turn of events, no error
    """The list is to be taken again from its start, at most ``times`` times."""

    def __init__(self, reason: str, times: int = RETAKES) -> None:
        super().__init__(reason)
        self.reason = reason
        self.times = times


class Listing:
    """Takes the lists of a stream's windows.

    ``limit``: records still wanted, or none.  ``sleep`` waits (seconds) and may be replaced.
    """

    def __init__(
        self,
        lane: Lane,
        writer: Writer,
        stream: Stream,
        rules: Rules,
        repository: Repository,
        observer: Observer,
        preparing: Preparing,
        *,
        sleep: Callable[[float], None],
        limit: int | None = None,
        window_records: int = windows.WINDOW_RECORDS,
    ) -> None:
        self._client: PageSource = lane
        self._pages = ReadAhead(lane, preparing, lambda: self._rules)
        self._writer = writer
        self._stream = stream
        self._rules = rules
        self._repository = repository
        self._observer = observer
        self._sleep = sleep
        self._window_records = window_records
        self._narrowing = Narrowing(lane, writer, stream, rules, repository, window_records)
        self.limit = limit
        self._unindexed = 0

    def take(self, window: Window) -> Outcome:
        """Take a window's list to its end.  Trouble with it is in the outcome, not raised."""
        outcome = Outcome()
        retakes = 0
        while True:
            try:
                with closing(self._pages):
                    self._list(window, outcome)
            except _Retake as again:
                retakes += 1
                window = self._restart(window, again.reason)
                if retakes > again.times:
                    return self._left(window, outcome, again.reason)
                self._observer.note(
                    f"{self._name(window)}: {again.reason}; the window is taken again"
                )
            except (TransportError, ResponseError) as error:
                return self._failed(self._latest(window), outcome, error)
            except SourceError as error:
                outcome.error = error
                return self._left(self._restart(window, str(error)), outcome, str(error))
            else:
                return outcome

    def _failed(self, window: Window, outcome: Outcome, error: SourceError) -> Outcome:
        """The list broke off: by smaller lists, by name, or not in this run."""
        outcome.error, reason = error, str(error)
        try:
            pieces = self._narrowing.after(window, error)
            if pieces is not None:
                outcome.error = None
                if pieces:
                    self._observer.note(f"{self._name(window)}: {error}; cut into smaller windows")
                    outcome.pieces = pieces
                else:
                    self._observer.note(f"{self._name(window)}: {error}; asked for by name")
                    self._take_by_name(window, outcome)
                return outcome
        except SourceError as second:
            outcome.error = second
            reason = f"{error}; smaller requests failed too: {second}"
        self._writer.leave_open(self._latest(window), reason)
        return self._left(window, outcome, reason)

    def _take_by_name(self, window: Window, outcome: Outcome) -> None:
        """A day whose list cannot be had: its identifiers, and each record by GetRecord."""
        fresh = replace(window, token=None)
        filled = fill(
            self._client, self._writer, self._stream, fresh, self._rules, self._arguments(fresh),
            MOST_BY_NAME,
        )  # fmt: skip
        if filled.too_many:
            raise ListError(
                f"more than {MOST_BY_NAME} records of a day would have to be asked for one by one"
            )
        outcome.counts += filled.counts
        done = replace(
            fresh,
            announced_first=filled.listed,
            announced_last=filled.listed,
            received=window.received + filled.received,
            quarantined=self._writer.quarantine.of_window(window),
        )
        self._end(done, "ListIdentifiers and GetRecord", filled.withheld, outcome)

    def _restart(self, window: Window, reason: str) -> Window:
        """Set the window back; an open end that an earlier run left is bounded by its day."""
        return self._writer.restart(window, reason, until=self._stream.planned_until)

    def _latest(self, window: Window) -> Window:
        """The window as last committed: its place moves with every page."""
        held = {one.id: one for one in self._writer.open_windows(self._stream)}
        return held.get(window.id, window)

    def _left(self, window: Window, outcome: Outcome, reason: str) -> Outcome:
        self._observer.warning(f"{self._name(window)}: left open: {reason}")
        self._observer.ended(self._stream, window, reason)
        outcome.reason = reason
        return outcome

    def _name(self, window: Window) -> str:
        span = windows.told((window.from_day, window.until_day))
        set_spec = f" set {self._stream.set_spec}" if self._stream.set_spec else ""
        return f"{self._stream.source_name}{set_spec} {span}"

    # -- the list -------------------------------------------------------------------------

    def _list(self, window: Window, outcome: Outcome) -> None:
        seen: set[str] = set()
        broken: set[int] = set()
        barren = 0
        while True:
            batch = self._pages.batch(self._arguments(window), self._pages_wanted(window))
            if batch.errors:
                self._judge_error(batch, window, outcome)
                return
            size = batch.token.complete_list_size if batch.token else None
            if not window.token and size is not None and size > self._window_records:
                outcome.pieces = self._narrowing.by_size(window, size)
                if outcome.pieces:
                    return
            self._check_same_list(batch, window)
            if _is_empty(batch) and not window.token:
                self._judge_empty(window, outcome)
                return
            if self._is_cut(window, batch, outcome):
                return
            unsized = not window.token and size is None
            window = _advanced(window, batch)
            counts, fresh = self._writer.commit_page(self._stream, window, batch)
            if self.limit is not None:
                self.limit -= fresh
            outcome.counts += counts
            self._observer.page(self._stream, window, counts)
            self._index(counts)
            self._take_dictionary()
            if window.token is None:
                self._close(
                    self._sized(window) if unsized else window, outcome, "the list's last page"
                )
                return
            if self.limit == 0:
                outcome.limited = True
                return
            barren = 0 if fresh or _is_newly_broken(batch, broken) else barren + 1
            _check_moving(window, seen, barren)

    def _arguments(self, window: Window) -> dict[str, str]:
        if window.token:
            return {"resumptionToken": window.token}
        return self._narrowing.arguments(window.part, (window.from_day, window.until_day))

    def _pages_wanted(self, window: Window) -> int | None:
        if self.limit is None:
            return None
        return self.limit // window.page_size if window.page_size else 1

    def _index(self, counts: Counts) -> None:
        """Keep the search index a batch behind the records."""
        self._unindexed += counts.new + counts.changed + counts.gone
        if self._unindexed >= indexer.BATCH:
            self._writer.index()
            self._unindexed = 0

    def _take_dictionary(self) -> None:
        """Compress by the dictionary that the first records may have given by now."""
        dictionary = self._writer.dictionary(self._stream.source)
        if dictionary != self._rules.dictionary:
            self._rules = replace(self._rules, dictionary=dictionary)

    def _check_same_list(self, batch: Batch, window: Window) -> None:
        """A list that another harvester's token has overwritten shows by its records (hal.md)."""
        span = (window.from_day, window.until_day)
        # Only HAL is known to keep to the span strictly; elsewhere the server's day may be its own.
        for row in batch.rows if self._rules.profile == "hal" else ():
            if not windows.contains(span, row.datestamp):
                raise _Retake(
                    f"{row.oai_identifier} of {row.datestamp} does not belong to this list"
                )
        if batch.token and len(batch.token.value) > _LONGEST_TOKEN:
            raise ListError(
                f"the server gave a resumption token of {len(batch.token.value)} characters; "
                "it is not usable"
            )
        size = batch.token.complete_list_size if batch.token else None
        last = window.announced_last
        if size is not None and last is not None:
            moved = abs(size - last)
            if moved > _COLLISION_RECORDS and moved > last * _COLLISION_SHARE:
                raise _Retake(f"the list's announced size moved from {last} to {size}")

    def _is_cut(self, window: Window, batch: Batch, outcome: Outcome) -> bool:
        """Whether the limit ends in the midst of the page; its first records are stored then."""
        if self.limit is None or len(batch.rows) <= self.limit:
            return False
        fresh = tuple(
            row
            for row in batch.rows
            if not self._writer.is_listed(self._stream, window, row.id, row.version)
        )
        if len(fresh) <= self.limit:
            return False
        self._take_some(window, replace(batch, rows=fresh), outcome)
        return True

    def _take_some(self, window: Window, batch: Batch, outcome: Outcome) -> None:
        """Store the first records of a page only; its place stays, so the next run has the rest."""
        part = replace(batch, rows=batch.rows[: self.limit], rejected=())
        counts, _ = self._writer.commit_page(self._stream, window, part)
        outcome.counts += counts
        outcome.limited = True
        self._observer.page(self._stream, window, counts)
        self.limit = 0

    def _sized(self, window: Window) -> Window:
        """A list of one page that announced nothing, with the size that its identifiers tell.

        HAL's lists of one record more than a page end early and lose it, and a token may be lost:
        where the size cannot be asked for, the list is not known to be whole.
        """
        size = self._narrowing.size(self._arguments(replace(window, token=None)))
        return replace(window, announced_last=size) if size else window

    def _close(self, window: Window, outcome: Outcome, answer: str) -> None:
        withheld: tuple[tuple[str, str], ...] = ()
        # A broken record that came twice is one.
        broken = self._writer.quarantine.of_window(window)
        window = replace(window, quarantined=broken)
        if self._writer.distinct(window) + broken < _announced(window):
            window, withheld = self._fill(window, outcome)
        self._end(window, answer, withheld, outcome)

    def _end(
        self,
        window: Window,
        answer: str,
        withheld: tuple[tuple[str, str], ...],
        outcome: Outcome,
    ) -> None:
        for identifier, reason in withheld:
            self._observer.warning(f"{identifier}: announced but not given: {reason}")
        self._writer.close(window, answer, withheld)
        self._observer.ended(self._stream, window, None)
        if window.received:
            self._narrowing.proved()
        outcome.closed = True

    def _fill(self, window: Window, outcome: Outcome) -> tuple[Window, tuple[tuple[str, str], ...]]:
        """Ask for what a short list left out; what the server withholds, by name."""
        fresh = replace(window, token=None)
        filled = fill(
            self._client, self._writer, self._stream, fresh, self._rules, self._arguments(fresh),
            MOST_GAPS,
        )  # fmt: skip
        if filled.too_many:
            raise _Retake(f"the list gave {window.received} of {window.announced_last} records")
        outcome.counts += filled.counts
        self._observer.note(
            f"{self._name(window)}: {window.received} of {window.announced_last} announced "
            f"records listed, {filled.received} more by GetRecord, {len(filled.withheld)} withheld"
        )
        broken = self._writer.quarantine.of_window(window)
        filled_up = replace(window, received=window.received + filled.received, quarantined=broken)
        return filled_up, filled.withheld

    # -- errors and ends ------------------------------------------------------------------

    def _judge_error(self, batch: Batch, window: Window, outcome: Outcome) -> None:
        codes = {error.code for error in batch.errors}
        if codes == {"badResumptionToken"} and window.token:
            raise _Retake("its resumption token has died", DEAD_TOKEN_RETAKES)
        if codes == {"noRecordsMatch"}:
            if window.token:
                self._judge_end(window, outcome)
            else:
                self._judge_empty(window, outcome)
            return
        error = batch.errors[0]
        hint = f"; check that set '{self._stream.set_spec}' exists" if self._stream.set_spec else ""
        raise ProtocolError(
            f"the server refused the list of {self._name(window)}: {error.code}: "
            f"{error.message}{hint}",
            error.code,
        )

    def _judge_end(self, window: Window, outcome: Outcome) -> None:
        """``noRecordsMatch`` after a token: the end only where the counts bear it out (hal.md)."""
        announced = window.announced_last
        if announced is None:
            window, withheld = self._fill(window, outcome)
            answer = "noRecordsMatch after a token, borne out by the list of identifiers"
            self._end(window, answer, withheld, outcome)
            return
        if window.may_end():
            # A document that the server could not load leaves a gap, which closing fills.
            self._close(window, outcome, "noRecordsMatch after the last record")
            return
        raise _Retake(
            f"the list ended (noRecordsMatch) with {window.received} of {announced} records"
        )

    def _judge_empty(self, window: Window, outcome: Outcome) -> None:
        """``noRecordsMatch`` at once: empty only where a list without dates has records."""
        for wait in (0.0, *CONTROL_WAITS):
            if wait:
                self._sleep(wait)
            if self._lists_anything():
                if window.from_day is None and window.until_day is None:
                    # The same list answers as identifiers: one of the two answers is false.
                    raise _Retake("the server lists identifiers but gives no records")
                self._close(window, outcome, "noRecordsMatch, and a list without dates answers")
                return
        raise ListError(
            f"{self._name(window)}: the server says that it holds no records at all; "
            "an empty list is not taken for success, try again later"
        )

    def _lists_anything(self) -> bool:
        arguments = {"metadataPrefix": self._stream.prefix}
        if self._stream.set_spec:
            arguments["set"] = self._stream.set_spec
        page = self._client.page("ListIdentifiers", arguments)
        return bool(page.headers)


def _announced(window: Window) -> int:
    """What a list announced: the last size, as an archive lives; the first where it fell too far.

    Then another harvester's list may have taken this one's place.
    """
    first, last = window.announced_first or 0, window.announced_last or 0
    fell = first - last
    return first if fell > _COLLISION_RECORDS and fell > first * _COLLISION_SHARE else last


def _is_empty(batch: Batch) -> bool:
    """A list without records, rejected ones or a token: it says what ``noRecordsMatch`` says."""
    return not (batch.rows or batch.rejected or (batch.token and batch.token.value))


def _is_newly_broken(batch: Batch, broken: set[int]) -> bool:
    """Whether a page brings broken records, and not the same ones as a page before."""
    mark = hash(tuple(one.data for one in batch.rejected))
    is_new = bool(batch.rejected) and mark not in broken
    broken.add(mark)
    return is_new


def _advanced(window: Window, batch: Batch) -> Window:
    """The window after a batch: counts and the token to go on with (none: the list's end)."""
    got = len(batch.rows) + len(batch.rejected)
    return replace(
        window.after(batch.token, got, batch.response_date),
        received=window.received + len(batch.rows),
        quarantined=window.quarantined + len(batch.rejected),
    )


def _check_moving(window: Window, seen: set[str], barren: int) -> None:
    """Raises `ListError` for a token that repeats or a list that never ends."""
    token = window.token or ""
    if token in seen:
        raise ListError(
            f"the server gave resumption token '{token[:60]}' twice; the list goes in a circle"
        )
    seen.add(token)
    if barren >= BARREN_PAGES:
        raise ListError(f"{barren} pages in a row brought nothing new; the list never ends")
    announced, given = window.announced_last, window.received + window.quarantined
    if announced is not None and given > 2 * announced + _EXCESS_RECORDS:
        raise ListError(
            f"the list has given {given} records though it announced {announced}; it never ends"
        )
