import json

import pytest

from crosswalks.document_type_labels import LABELS, TERM
from halmirror.crosswalks import crosswalk
from halmirror.oaipmh.source import Source
from halmirror.record import DocumentType
from halmirror.reference import document_types, domains
from halmirror.reference.languages import language
from halmirror.reference.licences import spdx

COAR = "http://purl.org/coar/resource_type/"
NAMES = {
    "ART": ("c_6501", "ScholarlyArticle", "article", "article", "JOUR", "article-journal"),
    "COMM": (
        "c_5794", "ScholarlyArticle", "inproceedings", "inproceedings", "CPAPER",
        "paper-conference",
    ),
    "POSTER": ("c_6670", "Poster", "misc", "misc", "CPAPER", "paper-conference"),
    "OUV": ("c_2f33", "Book", "book", "book", "BOOK", "book"),
    "COUV": ("c_3248", "Chapter", "incollection", "incollection", "CHAP", "chapter"),
    "DOUV": ("c_2f33", "Book", "book", "collection", "EDBOOK", "book"),
    "PATENT": ("c_15cd", "CreativeWork", "patent", "patent", "PAT", "patent"),
    "OTHER": ("c_1843", "CreativeWork", "misc", "misc", "GEN", "document"),
    "REPORT": ("c_93fc", "Report", "techreport", "report", "RPRT", "report"),
    "UNDEFINED": ("c_816b", "ScholarlyArticle", "unpublished", "unpublished", "UNPB", "article"),
    "THESE": ("c_db06", "Thesis", "phdthesis", "thesis", "THES", "thesis"),
    "HDR": ("c_46ec", "Thesis", "phdthesis", "thesis", "THES", "thesis"),
    "LECTURE": ("c_8544", "LearningResource", "unpublished", "unpublished", "GEN", "speech"),
    "IMG": ("c_c513", "ImageObject", "misc", "image", "FIGURE", "graphic"),
    "VIDEO": ("c_12ce", "VideoObject", "misc", "video", "VIDEO", "motion_picture"),
    "SON": ("c_18cc", "AudioObject", "misc", "audio", "SOUND", "song"),
    "MAP": ("c_12cd", "Map", "misc", "misc", "MAP", "map"),
    "SOFTWARE": ("c_5ce6", "SoftwareSourceCode", "misc", "software", "COMP", "software"),
    "OTHERREPORT": ("c_93fc", "Report", "misc", "report", "RPRT", "report"),
    "MINUTES": ("c_c94f", "Report", "misc", "misc", "RPRT", "report"),
    "NOTE": ("c_ba08", "Review", "misc", "review", "JOUR", "review-book"),
    "SYNTHESE": ("c_93fc", "Report", "misc", "report", "RPRT", "report"),
    "PRESCONF": ("c_c94f", "PresentationDigitalDocument", "misc", "misc", "SLIDE", "speech"),
    "MEM": ("c_bdcc", "Thesis", "mastersthesis", "thesis", "THES", "thesis"),
    "REPACT": ("c_93fc", "Report", "misc", "report", "RPRT", "report"),
    "PROCEEDINGS": ("c_f744", "Book", "misc", "proceedings", "CONF", "book"),
    "ISSUE": ("c_0640", "PublicationIssue", "misc", "periodical", "JFULL", "periodical"),
    "BLOG": ("c_6947", "BlogPosting", "misc", "online", "BLOG", "post-weblog"),
    "NOTICE": ("c_3248", "Article", "misc", "inreference", "DICT", "entry-dictionary"),
    "TRAD": ("c_1843", "CreativeWork", "misc", "misc", "GEN", "document"),
}  # fmt: skip
"""COAR, schema.org, BibTeX, biblatex, RIS and CSL."""


def type_of(sets: tuple[str, ...], *texts: str) -> DocumentType | None:
    sources = [Source("type", text, None) for text in texts]
    return crosswalk("oai_dc", "hal")(sources, "hal-1", 1, sets, None).type


@pytest.mark.parametrize(("code", "english", "french", "term"), LABELS)
def test_each_label_gives_its_type(code: str, english: str, french: str, term: str) -> None:
    expected = DocumentType(code, COAR + NAMES[code][0], TERM + term)
    for label in (english, french, english.upper(), french.lower(), english.title()):
        assert type_of(("type:OTHER",), TERM + term, label) == expected


@pytest.mark.parametrize(("code", "english", "french", "term"), LABELS)
def test_table_row(code: str, english: str, french: str, term: str) -> None:
    row = document_types.DOCUMENT_TYPES[code]
    assert row[:4] == (code, english, french, TERM + term)
    coar, *others = NAMES[code]
    assert row[4:] == (COAR + coar, *others)
    named = (row.coar, row.schema_org, row.bibtex, row.biblatex, row.ris, row.csl)
    assert named == row[4:]


def test_the_table_has_hals_thirty_types() -> None:
    assert list(document_types.DOCUMENT_TYPES) == [row[0] for row in LABELS]
    assert len(LABELS) == 30


@pytest.mark.parametrize(("code", "_english", "_french", "term"), LABELS)
def test_a_set_decides_where_the_label_is_missing(
    code: str, _english: str, _french: str, term: str
) -> None:
    found = type_of((f"type:{code}", "subject:shs"), TERM + term)
    assert found == DocumentType(code, COAR + NAMES[code][0], TERM + term)


def test_the_term_decides_last() -> None:
    assert type_of((), f"{TERM}article") == DocumentType("ART", f"{COAR}c_6501", f"{TERM}article")
    assert type_of((), f"{TERM}other") == DocumentType(None, None, f"{TERM}other")


def test_an_unknown_label_is_kept() -> None:
    found = type_of(("type:NEWTYPE",), f"{TERM}other", "Holograms")
    assert found == DocumentType("NEWTYPE", None, f"{TERM}other", ("Holograms",))


def test_a_second_label_or_term_is_kept() -> None:
    found = type_of((), f"{TERM}book", f"{TERM}other", "Books", "Maps", "books")
    assert found == DocumentType("OUV", f"{COAR}c_2f33", f"{TERM}book", (f"{TERM}other", "Maps"))


@pytest.mark.parametrize(
    ("texts", "sets", "expected"),
    [
        # To 2014: types HAL has no more, by their own label; terms without a prefix.
        (("Article in peer-reviewed journal",), (), ("ART", None)),
        (("Communications sans actes",), (), ("COMM", None)),
        (("Directions d\u2019ouvrages scientifiques",), (), ("DOUV", None)),
        (("lecture",), (), ("LECTURE", None)),
        (("article",), ("type:COMM",), ("COMM", None)),
        # 2015 to 2019: term and label.
        ((f"{TERM}other", "Photos"), ("type:IMG",), ("IMG", "other")),
        ((f"{TERM}masterThesis", "Master Thesis"), ("type:MEM",), ("MEM", "masterThesis")),
        # 2020 to 2022.
        ((f"{TERM}book", "Directions of work or proceedings"), (), ("DOUV", "book")),
        ((f"{TERM}other",), ("type:OTHERREPORT", "subject:shs"), ("OTHERREPORT", "other")),
        # Since October 2022: new types, which the crosswalk's term does not tell.
        ((f"{TERM}other", "Special issue"), ("type:ISSUE",), ("ISSUE", "other")),
        (
            (f"{TERM}other", "Notice d'encyclop\u00e9die ou de dictionnaire"), (),
            ("NOTICE", "other"),
        ),
        # The label comes before the set, the set before the term.
        ((f"{TERM}article", "Reports"), ("type:COMM",), ("REPORT", "article")),
        ((f"{TERM}article",), ("type:COMM",), ("COMM", "article")),
        ((f"{TERM}article",), (), ("ART", "article")),
        # A type of one portal, without a row.
        ((f"{TERM}other",), ("type:ETABTHESE",), ("ETABTHESE", "other")),
    ],
)  # fmt: skip
def test_types_of_every_era(
    texts: tuple[str, ...], sets: tuple[str, ...], expected: tuple[str, str | None]
) -> None:
    found = type_of(sets, *texts)
    assert found is not None
    assert (found.hal, found.info_eu_repo) == (
        expected[0], TERM + expected[1] if expected[1] else None,
    )  # fmt: skip
    assert found.coar == (COAR + NAMES[expected[0]][0] if expected[0] in NAMES else None)


def test_a_former_label_stays_beside_the_type_it_became() -> None:
    """It says more than the type: whether the journal was peer-reviewed."""
    found = type_of((), "Article in non peer-reviewed journal")
    assert found == DocumentType(
        "ART", f"{COAR}c_6501", None, ("Article in non peer-reviewed journal",)
    )


def test_other_repositories_do_not_speak_of_hals_former_types() -> None:
    label = "Article in non peer-reviewed journal"
    body = crosswalk("oai_dc", "generic")([Source("type", label, None)], "oai:x:1", None, (), None)
    assert body.type == DocumentType(other=(label,))


@pytest.mark.parametrize(
    ("code", "above"),
    [
        ("shs", ()),
        ("shs.socio", ("shs",)),
        ("phys.cond.cm-gen", ("phys", "phys.cond")),
        ("shs.info.docu", ("shs", "shs.info")),
    ],
)
def test_a_domain_has_its_parents(code: str, above: tuple[str, ...]) -> None:
    assert domains.parents(code) == above


@pytest.mark.parametrize(
    ("code", "english", "french"),
    [
        ("shs.socio", "Sociology", "Sociologie"),
        ("phys.cond", "Condensed Matter [cond-mat]", "Matière Condensée [cond-mat]"),
        ("sdv", "Life Sciences [q-bio]", "Sciences du Vivant [q-bio]"),
        ("spm", None, None),
        ("spm.adm_inst", None, "Administration, institutions"),
    ],
)
def test_a_domain_has_its_own_label(code: str, english: str | None, french: str | None) -> None:
    assert (domains.label(code), domains.label(code, "fr")) == (english, french)


def test_every_domain_of_the_table_has_its_parents_there() -> None:
    table = domains.domains()
    assert [(c, p) for c in table for p in domains.parents(c) if p not in table] == []
    assert [code for code in table if not table[code].fr] == ["spm"]
    assert all(code.startswith("spm") for code in table if not table[code].en)


def test_domains_have_both_labels() -> None:
    assert len(domains.domains()) == 460
    assert domains.label("chim.anal") == "Analytical chemistry"
    assert domains.label("chim.anal", "fr") == "Chimie analytique"
    assert domains.label("shs.info.docu") is None
    expected = "Computer Science [cs]/Artificial Intelligence [cs.AI]"
    assert domains.path("info.info-ai") == expected
    assert domains.path("spm") is None


@pytest.mark.parametrize(
    ("given", "tag"),
    [
        ("fr", "fr"), ("FR", "fr"), ("eng", "en"), ("fre", "fr"), ("fra", "fr"), ("ger", "de"),
        ("oty", "oty"), ("pt_br", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW"), ("English", None),
        ("en fr", None), ("", None), ("x", None), ("français", None),
    ],
)  # fmt: skip
def test_language_tags_are_the_shortest(given: str, tag: str | None) -> None:
    assert language(given) == tag


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("http://creativecommons.org/licenses/by/", "CC-BY"),
        ("https://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0"),
        ("http://creativecommons.org/licenses/by-nc-nd/", "CC-BY-NC-ND"),
        ("https://creativecommons.org/licenses/by-nc-sa/2.0/fr/", "CC-BY-NC-SA-2.0-FR"),
        ("https://creativecommons.org/licenses/by/3.0/fr/", "CC-BY-3.0"),
        ("https://creativecommons.org/licenses/by-sa/4.0/deed.fr", "CC-BY-SA-4.0"),
        ("http://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("http://hal.archives-ouvertes.fr/licences/etalab/", "etalab"),
        ("https://about.hal.science/hal-authorisation-v1/", None),
        ("https://hal.science/licences/copyright/", "copyright"),
        ("http://hal.archives-ouvertes.fr/licences/publicDomain/", "publicDomain"),
        ("http://www.gnu.org/licenses/gpl-3.0-standalone.html", "GPL-3.0"),
        ("https://www.gnu.org/licenses/old-licenses/lgpl-2.1.en.html", "LGPL-2.1"),
        ("http://www.apache.org/licenses/LICENSE-2.0", "Apache-2.0"),
        ("https://opensource.org/licenses/MIT", "MIT"),
        ("https://spdx.org/licenses/EUPL-1.2.html", "EUPL-1.2"),
        ("https://example.org/", None),
    ],
)
def test_licence_names(address: str, name: str | None) -> None:
    assert spdx(address) == name


def test_reference_data_is_plain_json() -> None:
    table = {code: [one.en, one.fr] for code, one in domains.domains().items()}
    assert json.loads(json.dumps(table)) == table
