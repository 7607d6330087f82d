"""The past in words, for a terminal: a document's states, their difference, a line of the feed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from halmirror.export.tables import table, wrap
from halmirror.printable import printable
from halmirror.record.labels import Ui, label, labelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halmirror.history import Change, Difference, History, KeyChange, Moment

_SHARES: Final = (6, 4, 9)


def render_history(history: History, ui: Ui, *, width: int = 80) -> str:
    """The states as a table of at most ``width`` columns, without a line break at its end."""
    headings = [label(f"past.{name}", ui) for name in ("when", "state", "what")]
    rows = [
        (
            (one.at, f"{label('past.run', ui)} {one.run}"),
            (one.versioned_id, label(f"status.{one.status}", ui)),
            tuple(_happened(one, ui)),
        )
        for one in history.states
    ]
    title = f"{history.id} · {history.source}"
    lines = [printable(title), "", table(headings, rows, _SHARES, width)]
    if history.whole_since is not None:
        lines += ["", labelled(label("past.begins", ui), history.whole_since, ui)]
    return "\n".join(lines)


def line(change: Change, ui: Ui) -> str:
    """A change on one line: when, which record, what."""
    what = "; ".join(_happened(change, ui))
    return printable(f"{change.at} {change.source} {change.versioned_id} {what}")


def render_difference(difference: Difference, ui: Ui, *, width: int = 80) -> str:
    """The difference in words, wrapped to ``width``, without a line break at its end."""
    after = _moment(difference.after, ui)
    if difference.before is None:
        return "\n".join(wrap(printable(f"{after}: {label('past.only', ui)}"), width))
    lines = wrap(printable(f"{_moment(difference.before, ui)} → {after}"), width)
    if not difference.changes:
        lines += ["", label("past.same", ui)]
    for change in difference.changes:
        for text in _said(change, ui):
            first, *rest = wrap(printable(text), max(width - 2, 20))
            lines += [first, *(f"  {row}" for row in rest)]
    return "\n".join(lines)


def _moment(moment: Moment, ui: Ui) -> str:
    return f"{moment.id}, {moment.at} ({label('past.run', ui)} {moment.run})"


def _happened(change: Change, ui: Ui) -> Iterator[str]:
    yield label(f"past.{change.change}", ui)
    if change.followed_by:
        yield f"{label('followed_by', ui)} {change.followed_by}"
    if change.keys:
        since = f" ({change.since})" if change.since != change.versioned_id else ""
        yield labelled(label("past.keys", ui) + since, ", ".join(change.keys), ui)
    for name, sets in (("added", change.sets_added), ("removed", change.sets_removed)):
        if sets:
            yield labelled(label(f"past.sets_{name}", ui), ", ".join(sets), ui)
    if change.change == "new":
        yield labelled(label("past.datestamp", ui), change.datestamp, ui)
    for moved in change.datestamps:
        when = f"{moved.datestamp} ({moved.at}, {label('past.run', ui)} {moved.run})"
        yield labelled(label("past.moved", ui), when, ui)


def _said(change: KeyChange, ui: Ui) -> Iterator[str]:
    """What became of a key: one sentence, or one for each value that went or came."""
    if change.reordered:
        yield labelled(change.key, label("past.reordered", ui), ui)
    elif change.removed and change.added and not change.many:
        before, after = shown(change.removed[0]), shown(change.added[0])
        said = f"{label('past.was', ui)} {before} {label('past.is', ui)} {after}"
        yield labelled(change.key, said, ui)
    else:
        for name, values in (("removed", change.removed), ("added", change.added)):
            for value in values:
                yield labelled(f"{change.key}, {label(f'past.{name}', ui)}", shown(value), ui)


def shown(value: object) -> str:
    """A value of the record's JSON as a reader takes it in: ``Alix, Jean``, ``Titre [fr]``."""
    if isinstance(value, list):
        return " ; ".join(map(shown, value))
    if not isinstance(value, dict):
        return str(value)
    parts = ", ".join(shown(part) for key, part in value.items() if key != "lang")
    return f"{parts} [{value['lang']}]" if "lang" in value else parts
