"""Filling a window whose list gave fewer records than it announced, or none at all.

HAL skips a document that fails to load, and may lose a record at a page's edge; some servers fail
over a page whatever is done.  So the window's identifiers are listed too (their pages have other
edges), and what is missing comes by GetRecord.  What the server announces but does not give is
kept by name, with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from halmirror.batch import Batch, Rules, local_key, prepare_page
from halmirror.errors import ListError, ProtocolError, ResponseError, TooHeavyError
from halmirror.store.model import Counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from halmirror.harvesting.repository import PageSource
    from halmirror.oaipmh.protocol import Page
    from halmirror.store.model import Stream, Window
    from halmirror.store.writer import Writer

MOST_GAPS = 1000
"""More missing records than this are no gaps: the list itself was cut, and is taken again."""

MOST_BY_NAME = 20_000
"""Records of one day that are asked for one by one where their list cannot be had."""

_FAILURES_IN_A_ROW = 5


_BARREN_PAGES = 20
_EXCESS = 10_000


@dataclass(frozen=True, slots=True)
class Filled:
    """What filling brought: counts, records received, and what was withheld (id, reason).

    ``listed``: identifiers that the window's list of them has.  ``too_many``: more was missing
    than is asked for; nothing was.
    """

    counts: Counts
    listed: int
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
    most: int = MOST_GAPS,
) -> Filled:
    """Compare the window with its list of identifiers, and ask for what is missing.

    ``arguments`` are those of the window's own list; at most ``most`` records are asked for.  A
    header that cannot be read goes to quarantine.  Raises `SourceError`, also where the list of
    identifiers is empty: the window is known to have some.
    """
    missing: list[str] = []
    listed = 0
    counts = Counts()
    for page in _identifiers(client, arguments):
        listed += len(page.headers) + len(page.rejected)
        missing += [
            identifier
            for identifier in _named(page)
            if not writer.is_listed(stream, window, *local_key(identifier, rules.profile))
        ]
        nameless = tuple(one for one in page.rejected if one.identifier is None)
        if nameless:
            broken = Batch((), nameless, None, page.response_date)
            counts += writer.commit_page(stream, window, broken)[0]
        if len(missing) > most:
            return Filled(counts, listed, 0, (), too_many=True)
    filled = _ask(client, writer, stream, window, rules, missing)
    return replace(filled, counts=counts + filled.counts, listed=listed)


def _named(page: Page) -> Iterator[str]:
    """The identifiers of a page, those of headers that cannot be read too, where they can."""
    yield from (header.identifier for header in page.headers)
    yield from (one.identifier for one in page.rejected if one.identifier is not None)


def _ask(
    client: PageSource,
    writer: Writer,
    stream: Stream,
    window: Window,
    rules: Rules,
    missing: Sequence[str],
) -> Filled:
    """Ask for records by name.  Raises `SourceError` where the source gives none at all."""
    counts = Counts()
    received, failures = 0, 0
    withheld: list[tuple[str, str]] = []
    for identifier in missing:
        try:
            page, failures = _record(client, identifier, stream), 0
        except (ResponseError, TooHeavyError) as error:
            # One record that the server cannot give is named; a server that gives none is down.
            failures += 1
            if failures >= _FAILURES_IN_A_ROW:
                raise
            withheld.append((identifier, str(error)))
            continue
        if page.errors:
            refusal = page.errors[0]
            withheld.append((identifier, f"{refusal.code}: {refusal.message}"))
            continue
        batch = prepare_page(page, rules)
        found, _ = writer.commit_page(stream, window, batch)
        counts += found
        other = _other(batch, identifier, rules)
        if other is None:
            received += len(batch.rows)
        else:
            withheld.append((identifier, f"GetRecord gives {other} in its place"))
    return Filled(counts, 0, received, tuple(withheld))


def _record(client: PageSource, identifier: str, stream: Stream) -> Page:
    return client.page("GetRecord", {"identifier": identifier, "metadataPrefix": stream.prefix})


def _other(batch: Batch, asked: str, rules: Rules) -> str | None:
    """The record that came in the place of the one asked for; none where that one came."""
    wanted = local_key(asked, rules.profile)
    for row in batch.rows:
        if row.id != wanted[0] or (row.version and wanted[1] and row.version != wanted[1]):
            return row.oai_identifier[:200]
    return None


def _identifiers(client: PageSource, arguments: Mapping[str, str]) -> Iterator[Page]:
    """The pages of a list of identifiers.

    Raises `ListError` where it is empty, ends before its end, or never ends.
    """
    asked = dict(arguments)
    tokens: set[str] = set()
    pages: set[int] = set()
    listed = barren = 0
    announced: int | None = None
    while True:
        page = client.page("ListIdentifiers", asked)
        codes = {error.code for error in page.errors}
        if codes == {"noRecordsMatch"} and listed and (announced is None or listed >= announced):
            return
        if codes:
            raise ProtocolError(
                f"the list of identifiers was refused: {page.errors[0].code}: "
                f"{page.errors[0].message}",
                page.errors[0].code,
            )
        yield page
        listed += len(page.headers) + len(page.rejected)
        if page.token is not None and page.token.complete_list_size is not None:
            announced = page.token.complete_list_size
        token = page.token.value if page.token else ""
        if not token:
            if not listed:
                raise ListError("the list of identifiers is empty, though records are announced")
            return
        if token in tokens:
            raise ListError(f"the list of identifiers gave token '{token[:60]}' twice")
        tokens.add(token)
        held = hash(tuple(header.identifier for header in page.headers))
        barren = barren + 1 if held in pages else 0
        pages.add(held)
        if barren >= _BARREN_PAGES or (announced is not None and listed > 2 * announced + _EXCESS):
            raise ListError("the list of identifiers never ends")
        asked = {"resumptionToken": token}
