"""Who watches a harvest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from halmirror.store.model import Counts, Stream, Window


class Observer(Protocol):
    """Who watches a harvest: progress on a terminal, or a log."""

    def window(self, stream: Stream, window: Window, left: int) -> None:
        """A window begins or goes on; ``left`` windows wait behind it."""

    def page(self, stream: Stream, window: Window, counts: Counts) -> None:
        """A page was committed."""

    def cut(self, stream: Stream, window: Window, pieces: int) -> None:
        """A window was cut into so many, which are taken instead."""

    def ended(self, stream: Stream, window: Window, reason: str | None) -> None:
        """A window was closed, or left open for that reason."""

    def note(self, message: str) -> None:
        """Something worth a line in the log."""

    def warning(self, message: str) -> None:
        """Something a person should see."""
