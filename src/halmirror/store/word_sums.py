"""Whether the full-text index has the very words of the records: compared by sums.

Every word has a slot.  Each time it stands in a content's column, the number of the two is added
there: once as the texts have it, once as the index does.  A word that is missing, too many, or in
another record's place makes the sums differ.  Several words share a slot, so that the memory is the
same at any size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from halmirror.store.indexer import TEXT_COLUMNS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

_SLOTS: Final = 1 << 18
_FIRST_LETTERS: Final = tuple(ord(column[0]) for column in TEXT_COLUMNS.split(", "))
_LONGEST: Final = 32_768
"""Bytes of a word that FTS5 keeps."""

_LETTERS: Final = bytes(
    byte if byte >= 0x80 or chr(byte).isalnum() else ord(" ") for byte in range(0x100)
)
"""What FTS5's tokenizer ``ascii`` takes for letters of a word; all else parts words."""


class WordSums:
    """Sums over the words of texts; `differing` compares them with those of the index."""

    def __init__(self) -> None:
        self._sums = [0] * _SLOTS

    def add(self, content: int, texts: Sequence[str]) -> None:
        """Add a content's texts, folded, in the order of `TEXT_COLUMNS`."""
        sums = self._sums
        for letter, text in zip(_FIRST_LETTERS, texts, strict=True):
            number = _number(content, letter)
            for word in text.encode().translate(_LETTERS).split():
                sums[_slot(word)] += number

    def differing(self, connection: sqlite3.Connection) -> Iterator[str]:
        """Words of the index in slots whose sums differ; ``""`` where it has none there.

        ``connection``: may make temporary tables.  Raises `sqlite3.DatabaseError` where the
        index cannot be read.
        """
        left = list(self._sums)
        connection.execute(
            "CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab (main, search_text, instance)"
        )
        try:
            for word, total in connection.execute(
                "SELECT CAST(term AS BLOB), sum((doc << 8) + unicode(col)) FROM temp.vocabulary "
                "GROUP BY term"
            ):
                left[_slot(word)] -= total
            wrong = {slot for slot, one in enumerate(left) if one}
            if not wrong:
                return
            found = ""
            for (word,) in connection.execute(
                "SELECT DISTINCT CAST(term AS BLOB) FROM temp.vocabulary"
            ):
                if _slot(word) in wrong:
                    yield (found := word.decode(errors="replace"))
            if not found:
                yield ""
        finally:
            connection.execute("DROP TABLE temp.vocabulary")


def _number(content: int, letter: int) -> int:
    """The number of a content's column; SQLite adds up a thousand million of them."""
    return (content << 8) + letter


def _slot(word: bytes) -> int:
    return hash(word[:_LONGEST]) & (_SLOTS - 1)
