"""What the records of a mirror tell, and what they lack: for those who mend them at the source.

Counted are the newest active versions, one a document, in one pass that keeps no record: the
memory it takes depends on how many types and years there are, not on how many records.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from halmirror.errors import MirrorError
from halmirror.record import Access, Container, DocumentType, Identifiers, versioned
from halmirror.reference.resource_types import coar_word, is_in_journal
from halmirror.store.database import open_for_reading, time_stamp, translated
from halmirror.store.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from halmirror.store.reader import State

FIELDS: Final = (
    "abstract",
    "keywords",
    "doi",
    "licence",
    "file",
    "open_access",
    "language",
    "issn",
    "date",
    "affiliations",
    "funding",
    "container",
    "landing_page",
    "warnings",
)
"""What is counted.  ``docs/quality.md`` says when a record has each."""

FURTHER_TYPES: Final = "…"
"""The type that stands for all beyond the first `TYPES_TOLD`."""

TYPES_TOLD: Final = 1000
"""So many types are told apart: a source that invents one a record takes no more memory."""

EXAMPLES: Final = 3
"""How many examples are kept, unless told otherwise."""

_LITERAL = re.compile(
    r"""(?<![^\s(])(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""",
)
"""A value as the crosswalks quote it in a warning (Python's ``repr``)."""

_JOURNAL_FIELD = FIELDS.index("issn")


@dataclass(frozen=True, slots=True)
class Group:
    """Some records of one source, and how many of them have each of `FIELDS`.

    ``in_journals``: how many are of a type that appears in journals; an ISSN is looked for in
    these alone.
    """

    records: int
    in_journals: int
    counts: Mapping[str, int]

    def base(self, name: str) -> int:
        """Of how many records a field's share is."""
        return self.in_journals if name == "issn" else self.records

    def share(self, name: str) -> float | None:
        """The share (0 to 1) of records with a field, rounded down at the fourth decimal.

        So 1 means all of them.  None where no record could have it.
        """
        base = self.base(name)
        return self.counts[name] * 10_000 // base / 10_000 if base else None

    def as_dict(self) -> dict[str, Any]:
        """The group with the keys of ``docs/quality.md``."""
        return {
            "records": self.records,
            "in_journals": self.in_journals,
            "fields": {
                name: {"count": self.counts[name], "share": self.share(name)} for name in FIELDS
            },
        }


def together(groups: Iterable[Group]) -> Group:
    """Several groups, which share no record, as one."""
    tally = _Tally()
    for group in groups:
        tally.records += group.records
        tally.in_journals += group.in_journals
        tally.counts = [
            sum(pair)
            for pair in zip(tally.counts, (group.counts[name] for name in FIELDS), strict=True)
        ]
    return tally.group()


@dataclass(frozen=True, slots=True)
class Example:
    """A record (id with version) and a warning it has, as it stands there."""

    id: str
    warning: str


@dataclass(frozen=True, slots=True)
class WarningKind:
    """Warnings that differ in their quoted values only.

    ``kind``: their text with ``'…'`` for each value; ``count``: how many there are, in how many
    ``records``; ``examples``: the first in the order of ids, one a record.
    """

    kind: str
    count: int
    records: int
    examples: tuple[Example, ...]

    def as_dict(self) -> dict[str, Any]:
        """The kind with the keys of ``docs/quality.md``."""
        return {
            "kind": self.kind,
            "count": self.count,
            "records": self.records,
            "examples": [{"id": one.id, "warning": one.warning} for one in self.examples],
        }


@dataclass(frozen=True, slots=True)
class SourceQuality:
    """One source's records: in all, by type, by year, their warnings, and what lacks what.

    ``types``: the most frequent first; a type is HAL's code, else COAR's name, none where no
    table knows it.  ``years``: the newest first, none last.  ``warnings``: the most frequent
    first.  ``lacking``: for each field the first records (ids with version) without it.
    """

    name: str
    total: Group
    types: tuple[tuple[str | None, Group], ...]
    years: tuple[tuple[int | None, Group], ...]
    warnings: tuple[WarningKind, ...]
    lacking: Mapping[str, tuple[str, ...]]

    def as_dict(self) -> dict[str, Any]:
        """The source with the keys of ``docs/quality.md``."""
        return {
            "name": self.name,
            **self.total.as_dict(),
            "types": [{"type": kind, **group.as_dict()} for kind, group in self.types],
            "years": [{"year": year, **group.as_dict()} for year, group in self.years],
            "warnings": [kind.as_dict() for kind in self.warnings],
            "lacking": {name: list(ids) for name, ids in self.lacking.items()},
        }


@dataclass(frozen=True, slots=True)
class Quality:
    """The quality of a mirror's records, source by source, at a time (UTC time stamp)."""

    path: str
    at: str
    sources: tuple[SourceQuality, ...]

    def as_dict(self) -> dict[str, Any]:
        """The report with the keys of ``docs/quality.md``."""
        return {
            "path": self.path,
            "at": self.at,
            "sources": [source.as_dict() for source in self.sources],
        }

    def json(self) -> str:
        """The report as one JSON object."""
        return json.dumps(self.as_dict(), ensure_ascii=False, indent=2)


def quality(
    path: Path,
    sources: Sequence[str] = (),
    examples: int = EXAMPLES,
    *,
    now: datetime | None = None,
) -> Quality:
    """The quality of the records in the mirror at ``path``.

    ``sources``: the configured names, which come first and show even where never harvested;
    ``examples``: how many records to name for each kind of warning and each field that is
    lacking; ``now``: the time to put on the report.  Raises `MirrorError`.
    """
    connection = open_for_reading(path)
    try:
        with translated(path):
            connection.execute("BEGIN")
            held = [row[0] for row in connection.execute("SELECT name FROM source ORDER BY id")]
            counted = {name: _Count(examples) for name in dict.fromkeys((*sources, *held))}
            reader = Reader(connection)
            for state in reader.every(reader.latest()):
                counted[state.source].add(
                    versioned(state.local_id, state.version), _described(reader, state)
                )
            return Quality(
                str(path),
                time_stamp(now or datetime.now(UTC)),
                tuple(count.source(name) for name, count in counted.items()),
            )
    finally:
        connection.close()


def warning_kind(warning: str) -> str:
    """A warning with ``'…'`` for each value that it quotes.

    >>> warning_kind("date: '2018-13' is no date; kept as given")
    "date: '…' is no date; kept as given"
    """
    return _LITERAL.sub("'…'", warning)


_ABSENT = msgspec.Raw()
"""Stands for a part that a body does not have."""


class _Described(msgspec.Struct, frozen=True):
    """The parts of a record's body that are counted; long texts are not decoded."""

    type: DocumentType | None = None
    affiliations: msgspec.Raw = _ABSENT
    funding: msgspec.Raw = _ABSENT
    abstracts: msgspec.Raw = _ABSENT
    keywords: msgspec.Raw = _ABSENT
    date: str | None = None
    year: int | None = None
    languages: tuple[str, ...] = ()
    container: Container | None = None
    identifiers: Identifiers | None = None
    landing_page: str | None = None
    files: tuple[str, ...] = ()
    access: Access | None = None
    licence: str | None = None
    licence_url: str | None = None
    warnings: tuple[str, ...] = ()


_decoder = msgspec.json.Decoder(_Described)


def _described(reader: Reader, state: State) -> _Described:
    try:
        return _decoder.decode(reader.body_json(state))
    except msgspec.DecodeError as error:
        raise MirrorError(
            f"{versioned(state.local_id, state.version)} is damaged in the mirror ({error}); "
            "restore the file from a backup"
        ) from error


def _has(body: _Described) -> tuple[bool, ...]:
    """Which of `FIELDS` a record has, in their order."""
    container = body.container
    return (
        body.abstracts is not _ABSENT,
        body.keywords is not _ABSENT,
        body.identifiers is not None and bool(body.identifiers.doi),
        body.licence is not None or body.licence_url is not None,
        bool(body.files),
        body.access == "open",
        bool(body.languages),
        container is not None and (container.issn is not None or container.eissn is not None),
        body.date is not None,
        body.affiliations is not _ABSENT,
        body.funding is not _ABSENT,
        container is not None,
        body.landing_page is not None,
        bool(body.warnings),
    )


def _type(kind: DocumentType | None) -> str | None:
    """HAL's code, else COAR's name or the end of its address."""
    if kind is None:
        return None
    if kind.hal is not None or kind.coar is None:
        return kind.hal
    return coar_word(kind.coar) or kind.coar.rpartition("/")[2]


class _Tally:
    """A group while it is counted."""

    __slots__ = ("counts", "in_journals", "records")

    def __init__(self) -> None:
        self.records = 0
        self.in_journals = 0
        self.counts = [0] * len(FIELDS)

    def add(self, present: Iterable[int], *, in_journal: bool) -> None:
        """Count a record; ``present``: the places in `FIELDS` of what it has."""
        self.records += 1
        self.in_journals += in_journal
        for place in present:
            self.counts[place] += 1

    def group(self) -> Group:
        return Group(self.records, self.in_journals, dict(zip(FIELDS, self.counts, strict=True)))


@dataclass(slots=True)
class _Warned:
    """A kind of warning while it is counted."""

    count: int = 0
    records: int = 0
    last: str = ""
    examples: list[Example] = field(default_factory=list)


class _Count:
    """One source while it is counted; records are added in the order of their ids."""

    def __init__(self, examples: int) -> None:
        self._examples = examples
        self._total = _Tally()
        self._types: dict[str | None, _Tally] = {}
        self._years: defaultdict[int | None, _Tally] = defaultdict(_Tally)
        self._warned: defaultdict[str, _Warned] = defaultdict(_Warned)
        self._lacking: tuple[list[str], ...] = tuple([] for _ in FIELDS)

    def add(self, identifier: str, body: _Described) -> None:
        """Count a record; ``identifier``: its id with version."""
        has = list(_has(body))
        in_journal = body.type is not None and is_in_journal(body.type.coar)
        for place, (there, ids) in enumerate(zip(has, self._lacking, strict=True)):
            wanted = in_journal or place != _JOURNAL_FIELD
            if not there and wanted and len(ids) < self._examples:
                ids.append(identifier)
        # Outside journals an ISSN (of a series, say) counts as little as its absence.
        has[_JOURNAL_FIELD] = has[_JOURNAL_FIELD] and in_journal
        present = [place for place, there in enumerate(has) if there]
        for tally in (self._total, self._of_type(_type(body.type)), self._years[body.year]):
            tally.add(present, in_journal=in_journal)
        for warning in body.warnings:
            self._warn(identifier, warning)

    def _of_type(self, kind: str | None) -> _Tally:
        if kind not in self._types and len(self._types) >= TYPES_TOLD:
            kind = FURTHER_TYPES
        return self._types.setdefault(kind, _Tally())

    def _warn(self, identifier: str, warning: str) -> None:
        warned = self._warned[warning_kind(warning)]
        warned.count += 1
        if warned.last == identifier:
            return
        warned.last = identifier
        warned.records += 1
        if len(warned.examples) < self._examples:
            warned.examples.append(Example(identifier, warning))

    def source(self, name: str) -> SourceQuality:
        """What was counted, in its order."""
        types = sorted(
            self._types.items(), key=lambda item: (-item[1].records, item[0] is None, item[0] or "")
        )
        years = sorted(self._years.items(), key=lambda item: -(item[0] or 0))
        warned = sorted(
            self._warned.items(), key=lambda item: (-item[1].count, -item[1].records, item[0])
        )
        return SourceQuality(
            name,
            self._total.group(),
            tuple((kind, tally.group()) for kind, tally in types),
            tuple((year, tally.group()) for year, tally in years),
            tuple(
                WarningKind(kind, one.count, one.records, tuple(one.examples))
                for kind, one in warned
            ),
            {
                name: tuple(ids)
                for name, ids in zip(FIELDS, self._lacking, strict=True)
                if name != "warnings"
            },
        )
