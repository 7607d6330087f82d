"""The pauses that sources ask for, kept from run to run (``Retry-After``, RFC 9110, 10.2.3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from halmirror.errors import RetryLaterError, SourceError
from halmirror.store.database import seconds_since, time_stamp

if TYPE_CHECKING:
    from halmirror.config import SourceSettings
    from halmirror.store.writer import Writer

_LONGEST_SECONDS = 30.0 * 86_400
"""No server is left alone for longer, whatever it said: that would be a mirror gone stale."""


def check_pause(writer: Writer, settings: SourceSettings) -> None:
    """Raises `RetryLaterError` where the source, at this address, asked to be left alone still."""
    until = writer.come_back_at(settings.name, settings.base_url)
    if until is None or seconds_since(until) >= 0:
        return
    raise RetryLaterError(
        f"the source asked to be left alone until {until[:19]}Z and is not asked before; "
        "run again then, or harvest with --now",
        -seconds_since(until),
    )


def keep_pause(writer: Writer, settings: SourceSettings, error: SourceError) -> None:
    """Keep the pause that an error tells of, if it tells of one."""
    if isinstance(error, RetryLaterError):
        keep_hold(writer, settings, error.seconds)


def keep_hold(writer: Writer, settings: SourceSettings, seconds: float) -> None:
    """Keep that the source wants to be left alone for so many seconds more."""
    if seconds > 0:
        source, _ = writer.source(settings.name, settings.base_url, settings.profile)
        until = datetime.now(UTC) + timedelta(seconds=min(seconds, _LONGEST_SECONDS))
        writer.leave_alone(source, time_stamp(until))
