"""Which source comes first where several hold the same id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from halmirror.store.reader import State


class Preference(msgspec.Struct, frozen=True):
    """The order of sources: that of the configuration, then all others by name."""

    places: Mapping[str, int] = {}

    @classmethod
    def of(cls, sources: Sequence[str]) -> Preference:
        """The preference of sources in the order given."""
        return cls({name: place for place, name in enumerate(sources)})

    def rank(self, source: str, *, active: bool) -> tuple[bool, int, str]:
        """Where a copy comes: active ones first, then by source; the least is the best."""
        return (not active, self.places.get(source, len(self.places)), source)

    def state_rank(self, state: State) -> tuple[bool, int, str]:
        """The rank of a state."""
        return self.rank(state.source, active=state.status == "active")
