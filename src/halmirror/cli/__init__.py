"""The command line: each command parses, calls one function of the library, and prints.

Commands are imported when they are called, so that ``show`` never pays for ``harvest``.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import sys
from typing import TYPE_CHECKING

import click

from halmirror import errors
from halmirror.printable import printable
from halmirror.version import __version__

if TYPE_CHECKING:
    from types import FrameType

    from halmirror.record.labels import Ui

COMMANDS: dict[str, tuple[str, str]] = {
    "harvest": ("halmirror.cli.harvesting", "Bring the mirror up to date."),
    "reconcile": ("halmirror.cli.reconciling", "Find what vanished from a source."),
    "show": ("halmirror.cli.look_up", "Look records up by any identifier, offline."),
    "cite": ("halmirror.cli.look_up", "A record's citation, as on HAL's page."),
    "search": ("halmirror.cli.look_up", "Search the mirror, offline."),
    "diff": ("halmirror.cli.past", "What changed in a record, in words."),
    "changes": ("halmirror.cli.past", "The feed of what changed in the mirror."),
    "status": ("halmirror.cli.state", "What the mirror holds, and how its harvests stand."),
    "export": ("halmirror.cli.exporting", "Write records as tables, references, RDF or XML."),
    "snapshot": ("halmirror.cli.snapshots", "Copies that prove themselves: make, check, restore."),
    "quarantine": ("halmirror.cli.quarantining", "What could not be taken: list, show, retry."),
    "renormalise": ("halmirror.cli.renormalising", "Apply today's rules to what is held."),
    "doctor": ("halmirror.cli.care", "Examine the mirror's file, and repair it."),
    "forget": ("halmirror.cli.care", "Remove records for good."),
    "history": ("halmirror.cli.pruning", "Prune the history, where it is not wanted."),
    "backup": ("halmirror.cli.care", "Copy the mirror to one file, while a harvest runs or not."),
    "source": ("halmirror.cli.sourcing", "Add, check or list repositories."),
    "serve": ("halmirror.cli.serving", "Web pages for the mirror."),
    "schedule": ("halmirror.cli.scheduling", "Print what to install for regular harvests."),
    "config": ("halmirror.cli.configuring", "Show, check or make the configuration."),
}
"""Each command's module (which has a click command of that name) and its line in the help."""

_AT_ONCE = frozenset({"show", "cite"})
"""Commands that mostly end before there is any garbage; they collect it once they go on."""

INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group whose commands are imported only when one is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order people need them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or none."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        if cmd_name not in _AT_ONCE:
            gc.enable()
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with 'halmirror harvest', then 'halmirror show hal-04493396' or "
    "'halmirror search \"contrats à impact social\"'. Exit codes: 0 done, 1 nothing achieved, "
    "2 wrong usage, 3 done in part, 4 another run holds the mirror, 130 interrupted.",
)
@click.option("--config", "config_path", metavar="FILE", help="The configuration file to use.")
@click.option("--ui", type=click.Choice(["en", "fr"]), help="Language of labels and messages.")
@click.option("-q", "--quiet", is_flag=True, help="Only warnings on standard error.")
@click.option("-v", "--verbose", is_flag=True, help="More on standard error.")
@click.version_option(__version__, prog_name="halmirror")
@click.pass_context
def cli(
    ctx: click.Context, config_path: str | None, ui: Ui | None, *, quiet: bool, verbose: bool
) -> None:
    """Keep a local mirror of HAL's metadata and look things up in it, offline.

    The mirror is one SQLite file. 'harvest' fills it over OAI-PMH and keeps it current; all
    other commands need no network.
    """
    from halmirror.cli.context import Invocation

    ctx.obj = Invocation(config_path, ui, quiet=quiet, verbose=verbose)


def main() -> None:
    """Entry point of the ``halmirror`` command."""
    signal.signal(signal.SIGTERM, _terminate)
    gc.disable()  # starting makes many objects and no garbage: looking for it is a twentieth
    try:
        code = _run()
        if sys.stdout:  # closed from the start (``>&-``), there is none
            sys.stdout.flush()
    except KeyboardInterrupt:  # before a command began, or after it ended
        code = _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output went away (``| head``): nothing is wrong.
        code = 0
        _silence_output()
    except OSError as error:
        place = error.filename or "standard output"
        code = _fail(f"{place} cannot be written or used ({error.strerror or error})", 1)
        _silence_output()
    sys.exit(code)


def _run() -> int:
    """Run the command; errors become one line and an exit code."""
    try:
        code = cli.main(standalone_mode=False)
    except errors.HalmirrorError as error:
        return _fail(str(error), error.exit_code)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        return _refused(error)
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted; the next run goes on from here", INTERRUPTED)
    except SystemExit as error:
        # click's own way to say that the reader of our output went away.
        raise BrokenPipeError from error
    except UnicodeEncodeError:
        return _fail("an argument is not valid UTF-8; correct its characters", 2)
    return code if isinstance(code, int) else 0


def _silence_output() -> None:
    """Send what is still buffered nowhere, so that the interpreter can end in peace."""
    if sys.stdout:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refused(error: click.ClickException) -> int:
    """Tell what is wrong with the arguments; of a group without a command, what there is."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        with contextlib.suppress(OSError):
            error.show()
        return error.exit_code
    return _fail(_one_line(error), error.exit_code)


def _one_line(error: click.ClickException) -> str:
    ctx = getattr(error, "ctx", None)
    hint = f"; see '{ctx.command_path} --help'" if ctx else ""
    told = error.format_message()
    told = told.removesuffix(".") if hint else told
    return f"{told}{hint}".replace("\n", " ")


def _fail(message: str, code: int) -> int:
    with contextlib.suppress(OSError):  # standard error may be gone too; the code still tells
        click.echo(f"halmirror: {printable(message)}", err=True)
    return code


def _terminate(number: int, frame: FrameType | None) -> None:
    """SIGTERM ends a run as SIGINT does: what was committed stays, the exit code is 130."""
    del number, frame
    raise KeyboardInterrupt
