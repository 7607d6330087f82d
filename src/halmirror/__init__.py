"""halmirror: a complete, current and provable local mirror of HAL's metadata.

``Mirror`` reads a mirror; ``Filters`` says what to pick; ``Record`` is what comes out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halmirror.version import __version__

__all__ = ["Filters", "Hits", "Mirror", "Record", "__version__"]

if TYPE_CHECKING:
    from halmirror.mirror import Filters, Hits, Mirror
    from halmirror.record import Record


def __getattr__(name: str) -> object:
    """Import the public names when they are first used, so that ``--version`` starts fast."""
    if name in {"Filters", "Hits", "Mirror"}:
        from halmirror import mirror

        return getattr(mirror, name)
    if name == "Record":
        from halmirror.record import Record

        return Record
    raise AttributeError(f"module 'halmirror' has no attribute {name!r}")
