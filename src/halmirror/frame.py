"""A frame: one content's source metadata and normalised form, compressed together.

Inside stand the exclusive canonical XML, one NUL byte (which neither XML nor JSON can hold),
and the JSON of the body.  Both tell the same story, so one frame takes far less room than two.
Frames are zstd; a frame may need a dictionary, whose number it carries.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import msgspec
import zstandard

if TYPE_CHECKING:
    from collections.abc import Mapping

_LEVEL = 3
_MAX_CONTENT = 64 * 1024 * 1024
"""A frame that says it holds more than this (bytes) is damaged or hostile."""


class Frame(msgspec.Struct, frozen=True):
    """What a frame holds: the metadata's canonical XML and the body's JSON."""

    source: bytes
    body: bytes


class FrameError(ValueError):
    """A frame that cannot be opened: damaged, or of an unknown dictionary."""


class Codec:
    """Packs and opens frames.

    ``dictionaries`` maps dictionary numbers to their bytes; ``writes`` is the number new frames
    use, or none.
    """

    def __init__(
        self, dictionaries: Mapping[int, bytes] | None = None, writes: int | None = None
    ) -> None:
        self._dictionaries = dictionaries if dictionaries is not None else {}
        self._writes = writes
        self._openers: dict[int, zstandard.ZstdDecompressor] = {}

    @cached_property
    def _compressor(self) -> zstandard.ZstdCompressor:
        if self._writes is None:
            return zstandard.ZstdCompressor(level=_LEVEL)
        data = zstandard.ZstdCompressionDict(self._dictionaries[self._writes])
        data.precompute_compress(level=_LEVEL)
        return zstandard.ZstdCompressor(level=_LEVEL, dict_data=data)

    def _opener(self, number: int) -> zstandard.ZstdDecompressor:
        opener = self._openers.get(number)
        if opener is None:
            try:
                data = zstandard.ZstdCompressionDict(self._dictionaries[number]) if number else None
            except KeyError as error:
                raise FrameError(
                    f"a frame needs dictionary {number}, which the mirror lacks"
                ) from error
            opener = self._openers[number] = zstandard.ZstdDecompressor(dict_data=data)
        return opener

    def pack(self, source: bytes, body: bytes) -> bytes:
        """One frame of the canonical XML ``source`` and the JSON ``body``.

        Raises `FrameError` for a record too large to be read back.
        """
        if len(source) + len(body) >= _MAX_CONTENT:
            raise FrameError(f"the record is larger than {_MAX_CONTENT} bytes")
        return self._compressor.compress(source + b"\0" + body)

    def open(self, data: bytes) -> Frame:
        """The frame's two parts.  Raises `FrameError` where it is damaged."""
        source, nul, body = self.plain(data).partition(b"\0")
        if not nul:
            raise FrameError("a frame has no boundary between source and normalised form")
        return Frame(source, body)

    def plain(self, data: bytes) -> bytes:
        """What a frame holds, undivided.  Raises `FrameError` where it is damaged."""
        try:
            parameters = zstandard.get_frame_parameters(data)
            if parameters.content_size > _MAX_CONTENT:
                raise FrameError(f"a frame claims {parameters.content_size} bytes")
            return self._opener(parameters.dict_id).decompress(data)
        except zstandard.ZstdError as error:
            raise FrameError(f"a frame cannot be decompressed: {error}") from error
