"""The text view of a record, and what of it may reach a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halmirror.export.text import line, printable, render
from halmirror.record import (
    Affiliation,
    Body,
    Classification,
    Container,
    DocumentType,
    Funding,
    Head,
    Identifiers,
    Name,
    OtherIdentifier,
    Record,
    Title,
    Value,
)
from halmirror.record.labels import day, domain_label, label, labelled, language_name, type_label
from recorded_records import recorded_records

NOTICE = """\
Journal articles · La vie des idées · 2018

Les contrats à impact social : une menace pour la solidarité ? [French]
Jean-Sébastien Alix, Michel Autès, Nathalie Coutinet, Gabrielle Garrigue

Abstract (English)
  On March 16, 2016, the government inaugurated new social action financing
  schemes, Social impact bonds, renamed in French Contrats à impact social
  (CIS). Private investors such as banks will be able to finance social
  projects, and then be reimbursed by the State or local authorities in the
  event of a proven "social impact". The aim of this article is to present the
  political and institutional framework of these "social innovations", but above
  all, based on a child protection project, to examine the transformations they
  are bringing about in the definition of a policy of solidarity, and the
  resulting challenges for professional practices and beneficiaries.

Abstract (French)
  Le gouvernement a inauguré le 16 mars 2016 de nouveaux dispositifs de
  financement de l’action sociale, les Social impact bonds, rebaptisés à la
  française Contrats à impact social (CIS). Des investisseurs privés tels que
  des banques pourront financer des projets sociaux, puis être remboursés par
  l’État ou les collectivités territoriales dans le cas d'un « impact social »
  avéré. L'article a pour objectifs de présenter le cadre politique et
  institutionnel de ces « innovations sociales », mais surtout, à partir d'un
  projet dans la protection de l'enfance, il s'agit d'interroger les
  transformations qu'elles opèrent dans la définition d'une politique de
  solidarité et les enjeux qui en découlent pour les pratiques professionnelles
  et les bénéficiaires.

Files
  No file deposited

Dates and versions
  hal-04493396, version 1 (2024-03-07)
  Date: 2018

Identifiers
  Page: https://hal.science/hal-04493396

Domains
  Humanities and Social Sciences (shs)

Details
  Language: French

Cite as
"""
CITATION = (
    "Jean-Sébastien Alix, Michel Autès, Nathalie Coutinet, Gabrielle Garrigue. Les contrats à "
    "impact social : une menace pour la solidarité ?. La vie des idées, 2018. ⟨hal-04493396⟩\n"
)

FULL = Record(
    Head("hal-01000001", 1, "hal", "oai:HAL:hal-01000001v1", "2021-02-03", "active"),
    Body(
        type=DocumentType(hal="ART"),
        titles=(Title("Un titre", "une suite", "fr"), Title("A title", lang="en"), Title("X")),
        creators=(Name(family="Alix", given="Jean"), Name(literal="LHCb Collaboration")),
        affiliations=(Affiliation("Lab", "LB", ("CNRS (CNRS)", "Inria")), Affiliation("Other")),
        contributors=("Editor, An",),
        funding=(
            Funding(
                funder="EC",
                programme="FP7",
                number="246561",
                acronym="TOPO",
                title="Topology",
                call="ERC-2009",
                year="2010",
            ),
        ),
        abstracts=(Value("Sans langue."), Value("Kurz.", "de"), Value("Lang.", "tlh")),
        notes=("31 pages",),
        keywords=(Value("one", "en"), Value("deux", "fr")),
        domains=("shs.socio", "shs.info.docu", "spm.bio"),
        classifications=(Classification(scheme="JEL", value="C10"), Classification(value="42")),
        date="2018-03",
        year=2018,
        languages=("fr", "en"),
        container=Container(
            title="La Revue",
            series="Cahiers",
            volume="12",
            issue="3",
            pages="1-20",
            issn="1539-3755",
            eissn="1550-2376",
            conference="Le Congrès",
        ),
        citation="La Revue, 2018, 12 (3), pp.1-20",
        publishers=("Presses",),
        identifiers=Identifiers(
            doi=("10.1000/x",),
            arxiv=("1303.0980",),
            pmid=("123",),
            nnt=("2013PA010612",),
            isbn=("9782867819629",),
            hdl=("2268/1",),
            report=("RR-1",),
            patent=("FR1",),
            other=(OtherIdentifier(scheme="WOS", value="000"), OtherIdentifier(value="bare")),
        ),
        landing_page="https://hal.science/hal-01000001",
        files=("https://hal.science/hal-01000001/document",),
        access="restricted",
        licence="CC-BY-4.0",
        licence_url="https://creativecommons.org/licenses/by/4.0/",
        audience="national",
        coverage=("Dresden, Germany",),
        warnings=("date: '2018-13' is no date; kept as given",),
    ),
)

FULL_IN_FRENCH = """\
Article dans une revue · La Revue, 12 (3), pp.1-20 · 2018

Un titre : une suite [français]
A title [anglais]
X
Jean Alix, LHCb Collaboration

Résumé
  Sans langue.

Résumé (allemand)
  Kurz.

Résumé (tlh)
  Lang.

Fichiers
  Fichier déposé, en accès restreint
  https://hal.science/hal-01000001/document

Dates et versions
  hal-01000001 , version 1 (03-02-2021)
  Date : 03-2018

Identifiants
  DOI : 10.1000/x
  arXiv : 1303.0980
  PMID : 123
  NNT : 2013PA010612
  ISBN : 9782867819629
  Handle : 2268/1
  Rapport n° : RR-1
  Brevet n° : FR1
  WOS : 000
  bare
  ISSN : 1539-3755
  EISSN : 1550-2376
  Page : https://hal.science/hal-01000001

Domaines
  Sciences de l'Homme et Société/Sociologie (shs.socio)
  shs.info.docu
  spm.bio

Mots-clés
  one ; deux

Licence
  CC-BY-4.0
  https://creativecommons.org/licenses/by/4.0/

Financement
  EC, FP7, ERC-2009, 246561, TOPO, Topology (2010)

Affiliations
  Lab (LB) – CNRS (CNRS) ; Inria
  Other

Contributeurs
  Editor, An

Détails
  Langue : français ; anglais
  Congrès : Le Congrès
  Collection : Cahiers
  Éditeur : Presses
  Lieu : Dresden, Germany
  Audience : Nationale
  Classifications : JEL C10 ; 42
  Remarques : 31 pages

Avertissements
  date: '2018-13' is no date; kept as given

Citer
Jean Alix, LHCb Collaboration. Un titre : une suite. La Revue, 2018, 12 (3), pp.1-20. ⟨hal-01000001⟩
"""


def test_the_recorded_notice_in_english() -> None:
    assert render(recorded_records()["hal-04493396v1"], "en") == NOTICE + CITATION


def test_the_recorded_notice_in_french() -> None:
    lines = render(recorded_records()["hal-04493396v1"], "fr").splitlines()
    assert lines[0] == "Article dans une revue · La vie des idées · 2018"
    assert lines[2].endswith("la solidarité ? [français]")
    assert "Résumé (anglais)" in lines
    assert lines[lines.index("Fichiers") + 1] == "  Fichier non déposé"
    assert lines[lines.index("Dates et versions") + 1] == "  hal-04493396 , version 1 (07-03-2024)"
    assert lines[lines.index("Citer") + 1] + "\n" == CITATION


def test_every_part_of_a_record_is_shown() -> None:
    assert render(FULL, "fr") == FULL_IN_FRENCH


def with_head(**head: object) -> Record:
    return Record(Head("hal-01000001", **head), Body(titles=(Title("T"),)))


@pytest.mark.parametrize(
    ("status", "since", "followed_by", "english", "french"),
    [
        (
            "superseded",
            "2025-01-02T03:04:05Z",
            "hal-01000001v2",
            "Status: superseded since 2025-01-02T03:04:05Z, followed by hal-01000001v2",
            "État : remplacé depuis le 2025-01-02T03:04:05Z, suivi de hal-01000001v2",
        ),
        (
            "withdrawn",
            "2025-01-02T03:04:05Z",
            None,
            "Status: withdrawn from the source since 2025-01-02T03:04:05Z",
            "État : retiré de la source depuis le 2025-01-02T03:04:05Z",
        ),
        ("deleted", None, None, "Status: deleted at the source", "État : supprimé à la source"),
    ],
)
def test_a_record_that_is_not_active_says_so_first(
    status: str, since: str | None, followed_by: str | None, english: str, french: str
) -> None:
    record = with_head(version=1, status=status, status_since=since, followed_by=followed_by)
    assert render(record, "en").splitlines()[:3] == [english, "", "T"]
    assert render(record, "fr").splitlines()[0] == french
    assert line(record, "en").splitlines()[0] == f"hal-01000001v1 · {english}"


def test_versions_and_their_citation() -> None:
    first = with_head(version=1, datestamp="2021-02-03T04:05:06Z", status="active")
    shown = render(first, "en", later=True).splitlines()
    assert "  hal-01000001, version 1 (2021-02-03)" in shown
    assert shown[-1] == "T. ⟨hal-01000001v1⟩"
    assert render(first, "en").splitlines()[-1] == "T. ⟨hal-01000001⟩"
    unnumbered = with_head(datestamp="2021-02-03", status="active")
    assert "  hal-01000001 (03-02-2021)" in render(unnumbered, "fr").splitlines()


@pytest.mark.parametrize(
    ("files", "access", "shown"),
    [
        (("https://x.org/a.pdf",), "open", "  File deposited, open access"),
        (("https://x.org/a.pdf",), "restricted", "  File deposited, not open"),
        (("https://x.org/a.pdf",), None, "  File deposited, not open"),
        ((), "metadata-only", "  No file deposited"),
        ((), None, "  No file deposited"),
    ],
)
def test_whether_a_file_is_there(files: tuple[str, ...], access: str | None, shown: str) -> None:
    record = Record(Head("hal-1", 1), Body(files=files, access=access))
    lines = render(record, "en").splitlines()
    assert lines[lines.index("Files") + 1] == shown


def test_lines_keep_the_width_but_addresses_are_not_broken() -> None:
    address = "https://hal.science/hal-01000001/file/" + "a" * 60 + "-b.pdf"
    body = Body(abstracts=(Value("word " * 100),), files=(address,), citation="tail " * 30)
    lines = render(Record(Head("hal-01000001", 1), body), "en", width=40).splitlines()
    long = [text for text in lines if len(text) > 40]
    assert long == [f"  {address}", ("tail " * 30).strip() + ". ⟨hal-01000001⟩"]


def test_a_width_too_small_to_read_is_raised() -> None:
    record = Record(Head("hal-1", 1), Body(abstracts=(Value("ab " * 20),)))
    assert render(record, "en", width=1).splitlines()[1] == "  ab ab ab ab ab ab"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mred\x1b]0;title\x07", r"a\u001b[31mred\u001b]0;title\u0007"),
        ("abc\u202ecba", r"abc\u202ecba"),
        ("\u2066x\u2069", r"\u2066x\u2069"),
        ("a\x9bb\x00", r"a\u009bb\u0000"),
        ("a\u2028b\u200bc\ufeff", r"a\u2028b\u200bc\ufeff"),
        ("tag\U000e0041", r"tag\U000e0041"),
        (" one\r\n two\tthree ", "one two three"),
        ("می\u200cخواهم co\u00adop «\u00a0é\u00a0»", "می\u200cخواهم co\u00adop «\u00a0é\u00a0»"),
    ],
)
def test_nothing_a_terminal_would_obey_is_printed(text: str, shown: str) -> None:
    assert printable(text) == shown


HOSTILE = st.text(
    st.one_of(
        st.sampled_from("\x1b\x9b\x07\u202e\u2066\n\r\u2028 a"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=30,
)


@given(text=HOSTILE, lang=HOSTILE, name=HOSTILE)
def test_hostile_metadata_never_reach_the_terminal_raw(text: str, lang: str, name: str) -> None:
    body = Body(
        type=DocumentType(other=(text,)),
        titles=(Title(text, name, lang),),
        creators=(Name(family=name, given=text), Name(literal=text)),
        abstracts=(Value(text, lang),),
        affiliations=(Affiliation(text, name, (name,)),),
        contributors=(text,),
        funding=(Funding(funder=text),),
        keywords=(Value(text, lang),),
        domains=(text,),
        languages=(lang,),
        container=Container(title=text, volume=name, pages=name, issn=text),
        citation=text,
        identifiers=Identifiers(doi=(text,), other=(OtherIdentifier(scheme=name, value=text),)),
        landing_page=text,
        files=(text,),
        licence=text,
        licence_url=text,
        notes=(text,),
        date=text,
        warnings=(text,),
    )
    head = Head(text, 1, text, text, text, "superseded", text, name, sets=(text,))
    for shown in (render(Record(head, body), "en"), line(Record(head, body), "fr")):
        for character in shown.replace("\n", ""):
            category = unicodedata.category(character)
            assert category not in ("Cc", "Zl", "Zp")
            assert category != "Cf" or character in "\u00ad\u200c\u200d"


def test_type_labels() -> None:
    assert type_label(DocumentType(hal="HDR"), "en") == "Habilitation à diriger des recherches"
    assert type_label(DocumentType(hal="IMG"), "fr") == "Image"
    assert type_label(DocumentType(hal="NEW"), "fr") == "NEW"
    assert type_label(DocumentType(other=("Preprint", "text")), "fr") == "Preprint"
    assert type_label(DocumentType(info_eu_repo="info:eu-repo/semantics/review"), "en") == "review"
    assert type_label(DocumentType(), "en") is None
    assert type_label(None, "en") is None


def test_domain_labels() -> None:
    assert domain_label("shs.socio", "en") == "Humanities and Social Sciences/Sociology"
    assert domain_label("chim", "fr") == "Chimie"
    assert domain_label("shs.info.docu", "en") is None
    assert domain_label("", "en") is None


def test_language_names_and_dates() -> None:
    assert language_name("pt-BR", "en") == "Portuguese"
    assert language_name("el", "fr") == "grec"
    assert language_name("tlh", "fr") == "tlh"
    assert [
        day(date, "fr") for date in ("2024-03-07", "2018-03", "2018", "2024-03-07T01:02:03Z")
    ] == [
        "07-03-2024",
        "03-2018",
        "2018",
        "07-03-2024",
    ]
    assert day("c. 1900-ish", "fr") == "c. 1900-ish"
    assert day("2024-03-07T01:02:03Z", "en") == "2024-03-07"


def test_words_and_colons() -> None:
    assert label("access.metadata-only", "en") == "No file deposited"
    assert label("access.metadata-only", "fr") == "Fichier non déposé"
    assert labelled("DOI", "10.1/x", "en") == "DOI: 10.1/x"
    assert labelled("DOI", "10.1/x", "fr") == "DOI : 10.1/x"
