"""``halmirror status``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from halmirror.cli.context import Invocation, pass_invocation
from halmirror.printable import printable

if TYPE_CHECKING:
    from halmirror.status import SourceStatus, Status


@click.command()
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option("--check", "checking", is_flag=True, help="One line and a monitoring exit code.")
@click.option(
    "--max-age", default="2d", show_default=True, metavar="DURATION",
    help="With --check: how old a source's last success may be (30s, 15m, 2h, 2d).",
)  # fmt: skip
@pass_invocation
def status(invocation: Invocation, form: str, max_age: str, *, checking: bool) -> None:
    """Tell what the mirror holds, the last runs, and what is missing and why.

    With --check: exit code 0 when all is well, 1 when a person is needed, 2 for wrong usage.
    """
    from halmirror import status as statuses
    from halmirror.config import parse_duration

    seconds = parse_duration(max_age)
    settings = invocation.settings
    found = statuses.status(settings.mirror.path, [source.name for source in settings.sources])
    if checking:
        well, line = statuses.check(found, seconds)
        click.echo(printable(line))
        if not well:
            raise click.exceptions.Exit(1)
    elif form == "json":
        click.echo(found.json())
    else:
        click.echo(_text(found))


def _text(found: Status) -> str:
    counts = ", ".join(f"{count} {name}" for name, count in found.records.items())
    lines = [printable(f"{found.path}: {counts}")]
    for source in found.sources:
        lines += _source(source)
    lines.append("last runs:")
    for run in found.runs:
        span = f"{run.started} to {run.finished or '…'}"
        outcome = printable(run.outcome or "under way or killed")
        lines.append(f"  {run.number} {run.command} {span}: {outcome}")
    return "\n".join(lines)


def _source(source: SourceStatus) -> list[str]:
    announced = "an unknown number" if source.announced is None else str(source.announced)
    held = f"{source.received} active of {announced} announced"
    lines = [
        f"{source.name} ({source.base_url or 'never harvested'})",
        f"  complete as of {source.complete_as_of or 'never'}: {held}",
        f"  last success {source.last_success or 'never'}; {source.quarantined} quarantined",
    ]
    for window in source.open_windows:
        span = f"{window.from_day or ''}..{window.until_day or ''}"
        set_spec = f" set {window.set}" if window.set else ""
        lines.append(f"  open{set_spec} {span}: {window.reason or 'not finished'}")
    lines += [
        f"  announced but not given: {one.identifier}: {one.reason}" for one in source.withheld
    ]
    return [printable(line) for line in lines]
