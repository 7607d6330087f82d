"""Filling a window whose list gave fewer records than it announced.

HAL skips a document that fails to load, and may lose a record at a page's edge.  So the window's
identifiers are listed too (their pages have other edges), and what is missing comes by GetRecord.
What the server announces but does not give is kept by name, with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halmirror.batch import Rules, local_key, prepare_page
from halmirror.errors import ListError, ProtocolError
from halmirror.store.model import Counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from halmirror.listing import PageSource
    from halmirror.oaipmh.protocol import Header, Page
    from halmirror.store.model import Stream, Window
    from halmirror.store.writer import Writer

MOST = 1000
"""More missing records than this are no gaps: the list itself was cut, and is taken again."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What filling brought: counts, records received, and what was withheld (id, reason)."""

    counts: Counts
    received: int
    withheld: tuple[tuple[str, str], ...]
    too_many: bool = False


def fill(
    client: PageSource,
    writer: Writer,
    stream: Stream,
    window: Window,
    rules: Rules,
    arguments: Mapping[str, str],
) -> Filled:
    """Compare the window with its list of identifiers, and ask for what is missing.

    ``arguments`` are those of the window's own list.  Raises `SourceError`.
    """
    missing: list[Header] = []
    for header in _identifiers(client, arguments):
        if not writer.is_listed(stream, window, *local_key(header.identifier, rules.profile)):
            missing.append(header)
            if len(missing) > MOST:
                return Filled(Counts(), 0, (), too_many=True)
    counts, received = Counts(), 0
    withheld: list[tuple[str, str]] = []
    for header in missing:
        asked = {"identifier": header.identifier, "metadataPrefix": stream.prefix}
        page = client.page("GetRecord", asked)
        reason = _reason(page)
        if reason is not None:
            withheld.append((header.identifier, reason))
            continue
        batch = prepare_page(page, rules)
        found, _ = writer.commit_page(stream, window, batch)
        counts += found
        received += len(batch.rows)
    return Filled(counts, received, tuple(withheld))


def _reason(page: Page) -> str | None:
    """Why GetRecord gave no record; none where it gave one."""
    if page.errors:
        return f"{page.errors[0].code}: {page.errors[0].message}"
    if page.rejected:
        return page.rejected[0].reason
    return None if page.records else "GetRecord gave neither the record nor an error"


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
