"""The configuration: ``config.toml`` and the environment become frozen settings.

The file is the one that is named, else ``$HALMIRROR_CONFIG``, else ``./config.toml``, else
``halmirror/config.toml`` in the user's config folder (``$XDG_CONFIG_HOME``, else
``~/.config``).  Without any, all of HAL is mirrored into ``data/mirror.sqlite``.  A path in a
file is relative to that file; one from the environment, to the working folder.

``$HALMIRROR_MIRROR_<KEY>``, ``$HALMIRROR_SERVE_<KEY>`` and, for a source,
``$HALMIRROR_SOURCE_<NAME>_<KEY>`` (upper case, ``-`` as ``_``) override the file; an empty one
counts as not set.  Every error names the file and line, or the variable, in one line.

User names, passwords and keys are never settings: ``user_env``, ``password_env`` and
``headers_env`` name the variables that hold them, and no message or output repeats what those
settings hold wrongly.
"""

from __future__ import annotations

import errno
import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from halmirror.config.serve import SERVE_READERS, SERVE_TEMPLATE, ServeSettings
from halmirror.config.serve import typed as typed_of_serving
from halmirror.config.values import (
    KEEP_FREE,
    READERS,
    flag_in,
    format_duration,
    format_size,
    loss_limit,
    parse_duration,
    parse_max_loss,
    read_flag,
    read_header_pairs,
    read_size,
    read_text,
    to_toml,
)
from halmirror.errors import ConfigError, UsageError
from halmirror.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = [
    "BUILT_IN",
    "TEMPLATE",
    "MirrorSettings",
    "ServeSettings",
    "Settings",
    "SourceSettings",
    "load",
    "load_bytes",
    "loss_limit",
    "parse_duration",
    "parse_max_loss",
    "render",
    "setting",
    "variable_part",
]

TEMPLATE = (
    """\
# Settings of halmirror.  What is commented out stands at its default.
# Paths are relative to this file.  Durations: 30s, 15m, 2h, 2d, or 0.
# Each setting of a source can be overridden by the environment, $HALMIRROR_SOURCE_<NAME>_<KEY>:
# HALMIRROR_SOURCE_HAL_TIMEOUT=2m, say.

[mirror]
# The one file that holds the mirror; $HALMIRROR_MIRROR_PATH overrides it.
path = "data/mirror.sqlite"
# How much of its disk stays free: a run ends before it takes more (or twice its log); 0: no limit.
# keep_free = "256MB"
# Whether the file may be written on a network file system (NFS, SMB, sshfs …), where SQLite cannot
# keep it safe: only where one machine alone uses it.
# network_file_system = false

# One section for each repository; the first one wins where two hold the same document.
[[source]]
# The name used on the command line: letters, digits, "-" and "_".
name = "hal"
# The OAI-PMH address: /oai/hal/ is all of HAL; a portal has its own, such as /oai/tel/.
base_url = "https://api.archives-ouvertes.fr/oai/hal/"
# How it is asked: "oai-pmh", or "snapshot" where the address is that of a folder that another
# halmirror's "snapshot publish" wrote into.
# kind = "oai-pmh"
# The format to harvest.
metadata_prefix = "oai_dc"
# The rules of normalising: "hal", or "generic" for any other repository.
profile = "hal"
# Only these sets, such as ["collection:CNRS", "type:THESE"]; none means everything.
# sets = []
# Only what was modified since this day; without it everything.
# from = "2020-01-01"
# Requests at the same time, 1 to 4.
# connections = 1
# The pause before each request.
# delay = "0s"
# The longest silence of the server before a request is given up.
# timeout = "1m"
# How often a failed request is tried again.
# retries = 5
# The longest wait a server may ask for (Retry-After) before the run is left for later.
# max_wait = "15m"
# How often a harvest compares all identifiers with the server's; 0 means never.
# reconcile_every = "30d"
# How much may vanish at one comparison before it is refused: a share or a number of records.
# max_loss = "1%"
# Whether the server's certificate is checked.
# tls_verify = true
# Who harvests, told to the server in the User-Agent: an address of mail or web.
# contact = "mailto:you@example.org"
# The environment variables that hold user name and password, where the server wants them.
# user_env = "HALMIRROR_USER"
# password_env = "HALMIRROR_PASSWORD"
# Headers the server wants, such as { "Authorization" = "REPO_TOKEN" }: each header's name, and
# the environment variable that holds its value.
# headers_env = {}
"""
    + SERVE_TEMPLATE
)

_T = TypeVar("_T")
_LARGEST = 1024 * 1024
_DEFAULT_PATH = "data/mirror.sqlite"


class MirrorSettings(msgspec.Struct, frozen=True):
    """Where the mirror is and may be.

    ``path``: its file, absolute.  ``keep_free``: bytes of its disk to leave free.
    ``network_file_system``: whether it may be written on one.
    """

    path: Path
    keep_free: int = KEEP_FREE
    network_file_system: bool = False


class SourceSettings(msgspec.Struct, frozen=True):
    """One repository to mirror.

    ``kind``: ``oai-pmh``, or ``snapshot`` where ``base_url`` is a folder of published snapshots.
    ``sets``: setSpecs to harvest, none for everything.  ``from_``: the first modification day
    (``YYYY-MM-DD``, inclusive).  ``delay``, ``timeout``, ``max_wait`` and ``reconcile_every``
    are seconds (``reconcile_every`` 0: never).  ``max_loss``: ``1%`` or a number, see
    `loss_limit`.  ``user_env`` and ``password_env`` name environment variables; ``headers_env``
    holds pairs of a header's name and the variable of its value.
    """

    name: str
    base_url: str
    kind: str = "oai-pmh"
    metadata_prefix: str = "oai_dc"
    profile: str = "hal"
    sets: tuple[str, ...] = ()
    from_: str | None = None
    connections: int = 1
    delay: float = 0.0
    timeout: float = 60.0
    retries: int = 5
    max_wait: float = 900.0
    reconcile_every: float = 2_592_000.0
    max_loss: str = "1%"
    tls_verify: bool = True
    contact: str | None = None
    user_env: str | None = None
    password_env: str | None = None
    headers_env: tuple[tuple[str, str], ...] = ()


BUILT_IN = SourceSettings("hal", "https://api.archives-ouvertes.fr/oai/hal/")
"""The one source there is without a file, or in a file that names none."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings.  ``path`` is the file they were read from, ``None`` for the defaults.

    ``origins`` tells where a setting that is not at its default came from: ``mirror.path``,
    ``serve.KEY`` or ``NAME.KEY`` to the file's name or ``$VARIABLE``.
    """

    path: Path | None
    mirror: MirrorSettings
    sources: tuple[SourceSettings, ...]
    serve: ServeSettings = field(default_factory=ServeSettings)
    origins: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}), compare=False, repr=False
    )


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings in force.

    ``path`` is the file to use; without it the search order above decides.  Raises
    `ConfigError` where the file is missing, is not TOML, or holds a wrong key or value.
    """
    return _settings(_File.read(_find(path, environ)), environ)


def load_bytes(data: bytes, path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings that a file at ``path`` would give if it held ``data``.

    Raises `ConfigError` as `load` does.
    """
    return _settings(_File.parse(path, data), environ)


def _settings(file: _File, environ: Mapping[str, str]) -> Settings:
    _check_keys(file, (), ("mirror", "source", "serve"))
    origins: dict[str, str] = {}
    mirror = _mirror(file, environ, origins)
    sources = _sources(file, environ, origins)
    serve = _serve(file, environ, origins)
    return Settings(file.path, mirror, sources, serve, MappingProxyType(origins))


def render(settings: Settings) -> str:
    """Write settings as TOML that gives them again, with where each came from."""
    lines = [
        f"# read from {printable(str(settings.path))}" if settings.path else "# built-in defaults",
        "",
        "[mirror]",
        _assignment("path", str(settings.mirror.path), settings.origins.get("mirror.path")),
        _assignment(
            "keep_free",
            format_size(settings.mirror.keep_free),
            settings.origins.get("mirror.keep_free"),
        ),
        _assignment(
            "network_file_system",
            settings.mirror.network_file_system,
            settings.origins.get("mirror.network_file_system"),
        ),
    ]
    for source in settings.sources:
        lines += ["", "[[source]]"]
        for key in READERS:
            value = getattr(source, _attribute(key))
            origin = settings.origins.get(f"{source.name}.{key}")
            lines.append(
                f"# {key} is not set" if value is None else _assignment(key, value, origin)
            )
    lines += ["", "[serve]"]
    for key in SERVE_READERS:
        value, origin = getattr(settings.serve, key), settings.origins.get(f"serve.{key}")
        lines.append(f"# {key} is not set" if value is None else _assignment(key, value, origin))
    return "\n".join(lines) + "\n"


def setting(key: str, value: object) -> str:
    """The value of a source's setting as a configuration file has it."""
    if key == "headers_env":
        return to_toml(dict(value))  # type: ignore[call-overload] # pairs
    return to_toml(format_duration(value) if isinstance(value, float) else value)


# -- the file --------------------------------------------------------------------------------


class _File(msgspec.Struct, frozen=True):
    """A configuration file as read: its text, and what TOML makes of it."""

    path: Path | None
    text: str
    data: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path | None) -> _File:
        if path is None:
            return cls(None, "", {})
        try:
            with path.open("rb") as file:
                return cls.parse(path, file.read(_LARGEST + 1))
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error

    @classmethod
    def parse(cls, path: Path, data: bytes) -> _File:
        if len(data) > _LARGEST:
            raise ConfigError(f"{path}: is larger than {_LARGEST} bytes, no configuration")
        try:
            text = data.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            raise ConfigError(f"{path}: is not text in UTF-8 (byte {error.start})") from error
        try:
            return cls(path, text, tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{path}{_syntax_error(text, str(error))}") from error
        except RecursionError as error:
            raise ConfigError(f"{path}: is nested too deeply") from error

    def wrong(self, keys: tuple[str | int, ...], message: str) -> ConfigError:
        """Give the error for what stands at ``keys``, with the file and line."""
        return ConfigError(f"{self.path}:{_line(self.text, keys)}: {message}")


def _find(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    if path is not None:
        return path
    if named := environ.get("HALMIRROR_CONFIG"):
        return Path(named)
    candidates = (Path("config.toml"), _user_folder(environ) / "halmirror" / "config.toml")
    return next((candidate for candidate in candidates if _is_there(candidate)), None)


def _user_folder(environ: Mapping[str, str]) -> Path:
    folder = environ.get("XDG_CONFIG_HOME", "")
    # The XDG base directory specification: a relative one is to be ignored.
    return Path(folder) if folder.startswith("/") else _home(environ) / ".config"


def _home(environ: Mapping[str, str]) -> Path:
    try:
        return Path(environ["HOME"]) if environ.get("HOME") else Path.home()
    except RuntimeError as error:
        raise ConfigError("there is no home folder; set $HOME or name --config") from error


def _is_there(candidate: Path) -> bool:
    try:
        return candidate.is_file()
    except OSError as error:
        raise ConfigError(f"{candidate}: cannot be read: {error.strerror}") from error


def _syntax_error(text: str, message: str) -> str:
    """Put a TOML error in the form ``:LINE: is not TOML: …``."""
    found = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    if found:
        return f":{found[1]}: is not TOML: {message[: found.start()]} (column {found[2]})"
    message = message.removesuffix(" (at end of document)")
    return f":{text.rstrip().count(chr(10)) + 1}: is not TOML: {message}, where the file ends"


def _line(text: str, keys: tuple[str | int, ...]) -> int:
    """The line of the statement that first brings ``keys``, counted from 1.

    The standard library's TOML reader keeps no lines, so the file is read again one line
    longer each time; only an error pays for that.
    """
    lines = text.split("\n")
    read = 0
    for count in range(1, len(lines) + 1):
        try:
            data = tomllib.loads("\n".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue  # in the middle of a statement
        if _holds(data, keys):
            break
        read = count
    return read + 1


def _holds(data: Any, keys: tuple[str | int, ...]) -> bool:  # noqa: ANN401 -- any TOML
    try:
        for key in keys:
            data = data[key]
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _check_keys(file: _File, keys: tuple[str | int, ...], known: Iterable[str]) -> None:
    """Refuse a key that is no setting, and name the nearest one that is."""
    table: Any = file.data
    for key in keys:
        table = table[key]
    names = list(known)
    for key in table:
        if key not in names:
            raise file.wrong((*keys, key), f"there is no setting {key!r}{_nearest(key, names)}")


def _nearest(key: str, known: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(key.lower().replace("-", "_"), known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"


# -- tables ----------------------------------------------------------------------------------


def _mirror(file: _File, environ: Mapping[str, str], origins: dict[str, str]) -> MirrorSettings:
    table = file.data.get("mirror", {})
    if not isinstance(table, dict):
        raise file.wrong(("mirror",), "'mirror' is a section; write [mirror]")
    if table:
        _check_keys(file, ("mirror",), ["path", "keep_free", "network_file_system"])
    base = file.path.parent if file.path else Path()
    path = _DEFAULT_PATH
    try:
        if "path" in table:
            path = read_text(table["path"])
            origins["mirror.path"] = str(file.path)
    except UsageError as error:
        raise file.wrong(("mirror", "path"), f"path: {error}") from error
    if told := environ.get("HALMIRROR_MIRROR_PATH"):
        base, path = Path(), _from_environment("HALMIRROR_MIRROR_PATH", read_text, told)
        origins["mirror.path"] = "$HALMIRROR_MIRROR_PATH"
    if path.startswith("~/"):
        base, path = _home(environ), path[2:]
    place = (base / path).absolute()
    if _too_long(place):
        origin = origins.get("mirror.path", "mirror")
        raise ConfigError(f"{origin}: path: the name of the mirror is too long; set a shorter one")
    readers = {"keep_free": read_size, "network_file_system": read_flag}
    values = _values(file, "mirror", readers, _typed_of_mirror, environ, origins)
    return MirrorSettings(place, **values)


def _serve(file: _File, environ: Mapping[str, str], origins: dict[str, str]) -> ServeSettings:
    table = file.data.get("serve", {})
    if not isinstance(table, dict):
        raise file.wrong(("serve",), "'serve' is a section; write [serve]")
    if table:
        _check_keys(file, ("serve",), SERVE_READERS)
    values = _values(file, "serve", SERVE_READERS, typed_of_serving, environ, origins)
    return ServeSettings(**values)


def _values(
    file: _File,
    section: str,
    readers: Mapping[str, Callable[[object], Any]],
    typed: Callable[[str, str], object],
    environ: Mapping[str, str],
    origins: dict[str, str],
) -> dict[str, Any]:
    """A section's settings that the environment or the file gives; ``typed`` reads variables."""
    table = file.data.get(section, {})
    values: dict[str, Any] = {}
    for key, read in readers.items():
        variable = f"HALMIRROR_{section.upper()}_{key.upper()}"
        if told := environ.get(variable):
            values[key] = _from_environment(variable, read, typed(key, told))
            origins[f"{section}.{key}"] = f"${variable}"
        elif key in table:
            try:
                values[key] = read(table[key])
            except UsageError as error:
                raise file.wrong((section, key), f"{key}: {error}") from error
            origins[f"{section}.{key}"] = str(file.path)
    return values


def _typed_of_mirror(key: str, text: str) -> object:
    return flag_in(text) if key == "network_file_system" else text


def _too_long(place: Path) -> bool:
    """Whether the system refuses the mirror's name, or the longest one beside it."""
    try:
        place.with_name(place.name + "-journal").lstat()
    except OSError as error:
        return error.errno == errno.ENAMETOOLONG
    return False


def _sources(
    file: _File, environ: Mapping[str, str], origins: dict[str, str]
) -> tuple[SourceSettings, ...]:
    tables = file.data.get("source", [{"name": BUILT_IN.name, "base_url": BUILT_IN.base_url}])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise file.wrong(("source",), "a source is a section of its own; write [[source]]")
    if not tables:
        raise file.wrong(("source",), "there is no source; add a [[source]] section")
    sources: list[SourceSettings] = []
    for index, table in enumerate(tables):
        values = _source_values(file, index, table)
        name = values["name"]
        if variable_part(name) in {variable_part(source.name) for source in sources}:
            text = f"the name {name!r} is taken; names differ by more than case, '-' and '_'"
            raise file.wrong(("source", index), text)
        if "source" in file.data:
            origins |= {f"{name}.{key}": str(file.path) for key in table}
        values |= _overrides(name, environ, origins)
        sources.append(SourceSettings(**{_attribute(key): value for key, value in values.items()}))
    _check_variables(sources, environ, origins)
    return tuple(sources)


def _source_values(file: _File, index: int, table: Mapping[str, object]) -> dict[str, Any]:
    if "source" in file.data:
        _check_keys(file, ("source", index), READERS)
    for key in ("name", "base_url"):
        if key not in table:
            raise file.wrong(("source", index), f"this source has no {key!r}; add one")
    values: dict[str, Any] = {}
    for key, value in table.items():
        try:
            values[key] = READERS[key](value)
        except UsageError as error:
            raise file.wrong(("source", index, key), f"{key}: {error}") from error
    return values


def _overrides(name: str, environ: Mapping[str, str], origins: dict[str, str]) -> dict[str, Any]:
    """The settings of one source that the environment gives."""
    start = f"HALMIRROR_SOURCE_{variable_part(name)}_"
    known = {start + key.upper(): key for key in READERS if key != "name"}
    values: dict[str, Any] = {}
    for variable, text in environ.items():
        if variable in known and text:
            key = known[variable]
            values[key] = _from_environment(variable, READERS[key], _typed(key, text))
            origins[f"{name}.{key}"] = f"${variable}"
    return values


def _check_variables(
    sources: list[SourceSettings], environ: Mapping[str, str], origins: Mapping[str, str]
) -> None:
    """Refuse a variable that names a source but none of its settings: most likely misspelt."""
    used = {origin.removeprefix("$") for origin in origins.values()}
    secrets = {name for source in sources for name in (source.user_env, source.password_env)}
    secrets |= {name for source in sources for _, name in source.headers_env}
    for source in sources:
        start = f"HALMIRROR_SOURCE_{variable_part(source.name)}_"
        others = tuple(
            f"HALMIRROR_SOURCE_{variable_part(other.name)}_" for other in sources if other != source
        )
        for variable in environ:
            ours = variable.startswith(start) and not variable.startswith(others)
            if ours and environ[variable] and variable not in used | secrets:
                key = variable.removeprefix(start).lower()
                names = [name for name in READERS if name != "name"]
                raise ConfigError(f"${variable}: there is no setting {key!r}{_nearest(key, names)}")


def _from_environment(variable: str, read: Callable[[object], _T], value: object) -> _T:
    try:
        return read(value)
    except UsageError as error:
        raise ConfigError(f"${variable}: {error}") from error


def _typed(key: str, text: str) -> object:
    """The text of a variable as the type that a file would give it."""
    if key == "sets":
        return [part.strip() for part in text.split(",") if part.strip()]
    if key == "headers_env":
        return read_header_pairs(text)
    if key in ("connections", "retries") and text.isdecimal():
        return int(text)
    if key == "tls_verify":
        return flag_in(text)
    return text


def variable_part(name: str) -> str:
    """A source's name as it stands in the names of variables; no two sources share one."""
    return name.upper().replace("-", "_")


def _attribute(key: str) -> str:
    return "from_" if key == "from" else key


# -- writing ---------------------------------------------------------------------------------


def _assignment(key: str, value: object, origin: str | None) -> str:
    return f"{key} = {setting(key, value)}" + (f"  # {origin}" if origin else "  # default")
