"""Documents and tables whole, as they leave a mirror's file: nothing in them is a row's number.

`Whole` reads them as of a commit; `halmirror.store.loading` brings them into another mirror.  What
a document was is told by its contents (each kind of metadata it ever had) and its states.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from pyroaring import BitMap

from halmirror.store.pruning import Span, surplus
from halmirror.store.reader import Reader
from halmirror.store.sets import Sets
from halmirror.store.view import LINKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence


Moment = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z\Z",
    ),
]
"""A time as a mirror writes it (UTC): times are compared as texts, and no other text is read."""


class Content(msgspec.Struct, frozen=True, tag="content", tag_field="kind"):
    """What a version said at some time: its metadata (canonical XML), and the body's JSON.

    ``digest`` (hexadecimal) names it within its document and version; ``rules`` is the version
    of the rules that made the body.
    """

    source: str
    id: str
    version: int
    digest: str
    prefix: str
    rules: int
    metadata: str
    record: msgspec.Raw


class HeldState(msgspec.Struct, frozen=True, omit_defaults=True, tag="state", tag_field="kind"):
    """How a version stood from the commit ``first`` until before ``end`` (none: it still does).

    ``content`` is the digest of its content, ``datestamps`` are those that moved alone, with the
    commits that saw it.  ``oai_identifier`` is not there where HAL's rule gives it.
    """

    source: str
    id: str
    version: int
    first: int
    run: int
    status: str
    datestamp: str
    end: int | None = None
    content: str | None = None
    oai_identifier: str | None = None
    followed_by: str | None = None
    sets: tuple[str, ...] = ()
    datestamps: tuple[tuple[int, str], ...] = ()


class HeldRun(msgspec.Struct, frozen=True):
    """A command that wrote to the mirror; ``report`` is JSON."""

    id: int
    command: str
    started: Moment
    finished: Moment | None
    outcome: str | None
    report: str | None


class HeldCommit(msgspec.Struct, frozen=True):
    """A commit that changed what a record says: its number, time and run."""

    seq: int
    at: Moment
    run: int


class HeldStream(msgspec.Struct, frozen=True):
    """A metadata prefix and set of a source, and how far its harvests came."""

    prefix: str
    set: str
    planned_from: str | None
    planned_until: str | None
    last_success: str | None
    first_complete_at: str | None
    reconciled_at: str | None
    announced: int | None
    announced_at: str | None


class HeldSource(msgspec.Struct, frozen=True):
    """A repository; ``identify`` is its answer to Identify as it came."""

    name: str
    base_url: str
    profile: str
    identify: bytes | None
    statement: str | None
    streams: tuple[HeldStream, ...]


class HeldWindow(msgspec.Struct, frozen=True):
    """A span of modification days and what its list announced and gave.

    ``withheld``: identifiers that it announced but the server did not give, with the reasons.
    """

    source: str
    prefix: str
    set: str
    kind: str
    from_day: str | None
    until_day: str | None
    part: str | None
    state: str
    reason: str | None
    announced_first: int | None
    announced_last: int | None
    received: int
    quarantined: int
    distinct: int | None
    attempts: int
    opened_at: str
    closed_at: str | None
    answer: str | None
    withheld: tuple[tuple[str, str], ...] = ()


class HeldQuarantine(msgspec.Struct, frozen=True):
    """A record that could not be taken, with its bytes."""

    source: str
    prefix: str
    set: str
    digest: str
    identifier: str | None
    position: str
    reason: str
    data: bytes
    first_at: str
    last_at: str
    attempts: int
    resolved_at: str | None


class HeldForgotten(msgspec.Struct, frozen=True):
    """A document whose content was removed for good, and is not to be stored again."""

    source: str
    id: str
    reason: str
    at: str
    run: int


class Document(msgspec.Struct, frozen=True):
    """A document of the mirror: its row's number, for this reader alone, and its name."""

    number: int
    source: str
    id: str


class Whole:
    """Reads documents and tables as of the commit ``at``, over one transaction.

    Open windows are told as if they had just been laid: a server's token is of no use elsewhere.
    """

    def __init__(self, connection: sqlite3.Connection, at: int) -> None:
        self._connection = connection
        self._at = at
        self._reader = Reader(connection)
        self._sets = Sets(connection)

    def mirror(self) -> str:
        """What tells this mirror from others: when its first run began."""
        row = self._connection.execute("SELECT started FROM run ORDER BY id LIMIT 1").fetchone()
        return str(row[0]) if row else ""

    def count(self) -> int:
        """How many documents there are."""
        (count,) = self._connection.execute("SELECT count(*) FROM document").fetchone()
        return int(count)

    def rules(self, at: int) -> dict[str, int]:
        """The contents that were held at a commit, counted by the version of their rules."""
        rows = self._connection.execute(
            "SELECT c.rules, count(*) FROM content c WHERE EXISTS (SELECT 1 FROM state s "
            "WHERE s.document = c.document AND s.version = c.version AND s.content = c.id "
            "AND s.first_seq <= ? AND (s.end_seq IS NULL OR s.end_seq > s.first_seq)) "
            "GROUP BY c.rules ORDER BY c.rules",
            (at,),
        )
        return {str(rules): count for rules, count in rows}

    def touched(self, after: int) -> BitMap:
        """The documents whose records may differ from what they were at an earlier commit.

        Those with a state or a datestamp that came since, and those that share, or shared, an
        identifier with such a one: what they are linked to may differ.
        """
        (last,) = self._connection.execute(
            'SELECT coalesce(max(last_state), 0) FROM "commit" WHERE seq <= ?', (after,)
        ).fetchone()
        found = BitMap(
            row[0]
            for row in self._connection.execute(
                "SELECT document FROM state WHERE id > ? AND first_seq <= ?", (last, self._at)
            )
        )
        found.update(
            row[0]
            for row in self._connection.execute(
                "SELECT s.document FROM datestamp_note n JOIN state s ON s.id = n.state "
                "WHERE n.seq > ? AND n.seq <= ?",
                (after, self._at),
            )
        )
        # What is forgotten may leave no state behind: it is always among them.
        found.update(
            row[0]
            for row in self._connection.execute(
                "SELECT d.id FROM forgotten f JOIN document d "
                "ON d.source = f.source AND d.local_id = f.local_id"
            )
        )
        shared = self._reader.sharing(LINKING)
        marks = ", ".join("?" * len(LINKING))
        linked = BitMap()
        if found & shared:
            rows = self._connection.execute(
                "SELECT i.document, o.document FROM identifier i JOIN identifier o "
                "ON o.scheme = i.scheme AND o.value = i.value AND o.document <> i.document "
                f"WHERE i.scheme IN ({marks})",
                LINKING,
            )
            linked.update(other for one, other in rows if one in found)
        return found | linked

    def documents(self, after: tuple[str, str] | None = None) -> Iterator[Document]:
        """The documents by source and id; ``after``: those beyond this source and id."""
        sources = self._connection.execute("SELECT name, id FROM source ORDER BY name").fetchall()
        for name, number in sources:
            if after is not None and name < after[0]:
                continue
            beyond = after[1] if after is not None and name == after[0] else ""
            rows = self._connection.execute(
                "SELECT id, local_id FROM document WHERE source = ? AND local_id > ? "
                "ORDER BY local_id",
                (number, beyond),
            )
            for document, local_id in rows:
                yield Document(document, name, local_id)

    def history(self, document: Document) -> tuple[list[int], list[HeldState]]:
        """The numbers of a document's contents in their order, and its states.

        By version and digest; by commit and version.  States that nobody ever saw are left out.
        """
        rows = self._connection.execute(
            "SELECT s.id, s.version, s.content, c.digest, s.oai_identifier, s.datestamp, s.sets, "
            "s.status, s.followed_by, s.first_seq, s.end_seq, s.run FROM state s "
            "LEFT JOIN content c ON c.id = s.content WHERE s.document = ? AND s.first_seq <= ? "
            "AND (s.end_seq IS NULL OR s.end_seq > s.first_seq) ORDER BY s.first_seq, s.version",
            (document.number, self._at),
        ).fetchall()
        contents: dict[int, tuple[int, bytes]] = {}
        states = []
        for (number, version, content, digest, identifier, datestamp, sets, status, followed_by,
             first, end, run) in rows:  # fmt: skip
            if content is not None:
                contents[content] = (version, digest)
            states.append(
                HeldState(
                    document.source, document.id, version, first, run, status, datestamp,
                    end if end is not None and end <= self._at else None,
                    None if digest is None else digest.hex(),
                    identifier, followed_by, self._sets.specs(sets),
                    tuple(self._connection.execute(
                        "SELECT seq, datestamp FROM datestamp_note WHERE state = ? AND seq <= ? "
                        "ORDER BY seq",
                        (number, self._at),
                    )),
                )
            )  # fmt: skip
        return sorted(contents, key=contents.__getitem__), states

    def content(self, document: Document, number: int) -> Content:
        """A content whole.  Raises `MirrorError` where it is damaged."""
        version, digest, prefix, rules, frame = self._connection.execute(
            "SELECT version, digest, prefix, rules, frame FROM content WHERE id = ?", (number,)
        ).fetchone()
        opened = self._reader.opened(document.id, version, frame)
        return Content(
            document.source, document.id, version, digest.hex(), prefix, rules,
            opened.source.decode(), msgspec.Raw(opened.body),
        )  # fmt: skip

    def forgotten(self) -> Iterator[HeldForgotten]:
        """What was forgotten, by source and id."""
        for row in self._connection.execute(
            "SELECT s.name, f.local_id, f.reason, f.at, f.run FROM forgotten f "
            "JOIN source s ON s.id = f.source ORDER BY s.name, f.local_id"
        ):
            yield HeldForgotten(*row)

    def runs(self) -> Iterator[HeldRun]:
        """The runs, oldest first."""
        for row in self._connection.execute(
            "SELECT id, command, started, finished, outcome, report FROM run ORDER BY id"
        ):
            yield HeldRun(*row)

    def commits(self) -> Iterator[HeldCommit]:
        """The commits, oldest first."""
        for row in self._connection.execute(
            'SELECT seq, at, run FROM "commit" WHERE seq <= ? ORDER BY seq', (self._at,)
        ):
            yield HeldCommit(*row)

    def sources(self) -> Iterator[HeldSource]:
        """The sources by name, with their streams."""
        for number, *row in self._connection.execute(
            "SELECT id, name, base_url, profile, identify, statement FROM source ORDER BY name"
        ).fetchall():
            streams = self._connection.execute(
                "SELECT prefix, set_spec, planned_from, planned_until, last_success, "
                "first_complete_at, reconciled_at, announced, announced_at FROM stream "
                "WHERE source = ? ORDER BY prefix, set_spec",
                (number,),
            )
            yield HeldSource(*(*row, tuple(HeldStream(*one) for one in streams)))

    def windows(self) -> Iterator[HeldWindow]:
        """The windows in the order they were laid, those of comparisons under way left out."""
        rows: Sequence[tuple[int, str]] = self._connection.execute(
            "SELECT id, state FROM harvest_window WHERE kind <> 'reconcile' ORDER BY id"
        ).fetchall()
        for number, state in rows:
            row = self._connection.execute(
                "SELECT s.name, t.prefix, t.set_spec, h.kind, h.from_day, h.until_day, h.part, "
                "h.state, h.reason, h.announced_first, h.announced_last, h.received, "
                "h.quarantined, h.distinct_records, h.attempts, h.opened_at, h.closed_at, "
                "h.answer FROM harvest_window h JOIN stream t ON t.id = h.stream "
                "JOIN source s ON s.id = t.source WHERE h.id = ?",
                (number,),
            ).fetchone()
            withheld = self._connection.execute(
                "SELECT oai_identifier, reason FROM withheld WHERE harvest_window = ? "
                "ORDER BY oai_identifier",
                (number,),
            )
            window = HeldWindow(*(*row, tuple(withheld)))
            yield window if state == "closed" else _anew(window)

    def quarantine(self) -> Iterator[HeldQuarantine]:
        """What is and was in quarantine, oldest first."""
        for row in self._connection.execute(
            "SELECT s.name, t.prefix, t.set_spec, lower(hex(q.digest)), q.identifier, q.position, "
            "q.reason, q.data, q.first_at, q.last_at, q.attempts, q.resolved_at FROM quarantine q "
            "JOIN stream t ON t.id = q.stream JOIN source s ON s.id = t.source ORDER BY q.id"
        ):
            yield HeldQuarantine(*row)


def remaining(
    contents: Sequence[Content], states: Sequence[HeldState], first: int
) -> tuple[list[Content], list[HeldState]]:
    """A document without what no commit from ``first`` on shows: 0 leaves it as it is."""
    spans = [
        Span(place, one.content and (one.version, one.content), one.status, one.end)
        for place, one in enumerate(states)
    ]
    gone = set(surplus(spans, first))
    kept = [one for place, one in enumerate(states) if place not in gone]
    shown = {(one.version, one.content) for one in kept}
    lost = {(one.version, one.content) for one in states} - shown
    return [one for one in contents if (one.version, one.digest) not in lost], kept


def _anew(window: HeldWindow) -> HeldWindow:
    return msgspec.structs.replace(
        window, announced_first=None, announced_last=None, received=0, quarantined=0,
        distinct=None, withheld=(),
    )  # fmt: skip
