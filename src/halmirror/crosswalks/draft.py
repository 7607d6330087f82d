"""A body in the making, and the account of where each source value went.

Rules place values; a draft keeps each value of a key once and tells the trace, once for each
source value, which rule placed it and where.  A dict keeps a key's values in order and finds a
repetition at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from halmirror.record import (
    Access,
    Affiliation,
    Body,
    Classification,
    Container,
    DocumentType,
    Funding,
    Identifiers,
    Name,
    OtherIdentifier,
    Title,
    Value,
)
from halmirror.record.identifiers import arxiv, doi, handle, isbn, nnt, pmid

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

Trace = Callable[[int, str, str], None]
"""Called as (index of the source value, name of the rule, where the value went)."""

Placed = TypeVar("Placed", bound="Hashable")
Check = Callable[[str], str | None]

_CHECKS: dict[str, Check | None] = {
    "doi": doi,
    "arxiv": arxiv,
    "pmid": pmid,
    "nnt": nnt,
    "isbn": isbn,
    "hdl": handle,
    "report": None,
    "patent": None,
}
_KEYS = {scheme: f"identifiers.{scheme}" for scheme in _CHECKS}


class Account:
    """A trace that keeps what it is told, and which source value each warning is about.

    ``placed`` has (index, rule, where) in the order of telling, ``warned`` (index, warning).
    """

    def __init__(self) -> None:
        self.placed: list[tuple[int, str, str]] = []
        self.warned: list[tuple[int, str]] = []

    def __call__(self, index: int, rule: str, where: str) -> None:
        """Takes what a rule tells of a source value."""
        self.placed.append((index, rule, where))


class Draft(msgspec.Struct, kw_only=True, eq=False):
    """What the rules have found so far in one record; ``body()`` freezes it.

    A struct, since its many dictionaries then cost next to nothing to make.
    """

    trace: Trace | None = None
    account: Account | None = None
    traced: bool = False
    titles: dict[Title, int] = {}
    creators: list[Name] = []
    affiliations: dict[Affiliation, int] = {}
    contributors: dict[str, int] = {}
    grants: dict[Funding, int] = {}
    funding: Sequence[Funding] | None = None
    abstracts: dict[Value, int] = {}
    notes: dict[str, int] = {}
    keywords: dict[Value, int] = {}
    domains: dict[str, int] = {}
    classifications: dict[Classification, int] = {}
    languages: dict[str, int] = {}
    publishers: dict[str, int] = {}
    files: dict[str, int] = {}
    coverage: dict[str, int] = {}
    other: dict[OtherIdentifier, int] = {}
    identifiers: dict[str, dict[str, int]] = {}
    warnings: dict[str, int] = {}
    dates: list[tuple[int, str]] = []
    types: list[tuple[int, str]] = []
    type: DocumentType | None = None
    date: str | None = None
    year: int | None = None
    container: Container | None = None
    citation: str | None = None
    landing_page: str | None = None
    access: Access | None = None
    licence: str | None = None
    licence_url: str | None = None
    audience: str | None = None
    named_itself: bool = False

    def __post_init__(self) -> None:
        self.traced = self.trace is not None
        self.account = self.trace if isinstance(self.trace, Account) else None

    def tell(self, index: int, rule: str, where: str) -> None:
        """Accounts for a source value."""
        if self.trace is not None:
            self.trace(index, rule, where)

    def tell_of_one(self, index: int, rule: str, where: str, *, again: bool) -> None:
        """Accounts for a value of a key that holds one: placed there, or a repetition of it."""
        if self.traced:
            self.tell(index, rule, f"repetition of {where}" if again else where)

    def own_name(self, index: int, rule: str) -> None:
        """Accounts for a value that is the record's own identifier, which the head has."""
        self.tell(index, rule, "repetition of id" if self.named_itself else "id")
        self.named_itself = True

    def together(self, index: int, rule: str, places: Iterable[Callable[[], None]]) -> None:
        """Places the parts of one source value, and accounts for it once."""
        outer, told = self.trace, list[str]()
        self.trace = lambda _index, _rule, where: told.append(where)
        try:
            for place in places:
                place()
        finally:
            self.trace = outer
        again = "repetition of "
        prefix = again if all(where.startswith(again) for where in told) else ""
        distinct = dict.fromkeys(where.removeprefix(again) for where in told)
        self.tell(index, rule, prefix + " and ".join(distinct))

    def put(self, held: dict[Placed, int], key: str, value: Placed, index: int, rule: str) -> None:
        """Places a value in a list of the record, or names it as a repetition."""
        before = len(held)
        place = held.setdefault(value, before)
        if self.traced:
            where = f"{key}[{place}]"
            self.tell(index, rule, where if place == before else f"repetition of {where}")

    def put_all(
        self,
        key: str,
        held: dict[Placed, int],
        values: Iterable[Placed],
        index: int,
        rule: str,
    ) -> None:
        """Places the parts of one source value in a list, or names it as a repetition of them."""
        before = len(held)
        places = [held.setdefault(value, len(held)) for value in values]
        where = " and ".join(f"{key}[{place}]" for place in dict.fromkeys(places))
        self.tell(index, rule, f"repetition of {where}" if len(held) == before else where)

    def note(self, index: int, text: str, rule: str, warning: str | None = None) -> None:
        """Keeps a value no key is made for."""
        self.put(self.notes, "notes", text, index, rule)
        if warning:
            self.warn(index, warning)

    def warn(self, index: int, warning: str) -> None:
        """Adds a warning about a source value, each once."""
        self.warnings.setdefault(warning, len(self.warnings))
        if self.account is not None:
            self.account.warned.append((index, warning))

    def identify(self, scheme: str, text: str, index: int, given: str) -> None:
        """Places an identifier under its scheme, or under ``other`` where its check fails.

        ``given`` is the scheme's name as the source has it.
        """
        check = _CHECKS[scheme]
        value = check(text) if check else text
        if value is not None:
            held = self.identifiers.setdefault(scheme, {})
            self.put(held, _KEYS[scheme], value, index, "identifier")
            return
        self.other_identifier(text, given, index, "failed check")
        self.warn(index, f"identifiers.{scheme}: {text!r} fails its check; kept under other")

    def other_identifier(self, text: str, scheme: str | None, index: int, rule: str) -> None:
        """Places an identifier of a scheme without a key, or of none."""
        self.put(
            self.other, "identifiers.other", OtherIdentifier(value=text, scheme=scheme), index, rule
        )

    def body(self) -> Body:
        """The finished body."""
        return Body(
            type=self.type,
            titles=tuple(self.titles),
            creators=tuple(self.creators),
            affiliations=tuple(self.affiliations),
            contributors=tuple(self.contributors),
            funding=tuple(self.grants if self.funding is None else self.funding),
            abstracts=tuple(self.abstracts),
            notes=tuple(self.notes),
            keywords=tuple(self.keywords),
            domains=tuple(self.domains),
            classifications=tuple(self.classifications),
            date=self.date,
            year=self.year,
            languages=tuple(self.languages),
            container=self.container,
            citation=self.citation,
            publishers=tuple(self.publishers),
            identifiers=self._identifiers(),
            landing_page=self.landing_page,
            files=tuple(self.files),
            access=self.access,
            licence=self.licence,
            licence_url=self.licence_url,
            audience=self.audience,
            coverage=tuple(self.coverage),
            warnings=tuple(self.warnings),
        )

    def _identifiers(self) -> Identifiers | None:
        schemes = {scheme: tuple(held) for scheme, held in self.identifiers.items()}
        if not schemes and not self.other:
            return None
        return Identifiers(**schemes, other=tuple(self.other))


class GenericDraft(Draft, kw_only=True, eq=False):
    """A draft with what the generic rules weigh once all values are known.

    ``own`` is the record's OAI identifier.
    """

    own: str
    named: list[tuple[int, str]] = msgspec.field(default_factory=list)
    sources: list[tuple[int, str]] = msgspec.field(default_factory=list)
    related: list[tuple[int, str]] = msgspec.field(default_factory=list)
    licence_name: str | None = None
    page: str | None = None
    series: bool = False
