"""A cache for pure functions of one text, bounded in the number of texts and in their length.

What recurs in metadata (types, dates, laboratories, licences) is short.  A cache that also took
texts of a megabyte could be made to hold gigabytes by whoever writes the metadata.
"""

from __future__ import annotations

from functools import lru_cache, wraps
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")
_LONGEST = 500


def remembered(
    texts: int, longest: int = _LONGEST
) -> Callable[[Callable[[str], Found]], Callable[[str], Found]]:
    """Remembers the answers for the last ``texts`` texts of at most ``longest`` characters."""

    def around(work: Callable[[str], Found]) -> Callable[[str], Found]:
        known = lru_cache(maxsize=texts)(work)

        @wraps(work)
        def answer(text: str) -> Found:
            return known(text) if len(text) <= longest else work(text)

        return answer

    return around
