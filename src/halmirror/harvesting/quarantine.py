"""The quarantine: what a source gave that could not be taken, looked at and asked for again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from halmirror.batch import Rules, local_key, prepare_page
from halmirror.errors import (
    AwayError,
    ForbiddenError,
    NoMirrorError,
    NotFoundError,
    ResponseError,
    RetryLaterError,
    SourceError,
    TransportError,
)
from halmirror.harvesting.pauses import check_pause, keep_hold, keep_pause
from halmirror.harvesting.sources import Session, check_secrets, speaking_oai_pmh
from halmirror.stopping import Stop
from halmirror.store.database import open_for_reading, translated
from halmirror.store.model import Counts
from halmirror.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from halmirror.config import Settings, SourceSettings
    from halmirror.harvesting.repository import PageSource
    from halmirror.harvesting.watching import Observer
    from halmirror.store.model import Stream
    from halmirror.store.quarantine import Ailing

MOST_A_RUN = 1000
"""Entries of a stream that a harvest asks for again, those not tried for longest first."""

_REFUSED_IN_A_ROW = 5

_COLUMNS = (
    "q.id, s.name, t.set_spec, q.identifier, q.position, q.reason, q.first_at, q.last_at, "
    "q.attempts, q.resolved_at, length(q.data)"
)
_TABLES = "quarantine q JOIN stream t ON t.id = q.stream JOIN source s ON s.id = t.source"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry.

    ``identifier`` is none where none could be read; ``position`` is its place in the answer;
    ``attempts`` counts how often it came; ``size`` is in bytes.
    """

    number: int
    source: str
    set: str
    identifier: str | None
    position: str
    reason: str
    first_at: str
    last_at: str
    attempts: int
    resolved_at: str | None
    size: int

    def json(self) -> str:
        """The entry as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass(slots=True)
class Retried:
    """What asking again brought: records by what became of them, and entries that stay."""

    counts: Counts = field(default_factory=Counts)
    repaired: int = 0
    left: int = 0
    problems: list[str] = field(default_factory=list)

    def line(self, name: str) -> str:
        """One line that says what came of it."""
        return f"{name}: {self.repaired} repaired, {self.left} still in quarantine"


def entries(path: Path, sources: Sequence[str] = (), *, resolved: bool = False) -> list[Entry]:
    """The entries of the mirror at ``path``, oldest first; ``resolved`` ones only where asked for.

    Raises `MirrorError`.
    """
    connection = open_for_reading(path)
    try:
        with translated(path):
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM {_TABLES} "  # noqa: S608 - constants
                "WHERE (?1 OR q.resolved_at IS NULL) "
                "AND (?2 = '[]' OR s.name IN (SELECT value FROM json_each(?2))) ORDER BY q.id",
                (resolved, json.dumps(list(sources))),
            )
            return [Entry(*row) for row in rows]
    finally:
        connection.close()


def entry(path: Path, number: int) -> tuple[Entry, bytes]:
    """The entry of that number, and its bytes as they came.

    Raises `NotFoundError` and `MirrorError`.
    """
    connection = open_for_reading(path)
    try:
        with translated(path):
            row = connection.execute(
                f"SELECT {_COLUMNS}, q.data FROM {_TABLES} WHERE q.id = ?",  # noqa: S608 - constants
                (number,),
            ).fetchone()
    finally:
        connection.close()
    if row is None:
        raise NotFoundError(
            f"there is no entry {number} in quarantine; 'halmirror quarantine list' names them"
        )
    return Entry(*row[:-1]), row[-1]


def ask_again(
    client: PageSource,
    writer: Writer,
    stream: Stream,
    rules: Rules,
    *,
    most: int | None = None,
) -> Retried:
    """Ask for a stream's entries by GetRecord; those without an identifier wait for their list.

    Ends early where one after the other is refused.  Raises `SourceError` where the source
    cannot be asked at all.
    """
    done = Retried()
    held = writer.quarantine.ailing(stream)
    refused = 0
    for one in held[:most]:
        reason, answered = _asked(client, writer, stream, rules, one, done)
        refused = 0 if answered else refused + 1
        if reason is None:
            done.repaired += 1
        else:
            writer.quarantine.failed_again(one, reason)
        if refused >= _REFUSED_IN_A_ROW:
            break
    done.left = len(held) - done.repaired
    return done


def _asked(
    client: PageSource, writer: Writer, stream: Stream, rules: Rules, one: Ailing, done: Retried
) -> tuple[str | None, bool]:
    """Ask for one entry: why it stays, or none; and whether the server answered at all."""
    arguments = {"identifier": one.identifier, "metadataPrefix": stream.prefix}
    try:
        page = client.page("GetRecord", arguments)
    except (AwayError, ForbiddenError, RetryLaterError):
        raise
    except (ResponseError, TransportError) as error:
        return str(error), False
    if page.errors:
        refusal = page.errors[0]
        return f"{refusal.code}: {refusal.message}", True
    batch = prepare_page(page, rules)
    if batch.rejected:
        return batch.rejected[0].reason, True
    wanted = local_key(one.identifier, rules.profile)
    came = [(row.id, row.version) for row in batch.rows]
    if not any(row == wanted or (row[0] == wanted[0] and not row[1]) for row in came):
        name = batch.rows[0].oai_identifier
        return f"GetRecord gives {name[:200]} in its place", True
    done.counts += writer.commit_batch(stream, batch)
    writer.quarantine.resolve(stream, one)
    return None, True


def retry(
    settings: Settings, observer: Observer, *, sources: Sequence[str] = (), stop: Stop | None = None
) -> dict[str, Retried]:
    """Ask the sources of those names (none: all) for everything they have in quarantine.

    Raises `UsageError`, `MirrorError` and `StoppedError`; what goes wrong with a source is in
    its ``problems``.
    """
    picked = speaking_oai_pmh(settings, sources)
    check_secrets(picked)
    path = settings.mirror.path
    if not path.exists():
        raise NoMirrorError(f"there is no mirror at {path}; run 'halmirror harvest' first")
    found: dict[str, Retried] = {}
    outcome = "interrupted"
    with Writer(
        path,
        "quarantine retry",
        keep_free=settings.mirror.keep_free,
        network=settings.mirror.network_file_system,
    ) as writer:
        try:
            for one in picked:
                done = found[one.name] = Retried()
                session = Session(one, stop or Stop())
                try:
                    _retry(writer, one, session, observer, done)
                except SourceError as error:
                    keep_pause(writer, one, error)
                    done.problems.append(f"{one.name}: {error}")
                finally:
                    keep_hold(writer, one, session.pace.held())
            writer.index()
            outcome = "done"
        finally:
            writer.finish(outcome, {name: asdict(one) for name, one in found.items()})
    return found


def _retry(
    writer: Writer, settings: SourceSettings, session: Session, observer: Observer, total: Retried
) -> None:
    source, _ = writer.source(settings.name, settings.base_url, settings.profile)
    check_pause(writer, settings)
    with session.connect(observer) as client:
        for set_spec in settings.sets or ("",):
            stream = writer.stream(source, settings.metadata_prefix, set_spec)
            rules = Rules(settings.metadata_prefix, settings.profile, writer.dictionary(source.id))
            done = ask_again(client, writer, stream, rules)
            total.counts += done.counts
            total.repaired += done.repaired
            total.left += done.left
