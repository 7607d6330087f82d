"""``halmirror schedule``."""

from __future__ import annotations

import os
import pwd
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from halmirror.cli.context import Invocation, pass_invocation

if TYPE_CHECKING:
    from halmirror.schedule import Schedule

_DELAY = click.option(
    "--randomised-delay", default="1h", show_default=True, metavar="DURATION",
    help="Spread the starts of different machines over this time; each keeps its own.",
)  # fmt: skip
_METRICS = click.option(
    "--metrics", type=click.Path(path_type=Path), metavar="FILE",
    help="Have each harvest write its figures here, for Prometheus.",
)  # fmt: skip


@click.group()
def schedule() -> None:
    """Print what to install for regular harvests; installs nothing.

    The paths and settings are those in force now: give --config as the scheduled harvest needs
    it.

    \b
    Examples:
      halmirror schedule systemd --output /tmp/units
      halmirror --config /etc/halmirror/config.toml schedule systemd --run-as halmirror
      halmirror schedule systemd --serve
      halmirror schedule cron --at 05:30
    """


@schedule.command()
@click.option(
    "--on-calendar", default="*-*-* 03:00:00", show_default=True, metavar="WHEN",
    help="When to harvest: systemd's calendar event, see 'systemd-analyze calendar WHEN'.",
)  # fmt: skip
@_DELAY
@_METRICS
@click.option("--name", default="halmirror", show_default=True, help="What the units are called.")
@click.option("--user", "own", is_flag=True, help="Units for your own 'systemctl --user'.")
@click.option(
    "--run-as", metavar="ACCOUNT",
    help="Who runs the system's service; else the mirror's owner, else you.",
)  # fmt: skip
@click.option("--unit", type=click.Choice(["service", "timer", "failure"]), help="This one only.")
@click.option("--serve", is_flag=True, help="The unit of 'halmirror serve' in place of these.")
@click.option(
    "--output", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
    help="Write the units there and print the commands to enable them.",
)  # fmt: skip
@pass_invocation
def systemd(
    invocation: Invocation,
    on_calendar: str,
    randomised_delay: str,
    metrics: Path | None,
    name: str,
    run_as: str | None,
    unit: str | None,
    output: Path | None,
    *,
    own: bool,
    serve: bool,
) -> None:
    """Print a service, its timer, and what a failure starts.

    Exit code 4 (another run holds the mirror) and an interruption count as success; a harvest
    done in part (3) is a failure, which is told to the journal with priority err.
    """
    from halmirror.errors import UsageError
    from halmirror.schedule import write

    if own and run_as:
        raise UsageError("--run-as is for the system's service; leave it out with --user")
    planned = _planned(
        invocation,
        account=None if own else run_as or _owner(invocation.settings.mirror.path),
        metrics=metrics,
        delay=randomised_delay,
        name=name,
        calendar=on_calendar,
    )
    if serve:
        if unit or metrics:
            raise UsageError("--serve prints one unit, without --unit and --metrics")
        if output is None:
            click.echo(planned.server(), nl=False)
        else:
            enabling = planned.server_commands(output)
            write({planned.server_name: planned.server()}, output)
            click.echo("\n".join(enabling))
        return
    units = {kind: text for kind, text in planned.units().items() if unit in (None, kind)}
    if output is None:
        click.echo("\n".join(units.values()), nl=False)
        return
    commands = planned.commands(output, list(units))
    write({planned.unit_name(kind): text for kind, text in units.items()}, output)
    click.echo("\n".join(commands))


@schedule.command()
@click.option(
    "--at", default="03:00", show_default=True, metavar="HH:MM", help="Harvest daily from then on."
)
@_DELAY
@_METRICS
@click.option("--mail-to", metavar="ADDRESS", help="Whom cron mails; else the crontab's owner.")
@pass_invocation
def cron(
    invocation: Invocation,
    at: str,
    randomised_delay: str,
    metrics: Path | None,
    mail_to: str | None,
) -> None:
    """Print lines for 'crontab -e'.

    Mail comes of warnings and failures only: not of exit code 4 (another run holds the mirror)
    nor of an interruption.
    """
    click.echo(
        _planned(
            invocation, metrics=metrics, delay=randomised_delay, at=at, mail_to=mail_to
        ).crontab(),
        nl=False,
    )


def _planned(
    invocation: Invocation, *, metrics: Path | None, delay: str, **options: Any
) -> Schedule:
    from halmirror.config import parse_duration
    from halmirror.schedule import Schedule

    return Schedule.planned(
        invocation.settings,
        _command(),
        needs=[Path(sys.prefix), Path(sys.base_prefix), Path(__file__)],
        metrics=metrics,
        delay=parse_duration(delay),
        **options,
    )


def _command() -> list[str]:
    """The halmirror that runs now, by its absolute path."""
    started = Path(sys.argv[0])
    if started.name == "__main__.py":
        # -P: no module is taken from the folder that systemd or cron start in.
        return [sys.executable, "-P", "-m", "halmirror"]
    found = started if os.sep in sys.argv[0] else shutil.which(sys.argv[0])
    return [str(Path(found or started).absolute())]


def _owner(mirror: Path) -> str:
    """The account the mirror belongs to; before there is one, who asks."""
    try:
        number = mirror.stat().st_uid
    except OSError:  # not made yet, or not ours to see
        number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # an account without a name, as in some containers
        return str(number)
