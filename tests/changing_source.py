"""A small living HAL on loopback: it changes, it fails on demand, and it knows what it has said."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lxml import etree

from endpoint_http import Reply
from recorded_endpoint import OAI, RECORDED, EndpointRecord, RecordedEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from endpoint_http import ParsedRequest

Key = tuple[str, int]
"""HAL id and version."""

_FIRST_DAY = datetime(2025, 11, 1, 12, tzinfo=UTC)
"""Later than any recorded datestamp; the harvester trusts no day later than its own tomorrow."""

_RECORD = re.compile(rb"<record>.*?</record>\s*", re.DOTALL)


def _recorded(name: str) -> Reply:
    return Reply(200, {}, (RECORDED / name).read_bytes())


_EVERYWHERE: dict[str, Callable[[Reply], Reply]] = {
    "busy": lambda _: Reply(503, {"Retry-After": "0"}, b""),
    "too heavy": lambda _: Reply(500, {"Retry-After": "0"}, b""),
    "cut short": lambda reply: replace(reply, body=reply.body[: len(reply.body) // 2]),
}
_AFTER_A_TOKEN = {
    "dead token": _recorded("error-badResumptionToken.xml"),
    "false end": _recorded("error-noRecordsMatch.xml"),
}
_IN_A_RECORD: dict[str, Callable[[bytes], bytes]] = {
    "malformed record": lambda xml: xml.replace(b"</dc:title>", b"</dc:titel>", 1),
    "duplicate record": lambda xml: xml + xml,
    "withheld record": lambda _: b"",
}
FAULTS = (*_EVERYWHERE, *_AFTER_A_TOKEN, *_IN_A_RECORD)
"""What a repository does wrong, by name."""


def key(record: EndpointRecord) -> Key:
    """The id and version of a record."""
    found = re.fullmatch(r"oai:HAL:(.+)v(\d+)", record.identifier)
    assert found is not None
    return found[1], int(found[2])


def metadata(record: EndpointRecord) -> bytes:
    """The record's metadata in exclusive canonical form."""
    root = etree.fromstring(b'<r xmlns="%b">%b</r>' % (OAI[1:-1].encode(), record.xml))
    found = root.find(f"{OAI}record/{OAI}metadata")
    assert found is not None
    return etree.tostring(found[0], method="c14n", exclusive=True)


@dataclass
class Fault:
    """What goes wrong with ``times`` answers, the first ``skip`` that it fits left out.

    ``hit`` counts those it has spoilt.
    """

    kind: str
    skip: int
    times: int
    hit: int = 0


@dataclass
class ChangingSource(RecordedEndpoint):
    """A few of the recorded records, a clock of whole days, and faults that wait for requests.

    ``first`` and ``count`` pick the records, ``day`` counts from the first of the clock.  ``said``
    holds all metadata that a record ever had, ``gone`` what was deleted or merged, ``damaged`` the
    identifiers of records that were spoilt on their way.  ``watch`` hears of each request before it
    is answered.
    """

    first: int = 0
    count: int = 73
    day: int = 0
    faults: list[Fault] = field(default_factory=list)
    said: dict[Key, set[bytes]] = field(default_factory=dict)
    gone: list[EndpointRecord] = field(default_factory=list)
    watch: Callable[[ParsedRequest], None] | None = None
    damaged: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.records = self.records[self.first : self.first + self.count]
        self.clock = lambda: _FIRST_DAY + timedelta(days=self.day)
        for record in self.records:
            self._say(record)

    # -- what it holds ----------------------------------------------------------------------

    @property
    def today(self) -> str:
        """The endpoint's day."""
        return self.clock().date().isoformat()

    @property
    def present(self) -> list[EndpointRecord]:
        """The records that its lists have with metadata."""
        return [record for record in self.records if not record.deleted]

    def survivor(self, record: EndpointRecord) -> EndpointRecord | None:
        """The record (or its tombstone) that answers for one that was merged, if it is there."""
        name = self.merged.get(record.identifier)
        return next((one for one in self.records if one.identifier == name), None)

    # -- how it changes ---------------------------------------------------------------------

    def put(self, record: EndpointRecord) -> None:
        """Take a record as modified today."""
        stamped = record.stamped(self.today)
        self.replace(stamped)
        self._say(stamped)

    def retitle(self, record: EndpointRecord, word: str) -> EndpointRecord:
        """The record with a word before its first title."""
        titled = re.sub(rb"(<dc:title[^>]*>)", rb"\1%b " % word.encode(), record.xml, count=1)
        assert titled != record.xml
        return EndpointRecord.from_xml(titled)

    def deposit(self, record: EndpointRecord, *, keeping: bool) -> None:
        """Put the document's next version, and let the version before vanish unless kept."""
        local_id, version = key(record)
        newest = max(number for one, number in self.said if one == local_id)
        following = record.edited(f"{local_id}v{version}</id", f"{local_id}v{newest + 1}</id")
        if not keeping:
            self.delete(record)
        self.put(following)

    def delete(self, record: EndpointRecord, *, silently: bool = False) -> None:
        """Delete a record: without a word, or with a tombstone where the policy keeps them."""
        self.gone.append(record)
        if self.deleted_record == "persistent" and not silently:
            self.replace(record.tombstone(self.today))
        else:
            self.remove(record.identifier)

    def merge(self, record: EndpointRecord, into: EndpointRecord) -> None:
        """Let a record go on as another."""
        self.delete(record, silently=True)
        self.merged[record.identifier] = into.identifier

    def bring_back(self, record: EndpointRecord) -> None:
        """A deleted or merged record is there again, as modified today."""
        self.gone = [one for one in self.gone if one.identifier != record.identifier]
        self.merged.pop(record.identifier, None)
        self.put(record)

    def move_sets(self, record: EndpointRecord, spec: str) -> None:
        """Put a record into a set, or take it out where it is in it."""
        element = f"<setSpec>{spec}</setSpec>".encode()
        if spec in record.sets:
            xml = record.xml.replace(element, b"", 1)
        else:
            xml = record.xml.replace(b"</header>", element + b"</header>", 1)
        self.put(EndpointRecord.from_xml(xml))

    def _say(self, record: EndpointRecord) -> None:
        self.said.setdefault(key(record), set()).add(metadata(record))

    # -- how it answers ---------------------------------------------------------------------

    def respond(self, request: ParsedRequest) -> Reply:
        if self.watch is not None:
            self.watch(request)
        reply = super().respond(request)
        for fault in self.faults:
            if not fault.times:
                continue
            spoilt = self._spoilt(fault.kind, request, reply)
            if spoilt is None:
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            fault.hit += 1
            return spoilt
        return reply

    def _spoilt(self, kind: str, request: ParsedRequest, reply: Reply) -> Reply | None:
        """The reply with a fault in it; none where the fault does not fit the request."""
        if kind in _EVERYWHERE:
            return _EVERYWHERE[kind](reply)
        if kind in _AFTER_A_TOKEN:
            return _AFTER_A_TOKEN[kind] if request.argument("resumptionToken") else None
        found = _RECORD.search(reply.body)
        if found is None or (request.verb == "GetRecord" and kind != "malformed record"):
            return None
        if kind == "malformed record":
            self.damaged.add(_identifier(found[0]))
        elif kind == "withheld record" and b"completeListSize" not in reply.body:
            return None  # only a list that says its length can be seen to fall short
        body = reply.body.replace(found[0], _IN_A_RECORD[kind](found[0]), 1)
        return replace(reply, body=body) if body != reply.body else None


def _identifier(xml: bytes) -> str:
    found = re.search(rb"<identifier>([^<]+)</identifier>", xml)
    assert found is not None
    return found[1].decode()
