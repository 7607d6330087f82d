"""What repositories call their documents, in COAR resource types.

The words are those of the DCMI Type Vocabulary, the info:eu-repo semantic terms (DRIVER and
OpenAIRE guidelines), DataCite's ``resourceTypeGeneral``, the COAR vocabulary's own labels and the
type lists DSpace and EPrints come with.  A word that two of them use for different things (EPrints'
``Monograph`` is a report) or that says no type (``Other``, ``Letter``) is left out.
"""

from __future__ import annotations

import re

from halmirror.remembered import remembered

_COAR = re.compile(r"https?://purl\.org/coar/resource_type/([A-Za-z0-9_-]+)/?", re.ASCII)
_VOCABULARIES = (
    "info:eu-repo/semantics/",
    "http://purl.org/eprint/type/",
    "http://purl.org/dc/dcmitype/",
    "dcmitype:",
    "publications:",
)
_SEPARATORS = re.compile(r"[\s_-]+")
_SPECIFIC = {
    "c_6501": "article|journal article|article in journal|artículo|artigo|zeitschriftenartikel",
    "c_2df8fbb1": "research article|original article|original research article",
    "c_dcae04bc": "review article",
    "c_b239": "editorial",
    "c_545b": "letter to the editor",
    "c_beb9": "data paper",
    "c_3e5a": "contribution to periodical|contribution to journal",
    "c_998f": "newspaper article",
    "c_efa0": "review",
    "c_ba08": "book review",
    "c_1162": "annotation",
    "c_2f33": "book|livre|libro|livro|buch|printed monograph|monographie imprimée",
    "c_0040": "manuscript|manuscrit",
    "c_3248": "book part|book chapter|book section|chapter|capítulo de libro|buchkapitel",
    "c_0640": "journal|revue|zeitschrift",
    "c_2659": "periodical|printed serial|publication en série imprimée",
    "c_c94f": "conference object|conference item|conference or workshop item|conference output",
    "c_5794": "conference paper|conference contribution",
    "c_6670": "conference poster|poster",
    "c_f744": "conference proceedings|proceedings",
    "R60J-J5BD": "conference presentation",
    "c_8544": "lecture",
    "c_46ec": "thesis|dissertation|electronic thesis or dissertation|tesis|tese"
    "|thesis or dissertation|student thesis",
    "c_db06": "doctoral thesis|doctoral dissertation|phd thesis|tesis doctoral|thèse de doctorat"
    "|doktora",
    "c_bdcc": "master thesis|masters thesis|master's thesis|tesis de maestría|mémoire de master"
    "|yüksek lisans",
    "c_7a1f": "bachelor thesis",
    "c_93fc": "report|rapport|research paper or report|report or paper",
    "c_18gh": "technical report",
    "c_18ws": "research report",
    "c_18ww": "internal report",
    "c_18wq": "external research report|other type of report",
    "c_18op": "project deliverable",
    "c_186u": "policy report",
    "c_18wz": "memorandum",
    "c_8042": "working paper",
    "c_816b": "preprint",
    "c_71bd": "technical documentation",
    "c_baaf": "research proposal",
    "c_15cd": "patent",
    "c_ddb1": "dataset|data set|données|survey data",
    "c_5ce6": "software",
    "c_393c": "workflow",
    "c_e059": "learning object",
    "c_7ad9": "website",
    "c_12cd": "map|carte",
    "c_12cc": "cartographic material",
    "c_18cw": "musical score|musical notation",
    "c_18cd": "musical composition",
    "c_ecc8": "photograph|photographie",
    "c_12ce": "video|vidéo",
}
_GENERAL = {
    "c_18cf": "text|texte|texto",
    "c_c513": "image",
    "c_ecc8": "still image",
    "c_8a7e": "moving image",
    "c_18cc": "sound|recording, acoustical",
    "c_e9a0": "interactive resource",
}
"""The broad classes, which decide only where nothing more telling is said."""

_IN_JOURNALS = frozenset(
    f"http://purl.org/coar/resource_type/{code}"
    for code in (
        "c_3e5a", "c_6501", "c_2df8fbb1", "c_dcae04bc", "c_beb9", "c_b239", "c_545b", "c_7acd",
        "c_7bab", "c_0640", "c_ba08",
    )
)  # fmt: skip
"""COAR's *contribution to journal* and what stands under it (articles of all kinds, data and
software papers, editorials, letters, corrigenda), a journal or its issue, and book reviews."""


def _key(word: str) -> str:
    return _SEPARATORS.sub("", word).casefold()


_BY_WORD: dict[str, tuple[str, bool]] = {
    _key(word): (code, telling)
    for table, telling in ((_GENERAL, False), (_SPECIFIC, True))
    for code, words in table.items()
    for word in words.split("|")
}


_NAMES = {
    code: words.split("|", 1)[0] for table in (_GENERAL, _SPECIFIC) for code, words in table.items()
}


def coar_word(address: str) -> str | None:
    """An English word for the COAR type at an address; None where the tables have none."""
    return _NAMES.get(address.rpartition("/")[2])


def is_in_journal(address: str | None) -> bool:
    """Whether what is of this COAR type appears in a journal, which has an ISSN."""
    return address in _IN_JOURNALS


def is_coar(text: str) -> bool:
    """Whether a text is the address of a COAR resource type."""
    return _COAR.fullmatch(text) is not None


@remembered(1024)
def coar_type(text: str) -> tuple[str, bool] | None:
    """The COAR type a word stands for, and whether it says more than text, image or sound.

    Takes a COAR address too, a term with the vocabulary it is of before it, and a word in two
    languages round `` / `` of which one is known or both agree.
    """
    coar = _COAR.fullmatch(text)
    if coar:
        return f"http://purl.org/coar/resource_type/{coar[1]}", True
    for vocabulary in _VOCABULARIES:
        text = text.removeprefix(vocabulary)
    known = {_BY_WORD[key] for key in map(_key, (text, *text.split(" / "))) if key in _BY_WORD}
    if len(known) != 1:
        return None
    code, telling = known.pop()
    return f"http://purl.org/coar/resource_type/{code}", telling
