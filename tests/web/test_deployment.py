"""Several processes, under the path that a proxy publishes."""

import httpx
from lxml import html

from conftest import CommandLine
from web_pages import started

PUBLISHED = {"Host": "mirror.example.org", "Accept": "text/html"}


def test_several_processes_answer_under_a_public_path_and_end_in_peace(
    filled: CommandLine, halmirror: CommandLine
) -> None:
    halmirror.configure("http://127.0.0.1:9/", '[mirror]\npath = "copy.sqlite"\n')
    with (halmirror.folder / "config.toml").open("a") as file:
        file.write('[serve]\nworkers = 2\npublic_url = "https://mirror.example.org/hal/"\n')
    (halmirror.folder / "copy.sqlite").write_bytes(filled.mirror.read_bytes())
    server = started(halmirror)
    try:
        for _ in range(8):  # a connection each: whichever process takes it
            answer = httpx.get(f"{server.url}/hal/hal-04493396", headers=PUBLISHED)
            assert answer.status_code == 200
        shown = html.fromstring(answer.text)
        (canonical,) = shown.xpath("//link[@rel='canonical']/@href")
        assert canonical == "https://mirror.example.org/hal/hal-04493396"
        own = shown.xpath("//header//@href | //footer//@href | //form/@action | //script/@src")
        assert own
        assert all(one.startswith("/hal/") for one in own), own
        counted = httpx.get(f"{server.url}/metrics").text
        assert 'halmirror_http_requests_total{endpoint="record",status="2xx"} 8' in counted
    finally:
        assert server.stop() == 0, server.log.read_text()
