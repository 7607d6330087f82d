"""``halmirror diff`` and ``halmirror changes``."""

from __future__ import annotations

import click

from halmirror.cli.context import (
    Invocation,
    check_sources,
    check_text,
    check_time,
    columns,
    pass_invocation,
)
from halmirror.errors import UsageError
from halmirror.printable import printable_json


@click.command()
@click.argument("identifier", metavar="ID")
@click.option("--from", "before", metavar="TIME", help="Compare what the mirror held then …")
@click.option("--to", "after", metavar="TIME", help="… with what it held then (now, if left out).")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@pass_invocation
def diff(
    invocation: Invocation, identifier: str, before: str | None, after: str | None, form: str
) -> None:
    """Say in words what changed in a record, key by key.

    Without --from, its last state is compared with the one before. Times are a day (its end,
    UTC), an RFC 3339 time stamp or a run's number.

    \b
    Examples:
      halmirror diff hal-04493396
      halmirror diff hal-04493396 --from 2026-01-01 --to 2026-06-30
    """
    check_text(identifier)
    check_time(before)
    check_time(after)
    with invocation.mirror() as mirror:
        found = mirror.diff(
            identifier,
            before=mirror.seq_at(before) if before else None,
            after=mirror.seq_at(after) if after else None,
        )
    if form == "json":
        click.echo(printable_json(found.json().decode()))
        return
    from halmirror.export.past import render_difference

    click.echo(render_difference(found, invocation.ui, width=columns()))


@click.command()
@click.option("--since", metavar="TIME", help="What changed after a day, time stamp or run.")
@click.option(
    "--cursor", type=click.IntRange(min=0), metavar="N",
    help="What changed after the commit N: the last 'seq' of an earlier answer.",
)  # fmt: skip
@click.option("--source", "sources", multiple=True, metavar="NAME", help="Of this source alone.")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N",
    help="Stop after N changes, at the end of their commit.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["text", "jsonl"]), default="text", show_default=True
)
@pass_invocation
def changes(
    invocation: Invocation,
    since: str | None,
    cursor: int | None,
    sources: tuple[str, ...],
    limit: int | None,
    form: str,
) -> None:
    """The feed of changes: every new state of a record, in the order of commits.

    New content, sets or status is a change; a datestamp that moved alone is none. Each line has
    the commit's number, 'seq': a program goes on with --cursor and the last one it has seen.

    \b
    Examples:
      halmirror changes --since 2026-11-01
      halmirror changes --cursor 4711 --format jsonl
    """
    if (since is None) == (cursor is None):
        raise UsageError("changes needs one of --since TIME and --cursor N; name where to begin")
    check_time(since)
    check_sources(sources, invocation.source_names)
    with invocation.mirror() as mirror:
        after = mirror.seq_at(since) if since else cursor or 0
        upto = mirror.latest()
        if after > upto:
            raise UsageError(
                f"--cursor: {after} lies beyond the mirror's last commit, {upto}; "
                "use one that this mirror gave"
            )
        from halmirror.export.past import line

        count, reached = 0, after
        for change in mirror.changes(after, upto, sources=sources):
            if limit is not None and count >= limit and change.seq != reached:
                upto = reached
                break
            count, reached = count + 1, change.seq
            if form == "jsonl":
                click.echo(printable_json(change.json().decode()))
            else:
                click.echo(line(change, invocation.ui))
    if not invocation.quiet:
        click.echo(f"{count} changes; go on with --cursor {upto}", err=True)
