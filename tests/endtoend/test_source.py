"""``halmirror source``: many repositories, one of which may fail, in one configuration."""

import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import CommandLine
from endpoint_http import ParsedRequest, Reply
from recorded_endpoint import RecordedEndpoint


class Zenodo(RecordedEndpoint):
    """A repository of another house: no sets, identifiers and a name of its own."""

    def respond(self, request: ParsedRequest) -> Reply:
        reply = super().respond(request)
        body = reply.body.replace(b"oai:HAL:", b"oai:example.org:")
        body = body.replace(b">hal.archives-ouvertes.fr<", b">oai.Example-1.org<")
        body = body.replace(
            b"<repositoryName>HAL", b"<repositoryName>Caf\xc3\xa9 \xe2\x80\xae #1\n"
        )
        if request.verb == "ListSets":
            body = re.sub(rb"<ListSets>[\s\S]*</ListSets>", b'<error code="noSetHierarchy"/>', body)
        return replace(reply, body=body)


@pytest.fixture
def other() -> Iterator[RecordedEndpoint]:
    with Zenodo() as running:
        yield running


@pytest.fixture
def bare(tmp_path: Path) -> CommandLine:
    """The command in a folder without a configuration."""
    return CommandLine(tmp_path)


def config(command: CommandLine) -> Path:
    return command.folder / "config.toml"


# -- add -------------------------------------------------------------------------------------


def test_a_source_is_added_and_harvested(halmirror: CommandLine, other: RecordedEndpoint) -> None:
    before = config(halmirror).read_bytes()
    ran = halmirror("source", "add", other.url, "--contact", "mailto:anne@example.org")
    assert ran.code == 0, ran.err
    section = (
        "\n[[source]]\n# Caf\u00e9 \\u202e #1\n"
        'name = "example-1"\n'
        f'base_url = "{other.url}"\n'
        'metadata_prefix = "oai_dc"\nprofile = "generic"\ncontact = "mailto:anne@example.org"\n'
    )
    assert config(halmirror).read_bytes() == before + section.encode()
    assert section.rstrip("\n") in ran.out
    assert "Now run 'halmirror harvest example-1'" in ran.out
    assert "From now on" not in ran.out
    done = halmirror("harvest", "example-1")
    assert done.code == 0, done.err
    assert done.out.startswith("example-1: 73 new, ")
    assert "mailto:anne@example.org" in other.requests[-1].headers["user-agent"]


def test_without_a_file_the_built_in_source_is_kept(
    bare: CommandLine, endpoint: RecordedEndpoint
) -> None:
    ran = bare("source", "add", endpoint.url, "--set", "type:ART", "--from", "2019-01-01")
    assert ran.code == 0, ran.err
    assert "made config.toml:" in ran.out
    assert "From now on this file counts; 'hal', built in so far, is kept in it." in ran.out
    assert (
        config(bare)
        .read_text(encoding="utf-8")
        .endswith(
            'name = "hal"\nbase_url = "https://api.archives-ouvertes.fr/oai/hal/"\n'
            'metadata_prefix = "oai_dc"\nprofile = "hal"\n'
            "\n[[source]]\n# HAL\n"
            f'name = "hal-2"\nbase_url = "{endpoint.url}"\n'
            'metadata_prefix = "oai_dc"\nprofile = "hal"\n'
            'sets = ["type:ART"]\nfrom = "2019-01-01"\n'
        )
    )
    assert str(bare.mirror) in bare("config", "check").out


def test_a_file_without_sources_keeps_the_built_in_one_too(
    bare: CommandLine, endpoint: RecordedEndpoint
) -> None:
    config(bare).write_bytes(b'[mirror]\r\npath = "m.sqlite"  # mine')
    ran = bare("source", "add", endpoint.url, "--name", "here")
    assert ran.code == 0, ran.err
    written = config(bare).read_bytes()
    assert written.startswith(b'[mirror]\r\npath = "m.sqlite"  # mine\r\n\r\n[[source]]\r\n')
    assert b"\n" not in written.replace(b"\r\n", b"")
    shown = json.loads(bare("source", "list", "--format", "json").out)
    assert [one["name"] for one in shown["sources"]] == ["hal", "here"]


def test_permissions_and_links_are_kept(halmirror: CommandLine, other: RecordedEndpoint) -> None:
    real = halmirror.folder / "far" / "real.toml"
    real.parent.mkdir()
    config(halmirror).rename(real)
    real.chmod(0o640)
    config(halmirror).symlink_to(real)
    assert halmirror("source", "add", other.url).code == 0
    assert config(halmirror).is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert 'name = "example-1"' in real.read_text(encoding="utf-8")
    assert os.listdir(real.parent) == ["real.toml"]  # noqa: PTH208 -- hidden files as well


def test_a_probe_that_fails_writes_nothing_unless_forced(halmirror: CommandLine) -> None:
    class Broken(Zenodo):
        def respond(self, request: ParsedRequest) -> Reply:
            if request.argument("resumptionToken"):
                return Reply(200, {}, b"<html><body>busy</body></html>")
            return super().respond(request)

    before = config(halmirror).read_bytes()
    with Broken() as endpoint:
        ran = halmirror("source", "add", endpoint.url)
        assert ran.code == 1
        assert "FAIL ListRecords, second page: " in ran.out
        assert "nothing was written" in ran.err
        assert config(halmirror).read_bytes() == before
        forced = halmirror("source", "add", endpoint.url, "--force")
    assert forced.code == 0, forced.err
    assert 'name = "example-1"' in config(halmirror).read_text(encoding="utf-8")


def test_what_is_wrong_is_refused_before_anything_is_asked(
    halmirror: CommandLine, endpoint: RecordedEndpoint
) -> None:
    before = config(halmirror).read_bytes()
    local = endpoint.url.replace("127.0.0.1", "localhost")
    for arguments, message in (
        ([endpoint.url.rstrip("/")], "is configured already, as 'hal'"),
        ([local, "--name", "HAL"], "the name 'hal' is taken"),
        ([local, "--name", "a b"], "--name: "),
        ([local, "--from", "2020"], '--from: "2020" is no day'),
        ([local, "--set", "a b"], '--set: "a b" is no setSpec'),
        ([local, "--contact", "\u00c9lodie"], "--contact: "),
        (["http://anne:s3cret@h/oai"], "URL: an address must not hold a password"),
        (["ftp://h/oai"], "URL: "),
    ):
        ran = halmirror("source", "add", *arguments)
        assert ran.code == 2, arguments
        assert message in ran.err
        assert "s3cret" not in ran.err
        assert ran.err.count("\n") == 1
    assert endpoint.requests == []
    assert config(halmirror).read_bytes() == before


def test_a_format_that_is_not_there_is_answered_by_those_that_are(
    halmirror: CommandLine, other: RecordedEndpoint
) -> None:
    ran = halmirror("source", "add", other.url, "--prefix", "marc21")
    assert ran.code == 2
    assert "has no marc21; it has oai_dc, oai_dcterms, xml-tei" in ran.err


def test_a_file_that_cannot_be_appended_to_stays_as_it_is(
    bare: CommandLine, other: RecordedEndpoint
) -> None:
    text = b'source = [{ name = "x", base_url = "http://127.0.0.1:9/" }]\n'
    config(bare).write_bytes(text)
    ran = bare("source", "add", other.url)
    assert ran.code == 2
    assert "was left as it is" in ran.err
    assert config(bare).read_bytes() == text
    assert [one.name for one in bare.folder.iterdir()] == ["config.toml"]


# -- check -----------------------------------------------------------------------------------


def test_one_source_that_fails_leaves_the_others_alone(
    halmirror: CommandLine, endpoint: RecordedEndpoint
) -> None:
    with RecordedEndpoint() as gone:
        dead = gone.url
    halmirror.configure(
        endpoint.url, f'[[source]]\nname = "dead"\nbase_url = "{dead}"\nretries = 0\n'
    )
    ran = halmirror("source", "check")
    assert ran.code == 3
    assert "  FAIL Identify: " in ran.out
    assert "  ok   ListRecords: 26 a page; completeListSize is 73" in ran.out
    assert halmirror("source", "check", "dead").code == 1
    assert halmirror("source", "check", "hal").code == 0
    assert halmirror("source", "check", "nobody").code == 2
    found = json.loads(halmirror("source", "check", "--format", "json").out)["sources"]
    assert [(one["name"], one["ok"]) for one in found] == [("hal", True), ("dead", False)]
    assert found[0]["findings"][0] == {"level": "ok", "what": "Identify", "detail": "HAL"}
    assert not halmirror.mirror.exists()


def test_what_a_server_says_is_printed_harmlessly(
    bare: CommandLine, other: RecordedEndpoint
) -> None:
    bare.configure(other.url)
    ran = bare("source", "check")
    assert "ok   Identify: Caf\u00e9 \\u202e #1\n" in ran.out
    assert "\u202e" not in bare("source", "check", "--format", "json").out


# -- list ------------------------------------------------------------------------------------


def test_list_tells_where_settings_come_from(halmirror: CommandLine) -> None:
    halmirror.configure("http://127.0.0.1:9/", 'sets = ["type:ART"]\nconnections = 2')
    assert halmirror("source", "list").out == (
        "hal (http://127.0.0.1:9/)\n"
        "  oai_dc, profile hal: type:ART\n"
        "  connections: 2; settings from: config.toml\n"
    )
    assert json.loads(halmirror("source", "list", "--format", "json").out) == {
        "sources": [
            {
                "name": "hal",
                "base_url": "http://127.0.0.1:9/",
                "kind": "oai-pmh",
                "metadata_prefix": "oai_dc",
                "profile": "hal",
                "sets": ["type:ART"],
                "connections": 2,
                "settings_from": ["config.toml"],
            }
        ]
    }
    config(halmirror).unlink()
    assert halmirror("source", "list").out == (
        "hal (https://api.archives-ouvertes.fr/oai/hal/)\n"
        "  oai_dc, profile hal: everything\n"
        "  connections: 1; settings from: built-in defaults\n"
    )
