"""The words of the interface, in English and French.

``ui`` is ``"en"`` or ``"fr"`` throughout.  Labels of document types and domains are those of
HAL's own interface (`halmirror.reference`); where HAL has a label in one language only, that
one is given, and a code that no table knows is shown as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from halmirror.reference import domains
from halmirror.reference.document_types import DOCUMENT_TYPES

if TYPE_CHECKING:
    from halmirror.record import DocumentType

Ui = Literal["en", "fr"]

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "abstract": ("Abstract", "Résumé"),
    "access": ("Access", "Accès"),
    "access.metadata-only": ("No file deposited", "Fichier non déposé"),
    "access.open": ("File deposited, open access", "Fichier déposé, en libre accès"),
    "access.restricted": ("File deposited, not open", "Fichier déposé, en accès restreint"),
    "affiliations": ("Affiliations", "Affiliations"),
    "audience": ("Audience", "Audience"),
    "audience.international": ("International", "Internationale"),
    "audience.national": ("National", "Nationale"),
    "authors": ("Authors", "Auteurs"),
    "citation": ("Cite as", "Citer"),
    "classifications": ("Classifications", "Classifications"),
    "conference": ("Conference", "Congrès"),
    "contributors": ("Contributors", "Contributeurs"),
    "coverage": ("Place", "Lieu"),
    "date": ("Date", "Date"),
    "details": ("Details", "Détails"),
    "domains": ("Domains", "Domaines"),
    "files": ("Files", "Fichiers"),
    "followed_by": ("followed by", "suivi de"),
    "funding": ("Funding", "Financement"),
    "identifiers": ("Identifiers", "Identifiants"),
    "keywords": ("Keywords", "Mots-clés"),
    "landing_page": ("Page", "Page"),
    "languages": ("Language", "Langue"),
    "licence": ("Licence", "Licence"),
    "notes": ("Notes", "Remarques"),
    "publishers": ("Publisher", "Éditeur"),
    "same_as": ("Same work", "Même œuvre"),
    "series": ("Series", "Collection"),
    "since": ("since", "depuis le"),
    "status": ("Status", "État"),
    "status.active": ("active", "actif"),
    "status.deleted": ("deleted at the source", "supprimé à la source"),
    "status.superseded": ("superseded", "remplacé"),
    "status.withdrawn": ("withdrawn from the source", "retiré de la source"),
    "title": ("Title", "Titre"),
    "type": ("Type", "Type"),
    "version": ("version", "version"),
    "versions": ("Dates and versions", "Dates et versions"),
    "warnings": ("Warnings", "Avertissements"),
    "year": ("Year", "Année"),
}

_LANGUAGES: Final[dict[str, tuple[str, str]]] = {
    "ar": ("Arabic", "arabe"),
    "br": ("Breton", "breton"),
    "ca": ("Catalan", "catalan"),
    "cs": ("Czech", "tchèque"),
    "da": ("Danish", "danois"),
    "de": ("German", "allemand"),
    "el": ("Greek", "grec"),
    "en": ("English", "anglais"),
    "es": ("Spanish", "espagnol"),
    "eu": ("Basque", "basque"),
    "fa": ("Persian", "persan"),
    "fi": ("Finnish", "finnois"),
    "fr": ("French", "français"),
    "he": ("Hebrew", "hébreu"),
    "hu": ("Hungarian", "hongrois"),
    "it": ("Italian", "italien"),
    "ja": ("Japanese", "japonais"),
    "ko": ("Korean", "coréen"),
    "la": ("Latin", "latin"),
    "nl": ("Dutch", "néerlandais"),
    "no": ("Norwegian", "norvégien"),
    "oc": ("Occitan", "occitan"),
    "pl": ("Polish", "polonais"),
    "pt": ("Portuguese", "portugais"),
    "ro": ("Romanian", "roumain"),
    "ru": ("Russian", "russe"),
    "sv": ("Swedish", "suédois"),
    "tr": ("Turkish", "turc"),
    "uk": ("Ukrainian", "ukrainien"),
    "vi": ("Vietnamese", "vietnamien"),
    "zh": ("Chinese", "chinois"),
}


def label(key: str, ui: Ui) -> str:
    """The interface's word for ``key``.  A key without a word is a fault of the caller."""
    english, french = _WORDS[key]
    return french if ui == "fr" else english


def labelled(name: str, value: str, ui: Ui) -> str:
    """``Name: value``, with the blank before the colon that French wants."""
    return f"{name} : {value}" if ui == "fr" else f"{name}: {value}"


def type_label(kind: DocumentType | None, ui: Ui) -> str | None:
    """HAL's name of a document type; without one, the type as the source gives it."""
    if kind is None:
        return None
    known = DOCUMENT_TYPES.get(kind.hal or "")
    if known:
        return known.fr if ui == "fr" else known.en
    if kind.hal:
        return kind.hal
    if kind.other:
        return kind.other[0]
    return kind.info_eu_repo.rpartition("/")[2] if kind.info_eu_repo else None


def domain_label(code: str, ui: Ui) -> str | None:
    """HAL's name of a domain, its parents before it (``Physics/Optics``); None if unknown."""
    other: Ui = "fr" if ui == "en" else "en"
    codes = (*domains.parents(code), code)
    names = [domains.label(one, ui) or domains.label(one, other) for one in codes]
    known = [name for name in names if name]
    return "/".join(known) if len(known) == len(codes) else None


def language_name(code: str, ui: Ui) -> str:
    """The name of a language (BCP 47 tag) for the usual ones, else the tag itself."""
    names = _LANGUAGES.get(code.split("-", 1)[0].lower())
    if names is None:
        return code
    return names[1] if ui == "fr" else names[0]


def day(date: str, ui: Ui) -> str:
    """A date (EDTF level 0 or a UTC time stamp) as written in the interface's language.

    English keeps ``2024-03-07``; French, as on HAL's pages, has ``07-03-2024``.  A time stamp
    is cut to its day.
    """
    plain = date.split("T", 1)[0]
    parts = plain.split("-")
    if ui == "en" or not all(part.isdigit() for part in parts):
        return plain
    return "-".join(reversed(parts))
