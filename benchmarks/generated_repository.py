"""A generated repository as its server and the comparisons with the truth read it.

Records are mapped into memory and never copied one by one: a stretch of a list by days is a
few slices of the files.  With an update, the records it changed or removed are holes in the old
days, and what it brought stands on its own days after them.
"""

from __future__ import annotations

import json
import mmap
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Self

from generated_files import SHARD, number_limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class _Shard:
    """A file of records with its index."""

    def __init__(self, path: Path) -> None:
        index = path.with_suffix(".index").read_bytes()
        size = len(index) // 12
        self.ends: array[int] = array("Q")
        self.ends.frombytes(index[: 8 * size])
        self.headers: array[int] = array("I")
        self.headers.frombytes(index[8 * size :])
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else None
        self.content = memoryview(self._map or b"")

    def start(self, place: int) -> int:
        return self.ends[place - 1] if place else 0

    def records(self, first: int, last: int) -> memoryview:
        """The records from ``first`` up to, not including, ``last``, indented as in a page."""
        return self.content[self.start(first) : self.start(last)]

    def header(self, place: int) -> memoryview:
        start = self.start(place)
        return self.content[start + 19 : start + self.headers[place]]

    def close(self) -> None:
        self.content.release()
        if self._map is not None:
            self._map.close()


@dataclass(frozen=True)
class Truth:
    """A record as the repository holds it."""

    identifier: str
    datestamp: str
    sets: tuple[str, ...]
    xml: bytes


class Repository:
    """Reads the repository in ``folder``, after the update of that name if one is given.

    A record's *position* is its place in the files; its *rank* counts only what is there.
    """

    def __init__(self, folder: Path, update: str | None = None) -> None:
        told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        self.total: int = told["records"]
        self.seed: int = told["seed"]
        self.number_limit = number_limit(self.total)
        paths = sorted(folder.glob("records-*.xml"))
        days: list[tuple[str, int]] = [(day, count) for day, count in told["days"]]
        self.numbers = _unsigned(folder / "numbers.bin")
        self._holes: array[int] = array("I")
        self.added = 0
        if update is not None:
            changed = json.loads((folder / update / "manifest.json").read_text(encoding="utf-8"))
            self._holes = _unsigned(folder / update / "hidden.bin")
            more = _unsigned(folder / update / "numbers.bin")
            self.added = len(more)
            self.numbers.extend(more)
            paths += [folder / update / "records-0000.xml"]
            days += [(day, count) for day, count in changed["days"]]
        self._shards = [_Shard(path) for path in paths]
        self.days = [day for day, _ in days]
        self._day_ends = list(accumulate(count for _, count in days))
        # How many records are there before each hole: what turns a rank into a position.
        self._before = array("q", (hole - place for place, hole in enumerate(self._holes)))
        self._by_number: array[int] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for shard in self._shards:
            shard.close()

    @property
    def last_day(self) -> str:
        """The day of the latest records."""
        return self.days[-1]

    def span(self, first: str, last: str) -> tuple[int, int]:
        """The ranks of the records of these days: the first, and the one after the last."""
        low, high = bisect_left(self.days, first), bisect_right(self.days, last)
        start = self._day_ends[low - 1] if low else 0
        end = self._day_ends[high - 1] if high else 0
        return self._rank(start), max(self._rank(end), self._rank(start))

    def records(self, first: int, last: int) -> list[memoryview]:
        """The ``<record>`` elements of these ranks, as few slices as there are."""
        return [
            shard.records(low, high)
            for start, end in self._stretches(first, last)
            for shard, low, high in self._cut(start, end)
        ]

    def headers(self, first: int, last: int) -> list[memoryview]:
        """The ``<header>`` elements of these ranks."""
        return [
            shard.header(place)
            for start, end in self._stretches(first, last)
            for shard, low, high in self._cut(start, end)
            for place in range(low, high)
        ]

    def xml(self, position: int) -> bytes:
        """The ``<record>`` element at a position."""
        shard, place = self._at(position)
        return bytes(shard.records(place, place + 1)[4:-1])

    def header(self, position: int) -> bytes:
        """The ``<header>`` element at a position."""
        shard, place = self._at(position)
        return bytes(shard.header(place))

    def positions(self) -> Iterator[int]:
        """The positions of all records that are there, in the lists' order."""
        for start, end in self._stretches(0, self.span("", "9999")[1]):
            yield from range(start, end)

    def position_of(self, number: int) -> int | None:
        """Where the document with this number stands, or None."""
        if self._by_number is None:
            self._by_number = array("i", [-1]) * (max(self.numbers, default=0) + 1)
            for position in self.positions():
                self._by_number[self.numbers[position]] = position
        found = self._by_number[number] if 0 <= number < len(self._by_number) else -1
        return found if found >= 0 else None

    def truth(self) -> Iterator[Truth]:
        """Every record that is there, in the lists' order."""
        for position in self.positions():
            header = self.header(position)
            yield Truth(
                _between(header, b"<identifier>")[0],
                _between(header, b"<datestamp>")[0],
                tuple(_between(header, b"<setSpec>")),
                self.xml(position),
            )

    def in_set(self, name: str) -> array[int]:
        """The positions of a set's records; reads every header once."""
        wanted = f"<setSpec>{name}</setSpec>".encode()
        return array("I", (at for at in self.positions() if wanted in self.header(at)))

    def span_in(self, positions: Sequence[int], first: str, last: str) -> tuple[int, int]:
        """The places in ``positions`` of the records of these days."""
        low, high = bisect_left(self.days, first), bisect_right(self.days, last)
        start = self._day_ends[low - 1] if low else 0
        end = self._day_ends[high - 1] if high else 0
        return bisect_left(positions, start), bisect_left(positions, max(start, end))

    def _rank(self, position: int) -> int:
        return position - bisect_left(self._holes, position)

    def _position(self, rank: int) -> int:
        return rank + bisect_right(self._before, rank)

    def _stretches(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """The positions of some ranks as stretches between holes."""
        if first >= last:
            return
        start, end = self._position(first), self._position(last - 1) + 1
        for place in range(bisect_left(self._holes, start), bisect_left(self._holes, end)):
            if start < self._holes[place]:
                yield start, self._holes[place]
            start = self._holes[place] + 1
        yield start, end

    def _cut(self, start: int, end: int) -> Iterator[tuple[_Shard, int, int]]:
        while start < end:
            shard, place = self._at(start)
            upto = min(end - start + place, len(shard.ends))
            yield shard, place, upto
            start += upto - place

    def _at(self, position: int) -> tuple[_Shard, int]:
        if position >= self.total:
            return self._shards[-1], position - self.total
        return self._shards[position // SHARD], position % SHARD


def _unsigned(path: Path) -> array[int]:
    values: array[int] = array("I")
    values.frombytes(path.read_bytes())
    return values


def _between(header: bytes, tag: bytes) -> list[str]:
    return [part.partition(b"<")[0].decode() for part in header.split(tag)[1:]]
