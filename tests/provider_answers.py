"""What tests of the OAI-PMH provider share: asking it, and judging each answer by the schemas."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from lxml import etree

from conftest import CommandLine
from recorded_endpoint import RECORDED, RecordedEndpoint
from web_pages import Served, spoil, started

SCHEMAS = Path(__file__).parent / "data" / "schemas"
NS = {
    "o": "http://www.openarchives.org/OAI/2.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "oai_dc": "http://www.openarchives.org/OAI/2.0/oai_dc/",
    "p": "http://www.openarchives.org/OAI/2.0/provenance",
    "f": "http://www.openarchives.org/OAI/2.0/friends/",
}
PAGE_SIZE = 10
FORGOTTEN = "hal-01246266"
WITHDRAWN = "cea-00991452"
SETTINGS = f"""
[serve]
oai_page_size = {PAGE_SIZE}
oai_admin_emails = ["library@example.org"]
"""


@cache
def schema() -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    return etree.XMLSchema(etree.parse(SCHEMAS / "oai-pmh-all.xsd", parser))


def judged(body: bytes) -> etree._Element:
    """The root of an answer that is valid by the official schemas."""
    root = etree.fromstring(body)
    assert schema().validate(root), (schema().error_log, body[:3000])
    return root


@dataclass
class Provider:
    """A data provider that is asked over HTTP; every answer is judged by the schemas."""

    url: str
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    def raw(self, query: str) -> etree._Element:
        answer = self.client.get(f"{self.url}?{query}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/xml; charset=utf-8"
        return judged(answer.content)

    def ask(self, verb: str, **arguments: Any) -> etree._Element:
        given = {name.strip("_"): value for name, value in arguments.items()}
        return self.raw(urlencode({"verb": verb, **given}))

    def pages(self, verb: str, **arguments: Any) -> list[etree._Element]:
        found = [self.ask(verb, **arguments)]
        while value := token(found[-1]):
            found.append(self.ask(verb, resumptionToken=value))
        return found

    def records(self, **arguments: Any) -> list[etree._Element]:
        """The records of a whole list."""
        given = {"metadataPrefix": "oai_dc"} | arguments
        return [
            record
            for page in self.pages("ListRecords", **given)
            for record in page.iterfind("o:ListRecords/o:record", NS)
        ]


def token(page: etree._Element) -> str:
    return page.findtext("*/o:resumptionToken", "", NS)


def error(page: etree._Element) -> str | None:
    found = page.find("o:error", NS)
    return None if found is None else found.get("code")


def identifier(record: etree._Element) -> str:
    return record.findtext(".//o:header/o:identifier", None, NS)


def datestamp(record: etree._Element) -> str:
    return record.findtext(".//o:header/o:datestamp", None, NS)


def is_deleted(record: etree._Element) -> bool:
    return record.find(".//o:header", NS).get("status") == "deleted"


def dublin_core(record: etree._Element) -> bytes:
    """The metadata in exclusive canonical form."""
    return etree.tostring(record.find("o:metadata/oai_dc:dc", NS), method="c14n", exclusive=True)


def mirror_with_a_past(command: CommandLine) -> None:
    """A mirror that has everything: superseded, deleted, withdrawn and forgotten records."""
    with RecordedEndpoint(RECORDED) as endpoint:
        command.configure(endpoint.url, SETTINGS)
        assert command("harvest").code == 0
        spoil(endpoint)
        assert command("harvest").code == 0
        endpoint.records.remove(endpoint.record(f"oai:HAL:{WITHDRAWN}v1"))
        assert command("reconcile").code == 0
    assert command("forget", FORGOTTEN, "--reason", "asked for").code == 0


def serving(command: CommandLine) -> tuple[Served, Provider]:
    served = started(command)
    return served, Provider(f"{served.url}/oai")
