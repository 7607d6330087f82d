"""What a terminal may be shown of texts that strangers wrote."""

import pytest

from halmirror.printable import printable_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\n  b\tc\n", "a\n  b\tc\n"),
        ("a\x1b[2J\u202eb", "a\\u001b[2J\\u202eb"),
        ("a\rb\x00\x85", "a\\u000db\\u0000\\u0085"),
        ("é 𝒳", "é 𝒳"),
    ],
)
def test_lines_and_blanks_stay_and_nothing_else_is_obeyed(text: str, shown: str) -> None:
    assert printable_text(text) == shown
