"""Creators as repositories write them: persons, institutions, roles, affiliations, several in one.

A name is taken apart only where its form leaves one reading; else it stays whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from halmirror.crosswalks.text import without_blank_before_comma
from halmirror.record import Name

_ARABIC_COMMA = "،"
_LONGEST = 300
"""What is longer is no name to be taken apart."""
_ROLES = frozenset(
    {
        "author", "auteur", "autor", "autore", "authors", "auteurs", "ed", "eds", "editor",
        "editors", "éd", "éds", "éditeur", "hg", "hrsg", "herausgeber", "dir", "directeur",
        "director", "coord", "comp", "compiler", "trad", "trans", "translator", "traducteur",
        "traductor", "ill", "illustrator", "photographer", "advisor", "supervisor",
        "مؤلف", "محرر", "مترجم",
    }
)  # fmt: skip
_ROLE = re.compile(r"[ ,،]+(?:\(([^()]{2,14})\)|\[([^\[\]]{2,14})\])$|[,،] ?([^\W\d_]{2,14})\.?$")
_LIFE = re.compile(r",? \(?[12][0-9]{3}\?? ?[-–] ?(?:[12][0-9]{3}\??)?\)?\.?$", re.ASCII)
_BODY_BEFORE = re.compile(
    r"\b(?:universi|institut|departa?ment|département|division|laborato|faculty|faculté|librar"
    r"|bibliothe|bibliothè|minist|association|society|société|sociedad|committee|commission"
    r"|council|cent(?:er|re)\b|agency|corporation|company|foundation|fondation|academy|académie"
    r"|museum|musée|bureau|office|organi[sz]ation|school|college|hospital)",
    re.IGNORECASE,
)
_BODY_AFTER = re.compile(
    r"\b(?:universi(?:t|dad|dade)|national laborator|institut(?:e|o)\b|department of)",
    re.IGNORECASE,
)
_SIGNS = re.compile(rf"[;()\[\]{_ARABIC_COMMA}0-9]|,.*,|\bet al\b")
"""What any of the rules beyond the plain comma and the institutions needs; most names lack it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A creator, the affiliation written behind it, and what is to be said of it.

    ``whole`` says that the name leaves out a role or the years of a life, so that the value as it
    came is kept beside it; ``several`` that it may be more than one name.
    """

    name: Name
    affiliation: str | None = None
    whole: bool = False
    several: bool = False


def reading(text: str) -> Reading:
    """What one value of ``dc:creator`` says."""
    if len(text) > _LONGEST:
        return Reading(plain(text))
    if not _SIGNS.search(text):
        return Reading(Name(literal=text) if _is_institution(text) else plain(text))
    return _with_affiliation(text) if ";" in text else _with_signs(text)


def _with_signs(text: str) -> Reading:
    bare = _without_role(_LIFE.sub("", text, count=1))
    latin = _latin_comma(bare)
    if _is_institution(latin):
        return Reading(Name(literal=text))
    if _is_several(latin):
        return Reading(Name(literal=text), several=True)
    name = plain(latin)
    return Reading(Name(literal=bare) if name.literal else name, whole=bare != text)


def _latin_comma(text: str) -> str:
    """With a Latin comma for an Arabic one, where that is what parts the name."""
    before, comma, after = text.partition(_ARABIC_COMMA)
    return f"{before},{after}" if comma and "," not in before else text


def plain(text: str) -> Name:
    """``Family, Given``; without a comma the whole is a literal.

    A comma at the end, left by a lost middle name, goes.
    """
    family, comma, given = text.partition(",")
    family = family.rstrip()
    if not comma or not family:
        return Name(literal=text)
    given = given.strip()
    if "," in given:
        given = without_blank_before_comma(given).rstrip(", ")
    return Name(family, given or None)


def _with_affiliation(text: str) -> Reading:
    """``Family, Given; Affiliation``, as OJS writes it; a comma behind ``;`` may be a name's."""
    before, _, after = text.partition(";")
    before, after = before.strip(), after.strip()
    one = after and ";" not in after and ("," not in after or _BODY_BEFORE.search(after))
    name = plain(before)
    if one and before.count(",") == 1 and name.family and name.given:
        return Reading(name, affiliation=after)
    return Reading(Name(literal=text), several=True)


def _without_role(text: str) -> str:
    found = _ROLE.search(text)
    if found is None:
        return text
    rest = text[: found.start()]
    if found[3] and "," not in rest and _ARABIC_COMMA not in rest:
        return text  # Ed may be a given name
    role = (found[1] or found[2] or found[3]).rstrip(".").casefold()
    return rest if role in _ROLES and rest else text


def _is_institution(text: str) -> bool:
    before, comma, after = text.partition(",")
    if not comma:
        return False
    several_words = " " in before.strip()
    return bool((several_words and _BODY_BEFORE.search(before)) or _BODY_AFTER.search(after))


def _is_several(text: str) -> bool:
    """``A B, C D, E F`` are persons with the given name first; so is what ``et al`` ends."""
    if "," not in text:
        return False
    pieces = [piece.strip() for piece in text.split(",")]
    if re.fullmatch(r"(?:and )?et al\.?", pieces[-1], re.IGNORECASE):
        return True
    return len(pieces) > 2 and all(" " in piece for piece in pieces)
