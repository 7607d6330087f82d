"""From source metadata to the normalised body: one crosswalk for each prefix and profile.

A crosswalk is pure: it sees the values, the record's id and version and the header's sets, and
gives the same body for the same input under the same `RULES_VERSION`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from halmirror.crosswalks.dcterms import generic_terms, hal_terms
from halmirror.crosswalks.draft import Trace
from halmirror.crosswalks.generic import generic
from halmirror.crosswalks.hal import TYPE_SET, hal
from halmirror.oaipmh.source import Source
from halmirror.record import Body

RULES_VERSION = 2
"""Raised with every change of a rule: a mirror of an older one is normalised again."""

Crosswalk = Callable[[Sequence[Source], str, int | None, Sequence[str], Trace | None], Body]
"""Called with (values, id, version, header sets, trace)."""

_CROSSWALKS: dict[tuple[str, str], Crosswalk] = {
    ("oai_dc", "hal"): hal,
    ("oai_dc", "generic"): generic,
    ("oai_dcterms", "hal"): hal_terms,
    ("oai_dcterms", "generic"): generic_terms,
}


def without_rules(prefix: str, profile: str) -> str | None:
    """What to say where nobody wrote rules for a metadata prefix; None where there are some."""
    if (prefix, profile) in _CROSSWALKS:
        return None
    return f"no rules for metadata prefix {prefix!r}; the source is kept as it came"


def crosswalk(prefix: str, profile: str) -> Crosswalk:
    """The crosswalk for a metadata prefix and a profile.

    For a pair nobody wrote rules for, one that gives an empty body with one warning: the record
    is then known by its header alone, and its metadata are kept as they came.
    """
    known = _CROSSWALKS.get((prefix, profile))
    if known is not None:
        return known
    warning = without_rules(prefix, profile) or ""

    def unknown(
        values: Sequence[Source],
        _identifier: str,
        _version: int | None,
        _sets: Sequence[str],
        trace: Trace | None,
    ) -> Body:
        if trace is not None:
            for index in range(len(values)):
                trace(index, "no rules", "kept in the source metadata only")
        return Body(warnings=(warning,))

    return unknown


def content_sets(profile: str, sets: Sequence[str]) -> tuple[str, ...]:
    """The header sets the profile's crosswalk looks at, sorted, each once."""
    if profile != "hal":
        return ()
    return tuple(sorted({one for one in sets if one.startswith(TYPE_SET)}))


__all__ = [
    "RULES_VERSION",
    "Crosswalk",
    "Source",
    "Trace",
    "content_sets",
    "crosswalk",
    "without_rules",
]
