"""The body of an HTTP answer, unpacked piece by piece within a limit of size.

A few kilobytes of gzip can hold gigabytes: no more is unpacked at a time than one piece.
"""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING

from halmirror.errors import ResponseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PIECE = 64 * 1024
_GZIP_FORMAT = 16 + zlib.MAX_WBITS


class BrokenBodyError(Exception):
    """A packed body that ends too early or is damaged; asking again may help."""


def is_packed(encodings: Iterable[str], url: str) -> bool:
    """Whether the values of ``Content-Encoding`` say gzip, the only one that is asked for.

    Raises `ResponseError` for any other encoding, and for more than one.
    """
    named = [name.strip().lower() for name in encodings]
    told = [name for name in named if name not in {"", "identity"}]
    if not told:
        return False
    if told in (["gzip"], ["x-gzip"]):
        return True
    shown = ", ".join(told)[:60]
    raise ResponseError(
        f"the answer of {url} has the Content-Encoding {shown!r}, and only gzip was asked for; "
        "it is not taken",
        url=url,
    )


def whole(parts: Iterable[bytes], *, packed: bool, limit: int, url: str) -> bytes:
    """The body that the ``parts`` make up, unpacked where it is packed.

    Raises `ResponseError` for more than ``limit`` bytes, as sent or unpacked, and
    `BrokenBodyError`.
    """
    sent = _limited(parts, limit, url)
    # What BytesIO gives is its buffer itself: a large body is not held twice.
    body = io.BytesIO()
    for piece in _limited(_unpacked(sent), limit, url) if packed else sent:
        body.write(piece)
    return body.getvalue()


def _limited(parts: Iterable[bytes], limit: int, url: str) -> Iterator[bytes]:
    size = 0
    for part in parts:
        size += len(part)
        if size > limit:
            raise ResponseError(
                f"the answer of {url} is larger than {limit} bytes; it is not taken", url=url
            )
        yield part


def _unpacked(parts: Iterable[bytes]) -> Iterator[bytes]:
    """What the members of a gzip hold (RFC 1952, section 2.2); nothing holds nothing."""
    member = zlib.decompressobj(_GZIP_FORMAT)
    begun = False
    for part in parts:
        rest = part
        while rest:
            begun = True
            if member.eof:
                member = zlib.decompressobj(_GZIP_FORMAT)
            yield _piece(member, rest)
            rest = member.unused_data if member.eof else member.unconsumed_tail
    if begun and not member.eof:
        raise BrokenBodyError("the gzip ends too early")


def _piece(member: zlib._Decompress, data: bytes) -> bytes:
    try:
        return member.decompress(data, _PIECE)
    except zlib.error as error:
        raise BrokenBodyError(f"the gzip is damaged: {error}") from error
