"""The texts of units and crontabs: what they say, and how every path is written."""

from dataclasses import replace
from pathlib import Path

import pytest

from halmirror import config
from halmirror.errors import OutputError, UsageError
from halmirror.schedule import Schedule, write

PLAIN = Schedule(
    command=("/opt/halmirror/bin/halmirror",),
    config=Path("/etc/halmirror.toml"),
    mirror=Path("/srv/hal/mirror.sqlite"),
    account="hal",
    host="alpha",
)


def settings(unit: str) -> list[str]:
    """The lines of a unit that are no comments."""
    return [line for line in unit.splitlines() if line and not line.startswith("#")]


def test_the_service_harvests_and_tells_failure_from_patience() -> None:
    lines = settings(PLAIN.units()["service"])
    assert lines[:17] == [
        "[Unit]",
        "Description=Harvest into the halmirror mirror",
        "Wants=network-online.target",
        "After=network-online.target",
        "OnFailure=halmirror-failure.service",
        "[Service]",
        "Type=oneshot",
        "User=hal",
        "ExecStart=/opt/halmirror/bin/halmirror --config /etc/halmirror.toml harvest",
        "SuccessExitStatus=4 130",
        "TimeoutStartSec=infinity",
        "TimeoutStopSec=30s",
        "KillSignal=SIGTERM",
        "Nice=10",
        "IOSchedulingClass=best-effort",
        "IOSchedulingPriority=7",
        "ReadWritePaths=-/srv/hal",
    ]
    for needed in (
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "SystemCallFilter=@system-service",
    ):
        assert needed in lines


def test_each_unit_says_where_it_belongs() -> None:
    firsts = [text.splitlines()[0] for text in PLAIN.units().values()]
    assert firsts == [
        "# /etc/systemd/system/halmirror.service",
        "# /etc/systemd/system/halmirror.timer",
        "# /etc/systemd/system/halmirror-failure.service",
    ]
    own = replace(PLAIN, account=None, name="theses")
    assert own.units()["timer"].startswith("# ~/.config/systemd/user/theses.timer\n")


def test_the_timer_is_persistent_and_its_machine_has_a_time_of_its_own() -> None:
    timer = replace(PLAIN, name="theses", calendar="Mon..Fri 04:30 Europe/Paris", delay=5400.0)
    assert settings(timer.units()["timer"])[2:] == [
        "[Timer]",
        "OnCalendar=Mon..Fri 04:30 Europe/Paris",
        "RandomizedDelaySec=90m",
        "FixedRandomDelay=yes",
        "Persistent=yes",
        "Unit=theses.service",
        "[Install]",
        "WantedBy=timers.target",
    ]


def test_a_failure_is_told_to_the_journal_as_an_error() -> None:
    text = PLAIN.units()["failure"]
    lines = settings(text)
    told = (
        '"halmirror.service failed (${MONITOR_SERVICE_RESULT} ${MONITOR_EXIT_STATUS}); '
        "see 'journalctl --unit=halmirror.service'\""
    )
    assert lines[4:9] == [
        f"ExecStart=/bin/echo {told}",
        "User=hal",
        "ExecStart=/opt/halmirror/bin/halmirror --config /etc/halmirror.toml status --check",
        "SuccessExitStatus=1",
        "StandardOutput=journal",
    ]
    assert "SyslogLevel=err" in lines
    assert (
        '#ExecStart=+/bin/sh -c "journalctl --unit=halmirror.service --lines=50 --no-pager'
        " | mail -s 'halmirror: the harvest failed' root\"" in text.splitlines()
    )


@pytest.mark.parametrize(
    ("path", "argument", "listed"),
    [
        ("/srv/a b", '"/srv/a b/c.toml"', '"-/srv/a b"'),
        ("/srv/50%h", '"/srv/50%%h/c.toml"', '"-/srv/50%%h"'),
        ("/srv/$HOME", '"/srv/$$HOME/c.toml"', '"-/srv/$HOME"'),
        ('/srv/"q"', r'"/srv/\"q\"/c.toml"', r'"-/srv/\"q\""'),
        ("/srv/it's", '"/srv/it\'s/c.toml"', '"-/srv/it\'s"'),
        (r"/srv/a\x20b", r'"/srv/a\\x20b/c.toml"', r'"-/srv/a\\x20b"'),
        ("/srv/é", '"/srv/é/c.toml"', '"-/srv/é"'),
        ("/srv/a;b", '"/srv/a;b/c.toml"', '"-/srv/a;b"'),
    ],
)
def test_systemd_gets_every_path_as_it_reads_it(path: str, argument: str, listed: str) -> None:
    odd = replace(PLAIN, config=Path(path, "c.toml"), mirror=Path(path, "m.sqlite"))
    lines = settings(odd.units()["service"])
    assert f"ExecStart=/opt/halmirror/bin/halmirror --config {argument} harvest" in lines
    assert f"ReadWritePaths={listed}" in lines


@pytest.mark.parametrize(
    ("program", "start"),
    [
        ("/opt/a b/halmirror", '"/opt/a b/halmirror"'),
        ("/opt/50%/halmirror", '"/opt/50%%/halmirror"'),
        # systemd takes no quote and no backslash in a program's path, and expands no "$" there.
        ("/opt/$x/halmirror", r'/bin/sh -c "exec \"$$0\" \"$$@\"" "/opt/$$x/halmirror"'),
        ("/opt/it's/halmirror", """/bin/sh -c "exec \\"$$0\\" \\"$$@\\"" "/opt/it's/halmirror\""""),
    ],
)
def test_a_program_systemd_would_not_start_is_started_by_the_shell(
    program: str, start: str
) -> None:
    lines = settings(replace(PLAIN, command=(program,)).units()["service"])
    assert f"ExecStart={start} --config /etc/halmirror.toml harvest" in lines


@pytest.mark.parametrize(
    ("path", "home", "tmp"),
    [
        ("/home/hal/mirror/m.sqlite", "read-only", "yes"),
        ("/root/m.sqlite", "read-only", "yes"),
        ("/var/tmp/hal/m.sqlite", "yes", "no"),  # noqa: S108
        ("/homes/hal/m.sqlite", "yes", "yes"),
    ],
)
def test_what_the_service_needs_is_not_hidden_from_it(path: str, home: str, tmp: str) -> None:
    for placed in (
        replace(PLAIN, mirror=Path(path)),
        replace(PLAIN, config=Path(path)),
        replace(PLAIN, needs=(Path(path),)),
        replace(PLAIN, command=(path,)),
    ):
        lines = settings(placed.units()["service"])
        assert f"ProtectHome={home}" in lines
        assert f"PrivateTmp={tmp}" in lines


def test_the_folder_a_linked_mirror_lies_in_may_be_written(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "hal").mkdir()
    (tmp_path / "hal" / "m.sqlite").symlink_to(tmp_path / "disk" / "m.sqlite")
    linked = replace(PLAIN, mirror=tmp_path / "hal" / "m.sqlite")
    lines = settings(linked.units()["service"])
    assert f"ReadWritePaths=-{tmp_path}/hal -{tmp_path}/disk" in lines


def test_a_mirror_that_links_to_itself_is_left_to_the_harvest(tmp_path: Path) -> None:
    (tmp_path / "m.sqlite").symlink_to(tmp_path / "m.sqlite")
    turning = replace(PLAIN, mirror=tmp_path / "m.sqlite")
    assert f"ReadWritePaths=-{tmp_path}" in settings(turning.units()["service"])


def test_metrics_are_asked_for_and_their_folder_may_be_written() -> None:
    measured = replace(PLAIN, metrics=Path("/var/lib/node exporter/hal.prom"))
    service = settings(measured.units()["service"])
    assert (
        "ExecStart=/opt/halmirror/bin/halmirror --config /etc/halmirror.toml harvest "
        '--metrics "/var/lib/node exporter/hal.prom"' in service
    )
    assert 'ReadWritePaths=-/srv/hal "-/var/lib/node exporter"' in service
    assert "-q harvest --metrics '/var/lib/node exporter/hal.prom' 2>&1" in measured.crontab()
    assert "--metrics" not in measured.units()["failure"]


def test_a_users_own_units_ask_for_nothing_a_user_may_not() -> None:
    lines = settings(replace(PLAIN, account=None).units()["service"])
    names = {line.partition("=")[0] for line in lines}
    assert {"NoNewPrivileges", "SystemCallFilter", "RestrictAddressFamilies"} <= names
    assert not names & {
        "User", "Wants", "After", "ProtectSystem", "ProtectHome", "PrivateTmp", "ReadWritePaths",
        "CapabilityBoundingSet",
    }  # fmt: skip


def test_settings_from_the_environment_go_along_and_secrets_do_not(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(
        '[[source]]\nname = "hal"\nbase_url = "https://example.org/oai"\n'
        'user_env = "HAL_USER"\npassword_env = "HAL_PASSWORD"\n',
        encoding="utf-8",
    )
    environ = {
        "HALMIRROR_MIRROR_PATH": "/srv/x y%/m.sqlite",
        "HALMIRROR_SOURCE_HAL_TIMEOUT": "2m",
        "HAL_USER": "someone",
        "HAL_PASSWORD": "hunter2",
        "PATH": "/bin",
    }
    planned = Schedule.planned(
        config.load(file, environ), ["/bin/halmirror"], environ, account="hal"
    )
    service = settings(planned.units()["service"])
    assert 'Environment="HALMIRROR_MIRROR_PATH=/srv/x y%%/m.sqlite"' in service
    assert "Environment=HALMIRROR_SOURCE_HAL_TIMEOUT=2m" in service
    assert "EnvironmentFile=/etc/halmirror.env" in service
    # The report of a failure must not need them: that they are missing may be the failure.
    assert "EnvironmentFile" not in planned.units()["failure"]
    crontab = planned.crontab()
    assert (
        r"said=$(HALMIRROR_MIRROR_PATH='/srv/x y\%/m.sqlite' HALMIRROR_SOURCE_HAL_TIMEOUT=2m "
        f"/bin/halmirror --config {file} -q harvest 2>&1 >/dev/null); code=$?;" in crontab
    )
    assert "#HAL_PASSWORD=" in crontab
    assert "hunter2" not in crontab + "".join(planned.units().values())


def test_without_a_configuration_file_none_is_found_by_chance_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {"HOME": str(tmp_path), "HALMIRROR_MIRROR_PATH": "/srv/hal/m.sqlite"}
    planned = Schedule.planned(config.load(None, environ), ["/bin/halmirror"], environ)
    service = settings(planned.units()["service"])
    assert "Environment=HALMIRROR_MIRROR_PATH=/srv/hal/m.sqlite" in service
    assert "ExecStart=/bin/halmirror --config /dev/null harvest" in service


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/srv/c.toml", "/srv/c.toml"),
        ("/srv/50%.toml", r"/srv/50\%.toml"),
        ("/srv/50 %.toml", r"'/srv/50 \%.toml'"),
        ("/srv/it's.toml", "'/srv/it'\"'\"'s.toml'"),
        ("/srv/$x y.toml", "'/srv/$x y.toml'"),
        (r"/srv/a\b", r"'/srv/a\b'"),
        (r"/srv/a\\b", r"'/srv/a\''\b'"),
        (r"/srv/a\%b", r"'/srv/a\''\%b'"),
    ],
)
def test_cron_and_its_shell_get_every_path_as_they_read_it(path: str, written: str) -> None:
    command = replace(PLAIN, config=Path(path)).cron_command()
    assert command == (
        f"said=$(/opt/halmirror/bin/halmirror --config {written} -q harvest 2>&1 >/dev/null); "
        "code=$?; case $code in 4|130) exit 0;; esac; "
        r"""[ "$said$code" = 0 ] || printf 'exit code \%s\n\%s\n' $code "$said"; exit $code"""
    )


def test_the_crontab_names_its_shell_and_whom_it_mails() -> None:
    lines = replace(PLAIN, mail_to="ops@example.org").crontab().splitlines()
    assert lines[-4:-1] == [
        "SHELL=/bin/sh",
        "PATH=/usr/local/bin:/usr/bin:/bin",
        "MAILTO=ops@example.org",
    ]
    hour, minute = PLAIN.start()
    assert lines[-1].startswith(f"{minute} {hour} * * * said=$(")
    assert "#MAILTO=you@example.org" in PLAIN.crontab().splitlines()


def test_machines_and_mirrors_start_at_times_of_their_own_within_the_delay() -> None:
    machines = [replace(PLAIN, host=f"host{number}", at="23:30") for number in range(200)]
    starts = [machine.start() for machine in machines]
    assert starts == [machine.start() for machine in machines]
    # 23:30 and an hour is 00:30; 200 machines leave few of the 60 minutes free.
    assert all(start >= (23, 30) or start < (0, 30) for start in starts)
    assert len(set(starts)) > 40
    mirrors = {replace(PLAIN, mirror=Path(f"/srv/{name}/m")).start() for name in "abcdefgh"}
    assert len(mirrors) > 1
    assert replace(PLAIN, delay=0.0, at="4:05").start() == (4, 5)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": "../x"}, "--name: '../x' cannot be used"),
        ({"name": ""}, "--name: '' cannot be used"),
        ({"calendar": "daily\nUser=root"}, "--on-calendar: 'daily\\nUser=root' cannot be used"),
        ({"calendar": "%h"}, "--on-calendar: '%h' cannot be used"),
        ({"at": "24:00"}, "--at: '24:00' cannot be used; write a time of day such as 03:00"),
        ({"account": "a b"}, "--run-as: 'a b' cannot be used"),
        ({"mail_to": "a\nb"}, "--mail-to: 'a\\nb' cannot be used"),
        ({"mirror": Path("/srv/a\nb/m")}, "'/srv/a\\nb' holds characters that cannot be printed"),
        ({"config": Path("/srv/\udcff")}, "'/srv/\\udcff' holds characters that cannot be printed"),
    ],
)
def test_what_no_unit_or_crontab_can_hold_is_refused(
    changed: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError) as refused:
        replace(PLAIN, **changed)  # type: ignore[arg-type]
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_command_longer_than_cron_takes_is_refused() -> None:
    long = replace(PLAIN, config=Path("/" + "é" * 400))
    with pytest.raises(UsageError, match="longer than the 998 bytes that cron takes"):
        long.crontab()


def test_units_are_written_once_and_never_over_others(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "units"
    units = {"a.service": "one\n", "a.timer": "two\n"}
    write(units, folder)
    write(units, folder)
    (folder / "a.service").unlink()
    (folder / "a.timer").write_text("mine\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"a\.timer exists and is different"):
        write(units, folder)
    assert [each.name for each in folder.iterdir()] == ["a.timer"]
    assert (folder / "a.timer").read_text(encoding="utf-8") == "mine\n"
    with pytest.raises(OutputError, match="cannot be written"):
        write(units, folder / "a.timer")


def test_what_to_type_fits_where_the_units_stand(tmp_path: Path) -> None:
    there = replace(PLAIN, mirror=tmp_path / "m.sqlite")
    units = (
        "/etc/systemd/system/halmirror.service /etc/systemd/system/halmirror.timer "
        "/etc/systemd/system/halmirror-failure.service"
    )
    assert there.commands(Path("/etc/systemd/system")) == [
        f"systemd-analyze verify {units}",
        "sudo systemctl daemon-reload",
        "sudo systemctl enable --now halmirror.timer",
    ]
    assert there.commands(Path("/media/a b"), ["timer"])[1] == (
        "sudo cp '/media/a b/halmirror.timer' /etc/systemd/system"
    )
    missing = replace(PLAIN, mirror=tmp_path / "new one" / "m.sqlite")
    assert missing.commands(Path("/etc/systemd/system"))[1] == (
        f"sudo install -d -o hal '{tmp_path}/new one'"
    )
    own = Path("~/.config/systemd/user").expanduser()
    assert replace(there, account=None).commands(own, ["timer"]) == [
        f"systemd-analyze --user verify {own}/halmirror.timer",
        "systemctl --user daemon-reload",
        "systemctl --user enable --now halmirror.timer",
        "loginctl enable-linger    # or it runs only while you are logged in",
    ]
