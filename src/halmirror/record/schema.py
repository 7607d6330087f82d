"""The JSON Schema of the normalised record, made from the types of `halmirror.record`.

It is exact for what this release writes: keys that are empty are not there, and no others are
(``docs/record.md`` has the rules by which it changes).  ``docs/record.schema.json`` is `text`.
"""

from __future__ import annotations

import inspect
import json
from typing import Any, Final

import msgspec

from halmirror import record
from halmirror.record import STATUSES, Body, Head

SCHEMA_VERSION: Final = "1.0"
"""Major and minor version of the schema; ``docs/record.md`` says what raises which."""

_DAY: Final = r"(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])"
_CLOCK: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_DATE: Final = rf"[0-9]{{4}}{_DAY}(T{_CLOCK}(Z|[+-][0-9]{{2}}:[0-9]{{2}})?)?)?)?"

_PATTERNS: Final = {
    "Head.datestamp": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?$",
    "Head.status_since": rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_CLOCK}\.[0-9]{{3}}Z$",
    "DocumentType.coar": r"^http://purl\.org/coar/resource_type/",
    "Container.issn": r"^[0-9]{4}-[0-9]{3}[0-9X]$",
    "Container.eissn": r"^[0-9]{4}-[0-9]{3}[0-9X]$",
    "Identifiers.doi": r"^10\.[0-9]{4,9}(\.[0-9]+)*/[^\sA-Z]+$",
    "Identifiers.arxiv": r"^([0-9]{4}\.[0-9]{4,5}|[a-z-]+(\.[A-Z]{2})?/[0-9]{7})(v[0-9]+)?$",
    "Identifiers.pmid": r"^[1-9][0-9]{0,8}$",
    "Identifiers.nnt": r"^[0-9]{4}[A-Z]{2}[A-Z0-9]{6}$",
    "Identifiers.isbn": r"^([0-9]{9}[0-9X]|97[89][0-9]{10})$",
}
"""What the text of a key (of a list: each text) looks like."""

_TERMS: Final[dict[str, tuple[str, ...]]] = {
    "Head.status": STATUSES,
    "Body.audience": ("international", "national"),
}
_ALWAYS: Final = ("id", "source", "oai_identifier", "datestamp", "status")
"""The keys that every record has."""

_CONDITIONS: Final[dict[str, Any]] = {
    "if": {"properties": {"status": {"const": "active"}}},
    "then": {"properties": {"status_since": False, "followed_by": False}},
    "else": {"required": ["status_since"]},
    "dependentSchemas": {
        "year": {"required": ["date"], "properties": {"date": {"pattern": f"^{_DATE}(/{_DATE})?$"}}}
    },
}
"""What holds between keys of a record.  A date without a year is none that a rule could read."""

_SHAPES: Final[dict[str, Any]] = {
    "Name": {
        "oneOf": [
            {"required": ["family"], "properties": {"literal": False}},
            {"required": ["literal"], "properties": {"family": False, "given": False}},
        ]
    }
}

MEANINGS: Final = {
    "Head.id": "The document's id: HAL's without version, elsewhere the OAI identifier.",
    "Head.version": "HAL's version number; not there where the identifier has none.",
    "Head.source": "The name of the source in the configuration.",
    "Head.oai_identifier": "The identifier of the OAI-PMH header, as it came.",
    "Head.datestamp": "The datestamp of the OAI-PMH header: a day or a second, UTC.",
    "Head.status": "How the record stands in the mirror.",
    "Head.status_since": "Since when it is not active: the commit's time, UTC.",
    "Head.followed_by": "The id, with version, of what came in its place.",
    "Head.same_as": "Other documents of the same work, by source and id.",
    "Head.sets": "The sets of the OAI-PMH header, sorted.",
    "Body.type": "What kind of document it is.",
    "Body.titles": "The titles, in the source's order.",
    "Body.creators": "The authors, in the source's order.",
    "Body.affiliations": "Laboratories and institutions; Dublin Core does not say whose.",
    "Body.contributors": "Contributors that are neither affiliations nor funders.",
    "Body.funding": "The projects that paid for the work.",
    "Body.abstracts": "The abstracts.",
    "Body.notes": "Comments, and every value that has no other place.",
    "Body.keywords": "The keywords.",
    "Body.domains": "HAL's domains, by code.",
    "Body.classifications": "Codes and headings of other classifications.",
    "Body.date": "The date as precise as it came: EDTF level 0 where `year` is there.",
    "Body.year": "The year of `date`, or the first of an interval.",
    "Body.languages": "The document's languages: BCP 47; what is no tag as it came.",
    "Body.container": "What the work appeared in.",
    "Body.citation": "The source's citation of the container, as it came.",
    "Body.publishers": "The publishers.",
    "Body.identifiers": "Identifiers, by scheme.",
    "Body.landing_page": "The address of the record's page.",
    "Body.files": "The addresses of its files.",
    "Body.access": "Whether there is a file, and whether it is open.",
    "Body.licence": "The licence: SPDX's id, or the source's name of it.",
    "Body.licence_url": "The licence's address, as it came.",
    "Body.audience": "Whom HAL says it is for.",
    "Body.coverage": "Places and periods it is about; at HAL a conference's place.",
    "Body.warnings": "What no rule could make sense of, each with what became of it.",
}
"""What each key of a record means; ``docs/record.md`` has the same words."""


def schema() -> dict[str, Any]:
    """The schema (JSON Schema, draft 2020-12) as JSON values."""
    _, made = msgspec.json.schema_components([Head, Body])
    properties = {**_properties("Head", made["Head"]), **_properties("Body", made["Body"])}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:halmirror:record:{SCHEMA_VERSION}",
        "title": "Record",
        "description": "One version of one document, as halmirror shows and exports it.",
        "type": "object",
        "properties": properties,
        "required": list(_ALWAYS),
        "additionalProperties": False,
        **_CONDITIONS,
        "$defs": {
            name: _definition(name, made[name])
            for name in sorted(made)
            if name not in {"Head", "Body"}
        },
    }


def text() -> str:
    """The schema as a file's text."""
    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"


def _definition(name: str, made: dict[str, Any]) -> dict[str, Any]:
    """An object below the record; one without a key of its own that must be there is not empty."""
    required = {"required": made["required"]} if made["required"] else {"minProperties": 1}
    return {
        "title": name,
        "description": " ".join((inspect.getdoc(getattr(record, name)) or "").split()),
        "type": "object",
        "properties": _properties(name, made),
        **required,
        "additionalProperties": False,
        **_SHAPES.get(name, {}),
    }


def _properties(name: str, made: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _described(f"{name}.{key}", _written(f"{name}.{key}", value))
        for key, value in made["properties"].items()
    }


def _described(key: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"description": MEANINGS[key], **value} if key in MEANINGS else value


def _written(key: str, made: dict[str, Any]) -> dict[str, Any]:
    """What is written for a value of this type: no null and nothing empty."""
    made = next((one for one in made.get("anyOf", ()) if one != {"type": "null"}), made)
    value = {name: part for name, part in made.items() if name != "default"}
    if key in _TERMS:
        return {"enum": list(_TERMS[key])}
    match value.get("type"):
        case "array":
            return {"type": "array", "items": _written(key, value["items"]), "minItems": 1}
        case "string" if key in _PATTERNS:
            return {"type": "string", "pattern": _PATTERNS[key]}
        case "string":
            return {"type": "string", "minLength": 1}
        case "integer":
            return {"type": "integer", "minimum": 1}
        case _:
            return value
