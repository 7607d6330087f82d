"""``halmirror renormalise``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from halmirror.cli.context import Invocation, log_format_option, pass_invocation
from halmirror.printable import printable, printable_json

if TYPE_CHECKING:
    from halmirror.care.renormalise import KeyChanges, Report, SourceReport
    from halmirror.cli.progress import LogFormat

_FAILURES_TOLD = 20


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--all", "every", is_flag=True, help="Records that bear today's rules already too.")
@click.option(
    "--samples", type=click.IntRange(min=0), default=3, show_default=True, metavar="N",
    help="How many records to show for each key that changed.",
)  # fmt: skip
@click.option(
    "--processes", type=click.IntRange(min=1, max=256), metavar="N",
    help="How many processes normalise; one for each core unless told.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@log_format_option
@pass_invocation
def renormalise(
    invocation: Invocation,
    sources: tuple[str, ...],
    samples: int,
    processes: int | None,
    form: str,
    log_format: LogFormat,
    *,
    dry_run: bool,
    every: bool,
) -> None:
    """Apply today's rules to the metadata that the mirror holds, without the network.

    Says what changed, key by key. What the source said and when stays as it is: the history
    and the feed of changes know nothing of it. It can be cut at any instant; the next run goes
    on from there. Exit code 3: some records keep their former form.
    """
    from halmirror.care import renormalise as renormalising
    from halmirror.cli.signals import heeded
    from halmirror.cli.watched import watched

    settings = invocation.settings
    watching = watched(invocation, "normalised again", log_format)
    with heeded() as stop, watching as watch:
        report = renormalising.renormalise(
            settings.mirror.path,
            sources=sources,
            known=invocation.source_names,
            every=every,
            dry_run=dry_run,
            samples=samples,
            processes=processes,
            keep_free=settings.mirror.keep_free,
            network=settings.mirror.network_file_system,
            watch=watch,
            stop=stop,
        )
    if form == "json":
        click.echo(printable_json(report.json()))
    else:
        for source in report.sources:
            _tell(source, report)
    if report.failure is not None:
        raise report.failure
    if report.exit_code:
        raise click.exceptions.Exit(report.exit_code)


def _tell(source: SourceReport, report: Report) -> None:
    would = "would be " if report.dry_run else ""
    click.echo(
        printable(
            f"{source.name}: {source.looked_at} {would}normalised again, "
            f"{source.changed} {would}changed, {len(source.failures)} failed"
        )
    )
    for key, changes in sorted(source.keys.items()):
        click.echo(f"  {printable(key)}: {_counts(changes)}")
        for sample in changes.samples:
            name = f"{sample.id}v{sample.version}" if sample.version else sample.id
            before, after = sample.before or "nothing", sample.after or "nothing"
            click.echo(f"    {printable(name)}: {printable(before)} → {printable(after)}")
    for failure in source.failures[:_FAILURES_TOLD]:
        text = f"{failure.id} keeps its former form: {failure.reason}"
        click.echo(f"halmirror: {printable(text)}", err=True)
    if len(source.failures) > _FAILURES_TOLD:
        more = len(source.failures) - _FAILURES_TOLD
        click.echo(f"halmirror: {more} more failed; --format json names them all", err=True)


def _counts(changes: KeyChanges) -> str:
    kinds = ((changes.added, "added"), (changes.changed, "changed"), (changes.removed, "removed"))
    return ", ".join(f"{count} {kind}" for count, kind in kinds if count)
