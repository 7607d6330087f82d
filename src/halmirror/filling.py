"""Filling a window whose list gave fewer records than it announced, or none at all.

HAL skips a document that fails to load, and may lose a record at a page's edge; some servers fail
over a page whatever is done.  So the window's identifiers are listed too (their pages have other
edges), and what is missing comes by GetRecord.  What the server announces but does not give is
kept by name, with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halmirror.batch import Rules, local_key, prepare_page
from halmirror.errors import ListError, ProtocolError, ResponseError, TooHeavyError
from halmirror.store.model import Counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from halmirror.oaipmh.protocol import Header, Page
    from halmirror.repository import PageSource
    from halmirror.store.model import Stream, Window
    from halmirror.store.writer import Writer

MOST_GAPS = 1000
"""More missing records than this are no gaps: the list itself was cut, and is taken again."""

MOST_BY_NAME = 20_000
"""Records of one day that are asked for one by one where their list cannot be had."""

_FAILURES_IN_A_ROW = 5


@dataclass(frozen=True, slots=True)
class Filled:
    """What filling brought: counts, records received, and what was withheld (id, reason).

    ``listed``: identifiers that the window's list of them has; ``rejected``: records that came but
    went to quarantine.  ``too_many``: more was missing than is asked for; nothing was.
    """

    counts: Counts
    listed: int
    received: int
    rejected: int
    withheld: tuple[tuple[str, str], ...]
    too_many: bool = False


def fill(
    client: PageSource,
    writer: Writer,
    stream: Stream,
    window: Window,
    rules: Rules,
    arguments: Mapping[str, str],
    most: int = MOST_GAPS,
) -> Filled:
    """Compare the window with its list of identifiers, and ask for what is missing.

    ``arguments`` are those of the window's own list; at most ``most`` records are asked for.
    Raises `SourceError`.
    """
    missing: list[Header] = []
    listed = 0
    for header in _identifiers(client, arguments):
        listed += 1
        if not writer.is_listed(stream, window, *local_key(header.identifier, rules.profile)):
            missing.append(header)
            if len(missing) > most:
                return Filled(Counts(), listed, 0, 0, (), too_many=True)
    counts, received, rejected, failures = Counts(), 0, 0, 0
    withheld: list[tuple[str, str]] = []
    for header in missing:
        try:
            page, failures = _record(client, header, stream), 0
        except (ResponseError, TooHeavyError) as error:
            # One record that the server cannot give is named; a server that gives none is down.
            failures += 1
            if failures >= _FAILURES_IN_A_ROW:
                raise
            withheld.append((header.identifier, str(error)))
            continue
        if page.errors:
            refusal = page.errors[0]
            withheld.append((header.identifier, f"{refusal.code}: {refusal.message}"))
            continue
        batch = prepare_page(page, rules)
        found, _ = writer.commit_page(stream, window, batch)
        counts += found
        received += len(batch.rows)
        rejected += len(batch.rejected)
    return Filled(counts, listed, received, rejected, tuple(withheld))


def _record(client: PageSource, header: Header, stream: Stream) -> Page:
    asked = {"identifier": header.identifier, "metadataPrefix": stream.prefix}
    return client.page("GetRecord", asked)


def _identifiers(client: PageSource, arguments: Mapping[str, str]) -> Iterator[Header]:
    """The headers of a list, page by page."""
    asked = dict(arguments)
    seen: set[str] = set()
    while True:
        page = client.page("ListIdentifiers", asked)
        codes = {error.code for error in page.errors}
        if codes == {"noRecordsMatch"}:
            return
        if codes:
            raise ProtocolError(
                f"the list of identifiers was refused: {page.errors[0].code}: "
                f"{page.errors[0].message}",
                page.errors[0].code,
            )
        yield from page.headers
        token = page.token.value if page.token else ""
        if not token:
            return
        if token in seen:
            raise ListError(f"the list of identifiers gave token '{token[:60]}' twice")
        seen.add(token)
        asked = {"resumptionToken": token}
