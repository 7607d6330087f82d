"""A citation in a style of the Citation Style Language, through citeproc-py.

The bundled styles are those of the CSL project (``styles/README.md`` beside this file); any other
can be given as a file.  A style says what to show of the CSL-JSON item, and in which language
unless it leaves that open.
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from halmirror.errors import OutputError, UsageError
from halmirror.export.csl_json import item

if TYPE_CHECKING:
    from halmirror.record import Record
    from halmirror.record.labels import Ui

_FOLDER: Final = Path(__file__).parent / "styles"
_LOCALES: Final[dict[Ui, str]] = {"en": "en-US", "fr": "fr-FR"}
_CSL: Final = "{http://purl.org/net/xbiblio/csl}"
_KEY: Final = "cited"
_NOT_CITED: Final = frozenset({"abstract", "custom", "event-title", "id", "keyword"})
"""What is no part of a citation, or that citeproc-py knows under an older name."""

_NUMBER = re.compile(r"\[?1[\].)]*\s*")
_FAULTS: Final = (
    ArithmeticError, AssertionError, AttributeError, LookupError, NotImplementedError,
    RecursionError, TypeError, ValueError,
)  # fmt: skip
"""How citeproc-py fails on an item or a style that it cannot take."""


def styles() -> tuple[str, ...]:
    """The names of the bundled styles."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.csl")))


def check(style: str) -> None:
    """Raises `UsageError` for what is neither a bundled style nor a file of one."""
    path = _path(style)
    if not path.is_file():
        raise UsageError(
            f"--style: there is no style '{style}'; there are hal, {', '.join(styles())}, "
            "and any .csl file"
        )


def cite(record: Record, style: str, ui: Ui) -> str:
    """The record's entry in a list of references, on one line, without its number there.

    ``style``: a bundled one's name or a file's path; ``ui``: the language where the style leaves
    it open.  Raises `UsageError` for a style that cannot be used, and `OutputError` where the
    record cannot be cited in it.
    """
    import citeproc
    from citeproc.source.json import CiteProcJSON

    form, numbered = _loaded(style, _LOCALES[ui])
    cited = {key: value for key, value in item(record).items() if key not in _NOT_CITED}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            source = CiteProcJSON([cited | {"id": _KEY}])
            listed = citeproc.CitationStylesBibliography(form, source, citeproc.formatter.plain)
            listed.register(citeproc.Citation([citeproc.CitationItem(_KEY)]))
            (entry,) = listed.bibliography()
            text = " ".join(str(entry).split())
    except _FAULTS as error:
        raise OutputError(
            f"{record.versioned_id} cannot be cited in the style {style} ({error!r}); "
            "another --style may do, hal always does"
        ) from error
    return _NUMBER.sub("", text, count=1) if numbered and _NUMBER.match(text) else text


@lru_cache(16)
def _loaded(style: str, locale: str) -> tuple[Any, bool]:
    """A style, and whether it numbers its entries.  Raises `UsageError`."""
    import citeproc
    from lxml import etree

    path = _path(style)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            told = etree.parse(path).getroot().get("default-locale")
            form = citeproc.CitationStylesStyle(str(path), told or locale, validate=False)
        if form.root.find(f"{_CSL}bibliography") is None:
            raise UsageError(f"--style: {style} has no list of references; take another style")
    except (*_FAULTS, OSError, etree.LxmlError) as error:
        raise UsageError(f"--style: {style} cannot be used as a style ({error})") from error
    _spell_out(form.root)
    formats = form.root.iterfind(f"{_CSL}info/{_CSL}category")
    return form, any(one.get("citation-format") == "numeric" for one in formats)


def _spell_out(root: Any) -> None:  # noqa: ANN401 - lxml's element, of a class of citeproc-py
    """Say ``initialize="false"``, which citeproc-py does not know, in another way.

    What the style shortens given names with stands at each name that is to be shortened, and at
    no place above it (CSL 1.0.2, "Name").
    """
    whole = f".//{_CSL}name[@initialize='false']"
    mark = root.get("initialize-with")
    if root.find(whole) is None or mark is None:
        return
    del root.attrib["initialize-with"]
    for names in root.iter(f"{_CSL}names"):
        # What is inside "substitute" takes the form of the names around it.
        bare = names.find(f"{_CSL}name") is None
        if bare and names.getparent().tag != f"{_CSL}substitute":
            names.insert(0, names.makeelement(f"{_CSL}name", {}))
    for name in root.iter(f"{_CSL}name"):
        if name.get("initialize") == "false":
            name.attrib.pop("initialize-with", None)
        elif "initialize-with" not in name.attrib:
            name.set("initialize-with", mark)


def _path(style: str) -> Path:
    return Path(style) if style.endswith(".csl") else _FOLDER / f"{style}.csl"
