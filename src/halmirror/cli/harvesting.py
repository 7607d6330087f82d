"""``halmirror harvest``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from halmirror.cli.context import Invocation, log_format_option, pass_invocation
from halmirror.printable import printable

if TYPE_CHECKING:
    from halmirror.cli.progress import LogFormat


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--set", "sets", multiple=True, metavar="SET", help="Harvest this set only.")
@click.option("--from", "from_day", metavar="DAY", help="Only records modified from this day on.")
@click.option("--until", "until_day", metavar="DAY", help="Only records modified up to this day.")
@click.option("--full", is_flag=True, help="List everything again; withdraws nothing.")
@click.option("--limit", type=click.IntRange(min=1), help="Stop after so many records of a source.")
@click.option("--base-url", metavar="URL", help="Ask this address instead of the source's own.")
@click.option("--now", is_flag=True, help="Ask even a source that wants to be left alone.")
@click.option(
    "--processes", type=click.IntRange(min=1, max=256), metavar="N",
    help="How many normalise at most, once a source outruns one; one for each core unless told.",
)  # fmt: skip
@click.option(
    "--metrics", type=click.Path(path_type=Path), metavar="FILE",
    help="Write metrics for Prometheus to FILE when the run ends.",
)  # fmt: skip
@click.option(
    "--report", "report_file", type=click.Path(path_type=Path), metavar="FILE",
    help="Write what the run did to FILE, as JSON.",
)  # fmt: skip
@log_format_option
@pass_invocation
def harvest(
    invocation: Invocation,
    sources: tuple[str, ...],
    sets: tuple[str, ...],
    from_day: str | None,
    until_day: str | None,
    limit: int | None,
    base_url: str | None,
    processes: int | None,
    metrics: Path | None,
    report_file: Path | None,
    log_format: LogFormat,
    *,
    full: bool,
    now: bool,
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
    from halmirror.cli.progress import observer
    from halmirror.cli.signals import heeded
    from halmirror.errors import OutputError
    from halmirror.harvesting import harvest as harvesting
    from halmirror.harvesting import reporting

    reporting.check(metrics, report_file)
    request = harvesting.Request(
        sources, sets, from_day, until_day, full=full, limit=limit, base_url=base_url, now=now
    )
    told = observer(quiet=invocation.quiet, verbose=invocation.verbose, log_format=log_format)
    with heeded() as stop, told as watching:
        report = harvesting.harvest(
            invocation.settings, request, watching, stop=stop, processes=processes
        )
    code = report.exit_code
    try:
        reporting.tell(invocation.settings, report, metrics=metrics, report_file=report_file)
    except OutputError as error:
        click.echo(f"halmirror: {printable(str(error))}", err=True)
        code = code or 3
    if report.failure is not None:
        raise report.failure
    for source in report.sources:
        click.echo(source.line())
    if code:
        raise click.exceptions.Exit(code)
