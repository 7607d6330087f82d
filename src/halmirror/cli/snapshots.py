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

    The PARENT of 'create' stands for the newest in it and what that goes on from.

    History, runs and sequence numbers are those of the first mirror: every export is the same,
    byte for byte. Nothing is overwritten.

    \b
    Example:
      halmirror snapshot restore /archive/hal --output data/mirror.sqlite
    """
    from halmirror.cli.watched import watched
    from halmirror.snapshot.restore import restore as make

    with watched(invocation, "documents restored") as watch:
        network = invocation.settings.mirror.network_file_system
        count = make(folders, output, network=network, watch=watch)
    if not invocation.quiet:
        click.echo(f"{count} records restored to {printable(str(output))}", err=True)


@snapshot.command("diff")
@click.argument("before", type=_FOLDER, metavar="A")
@click.argument("after", type=_FOLDER, metavar="B")
@click.option(
    "--format", "form", type=click.Choice(["text", "jsonl"]), default="text", show_default=True
)
@click.option("--exit-code", is_flag=True, help="Exit code 1 where they differ.")
def diff(before: Path, after: Path, form: str, *, exit_code: bool) -> None:
    """What was added, changed and removed from A to B: folders of snapshots, or a mirror's file.

    The chain of an increment is looked for beside it. As text the last line counts.
    """
    from halmirror.snapshot.difference import differences

    counts = {"added": 0, "changed": 0, "removed": 0}
    for one in differences(before, after):
        counts[one.change] += 1
        if form == "jsonl":
            click.echo(one.json())
        else:
            keys = f": {', '.join(one.keys)}" if one.keys else ""
            click.echo(printable(f"{one.change} {one.source} {one.versioned_id}{keys}"))
    if form == "text":
        click.echo(", ".join(f"{count} {what}" for what, count in counts.items()))
    if exit_code and any(counts.values()):
        raise click.exceptions.Exit(1)


@snapshot.command("list")
@click.argument("parent", type=_FOLDER)
@click.option(
    "--format", "form", type=click.Choice(["text", "jsonl"]), default="text", show_default=True
)
def list_(parent: Path, form: str) -> None:
    """The snapshots in PARENT, oldest first."""
    from halmirror.snapshot.keeping import listed

    for one in listed(parent):
        click.echo(one.json() if form == "jsonl" else printable(one.line()))


@snapshot.command("prune")
@click.argument("parent", type=_FOLDER)
@click.option(
    "--keep-last", "last", type=click.IntRange(min=0), default=0, metavar="N", help="The newest N."
)
@click.option(
    "--keep-daily",
    "daily",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="The newest of each of the last N days (UTC) that have one.",
)
@click.option(
    "--keep-weekly",
    "weekly",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="… of N weeks (ISO 8601).",
)
@click.option(
    "--keep-monthly",
    "monthly",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="… of N months.",
)
@click.option(
    "--keep-yearly",
    "yearly",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="… of N years.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
def prune(parent: Path, *, dry_run: bool, **keep: int) -> None:
    """Remove the snapshots in PARENT that no rule keeps.

    What a kept increment goes on from is always kept.

    \b
    Example:
      halmirror snapshot prune /archive/hal --keep-daily 7 --keep-monthly 12 --dry-run
    """
    from halmirror.errors import UsageError
    from halmirror.snapshot.keeping import Rules
    from halmirror.snapshot.keeping import prune as remove

    if not any(keep.values()):
        raise UsageError("say what to keep: --keep-last, --keep-daily, --keep-monthly …")
    for verdict in remove(parent, Rules(**keep), dry_run=dry_run):
        name = verdict.link.told.name
        if verdict.why:
            click.echo(printable(f"keep {name} ({', '.join(verdict.why)})"))
        else:
            click.echo(f"{'would remove' if dry_run else 'removed'} {name}")


@snapshot.command("publish")
@click.argument("parent", type=_FOLDER, metavar="DIR")
@click.option("--base-url", required=True, metavar="URL", help="The folder's address on the web.")
@pass_invocation
def publish(invocation: Invocation, parent: Path, base_url: str) -> None:
    """Write what makes the snapshots in DIR followed on the web: ResourceSync, and an Atom feed.

    Nothing is sent: any web server that serves DIR at URL does. Run it again when a snapshot
    came or went.
    """
    from halmirror.snapshot.publish import publish as write

    done = write(parent, base_url)
    if not invocation.quiet:
        click.echo(
            f"{done.snapshots} snapshots, {done.resources} files: {printable(done.description)}",
            err=True,
        )
