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


class Sets:
    """Reads and writes lists of sets over a connection; one that only reads calls `specs` alone."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._specs: dict[str, str] = {}
        self._numbers: dict[str, int] = {}

    def specs(self, numbers: str) -> tuple[str, ...]:
        """The setSpecs of a list of numbers, sorted.  Raises `ValueError` where it is none."""
        known, listed = self._specs, _listed(numbers)
        try:
            found = [known[number] for number in listed]
        except KeyError:
            found = [known.get(number) or self._spec(number) for number in listed]
        return tuple(sorted(found))

    def numbers(self, specs: Iterable[str]) -> str:
        """The list of numbers of setSpecs, those that are new entered; inside a transaction."""
        known = self._numbers
        found = {known.get(spec) or self._number(spec) for spec in specs}
        return "[" + ",".join(map(str, sorted(found))) + "]"

    def forget(self) -> None:
        """A transaction that may have given numbers was rolled back."""
        self._numbers.clear()
        self._specs.clear()

    def _spec(self, number: str) -> str:
        row = self._connection.execute(
            "SELECT spec FROM set_spec WHERE id = ?", (int(number),)
        ).fetchone()
        if row is None:
            raise ValueError(f"there is no set of number {number}")
        if len(self._specs) >= _REMEMBERED:
            self._specs.clear()
        spec = self._specs[number] = str(row[0])
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


def _listed(numbers: str) -> list[str]:
    """The numbers of a list; a parser of all JSON would cost four times as much."""
    if not (numbers.startswith("[") and numbers.endswith("]")):
        raise ValueError(f"{numbers!r} is no list of sets")
    return numbers[1:-1].split(",") if len(numbers) > len("[]") else []
