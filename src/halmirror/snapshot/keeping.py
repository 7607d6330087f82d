"""Which snapshots there are, and which of them to keep."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from halmirror.snapshot.chain import there
from halmirror.snapshot.create import held
from halmirror.snapshot.layout import SIGNATURE, time_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from halmirror.snapshot.chain import Link

PERIODS: Final = {
    "daily": "%Y-%m-%d",
    "weekly": "%G-%V",
    "monthly": "%Y-%m",
    "yearly": "%Y",
}
"""The periods of which the newest snapshot can be kept, and what tells one from the next (UTC)."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How many snapshots to keep: the newest ones, and the newest of so many days, weeks etc."""

    last: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0


class Verdict(NamedTuple):
    """What becomes of a snapshot; ``why`` names the rules that keep it, none where it goes."""

    link: Link
    why: tuple[str, ...]


class Listed(msgspec.Struct, frozen=True):
    """A snapshot in a line: how many records it holds, and the bytes of its data."""

    name: str
    since: str | None
    records: int
    mirror_records: int
    size_bytes: int
    signed: bool

    def json(self) -> bytes:
        """The snapshot as one line of JSON (UTF-8)."""
        return msgspec.json.encode(self)

    def line(self) -> str:
        """The snapshot as a line of text."""
        what = f"since {self.since}" if self.since else "whole"
        signed = ", signed" if self.signed else ""
        return (
            f"{self.name} {what}: {self.records:,} records, {self.size_bytes / 1e6:,.1f} MB{signed}"
        )


def listed(parent: Path) -> list[Listed]:
    """The snapshots in a folder, oldest first.  Raises `SnapshotError`."""
    return [
        Listed(
            told.name,
            told.since.name if told.since else None,
            told.digest.records,
            told.whole.records,
            sum(file.size for file in told.files),
            (folder / SIGNATURE).is_file(),
        )
        for folder, told in there(parent)
    ]


def judge(links: Sequence[Link], rules: Rules) -> list[Verdict]:
    """What the rules keep of some snapshots, oldest first.

    What a kept increment goes on from is kept too, back to the whole snapshot.
    """
    why: dict[str, list[str]] = {link.told.name: [] for link in links}
    newest_first = sorted(why, reverse=True)
    for name in newest_first[: rules.last]:
        why[name].append("last")
    for period, form in PERIODS.items():
        seen: set[str] = set()
        for name in newest_first:
            if len(seen) == getattr(rules, period):
                break
            when = time_of(name).strftime(form)
            if when not in seen:
                seen.add(when)
                why[name].append(period)
    by_name = {link.told.name: link for link in links}
    for name in [name for name in newest_first if why[name]]:
        after = name
        # Along the chain and not by name: a clock that went back may have named one before its own.
        while (before := by_name[after].told.since) is not None and before.name in why:
            reason = f"{after} goes on from it"
            if reason in why[before.name]:
                break
            why[before.name].append(reason)
            after = before.name
    return [Verdict(link, tuple(why[link.told.name])) for link in links]


def prune(parent: Path, rules: Rules, *, dry_run: bool = False) -> list[Verdict]:
    """Remove the snapshots in a folder that no rule keeps; gives what became of each.

    One that goes loses its name first: nothing half removed looks whole.  Raises `SnapshotError`.
    """
    with held(parent):
        for left in parent.glob(".*.gone"):
            if not dry_run:
                shutil.rmtree(left)
        verdicts = judge(there(parent), rules)
        for verdict in reversed(verdicts):
            if not verdict.why and not dry_run:
                folder = verdict.link.folder
                gone = folder.with_name(f".{folder.name}.gone")
                folder.rename(gone)
                shutil.rmtree(gone)
        return verdicts
