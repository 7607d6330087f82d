"""A cache that nobody can fill with long texts."""

from halmirror.remembered import remembered


def test_a_short_text_is_worked_on_once_and_a_long_one_each_time() -> None:
    worked_on: list[str] = []

    @remembered(2, longest=3)
    def length(text: str) -> int:
        worked_on.append(text)
        return len(text)

    assert [length(text) for text in ("abc", "abc", "abcd", "abcd")] == [3, 3, 4, 4]
    assert worked_on == ["abc", "abcd", "abcd"]


def test_the_texts_that_came_last_stay() -> None:
    worked_on: list[str] = []

    @remembered(2)
    def itself(text: str) -> str:
        worked_on.append(text)
        return text

    for text in ("a", "b", "c", "b", "a"):
        itself(text)
    assert worked_on == ["a", "b", "c", "a"]
