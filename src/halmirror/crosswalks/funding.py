"""Funded projects: ANR and European ones in ``dc:contributor``, grants in ``dc:relation``.

``info:eu-repo/grantAgreement/funder/programme/number/jurisdiction/title/acronym`` is OpenAIRE's
form (OpenAIRE guidelines for literature repositories, ``dc:relation``); HAL leaves funder and
programme out together (``grantAgreement/ /654119/EU/…``).
"""

from __future__ import annotations

import re

from msgspec.structs import asdict

from halmirror.record import Funding

GRANT = "info:eu-repo/grantAgreement/"
_ANR = re.compile(r"ANR(?: ?: ?|(?=-))", re.ASCII)
_ANR_FORM = re.compile(
    r"(ANR-[0-9]{2}-[A-Z0-9+]{2,6}-[0-9]{2,5}(?:-[0-9A-Z]+)?)(?:,([^,]*)(?:,(.*))?)?", re.ASCII
)
_EUROPEAN = re.compile(r"European Project ?:", re.ASCII)
_YEAR = re.compile(r" ?\( ?([0-9]{4}) ?\)$", re.ASCII)
_MOST_RIVALS = 8
"""How many contradicting entries of one grant number are tried for a further finding."""
_CALL = re.compile(r"[A-Z0-9]+[-_][A-Za-z0-9_-]*[0-9]", re.ASCII)


def project(text: str) -> Funding | None:
    """The project a cleaned contributor names, or None where it names none.

    A project without any content (``European Project : ``) gives a `Funding` of a funder alone.
    """
    if text.startswith("ANR"):
        anr = _ANR.match(text)
        return _anr(text[anr.end() :] if ":" in anr[0] else text) if anr else None
    if text.startswith("European Project"):
        european = _EUROPEAN.match(text)
        return _european(text[european.end() :].strip()) if european else None
    return None


def _split_year(text: str) -> tuple[str, str | None]:
    found = _YEAR.search(text)
    return (text[: found.start()], found[1]) if found else (text, None)


def _anr(text: str) -> Funding:
    rest, year = _split_year(text)
    found = _ANR_FORM.fullmatch(rest)
    if found is None:
        return Funding("ANR", title=text or None)
    acronym, title = found[2], found[3]
    return Funding("ANR", number=found[1], acronym=acronym or None, title=title or None, year=year)


def _european(text: str) -> Funding:
    """``number,programme,call,acronym(year)``: HAL leaves out what it does not know."""
    rest, year = _split_year(text)
    parts = [part.strip() for part in rest.split(",")]
    number, acronym = parts[0] or None, (parts[-1] or None) if len(parts) > 1 else None
    middle = parts[1:-1]
    programme: str | None = None
    call: str | None = None
    if len(middle) > 1:
        programme, call = ",".join(middle[:-1]), middle[-1]
    elif middle and _CALL.fullmatch(middle[0]):
        call = middle[0]
    elif middle:
        programme = middle[0]
    return Funding("EC", programme or None, number, acronym, None, call or None, year)


def grant(text: str) -> Funding | None:
    """The project of a ``grantAgreement`` relation, or None where it cannot be read."""
    if not text.startswith(GRANT):
        return None
    fields = [field.strip() for field in text.removeprefix(GRANT).split("/")]
    place = next((at for at, field in enumerate(fields) if at and field == "EU"), None)
    if place is None:
        return _positional(fields)
    above, number, rest = fields[: place - 1], fields[place - 1], fields[place + 1 :]
    if len(above) > 2 or not number:
        return None
    funder, programme = above if len(above) == 2 else ("", "".join(above))
    title, acronym = ("/".join(rest[:-1]), rest[-1]) if len(rest) > 1 else ("".join(rest), "")
    return _funding(funder or "EC", programme, number, acronym, title)


def _positional(fields: list[str]) -> Funding | None:
    """The form without jurisdiction: funder, programme, number."""
    if len(fields) != 3 or not fields[2]:
        return None
    return _funding(fields[0], fields[1], fields[2], "", "")


def _funding(funder: str, programme: str, number: str, acronym: str, title: str) -> Funding:
    return Funding(
        funder or None, programme or None, number or None, acronym or None, title or None
    )


def joined(first: Funding, second: Funding) -> Funding | None:
    """One entry of two about the same grant number; None where they contradict each other.

    What one leaves out the other fills in.  Of two programmes of which one holds the other
    (``H2020`` in ``H2020 Pilier Excellent Science``) the longer stays.
    """
    if first.number is None or first.number != second.number or first.funder != second.funder:
        return None
    merged: dict[str, str | None] = {}
    other = asdict(second)
    for key, here in asdict(first).items():
        there = other[key]
        if here and there and here != there:
            if key != "programme" or not (here in there or there in here):
                return None
            merged[key] = max(here, there, key=len)
        else:
            merged[key] = here or there
    return Funding(**merged)


def collect(found: list[Funding]) -> tuple[list[Funding], list[tuple[int, bool]]]:
    """Entries, each project once, and for each finding its entry and whether it is a repetition."""
    entries: list[Funding] = []
    places: list[tuple[int, bool]] = []
    seen: dict[Funding, int] = {}
    same: dict[tuple[str | None, str], list[int]] = {}
    for one in found:
        if one in seen:
            places.append((seen[one], True))
            continue
        near = same.setdefault((one.funder, one.number), []) if one.number else []
        at, again = _entry_of(one, entries, near[:_MOST_RIVALS])
        if at == len(entries):
            near.append(at)
            entries.append(one)
        else:
            entries[at] = joined(entries[at], one) or entries[at]
        seen[one] = at
        places.append((at, again))
    return entries, places


def _entry_of(one: Funding, entries: list[Funding], near: list[int]) -> tuple[int, bool]:
    """The entry a finding belongs to, a new one where none fits; and whether it adds nothing."""
    for at in near:
        whole = joined(entries[at], one)
        if whole is not None:
            return at, whole == entries[at]
    return len(entries), False
