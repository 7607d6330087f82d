import pytest

from halmirror.crosswalks.dates import year_of
from halmirror.crosswalks.text import clean


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("  a\n , \n b\t", "a , b"),
        ("étude\u00a0", "étude"),
        ("e\u0301", "é"),
        ("&#x3008;10.1/x&#x3009;", "〈10.1/x〉"),
        ("&#10216;x&#10217;", "⟨x⟩"),
        ("&lt;10.1/x&gt;", "<10.1/x>"),
        ("R&amp;D", "R&D"),
        ("&amp;amp;", "&amp;"),
        ("&eacute;", "é"),
        ("a&nbsp;b", "a b"),
        ("R&D; x", "R&D; x"),
        ("?a=1&copy=2", "?a=1&copy=2"),
        ("&nosuchname;", "&nosuchname;"),
        ("&#0;&#xD800;&#x110000;&#11;", "&#0;&#xD800;&#x110000;&#11;"),
        ("R#amp#D", "R#amp#D"),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_clean(given: str, expected: str) -> None:
    assert clean(given) == expected


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("2013", 2013), ("2018-03", 2018), ("2014-06-30", 2014), ("2016-02-29", 2016),
        ("2015-07-16T12:23:02Z", 2015), ("2015-07-16T12:23:02+02:00", 2015), ("2004/2006", 2004),
        ("2018-13", None), ("2015-02-29", None), ("0000", None), ("0000-00-00", None),
        ("20130", None), ("10000-01-01", None), ("2005?", None), ("c1870", None), ("2013-1", None),
        ("2015-07-16 12:23:02", None), ("2004/", None), ("/2004", None),
        ("2015-07-16T25:00:00Z", None),
        ("٢٠١٣", None), ("", None),
    ],
)  # fmt: skip
def test_year_of_dates_and_nothing_else(text: str, year: int | None) -> None:
    assert year_of(text) == year
