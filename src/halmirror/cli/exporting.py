"""``halmirror export``."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from halmirror.cli.context import (
    Invocation,
    check_sources,
    check_time,
    filter_options,
    filters,
    identifier_lines,
    pass_invocation,
    say_missing,
)
from halmirror.errors import UsageError
from halmirror.export import COMPRESSED, FORMATS, Wanted, named_after
from halmirror.printable import printable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from halmirror.cli.watched import Watch
    from halmirror.export import Done
    from halmirror.mirror import Chosen


def _tell_formats(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    """Print the table of formats, and end."""
    if not asked:
        return
    for form in FORMATS.values():
        endings = ", ".join(form.endings)
        inside = "inside" if form.carries_statement else "on standard error"
        click.echo(f"{form.name}: {form.about}")
        click.echo(f"  {endings} ({form.media_type}); the sources' statement {inside}")
    ctx.exit()


@click.command()
@filter_options
@click.option(
    "--format", "form", metavar="FORMAT",
    help=f"{', '.join(FORMATS)}; unless told, what the output file's ending stands for.",
)  # fmt: skip
@click.option(
    "--formats", is_flag=True, is_eager=True, expose_value=False, callback=_tell_formats,
    help="Say what each format is, its endings and media type, and end.",
)  # fmt: skip
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE",
    help=f"Write to this file (beside it first, renamed when whole); {' and '.join(COMPRESSED)} "
    "compress.",
)  # fmt: skip
@click.option("--as-of", metavar="TIME", help="As the mirror held it: a day, time stamp or run.")
@click.option(
    "--ids-from", type=click.File("rb"), metavar="FILE",
    help="Only these identifiers, of any kind 'show' takes, one a line; - reads standard input.",
)  # fmt: skip
@click.option(
    "--unique", is_flag=True,
    help="Of an id that several sources hold, only the record of the first in the configuration.",
)  # fmt: skip
@click.option(
    "--fields", metavar="KEY,...",
    help="Only these keys (id, titles, identifiers.doi …); jsonl, csv, tsv and parquet.",
)  # fmt: skip
@click.option(
    "--normalised", is_flag=True,
    help="Dublin Core made from the normalised record, not as it came; oai_dc.",
)  # fmt: skip
@click.option(
    "--defuse", is_flag=True,
    help="An apostrophe before what a spreadsheet would take for a formula; csv and tsv.",
)  # fmt: skip
@pass_invocation
def export(
    invocation: Invocation,
    /,
    form: str | None,
    output: Path | None,
    as_of: str | None,
    ids_from: IO[bytes] | None,
    fields: str | None,
    *,
    unique: bool,
    normalised: bool,
    defuse: bool,
    **options: Any,
) -> None:
    """Write records to a file or to standard output, ordered by source, id and version.

    The same state of the mirror gives the same bytes. Parquet is ordered by source, year and
    id. "--formats" tells the formats apart; docs/exports.md has them at length.

    \b
    Examples:
      halmirror export --output hal.jsonl.zst
      halmirror export --format bibtex --author Romary --year 2015..
      halmirror export --format csv --fields id,titles,year,identifiers.doi --defuse > list.csv
      halmirror export --output shs.parquet --domain shs
      halmirror export --format bibtex --ids-from dois.txt > mine.bib
    """
    from halmirror import export as exporting

    name = form or _guessed(output)
    names = tuple(one.strip() for one in fields.split(",")) if fields is not None else ()
    wanted = Wanted(fields=names, normalised=normalised, defuse=defuse)
    picked = filters(options)
    picked.nodes()
    picked.statuses()
    exporting.load(name, wanted)
    check_time(as_of)
    check_sources(picked.source, invocation.source_names)
    with invocation.mirror() as mirror:
        at = mirror.seq_at(as_of) if as_of else None
        only = None
        if ids_from is not None:
            only = mirror.choose(identifier_lines(ids_from), picked, at=at, unique=unique)
            _tell(only, as_of)
        total = mirror.count(picked, at=at, only=only)
        with _watched(invocation, output) as watch:
            done = exporting.export(
                mirror, name, output, picked, at=at, unique=unique, only=only, wanted=wanted,
                watch=lambda count: watch(name, count, max(count, total)),
            )  # fmt: skip
    _tell_done(invocation, name, output, done)
    if only is not None and only.missing:
        raise click.exceptions.Exit(3)


def _watched(invocation: Invocation, output: Path | None) -> AbstractContextManager[Watch]:
    """A bar on a terminal, unless the records themselves go there."""
    from halmirror.cli.watched import watched

    if output is None and sys.stdout is not None and sys.stdout.isatty():
        return nullcontext(lambda *_: None)
    return watched(invocation, "written")


def _guessed(output: Path | None) -> str:
    """The format that the output file's ending stands for.  Raises `UsageError`."""
    if output is None:
        raise UsageError(f"--format is missing; there are {', '.join(FORMATS)}")
    name = named_after(output)
    if name is None:
        raise UsageError(
            f"the ending of {output} stands for no format; give --format: {', '.join(FORMATS)}"
        )
    return name


def _tell_done(invocation: Invocation, name: str, output: Path | None, done: Done) -> None:
    """What was left out, how many were written, and what the sources ask.

    Where the format has no place for that, it is told whatever was written to.
    """
    for prefix, left in sorted(done.left_out.items()):
        click.echo(
            f"halmirror: {left} records left out: their metadata are {printable(prefix)}, not "
            f"{name}; --format source has them",
            err=True,
        )
    if invocation.quiet:
        return
    if output is not None:
        click.echo(f"{done.count} records written to {printable(str(output))}", err=True)
    if done.statement and (output is not None or not FORMATS[name].carries_statement):
        click.echo(f"what the sources ask: {printable(done.statement)}", err=True)


def _tell(only: Chosen, as_of: str | None) -> None:
    """Name what is missing and what is left out; where everything is missing, end there."""
    for identifier in only.missing:
        say_missing(identifier, as_of)
    if only.left_out:
        first = printable(only.left_out[0][:200])
        click.echo(
            f"halmirror: {len(only.left_out)} of the identifiers left out ({first} …): the filters "
            "do not pick their records; --status all takes those that are not active",
            err=True,
        )
    if only.missing and not only.left_out and not len(only):
        raise click.exceptions.Exit(1)
