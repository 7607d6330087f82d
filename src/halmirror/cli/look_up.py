"""``halmirror show`` and ``halmirror search``."""

from __future__ import annotations

import io
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from halmirror.cli.context import (
    Invocation,
    check_sources,
    check_text,
    check_time,
    filter_options,
    filters,
    identifier_lines,
    pass_invocation,
    say_missing,
)
from halmirror.errors import NotFoundError
from halmirror.printable import printable, printable_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from halmirror.labels import Ui
    from halmirror.mirror import Filters, Hits, Mirror


@click.command()
@click.argument("identifiers", nargs=-1, required=True, metavar="ID...")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "dc", "bibtex"]), default="text",
    show_default=True, help="How to write each record.",
)  # fmt: skip
@click.option("--as-of", metavar="TIME", help="As the mirror held it: a day, time stamp or run.")
@click.option("--lang", "lang", type=click.Choice(["en", "fr"]), help="The same as --ui.")
@pass_invocation
def show(
    invocation: Invocation,
    identifiers: tuple[str, ...],
    form: str,
    as_of: str | None,
    lang: Ui | None,
) -> None:
    """Show records by identifier, without a network.

    ID is a HAL id with or without version, an OAI identifier, a HAL address, a DOI, an arXiv
    id, a PMID or an NNT; "-" reads identifiers from standard input, one a line.

    \b
    Examples:
      halmirror show hal-04493396
      halmirror show 10.1103/PhysRevE.87.033017 --format bibtex
      cut -f1 ids.tsv | halmirror show - --format json
    """
    check_time(as_of)
    asked = missing = 0
    with invocation.mirror() as mirror:
        at = mirror.seq_at(as_of) if as_of else None
        for identifier in _each(identifiers):
            asked += 1
            text = _shown(mirror, identifier, form, lang or invocation.ui, at)
            if text is None:
                missing += 1
                say_missing(identifier, as_of)
            else:
                if asked > 1 and form == "text":
                    click.echo()
                click.echo(text)
    if missing:
        raise click.exceptions.Exit(1 if missing == asked else 3)


@click.command()
@click.argument("query", nargs=-1)
@filter_options
@click.option(
    "--sort", type=click.Choice(["relevance", "newest", "oldest"]), default="relevance",
    show_default=True, help="The order of hits.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(min=0, max=10_000), default=20, show_default=True)
@click.option("--cursor", help="Go on where an earlier answer's 'next' points.")
@click.option("--facets", is_flag=True, help="Count hits by type, year, domain, language …")
@click.option("--as-of", metavar="TIME", help="As the mirror held it: a day, time stamp or run.")
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "jsonl", "ids"]), default="table",
    show_default=True,
)  # fmt: skip
@pass_invocation
def search(
    invocation: Invocation,
    /,
    query: tuple[str, ...],
    sort: str,
    limit: int,
    cursor: str | None,
    as_of: str | None,
    form: str,
    *,
    facets: bool,
    **options: Any,
) -> None:
    """Search titles, authors, keywords, abstracts and the rest, without a network.

    Words are joined by AND; "phrases", prefix*, AND, OR, NOT and parentheses work, and so do
    author: title: year: type: domain: lang: set: access: doi:. Accents, ligatures and case do
    not matter.

    \b
    Examples:
      halmirror search impact social
      halmirror search 'title:lexicography OR "digital humanities"' --year 2015..2020
      halmirror search --domain shs --type THESE --facets
    """
    picked = filters(options)
    check_search(" ".join(query), picked, cursor, invocation.source_names)
    check_time(as_of)
    with invocation.mirror() as mirror:
        hits = mirror.search(
            " ".join(query), picked, sort=sort, limit=limit, cursor=cursor,
            facets=facets, at=mirror.seq_at(as_of) if as_of else None,
        )  # fmt: skip
    if form == "json":
        click.echo(printable_json(_json(hits)))
    elif form == "jsonl":
        for record in hits.records:
            click.echo(printable_json(record.json().decode()))
    elif form == "ids":
        for record in hits.records:
            click.echo(printable(record.versioned_id))
    else:
        _table(hits, invocation.ui)


def check_search(query: str, picked: Filters, cursor: str | None, known: Sequence[str]) -> None:
    """Raises `QueryError` for what cannot be read, before the mirror is touched."""
    from halmirror.mirror import read_cursor
    from halmirror.query import parse

    check_text(query)
    parse(query)
    picked.nodes()
    picked.statuses()
    check_sources(picked.source, known)
    if cursor:
        read_cursor(cursor)


def _each(identifiers: tuple[str, ...]) -> Iterator[str]:
    for identifier in identifiers:
        if identifier == "-":
            yield from identifier_lines(sys.stdin.buffer if sys.stdin else io.BytesIO())
        else:
            yield identifier


def _shown(mirror: Mirror, identifier: str, form: str, ui: Ui, at: int | None) -> str | None:
    if form == "json":
        line = mirror.json(identifier, at=at)
        return printable_json(line.decode()) if line is not None else None
    record = mirror.get(identifier, at=at)
    if record is None:
        return None
    if form == "dc":
        try:
            return mirror.source_metadata(identifier, at=at)[1].source.decode()
        except NotFoundError:
            return None
    if form == "bibtex":
        from halmirror.export import bibtex

        return bibtex.entry(record).rstrip("\n")
    from halmirror.export import text

    later = mirror.has_later_version(record)
    return text.render(record, ui, width=_columns(), later=later).rstrip("\n")


def _json(hits: Hits) -> str:
    import msgspec

    return msgspec.json.encode(
        {
            "total": hits.total,
            "sort": hits.sort,
            "records": [msgspec.Raw(record.json()) for record in hits.records],
            "facets": hits.facets,
            "next": hits.next,
        }
    ).decode()


def _columns() -> int:
    """The terminal's width, up to what reads well."""
    return min(shutil.get_terminal_size((80, 24)).columns, 100)


def _table(hits: Hits, ui: Ui) -> None:
    from halmirror.export.text import line

    for record in hits.records:
        click.echo(line(record, ui))
    shown = len(hits.records)
    rest = f"; go on with --cursor {hits.next}" if hits.next else ""
    click.echo(f"{hits.total} hits, {shown} shown, by {hits.sort}{rest}", err=True)
    for kind, counts in hits.facets.items():
        best = ", ".join(f"{value} {count}" for value, count in list(counts.items())[:10])
        if best:
            click.echo(f"{kind}: {printable(best)}")
