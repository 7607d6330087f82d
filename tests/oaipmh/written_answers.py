"""Answers of OAI-PMH written by hand, and where the recorded ones lie."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
HAL = REPOSITORY / "data" / "hal-oai"
OTHER = REPOSITORY / "tests" / "data" / "other-oai"
OPENING = (
    '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
    "<responseDate>2026-11-20T03:00:00Z</responseDate>"
)


def answer(content: str) -> bytes:
    return f"{OPENING}{content}</OAI-PMH>".encode()


def listed(content: str) -> bytes:
    return answer(f"<ListRecords>{content}</ListRecords>")


def record(
    identifier: str = "<identifier>oai:x:1</identifier>",
    datestamp: str = "<datestamp>2024-03-07</datestamp>",
    metadata: str = '<metadata><d xmlns="urn:d">v</d></metadata>',
    status: str = "",
) -> str:
    return f"<record><header{status}>{identifier}{datestamp}</header>{metadata}</record>"
