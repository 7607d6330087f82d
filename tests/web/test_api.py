"""The HTTP API: what the commands answer, limits, streaming, and the description it is held to."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import html

from conftest import CommandLine
from halmirror.config import load
from halmirror.web.api.exporting import Exports
from halmirror.web.app import build
from halmirror.web.tally import Tally
from web_pages import Served, started

ROOT = Path(__file__).parents[2]
API = "/api/v1"
HAL = "hal-04493396"


def asked(web: httpx.Client, path: str, **headers: str) -> Any:
    answer = web.get(API + path, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    "identifier",
    [HAL, f"{HAL}v1", f"oai:HAL:{HAL}v1", f"https://hal.science/{HAL}",
     "10.1007/s00244-013-9942-0", "10.1007%2Fs00244-013-9942-0", "https://doi.org/10.1007/s00244-013-9942-0"],
)  # fmt: skip
def test_a_record_is_what_show_gives(
    web: httpx.Client, filled: CommandLine, identifier: str
) -> None:
    shown = filled("show", identifier.replace("%2F", "/"), "--format", "json").out
    assert asked(web, f"/records/{identifier}") == json.loads(shown)


def test_a_search_is_what_search_gives(web: httpx.Client, filled: CommandLine) -> None:
    shown = filled(
        "search", "language", "--type", "COMM", "--type", "ART", "--year", "..2015", "--facets",
        "--limit", "3", "--format", "json",
    ).out  # fmt: skip
    query = "q=language&type=COMM&type=ART&year=..2015&facets=true&limit=3"
    assert asked(web, f"/search?{query}") == json.loads(shown)
    assert asked(web, f"/search?{query}")["next"]


def test_pages_follow_by_link_and_hold_every_record_once(web: httpx.Client) -> None:
    seen: list[str] = []
    answer = web.get(f"{API}/search?limit=25&sort=oldest")
    while True:
        seen += [f"{one['id']}v{one['version']}" for one in answer.json()["records"]]
        if "next" not in answer.links:
            break
        answer = web.get(answer.links["next"]["url"])
    assert len(seen) == len(set(seen)) == answer.json()["total"] == 72


def test_changes_are_what_changes_gives(web: httpx.Client, filled: CommandLine) -> None:
    lines = filled("-q", "changes", "--cursor", "0", "--format", "jsonl").out.splitlines()
    feed = [json.loads(line) for line in lines]
    got: list[Any] = []
    answer = asked(web, "/changes?cursor=0&limit=10")
    got += answer["changes"]
    while answer["more"]:
        answer = asked(web, f"/changes?cursor={answer['cursor']}&limit=10")
        got += answer["changes"]
    assert got == feed
    assert len(feed) > 72
    as_lines = web.get(
        f"{API}/changes?cursor=0&limit=1000", headers={"Accept": "application/jsonl"}
    )
    assert as_lines.headers["content-type"] == "application/jsonl"
    assert [json.loads(line) for line in as_lines.text.splitlines()] == feed


def test_history_and_differences_are_those_of_the_commands(
    web: httpx.Client, filled: CommandLine
) -> None:
    shown = filled("show", HAL, "--history", "--format", "json").out
    assert asked(web, f"/history/{HAL}") == json.loads(shown)
    assert asked(web, f"/differences/{HAL}") == json.loads(
        filled("diff", HAL, "--format", "json").out
    )


def test_status_is_that_of_the_command_without_the_files_place(
    web: httpx.Client, filled: CommandLine
) -> None:
    told = json.loads(filled("status", "--format", "json").out)
    answer = asked(web, "/status")
    assert "path" not in answer
    assert answer["records"] == told["records"]
    assert answer["sources"] == told["sources"]


@pytest.mark.parametrize(
    ("form", "query", "options"),
    [
        ("jsonl", "", []),
        ("jsonl", "&domain=shs&fields=id,titles", ["--domain", "shs", "--fields", "id,titles"]),
        ("csv", "&year=2004..&defuse=true", ["--year", "2004..", "--defuse"]),
        ("bibtex", "&type=ART", ["--type", "ART"]),
        ("oai_dc", "&normalised=true", ["--normalised"]),
        ("ntriples", "&status=all", ["--status", "all"]),
    ],
)  # fmt: skip
def test_an_export_is_what_export_gives(
    web: httpx.Client, filled: CommandLine, form: str, query: str, options: list[str]
) -> None:
    answer = web.get(f"{API}/export?format={form}{query}")
    assert answer.status_code == 200
    assert answer.text == filled("-q", "export", "--format", form, *options).out
    assert answer.headers["content-disposition"].startswith('attachment; filename="halmirror.')
    assert answer.links["license"]["url"].endswith("/terms")


def test_an_export_as_of_an_earlier_commit_and_as_parquet(
    web: httpx.Client, filled: CommandLine
) -> None:
    earlier = web.get(f"{API}/export?format=jsonl&as_of=1")
    assert earlier.text == filled("-q", "export", "--format", "jsonl", "--as-of", "1").out
    assert earlier.text != web.get(f"{API}/export?format=jsonl").text
    assert web.get(f"{API}/export?format=parquet").content[:4] == b"PAR1"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/records/hal-99999999", 404, "no record"),
        ("/records/" + "9" * 900, 404, "no record"),
        (f"/records/{HAL}?format=nope", 400, "format"),
        (f"/records/{HAL}?as_of=yesterday", 400, "yesterday"),
        ("/search?q=%22open", 400, "quote"),
        ("/search?query=x", 400, "there are: q,"),
        ("/search?limit=101", 400, "limit"),
        ("/search?limit=1&limit=2", 400, "twice"),
        ("/search?q=%00", 400, "no text"),
        ("/search?year=2020..2010", 400, "backwards"),
        ("/search?cursor=nonsense", 400, "cursor"),
        ("/search?sort=best", 400, "sort"),
        ("/search?" + "&".join(f"author=a{n}" for n in range(60)), 400, "more than 40"),
        ("/changes", 400, "since and cursor"),
        ("/changes?cursor=999999", 400, "last commit"),
        ("/export", 400, "format: it is missing"),
        ("/export?format=jsonl&fields=nope", 400, "nope"),
        ("/export?format=ris&fields=id", 400, "fields"),
        ("/nothing", 404, "Not Found"),
    ],
)
def test_what_cannot_be_answered_is_told_as_problem_details(
    web: httpx.Client, path: str, status: int, words: str
) -> None:
    answer = web.get(API + path, headers={"Accept": "text/html"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    assert words in told["detail"]


def test_other_methods_are_refused_and_named(web: httpx.Client) -> None:
    answer = web.post(f"{API}/search")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}
    head = web.head(f"{API}/records/{HAL}")
    assert (head.status_code, head.content) == (200, b"")


def test_what_a_client_has_is_not_sent_again(web: httpx.Client) -> None:
    first = web.get(f"{API}/search?q=language")
    again = web.get(f"{API}/search?q=language", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("address", [f"{API}/search", "/oai?verb=Identify"])
@pytest.mark.parametrize(
    ("accept_encoding", "encoding"),
    [
        ("gzip", "gzip"),
        ("br;q=1.0, GZIP;q=0.5", "gzip"),
        ("*", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=0, *", None),
        ("x-nogzip", None),
        ("identity", None),
    ],
)
def test_an_answer_is_compressed_for_who_takes_it_alone(
    web: httpx.Client, address: str, accept_encoding: str, encoding: str | None
) -> None:
    answer = web.get(address, headers={"Accept-Encoding": accept_encoding})
    assert answer.headers.get("content-encoding") == encoding
    assert "accept-encoding" in answer.headers["vary"].lower()


def test_a_citation_in_the_readers_language_is_told_apart_by_caches(web: httpx.Client) -> None:
    answer = web.get(f"{API}/records/{HAL}?format=citation&style=apa")
    told = {one.strip() for one in answer.headers["vary"].split(",")}
    assert told >= {"Accept", "Accept-Language", "Cookie"}


def test_a_record_comes_in_the_form_that_is_accepted(web: httpx.Client) -> None:
    for accept, begin in (
        ("application/x-bibtex", "%"),
        ("application/vnd.citationstyles.csl+json", "["),
        ("text/turtle", "#"),
        ("application/xml", "<?xml"),
        ("text/x-bibliography; style=apa", "Alix"),
    ):
        answer = web.get(f"{API}/records/{HAL}", headers={"Accept": accept})
        assert answer.headers["content-type"].startswith(accept.partition(";")[0])
        assert answer.text.startswith(begin), answer.text[:80]
    assert web.get(f"{API}/records/{HAL}", headers={"Accept": "image/png"}).status_code == 406


def test_a_client_that_leaves_ends_its_export_and_too_many_are_refused(
    filled: CommandLine, served: Served, web: httpx.Client
) -> None:
    """Clients that take nothing hold the places; those of clients that left are free again."""
    address = served.url.rstrip("/").rpartition("/")[2]
    host, _, port = address.partition(":")

    def begun() -> socket.socket:
        # The smallest window: what is not taken waits in the server, not in the kernel.
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        connection.connect((host, int(port)))
        request = f"GET {API}/export?format=jsonl&status=all HTTP/1.1\r\nHost: {address}\r\n\r\n"
        connection.sendall(request.encode())
        assert connection.recv(12) == b"HTTP/1.1 200"
        return connection

    for _ in range(6):  # three times as many as there are places
        begun().close()
        deadline = time.monotonic() + 20
        while web.get(f"{API}/export?format=jsonl").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_an_export_that_outlasts_the_server_is_cut_without_an_error(
    filled: CommandLine, halmirror: CommandLine
) -> None:
    halmirror.configure("http://127.0.0.1:9/", f'[mirror]\npath = "{filled.mirror}"')
    server = started(halmirror)
    address = server.url.removeprefix("http://")
    host, _, port = address.partition(":")
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        connection.connect((host, int(port)))
        request = f"GET {API}/export?format=jsonl&status=all HTTP/1.1\r\nHost: {address}\r\n\r\n"
        connection.sendall(request.encode())
        assert connection.recv(12) == b"HTTP/1.1 200"
        assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


def test_the_head_of_an_export_writes_none(filled: CommandLine) -> None:
    app = build(load(filled.folder / "config.toml"), Tally())
    inner: Any = app._app  # type: ignore[attr-defined]
    inner.state.exports = Exports(0)

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            assert (await client.get(f"{API}/export?format=csv")).status_code == 503
            return await client.head(f"{API}/export?format=csv")

    answer = asyncio.run(run())
    inner.state.readers.close()
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")


def test_the_page_about_the_api_has_commands_that_work(web: httpx.Client) -> None:
    for language, word in (("en", "HTTP API"), ("fr", "API HTTP")):
        shown = html.fromstring(web.get("/api", headers={"Accept-Language": language}).text)
        assert shown.findtext(".//h1") == word
        tried = [one.text.removeprefix("curl '").removesuffix("'") for one in shown.iter("code")
                 if (one.text or "").startswith("curl ")]  # fmt: skip
        assert len(tried) == 7
        assert [web.get(address).status_code for address in tried] == [200] * 7
    assert html.fromstring(web.get("/").text).xpath("//footer//a[@href='/api']")


@pytest.fixture(scope="module")
def elsewhere(filled: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The server under a public address, open to the scripts of one web site."""
    command = CommandLine(tmp_path_factory.mktemp("elsewhere"))
    command.configure(
        "http://127.0.0.1:9/",
        f'[mirror]\npath = "{filled.mirror}"\n[serve]\n'
        'public_url = "https://library.example.org/hal/"\n'
        'cors_origins = ["https://app.example.org"]',
    )
    server = started(command)
    yield server
    assert server.stop() == 0


def test_addresses_are_public_and_a_web_site_may_read(elsewhere: Served) -> None:
    with httpx.Client(base_url=elsewhere.url) as client:
        answer = client.get(
            f"{API}/search?limit=1",
            headers={"Origin": "https://app.example.org", "Host": "library.example.org"},
        )
        assert answer.headers["access-control-allow-origin"] == "https://app.example.org"
        assert answer.links["next"]["url"].startswith(
            "https://library.example.org/hal/api/v1/search?limit=1&cursor="
        )
        told = client.get("/api/openapi.json").json()
        assert told["servers"] == [{"url": "https://library.example.org/hal/api/v1"}]
        other = client.get(f"{API}/search?limit=1", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


def test_a_web_site_may_read_refusals_and_ask_for_what_is_new(elsewhere: Served) -> None:
    origin = {"Origin": "https://app.example.org"}
    with httpx.Client(base_url=elsewhere.url) as client:
        for address in ("/nothing", "/" + "a" * 3000):
            answer = client.get(API + address, headers=origin)
            assert answer.status_code in (404, 414)
            assert answer.headers["access-control-allow-origin"] == origin["Origin"]
            assert "Retry-After" in answer.headers["access-control-expose-headers"]
        asked = {"Access-Control-Request-Method": "GET",
                 "Access-Control-Request-Headers": "if-none-match"}  # fmt: skip
        assert client.options(f"{API}/search", headers=origin | asked).status_code == 200


def test_schemathesis_finds_nothing(served: Served) -> None:
    """The running server is held to its own description, with what it allows and what not."""
    ran = subprocess.run(
        [
            Path(sys.executable).with_name("st"), "--config-file", ROOT / "schemathesis.toml",
            "run", f"{served.url}/api/openapi.json", "--max-examples", "20",
            "--seed", "1", "--generation-deterministic",
        ],
        capture_output=True, text=True, timeout=300, check=False, cwd=served.folder,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr
    assert "Tested: 7" in ran.stdout


def test_the_commands_of_the_documentation_run(served: Served) -> None:
    text = (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("curl ")]
    assert len(lines) == 5
    for line in lines:
        command = line.replace("http://127.0.0.1:8077", served.url)
        ran = subprocess.run(  # noqa: S602 - the documentation's own lines
            command.replace("curl -s", "curl -sf"), shell=True, capture_output=True, check=False
        )
        assert ran.returncode == 0, line
        assert ran.stdout, line
