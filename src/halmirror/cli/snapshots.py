"""``halmirror snapshot``."""

from __future__ import annotations

from pathlib import Path

import click

from halmirror.cli.context import Invocation, pass_invocation
from halmirror.printable import printable

_FOLDER = click.Path(path_type=Path)


@click.group()
def snapshot() -> None:
    """Dated, self-describing, checksummed copies of the mirror: make, check, restore, publish."""


@snapshot.command("create")
@click.argument("parent", type=_FOLDER)
@click.option(
    "--since", type=_FOLDER, metavar="PREVIOUS",
    help="Only what changed since this snapshot: an increment.",
)  # fmt: skip
@click.option(
    "--sign", "key", type=_FOLDER, metavar="KEY", help="Sign it with this private SSH key."
)
@pass_invocation
def create(invocation: Invocation, parent: Path, since: Path | None, key: Path | None) -> None:
    """Make a snapshot in a new folder inside PARENT, and print that folder.

    A run that was cut goes on when it is called again.

    \b
    Examples:
      halmirror snapshot create /archive/hal
      halmirror snapshot create /archive/hal --since /archive/hal/2026-11-01T03-00-00Z
    """
    from halmirror.cli.watched import watched
    from halmirror.snapshot.create import create as make

    with watched(invocation, "documents written") as watch:
        made = make(invocation.settings.mirror.path, parent, since=since, key=key, watch=watch)
    click.echo(str(made))


@snapshot.command("verify")
@click.argument("folder", type=_FOLDER)
@click.option(
    "--allowed-signers", "signers", metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="It must be signed by one of these (ssh-keygen(1), ALLOWED SIGNERS).",
)  # fmt: skip
@pass_invocation
def verify(invocation: Invocation, folder: Path, signers: Path | None) -> None:
    """Check the snapshot in FOLDER with nothing else: exit code 1 and a line for each fault."""
    from halmirror.cli.watched import watched
    from halmirror.snapshot.verify import verify as check

    with watched(invocation, "records checked") as watch:
        found = check(folder, signers=signers, watch=watch)
    for fault in found.faults:
        click.echo(printable(fault))
    if found.faults:
        raise click.exceptions.Exit(1)
    if not invocation.quiet:
        signed = f"signed with {found.signed_by}" if found.signed_by else "not signed"
        click.echo(f"{printable(str(folder))} is as it was written; {printable(signed)}", err=True)


@snapshot.command("restore")
@click.argument("folders", type=_FOLDER, nargs=-1, required=True, metavar="FOLDER...")
@click.option("--output", type=_FOLDER, required=True, metavar="MIRROR", help="The mirror to make.")
@pass_invocation
def restore(invocation: Invocation, folders: tuple[Path, ...], output: Path) -> None:
    """Make a mirror of a snapshot, or of a whole one and its increments, in any order.

    History, runs and sequence numbers are those of the first mirror: every export is the same,
    byte for byte. Nothing is overwritten.

    \b
    Example:
      halmirror snapshot restore /archive/hal/* --output data/mirror.sqlite
    """
    from halmirror.cli.watched import watched
    from halmirror.snapshot.restore import restore as make

    with watched(invocation, "documents restored") as watch:
        count = make(folders, output, watch=watch)
    if not invocation.quiet:
        click.echo(f"{count} records restored to {printable(str(output))}", err=True)
