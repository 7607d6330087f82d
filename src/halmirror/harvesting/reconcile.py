"""Reconciling: finding what vanished from a repository that keeps no list of its deletions.

All identifiers are listed and compared with the mirror.  Each active record that is not among
them is asked for by GetRecord before anything is marked: the server then says that it does not
exist (withdrawn), gives another record in its place (merged: superseded by that one), or still
has it (it stays, with what it says now).  Too great a loss is refused and changes nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from halmirror.batch import Rules, local_key, prepare_page
from halmirror.config import loss_limit
from halmirror.errors import (
    ForbiddenError,
    ListError,
    NoMirrorError,
    ProtocolError,
    RetryLaterError,
    SourceError,
)
from halmirror.harvesting.pauses import check_pause, keep_hold, keep_pause
from halmirror.harvesting.sources import Session, check_secrets, speaking_oai_pmh
from halmirror.record import versioned
from halmirror.stopping import Stop
from halmirror.store.vanished import VanishedLog
from halmirror.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halmirror.batch import Batch
    from halmirror.config import Settings, SourceSettings
    from halmirror.harvesting.repository import PageSource
    from halmirror.harvesting.sources import Client
    from halmirror.harvesting.watching import Observer
    from halmirror.oaipmh.protocol import Page
    from halmirror.store.model import Stream, Window
    from halmirror.store.vanished import Vanished

ALWAYS_ALLOWED = 3
"""So few records may always be lost (contract, "Reconcile")."""

_DEAD_TOKENS = 3
_BARREN_PAGES = 20
_EXCESS = 10_000
_DEATHS = {"badResumptionToken", "noRecordsMatch"}
"""What a server may say to a token that has expired (HAL's search engine: nothing found)."""


@dataclass(slots=True)
class Findings:
    """What a comparison found.

    ``unasked``: identifiers the server gave no usable answer for.  ``later``: it asked for a pause.
    """

    listed: int = 0
    active: int = 0
    withdrawn: list[str] = field(default_factory=list)
    merged: list[tuple[str, str]] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    refused: str | None = None
    later: bool = False

    @property
    def exit_code(self) -> int:
        """0 done, 1 refused, 3 where some could not be asked, or the source asks for a pause."""
        if self.later:
            return 3
        if self.refused is not None:
            return 1
        return 3 if self.unasked else 0

    def line(self, name: str, *, dry_run: bool) -> str:
        """One line that says what came of it."""
        would = "would be " if dry_run else ""
        return (
            f"{name}: {self.listed} listed, {self.active} active; {len(self.withdrawn)} "
            f"{would}withdrawn, {len(self.merged)} {would}merged, {len(self.there)} still there, "
            f"{len(self.unasked)} not asked"
        )


class Reconciliation:
    """The comparison of one source's records with its streams' lists of identifiers.

    ``max_loss``: a share (``1%``) or a number of records that may become withdrawn.
    """

    def __init__(
        self,
        client: PageSource,
        writer: Writer,
        settings: SourceSettings,
        streams: Sequence[Stream],
        observer: Observer,
        *,
        max_loss: str,
        dry_run: bool = False,
    ) -> None:
        self._client = client
        self._writer = writer
        self._log = VanishedLog(writer)
        self._settings = settings
        self._streams = streams
        self._observer = observer
        self._max_loss = max_loss
        self._dry_run = dry_run
        self._given: list[Batch] = []

    def run(self) -> Findings:
        """List, compare, ask, and mark.  Raises `SourceError` where a list cannot be taken.

        A list goes on where an earlier run was cut; so do the questions.
        """
        windows = [self._list(stream) for stream in self._streams]
        source = self._streams[0].source
        findings = Findings(
            listed=sum(window.received for window in windows), active=self._log.active(source)
        )
        allowed = max(ALWAYS_ALLOWED, loss_limit(self._max_loss, findings.active))
        if findings.listed == 0 and findings.active:
            findings.refused = self._refusal(findings.active, findings.active)
        else:
            self._recall(windows[0], findings)
            self._ask(self._log.missing(source, windows), windows[0], findings, allowed)
        done = findings.refused is None and not self._dry_run
        if done:
            # What a survivor says counts once the record that it stands for has gone.
            self._log.mark(windows)
            for batch in self._given:
                self._writer.commit_batch(self._streams[0], batch)
        self._log.finish(self._streams, done=done and not findings.unasked)
        return findings

    def _recall(self, window: Window, findings: Findings) -> None:
        """What a run that was cut had found already counts too."""
        for name, verdict, followed_by in self._log.judged(window):
            self._count(findings, name, verdict, followed_by)

    def _count(self, findings: Findings, name: str, verdict: str, followed_by: str | None) -> None:
        if verdict == "withdrawn":
            findings.withdrawn.append(name)
        elif verdict == "merged" and followed_by is not None:
            findings.merged.append((name, followed_by))
        else:
            findings.there.append(name)

    # -- the lists ------------------------------------------------------------------------

    def _list(self, stream: Stream) -> Window:
        window = self._log.window(stream)
        deaths = barren = 0
        seen: set[str] = set()
        pages: set[int] = set()
        while window.token != "":
            page = self._client.page("ListIdentifiers", self._arguments(stream, window))
            codes = {error.code for error in page.errors}
            ended = self._is_end(codes, window)
            if codes and codes <= _DEATHS and not ended and window.token and deaths < _DEAD_TOKENS:
                deaths += 1
                window = self._writer.restart(window, "its resumption token has died")
                continue
            if codes and not ended:
                error = page.errors[0]
                raise ProtocolError(
                    f"{stream.source_name}: the list of identifiers was refused: {error.code}: "
                    f"{error.message}",
                    error.code,
                )
            window = self._keep(stream, window, page)
            if window.token and window.token in seen:
                raise ListError(f"{stream.source_name}: a resumption token came twice")
            seen.add(window.token or "")
            held = hash(tuple(header.identifier for header in page.headers))
            barren = barren + 1 if held in pages else 0
            pages.add(held)
            announced = window.announced_last
            endless = announced is not None and window.received > 2 * announced + _EXCESS
            if barren >= _BARREN_PAGES or endless:
                self._writer.restart(window, "it never ended")
                raise ListError(f"{stream.source_name}: the list of identifiers never ends")
        self._check_whole(stream, window)
        return window

    def _arguments(self, stream: Stream, window: Window) -> dict[str, str]:
        if window.token:
            return {"resumptionToken": window.token}
        arguments = {"metadataPrefix": stream.prefix}
        if stream.set_spec:
            arguments["set"] = stream.set_spec
        return arguments

    def _is_end(self, codes: set[str], window: Window) -> bool:
        if codes != {"noRecordsMatch"}:
            return False
        return not window.token or window.may_end()

    def _keep(self, stream: Stream, window: Window, page: Page) -> Window:
        keys = [
            local_key(header.identifier, self._settings.profile)
            for header in page.headers
            if not header.deleted
        ]
        got = len(page.headers) + len(page.rejected)
        return self._log.keep(stream, window.after(page.token, got, page.response_date), keys)

    def _check_whole(self, stream: Stream, window: Window) -> None:
        """A list that falls short proves no record gone (HAL's short lists, docs/harvesting.md)."""
        announced = window.announced_last
        if announced is not None and window.received < announced:
            self._observer.note(
                f"{stream.source_name}: the list of identifiers gave {window.received} of "
                f"{announced}; each missing record is asked for"
            )

    # -- the questions --------------------------------------------------------------------

    def _ask(
        self, vanished: Sequence[Vanished], window: Window, findings: Findings, allowed: int
    ) -> None:
        for one in vanished:
            name = versioned(one.local_id, one.version)
            try:
                verdict, followed_by = self._verdict(one)
            except (RetryLaterError, ForbiddenError):
                raise
            except SourceError as error:
                self._observer.warning(f"{name}: could not be asked for, stays as it is: {error}")
                findings.unasked.append(name)
                continue
            self._count(findings, name, verdict, followed_by)
            self._log.judge(window, one, verdict, followed_by)
            if len(findings.withdrawn) > allowed:
                findings.refused = self._refusal(len(findings.withdrawn), findings.active)
                return

    def _verdict(self, one: Vanished) -> tuple[str, str | None]:
        """What the server says of a record that its list lacks; what it gives is stored."""
        arguments = {"identifier": one.oai_identifier, "metadataPrefix": self._streams[0].prefix}
        page = self._client.page("GetRecord", arguments)
        if page.errors:
            if {error.code for error in page.errors} == {"idDoesNotExist"}:
                return "withdrawn", None
            raise ProtocolError(page.errors[0].message, page.errors[0].code)
        if not page.records:
            raise ListError("the server gave neither the record nor an error")
        stream = self._streams[0]
        dictionary = self._writer.dictionary(stream.source)
        batch = prepare_page(page, Rules(stream.prefix, self._settings.profile, dictionary))
        if not batch.rows:
            raise ListError(f"the record given cannot be taken: {batch.rejected[0].reason}")
        found = batch.rows[0]
        self._given.append(batch)
        # A repository that answers without a version has the record all the same.
        if found.id == one.local_id and found.version in (0, one.version):
            return "there", None
        return "merged", versioned(found.id, found.version or None)

    def _refusal(self, lost: int, active: int) -> str:
        share = lost / active if active else 1.0
        return (
            f"{self._settings.name}: at least {lost} of {active} active records ({share:.1%}) "
            f"would be withdrawn, more than max_loss allows ({self._max_loss}); nothing was "
            "changed; if the source really lost them, run 'halmirror reconcile --max-loss "
            f"{lost}' or more"
        )


def reconcile(
    settings: Settings,
    observer: Observer,
    *,
    sources: Sequence[str] = (),
    dry_run: bool = False,
    max_loss: str | None = None,
    stop: Stop | None = None,
) -> dict[str, Findings]:
    """Compare the sources of those names (none: all) with their servers, one after the other.

    ``max_loss`` in the place of the configured one.  A source whose list cannot be taken has
    its error in ``Findings.refused``.  Raises `UsageError`, `MirrorError` and `StoppedError`.
    """
    picked = speaking_oai_pmh(settings, sources)
    check_secrets(picked)
    if not settings.mirror.path.exists():
        raise NoMirrorError(
            f"there is no mirror at {settings.mirror.path}; run 'halmirror harvest' first"
        )
    found: dict[str, Findings] = {}
    outcome = "interrupted"
    with Writer(
        settings.mirror.path,
        "reconcile",
        keep_free=settings.mirror.keep_free,
        network=settings.mirror.network_file_system,
    ) as writer:
        try:
            for one in picked:
                session = Session(one, stop or Stop())
                try:
                    check_pause(writer, one)
                    with session.connect(observer) as opened:
                        found[one.name] = _reconcile(
                            opened, writer, one, observer, dry_run=dry_run, max_loss=max_loss
                        )
                except SourceError as error:
                    keep_pause(writer, one, error)
                    later = isinstance(error, RetryLaterError)
                    found[one.name] = Findings(refused=f"{one.name}: {error}", later=later)
                finally:
                    keep_hold(writer, one, session.pace.held())
            writer.index()
            outcome = "done"
        finally:
            writer.finish(outcome, {name: asdict(one) for name, one in found.items()})
    return found


def _reconcile(
    client: Client,
    writer: Writer,
    settings: SourceSettings,
    observer: Observer,
    *,
    dry_run: bool,
    max_loss: str | None,
) -> Findings:
    source, _ = writer.source(settings.name, settings.base_url, settings.profile)
    streams = [
        writer.stream(source, settings.metadata_prefix, set_spec)
        for set_spec in settings.sets or ("",)
    ]
    return Reconciliation(
        client, writer, settings, streams, observer,
        max_loss=max_loss or settings.max_loss, dry_run=dry_run,
    ).run()  # fmt: skip
