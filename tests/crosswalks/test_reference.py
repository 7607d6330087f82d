import json

import pytest

from crosswalks.document_type_labels import LABELS, TERM
from halmirror.crosswalks import crosswalk
from halmirror.crosswalks.dublin_core import Source
from halmirror.record import DocumentType
from halmirror.reference import document_types, domains
from halmirror.reference.languages import language
from halmirror.reference.licences import spdx

COAR = "http://purl.org/coar/resource_type/"
COAR_TERMS = {
    "ART": "c_6501", "COMM": "c_5794", "POSTER": "c_6670", "OUV": "c_2f33", "COUV": "c_3248",
    "DOUV": "c_2f33", "PATENT": "c_15cd", "OTHER": "c_1843", "REPORT": "c_93fc",
    "UNDEFINED": "c_816b", "THESE": "c_db06", "HDR": "c_46ec", "LECTURE": "c_8544",
    "IMG": "c_c513", "VIDEO": "c_12ce", "SON": "c_18cc", "MAP": "c_12cd", "SOFTWARE": "c_5ce6",
    "OTHERREPORT": "c_18wq", "MINUTES": "c_c94f", "NOTE": "c_ba08", "SYNTHESE": "c_93fc",
    "PRESCONF": "c_c94f", "MEM": "c_bdcc", "REPACT": "c_18ww", "PROCEEDINGS": "c_f744",
    "ISSUE": "c_0640", "BLOG": "c_6947", "NOTICE": "c_3248", "TRAD": "c_1843",
}  # fmt: skip
BIBTEX = {
    "ART": "article", "COMM": "inproceedings", "COUV": "incollection", "OUV": "book",
    "DOUV": "book", "THESE": "phdthesis", "HDR": "phdthesis", "MEM": "mastersthesis",
    "REPORT": "techreport", "PATENT": "patent", "UNDEFINED": "unpublished",
    "LECTURE": "unpublished",
}  # fmt: skip


def type_of(sets: tuple[str, ...], *texts: str) -> DocumentType | None:
    sources = [Source("type", text, None) for text in texts]
    return crosswalk("oai_dc", "hal")(sources, "hal-1", 1, sets, None).type


@pytest.mark.parametrize(("code", "english", "french", "term"), LABELS)
def test_each_label_gives_its_type(code: str, english: str, french: str, term: str) -> None:
    expected = DocumentType(code, COAR + COAR_TERMS[code], TERM + term)
    for label in (english, french, english.upper(), french.lower(), english.title()):
        assert type_of(("type:OTHER",), TERM + term, label) == expected


@pytest.mark.parametrize(("code", "english", "french", "term"), LABELS)
def test_table_row(code: str, english: str, french: str, term: str) -> None:
    row = document_types.DOCUMENT_TYPES[code]
    assert row[:5] == (code, english, french, TERM + term, COAR + COAR_TERMS[code])
    assert row.bibtex == BIBTEX.get(code, "misc")
    assert row.schema_org
    assert row.ris.isupper()
    assert row.csl.islower()


def test_the_table_has_hals_thirty_types() -> None:
    assert list(document_types.DOCUMENT_TYPES) == [row[0] for row in LABELS]
    assert len(LABELS) == 30


@pytest.mark.parametrize(("code", "_english", "_french", "term"), LABELS)
def test_a_set_decides_where_the_label_is_missing(
    code: str, _english: str, _french: str, term: str
) -> None:
    found = type_of((f"type:{code}", "subject:shs"), TERM + term)
    assert found == DocumentType(code, COAR + COAR_TERMS[code], TERM + term)


def test_the_term_decides_last() -> None:
    assert type_of((), f"{TERM}article") == DocumentType("ART", f"{COAR}c_6501", f"{TERM}article")
    assert type_of((), f"{TERM}other") == DocumentType(None, None, f"{TERM}other")


def test_an_unknown_label_is_kept() -> None:
    found = type_of(("type:NEWTYPE",), f"{TERM}other", "Holograms")
    assert found == DocumentType("NEWTYPE", None, f"{TERM}other", ("Holograms",))


def test_a_second_label_or_term_is_kept() -> None:
    found = type_of((), f"{TERM}book", f"{TERM}other", "Books", "Maps", "books")
    assert found == DocumentType("OUV", f"{COAR}c_2f33", f"{TERM}book", (f"{TERM}other", "Maps"))


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
