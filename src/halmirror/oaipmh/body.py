"""The body of an HTTP answer within limits: of memory when unpacked, of time however it drips.

A few kilobytes of gzip can hold gigabytes, so no more is unpacked at a time than one piece.  The
time limits of sockets count from byte to byte; the `Watchdog` counts from the first to the last.
"""

from __future__ import annotations

import io
import os
import socket
import threading
import zlib
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_PIECE = 64 * 1024
_GZIP_FORMAT = 16 + zlib.MAX_WBITS


class CutError(Exception):
    """A packed body that ends too early or is damaged; asking again may help."""


class EncodingError(Exception):
    """A body packed in another way than gzip; the message is its ``Content-Encoding``."""


class TooLargeError(Exception):
    """A body of more bytes than allowed, as sent or unpacked."""


def unpacked(parts: Iterable[bytes], encoding: str | None, most: int) -> bytes:
    """The body that the ``parts`` make up, unpacked as its ``Content-Encoding`` says.

    Raises `EncodingError` for anything but gzip, `TooLargeError` for more than ``most`` bytes,
    as sent or unpacked, and `CutError`.
    """
    sent = _limited(parts, most)
    pieces = _limited(_members(sent), most) if _is_packed(encoding or "") else sent
    # What BytesIO gives is its buffer itself: a large body is not held twice.
    body = io.BytesIO()
    for piece in pieces:
        body.write(piece)
    return body.getvalue()


def _is_packed(encoding: str) -> bool:
    """Whether a body is packed with gzip, once.  Raises `EncodingError` for anything else."""
    named = [name.strip().lower() for name in encoding.split(",")]
    told = [name for name in named if name not in {"", "identity"}]
    if told and told not in (["gzip"], ["x-gzip"]):
        raise EncodingError(", ".join(told)[:60])
    return bool(told)


def _limited(parts: Iterable[bytes], most: int) -> Iterator[bytes]:
    size = 0
    for part in parts:
        size += len(part)
        if size > most:
            raise TooLargeError
        yield part


def _members(parts: Iterable[bytes]) -> Iterator[bytes]:
    """What the members of a gzip hold (RFC 1952, section 2.2); nothing holds nothing."""
    member = zlib.decompressobj(_GZIP_FORMAT)
    begun = False
    for part in parts:
        rest = part
        while rest:
            begun = True
            if member.eof:
                member = zlib.decompressobj(_GZIP_FORMAT)
            yield _piece(member, rest)
            rest = member.unused_data if member.eof else member.unconsumed_tail
    if begun and not member.eof:
        raise CutError("the gzip ends too early")


def _piece(member: zlib._Decompress, data: bytes) -> bytes:
    try:
        return member.decompress(data, _PIECE)
    except zlib.error as error:
        raise CutError(f"the gzip is damaged: {error}") from error


class Watchdog:
    """A block that has to end within ``seconds``, else its connections are shut down.

    That happens in a thread beside the one that waits for them, which then sees them end;
    ``barked`` says that it came to that.  One block at a time.
    """

    def __init__(self, seconds: float) -> None:
        self.barked = False
        self._seconds = seconds
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._sockets: list[socket.socket] = []
        self._in_handshake: socket.socket | None = None

    def __enter__(self) -> Self:
        self.barked = False
        timer = threading.Timer(self._seconds, lambda: self._bark(timer))
        timer.daemon = True
        self._timer = timer
        timer.start()
        return self

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Learn of the connections from what httpcore's ``trace`` extension tells."""
        with self._lock:
            if event.endswith("start_tls.started"):
                self._begin_handshake()
            elif event.endswith(("start_tls.complete", "start_tls.failed")):
                self._end_handshake()
            if event.endswith(("connect_tcp.complete", "start_tls.complete")):
                self._sockets = [each for each in self._sockets if each.fileno() >= 0]
                self._sockets.append(info["return_value"].get_extra_info("socket"))
            if self.barked:
                self._shut_down()

    def _begin_handshake(self) -> None:
        # TLS takes the descriptor over and shows a socket of its own after the handshake only.
        if self._sockets and (descriptor := self._sockets[-1].fileno()) >= 0:
            self._in_handshake = socket.socket(fileno=os.dup(descriptor))

    def _end_handshake(self) -> None:
        if self._in_handshake is not None:
            self._in_handshake.close()
            self._in_handshake = None

    def _bark(self, timer: threading.Timer) -> None:
        with self._lock:
            if self._timer is timer:
                self.barked = True
                self._shut_down()

    def _shut_down(self) -> None:
        handshakes = [] if self._in_handshake is None else [self._in_handshake]
        for each in [*self._sockets, *handshakes]:
            try:
                # Not the TLS socket's own method, which changes what another thread reads from.
                socket.socket.shutdown(each, socket.SHUT_RDWR)
            except OSError:
                continue  # closed already, by the server or by ourselves
