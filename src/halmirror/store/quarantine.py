"""The quarantine's side of the store: what could not be taken, kept with its bytes and reason.

An entry stays until the record it stands for has come after all, or until its days have been
listed again without it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halmirror.oaipmh.protocol import Rejected
    from halmirror.store.commits import Commits
    from halmirror.store.model import Stream, Window


@dataclass(frozen=True, slots=True)
class Ailing:
    """An entry that can be asked for again: its number, OAI identifier and reason."""

    number: int
    identifier: str
    reason: str


class QuarantineLog:
    """Keeps and resolves entries; ``keep``, ``came`` and ``listed_again`` inside a transaction."""

    def __init__(self, commits: Commits) -> None:
        self._connection = commits.connection
        self._transaction = commits.transaction
        self._now = commits.now
        self._identifiers: dict[int, set[str]] = {}

    def keep(self, stream: Stream, window: Window | None, rejected: Sequence[Rejected]) -> int:
        """Keep what was rejected; how many of them were not in quarantine before.

        What belongs to a forgotten record is not kept.
        """
        forgotten = [
            row[0]
            for row in self._connection.execute(
                "SELECT local_id FROM forgotten WHERE source = ?", (stream.source,)
            )
        ]
        return sum(
            self._keep(stream, window, one)
            for one in rejected
            if not any(names_record(one.identifier, one.data, name) for name in forgotten)
        )

    def _keep(self, stream: Stream, window: Window | None, one: Rejected) -> bool:
        execute, now = self._connection.execute, self._now()
        digest = hashlib.blake2b(one.data, digest_size=20).digest()
        known = execute(
            "SELECT id, resolved_at IS NOT NULL FROM quarantine WHERE stream = ? AND digest = ?",
            (stream.id, digest),
        ).fetchone()
        if known is None and one.identifier in self._names(stream.id):
            known = execute(
                "SELECT id, 0 FROM quarantine WHERE stream = ? AND identifier = ? "
                "AND resolved_at IS NULL",
                (stream.id, one.identifier),
            ).fetchone()
        place = window.id if window is not None else None
        if known is None:
            execute(
                "INSERT INTO quarantine (stream, harvest_window, digest, identifier, position, "
                "reason, data, first_at, last_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
                (stream.id, place, digest, one.identifier, one.position, one.reason, one.data, now),
            )
        else:
            execute(
                "UPDATE quarantine SET harvest_window = coalesce(?, harvest_window), digest = ?, "
                "position = ?, reason = ?, data = ?, last_at = ?, attempts = attempts + 1, "
                "resolved_at = NULL WHERE id = ?",
                (place, digest, one.position, one.reason, one.data, now, known[0]),
            )
        if one.identifier is not None:
            self._names(stream.id).add(one.identifier)
        return known is None or bool(known[1])

    def came(self, stream: Stream, identifier: str) -> None:
        """A record was stored: it is in quarantine no more."""
        names = self._names(stream.id)
        if identifier in names:
            names.discard(identifier)
            self._connection.execute(
                "UPDATE quarantine SET resolved_at = ? "
                "WHERE stream = ? AND identifier = ? AND resolved_at IS NULL",
                (self._now(), stream.id, identifier),
            )

    def listed_again(self, window: Window) -> None:
        """A window was listed to its end: what its days once gave, broken, and no longer give."""
        if window.part is None:
            self._connection.execute(
                "UPDATE quarantine SET resolved_at = ?1 WHERE stream = ?2 AND resolved_at IS NULL "
                "AND last_at < (SELECT opened_at FROM harvest_window WHERE id = ?3) "
                "AND (?4 IS NULL OR ?4 <= "
                "(SELECT o.from_day FROM harvest_window o WHERE o.id = harvest_window)) "
                "AND (?5 IS NULL OR ?5 >= "
                "(SELECT o.until_day FROM harvest_window o WHERE o.id = harvest_window))",
                (self._now(), window.stream, window.id, window.from_day, window.until_day),
            )

    def of_window(self, window: Window) -> int:
        """How many entries the window's list has given, each counted once."""
        (count,) = self._connection.execute(
            "SELECT count(*) FROM quarantine WHERE harvest_window = ? AND resolved_at IS NULL",
            (window.id,),
        ).fetchone()
        return int(count)

    def ailing(self, stream: Stream) -> list[Ailing]:
        """The stream's entries that have an identifier, those not tried for longest first."""
        rows = self._connection.execute(
            "SELECT id, identifier, reason FROM quarantine WHERE stream = ? "
            "AND identifier IS NOT NULL AND resolved_at IS NULL ORDER BY last_at, id",
            (stream.id,),
        )
        return [Ailing(*row) for row in rows]

    def failed_again(self, entry: Ailing, reason: str) -> None:
        """An entry was asked for, in vain."""
        with self._transaction():
            self._connection.execute(
                "UPDATE quarantine SET reason = ?, last_at = ?, attempts = attempts + 1 "
                "WHERE id = ?",
                (reason, self._now(), entry.number),
            )

    def resolve(self, stream: Stream, entry: Ailing) -> None:
        """An entry is done with: the server has another record in its place, or none."""
        with self._transaction():
            self.came(stream, entry.identifier)

    def _names(self, stream: int) -> set[str]:
        names = self._identifiers.get(stream)
        if names is None:
            rows = self._connection.execute(
                "SELECT identifier FROM quarantine WHERE stream = ? AND resolved_at IS NULL "
                "AND identifier IS NOT NULL",
                (stream,),
            )
            names = self._identifiers[stream] = {row[0] for row in rows}
        return names


def names_record(identifier: str | None, data: bytes, local_id: str) -> bool:
    """Whether a quarantined record is of that id, by its identifier or else by its bytes."""
    name = re.escape(local_id)
    if identifier is not None:
        return re.search(rf"(?:^|:){name}(?:v\d+)?$", identifier) is not None
    return re.search(rf"(?<![\w-]){name}(?![0-9])".encode(), data) is not None
