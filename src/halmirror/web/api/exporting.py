"""``/api/v1/export``: everything the filters pick, written while it is sent.

An export runs in a thread of its own, so that look-ups do not wait for it.  What it writes waits
in a queue of a few parts: it goes on as fast as the client takes them, and ends when the client
leaves or stops taking.
"""

from __future__ import annotations

import asyncio
import io
import threading
from typing import TYPE_CHECKING, Final

from starlette.responses import Response, StreamingResponse

from halmirror import export
from halmirror.export import FORMATS, Wanted
from halmirror.mirror import Mirror
from halmirror.web import searching
from halmirror.web.api.parameters import EXPORT, Given
from halmirror.web.pages import link_header, terms_link
from halmirror.web.place import Place
from halmirror.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from typing import IO

    from _typeshed import ReadableBuffer
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from halmirror.config import ServeSettings

MOST: Final = 2
"""Exports of one process at the same time."""

PART: Final = 128 * 1024
"""Bytes that are sent at once."""

_WAITING: Final = 8
"""Parts that wait for the client."""


class Exports:
    """Counts the exports that are under way."""

    def __init__(self, most: int = MOST) -> None:
        self._left = most

    def take(self) -> None:
        """Begin one.  Raises `Problem` (503) where too many are under way."""
        if not self._left:
            raise Problem(
                503, "too many exports are being written; come back later", {"Retry-After": "30"}
            )
        self._left -= 1

    def give_back(self) -> None:
        """End one."""
        self._left += 1


class _Left(Exception):  # noqa: N818 - no error: what an export ends with when nobody takes it
    """The client takes no more."""


class _Pipe(io.RawIOBase):
    """What an export writes to: parts go to the loop, which sends them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._loop = loop
        self._parts: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue(_WAITING)
        self._left = threading.Event()

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Hand a part over; waits while enough others wait.  Raises `_Left`."""
        part = bytes(data)
        self.put(part)
        return len(part)

    def put(self, part: bytes | BaseException | None) -> None:
        """Hand over a part, an error, or none for the end."""
        if self._left.is_set():
            raise _Left
        asyncio.run_coroutine_threadsafe(self._parts.put(part), self._loop).result()

    async def next(self) -> bytes | None:
        """The next part, none at the end.  Raises what the export failed with."""
        part = await self._parts.get()
        if isinstance(part, BaseException):
            raise part
        return part

    def leave(self) -> None:
        """Nobody takes anything more: whatever is written from now on raises `_Left`."""
        self._left.set()
        while not self._parts.empty():
            self._parts.get_nowait()


async def exported(request: Request) -> Response:
    """The export as a file; what is wrong with it is told before anything is sent."""
    given = Given.of(request, EXPORT)
    name = given.text("format") or ""
    filters = searching.filters_of({kind: given.all(kind) for kind in searching.KINDS})
    fields = tuple(one.strip() for one in (given.text("fields") or "").split(",") if one.strip())
    wanted = Wanted(fields=fields, normalised=given.flag("normalised"), defuse=given.flag("defuse"))
    export.check(name, filters, wanted)
    state = request.app.state
    at = await state.readers.run(given.commit)
    unique = given.flag("unique")

    def work(out: IO[bytes]) -> None:
        with Mirror(state.readers.path, state.readers.sources) as mirror:
            export.write(mirror, name, out, filters, at=at, unique=unique, wanted=wanted)

    if request.method == "HEAD":
        return Response(None, 200, _headers(request, name), FORMATS[name].media_type)
    exports: Exports = state.exports
    exports.take()
    pipe = _Pipe(asyncio.get_running_loop())
    threading.Thread(target=_run, args=(work, pipe), name="export", daemon=True).start()
    try:
        first = await pipe.next()
    except BaseException:
        pipe.leave()
        exports.give_back()
        raise
    return _ExportResponse(pipe, first, exports, _headers(request, name), FORMATS[name].media_type)


def _run(work: Callable[[IO[bytes]], None], pipe: _Pipe) -> None:
    """Write all of it, in parts of a size; an error goes to the loop, which tells it."""
    try:
        try:
            out = io.BufferedWriter(pipe, PART)
            work(out)
            out.flush()
        except _Left:
            return
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is taken
            pipe.put(error)
            return
        pipe.put(None)
    except (_Left, RuntimeError):
        return  # the client, or the server's loop, is gone


class _ExportResponse(StreamingResponse):
    """The parts of an export, one after the other, until all are sent or the client is gone."""

    def __init__(
        self, pipe: _Pipe, first: bytes | None, exports: Exports, headers: Mapping[str, str],
        media_type: str,
    ) -> None:  # fmt: skip
        super().__init__(_sent(pipe, first), 200, headers, media_type)
        self._pipe = pipe
        self._exports = exports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._pipe.leave()
            self._exports.give_back()


async def _sent(pipe: _Pipe, part: bytes | None) -> AsyncIterator[bytes]:
    while part is not None:
        yield part
        part = await pipe.next()  # an error breaks the answer off: nobody takes it for whole


def _headers(request: Request, name: str) -> dict[str, str]:
    settings: ServeSettings = request.app.state.settings.serve
    place = Place.of(request, settings)
    return {
        "Cache-Control": "no-cache",
        "Content-Disposition": f'attachment; filename="halmirror{FORMATS[name].endings[0]}"',
        "Link": link_header([terms_link(place)]),
    }
