"""Volume, issue and pages, read from HAL's short citation only where its form is certain.

HAL prints an article as ``Journal, [Publisher,] Year, [Series,] [Volume] [(Issue)], [Pages]``,
leaving out what is empty (CCSDForge/FinHal, ``Hal_Document::getCitation``).  A series or an issue
title in between makes places ambiguous; then only ``12 (3)`` at the end and the one range of pages
are read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 4000
"""Characters; a longer text is no citation whose form is certain."""
_END = re.compile(r"(?:[.,] (?:https?://\S+|[⟨〈<][^⟩〉>]*[⟩〉>]))+\.?$")
_YEAR = re.compile(r"([0-9]{4})(?:, |$)", re.ASCII)
_PAGE = r"[A-Za-z]{0,3}[0-9][\w:]*(?:\.[\w:]+)*"
_PLACE = re.compile(
    r"(?P<volume>(?!pp?\.?[A-Za-z]{0,3}[0-9]|[0-9]+pp?\b)(?=[^\s,()]*[0-9])[\w./-]+|[IVXLCDM]+)?"
    r"(?:(?:^|(?<=\S) )\((?P<issue>[^(),]{1,40})\))?"
    rf"(?:(?:^|, )pp?\.? ?(?P<pages>{_PAGE}(?: ?[-–] ?{_PAGE})?))?"
)
_SIGNS = "⟨⟩〈〉<>"
_CLOSING = ("⟩", "〉", ">", ".")
_ENDING = re.compile(
    r"(?:^|, )(?P<volume>[0-9]+[A-Za-z]?) \((?P<issue>[0-9]+(?:[-–/][0-9]+)?)\)"
    rf"(?:, pp?\.? ?(?P<pages>{_PAGE}(?: ?[-–] ?{_PAGE})?))?$"
)
_RANGE = re.compile(rf"(?:^|[,.] )pp?\.? ?({_PAGE} ?[-–] ?{_PAGE})(?=$|[,.;] |\.$)")


class Parts(NamedTuple):
    """What a citation says for certain; the rest is None.  Texts are as they stand in it."""

    volume: str | None = None
    issue: str | None = None
    pages: str | None = None


NOTHING = Parts()


def article_parts(citation: str, journal: str | None, publishers: Iterable[str]) -> Parts:
    """Volume, issue and pages of an article whose journal and publishers are known.

    Behind a series or the title of an issue only numbers with their issue in parentheses, at the
    end, are sure to be a volume and an issue.
    """
    if journal is None or len(citation) > _LONGEST or not citation.startswith(f"{journal}, "):
        return NOTHING
    rest = _without_end(citation[len(journal) + 2 :])
    names = tuple(publishers)
    for name in (*names, "; ".join(names)):
        if name and rest.startswith(f"{name}, "):
            rest = rest[len(name) + 2 :]
            break
    year = _YEAR.match(rest)
    if year is None:
        return NOTHING
    rest = rest[year.end() :]
    found = _PLACE.fullmatch(rest) or _ENDING.search(rest)
    return Parts(found["volume"], found["issue"], found["pages"]) if found else NOTHING


def page_range(citation: str, container: str | None) -> Parts:
    """The one range of pages (``pp.12-34``) after the container's title, if there is just one."""
    if len(citation) > _LONGEST:
        return NOTHING
    if container is not None and citation.startswith(container):
        citation = citation[len(container) :]
    if not any(mark in citation for mark in (", p", ". p")) and not citation.startswith("p"):
        return NOTHING
    found = _RANGE.findall(_without_end(citation))
    return Parts(pages=found[0]) if len(found) == 1 else NOTHING


def _without_end(citation: str) -> str:
    """Without the addresses and bracketed identifiers at the end."""
    if "://" not in citation:
        if not citation.endswith(_CLOSING):
            return citation
        before, _, inside = citation.partition("⟨")
        if inside.endswith("⟩") and not any(
            sign in before or sign in inside[:-1] for sign in _SIGNS
        ):
            return before[:-2] if before.endswith((". ", ", ")) else citation
    return _END.sub("", citation)
