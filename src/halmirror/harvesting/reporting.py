"""What a harvest leaves for those who were not there: a report as JSON, and metrics."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from halmirror import metrics as prometheus
from halmirror.errors import UsageError
from halmirror.status import status
from halmirror.whole_file import write

if TYPE_CHECKING:
    from pathlib import Path

    from halmirror.config import Settings
    from halmirror.harvesting.harvest import Report


def check(*files: Path | None) -> None:
    """Raises `UsageError` for a file whose folder is not there or cannot be written."""
    for file in files:
        folder = file.absolute().parent if file is not None else None
        if folder is not None and not (folder.is_dir() and os.access(folder, os.W_OK)):
            raise UsageError(f"{file} cannot be written: make its folder, or name another file")


def tell(
    settings: Settings, report: Report, *, metrics: Path | None, report_file: Path | None
) -> None:
    """Write the metrics of the mirror and of this run, and the run's report, each whole.

    Raises `OutputError`, and `MirrorError` where the mirror cannot be read for the metrics.
    """
    if report_file is not None:
        text = json.dumps(report.as_dict(), ensure_ascii=False, indent=2)
        write(report_file, text + "\n")
    if metrics is not None:
        names = [source.name for source in settings.sources]
        facts = prometheus.RunFacts(
            "harvest",
            report.started,
            report.seconds,
            report.exit_code,
            {source.name: source.retries for source in report.sources},
            {source.name: source.counts for source in report.sources},
        )
        write(metrics, prometheus.render(status(settings.mirror.path, names), facts))
