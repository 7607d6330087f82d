"""Behind Debian's nginx, under a path, with several processes: as docs/serving.md says."""

import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from lxml import etree, html

from conftest import CommandLine
from web_pages import Served, started

DOCUMENTED = Path(__file__).parents[2] / "docs" / "serving.md"
HOST = "mirror.example.org"
PAGE = {"Accept": "text/html", "Host": HOST}


@dataclass(frozen=True)
class Published:
    """nginx's address, the server behind it, and its command."""

    url: str
    behind: Served
    command: CommandLine


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def documented(port: str) -> str:
    """The locations of the documentation, for the port that the server took."""
    text = DOCUMENTED.read_text(encoding="utf-8")
    found = re.search(r"^location /hal/ \{.*?(?=^```)", text, re.MULTILINE | re.DOTALL)
    assert found
    return found[0].replace("http://127.0.0.1:8077", f"http://127.0.0.1:{port}")


@pytest.fixture(scope="module")
def published(filled: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
    assert nginx, "this test needs nginx: install Debian's package nginx-light"
    command = CommandLine(tmp_path_factory.mktemp("published"))
    command.configure(
        "http://127.0.0.1:9/",
        '[mirror]\npath = "mirror.sqlite"\n[serve]\nworkers = 2\n'
        f'public_url = "https://{HOST}/hal/"',
    )
    (command.folder / "mirror.sqlite").write_bytes(filled.mirror.read_bytes())
    behind = started(command)
    port = free_port()
    locations = documented(behind.url.rpartition(":")[2])
    # Its processes may run as another account, which has to reach its files.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        settings = Path(folder) / "nginx.conf"
        settings.write_text(
            f"daemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
            "worker_processes 1; events { worker_connections 64; }\n"
            f"http {{ access_log off; client_body_temp_path {folder}/b;\n"
            f"proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;\n"
            f"uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n"
            f"server {{ listen 127.0.0.1:{port}; {locations} }} }}\n",
            encoding="utf-8",
        )
        proxy = subprocess.Popen([nginx, "-e", f"{folder}/error.log", "-c", settings])
        try:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                with socket.socket() as one:
                    if one.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield Published(f"http://127.0.0.1:{port}", behind, command)
        finally:
            proxy.terminate()
            proxy.wait(20)
            assert behind.stop() == 0, behind.log.read_text()


@pytest.fixture(scope="module")
def web(published: Published) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=published.url, headers={"Host": HOST}, timeout=30) as client:
        yield client


def test_every_link_of_a_page_leads_somewhere(web: httpx.Client) -> None:
    seen: set[str] = set()
    for start in ("/hal/", "/hal/hal-04493396", "/hal/search?q=language", "/hal/status"):
        shown = html.fromstring(web.get(start, headers=PAGE).text)
        found = shown.xpath("//a/@href | //link/@href | //script/@src | //form/@action")
        seen |= {one.partition("#")[0] for one in found if one.startswith("/")}
    assert len(seen) > 60
    assert all(one.startswith("/hal/") for one in seen)
    answers = {one: web.get(one, headers=PAGE).status_code for one in sorted(seen)[:150]}
    assert {one: status for one, status in answers.items() if status != 200} == {}


def test_an_identifier_is_redirected_to_its_record_under_the_path(web: httpx.Client) -> None:
    answer = web.get("/hal/search?q=hal-04493396v1", headers=PAGE)
    assert answer.status_code == 302
    assert answer.headers["location"] == "/hal/hal-04493396v1"


def test_a_slash_too_many_leads_to_the_page_under_the_path(web: httpx.Client) -> None:
    answer = web.get("/hal/search/?q=a%20b&ui=", headers=PAGE)
    assert answer.status_code == 308
    assert answer.headers["location"] == "/hal/search?q=a%20b&ui="


def test_the_counters_are_not_public(web: httpx.Client) -> None:
    assert web.get("/hal/metrics").status_code == 403
    assert web.get("/hal/readyz").status_code == 200


def test_the_language_is_remembered_under_the_path_alone(web: httpx.Client) -> None:
    with httpx.Client(base_url=str(web.base_url), headers=PAGE) as client:
        answer = client.get("/hal/?ui=fr")
        assert "path=/hal/" in answer.headers["set-cookie"].lower()
        assert html.fromstring(answer.text).get("lang") == "fr"


def test_forms_exports_and_the_provider_pass(web: httpx.Client) -> None:
    answer = web.get("/hal/hal-04493396", headers={"Accept": "application/x-bibtex"})
    assert "@article" in answer.text
    etag = answer.headers["etag"]
    again = web.get(
        "/hal/hal-04493396", headers={"Accept": "application/x-bibtex", "If-None-Match": etag}
    )
    assert again.status_code == 304
    exported = web.get("/hal/api/v1/export?format=jsonl")
    assert len(exported.text.splitlines()) == 72
    answer = web.get("/hal/api/v1/search?limit=1")
    assert answer.links["next"]["url"].startswith(f"https://{HOST}/hal/api/v1/search?")
    told = etree.fromstring(web.get("/hal/oai?verb=Identify").content)
    assert told.findtext(".//{*}baseURL") == f"https://{HOST}/hal/oai"


def test_the_log_has_the_readers_address(web: httpx.Client, published: Published) -> None:
    # nginx tells the address it sees; what a client claims of itself does not count.
    web.get("/hal/terms?told=1", headers=PAGE | {"X-Forwarded-For": "203.0.113.9"})
    for _ in range(200):  # the line follows the answer
        lines = [one for one in published.behind.log.read_text().splitlines() if "told=1" in one]
        if lines:
            break
        time.sleep(0.05)
    assert len(lines) == 1
    assert re.fullmatch(r'\S+Z 127\.0\.0\.1 "GET /terms\?told=1" 200 \d+ \d+\.\d{3}', lines[0]), (
        lines[0]
    )


def test_another_file_in_the_mirrors_place_is_served_without_an_error(
    web: httpx.Client, published: Published, filled: CommandLine
) -> None:
    """As after a restore; requests go on all the while, to both processes."""
    mirror = published.command.folder / "mirror.sqlite"

    def ask(number: int) -> int:
        answer = httpx.get(
            f"{published.url}/hal/{'search?q=language' if number % 2 else 'hal-04493396'}",
            headers=PAGE, timeout=30,
        )  # fmt: skip
        return answer.status_code

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask, number) for number in range(120)]
        for _ in range(3):
            fresh = mirror.with_name("fresh.sqlite")
            fresh.write_bytes(filled.mirror.read_bytes())
            fresh.replace(mirror)
            time.sleep(0.1)
        statuses = {one.result() for one in asked}
    assert statuses == {200}
    assert "Traceback" not in published.behind.log.read_text()
    assert web.get("/hal/readyz").status_code == 200
