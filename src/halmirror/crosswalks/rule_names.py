"""Where each rule is documented: its name, as the account gives it, and the section.

Sections are headings of ``docs/normalising.md``, whose last table lists the same names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCUMENT = "docs/normalising.md"
_TEXT = "Text"
_HAL = "HAL's oai_dc (profile `hal`)"
_TERMS = 'HAL\'s oai_dcterms (profile `hal`, `metadata_prefix = "oai_dcterms"`)'
_GENERIC = "Everyone else (profile `generic`)"
_OTHER = "Any other metadata prefix"
_TYPES = "Document types"
_ADDRESSES = "Identifiers and addresses"

_HAL_RULES: Mapping[str, str] = {
    "empty": _TEXT,
    "no rule": _HAL,
    "archive": _HAL,
    "publisher": _HAL,
    "title": _HAL,
    "subtitle": _HAL,
    "creator": _HAL,
    "contributor": _HAL,
    "affiliation": "Affiliations",
    "project": "Funding",
    "grant agreement": "Funding",
    "abstract": _HAL,
    "audience": _HAL,
    "second audience": _HAL,
    "comment": _HAL,
    "ISSN": "Identifiers",
    "further ISSN": _HAL,
    "container title": _HAL,
    "container conference": _HAL,
    "further container title": _HAL,
    "citation": _HAL,
    "publisher's address": _HAL,
    "series": _HAL,
    "further source": _HAL,
    "record's id": _HAL,
    "record's address": _HAL,
    "further address": _HAL,
    "file": _HAL,
    "address of something else": _HAL,
    "identifier": "Identifiers",
    "failed check": "Identifiers",
    "other scheme": _HAL,
    "identifier without scheme": _HAL,
    "alternative identifier": _HAL,
    "relation": _HAL,
    "language": _TEXT,
    "domain": "Domains",
    "domain with its label": _HAL,
    "classification": _HAL,
    "keyword": _HAL,
    "info:eu-repo term": _TYPES,
    "type label": _TYPES,
    "former type": _TYPES,
    "unknown type": _TYPES,
    "coverage": _HAL,
    "licence": _HAL,
    "access": "Access",
    "rights": _HAL,
    "date": _HAL,
}
_TERMS_RULES: Mapping[str, str] = {
    **_HAL_RULES,
    **dict.fromkeys(
        (
            "no rule", "abstract", "source", "collection", "isPartOf", "type code", "issued",
            "bibliographicCitation", "audience", "available", "conformsTo", "dateAccepted",
            "dateCopyrighted", "dateSubmitted", "extent", "format", "hasFormat", "hasPart",
            "hasVersion", "isFormatOf", "isReferencedBy", "isReplacedBy", "isRequiredBy",
            "isVersionOf", "medium", "modified", "provenance", "references", "replaces",
            "requires", "rightsHolder", "tableOfContents", "valid",
        ),
        _TERMS,
    ),
}  # fmt: skip
_GENERIC_RULES: Mapping[str, str] = {
    "empty": _TEXT,
    "no rule": _GENERIC,
    "publisher": _GENERIC,
    "title": _GENERIC,
    "creator": "Creators",
    "creator with affiliation": "Creators",
    "creator with role or years": "Creators",
    "contributor": _GENERIC,
    "abstract": _GENERIC,
    "comment": _GENERIC,
    "kind of description": _GENERIC,
    "labelled citation": _GENERIC,
    "keyword": _GENERIC,
    "keywords in one value": _GENERIC,
    "date": "Dates",
    "date in words or signs": "Dates",
    "date of the repository": "Dates",
    "info:eu-repo term": _GENERIC,
    "COAR type": _GENERIC,
    "type": _GENERIC,
    "format": _GENERIC,
    "own identifier": _GENERIC,
    "identifier": _ADDRESSES,
    "identifiers in one value": _ADDRESSES,
    "failed check": _ADDRESSES,
    "identifier without scheme": _ADDRESSES,
    "alternative identifier": _GENERIC,
    "address": _ADDRESSES,
    "address of a file": _ADDRESSES,
    "citation": _GENERIC,
    "ISSN": _GENERIC,
    "further ISSN": _GENERIC,
    "title of the container": _GENERIC,
    "source": _GENERIC,
    "language": _GENERIC,
    "languages in one value": _GENERIC,
    "grant agreement": "Funding",
    "relation": _GENERIC,
    "coverage": _GENERIC,
    "licence": _GENERIC,
    "licence in prose": _GENERIC,
    "access": _GENERIC,
    "rights": _GENERIC,
}

RULE_SECTIONS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("oai_dc", "hal"): _HAL_RULES,
    ("oai_dcterms", "hal"): _TERMS_RULES,
    ("oai_dc", "generic"): _GENERIC_RULES,
    ("oai_dcterms", "generic"): _GENERIC_RULES,
}
"""For each metadata prefix and profile the section of each of its rules."""


def section(prefix: str, profile: str, rule: str) -> str:
    """The heading under which ``docs/normalising.md`` states a rule."""
    return RULE_SECTIONS.get((prefix, profile), {}).get(rule, _OTHER)
