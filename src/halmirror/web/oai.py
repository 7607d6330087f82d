"""``/oai``: the mirror as an OAI-PMH 2.0 data provider, over HTTP GET and POST."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from halmirror.provider.answer import answer
from halmirror.provider.asked import LIST_VERBS
from halmirror.provider.identity import Repository
from halmirror.web.large import LargeResponse
from halmirror.web.pages import link_header, terms_link
from halmirror.web.place import Place
from halmirror.web.problems import Problem

if TYPE_CHECKING:
    from starlette.requests import Request

    from halmirror.config import ServeSettings
    from halmirror.mirror import Mirror
    from halmirror.web.large import Room

LONGEST_FORM: Final = 16 * 1024
"""Bytes of the form that a POST request may send."""

FORM_SECONDS: Final = 10.0
"""How long a client may take to send it."""

MOST_ARGUMENTS: Final = 100
_SMALLEST_COMPRESSED: Final = 1000
_FAST: Final = 1
"""zlib's level: the pages are many, large and alike."""

_GZIP: Final = 16 + zlib.MAX_WBITS
_MEDIA_TYPE: Final = "text/xml; charset=utf-8"


async def oai(request: Request) -> Response:
    """The answer to an OAI-PMH request (section 3.1.1: its arguments come either way)."""
    state = request.app.state
    settings: ServeSettings = state.settings.serve
    place = Place.of(request, settings)
    repository = Repository(
        place.absolute("/oai"),
        settings.oai_repository_name,
        settings.oai_admin_emails,
        settings.oai_page_size,
    )
    sent = await _form(request) if request.method == "POST" else request.scope["query_string"]
    try:
        pairs = parse_qsl(
            sent.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_ARGUMENTS
        )
    except ValueError as error:
        raise Problem(400, f"more than {MOST_ARGUMENTS} arguments") from error
    wants_gzip = "gzip" in request.headers.get("accept-encoding", "")

    def work(mirror: Mirror) -> tuple[bytes, bool]:
        body = answer(pairs, mirror, repository)
        if not wants_gzip or len(body) < _SMALLEST_COMPRESSED:
            return body, False
        packer = zlib.compressobj(_FAST, wbits=_GZIP)
        return packer.compress(body) + packer.flush(), True

    is_list = any(name == "verb" and value in LIST_VERBS for name, value in pairs)
    if not is_list:
        body, is_packed = await state.readers.run(work)
        return Response(body, 200, _headers(place, packed=is_packed), _MEDIA_TYPE)
    room: Room = state.room
    await room.take()
    try:
        body, is_packed = await state.readers.run(work)
    except BaseException:
        room.give_back()
        raise
    return LargeResponse(body, _headers(place, packed=is_packed), _MEDIA_TYPE, room.give_back)


def _headers(place: Place, *, packed: bool) -> dict[str, str]:
    headers = {
        "Cache-Control": "no-cache",
        "Link": link_header([terms_link(place)]),
    }
    if packed:
        # The application's own layer leaves alone what is compressed, and speaks for all else.
        headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return headers


async def _form(request: Request) -> bytes:
    """The form that a request sends.  Raises `Problem` (400, 408, 413, 415)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Problem(415, "arguments are sent as application/x-www-form-urlencoded")
    body = bytearray()
    try:
        async with asyncio.timeout(FORM_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > LONGEST_FORM:
                    raise Problem(413, f"the form is longer than {LONGEST_FORM} bytes")
    except TimeoutError as error:
        raise Problem(
            408, f"the form did not come within {FORM_SECONDS:.0f} seconds", {"Connection": "close"}
        ) from error
    except ClientDisconnect as error:
        raise Problem(400, "the form did not come whole") from error
    return bytes(body)
