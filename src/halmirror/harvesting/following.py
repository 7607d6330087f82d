"""A source that is another halmirror's snapshots, taken from a plain web server.

The chain is found by its resource list.  What the mirror took last goes on with the increments
that follow it, else with the newest whole snapshot.  Records are normalised by this mirror's own
rules and stored as a harvest stores them; a shard is what a run resumes at.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

from lxml import etree

from halmirror.batch import Rules, prepare_page
from halmirror.errors import SnapshotError
from halmirror.harvesting.sources import access
from halmirror.oaipmh.protocol import Header, Page, SourceRecord, well_formed
from halmirror.snapshot import tables
from halmirror.snapshot.fetching import Published, Site
from halmirror.snapshot.layout import HISTORY, SOURCES
from halmirror.store.model import Counts
from halmirror.store.whole import Content, HeldSource, HeldState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halmirror.config import SourceSettings
    from halmirror.harvesting.watching import Observer
    from halmirror.snapshot.layout import SourceProof
    from halmirror.stopping import Stop
    from halmirror.store.model import Stream, Window
    from halmirror.store.writer import Writer

_DOCUMENTS: Final = 200
"""Documents a commit."""


@dataclass(slots=True)
class Followed:
    """What came of it: ``complete_as_of`` is the newest snapshot's own day for the source."""

    counts: Counts = field(default_factory=Counts)
    complete_as_of: str | None = None
    snapshots: int = 0


def follow(
    writer: Writer, settings: SourceSettings, stop: Stop, observer: Observer, done: Followed
) -> None:
    """Take what is new of the snapshots at a source's address; ``done`` tells how far it came.

    Raises `SourceError`, `SnapshotError`, `StoppedError`.
    """
    auth, headers = access(settings)
    with Site(
        settings.base_url,
        timeout=settings.timeout,
        retries=settings.retries,
        verify=settings.tls_verify,
        sleep=stop.sleep,
        auth=auth,
        headers=headers,
    ) as site:
        _Following(writer, settings, stop, observer, site, done).run()


class _Following:
    def __init__(
        self,
        writer: Writer,
        settings: SourceSettings,
        stop: Stop,
        observer: Observer,
        site: Site,
        done: Followed,
    ) -> None:
        self._writer = writer
        self._settings = settings
        self._stop = stop
        self._observer = observer
        self._site = site
        self._done = done
        path = writer.path
        self._folder = path.with_name(f"{path.name}.{settings.name}.snapshots")

    def run(self) -> None:
        names = self._site.names()
        if not names:
            raise SnapshotError(f"{self._settings.base_url} has no snapshots yet")
        source, _ = self._writer.source(
            self._settings.name, self._settings.base_url, self._settings.profile
        )
        stream = self._writer.stream(source, self._settings.metadata_prefix, "")
        last = self._last(stream)
        for snapshot in self._chain(names, last):
            self._take(stream, snapshot)
            self._done.snapshots += 1
        self._writer.succeed(stream)
        self._done.complete_as_of = self._writer.reread(stream).planned_until
        shutil.rmtree(self._folder, ignore_errors=True)

    def _last(self, stream: Stream) -> tuple[str, str] | None:
        """Name and tag manifest of the snapshot that was taken last."""
        answer = self._writer.last_answer(stream)
        parts = (answer or "").split(" ")
        return (parts[1], parts[2]) if parts[0] == "snapshot" and len(parts) == 3 else None

    def _chain(self, names: list[str], last: tuple[str, str] | None) -> list[Published]:
        """The snapshots to take, oldest first."""
        if last is not None and names[-1] == last[0]:
            return []
        chain = [self._site.snapshot(names[-1])]
        while (before := chain[-1].told.since) is not None:
            if last is not None and before.name == last[0]:
                if before.tagmanifest != last[1]:
                    raise SnapshotError(
                        f"{chain[-1].told.name} goes on from another {before.name} than was taken"
                    )
                break
            if before.name not in names or len(chain) > len(names):
                raise SnapshotError(
                    f"{before.name} is not published, but {chain[-1].told.name} goes on from it"
                )
            snapshot = self._site.snapshot(before.name)
            if snapshot.tagmanifest != before.tagmanifest:
                raise SnapshotError(
                    f"{before.name} is not the one that {chain[-1].told.name} goes on from"
                )
            chain.append(snapshot)
        return chain[::-1]

    def _take(self, stream: Stream, snapshot: Published) -> None:
        told = snapshot.told
        proof = self._proof(snapshot)
        window = self._window(stream, snapshot)
        done = int(window.token.split(" ")[1]) if window.token else 0
        self._observer.window(stream, window, 0)
        if not done:
            self._keep_statement(stream, snapshot, proof.name)
        rules = Rules(stream.prefix, self._settings.profile)
        for number, path in enumerate(tables.shards(told, HISTORY), 1):
            if number <= done:
                continue
            place = self._folder / told.name / path
            self._site.download(snapshot, path, place)
            for documents in self._documents(told.name, path, proof.name):
                self._stop.check()
                window = self._store(stream, window, rules, documents)
            window = replace(window, token=f"{told.name} {number}")
            with self._writer.transaction():
                self._writer.save(window)
            place.unlink()
        self._writer.close(window, f"snapshot {told.name} {snapshot.tagmanifest}")
        if proof.complete_as_of is not None:
            self._writer.plan(stream, (), kind="plan", planned=("", proof.complete_as_of))
        self._observer.ended(stream, window, None)

    def _window(self, stream: Stream, snapshot: Published) -> Window:
        """The window of a snapshot: the one that a run left open, or a new one."""
        name = snapshot.told.name
        for held in self._writer.open_windows(stream):
            if held.token is not None and held.token.startswith(f"{name} "):
                return held
            with self._writer.transaction():
                self._writer.drop_windows([held])
        (window,) = self._writer.plan(stream, [(None, None)], kind="extra")
        return replace(window, token=f"{name} 0", announced_first=snapshot.told.digest.records)

    def _proof(self, snapshot: Published) -> SourceProof:
        """The snapshot's source that is meant: that of the same name, or the only one."""
        found = {one.name: one for one in snapshot.told.sources}
        if self._settings.name in found:
            return found[self._settings.name]
        if len(found) == 1:
            return next(iter(found.values()))
        raise SnapshotError(
            f"{snapshot.told.name} has the sources {', '.join(found)}, none is called "
            f"{self._settings.name}; give this source one of these names"
        )

    def _keep_statement(self, stream: Stream, snapshot: Published, name: str) -> None:
        """The repository's own words travel with its records."""
        place = self._folder / snapshot.told.name / SOURCES
        self._site.download(snapshot, SOURCES, place)
        source, _ = self._writer.source(
            stream.source_name, self._settings.base_url, self._settings.profile
        )
        for held in tables.read(self._folder / snapshot.told.name, SOURCES, HeldSource):
            if held.name == name and held.identify is not None:
                self._writer.keep_identity(source, held.identify, held.statement)
        place.unlink()

    def _documents(self, name: str, path: str, source: str) -> Iterator[list[list[_Held]]]:
        """The current versions of a shard's documents, some documents at a time."""
        batch: list[list[_Held]] = []
        lines = tables.of_history(self._folder / name, path)
        for key, group in groupby(lines, key=lambda one: (one.source, one.id)):
            contents: dict[tuple[int, str], Content] = {}
            current: list[_Held] = []
            for one in group:
                if isinstance(one, Content):
                    contents[one.version, one.digest] = one
                elif one.end is None:
                    current.append(_Held(one, contents.get((one.version, one.content or ""))))
            if key[0] != source:
                continue
            batch.append(sorted(current, key=lambda held: held.state.version))
            if len(batch) == _DOCUMENTS:
                yield batch
                batch = []
        if batch:
            yield batch

    def _store(
        self, stream: Stream, window: Window, rules: Rules, documents: list[list[_Held]]
    ) -> Window:
        """Store documents' versions in one commit, then how those stand that no list would tell."""
        records: list[SourceRecord] = []
        gone: list[HeldState] = []
        for held in (one for versions in documents for one in versions):
            state = held.state
            if state.status == "withdrawn" or state.followed_by is not None:
                if self._writer.standing(stream, state.id, state.version) == state.status:
                    continue
                gone.append(state)
            if held.content is not None and held.content.prefix != stream.prefix:
                raise SnapshotError(
                    f"{state.id} came as {held.content.prefix}; set metadata_prefix = "
                    f'"{held.content.prefix}" for this source'
                )
            records.append(_record(held))
        page = Page("", "ListRecords", {}, records=tuple(records))
        rules = replace(rules, dictionary=self._writer.dictionary(stream.source))
        window = replace(window, received=window.received + len(records))
        counts, _ = self._writer.commit_page(stream, window, prepare_page(page, rules))
        if gone:
            self._writer.withdraw(
                stream, [(one.id, one.version, one.status, one.followed_by) for one in gone]
            )
        self._done.counts += counts
        self._observer.page(stream, window, counts)
        return window


@dataclass(frozen=True, slots=True)
class _Held:
    """A version as it stands, and what it says."""

    state: HeldState
    content: Content | None


def _record(held: _Held) -> SourceRecord:
    """The record as OAI-PMH would give it."""
    state = held.state
    identifier = state.oai_identifier or f"oai:HAL:{state.id}v{state.version}"
    datestamp = state.datestamps[-1][1] if state.datestamps else state.datestamp
    deleted = state.status == "deleted" or held.content is None
    header = Header(identifier, datestamp, tuple(sorted(state.sets)), deleted)
    if deleted or held.content is None:
        return SourceRecord(header, None, ())
    try:
        metadata = well_formed(held.content.metadata.encode())
    except etree.XMLSyntaxError as error:
        raise SnapshotError(f"{identifier}: its metadata are no well-formed XML") from error
    return SourceRecord(header, metadata, ())
