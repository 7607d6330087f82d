"""One data provider for all tests that only read: over a mirror with a past, ten items a page."""

from collections.abc import Iterator

import pytest

from conftest import CommandLine
from provider_answers import Provider, mirror_with_a_past, serving


@pytest.fixture(scope="session")
def provided(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    command = CommandLine(tmp_path_factory.mktemp("provided"))
    mirror_with_a_past(command)
    return command


@pytest.fixture(scope="session")
def provider(provided: CommandLine) -> Iterator[Provider]:
    served, asked = serving(provided)
    with asked.client:
        yield asked
    assert served.stop() == 0, served.log.read_text()
