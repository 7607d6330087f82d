"""Random histories of a repository and its mirror, against a model of what must hold."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from changing_source import FAULTS, ChangingSource, Fault, Key, key, metadata
from halmirror.config import MirrorSettings, Settings, SourceSettings
from halmirror.errors import StoppedError
from halmirror.harvesting import quarantine
from halmirror.harvesting.harvest import Report, Request, harvest
from halmirror.harvesting.reconcile import reconcile
from halmirror.mirror import Filters, Mirror
from halmirror.stopping import Stop

if TYPE_CHECKING:
    from collections.abc import Callable

    from endpoint_http import ParsedRequest
    from halmirror.record import Record
    from recorded_endpoint import DeletedRecord, EndpointRecord, Order

ALL = Filters(status=("all",))
WORDS = ("kumquat", "zeppelin", "marzipan")
"""In none of the recorded records."""
SET = "collection:MODEL"
FEWEST = 4
"""So many records the endpoint always has: an empty source is another matter."""


class Heedless:
    """An observer that takes no notice."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


class Hasty(Stop):
    """A wish to end that is heard at once, and pauses that take no time."""

    def sleep(self, seconds: float) -> None:
        del seconds
        self.check()


class LivingMirror(RuleBasedStateMachine):
    """The source changes, fails and is mirrored; after each step the mirror is looked through."""

    # -- beginning and end ------------------------------------------------------------------

    @initialize(
        first=st.integers(0, 57),
        count=st.integers(12, 16),
        page_size=st.integers(1, 9),
        order=st.sampled_from(["descending", "text", "given", 1, 2]),
        connections=st.integers(1, 3),
        window_records=st.integers(3, 40),
        policy=st.sampled_from(["no", "persistent"]),
    )
    def begin(
        self,
        first: int,
        count: int,
        page_size: int,
        order: Order,
        connections: int,
        window_records: int,
        policy: DeletedRecord,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="halmirror-model-"))
        self.source = ChangingSource(
            page_size=page_size, order=order, deleted_record=policy, first=first, count=count
        )
        self.source.__enter__()
        self.path = self.folder / "mirror.sqlite"
        self.connections = connections
        self.window_records = window_records
        self.settled = False
        self.indexed = True
        self.past: dict[int, list[bytes]] = {}
        self.observer = Heedless()

    def teardown(self) -> None:
        try:
            if self.path.exists():
                self.every_earlier_state_reads_as_it_did(self.past)
            self.source.__exit__()
        finally:
            shutil.rmtree(self.folder)

    def settings(self, connections: int | None = None) -> Settings:
        one = SourceSettings(
            "hal",
            self.source.url,
            connections=connections or self.connections,
            timeout=5.0,
            retries=1,
            reconcile_every=0.0,
            tls_verify=False,
        )
        return Settings(None, MirrorSettings(self.path, keep_free=0), (one,))

    # -- the source lives -------------------------------------------------------------------

    def one(self, choice: int) -> EndpointRecord:
        """One of the few that change often; what is new stands at the end."""
        present = self.source.present
        return present[-1 - choice % len(present)]

    @rule(days=st.integers(1, 3))
    def days_pass(self, days: int) -> None:
        self.source.day += days

    @rule(choice=st.integers(0, 3), word=st.sampled_from(WORDS))
    def a_record_is_edited(self, choice: int, word: str) -> None:
        self.source.put(self.source.retitle(self.one(choice), word))
        self.settled = False

    @rule(choice=st.integers(0, 3))
    def a_record_is_touched(self, choice: int) -> None:
        self.source.put(self.one(choice))
        self.settled = False

    @rule(choice=st.integers(0, 3))
    def a_record_changes_its_sets(self, choice: int) -> None:
        self.source.move_sets(self.one(choice), SET)
        self.settled = False

    @rule(choice=st.integers(0, 3), keeping=st.booleans())
    def a_new_version_is_deposited(self, choice: int, keeping: bool) -> None:
        self.source.deposit(self.one(choice), keeping=keeping)
        self.settled = False

    @precondition(lambda self: len(self.source.present) > FEWEST)
    @rule(choice=st.integers(0, 3), silently=st.booleans())
    def a_record_is_deleted(self, choice: int, silently: bool) -> None:
        self.source.delete(self.one(choice), silently=silently)
        self.settled = False

    @precondition(lambda self: len(self.source.present) > FEWEST)
    @rule(choice=st.integers(0, 3), step=st.integers(1, 3))
    def a_record_is_merged(self, choice: int, step: int) -> None:
        self.source.merge(self.one(choice), self.one(choice + step))
        self.settled = False

    @precondition(lambda self: self.source.gone)
    @rule(choice=st.integers(0, 3))
    def a_record_comes_back(self, choice: int) -> None:
        self.source.bring_back(self.source.gone[choice % len(self.source.gone)])
        self.settled = False

    @rule(kind=st.sampled_from(FAULTS), skip=st.integers(0, 4), times=st.integers(1, 5))
    def something_will_fail(self, kind: str, skip: int, times: int) -> None:
        self.source.faults.append(Fault(kind, skip, times))

    # -- the mirror follows -----------------------------------------------------------------

    @rule(full=st.booleans())
    def it_is_harvested(self, full: bool) -> None:
        report = self.run_harvest(Hasty(), full=full)
        assert report.failure is None, report.failure
        if not self.faults_hit():
            assert report.exit_code == 0, report
            assert not self.ailing()
        if report.exit_code == 0:
            self.the_mirror_has_what_the_source_has()
            assert report.sources[0].complete_as_of == self.source.today
            self.settled = not self.ailing() and not self.withheld()
        self.source.faults.clear()

    @rule(after=st.integers(1, 12), full=st.booleans())
    def a_harvest_is_stopped(self, after: int, full: bool) -> None:
        stop = Hasty()
        self.at_request(after, stop.request)
        report = self.run_harvest(stop, full=full)
        self.source.watch = None
        if report.failure is not None:
            assert isinstance(report.failure, StoppedError)
            assert report.exit_code == 130

    @rule(after=st.integers(1, 12), full=st.booleans())
    def a_harvest_is_killed(self, after: int, full: bool) -> None:
        """What the disk holds while a request is in flight is what a kill there would leave."""
        stop, saved = Hasty(), self.folder / "killed"

        def kill() -> None:
            saved.mkdir()
            for file in self.folder.glob("mirror.sqlite*"):
                if not file.name.endswith(("-shm", ".lock")):
                    shutil.copy(file, saved)
            stop.request()

        self.at_request(after, kill)
        self.run_harvest(stop, full=full, connections=1)
        self.source.watch = None
        if saved.exists():
            self.indexed = False
            for file in self.folder.glob("mirror.sqlite*"):
                file.unlink()
            for file in saved.iterdir():
                file.rename(self.folder / file.name)
            saved.rmdir()

    @precondition(lambda self: self.path.exists())
    @rule()
    def it_is_reconciled(self) -> None:
        before = self.active()
        found = reconcile(self.settings(), self.observer, max_loss="100%", stop=Hasty())["hal"]
        self.indexed = True
        if not self.faults_hit():
            assert found.exit_code == 0, found
        if found.exit_code == 0:
            self.what_vanished_is_marked(before)
        elif found.refused is not None:
            assert self.active() == before
        self.source.faults.clear()

    @precondition(lambda self: self.path.exists())
    @rule()
    def the_quarantine_is_tried_again(self) -> None:
        quarantine.retry(self.settings(), self.observer, stop=Hasty())
        self.indexed = True
        if not self.faults_hit():
            assert not self.ailing()
        self.source.faults.clear()

    def run_harvest(self, stop: Stop, *, full: bool, connections: int | None = None) -> Report:
        latest, before = self.latest(), self.keys()
        self.indexed = False
        report = harvest(
            self.settings(connections),
            Request(full=full),
            self.observer,
            stop=stop,
            window_records=self.window_records,
        )
        if self.settled:
            assert self.latest() == latest, "a harvest of an unchanged source made a commit"
        if report.failure is None:
            self.indexed = True
            assert report.sources[0].counts.new == len(self.keys() - before), report
        return report

    def at_request(self, number: int, do: Callable[[], None]) -> None:
        left = number

        def watch(request: ParsedRequest) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                do()

        self.source.watch = watch

    # -- what is in the mirror --------------------------------------------------------------

    def rows(self, statement: str) -> list[tuple]:
        if not self.path.exists():
            return []
        with contextlib.closing(sqlite3.connect(self.path)) as file:
            return file.execute(statement).fetchall()

    def latest(self) -> int:
        return sum(row[0] for row in self.rows('SELECT coalesce(max(seq), 0) FROM "commit"'))

    def keys(self) -> set[Key]:
        """What was ever active here: new to the mirror otherwise than by its tombstone."""
        return set(
            self.rows(
                "SELECT d.local_id, s.version FROM state s JOIN document d ON d.id = s.document "
                "GROUP BY 1, 2 HAVING s.id = min(s.id) AND s.status <> 'deleted'"
            )
        )

    def ailing(self) -> set[str]:
        """The identifiers in quarantine: of records that came spoilt, and of no others."""
        found = {str(one.identifier) for one in quarantine.entries(self.path)}
        assert found <= self.source.damaged
        return found

    def withheld(self) -> set[str]:
        """What closed windows name as announced but not given."""
        return {row[0] for row in self.rows("SELECT oai_identifier FROM withheld")}

    def held(self) -> dict[Key, Record]:
        if not self.path.exists():
            return {}
        with Mirror(self.path) as mirror:
            found = list(mirror.records(ALL))
        held = {(one.head.id, one.head.version or 0): one for one in found}
        assert len(held) == len(found), "a version has two current states"
        return held

    def active(self) -> set[Key]:
        return {name for name, one in self.held().items() if one.head.status == "active"}

    def faults_hit(self) -> bool:
        return any(fault.hit for fault in self.source.faults)

    # -- what must hold ---------------------------------------------------------------------

    def the_mirror_has_what_the_source_has(self) -> None:
        held, excused = self.held(), self.ailing() | self.withheld()
        with Mirror(self.path) as mirror:
            texts = {(one.head.id, one.head.version): source for one, source in mirror.sources(ALL)}
        active = {name for name, one in held.items() if one.head.status == "active"}
        for record in self.source.records:
            if record.identifier in excused:
                continue
            name = key(record)
            assert name in held, f"{record.identifier} is missing"
            head = held[name].head
            higher = any(one == name[0] and version > name[1] for one, version in active)
            standing = "deleted" if record.deleted else "superseded" if higher else "active"
            assert head.status == standing, head
            assert head.datestamp == record.datestamp
            assert head.sets == tuple(sorted(set(record.sets)))
            if not record.deleted:
                assert texts[name] == metadata(record)

    def what_vanished_is_marked(self, before: set[Key]) -> None:
        held = self.held()
        active = {name for name, one in held.items() if one.head.status == "active"}
        present = {key(record): record for record in self.source.present}
        assert active <= set(present)
        newest = {
            name
            for name in present
            if not any(one == name[0] and version > name[1] for one, version in present)
        }
        if self.settled:
            assert active == newest
        gone = {key(record): record for record in self.source.gone}
        tombs = {key(record) for record in self.source.records if record.deleted}
        for name in before - set(present):
            head = held[name].head
            survivor = self.source.survivor(gone[name])
            if survivor is not None:
                survived = survivor.identifier.removeprefix("oai:HAL:")
                assert (head.status, head.followed_by) == ("superseded", survived)
            elif name in tombs:
                assert head.status == "deleted"
            else:
                assert head.status == "withdrawn"

    def every_earlier_state_reads_as_it_did(self, past: dict[int, list[bytes]]) -> None:
        with Mirror(self.path) as mirror:
            for seq, lines in past.items():
                assert list(mirror.lines(ALL, at=seq)) == lines, f"commit {seq} reads otherwise"

    @invariant()
    def the_file_is_sound(self) -> None:
        if self.latest() == 0:
            return
        assert self.rows("PRAGMA quick_check") == [("ok",)]
        assert self.rows("PRAGMA foreign_key_check") == []
        twice = self.rows(
            "SELECT document, version FROM state WHERE end_seq IS NULL GROUP BY 1, 2 "
            "HAVING count(*) > 1"
        )
        assert twice == []

    @invariant()
    def each_version_has_one_unbroken_history(self) -> None:
        ends: dict[tuple[int, int], int | None] = {}
        for document, version, begins, end in self.rows(
            "SELECT document, version, first_seq, end_seq FROM state ORDER BY id"
        ):
            if (document, version) in ends:
                assert ends[document, version] == begins
            assert end is None or end >= begins
            ends[document, version] = end
        assert all(end is None for end in ends.values())

    @invariant()
    def the_mirror_says_only_what_the_source_has_said(self) -> None:
        if self.latest() == 0:
            return
        with Mirror(self.path) as mirror:
            for record, source in mirror.sources(ALL):
                said = self.source.said[record.head.id, record.head.version or 0]
                assert source in said

    @invariant()
    def earlier_states_can_be_read(self) -> None:
        latest = self.latest()
        if latest == 0:
            return
        known = max(self.past, default=0)
        with Mirror(self.path) as mirror:
            for seq in range(known + 1, latest + 1):
                self.past[seq] = list(mirror.lines(ALL, at=seq))
        some = {seq: self.past[seq] for seq in (1, (known + 1) // 2, known) if seq in self.past}
        self.every_earlier_state_reads_as_it_did(some)

    @invariant()
    def search_finds_what_the_records_say(self) -> None:
        if self.latest() == 0 or not self.indexed:
            return  # the index trails a run that was cut
        held = self.held().values()
        with Mirror(self.path) as mirror:
            for word in WORDS:
                having = [
                    one
                    for one in held
                    if one.head.status == "active" and word in one.body.titles[0].value.split()
                ]
                assert mirror.search(word).total == len(having), word
            in_set = [o for o in held if o.head.status == "active" and SET in o.head.sets]
            assert mirror.search("", Filters(set=(SET,))).total == len(in_set)


LivingMirror.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=15,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
TestLivingMirror = LivingMirror.TestCase
