"""Plots as SVG: made here from numbers alone, so that a page needs no script for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

_WIDTH: Final = 960
_HEIGHT: Final = 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 104, 8, 12, 28
_TICKS: Final = 4
_OPENED: Final = (
    f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true" focusable="false">'
)


def bars(counts: Mapping[int, int], written: Callable[[int], str]) -> Markup:
    """A bar for each whole number from the least key to the greatest; empty without counts.

    ``written`` gives a count as its reader writes it.  The table beside it tells the same.
    """
    if not counts:
        return Markup()
    first, last = min(counts), max(counts)
    top = _round_up(max(counts.values()))
    step = (_WIDTH - _LEFT - _RIGHT) / (last - first + 1)
    deep = _HEIGHT - _TOP - _BOTTOM
    parts = [_OPENED, *_grid(top, written)]
    for key, count in sorted(counts.items()):
        high = deep * count / top
        x = _LEFT + (key - first) * step
        parts.append(
            f'<rect class="bar" x="{x:.1f}" y="{_TOP + deep - high:.1f}" '
            f'width="{max(step * 0.85, 0.6):.2f}" height="{high:.1f}"/>'
        )
    for key in dict.fromkeys((first, (first + last) // 2, last)):
        x = _LEFT + (key - first + 0.5) * step
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{key}</text>')
    parts.append("</svg>")
    return Markup("".join(parts))  # noqa: S704 - numbers, and what was escaped


def line(points: Sequence[tuple[date, int]], written: Callable[[int], str]) -> Markup:
    """A line of counts over days, flat until the next one; empty without points."""
    if not points:
        return Markup()
    first, last = points[0][0].toordinal(), points[-1][0].toordinal()
    top = _round_up(max(count for _, count in points))
    wide, deep = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    bottom = _TOP + deep
    path = f"M{_LEFT} {bottom}"
    for day, count in points:
        x = _LEFT + wide * (day.toordinal() - first) / max(last - first, 1)
        path += f"H{x:.1f}V{bottom - deep * count / top:.1f}"
    path += f"H{_WIDTH - _RIGHT}"
    parts = [_OPENED, *_grid(top, written)]
    parts.append(f'<path class="area" d="{path}V{bottom}Z"/><path class="line" d="{path}"/>')
    ends = (("start", _LEFT, points[0][0]), ("end", _WIDTH - _RIGHT, points[-1][0]))
    parts += [
        f'<text x="{x}" y="{_HEIGHT - 8}" text-anchor="{anchor}">{day.isoformat()}</text>'
        for anchor, x, day in ends[: 1 + (last > first)]
    ]
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - numbers, and what was escaped


def _grid(top: int, written: Callable[[int], str]) -> Iterator[str]:
    """The lines across, and what count each stands for."""
    for tick in range(_TICKS + 1):
        y = _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - tick / _TICKS)
        yield (
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
            f"{escape(written(top * tick // _TICKS))}</text>"
        )


def _round_up(count: int) -> int:
    """The next number that four ticks divide into whole ones."""
    unit = _TICKS
    while unit * 10 < count:
        unit *= 10
    return -(-count // unit) * unit
