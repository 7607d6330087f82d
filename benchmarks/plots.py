"""Plots of rate, memory and file over the records: small SVG, for light and dark pages."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from workbench import Figures

_WIDTH, _HEIGHT = 640, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 40, 32, 36
_POINTS = 120
_STRETCHES = 40
"""A rate is that of so many stretches of the run: enough to even out the commits."""
_STYLE = (
    "<style>text{font:12px sans-serif;fill:#333}.t{font-weight:bold}"
    ".a{stroke:#999;fill:none}.g{stroke:#ddd}.l{stroke:#1763b6;stroke-width:2;fill:none}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}.a{stroke:#777}.g{stroke:#444}"
    ".l{stroke:#6db3ff}}</style>"
)


def write_plots(folder: Path, series: Sequence[Figures]) -> None:
    """Write ``performance-rate.svg``, ``-memory.svg`` and ``-file.svg`` into a folder."""
    points = _thinned([one for one in series if one["records"]], _POINTS)
    mib = 1024 * 1024
    drawn = {
        "rate": ("Records a second", _rates(_thinned(points, _STRETCHES))),
        "memory": (
            "Memory of all processes (MiB)",
            [(one["records"], one["memory"] / mib) for one in points],
        ),
        "file": (
            "File with its log (MiB)",
            [(one["records"], one["file"] / mib) for one in points],
        ),
    }
    for name, (title, values) in drawn.items():
        (folder / f"performance-{name}.svg").write_text(plot(title, values), encoding="utf-8")


def plot(title: str, points: Sequence[tuple[float, float]]) -> str:
    """A line through points (records, value), with axes from zero."""
    right = max((x for x, _ in points), default=1) or 1
    top = _round_up(max((y for _, y in points), default=1) or 1)
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def at(x: float, y: float) -> str:
        return f"{_LEFT + x / right * wide:.1f},{_TOP + (1 - y / top) * high:.1f}"

    grid = "".join(
        f'<path class="g" d="M{at(0, y)} L{at(right, y)}"/>'
        f'<text x="{_LEFT - 6}" y="{float(at(0, y).partition(",")[2]) + 4:.0f}"'
        f' text-anchor="end">{y:,.0f}</text>'
        for y in (top * part / 4 for part in range(5))
    )
    marks = "".join(
        f'<text x="{at(x, 0).partition(",")[0]}" y="{_HEIGHT - 14}"'
        f' text-anchor="middle">{x:,.0f}</text>'
        for x in _ticks(right)
    )
    line = " L".join(at(x, y) for x, y in points)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
        f' aria-label="{title}, against records">{_STYLE}'
        f'<text class="t" x="{_LEFT}" y="18">{title}</text>{grid}{marks}'
        f'<path class="a" d="M{at(0, top)} L{at(0, 0)} L{at(right, 0)}"/>'
        f'<path class="l" d="M{line}"/>'
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 2}" text-anchor="end">records</text></svg>\n'
    )


def _rates(points: Sequence[Figures]) -> list[tuple[float, float]]:
    """The rate over the stretch before each point."""
    found = []
    for before, after in itertools.pairwise(points):
        if after["records"] > before["records"]:
            rate = (after["records"] - before["records"]) / (after["at"] - before["at"])
            found.append((after["records"], rate))
    return found


def _thinned(series: Sequence[Figures], count: int) -> Sequence[Figures]:
    step = max(1, len(series) // count)
    return [*series[:-1:step], series[-1]]


def _ticks(right: float) -> list[float]:
    """Three to six round numbers up to ``right``."""
    step = _round_up(right / 5)
    return [step * count for count in range(1, 7) if step * count <= right]


def _round_up(value: float) -> float:
    power = 1.0
    while power * 10 < value:
        power *= 10
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value)
