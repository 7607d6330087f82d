"""Reading a snapshot's lines as the values they were written from."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from halmirror.errors import SnapshotError
from halmirror.snapshot.layout import HISTORY, Description, kind_of
from halmirror.snapshot.packed import lines
from halmirror.store.whole import Content, HeldState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_Row = TypeVar("_Row")


def read(folder: Path, path: str, kind: type[_Row]) -> Iterator[_Row]:
    """The rows of a data file.  Raises `SnapshotError`, naming file and line."""
    yield from _decoded(folder, path, msgspec.json.Decoder(kind))


def history(folder: Path, description: Description) -> Iterator[Content | HeldState]:
    """The contents and states of a snapshot's documents, in its order.

    Raises `SnapshotError`, naming file and line.
    """
    for path in shards(description, HISTORY):
        yield from of_history(folder, path)


def of_history(folder: Path, path: str) -> Iterator[Content | HeldState]:
    """The contents and states of one shard.  Raises `SnapshotError`, naming file and line."""
    decoder: msgspec.json.Decoder[Content | HeldState] = msgspec.json.Decoder(Content | HeldState)
    yield from _decoded(folder, path, decoder)


def shards(description: Description, kind: str) -> list[str]:
    """The paths of a snapshot's shards of a kind, in order."""
    return sorted(file.path for file in description.files if kind_of(file.path) == kind)


def _decoded(folder: Path, path: str, decoder: msgspec.json.Decoder[_Row]) -> Iterator[_Row]:
    for number, line in enumerate(lines(folder / path), 1):
        try:
            yield decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise SnapshotError(
                f"{path}: line {number} is not what belongs there ({error})"
            ) from error
