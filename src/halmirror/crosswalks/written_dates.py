"""Dates as catalogues and forms write them, brought to EDTF level 0 where there is one reading.

Brackets, question marks, ``c`` and ``ca.`` say how sure a cataloguer was (AACR2 1.4F, ISBD 4.3);
level 0 cannot say it, so whoever uses `reading` keeps what was written beside what was read.
"""

from __future__ import annotations

import re
from unicodedata import normalize

from halmirror.crosswalks.dates import year_of

_MONTHS = (
    "january janvier januar enero janeiro gennaio jan",
    "february fevrier februar febrero fevereiro febbraio feb",
    "march mars marz maerz marzo marco mar",
    "april avril abril aprile apr",
    "may mai mayo maio maggio",
    "june juin juni junio junho giugno jun",
    "july juillet juli julio julho luglio jul",
    "august aout agosto aug",
    "september septembre septiembre setembro settembre sep sept",
    "october octobre oktober octubre outubro ottobre oct",
    "november novembre noviembre novembro nov",
    "december decembre dezember diciembre dezembro dicembre dec",
)
"""English, French, German, Spanish, Portuguese and Italian, without accents."""
_MONTH = {name: at for at, names in enumerate(_MONTHS, 1) for name in names.split()}
_LONGEST = 40
_DIGITS = re.compile(r"[0-9]{4}", re.ASCII)
_WRAPPED = re.compile(r"\[[^\[\]()]+\]|\([^\[\]()]+\)")
_ABOUT = re.compile(r"(?:c|©|cop\.?|ca\.?|circa|vers|um) ?(?=[0-9]{4})", re.IGNORECASE)
_YEARS = re.compile(r"([0-9]{4}) ?[-–—] ?([0-9]{4})", re.ASCII)
_STAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2})(?:(:[0-9]{2})(?:[.,][0-9]+)?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?",
    re.ASCII,
)
_BIG_FIRST = re.compile(
    r"(?P<year>[0-9]{4})([-/.])(?P<month>[0-9]{1,2})\2(?P<day>[0-9]{1,2})", re.ASCII
)
_COMPACT = re.compile(
    r"(?P<year>(?:1[5-9]|20)[0-9]{2})(?P<month>[0-9]{2})(?P<day>[0-9]{2})", re.ASCII
)
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})", re.ASCII)
_DAY_MONTH = re.compile(
    r"(?:([0-9]{1,2})(?:er|st|nd|rd|th|\.|º)? (?:de |of )?)?([^\W\d_]{3,10})[.,]? (?:de |of )?"
    r"([0-9]{4})"
)
_MONTH_DAY = re.compile(r"([^\W\d_]{3,10})\.? ([0-9]{1,2})(?:st|nd|rd|th)?,? ([0-9]{4})")


def reading(text: str) -> str | None:
    """The EDTF level 0 date a text stands for, or None where it has none or more than one.

    A date of level 0 stands for itself.  Of ``03-04-2007`` only the year is sure.
    """
    if year_of(text) is not None:
        return text
    if len(text) > _LONGEST or not _DIGITS.search(text):
        return None
    bare = _bare(text)
    read = bare if year_of(bare) is not None else _read(bare)
    return read if read and year_of(read) is not None else None


def _bare(text: str) -> str:
    """Without the signs of a cataloguer's doubt; what is left may still be no date."""
    while _WRAPPED.fullmatch(text):
        text = text[1:-1].strip()
    text = _ABOUT.sub("", text, count=1) if _ABOUT.match(text) else text
    return text.replace("?", "").strip(" .")


def _read(text: str) -> str | None:
    years = _YEARS.fullmatch(text)
    if years:
        return f"{years[1]}/{years[2]}" if years[1] < years[2] else None
    stamp = _STAMP.fullmatch(text)
    if stamp:
        return f"{stamp[1]}T{stamp[2]}{stamp[3] or ':00'}{_offset(stamp[4] or '')}"
    found = _BIG_FIRST.fullmatch(text) or _COMPACT.fullmatch(text)
    if found:
        return _date(found["year"], found["month"], found["day"])
    found = _YEAR_LAST.fullmatch(text)
    if found:
        return _year_last(found[4], int(found[1]), int(found[3]))
    return _in_words(text)


def _offset(text: str) -> str:
    return f"{text[:3]}:{text[-2:]}" if len(text) == 5 else text


def _date(year: str, month: str | int, day: str | int) -> str:
    return f"{year}-{int(month):02}-{int(day):02}"


def _year_last(year: str, first: int, second: int) -> str | None:
    """Day first or month first shows only where one of them is above twelve, or both are one."""
    if first == second or second > 12 >= first:
        return _date(year, first, second)
    if first > 12 >= second:
        return _date(year, second, first)
    return year if 1 <= first <= 12 and 1 <= second <= 12 else None


def _in_words(text: str) -> str | None:
    found = _DAY_MONTH.fullmatch(text)
    if found:
        month = _month(found[2])
        if month is None:
            return None
        return _date(found[3], month, found[1]) if found[1] else f"{found[3]}-{month:02}"
    found = _MONTH_DAY.fullmatch(text)
    month = _month(found[1]) if found else None
    return _date(found[3], month, found[2]) if found and month else None


def _month(name: str) -> int | None:
    plain = normalize("NFD", name.casefold()).encode("ascii", "ignore").decode("ascii")
    return _MONTH.get(plain)
