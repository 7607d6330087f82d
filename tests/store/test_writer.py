"""The writer on real SQLite files, with batches made by hand."""

import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import pytest

from halmirror import Mirror, errors
from halmirror.batch import Batch, Row
from halmirror.frame import Codec
from halmirror.mirror import Filters
from halmirror.record import Body, Title, encode
from halmirror.store import indexer
from halmirror.store.model import Counts, Stream, Window
from halmirror.store.schema import SCHEMA_VERSION
from halmirror.store.writer import Writer


def row(
    identifier: str,
    version: int = 1,
    title: str = "A title",
    sets: Sequence[str] = ("type:ART",),
    datestamp: str = "2024-01-01",
) -> Row:
    body = encode(Body(titles=(Title(title),)))
    source = f"<dc>{title}</dc>".encode()
    return Row(
        identifier,
        version,
        f"oai:HAL:{identifier}v{version}",
        datestamp,
        tuple(sorted(sets)),
        deleted=False,
        digest=title.encode(),
        frame=Codec().pack(source, body),
    )


def deleted(identifier: str, version: int = 1) -> Row:
    return Row(
        identifier, version, f"oai:HAL:{identifier}v{version}", "2024-02-01", (), deleted=True
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mirror.sqlite"


class Harvest:
    """A writer with one stream and one window, and batches handed to it."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        source, _ = writer.source("hal", "https://example.org/oai", "hal")
        self.stream: Stream = writer.stream(source, "oai_dc", "")
        self.window = self.begin()

    def begin(self) -> Window:
        """A list of its own: what one list gives twice counts once."""
        self.window = self.writer.plan(
            self.stream, [(None, None)], kind="plan", planned=("", "2026-11-20")
        )[0]
        return self.window

    def take(self, *rows: Row) -> Counts:
        self.begin()
        return self.take_more(*rows)

    def take_more(self, *rows: Row) -> Counts:
        batch = Batch(rows, (), None, "2026-11-20T03:00:00Z")
        counts, _ = self.writer.commit_page(self.stream, self.window, batch)
        return counts


def test_new_changed_and_unchanged(path: Path) -> None:
    with Writer(path, "test") as writer:
        harvest = Harvest(writer)
        assert harvest.take(row("hal-1"), row("hal-2")) == Counts(new=2)
        assert harvest.take(row("hal-1"), row("hal-2", title="Other")) == Counts(
            changed=1, unchanged=1
        )
        states = writer.connection.execute("SELECT count(*) FROM state").fetchone()
    assert states == (3,)
    with Mirror(path) as mirror:
        now = mirror.get("hal-2")
        before = mirror.get("hal-2", at=1)
    assert now is not None
    assert before is not None
    assert now.body.titles[0].value == "Other"
    assert before.body.titles[0].value == "A title"


def test_an_identical_delivery_adds_nothing(path: Path) -> None:
    with Writer(path, "test") as writer:
        harvest = Harvest(writer)
        harvest.take(row("hal-1", sets=("b", "a")))
        before = writer.connection.execute('SELECT count(*) FROM "commit"').fetchone()
        assert harvest.take(row("hal-1", sets=("a", "b", "a"))) == Counts(unchanged=1)
        assert writer.connection.execute('SELECT count(*) FROM "commit"').fetchone() == before


def test_a_datestamp_alone_is_a_note_and_no_state(path: Path) -> None:
    with Writer(path, "test") as writer:
        harvest = Harvest(writer)
        harvest.take(row("hal-1"))
        assert harvest.take(row("hal-1", datestamp="2024-05-05")) == Counts(unchanged=1)
        assert writer.connection.execute("SELECT count(*) FROM state").fetchone() == (1,)
    with Mirror(path) as mirror:
        now, before = mirror.get("hal-1"), mirror.get("hal-1", at=1)
    assert now is not None
    assert before is not None
    assert (before.head.datestamp, now.head.datestamp) == ("2024-01-01", "2024-05-05")


@pytest.mark.parametrize("order", list(permutations([1, 2, 3])))
def test_versions_supersede_in_any_order(path: Path, order: tuple[int, ...]) -> None:
    with Writer(path, "test") as writer:
        harvest = Harvest(writer)
        for version in order:
            harvest.take(row("hal-1", version, title=f"Version {version}"))
        indexer.catch_up(writer.connection)
    with Mirror(path) as mirror:
        records = {r.head.version: r for r in mirror.records(Filters(status=("all",)))}
        newest = mirror.get("hal-1")
        found = mirror.search("version").records
    assert newest is not None
    assert newest.head.version == 3
    assert [r.head.version for r in found] == [3]
    assert {v: r.head.status for v, r in records.items()} == {
        1: "superseded",
        2: "superseded",
        3: "active",
    }
    assert records[1].head.followed_by == records[2].head.followed_by == "hal-1v3"
    assert records[1].head.status_since is not None


def test_an_unversioned_record_is_superseded_by_a_version(path: Path) -> None:
    with Writer(path, "test") as writer:
        harvest = Harvest(writer)
        harvest.take(row("hal-1", 0))
        harvest.take(row("hal-1", 1, title="New"))
    with Mirror(path) as mirror:
        statuses = [r.head.status for r in mirror.records(Filters(status=("all",)))]
        first = next(mirror.records(Filters(status=("superseded",))))
    assert statuses == ["superseded", "active"]
    assert first.head.version is None
    assert first.head.followed_by == "hal-1v1"


def test_a_deleted_record_keeps_what_it_said_and_may_come_back(path: Path) -> None:
    with Writer(path, "test") as writer:
        harvest = Harvest(writer)
        harvest.take(row("hal-1"))
        assert harvest.take(deleted("hal-1")) == Counts(gone=1)
        assert harvest.take(deleted("hal-1")) == Counts(unchanged=1)
        with Mirror(path) as mirror:
            gone = mirror.get("hal-1")
            assert list(mirror.records()) == []
        assert harvest.take(row("hal-1")) == Counts(changed=1)
    assert gone is not None
    assert gone.head.status == "deleted"
    assert gone.body.titles[0].value == "A title"
    with Mirror(path) as mirror:
        back = mirror.get("hal-1")
    assert back is not None
    assert back.head.status == "active"


def test_the_index_follows_and_can_be_rebuilt(path: Path) -> None:
    with Writer(path, "test") as writer:
        harvest = Harvest(writer)
        harvest.take(*(row(f"hal-{n}", title=f"Œuvre {n}", sets=("a",)) for n in range(50)))
        assert indexer.catch_up(writer.connection, batch=7) == 50
        harvest.take(row("hal-3", title="Changed", sets=("b",)))
        indexer.catch_up(writer.connection, batch=7)
        with Mirror(path) as mirror:
            before = [r.versioned_id for r in mirror.search("oeuvre", limit=100).records]
            sets = mirror.search("", Filters(set=("b",))).total
            earlier = mirror.search("oeuvre", Filters(set=("a",)), at=1).total
        assert indexer.rebuild(writer.connection) == 51
        with Mirror(path) as mirror:
            after = [r.versioned_id for r in mirror.search("oeuvre", limit=100).records]
    assert len(before) == 49
    assert before == after
    assert (sets, earlier) == (1, 50)


def test_paging_by_cursor_gives_every_hit_once(path: Path) -> None:
    with Writer(path, "test") as writer:
        harvest = Harvest(writer)
        harvest.take(*(row(f"hal-{n}", title=f"Same words {n}") for n in range(45)))
        indexer.catch_up(writer.connection)
        seen: list[str] = []
        with Mirror(path) as mirror:
            page = mirror.search("words", limit=10)
            seen += [r.id for r in page.records]
            harvest.take(row("hal-99", title="Later words"))
            indexer.catch_up(writer.connection)
            while page.next:
                page = mirror.search("words", limit=10, cursor=page.next)
                seen += [r.id for r in page.records]
    assert len(seen) == len(set(seen)) == 45


def test_a_second_writer_is_refused_and_told_who_writes(path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from halmirror.store.writer import Writer\n"
        "with Writer(Path(sys.argv[1]), 'first'): print('ready', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n"
        with pytest.raises(errors.MirrorBusyError, match=str(holder.pid)), Writer(path, "second"):
            pass
        holder.kill()
        holder.wait()
    with Writer(path, "third"):
        pass


def test_a_file_of_another_program_is_refused_and_kept(path: Path) -> None:
    path.write_bytes(b"precious notes, no database at all " * 100)
    with pytest.raises(errors.NotAMirrorError, match=r"mirror\.sqlite"), Writer(path, "test"):
        pass
    with pytest.raises(errors.NotAMirrorError):
        Mirror(path)
    assert path.read_bytes().startswith(b"precious notes")


def test_a_database_of_another_program_is_refused_and_kept(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE precious (note TEXT)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(errors.NotAMirrorError), Writer(path, "test"):
        pass
    assert path.read_bytes() == before


def test_a_mirror_from_a_later_release_is_refused(path: Path) -> None:
    with Writer(path, "test") as writer:
        writer.connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(errors.NewerMirrorError):
        Mirror(path)
    with pytest.raises(errors.NewerMirrorError), Writer(path, "test"):
        pass


def test_no_mirror_is_said(path: Path) -> None:
    with pytest.raises(errors.NoMirrorError, match="harvest"):
        Mirror(path)


def test_a_transaction_that_fails_leaves_nothing(path: Path) -> None:
    bad = Row("hal-2", 1, "oai:HAL:hal-2v1", None, (), deleted=False)  # type: ignore[arg-type]
    with Writer(path, "test") as writer:
        harvest = Harvest(writer)
        with pytest.raises(errors.MirrorError, match="nothing of it was stored"):
            harvest.take(row("hal-1"), bad)
        assert harvest.take(row("hal-1")) == Counts(new=1)


def test_hostile_text_is_only_text(path: Path) -> None:
    nasty = "'); DROP TABLE state; -- <script>alert(1)</script> \x1b[31m \u202e \" OR 1=1"
    with Writer(path, "test") as writer:
        harvest = Harvest(writer)
        harvest.take(row("hal-1'--", title=nasty, sets=("a'b", 'c"d')))
        indexer.catch_up(writer.connection)
    with Mirror(path) as mirror:
        record = mirror.get("hal-1'--")
        assert mirror.search("DROP TABLE").total == 1
        assert mirror.search("", Filters(set=("a'b",))).total == 1
        assert mirror.get("' OR 1=1") is None
    assert record is not None
    assert record.body.titles[0].value == nasty


def test_a_full_disk_is_said_and_what_was_committed_is_safe(path: Path) -> None:
    with Writer(path, "test") as writer:
        harvest = Harvest(writer)
        harvest.take(row("hal-1"))
        (pages,) = writer.connection.execute("PRAGMA page_count").fetchone()
        writer.connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(errors.MirrorWriteError, match="the disk is full"):
            harvest.take(*(row(f"hal-{n}", title=f"{n}" * 4000) for n in range(2, 60)))
        writer.connection.execute("PRAGMA max_page_count = 1073741823")
        assert harvest.take(row("hal-1"), row("hal-2")) == Counts(new=1, unchanged=1)


def test_several_passes_may_go_on_at_once_and_see_one_state(path: Path) -> None:
    with Writer(path, "test") as writer:
        harvest = Harvest(writer)
        harvest.take(*(row(f"hal-{n}") for n in range(5)))
        with Mirror(path) as mirror:
            first, second = mirror.records(), mirror.lines()
            seen = [next(first).id, next(first).id]
            next(second)
            harvest.take(*(row(f"hal-{n}") for n in range(5, 9)))
            seen += [record.id for record in first]
            assert seen == [f"hal-{n}" for n in range(5)]
            assert len(list(second)) == 4
            assert len(list(mirror.records())) == 9


@pytest.mark.parametrize("order", list(permutations(["A", "B", "C"])))
def test_one_record_given_twice_by_a_list_counts_once_whatever_the_order(
    path: Path, order: tuple[str, ...]
) -> None:
    with Writer(path, "test") as writer:
        harvest = Harvest(writer)
        for title in order:
            harvest.take_more(row("hal-1", title=title))
        states = writer.connection.execute("SELECT count(*) FROM state").fetchone()[0]
        harvest.begin()
        for title in order:
            harvest.take_more(row("hal-1", title=title))
        with Mirror(path) as mirror:
            (record,) = mirror.records()
        assert record.body.titles[0].value == "C"
        assert states <= 3


@pytest.mark.parametrize("order", list(permutations([1, 2])))
def test_a_deleted_higher_version_leaves_the_lower_one_active(
    path: Path, order: tuple[int, ...]
) -> None:
    rows = {1: row("hal-1", 1), 2: row("hal-1", 2, title="Two")}
    after = {1: rows[1], 2: deleted("hal-1", 2)}
    with Writer(path, "test") as writer:
        harvest = Harvest(writer)
        harvest.take(*(rows[version] for version in order))
        harvest.take(*(after[version] for version in order))
        with Mirror(path) as mirror:
            states = {
                r.head.version: r.head.status for r in mirror.records(Filters(status=("all",)))
            }
        assert states == {1: "active", 2: "deleted"}
        harvest.take(*(rows[version] for version in order))
        with Mirror(path) as mirror:
            assert [r.head.version for r in mirror.records()] == [2]


def test_a_damaged_record_is_named_and_the_rest_is_read(path: Path) -> None:
    with Writer(path, "test") as writer:
        harvest = Harvest(writer)
        harvest.take(row("hal-1"), row("hal-2"))
        broken = Codec().pack(b"<dc/>", b"[not an object")
        writer.connection.execute("UPDATE content SET frame = ? WHERE id = 1", (broken,))
        indexer.catch_up(writer.connection)
    with Mirror(path) as mirror:
        assert mirror.get("hal-2") is not None
        for read in (mirror.get, mirror.json):
            with pytest.raises(errors.MirrorError, match="hal-1v1 is damaged"):
                read("hal-1")
        assert mirror.search("title").total == 1
