"""Dublin Core as a source gave it: what is between reading a page and normalising a record."""

from __future__ import annotations

import msgspec

DC = "http://purl.org/dc/elements/1.1/"


class Source(msgspec.Struct, frozen=True, gc=False):
    """One value of the metadata: the element's local name, its text as it came, its language."""

    element: str
    text: str
    lang: str | None
