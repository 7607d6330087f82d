"""What a request asks for: verb and arguments, checked, or the error condition they meet."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LIST_VERBS: Final = frozenset({"ListRecords", "ListIdentifiers"})
LONGEST_SPEC: Final = 1000
"""Characters of a setSpec that is passed on."""

RESUMING: Final = "resumptionToken"
"""The argument that goes on with a list."""

_SELECTING: Final = frozenset({"metadataPrefix", "from", "until", "set"})
_ARGUMENTS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    "Identify": (frozenset(), frozenset()),
    "ListMetadataFormats": (frozenset(), frozenset({"identifier"})),
    "ListSets": (frozenset(), frozenset({RESUMING})),
    "GetRecord": (frozenset({"identifier", "metadataPrefix"}),) * 2,
    "ListIdentifiers": (frozenset({"metadataPrefix"}), _SELECTING | {RESUMING}),
    "ListRecords": (frozenset({"metadataPrefix"}), _SELECTING | {RESUMING}),
}
"""For each verb the arguments it needs, where it is given no token, and all it may have."""

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SECOND: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_MARK: Final = r"[A-Za-z0-9\-_.!~*'()]+"
_SET_SPEC: Final = re.compile(rf"{_MARK}(?::{_MARK})*")
_LEGAL: Final = {
    "verb": re.compile("|".join(_ARGUMENTS)),
    "metadataPrefix": re.compile(_MARK),
    "set": _SET_SPEC,
    "from": re.compile(f"{_DAY.pattern}|{_SECOND.pattern}", re.ASCII),
    "until": re.compile(f"{_DAY.pattern}|{_SECOND.pattern}", re.ASCII),
    "identifier": re.compile(
        r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?!$&'()*+,;=@]|%[0-9A-Fa-f]{2})+"
    ),
    RESUMING: re.compile("[!-~]+"),
}
"""The forms of values that the schema lets the answer repeat."""


class RefusedError(Exception):
    """An error condition (section 3.6): its code, what is wrong, what was asked if that was legal.

    ``asked`` is none where the answer must not repeat the arguments.
    """

    def __init__(self, code: str, message: str, asked: Asked | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.asked = asked


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose verb and names of arguments are legal, each given once."""

    verb: str
    arguments: Mapping[str, str]

    def refused(self, code: str, message: str) -> RefusedError:
        """The error condition that this request meets."""
        return RefusedError(code, message, self)

    @property
    def echoed(self) -> dict[str, str]:
        """The attributes of the answer's ``request``; only the verb where one is not legal."""
        given = {"verb": self.verb, **self.arguments}
        if all(_LEGAL[name].fullmatch(value) for name, value in given.items()):
            return given
        return {"verb": self.verb}


def read(pairs: Iterable[tuple[str, str]]) -> Asked:
    """The request of these arguments.  Raises `RefusedError` (badVerb, badArgument)."""
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    verbs = given.pop("verb", [])
    if len(verbs) != 1 or verbs[0] not in _ARGUMENTS:
        raise RefusedError("badVerb", f"one verb is needed, one of {', '.join(_ARGUMENTS)}")
    verb = verbs[0]
    needed, known = _ARGUMENTS[verb]
    for name, values in given.items():
        if name not in known:
            told = ", ".join(sorted(known)) or "none"
            raise RefusedError("badArgument", f"{verb} has no such argument; it has {told}")
        if len(values) > 1:
            raise RefusedError("badArgument", f"the argument {name} is repeated")
    if RESUMING in given:
        if len(given) > 1:
            raise RefusedError(
                "badArgument", f"{RESUMING} goes with no other argument but the verb"
            )
    elif missing := sorted(needed - set(given)):
        raise RefusedError("badArgument", f"{verb} needs the argument {missing[0]}")
    return Asked(verb, {name: values[0] for name, values in given.items()})


def span(asked: Asked) -> tuple[int | None, int | None]:
    """The seconds since 1970 from and until, inclusive (sections 2.7.1 and 3.3).

    Raises `RefusedError` (badArgument).
    """
    texts = [asked.arguments.get(name) for name in ("from", "until")]
    if None not in texts and len(texts[0] or "") != len(texts[1] or ""):
        raise RefusedError("badArgument", "from and until have different granularities")
    begin, end = (
        None if text is None else _moment(name, text)
        for name, text in zip(("from", "until"), texts, strict=True)
    )
    if end is not None and len(texts[1] or "") == len("YYYY-MM-DD"):
        end += timedelta(days=1) - timedelta(seconds=1)
    if begin is not None and end is not None and begin > end:
        raise RefusedError("badArgument", "from is later than until")
    return (
        None if begin is None else int(begin.timestamp()),
        None if end is None else int(end.timestamp()),
    )


def set_spec(asked: Asked) -> str | None:
    """The set that is asked for.  Raises `RefusedError` (badArgument)."""
    spec = asked.arguments.get("set")
    if spec is not None and not is_set_spec(spec):
        raise RefusedError("badArgument", "set is no setSpec")
    return spec


def is_set_spec(text: str) -> bool:
    """Whether the schema allows a setSpec, and it is of bounded length."""
    return len(text) <= LONGEST_SPEC and _SET_SPEC.fullmatch(text) is not None


def is_uri(text: str) -> bool:
    """Whether a text is an absolute URI in its plainest form."""
    return _LEGAL["identifier"].fullmatch(text) is not None


def _moment(name: str, text: str) -> datetime:
    if _DAY.fullmatch(text) or _SECOND.fullmatch(text):
        with contextlib.suppress(ValueError):  # 30 February
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
    raise RefusedError(
        "badArgument", f"{name} is no date of the form YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ"
    )
