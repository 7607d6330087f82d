"""Where the server stands in the web: the addresses its answers name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from halmirror.record.identifiers import parse_hal_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

    from halmirror.config.serve import ServeSettings

_SAFE = "-._~:@!$&'()*+,;="


@dataclass(frozen=True, slots=True)
class Place:
    """``origin``: absolute addresses begin with it, no ``/`` at its end; ``prefix``: its path."""

    origin: str
    prefix: str

    @classmethod
    def of(cls, request: Request, settings: ServeSettings) -> Place:
        """The configured address, else the one asked (its Host has been checked)."""
        if settings.public_url:
            return cls(settings.public_url.rstrip("/"), settings.prefix)
        return cls(f"{request.url.scheme}://{request.headers.get('host', '')}", "")

    def path(self, path: str, query: Iterable[tuple[str, str]] = ()) -> str:
        """A link to one of the server's pages: path and query, from the host's root."""
        pairs = [(name, value) for name, value in query if value]
        return f"{self.prefix}{path}" + (f"?{urlencode(pairs)}" if pairs else "")

    def absolute(self, path: str, query: Iterable[tuple[str, str]] = ()) -> str:
        """The same with scheme and host."""
        return self.origin + self.path(path, query).removeprefix(self.prefix)


def record_path(identifier: str) -> str:
    """The path of a record's page: ``/hal-1v2``, ``/record/oai:…`` for what is no HAL id."""
    if parse_hal_id(identifier) and "/" not in identifier and ":" not in identifier:
        return f"/{quote(identifier, _SAFE)}"
    return f"/record/{quote(identifier, _SAFE)}"
