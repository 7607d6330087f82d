"""The sets that states name: each setSpec is kept once, and a state keeps a JSON list of numbers.

The numbers of a list ascend, so two lists of the same sets are the same text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

_REMEMBERED = 100_000
"""Sets that are remembered; HAL has some ten thousand sets."""

_LISTS_REMEMBERED = 10_000
"""Lists whose sets are kept: whole mirrors are read, and many records share one."""


class Sets:
    """Reads and writes lists of sets over a connection; one that only reads calls `specs` alone."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._specs: dict[int, str] = {}
        self._lists: dict[str, tuple[str, ...]] = {}
        self._numbers: dict[str, int] = {}

    def specs(self, numbers: str) -> tuple[str, ...]:
        """The setSpecs of a list of numbers, sorted.  Raises `ValueError` where it is none."""
        known = self._lists.get(numbers)
        if known is None:
            known = tuple(sorted(map(self._spec, _listed(numbers))))
            if len(self._lists) >= _LISTS_REMEMBERED:
                self._lists.clear()
            self._lists[numbers] = known
        return known

    def numbers(self, specs: Iterable[str]) -> str:
        """The list of numbers of setSpecs, those that are new entered; inside a transaction."""
        known = self._numbers
        found = {known.get(spec) or self._number(spec) for spec in specs}
        return "[" + ",".join(map(str, sorted(found))) + "]"

    def forget(self) -> None:
        """A transaction that may have given numbers was rolled back."""
        self._numbers.clear()
        self._lists.clear()

    def _spec(self, number: int) -> str:
        spec = self._specs.get(number)
        if spec is None:
            row = self._connection.execute(
                "SELECT spec FROM set_spec WHERE id = ?", (number,)
            ).fetchone()
            if row is None:
                raise ValueError(f"there is no set of number {number}")
            spec = row[0]
            if len(self._specs) >= _REMEMBERED:
                self._specs.clear()
            self._specs[number] = spec
        return spec

    def _number(self, spec: str) -> int:
        number = self._numbers.get(spec)
        if number is None:
            row = self._connection.execute(
                "INSERT INTO set_spec (spec) VALUES (?) "
                "ON CONFLICT (spec) DO UPDATE SET spec = spec RETURNING id",
                (spec,),
            ).fetchone()
            number = int(row[0])
            if len(self._numbers) >= _REMEMBERED:
                self._numbers.clear()
            self._numbers[spec] = number
        return number


def _listed(numbers: str) -> Iterable[int]:
    """The numbers of a list; a parser of all JSON would cost four times as much."""
    if not (numbers.startswith("[") and numbers.endswith("]")):
        raise ValueError(f"{numbers!r} is no list of sets")
    return map(int, numbers[1:-1].split(",")) if len(numbers) > len("[]") else ()
