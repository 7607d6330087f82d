"""The account of a record as a table: source value, rule, result and warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from halmirror.export.tables import table, wrap
from halmirror.printable import printable
from halmirror.record import versioned
from halmirror.record.labels import Ui, label, labelled

if TYPE_CHECKING:
    from halmirror.explaining import Explanation, Placement

_SHARES: Final = (5, 3, 3)


def render(explanation: Explanation, ui: Ui, *, width: int = 80) -> str:
    """The account as text of at most ``width`` columns, without a line break at its end."""
    headings = [label(f"account.{name}", ui) for name in ("value", "rule", "result")]
    rows = [
        (
            _value(one),
            (one.rule, f"({one.section.replace('`', '')})"),
            (_result(one, ui), *_warnings(one)),
        )
        for one in explanation.placements
    ]
    identifier = versioned(explanation.id, explanation.version)
    title = " · ".join(
        (identifier, explanation.prefix, explanation.profile, label("account.sections", ui))
    )
    lines = [*wrap(printable(title), width), "", table(headings, rows, _SHARES, width)]
    if explanation.warnings:
        lines += ["", label("warnings", ui)]
        lines += [row for one in explanation.warnings for row in wrap(printable(one), width)]
    if not explanation.as_held:
        lines += ["", *wrap(label("account.as_held", ui), width)]
    return "\n".join(lines)


def _value(one: Placement) -> tuple[str, ...]:
    language = f" [{one.lang}]" if one.lang else ""
    return f"{one.position} {one.element}{language}", one.text


def _result(one: Placement, ui: Ui) -> str:
    where = " and ".join(one.places) if ui == "en" else " et ".join(one.places)
    match one.outcome:
        case "placed":
            return where
        case "kept in notes":
            return labelled(label("account.notes", ui), where, ui)
        case "repetition":
            return f"{label('account.repetition', ui)} {where}"
        case "source only":
            return label("account.source only", ui)
        case _:
            if not one.text.strip():
                return labelled(label("account.dropped", ui), one.reason or "", ui)
            named = labelled(label("account.named", ui), one.text, ui)
            return f"{named} ({one.reason})"


def _warnings(one: Placement) -> tuple[str, ...]:
    return tuple(f"! {warning}" for warning in one.warnings)
