"""What differs between two snapshots, or a snapshot and a mirror."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from halmirror.errors import SnapshotError
from halmirror.export.digest import key_of
from halmirror.mirror import Filters, Mirror
from halmirror.record import EVERY_STATUS, versioned
from halmirror.snapshot.chain import leading_to, records
from halmirror.snapshot.layout import is_folder

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

Kind = Literal["added", "changed", "removed"]


class Differing(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record that is not the same in both; ``keys`` are those of the record that differ."""

    change: Kind
    source: str
    id: str
    version: int | None = None
    keys: tuple[str, ...] = ()

    @property
    def versioned_id(self) -> str:
        """The id with ``vN`` where the record has a version."""
        return versioned(self.id, self.version)

    def json(self) -> bytes:
        """The difference as one line of JSON (UTF-8)."""
        return msgspec.json.encode(self)


def differences(before: Path, after: Path) -> Iterator[Differing]:
    """What differs from one to the other, by source, id and version.

    Each is the folder of a snapshot (an increment's chain lies beside it) or a mirror's file.
    Raises `SnapshotError` and `MirrorError`.
    """
    old, new = _lines(before), _lines(after)
    try:
        left, right = next(old, None), next(new, None)
        while left is not None or right is not None:
            was = None if left is None else key_of(left)
            now = None if right is None else key_of(right)
            if now is None or (was is not None and was < now):
                yield _one("removed", was)
                left = next(old, None)
            elif was is None or now < was:
                yield _one("added", now)
                right = next(new, None)
            else:
                if left != right:
                    yield _one("changed", now, _keys(left, right))
                left, right = next(old, None), next(new, None)
    finally:
        old.close()
        new.close()


def _lines(place: Path) -> Generator[bytes, None, None]:
    if is_folder(place):
        yield from records(leading_to(place))
    elif place.is_file():
        with Mirror(place) as mirror:
            yield from mirror.lines(Filters(status=(EVERY_STATUS,)))
    else:
        raise SnapshotError(f"{place} is neither a snapshot's folder nor a mirror's file")


def _one(change: Kind, key: tuple[str, str, int] | None, keys: tuple[str, ...] = ()) -> Differing:
    if key is None:
        raise AssertionError("there is a record on one side at least")
    return Differing(change, key[0], key[1], key[2] or None, keys)


def _keys(left: bytes | None, right: bytes | None) -> tuple[str, ...]:
    decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
    was, now = decode(left or b"{}"), decode(right or b"{}")
    both = dict.fromkeys((*was, *now))
    return tuple(
        name
        for name in both
        if name not in was or name not in now or bytes(was[name]) != bytes(now[name])
    )
