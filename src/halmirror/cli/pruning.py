"""``halmirror history``: taking away what is not wanted of the past."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from halmirror.cli.context import Invocation, pass_invocation
from halmirror.printable import printable_json

if TYPE_CHECKING:
    from halmirror.care.pruning import Report


@click.group()
def history() -> None:
    """Prune the mirror's history, where it is not wanted.

    'show --history', 'diff' and 'changes' tell what it holds.
    """


@history.command()
@click.option(
    "--before", metavar="TIME",
    help="What was before goes: a day (its beginning, UTC), a time stamp or a run's number.",
)  # fmt: skip
@click.option(
    "--keep-days", type=click.IntRange(0, 36_525), metavar="N", help="The same, N days before now."
)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--vacuum", is_flag=True, help="Write the file anew, so that it shrinks.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@pass_invocation
def prune(
    invocation: Invocation,
    before: str | None,
    keep_days: int | None,
    form: str,
    *,
    dry_run: bool,
    vacuum: bool,
) -> None:
    """Remove earlier states of records for good, up to a time.

    The current state of every record, tombstones and what was forgotten stay, and every answer
    as of that time or a later one. Earlier times are refused from then on. Nothing prunes by
    itself, and there is no way back. A run that was cut is finished by the next, which needs no
    TIME.

    \b
    Examples:
      halmirror history prune --before 2026-01-01 --dry-run
      halmirror history prune --keep-days 365 --vacuum
    """
    import json

    from halmirror.care.pruning import prune as take

    mirror = invocation.settings.mirror
    report = take(
        mirror.path,
        before=before,
        keep_days=keep_days,
        dry_run=dry_run,
        vacuum=vacuum,
        keep_free=mirror.keep_free,
        network=mirror.network_file_system,
    )
    if form == "json":
        click.echo(printable_json(json.dumps(report.as_dict(), indent=2)))
    else:
        click.echo("\n".join(_lines(report)))


def _lines(report: Report) -> list[str]:
    if not report.first:
        return ["nothing to prune: the mirror held nothing before that time"]
    what = (
        f"{report.states:,} states and {report.contents:,} contents "
        f"({report.size / 1e6:,.1f} MB compressed, their part of the search index besides), "
        f"{report.datestamps:,} datestamps that moved alone"
    )
    whole = f"commit {report.first} of {report.first_at}"
    if report.dry_run:
        return [f"would go: {what}", f"the history would begin with {whole}"]
    taken = report.states or report.contents or report.datestamps
    lines = [f"gone: {what}" if taken else "nothing was left to prune"]
    lines.append(f"the history begins with {whole}")
    if report.shrunk is not None:
        lines.append(f"the file is {report.shrunk / 1e6:,.1f} MB smaller")
    elif report.spare:
        lines.append(
            f"{report.spare / 1e6:,.1f} MB are free in the file, for later runs to fill; "
            "--vacuum gives them back to the disk"
        )
    return lines
