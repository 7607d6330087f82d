"""The client of a source: what its settings and the environment make of it."""

from pathlib import Path

import pytest

from conftest import CommandLine
from endpoint_http import ParsedRequest, Reply
from halmirror.cli.progress import LogObserver
from halmirror.config import SourceSettings, load
from halmirror.errors import UsageError
from halmirror.harvesting.sources import check_secrets, connect, described
from recorded_endpoint import RecordedEndpoint

KEYED = (("Authorization", "REPO_TOKEN"), ("X-Key", "REPO_KEY"))


def source(base_url: str, **settings: object) -> SourceSettings:
    return SourceSettings(name="repo", base_url=base_url, **settings)  # type: ignore[arg-type]


@pytest.fixture
def watching() -> LogObserver:
    return LogObserver(quiet=True, verbose=False)


def test_headers_of_the_environment_go_to_the_source_and_nowhere_else(
    endpoint: RecordedEndpoint, watching: LogObserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPO_TOKEN", "Bearer s3cret")
    monkeypatch.setenv("REPO_KEY", "key 1")

    class Moved(RecordedEndpoint):
        def respond(self, request: ParsedRequest) -> Reply:
            return Reply(302, {"Location": f"{endpoint.url}?verb={request.verb}"}, b"")

    with Moved() as old, connect(source(old.url, headers_env=KEYED), watching) as client:
        client.identity()
    assert old.requests[0].headers["authorization"] == "Bearer s3cret"
    assert old.requests[0].headers["x-key"] == "key 1"
    assert "authorization" not in endpoint.requests[0].headers
    assert "x-key" not in endpoint.requests[0].headers


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_variable_of_a_header_is_named(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPO_KEY", "x")
    if value is not None:
        monkeypatch.setenv("REPO_TOKEN", value)
    with pytest.raises(UsageError, match=r"variable REPO_TOKEN must hold .* Authorization; set it"):
        check_secrets([source("http://h/", headers_env=KEYED)])


@pytest.mark.parametrize("value", ["s3cret\n", "s3cret\r\nX: y", " s3cret", "s3crét", "s3cret\x7f"])
def test_a_header_that_cannot_be_sent_is_not_repeated(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPO_TOKEN", value)
    with pytest.raises(UsageError) as refused:
        check_secrets([source("http://h/", headers_env=KEYED)])
    told = str(refused.value)
    assert "REPO_TOKEN" in told
    assert "s3cr" not in told


def test_two_ways_to_authorise_exclude_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REPO_TOKEN", "REPO_KEY", "REPO_USER"):
        monkeypatch.setenv(name, "x")
    with pytest.raises(UsageError, match="user_env and the header Authorization"):
        check_secrets([source("http://h/", headers_env=KEYED, user_env="REPO_USER")])


@pytest.mark.parametrize("command", ["harvest", "reconcile"])
def test_a_missing_secret_is_found_before_anything_is_touched(
    command: str, tmp_path: Path, endpoint: RecordedEndpoint
) -> None:
    halmirror = CommandLine(tmp_path)
    halmirror.configure(
        endpoint.url,
        f'[[source]]\nname = "other"\nbase_url = "{endpoint.url}"\n'
        'headers_env = { X-Key = "NO_SUCH_VARIABLE" }',
    )
    ran = halmirror(command)
    assert ran.code == 2
    assert "other: the environment variable NO_SUCH_VARIABLE must hold" in ran.err
    assert not halmirror.mirror.exists()
    assert endpoint.requests == []


def test_a_source_tells_each_place_its_settings_come_from(
    tmp_path: Path,
) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[[source]]\nname = "a"\nbase_url = "http://h/"\n', encoding="utf-8")
    settings = load(file, {"HALMIRROR_SOURCE_A_CONNECTIONS": "3"})
    (told,) = described(settings)
    assert told["connections"] == 3
    assert told["settings_from"] == [str(file), "$HALMIRROR_SOURCE_A_CONNECTIONS"]
