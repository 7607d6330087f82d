"""The statement in the comment of an OAI-PMH file never breaks the file."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from halmirror.export import Wanted
from halmirror.export.oai_dc import write


@pytest.mark.parametrize(
    ("statement", "comment"),
    [
        ("no -- use", " no - - use "),
        ("a --- b", " a - - - b "),
        ("ends with -", " ends with - "),
        ("ends with --", " ends with - - "),
        ("-----", " - - - - - "),
        ("-->", " - -> "),
    ],
)
def test_hyphens_are_set_apart(statement: str, comment: str) -> None:
    out = io.BytesIO()
    assert write([], out, Wanted(statement=statement)) == 0
    first = etree.fromstring(out.getvalue()).getprevious()
    assert first is not None
    assert first.text == comment


@given(st.text(alphabet="-> <!a"))
def test_any_statement_keeps_the_file_well_formed(statement: str) -> None:
    out = io.BytesIO()
    write([], out, Wanted(statement=statement))
    assert etree.fromstring(out.getvalue()).tag.endswith("ListRecords")
