#!/usr/bin/env python3
"""How many records a second one core normalises, stage by stage, beside lxml's parsing alone.

The records are those of ``data/hal-oai``, on pages of 100 as HAL sends them.  Each round has its
own copies of them: names, titles, laboratories, keywords, citations and so on differ from copy to
copy, so that no cache answers what a harvest would have to work out; what recurs in HAL (domains,
types, licences, languages) recurs here.  ``--repeat`` leaves the texts alike: then caches help as
far as they can.

    python benchmarks/normalising.py [--json] [--rounds 7] [--records 1000] [--repeat]

The best round of each stage counts: whatever else the machine does only adds time.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from lxml import etree

from halmirror.batch import Rules, digest, prepare, prepare_page
from halmirror.crosswalks import crosswalk
from halmirror.crosswalks.dublin_core import keep_language, values
from halmirror.frame import Codec
from halmirror.oaipmh.protocol import canonical, parse
from halmirror.record import encode
from halmirror.record.identifiers import body_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from halmirror.oaipmh.source import Source
    from halmirror.record import Body

DATA = Path(__file__).resolve().parents[1] / "data" / "hal-oai"
FILES = (
    "ListRecords-1.xml", "ListRecords-2.xml", "ListRecords-3.xml", "ListRecords-2022-extract.xml",
)  # fmt: skip
OAI = "{http://www.openarchives.org/OAI/2.0/}"
DC = "{http://purl.org/dc/elements/1.1/}"
FREE = frozenset(
    DC + name
    for name in ("title", "creator", "contributor", "description", "publisher", "source", "subject")
)
FIXED = re.compile(
    r"\s*(?:https?:|E?ISSN:|HAL CCSD|(?:Intern|N)ational audience|\[\s*[A-Z]|ANR\b"
    r"|European Project)"
)
RULES = Rules("oai_dc", "hal")
TARGET = 5000
"""Normalised records a second on one core, parsing not counted."""

Item = TypeVar("Item")


class Record(NamedTuple):
    """What the stages after parsing start from."""

    id: str
    version: int
    sets: tuple[str, ...]
    metadata: etree._Element
    values: tuple[Source, ...]


def pages(wanted: int, serial: int, *, repeat: bool) -> list[bytes]:
    """Pages of 100 records, ``wanted`` in all, whose texts bear the serial number of their copy."""
    found: list[etree._Element] = []
    copy = serial
    while len(found) < wanted:
        for name in FILES:
            for record in etree.parse(DATA / name).iter(f"{OAI}record"):
                if not repeat:
                    _mark(record, copy)
                found.append(record)
        copy += 1
    return [_page(found[at : at + 100]) for at in range(0, wanted, 100)]


def _mark(record: etree._Element, copy: int) -> None:
    for element in record.iter(*FREE):
        text = element.text or ""
        if text.strip() and not FIXED.match(text):
            element.text = f"{copy} {text.lstrip()}"


def _page(records: Iterable[etree._Element]) -> bytes:
    root = etree.parse(DATA / FILES[0]).getroot()
    answer = root.find(f"{OAI}ListRecords")
    if answer is None:
        raise SystemExit(f"{FILES[0]} holds no ListRecords")
    for one in answer.findall(f"{OAI}record"):
        answer.remove(one)
    for place, one in enumerate(records):
        answer.insert(place, one)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


class Round:
    """One round over its own pages: seconds of each stage."""

    def __init__(self, data: list[bytes]) -> None:
        self.seconds: dict[str, float] = {}
        self.records = 0
        self._run(data)

    def _timed(self, stage: str, work: Callable[[Item], object], items: Iterable[Item]) -> None:
        items = list(items)
        start = time.process_time()
        for one in items:
            work(one)
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.process_time() - start

    def _run(self, data: list[bytes]) -> None:
        self._timed("lxml alone", etree.fromstring, data)
        self._timed("prepare", lambda page: prepare(page, RULES), data)
        self._timed("parse", parse, data)
        parsed = [parse(page) for page in data]
        records = [
            Record(*_key(one.header.identifier), one.header.sets, one.metadata, ())
            for page in parsed
            for one in page.records
            if one.metadata is not None
        ]
        self.records = len(records)
        self._timed("values", lambda one: values(one.metadata), records)
        records = [one._replace(values=values(one.metadata)) for one in records]
        self._timed("crosswalk", _body, records)
        bodies = [_body(one) for one in records]
        self._timed("canonical", _canonical, records)
        sources = [canonical(one.metadata) for one in records]
        self._timed("encode", encode, bodies)
        self._timed("keys", body_keys, bodies)
        self._timed(
            "digest",
            lambda one: digest(one[1], RULES, one[0].sets),
            zip(records, sources, strict=True),
        )
        codec = Codec()
        encoded = [encode(one) for one in bodies]
        self._timed("pack", lambda one: codec.pack(*one), zip(sources, encoded, strict=True))
        self._timed("prepare without parse", lambda page: prepare_page(page, RULES), parsed)


def _key(identifier: str) -> tuple[str, int]:
    name, _, version = identifier.rpartition(":")[2].rpartition("v")
    return name, int(version)


def _body(one: Record) -> Body:
    return crosswalk("oai_dc", "hal")(one.values, one.id, one.version, one.sets, None)


def _canonical(one: Record) -> bytes:
    keep_language(one.metadata)
    return canonical(one.metadata)


def measure(rounds: int, records: int, *, repeat: bool) -> dict[str, object]:
    """The best of the rounds: microseconds a record for each stage, and what follows from them."""
    found = [Round(pages(records, 1 + number * 1000, repeat=repeat)) for number in range(rounds)]
    stages = {
        stage: min(one.seconds[stage] / one.records for one in found) * 1e6
        for stage in found[0].seconds
    }
    normalising = stages["values"] + stages["crosswalk"]
    return {
        "python": platform.python_version(),
        "records": found[0].records,
        "rounds": rounds,
        "texts": "alike" if repeat else "of their own in each copy",
        "microseconds_a_record": {name: round(value, 1) for name, value in stages.items()},
        "normalised_records_a_second": round(1e6 / normalising),
        "target": TARGET,
        "times_lxml_alone": round(normalising / stages["lxml alone"], 2),
        "prepared_records_a_second": round(1e6 / stages["prepare"]),
    }


def main() -> None:
    """Prints the table, or with ``--json`` one line for programs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--records", type=int, default=1000, help="in each round")
    parser.add_argument("--repeat", action="store_true", help="the texts of all copies are alike")
    chosen = parser.parse_args()
    found = measure(chosen.rounds, chosen.records, repeat=chosen.repeat)
    if chosen.json:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    stages = found["microseconds_a_record"]
    lines = [f"{name:24}{value:8.1f} µs a record" for name, value in stages.items()]  # type: ignore[attr-defined]
    lines.append(
        f"normalised (values and crosswalk): {found['normalised_records_a_second']} records a"
        f" second (target {TARGET}), {found['times_lxml_alone']} times lxml's parsing alone"
    )
    lines.append(
        f"prepared from a page's bytes: {found['prepared_records_a_second']} records a second"
    )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
