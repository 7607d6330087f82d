"""What tests of the web side share: a mirror with a past, and the command that serves it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import httpx
from lxml import html

from conftest import CommandLine
from recorded_endpoint import RecordedEndpoint

HOSTILE = "inria-00100188"
"""A record whose title, author, publisher and addresses attack the pages that show them."""

IN_TWO_VERSIONS = "hal-02784755"
GONE = "inria-00100763"


@dataclass(frozen=True)
class Served:
    """A server that runs: its address, its mirror's folder, its process, where its log goes."""

    url: str
    folder: Path
    process: "subprocess.Popen[bytes]"
    log: Path

    def stop(self) -> int:
        self.process.terminate()
        self.process.communicate(timeout=30)
        return self.process.returncode


def started(command: CommandLine, *arguments: str) -> Served:
    log = command.folder / "serve.log"
    with log.open("wb") as err:
        process = subprocess.Popen(
            command.command("serve", "--port", "0", *arguments),
            cwd=command.folder,
            env=command.environment(),
            stdout=subprocess.PIPE,
            stderr=err,
        )
    assert process.stdout is not None
    line = process.stdout.readline().decode()
    assert line.startswith("serving http://127.0.0.1:"), line + log.read_text()
    return Served(line.split()[1].rstrip("/"), command.folder, process, log)


def spoil(endpoint: RecordedEndpoint) -> None:
    """What a second harvest brings."""
    today = endpoint.clock().date().isoformat()
    endpoint.deleted_record = "transient"
    old = endpoint.record(f"oai:HAL:{IN_TWO_VERSIONS}v3")
    endpoint.records.append(
        old.edited(f"{IN_TWO_VERSIONS}v3", f"{IN_TWO_VERSIONS}v4")
        .edited("CAMEMBERT", "CamemBERT")
        .stamped(today)
    )
    endpoint.replace(endpoint.record(f"oai:HAL:{GONE}v1").tombstone(today))
    endpoint.replace(
        endpoint.record(f"oai:HAL:{HOSTILE}v1")
        .edited(
            ">Kompetenzzentrum für EDV-Philologie<",
            '>&lt;script&gt;alert(1)&lt;/script&gt; \u202eKompetenz" onload="x{{7*7}}<',
        )
        .edited("Burnard", "&lt;img src=x onerror=alert(2)&gt;")
        .edited(
            f"<dc:identifier>https://hal.inria.fr/{HOSTILE}</dc:identifier>",
            f"<dc:identifier>https://hal.inria.fr/{HOSTILE}</dc:identifier>"
            "<dc:identifier>javascript:alert(3)//hal.inria.fr/</dc:identifier>"
            "<dc:relation>data:text/html,&lt;script&gt;</dc:relation>"
            "<dc:description>&lt;/script&gt;&lt;svg onload=alert(4)&gt; \u2067 "
            "\x9b31m</dc:description>"
            "<dc:publisher>\"&gt;&lt;b&gt;'</dc:publisher>"
            "<dc:rights>javascript:alert(5)</dc:rights>",
        )
        .stamped(today)
    )


ENGLISH = {"Accept": "text/html", "Accept-Language": "en-GB,en;q=0.9,fr;q=0.5"}
FRENCH = {"Accept": "text/html", "Accept-Language": "fr-FR,fr;q=0.9,en;q=0.5"}


def page(web: httpx.Client, address: str, headers: dict[str, str] = ENGLISH) -> html.HtmlElement:
    answer = web.get(address, headers=headers)
    assert answer.status_code == 200, answer.text
    return html.fromstring(answer.text)


def text(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())
