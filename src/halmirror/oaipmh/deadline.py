"""An end to exchanges that never fall silent: heads without end, bodies that drip.

The time limits of sockets count from byte to byte.  The one here counts from first to last: when
it is over, the connections are shut down from a thread beside the one that waits for them.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Deadline:
    """Shuts the connections it was told of down when a `running` block lasts too long.

    ``seconds`` is how long a block may last; ``expired`` says that the last one lasted longer.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.expired = False
        self._lock = threading.Lock()
        self._block: object = None
        self._sockets: list[socket.socket] = []
        self._in_handshake: socket.socket | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """A block that has to end in time; one at a time."""
        block = object()
        self.expired = False
        self._block = block
        timer = threading.Timer(self.seconds, self._expire, (block,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            with self._lock:
                self._block = None

    def observe(self, event: str, info: Mapping[str, Any]) -> None:
        """Learn of the connections from what httpcore's ``trace`` extension tells."""
        with self._lock:
            if event.endswith("start_tls.started"):
                self._begin_handshake()
            elif event.endswith(("start_tls.complete", "start_tls.failed")):
                self._end_handshake()
            if event.endswith(("connect_tcp.complete", "start_tls.complete")):
                self._sockets = [each for each in self._sockets if each.fileno() >= 0]
                self._sockets.append(info["return_value"].get_extra_info("socket"))
            if self.expired:
                self._shut_down()

    def _begin_handshake(self) -> None:
        # TLS takes the socket's descriptor over and shows its own socket after the handshake only.
        if self._sockets and (descriptor := self._sockets[-1].fileno()) >= 0:
            self._in_handshake = socket.socket(fileno=os.dup(descriptor))

    def _end_handshake(self) -> None:
        if self._in_handshake is not None:
            self._in_handshake.close()
            self._in_handshake = None

    def _expire(self, block: object) -> None:
        with self._lock:
            if self._block is block:
                self.expired = True
                self._shut_down()

    def _shut_down(self) -> None:
        handshakes = [] if self._in_handshake is None else [self._in_handshake]
        for each in [*self._sockets, *handshakes]:
            try:
                # Not the TLS socket's own method, which changes what another thread reads from.
                socket.socket.shutdown(each, socket.SHUT_RDWR)
            except OSError:
                continue  # closed already, by the server or by ourselves
