"""The configuration: where it comes from, what it may say, and how it is refused."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest

from halmirror import config
from halmirror.config import SourceSettings, load, loss_limit, parse_duration, parse_max_loss
from halmirror.errors import ConfigError, UsageError

ROOT = Path(__file__).resolve().parent.parent.parent
ALL_OF_HAL = SourceSettings(
    name="hal",
    base_url="https://api.archives-ouvertes.fr/oai/hal/",
    metadata_prefix="oai_dc",
    profile="hal",
    sets=(),
    from_=None,
    connections=1,
    delay=0.0,
    timeout=60.0,
    retries=5,
    max_wait=900.0,
    reconcile_every=2592000.0,
    max_loss="1%",
    tls_verify=True,
    contact=None,
    user_env=None,
    password_env=None,
    headers_env=(),
)
TEL = '[[source]]\nname = "tel"\nbase_url = "https://api.archives-ouvertes.fr/oai/tel/"\n'


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def written(folder: Path, text: str, name: str = "config.toml") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def names(settings: config.Settings) -> list[str]:
    return [source.name for source in settings.sources]


def refusal(folder: Path, text: str, environ: dict[str, str] | None = None) -> str:
    file = written(folder, text)
    with pytest.raises(ConfigError) as refused:
        load(file, environ or {})
    message = str(refused.value)
    assert "\n" not in message
    return message.replace(str(file), "FILE")


# -- which file ------------------------------------------------------------------------------


def test_without_a_file_all_of_hal_goes_into_the_working_folder(elsewhere: Path) -> None:
    settings = load(environ={"HOME": str(elsewhere / "home")})
    assert settings.path is None
    assert settings.mirror.path == elsewhere / "data" / "mirror.sqlite"
    assert settings.sources == (ALL_OF_HAL,)


def test_search_order(elsewhere: Path) -> None:
    def only(name: str) -> str:
        return TEL.replace("tel", name)

    environ = {"HOME": str(elsewhere / "home")}
    written(elsewhere, only("home"), "home/.config/halmirror/config.toml")
    assert names(load(environ=environ)) == ["home"]
    environ["XDG_CONFIG_HOME"] = str(elsewhere / "xdg")
    written(elsewhere, only("xdg"), "xdg/halmirror/config.toml")
    assert names(load(environ=environ)) == ["xdg"]
    written(elsewhere, only("here"))
    assert names(load(environ=environ)) == ["here"]
    environ["HALMIRROR_CONFIG"] = str(written(elsewhere, only("variable"), "variable.toml"))
    assert names(load(environ=environ)) == ["variable"]
    named = written(elsewhere, only("named"), "named.toml")
    assert names(load(named, environ)) == ["named"]


@pytest.mark.parametrize("xdg", ["", "relative"])
def test_an_unusable_xdg_config_home_is_ignored(elsewhere: Path, xdg: str) -> None:
    written(elsewhere, TEL, "home/.config/halmirror/config.toml")
    written(elsewhere, "", "relative/halmirror/config.toml")
    environ = {"HOME": str(elsewhere / "home"), "XDG_CONFIG_HOME": xdg}
    assert names(load(environ=environ)) == ["tel"]


def test_a_named_file_must_be_there(elsewhere: Path) -> None:
    missing = elsewhere / "no.toml"
    with pytest.raises(ConfigError, match=r"no\.toml: cannot be read: No such file"):
        load(missing, {})
    with pytest.raises(ConfigError, match=r"no\.toml: cannot be read: No such file"):
        load(environ={"HALMIRROR_CONFIG": str(missing)})
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(elsewhere, {})


# -- paths -----------------------------------------------------------------------------------


def test_the_mirrors_path_is_relative_to_the_file(elsewhere: Path) -> None:
    file = written(elsewhere, '[mirror]\npath = "kept/hal.sqlite"\n', "far/config.toml")
    assert load(file, {}).mirror.path == elsewhere / "far" / "kept" / "hal.sqlite"
    assert load(file, {}).sources == (ALL_OF_HAL,)
    relative = Path("far/config.toml")
    assert load(relative, {}).mirror.path == elsewhere / "far" / "kept" / "hal.sqlite"
    file.write_text('[mirror]\npath = "/srv/hal.sqlite"\n')
    assert load(file, {}).mirror.path == Path("/srv/hal.sqlite")
    file.write_text(TEL)
    assert load(file, {}).mirror.path == elsewhere / "far" / "data" / "mirror.sqlite"
    file.write_text('[mirror]\npath = "~/hal.sqlite"\n')
    assert load(file, {"HOME": "/home/anne"}).mirror.path == Path("/home/anne/hal.sqlite")


def test_the_mirrors_path_from_the_environment_is_relative_to_the_working_folder(
    elsewhere: Path,
) -> None:
    file = written(elsewhere, '[mirror]\npath = "a.sqlite"\n', "far/config.toml")
    environ = {"HALMIRROR_MIRROR_PATH": "b.sqlite"}
    assert load(file, environ).mirror.path == elsewhere / "b.sqlite"
    assert load(file, {"HALMIRROR_MIRROR_PATH": ""}).mirror.path == elsewhere / "far/a.sqlite"


# -- values ----------------------------------------------------------------------------------


def test_every_setting(elsewhere: Path) -> None:
    file = written(
        elsewhere,
        """
        [mirror]
        path = "m.sqlite"
        [[source]]
        name = "Zenodo_2"
        base_url = "http://zenodo.example:8080/oai2d?key=1"
        metadata_prefix = "oai_datacite"
        profile = "generic"
        sets = ["user-x:y", "type:ART", "user-x:y"]
        from = 2020-01-31
        connections = 4
        delay = "0.5s"
        timeout = "2m"
        retries = 0
        max_wait = "1h"
        reconcile_every = "0"
        max_loss = 250
        tls_verify = false
        contact = "mailto:anne@example.org"
        user_env = "ZENODO_USER"
        password_env = "ZENODO_PASSWORD"
        headers_env = { "X-Api-Key" = "ZENODO_KEY", Accept-Language = "ZENODO_LANGUAGE" }
        """,
    )
    assert load(file, {}) == config.Settings(
        file,
        config.MirrorSettings(elsewhere / "m.sqlite"),
        (
            SourceSettings(
                name="Zenodo_2",
                base_url="http://zenodo.example:8080/oai2d?key=1",
                metadata_prefix="oai_datacite",
                profile="generic",
                sets=("user-x:y", "type:ART"),
                from_="2020-01-31",
                connections=4,
                delay=0.5,
                timeout=120.0,
                retries=0,
                max_wait=3600.0,
                reconcile_every=0.0,
                max_loss="250",
                tls_verify=False,
                contact="mailto:anne@example.org",
                user_env="ZENODO_USER",
                password_env="ZENODO_PASSWORD",  # noqa: S106 -- the name of a variable
                headers_env=(
                    ("X-Api-Key", "ZENODO_KEY"),
                    ("Accept-Language", "ZENODO_LANGUAGE"),
                ),
            ),
        ),
    )


def test_settings_are_frozen() -> None:
    settings = load(environ={"HOME": "/nowhere"})
    with pytest.raises(AttributeError):
        settings.sources[0].name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.origins["mirror.path"] = "elsewhere"  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("0s", 0.0),
        ("30s", 30.0),
        ("15m", 900.0),
        ("2h", 7200.0),
        ("2d", 172800.0),
        ("1.5h", 5400.0),
        ("3650d", 315360000.0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "30", "s", "-1s", "1 s", "1w", "1h30m", "1e3s", "1.s", "٣s", "3651d", "30s\n"]
)
def test_no_durations(text: str) -> None:
    with pytest.raises(UsageError, match="write"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "normal", "active", "limit"),
    [
        ("1%", "1%", 4_650_000, 46_500),
        ("1 %", "1%", 199, 1),
        ("0.5%", "0.5%", 1000, 5),
        ("0%", "0%", 1000, 0),
        ("100%", "100%", 73, 73),
        ("0.29%", "0.29%", 10_000, 29),
        ("250", "250", 73, 250),
        ("0", "0", 73, 0),
    ],
)
def test_losses(text: str, normal: str, active: int, limit: int) -> None:
    assert parse_max_loss(text) == normal
    assert loss_limit(text, active) == limit


@pytest.mark.parametrize("text", ["", "%", "-1", "101%", "100.01%", "1.5", "1,5%", "1%%", "one"])
def test_no_losses(text: str) -> None:
    with pytest.raises(UsageError, match="no limit; write a share such as 1%"):
        parse_max_loss(text)


# -- the environment -------------------------------------------------------------------------


def test_the_environment_overrides_each_setting(elsewhere: Path) -> None:
    file = written(elsewhere, TEL.replace('"tel"', '"my-tel"') + 'timeout = "5s"\n')
    environ = {
        "HALMIRROR_SOURCE_MY_TEL_BASE_URL": "http://127.0.0.1:9/oai/tel/",
        "HALMIRROR_SOURCE_MY_TEL_SETS": "type:ART, collection:CNRS",
        "HALMIRROR_SOURCE_MY_TEL_FROM": "2024-02-29",
        "HALMIRROR_SOURCE_MY_TEL_CONNECTIONS": "3",
        "HALMIRROR_SOURCE_MY_TEL_RETRIES": "0",
        "HALMIRROR_SOURCE_MY_TEL_DELAY": "2s",
        "HALMIRROR_SOURCE_MY_TEL_MAX_LOSS": "3",
        "HALMIRROR_SOURCE_MY_TEL_TLS_VERIFY": "False",
        "HALMIRROR_SOURCE_MY_TEL_CONTACT": "",
        "HALMIRROR_SOURCE_MY_TEL_HEADERS_ENV": "Authorization=REPO_TOKEN, X-Key = OTHER",
        "HALMIRROR_SOURCE_OTHER_TIMEOUT": "9s",
    }
    (source,) = load(file, environ).sources
    assert source == SourceSettings(
        name="my-tel",
        base_url="http://127.0.0.1:9/oai/tel/",
        sets=("type:ART", "collection:CNRS"),
        from_="2024-02-29",
        connections=3,
        retries=0,
        delay=2.0,
        timeout=5.0,
        max_loss="3",
        tls_verify=False,
        headers_env=(("Authorization", "REPO_TOKEN"), ("X-Key", "OTHER")),
    )


def test_the_environment_overrides_the_defaults() -> None:
    environ = {"HOME": "/nowhere", "HALMIRROR_SOURCE_HAL_BASE_URL": "http://127.0.0.1:9/"}
    assert load(environ=environ).sources[0].base_url == "http://127.0.0.1:9/"


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("TIMEOUT", "5", "$HALMIRROR_SOURCE_TEL_TIMEOUT: '5' is no duration"),
        ("CONNECTIONS", "5", "$HALMIRROR_SOURCE_TEL_CONNECTIONS: 5 is no number from 1 to 4"),
        ("CONNECTIONS", "two", '$HALMIRROR_SOURCE_TEL_CONNECTIONS: "two" is no number'),
        ("TLS_VERIFY", "maybe", '$HALMIRROR_SOURCE_TEL_TLS_VERIFY: "maybe" is neither true nor'),
        (
            "HEADERS_ENV",
            "A=B,A=C",
            "$HALMIRROR_SOURCE_TEL_HEADERS_ENV: the header a is there twice",
        ),
        ("HEADERS_ENV", "TOKEN", "$HALMIRROR_SOURCE_TEL_HEADERS_ENV: not a table of headers and"),
        ("TIMOUT", "5s", "$HALMIRROR_SOURCE_TEL_TIMOUT: there is no setting 'timout';"),
        ("NAME", "x", "$HALMIRROR_SOURCE_TEL_NAME: there is no setting 'name'"),
    ],
)
def test_wrong_variables_are_named(
    elsewhere: Path, variable: str, value: str, message: str
) -> None:
    told = refusal(elsewhere, TEL, {f"HALMIRROR_SOURCE_TEL_{variable}": value})
    assert told.startswith(message)


def test_one_source_may_be_called_as_another_ones_beginning(elsewhere: Path) -> None:
    file = written(elsewhere, TEL + TEL.replace('"tel"', '"tel-2"'))
    settings = load(file, {"HALMIRROR_SOURCE_TEL_2_TIMEOUT": "7s"})
    assert [source.timeout for source in settings.sources] == [60.0, 7.0]


def test_a_variable_that_holds_a_secret_may_have_any_name(elsewhere: Path) -> None:
    file = written(elsewhere, TEL + 'password_env = "HALMIRROR_SOURCE_TEL_PASSWORD"\n')
    settings = load(file, {"HALMIRROR_SOURCE_TEL_PASSWORD": "s3cret"})
    assert settings.sources[0].password_env == "HALMIRROR_SOURCE_TEL_PASSWORD"  # noqa: S105 -- a variable's name
    assert "s3cret" not in config.render(settings)


def test_a_variable_that_holds_a_header_may_have_any_name(elsewhere: Path) -> None:
    line = 'headers_env = { Authorization = "HALMIRROR_SOURCE_TEL_TOKEN" }\n'
    settings = load(written(elsewhere, TEL + line), {"HALMIRROR_SOURCE_TEL_TOKEN": "s3cret"})
    assert settings.sources[0].headers_env == (("Authorization", "HALMIRROR_SOURCE_TEL_TOKEN"),)
    shown = config.render(settings)
    assert 'headers_env = { "Authorization" = "HALMIRROR_SOURCE_TEL_TOKEN" }' in shown
    assert "s3cret" not in shown


# -- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("conections = 2", "there is no setting 'conections'; did you mean 'connections'?"),
        ("max-wait = '1h'", "there is no setting 'max-wait'; did you mean 'max_wait'?"),
        ("Timeout = '1m'", "there is no setting 'Timeout'; did you mean 'timeout'?"),
        ("connections = 5", "connections: 5 is no number from 1 to 4"),
        ("connections = true", "connections: true is no number from 1 to 4"),
        ("connections = 1.0", "connections: 1.0 is no number from 1 to 4"),
        ("retries = -1", "retries: -1 is no number from 0 to 100"),
        ("timeout = 30", 'timeout: 30 has no unit; write "30s" or another unit'),
        ("timeout = '0'", 'timeout: "0" is too short; write 1s or more'),
        ("delay = '1 minute'", "delay: '1 minute' is no duration; write 30s, 15m, 2h or 2d"),
        ("max_wait = true", "max_wait: true is not text; put it in quotation marks"),
        ("max_loss = '2'\nx = 1", "there is no setting 'x'"),
        ("max_loss = -2", "max_loss: '-2' is no limit; write a share such as 1%"),
        ("tls_verify = 'yes'", 'tls_verify: "yes" is neither true nor false'),
        ("sets = 'type:ART'", 'sets: "type:ART" is no list; write ["collection:CNRS"]'),
        ("sets = ['type ART']", 'sets: "type ART" is no setSpec of OAI-PMH'),
        ("sets = [1]", "sets: 1 is not text; put it in quotation marks"),
        ("from = '2020-02-30'", 'from: "2020-02-30" is no day of the calendar'),
        ("from = '2020'", 'from: "2020" is no day; write "2020-01-31"'),
        ("from = 2020-01-01T00:00:00Z", 'from: "2020-01-01 00:00:00+00:00" is no day'),
        ("profile = 'HAL'", 'profile: "HAL" is no profile; write "hal" or "generic"'),
        ("metadata_prefix = 'oai dc'", 'metadata_prefix: "oai dc" is no metadataPrefix'),
        ("contact = 'Élodie'", 'contact: "Élodie" goes into an HTTP header'),
        ('contact = "a\\nb"', 'contact: "a\\nb" is empty or holds characters that cannot be'),
        ("headers_env = ['A']", "headers_env: not a table of headers and variables; write {"),
        ("headers_env = { 'A B' = 'C' }", "headers_env: a name in it is no name of an HTTP header"),
        ("headers_env = { '' = 'C' }", "headers_env: a name in it is no name of an HTTP header"),
        ("headers_env = { A = 'b c' }", "headers_env: a value in it is not the name of an"),
        ("headers_env = { A = 1 }", "headers_env: a value in it is not the name of an"),
        ("headers_env = { A = 'B', a = 'C' }", "headers_env: the header a is there twice"),
        ("headers_env = { HOST = 'B' }", "headers_env: the header HOST is halmirror's own"),
        ("headers_env = { user-agent = 'B' }", "headers_env: the header user-agent is halmirror's"),
        ("contact = ''", 'contact: "" is empty or holds characters that cannot be printed'),
    ],
)
def test_wrong_settings_are_named_with_their_line(elsewhere: Path, line: str, message: str) -> None:
    number = 4 + line.count("\n")
    assert refusal(elsewhere, TEL + line + "\n").startswith(f"FILE:{number}: {message}")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("ftp://hal.science/", '"ftp://hal.science/" is no address of the form https://HOST/PATH'),
        ("hal.science/oai", '"hal.science/oai" is no address of the form'),
        ("https:///oai", '"https:///oai" is no address of the form'),
        ("https://h/oai#x", '"https://h/oai#x" is no address of the form'),
        ("https://h/o ai", '"https://h/o ai" is no address of the form'),
        ("https://h:99999/", '"https://h:99999/" is no web address'),
        ("https://[h/", '"https://[h/" is no web address'),
    ],
)
def test_addresses_are_http_only(elsewhere: Path, address: str, message: str) -> None:
    text = f'[[source]]\nname = "x"\nbase_url = "{address}"\n'
    assert refusal(elsewhere, text).startswith(f"FILE:3: base_url: {message}")


@pytest.mark.parametrize(
    "line",
    [
        "base_url = 'https://anne:s3cret@h/oai'",
        "base_url = 'https://anne:s3cret@h:port/oai'",
        "base_url = 'https://h/'\npassword_env = 's3cret!'",
        "base_url = 'https://h/'\nuser_env = ['s3cret']",
        "base_url = 'https://h/'\nheaders_env = { Authorization = 'Bearer s3cret' }",
        "base_url = 'https://h/'\nheaders_env = 'Authorization=Bearer s3cret'",
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(elsewhere: Path, line: str) -> None:
    told = refusal(elsewhere, f"[[source]]\nname = 'x'\n{line}\n")
    assert "s3cret" not in told
    assert "password" in told or "environment variable" in told or "variables" in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[miror]\n", "FILE:1: there is no setting 'miror'; did you mean 'mirror'?"),
        ("\n[mirror]\nfile = 'x'\n", "FILE:3: there is no setting 'file'; there are path"),
        ("mirror = 'x'\n", "FILE:1: 'mirror' is a section; write [mirror]"),
        ("[mirror]\npath = 3\n", "FILE:2: path: 3 is not text; put it in quotation marks"),
        ("[source]\nname = 'x'\n", "FILE:1: a source is a section of its own; write [[source]]"),
        ("source = []\n", "FILE:1: there is no source; add a [[source]] section"),
        (TEL + "\n[[source]]\nname = 'x'\n", "FILE:5: this source has no 'base_url'; add one"),
        ("[[source]]\n", "FILE:1: this source has no 'name'; add one"),
        (
            "[[source]]\nname = 'a b'\nbase_url = 'http://h/'\n",
            "FILE:2: name: \"a b\" is no name; use letters, digits, '-' and '_'",
        ),
        (
            f"{TEL}\n# twice\n{TEL}",
            "FILE:6: the name 'tel' is taken; names differ by more than case, '-' and '_'",
        ),
        (
            TEL.replace('"tel"', '"a-b"') + TEL.replace('"tel"', '"A_B"'),
            "FILE:4: the name 'A_B' is taken; names differ by more than case, '-' and '_'",
        ),
        ("[mirror]\npath = x\n", "FILE:2: is not TOML: Invalid value (column 8)"),
        ("[mirror]\n\npath = [\n1,\n", "FILE:4: is not TOML: "),
        (
            TEL + "sets = [\n  'type:ART',\n  'type ART',\n]\nretries = 1\n",
            'FILE:4: sets: "type ART" is no setSpec of OAI-PMH',
        ),
    ],
)
def test_wrong_files_are_named_with_the_line(elsewhere: Path, text: str, message: str) -> None:
    assert refusal(elsewhere, text).startswith(message)


def test_windows_line_ends_and_byte_order_marks_are_taken(elsewhere: Path) -> None:
    file = elsewhere / "config.toml"
    file.write_bytes(b"\xef\xbb\xbf" + TEL.replace("\n", "\r\n").encode())
    assert names(load(file, {})) == ["tel"]
    file.write_bytes(b"[mirror]\r\n\r\nwhere = 1\r\n")
    with pytest.raises(ConfigError, match=r"config\.toml:3: there is no setting 'where'"):
        load(file, {})


def test_a_file_that_is_no_text_is_refused(elsewhere: Path) -> None:
    file = elsewhere / "config.toml"
    file.write_bytes(b"[mirror]\n\xff\n")
    with pytest.raises(ConfigError, match=r"is not text in UTF-8 \(byte 9\)"):
        load(file, {})
    file.write_text("a = " + "[" * 100_000)
    with pytest.raises(ConfigError, match=r"config\.toml: ?(is nested too deeply|1: )"):
        load(file, {})


# -- writing ---------------------------------------------------------------------------------


def test_rendered_settings_give_the_same_settings(elsewhere: Path) -> None:
    file = written(
        elsewhere,
        '[mirror]\npath = "été \\"1\\".sqlite"\n'
        + TEL
        + 'sets = ["type:ART"]\nfrom = "2020-01-01"\ndelay = "1.5s"\nmax_wait = "90m"\n'
        + 'headers_env = { "X-Key" = "TEL_KEY" }\n',
    )
    settings = load(file, {"HALMIRROR_SOURCE_TEL_TIMEOUT": "36h"})
    shown = config.render(settings)
    again = written(elsewhere, shown, "again.toml")
    assert dataclasses.replace(load(again, {}), path=file) == settings
    assert 'delay = "1.5s"' in shown
    assert 'max_wait = "90m"' in shown
    assert f'from = "2020-01-01"  # {file}' in shown
    assert 'timeout = "36h"  # $HALMIRROR_SOURCE_TEL_TIMEOUT' in shown
    assert "retries = 5  # default" in shown
    assert "# contact is not set" in shown


def test_the_template_is_the_repositorys_file_and_gives_the_defaults(elsewhere: Path) -> None:
    file = ROOT / "config.toml"
    assert file.read_text(encoding="utf-8") == config.TEMPLATE
    settings = load(written(elsewhere, config.TEMPLATE), {})
    assert settings.sources == (ALL_OF_HAL,)
    assert settings.mirror.path == elsewhere / "data" / "mirror.sqlite"


def test_the_template_explains_every_setting_and_its_default(elsewhere: Path) -> None:
    opened = re.sub(r"^# (?=[a-z_]+ = )", "", config.TEMPLATE, flags=re.MULTILINE)
    (source,) = tomllib.loads(opened)["source"]
    keys = [f.name.rstrip("_") for f in msgspec.structs.fields(SourceSettings)]
    assert list(source) == keys
    lines = opened.splitlines()
    for key in keys:
        (place,) = (n for n, line in enumerate(lines) if line.startswith(f"{key} = "))
        assert lines[place - 1].startswith("# ") or key == "password_env"
    (loaded,) = load(written(elsewhere, opened), {}).sources
    without_default = ("from_", "contact", "user_env", "password_env")
    assert msgspec.structs.replace(loaded, **dict.fromkeys(without_default)) == ALL_OF_HAL


def test_importing_the_configuration_is_light() -> None:
    code = "import sys, halmirror.config; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert not {"httpx", "sickle", "lxml", "sqlite3", "click", "rich", "requests"} & set(loaded)


@pytest.mark.parametrize(
    ("text", "variable", "expected"),
    [
        ("", "", False),
        ("network_file_system = true", "", True),
        ("network_file_system = true", "false", False),
        ("", "1", True),
    ],
)
def test_a_network_file_system_is_allowed_by_file_or_variable(
    tmp_path: Path, text: str, variable: str, expected: bool
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"[mirror]\n{text}\n")
    settings = load(file, {"HALMIRROR_MIRROR_NETWORK_FILE_SYSTEM": variable})
    assert settings.mirror.network_file_system is expected


def test_a_flag_of_the_mirror_that_is_none_is_named(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[mirror]\nnetwork_file_system = "yes"\n')
    with pytest.raises(
        ConfigError, match=r"config.toml:2: network_file_system: \"yes\" is neither"
    ):
        load(file, {})
    with pytest.raises(ConfigError, match=r"\$HALMIRROR_MIRROR_NETWORK_FILE_SYSTEM: \"si\" is n"):
        load(None, {"HALMIRROR_MIRROR_NETWORK_FILE_SYSTEM": "si"})
