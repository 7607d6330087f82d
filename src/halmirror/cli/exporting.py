"""``halmirror export``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from halmirror.cli.context import (
    Invocation,
    check_sources,
    check_time,
    filter_options,
    filters,
    pass_invocation,
)
from halmirror.printable import printable


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
@pass_invocation
def export(
    invocation: Invocation,
    /,
    form: str,
    output: Path | None,
    as_of: str | None,
    **options: Any,
) -> None:
    """Write records to a file or to standard output, ordered by source, id and version.

    The same state of the mirror gives the same bytes.

    \b
    Examples:
      halmirror export --format jsonl --output hal.jsonl.zst
      halmirror export --format bibtex --author Romary --year 2015..
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
        done = exporting.export(mirror, form, output, picked, at=at)
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
