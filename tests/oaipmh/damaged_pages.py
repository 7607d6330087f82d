"""Recorded pages of OAI-PMH, and small made ones, to be damaged."""

import re
from pathlib import Path

import pytest

from halmirror.errors import ResponseError
from halmirror.oaipmh.protocol import Header, Page, Token, canonical, parse

REPOSITORY = Path(__file__).resolve().parents[2]
HAL = REPOSITORY / "data" / "hal-oai"
OTHER = REPOSITORY / "tests" / "data" / "other-oai"

RECORDS = (HAL / "ListRecords-1.xml").read_bytes()
HEADERS = (HAL / "ListIdentifiers-1.xml").read_bytes()
ONE = (HAL / "GetRecord-hal-04493396.xml").read_bytes()
MAXWELL = (OTHER / "malformed" / "puc-rio-maxwell.xml").read_bytes()

TITLE = b"Contrastive Indexing of Full Text Documents"
"""In record 17 of the 26 of RECORDS, and nowhere else."""
SEVENTEENTH = "oai:HAL:hal-02472753v1"
TOKEN = Token("AoFf+5MI", 0, 73, "2026-11-20T05:00:00Z")

OPENING = b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>'
CLOSING = b"</ListRecords></OAI-PMH>"


def changed(old: bytes, new: bytes, page: bytes = RECORDS) -> bytes:
    """The page with one change, which makes it unreadable for `parse`."""
    assert page.count(old) == 1
    damaged = page.replace(old, new)
    with pytest.raises(ResponseError):
        parse(damaged)
    return damaged


def spans(page: bytes, item: bytes = b"record") -> list[tuple[int, int]]:
    return [m.span() for m in re.finditer(b"<%b[ >].*?</%b>" % (item, item), page, re.DOTALL)]


def contents(page: Page) -> list[tuple[Header, bytes | None]]:
    if not page.records:
        return [(header, None) for header in page.headers]
    return [
        (one.header, None if one.metadata is None else canonical(one.metadata))
        for one in page.records
    ]


def without(page: bytes, *numbers: int) -> list[tuple[Header, bytes | None]]:
    """What a whole page holds but for some records, counted from 1."""
    return [one for n, one in enumerate(contents(parse(page)), start=1) if n not in numbers]


def record(number: int, inside: bytes = b"v") -> bytes:
    return (
        b"<record><header><identifier>oai:x:%d</identifier><datestamp>2024-03-07</datestamp>"
        b'</header><metadata><d xmlns="urn:d">%b</d></metadata></record>' % (number, inside)
    )


def listed(*records: bytes) -> bytes:
    return OPENING + b"".join(records) + CLOSING


def identifiers(page: Page) -> list[str]:
    return [header.identifier for header in page.headers]
