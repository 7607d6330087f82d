"""What a request that cannot be answered gets: problem details (RFC 9457), or a page of the same.

Every refusal of the server is a `Problem`; it never holds more than the caller told itself.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response

from halmirror import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA_TYPE = "application/problem+json"
_RETRY_SECONDS = 2


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """A request that is refused or cannot be answered: status, a sentence, further headers."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        if status in (429, 503):
            self.headers.setdefault("Retry-After", str(_RETRY_SECONDS))

    @property
    def title(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status).phrase

    def response(self) -> Response:
        """The problem as JSON (RFC 9457, section 3)."""
        body = {"title": self.title, "status": self.status, "detail": self.detail}
        return Response(
            msgspec.json.encode(body),
            self.status,
            self.headers | {"Cache-Control": "no-store"},
            MEDIA_TYPE,
        )


def problem_of(error: errors.HalmirrorError) -> Problem:
    """The problem that one of the library's errors is to a client."""
    match error:
        case errors.NotFoundError():
            return Problem(404, str(error))
        case errors.UsageError():
            return Problem(400, str(error))
        case errors.PrunedError():
            return Problem(410, str(error))
        case errors.OverdueError():
            return Problem(503, str(error), {"Retry-After": "10"})
        case errors.OutputError():
            return Problem(422, str(error))
        case _:
            # Paths and the database's own words are no business of a client.
            return Problem(503, "the mirror cannot be read at the moment", {"Retry-After": "30"})
