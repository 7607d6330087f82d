"""Headers and records as bytes, in the order they are asked for."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from halmirror.export.addresses import uri
from halmirror.export.oai_dc import comment, xml_text
from halmirror.provider.asked import is_set_spec, is_uri
from halmirror.provider.identity import origin_url
from halmirror.provider.metadata import OAI_DC, PassedOn, as_it_came, namespace_of, normalised
from halmirror.store.calendar import utc

if TYPE_CHECKING:
    from halmirror.store.items import Item, Items
    from halmirror.store.reader import State

AS_IT_CAME: Final = "oai_dc"
NORMALISED: Final = "oai_dc_norm"
PREFIXES: Final = (AS_IT_CAME, NORMALISED)

_PROVENANCE: Final = "http://www.openarchives.org/OAI/2.0/provenance"
_ABOUT: Final = (
    b'<about>%s<provenance xmlns="' + _PROVENANCE.encode() + b'" '
    b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="'
    + f"{_PROVENANCE} {_PROVENANCE}.xsd".encode()
    + b'"><originDescription harvestDate="%s" altered="%s"><baseURL>%s</baseURL>'
    b"<identifier>%s</identifier><datestamp>%s</datestamp>"
    b"<metadataNamespace>%s</metadataNamespace></originDescription></provenance></about>"
)
_SETS_REMEMBERED: Final = 100_000
_LEFT_OUT: Final = "left out, since the schema of oai_dc does not allow it: "


class Writing:
    """Writes items as of a commit, under a metadata prefix."""

    def __init__(self, items: Items, at: int, prefix: str) -> None:
        self._items = items
        self._at = at
        self._prefix = prefix
        self._renewed_at = items.renewed_at(as_they_came=prefix == AS_IT_CAME)
        self._origins = {
            name: _address(origin_url(origin)) for name, origin in items.origins().items()
        }

    def header(self, item: Item) -> bytes:
        """The header of an item; one that is not active is deleted (section 2.5.1).

        Raises `MirrorError` where the mirror is damaged.
        """
        return b"<header%s><identifier>%s</identifier><datestamp>%s</datestamp>%s</header>" % (
            b"" if item.is_active else b' status="deleted"',
            _identifier(item.identifier),
            utc(max(self._items.calendar.second(item.seq), self._renewed_at)).encode(),
            b"".join(sorted(map(self._set_element, item.sets))),
        )

    def record(self, item: Item) -> bytes:
        """The record of an item: its header and, where it is active, metadata and origin.

        Raises `MirrorError` where the mirror is damaged.
        """
        if not item.is_active:
            return b"<record>%s</record>\n" % self.header(item)
        state = self._items.state(item, self._at)
        source = self._items.reader.frame(state).source
        passed = self._passed_on(state, source)
        is_oai_dc = state.prefix == AS_IT_CAME or source.startswith(b"<oai_dc:dc ")
        return b"<record>%s<metadata>%s</metadata>%s</record>\n" % (
            self.header(item),
            passed.xml,
            _ABOUT
            % (
                comment(_LEFT_OUT + "; ".join(passed.left_out)) if passed.left_out else b"",
                utc(self._items.calendar.second(state.first_seq)).encode(),
                b"true" if passed.is_altered else b"false",
                self._origins[state.source],
                _identifier(item.identifier),
                _datestamp(state.datestamp) or utc(self._items.calendar.second(item.seq)).encode(),
                OAI_DC.encode() if is_oai_dc else _address(namespace_of(source)),
            ),
        )

    def _passed_on(self, state: State, source: bytes) -> PassedOn:
        """The metadata by the prefix; what came in another format is given as Dublin Core."""
        if self._prefix == AS_IT_CAME and (found := as_it_came(source)) is not None:
            return found
        return normalised(self._items.reader.record(state, self._at))

    def _set_element(self, number: str) -> bytes:
        """A set of an item's; nothing where the schema forbids its setSpec."""
        known = self._items.written_sets
        element = known.get(number)
        if element is None:
            spec = self._items.set_spec(number)
            element = b"<setSpec>%s</setSpec>" % spec.encode() if is_set_spec(spec) else b""
            if len(known) >= _SETS_REMEMBERED:
                known.clear()
            known[number] = element
        return element


@lru_cache(maxsize=1024)
def _datestamp(text: str) -> bytes | None:
    """A source's datestamp where it is a date or a time."""
    try:
        if len(text) == len("YYYY-MM-DD"):
            date.fromisoformat(text)
        else:
            datetime.fromisoformat(text)
    except ValueError:
        return None
    return text.encode() if re.fullmatch("[0-9T:Z-]+", text) else None


def _identifier(text: str) -> bytes:
    """An identifier as the schema allows it: what is no plain URI is percent-encoded whole."""
    return (text.replace("&", "&amp;") if is_uri(text) else quote(text, safe="")).encode()


def _address(text: str) -> bytes:
    """An address or namespace as the schema allows it."""
    return xml_text(text if is_uri(text) else uri(text) or quote(text, safe="")).encode()
