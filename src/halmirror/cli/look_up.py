"""``halmirror show``, ``halmirror cite`` and ``halmirror search``."""

from __future__ import annotations

import gc
import io
import sys
from typing import TYPE_CHECKING, Any, TypeVar, cast

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
from halmirror.export import FORMATS, SHOWN, Wanted, load
from halmirror.printable import printable, printable_json, printable_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from halmirror.mirror import Filters, Hits, Mirror
    from halmirror.record import Record
    from halmirror.record.labels import Ui

_Taken = TypeVar("_Taken")


@click.command()
@click.argument("identifiers", nargs=-1, required=True, metavar="ID...")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "dc", *SHOWN]), default="text",
    show_default=True, help="How to write the records.",
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
    ui = lang or invocation.ui
    with invocation.mirror() as mirror:
        asked = _Asked(_each(identifiers), as_of)
        at = mirror.seq_at(as_of) if as_of else None
        if form in FORMATS:
            lines = FORMATS[form].takes == "lines"
            _written(asked.found(lambda one: _item(mirror, one, at, lines=lines)), form)
        else:
            view_of = _VIEWS[view] if view else _shown
            texts = asked.found(lambda one: view_of(mirror, one, form, ui, at))
            for number, text in enumerate(texts):
                if number and form == "text":
                    click.echo()
                click.echo(text)
    asked.end()


@click.command()
@click.argument("identifiers", nargs=-1, required=True, metavar="ID...")
@click.option(
    "--style", default="hal", show_default=True, metavar="STYLE",
    help="hal, apa, chicago-author-date, harvard, ieee, iso690, iso690-numeric, mla, vancouver, "
    "or a file of the Citation Style Language (.csl).",
)  # fmt: skip
@pass_invocation
def cite(invocation: Invocation, identifiers: tuple[str, ...], style: str) -> None:
    """Give the citation of records, one a line, without a network.

    The style "hal" is the line that HAL's own page has under "Cite". IDs are those of show;
    "-" reads them from standard input, one a line. A style that leaves the language open is
    in that of the interface: see --ui.

    \b
    Examples:
      halmirror cite hal-04493396
      halmirror cite hal-04493396 --style apa
      halmirror --ui fr cite - --style iso690 < identifiers.txt
    """
    if style != "hal":
        from halmirror.export import csl

        csl.check(style)
    with invocation.mirror() as mirror:
        asked = _Asked(_each(identifiers), None)
        for record in asked.found(mirror.get):
            if style == "hal":
                from halmirror.record.citation import cite as line_of

                line = line_of(record, later_versions=mirror.has_later_version(record))
            else:
                line = csl.cite(record, style, invocation.ui)
            click.echo(printable(line))
    asked.end()


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
    "--format", "form", type=click.Choice(["table", "json", "ids", *SHOWN]), default="table",
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
    words = " ".join(query)
    with invocation.mirror() as mirror:
        hits = mirror.search(
            words, picked, sort=sort, limit=limit, cursor=cursor,
            facets=facets, at=mirror.seq_at(as_of) if as_of else None,
        )  # fmt: skip
    if form == "json":
        click.echo(printable_json(hits.json().decode()))
    elif form in FORMATS:
        lines = FORMATS[form].takes == "lines"
        _written((one.json() if lines else one for one in hits.records), form)
    elif form == "ids":
        for record in hits.records:
            click.echo(printable(record.versioned_id))
    else:
        _table(hits, words, invocation.ui)
    if hits.suggestion is not None:
        click.echo(f"did you mean: {printable(hits.suggestion)}", err=True)
    if hits.trails:
        click.echo(
            "the newest changes cannot be searched yet: a run is under way, or was cut and the "
            "next one adds them",
            err=True,
        )


def check_search(query: str, picked: Filters, cursor: str | None, known: Sequence[str]) -> None:
    """Raises `QueryError` for what cannot be read, before the mirror is touched."""
    from halmirror.places import read_cursor
    from halmirror.search.query import parse

    check_text(query)
    parse(query)
    picked.nodes()
    picked.statuses()
    check_sources(picked.source, known)
    if cursor:
        read_cursor(cursor)


class _Asked:
    """Identifiers that were asked for, and how many of them name nothing."""

    def __init__(self, identifiers: Iterable[str], as_of: str | None) -> None:
        self._identifiers = identifiers
        self._as_of = as_of
        self._count = 0
        self._missing = 0

    def found(self, take: Callable[[str], _Taken | None]) -> Iterator[_Taken]:
        """What there is for each, in their order; one that names nothing is told."""
        for identifier in self._identifiers:
            if self._count:
                gc.enable()
            self._count += 1
            taken = take(identifier)
            if taken is None:
                self._missing += 1
                say_missing(identifier, self._as_of)
            else:
                yield taken

    def end(self) -> None:
        """Exits 1 where none names a record, 3 where some do not."""
        if self._missing:
            raise click.exceptions.Exit(1 if self._missing == self._count else 3)


def _item(mirror: Mirror, identifier: str, at: int | None, *, lines: bool) -> Record | bytes | None:
    """The record of an identifier as a format takes it."""
    return mirror.json(identifier, at=at) if lines else mirror.get(identifier, at=at)


def _written(items: Iterable[Record | bytes], form: str) -> None:
    """Write records to standard output in an export format.

    A terminal gets nothing that it would obey; JSON is escaped wherever it goes, as its value
    stays the same.
    """
    _, writer = load(form)
    if form == "jsonl":
        for line in cast("Iterable[bytes]", items):
            click.echo(printable_json(line.decode()))
        return
    if sys.stdout is not None and sys.stdout.isatty():
        held = io.BytesIO()
        writer(items, held, Wanted())
        click.echo(printable_text(held.getvalue().decode()), nl=False)
        return
    from halmirror.export.output import opened

    with opened(None) as out:
        writer(items, out, Wanted())


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


def _table(hits: Hits, query: str, ui: Ui) -> None:
    from halmirror.export.text import excerpt, line, marked
    from halmirror.search.query import parse
    from halmirror.search.snippets import sought

    wanted = sought(parse(query))
    bold = sys.stdout is not None and sys.stdout.isatty()
    for record in hits.records:
        lines = [line(record, ui), *excerpt(record, wanted, columns())]
        click.echo(marked("\n".join(lines), wanted) if bold else "\n".join(lines))
    shown = len(hits.records)
    rest = f"; go on with --cursor {hits.next}" if hits.next else ""
    click.echo(f"{hits.total} hits, {shown} shown, by {hits.sort}{rest}", err=True)
    for kind, counts in hits.facets.items():
        best = ", ".join(f"{value} {count}" for value, count in list(counts.items())[:10])
        if best:
            click.echo(f"{kind}: {printable(best)}")
