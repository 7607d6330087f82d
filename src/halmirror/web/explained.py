"""A query in words: how it was understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halmirror.search import query as tree
from halmirror.web.values import value_label
from halmirror.web.words import word

if TYPE_CHECKING:
    from halmirror.record.labels import Ui

_COLUMNS = {"creator": "author", "title": "title", "subject": "subject", "abstract": "abstract"}
_DEEPEST = 12


def explained(node: tree.Node, ui: Ui) -> str:
    """What a query asks for: ``“impact” and “social” in the title, not …``; empty: everything."""
    return _said(node, ui, 0)


def _said(node: tree.Node, ui: Ui, depth: int) -> str:
    if depth > _DEEPEST:
        return "…"
    match node:
        case tree.All(parts):
            return _joined(parts, f" {word('word.and', ui)} ", ui, depth)
        case tree.Any(parts):
            return _joined(parts, f" {word('word.or', ui)} ", ui, depth)
        case tree.Not(part):
            return f"{word('word.not', ui)} {_grouped(part, ui, depth)}"
        case _:
            return _leaf(node, ui)


def _joined(parts: tuple[tree.Node, ...], link: str, ui: Ui, depth: int) -> str:
    said = [one for part in parts if (one := _grouped(part, ui, depth))]
    return link.join(dict.fromkeys(said))


def _grouped(node: tree.Node, ui: Ui, depth: int) -> str:
    said = _said(node, ui, depth + 1)
    several = isinstance(node, tree.All | tree.Any) and len(node.parts) > 1
    return f"({said})" if said and several and depth else said


def _leaf(node: tree.Text | tree.Facet | tree.Years | tree.Identifier, ui: Ui) -> str:
    match node:
        case tree.Text(words, column, prefix):
            quoted = " ".join(words)
            said = f"« {quoted} »" if ui == "fr" else f"“{quoted}”"
            if prefix:
                said = f"{word('word.begins', ui)} {said}"
            return f"{said} {word(f'word.{_COLUMNS[column]}', ui)}" if column else said
        case tree.Facet(kind, value):
            return f"{word(f'facet.{kind}', ui)} {value_label(kind, value, ui)}"
        case tree.Years(first, last):
            return f"{word('year', ui)} {_span(first, last, ui)}"
        case tree.Identifier(scheme, value):
            return f"{scheme.upper()} {value}"


def _span(first: int | None, last: int | None, ui: Ui) -> str:
    if first is None:
        return f"{word('word.until', ui)} {last}"
    if last is None:
        return word("word.since", ui).format(first)
    return str(first) if first == last else f"{first}–{last}"
