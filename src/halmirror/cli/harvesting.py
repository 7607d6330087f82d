"""``halmirror harvest``."""

from __future__ import annotations

import click

from halmirror.cli.context import Invocation, pass_invocation


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--set", "sets", multiple=True, metavar="SET", help="Harvest this set only.")
@click.option("--from", "from_day", metavar="DAY", help="Only records modified from this day on.")
@click.option("--until", "until_day", metavar="DAY", help="Only records modified up to this day.")
@click.option("--full", is_flag=True, help="List everything again; withdraws nothing.")
@click.option("--limit", type=click.IntRange(min=1), help="Stop after so many records of a source.")
@click.option("--base-url", metavar="URL", help="Ask this address instead of the source's own.")
@pass_invocation
def harvest(
    invocation: Invocation,
    sources: tuple[str, ...],
    sets: tuple[str, ...],
    from_day: str | None,
    until_day: str | None,
    limit: int | None,
    base_url: str | None,
    *,
    full: bool,
) -> None:
    """Bring the mirror up to date: everything at first, then what changed.

    Run it as often as you like: it carries on where an earlier run was cut, and never loses or
    duplicates a record. Without SOURCE, every configured source is harvested.

    \b
    Examples:
      halmirror harvest
      halmirror harvest hal --set collection:CNRS
      halmirror harvest --from 2026-11-01 --until 2026-11-05
    """
    from halmirror import harvest as harvesting
    from halmirror.cli.progress import observer

    request = harvesting.Request(
        sources, sets, from_day, until_day, full=full, limit=limit, base_url=base_url
    )
    with observer(quiet=invocation.quiet, verbose=invocation.verbose) as watching:
        report = harvesting.harvest(invocation.settings, request, watching)
    for source in report.sources:
        click.echo(source.line())
    if report.exit_code:
        raise click.exceptions.Exit(report.exit_code)
