"""The stated inverses of HAL's rules: which Dublin Core values a normalised record stands for.

Written from ``docs/normalising.md`` alone.  Values are compared without white space, since that
is all that normalising may drop besides what is named here.
"""

import html
import json
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from crosswalks.document_type_labels import LABELS

_REFERENCE = re.compile(r"&(?:#[0-9]+|#x[0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);")
_DOMAINS = Path(__file__).resolve().parents[2] / "src/halmirror/reference/domains.json"
_SCHEMES = {
    "doi": "DOI",
    "arxiv": "ARXIV",
    "pmid": "PUBMED",
    "nnt": "NNT",
    "isbn": "ISBN",
    "hdl": "HDL",
    "report": "Report N°",
    "patent": "Patent N°",
}


def squeezed(text: str) -> str:
    """Without white space, in NFC."""
    return unicodedata.normalize("NFC", "".join(text.split()))


def undone(text: str) -> str:
    """A second escaping undone once."""
    return _REFERENCE.sub(lambda found: html.unescape(found[0]), text)


def stands_for(element: str, lang: str | None, text: str, record: dict[str, Any]) -> bool:
    """Whether a source value can be told from the record again."""
    wanted = squeezed(text)
    if element in ("identifier", "relation", "type", "rights"):
        wanted = wanted.casefold().replace("-", "")
        return any(
            wanted == squeezed(one).casefold().replace("-", "") for one in _VALUES[element](record)
        )
    if element == "creator":
        wanted = wanted.rstrip(",")
    if element == "contributor" and wanted.startswith(("EuropeanProject:", "ANR:", "ANR-")):
        return _project_is_there(text, record)
    del lang
    return any(wanted == squeezed(one) for one in _VALUES[element](record))


def _project_is_there(text: str, record: dict[str, Any]) -> bool:
    """Every part between the separators is in one entry: which part it is, its key says."""
    parts = [
        squeezed(one) for one in re.split(r"^European Project\s*:|^ANR\s*:|[,()]", text.strip())
    ]
    parts = [one for one in parts if one]
    if not parts:
        return True
    for entry in record.get("funding", []):
        held = squeezed(" ".join(entry.values()))
        if all(one in held for one in parts):
            return True
    return False


def _all(record: dict[str, Any], *path: str) -> Iterator[str]:
    held: Any = record
    for key in path:
        held = held.get(key) if isinstance(held, dict) else None
    if isinstance(held, str):
        yield held
    for one in held if isinstance(held, list) else ():
        yield one if isinstance(one, str) else one["value"]


def _publisher(record: dict[str, Any]) -> Iterator[str]:
    yield "HAL CCSD"
    yield from _all(record, "publishers")


def _title(record: dict[str, Any]) -> Iterator[str]:
    for one in record.get("titles", []):
        yield one["value"]
        if "subtitle" in one:
            yield f"{one['value']}: {one['subtitle']}"


def _creator(record: dict[str, Any]) -> Iterator[str]:
    for one in record.get("creators", []):
        yield one.get("literal", "").rstrip(", ")
        yield ",".join(one[key] for key in ("family", "given") if key in one)


def _contributor(record: dict[str, Any]) -> Iterator[str]:
    yield from _all(record, "contributors")
    for one in record.get("affiliations", []):
        acronym = f"({one['acronym']})" if "acronym" in one else ""
        parents = f";{'-'.join(one['parents'])}" if "parents" in one else ""
        yield f"{one['name']}{acronym}{parents}"


def _description(record: dict[str, Any]) -> Iterator[str]:
    yield {
        "international": "International audience",
        "national": "National audience",
        None: "",
    }[record.get("audience")]
    yield from _all(record, "abstracts")
    yield from _all(record, "notes")


def _source(record: dict[str, Any]) -> Iterator[str]:
    for key in ("title", "series", "conference", "also", "link"):
        yield from _all(record, "container", key)
    for key in ("issn", "eissn"):
        for one in _all(record, "container", key):
            yield f"{key.upper()}: {one}"
    yield from _all(record, "citation")
    yield from _all(record, "landing_page")
    yield from _all(record, "publishers")
    yield from _other(record)


def _other(record: dict[str, Any]) -> Iterator[str]:
    for one in record.get("identifiers", {}).get("other", []):
        yield f"{one['scheme']}: {one['value']}" if "scheme" in one else one["value"]


def _identifier(record: dict[str, Any]) -> Iterator[str]:
    yield record["id"]
    yield f"{record['id']}v{record.get('version')}"
    yield from _all(record, "landing_page")
    yield from _all(record, "files")
    for scheme, name in _SCHEMES.items():
        for one in _all(record, "identifiers", scheme):
            yield f"{name}: {one}"
    yield from _other(record)


def _relation(record: dict[str, Any]) -> Iterator[str]:
    for scheme in ("doi", "arxiv", "pmid", "hdl"):
        for one in _all(record, "identifiers", scheme):
            yield f"info:eu-repo/semantics/altIdentifier/{scheme}/{one}"
    named = {"DOI": "doi", "ARXIV": "arxiv", "PUBMED": "pmid", "HDL": "hdl", "ISBN": "isbn"}
    for other in record.get("identifiers", {}).get("other", []):
        scheme = named.get(other.get("scheme"), other.get("scheme"))
        yield f"info:eu-repo/semantics/altIdentifier/{scheme}/{other['value']}"
    for one in record.get("funding", []):
        fields = (one.get("number", ""), "EU", one.get("title", ""), one.get("acronym", ""))
        yield "/".join(("info:eu-repo/grantAgreement", "", *fields))
        programme = one.get("programme", "")
        yield "/".join(("info:eu-repo/grantAgreement", one.get("funder", ""), programme, *fields))
    yield from _all(record, "notes")


@cache
def _domain_labels() -> dict[str, str]:
    table = json.loads(_DOMAINS.read_text(encoding="utf-8"))
    labels = {}
    for code in table:
        parts = code.split(".")
        above = [table[".".join(parts[: place + 1])]["en"] for place in range(len(parts))]
        labels[code] = "/".join(one or "" for one in above)
    return labels


def _subject(record: dict[str, Any]) -> Iterator[str]:
    yield from _all(record, "keywords")
    for code in record.get("domains", []):
        yield f"[{code.upper()}] {_domain_labels().get(code, '')}"
    for one in record.get("classifications", []):
        yield one["value"] if one.get("scheme") == "HAL" else f"{one['scheme']}: {one['value']}"


def _type(record: dict[str, Any]) -> Iterator[str]:
    yield from _all(record, "type", "info_eu_repo")
    yield from _all(record, "type", "other")
    for code, english, french, _ in LABELS:
        if record.get("type", {}).get("hal") == code:
            yield english
            yield french


def _rights(record: dict[str, Any]) -> Iterator[str]:
    yield from _all(record, "licence_url")
    if record.get("access") == "open":
        yield "info:eu-repo/semantics/OpenAccess"
    yield from _all(record, "notes")


def _date(record: dict[str, Any]) -> Iterator[str]:
    yield from _all(record, "date")
    yield from _all(record, "notes")


_VALUES = {
    "publisher": _publisher,
    "title": _title,
    "creator": _creator,
    "contributor": _contributor,
    "description": _description,
    "source": _source,
    "identifier": _identifier,
    "relation": _relation,
    "language": lambda record: _all(record, "languages"),
    "subject": _subject,
    "type": _type,
    "coverage": lambda record: _all(record, "coverage"),
    "rights": _rights,
    "date": _date,
    "format": lambda record: _all(record, "notes"),
}
