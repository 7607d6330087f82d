r"""N-Triples (RDF 1.1): DCMI Metadata Terms, one statement a line.

The subject is the record's OAI identifier, which is a URI and names one version (one that is no
URI stands after ``urn:x-oai:``).  Texts in a
language bear its tag; a date has the type of its precision (``xsd:gYear``, ``xsd:gYearMonth``,
``xsd:date``); what should be an address but cannot be one stands as a text.  All but ASCII's
printable characters of a text that need it are escaped as ``\u0000``.
"""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import quote

from halmirror.export.addresses import uri
from halmirror.export.terms import Statement, statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from halmirror.export import Wanted
    from halmirror.record import Record

_TERMS: Final = "http://purl.org/dc/terms/"
_TYPE: Final = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
_XSD: Final = "http://www.w3.org/2001/XMLSchema#"
_DATES: Final = (
    ("gYear", re.compile(r"[0-9]{4}")),
    ("gYearMonth", re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")),
    ("date", re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])")),
)
_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]')
_SHORT: Final = {'"': r"\"", "\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"}


def write(records: Iterable[Record], out: IO[bytes], wanted: Wanted) -> int:
    """Write the statements of the records; return how many records.

    The sources' terms of use come first, as ``#`` lines.
    """
    for line in (wanted.statement or "").splitlines():
        out.write(f"# {_ESCAPED.sub(' ', line).strip()}".rstrip().encode() + b"\n")
    count = 0
    for record in records:
        out.write("".join(triples(record)).encode())
        count += 1
    return count


def triples(record: Record) -> Iterator[str]:
    """The statements of a record, a line each."""
    head = record.head
    name = head.oai_identifier or f"oai:{head.id}"
    subject = f"<{uri(name) or 'urn:x-oai:' + quote(name, '')}>"
    yield f"{subject} {_TYPE} <{_TERMS}BibliographicResource> .\n"
    for statement in statements(record):
        yield f"{subject} <{_TERMS}{statement.term}> {_object(statement)} .\n"


def _object(statement: Statement) -> str:
    if statement.kind == "address" and (address := uri(statement.value)):
        return f"<{address}>"
    text = '"' + _ESCAPED.sub(_escape, statement.value) + '"'
    if statement.kind == "date":
        kind = next((kind for kind, form in _DATES if form.fullmatch(statement.value)), None)
        return f"{text}^^<{_XSD}{kind}>" if kind else text
    return f"{text}@{statement.lang}" if statement.lang else text


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    return _SHORT.get(character) or f"\\u{ord(character):04X}"
