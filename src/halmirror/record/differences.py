"""What differs between two normalised bodies, key by key, for people to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

Kind = Literal["added", "changed", "removed"]

_SHOWN = 160
"""Characters of JSON that are shown of a value."""

_LEAD = 40
"""Characters that two values have in common and that are shown before the first difference."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One top-level key whose value differs.

    ``before`` and ``after`` are JSON, shortened round the first difference, and none where the
    key is not there.
    """

    key: str
    kind: Kind
    before: str | None
    after: str | None


def differences(before: bytes, after: bytes) -> tuple[Difference, ...]:
    """The keys that differ between the JSON of two bodies, in the order of the newer one.

    Raises `msgspec.DecodeError` where one of them is no JSON object.
    """
    old: dict[str, Any] = msgspec.json.decode(before, type=dict[str, Any])
    new: dict[str, Any] = msgspec.json.decode(after, type=dict[str, Any])
    return tuple(
        _difference(key, old, new)
        for key in dict.fromkeys((*new, *old))
        if old.get(key) != new.get(key)
    )


def _difference(key: str, old: dict[str, Any], new: dict[str, Any]) -> Difference:
    before = _json(old[key]) if key in old else None
    after = _json(new[key]) if key in new else None
    if before is None or after is None:
        kind: Kind = "added" if before is None else "removed"
        start = 0
    else:
        kind = "changed"
        start = max(_common(before, after) - _LEAD, 0)
    return Difference(key, kind, _shortened(before, start), _shortened(after, start))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _common(before: str, after: str) -> int:
    """How many characters two texts begin with in common."""
    pairs = zip(before, after, strict=False)
    return next(
        (at for at, (one, other) in enumerate(pairs) if one != other), min(len(before), len(after))
    )


def _shortened(text: str | None, start: int) -> str | None:
    if text is None:
        return None
    start = start if len(text) > _SHOWN or start + _SHOWN < len(text) else 0
    shown = text[start : start + _SHOWN]
    lead = "…" if start else ""
    return f"{lead}{shown}{'…' if start + _SHOWN < len(text) else ''}"
