"""The server's log: a line each on standard error, from every process."""

from __future__ import annotations

import logging
import sys


def to_standard_error() -> None:
    """Send requests (`halmirror.access`) and uvicorn's warnings to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    for name, level in (("halmirror.access", logging.INFO), ("uvicorn.error", logging.WARNING)):
        log = logging.getLogger(name)
        log.handlers, log.propagate = [handler], False
        log.setLevel(level)
