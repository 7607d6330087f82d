"""Compression dictionaries: one for each source, trained on records of its own.

Records of a repository repeat each other far more than they repeat themselves.  The first
thousand are compressed without a dictionary; one is trained on them, and those that come later
take half the room.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import zstandard

from halmirror.frame import Codec, FrameError

if TYPE_CHECKING:
    import sqlite3

    from halmirror.batch import Dictionary
    from halmirror.store.commits import Commits

SAMPLES = 1000
"""Contents a dictionary is trained on; more make it hardly better."""

_BYTES = 112 * 1024
_SEGMENT, _MATCH = 1024, 6
"""Bytes of a dictionary, of its segments and of what is looked for: the best of those tried."""

_LONGEST_SAMPLE = 20_000
"""Bytes of a compressed record that serves as a sample."""

_FIRST_NUMBER = 32_768
"""Lower numbers are kept for public dictionaries (RFC 8878, section 3.1.1.1.3)."""


class HeldDictionaries(Mapping[int, bytes]):
    """The dictionaries of a mirror by number, each read when a frame first needs it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __getitem__(self, number: int) -> bytes:
        row = self._connection.execute(
            "SELECT bytes FROM dictionary WHERE id = ?", (number,)
        ).fetchone()
        if row is None:
            raise KeyError(number)
        return bytes(row[0])

    def __iter__(self) -> Iterator[int]:
        return (row[0] for row in self._connection.execute("SELECT id FROM dictionary"))

    def __len__(self) -> int:
        (count,) = self._connection.execute("SELECT count(*) FROM dictionary").fetchone()
        return int(count)


def codec(connection: sqlite3.Connection) -> Codec:
    """The codec that opens every frame of the mirror, those of later dictionaries too."""
    return Codec(HeldDictionaries(connection))


def newest(connection: sqlite3.Connection, source: int) -> Dictionary | None:
    """The dictionary for new frames of a source; none where it has too few records yet."""
    row: Dictionary | None = connection.execute(
        "SELECT id, bytes FROM dictionary WHERE source = ? ORDER BY id DESC LIMIT 1", (source,)
    ).fetchone()
    return row


class Dictionaries:
    """The writer's dictionaries."""

    def __init__(self, commits: Commits) -> None:
        self._commits = commits
        self._newest: dict[int, Dictionary | None] = {}
        self._contents: dict[int, int] = {}

    def of(self, source: int) -> Dictionary | None:
        """The dictionary for new frames of a source."""
        if source not in self._newest:
            self._newest[source] = newest(self._commits.connection, source)
        return self._newest[source]

    def grown(self, source: int, contents: int) -> None:
        """So many contents of a source were committed: train a dictionary where they are enough."""
        if self.of(source) is not None:
            return
        if source not in self._contents:
            (held,) = self._commits.connection.execute(
                "SELECT count(*) FROM (SELECT 1 FROM document d JOIN content c "
                "ON c.document = d.id WHERE d.source = ? LIMIT ?)",
                (source, SAMPLES),
            ).fetchone()
            self._contents[source] = int(held)
        else:
            self._contents[source] += contents
        if self._contents[source] >= SAMPLES:
            self._train(source)
            self._contents[source] = 0

    def _train(self, source: int) -> None:
        """Train on the newest contents; where they are too small or too few, later once more."""
        with self._commits.transaction():
            trained = train(self._commits.connection, source)
        if trained is not None:
            self._newest[source] = trained


def train(connection: sqlite3.Connection, source: int) -> Dictionary | None:
    """Keep a dictionary trained on a source's newest contents; inside a transaction.

    None where they are too small or too few.
    """
    frames = connection.execute(
        "SELECT c.frame FROM content c JOIN document d ON d.id = c.document "
        "WHERE d.source = ? AND length(c.frame) < ? ORDER BY c.id DESC LIMIT ?",
        (source, _LONGEST_SAMPLE, SAMPLES),
    )
    opener = codec(connection)
    samples: list[bytes | bytearray | memoryview[int]] = [
        plain for (frame,) in frames if (plain := _plain(opener, frame))
    ]
    number = max((_FIRST_NUMBER - 1, *HeldDictionaries(connection))) + 1
    try:
        trained = zstandard.train_dictionary(
            _BYTES, samples, k=_SEGMENT, d=_MATCH, dict_id=number
        ).as_bytes()
    except zstandard.ZstdError:
        return None
    connection.execute(
        "INSERT INTO dictionary (id, source, bytes, last_content) "
        "VALUES (?, ?, ?, (SELECT max(id) FROM content))",
        (number, source, trained),
    )
    return number, trained


def _plain(opener: Codec, frame: bytes) -> bytes:
    try:
        return opener.plain(frame)
    except FrameError:
        return b""
