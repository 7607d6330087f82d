"""``halmirror show``, ``halmirror cite`` and ``halmirror search``."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

import click

from halmirror.cli.context import (
    Invocation,
    check_sources,
    check_text,
    check_time,
    columns,
    filter_options,
    filters,
    identifier_lines,
    pass_invocation,
    say_missing,
)
from halmirror.errors import NotFoundError, UsageError
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
@click.option(
    "--explain", "view", flag_value="explain",
    help="Where each source value went, by which rule, as a table or JSON.",
)  # fmt: skip
@click.option(
    "--history", "view", flag_value="history",
    help="The document's states: when, status, sets and which keys changed.",
)  # fmt: skip
@click.option("--lang", "lang", type=click.Choice(["en", "fr"]), help="The same as --ui.")
@pass_invocation
def show(
    invocation: Invocation,
    /,
    identifiers: tuple[str, ...],
    form: str,
    as_of: str | None,
    view: str | None,
    lang: Ui | None,
) -> None:
    """Show records by identifier, without a network.

    ID is a HAL id with or without version, an OAI identifier, a HAL address, a DOI, an arXiv
    id, a PMID or an NNT; "-" reads identifiers from standard input, one a line.

    \b
    Examples:
      halmirror show hal-04493396
      halmirror show 10.1103/PhysRevE.87.033017 --format bibtex
      halmirror show hal-04493396 --explain
      cut -f1 ids.tsv | halmirror show - --format json
    """
    check_time(as_of)
    if view and form not in ("text", "json"):
        raise UsageError(f"--{view} is written as text or json, not as {form}; leave one out")
    asked = missing = 0
    with invocation.mirror() as mirror:
        at = mirror.seq_at(as_of) if as_of else None
        for identifier in _each(identifiers):
            asked += 1
            ui = lang or invocation.ui
            text = (_VIEWS[view] if view else _shown)(mirror, identifier, form, ui, at)
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
@click.argument("identifiers", nargs=-1, required=True, metavar="ID...")
@click.option("--style", default="hal", show_default=True, metavar="STYLE", help="Only hal so far.")
@pass_invocation
def cite(invocation: Invocation, identifiers: tuple[str, ...], style: str) -> None:
    """Give the citation of records, one a line, without a network.

    The style "hal" is the line that HAL's own page has under "Cite". IDs are those of show;
    "-" reads them from standard input, one a line.

    \b
    Examples:
      halmirror cite hal-04493396
      halmirror cite - --style hal < identifiers.txt
    """
    from halmirror.citation import STYLES
    from halmirror.citation import cite as line_of

    if style not in STYLES:
        raise UsageError(f"--style: there is no style '{style}'; there is {', '.join(STYLES)}")
    asked = missing = 0
    with invocation.mirror() as mirror:
        for identifier in _each(identifiers):
            asked += 1
            record = mirror.get(identifier)
            if record is None:
                missing += 1
                say_missing(identifier, None)
            else:
                later = mirror.has_later_version(record)
                click.echo(printable(line_of(record, later_versions=later)))
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
    return text.render(record, ui, width=columns(), later=later).rstrip("\n")


def _explained(mirror: Mirror, identifier: str, form: str, ui: Ui, at: int | None) -> str | None:
    try:
        explanation = mirror.explain(identifier, at=at)
    except NotFoundError:
        return None
    if form == "json":
        return printable_json(explanation.json().decode())
    from halmirror.export import account

    return account.render(explanation, ui, width=columns())


def _past(mirror: Mirror, identifier: str, form: str, ui: Ui, at: int | None) -> str | None:
    try:
        history = mirror.history(identifier, at=at)
    except NotFoundError:
        return None
    if form == "json":
        return printable_json(history.json().decode())
    from halmirror.export.past import render_history

    return render_history(history, ui, width=columns())


_VIEWS = {"explain": _explained, "history": _past}


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
