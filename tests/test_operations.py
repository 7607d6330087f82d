"""The table of faults in docs/operations.md names tests that exist."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
FAULTS = "tests/endtoend/test_faults.py"


def named() -> list[str]:
    """The names in the last column of the table, each once."""
    text = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
    table = text[text.index("| fault |") :]
    rows = [line.rsplit("|", 2)[1] for line in table.splitlines()[2:] if line.startswith("|")]
    return sorted({name for row in rows for name in re.findall("`([^`]+)`", row)})


def test_the_table_is_read() -> None:
    assert len(named()) > 40
    assert "reset in mid-body 99" in named()


@pytest.mark.parametrize("name", named())
def test_a_named_test_exists(name: str) -> None:
    path, _, function = name.partition("::") if name.startswith("tests/") else (FAULTS, "", name)
    text = (REPOSITORY / path).read_text(encoding="utf-8")
    if not function:
        assert re.search(r"^def test_|^Test\w+ = ", text, re.MULTILINE)
    elif function.startswith("test_"):
        assert re.search(rf"^def {function}\(", text, re.MULTILINE)
    else:
        fault, _, times = function.rpartition(" ")
        rows = re.findall(r'Row\("([^"]+)"(?:.*?times=(\d+))?', text)
        assert (fault, times) in {(name, many or "1") for name, many in rows}
