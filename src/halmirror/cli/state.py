"""``halmirror status``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from halmirror.cli.context import Invocation, pass_invocation
from halmirror.errors import UsageError
from halmirror.printable import printable, printable_json
from halmirror.windows import told

if TYPE_CHECKING:
    from halmirror.status import Missing, SourceStatus, Status, WindowProof

_WINDOWS_TOLD = 50
_WITHHELD_TOLD = 20
_EXAMPLES_MOST = 10_000


@click.command()
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option("--check", "checking", is_flag=True, help="One line and a monitoring exit code.")
@click.option(
    "--max-age", default="2d", show_default=True, metavar="DURATION",
    help="With --check: how old a source's last success may be (30s, 15m, 2h, 2d).",
)  # fmt: skip
@click.option("--windows", is_flag=True, help="The proof, window by window, newest first.")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N",
    help=f"With --windows: so many of each source (as text {_WINDOWS_TOLD}, as JSON all).",
)  # fmt: skip
@click.option("--quality", "wants_quality", is_flag=True, help="What the records lack.")
@click.option(
    "--examples", type=click.IntRange(0, _EXAMPLES_MOST), metavar="N",
    help="With --quality: name so many records for each thing that is lacking or warned of.",
)  # fmt: skip
@pass_invocation
def status(
    invocation: Invocation,
    form: str,
    max_age: str,
    limit: int | None,
    examples: int | None,
    *,
    checking: bool,
    windows: bool,
    wants_quality: bool,
) -> None:
    """Tell what the mirror holds, the last runs, and what is missing and why.

    With --quality: the share of records with abstract, DOI, licence …, by type and year, and
    the most frequent warnings.
    With --check: exit code 0 when all is well, 1 when a person is needed, 2 for wrong usage.
    """
    from halmirror import status as statuses
    from halmirror.config import parse_duration

    seconds = parse_duration(max_age)
    if limit is not None and not windows:
        raise UsageError("--limit says how many windows to tell; give it with --windows")
    if examples is not None and not wants_quality:
        raise UsageError("--examples says how many records to name; give it with --quality")
    if wants_quality and (checking or windows):
        other = "--check" if checking else "--windows"
        raise UsageError(f"--quality and {other} are two reports; ask for one at a time")
    if wants_quality:
        _tell_quality(invocation, form, examples)
        return
    shown = limit or (_WINDOWS_TOLD if form == "text" else statuses.ALL_WINDOWS)
    settings = invocation.settings
    found = statuses.status(
        settings.mirror.path,
        [source.name for source in settings.sources],
        windows=shown if windows else None,
    )
    if checking:
        well, line = statuses.check(found, seconds)
        click.echo(printable(line))
        if not well:
            raise click.exceptions.Exit(1)
    elif form == "json":
        click.echo(printable_json(found.json()))
    else:
        click.echo(_text(found))


def _tell_quality(invocation: Invocation, form: str, examples: int | None) -> None:
    """Print the quality of the records; as JSON, beside what ``status`` has at any time."""
    import json

    from halmirror import quality
    from halmirror import status as statuses
    from halmirror.cli.quality_text import render

    path, names = invocation.settings.mirror.path, invocation.source_names
    found = quality.quality(path, names, quality.EXAMPLES if examples is None else examples)
    if form == "text":
        click.echo(render(found, invocation.ui, lacking=examples is not None))
        return
    plain = statuses.status(path, names).as_dict() | {"quality": found.as_dict()}
    click.echo(printable_json(json.dumps(plain, ensure_ascii=False, indent=2)))


def _text(found: Status) -> str:
    counts = ", ".join(f"{count} {name}" for name, count in found.records.items())
    lines = [printable(f"{found.path}: {counts}")]
    for source in found.sources:
        lines += [f"{'  ' * indent}{printable(line)}" for indent, line in _source(source)]
    if found.older_rules:
        lines.append(
            f"{_count(found.older_rules, 'content')} normalised by older rules: "
            "run 'halmirror renormalise'"
        )
    if found.history_since:
        lines.append(f"the history begins {found.history_since}: what came before was pruned")
    if found.pruning_open:
        lines.append("pruning was cut: 'halmirror history prune' finishes it")
    lines.append("last runs:")
    for run in found.runs:
        span = f"{run.started} to {run.finished or '…'}"
        outcome = run.outcome or "under way or killed"
        lines.append(f"  {printable(f'{run.number} {run.command} {span}: {outcome}')}")
    return "\n".join(lines)


def _source(source: SourceStatus) -> list[tuple[int, str]]:
    """A source's lines, each with its indent."""
    lines = [f"complete as of {source.complete_as_of}" if source.complete_as_of else "not complete"]
    lines[0] += f": {_held(source)}"
    lines += _differences(source)
    lines.append(_last_success(source))
    if source.come_back_at is not None:
        lines.append(f"asks to be left alone until {source.come_back_at}")
    if source.quarantined:
        lines.append(
            f"{source.quarantined} quarantined, the oldest since {source.quarantined_since}"
        )
    for window in source.open_windows:
        lines.append(
            f"open {_where(window.set, window.from_day, window.until_day)}: "
            f"{window.reason or 'not finished'}"
        )
    lines += [
        f"announced but not given: {one.identifier}: {one.reason}"
        for one in source.withheld[:_WITHHELD_TOLD]
    ]
    if len(source.withheld) > _WITHHELD_TOLD:
        more = len(source.withheld) - _WITHHELD_TOLD
        lines.append(f"announced but not given: {more} more; --format json names them all")
    found = [(0, f"{source.name} ({source.base_url or 'never harvested'})")]
    found += [(1, line) for line in lines]
    if source.windows is not None:
        found.append((1, "windows, newest first:" if source.windows else "no window yet"))
        found += [(2, _window(window)) for window in source.windows]
    return found


def _held(source: SourceStatus) -> str:
    """``N of N``, or what is held and why the whole is not known."""
    if source.announced is not None:
        return f"{source.received} of {source.announced} announced"
    if len(source.sets) > 1:
        return f"{source.received} active; the total of {len(source.sets)} sets is not known"
    if source.announced_at is None:
        return f"{source.received} active; the total is asked for once every window is closed"
    return f"{source.received} active; the server announces no total"


def _differences(source: SourceStatus) -> list[str]:
    """What is missing and why; what is held beyond what was announced."""
    if source.missing is not None and source.missing.total:
        return [f"{source.missing.total} missing: {_reasons(source, source.missing)}"]
    if not source.surplus:
        return []
    keeper = "HAL keeps no list of deletions" if source.profile == "hal" else "some may be gone"
    way = f"'halmirror reconcile {source.name}' finds them"
    return [f"{source.surplus} more than announced: {keeper}; {way}"]


def _reasons(source: SourceStatus, missing: Missing) -> str:
    reasons = []
    if missing.quarantined:
        reasons.append(f"{missing.quarantined} quarantined")
    if missing.withheld:
        reasons.append(f"{missing.withheld} announced but not given")
    if missing.deleted:
        reasons.append(f"{missing.deleted} deleted by the source")
    planned = [one for one in source.open_windows if one.kind == "plan"]
    if missing.unexplained and planned:
        reasons.append(
            f"{missing.unexplained} to come from {_count(len(planned), 'open window')}: "
            f"run 'halmirror harvest {source.name}'"
        )
    elif missing.unexplained:
        reasons.append(
            f"{missing.unexplained} not explained: 'halmirror harvest --full {source.name}' "
            "lists everything again"
        )
    return ", ".join(reasons)


def _last_success(source: SourceStatus) -> str:
    if source.last_success is None or source.seconds_since_success is None:
        return "last success never"
    ago = _duration(source.seconds_since_success)
    lag = f"; lag {_duration(source.lag_seconds)}" if source.lag_seconds else ""
    return f"last success {source.last_success}, {ago} ago{lag}"


def _window(window: WindowProof) -> str:
    """One window's proof in a line."""
    sizes = [str(one) for one in (window.announced_first, window.announced_last) if one is not None]
    announced = " then ".join(dict.fromkeys(sizes)) or "no number"
    parts = [f"announced {announced}", f"received {window.received}"]
    if window.distinct is not None:
        parts.append(f"distinct {window.distinct}")
    parts += [f"withheld {window.withheld}", f"quarantined {window.quarantined}"]
    if window.unaccounted:
        parts.append(f"NOT ACCOUNTED FOR {window.unaccounted}")
    if window.attempts:
        parts.append(f"taken again {_count(window.attempts, 'time')}")
    where = _where(window.set, window.from_day, window.until_day)
    end = (
        f"closed {window.closed_at} by {window.answer}"
        if window.state == "closed"
        else f"open: {window.reason or 'not finished'}"
    )
    return f"{window.kind} {where}: {', '.join(parts)}; opened {window.opened_at}, {end}"


def _where(set_spec: str, from_day: str | None, until_day: str | None) -> str:
    span = told((from_day, until_day))
    return f"set {set_spec} {span}" if set_spec else span


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _duration(seconds: int) -> str:
    """A span of time in its largest unit, rounded down."""
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return _count(seconds // size, unit)
    return _count(seconds, "second")
