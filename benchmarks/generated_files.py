"""A generated repository's files: its days, the order of its documents, its shards.

The folder holds the records as ``<record>`` elements in the order of modification days, and within
a day in HAL's order (the document's number as text, descending), in shards; beside each shard
stands where its records and their headers end.  ``manifest.json`` is written last.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import sys
from array import array
from bisect import bisect
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from generated_record import Maker

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FORMAT = 1
SHARD = 10_000
LAST_DAY = date(2026, 11, 20)
RE_INDEX = date(2026, 6, 14)
_RE_INDEX_SHARE = 0.17
"""800,000 of HAL's 4.65 million records carry the day of one re-index."""
_BULK_DAYS = 40
_BULK_SHARE = 0.15
_FIRST_DAY = date(2017, 1, 2)
_HALF_LIFE = 400.0
"""Days over which the number of records whose last change is that old halves."""
HEADER_END = b"</header>"


def cache_folder(records: int, seed: int) -> Path:
    """Where a repository of this size is kept unless told."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    name = f"repository-{FORMAT}-{records}-{seed}"
    return Path(home).expanduser() / "halmirror-benchmarks" / name


def generate(folder: Path, records: int, seed: int, workers: int | None = None) -> None:
    """Make the repository in ``folder``, or what is lacking of it."""
    if (folder / "manifest.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    days = days_of(records, seed)
    numbers = _ordered_numbers(records, seed, days)
    write_whole(folder / "numbers.bin", numbers.tobytes())
    (folder / "days.json").write_text(json.dumps(days), encoding="utf-8")
    shards = range(0, records, SHARD)
    lacking = [start for start in shards if not _index(folder, start // SHARD).exists()]
    context = multiprocessing.get_context("spawn")
    workers = min(workers or os.cpu_count() or 1, len(lacking) or 1)
    with context.Pool(workers, _prepare, (folder, records, seed)) as pool:
        for done, _ in enumerate(pool.imap_unordered(_make_shard, lacking), 1):
            tell(f"\r{done} of {len(lacking)} shards")
    tell("\n")
    manifest = {"format": FORMAT, "records": records, "seed": seed, "days": days}
    write_whole(folder / "manifest.json", json.dumps(manifest).encode())


def days_of(records: int, seed: int) -> list[tuple[str, int]]:
    """The modification days with how many records each has, oldest first.

    Recent days hold more, some days hold a bulk import, and one holds a re-index.
    """
    draw = random.Random(f"days {seed}").random
    span = (LAST_DAY - _FIRST_DAY).days + 1
    weights = [
        (0.2 if (_FIRST_DAY + timedelta(days=day)).weekday() > 4 else 1.0)
        * 0.5 ** ((span - day) / _HALF_LIFE) * (0.5 + draw())
        for day in range(span)
    ]  # fmt: skip
    scale = (1 - _RE_INDEX_SHARE - _BULK_SHARE) / sum(weights)
    weights = [weight * scale for weight in weights]
    for _ in range(_BULK_DAYS):
        weights[int(draw() * span)] += _BULK_SHARE / _BULK_DAYS
    weights[(RE_INDEX - _FIRST_DAY).days] += _RE_INDEX_SHARE
    ends = [round(records * part) for part in accumulate(weights)]
    ends[-1] = records
    counts = (end - start for start, end in zip([0, *ends], ends, strict=False))
    return [
        ((_FIRST_DAY + timedelta(days=day)).isoformat(), count)
        for day, count in enumerate(counts)
        if count
    ]


def list_order(numbers: Iterable[int]) -> list[int]:
    """Documents in the order of HAL's lists: their numbers as text, descending."""
    return sorted(numbers, key=str, reverse=True)


def _ordered_numbers(records: int, seed: int, days: Sequence[tuple[str, int]]) -> array[int]:
    """The document numbers in the order of the lists: by day, then HAL's order."""
    drawn = random.Random(f"numbers {seed}").sample(range(10, number_limit(records)), records)
    ordered: array[int] = array("I")
    start = 0
    for _, count in days:
        ordered.extend(list_order(drawn[start : start + count]))
        start += count
    return ordered


def number_limit(records: int) -> int:
    """Document numbers are below this."""
    return max(5_600_000, records * 6 // 5)


_made: tuple[Path, Maker, array[int], list[tuple[str, int]]]


def _prepare(folder: Path, records: int, seed: int) -> None:
    global _made  # noqa: PLW0603 -- what a worker process keeps between shards
    numbers: array[int] = array("I")
    numbers.frombytes((folder / "numbers.bin").read_bytes())
    days = json.loads((folder / "days.json").read_text(encoding="utf-8"))
    _made = folder, Maker(seed, records), numbers, days


def _make_shard(start: int) -> int:
    folder, maker, numbers, days = _made
    names = [day for day, _ in days]
    ends = list(accumulate(count for _, count in days))
    here = range(start, min(start + SHARD, len(numbers)))
    records = (
        maker.record(numbers[position], names[bisect(ends, position)]).xml for position in here
    )
    write_shard(folder, start // SHARD, records)
    return start


def write_shard(folder: Path, number: int, records: Iterable[bytes]) -> None:
    """Write records one after the other, then where each ends and how long to its header's end."""
    ends: array[int] = array("Q")
    headers: array[int] = array("I")
    end = 0
    with _shard(folder, number).open("wb", buffering=1 << 20) as file:
        for xml in records:
            file.write(b"    %b\n" % xml)
            end += len(xml) + 5
            ends.append(end)
            headers.append(xml.index(HEADER_END) + len(HEADER_END) + 4)
    write_whole(_index(folder, number), ends.tobytes() + headers.tobytes())


def _shard(folder: Path, number: int) -> Path:
    return folder / f"records-{number:04}.xml"


def _index(folder: Path, number: int) -> Path:
    return folder / f"records-{number:04}.index"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)


def tell(text: str) -> None:
    """Say how far it is."""
    sys.stderr.write(text)
    sys.stderr.flush()
