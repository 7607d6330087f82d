"""The results as a Markdown table: what was measured, beside what, and the target."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workbench import Figures

_BEGIN = "<!-- written by scripts/bench: begin -->"
_END = "<!-- written by scripts/bench: end -->"
HAL_RATE = 270
"""Records a second: 970,564 in an hour from one connection is the most that was reported."""
_MEMORY = 200 * 1024 * 1024
_SERVED = {
    "file": "a static file",
    "record": "record page",
    "record_json": "record by the API",
    "search": "search page",
    "search_json": "search by the API",
    "get_record": "GetRecord",
    "list_records": "ListRecords, a page",
}


class Row(NamedTuple):
    """A line of the table; ``met`` is None where there is no target."""

    what: str
    figure: str
    target: str
    met: bool | None


def table(results: Figures) -> str:
    """The results as Markdown."""
    machine = results["machine"]
    where = (
        f"{machine['records']:,} records, {machine['cores']} cores, {machine['system']}, "
        f"Python {machine['python']}, SQLite {machine['sqlite']}, "
        f"load {machine['load']:.1f} when it began."
    )
    lines = [
        where,
        "",
        "| what | measured | target | |",
        "|---|---|---|---|",
    ]
    marks = {True: "met", False: "**missed**", None: ""}
    lines += [f"| {row.what} | {row.figure} | {row.target} | {marks[row.met]} |"
              for row in rows(results)]  # fmt: skip
    return "\n".join(lines) + "\n"


def rewrite(page: Path, results: Figures) -> None:
    """Put the table between its marks in a Markdown page; the prose around it stays."""
    text = page.read_text(encoding="utf-8")
    put = f"{_BEGIN}\n{table(results)}{_END}"
    new, count = re.subn(f"{_BEGIN}.*?{_END}", lambda _: put, text, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{page}: has no place for the table: {_BEGIN} … {_END}")
    page.write_text(new, encoding="utf-8")


def rows(results: Figures) -> Iterator[Row]:
    """The lines for what was measured."""
    for name, lines in (
        ("compare", _compared), ("full", _full), ("size", _size), ("show", _show),
        ("look_up", _look_up), ("search", _search), ("update", _update), ("export", _export),
        ("snapshot", _snapshot), ("provider", _provider), ("serve", _serve),
        ("renormalise", _renormalise), ("history", _history),
    ):  # fmt: skip
        if name in results:
            yield from lines(results[name])
    yield from _memory(results)


def _compared(one: Figures) -> Iterator[Row]:
    ratio = one["of_sickle"]["median"]
    rate = one["halmirror"]["rate"]["median"]
    yield Row(
        f"harvest, all included, {one['records']:,} records, beside Sickle to JSON Lines",
        f"{ratio:.2f} ({rate:,.0f} records a second; Sickle {one['sickle']['rate']['median']:,.0f};"
        f" {one['halmirror']['processes']} processes)",
        "1.0", ratio >= 1,
    )  # fmt: skip
    yield Row("the same by processor time", f"{one['of_sickle_processor']['median']:.2f}", "", None)
    counted = one["count"]["rate"]["median"]
    yield Row(
        "beside httpx and lxml that only count",
        f"{one['of_count']['median']:.2f} ({counted:,.0f} records a second)", "", None,
    )  # fmt: skip
    used = one["records"] / one["halmirror"]["processor"]["median"]
    yield Row(
        "beside what HAL sends (270 a second)",
        f"{rate / HAL_RATE:.1f} times ({used / HAL_RATE:.1f} a second of processor time)",
        "5 times", rate >= 5 * HAL_RATE,
    )  # fmt: skip


def _full(one: Figures) -> Iterator[Row]:
    growth = one["growth"]
    yield Row(
        "growth of a page's cost over the run",
        f"{growth['processor']:+.0%} processor time, {growth['wall']:+.0%} by the clock",
        "under 20 %", growth["processor"] < 0.2,
    )  # fmt: skip
    yield Row(
        "memory of the harvest", f"{_mib(one['memory'])}, {_mib(one['memory_together'])} together;"
        f" {one['memory_growth']:+.0%} over the run", "under 200 MiB a process, flat",
        one["memory"] < _MEMORY and one["memory_growth"] < 0.2,
    )  # fmt: skip


def _size(one: Figures) -> Iterator[Row]:
    yield Row(
        "file beside gzip-compressed pages",
        f"{one['of_gzip']:.2f} times ({one['a_record']:,.0f} bytes a record; XML"
        f" {one['raw_a_record']:,.0f}, gzip {one['gzip_a_record']:,.0f})",
        "at most 3", one["of_gzip"] <= 3,
    )  # fmt: skip


def _show(one: Figures) -> Iterator[Row]:
    yield Row(
        "`show` from a new process beside `python3 -c pass`",
        f"{one['of_pass']:.1f} times ({one['ms']['median']:.0f} ms; by processor time"
        f" {one['of_pass_processor']:.1f})", "at most 8",
        one["of_pass"] <= 8,
    )  # fmt: skip


def _look_up(one: Figures) -> Iterator[Row]:
    told = ", ".join(f"{name} {rate:,.0f}" for name, rate in one["rates"].items())
    told += f"; the slowest by processor time {one['least_processor']:,.0f}"
    met = one["least_processor"] >= 5000
    yield Row("look-ups a second in an open process, on one core", told, "5,000", met)


def _search(one: Figures) -> Iterator[Row]:
    worst = one["worst"][0]
    yield Row(
        f"search, {one['queries']} queries",
        f"p50 {one['p50']:.1f} ms, p95 {one['p95']:.0f} ms ({one['p95_processor']:.0f} ms of"
        f" processor time); worst {worst['ms']:.0f} ms:"
        f" {worst['kind']}, `{_short(worst['query'])}`, {worst['hits']:,} hits",
        "p95 under 100 ms", one["p95"] < 100,
    )  # fmt: skip
    yield Row("search from a new process", f"{one['cold_ms']['median']:.0f} ms", "", None)


def _update(one: Figures) -> Iterator[Row]:
    yield Row(
        "update that changes 0.1 %, beside the first harvest",
        f"{one['of_first_wall']:.2%} ({one['wall']:.1f} s; {one['of_first_processor']:.2%} by"
        f" processor time; nothing new:"
        f" {one['nothing_new']['wall']:.1f} s)",
        "under 1 %", one["of_first_wall"] < 0.01,
    )  # fmt: skip


def _export(one: Figures) -> Iterator[Row]:
    targets = {"jsonl": 20_000, "parquet": 8_000}
    for name in (name for name in targets if name in one):
        yield Row(
            f"export of everything, {name}, records a second",
            f"{one[name]['rate']:,.0f} ({one[name]['rate_processor']:,.0f} a second of processor"
            f" time; a copy of the same bytes takes"
            f" {one[name]['copy_wall'] / one[name]['wall']:.0%} of the time)",
            f"{targets[name]:,}", one[name]["rate"] >= targets[name],
        )  # fmt: skip


def _snapshot(one: Figures) -> Iterator[Row]:
    for name in ("create", "verify", "restore"):
        yield Row(
            f"`snapshot {name}`, records a second",
            f"{one[name]['rate']:,.0f} ({one[name]['wall']:.0f} s, {_mib(one[name]['memory'])};"
            f" a copy of the snapshot's {_mib(one['bytes'])} takes {one['copy_wall']:.1f} s)",
            "", None,
        )  # fmt: skip


def _provider(one: Figures) -> Iterator[Row]:
    rate = {name: each["median"] for name, each in one["rate"].items()}
    yield Row(
        "the mirror harvested over OAI-PMH, beside Sickle's own limit",
        f"{one['of_sickle']['median']:.2f} ({rate['fetched']:,.0f} records a second,"
        f" {one['rate_processor']['median']:,.0f} a second of the server's processor time; Sickle"
        f" to JSON Lines {rate['sickle']:,.0f} here, {rate['alone']:,.0f} at a server of files)",
        "1.0", one["of_sickle"]["median"] >= 1,
    )  # fmt: skip


def _serve(one: Figures) -> Iterator[Row]:
    for name, what in _SERVED.items():
        got = one[name]
        faults = f"; {got['broken']} broke off" if got["broken"] else ""
        faults += f"; {got['refused']} refused" if got["refused"] else ""
        yield Row(
            f"`serve`: {what}, requests a second",
            f"{got['rate']:,.0f} (p50 {got['p50_ms']:.1f} ms, p99 {got['p99_ms']:.1f} ms, most"
            f" {got['most_ms']:.0f} ms; {got['of_file']:.2f} of the static file's{faults})",
            "", None,
        )  # fmt: skip


def _renormalise(one: Figures) -> Iterator[Row]:
    yield Row(
        "`renormalise` beside the harvest",
        f"{one['of_harvest']:.2f} ({one['rate']:,.0f} records a second)", "1.0",
        one["of_harvest"] >= 1,
    )  # fmt: skip


def _history(one: Figures) -> Iterator[Row]:
    yield Row(
        "a changed record in the history, beside a new one",
        f"{one['of_a_record_bytes']:.2f} of its bytes, {one['of_a_record_processor']:.2f} of its"
        " processor time", "", None,
    )  # fmt: skip
    export, search, prune = one["export"], one["search"], one["prune"]
    yield Row(
        "export as of before a tenth changed, beside now",
        f"{export['as_of']:.2f} of the time ({export['rate_as_of']:,.0f} records a second)",
        "", None,
    )  # fmt: skip
    yield Row(
        f"search as of then, beside now, {search['queries']} queries",
        f"p50 {search['p50_as_of']:.1f} ms beside {search['p50']:.1f} ms, the slowest"
        f" {search['most_as_of']:.0f} ms beside {search['most']:.0f} ms", "", None,
    )  # fmt: skip
    yield Row(
        "`history prune` of all earlier states",
        f"{prune['rate']:,.0f} states a second ({prune['states']:,} in {prune['wall']:.1f} s,"
        f" {_mib(prune['spare'])} free in the file; `--vacuum` {prune['vacuum']:.1f} s,"
        f" {_mib(prune['shrunk'])} smaller)", "", None,
    )  # fmt: skip


def _memory(results: Figures) -> Iterator[Row]:
    held = {
        name: one["memory"]
        for name, one in (
            *results.items(),
            *((f"{name} {kind}", each) for name in ("export", "snapshot", "history")
              for kind, each in results.get(name, {}).items() if isinstance(each, dict)),
        )
        if isinstance(one, dict) and "memory" in one
    }  # fmt: skip
    if held:
        worst = max(held, key=lambda name: held[name])
        yield Row(
            "memory of any command, the largest process",
            f"{_mib(held[worst])} ({worst.replace('_', ' ')})", "under 200 MiB",
            held[worst] < _MEMORY,
        )  # fmt: skip


def _short(query: str) -> str:
    return query if len(query) < 60 else f"{query[:58]} …"


def _mib(size: float) -> str:
    return f"{size / 1024 / 1024:.0f} MiB"
