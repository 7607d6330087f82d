"""A shard: some documents, written in each of the forms of a snapshot."""

from __future__ import annotations

import contextlib
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Final, Self, cast

import msgspec

from halmirror.export import Wanted, oai_dc
from halmirror.export.parquet import MOST_AT_ONCE, Rows
from halmirror.snapshot.layout import HISTORY, PARQUET, RECORDS, SOURCE, File, shard
from halmirror.snapshot.packed import Packed

if TYPE_CHECKING:
    from pathlib import Path

    from halmirror.record import Record
    from halmirror.store.reader import State
    from halmirror.store.whole import Document

_ROW_GROUP: Final = 4_000
_AT_ONCE: Final = 1_000


class Step(msgspec.Struct, frozen=True):
    """A part that is whole: its files, and after a shard the document it ends with."""

    files: list[File]
    last: tuple[str, str] | None = None
    documents: int = 0
    contents: int = 0
    states: int = 0
    records: dict[str, int] = {}
    by_source: dict[str, dict[str, int]] = {}


class Shard:
    """Some documents, written in each of the forms; a context manager."""

    def __init__(self, folder: Path, number: int, statement: str | None) -> None:
        self.records = 0
        self._files = {
            kind: Packed(folder, shard(kind, number))
            for kind in (RECORDS, PARQUET, SOURCE, HISTORY)
        }
        self._statement = statement
        self._held: list[bytes] = []
        self._size = 0
        self._last: tuple[str, str] | None = None
        self._documents = self._contents = self._states = 0
        self._by_status: dict[str, int] = {}
        self._by_source: dict[str, dict[str, int]] = {}

    def __enter__(self) -> Self:
        self._stack = contextlib.ExitStack()
        with contextlib.ExitStack() as stack:
            for file in self._files.values():
                stack.enter_context(file)
            wanted = Wanted(statement=self._statement)
            self._rows = stack.enter_context(
                Rows(
                    cast("IO[bytes]", self._files[PARQUET]),
                    wanted,
                    row_group=_ROW_GROUP,
                    order=("source", "id"),
                )
            )
            self._worker = stack.enter_context(ThreadPoolExecutor(1))
            self._before: Future[None] | None = None
            self._files[SOURCE].write(oai_dc.begin(self._statement))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            if kind is None:
                self._files[SOURCE].write(oai_dc.END)
                self._pass_on()
                if self._before is not None:
                    self._before.result()
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise
        self._stack.__exit__(kind, *cast("tuple[None, None]", rest))

    def add_record(self, state: State, line: bytes) -> None:
        """A record as its line."""
        self._files[RECORDS].line(line)
        self._files[PARQUET].lines += 1
        self._held.append(line)
        self._size += len(line)
        if len(self._held) == _AT_ONCE or self._size >= MOST_AT_ONCE:
            self._pass_on()
        self.records += 1
        for counts in (self._by_status, self._by_source.setdefault(state.source, {})):
            counts[state.status] = counts.get(state.status, 0) + 1

    def _pass_on(self) -> None:
        """Give what is held to the thread that makes columns of it."""
        if self._before is not None:
            self._before.result()
        if self._held:
            self._before = self._worker.submit(self._rows.add, self._held)
            self._held, self._size = [], 0

    def add_source(self, record: Record, metadata: bytes) -> None:
        """A record's metadata as they came."""
        self._files[SOURCE].write(
            oai_dc.header(record)
            + b"<oai:metadata>"
            + metadata
            + b"</oai:metadata></oai:record>\n",
            1,
        )

    def add_history(self, line: bytes) -> None:
        """A line of the history."""
        self._files[HISTORY].line(line)

    def end_document(self, document: Document, contents: int, states: int) -> None:
        """All of a document was added."""
        self._last = (document.source, document.id)
        self._documents += 1
        self._contents += contents
        self._states += states

    def step(self) -> Step:
        """What is whole now, after the shard was closed."""
        return Step(
            [written(file) for file in self._files.values()],
            self._last or ("", ""),
            self._documents,
            self._contents,
            self._states,
            self._by_status,
            self._by_source,
        )


def written(file: Packed) -> File:
    """What is known of a file that took its place."""
    if file.file is None:
        raise AssertionError(f"{file.path} is not written yet")
    return file.file
