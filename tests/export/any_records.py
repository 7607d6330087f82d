"""Records to try every format on: all recorded ones, and any that the types allow."""

from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from crosswalks.other_repositories import everything
from halmirror.crosswalks import crosswalk
from halmirror.record import STATUSES, Body, Head, Name, Record
from recorded_records import recorded_records

HOSTILE = (
    "=cmd|' /C calc'!A0",
    "'=1+1",
    "@SUM(1)",
    "-1",
    "a | b",
    "|",
    "||",
    "a ; b",
    ";",
    "\x00",
    "a\x00b",
    "\x1b[2J",
    "\x85\u2028\u2029",
    "\u202ecod.exe",
    "\ufeffmark",
    "ER  - ",
    "x\r\nER  - \r\nTY  - JOUR",
    "}\n@article{x,",
    "{",
    "\\",
    '"quoted", with a comma',
    "tab\tand\nbreak\rand return",
    "$x_1^2$ & 50% of #1 ~ a_b^c",
    "costs 5$",
    "</dc:title><x>&amp;",
    "]]>",
    '"@en .\n<a> <b> <c> .',
    "Rock and Roll, Inc.",
    "\N{MATHEMATICAL SCRIPT CAPITAL X}\N{COMBINING ACUTE ACCENT}",
    "https://example.org/a b?c=%zz#d#e",
    "javascript:alert(1)",
    "1-20",
    "fr",
)
"""Texts that a format may trip over."""


@cache
def all_recorded() -> tuple[Record, ...]:
    """The recorded records of HAL, and those of all other repositories."""
    return (*recorded_records().values(), *_others())


def _others() -> list[Record]:
    rules = crosswalk("oai_dc", "generic")
    return [
        Record(
            Head(
                one.oai_identifier,
                source=one.file,
                oai_identifier=one.oai_identifier,
                datestamp="2024-03-07",
                status="active",
            ),
            rules(list(one.values), one.oai_identifier, None, [], None),
        )
        for one in everything()
    ]


def any_record(test: Callable[[Record], None]) -> Callable[[], None]:
    """Try a test on records that hypothesis picks by their number (`made`)."""
    return settings(deadline=None)(given(st.integers(0, 2**32).map(made))(test))


def made(number: int) -> Record:
    """The record of that number: what is empty is not there, all else may be anything.

    Records are large, so they are drawn here and not by hypothesis, which would take long.
    """
    chance = Random(number)  # noqa: S311 - no secret
    head = _value(chance, inspect.type_info(Head))
    body = _value(chance, inspect.type_info(Body))
    head = msgspec.structs.replace(
        head,
        source=_text(chance),
        oai_identifier=_text(chance),
        datestamp=_text(chance),
        status=chance.choice(STATUSES),
    )
    if body.year is not None:
        body = msgspec.structs.replace(body, date=f"{body.year:04d}-{chance.choice(TIMES)}")
    return Record(head, body)


TIMES = ("01", "12-31", "13", "02-30", "01-02/2020-05-06")


def _value(chance: Random, kind: Any) -> Any:  # noqa: PLR0911 - one a kind
    match kind:
        case inspect.UnionType(types=types):
            (one,) = (one for one in types if not isinstance(one, inspect.NoneType))
            return _value(chance, one) if chance.random() < 0.6 else None
        case inspect.VarTupleType(item_type=item):
            return tuple(_value(chance, item) for _ in range(chance.choice((0, 0, 1, 2, 3))))
        case inspect.StructType(cls=cls) if cls is Name:
            if chance.random() < 0.3:
                return Name(literal=_text(chance))
            return Name(family=_text(chance), given=chance.choice((None, _text(chance))))
        case inspect.StructType(cls=cls, fields=fields):
            return _struct(chance, cls, fields)
        case inspect.IntType():
            return chance.choice((1, 7, 1999, 2020, 9999))
        case inspect.LiteralType(values=values):
            return chance.choice(values)
        case _:
            return _text(chance)


def _struct(chance: Random, cls: Any, fields: Any) -> Any:
    """One that is not empty, with what it must have."""
    while True:
        values = {one.name: _value(chance, one.type) for one in fields}
        missing = [one for one in fields if one.required and values[one.name] == ()]
        if missing or not (any(values.values()) or cls in (Head, Body)):
            continue
        return cls(**values)


def _text(chance: Random) -> str:
    if chance.random() < 0.5:
        return chance.choice(HOSTILE)
    points = ((0, 0x80), (0x20, 0x7F), (0x80, 0x800), (0x2000, 0x2100), (0xE000, 0x110000))
    return "".join(
        chr(chance.randrange(*chance.choice(points))) for _ in range(chance.randint(1, 12))
    )
