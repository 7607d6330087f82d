"""The digest of an export: of its lines, in one order."""

import hashlib
from pathlib import Path

import pytest

from halmirror.errors import OutputError
from halmirror.export import digest as digests
from halmirror.export.digest import Digest, digest, in_order

LINES = [
    b'{"id":"hal-1","source":"hal"}',
    b'{"id":"hal-1","version":2,"source":"hal"}',
    b'{"id":"hal-1","version":10,"source":"hal","year":2018}',
    b'{"id":"hal-2","version":1,"source":"hal"}',
    b'{"id":"hal-1","version":1,"source":"portal"}',
]


def test_it_is_the_sha_256_of_the_file_that_jsonl_gives() -> None:
    text = b"".join(line + b"\n" for line in LINES)
    assert digest(LINES) == Digest(5, hashlib.sha256(text).hexdigest())
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert digest([]) == Digest(0, empty)


def test_one_value_more_or_less_shows() -> None:
    changed = [*LINES[:4], LINES[4].replace(b"}", b',"year":1}')]
    assert digest(changed) != digest(LINES)
    assert digest(LINES[:4]) != digest(LINES)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([LINES[1], LINES[0]], "hal-1 of hal follows hal-1 of hal"),
        ([LINES[0], LINES[0]], "stands twice"),
        ([LINES[4], LINES[3]], "hal-2 of hal follows hal-1 of portal"),
        ([b"[]"], "no record"),
        ([b'{"id":1}'], "no record"),
    ],
)
def test_lines_out_of_order_or_no_records_are_refused(lines: list[bytes], told: str) -> None:
    with pytest.raises(OutputError, match=told):
        digest(lines)


def test_any_order_can_be_put_right_in_bounded_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = [b'{"id":"hal-%05d","version":1,"source":"hal"}' % number for number in range(2000)]
    shuffled = [lines[number * 7 % 2000] for number in range(2000)]
    assert list(in_order(shuffled)) == lines
    monkeypatch.setattr(digests, "_SORTED_AT_ONCE", 4000)
    monkeypatch.setattr(digests, "_READ_AT_ONCE", 100)
    assert list(in_order(shuffled, tmp_path)) == lines
    assert list(in_order(reversed(LINES), tmp_path)) == LINES
    assert list(tmp_path.iterdir()) == []
