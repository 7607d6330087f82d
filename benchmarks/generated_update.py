"""What a generated repository looks like some days later: changed, added and removed records."""

from __future__ import annotations

import json
import random
from array import array
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from generated_files import HEADER_END, LAST_DAY, write_shard, write_whole
from generated_record import Maker
from generated_repository import Repository

if TYPE_CHECKING:
    from pathlib import Path


class Update(NamedTuple):
    """How a repository changes: shares of its records, and the days on which."""

    name: str
    changed: float = 0.001
    added: float = 0.0002
    removed: float = 0.0001
    first_day: date = LAST_DAY + timedelta(days=3)
    last_day: date = LAST_DAY + timedelta(days=4)


def make_update(folder: Path, update: Update) -> None:
    """Write what an update changes, beside the repository in ``folder``.

    Changed records move to the update's days; a tenth of them are new versions, a tenth have
    a new datestamp alone, the rest changed sets or metadata.
    """
    target = folder / update.name
    if (target / "manifest.json").exists():
        return
    target.mkdir(exist_ok=True)
    with Repository(folder) as base:
        draw = random.Random(f"{base.seed} {update}").random
        size = base.total
        picked = random.Random(f"{base.seed} {update.name}").sample(
            range(size), round(size * update.changed) + round(size * update.removed)
        )
        changed = picked[: round(size * update.changed)]
        made = [
            (number, day, _changed(base.xml(position), day, draw()))
            for position in changed
            if (number := base.numbers[position]) and (day := _some_day(update, draw()))
        ]
        maker = Maker(base.seed, size)
        for number in range(base.number_limit, base.number_limit + round(size * update.added)):
            day = _some_day(update, draw())
            made.append((number, day, maker.record(number, day).xml))
    made.sort(key=lambda one: str(one[0]), reverse=True)
    made.sort(key=lambda one: one[1])
    write_shard(target, 0, (xml for _, _, xml in made))
    write_whole(target / "numbers.bin", array("I", [number for number, _, _ in made]).tobytes())
    write_whole(target / "hidden.bin", array("I", sorted(picked)).tobytes())
    per_day: dict[str, int] = {}
    for _, day, _ in made:
        per_day[day] = per_day.get(day, 0) + 1
    told = {"changed": len(changed), "removed": len(picked) - len(changed),
            "added": len(made) - len(changed), "days": list(per_day.items())}  # fmt: skip
    write_whole(target / "manifest.json", json.dumps(told).encode())


def update_of(share: float) -> Update:
    """The update that changes this share of the records."""
    return Update(f"update-{share:g}", share)


def _some_day(update: Update, place: float) -> str:
    span = (update.last_day - update.first_day).days + 1
    return (update.first_day + timedelta(days=int(place * span))).isoformat()


def _changed(xml: bytes, day: str, kind: float) -> bytes:
    start = xml.index(b"<datestamp>") + len(b"<datestamp>")
    xml = xml[:start] + day.encode() + xml[start + 10 :]
    if kind < 0.1:
        return xml
    if kind < 0.2:
        end = xml.index(b"</identifier>")
        version = int(xml[xml.rindex(b"v", 0, end) + 1 : end])
        old, new = b"v%d" % version, b"v%d" % (version + 1)
        return xml.replace(old + b"</identifier>", new + b"</identifier>", 1)
    if kind < 0.5:
        added = b"  <setSpec>collection:UPDATE-%d</setSpec>\n" % int(kind * 1000)
        return xml.replace(HEADER_END, added + HEADER_END, 1)
    end = xml.index(b"</dc:title>")
    xml = xml[:end] + b" (revised %d)" % int(kind * 10_000) + xml[end:]
    subject = b'  <dc:subject xml:lang="en">revision %d</dc:subject>\n' % int(kind * 1000)
    return xml.replace(b"  <dc:type>", subject + b"  <dc:type>", 1)
