"""``halmirror export``."""

from __future__ import annotations

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
from halmirror.printable import printable

if TYPE_CHECKING:
    from halmirror.mirror import Chosen


@click.command()
@filter_options
@click.option(
    "--format", "form", required=True, metavar="FORMAT", help="jsonl, oai_dc, source or bibtex."
)
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE",
    help="Write to this file (beside it first, renamed when whole); .gz and .zst compress.",
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
@pass_invocation
def export(
    invocation: Invocation,
    /,
    form: str,
    output: Path | None,
    as_of: str | None,
    ids_from: IO[bytes] | None,
    *,
    unique: bool,
    **options: Any,
) -> None:
    """Write records to a file or to standard output, ordered by source, id and version.

    The same state of the mirror gives the same bytes.

    \b
    Examples:
      halmirror export --format jsonl --output hal.jsonl.zst
      halmirror export --format bibtex --author Romary --year 2015..
      halmirror export --format bibtex --ids-from dois.txt > mine.bib
    """
    from halmirror import export as exporting

    picked = filters(options)
    picked.nodes()
    picked.statuses()
    exporting.load(form)
    check_time(as_of)
    check_sources(picked.source, invocation.source_names)
    with invocation.mirror() as mirror:
        at = mirror.seq_at(as_of) if as_of else None
        only = None
        if ids_from is not None:
            only = mirror.choose(identifier_lines(ids_from), picked, at=at, unique=unique)
            _tell(only, as_of)
        done = exporting.export(mirror, form, output, picked, at=at, unique=unique, only=only)
    for prefix, left in sorted(done.left_out.items()):
        click.echo(
            f"halmirror: {left} records left out: their metadata are {printable(prefix)}, not "
            f"{form}; --format source has them",
            err=True,
        )
    if output is not None and not invocation.quiet:
        click.echo(f"{done.count} records written to {printable(str(output))}", err=True)
        if done.statement:
            click.echo(f"what the sources ask: {printable(done.statement)}", err=True)
    if only is not None and only.missing:
        raise click.exceptions.Exit(3)


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
