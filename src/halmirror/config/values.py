"""The values of settings: reading, checking and writing each kind.

A reader takes what TOML gives (text, a number, a list …) and returns the value in force, or
raises `UsageError` with a message that says what is wrong and what to write.  Which file, line
or variable it stands in is the business of `halmirror.config`.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from halmirror.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TEN_YEARS = 3650 * _UNITS["d"]
_DURATION = re.compile(r"(\d{1,10}(?:\.\d{1,3})?)([smhd])", re.ASCII)
_SIZE = re.compile(r"(\d{1,9}) ?([kKmMgGtT]?[bB])", re.ASCII)
_SIZES = {"b": 1, "kb": 1000, "mb": 10**6, "gb": 10**9, "tb": 10**12}
KEEP_FREE = 256 * 10**6
"""Bytes of the mirror's disk that a run leaves free unless told otherwise."""

_LOSS = re.compile(r"(\d{1,10})(?:(?:\.(\d{1,6}))?\s*%)?", re.ASCII)
# OAI-PMH.xsd: setSpecType and metadataPrefixType.
_SET = re.compile(r"[\w.!~*'()-]+(?::[\w.!~*'()-]+)*", re.ASCII)
_PREFIX = re.compile(r"[\w.!~*'()-]+", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# RFC 9110, section 5.6.2: a header's name is a token.
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OWN_HEADERS = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "transfer-encoding", "user-agent"}
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def read_size(value: object) -> int:
    """Read bytes written as ``256MB``, ``2GB``, ``500kB`` or ``0``; units of a thousand.

    Raises `UsageError`.
    """
    text = read_text(str(value) if value == 0 else value)
    if text == "0":
        return 0
    found = _SIZE.fullmatch(text)
    if not found:
        raise UsageError(f"{_shown(text)} is no size; write 256MB, 2GB or 0")
    return int(found[1]) * _SIZES[found[2].lower()]


def format_size(size: int) -> str:
    """Write bytes in the largest unit that gives a whole number: 256000000 is ``256MB``."""
    for unit, bytes_ in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 1000)):
        if size and size % bytes_ == 0:
            return f"{size // bytes_}{unit}"
    return f"{size}B" if size else "0"


def parse_duration(text: str) -> float:
    """Give the seconds in ``30s``, ``15m``, ``2h``, ``2d`` (or ``0``), at most ten years.

    Raises `UsageError`.
    """
    if text == "0":
        return 0.0
    found = _DURATION.fullmatch(text)
    if not found:
        raise UsageError(f"{text!r} is no duration; write 30s, 15m, 2h or 2d")
    seconds = float(found[1]) * _UNITS[found[2]]
    if seconds > _TEN_YEARS:
        raise UsageError(f"{text!r} is more than ten years; write at most 3650d")
    return seconds


def parse_max_loss(text: str) -> str:
    """Check ``1%`` (0 to 100, with or without decimals) or a number of records; gives it back.

    Raises `UsageError`.
    """
    found = _LOSS.fullmatch(text)
    if not found or (text.endswith("%") and float(text.rstrip("% ")) > 100):
        raise UsageError(f"{text!r} is no limit; write a share such as 1%, or a number of records")
    return text.replace(" ", "")


def loss_limit(max_loss: str, active: int) -> int:
    """Give the number of records out of ``active`` that ``max_loss`` allows, rounded down.

    ``max_loss`` is what `parse_max_loss` accepts; raises `UsageError` on anything else.
    """
    max_loss = parse_max_loss(max_loss)
    if not max_loss.endswith("%"):
        return int(max_loss)
    whole, _, decimals = max_loss.rstrip("%").partition(".")
    scale: int = 100 * 10 ** len(decimals)
    return active * int(whole + decimals) // scale


def format_duration(seconds: float) -> str:
    """Write seconds in the largest unit that gives a whole number: 5400.0 is ``90m``."""
    for unit in "dhm":
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:.0f}{unit}"
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"


def to_toml(value: object) -> str:
    """Write text, a number, a truth value, a tuple or a dictionary of them as TOML."""
    if isinstance(value, tuple):
        return f"[{', '.join(to_toml(each) for each in value)}]"
    if isinstance(value, dict):
        pairs = ", ".join(f"{to_toml(key)} = {to_toml(each)}" for key, each in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    import json

    # JSON's strings, numbers and truth values are TOML's, but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def read_text(value: object) -> str:
    """Read any text of one printable line."""
    if not isinstance(value, str):
        raise UsageError(f"{_shown(value)} is not text; put it in quotation marks")
    if not value or not value.isprintable():
        raise UsageError(f"{_shown(value)} is empty or holds characters that cannot be printed")
    return value


def _shown(value: object) -> str:
    """A value as TOML writes it, for messages, at most a line's worth."""
    shown = to_toml(value) if isinstance(value, bool | int | float | str) else str(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        text = read_text(value)
        if not pattern.fullmatch(text):
            raise UsageError(f"{_shown(text)} is no {what}")
        return text

    return read


def _base_url(value: object) -> str:
    text = read_text(value)
    if "@" in text.partition("//")[2].partition("/")[0]:
        raise UsageError("an address must not hold a password; use user_env and password_env")
    try:
        parts = urlsplit(text)
        wrong = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError as error:
        raise UsageError(f"{_shown(text)} is no web address: {error}") from error
    if wrong or parts.fragment or " " in text:
        raise UsageError(f"{_shown(text)} is no address of the form https://HOST/PATH")
    return text


def _kind(value: object) -> str:
    if value not in ("oai-pmh", "snapshot"):
        raise UsageError(f'{_shown(value)} is no kind of source; write "oai-pmh" or "snapshot"')
    return str(value)


def _profile(value: object) -> str:
    if value not in ("hal", "generic"):
        raise UsageError(f'{_shown(value)} is no profile; write "hal" or "generic"')
    return str(value)


def check_base_url(text: str) -> str:
    """``text`` where it is an address a source may have.  Raises `UsageError`."""
    return _base_url(text)


def check_set(text: str) -> str:
    """``text`` where it is a setSpec of OAI-PMH.  Raises `UsageError`."""
    return _matching(_SET, "setSpec of OAI-PMH")(text)


def _sets(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise UsageError(f'{_shown(value)} is no list; write ["collection:CNRS"]')
    read = _matching(_SET, "setSpec of OAI-PMH")
    return tuple(dict.fromkeys(read(each) for each in value))


def _day(value: object) -> str:
    # A day without quotation marks is TOML's own date; either is plain.
    text = str(value)
    if not _DAY.fullmatch(text):
        raise UsageError(f'{_shown(text)} is no day; write "2020-01-31"')
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise UsageError(f"{_shown(text)} is no day of the calendar") from error


def read_count(least: int, most: int) -> Callable[[object], int]:
    """A reader of whole numbers from ``least`` to ``most``."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise UsageError(f"{_shown(value)} is no number from {least} to {most}")
        return value

    return read


def _seconds(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise UsageError(f'{_shown(value)} has no unit; write "{value}s" or another unit')
    return parse_duration(read_text(value))


def _some_seconds(value: object) -> float:
    seconds = _seconds(value)
    if not seconds:
        raise UsageError(f"{_shown(value)} is too short; write 1s or more")
    return seconds


def _max_loss(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return parse_max_loss(read_text(value))


def flag_in(text: str) -> object:
    """What a variable of the environment says where a flag is due; the text where it is none."""
    return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)


def read_flag(value: object) -> bool:
    """Read ``true`` or ``false``.  Raises `UsageError`."""
    if not isinstance(value, bool):
        raise UsageError(f"{_shown(value)} is neither true nor false")
    return value


def _contact(value: object) -> str:
    text = read_text(value)
    if not text.isascii():
        raise UsageError(f"{_shown(text)} goes into an HTTP header: letters without accents only")
    return text


def _variable_name(value: object) -> str:
    # What stands here wrongly may be the secret itself, so it is not repeated.
    if not isinstance(value, str) or not _VARIABLE.fullmatch(value):
        raise UsageError("not the name of an environment variable; name the one that holds it")
    return value


def read_header_pairs(text: str) -> object:
    """What ``HEADER=VARIABLE,…`` stands for, to be read as ``headers_env``; else the text."""
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if not all(sign for _, sign, _ in pairs):
        return text
    return tuple((name.strip(), variable.strip()) for name, _, variable in pairs)


def _headers_env(value: object) -> tuple[tuple[str, str], ...]:
    # What stands here wrongly may be the secret itself, so it is not repeated.
    pairs = tuple(value.items()) if isinstance(value, dict) else value
    if not isinstance(pairs, tuple):
        raise UsageError(
            'not a table of headers and variables; write { "Authorization" = "REPO_TOKEN" } in a '
            "file, Authorization=REPO_TOKEN in a variable"
        )
    for name, variable in pairs:
        if not _HEADER.fullmatch(name):
            raise UsageError("a name in it is no name of an HTTP header; correct it")
        if name.lower() in _OWN_HEADERS:
            raise UsageError(f"the header {name} is halmirror's own; leave it out")
        if not isinstance(variable, str) or not _VARIABLE.fullmatch(variable):
            raise UsageError(
                "a value in it is not the name of an environment variable; name the one that holds "
                "the header's value"
            )
    names = [name.lower() for name, _ in pairs]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"the header {twice} is there twice; leave one out")
    return pairs


READERS: dict[str, Callable[[object], Any]] = {
    "name": _matching(_NAME, "name; use letters, digits, '-' and '_'"),
    "base_url": _base_url,
    "kind": _kind,
    "metadata_prefix": _matching(_PREFIX, "metadataPrefix of OAI-PMH"),
    "profile": _profile,
    "sets": _sets,
    "from": _day,
    "connections": read_count(1, 4),
    "delay": _seconds,
    "timeout": _some_seconds,
    "retries": read_count(0, 100),
    "max_wait": _seconds,
    "reconcile_every": _seconds,
    "max_loss": _max_loss,
    "tls_verify": read_flag,
    "contact": _contact,
    "user_env": _variable_name,
    "password_env": _variable_name,
    "headers_env": _headers_env,
}
