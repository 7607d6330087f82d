"""Dates: which texts are dates of EDTF level 0 (ISO 8601-2, annex A), and their year."""

from __future__ import annotations

import re
from calendar import monthrange

from halmirror.remembered import remembered

_DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?",
    re.ASCII,
)


@remembered(4096)
def year_of(text: str) -> int | None:
    """The year of a date or the first year of an interval ``a/b``; None where it is no date.

    The year 0000, which some archives write for "unknown", is none.
    """
    start, slash, end = text.partition("/")
    year = _year(start)
    if slash and _year(end) is None:
        return None
    return year


def _year(text: str) -> int | None:
    found = _DATE.fullmatch(text)
    if found is None or found[1] == "0000":
        return None
    year, month, day = int(found[1]), found[2], found[3]
    if month and not 1 <= int(month) <= 12:
        return None
    if day and not 1 <= int(day) <= monthrange(year, int(month))[1]:
        return None
    return year
