"""The past of a record, and what changed in the mirror: states, differences, the feed.

Content, sets (compared as sets) and status make a new state; a datestamp that moved alone is
told within the state it belongs to, and is no change.  Times are those of the commits.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from halmirror.record import Body, Head, versioned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halmirror.store.past import Past
    from halmirror.store.reader import Reader, State

_ORDER = {
    name: place for place, name in enumerate((*Head.__struct_fields__, *Body.__struct_fields__))
}
"""The place of each key in the record's JSON."""

Kind = Literal["new", "changed", "restored", "deleted", "withdrawn", "superseded", "held"]


class MovedDatestamp(msgspec.Struct, frozen=True):
    """A datestamp that moved alone: when the mirror saw it, and by which run."""

    at: str
    run: int
    datestamp: str


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """The beginning of a state: what became of one version of a document in one commit.

    ``seq`` numbers the commit, ``at`` (UTC) is its time, ``run`` the run that made it.
    ``change`` is the new status where that changed (``restored``: active again), else ``new``
    or ``changed``; ``held`` where what came before was pruned.  ``keys`` are the record's keys of
    which the content changed, ``since`` the id with version that they are compared with; sets are
    compared as sets.
    """

    seq: int
    at: str
    run: int
    source: str
    id: str
    version: int | None
    change: Kind
    status: str
    oai_identifier: str
    datestamp: str
    followed_by: str | None = None
    keys: tuple[str, ...] = ()
    since: str | None = None
    sets_added: tuple[str, ...] = ()
    sets_removed: tuple[str, ...] = ()
    datestamps: tuple[MovedDatestamp, ...] = ()

    @property
    def versioned_id(self) -> str:
        """The id with ``vN`` where the record has a version."""
        return versioned(self.id, self.version)

    def json(self) -> bytes:
        """The change as one line of JSON (UTF-8)."""
        return msgspec.json.encode(self)


class History(msgspec.Struct, frozen=True, omit_defaults=True):
    """The states of a document, oldest first.

    ``whole_since``: the time (UTC) from which the mirror keeps the history, where it was pruned.
    """

    id: str
    source: str
    states: tuple[Change, ...]
    whole_since: str | None = None

    def json(self) -> bytes:
        """The history as one line of JSON (UTF-8)."""
        return msgspec.json.encode(self)


class KeyChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one key differs: what it no longer has and what it has now.

    ``key`` is a path (``container.volume``); ``many`` tells that it holds a list, of which only
    the values that differ are here.  ``reordered``: the same values in another order.
    """

    key: str
    removed: tuple[Any, ...] = ()
    added: tuple[Any, ...] = ()
    many: bool = False
    reordered: bool = False


class Moment(msgspec.Struct, frozen=True):
    """A state that is compared: the record's id with version, and when the state began."""

    id: str
    seq: int
    at: str
    run: int


class Difference(msgspec.Struct, frozen=True):
    """What differs between two states of a document; ``before`` is none where there is one."""

    id: str
    before: Moment | None
    after: Moment
    changes: tuple[KeyChange, ...]

    def json(self) -> bytes:
        """The difference as one line of JSON (UTF-8)."""
        return msgspec.json.encode(self)


def history(reader: Reader, past: Past, state: State, version: int | None, at: int) -> History:
    """The states of the document, or of one of its versions, that began by the commit ``at``."""
    found = [
        _change(reader, past, one, _moved(past, one, at))
        for one in past.states(state.document, at)
        if version is None or one.version == version
    ]
    since = past.commit(past.whole_from)[0] if past.whole_from else None
    return History(state.local_id, state.source, tuple(found), since)


def changes(reader: Reader, past: Past, after: int, upto: int) -> Iterator[Change]:
    """Every state that began after one commit and up to another, in the order of commits."""
    for state in past.begun(after, upto):
        yield _change(reader, past, state)


def difference(
    reader: Reader, past: Past, before: tuple[State, int] | None, after: tuple[State, int]
) -> Difference:
    """What differs between two states, each read as of a commit; by key, in the record's order."""
    old = _plain(reader, *before) if before else {}
    new = _plain(reader, *after)
    return Difference(
        after[0].local_id,
        _moment(past, before[0]) if before else None,
        _moment(past, after[0]),
        tuple(_compared(old, new)) if before else (),
    )


def _moment(past: Past, state: State) -> Moment:
    at, run = past.commit(state.first_seq)
    return Moment(versioned(state.local_id, state.version), state.first_seq, at, run)


def _plain(reader: Reader, state: State, at: int) -> dict[str, Any]:
    held: dict[str, Any] = msgspec.json.decode(reader.json(state, at))
    for same in ("id", "source"):
        held.pop(same, None)
    return held


def _change(
    reader: Reader, past: Past, state: State, moved: tuple[MovedDatestamp, ...] = ()
) -> Change:
    """The change that a state is, beside the one before it or the version below it."""
    when, run = past.commit(state.first_seq)
    earlier = past.before(state)
    head = reader.head(state, state.first_seq)
    sets = set(head.sets)
    former = set(reader.head(earlier, earlier.first_seq).sets) if earlier else sets
    return Change(
        seq=state.first_seq,
        at=when,
        run=run,
        source=state.source,
        id=state.local_id,
        version=head.version,
        change=_kind(state, earlier, past.whole_from),
        status=state.status,
        oai_identifier=head.oai_identifier,
        datestamp=state.datestamp,
        followed_by=head.followed_by,
        keys=_keys(reader, earlier, state) if earlier else (),
        since=versioned(earlier.local_id, earlier.version) if earlier else None,
        sets_added=tuple(sorted(sets - former)),
        sets_removed=tuple(sorted(former - sets)),
        datestamps=moved,
    )


def _kind(state: State, earlier: State | None, whole_from: int) -> Kind:
    if state.first_seq <= whole_from:
        return "held" if state.status == "active" else _left(state)
    if earlier is None or earlier.version != state.version:
        return "new" if state.status == "active" else _left(state)
    if state.status == earlier.status:
        return "changed"
    return "restored" if state.status == "active" else _left(state)


def _left(state: State) -> Kind:
    match state.status:
        case "deleted":
            return "deleted"
        case "withdrawn":
            return "withdrawn"
        case _:
            return "superseded"


def _keys(reader: Reader, earlier: State, state: State) -> tuple[str, ...]:
    """The keys of the body whose values differ, in the record's order."""
    if earlier.content == state.content:
        return ()
    old: dict[str, Any] = msgspec.json.decode(reader.body_json(earlier))
    new: dict[str, Any] = msgspec.json.decode(reader.body_json(state))
    return tuple(key for key in _ordered(old, new) if old.get(key) != new.get(key))


def _ordered(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The keys of both, each once, in the order of the record's keys."""
    both = dict.fromkeys((*old, *new))
    return sorted(both, key=lambda key: _ORDER.get(key, len(_ORDER)))


def _moved(past: Past, state: State, at: int) -> tuple[MovedDatestamp, ...]:
    return tuple(
        MovedDatestamp(*past.commit(seq), datestamp)
        for seq, datestamp in past.datestamps(state, at)
    )


def _compared(old: dict[str, Any], new: dict[str, Any], path: str = "") -> Iterator[KeyChange]:
    for key in _ordered(old, new):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if isinstance(before or {}, dict) and isinstance(after or {}, dict):
            yield from _compared(before or {}, after or {}, f"{path}{key}.")
        elif isinstance(before or [], list) and isinstance(after or [], list):
            yield _lists(f"{path}{key}", before or [], after or [])
        else:
            yield KeyChange(
                f"{path}{key}",
                () if before is None else (before,),
                () if after is None else (after,),
            )


def _lists(key: str, before: list[Any], after: list[Any]) -> KeyChange:
    """Values of a list that went and came, each as often as it did."""
    removed = _missing(before, after)
    added = _missing(after, before)
    return KeyChange(key, removed, added, many=True, reordered=not removed and not added)


def _missing(some: list[Any], others: list[Any]) -> tuple[Any, ...]:
    left = Counter(map(msgspec.json.encode, others))
    found = []
    for one in some:
        key = msgspec.json.encode(one)
        if left[key]:
            left[key] -= 1
        else:
            found.append(one)
    return tuple(found)
