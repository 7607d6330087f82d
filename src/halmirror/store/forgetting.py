"""Removing a document for good: what its records said goes out of every table and every page.

The document's rows of the history stay, without content, as tombstones; its identifier is kept in
``forgotten``, so that later deliveries are not stored.  SQLite leaves removed bytes in free pages,
FTS5 in its segments, and a compression dictionary may quote a record that it was trained on: all
three are made anew.  Until that is done a mark in ``derived`` says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import zstandard

from halmirror.errors import MirrorBusyError
from halmirror.frame import Codec, FrameError
from halmirror.store import indexer
from halmirror.store.dictionaries import codec, train
from halmirror.store.quarantine import names_record

if TYPE_CHECKING:
    from halmirror.store.writer import Writer

PENDING = "forgetting"
"""The mark in ``derived`` that `scrub` has still to be done."""

_RENEWED = "dictionary after forgetting in"
_BATCH = 500


def forget(writer: Writer, document: int, reason: str) -> None:
    """Take a document's content out of every table, in one commit.  `scrub` has to follow."""
    connection = writer.connection
    with writer.transaction():
        source, local_id = connection.execute(
            "SELECT source, local_id FROM document WHERE id = ?", (document,)
        ).fetchone()
        connection.execute(
            "INSERT OR IGNORE INTO forgotten VALUES (?, ?, ?, ?, ?)",
            (source, local_id, reason, writer.now(), writer.run),
        )
        contents = [
            row[0]
            for row in connection.execute("SELECT id FROM content WHERE document = ?", (document,))
        ]
        indexer.leave(connection, contents)
        living = connection.execute(
            "SELECT id FROM state WHERE document = ? AND end_seq IS NULL AND status <> 'deleted'",
            (document,),
        ).fetchall()
        connection.execute("UPDATE state SET content = NULL WHERE document = ?", (document,))
        for (state,) in living:
            writer.change_status(state, "deleted")
        connection.execute("DELETE FROM content WHERE document = ?", (document,))
        indexer.settle(connection)
        connection.execute("DELETE FROM identifier WHERE document = ?", (document,))
        _leave_quarantine(writer, source, local_id)
        connection.execute(
            "UPDATE run SET report = NULL WHERE instr(report, ?) > 0", (local_id,)
        )  # a report quotes records as samples
        stale = connection.execute(
            "SELECT coalesce(max(id), 0) FROM dictionary WHERE source = ? AND last_content >= ?",
            (source, min(contents, default=1 << 62)),
        ).fetchone()
        connection.execute(
            "INSERT INTO derived VALUES (?, 1), (?, ?) "
            "ON CONFLICT DO UPDATE SET upto = max(upto, excluded.upto)",
            (PENDING, f"{PENDING} {source}", stale[0]),
        )


def is_pending(writer: Writer) -> bool:
    """Whether something was forgotten whose bytes may still stand in the file."""
    return bool(indexer.upto(writer.connection, PENDING))


def scrub(writer: Writer) -> None:
    """Make anew what may still hold bytes of what was forgotten, and the file itself.

    Takes time by the mirror's size, and twice its room on the disk.  Raises `MirrorBusyError`
    where a reader holds former pages: it has to be done again.
    """
    connection = writer.connection
    for name, upto in connection.execute(
        "SELECT name, upto FROM derived WHERE name LIKE ?", (f"{PENDING} %",)
    ).fetchall():
        if upto:
            _recompress(writer, int(name.rpartition(" ")[2]), upto)
    if indexer.is_outdated(connection):
        indexer.rebuild(connection)
    writer.index()
    connection.execute("INSERT INTO search_text (search_text) VALUES ('optimize')")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("VACUUM")
    with writer.transaction():
        connection.execute(
            "DELETE FROM derived WHERE name = ? OR name LIKE ? OR name LIKE ?",
            (PENDING, f"{PENDING} %", f"{_RENEWED} %"),
        )
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        with writer.transaction():
            connection.execute("INSERT OR REPLACE INTO derived VALUES (?, 1)", (PENDING,))
        raise MirrorBusyError(
            f"{writer.path}: a reader still holds pages of before; end it, then run "
            "'halmirror forget' once more to clear them"
        )


def _leave_quarantine(writer: Writer, source: int, local_id: str) -> None:
    rows = writer.connection.execute(
        "SELECT q.id, q.identifier, q.data FROM quarantine q JOIN stream s ON s.id = q.stream "
        "WHERE s.source = ?",
        (source,),
    ).fetchall()
    writer.connection.executemany(
        "DELETE FROM quarantine WHERE id = ?",
        [(number,) for number, name, data in rows if names_record(name, data, local_id)],
    )


def _recompress(writer: Writer, source: int, stale: int) -> None:
    """Replace dictionaries up to a number, which may quote what was forgotten, and their frames."""
    connection = writer.connection
    number = f"{_RENEWED} {source}"
    new = indexer.upto(connection, number)
    # One that a run which was cut has trained may quote what was forgotten since.
    if new <= stale:
        with writer.transaction():
            trained = train(connection, source)
            new = trained[0] if trained else 0
            connection.execute("INSERT OR REPLACE INTO derived VALUES (?, ?)", (number, new))
    opener = codec(connection)
    bytes_of = dict(connection.execute("SELECT id, bytes FROM dictionary WHERE id = ?", (new,)))
    packer = Codec(bytes_of, writes=new) if new else Codec()
    last = 0
    while rows := connection.execute(
        "SELECT c.id, c.frame FROM content c JOIN document d ON d.id = c.document "
        "WHERE d.source = ? AND c.id > ? ORDER BY c.id LIMIT ?",
        (source, last, _BATCH),
    ).fetchall():
        last = rows[-1][0]
        with writer.transaction():
            for content, frame in rows:
                if (packed := _repacked(opener, packer, frame, stale)) is not None:
                    connection.execute(
                        "UPDATE content SET frame = ? WHERE id = ?", (packed, content)
                    )
    with writer.transaction():
        connection.execute("DELETE FROM dictionary WHERE source = ? AND id <= ?", (source, stale))


def _repacked(opener: Codec, packer: Codec, frame: bytes, stale: int) -> bytes | None:
    """A frame that a dictionary up to ``stale`` compressed, compressed anew; none for others.

    One that is damaged stays as it is: `halmirror.care.doctor` names it.
    """
    try:
        if not 0 < zstandard.get_frame_parameters(frame).dict_id <= stale:
            return None
        held = opener.open(frame)
    except (FrameError, zstandard.ZstdError):
        return None
    return packer.pack(held.source, held.body)
