"""What ``halmirror schedule`` prints, read by systemd and cron and then run."""

import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from conftest import CommandLine, Ran
from halmirror.store.database import WriteLock
from recorded_endpoint import RecordedEndpoint

SYSTEMD = Path("/usr/lib/systemd/systemd")
ALL_NEW = "73 new, 0 changed, 0 unchanged, 0 gone, 0 quarantined"


def tool(name: str, package: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is missing; on Debian: apt-get install {package}"
    return found


class Installed(CommandLine):
    """A halmirror whose every path is a trap, as pip would install it."""

    @property
    def script(self) -> Path:
        return self.folder / "bin" / "halmirror"

    def command(self, *arguments: str) -> list[str]:
        return [str(self.script), *arguments]


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that any account can read, as systemd's test mode is none for root."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(params=["plain", "a  b 100%h é", r"""it's "q" $HOME \\x \%y; &"""])
def installed(
    request: pytest.FixtureRequest, endpoint: RecordedEndpoint, shared: Path
) -> Installed:
    command = Installed(shared / request.param)
    command.script.parent.mkdir(parents=True)
    command.script.write_text(
        f"#!{sys.executable}\nfrom halmirror.cli import main\n\nmain()\n", encoding="utf-8"
    )
    command.script.chmod(0o755)
    command.configure(endpoint.url)
    return command


def verified(*units: Path, own: bool = False) -> str:
    """What ``systemd-analyze verify`` has to say; nothing when all is well."""
    with tempfile.TemporaryDirectory() as runtime:
        done = subprocess.run(
            [
                tool("systemd-analyze", "systemd"),
                "--user" if own else "--system",
                "--man=no",
                "verify",
                *map(str, units),
            ],
            env={**os.environ, "XDG_RUNTIME_DIR": runtime},
            capture_output=True,
            text=True,
            check=False,
        )
    return f"{done.stderr}{done.stdout}" + (f"code {done.returncode}" if done.returncode else "")


@pytest.mark.parametrize("own", [False, True])
def test_systemd_finds_nothing_to_say_about_the_units(
    installed: Installed, shared: Path, own: bool
) -> None:
    folder = shared / "units"
    user = ["--user"] if own else []
    ran = installed("schedule", "systemd", *user, "--output", str(folder))
    assert ran.code == 0, ran.err
    names = ["halmirror-failure.service", "halmirror.service", "halmirror.timer"]
    assert sorted(each.name for each in folder.iterdir()) == names
    assert ("systemctl --user daemon-reload" in ran.out.splitlines()) == own
    # With the line for mail as well, which is a comment at first.
    mailing = folder / "halmirror-failure.service"
    text = mailing.read_text(encoding="utf-8")
    mailing.write_text(text.replace("#ExecStart=", "ExecStart="), encoding="utf-8")
    assert mailing.read_text(encoding="utf-8") != text
    assert verified(*(folder / name for name in names), own=own) == ""


def test_systemd_does_complain_of_a_wrong_unit(shared: Path) -> None:
    unit = shared / "wrong.service"
    unit.write_text("[Service]\nType=oneshot\nExecStart=/no/such/program\n", encoding="utf-8")
    assert "/no/such/program is not executable" in verified(unit)


def as_systemd_read(unit: Path) -> dict[str, str]:
    """The service's settings as systemd's own test mode shows them; it refuses to run as root."""
    nobody = pwd.getpwnam("nobody")
    account = {"user": nobody.pw_uid, "group": nobody.pw_gid} if os.getuid() == 0 else {}
    done = subprocess.run(
        [str(SYSTEMD), "--test", "--system", f"--unit={unit.name}", "--log-target=console"],
        env={"SYSTEMD_UNIT_PATH": f"{unit.parent}:", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        **account,
    )
    _, found, rest = done.stdout.partition(f"-> Unit {unit.name}:\n")
    assert found, done.stderr + done.stdout[:2000]
    shown = re.findall(r"^\s+([\w ]+): (.*)$", rest.partition("\t-> Unit ")[0], re.MULTILINE)
    return dict(shown)


def test_the_command_as_systemd_reads_it_harvests(installed: Installed, shared: Path) -> None:
    assert SYSTEMD.exists(), f"{SYSTEMD} is missing; on Debian: apt-get install systemd"
    folder = shared / "units"
    assert installed("schedule", "systemd", "--output", str(folder)).code == 0
    shown = as_systemd_read(folder / "halmirror.service")
    assert f"{shown['ReadWritePaths']} ".startswith(f"-{installed.folder}/data ")
    # The words are shown quoted as for a shell; "$$" is systemd's "$" (systemd.service(5)).
    line = shown["Command Line"].replace(r"\$\$", r"\$")
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        cwd="/",
        env=installed.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert ALL_NEW in done.stdout
    assert installed.mirror.exists()


@pytest.mark.parametrize("own", [False, True])
def test_the_unit_that_serves_is_one_that_systemd_takes(
    installed: Installed, shared: Path, own: bool
) -> None:
    folder = shared / "server"
    user = ["--user"] if own else []
    ran = installed("schedule", "systemd", "--serve", *user, "--output", str(folder))
    assert ran.code == 0, ran.err
    unit = folder / "halmirror-serve.service"
    assert list(folder.iterdir()) == [unit]
    assert ran.out.splitlines()[-2 if own else -1].endswith("enable --now halmirror-serve.service")
    assert verified(unit, own=own) == ""
    printed = installed("schedule", "systemd", "--serve", *user).out
    assert unit.read_text(encoding="utf-8") == printed
    assert installed("schedule", "systemd", "--serve", "--unit", "timer").code == 2


def test_the_server_as_systemd_reads_it_serves(installed: Installed, shared: Path) -> None:
    assert installed("harvest").code in (0, 3)
    folder = shared / "server"
    assert installed("schedule", "systemd", "--serve", "--output", str(folder)).code == 0
    shown = as_systemd_read(folder / "halmirror-serve.service")
    assert f"{shown['ReadWritePaths']} ".startswith(f"-{installed.folder}/data ")
    line = shown["Command Line"].replace(r"\$\$", r"\$")
    server = subprocess.Popen(
        ["/bin/sh", "-c", f"exec {line}"],
        cwd="/",
        env={**installed.environment(), "HALMIRROR_SERVE_PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    url = server.stdout.readline().split()[1]
    assert urlopen(f"{url}hal-04493396").status == 200
    server.terminate()
    assert server.wait(30) == 0
    server.stdout.close()


def test_units_can_be_printed_one_by_one(halmirror: CommandLine) -> None:
    whole = halmirror("schedule", "systemd")
    assert whole.code == 0, whole.err
    each = [
        halmirror("schedule", "systemd", "--unit", unit).out
        for unit in ("service", "timer", "failure")
    ]
    assert whole.out == "\n".join(each)
    assert each[1].startswith("# /etc/systemd/system/halmirror.timer\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("systemd", "--name", "a/b"), "--name: 'a/b' cannot be used"),
        (("systemd", "--user", "--run-as", "hal"), "--run-as is for the system's service"),
        (("systemd", "--randomised-delay", "soon"), "'soon' is no duration"),
        (("cron", "--at", "noon"), "--at: 'noon' cannot be used"),
        (("systemd", "--output", "full"), "halmirror.service exists and is different"),
    ],
)
def test_wrong_options_are_one_clear_line(
    halmirror: CommandLine, arguments: tuple[str, ...], message: str
) -> None:
    (halmirror.folder / "full").mkdir()
    (halmirror.folder / "full" / "halmirror.service").touch()
    ran = halmirror("schedule", *arguments)
    assert ran.code == 2
    assert message in ran.err
    assert ran.err.count("\n") == 1
    assert ran.out == ""
    assert len(list((halmirror.folder / "full").iterdir())) == 1


def cron_reads(command: str, *, pairs: bool) -> str:
    r"""What cron hands to the shell (crontab(5)); ``pairs`` for crons that take ``\\`` for one."""
    words = re.compile(r"\\[%\\]|%" if pairs else r"\\.|%")
    found: list[str] = []
    at = 0
    for match in words.finditer(command):
        found.append(command[at : match.start()])
        at = match.end()
        assert match[0] != "%", f"cron ends the command before {command[match.start() :]}"
        found.append(match[0][1:] if pairs or match[0] == r"\%" else match[0])
    return "".join([*found, command[at:]])


def run_as_cron(installed: Installed, fragment: str, *, pairs: bool = True) -> Ran:
    line = fragment.splitlines()[-1]
    command = line.split(" ", 5)[5]
    kept = {key: os.environ[key] for key in ("PYTHONPATH",) if key in os.environ}
    environment = {"HOME": str(installed.folder), "PATH": "/usr/bin:/bin", **kept}
    done = subprocess.run(
        ["/bin/sh", "-c", cron_reads(command, pairs=pairs)],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("pairs", [True, False])
def test_cron_takes_the_line_and_it_harvests_in_silence(
    installed: Installed, shared: Path, pairs: bool
) -> None:
    printed = installed("schedule", "cron", "--mail-to", "ops@example.org")
    assert printed.code == 0, printed.err
    crontab = shared / "crontab"
    crontab.write_text(printed.out, encoding="utf-8")
    checked = subprocess.run(
        [tool("crontab", "cron"), "-n", str(crontab)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    ran = run_as_cron(installed, printed.out, pairs=pairs)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert "73 active" in installed("status").out


def test_cron_says_nothing_while_another_run_holds_the_mirror(installed: Installed) -> None:
    fragment = installed("schedule", "cron").out
    assert run_as_cron(installed, fragment).code == 0
    lock = WriteLock(installed.mirror)
    lock.acquire()
    try:
        assert installed("harvest").code == 4
        assert run_as_cron(installed, fragment) == Ran(0, "", "")
    finally:
        lock.release()


def test_cron_mails_why_a_harvest_failed(installed: Installed, endpoint: RecordedEndpoint) -> None:
    fragment = installed("schedule", "cron").out
    endpoint.path = "/moved/"
    ran = run_as_cron(installed, fragment)
    assert ran.code == 1
    first, why = ran.out.splitlines()[:2]
    assert first == "exit code 1"
    assert "hal" in why
    assert ran.err == ""


def test_settings_of_the_environment_are_scheduled_too(
    harvested: CommandLine, endpoint: RecordedEndpoint, shared: Path
) -> None:
    """Without a configuration file, what is in force is the environment and the defaults."""
    command = CommandLine(shared)
    environment = command.environment() | {
        "HALMIRROR_MIRROR_PATH": "here/50%.sqlite",
        "HALMIRROR_SOURCE_HAL_BASE_URL": endpoint.url,
    }
    printed = subprocess.run(
        command.command("schedule", "cron"),
        cwd=shared,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    ran = run_as_cron(Installed(shared), printed.stdout)
    assert (ran.code, ran.out) == (0, "")
    assert (shared / "here" / "50%.sqlite").exists()
