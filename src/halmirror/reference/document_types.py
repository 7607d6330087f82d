"""HAL's document types, and what each is called elsewhere: one table.

Where each column comes from:

* codes, labels and ``info:eu-repo`` terms: HAL's interface and its published crosswalk
  (CCSDForge/FinHal, ``library/Thesaurus/languages`` and ``library/Hal/Document/xsl/dc.xsl``).
  ``PROCEEDINGS`` and the four after it came in October 2022: their labels are those of HAL's
  list of types as public client code holds it, their term is the crosswalk's default;
* ``coar``: the COAR Resource Types vocabulary 3.  Where HAL's own linked data name a concept
  (FinHal, ``library/Hal/Rdf/Typdoc.php``), it is that one, unless a narrower one says more
  (``COMM``) or the vocabulary has given it up for a broader one (``OTHERREPORT``, and the
  technical report that HAL makes of ``REPACT``).  ``UNDEFINED`` keeps *preprint*, which lately is
  marked as given up too, since nothing else says it;
* ``bibtex``: HAL's own choice (FinHal, ``library/Hal/Document/xsl/bibtex.xsl``);
* ``biblatex``: the entry types of biblatex 3; ``ris``: the reference types of the RIS format;
  ``csl``: the item types of CSL 1.0.2; ``schema_org``: a class of schema.org.

Where a vocabulary has no equal term, the next broader one stands.  Portals have types of their
own beside these (``ETABTHESE``, ``CREPORT``, ``MEMLIC`` …): no label of theirs is published in
both languages, so such a code is kept as it is, without a row.
"""

from __future__ import annotations

from typing import NamedTuple

from halmirror.remembered import remembered

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
    biblatex: str
    ris: str
    csl: str


_ROWS = (
    ("ART", "Journal articles", "Article dans une revue",
     "article", "c_6501", "ScholarlyArticle", "article", "article", "JOUR", "article-journal"),
    ("COMM", "Conference papers", "Communication dans un congrès",
     "conferenceObject", "c_5794", "ScholarlyArticle", "inproceedings", "inproceedings", "CPAPER",
     "paper-conference"),
    ("POSTER", "Poster communications", "Poster de conférence",
     "conferenceObject", "c_6670", "Poster", "misc", "misc", "CPAPER", "paper-conference"),
    ("OUV", "Books", "Ouvrages",
     "book", "c_2f33", "Book", "book", "book", "BOOK", "book"),
    ("COUV", "Book sections", "Chapitre d'ouvrage",
     "bookPart", "c_3248", "Chapter", "incollection", "incollection", "CHAP", "chapter"),
    ("DOUV", "Directions of work or proceedings", "Direction d'ouvrage, Proceedings, Dossier",
     "book", "c_2f33", "Book", "book", "collection", "EDBOOK", "book"),
    ("PATENT", "Patents", "Brevet",
     "patent", "c_15cd", "CreativeWork", "patent", "patent", "PAT", "patent"),
    ("OTHER", "Other publications", "Autre publication scientifique",
     "other", "c_1843", "CreativeWork", "misc", "misc", "GEN", "document"),
    ("REPORT", "Reports", "Rapport",
     "report", "c_93fc", "Report", "techreport", "report", "RPRT", "report"),
    ("UNDEFINED", "Preprints, Working Papers, ...", "Pré-publication, Document de travail",
     "preprint", "c_816b", "ScholarlyArticle", "unpublished", "unpublished", "UNPB", "article"),
    ("THESE", "Theses", "Thèse",
     "doctoralThesis", "c_db06", "Thesis", "phdthesis", "thesis", "THES", "thesis"),
    ("HDR", "Habilitation à diriger des recherches", "HDR",
     "other", "c_46ec", "Thesis", "phdthesis", "thesis", "THES", "thesis"),
    ("LECTURE", "Lectures", "Cours",
     "lecture", "c_8544", "LearningResource", "unpublished", "unpublished", "GEN", "speech"),
    ("IMG", "Photos", "Image",
     "other", "c_c513", "ImageObject", "misc", "image", "FIGURE", "graphic"),
    ("VIDEO", "Videos", "Vidéo",
     "other", "c_12ce", "VideoObject", "misc", "video", "VIDEO", "motion_picture"),
    ("SON", "Audios", "Son",
     "other", "c_18cc", "AudioObject", "misc", "audio", "SOUND", "song"),
    ("MAP", "Maps", "Carte",
     "other", "c_12cd", "Map", "misc", "misc", "MAP", "map"),
    ("SOFTWARE", "Software", "Logiciel",
     "other", "c_5ce6", "SoftwareSourceCode", "misc", "software", "COMP", "software"),
    ("OTHERREPORT", "Other reports", "Autre rapport, séminaire, workshop",
     "other", "c_93fc", "Report", "misc", "report", "RPRT", "report"),
    ("MINUTES", "Minutes", "Compte rendu de table ronde",
     "other", "c_c94f", "Report", "misc", "misc", "RPRT", "report"),
    ("NOTE", "Book reviews", "Note de lecture",
     "other", "c_ba08", "Review", "misc", "review", "JOUR", "review-book"),
    ("SYNTHESE", "Notes de synthèse", "Notes de synthèse",
     "other", "c_93fc", "Report", "misc", "report", "RPRT", "report"),
    ("PRESCONF", "Documents associated with scientific events",
     "Document associé à des manifestations scientifiques",
     "conferenceObject", "c_c94f", "PresentationDigitalDocument", "misc", "misc", "SLIDE",
     "speech"),
    ("MEM", "Master thesis", "Mémoire d'étudiant",
     "masterThesis", "c_bdcc", "Thesis", "mastersthesis", "thesis", "THES", "thesis"),
    ("REPACT", "Administrative Reports", "Rapport d'activité",
     "other", "c_93fc", "Report", "misc", "report", "RPRT", "report"),
    ("PROCEEDINGS", "Proceedings", "Proceedings/Recueil des communications",
     "other", "c_f744", "Book", "misc", "proceedings", "CONF", "book"),
    ("ISSUE", "Special issue", "N°spécial de revue/special issue",
     "other", "c_0640", "PublicationIssue", "misc", "periodical", "JFULL", "periodical"),
    ("BLOG", "Scientific blog post", "Article de blog scientifique",
     "other", "c_6947", "BlogPosting", "misc", "online", "BLOG", "post-weblog"),
    ("NOTICE", "Dictionary entry", "Notice d’encyclopédie ou de dictionnaire",
     "other", "c_3248", "Article", "misc", "inreference", "DICT", "entry-dictionary"),
    ("TRAD", "Translation", "Traduction",
     "other", "c_1843", "CreativeWork", "misc", "misc", "GEN", "document"),
)  # fmt: skip

DOCUMENT_TYPES: dict[str, DocumentType] = {
    code: DocumentType(code, en, fr, _EU_REPO + term, _COAR + coar, *names)
    for code, en, fr, term, coar, *names in _ROWS
}
"""The 30 types by code, in HAL's order."""

_THESIS = DocumentType(
    "", "Theses", "Thèses", _EU_REPO + "other", _COAR + "c_46ec",
    "Thesis", "misc", "thesis", "THES", "thesis",
)  # fmt: skip
_DATASET = DocumentType(
    "", "Datasets", "Jeux de données", _EU_REPO + "other", _COAR + "c_ddb1",
    "Dataset", "misc", "dataset", "DATA", "dataset",
)  # fmt: skip
_BY_COAR = {
    **{_COAR + one: DOCUMENT_TYPES[code] for code, coar in (
        ("ART", "c_6501 c_2df8fbb1 c_dcae04bc"),
        ("COMM", "c_5794"),
        ("POSTER", "c_6670"),
        ("OUV", "c_2f33"),
        ("COUV", "c_3248"),
        ("PATENT", "c_15cd"),
        ("REPORT", "c_93fc c_18ws c_18gh"),
        ("UNDEFINED", "c_816b c_8042"),
        ("THESE", "c_db06"),
        ("MEM", "c_bdcc c_7a1f"),
        ("LECTURE", "c_8544"),
        ("IMG", "c_c513 c_ecc8"),
        ("VIDEO", "c_12ce"),
        ("SON", "c_18cc"),
        ("MAP", "c_12cd"),
        ("SOFTWARE", "c_5ce6"),
        ("NOTE", "c_ba08"),
        ("PROCEEDINGS", "c_f744"),
        ("BLOG", "c_6947"),
    ) for one in coar.split()},
    _THESIS.coar: _THESIS,
    _DATASET.coar: _DATASET,
}  # fmt: skip
"""What other repositories' COAR types are called: HAL's type where it means the same or more.

A thesis of no known degree and a dataset are none of HAL's types: their rows have no code.
"""

_FORMER_LABELS = (
    ("OUV", "Ouvrage (y compris édition critique et traduction)"),
    ("OTHER", "Autre publication"),
    ("POSTER", "Poster"),
    ("SON", "Audio"),
    ("ART", "Article in peer-reviewed journal"),
    ("ART", "Articles dans des revues avec comité de lecture"),
    ("ART", "Article in non peer-reviewed journal"),
    ("ART", "Articles dans des revues sans comité de lecture"),
    ("COMM", "Conference proceedings"),
    ("COMM", "Communications avec actes"),
    ("COMM", "Conference, seminar, workshop communications"),
    ("COMM", "Communications sans actes"),
    ("COMM", "Invited conference talk"),
    ("COMM", "Conférences invitées"),
    ("DOUV", "Edition of book or proceedings"),
    ("DOUV", "Directions d'ouvrages scientifiques"),
    ("OUV", "Scientific Book"),
    ("OUV", "Ouvrages scientifiques"),
    ("COUV", "Scientific Book chapter"),
    ("COUV", "Chapitres d'ouvrages scientifiques"),
    ("THESE", "PhD thesis"),
    ("THESE", "Thèses"),
    ("HDR", "Habilitation research"),
    ("PATENT", "Patent"),
    ("PATENT", "Brevets"),
    ("REPORT", "Research report"),
    ("REPORT", "Rapport de recherche"),
    ("LECTURE", "Lecture"),
    ("UNDEFINED", "Preprint, Working Paper, ..."),
    ("UNDEFINED", "Preprint, Working Paper, Document sans référence, etc."),
    ("OTHER", "Other publication"),
    ("OTHER", "Autres publications"),
)
"""Labels HAL had before.

The first four are those of public client code.  The others are of before October 2014 (types
``ART_ACL``, ``ART_SCL``, ``COMM_ACT``, ``COMM_SACT``, ``CONF_INV``, ``OUVS``, ``COVS`` …), from a
publication list of the Rennes 1 library (``HAL_SCD``), each under the present type of its kind.
"""

_PRINTED = str.maketrans({"’": "'", "…": "..."})


def _folded(label: str) -> str:
    return label.translate(_PRINTED).casefold()


_BY_LABEL = {
    _folded(text): one.code for one in DOCUMENT_TYPES.values() for text in (one.fr, one.en)
}
_BY_FORMER_LABEL = {_folded(text): code for code, text in _FORMER_LABELS}
_BY_TERM = {
    "article": "ART",
    "conferenceObject": "COMM",
    "book": "OUV",
    "bookPart": "COUV",
    "patent": "PATENT",
    "report": "REPORT",
    "preprint": "UNDEFINED",
    "doctoralThesis": "THESE",
    "masterThesis": "MEM",
    "lecture": "LECTURE",
}


@remembered(256)
def by_label(text: str) -> str | None:
    """The code whose English or French label the text is; case and apostrophes do not count."""
    return _BY_LABEL.get(_folded(text))


@remembered(256)
def by_former_label(text: str) -> str | None:
    """The code of the type that HAL made of one it had under this label before.

    Several former types became one, so the label says more than the code.
    """
    return _BY_FORMER_LABEL.get(_folded(text))


def by_coar(address: str) -> DocumentType | None:
    """The row of a COAR resource type, for records of repositories that are not HAL."""
    return _BY_COAR.get(address)


def by_term(term: str) -> str | None:
    """The code an ``info:eu-repo`` term stands for first; None for ``other``, which says none.

    HAL's records of before 2015 have the term without its ``info:eu-repo/semantics/``.
    """
    return _BY_TERM.get(term.removeprefix(_EU_REPO))
