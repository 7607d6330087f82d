r"""What to install for regular harvests: systemd units, or a line for cron.

    plan = Schedule.planned(settings, command)
    for name, text in plan.units().items():
        ...
    print(plan.crontab())

Everything here is text; nothing is installed.  A path may hold spaces, quotes, ``%``, ``$`` and
backslashes, and each place has rules of its own for them:

* systemd takes quoted words with ``\\`` and ``\"``, and expands ``%`` everywhere and ``$`` in
  command lines (systemd.syntax(7), systemd.unit(5) "Specifiers", systemd.service(5) "Command
  lines").  A program's own path may hold no quote or backslash and is not expanded.
* cron ends the command at the first ``%`` that no backslash precedes (crontab(5)); what is left
  goes to the shell.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from halmirror.config.values import format_duration
from halmirror.errors import OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from halmirror.config import Settings

__all__ = ["SYSTEM_UNITS", "UNIT_KINDS", "USER_UNITS", "Schedule", "write"]

SYSTEM_UNITS = "/etc/systemd/system"
"""Where an administrator's units belong (systemd.unit(5))."""

USER_UNITS = "~/.config/systemd/user"
"""Where the units of one user belong."""

UNIT_KINDS = {"service": ".service", "timer": ".timer", "failure": "-failure.service"}
"""Each unit, and what its file's name adds to the schedule's."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_CALENDAR = re.compile(r"[A-Za-z0-9*][A-Za-z0-9*,./:~_+ -]*")
_ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_MAIL = re.compile(r"[A-Za-z0-9_.+-]+(?:@[A-Za-z0-9.-]+)?")
_AT = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_PLAIN = re.compile(r"[A-Za-z0-9_@+=:,./-]+")
_DAY = 86_400
_CRON_LONGEST = 998
"""Bytes of a command: MAX_COMMAND of Vixie cron (Debian's) less what it keeps for itself."""

_HIDDEN_BY_PROTECT_HOME = ("/home", "/root", "/run/user")
_HIDDEN_BY_PRIVATE_TMP = ("/tmp", "/var/tmp")  # noqa: S108 -- names, nothing is written there

# Neither needs privileges nor hides files: for the service manager of a user as well.
_SECCOMP = """\
NoNewPrivileges=yes
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
"""
_PRIVILEGED = """\
CapabilityBoundingSet=
PrivateDevices=yes
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
"""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A regular harvest of all configured sources.

    ``command``: the halmirror that runs, an absolute path first; ``config`` and ``mirror``:
    absolute.  ``account``: who runs the system's service, ``None`` for units of the user's own
    service manager.  ``needs``: other paths that must stay visible to the service, such as the
    interpreter's folder.  ``environment``: variables to set; ``secrets``: names of variables
    that hold user names and passwords, whose values are never written.  ``calendar``: systemd's
    calendar event; ``at``: cron's time of day (``HH:MM``); ``delay``: seconds over which the
    starts of different machines spread.  ``host``: the machine's name.  ``mail_to``: whom cron
    mails.  Raises `UsageError` for what no unit or crontab can hold.
    """

    command: tuple[str, ...]
    config: Path
    mirror: Path
    account: str | None = None
    needs: tuple[Path, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()
    metrics: Path | None = None
    name: str = "halmirror"
    calendar: str = "*-*-* 03:00:00"
    at: str = "03:00"
    delay: float = 3600.0
    host: str = ""
    mail_to: str | None = None

    def __post_init__(self) -> None:
        _check(self.name, _NAME, "--name", "letters, digits, '.', '-' and '_', 100 at most")
        _check(self.calendar, _CALENDAR, "--on-calendar", "systemd's form, such as daily, 04:30")
        _check(self.at, _AT, "--at", "a time of day such as 03:00")
        if self.account is not None:
            _check(self.account, _ACCOUNT, "--run-as", "the name of an account")
        if self.mail_to is not None:
            _check(self.mail_to, _MAIL, "--mail-to", "one address or account")
        values = [value for _, value in self.environment]
        paths = [*self._paths(), *([self.metrics] if self.metrics else [])]
        for text in (*self.command, *map(str, paths), *values):
            _check_printable(text)

    @classmethod
    def planned(
        cls,
        settings: Settings,
        command: Sequence[str],
        environ: Mapping[str, str] = os.environ,
        *,
        account: str | None = None,
        needs: Sequence[Path] = (),
        metrics: Path | None = None,
        name: str = "halmirror",
        calendar: str = "*-*-* 03:00:00",
        at: str = "03:00",
        delay: float = 3600.0,
        mail_to: str | None = None,
    ) -> Self:
        """The schedule that harvests what ``settings`` say, as they are in force now.

        Settings that came from the environment are carried along.  Without a configuration
        file an empty one is named (``/dev/null``), so that none is found by chance.
        Raises `UsageError`.
        """
        from_environment = {
            origin.removeprefix("$")
            for origin in settings.origins.values()
            if origin.startswith("$")
        }
        carried = {variable: environ[variable] for variable in sorted(from_environment)}
        if settings.path is None or "HALMIRROR_MIRROR_PATH" in carried:
            carried["HALMIRROR_MIRROR_PATH"] = str(settings.mirror.path)
        named = [(source.user_env, source.password_env) for source in settings.sources]
        return cls(
            tuple(command),
            settings.path.absolute() if settings.path else Path(os.devnull),
            settings.mirror.path,
            account,
            tuple(needs),
            tuple(carried.items()),
            tuple(dict.fromkeys(secret for pair in named for secret in pair if secret)),
            metrics.absolute() if metrics else None,
            name,
            calendar,
            at,
            delay,
            os.uname().nodename,
            mail_to,
        )

    # -- systemd -------------------------------------------------------------------------

    def unit_name(self, kind: str) -> str:
        """The file name of the unit of that kind."""
        return self.name + UNIT_KINDS[kind]

    @property
    def units_folder(self) -> str:
        """Where the units belong."""
        return USER_UNITS if self.account is None else SYSTEM_UNITS

    def units(self) -> dict[str, str]:
        """The texts of the units by kind: the harvest, its timer, and what a failure starts."""
        return {"service": self._service(), "timer": self._timer(), "failure": self._failure()}

    @property
    def server_name(self) -> str:
        """The file name of the unit that serves the mirror."""
        return f"{self.name}-serve.service"

    def server(self) -> str:
        """The unit that serves the mirror as web pages, API and OAI-PMH provider, from boot on."""
        wanted = "default.target" if self.account is None else "multi-user.target"
        return (
            f"# {self.units_folder}/{self.server_name}\n"
            "[Unit]\n"
            "Description=The halmirror mirror on the web\n"
            f"{'' if self.account is None else _NETWORK}"
            "\n"
            "[Service]\n"
            "Type=exec\n"
            f"{self._common('serve')}"
            "# Stopped, it answers the requests under way, for at most ten seconds.\n"
            "KillSignal=SIGTERM\n"
            "TimeoutStopSec=20s\n"
            "Restart=on-failure\n"
            "RestartSec=2s\n"
            "# More never helps: an answer is bounded, and so are those under way.\n"
            "LimitNOFILE=4096\n"
            "# It only reads the mirror; its folder is writable for SQLite's index of the log,\n"
            "# which readers and a harvest under way share.\n"
            f"{self._hardening()}"
            "\n"
            "[Install]\n"
            f"WantedBy={wanted}\n"
        )

    def server_commands(self, folder: Path) -> list[str]:
        """What to type to enable the unit that serves, which stands in ``folder``.

        Raises `UsageError` where its name cannot be printed.
        """
        return self._enabling(folder, [self.server_name], self.server_name)

    def commands(self, folder: Path, kinds: Sequence[str] = tuple(UNIT_KINDS)) -> list[str]:
        """What to type to enable the units of ``kinds`` that stand in ``folder``.

        Raises `UsageError` where its name cannot be printed.
        """
        names = [self.unit_name(kind) for kind in kinds]
        return self._enabling(folder, names, self.unit_name("timer"))

    def _enabling(self, folder: Path, names: Sequence[str], enabled: str) -> list[str]:
        _check_printable(str(folder))
        own = self.account is None
        root = "" if own else "sudo "
        systemctl = "systemctl --user" if own else "sudo systemctl"
        target = Path(self.units_folder).expanduser()
        files = [shlex.quote(str(folder / name)) for name in names]
        verify = "systemd-analyze --user verify" if own else "systemd-analyze verify"
        lines = [f"{verify} {' '.join(files)}"]
        missing = [str(each) for each in self._written() if _is_missing(each)]
        if missing:
            # The service may write there, but not beside it: it cannot make the folder itself.
            owner = "" if own else f"{root}install -d -o {self.account} "
            lines.append((owner or "mkdir -p ") + shlex.join(missing))
        if folder.absolute() != target:
            made = [f"mkdir -p {shlex.quote(str(target))}"] if own else []
            lines += [*made, f"{root}cp {' '.join(files)} {shlex.quote(str(target))}"]
        lines += [
            f"{systemctl} daemon-reload",
            f"{systemctl} enable --now {enabled}",
        ]
        if own:
            lines.append("loginctl enable-linger    # or it runs only while you are logged in")
        return lines

    def _service(self) -> str:
        wants = "" if self.account is None else _NETWORK
        return (
            f"{self._place('service')}"
            "[Unit]\n"
            "Description=Harvest into the halmirror mirror\n"
            f"{wants}"
            f"OnFailure={self.unit_name('failure')}\n"
            "\n"
            "[Service]\n"
            "Type=oneshot\n"
            f"{self._secrets_file()}"
            f"{self._common('harvest', *self._metrics_option())}"
            "# 4: another run holds the mirror; 130: stopped. The next run goes on from there.\n"
            "SuccessExitStatus=4 130\n"
            "# A first harvest takes hours. Stopped, it gives the page in flight 10 seconds.\n"
            "TimeoutStartSec=infinity\n"
            "TimeoutStopSec=30s\n"
            "KillSignal=SIGTERM\n"
            "Nice=10\n"
            "IOSchedulingClass=best-effort\n"
            "IOSchedulingPriority=7\n"
            f"{self._hardening()}"
        )

    def _timer(self) -> str:
        return (
            f"{self._place('timer')}"
            "[Unit]\n"
            "Description=Regular harvests into the halmirror mirror\n"
            "\n"
            "[Timer]\n"
            f"OnCalendar={self.calendar}\n"
            "# Each machine has a time of its own, so that not all ask at once.\n"
            f"RandomizedDelaySec={format_duration(self.delay)}\n"
            "FixedRandomDelay=yes\n"
            "# A harvest that was missed while the machine was off is made up for.\n"
            "Persistent=yes\n"
            f"Unit={self.unit_name('service')}\n"
            "\n"
            "[Install]\n"
            "WantedBy=timers.target\n"
        )

    def _failure(self) -> str:
        service = self.unit_name("service")
        journal = "journalctl" if self.account is not None else "journalctl --user"
        to = "root" if self.account is not None else "you@example.org"
        mail = (
            f"{journal} --unit={service} --lines=50 --no-pager"
            f" | mail -s '{self.name}: the harvest failed' {to}"
        )
        # "+" frees root's mail command from the limits below, which setgid mailers cannot bear.
        full = "+" if self.account is not None else ""
        return (
            f"{self._place('failure')}"
            "[Unit]\n"
            f"Description=Report that {service} failed\n"
            "\n"
            "[Service]\n"
            "Type=oneshot\n"
            f'ExecStart=/bin/echo "{service} failed (${{MONITOR_SERVICE_RESULT}}'
            f" ${{MONITOR_EXIT_STATUS}}); see '{journal} --unit={service}'\"\n"
            f"{self._common('status', '--check')}"
            "# 1: the check tells that a person is needed; that is what it is here for.\n"
            "SuccessExitStatus=1\n"
            "# To be mailed as well, take the '#' away (it needs a mail command):\n"
            f"#ExecStart={full}/bin/sh -c {_argument(mail)}\n"
            "StandardOutput=journal\n"
            "StandardError=journal\n"
            f"SyslogIdentifier={self.name}\n"
            "SyslogLevel=err\n"
            "SyslogLevelPrefix=no\n"
            f"{self._hardening()}"
        )

    def _place(self, kind: str) -> str:
        return f"# {self.units_folder}/{self.unit_name(kind)}\n"

    def _common(self, *arguments: str) -> str:
        """Who runs halmirror, with what in its environment, and its command line."""
        lines = [] if self.account is None else [f"User={self.account}"]
        lines += [f"Environment={_word(f'{name}={value}')}" for name, value in self.environment]
        lines.append(f"ExecStart={self._exec_start(arguments)}")
        return "".join(f"{line}\n" for line in lines)

    def _secrets_file(self) -> str:
        if not self.secrets:
            return ""
        folder = "%h/.config" if self.account is None else "/etc"
        return (
            f"# Give {' and '.join(self.secrets)} in this file (mode 600), NAME=value a line.\n"
            f"EnvironmentFile={folder}/{self.name}.env\n"
        )

    def _exec_start(self, arguments: Sequence[str]) -> str:
        program = self.command[0]
        rest = (*self.command[1:], "--config", str(self.config), *arguments)
        words = [_argument(word) for word in rest]
        if set(program) & set("$'\"\\"):
            return " ".join(['/bin/sh -c "exec \\"$$0\\" \\"$$@\\""', _argument(program), *words])
        return " ".join([_word(program), *words])

    def _hardening(self) -> str:
        if self.account is None:
            return (
                "\n# Hardening that needs no privileges: a user's service manager has none to"
                f" give.\n{_SECCOMP}"
            )
        home = any(_under(path, _HIDDEN_BY_PROTECT_HOME) for path in self._paths())
        temporary = any(_under(path, _HIDDEN_BY_PRIVATE_TMP) for path in self._paths())
        written = [str(folder) for folder in self._written()]
        # "-": a folder that is missing is told by halmirror, more clearly than by systemd.
        lines = [f"ReadWritePaths={' '.join(_word(f'-{folder}') for folder in written)}"]
        if home:
            lines.append("# Not 'yes': halmirror, its settings or its mirror lie in a home folder.")
        lines.append(f"ProtectHome={'read-only' if home else 'yes'}")
        if temporary:
            lines += [
                "# Not private: halmirror, its settings or its mirror lie there.",
                f"ReadWritePaths={' '.join(_HIDDEN_BY_PRIVATE_TMP)}",
            ]
        lines.append(f"PrivateTmp={'no' if temporary else 'yes'}")
        return "\n# Hardening\n" + "".join(f"{line}\n" for line in lines) + _PRIVILEGED + _SECCOMP

    # -- cron ----------------------------------------------------------------------------

    def crontab(self) -> str:
        """Lines for a user's crontab.

        Standard error is kept back and printed (so mailed) unless the exit code is 4 or 130.
        Raises `UsageError` where the command is longer than cron takes.
        """
        hour, minute = self.start()
        command = self.cron_command()
        if len(command.encode()) > _CRON_LONGEST:
            raise UsageError(
                f"the command is longer than the {_CRON_LONGEST} bytes that cron takes; use "
                "shorter paths, or 'halmirror schedule systemd'"
            )
        lines = [
            f"# halmirror: harvest into {self.mirror}. Add these lines with 'crontab -e'.",
            "# The time follows from this machine's name, so that not all ask at once: it lies",
            f"# within {format_duration(self.delay)} of {self.at} and stays the same.",
            "# Mail comes of warnings and failures only: not when another run holds the mirror",
            "# (exit code 4), nor when the harvest was stopped (130).",
            "SHELL=/bin/sh",
            "PATH=/usr/local/bin:/usr/bin:/bin",
            f"MAILTO={self.mail_to}" if self.mail_to else "#MAILTO=you@example.org",
            *(f"#{secret}=give it here, and take the '#' away" for secret in self.secrets),
            f"{minute} {hour} * * * {command}",
        ]
        return "\n".join(lines) + "\n"

    def cron_command(self) -> str:
        """The command of the crontab's line, as it stands there (``%`` written as cron wants)."""
        assignments = [f"{name}={_shell(value)}" for name, value in self.environment]
        words = (*self.command, "--config", str(self.config), "-q", "harvest")
        harvest = " ".join(
            [*assignments, *(_shell(word) for word in (*words, *self._metrics_option()))]
        )
        return (
            f"said=$({harvest} 2>&1 >/dev/null); code=$?; "
            "case $code in 4|130) exit 0;; esac; "
            r"""[ "$said$code" = 0 ] || printf 'exit code \%s\n\%s\n' $code "$said"; exit $code"""
        )

    def start(self) -> tuple[int, int]:
        """Hour and minute of cron's start: ``at`` and a part of ``delay``.

        The part follows from machine and mirror, and so stays the same.
        """
        hours, minutes = self.at.split(":")
        drawn = hashlib.sha256(f"{self.host}\n{self.mirror}".encode()).digest()
        span = int(min(max(self.delay, 60), _DAY)) // 60
        moment = int(hours) * 60 + int(minutes) + int.from_bytes(drawn[:8]) % span
        return moment // 60 % 24, moment % 60

    # -- paths ---------------------------------------------------------------------------

    def _metrics_option(self) -> tuple[str, ...]:
        return () if self.metrics is None else ("--metrics", str(self.metrics))

    def _written(self) -> list[Path]:
        """The folders that a harvest writes to; the mirror may be a link into another."""
        folders = [self.mirror.parent, _reached(self.mirror).parent]
        if self.metrics is not None:
            folders.append(self.metrics.parent)
        return list(dict.fromkeys(folders))

    def _paths(self) -> list[Path]:
        """Every path that the service uses, as named and as it is reached through links."""
        named = [Path(self.command[0]), self.config, *self._written(), *self.needs]
        return list(dict.fromkeys([*named, *(_reached(path) for path in named)]))


_NETWORK = "Wants=network-online.target\nAfter=network-online.target\n"


def write(units: Mapping[str, str], folder: Path) -> None:
    """Write ``units`` (texts by file name) into ``folder``, which is made where it is missing.

    Raises `UsageError`, before anything is written, where a file of another content stands
    there, and `OutputError`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        missing = {}
        for name, text in units.items():
            place = folder / name
            if not os.path.lexists(place):
                missing[place] = text
            elif place.read_bytes() != text.encode():
                raise UsageError(
                    f"{place} exists and is different; compare, then remove it or use --name"
                )
        for place, text in missing.items():
            with place.open("x", encoding="utf-8", newline="") as file:
                file.write(text)
    except OSError as error:
        raise OutputError(
            f"{error.filename or folder} cannot be written ({error.strerror}); "
            "name another folder with --output"
        ) from error


def _check(text: str, pattern: re.Pattern[str], option: str, wanted: str) -> None:
    if not pattern.fullmatch(text):
        raise UsageError(f"{option}: {text!r} cannot be used; write {wanted}")


def _check_printable(text: str) -> None:
    if not text.isprintable():
        raise UsageError(
            f"{text!r} holds characters that cannot be printed, which no unit or crontab takes; "
            "rename it"
        )


def _reached(path: Path) -> Path:
    """Where ``path`` leads through links, also where it ends in none or in a circle."""
    return Path(os.path.realpath(path))


def _is_missing(folder: Path) -> bool:
    try:
        folder.stat()
    except FileNotFoundError:
        return True
    except OSError:  # there, but not ours to see
        return False
    return False


def _under(path: Path, folders: Sequence[str]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _word(text: str) -> str:
    """``text`` as one word of a unit's setting."""
    text = text.replace("%", "%%")
    if _PLAIN.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _argument(text: str) -> str:
    """``text`` as one argument of a unit's command line."""
    return _word(text).replace("$", "$$")


def _shell(text: str) -> str:
    r"""``text`` as one word for the shell, on a line of a crontab.

    Some crons take ``\\`` for one backslash and others for two, so that no backslash may stand
    before another, nor before a ``%`` that is meant: the quotation is interrupted between them.
    """
    quoted = re.sub(r"\\(?=[\\%])", r"\\''", shlex.quote(text))
    return quoted.replace("%", r"\%")
