"""Answers of megabytes: few at once, sent in parts as fast as a client takes them, or given up.

What a client does not take would otherwise wait in memory, for each connection anew.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from halmirror.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import Receive, Scope, Send

MOST: Final = 24
"""Large answers of one process that are made or sent at the same time."""

WAIT_SECONDS: Final = 10.0
"""How long a request waits for others' answers to end, before it is asked to come back."""

PART: Final = 256 * 1024
"""Bytes that are sent at once."""

_GRACE_SECONDS: Final = 30.0
_SLOWEST: Final = 16 * 1024
"""Bytes a second a client has to take over the whole answer, after a grace."""


class Room:
    """Room for large answers; each takes it before it is made, and gives it back once sent."""

    def __init__(self, most: int = MOST, seconds: float = WAIT_SECONDS) -> None:
        self._places = asyncio.Semaphore(most)
        self._seconds = seconds

    async def take(self) -> None:
        """Take room.  Raises `Problem` (503) where others keep it for too long."""
        try:
            async with asyncio.timeout(self._seconds):
                await self._places.acquire()
        except TimeoutError as error:
            raise Problem(
                503, "too many lists are being read at once; come back in a moment"
            ) from error

    def give_back(self) -> None:
        """Give room back."""
        self._places.release()


class LargeResponse(Response):
    """A response that is sent in parts; ``ended`` is called once it is sent or given up."""

    def __init__(
        self, content: bytes, headers: Mapping[str, str], media_type: str, ended: Callable[[], None]
    ) -> None:
        super().__init__(content, 200, headers, media_type)
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it.  Raises `TimeoutError` where the client takes it too slowly."""
        del scope, receive
        body = memoryview(self.body)
        try:
            async with asyncio.timeout(_GRACE_SECONDS + len(body) / _SLOWEST):
                await send(
                    {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
                )
                for start in range(0, len(body), PART):
                    part = bytes(body[start : start + PART])
                    more = start + PART < len(body)
                    await send({"type": "http.response.body", "body": part, "more_body": more})
        finally:
            self._ended()
