"""Adding a source to a configuration file, with the rest of the file left byte for byte."""

from __future__ import annotations

import contextlib
import os
import stat
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from halmirror.config import BUILT_IN, load_bytes, setting, variable_part
from halmirror.errors import ConfigError, OutputError
from halmirror.printable import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from halmirror.config import Settings, SourceSettings

_MADE = Path("config.toml")
_HEAD = (
    "# Settings of halmirror.  'halmirror config init FILE' writes all of them, explained.\n\n"
    '[mirror]\npath = "data/mirror.sqlite"\n'
)
_ALWAYS = ("name", "base_url", "metadata_prefix", "profile")
_NAME_KEPT = 200
"""Bytes of a file's name that the file beside it keeps; file systems allow 255."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: the file, whether it is new, and the text that was added to it.

    ``kept``: the names of the built-in sources that are written down in it too, because a file
    that names a source counts in the place of the built-in ones.
    """

    path: Path
    is_new: bool
    text: str
    kept: tuple[str, ...]


def section(source: SourceSettings, comments: Sequence[str] = ()) -> str:
    """The ``[[source]]`` section of a source: what is not at its default, after the comments."""
    lines = ["[[source]]", *(f"# {printable(comment)}" for comment in comments)]
    for field in msgspec.structs.fields(source):
        key, value = field.name.rstrip("_"), getattr(source, field.name)
        if key in _ALWAYS or value != field.default:
            lines.append(f"{key} = {setting(key, value)}")
    return "\n".join(lines) + "\n"


def free_name(wanted: str, taken: Collection[str]) -> str:
    """``wanted`` where no source has that name, else with the next free number behind it."""
    used = {variable_part(name) for name in taken}
    number, name = 1, wanted
    while variable_part(name) in used:
        number += 1
        name = f"{wanted}-{number}"
    return name


def add_source(
    settings: Settings,
    source: SourceSettings,
    comments: Sequence[str] = (),
    environ: Mapping[str, str] = os.environ,
) -> Written:
    """Append a source to the configuration file in force, or make ``./config.toml`` with it.

    What the new file would give is checked first; then it is written beside the old one, with
    its owner and permissions, and takes its place.  Raises `ConfigError` where it would not give
    what was in force and the new source, `OutputError` where it cannot be written; either leaves
    the file as it was.
    """
    path = settings.path or _MADE
    old = b"" if settings.path is None else _read(path)
    kept = () if _names_sources(old) else (BUILT_IN,)
    parts = [section(one, ["What there was without a file."]) for one in kept]
    parts.append(section(source, comments))
    added = ("" if old else _HEAD) + "".join(f"\n{part}" for part in parts)
    start = b"\n" if old and not old.endswith(b"\n") else b""
    text = start + added.encode()
    new = old + (text.replace(b"\n", b"\r\n") if b"\r\n" in old else text)
    _check(new, path, settings, source, environ)
    _replace(path.resolve(), new, is_new=settings.path is None)
    return Written(path, settings.path is None, added, tuple(one.name for one in kept))


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise ConfigError(f"{path}: is no regular file, so nothing can be added to it")
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def _names_sources(data: bytes) -> bool:
    """Whether a configuration that loads has sources of its own."""
    return "source" in tomllib.loads(data.decode("utf-8-sig").replace("\r\n", "\n"))


def _check(
    data: bytes,
    path: Path,
    settings: Settings,
    source: SourceSettings,
    environ: Mapping[str, str],
) -> None:
    """Raises `ConfigError` unless the new file gives what was in force, and the new source."""
    try:
        loaded = load_bytes(data, path, environ)
    except ConfigError as error:
        raise ConfigError(
            f"{path} was left as it is, for with the new section it could not be read ({error}); "
            "correct that, or add the section by hand"
        ) from error
    same = loaded.sources[:-1] == settings.sources and loaded.mirror == settings.mirror
    if not same or loaded.sources[-1].name != source.name:
        raise ConfigError(
            f"{path} was left as it is: it is no longer what this command began with; run it again"
        )


def _replace(path: Path, data: bytes, *, is_new: bool) -> None:
    start = os.fsencode(path.name)[:_NAME_KEPT].decode("utf-8", "ignore")
    beside = path.with_name(f".{start}.{os.getpid()}.part")
    try:
        with beside.open("xb") as out:
            if not is_new:
                _resemble(out.fileno(), path)
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror or error}); "
            "see to its permissions, or name another file with --config"
        ) from error
    finally:
        with contextlib.suppress(OSError):  # what could not be made need not be removed
            beside.unlink(missing_ok=True)


def _resemble(descriptor: int, model: Path) -> None:
    """Give an open file the owner and permissions of ``model``."""
    made, wanted = os.fstat(descriptor), model.stat()
    if (made.st_uid, made.st_gid) != (wanted.st_uid, wanted.st_gid):
        os.fchown(descriptor, wanted.st_uid, wanted.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(wanted.st_mode))
