"""The search index: derived from the contents and states, and rebuilt from them at will.

Contents are indexed once each, in ascending order and in batches; what they are found under
(type, year, domain …) never changes.  Which of them are current, and in which sets, follows the
states.  A watermark for each says how far the index has come, so search may trail a harvest.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from pyroaring import BitMap

from halmirror.folding import fold
from halmirror.frame import FrameError
from halmirror.record import Body, decode_body, encode
from halmirror.store.database import codec
from halmirror.store.search import COPY

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from halmirror.frame import Codec

BATCH = 2000
"""Contents a transaction: FTS5 writes a segment for each, so neither few nor many."""

CHUNK_BITS = 16
"""A stored bitmap covers 65,536 contents: the unit that Roaring bitmaps work in."""

_COLUMNS = "title, creator, subject, abstract, other"
_OUTDATED = "outdated"
_DATE = re.compile(r"([0-9]{4})(?![0-9])(?:-([0-9]{2})(?:-([0-9]{2}))?)?")

_Changes = dict[tuple[str, str, int], tuple[BitMap, BitMap]]


def catch_up(connection: sqlite3.Connection, batch: int = BATCH) -> int:
    """Index what came since the watermarks, a transaction a batch.  Returns how many contents."""
    done = 0
    while step := _index_contents(connection, batch):
        done += step
    while _index_copies(connection, batch):
        pass
    while _index_states(connection, batch):
        pass
    return done


def rebuild(connection: sqlite3.Connection) -> int:
    """Drop the index and make it anew from contents and states.  Returns how many contents."""
    with _transaction(connection):
        connection.execute(
            "DELETE FROM derived WHERE name IN ('content', 'state', 'copy', ?)", (_OUTDATED,)
        )
        connection.execute("DELETE FROM facet")
        connection.execute("DELETE FROM search_entry")
        connection.execute("INSERT INTO search_text (search_text) VALUES ('delete-all')")
    return catch_up(connection)


def is_behind(connection: sqlite3.Connection) -> bool:
    """Whether there are contents that the index does not know yet."""
    (newest,) = connection.execute("SELECT coalesce(max(id), 0) FROM content").fetchone()
    return upto(connection, "content") < int(newest)


def is_outdated(connection: sqlite3.Connection) -> bool:
    """Whether a content changed in a way that only `rebuild` brings into the index."""
    return bool(upto(connection, _OUTDATED))


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a content is found under, before and after its body was normalised again.

    ``before`` and ``after`` are the folded texts of the index's columns, empty where they did not
    change; ``lost`` and ``gained`` are (kind, value) pairs; ``sort_date`` is today's.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    lost: tuple[tuple[str, str], ...]
    gained: tuple[tuple[str, str], ...]
    sort_date: int


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
    before, after = _texts(old), _texts(body)
    if before == after:
        before = after = ()
    folded = {text: fold(text) for text in {*before, *after}}
    return Renewal(
        tuple(folded[text] for text in before),
        tuple(folded[text] for text in after),
        tuple(sorted(was - now)),
        tuple(sorted(now - was)),
        sort_date(body.date),
    )


def renew(connection: sqlite3.Connection, contents: Iterable[tuple[int, Renewal | None]]) -> None:
    """Bring contents that were normalised again up to date; inside a transaction.

    Those that the index does not know yet come with `catch_up`.  Where a former text cannot be
    told the index is marked as outdated: `rebuild` then makes it anew.
    """
    if is_outdated(connection):
        return
    known = upto(connection, "content")
    changes = _new_changes()
    for number, change in contents:
        if number > known:
            continue
        if change is None:
            _set_upto(connection, _OUTDATED, 1)
            continue
        if change.before:
            connection.execute(
                f"INSERT INTO search_text (search_text, rowid, {_COLUMNS}) "
                "VALUES ('delete', ?, ?, ?, ?, ?, ?)",
                (number, *change.before),
            )
            connection.execute(
                f"INSERT INTO search_text (rowid, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
                (number, *change.after),
            )
        connection.execute(
            "UPDATE search_entry SET sort_date = ? WHERE content = ? AND sort_date <> ?",
            (change.sort_date, number, change.sort_date),
        )
        for kind, value in change.lost:
            _mark(changes, kind, value, number, remove=True)
        for kind, value in change.gained:
            _mark(changes, kind, value, number)
    _apply(connection, changes)


def upto(connection: sqlite3.Connection, name: str) -> int:
    """A watermark: the last content or state that the index knows of."""
    row = connection.execute("SELECT upto FROM derived WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0


def _index_contents(connection: sqlite3.Connection, batch: int) -> int:
    rows = connection.execute(
        "SELECT c.id, c.frame, src.name FROM content c JOIN document d ON d.id = c.document "
        "JOIN source src ON src.id = d.source WHERE c.id > ? ORDER BY c.id LIMIT ?",
        (upto(connection, "content"), batch),
    ).fetchall()
    if not rows:
        return 0
    opener = codec(connection)
    changes = _new_changes()
    entries: list[tuple[int, int]] = []
    texts: list[tuple[int | str, ...]] = []
    for number, frame, source in rows:
        body = _body(opener, frame)
        entries.append((number, sort_date(body.date)))
        texts.append((number, *columns(body)))
        _mark(changes, "source", source, number)
        for kind, value in facets(body):
            _mark(changes, kind, value, number)
    with _transaction(connection):
        connection.executemany("INSERT INTO search_entry VALUES (?, ?)", entries)
        connection.executemany(
            f"INSERT INTO search_text (rowid, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
            texts,
        )
        _apply(connection, changes)
        _set_upto(connection, "content", rows[-1][0])
    return len(rows)


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
    changes = _new_changes()
    for _, local_id, copied in rows:
        if copied:
            for (content,) in connection.execute(
                "SELECT c.id FROM document d JOIN content c ON c.document = d.id "
                "WHERE d.local_id = ?",
                (local_id,),
            ):
                _mark(changes, *COPY, content)
    with _transaction(connection):
        _apply(connection, changes)
        _set_upto(connection, "copy", rows[-1][0])
    return len(rows)


def _body(opener: Codec, frame: bytes) -> Body:
    """A content's body; an empty one where it is damaged: reading the record then says so."""
    try:
        return decode_body(opener.open(frame).body)
    except (FrameError, msgspec.DecodeError):
        return Body()


def _index_states(connection: sqlite3.Connection, batch: int) -> int:
    """Bring the bitmaps that follow the states (status, set) up to the newest states."""
    rows = connection.execute(
        "SELECT s.id, s.content, s.status, l.specs, s.document, s.version FROM state s "
        "JOIN set_list l ON l.id = s.sets WHERE s.id > ? ORDER BY s.id LIMIT ?",
        (upto(connection, "state"), batch),
    ).fetchall()
    if not rows:
        return 0
    changes = _new_changes()
    for number, content, status, specs, document, version in rows:
        before = connection.execute(
            "SELECT s.content, s.status, l.specs FROM state s JOIN set_list l ON l.id = s.sets "
            "WHERE s.document = ? AND s.version = ? AND s.id < ? ORDER BY s.id DESC LIMIT 1",
            (document, version, number),
        ).fetchone()
        if before is not None and before[0] is not None:
            _mark(changes, "status", before[1], before[0], remove=True)
            for spec in json.loads(before[2]):
                _mark(changes, "set", spec, before[0], remove=True)
        if content is not None:
            _mark(changes, "status", status, content)
            for spec in json.loads(specs):
                _mark(changes, "set", spec, content)
    with _transaction(connection):
        _apply(connection, changes)
        _set_upto(connection, "state", rows[-1][0])
    return len(rows)


def columns(body: Body) -> tuple[str, ...]:
    """The folded texts of the index's columns: title, creator, subject, abstract, other."""
    return tuple(fold(text) for text in _texts(body))


def _texts(body: Body) -> tuple[str, ...]:
    return (
        _text(part for title in body.titles for part in (title.value, title.subtitle)),
        _text(part for name in body.creators for part in (name.given, name.family, name.literal)),
        _text([one.value for one in body.keywords] + [one.value for one in body.classifications]),
        _text(one.value for one in body.abstracts),
        _text(_other(body)),
    )


def facets(body: Body) -> Iterator[tuple[str, str]]:
    """The (kind, value) pairs a content is found under; a domain also under its parents."""
    if body.type is not None and body.type.hal:
        yield "type", body.type.hal
    if body.year is not None:
        yield "year", str(body.year)
    for domain in body.domains:
        parts = domain.split(".")
        for length in range(1, len(parts) + 1):
            yield "domain", ".".join(parts[:length])
    for language in body.languages:
        yield "lang", language.lower()
    if body.access is not None:
        yield "access", body.access


def sort_date(date: str | None) -> int:
    """The number a date sorts by: ``2018-03`` is 20180300; an interval's start; none is 0."""
    found = _DATE.match(date or "")
    if found is None:
        return 0
    year, month, day = found.groups("00")
    return int(year + month + day)


def _other(body: Body) -> Iterator[str | None]:
    container = body.container
    if container is not None:
        yield from (container.title, container.series, container.conference, *container.also)
    yield body.citation
    yield from body.publishers
    yield from body.contributors
    for affiliation in body.affiliations:
        yield from (affiliation.name, affiliation.acronym, *affiliation.parents)
    for project in body.funding:
        yield from (project.acronym, project.title, project.number)
    yield from body.coverage
    yield from body.notes


def _text(parts: Iterator[str | None] | list[str]) -> str:
    return "\n".join(part for part in parts if part)


def _new_changes() -> _Changes:
    return defaultdict(lambda: (BitMap(), BitMap()))


def _mark(changes: _Changes, kind: str, value: str, content: int, *, remove: bool = False) -> None:
    added, removed = changes[kind, value, content >> CHUNK_BITS]
    if remove:
        added.discard(content)
        removed.add(content)
    else:
        removed.discard(content)
        added.add(content)


def _apply(connection: sqlite3.Connection, changes: _Changes) -> None:
    for key in sorted(changes):
        added, removed = changes[key]
        row = connection.execute(
            "SELECT bits FROM facet WHERE kind = ? AND value = ? AND chunk = ?", key
        ).fetchone()
        bits = BitMap.deserialize(row[0]) if row else BitMap()
        bits -= removed
        bits |= added
        connection.execute(
            "INSERT OR REPLACE INTO facet VALUES (?, ?, ?, ?)", (*key, bits.serialize())
        )


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
