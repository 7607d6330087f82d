"""People, laboratories, institutions, journals, publishers and towns of a generated repository.

They are drawn with a long tail, as in HAL: few institutions are named by most records, most
authors by one or two.  Each pool depends on the seed and on the size of the repository alone.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from generated_text import mixed
from recorded_sources import languages, recorded, recorded_sets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generated_text import Language, Random

_TOWNS = (
    "Paris, France", "Lyon, France", "Toulouse, France", "Grenoble, France", "Nantes, France",
    "Montpellier, France", "Lille, France", "Rennes, France", "Strasbourg, France", "Nice, France",
    "Bordeaux, France", "Marseille, France", "Nancy, France", "Brest, France", "Berlin, Germany",
    "Dresden, Germany", "München, Germany", "London, United Kingdom", "Edinburgh, United Kingdom",
    "Genève, Switzerland", "Lausanne, Switzerland", "Bruxelles, Belgium", "Liège, Belgium",
    "Amsterdam, Netherlands", "Madrid, Spain", "Barcelona, Spain", "Lisboa, Portugal",
    "Roma, Italy", "Torino, Italy", "Wien, Austria", "Praha, Czech Republic", "Warszawa, Poland",
    "Athens, Greece", "Istanbul, Turkey", "Tunis, Tunisia", "Rabat, Morocco", "Alger, Algeria",
    "Dakar, Senegal", "Montréal, Canada", "Québec, Canada", "Boston, United States",
    "San Francisco, United States", "New Orleans, United States", "Santiago, Chile",
    "São Paulo, Brazil", "Buenos Aires, Argentina", "Tokyo, Japan", "Kyoto, Japan",
    "Beijing, China", "Shanghai, China", "Seoul, South Korea", "Sydney, Australia",
    "New Delhi, India", "Stockholm, Sweden", "Helsinki, Finland", "Copenhagen, Denmark",
)  # fmt: skip
_PUBLISHERS = (
    "Elsevier", "Wiley", "Springer Verlag", "Springer", "Taylor &amp; Francis", "IEEE",
    "EDP Sciences", "MDPI", "American Physical Society", "American Chemical Society",
    "IOP Publishing", "Nature Publishing Group", "Royal Society of Chemistry", "Frontiers",
    "Public Library of Science", "BioMed Central", "Oxford University Press (OUP)",
    "Cambridge University Press (CUP)", "SAGE Publications", "Presses Universitaires de France",
    "Presses universitaires de Rennes", "L'Harmattan", "CNRS Éditions", "Classiques Garnier",
    "Armand Colin", "La Découverte", "Dalloz", "LexisNexis", "De Boeck", "Brill", "De Gruyter",
    "ACM", "SIAM", "World Scientific Publishing", "Hindawi", "Lavoisier", "OpenEdition",
)  # fmt: skip
_GIVEN = (
    "Jean", "Marie", "Pierre", "Anne", "Michel", "Catherine", "Philippe", "Isabelle", "Nicolas",
    "Sophie", "François", "Christine", "Thomas", "Claire", "Olivier", "Nathalie", "Julien",
    "Céline", "Éric", "Laurence", "David", "Sylvie", "Alain", "Émilie", "Mohamed", "Fatima",
    "Giovanni", "Maria", "Hans", "Ingrid", "José", "Carmen", "Wei", "Xiao", "Hiroshi", "Yuki",
    "Anna", "Olga", "Dmitri", "Rachid", "Amina", "Björn", "Łukasz", "Zoé", "Benoît", "Frédéric",
)  # fmt: skip
_LAB_FORMS = (
    ("fr", "Laboratoire de {} et {}"), ("fr", "Laboratoire {} {}"), ("fr", "Institut de {}"),
    ("fr", "Centre de Recherche en {} et {}"), ("fr", "{}, {}, Environnement"),
    ("fr", "Centre d'études {}"), ("fr", "Unité de recherche {} {}"), ("fr", "{} et {}"),
    ("en", "Department of {}"), ("en", "Department of {} and {}"), ("en", "Institute of {} {}"),
    ("en", "School of {}"), ("en", "Faculty of {}"), ("en", "Center for {} and {}"),
)  # fmt: skip


@dataclass(frozen=True)
class Laboratory:
    """An affiliation as ``dc:contributor`` has it, and the collections its records are in."""

    affiliation: str
    collections: tuple[str, ...]


@dataclass(frozen=True)
class Journal:
    """A journal; ``issn`` and ``eissn`` may be empty."""

    title: str
    publisher: str
    issn: str
    eissn: str
    doi_prefix: str


class Pools:
    """The pools of a repository of ``records`` records."""

    def __init__(self, seed: int, records: int) -> None:
        draw = random.Random(f"pools {seed}").random
        self._salt = mixed(seed)
        self._people = 2000 + records * 4 // 5
        self._names = _names()
        self._letters = languages()["fr"], languages()["en"], languages()["de"], languages()["it"]
        institutions = _institutions(draw)
        self.laboratories = [
            _laboratory(draw, institutions) for _ in range(4000 + min(records // 150, 40_000))
        ]
        self.journals = [_journal(draw) for _ in range(1500 + min(records // 100, 30_000))]
        self.collections = tuple(
            dict.fromkeys(code for one in institutions for code in one.collections)
        )

    def author(self, random: Random) -> str:
        """A creator's name as HAL writes it; the prolific come back."""
        number = int(self._people * random() ** 2.2)
        bits = mixed(number ^ self._salt)
        bits, kind = divmod(bits, 100)
        if kind < 15:
            bits, place = divmod(bits, len(self._names))
            family = self._names[place]
        else:
            bits, place = divmod(bits, len(self._letters))
            # A fifth of the range: family names are shared.
            family = self._letters[place].made_name(1_000_000_000 + bits % (self._people // 5))
        bits, place = divmod(bits, len(_GIVEN) * len(_GIVEN))
        # Squared, so that the first given names are the common ones.
        given = _GIVEN[place * place // (len(_GIVEN) ** 3)]
        form = bits % 20
        if form == 0:
            return f"{family}, {given}, "
        if form < 3:
            return f"{family}, {given[0]}."
        return f"{family}, {given}-{_GIVEN[bits % 37]}" if form == 3 else f"{family}, {given}"

    def laboratory(self, random: Random) -> Laboratory:
        """A laboratory; the large ones come back."""
        return self.laboratories[int(len(self.laboratories) * random() ** 2)]

    def journal(self, random: Random) -> Journal:
        """A journal; the large ones come back."""
        return self.journals[int(len(self.journals) * random() ** 2)]

    def publisher(self, random: Random) -> str:
        """A publisher of books."""
        return _skewed(_PUBLISHERS, random)

    def town(self, random: Random) -> str:
        """A town and its country."""
        return _skewed(_TOWNS, random)


def _skewed(values: Sequence[str], random: Random) -> str:
    return values[int(len(values) * random() ** 2)]


def _names() -> tuple[str, ...]:
    creators = (name.partition(",")[0].strip() for name in recorded("creator"))
    return tuple(escape(name, quote=False) for name in creators if name)


def _titled(language: Language, draw: Random) -> str:
    word = language.word(draw)
    return word[0].upper() + word[1:]


def _code(name: str, draw: Random) -> str:
    letters = "".join(word[0] for word in re.findall(r"[^\W\d_]{3,}", name)).upper()
    plain = letters.encode("ascii", "ignore").decode() or "LAB"
    return f"{plain}{int(draw() * 90) + 10}" if draw() < 0.3 else plain


def _institutions(draw: Random) -> list[Laboratory]:
    """The recorded institutions and universities of the towns, each with its collections."""
    parents = (
        re.sub(r"\( (.*?) \)", r"(\1)", one.strip())
        for value in recorded("contributor")
        for one in re.split(r" ; |(?<=\))\s?-(?=[A-ZÉ])", value)[1:]
    )
    names = [escape(name, quote=False) for name in dict.fromkeys(parents) if 8 < len(name) < 120]
    codes = [one[11:] for one in recorded_sets() if one.startswith("collection:")]
    found = []
    for number in range(900):
        if number < len(names):
            name = names[number]
        else:
            town = _TOWNS[number % len(_TOWNS)].partition(",")[0]
            name = f"Université de {town} {_titled(languages()['fr'], draw)} (U{number})"
        size = int(draw() * 3) + (number < 20)
        own = tuple(
            codes[int(draw() * len(codes))] if draw() < 0.4 else f"{_code(name, draw)}-{number}"
            for _ in range(size)
        )
        found.append(Laboratory(name, tuple(dict.fromkeys(own))))
    return found


def _laboratory(draw: Random, institutions: Sequence[Laboratory]) -> Laboratory:
    code, form = _LAB_FORMS[int(draw() * len(_LAB_FORMS))]
    language = languages()[code]
    name = form.format(_titled(language, draw), _titled(language, draw))
    acronym = _code(name, draw)
    chosen = [
        institutions[int(len(institutions) * draw() ** 3)] for _ in range(1 + int(draw() * 6))
    ]
    unit = f" - UMR {int(draw() * 9000) + 1000}" if draw() < 0.2 else ""
    head = f"{name}{unit} ({acronym})" if draw() < 0.8 else name
    middle = f" ; {chosen.pop().affiliation}" if len(chosen) > 2 else ""
    affiliation = f"{head}{middle} ; {'-'.join(one.affiliation for one in chosen)}"
    own = (acronym,) if draw() < 0.6 else ()
    inherited = (code for one in chosen for code in one.collections)
    return Laboratory(affiliation, tuple(dict.fromkeys((*own, *inherited))))


def _journal(draw: Random) -> Journal:
    language = languages()["fr" if draw() < 0.3 else "en"]
    words = language.topic(draw, 3)
    form = int(draw() * 5)
    joint = "et" if language.code == "fr" else "and"
    title = (
        f"{words[0].title()} {words[1].title()}",
        f"Journal of {words[0].title()}" if joint == "and" else f"Revue de {words[0]}",
        f"{words[0].title()} {joint} {words[1]}",
        f"{words[0].title()}, {words[1]} {joint} {words[2]}",
        f"International Journal of {words[0].title()} {words[1].title()}",
    )[form]
    numbered = draw() < 0.85
    prefix = f"10.{1000 + int(draw() ** 2 * 9000)}"
    issn, eissn = (issn_of(int(draw() * 10_000_000)) for _ in range(2))
    return Journal(
        title, _skewed(_PUBLISHERS, draw), issn if numbered else "",
        eissn if numbered and draw() < 0.7 else "", prefix,
    )  # fmt: skip


def issn_of(number: int) -> str:
    """The ISSN of seven digits, with its check digit (ISO 3297)."""
    digits = f"{number:07}"
    check = -sum((8 - place) * int(one) for place, one in enumerate(digits)) % 11
    return f"{digits[:4]}-{digits[4:]}{'X' if check == 10 else check}"


def isbn_of(number: int) -> str:
    """The ISBN of nine digits, with hyphens and check digit (ISO 2108)."""
    digits = f"978{number % 10**9:09}"
    check = -sum(int(one) * (3 if place % 2 else 1) for place, one in enumerate(digits)) % 10
    return f"978-{digits[3:4]}-{digits[4:9]}-{digits[9:]}-{check}"
