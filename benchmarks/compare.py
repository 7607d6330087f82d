"""Compares a mirror with the truth: the generated repository it was harvested from."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from lxml import etree

from halmirror import Filters, Mirror

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from generated_repository import Repository

_DC = "{http://www.openarchives.org/OAI/2.0/oai_dc/}dc"


def differences(repository: Repository, mirror: Path) -> Iterator[str]:
    """Each way in which the mirror's active records differ from the repository's.

    Compared are identifier with version, datestamp, sets and the metadata's canonical XML; a
    record that is there twice, and damage that SQLite sees, count as differences.
    """
    expected = {
        one.identifier: _digest(one.datestamp, one.sets, _canonical(one.xml))
        for one in repository.truth()
    }
    seen: set[str] = set()
    with Mirror(mirror) as opened:
        for record, metadata in opened.sources(Filters()):
            head = record.head
            name = head.oai_identifier
            if name in seen:
                yield f"{name} is there twice"
            elif name not in expected:
                yield f"{name} is not in the repository"
            elif expected[name] != _digest(head.datestamp, head.sets, metadata):
                yield f"{name} differs"
            seen.add(name)
    yield from (f"{name} is missing" for name in expected if name not in seen)
    yield from _damage(mirror)


def _damage(mirror: Path) -> Iterator[str]:
    with closing(sqlite3.connect(mirror)) as connection:
        told = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    yield from (line for line in told if line != "ok")


def _canonical(record: bytes) -> bytes:
    found = next(etree.fromstring(record).iter(_DC))
    return etree.tostring(found, method="c14n", exclusive=True)


def _digest(datestamp: str, sets: Iterable[str], metadata: bytes) -> bytes:
    told = "\n".join((datestamp, *sorted(set(sets)), "")).encode()
    return hashlib.blake2b(told + metadata, digest_size=16).digest()
