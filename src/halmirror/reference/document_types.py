"""HAL's document types, and what each is called elsewhere: one table.

Codes, labels and ``info:eu-repo`` terms are those of HAL's interface and of its published
crosswalk; the five types of October 2022 (``PROCEEDINGS`` and what follows) have the crosswalk's
default term.  The BibTeX types are HAL's own choice.  COAR is the COAR Resource Types
vocabulary 3, RIS the reference types of the RIS format, CSL the item types of CSL 1.0.2,
``schema_org`` a class of schema.org; where a vocabulary has no equal term, the next broader one
stands.
"""

from __future__ import annotations

from typing import NamedTuple

_COAR = "http://purl.org/coar/resource_type/"
_EU_REPO = "info:eu-repo/semantics/"


class DocumentType(NamedTuple):
    """A HAL document type with its labels and its names in other vocabularies."""

    code: str
    en: str
    fr: str
    info_eu_repo: str
    coar: str
    schema_org: str
    bibtex: str
    ris: str
    csl: str


_ROWS = (
    ("ART", "Journal articles", "Article dans une revue",
     "article", "c_6501", "ScholarlyArticle", "article", "JOUR", "article-journal"),
    ("COMM", "Conference papers", "Communication dans un congrès",
     "conferenceObject", "c_5794", "ScholarlyArticle", "inproceedings", "CPAPER",
     "paper-conference"),
    ("POSTER", "Poster communications", "Poster de conférence",
     "conferenceObject", "c_6670", "Poster", "misc", "CPAPER", "paper-conference"),
    ("OUV", "Books", "Ouvrages",
     "book", "c_2f33", "Book", "book", "BOOK", "book"),
    ("COUV", "Book sections", "Chapitre d'ouvrage",
     "bookPart", "c_3248", "Chapter", "incollection", "CHAP", "chapter"),
    ("DOUV", "Directions of work or proceedings", "Direction d'ouvrage, Proceedings, Dossier",
     "book", "c_2f33", "Book", "book", "EDBOOK", "book"),
    ("PATENT", "Patents", "Brevet",
     "patent", "c_15cd", "CreativeWork", "patent", "PAT", "patent"),
    ("OTHER", "Other publications", "Autre publication scientifique",
     "other", "c_1843", "CreativeWork", "misc", "GEN", "document"),
    ("REPORT", "Reports", "Rapport",
     "report", "c_93fc", "Report", "techreport", "RPRT", "report"),
    ("UNDEFINED", "Preprints, Working Papers, ...", "Pré-publication, Document de travail",
     "preprint", "c_816b", "ScholarlyArticle", "unpublished", "UNPB", "article"),
    ("THESE", "Theses", "Thèse",
     "doctoralThesis", "c_db06", "Thesis", "phdthesis", "THES", "thesis"),
    ("HDR", "Habilitation à diriger des recherches", "HDR",
     "other", "c_46ec", "Thesis", "phdthesis", "THES", "thesis"),
    ("LECTURE", "Lectures", "Cours",
     "lecture", "c_8544", "LearningResource", "unpublished", "GEN", "speech"),
    ("IMG", "Photos", "Image",
     "other", "c_c513", "ImageObject", "misc", "FIGURE", "graphic"),
    ("VIDEO", "Videos", "Vidéo",
     "other", "c_12ce", "VideoObject", "misc", "VIDEO", "motion_picture"),
    ("SON", "Audios", "Son",
     "other", "c_18cc", "AudioObject", "misc", "SOUND", "song"),
    ("MAP", "Maps", "Carte",
     "other", "c_12cd", "Map", "misc", "MAP", "map"),
    ("SOFTWARE", "Software", "Logiciel",
     "other", "c_5ce6", "SoftwareSourceCode", "misc", "COMP", "software"),
    ("OTHERREPORT", "Other reports", "Autre rapport, séminaire, workshop",
     "other", "c_18wq", "Report", "misc", "RPRT", "report"),
    ("MINUTES", "Minutes", "Compte rendu de table ronde",
     "other", "c_c94f", "Report", "misc", "RPRT", "report"),
    ("NOTE", "Book reviews", "Note de lecture",
     "other", "c_ba08", "Review", "misc", "JOUR", "review-book"),
    ("SYNTHESE", "Notes de synthèse", "Notes de synthèse",
     "other", "c_93fc", "Report", "misc", "RPRT", "report"),
    ("PRESCONF", "Documents associated with scientific events",
     "Document associé à des manifestations scientifiques",
     "conferenceObject", "c_c94f", "PresentationDigitalDocument", "misc", "SLIDE", "speech"),
    ("MEM", "Master thesis", "Mémoire d'étudiant",
     "masterThesis", "c_bdcc", "Thesis", "mastersthesis", "THES", "thesis"),
    ("REPACT", "Administrative Reports", "Rapport d'activité",
     "other", "c_18ww", "Report", "misc", "RPRT", "report"),
    ("PROCEEDINGS", "Proceedings", "Proceedings/Recueil des communications",
     "other", "c_f744", "Book", "misc", "CONF", "book"),
    ("ISSUE", "Special issue", "N°spécial de revue/special issue",
     "other", "c_0640", "PublicationIssue", "misc", "JFULL", "periodical"),
    ("BLOG", "Scientific blog post", "Article de blog scientifique",
     "other", "c_6947", "BlogPosting", "misc", "BLOG", "post-weblog"),
    ("NOTICE", "Dictionary entry", "Notice d’encyclopédie ou de dictionnaire",
     "other", "c_3248", "Article", "misc", "DICT", "entry-dictionary"),
    ("TRAD", "Translation", "Traduction",
     "other", "c_1843", "CreativeWork", "misc", "GEN", "document"),
)  # fmt: skip

DOCUMENT_TYPES: dict[str, DocumentType] = {
    code: DocumentType(code, en, fr, _EU_REPO + term, _COAR + coar, *names)
    for code, en, fr, term, coar, *names in _ROWS
}
"""The 30 types by code, in HAL's order."""

_BY_LABEL = {
    text.casefold(): one.code for one in DOCUMENT_TYPES.values() for text in (one.fr, one.en)
}
_BY_TERM = {
    _EU_REPO + "article": "ART",
    _EU_REPO + "conferenceObject": "COMM",
    _EU_REPO + "book": "OUV",
    _EU_REPO + "bookPart": "COUV",
    _EU_REPO + "patent": "PATENT",
    _EU_REPO + "report": "REPORT",
    _EU_REPO + "preprint": "UNDEFINED",
    _EU_REPO + "doctoralThesis": "THESE",
    _EU_REPO + "masterThesis": "MEM",
    _EU_REPO + "lecture": "LECTURE",
}


def by_label(text: str) -> str | None:
    """The code whose English or French label the text is, case aside."""
    return _BY_LABEL.get(text.casefold())


def by_term(term: str) -> str | None:
    """The code an ``info:eu-repo`` term stands for first; None for ``other``, which says none."""
    return _BY_TERM.get(term)
