"""HAL's scientific domains: codes and their labels in English and French.

``domains.json`` holds 460 codes as HAL's own interface labels them (CCSDForge/FinHal,
``library/Thesaurus/languages``).  The 56 codes under ``spm``, a portal of its own, have no
English label.  Newer codes exist that are not in it (``shs.info.docu``), so a code unknown here
is not an error.  The file is read at first use.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping


class Domain(NamedTuple):
    """A domain's labels; None where HAL has none."""

    en: str | None
    fr: str | None


@cache
def domains() -> Mapping[str, Domain]:
    """All domains by code (lower case, parts joined by ``.``)."""
    text = Path(__file__).with_name("domains.json").read_bytes()
    return {code: Domain(one["en"], one["fr"]) for code, one in msgspec.json.decode(text).items()}


def label(code: str, language: str = "en") -> str | None:
    """A domain's own label in ``en`` or ``fr``; None for an unknown code or a missing label."""
    domain = domains().get(code)
    if domain is None:
        return None
    return domain.fr if language == "fr" else domain.en


def parents(code: str) -> tuple[str, ...]:
    """The codes above a domain, topmost first: ``("phys", "phys.cond")`` for ``phys.cond.cm``.

    HAL's codes are paths, so a code that no table knows has its parents too.
    """
    parts = code.split(".")
    return tuple(".".join(parts[:depth]) for depth in range(1, len(parts)))


def path(code: str) -> str | None:
    """The English label as HAL's Dublin Core has it: the labels from the top, joined by ``/``."""
    return _paths().get(code)


@cache
def _paths() -> Mapping[str, str]:
    table = domains()
    found: dict[str, str] = {}
    for code in table:
        line = [label(one) for one in (*parents(code), code)]
        known = [name for name in line if name is not None]
        if len(known) == len(line):
            found[code] = "/".join(known)
    return found
