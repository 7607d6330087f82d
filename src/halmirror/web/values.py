"""The values of filters and facets, as people call them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halmirror.record import STATUSES, DocumentType, labels
from halmirror.search.query import ACCESS_VALUES

if TYPE_CHECKING:
    from halmirror.record.labels import Ui


def value_label(kind: str, value: str, ui: Ui) -> str:
    """The label of a value of a facet; a code that no table knows is shown as it is."""
    if kind == "access" and value in ACCESS_VALUES:
        return labels.label(f"access.{value}", ui)
    if kind == "status" and value in STATUSES:
        return labels.label(f"status.{value}", ui)
    match kind:
        case "type":
            return labels.type_label(DocumentType(hal=value), ui) or value
        case "domain":
            return (labels.domain_label(value, ui) or value).replace("/", " / ")
        case "lang":
            return labels.language_name(value, ui)
        case _:
            return value
