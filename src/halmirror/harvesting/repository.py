"""A repository as harvesting sees it: what it says of itself, and the pages it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from halmirror.oaipmh.protocol import Page
    from halmirror.oaipmh.reply import Reply


@dataclass(frozen=True, slots=True)
class Repository:
    """What the windows need to know of the repository, from its Identify answer."""

    earliest: str
    today: str
    granularity: str


class PageSource(Protocol):
    """What a listing needs of the client: one request, answered by a parsed page."""

    def page(self, verb: str, arguments: Mapping[str, str]) -> Page:
        """The page that answers a request.  Raises `SourceError`."""
        ...


class ReplySource(Protocol):
    """What reading ahead needs of the client: replies first, and pages of them later."""

    def page(self, verb: str, arguments: Mapping[str, str], first: Reply | None = None) -> Page:
        """The page that answers a request; ``first``: a reply to it that is here already."""
        ...

    def fetch(self, verb: str, arguments: Mapping[str, str]) -> Reply:
        """The reply to a request as it came.  Raises `SourceError`."""
        ...
