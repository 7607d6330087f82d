"""Resumption tokens: everything a list needs to go on, so that the server remembers nothing.

A token names a commit, so that the list stays the one that was begun however the mirror changes
meanwhile (section 3.5).  It never expires.  Its last bytes are a check sum: one that was cut or
mistyped is refused, and never taken for another list.
"""

from __future__ import annotations

import binascii
import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Final

import msgspec

_SUM_BYTES: Final = 4
_LONGEST: Final = 4000

_Natural = Annotated[int, msgspec.Meta(ge=0)]


class ListToken(msgspec.Struct, frozen=True, array_like=True, tag="l"):
    """Where a list of records or headers goes on: after the item ``key`` of the commit ``seq``.

    ``verb``, ``prefix``, ``set_spec``, ``begin`` and ``end`` are the list's, read as of the commit
    ``at``; ``cursor`` items of ``size`` (none: not counted) have been given.
    """

    verb: str
    prefix: str
    set_spec: str | None
    begin: int | None
    end: int | None
    at: _Natural
    seq: _Natural
    key: _Natural
    cursor: _Natural
    size: _Natural | None


class SetsToken(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """Where the list of sets goes on: after a setSpec; ``cursor`` sets have been given."""

    after: str
    cursor: _Natural


_decoder = msgspec.msgpack.Decoder(ListToken | SetsToken)


def write(token: ListToken | SetsToken) -> str:
    """The token as text of letters, digits, ``-`` and ``_``."""
    data = msgspec.msgpack.encode(token)
    return urlsafe_b64encode(data + _sum(data)).decode().rstrip("=")


def read(text: str) -> ListToken | SetsToken | None:
    """The token of a text; none where it is none of `write`."""
    if len(text) > _LONGEST or not text.isascii():
        return None
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        body, check = data[:-_SUM_BYTES], data[-_SUM_BYTES:]
        token = _decoder.decode(body) if check == _sum(body) else None
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None
    # base64 skips what is not of its alphabet; a token has one form.
    return token if token is not None and write(token) == text else None


def _sum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_SUM_BYTES).digest()
