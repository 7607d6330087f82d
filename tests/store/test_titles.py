"""A title that is pasted whole finds its record first, whatever its words mean in a query."""

from collections.abc import Iterator

import pytest

from deliveries import Delivery, Filling
from halmirror.mirror import Mirror

TITLES = ("Gold silver", "GOLD AND SILVER", "Gold or silver", "COVID-19", "Covid 19 19", "Gold")


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    path = tmp_path_factory.mktemp("titles") / "mirror.sqlite"
    with Filling(path) as filling:
        filling.take(*(Delivery(number, title=title) for number, title in enumerate(TITLES, 1)))
    with Mirror(path) as opened:
        yield opened


@pytest.mark.parametrize(
    "asked", [*TITLES, "GOLD OR SILVER", "gold AND silver", '"Gold or silver"']
)
def test_a_title_with_operators_comes_first(mirror: Mirror, asked: str) -> None:
    first = mirror.search(asked).records[0].body.titles[0].value
    assert first.lower() == asked.strip('"').lower()
