import pytest
from hypothesis import given
from hypothesis import strategies as st

from halmirror import windows
from halmirror.errors import UsageError

days = st.dates().map(lambda day: day.isoformat())


def test_a_bounded_span_is_halved_in_the_middle() -> None:
    assert windows.halve(("2024-01-01", "2024-01-04"), "2002-09-23", "2026-11-20") == [
        ("2024-01-01", "2024-01-02"),
        ("2024-01-03", "2024-01-04"),
    ]


def test_open_ends_stay_open() -> None:
    assert windows.halve((None, None), "2002-09-23", "2026-11-20") == [
        (None, "2014-10-22"),
        ("2014-10-23", None),
    ]


def test_one_day_is_not_halved() -> None:
    assert windows.halve(("2024-01-01", "2024-01-01"), "2002-09-23", "2026-11-20") == [
        ("2024-01-01", "2024-01-01")
    ]


@given(st.one_of(st.none(), days), st.one_of(st.none(), days), days, days, days)
def test_each_day_lies_in_exactly_one_half(
    first: str | None, last: str | None, earliest: str, today: str, probe: str
) -> None:
    if first is not None and last is not None and first > last:
        first, last = last, first
    span = (first, last)
    pieces = windows.halve(span, earliest, today)
    assert sum(windows.contains(piece, probe) for piece in pieces) == windows.contains(span, probe)
    assert all(windows.covers(span, piece) for piece in pieces)


def test_arguments_follow_the_granularity() -> None:
    span = ("2024-01-01", "2024-01-02")
    assert windows.arguments(span, "YYYY-MM-DD") == {"from": "2024-01-01", "until": "2024-01-02"}
    assert windows.arguments(span, "YYYY-MM-DDThh:mm:ssZ") == {
        "from": "2024-01-01T00:00:00Z",
        "until": "2024-01-02T23:59:59Z",
    }
    assert windows.arguments((None, None), "YYYY-MM-DD") == {}


@pytest.mark.parametrize("text", ["2024", "2024-13-01", "01/02/2024", "20240101", "2024-1-1", ""])
def test_what_is_no_day_is_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError, match="--from"):
        windows.parse_day(text, "--from")


def test_the_day_before_the_first_open_window_is_complete() -> None:
    assert windows.complete_as_of("2026-11-20", []) == "2026-11-20"
    assert windows.complete_as_of("2026-11-20", ["2024-03-01", "2020-01-01"]) == "2019-12-31"
    assert windows.complete_as_of("2026-11-20", ["2024-03-01", None]) is None
