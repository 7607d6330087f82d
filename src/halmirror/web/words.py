"""The words of the pages, in English and French; those of records stand beside the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from halmirror.record.labels import Ui

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "about": (
        "A mirror of open archives' metadata, kept by halmirror.",
        "Un miroir des métadonnées d'archives ouvertes, tenu par halmirror.",
    ),
    "active_records": ("records", "notices"),
    "advanced": ("More fields", "Plus de champs"),
    "all_records": ("All records", "Toutes les notices"),
    "any": ("any", "indifférent"),
    "author": ("Author", "Auteur"),
    "back_to_record": ("Back to the record", "Retour à la notice"),
    "browse": ("Browse", "Parcourir"),
    "browse_author_text": (
        "Authors are searched by words of their names: family, given, or both.",
        "Les auteurs se cherchent par les mots de leur nom : nom, prénom ou les deux.",
    ),
    "browse_by": ("Browse by", "Parcourir par"),
    "citation_style": ("Style", "Style"),
    "cite": ("Cite", "Citer"),
    "clear": ("Remove", "Enlever"),
    "complete_as_of": ("Complete as of", "Complet au"),
    "completeness": ("Completeness", "Complétude"),
    "announced": ("announced", "annoncées"),
    "copied": ("Copied", "Copié"),
    "copy": ("Copy", "Copier"),
    "count": ("Records", "Notices"),
    "date": ("Date", "Date"),
    "details": ("Details", "Détails"),
    "differences": ("What changed last", "Derniers changements"),
    "domain": ("Domain", "Domaine"),
    "explained": ("Searched", "Recherché"),
    "export": ("Export", "Exporter"),
    "facet.access": ("Access", "Accès"),
    "facet.author": ("Author", "Auteur"),
    "facet.domain": ("Domain", "Domaine"),
    "facet.lang": ("Language", "Langue"),
    "facet.set": ("Set", "Ensemble"),
    "facet.source": ("Source", "Source"),
    "facet.status": ("Status", "État"),
    "facet.title": ("Title", "Titre"),
    "facet.type": ("Document type", "Type de document"),
    "facet.year": ("Year", "Année"),
    "first_page": ("First page", "Première page"),
    "from": ("from", "de"),
    "history": ("History", "Historique"),
    "history_text": (
        "Every state of the record since this mirror first saw it.",
        "Tous les états de la notice depuis que ce miroir la connaît.",
    ),
    "home": ("Home", "Accueil"),
    "identifier_hint": (
        "HAL id, DOI, arXiv id, PMID, NNT or words",
        "Identifiant HAL, DOI, arXiv, PMID, NNT ou mots",
    ),
    "in_document": ("Open the file", "Ouvrir le fichier"),
    "language_switch": ("Français", "English"),
    "last_runs": ("Last runs", "Dernières exécutions"),
    "last_success": ("Last success", "Dernier succès"),
    "latest": ("Most recent records", "Notices les plus récentes"),
    "more_values": ("{} more", "{} autres"),
    "newest": ("newest first", "les plus récentes d'abord"),
    "next": ("Next", "Suivant"),
    "api": ("HTTP API", "API HTTP"),
    "api_about": (
        "What the pages show, for programs. All is read with GET. Described in OpenAPI:",
        "Ce que montrent les pages, pour les programmes, en GET. Décrit en OpenAPI, en anglais :",
    ),
    "growth": ("Records held, by day", "Notices conservées, jour par jour"),
    "meant": ("Did you mean", "Vouliez-vous dire"),
    "no_hits": ("Nothing was found.", "Aucun résultat."),
    "no_hits_help": (
        "Fewer or other words may help; * at the end of a word finds its beginnings.",
        "Moins de mots, ou d'autres, peuvent aider ; * à la fin d'un mot en cherche le début.",
    ),
    "none": ("none", "aucune"),
    "not_active": ("This record is not current", "Cette notice n'est plus courante"),
    "oldest": ("oldest first", "les plus anciennes d'abord"),
    "open_windows": ("Open windows", "Fenêtres ouvertes"),
    "outcome": ("Outcome", "Résultat"),
    "page_of": ("{} to {} of {}", "{} à {} sur {}"),
    "problem": ("This did not work", "Cela n'a pas marché"),
    "problem.400": ("The question cannot be read", "La question n'est pas lisible"),
    "problem.404": ("Not found", "Introuvable"),
    "problem.405": ("Not possible here", "Impossible ici"),
    "problem.406": ("Not to be had in that form", "Pas disponible sous cette forme"),
    "problem.429": ("Too many requests", "Trop de requêtes"),
    "problem.500": ("An error of the server", "Une erreur du serveur"),
    "problem.503": ("Not at the moment", "Pas pour l'instant"),
    "quarantined": ("In quarantine", "En quarantaine"),
    "received": ("held", "tenues"),
    "record_in_source": ("At the source", "À la source"),
    "records_by_year": ("Records by year of the document", "Notices par année du document"),
    "records_by_year_text": (
        "Each bar is a year; years before {} are left out of the picture.",
        "Une barre par année ; les années avant {} ne sont pas dans l'image.",
    ),
    "refine": ("Refine", "Affiner"),
    "relevance": ("most relevant first", "les plus pertinentes d'abord"),
    "results": ("Results", "Résultats"),
    "run": ("Run", "Exécution"),
    "search": ("Search", "Rechercher"),
    "search_title": (
        "Search open archives' metadata",
        "Chercher dans les métadonnées d'archives ouvertes",
    ),
    "search_syntax": (
        'AND, OR, NOT, (…), "a phrase", begin*, author: title: year: type: domain: doi:',
        'AND, OR, NOT, (…), "une expression", début*, author: title: year: type: domain: doi:',
    ),
    "skip": ("Skip to the content", "Aller au contenu"),
    "sort": ("Sort", "Trier"),
    "source": ("Source", "Source"),
    "source_metadata": ("Source metadata", "Métadonnées source"),
    "source_metadata_text": (
        "The Dublin Core as it came from the source, in canonical form.",
        "Le Dublin Core tel qu'il est venu de la source, sous forme canonique.",
    ),
    "sources": ("Sources", "Sources"),
    "state": ("State of the mirror", "État du miroir"),
    "statement": ("Terms of the source", "Conditions de la source"),
    "status": ("Status", "État"),
    "to": ("to", "à"),
    "trails": (
        "The newest changes cannot be searched yet.",
        "Les changements les plus récents ne se cherchent pas encore.",
    ),
    "view_all": ("View all", "Tout voir"),
    "word.and": ("and", "et"),
    "word.author": ("in the authors", "dans les auteurs"),
    "word.abstract": ("in the abstract", "dans le résumé"),
    "word.begins": ("words that begin with", "mots commençant par"),
    "word.not": ("not", "sans"),
    "word.or": ("or", "ou"),
    "word.subject": ("in the keywords", "dans les mots-clés"),
    "word.title": ("in the title", "dans le titre"),
    "word.until": ("until", "jusqu'à"),
    "word.since": ("from {} on", "à partir de {}"),
    "year": ("Year", "Année"),
}


def word(key: str, ui: Ui) -> str:
    """The pages' word for ``key``.  A key without a word is a fault of the caller."""
    return _WORDS[key][ui == "fr"]


def has_word(key: str) -> bool:
    """Whether there is a word for ``key``."""
    return key in _WORDS


def number(value: int, ui: Ui) -> str:
    """A number with its thousands apart: ``4,650,000``; in French by narrow blanks."""
    grouped = f"{value:,}"
    return grouped.replace(",", "\N{NARROW NO-BREAK SPACE}") if ui == "fr" else grouped
