"""Metrics of the mirror for Prometheus, as a file for the node exporter's textfile collector.

The form is the text exposition format, version 0.0.4: HELP and TYPE before each metric's samples,
base units, label values escaped.  What is not known is left out.  ``docs/monitoring.md`` tells
what each metric means and what to alert on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from halmirror.record import STATUSES
from halmirror.status import day_end
from halmirror.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from halmirror.status import SourceStatus, Status
    from halmirror.store.model import Counts

_OUTCOMES = ("new", "changed", "unchanged", "gone", "quarantined")


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run did.

    ``started``: UTC time stamp; ``seconds``: how long it took; ``retries``: requests that were
    tried again, by source; ``counts``: what became of the records, by source.
    """

    command: str
    started: str
    seconds: float
    exit_code: int
    retries: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, Counts] = field(default_factory=dict)


@dataclass(slots=True)
class _Metric:
    """One metric, a gauge, with its samples: labels and value."""

    name: str
    help: str
    samples: list[tuple[tuple[tuple[str, str], ...], float]] = field(default_factory=list)

    def add(self, value: float | None, **labels: str) -> None:
        """Add a sample; what is not known is none."""
        if value is not None:
            self.samples.append((tuple(labels.items()), value))

    def lines(self) -> Iterator[str]:
        """The metric in the text format; nothing where it has no sample."""
        if not self.samples:
            return
        name = f"halmirror_{self.name}"
        yield f"# HELP {name} {self.help}"
        yield f"# TYPE {name} gauge"
        for labels, value in self.samples:
            told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
            yield f"{name}{{{told}}} {_number(value)}" if told else f"{name} {_number(value)}"


def render(status: Status, run: RunFacts | None) -> str:
    """The metrics of a mirror, and of the run that has just ended where there was one."""
    metrics = [*_of_sources(status), *_of_mirror(status)]
    if run is not None:
        metrics += _of_run(run)
    return "".join(f"{line}\n" for metric in metrics for line in metric.lines())


def _of_sources(status: Status) -> list[_Metric]:
    records = _Metric("records", "Versions of records held, by status.")
    for source in status.sources:
        for one in STATUSES:
            records.add(source.records[one], source=source.name, status=one)
    return [records, *(_gauge(status, *row) for row in _BY_SOURCE)]


def _gauge(
    status: Status, name: str, text: str, value: Callable[[SourceStatus], float | None]
) -> _Metric:
    metric = _Metric(name, text)
    for source in status.sources:
        metric.add(value(source), source=source.name)
    return metric


def _unexplained(source: SourceStatus) -> int | None:
    return None if source.missing is None else source.missing.unexplained


def _last_success(source: SourceStatus) -> float | None:
    return None if source.last_success is None else _seconds(source.last_success)


def _complete_as_of(source: SourceStatus) -> float | None:
    return None if source.complete_as_of is None else day_end(source.complete_as_of).timestamp()


_BY_SOURCE: tuple[tuple[str, str, Callable[[SourceStatus], float | None]], ...] = (
    (
        "announced_records",
        "Records the source announced when a run last closed every window.",
        lambda source: source.announced,
    ),
    (
        "unexplained_records",
        "Announced records that are not held and that nothing known explains.",
        _unexplained,
    ),
    (
        "last_success_timestamp_seconds",
        "When a run last ended with every window closed.",
        _last_success,
    ),
    (
        "complete_as_of_timestamp_seconds",
        "End of the last day (UTC) up to which every window is closed.",
        _complete_as_of,
    ),
    (
        "lag_seconds",
        "Time since the end of the last complete day, when this file was written.",
        lambda source: source.lag_seconds,
    ),
    ("open_windows", "Windows that no run could close yet.", lambda one: len(one.open_windows)),
    ("quarantined_records", "Records that could not be taken.", lambda one: one.quarantined),
    (
        "withheld_records",
        "Records the source announces but does not give.",
        lambda one: len(one.withheld),
    ),
)
"""Name, help and value of each metric that every source has one sample of."""


def _of_mirror(status: Status) -> list[_Metric]:
    size = _Metric("mirror_size_bytes", "Size of the mirror's file and of its log.")
    size.add(status.size_bytes)
    build = _Metric("build_info", "The version of halmirror that wrote this file; always 1.")
    build.add(1, version=__version__)
    return [size, build]


def _of_run(run: RunFacts) -> list[_Metric]:
    info = _Metric("last_run_info", "The command of the last run; always 1.")
    info.add(1, command=run.command)
    began = _Metric("last_run_timestamp_seconds", "When the last run began.")
    began.add(_seconds(run.started))
    took = _Metric("last_run_duration_seconds", "How long the last run took.")
    took.add(run.seconds)
    code = _Metric("last_run_exit_code", "The exit code of the last run; 0 is done.")
    code.add(run.exit_code)
    retries = _Metric("last_run_retries", "Requests of the last run that were tried again.")
    for name, number in run.retries.items():
        retries.add(number, source=name)
    records = _Metric("last_run_records", "What became of the records of the last run.")
    for name, counts in run.counts.items():
        for outcome in _OUTCOMES:
            records.add(getattr(counts, outcome), source=name, outcome=outcome)
    return [info, began, took, code, retries, records]


def _seconds(stamp: str) -> float:
    """Seconds since 1970 of a time stamp."""
    return datetime.fromisoformat(stamp).timestamp()


def _number(value: float) -> str:
    """A value without an exponent where it is whole."""
    return str(int(value)) if value == int(value) else repr(float(value))


def _escaped(text: str) -> str:
    r"""A label's value: ``\``, ``"`` and line feeds escaped, and no half of a character."""
    whole = text.encode("utf-8", "backslashreplace").decode()
    return whole.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
