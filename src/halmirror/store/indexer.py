"""The search index: derived from the contents and states, and rebuilt from them at will.

Contents are indexed once each, in ascending order and in batches; what they are found under
(type, year, domain …) never changes.  Which of them are current, and in which sets, follows the
states.  A watermark for each says how far the index has come, so search may trail a harvest.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from pyroaring import BitMap

from halmirror.entry import Columns, Entry, columns, entry_of, facets, texts
from halmirror.frame import FrameError
from halmirror.record import Body, decode_body, encode
from halmirror.search.folding import fold
from halmirror.store import frequent
from halmirror.store.bitmaps import COPY, Marks, unmark
from halmirror.store.dictionaries import codec
from halmirror.store.sets import Sets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from halmirror.frame import Codec

BATCH = 2500
"""Contents a transaction: a facet's bitmap is written once for each, FTS5 adds a segment."""

TEXT_COLUMNS = "title, creator, subject, abstract, other"
_ENTRY_MARKS = ", ".join("?" * (1 + len(Columns._fields)))
_CONTENTS = (
    "SELECT c.id, src.name FROM content c JOIN document d ON d.id = c.document "
    "JOIN source src ON src.id = d.source"
)
_OUTDATED = "outdated"

_Standing = tuple[str, str]
"""Status and list of sets of the state that has a content."""


def catch_up(
    connection: sqlite3.Connection, batch: int = BATCH, ready: Mapping[int, Entry] | None = None
) -> int:
    """Index what came since the watermarks, a transaction a batch.  Returns how many contents.

    ``ready``: entries of contents that are at hand; the others are made from the contents.
    """
    done = 0
    while step := _index_contents(connection, batch, ready or {}):
        done += step
    while _index_copies(connection, batch):
        pass
    while _index_states(connection, batch):
        pass
    while (chunk := frequent.next_chunk(connection, upto(connection, "content"))) is not None:
        with _transaction(connection):
            frequent.keep(connection, chunk)
    return done


def rebuild(connection: sqlite3.Connection) -> int:
    """Drop the index and make it anew from contents and states.  Returns how many contents."""
    with _transaction(connection):
        connection.execute(
            "DELETE FROM derived WHERE name IN ('content', 'state', 'copy', ?)", (_OUTDATED,)
        )
        connection.execute("DELETE FROM facet")
        connection.execute("DELETE FROM entry")
        connection.execute("INSERT INTO search_text (search_text) VALUES ('delete-all')")
    return catch_up(connection)


def in_memory(connection: sqlite3.Connection, contents: Iterable[int]) -> sqlite3.Connection:
    """An index of these contents alone, in memory: bitmaps and words, but nothing of states.

    For contents that the mirror's own index does not know yet.  The caller closes it.
    """
    held = sqlite3.connect(":memory:", isolation_level=None)
    for (statement,) in connection.execute(
        "SELECT sql FROM sqlite_master WHERE name IN ('facet', 'entry', 'search_text')"
    ):
        held.execute(statement)
    rows = connection.execute(
        f"{_CONTENTS} JOIN json_each(?) j ON j.value = c.id", (json.dumps(list(contents)),)
    )
    with _transaction(held):
        _gathered(connection, rows, {}).write(held)
    return held


def is_behind(connection: sqlite3.Connection) -> bool:
    """Whether there are contents that the index does not know yet."""
    (newest,) = connection.execute("SELECT coalesce(max(id), 0) FROM content").fetchone()
    return upto(connection, "content") < int(newest)


def is_outdated(connection: sqlite3.Connection) -> bool:
    """Whether a content changed in a way that only `rebuild` brings into the index."""
    return bool(upto(connection, _OUTDATED))


def mark_outdated(connection: sqlite3.Connection) -> None:
    """Say that only `rebuild` brings the index in order; inside a transaction."""
    _set_upto(connection, _OUTDATED, 1)


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a content is found under, before and after its body was normalised again.

    ``before`` and ``after`` are the folded texts of the index's columns, empty where they did not
    change; ``lost`` and ``gained`` are (kind, value) pairs; ``columns`` are today's.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    lost: tuple[tuple[str, str], ...]
    gained: tuple[tuple[str, str], ...]
    columns: Columns


def renewal(former: bytes, body: Body) -> Renewal | None:
    """From a former body's JSON to a body of today; none where the former cannot be told.

    The index forgets a text only by the very words it was given.  They are certain where the
    former JSON is what today's `Body` of it gives.
    """
    try:
        old = decode_body(former)
    except msgspec.DecodeError:
        return None
    if encode(old) != former:
        return None
    was, now = frozenset(facets(old)), frozenset(facets(body))
    before, after = texts(old), texts(body)
    if before == after:
        before = after = ()
    folded = {text: fold(text) for text in {*before, *after}}
    return Renewal(
        tuple(folded[text] for text in before),
        tuple(folded[text] for text in after),
        tuple(sorted(was - now)),
        tuple(sorted(now - was)),
        columns(body),
    )


def renew(connection: sqlite3.Connection, contents: Iterable[tuple[int, Renewal | None]]) -> None:
    """Bring contents that were normalised again up to date; inside a transaction.

    Those that the index does not know yet come with `catch_up`.  Where a former text cannot be
    told the index is marked as outdated: `rebuild` then makes it anew.
    """
    if is_outdated(connection):
        return
    known = upto(connection, "content")
    marks = Marks()
    reworded = []
    for number, change in contents:
        if number > known:
            continue
        if change is None:
            _set_upto(connection, _OUTDATED, 1)
            continue
        if change.before:
            reworded.append(number)
            connection.execute(
                f"INSERT INTO search_text (search_text, rowid, {TEXT_COLUMNS}) "
                "VALUES ('delete', ?, ?, ?, ?, ?, ?)",
                (number, *change.before),
            )
            connection.execute(
                f"INSERT INTO search_text (rowid, {TEXT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
                (number, *change.after),
            )
        connection.execute(
            f"INSERT OR REPLACE INTO entry VALUES ({_ENTRY_MARKS})", (number, *change.columns)
        )
        for key in change.lost:
            marks.removed[key].append(number)
        for key in change.gained:
            marks.added[key].append(number)
    marks.apply(connection)
    frequent.drop(connection, reworded)


def leave(connection: sqlite3.Connection, contents: Iterable[int]) -> None:
    """Take contents, which are still there, out of the index; inside a transaction.

    Where the words that one was indexed by cannot be told, the index is marked as outdated.
    """
    known = upto(connection, "content")
    opener = codec(connection)
    gone = BitMap()
    for number in contents:
        gone.add(number)
        connection.execute("DELETE FROM entry WHERE content = ?", (number,))
        if number > known:
            continue
        (frame,) = connection.execute(
            "SELECT frame FROM content WHERE id = ?", (number,)
        ).fetchone()
        indexed = _indexed(opener, frame)
        if indexed is None:
            mark_outdated(connection)
            continue
        connection.execute(
            f"INSERT INTO search_text (search_text, rowid, {TEXT_COLUMNS}) "
            "VALUES ('delete', ?, ?, ?, ?, ?, ?)",
            (number, *indexed),
        )
    frequent.drop(connection, gone)
    unmark(connection, gone)


def settle(connection: sqlite3.Connection) -> None:
    """Contents went; a number that is given again is one of a new content; in a transaction."""
    connection.execute(
        "UPDATE derived SET upto = min(upto, (SELECT coalesce(max(id), 0) FROM content)) "
        "WHERE name IN ('content', 'copy')"
    )


def _indexed(opener: Codec, frame: bytes) -> tuple[str, ...] | None:
    """The texts that the index was given for a frame; none where that is not certain."""
    try:
        held = opener.open(frame).body
        body = decode_body(held)
    except (FrameError, msgspec.DecodeError):
        return None
    return entry_of(body).texts if encode(body) == held else None


def upto(connection: sqlite3.Connection, name: str) -> int:
    """A watermark: the last content or state that the index knows of."""
    row = connection.execute("SELECT upto FROM derived WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0


def _index_contents(connection: sqlite3.Connection, batch: int, ready: Mapping[int, Entry]) -> int:
    rows = connection.execute(
        f"{_CONTENTS} WHERE c.id > ? ORDER BY c.id LIMIT ?",
        (upto(connection, "content"), batch),
    ).fetchall()
    if not rows:
        return 0
    gathered = _gathered(connection, rows, ready)
    with _transaction(connection):
        gathered.write(connection)
        _set_upto(connection, "content", rows[-1][0])
    return len(rows)


@dataclass(frozen=True, slots=True)
class _Gathered:
    """What the index is to hold of some contents."""

    marks: Marks
    columns: list[tuple[object, ...]]
    texts: list[tuple[int | str, ...]]

    def write(self, connection: sqlite3.Connection) -> None:
        connection.executemany(f"INSERT INTO entry VALUES ({_ENTRY_MARKS})", self.columns)
        connection.executemany(
            f"INSERT INTO search_text (rowid, {TEXT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
            self.texts,
        )
        self.marks.apply(connection)


def _gathered(
    connection: sqlite3.Connection, rows: Iterable[tuple[int, str]], ready: Mapping[int, Entry]
) -> _Gathered:
    """The entries of contents, given with the names of their sources."""
    opener = codec(connection)
    gathered = _Gathered(Marks(), [], [])
    for number, source in rows:
        entry = ready.get(number) or _made(connection, opener, number)
        gathered.columns.append((number, *entry.columns))
        gathered.texts.append((number, *entry.texts))
        gathered.marks.added["source", source].append(number)
        for key in entry.facets:
            gathered.marks.added[key].append(number)
    return gathered


def _made(connection: sqlite3.Connection, opener: Codec, number: int) -> Entry:
    """A content's entry; an empty one where it is damaged: reading the record then says so."""
    (frame,) = connection.execute("SELECT frame FROM content WHERE id = ?", (number,)).fetchone()
    try:
        return entry_of(decode_body(opener.open(frame).body))
    except (FrameError, msgspec.DecodeError):
        return entry_of(Body())


def _index_copies(connection: sqlite3.Connection, batch: int) -> int:
    """Mark the contents whose document's id another source holds too, on both sides."""
    last = upto(connection, "content")
    (sources,) = connection.execute("SELECT count(*) FROM source").fetchone()
    if sources < 2:  # whichever source comes second marks the first one's contents too
        if upto(connection, "copy") < last:
            with _transaction(connection):
                _set_upto(connection, "copy", last)
        return 0
    rows = connection.execute(
        "SELECT c.id, d.local_id, EXISTS (SELECT 1 FROM document o "
        "WHERE o.local_id = d.local_id AND o.id <> d.id) FROM content c "
        "JOIN document d ON d.id = c.document WHERE c.id > ? AND c.id <= ? ORDER BY c.id LIMIT ?",
        (upto(connection, "copy"), last, batch),
    ).fetchall()
    if not rows:
        return 0
    marks = Marks()
    for _, local_id, copied in rows:
        if copied:
            for (content,) in connection.execute(
                "SELECT c.id FROM document d JOIN content c ON c.document = d.id "
                "WHERE d.local_id = ?",
                (local_id,),
            ):
                marks.added[COPY].append(content)
    with _transaction(connection):
        marks.apply(connection)
        _set_upto(connection, "copy", rows[-1][0])
    return len(rows)


def _index_states(connection: sqlite3.Connection, batch: int) -> int:
    """Bring the bitmaps that follow the states (status, set) up to the newest states."""
    rows = connection.execute(
        "SELECT s.id, s.content, s.status, s.sets, b.content, b.status, b.sets FROM state s "
        "LEFT JOIN state b ON b.id = (SELECT o.id FROM state o "
        "WHERE o.document = s.document AND o.version = s.version AND o.id < s.id "
        "ORDER BY o.id DESC LIMIT 1) WHERE s.id > ? ORDER BY s.id LIMIT ?",
        (upto(connection, "state"), batch),
    ).fetchall()
    if not rows:
        return 0
    before: dict[int, _Standing | None] = {}
    after: dict[int, _Standing | None] = {}
    for _, content, status, sets, former, former_status, former_sets in rows:
        if former is not None:
            before.setdefault(former, (former_status, former_sets))
            after[former] = None
        if content is not None:
            before.setdefault(content, None)
            after[content] = (status, sets)
    marks, specs = Marks(), Sets(connection)
    for content, standing in after.items():
        was, now = _places(specs, before[content]), _places(specs, standing)
        for key in was - now:
            marks.removed[key].append(content)
        for key in now - was:
            marks.added[key].append(content)
    with _transaction(connection):
        marks.apply(connection)
        _set_upto(connection, "state", rows[-1][0])
    return len(rows)


def _places(specs: Sets, standing: _Standing | None) -> set[tuple[str, str]]:
    """The (kind, value) pairs that a state gives its content."""
    if standing is None:
        return set()
    status, sets = standing
    return {("status", status), *(("set", spec) for spec in specs.specs(sets))}


def _set_upto(connection: sqlite3.Connection, name: str, number: int) -> None:
    connection.execute("INSERT OR REPLACE INTO derived VALUES (?, ?)", (name, number))


class _transaction:  # noqa: N801 - reads as the statement it is
    """``BEGIN IMMEDIATE`` … ``COMMIT``, or ``ROLLBACK`` where it fails."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __enter__(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self.connection.execute("COMMIT" if kind is None else "ROLLBACK")
