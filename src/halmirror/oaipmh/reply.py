"""What an HTTP reply says: a page of OAI-PMH, or why it is none and whether asking again may help.

Nothing here asks, waits or looks at a clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from lxml import etree

from halmirror.errors import (
    AwayError,
    ForbiddenError,
    ResponseError,
    TooHeavyError,
    TransportError,
)
from halmirror.oaipmh.protocol import is_solr_outage, looks_cut_short, parse
from halmirror.oaipmh.salvage import salvage

if TYPE_CHECKING:
    from halmirror.oaipmh.protocol import Page

HEAVY_STATUSES = frozenset({413, 500, 502, 504})
"""Answers that a shorter list may not get: metha #6, zenodo-rdm #1149."""

_UNWANTED_STATUSES = frozenset({403, 410})
_UNREADABLE_TRIES = 2
"""An answer that is no OAI-PMH may be a page of a moment; it is asked for once more."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP reply: its status, its unpacked body, and the address that gave it.

    ``packed``: whether it travelled as gzip.  ``seconds`` from asking to its last byte.
    """

    status: int
    body: bytes
    url: str
    retry_after: str | None
    packed: bool
    seconds: float = 0.0


class AgainError(Exception):
    """A request failed in a way that may pass.

    ``wait``: seconds that the server asked for; ``silent``: it could not be reached at all;
    ``tries``: requests that are worth it, where fewer than ``retries`` allows.
    """

    def __init__(
        self,
        reason: TransportError | ResponseError,
        wait: float | None = None,
        *,
        silent: bool = False,
        tries: int | None = None,
    ) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.wait = wait
        self.silent = silent
        self.tries = tries


def understood(reply: Reply, verb: str) -> Page:
    """The page that a reply holds, an answer to ``verb`` or an error condition of OAI-PMH.

    Raises `AgainError`, `TransportError` and `ResponseError`.
    """
    page = _page(reply)
    # Some servers send an OAI-PMH error with a status of its own (Zenodo: 422).
    if reply.status != HTTPStatus.OK and not page.errors:
        raise _refused(reply)
    if is_solr_outage(page):
        message = f"{reply.url} says that its search engine is down; try again later"
        raise AgainError(AwayError(message))
    _check_answers(page, verb, reply.url)
    return page


def _page(reply: Reply) -> Page:
    """The page of a reply; where its XML is broken, what can be saved of it with certainty."""
    try:
        return parse(reply.body, url=reply.url)
    except ResponseError as error:
        if reply.status != HTTPStatus.OK:
            raise _refused(reply) from error
        if looks_cut_short(reply.body) or not reply.body.strip():
            raise AgainError(error) from error
        if not isinstance(error.__cause__, etree.XMLSyntaxError):
            raise AgainError(error, tries=_UNREADABLE_TRIES) from error
        try:
            return salvage(reply.body, url=reply.url)
        except ResponseError:
            raise AgainError(error, tries=_UNREADABLE_TRIES) from error


def _refused(reply: Reply) -> TransportError:
    kind: type[TransportError] = TransportError
    if reply.status in _UNWANTED_STATUSES:
        kind = ForbiddenError
    elif reply.status in HEAVY_STATUSES:
        kind = TooHeavyError
    return kind(
        f"{reply.url} refuses with HTTP status {reply.status}; check base_url and credentials"
    )


def _check_answers(page: Page, verb: str, url: str) -> None:
    """Raises `ResponseError` where a page without errors does not answer what was asked."""
    if page.errors:
        return
    if page.verb != verb:
        raise ResponseError(f"{url} was asked for {verb} and answers {page.verb}", url=url)
    if verb == "GetRecord" and not (page.records or page.rejected):
        raise ResponseError(f"{url} answers with neither an error nor a record: no record", url=url)
