"""One server for all tests of the web side: the real command, over a mirror with a past."""

from collections.abc import Iterator

import httpx
import pytest

from conftest import CommandLine
from recorded_endpoint import RECORDED, RecordedEndpoint
from web_pages import Served, spoil, started


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A mirror of the recorded records, one of them hostile, one gone, one in two versions."""
    command = CommandLine(tmp_path_factory.mktemp("served"))
    with RecordedEndpoint(RECORDED) as endpoint:
        command.configure(endpoint.url)
        assert command("harvest").code == 0
        spoil(endpoint)
        ran = command("harvest")
    assert ran.code == 0, ran.err
    assert "1 gone" in ran.out, ran.out
    return command


@pytest.fixture(scope="session")
def served(filled: CommandLine) -> Iterator[Served]:
    server = started(filled)
    yield server
    assert server.stop() == 0, server.log.read_text()


@pytest.fixture(scope="session")
def web(served: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, timeout=30) as client:
        yield client
