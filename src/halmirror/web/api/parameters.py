"""What each address of the API takes, as tables: they check requests and make the description.

A parameter that is not in the table is refused, not ignored: a slip in its name would otherwise
give another answer than the one asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from halmirror.export import FORMATS
from halmirror.mirror import SORTS
from halmirror.record import EVERY_STATUS, STATUSES
from halmirror.search.query import ACCESS_VALUES
from halmirror.web import forms, searching
from halmirror.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

    from halmirror.mirror import Mirror

_TRUTHS: Final = ("true", "false")
_LONGEST: Final = 300
_LONGEST_TIME: Final = 40
_TEXT: Final[dict[str, Any]] = {"type": "string", "maxLength": _LONGEST}
"""All parameters at their longest fit into an address."""

MOST_CHANGES: Final = 1000
"""Changes after which an answer ends with their commit."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an address: what it means, its JSON Schema, whether it may come again."""

    name: str
    about: str
    schema: Mapping[str, Any] = field(default_factory=lambda: dict(_TEXT))
    repeated: bool = False
    required: bool = False

    def described(self) -> dict[str, Any]:
        """The parameter as OpenAPI has it."""
        schema: Mapping[str, Any] = self.schema
        if self.repeated:
            schema = {"type": "array", "items": schema, "maxItems": searching.MOST_VALUES}
        told = {"name": self.name, "in": "query", "description": self.about, "schema": schema}
        return told | ({"required": True} if self.required else {})


def _text(*values: str) -> dict[str, Any]:
    if values:
        return {"type": "string", "enum": list(values)}
    return dict(_TEXT)


def _long(most: int) -> dict[str, Any]:
    return {"type": "string", "maxLength": most}


def _number(most: int, least: int = 0) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most}


def _flag(name: str, about: str) -> Parameter:
    return Parameter(name, about, {"type": "boolean", "default": False})


AS_OF: Final = Parameter(
    "as_of",
    "As the mirror held it: a day (its end, UTC), a time stamp or a run's number.",
    _long(_LONGEST_TIME),
)
_KINDS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "author": ("Words of an author's name.", _text()),
    "title": ("Words of the title.", _text()),
    "year": ("A year or a range: 2015, 2015..2020, 2015.., ..2020.", _text()),
    "type": ("HAL's document type, such as ART.", _text()),
    "domain": ("A domain of HAL, those below it included: shs, shs.socio.", _text()),
    "lang": ("The document's language (BCP 47).", _text()),
    "set": ("A set of the source.", _text()),
    "access": ("Whether there is a file, and whether it is open.", _text(*ACCESS_VALUES)),
    "source": ("The name of a source.", _text()),
    "status": ("How the record stands; active unless told.", _text(*STATUSES, EVERY_STATUS)),
}
FILTERS: Final = tuple(
    Parameter(kind, f"{_KINDS[kind][0]} Several mean any of them.", _KINDS[kind][1], repeated=True)
    for kind in searching.KINDS
)

RECORD: Final = (
    Parameter(
        "format", "The form of the record; else by Accept.", _text(*forms.BY_NAME, "citation")
    ),
    Parameter("style", "The style of a citation.", _text(*forms.styles())),
    Parameter("locale", "The language of a citation: fr or en.", _text("en", "fr")),
    AS_OF,
)
PAST: Final = (AS_OF,)
DIFFERENCE: Final = (
    Parameter(
        "from",
        "Compared with what the mirror held then; else with the state before.",
        _long(_LONGEST_TIME),
    ),
    Parameter("to", "What the mirror held then; else what it holds now.", _long(_LONGEST_TIME)),
)
SEARCH: Final = (
    Parameter("q", "The query, as docs/searching.md has it.", _long(searching.LONGEST_QUERY)),
    *FILTERS,
    Parameter("sort", "The order of the hits.", _text(*SORTS) | {"default": SORTS[0]}),
    Parameter(
        "limit", "Hits of a page.", _number(searching.MOST_HITS) | {"default": searching.PAGE}
    ),
    Parameter("cursor", "Where to go on: the last answer's next."),
    _flag("facets", "Whether to count the hits by type, year, domain, language and so on."),
    AS_OF,
)
CHANGES: Final = (
    Parameter(
        "since",
        "What changed after a day, a time stamp or a run; this or cursor.",
        _long(_LONGEST_TIME),
    ),
    Parameter("cursor", "What changed after a commit: the last answer's cursor.", _number(2**53)),
    Parameter("source", "Of this source alone.", repeated=True),
    Parameter(
        "limit",
        "An answer ends with the commit in which it has so many changes.",
        _number(MOST_CHANGES, 1) | {"default": 100},
    ),
)
EXPORT: Final = (
    Parameter("format", "The format.", _text(*FORMATS), required=True),
    *FILTERS,
    Parameter(
        "fields", "Only these keys, parted by commas; jsonl, csv, tsv and parquet.", _long(2000)
    ),
    _flag("unique", "Of an id that several sources hold, only the preferred source's record."),
    _flag("normalised", "Dublin Core made from the normalised record; oai_dc."),
    _flag("defuse", "Nothing that a spreadsheet takes for a formula; csv and tsv."),
    AS_OF,
)


@dataclass(frozen=True, slots=True)
class Given:
    """The parameters of a request, checked."""

    _values: Mapping[str, list[str]]

    @classmethod
    def of(cls, request: Request, known: Sequence[Parameter]) -> Given:
        """What the request gives.  Raises `Problem` (400) for what is not as the table says."""
        by_name = {one.name: one for one in known}
        values: dict[str, list[str]] = {}
        for name, value in request.query_params.multi_items():
            if name not in by_name:
                names = ", ".join(by_name) or "none"
                raise Problem(400, f"there is no parameter of that name here; there are: {names}")
            values.setdefault(name, []).append(value)
            if len(values[name]) > 1 and not by_name[name].repeated:
                raise Problem(400, f"{name}: it is given twice; give it once")
            if len(values[name]) > searching.MOST_VALUES:
                raise Problem(400, f"{name}: more than {searching.MOST_VALUES} values; give fewer")
            _check(name, value, by_name[name].schema)
        lacking = [one.name for one in known if one.required and one.name not in values]
        if lacking:
            raise Problem(400, f"{lacking[0]}: it is missing")
        return cls(values)

    def all(self, name: str) -> tuple[str, ...]:
        """The values of a parameter that may come again; empty ones left out."""
        return tuple(dict.fromkeys(one for one in self._values.get(name, ()) if one.strip()))

    def text(self, name: str) -> str | None:
        """The value of a parameter; none where it is not given, or empty."""
        return next(iter(self._values.get(name, ())), None) or None

    def number(self, name: str, otherwise: int) -> int:
        """The number that a parameter has."""
        return int(self.text(name) or otherwise)

    def flag(self, name: str) -> bool:
        """Whether a parameter says true."""
        return self.text(name) == "true"

    def commit(self, mirror: Mirror, name: str = "as_of") -> int | None:
        """The commit that a time means.  Raises `UsageError`, `PrunedError`."""
        time = self.text(name)
        return None if time is None else mirror.seq_at(time)


def _check(name: str, value: str, schema: Mapping[str, Any]) -> None:
    if "\0" in value or any("\ud800" <= one <= "\udfff" for one in value):
        raise Problem(400, f"{name}: it holds what is no text")
    match schema:
        case {"enum": known} if value not in known:
            raise Problem(400, f"{name}: it is none of {', '.join(known)}")
        case {"type": "boolean"} if value not in _TRUTHS:
            raise Problem(400, f"{name}: write true or false")
        case {"type": "integer", "minimum": least, "maximum": most}:
            plain = value.isascii() and value.isdecimal() and len(value) <= 16
            if not plain or not least <= int(value) <= most:
                raise Problem(400, f"{name}: it is no number from {least} to {most}")
        case {"maxLength": most} if len(value) > most:
            raise Problem(400, f"{name}: it is longer than {most} characters")
