"""``halmirror source``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from halmirror.cli.context import Invocation, check_text, pass_invocation
from halmirror.printable import printable, printable_json

if TYPE_CHECKING:
    from halmirror.harvesting.adding import Added
    from halmirror.harvesting.probing import Probe

_FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)


@click.group()
def source() -> None:
    """Add a repository, check the ones there are, or list them.

    Any OAI-PMH 2.0 repository can be mirrored: each is a [[source]] section of the
    configuration, and one that fails leaves the others alone.
    """


@source.command("list")
@_FORMAT
@pass_invocation
def list_(invocation: Invocation, form: str) -> None:
    """List the configured sources and where their settings come from."""
    from halmirror.harvesting.sources import described

    sources = described(invocation.settings)
    if form == "json":
        click.echo(printable_json(json.dumps({"sources": sources}, ensure_ascii=False)))
        return
    for one in sources:
        click.echo(printable(f"{one['name']} ({one['base_url']})"))
        sets = ", ".join(one["sets"]) or "everything"
        asked = "published snapshots of " if one["kind"] == "snapshot" else ""
        asked += f"{one['metadata_prefix']}, profile {one['profile']}: {sets}"
        origins = ", ".join(one["settings_from"]) or "built-in defaults"
        click.echo(f"  {printable(asked)}")
        click.echo(f"  connections: {one['connections']}; settings from: {printable(origins)}")


@source.command("check")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@_FORMAT
@pass_invocation
def check(invocation: Invocation, names: tuple[str, ...], form: str) -> None:
    """Ask live sources what they can and cannot do; nothing is stored.

    Some dozen requests for each, with its own settings. Without NAME, every source is checked.
    Exit code 0: all well, or warnings only; 1: a failure; 3: some of several failed.
    """
    from halmirror.cli.progress import observer
    from halmirror.harvesting import probing
    from halmirror.harvesting.sources import speaking_oai_pmh

    check_text(*names)
    probes = []
    with observer(quiet=invocation.quiet, verbose=invocation.verbose) as watching:
        for settings in speaking_oai_pmh(invocation.settings, names):
            probes.append(probing.check(settings, watching))
            if form == "text":
                _print(probes[-1])
    if form == "json":
        found = {"sources": [probe.to_json() for probe in probes]}
        click.echo(printable_json(json.dumps(found, ensure_ascii=False)))
    if code := probing.exit_code(probes):
        raise click.exceptions.Exit(code)


@source.command("add")
@click.argument("url")
@click.option("--name", help="Its name on the command line; else one is made from its address.")
@click.option("--prefix", default="oai_dc", show_default=True, help="The format to harvest.")
@click.option("--set", "sets", multiple=True, metavar="SET", help="Only this set.")
@click.option(
    "--profile", type=click.Choice(["hal", "generic"]), help="Else its identifiers decide."
)
@click.option("--from", "from_day", metavar="DAY", help="Only what was modified since this day.")
@click.option("--contact", metavar="ADDRESS", help="Who harvests, told to the server.")
@click.option("--force", is_flag=True, help="Write it even where the check fails.")
@pass_invocation
def add(
    invocation: Invocation,
    url: str,
    name: str | None,
    prefix: str,
    sets: tuple[str, ...],
    profile: str | None,
    from_day: str | None,
    contact: str | None,
    *,
    force: bool,
) -> None:
    """Check the repository at URL, and add it to the configuration as a source.

    \b
    Examples:
      halmirror source add https://zenodo.org/oai2d --set user-cern
      halmirror source add https://api.archives-ouvertes.fr/oai/tel/
    """
    from halmirror.cli.progress import observer
    from halmirror.harvesting.adding import NewSource
    from halmirror.harvesting.adding import add as add_to

    check_text(url, prefix, *sets, *(one for one in (name, from_day, contact) if one))
    request = NewSource(url, name, prefix, sets, profile, from_day, contact, force=force)
    with observer(quiet=invocation.quiet, verbose=invocation.verbose) as watching:
        added = add_to(invocation.settings, request, watching)
    _print(added.probe)
    if added.written is None:
        click.echo(
            "halmirror: nothing was written, because the check failed; see what is marked FAIL, "
            "or write it all the same with --force",
            err=True,
        )
        raise click.exceptions.Exit(1)
    _print_written(added)


def _print(probe: Probe) -> None:
    click.echo(printable(f"{probe.settings.name} ({probe.settings.base_url})"))
    marks = {"ok": "ok  ", "warn": "WARN", "fail": "FAIL"}
    for finding in probe.findings:
        click.echo(f"  {marks[finding.level]} {printable(f'{finding.what}: {finding.detail}')}")


def _print_written(added: Added) -> None:
    written = added.written
    if written is None:
        return
    click.echo(f"\n{'made' if written.is_new else 'added to'} {printable(str(written.path))}:")
    click.echo(written.text.rstrip("\n"))
    if written.kept:
        names = ", ".join(written.kept)
        click.echo(f"\nFrom now on this file counts; '{names}', built in so far, is kept in it.")
    name = added.probe.settings.name
    click.echo(f"\nNow run 'halmirror harvest {name}'; 'halmirror source check {name}' asks again.")
