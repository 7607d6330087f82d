"""Pruning the history: what the mirror held before a commit goes, all later answers stay.

The commit is kept in the table ``pruned`` before the first row goes, so that no earlier time is
answered any more, rightly or wrongly.  Then documents are gone through in bounded transactions,
each whole in one; a run that was cut is finished by the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pyroaring import BitMap

from halmirror.frame import FrameError
from halmirror.store import indexer
from halmirror.store.dictionaries import codec
from halmirror.store.reader import Reader
from halmirror.store.renewal import former_keys

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Hashable, Iterator, Sequence

    from halmirror.frame import Codec
    from halmirror.store.writer import Writer

_BATCH = 500
"""States a transaction, with all others of their documents."""


class Span(NamedTuple):
    """A state as pruning sees it: what names it and its content, its status, its last commit."""

    name: int
    content: Hashable
    status: str
    end: int | None


@dataclass(slots=True)
class Surplus:
    """What no commit from one on shows: so many states, contents and datestamps that moved alone.

    ``size``: the contents' bytes, compressed; their part of the search index comes on top.
    """

    states: int = 0
    contents: int = 0
    datestamps: int = 0
    size: int = 0


def surplus(states: Sequence[Span], first: int) -> list[int]:
    """The names of a document's states (oldest first) that no commit from ``first`` on shows.

    A content stays with whatever shows it.  Where that are tombstones alone, the last state before
    them stays too: a tombstone has sets of its own, and the content is normalised by that state's.
    """
    past = [one for one in states if one.end is not None and one.end <= first]
    shown = [one for one in states if one.end is None or one.end > first]
    needed = {one.content for one in shown if one.status == "deleted" and one.content is not None}
    needed -= {one.content for one in shown if one.status != "deleted"}
    gone = []
    for one in reversed(past):
        if one.content in needed and one.status != "deleted":
            needed.discard(one.content)
        else:
            gone.append(one.name)
    return gone


class _Found(NamedTuple):
    """A document's surplus: numbers of states and contents."""

    document: int
    states: list[int]
    contents: list[int]


def of(connection: sqlite3.Connection, first: int) -> Surplus:
    """What `prune` would take."""
    total = Surplus()
    for batch in _batches(connection, first):
        for found in batch:
            total.states += len(found.states)
            total.contents += len(found.contents)
            total.size += _size(connection, found.contents)
            total.datestamps += sum(
                _count(connection, "SELECT count(*) FROM datestamp_note WHERE state = ?", state)
                for state in found.states
            )
    for followed in _followed(connection, first):
        total.datestamps += sum(count - 1 for _, _, count in followed)
    return total


def is_pending(connection: sqlite3.Connection) -> bool:
    """Whether a run that pruned was cut."""
    return connection.execute("SELECT 1 FROM pruned WHERE NOT finished").fetchone() is not None


def begin(writer: Writer, first: int) -> None:
    """From now on nothing is answered as of a commit before ``first``."""
    with writer.transaction():
        writer.connection.execute("DELETE FROM pruned")
        writer.connection.execute("INSERT INTO pruned VALUES (?, 0)", (first,))


def prune(writer: Writer) -> Surplus:
    """Take what no commit from the one that `begin` kept shows.  The index is up to date then.

    Raises `MirrorError`; what is done stays done.
    """
    connection = writer.connection
    first = Reader(connection).whole_from()
    total = Surplus()
    # Each state would be looked for in tables that have no index for it; none refers to these.
    connection.execute("PRAGMA foreign_keys = OFF")
    writer.index()
    for batch in _batches(connection, first):
        writer.check_room()
        with writer.transaction():
            for found in batch:
                _take(connection, found, total)
            indexer.leave(connection, (one for found in batch for one in found.contents))
            opener = codec(connection)
            for found in batch:
                _take_contents(connection, opener, found)
            indexer.settle(connection)
    _take_datestamps(writer, first, total)
    if indexer.is_outdated(connection):
        indexer.rebuild(connection)
    writer.index()
    with writer.transaction():
        connection.execute("UPDATE pruned SET finished = 1")
    connection.execute("PRAGMA foreign_keys = ON")
    return total


def _batches(connection: sqlite3.Connection, first: int) -> Iterator[list[_Found]]:
    """The documents that have a surplus, batch by batch; they may be taken meanwhile."""
    # What a comparison that is under way refers to goes with a later run.
    asked = BitMap(row[0] for row in connection.execute("SELECT state FROM vanished"))
    seen = BitMap()
    last = 0
    while rows := connection.execute(
        "SELECT id, document FROM state WHERE id > ? AND end_seq <= ? ORDER BY id LIMIT ?",
        (last, first, _BATCH),
    ).fetchall():
        last = rows[-1][0]
        documents = [one for one in dict.fromkeys(row[1] for row in rows) if one not in seen]
        seen.update(documents)
        batch = (_found(connection, document, first, asked) for document in documents)
        yield [one for one in batch if one.states]


def _found(connection: sqlite3.Connection, document: int, first: int, asked: BitMap) -> _Found:
    rows = connection.execute(
        "SELECT id, content, status, end_seq FROM state WHERE document = ? ORDER BY first_seq, id",
        (document,),
    ).fetchall()
    states = [Span._make(row) for row in rows]
    gone = [name for name in surplus(states, first) if name not in asked]
    going = set(gone)
    kept = {one.content for one in states if one.name not in going}
    contents = {one.content for one in states if one.name in going} - kept - {None}
    return _Found(document, gone, sorted(contents))  # type: ignore[arg-type] # numbers


def _take(connection: sqlite3.Connection, found: _Found, total: Surplus) -> None:
    """A document's states, with their datestamps."""
    numbers = [(one,) for one in found.states]
    total.states += len(numbers)
    total.contents += len(found.contents)
    total.size += _size(connection, found.contents)
    cursor = connection.executemany("DELETE FROM datestamp_note WHERE state = ?", numbers)
    total.datestamps += max(cursor.rowcount, 0)
    connection.executemany("DELETE FROM state WHERE id = ?", numbers)


def _take_contents(connection: sqlite3.Connection, opener: Codec, found: _Found) -> None:
    """A document's contents, with the look-up keys that no other of its contents gives."""
    if not found.contents:
        return
    gone = _keys(connection, opener, found.contents)
    connection.executemany("DELETE FROM content WHERE id = ?", [(one,) for one in found.contents])
    rows = connection.execute("SELECT id FROM content WHERE document = ?", (found.document,))
    gone -= _keys(connection, opener, [row[0] for row in rows.fetchall()])
    connection.executemany(
        "DELETE FROM identifier WHERE scheme = ? AND value = ? AND document = ?",
        [(scheme, value, found.document) for scheme, value in sorted(gone)],
    )


def _keys(
    connection: sqlite3.Connection, opener: Codec, contents: Sequence[int]
) -> set[tuple[str, str]]:
    keys: set[tuple[str, str]] = set()
    for number in contents:
        (frame,) = connection.execute(
            "SELECT frame FROM content WHERE id = ?", (number,)
        ).fetchone()
        try:
            keys.update(former_keys(opener.open(frame).body))
        except FrameError:
            continue  # damaged: what it gave cannot be told
    return keys


def _take_datestamps(writer: Writer, first: int, total: Surplus) -> None:
    """Datestamps that another had followed by the first commit, of states that stay."""
    for followed in _followed(writer.connection, first):
        with writer.transaction():
            cursor = writer.connection.executemany(
                "DELETE FROM datestamp_note WHERE state = ? AND seq < ?",
                [(state, newest) for state, newest, _ in followed],
            )
            total.datestamps += max(cursor.rowcount, 0)


def _followed(connection: sqlite3.Connection, first: int) -> Iterator[list[tuple[int, int, int]]]:
    """Shown states with several datestamps by the first commit: number, newest one, how many."""
    last = 0
    while rows := connection.execute(
        "SELECT n.state, max(n.seq), count(*) FROM datestamp_note n JOIN state s ON s.id = n.state "
        "WHERE n.state > ?2 AND n.seq <= ?1 AND (s.end_seq IS NULL OR s.end_seq > ?1) "
        "GROUP BY n.state HAVING count(*) > 1 ORDER BY n.state LIMIT ?3",
        (first, last, _BATCH),
    ).fetchall():
        last = rows[-1][0]
        yield rows


def _size(connection: sqlite3.Connection, contents: Sequence[int]) -> int:
    return sum(
        _count(connection, "SELECT length(frame) FROM content WHERE id = ?", one)
        for one in contents
    )


def _count(connection: sqlite3.Connection, statement: str, number: int) -> int:
    (count,) = connection.execute(statement, (number,)).fetchone()
    return int(count)
