"""What differs between two bodies, key by key."""

from halmirror.record.differences import Difference, differences


def test_each_key_that_differs_is_named_in_the_order_of_the_newer_body() -> None:
    before = b'{"titles":[{"value":"A"}],"date":"2018","notes":["n"],"year":2018}'
    after = b'{"titles":[{"value":"B"}],"keywords":["k"],"date":"2018","year":2018}'
    assert differences(before, after) == (
        Difference("titles", "changed", '[{"value":"A"}]', '[{"value":"B"}]'),
        Difference("keywords", "added", None, '["k"]'),
        Difference("notes", "removed", '["n"]', None),
    )


def test_the_same_values_are_no_difference() -> None:
    assert differences(b'{"a":1,"b":2}', b'{"b":2,"a":1}') == ()


def test_long_values_are_cut_round_the_first_difference() -> None:
    text = "x" * 300
    (found,) = differences(
        f'{{"citation":"{text}old{text}"}}'.encode(), f'{{"citation":"{text}new{text}"}}'.encode()
    )
    assert found.before == "…" + "x" * 40 + "old" + "x" * 117 + "…"
    assert found.after == "…" + "x" * 40 + "new" + "x" * 117 + "…"


def test_a_long_value_that_grew_at_its_end_shows_the_end() -> None:
    text = "x" * 300
    (found,) = differences(
        f'{{"notes":["{text}"]}}'.encode(), f'{{"notes":["{text}","more"]}}'.encode()
    )
    assert found.before == "…" + "x" * 39 + '"' + "]"
    assert found.after == "…" + "x" * 39 + '"' + ',"more"]'
