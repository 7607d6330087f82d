"""A mirror that follows another one's published snapshots from a plain web server."""

import json
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conftest import CommandLine
from halmirror.snapshot.publish import publish
from recorded_endpoint import RECORDED, RecordedEndpoint

TODAY = datetime.now(UTC).date().isoformat()


@dataclass
class Web:
    """A plain web server over a folder that counts, breaks off and spoils on demand."""

    folder: Path
    asked: list[str] = field(default_factory=list)
    cut: str | None = None
    spoil: str | None = None
    url: str = ""

    def answer(self, path: str, part: str | None) -> tuple[int, dict[str, str], bytes]:
        self.asked.append(path)
        place = self.folder / path.lstrip("/")
        if not place.is_file():
            return 404, {}, b""
        data = place.read_bytes()
        if self.spoil and self.spoil in path:
            data = data[:-1] + bytes([data[-1] ^ 1])
        if part is not None:
            begin = int(re.fullmatch(r"bytes=(\d+)-", part)[1])  # type: ignore[index]
            rest = data[begin:]
            told = {"Content-Range": f"bytes {begin}-{len(data) - 1}/{len(data)}"}
            return 206, told | {"Content-Length": str(len(rest))}, rest
        headers = {"Content-Length": str(len(data))}
        if self.cut and self.cut in path:
            self.cut = None
            return 200, headers, data[: len(data) // 2]
        return 200, headers, data


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    folder = tmp_path / "published"
    folder.mkdir()
    held = Web(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = held.answer(self.path, self.headers.get("Range"))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield held
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def follower(tmp_path: Path, web: Web) -> CommandLine:
    command = CommandLine(tmp_path / "follower")
    command.folder.mkdir()
    command.configure(web.url, 'kind = "snapshot"')
    return command


def snapshot(command: CommandLine, web: Web, *arguments: str) -> str:
    ran = command("snapshot", "create", str(web.folder), *arguments)
    assert ran.code == 0, ran.err
    publish(web.folder, web.url)
    return Path(ran.out.strip()).name


def lines(command: CommandLine) -> dict[str, dict[str, object]]:
    """The records without the times at which a mirror learnt of them."""
    found = {}
    for line in command("export", "--format", "jsonl", "--status", "all").out.splitlines():
        record = json.loads(line)
        record.pop("status_since", None)
        found[record["oai_identifier"]] = record
    return found


def test_a_mirror_follows_a_chain(follower: CommandLine, web: Web, tmp_path: Path) -> None:
    first = CommandLine(tmp_path / "first")
    first.folder.mkdir()
    with RecordedEndpoint(RECORDED) as endpoint:
        first.configure(endpoint.url, 'max_loss = "100%"')
        assert first("harvest").code == 0
        whole = snapshot(first, web)
        ran = follower("harvest")
        assert (ran.code, ran.out) == (
            0,
            f"hal: 73 new, 0 changed, 0 unchanged, 0 gone, 0 quarantined; complete as of {TODAY}\n",
        ), ran.err
        assert lines(follower) == lines(first)

        record = endpoint.record("oai:HAL:hal-04493396v1")
        endpoint.replace(record.edited("une menace", "une chance").stamped(TODAY))
        assert "1 changed" in first("harvest").out
        second = snapshot(first, web, "--since", str(web.folder / whole))
        endpoint.remove(endpoint.records[0].identifier)
        assert first("reconcile").code == 0
        snapshot(first, web, "--since", str(web.folder / second))

    web.asked.clear()
    ran = follower("harvest")
    assert ran.code == 0, ran.err
    assert "0 new, " in ran.out
    assert not [one for one in web.asked if whole in one]
    assert lines(follower) == lines(first)
    assert {one["status"] for one in lines(follower).values()} == {"active", "withdrawn"}

    web.asked.clear()
    assert "0 new, 0 changed, 0 unchanged, 0 gone" in follower("harvest").out
    assert len(web.asked) == 1
    assert sorted(one.name for one in follower.mirror.parent.glob("*.snapshots")) == []
    ran = follower("status", "--check", "--max-age", "2d")
    assert ran.code == 0, ran.out
    assert (
        "what the sources ask: hal: 1) No commercial use"
        in follower("export", "--format", "jsonl", "--output", "out.jsonl").err
    )
    assert follower("reconcile", "hal").code == 2


def test_what_breaks_off_goes_on(follower: CommandLine, web: Web, harvested: CommandLine) -> None:
    snapshot(harvested, web)
    web.cut = "history-00001"
    ran = follower("harvest")
    assert ran.code == 0, ran.err
    assert len([one for one in web.asked if "history-00001" in one]) == 2
    assert lines(follower) == lines(harvested)


@pytest.mark.parametrize("path", ["history-00001", "manifest-sha512.txt", "snapshot.json"])
def test_what_was_spoilt_on_the_way_is_not_taken(
    follower: CommandLine, web: Web, harvested: CommandLine, path: str
) -> None:
    snapshot(harvested, web)
    web.spoil = path
    ran = follower("harvest")
    assert ran.code == 1
    assert "SHA-512" in ran.err or "no line of a manifest" in ran.err
    assert "Traceback" not in ran.err
    assert follower("export", "--format", "jsonl").out == ""
    web.spoil = None
    assert follower("harvest").code == 0
    assert lines(follower) == lines(harvested)


def test_a_missing_link_is_named(follower: CommandLine, web: Web, harvested: CommandLine) -> None:
    first = snapshot(harvested, web)
    snapshot(harvested, web, "--since", str(web.folder / first))
    shutil.rmtree(web.folder / first)
    publish(web.folder, web.url)
    ran = follower("harvest")
    assert (ran.code, f"{first} is not published" in ran.err) == (1, True)


def test_a_list_that_leads_elsewhere_is_refused(
    follower: CommandLine, web: Web, harvested: CommandLine
) -> None:
    snapshot(harvested, web)
    publish(web.folder, "http://127.0.0.1:9/")
    ran = follower("harvest")
    assert (ran.code, "leads to http://127.0.0.1:9/" in ran.err) == (1, True)
