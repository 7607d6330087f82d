"""``/api/openapi.json``: the API described in OpenAPI 3.1, made from what it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.responses import Response

from halmirror.export import FORMATS
from halmirror.history import Change, Difference, History
from halmirror.record import STATUSES
from halmirror.record import schema as record_schema
from halmirror.store.search import FACET_KINDS
from halmirror.version import __version__
from halmirror.web import forms
from halmirror.web.answering import conditional
from halmirror.web.api.answers import JSON_LINES
from halmirror.web.api.parameters import (
    CHANGES,
    DIFFERENCE,
    EXPORT,
    PAST,
    RECORD,
    SEARCH,
    Parameter,
)
from halmirror.web.place import Place
from halmirror.web.problems import MEDIA_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

_REFERENCE: Final = "#/components/schemas/"
_REFUSALS: Final = {
    "400": "A parameter is wrong; the detail names it and the way out.",
    "404": "The mirror holds no such record.",
    "406": "It is not to be had in any form that Accept names.",
    "410": "The history of that time was pruned.",
    "414": "The address is too long.",
    "421": "The server does not answer to that host.",
    "422": "The record cannot be written in that form.",
    "429": "Too many requests; Retry-After says when to come back.",
    "503": "Too much is under way, or the mirror cannot be read; Retry-After says when.",
}


async def openapi(request: Request) -> Response:
    """The description; its server is the address that was asked, or the public one."""
    settings = request.app.state.settings.serve
    place = Place.of(request, settings)
    body = msgspec.json.encode(described(place.absolute("/api/v1")))
    headers = {"Cache-Control": "no-cache"}
    return conditional(request, Response(body, 200, headers, "application/json"))


def described(server: str) -> dict[str, Any]:
    """The description of the API at an address."""
    record = {form.media_type: _form(form) for form in forms.FORMS}
    record[forms.BIBLIOGRAPHY] = _text()
    exports = {form.media_type: _binary() for form in FORMATS.values()}
    changes = {"application/json": _object("Changes"), JSON_LINES: _text()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "halmirror",
            "version": __version__,
            "summary": "A mirror of scholarly metadata: records, search, changes, exports.",
            "description": "Everything is read with GET. Answers have an ETag. What the sources "
            "ask of those who take their metadata is at the link with the relation license.",
        },
        "servers": [{"url": server}],
        "paths": {
            "/records/{identifier}": _path("record", "A record by any identifier", RECORD, record),
            "/history/{identifier}": _path("history", "A record's states", PAST, _json("History")),
            "/differences/{identifier}": _path(
                "difference", "What differs between two states", DIFFERENCE, _json("Difference")
            ),
            "/search": _path("search", "Search, with facets", SEARCH, _json("Hits")),
            "/changes": _path("changes", "What changed, in the order of commits", CHANGES, changes),
            "/export": _path("export", "All that the filters pick, as a file", EXPORT, exports),
            "/status": _path("status", "What the mirror holds", (), _json("Status")),
        },
        "components": {"schemas": _schemas()},
    }


def _path(
    name: str, summary: str, parameters: Sequence[Parameter], content: Mapping[str, Any]
) -> dict[str, Any]:
    told = [one.described() for one in parameters]
    refusals = dict(_REFUSALS)
    if name in ("record", "history", "difference"):
        told.insert(0, _IDENTIFIER)
    else:
        del refusals["404"]
    problems = {"content": {MEDIA_TYPE: {"schema": {"$ref": f"{_REFERENCE}Problem"}}}}
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "parameters": told,
            "responses": {
                "200": {"description": summary, "content": dict(content)},
                "304": {"description": "It is what If-None-Match names."},
                **{
                    status: {"description": meaning, **problems}
                    for status, meaning in refusals.items()
                },
            },
        }
    }


_IDENTIFIER: Final = {
    "name": "identifier",
    "in": "path",
    "required": True,
    "description": "A HAL id with or without version, an OAI identifier, an address of HAL, a "
    "DOI, an arXiv id, a PMID or an NNT; slashes as they are or as %2F.",
    "schema": {"type": "string", "minLength": 1},
}


def _object(name: str) -> dict[str, Any]:
    return {"schema": {"$ref": f"{_REFERENCE}{name}"}}


def _json(name: str) -> dict[str, Any]:
    return {"application/json": _object(name)}


def _text() -> dict[str, Any]:
    return {"schema": {"type": "string"}}


def _binary() -> dict[str, Any]:
    return {"schema": {}}


def _form(form: forms.Form) -> dict[str, Any]:
    if form.name == "json":
        return _object("Record")
    return _binary() if "json" in form.media_type else _text()


def _schemas() -> dict[str, Any]:
    _, made = msgspec.json.schema_components(
        [Change, History, Difference], ref_template=f"{_REFERENCE}{{name}}"
    )
    record = record_schema.schema()
    parts = record.pop("$defs")
    del record["$schema"], record["$id"]
    counts = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
    return {
        **_referring({"Record": record, **parts}),
        **made,
        "Hits": {
            "type": "object",
            "required": ["total", "sort", "records", "facets", "next"],
            "properties": {
                "total": {"type": "integer", "minimum": 0},
                "sort": {"enum": ["relevance", "newest", "oldest"]},
                "records": {"type": "array", "items": {"$ref": f"{_REFERENCE}Record"}},
                "facets": {
                    "type": "object",
                    "properties": dict.fromkeys(FACET_KINDS, counts),
                    "additionalProperties": False,
                },
                "next": {"type": ["string", "null"]},
                "suggestion": {"type": "string"},
                "trails": {"const": True},
            },
            "additionalProperties": False,
        },
        "Changes": {
            "type": "object",
            "required": ["changes", "cursor", "more"],
            "properties": {
                "changes": {"type": "array", "items": {"$ref": f"{_REFERENCE}Change"}},
                "cursor": {"type": "integer", "minimum": 0},
                "more": {"type": "boolean"},
            },
            "additionalProperties": False,
        },
        "Status": {
            "type": "object",
            "required": ["records", "sources", "runs", "size_bytes"],
            "properties": {
                "records": {
                    **counts,
                    "required": list(STATUSES),
                },
                "sources": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["name", "received", "quarantined", "open_windows"],
                    },
                },
                "runs": {"type": "array", "items": {"type": "object"}},
                "size_bytes": {"type": "integer", "minimum": 0},
            },
        },
        "Problem": {
            "description": "Problem details (RFC 9457).",
            "type": "object",
            "required": ["title", "status", "detail"],
            "properties": {
                "title": {"type": "string"},
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": {"type": "string"},
            },
            "additionalProperties": False,
        },
    }


def _referring(value: Any) -> Any:  # noqa: ANN401 - JSON of any kind
    """A schema that refers to its parts where OpenAPI keeps them."""
    match value:
        case {"$ref": str(target)}:
            return value | {"$ref": target.replace("#/$defs/", _REFERENCE)}
        case dict():
            return {key: _referring(part) for key, part in value.items()}
        case list():
            return [_referring(part) for part in value]
        case _:
            return value
