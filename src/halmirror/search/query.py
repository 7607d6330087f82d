"""What people type into a search, as a tree.

Words are joined by AND; ``AND``, ``OR``, ``NOT`` (in capitals), parentheses, ``"phrases"`` and
``prefix*`` do what they do elsewhere.  ``name:`` is a field only for a known name directly
followed by a value, or by several in parentheses; all other punctuation separates words, so a
title can be pasted whole.  So can an identifier that is the whole query.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from halmirror.errors import QueryError
from halmirror.record import EVERY_STATUS, STATUSES, versioned
from halmirror.record.identifiers import lookup_keys, parse_hal_id
from halmirror.search.folding import words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TEXT_FIELDS = {"author": "creator", "title": "title", "subject": "subject", "abstract": "abstract"}
"""Fields that look for words in one column of the text index."""

FACET_FIELDS = ("type", "domain", "lang", "set", "access", "source", "status", "year")
"""Fields that pick records by a value."""

IDENTIFIER_FIELDS = ("doi", "arxiv", "pmid", "nnt", "isbn", "hdl")
HAL = "hal"
ACCESS_VALUES = ("open", "restricted", "metadata-only")
_VALUES = {"access": ACCESS_VALUES, "status": (*STATUSES, EVERY_STATUS)}
"""Fields that have a value of these."""


@dataclass(frozen=True, slots=True)
class Text:
    """Words that follow each other (one word: a term), in any column or in one.

    ``prefix``: the last word is the beginning of a word.
    """

    words: tuple[str, ...]
    column: str | None = None
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    """Records that have ``value`` for ``kind`` (see `FACET_FIELDS`)."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Years:
    """Records dated from year ``first`` to ``last``, both included; none is open."""

    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True)
class Identifier:
    """Records that bear an identifier, in its normal form; of `HAL`, the record's own id."""

    scheme: str
    value: str


@dataclass(frozen=True, slots=True)
class All:
    """Records that fit every part (no part: all records)."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """Records that fit at least one part."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Records that do not fit the part."""

    part: Node


Node = Text | Facet | Years | Identifier | All | Any | Not

_LONGEST_IDENTIFIER = 1000
LONGEST_PHRASE = 32
"""Words of a phrase that are looked for as one; a longer one is looked for in pieces.

FTS5 compares the places of all words of a phrase in each record that has them, and cannot be
interrupted meanwhile.
"""

MAX_DEPTH = 100
"""Parentheses may be nested so deep."""

_TOKEN = re.compile(
    r"""(?P<field>[A-Za-z]+):(?=[^\s:])|(?P<quote>")|(?P<open>\()|(?P<close>\))|(?P<word>[^\s"()]+)""",
    re.VERBOSE,
)
_WORD = re.compile(r"[^\W_]+")
_FIELDED = re.compile(
    r"""(?<!\w)(?P<name>[^\W\d_]+):(?P<value>"[^"]*"|[^\s"():]+(?::[^\s"()]+)?)"""
)
_BLANK = re.compile(r"\s")
_YEARS = re.compile(r"(\d{1,4})?(?:(\.\.)(\d{1,4})?)?$")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    place: int


def parse(text: str) -> Node:
    """The tree of a query.  Raises `QueryError` that names place and way out.

    Errors are only an unclosed quote or parenthesis, and a wrong value of a known field.
    """
    if not (named := _identifiers(text.strip())):
        return _Parser(_tokens(text)).parse()
    try:
        return Any((*named, _Parser(_tokens(text)).parse()))
    except QueryError:  # a DOI may have parentheses that do not match
        return Any(named)


def _identifiers(text: str) -> tuple[Identifier, ...]:
    """What a whole query may be the identifier of; a bare number is no PMID here, but a word."""
    if len(text) > _LONGEST_IDENTIFIER or _BLANK.search(text) or _is_field(text.partition(":")[0]):
        return ()
    found = [Identifier(*key) for key in lookup_keys(text) if key != ("pmid", text)]
    if hal := parse_hal_id(text):
        found.insert(0, Identifier(HAL, versioned(*hal)))
    return tuple(found)


def years(text: str) -> Years:
    """``2015``, ``2015..2020``, ``2015..`` or ``..2020``.  Raises `QueryError`."""
    match = _YEARS.match(text)
    if not match or not (match[1] or match[3]):
        raise QueryError(
            f"year: '{text}' is no year or range; write 2015, 2015..2020 or 2015..",
            f"year : « {text} » n'est ni une année ni un intervalle ; écrivez 2015, 2015..2020 "
            "ou 2015..",
        )
    first = int(match[1]) if match[1] else None
    last = (int(match[3]) if match[3] else None) if match[2] else first
    if first is not None and last is not None and first > last:
        raise QueryError(
            f"year: '{text}' runs backwards; write {last}..{first}",
            f"year : « {text} » est à l'envers ; écrivez {last}..{first}",
        )
    return Years(first, last)


def facet(kind: str, value: str) -> Node:
    """The node for a filter by ``kind``.  Raises `QueryError` for a value that cannot be."""
    if kind == "year":
        return years(value)
    if kind == "type":
        return Facet(kind, value.upper())
    if kind in {"domain", "lang", "access", "status"}:
        value = value.lower()
    known = _VALUES.get(kind)
    if known and value not in known:
        near = difflib.get_close_matches(value, known, n=1, cutoff=0.0)[0]
        listed = ", ".join(known)
        raise QueryError(
            f"{kind}: '{value}' is none of {listed}; did you mean {near}?",
            f"{kind} : « {value} » n'est pas une de ces valeurs : {listed} ; vouliez-vous dire "
            f"{near} ?",
        )
    return Facet(kind, value)


def words_in(value: str, column: str) -> Node:
    """Words of a filter's value in one column; quoted, they follow each other."""
    return _in_column(_Parser(_tokens(value)).parse(), column)


def _in_column(node: Node, column: str) -> Node:
    match node:
        case Text(words, None, prefix):
            return Text(words, column, prefix)
        case All(parts):
            return All(tuple(_in_column(part, column) for part in parts))
        case Any(parts):
            return Any(tuple(_in_column(part, column) for part in parts))
        case Not(part):
            return Not(_in_column(part, column))
        case _:
            return node


def texts(node: Node) -> list[Text]:
    """The texts that a hit may contain (not those under NOT), for ranking and marking."""
    if isinstance(node, Text):
        return [node]
    if isinstance(node, All | Any):
        return [text for part in node.parts for text in texts(part)]
    return []


def names_status(node: Node) -> bool:
    """Whether a query says of which status records are; else it means the active ones."""
    match node:
        case Facet("status", _):
            return True
        case All(parts) | Any(parts):
            return any(map(names_status, parts))
        case Not(part):
            return names_status(part)
        case _:
            return False


def with_fields(text: str, change: Callable[[str, str], str | None]) -> str:
    """A query with other fields in the place of some.

    ``change`` is given each name before a colon, in lower case, and its value without quotes,
    and says what is to stand for both; none leaves them.
    """

    def changed(found: re.Match[str]) -> str:
        return change(found["name"].lower(), found["value"].strip('"')) or found[0]

    return _FIELDED.sub(changed, text)


def with_words(text: str, others: Mapping[str, str]) -> str:
    """A query with other words in the place of some, which are named as they are folded."""
    return _WORD.sub(lambda found: others.get("".join(words(found[0])), found[0]), text)


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    place = 0
    while match := _TOKEN.search(text, place):
        kind = match.lastgroup or "word"
        place = match.end()
        if kind == "quote":
            end = text.find('"', place)
            if end < 0:
                at = match.start() + 1
                raise QueryError(
                    f'the quote at character {at} is not closed; add another "',
                    f"le guillemet au caractère {at} n'est pas fermé ; ajoutez un autre \"",
                )
            found.append(_Token("phrase", text[place:end], match.start()))
            place = end + 1
        elif kind == "field" and not _is_field(match["field"]):
            word = re.compile(r'[^\s"()]+').match(text, match.start())
            place = word.end() if word else place
            found.append(_Token("word", text[match.start() : place], match.start()))
        else:
            found.append(_Token(kind, match["field"] or match[0], match.start()))
    return found


def _is_field(name: str) -> bool:
    lower = name.lower()
    return lower in TEXT_FIELDS or lower in FACET_FIELDS or lower in IDENTIFIER_FIELDS


class _Parser:
    """Recursive descent over the tokens; operators bind NOT, AND, OR, from tight to loose."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0
        self.field: str | None = None

    def parse(self) -> Node:
        node = self._any()
        if self._peek("close"):
            place = self.tokens[self.at].place + 1
            raise QueryError(
                f"the parenthesis at character {place} closes nothing; remove it, or quote it",
                f"la parenthèse au caractère {place} ne ferme rien ; supprimez-la, ou mettez-la "
                "entre guillemets",
            )
        return node

    def _peek(self, kind: str, text: str | None = None) -> bool:
        if self.at >= len(self.tokens):
            return False
        token = self.tokens[self.at]
        return token.kind == kind and (text is None or token.text == text)

    def _operator(self, name: str) -> bool:
        """Whether an operator stands here with something after it; else it is a word."""
        if not self._peek("word", name) or self.at + 1 >= len(self.tokens):
            return False
        return self.tokens[self.at + 1].kind != "close"

    def _any(self) -> Node:
        parts = [self._all()]
        while self._operator("OR"):
            self.at += 1
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Any(tuple(dict.fromkeys(parts)))

    def _all(self) -> Node:
        parts: list[Node] = []
        while self.at < len(self.tokens) and not self._peek("close"):
            if parts and self._operator("OR"):
                break
            if parts and self._operator("AND"):
                self.at += 1
            parts.extend(self._one())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self) -> list[Node]:
        negated = False
        while self._operator("NOT"):
            self.at += 1
            negated = not negated
        found = self._primary()
        return [Not(All(tuple(found)))] if negated and found else found

    def _primary(self) -> list[Node]:
        token = self.tokens[self.at]
        self.at += 1
        if token.kind == "open":
            return [self._group(token)]
        if token.kind == "field":
            return self._field(token)
        return _valued(self.field, token)

    def _group(self, opened: _Token) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise QueryError(
                f"the parenthesis at character {opened.place + 1} is nested more than "
                f"{MAX_DEPTH} deep; write the query more simply",
                f"la parenthèse au caractère {opened.place + 1} est imbriquée sur plus de "
                f"{MAX_DEPTH} niveaux ; simplifiez la requête",
            )
        node = self._any()
        self.depth -= 1
        if not self._peek("close"):
            raise QueryError(
                f"the parenthesis at character {opened.place + 1} is not closed; add a )",
                f"la parenthèse au caractère {opened.place + 1} n'est pas fermée ; ajoutez une )",
            )
        self.at += 1
        return node

    def _field(self, token: _Token) -> list[Node]:
        name = token.text.lower()
        value = self.tokens[self.at] if self.at < len(self.tokens) else token
        if value.kind not in {"word", "phrase", "open"}:
            return _terms(token.text, None)
        self.at += 1
        if value.kind != "open":
            return _valued(name, value)
        outer, self.field = self.field, name
        node = self._group(value)
        self.field = outer
        return [node]


def _valued(field: str | None, value: _Token) -> list[Node]:
    """What a word or phrase says, anywhere or as the value of a field."""
    if field is None or field in TEXT_FIELDS:
        make = _phrase if value.kind == "phrase" else _terms
        return make(value.text, TEXT_FIELDS[field] if field else None)
    if field in IDENTIFIER_FIELDS:
        return [_identifier(field, value.text)]
    return [facet(field, value.text)]


def _identifier(scheme: str, value: str) -> Node:
    for key in lookup_keys(value):
        if key[0] == scheme:
            return Identifier(*key)
    return Identifier(scheme, value)


def _phrase(text: str, column: str | None) -> list[Node]:
    parts = tuple(words(text))
    starts = range(0, len(parts), LONGEST_PHRASE)
    return [Text(parts[start : start + LONGEST_PHRASE], column) for start in starts]


def _terms(text: str, column: str | None) -> list[Node]:
    parts = words(text)
    last = len(parts) - 1
    starred = text.endswith("*")
    return [
        Text((part,), column, prefix=starred and number == last)
        for number, part in enumerate(parts)
    ]
