"""Forgetting records for good, because a court or an author asked for it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from halmirror.errors import HalmirrorError, NotFoundError, UsageError
from halmirror.mirror import Mirror
from halmirror.store.database import open_for_reading, translated
from halmirror.store.forgetting import forget as take_out
from halmirror.store.forgetting import is_pending, scrub
from halmirror.store.reader import Reader
from halmirror.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(slots=True)
class Report:
    """What was forgotten: ids of documents, each with all its versions in every source.

    ``already`` had been forgotten before.  ``finished``: bytes that an earlier run left were
    cleared.
    """

    forgotten: list[str] = field(default_factory=list)
    already: list[str] = field(default_factory=list)
    finished: bool = False

    def as_dict(self) -> dict[str, object]:
        """The report as the mirror's log of runs has it."""
        return {"command": "forget", "forgotten": len(self.forgotten)}


def forget(
    path: Path,
    identifiers: Sequence[str],
    reason: str,
    *,
    keep_free: int = 0,
    network: bool = False,
) -> Report:
    """Remove the records that identifiers of any kind name, and never store them again.

    Their content goes from every state, every index and every page of the file; what stays is
    a tombstone of status ``deleted``, with identifier, sets and datestamps.  Without identifiers
    an earlier run that was cut is finished.  Nothing is done where one of them is not known.
    ``keep_free`` and ``network`` are the settings of `config.MirrorSettings`.

    Raises `UsageError` without a reason, `NotFoundError`, and `MirrorError`; `MirrorBusyError`
    where another run writes, or a reader holds former pages.
    """
    if identifiers and not reason.strip():
        raise UsageError("a record is forgotten for a reason; say it with --reason")
    report = Report()
    local_ids = _local_ids(path, identifiers, report)
    with Writer(path, "forget", keep_free=keep_free, network=network) as writer:
        outcome = "done"
        try:
            with translated(path):
                writer.check_room()
                writer.index()
                reader = Reader(writer.connection)
                for local_id in local_ids:
                    for document in reader.documents_named(local_id):
                        take_out(writer, document, reason.strip())
                    report.forgotten.append(local_id)
                if is_pending(writer):
                    report.finished = not report.forgotten
                    scrub(writer)
        except HalmirrorError as error:
            outcome = f"failed: {error}"
            raise
        finally:
            writer.finish(outcome, report.as_dict())
    return report


def _local_ids(path: Path, identifiers: Sequence[str], report: Report) -> list[str]:
    """The documents to be forgotten; those that are forgotten already are told."""
    with contextlib.closing(open_for_reading(path)) as connection, translated(path):
        known = {row[0] for row in connection.execute("SELECT local_id FROM forgotten")}
    found: list[str] = []
    with Mirror(path) as mirror:
        for identifier in identifiers:
            record = mirror.get(identifier)
            if record is None:
                raise NotFoundError(
                    f"the mirror holds no record '{identifier}'; nothing was forgotten"
                )
            name = record.head.id
            (report.already if name in known else found).append(name)
    return list(dict.fromkeys(found))
