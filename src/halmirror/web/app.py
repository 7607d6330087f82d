"""The application: addresses, and what answers at each.

    app = build(settings, Tally())

An ASGI application for uvicorn (`halmirror.web.serving`) or any other server.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from halmirror.errors import HalmirrorError
from halmirror.web import logs
from halmirror.web.answering import refused
from halmirror.web.api.answers import endpoints
from halmirror.web.api.exporting import Exports, exported
from halmirror.web.api.openapi import openapi
from halmirror.web.api_page import api
from halmirror.web.browse_page import browse
from halmirror.web.guard import Guard
from halmirror.web.home_page import home, terms
from halmirror.web.kept import Kept
from halmirror.web.large import Room
from halmirror.web.oai import oai
from halmirror.web.pages import ASSETS_BY_NAME
from halmirror.web.place import Place
from halmirror.web.problems import Problem
from halmirror.web.readers import Readers
from halmirror.web.record_page import record
from halmirror.web.search_page import search
from halmirror.web.status_page import status
from halmirror.web.watched import healthz, metrics, readyz

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from halmirror.config import Settings
    from halmirror.web.tally import Tally

_SMALLEST_COMPRESSED = 1000
_QUICK = 5


def build(settings: Settings, tally: Tally) -> ASGIApp:
    """The application that serves the mirror of these settings; each process makes its own."""
    logs.to_standard_error()
    tally.begin()
    readers = Readers(settings.mirror.path, [source.name for source in settings.sources])

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        del app
        yield
        readers.close()

    def shared(answering: ASGIApp) -> ASGIApp:
        if not settings.serve.cors_origins:
            return answering
        return CORSMiddleware(
            answering,
            allow_origins=settings.serve.cors_origins,
            allow_methods=["GET"],
            allow_headers=["If-None-Match"],
            expose_headers=["Content-Disposition", "ETag", "Link", "Retry-After"],
        )

    app = Starlette(
        routes=_routes(),
        middleware=[
            Middleware(GZipMiddleware, minimum_size=_SMALLEST_COMPRESSED, compresslevel=_QUICK)
        ],
        lifespan=lifespan,
        exception_handlers={
            Problem: refused,
            HalmirrorError: refused,
            HTTPException: refused,
            Exception: refused,
        },
    )
    app.state.readers = readers
    app.state.kept = Kept(settings.mirror.path)
    app.state.room = Room()
    app.state.exports = Exports()
    app.state.settings = settings
    app.state.tally = tally
    # What has no route is looked for without the slash at its end by a route of ours.
    app.router.redirect_slashes = False
    return Guard(shared(app), settings.serve, tally, shared)


def _routes() -> list[Route]:
    return [
        Route("/", home),
        Route("/search", search),
        Route("/browse", browse),
        Route("/browse/{kind}", browse),
        Route("/status", status),
        Route("/terms", terms),
        Route("/oai", oai, methods=["GET", "POST"]),
        Route("/oai/", oai, methods=["GET", "POST"]),
        Route("/api", api),
        Route("/api/openapi.json", openapi),
        *(Route(f"/api/v1{path}", answer) for path, answer in endpoints()),
        Route("/api/v1/export", exported),
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
        Route("/static/{name}", asset),
        Route("/robots.txt", robots),
        Route("/record/{identifier:path}", record),
        Route("/{identifier}", record),
        Route("/{path:path}/", without_slash),
    ]


async def without_slash(request: Request) -> Response:
    """Leads to the same address without the slash at its end."""
    settings = request.app.state.settings.serve
    place = Place.of(request, settings)
    path = place.path("/" + quote(request.path_params["path"].strip("/")))
    return RedirectResponse(f"{path}?{request.url.query}".rstrip("?"), 308)


async def asset(request: Request) -> Response:
    """A style, script or image of the pages; its name changes with it, so it may be kept."""
    found = ASSETS_BY_NAME.get(request.path_params["name"])
    if found is None:
        raise Problem(404, "there is no such file")
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(found.data, 200, headers, found.media_type)


async def robots(request: Request) -> Response:
    """What search engines should leave alone: endless lists."""
    prefix = request.app.state.settings.serve.prefix
    return PlainTextResponse(
        f"User-agent: *\nDisallow: {prefix}/search\nDisallow: {prefix}/oai\n"
        f"Disallow: {prefix}/api/v1\n"
    )
