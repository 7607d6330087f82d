"""``halmirror backup`` and ``halmirror doctor``: the care of the mirror's file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from halmirror.cli.context import Invocation, pass_invocation
from halmirror.printable import printable, printable_json

if TYPE_CHECKING:
    from halmirror.care.doctor import Examination


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@pass_invocation
def backup(invocation: Invocation, file: Path) -> None:
    """Copy the mirror to a new FILE, while a harvest runs or not.

    The copy is one file that opens anywhere, from read-only folders too: a mirror as of one
    commit. To restore it, put it where [mirror] path says. A bare copy of the live file is no
    backup while a harvest runs.
    """
    from halmirror.care.backup import backup as copy

    made = copy(invocation.settings.mirror.path, file)
    size = f"{made.size / 1_000_000:,.1f} MB"
    click.echo(printable(f"{made.path}: {size}, the mirror as of commit {made.latest}"))


@click.command()
@click.option("--deep", is_flag=True, help="Open every record too; takes minutes for all of HAL.")
@click.option("--repair", "repairing", is_flag=True, help="Make again what can be made again.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@pass_invocation
def doctor(invocation: Invocation, form: str, *, deep: bool, repairing: bool) -> None:
    """Examine the mirror's file, and repair what can be made again.

    The search index, the look-up keys and the normalised form can; the metadata as they came and
    the history cannot: a backup or a snapshot has them. Exit code 0 when all is well (by now),
    1 when something is not.
    """
    import json

    from halmirror.care import doctor as examining

    mirror = invocation.settings.mirror
    path = mirror.path
    if repairing:
        tell = None if invocation.quiet else lambda step: click.echo(step, err=True)
        found = examining.repair(path, deep=deep, network=mirror.network_file_system, watch=tell)
    else:
        found = examining.examine(path, deep=deep)
    if form == "json":
        click.echo(printable_json(json.dumps(found.as_dict(), ensure_ascii=False, indent=2)))
    else:
        click.echo("\n".join(map(printable, _lines(found))))
    if found.exit_code:
        raise click.exceptions.Exit(found.exit_code)


@click.command()
@click.argument("identifiers", nargs=-1, metavar="[ID]...")
@click.option("--reason", default="", metavar="TEXT", help="Why; kept with the tombstone.")
@pass_invocation
def forget(invocation: Invocation, identifiers: tuple[str, ...], reason: str) -> None:
    """Remove records for good: from every state, every index and every byte of the file.

    For what a court or an author asked. All versions go, in every source; a tombstone stays, and
    later harvests do not bring them back. Backups, snapshots and exports made before still hold
    them. There is no way back. Without ID, an earlier run that was cut is finished.
    """
    from halmirror.care.forgetting import forget as forgetting

    mirror = invocation.settings.mirror
    report = forgetting(
        mirror.path,
        identifiers,
        reason,
        keep_free=mirror.keep_free,
        network=mirror.network_file_system,
    )
    for name in report.forgotten:
        click.echo(printable(f"{name}: forgotten"))
    for name in report.already:
        click.echo(printable(f"{name}: had been forgotten before"))
    if report.finished:
        click.echo("what an earlier run left was cleared")


def _lines(found: Examination) -> list[str]:
    looked = ", ".join(f"{count:,} {what}" for what, count in found.looked_at.items())
    lines = [f"examined: {looked}"]
    repairing = f"halmirror doctor {'' if found.unread else '--deep '}--repair"
    lines += [f"repaired: {one.part}: {one.what}" for one in found.repaired]
    for one in found.faults:
        way = "a backup has it" if one.remedy == "none" else f"'{repairing}' mends it"
        lines.append(f"fault: {one.part}: {one.what} ({way})")
    if found.not_indexed:
        lines.append(
            f"note: {found.not_indexed:,} contents and states cannot be searched yet; a run that "
            "is under way adds them, else the next one, or --repair"
        )
    if not found.faults:
        lines.append("all is well" + ("; --deep opens every record too" if found.unread else ""))
    return lines
