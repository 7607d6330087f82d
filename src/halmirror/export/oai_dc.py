"""OAI-PMH records as they came from the source: one well-formed XML file.

Format ``oai_dc`` has those whose metadata came as Dublin Core, ``source`` all, each in the format
it was harvested in.

The metadata stand in their exclusive canonical form.  The envelope's elements bear a prefix, so
that no default namespace reaches into the metadata.
"""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from halmirror.export import Wanted
    from halmirror.record import Record

_BEGIN = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b"%s"
    b'<oai:ListRecords xmlns:oai="http://www.openarchives.org/OAI/2.0/">\n'
)
END = b"</oai:ListRecords>\n"
"""The end of a file."""

_NOT_XML = re.compile("[^\t\n\r\\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(sources: Iterable[tuple[Record, bytes]], out: IO[bytes], wanted: Wanted) -> int:
    """Write records with their metadata; returns how many.

    The sources' statement stands in a comment at the head.
    """
    out.write(begin(wanted.statement))
    count = 0
    for record, metadata in sources:
        out.write(header(record))
        out.write(b"<oai:metadata>")
        out.write(metadata)
        out.write(b"</oai:metadata></oai:record>\n")
        count += 1
    out.write(END)
    return count


def begin(statement: str | None) -> bytes:
    """The head of a file: its root element, the statement in a comment before it."""
    return _BEGIN % comment(statement)


def header(record: Record) -> bytes:
    """The beginning of a record, with its header."""
    head = record.head
    deleted = ' status="deleted"' if head.status == "deleted" else ""
    sets = "".join(f"<oai:setSpec>{xml_text(spec)}</oai:setSpec>" for spec in head.sets)
    return (
        f"<oai:record><oai:header{deleted}><oai:identifier>{xml_text(head.oai_identifier)}"
        f"</oai:identifier><oai:datestamp>{xml_text(head.datestamp)}</oai:datestamp>"
        f"{sets}</oai:header>"
    ).encode()


def xml_text(text: str) -> str:
    """``text`` as the content of an element; what XML cannot hold becomes U+FFFD."""
    return escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text), {"\r": "&#13;"})


def comment(statement: str | None) -> bytes:
    """A text as an XML comment, on a line of its own; nothing where there is none.

    It may hold no two hyphens in a row (XML 1.0, section 2.5).
    """
    if not statement:
        return b""
    apart = re.sub("-(?=-)", "- ", _NOT_XML.sub(" ", statement))
    return f"<!-- {apart} -->\n".encode()
