"""Which records an identifier of any kind stands for.

Ids come first, then DOI, arXiv id, PMID, NNT, ISBN and handle.  The index of those keeps former
bearers too, so that earlier times can be read: a document that bears the identifier at the commit
comes before one that no longer does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halmirror.record.identifiers import lookup_keys, parse_hal_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from halmirror.store.preference import Preference
    from halmirror.store.reader import Reader, State


class LookUp:
    """Finds states by identifier; ``preference`` decides where several sources hold one id."""

    def __init__(self, reader: Reader, preference: Preference) -> None:
        self._reader = reader
        self._preference = preference

    def state(self, identifier: str, at: int) -> State | None:
        """The one state an identifier stands for at a commit.

        Without a version: the newest active one, else the last.
        """
        text = identifier.strip()
        for name, version in _names(text):
            documents = self._reader.documents_named(name)
            found = self._best(documents, at, version)
            if found is not None:
                return found
        for key in lookup_keys(text):
            found = self._best(self._reader.documents(*key), at, None, bears=key)
            if found is not None:
                return found
        return None

    def of_document(self, document: int, at: int, version: int | None) -> State | None:
        """One document's state at a commit: of that version, or the newest (see `state`)."""
        return self._best([document], at, version)

    def named(self, identifier: str, at: int) -> list[tuple[State, bool]]:
        """The states of every document an identifier stands for at a commit.

        Each with whether the identifier names its very version.
        """
        text = identifier.strip()
        for name, version in _names(text):
            found = [
                (state, version is not None)
                for document in self._reader.documents_named(name)
                for state in self._reader.versions(document, at)
                if version in (None, state.version)
            ]
            if found:
                return found
        for key in lookup_keys(text):
            held = [
                versions
                for document in self._reader.documents(*key)
                if (versions := self._reader.versions(document, at))
            ]
            if held:
                bearing = [one for one in held if key in self._reader.keys(_newest(one))]
                return [(state, False) for versions in bearing or held for state in versions]
        return []

    def _best(
        self,
        documents: Iterable[int],
        at: int,
        version: int | None,
        bears: tuple[str, str] | None = None,
    ) -> State | None:
        """The best of the documents' states; one that bears the identifier before a former one."""
        candidates = [
            state
            for document in documents
            if (state := _choose(self._reader.versions(document, at), version))
        ]
        candidates.sort(key=lambda one: (self._preference.state_rank(one), one.local_id))
        if bears is not None and len(candidates) > 1:
            candidates.sort(key=lambda state: bears not in self._reader.keys(state))
        return candidates[0] if candidates else None


def _names(text: str) -> list[tuple[str, int | None]]:
    """The ids (with version or none) that a text may be, the surest first."""
    hal = parse_hal_id(text)
    return [hal, (text, None)] if hal else [(text, None)]


def _choose(versions: list[State], version: int | None) -> State | None:
    """The version asked for, where it is there; without one, the newest (see `_newest`)."""
    if version is not None:
        return next((state for state in versions if state.version == version), None)
    return _newest(versions) if versions else None


def _newest(versions: list[State]) -> State:
    """The newest active version, else the newest."""
    active = [state for state in versions if state.status == "active"]
    return (active or versions)[-1]
