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
    "account.as_held": (
        "Today's rules make another record than the mirror holds",
        "Les règles actuelles donnent une autre notice que celle du miroir",
    ),
    "account.dropped": ("dropped", "écarté"),
    "account.named": ("dropped by name", "écarté nommément"),
    "account.notes": ("kept in notes", "gardé dans notes"),
    "account.repetition": ("repetition of", "répétition de"),
    "account.result": ("Result", "Résultat"),
    "account.rule": ("Rule (section)", "Règle (section)"),
    "account.source only": ("in the source metadata only", "dans les métadonnées source seulement"),
    "account.sections": ("sections of docs/normalising.md", "sections de docs/normalising.md"),
    "account.value": ("Source value", "Valeur de la source"),
    "contributors": ("Contributors", "Contributeurs"),
    "coverage": ("Place", "Lieu"),
    "date": ("Date", "Date"),
    "details": ("Details", "Détails"),
    "domains": ("Domains", "Domaines"),
    "field.abstract": ("abstract", "résumé"),
    "field.affiliations": ("affiliations", "affiliations"),
    "field.container": ("journal, book or conference", "revue, ouvrage ou congrès"),
    "field.date": ("date", "date"),
    "field.doi": ("DOI", "DOI"),
    "field.file": ("file", "fichier"),
    "field.funding": ("funding", "financement"),
    "field.issn": ("ISSN where it appears in a journal", "ISSN si paru dans une revue"),
    "field.keywords": ("keywords", "mots-clés"),
    "field.landing_page": ("landing page", "page"),
    "field.language": ("language", "langue"),
    "field.licence": ("licence", "licence"),
    "field.open_access": ("open access", "libre accès"),
    "field.warnings": ("warnings", "avertissements"),
    "files": ("Files", "Fichiers"),
    "followed_by": ("followed by", "suivi de"),
    "funding": ("Funding", "Financement"),
    "head.abstract": ("abst", "rés."),
    "head.affiliations": ("aff.", "aff."),
    "head.container": ("cont", "hôte"),
    "head.date": ("date", "date"),
    "head.doi": ("DOI", "DOI"),
    "head.file": ("file", "fich"),
    "head.funding": ("fund", "fin."),
    "head.issn": ("ISSN", "ISSN"),
    "head.keywords": ("keyw", "mots"),
    "head.landing_page": ("page", "page"),
    "head.language": ("lang", "lang"),
    "head.licence": ("lic.", "lic."),
    "head.open_access": ("open", "acc."),
    "head.warnings": ("warn", "avt."),
    "identifiers": ("Identifiers", "Identifiants"),
    "keywords": ("Keywords", "Mots-clés"),
    "landing_page": ("Page", "Page"),
    "languages": ("Language", "Langue"),
    "licence": ("Licence", "Licence"),
    "notes": ("Notes", "Remarques"),
    "past.added": ("added", "ajouté"),
    "past.changed": ("changed", "modifié"),
    "past.datestamp": ("datestamp", "date de modification"),
    "past.deleted": ("deleted at the source", "supprimé à la source"),
    "past.begins": ("The history begins", "L'historique commence"),
    "past.held": ("so already when the history begins", "déjà ainsi au début de l'historique"),
    "past.is": ("and is now", "et est maintenant"),
    "past.keys": ("keys that changed", "clés modifiées"),
    "past.moved": ("datestamp alone moved to", "date de modification seule passée à"),
    "past.new": ("new", "nouveau"),
    "past.only": ("the only state that the mirror holds", "seul état que le miroir conserve"),
    "past.removed": ("removed", "retiré"),
    "past.reordered": ("the same values in another order", "mêmes valeurs dans un autre ordre"),
    "past.restored": ("active again", "de nouveau actif"),
    "past.run": ("run", "exécution"),
    "past.same": ("Nothing differs", "Aucune différence"),
    "past.sets_added": ("sets added", "ensembles ajoutés"),
    "past.sets_removed": ("sets removed", "ensembles retirés"),
    "past.state": ("Record and status", "Notice et état"),
    "past.superseded": ("superseded", "remplacé"),
    "past.was": ("was", "était"),
    "past.what": ("What changed", "Ce qui a changé"),
    "past.when": ("When (UTC)", "Quand (UTC)"),
    "past.withdrawn": ("withdrawn from the source", "retiré de la source"),
    "publishers": ("Publisher", "Éditeur"),
    "quality.all": ("all", "toutes"),
    "quality.earlier": ("earlier", "avant"),
    "quality.further_types": ("further types", "autres types"),
    "quality.more": (
        "{} more kinds; --format json names them all",
        "{} autres sortes ; --format json les donne toutes",
    ),
    "quality.no_records": ("no records", "aucune notice"),
    "quality.no_type": ("no known type", "type inconnu"),
    "quality.no_warnings": ("no warnings", "aucun avertissement"),
    "quality.no_year": ("no year", "sans année"),
    "quality.records": ("records", "notices"),
    "quality.shares": (
        "per cent of the records, rounded down, that have:",
        "pour cent des notices, arrondi vers le bas, qui ont :",
    ),
    "quality.times": ("{} in {} records", "{} dans {} notices"),
    "quality.warnings": (
        "warnings, the most frequent first",
        "avertissements, les plus fréquents d'abord",
    ),
    "quality.without": ("without", "sans"),
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


def set_label(spec: str) -> str:
    """HAL's English name of a set of a type or domain; any other set is called by its setSpec."""
    kind, _, code = spec.partition(":")
    if kind == "type" and code in DOCUMENT_TYPES:
        return DOCUMENT_TYPES[code].en
    return (domain_label(code, "en") if kind == "subject" else None) or spec


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
