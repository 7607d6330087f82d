"""``halmirror reconcile``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from halmirror.cli.context import Invocation, log_format_option, pass_invocation
from halmirror.printable import printable

if TYPE_CHECKING:
    from halmirror.cli.progress import LogFormat


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--dry-run", is_flag=True, help="Say what would be marked, and mark nothing.")
@click.option(
    "--max-loss", metavar="SHARE", help="How much may be withdrawn: 1% or a number of records."
)
@log_format_option
@pass_invocation
def reconcile(
    invocation: Invocation,
    sources: tuple[str, ...],
    max_loss: str | None,
    log_format: LogFormat,
    *,
    dry_run: bool,
) -> None:
    """Find records that vanished from a source without being announced as deleted.

    All identifiers are listed and compared; each missing record is asked for before it is
    marked as withdrawn, or as superseded by the record it was merged into.
    """
    from halmirror.cli.progress import observer
    from halmirror.cli.signals import heeded
    from halmirror.config import parse_max_loss
    from halmirror.harvesting import reconcile as reconciling

    if max_loss is not None:
        parse_max_loss(max_loss)
    told = observer(quiet=invocation.quiet, verbose=invocation.verbose, log_format=log_format)
    with heeded() as stop, told as watching:
        found = reconciling.reconcile(
            invocation.settings, watching,
            sources=sources, dry_run=dry_run, max_loss=max_loss, stop=stop,
        )  # fmt: skip
    codes = set()
    for name, findings in found.items():
        if findings.refused is None or findings.listed:
            click.echo(printable(findings.line(name, dry_run=dry_run)))
        for record in findings.withdrawn if dry_run else ():
            click.echo(f"  {printable(record)}: would be withdrawn")
        for record, survivor in findings.merged if dry_run else ():
            click.echo(f"  {printable(f'{record}: would be superseded by {survivor}')}")
        if findings.refused is not None:
            click.echo(f"halmirror: {printable(str(findings.refused))}", err=True)
        codes.add(findings.exit_code)
    if codes - {0}:
        raise click.exceptions.Exit(1 if codes == {1} else 3)
