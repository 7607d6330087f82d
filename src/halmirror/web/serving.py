"""Running the server: the socket, the processes, the limits of a connection, the end.

    serve(settings)

uvicorn does HTTP and, for several processes, watches over them.  What it leaves open is closed
here: a connection that does not bring its request in time or does not take its answer, and more
connections than there is room for.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import signal
import socket
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.supervisors import Multiprocess

from halmirror.errors import UsageError
from halmirror.mirror import Mirror
from halmirror.web.app import build
from halmirror.web.guard import LONGEST_HEAD
from halmirror.web.logs import to_standard_error
from halmirror.web.tally import Tally

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from halmirror.config import Settings

MOST_CONNECTIONS: Final = 1000
"""Connections of one process; further ones are told to come back."""

REQUEST_SECONDS: Final = 10.0
"""How long a client may take to send a request's head."""

TAKING_SECONDS: Final = 30.0
"""After so long it is looked at what a client has taken of the answer that waits for it."""

SLOWEST: Final = 4 * 1024
"""Bytes a second that a client has to take; one that takes fewer is left."""

_AHEAD: Final = 128 * 1024
_BACKLOG: Final = 512
_IDLE_SECONDS: Final = 15
_LAST_SECONDS: Final = 10
"""How long answers under way may take once the server is asked to end."""

_TOO_MANY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n"
)


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 on a connection that has to be worth its place."""

    _patience: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or refuse it where there are too many."""
        super().connection_made(transport)
        # Whatever the system does not take at once counts as waiting for the client.
        transport.set_write_buffer_limits(0)
        if len(self.connections) > MOST_CONNECTIONS:
            self._refused = True
            transport.write(_TOO_MANY)
            transport.close()
            return
        self._begin_waiting()

    def data_received(self, data: bytes) -> None:
        """Take what came; a request that is whole is no longer waited for."""
        if self._refused:
            return
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._end_waiting()
        elif self._patience is None and not self._answering():
            self._begin_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._end_waiting()
        self._end_taking()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not take what is sent as fast as it is written."""
        super().pause_writing()
        self._begin_taking()

    def resume_writing(self) -> None:
        """The client has taken everything."""
        self._end_taking()
        super().resume_writing()

    def _answering(self) -> bool:
        return bool(self.cycle) and not self.cycle.response_complete

    def _begin_waiting(self) -> None:
        self._patience = self.loop.call_later(REQUEST_SECONDS, self._give_up)

    def _end_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _begin_taking(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._taking = self.loop.call_later(TAKING_SECONDS, self._look_at_taken, left)

    def _end_taking(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def _look_at_taken(self, left: int) -> None:
        # Closing would wait for the client to take the rest: for ever, if it wants.
        if left - self.transport.get_write_buffer_size() < SLOWEST * TAKING_SECONDS:
            self.transport.abort()
        else:
            self._begin_taking()

    def _give_up(self) -> None:
        self._patience = None
        if not self.transport.is_closing():
            self.transport.close()


def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until a signal asks to end; ``announce`` is told the address once it answers.

    Raises `MirrorError` where there is no mirror to serve, `UsageError` where the address cannot
    be listened on.
    """
    Mirror(settings.mirror.path).close()
    to_standard_error()
    listener = _listening(settings.serve.host, settings.serve.port)
    port = listener.getsockname()[1]
    tally = Tally()
    # Each process is sent the settings; where they came from cannot be sent, and is not asked.
    sent = dataclasses.replace(settings, origins={})
    config = uvicorn.Config(
        partial(build, sent, tally),
        factory=True,
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=list(settings.serve.trusted_proxies),
        backlog=_BACKLOG,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_LAST_SECONDS,
        h11_max_incomplete_event_size=LONGEST_HEAD,
        workers=settings.serve.workers,
    )
    host = settings.serve.host
    shown = f"[{host}]" if ":" in host else host
    told = partial(announce, f"http://{shown}:{port}/")
    threading.Thread(target=_tell_when_ready, args=(host, port, told), daemon=True).start()
    # uvicorn raises again what it caught; the end has then been made, in peace.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    with listener:
        if settings.serve.workers > 1:
            Multiprocess(config, [listener]).run()
        else:
            uvicorn.Server(config).run([listener])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise UsageError(
            f"{host}, port {port}: cannot be listened on ({error.strerror or error}); "
            "take another --port, or 0 for a free one"
        ) from error
    # Connections inherit it: an answer's last part does not wait for the first one's receipt, which
    # clients hold back for 40 ms.  asyncio does this only for sockets it made itself.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # The system takes so much ahead of what it has sent, not megabytes: what waits is seen here.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _AHEAD)
    listener.set_inheritable(True)
    return listener


def _tell_when_ready(host: str, port: int, told: Callable[[], None]) -> None:
    """Ask until there is an answer: with several processes, none but a request can tell."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - a name here
    while True:
        connection = http.client.HTTPConnection(reachable, port, timeout=60)
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/healthz")
            if connection.getresponse().status == http.client.OK:
                connection.close()
                told()
                return
        connection.close()
        time.sleep(0.05)
