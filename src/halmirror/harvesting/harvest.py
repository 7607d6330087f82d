"""Harvesting: where the network and the store meet.

`harvest` brings the mirror up to date: the first time everything, then what changed since the
last run's first answer less a day.  It carries on where an earlier run was cut.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from halmirror import windows
from halmirror.batch import Rules
from halmirror.config.values import check_set
from halmirror.crosswalks import without_rules
from halmirror.errors import (
    AwayError,
    ForbiddenError,
    HalmirrorError,
    MirrorError,
    ProtocolError,
    ReconcileRefusedError,
    RetryLaterError,
    SnapshotError,
    SourceError,
    StoppedError,
    UsageError,
)
from halmirror.harvesting.ahead import Preparing
from halmirror.harvesting.lanes import Lane, Lanes
from halmirror.harvesting.listing import Listing, Outcome
from halmirror.harvesting.pauses import check_pause, keep_hold, keep_pause
from halmirror.harvesting.quarantine import MOST_A_RUN, ask_again
from halmirror.harvesting.reconcile import Findings, Reconciliation
from halmirror.harvesting.repository import Repository
from halmirror.harvesting.sources import Session, check_secrets, chosen, make_folder
from halmirror.stopping import Stop
from halmirror.store.database import seconds_since, time_stamp
from halmirror.store.model import Counts
from halmirror.store.renewal import older_contents
from halmirror.store.writer import Writer
from halmirror.workers import share_memory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from halmirror.config import Settings, SourceSettings
    from halmirror.harvesting.sources import Client
    from halmirror.harvesting.watching import Observer
    from halmirror.oaipmh.protocol import Identity
    from halmirror.store.model import Source, Stream, Window

_OUTCOMES = {0: "done", 1: "failed", 3: "done in part"}
_SILENT_WINDOWS = 2
"""Windows in a row without any usable answer: the source is away."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a harvest is asked for; ``Request()`` is the scheduled job.

    ``sources``: names (none: all); ``sets`` in the place of the configured ones; ``from_day``
    and ``until_day`` never move the mark; ``full`` lists everything again and withdraws nothing;
    ``limit`` stops after so many records of a source; ``base_url`` needs exactly one source;
    ``now`` asks a source even before the time it wants to be left alone until.
    """

    sources: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    from_day: str | None = None
    until_day: str | None = None
    full: bool = False
    limit: int | None = None
    base_url: str | None = None
    now: bool = False


@dataclass(slots=True)
class SourceReport:
    """What a harvest did with one source.

    ``complete_as_of``: the day up to which every window is closed.  ``started``: whether any
    page was received.  ``repaired``: quarantined records that came after all.  ``retries``:
    requests that were asked again.  ``problems``: a line each; ``exit_code``: the source's own.
    """

    name: str
    counts: Counts = field(default_factory=Counts)
    complete_as_of: str | None = None
    closed_windows: int = 0
    open_windows: int = 0
    repaired: int = 0
    retries: int = 0
    started: bool = False
    problems: list[str] = field(default_factory=list)
    exit_code: int = 0

    def line(self) -> str:
        """The harvest's last line on standard output for this source."""
        counts = self.counts
        return (
            f"{self.name}: {counts.new} new, {counts.changed} changed, "
            f"{counts.unchanged} unchanged, {counts.gone} gone, "
            f"{counts.quarantined} quarantined; complete as of {self.complete_as_of or 'never'}"
        )


@dataclass(slots=True)
class Report:
    """What a harvest did, source by source.

    ``started`` is a time stamp, ``seconds`` how long it took.  ``failure`` ended the run before
    its time: the mirror could not be written, or it was stopped.
    """

    started: str
    sources: list[SourceReport] = field(default_factory=list)
    seconds: float = 0.0
    failure: HalmirrorError | None = None

    @property
    def exit_code(self) -> int:
        """0 done, 1 nothing achieved, 3 done in part (contract, "Exit codes"), or the failure's."""
        if self.failure is not None:
            return self.failure.exit_code
        codes = {source.exit_code for source in self.sources}
        if not codes - {0}:
            return 0
        return 1 if codes == {1} else 3

    def as_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        return {
            "command": "harvest",
            "started": self.started,
            "seconds": round(self.seconds, 3),
            "exit_code": self.exit_code,
            "failure": None if self.failure is None else str(self.failure),
            "sources": [asdict(source) for source in self.sources],
        }


def harvest(
    settings: Settings,
    request: Request,
    observer: Observer,
    *,
    stop: Stop | None = None,
    processes: int | None = None,
    window_records: int = windows.WINDOW_RECORDS,
) -> Report:
    """Bring the mirror up to date.

    ``stop`` ends the run early, with what was committed in place.  ``processes``: how many
    workers prepare pages at most, once a source outruns this process (none: one a core).
    Raises `UsageError`, and `MirrorError` where the mirror cannot be opened; what goes wrong
    later is in the report.  Trouble with one source does not stop the others.
    """
    sources = chosen(settings, request.sources, request.base_url)
    _check(request)
    check_secrets(sources)
    make_folder(settings.mirror.path)
    share_memory()
    stop = stop or Stop()
    report, began = Report(time_stamp()), time.monotonic()
    with Writer(
        settings.mirror.path,
        "harvest",
        keep_free=settings.mirror.keep_free,
        network=settings.mirror.network_file_system,
    ) as writer:
        outcome = "interrupted"
        try:
            if older := older_contents(writer.connection):
                observer.note(
                    f"{older} contents of the mirror were normalised by older rules: "
                    "run 'halmirror renormalise'"
                )
            with Preparing(processes) as preparing:
                for source in sources:
                    job = _SourceHarvest(
                        writer, source, request, observer, stop, preparing, window_records
                    )
                    report.sources.append(job.report)
                    job.run()
            outcome = _OUTCOMES[report.exit_code]
        except StoppedError as error:
            report.failure = error
        except KeyboardInterrupt:
            report.failure = StoppedError("interrupted; the next run goes on from here")
        except HalmirrorError as error:
            report.failure = error
            outcome = f"failed: {error}"
        finally:
            report.seconds = time.monotonic() - began
            _finish(writer, outcome, report)
    return report


def _finish(writer: Writer, outcome: str, report: Report) -> None:
    """Close the run's entry; where even that cannot be written, the first failure is told."""
    try:
        writer.finish(outcome, report.as_dict())
    except MirrorError:
        if report.failure is None:
            raise


def _check(request: Request) -> None:
    """Raises `UsageError` for what cannot be asked for."""
    for option, day in (("--from", request.from_day), ("--until", request.until_day)):
        if day is not None:
            windows.parse_day(day, option)
    for set_spec in request.sets:
        try:
            check_set(set_spec)
        except UsageError as error:
            raise UsageError(f"--set: {error}") from error
    if request.from_day and request.until_day and request.from_day > request.until_day:
        raise UsageError(f"--from {request.from_day} is later than --until {request.until_day}")


class _SourceHarvest:
    """The harvest of one source: its streams one after the other."""

    def __init__(
        self,
        writer: Writer,
        settings: SourceSettings,
        request: Request,
        observer: Observer,
        stop: Stop,
        preparing: Preparing,
        window_records: int,
    ) -> None:
        self.report = SourceReport(settings.name)
        self._writer = writer
        self._settings = settings
        self._request = request
        self._observer = observer
        self._session = Session(settings, stop)
        self._preparing = preparing
        self._window_records = window_records
        self._left = request.limit
        self._over = False
        self._failures: list[int] = []

    def run(self) -> None:
        try:
            if not self._request.now:
                check_pause(self._writer, self._settings)
            if self._settings.kind == "snapshot":
                self._follow()
            else:
                with self._session.connect(self._observer) as client:
                    self._run(client)
        except SnapshotError as error:
            self._fail(error)
        except SourceError as error:
            keep_pause(self._writer, self._settings, error)
            self._fail(error)
        finally:
            self.report.retries = self._session.retries
            keep_hold(self._writer, self._settings, self._session.pace.held())
            if self.report.complete_as_of is None:
                self.report.complete_as_of = self._standing()
        if self._failures:
            self.report.exit_code = 3 if self.report.started else max(self._failures)
        self._writer.index()

    def _run(self, client: Client) -> None:
        identity, page = client.identity()
        source, moved_from = self._writer.source(
            self._settings.name, self._settings.base_url, self._settings.profile
        )
        self._writer.leave_alone(source, None)
        if moved_from is not None:
            self._observer.note(
                f"{source.name}: the base URL moved from {moved_from} to {source.base_url}"
            )
        unruled = without_rules(self._settings.metadata_prefix, self._settings.profile)
        if unruled is not None:
            self._observer.warning(f"{source.name}: {unruled}")
        self._writer.keep_identity(source, identity.xml, identity.metadata_policy)
        today = windows.today_by(page.response_date, datetime.now(UTC).date())
        earliest = identity.earliest_datestamp[:10]
        if not windows.is_day(earliest):
            earliest = windows.FIRST_DAY
        repository = Repository(earliest, today, identity.granularity)
        sets = self._request.sets or self._settings.sets or ("",)
        marks = []
        with Lanes[Outcome](
            client, self._connect_more, self._connections, self._session.stop
        ) as lanes:
            for set_spec in sets:
                stream = self._writer.stream(source, self._settings.metadata_prefix, set_spec)
                known_to_server = self._stream(lanes, client, stream, repository)
                marks.append(self._complete_as_of(stream) if known_to_server else None)
        if not self._failures:
            self._reconcile_if_due(client, source, identity)
        known = [mark for mark in marks if mark is not None]
        self.report.complete_as_of = min(known) if len(known) == len(marks) else None

    def _follow(self) -> None:
        """Take what another mirror published."""
        from halmirror.harvesting.following import Followed, follow

        done = Followed()
        try:
            follow(self._writer, self._settings, self._session.stop, self._observer, done)
        finally:
            self.report.counts += done.counts
            self.report.started = done.counts != Counts()
            self.report.closed_windows += done.snapshots
        self.report.complete_as_of = done.complete_as_of

    def _standing(self) -> str | None:
        """The day up to which the mirror was complete before the run, where it broke off early."""
        sets = self._request.sets or self._settings.sets or ("",)
        held = self._writer.streams_of(self._settings.name, self._settings.metadata_prefix)
        asked = [one for one in held if one.set_spec in sets]
        marks = [self._complete_as_of(one) for one in asked]
        known = [mark for mark in marks if mark is not None]
        return min(known) if known and len(known) == len(sets) else None

    @property
    def _connections(self) -> int:
        # A limit counts records: with one connection it is exact.
        return self._settings.connections if self._request.limit is None else 1

    def _connect_more(self) -> Client:
        return self._session.connect(self._observer)

    def _reconcile_if_due(self, client: Client, source: Source, identity: Identity) -> None:
        """Compare all identifiers every ``reconcile_every``, unless deletions are announced."""
        request = self._request
        partial = request.sets or request.from_day or request.until_day or request.limit
        every = self._settings.reconcile_every
        if partial or not every or identity.deleted_record == "persistent":
            return
        streams = [
            self._writer.stream(source, self._settings.metadata_prefix, set_spec)
            for set_spec in self._settings.sets or ("",)
        ]
        since = [stream.reconciled_at or stream.first_complete_at for stream in streams]
        if not all(since) or seconds_since(min(one for one in since if one)) < every:
            return
        self._observer.note(f"{source.name}: comparing all identifiers with the server's")
        findings = Reconciliation(
            client, self._writer, self._settings, streams, self._observer,
            max_loss=self._settings.max_loss,
        ).run()  # fmt: skip
        self._account_findings(findings)

    def _account_findings(self, findings: Findings) -> None:
        self._observer.note(findings.line(self._settings.name, dry_run=False))
        self.report.started = True
        if findings.refused is not None:
            self._fail(ReconcileRefusedError(findings.refused))
            return
        self.report.counts += Counts(gone=len(findings.withdrawn) + len(findings.merged))
        if findings.unasked:
            self._failures.append(3)
            self.report.problems.append(f"{len(findings.unasked)} vanished records not asked for")

    def _stream(
        self, lanes: Lanes[Outcome], client: Client, stream: Stream, repository: Repository
    ) -> bool:
        """Take a stream's windows; whether the server knows it at all."""
        rules = Rules(stream.prefix, self._settings.profile, self._writer.dictionary(stream.source))
        listings: dict[Lane, Listing] = {}

        def take(lane: Lane, window: Window) -> Outcome:
            if lane not in listings:
                listings[lane] = Listing(
                    lane, self._writer, stream, rules, repository, self._observer, self._preparing,
                    sleep=lane.sleep, limit=self._left, window_records=self._window_records,
                )  # fmt: skip
            self._observer.window(stream, window, len(todo))
            return listings[lane].take(window)

        todo = [] if self._over else self._plan(stream, repository)
        if self._left == 0:
            todo.clear()
        silent = 0
        for window, outcome in lanes.run(todo, take):
            todo[:0] = outcome.pieces
            if outcome.pieces:
                self._observer.cut(stream, window, len(outcome.pieces))
            self._account(outcome)
            nothing = outcome.counts == Counts() and self._writer.is_untouched(stream)
            if _is_refused(outcome) and nothing:
                # A set or format that the server never knew leaves no trace in the mirror.
                self._writer.discard(stream)
                return False
            silent = silent + 1 if isinstance(outcome.error, AwayError) else 0
            if outcome.limited or self._give_up(outcome, silent):
                todo.clear()
        if listings:
            self._left = next(iter(listings.values())).limit
        self._finish(client, stream, rules)
        return True

    def _finish(self, client: Client, stream: Stream, rules: Rules) -> None:
        """What remains of a stream when its windows were taken: quarantine, success, the total."""
        if not self._over:
            self._ask_again(client, stream, rules)
        planned = not (self._request.from_day or self._request.until_day)
        if planned and not self._over and not self._writer.open_windows(stream):
            self._writer.succeed(stream)
            self._writer.announce(stream, self._announced(client, stream))

    def _give_up(self, outcome: Outcome, silent: int) -> bool:
        """Whether to ask the source no more in this run: it is away, or does not want it."""
        error = outcome.error
        if isinstance(error, RetryLaterError):
            keep_pause(self._writer, self._settings, error)
        self._over |= isinstance(error, RetryLaterError | ForbiddenError)
        self._over |= silent >= _SILENT_WINDOWS
        return self._over

    def _ask_again(self, client: Client, stream: Stream, rules: Rules) -> None:
        """Try the stream's quarantine again, as every run does once its windows are taken."""
        if self._request.limit is not None:
            return
        try:
            done = ask_again(client, self._writer, stream, rules, most=MOST_A_RUN)
        except SourceError as error:
            keep_pause(self._writer, self._settings, error)
            self._over |= isinstance(error, RetryLaterError | ForbiddenError)
            message = f"{stream.source_name}: quarantine was not tried to its end: {error}"
            self._observer.warning(message)
            return
        self.report.counts += done.counts
        self.report.repaired += done.repaired
        if done.repaired:
            self._observer.note(f"{stream.source_name}: {done.repaired} out of quarantine")
        if done.left:
            self._observer.warning(
                f"{stream.source_name}: {done.left} still in quarantine; "
                "'halmirror quarantine list' tells why"
            )

    def _plan(self, stream: Stream, repository: Repository) -> list[Window]:
        """The windows to take: those left open by earlier runs, then the new span's."""
        held = [self._bounded(one, stream) for one in self._writer.open_windows(stream)]
        request = self._request
        if request.from_day or request.until_day:
            return held + self._extra(stream, held, (request.from_day, request.until_day))
        first = self._settings.from_ or ""
        spans: list[windows.Span] = []
        start = self._settings.from_
        if stream.planned_until is not None:
            start = windows.shifted(stream.planned_until, -windows.OVERLAP_DAYS)
            if first < (planned := stream.planned_from or ""):
                # The configuration reaches further back than when the windows were laid.
                spans.append((first or None, windows.shifted(planned, -1)))
            first = min(first, planned)
        span = (start, None)
        replaced = [
            one
            for one in held
            if one.kind == "plan"
            and not one.token
            and not self._writer.distinct(one)
            and windows.covers(span, (one.from_day, one.until_day))
        ]
        until = max(repository.today, stream.planned_until or "")
        laid = self._writer.plan(
            stream, [*spans, span], kind="plan", planned=(first, until), replaces=replaced
        )
        kept = [one for one in held if one not in replaced]
        begun = any(one.kind == "full" for one in held)
        if request.full and stream.planned_until is not None and not begun:
            laid += self._writer.plan(stream, [(self._settings.from_, None)], kind="full")
        # New days first: a window that fails in every run must not keep them waiting.
        return laid + kept

    def _extra(self, stream: Stream, held: Sequence[Window], span: windows.Span) -> list[Window]:
        """A window that was asked for besides, unless an earlier run left it open."""
        if any(one.kind == "extra" and (one.from_day, one.until_day) == span for one in held):
            return []
        return self._writer.plan(stream, [span], kind="extra")

    def _bounded(self, window: Window, stream: Stream) -> Window:
        """An open end that an earlier run left ends with that run's day: later days are new."""
        if window.kind != "plan" or window.until_day or window.token or not stream.planned_until:
            return window
        return self._writer.bound(window, stream.planned_until)

    def _account(self, outcome: Outcome) -> None:
        self.report.counts += outcome.counts
        self.report.closed_windows += outcome.closed
        counts = outcome.counts
        if any((counts.new, counts.changed, counts.unchanged, counts.gone)) or outcome.closed:
            self.report.started = True
        if outcome.pieces:
            self.report.started = True
        if counts.quarantined:
            self._failures.append(3)
            self.report.problems.append(f"{counts.quarantined} records newly quarantined")
        if outcome.reason is not None:
            self.report.problems.append(outcome.reason)
            self._failures.append(outcome.error.exit_code if outcome.error is not None else 3)

    def _fail(self, error: HalmirrorError) -> None:
        self.report.problems.append(str(error))
        self._failures.append(error.exit_code)
        self._observer.warning(f"{self._settings.name}: {error}")

    def _announced(self, client: Client, stream: Stream) -> int | None:
        """``completeListSize`` of one request without dates; none where the server gives none."""
        arguments: Mapping[str, str] = {"metadataPrefix": stream.prefix}
        if stream.set_spec:
            arguments = {**arguments, "set": stream.set_spec}
        try:
            page = client.page("ListIdentifiers", arguments)
        except SourceError as error:
            self._observer.note(f"{stream.source_name}: the total could not be asked for: {error}")
            return None
        if page.errors:
            # An empty list may be an outage (docs/harvesting.md): it is no number.
            return None
        if page.token is None:
            return len(page.headers) + len(page.rejected)
        return page.token.complete_list_size

    def _complete_as_of(self, stream: Stream) -> str | None:
        """The last day up to which every planned window is closed."""
        fresh = self._writer.reread(stream)
        left: Sequence[Window] = [
            one for one in self._writer.open_windows(stream) if one.kind == "plan"
        ]
        self.report.open_windows += len(left)
        return windows.complete_as_of(fresh.planned_until, [one.from_day for one in left])


def _is_refused(outcome: Outcome) -> bool:
    """Whether the server refused the list itself: a set or format that it does not know."""
    refusals = {"badArgument", "cannotDisseminateFormat", "noSetHierarchy"}
    error = outcome.error
    return isinstance(error, ProtocolError) and error.code in refusals
