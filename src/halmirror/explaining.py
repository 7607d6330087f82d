"""The account of a record: where each value of its metadata went, and by which rule.

It is made when asked for, by running the crosswalk once more with an account in hand; nothing
of it is kept in the mirror.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from halmirror.crosswalks import crosswalk
from halmirror.crosswalks.draft import Account
from halmirror.crosswalks.dublin_core import values
from halmirror.crosswalks.rule_names import section
from halmirror.oaipmh.protocol import well_formed
from halmirror.record import encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halmirror.batch import Rules
    from halmirror.crosswalks import Source
    from halmirror.record import Body

Outcome = Literal["placed", "kept in notes", "repetition", "dropped", "source only"]
_REPETITION = "repetition of "
_DROPPED = "dropped: "


class Placement(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one source value.

    ``position`` counts the values of the metadata from 1, in document order.  ``text`` is the
    value as it came, ``lang`` its ``xml:lang``.  ``section`` is the heading of
    ``docs/normalising.md`` that states the ``rule``.  ``places`` are paths in the record
    (``titles[0].subtitle``): where the value is, or what it repeats.  ``reason`` is there where
    the value was dropped, ``warnings`` are those about this value.
    """

    position: int
    element: str
    lang: str | None
    text: str
    rule: str
    section: str
    outcome: Outcome
    places: tuple[str, ...] = ()
    reason: str | None = None
    warnings: tuple[str, ...] = ()


class Explanation(msgspec.Struct, frozen=True):
    """The account of one record: a placement for each source value, in document order.

    ``warnings`` are all of the record's.  ``as_held`` is false where today's rules give another
    record than the one that the mirror holds, which earlier rules made.
    """

    id: str
    version: int | None
    prefix: str
    profile: str
    placements: tuple[Placement, ...]
    warnings: tuple[str, ...]
    as_held: bool = True

    def json(self) -> bytes:
        """The account as one line of JSON (UTF-8)."""
        return msgspec.json.encode(self)


def explain(
    source: bytes,
    rules: Rules,
    identifier: str,
    version: int | None,
    sets: Sequence[str],
    held: bytes | None = None,
) -> Explanation:
    """The account of a record from its metadata as they came (canonical XML).

    ``identifier`` (without version), ``version`` and the header's ``sets`` are what the
    crosswalk also looks at; ``held`` is the JSON of the body to compare with.
    Raises `lxml.etree.XMLSyntaxError` where ``source`` is not XML.
    """
    found = values(well_formed(source))
    account = Account()
    body = crosswalk(rules.prefix, rules.profile)(found, identifier, version, sets, account)
    return Explanation(
        identifier,
        version,
        rules.prefix,
        rules.profile,
        placements(found, rules, account),
        body.warnings,
        as_held=held is None or _same(body, held),
    )


def placements(sources: Sequence[Source], rules: Rules, account: Account) -> tuple[Placement, ...]:
    """The placement of each value, in document order, from what the rules told."""
    told = {index: (rule, where) for index, rule, where in account.placed}
    if len(told) != len(account.placed) or len(told) != len(sources):
        raise AssertionError("a rule did not account for each value exactly once")
    warned: dict[int, dict[str, None]] = {}
    for index, warning in account.warned:
        warned.setdefault(index, {})[warning] = None
    return tuple(
        _placement(index, one, rules, *told[index], tuple(warned.get(index, ())))
        for index, one in enumerate(sources)
    )


def _placement(
    index: int, source: Source, rules: Rules, rule: str, where: str, warnings: tuple[str, ...]
) -> Placement:
    outcome, places, reason = _read(where)
    return Placement(
        index + 1,
        source.element,
        source.lang,
        source.text,
        rule,
        section(rules.prefix, rules.profile, rule),
        outcome,
        places,
        reason,
        warnings,
    )


def _read(where: str) -> tuple[Outcome, tuple[str, ...], str | None]:
    """Outcome, places and reason from what a rule told."""
    if where.startswith(_DROPPED):
        return "dropped", (), where.removeprefix(_DROPPED)
    if where == "kept in the source metadata only":
        return "source only", (), None
    places = tuple(where.removeprefix(_REPETITION).split(" and "))
    if where.startswith(_REPETITION):
        return "repetition", places, None
    in_notes = all(place.startswith("notes[") for place in places)
    return ("kept in notes" if in_notes else "placed"), places, None


def _same(body: Body, held: bytes) -> bool:
    return encode(body) == held
