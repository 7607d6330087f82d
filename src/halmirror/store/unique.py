"""One record for an id that several sources hold: the active one, of the first source."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from pyroaring import BitMap

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from halmirror.store.preference import Preference
    from halmirror.store.reader import Reader, State


def spare_documents(
    reader: Reader, at: int, picked: Callable[[State], bool], preference: Preference
) -> BitMap:
    """Documents that give way to another source's of the same id, among the states picked."""
    spare = BitMap()
    for documents in reader.copies():
        states = [
            state
            for document in documents
            for state in reader.versions(document, at)
            if picked(state)
        ]
        spare |= giving_way(states, preference)
    return spare


def giving_way(states: Iterable[State], preference: Preference) -> BitMap:
    """The documents of these states that give way to another of the same id."""
    copies: defaultdict[str, list[State]] = defaultdict(list)
    for state in states:
        copies[state.local_id].append(state)
    spare = BitMap()
    for group in copies.values():
        best = min(group, key=preference.state_rank).document
        spare.update(state.document for state in group if state.document != best)
    return spare


def spare_contents(
    connection: sqlite3.Connection, copies: BitMap, active: BitMap, preference: Preference
) -> BitMap:
    """Of contents whose ids several sources hold, those that give way to another source's.

    ``active``: the contents that are current in active versions.
    """
    groups: defaultdict[str, list[tuple[tuple[bool, int, str], int, int]]] = defaultdict(list)
    rows = connection.execute(
        "SELECT c.id, d.id, d.local_id, src.name FROM json_each(?) AS copy "
        "JOIN content c ON c.id = copy.value JOIN document d ON d.id = c.document "
        "JOIN source src ON src.id = d.source",
        (json.dumps(list(copies)),),  # one statement: ten times as fast as one for each content
    )
    for content, document, local_id, source in rows:
        rank = preference.rank(source, active=content in active)
        groups[local_id].append((rank, document, content))
    spare = BitMap()
    for group in groups.values():
        _, best, _ = min(group)
        spare.update(content for _, document, content in group if document != best)
    return spare
