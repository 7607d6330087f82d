"""Records written for one test, and a mirror that was harvested of them."""

from pathlib import Path
from xml.sax.saxutils import escape

from conftest import CommandLine
from recorded_endpoint import RECORDED, EndpointRecord, RecordedEndpoint


def written(identifier: str, kind: str | None, *elements: tuple[str, str]) -> EndpointRecord:
    """An oai_dc record with those (element, text) pairs; ``kind``: what its ``type:`` set names."""
    spec = f"<setSpec>type:{kind}</setSpec>" if kind else ""
    body = "".join(f"<dc:{name}>{escape(text)}</dc:{name}>" for name, text in elements)
    return EndpointRecord.from_xml(
        f"<record><header><identifier>{escape(identifier)}</identifier>"
        f"<datestamp>2024-03-07</datestamp>{spec}</header><metadata>"
        '<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/">{body}</oai_dc:dc></metadata></record>'.encode()
    )


def harvested_of(folder: Path, records: list[EndpointRecord], more: str = "") -> CommandLine:
    """A mirror in ``folder`` of these records; ``more``: further lines of the source's settings."""
    command = CommandLine(folder)
    endpoint = RecordedEndpoint(RECORDED, page_size=200)
    endpoint.records = records
    with endpoint:
        command.configure(endpoint.url, more)
        ran = command("harvest")
    assert ran.code == 0, ran.err
    return command
