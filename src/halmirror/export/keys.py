"""The keys of the normalised record as a tree, and choosing among them (``--fields``).

The tree is read off the types of `halmirror.record`, so a new key is in every format that writes
keys (JSON Lines, CSV, TSV, Parquet) by itself.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import inspect

from halmirror.errors import UsageError
from halmirror.record import Body, Head

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Key:
    """A key: text, a whole number (``number``) or an object with ``keys``; ``many``: a list."""

    name: str
    many: bool = False
    number: bool = False
    keys: tuple[Key, ...] = ()


@cache
def record_keys() -> tuple[Key, ...]:
    """Every key of the record, in its order."""
    return (
        *_key("head", inspect.type_info(Head)).keys,
        *_key("body", inspect.type_info(Body)).keys,
    )


def chosen(names: Sequence[str]) -> tuple[Key, ...]:
    """The keys of those names, in the record's order; all where none is named.

    ``identifiers.doi`` is a key of an object.  Raises `UsageError` for a name that is none.
    """
    if not names:
        return record_keys()
    known = list(_paths(record_keys()))
    for name in names:
        if name not in known:
            inner = [path for path in known if path.endswith(f".{name}")]
            near = (inner or difflib.get_close_matches(name, known, n=1, cutoff=0.0))[0]
            raise UsageError(f"fields: the record has no key '{name}'; did you mean {near}?")
    return _within(record_keys(), frozenset(names))


def project(value: dict[str, Any], keys: Sequence[Key]) -> dict[str, Any]:
    """What of an object stands under the keys, in their order; what is empty is left out."""
    found: dict[str, Any] = {}
    for key in keys:
        held = value.get(key.name)
        if held is not None and key.keys:
            if key.many:
                held = [part for one in held if (part := project(one, key.keys))]
            else:
                held = project(held, key.keys)
        if held:
            found[key.name] = held
    return found


def _key(name: str, kind: inspect.Type) -> Key:
    match kind:
        case inspect.UnionType(types=types):
            (one,) = (one for one in types if not isinstance(one, inspect.NoneType))
            return _key(name, one)
        case inspect.VarTupleType(item_type=item):
            return replace(_key(name, item), many=True)
        case inspect.StructType(fields=fields):
            return Key(name, keys=tuple(_key(one.encode_name, one.type) for one in fields))
        case inspect.IntType():
            return Key(name, number=True)
        case inspect.StrType() | inspect.LiteralType():
            return Key(name)
        case _:
            raise TypeError(f"{name}: no format knows how to write {kind}")


def _paths(keys: Sequence[Key], above: str = "") -> Iterator[str]:
    for key in keys:
        yield above + key.name
        yield from _paths(key.keys, f"{above}{key.name}.")


def _within(keys: Sequence[Key], names: frozenset[str], above: str = "") -> tuple[Key, ...]:
    found: list[Key] = []
    for key in keys:
        path = above + key.name
        if path in names:
            found.append(key)
        elif key.keys and (part := _within(key.keys, names, f"{path}.")):
            found.append(replace(key, keys=part))
    return tuple(found)
