"""HAL's affiliations: ``Lab (ACR) ; Parent (P)-Parent (Q)``, split only where that is certain.

Names hold ``-``, ``;`` and parentheses of their own, so a split that could be wrong is not made.
Until 2019 HAL's crosswalk put line breaks around its own marks (CCSDForge/FinHal,
``library/Hal/Document/xsl/dc.xsl``, template ``structure``); there they tell them from a name's.
Joining name, acronym and parents again gives the text back, blanks around parentheses aside.
"""

from __future__ import annotations

import re

from halmirror.crosswalks.text import clean
from halmirror.record import Affiliation
from halmirror.remembered import remembered

SEPARATOR = "\n ; \n"
"""What stood between a laboratory and the institutions above it in the form with line breaks."""
BROKEN = (SEPARATOR, "\n (\n")
"""What only that form has in a contributor."""

_SPACED_END = re.compile(r" \) -(?=\S)")
_LONGEST_ACRONYM = 30


@remembered(2048, longest=1000)
def affiliation(text: str) -> Affiliation | None:
    """The affiliation a cleaned contributor is, or None: no `` ; `` and no acronym at its end."""
    tight = _tighten(text)
    laboratory, separator, above = tight.partition(" ; ")
    if separator:
        return _below(laboratory, above)
    named = _final_parenthesis(tight)
    if named and (text.endswith(" )") or _is_acronym(named[1], named[0])):
        return Affiliation(*named)
    return None


def affiliation_by_breaks(text: str, given: str) -> Affiliation | None:
    """The affiliation a contributor is in a record of the form with line breaks.

    ``text`` is the cleaned value, ``given`` the value as it came.  A `` ; `` or a parenthesis
    without line breaks is a person's or a funder's own.
    """
    place = given.find(SEPARATOR)
    if place < 0:
        named = _final_parenthesis(_tighten(text)) if text.endswith(" )") else None
        return Affiliation(*named) if named else None
    if ";" in given[:place]:
        laboratory, above = clean(given[:place]), clean(given[place + len(SEPARATOR) :])
    else:
        laboratory, _, above = text.partition(" ; ")
    return _below(_tighten(laboratory), _tighten(above))


def _below(laboratory: str, above: str) -> Affiliation:
    name, acronym = _final_parenthesis(laboratory) or (laboratory, None)
    return Affiliation(name, acronym, _parents(above))


def _tighten(text: str) -> str:
    """Drops the blanks that HAL's line breaks around parentheses leave."""
    if "( " not in text and " )" not in text:
        return text
    if " ) -" in text:
        text = _SPACED_END.sub(")-", text)
    return text.replace("( ", "(").replace(" )", ")")


def _parents(text: str) -> tuple[str, ...]:
    """The institutions above, each with its acronym, or the whole text as one."""
    if ")-" not in text or " ; " in text or not text.endswith(")"):
        return (text,)
    pieces = text.split(")-")
    parents = (*[f"{piece})" for piece in pieces[:-1]], pieces[-1])
    if text.count("(") == len(pieces) == text.count(")"):
        certain = all("(" in one for one in parents)
    else:
        certain = all(len(one) > 1 and _balanced(one) for one in parents)
    return parents if certain else (text,)


def _balanced(text: str) -> bool:
    depth = 0
    for one in text:
        if one == "(":
            depth += 1
        elif one == ")":
            depth -= 1
            if depth < 0:
                return False
    return depth == 0


def _final_parenthesis(text: str) -> tuple[str, str] | None:
    """What stands before and inside a balanced parenthesis at the end, both not empty."""
    if not text.endswith(")"):
        return None
    place = text.rfind("(")
    if text.count(")", place) != 1:
        place = _opening(text)
    before, inside = text[:place], text[place + 1 : -1]
    if place <= 0 or not before.endswith(" ") or not inside or inside != inside.strip():
        return None
    return before[:-1], inside


def _opening(text: str) -> int:
    """Where the parenthesis opens that the last character closes; -1 where none does."""
    depth = 0
    for place in range(len(text) - 1, -1, -1):
        if text[place] == ")":
            depth += 1
        elif text[place] == "(":
            depth -= 1
            if depth == 0:
                return place
    return -1


def _is_acronym(text: str, name: str) -> bool:
    """Whether a parenthesis is an acronym: mostly capitals, or letters of the name in order."""
    if len(text) > _LONGEST_ACRONYM:
        return False
    capitals = sum(one.isupper() for one in text)
    if capitals >= 2 and capitals >= sum(one.islower() for one in text):
        return True
    letters = iter(name.casefold())
    wanted = [one for one in text.casefold() if one.isalnum()]
    return len(wanted) >= 2 and text[0].isupper() and all(one in letters for one in wanted)
