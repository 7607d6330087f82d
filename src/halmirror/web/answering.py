"""From a function of request and mirror to an endpoint: a thread, an ETag, refusals."""

from __future__ import annotations

import functools
import hashlib
import logging
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import Response

from halmirror.errors import HalmirrorError
from halmirror.web import words
from halmirror.web.negotiation import best_type
from halmirror.web.pages import Reader, page
from halmirror.web.problems import MEDIA_TYPE, Problem, problem_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from halmirror.mirror import Mirror
    from halmirror.web.readers import Readers

_log = logging.getLogger("uvicorn.error")
_FOR_PROGRAMS = "/api/"
_JSON_FIRST = ("application/json", MEDIA_TYPE, "text/html")


def reading(
    answer: Callable[[Request, Mirror], Response],
) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that gives what ``answer`` makes of the mirror, with an ETag.

    A client that has it already gets 304 (RFC 9110, 13.1.2).
    """

    @functools.wraps(answer)
    async def endpoint(request: Request) -> Response:
        readers: Readers = request.app.state.readers
        response = await readers.run(lambda mirror: answer(request, mirror))
        return conditional(request, response)

    return endpoint


def conditional(request: Request, response: Response) -> Response:
    """The response with an ETag of its bytes; 304 where the client has them."""
    if response.status_code != 200 or "etag" in response.headers:
        return response
    digest = hashlib.blake2b(bytes(response.body), digest_size=12).hexdigest()
    # Weak: the same bytes may come compressed.
    tag = f'W/"{digest}"'
    response.headers["ETag"] = tag
    asked = request.headers.get("if-none-match", "")
    known = {one.strip().removeprefix("W/") for one in asked.split(",")}
    if "*" not in known and tag.removeprefix("W/") not in known:
        return response
    kept = ("etag", "cache-control", "vary", "link", "set-cookie", "content-location")
    headers = {name: value for name, value in response.headers.items() if name in kept}
    return Response(status_code=304, headers=headers)


async def refused(request: Request, error: Exception) -> Response:
    """The answer to a request that failed: a page to a browser, problem details to a program."""
    problem = _as_problem(request, error)
    accept = request.headers.get("accept", "")
    for_program = request.scope["path"].startswith(_FOR_PROGRAMS)
    if for_program or best_type(accept, _JSON_FIRST) != "text/html":
        return problem.response()
    reader = Reader.of(request, request.app.state.settings.serve)
    key = f"problem.{problem.status}"
    title = reader.word(key if words.has_word(key) else "problem")
    response = page(
        request, reader, "problem.html", status=problem.status, title=title, detail=problem.detail
    )
    response.headers.update(problem.headers | {"Cache-Control": "no-store"})
    return response


def _as_problem(request: Request, error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case HalmirrorError():
            problem = problem_of(error)
            if problem.status == 503:
                _log.warning("%s: %s", request.scope["path"][:200], error)
            return problem
        case HTTPException():
            return Problem(error.status_code, error.detail, error.headers)
        case _:
            return Problem(500, "the server failed; its log says how")
