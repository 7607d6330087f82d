"""OAI-PMH records with Dublin Core made from the normalised record (``oai_dc --normalised``).

Fifteen elements, each value once, in one order: what `halmirror.export.terms` says, in simple
Dublin Core.  A record that never had metadata is a header alone.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Final

from halmirror.export.oai_dc import END, begin, header, xml_text
from halmirror.export.terms import ELEMENTS, statements
from halmirror.record import Body

if TYPE_CHECKING:
    from collections.abc import Iterable

    from halmirror.export import Wanted
    from halmirror.record import Record

_BEGIN: Final = (
    '<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/">'
)
_END: Final = "</oai_dc:dc>"
_NOTHING: Final = Body()


def write_xml(records: Iterable[Record], out: IO[bytes], wanted: Wanted) -> int:
    """Write records; returns how many.  The sources' statement stands in a comment at the head."""
    out.write(begin(wanted.statement))
    count = 0
    for record in records:
        out.write(header(record))
        if record.body != _NOTHING:
            out.write(f"<oai:metadata>{dublin_core(record)}</oai:metadata>".encode())
        out.write(b"</oai:record>\n")
        count += 1
    out.write(END)
    return count


def dublin_core(record: Record) -> str:
    """The element ``oai_dc:dc`` of a record."""
    elements = []
    for term, value, lang, _ in statements(record):
        name = ELEMENTS[term]
        language = f' xml:lang="{lang}"' if lang else ""
        elements.append(f"<dc:{name}{language}>{xml_text(value)}</dc:{name}>")
    return f"{_BEGIN}{''.join(elements)}{_END}"
