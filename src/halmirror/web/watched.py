"""What monitoring asks: whether the process lives, whether it can answer, its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response

from halmirror import metrics as figures
from halmirror.errors import HalmirrorError
from halmirror.status import status

if TYPE_CHECKING:
    from starlette.requests import Request

    from halmirror.mirror import Mirror

_UNCACHED = {"Cache-Control": "no-store"}


async def healthz(request: Request) -> Response:
    """200 as long as the process answers at all."""
    del request
    return PlainTextResponse("ok\n", headers=_UNCACHED)


async def readyz(request: Request) -> Response:
    """200 where the mirror can be read, else 503 and a word why."""
    try:
        await request.app.state.readers.run(lambda mirror: mirror.latest())
    except HalmirrorError:
        return PlainTextResponse(
            "the mirror cannot be read\n", 503, _UNCACHED | {"Retry-After": "5"}
        )
    return PlainTextResponse("ready\n", headers=_UNCACHED)


async def metrics(request: Request) -> Response:
    """The mirror's figures and the server's, for Prometheus."""
    state = request.app.state
    names = [source.name for source in state.settings.sources]

    def of_mirror(mirror: Mirror) -> str:
        return figures.render(status(mirror.path, names), None)

    text = await state.readers.run(of_mirror)
    lines = "".join(f"{line}\n" for line in state.tally.lines())
    return Response(text + lines, 200, _UNCACHED, "text/plain; version=0.0.4; charset=utf-8")
