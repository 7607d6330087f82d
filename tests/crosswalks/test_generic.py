"""Everyone else's records: typed from their XML, and nothing of any of them lost."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswalks.inverses import squeezed, undone
from crosswalks.other_repositories import Recorded, everything, the
from halmirror.crosswalks import crosswalk
from halmirror.crosswalks.dublin_core import Source
from halmirror.record import Head, Record

RECORDS = everything()
COAR = "http://purl.org/coar/resource_type/"
OPEN = "info:eu-repo/semantics/openAccess"
LANGUAGES = {
    "English": "en", "english": "en", "eng": "en", "EN": "en", "en_US": "en-US", "ara": "ar",
    "nor": "no", "dan": "da", "ger": "de", "Japanese": "ja", "Russian": "ru", "Chinese": "zh",
    "jpn": "ja", "rus": "ru", "chi": "zh", "fre": "fr", "dut": "nl", "spa": "es", "por": "pt",
    "tam": "ta", "oty": "oty", "uzb": "uz", "GE": "GE", "other": "other",
}  # fmt: skip


def normalised(source: Recorded) -> tuple[dict[str, Any], list[tuple[int, str, str]]]:
    told: list[tuple[int, str, str]] = []
    body = crosswalk("oai_dc", "generic")(
        source.values, source.oai_identifier, None, (), lambda *one: told.append(one)
    )
    return json.loads(Record(Head(source.oai_identifier), body).json()), told


def record_of(*pairs: tuple[str, ...], own: str = "oai:example.org:1") -> dict[str, Any]:
    sources = tuple(Source(one[0], one[1], one[2] if len(one) > 2 else None) for one in pairs)
    return normalised(Recorded("", own, sources))[0]


# Typed by hand from the XML: the keys in which each repository has its own habits.  None says
# that the record has no such key.
TYPED: list[tuple[str, str, dict[str, Any]]] = [
    ("arxiv", "oai:arXiv.org:1203.4283", {
        "type": {"coar": COAR + "c_18cf", "other": ["text"]},
        "notes": ["Comment: 26 pages, in French", "2013-03-25"],
        "date": "2012-03-19", "year": 2012, "languages": ["fr"],
        "citation": "Ann. Inst. Fourier, Vol. 64 No.3 , p. 1177-1202, 2014",
        "identifiers": {"arxiv": ["1203.4283"]},
        "landing_page": "http://arxiv.org/abs/1203.4283",
        "warnings": ["date: '2013-03-25' is a further date; kept in notes"],
    }),
    ("arxiv", "oai:arXiv.org:cond-mat/9906145", {
        "citation": "Phys, Rev. Lett. \\textbf{85} 4964 (2000)",
        "identifiers": {"doi": ["10.1103/physrevlett.85.4964"], "arxiv": ["cond-mat/9906145"]},
        "date": "1999-06-10",
    }),
    ("aub-beirut", "05qftzxr", {
        "creators": [{"family": "الجنبيهي", "given": "محمد"}],
        "notes": [
            "https://libraries.aub.edu.lb/xtf/data/aco/LeBAU_b12535928/thumb.jpg",
            "الجنبيهي، محمد، مؤلف",
        ],
        "languages": ["ar"], "date": "1900", "identifiers": None,
        "publishers": ["بولاق، مصر : المطبعة الأميرية، 1318 هـ.، [1900؟ م.]"],
        "landing_page": "http://purl.org/aub/ul/do/LeBAU_b12535928?src=oai",
    }),
    ("bepress-umass", "oai:scholarworks.umass.edu:dissertations-4694", {
        "creators": [{"family": "Feiereisen", "given": "Florence A"}],
        "date": "2007-01-01T08:00:00Z", "year": 2007, "languages": ["GE"],
        "warnings": ["languages: 'GE' is no language; kept as given"],
        "notes": ["Doctoral Dissertations Available from Proquest"], "citation": None,
    }),
    ("bepress-umass", "oai:scholarworks.umass.edu:dissertations-4722", {
        "keywords": [{"value": "Engineering, Industrial"}, {"value": "Engineering, Mechanical"}],
        "languages": ["en"], "year": 1995,
    }),
    ("bhl", "oai:biodiversitylibrary.org:item/126966", {
        "type": {"coar": COAR + "c_0640", "other": ["text", "Journal"]},
        "creators": [{"literal": "American Society of Naturalists."}],
        "contributors": ["Missouri Botanical Garden, Peter H. Raven Library"],
        "date": "1870/1871", "year": 1870, "languages": ["en"],
        "notes": [
            ("Public domain. The BHL considers that this work is no longer under copyright"
            " protection."),
            "(1870-1871)",
        ],
        "warnings": ["date: '(1870-1871)' is read as '1870/1871'"],
    }),
    ("citeseerx", "oai:CiteSeerX.psu:10.1.1.385.6596", {
        "creators": [{"literal": "Erik Brynjolfsson , Yu (Jeffrey) Hu , Michael D. Smith"}],
        "date": "2003", "year": 2003,
        "landing_page": "http://citeseerx.ist.psu.edu/viewdoc/summary?doi=10.1.1.385.6596",
        "identifiers": None, "citation": None,
        "warnings": [
            ("creators: 'Erik Brynjolfsson , Yu (Jeffrey) Hu , Michael D. Smith' may be several"
            " names; kept whole"),
            "date: '2015-10-05' is a further date; kept in notes",
            "date: '2013-12-10' is a further date; kept in notes",
        ],
    }),
    ("citeseerx-no-date", "oai:CiteSeerX.psu:10.1.1.487.869", {
        "creators": [{"literal": "Pablo Rauzy"}, {"literal": "Sylvain Guilley"}],
        "date": None, "year": None, "licence": None, "warnings": None,
        "notes": [
            "application/pdf",
            ("Metadata may be used without restrictions as long as the oai identifier remains"
            " attached to it."),
            "http://eprint.iacr.org/2013/810.pdf",
        ],
    }),
    ("contentdm-utah", "oai:content.lib.utah.edu:Art2/10326", {
        "type": {"coar": COAR + "c_c513", "other": ["image"]},
        "date": "2016-09", "year": 2016,
        "notes": ["photograph", "September 2016", "photo by Amelia Walchli"],
        "coverage": ["Art Building, Gittins Gallery", "University of Utah"],
        "identifiers": {"other": [{"value": "DSC_0775.jpg"}]},
        "landing_page": "http://content.lib.utah.edu/cdm/ref/collection/Art2/id/10326",
    }),
    ("datacite", "oai:oai.datacite.org:1543877", {
        "type": {"coar": COAR + "c_6501", "other": ["Text", "JournalArticle"]},
        "creators": [
            {"family": "Senst", "given": "Henriette"}, {"family": "Erling", "given": "Jens"},
        ],
        "identifiers": {
            "doi": ["10.3205/mbi000260"],
            "other": [
                {"scheme": "URN", "value": "urn:urn:nbn:de:0183-mbi0002608"},
                {"value": "doc:mbi000260"},
            ],
        },
        "licence": "CC-BY-NC-ND-3.0-DE",
        "licence_url": "http://creativecommons.org/licenses/by-nc-nd/3.0/de/",
        "languages": ["de"], "landing_page": None,
    }),
    ("datacite", "oai:oai.datacite.org:1543817", {
        "notes": [
            "Abstract",
            "SeriesInformation",
            ("MIPO Musikterapi I Psykiatrien Online, yr. 2012, vol. 7, iss. 2, pg. 23-44;"
            " ISSN 2245-3342"),
            "PDF",
        ],
        "languages": ["no"],
    }),
    ("dataverse-scholarsportal-2", "hdl:10864/10936", {
        "identifiers": {"hdl": ["10864/10936"]},
        "landing_page": "http://hdl.handle.net/10864/10936",
        "type": None, "date": None, "notes": ["Census of Canada Report Locator: 1851-1951"],
    }),
    ("dspace-colostate", "oai:dspace.library.colostate.edu:10968/28", {
        "type": {"coar": COAR + "c_ecc8", "other": ["Photograph"]},
        "date": "1980/1985", "year": 1980,
        "coverage": ["Denver (Colo.)", "ca. 1980-1985"],
        "identifiers": {"hdl": ["10968/28"], "other": [{"value": "CUHSLCON_M103.tif"}]},
        "warnings": ["date: '1980?-1985?' is read as '1980/1985'"],
    }),
    ("dspace-colostate", "oai:dspace.library.colostate.edu:10968/292", {
        "date": "2013-04-08", "languages": ["en"], "warnings": None,
        "identifiers": {
            "doi": ["10.1155/2013/589490"], "hdl": ["10968/292"],
            "other": [{"value": "CUHSLOAP_M110.pdf"}],
        },
        "licence": "CC-BY-4.0", "licence_url": "http://creativecommons.org/licenses/by/4.0/",
    }),
    ("dspace-dryad", "oai:datadryad.org:10255/dryad.79402", {
        "date": "2015-05-04", "year": 2015, "warnings": None,
        "landing_page": "http://hdl.handle.net/10255/dryad.79402",
        "notes": [
            "doi:10.5061/dryad.2t30k/1", "doi:10.5061/dryad.2t30k/2", "doi:10.1017/pab.2015.7",
            "2015-01-27T20:29:26Z", "2015-01-27",
        ],
    }),
    ("dspace-erasmus-2003", "hdl:1765/308", {
        "creators": None, "contributors": ["Smidts, A."],
        "identifiers": {"isbn": ["9058920364"], "hdl": ["1765/308"]},
        "languages": ["other"], "warnings": ["languages: 'other' is no language; kept as given"],
        "type": {"other": ["Other"]}, "date": "2003-04-15T10:18:51Z", "year": 2003,
    }),
    ("dspace-hacettepe", "oai:localhost:2062/91", {
        "type": {"coar": COAR + "c_bdcc", "other": ["Yüksek lisans"]},
        "date": "2007", "year": 2007, "access": None, "warnings": None,
        "notes": ["İzinli", "2013-06-01T18:52:48Z", "2013-06-01"],
        "identifiers": {"other": [{"value": "http://tez2.yok.gov.tr/"}]},
        "landing_page": "http://bbytezarsivi.hacettepe.edu.tr/jspui/handle/2062/91",
    }),
    ("dspace-harvard-dash", "oai:dash.harvard.edu:1/10065537", {
        "date": "2007", "year": 2007, "access": "open", "languages": ["en-US"],
        "identifiers": {"isbn": ["0769529445"]},
        "landing_page": "http://nrs.harvard.edu/urn-3:HUL.InstRepos:10065537",
    }),
    ("dspace-illinois-ideals", "oai:www.ideals.illinois.edu:2142/22213", {
        "date": "1990", "year": 1990, "creators": None, "contributors": ["Savignon, S. J."],
        "identifiers": {
            "hdl": ["2142/22213"],
            "other": [{"value": "(UMI)AAI9021708"}, {"value": "AAI9021708"}],
        },
        "warnings": ["date: '10000-01-01' is no date; kept in notes"],
    }),
    ("dspace-mit-2014", "oai:dspace.mit.edu:1721.1/92459", {
        "type": {
            "coar": COAR + "c_5794",
            "other": ["Article", "http://purl.org/eprint/type/ConferencePaper"],
        },
        "container": {"issn": "0302-9743"},
        "identifiers": {
            "isbn": ["9783319055787", "9783319055794"], "hdl": ["1721.1/92459"],
            "other": [{"scheme": "ISSN", "value": "1611-3349"}, {"value": "OPEN_ACCESS_POLICY"}],
        },
        "licence": "CC-BY-NC-SA-4.0",
        "notes": [
            "Social Computing, Behavioral-Cultural Modeling and Prediction",
            "Creative Commons Attribution-Noncommercial-Share Alike",
            "2014-12-23T16:13:04Z",
            "http://dx.doi.org/10.1007/978-3-319-05579-4_45",
            "MIT web domain",
        ],
    }),
    ("dspace-mit-2022", "oai:dspace.mit.edu:1721.1/140717", {
        "date": "1984-10", "year": 1984, "type": None, "languages": None, "warnings": None,
    }),
    ("dspace-montreal-papyrus", "oai:papyrus.bib.umontreal.ca:1866/13338", {
        "identifiers": {
            "pmid": ["17824323"], "hdl": ["1866/13338"],
            "other": [{"value": "http://www.ncbi.nlm.nih.gov/pmc/articles/PMC1914312/"}],
        },
        "landing_page": "http://hdl.handle.net/1866/13338",
        "citation": "C.A. Gagnon, D. Tremblay, P. Tijssen, M.-H. Venne, A. Houde and S.M. Elahi."
        " 2007. The emergence of porcine circovirus 2b genotype (PCV-2b) in swine in Canada."
        " Can. Vet. J. 48(8):811-819.",
        "date": "2007-08-01",
        "warnings": ["date: 'MONTHS_WITHHELD:1200' is no date; kept in notes"],
    }),
    ("dspace-montreal-papyrus", "oai:papyrus.bib.umontreal.ca:1866/6105", {
        "type": {
            "coar": COAR + "c_46ec",
            "other": ["Thèse ou Mémoire numérique / Electronic Thesis or Dissertation"],
        },
        "date": "2011-12-01",
    }),
    ("eprints-caltech", "oai:authors.library.caltech.edu:54567", {
        "type": {"coar": COAR + "c_6501", "other": ["Article", "PeerReviewed"]},
        "date": "1994", "identifiers": None, "files": None,
        "landing_page": "http://authors.library.caltech.edu/54567/",
        "notes": ["http://resolver.caltech.edu/CaltechAUTHORS:20150209-125626089"],
    }),
    ("eprints-cogprints", "oai:cogprints.org:9723", {
        "citation": "Danasekaran, R and Mani, G and Annadurai, K (2014) Mercury Free Healthcare by"
        " 2020: Time for Action. [Journal (On-line/Unpaginated)]",
        "files": ["http://cogprints.org/9723/1/2013-4-16.pdf"],
        "landing_page": "http://cogprints.org/9723/",
        "type": {"other": ["Journal (On-line/Unpaginated)", "PeerReviewed"]},
        "notes": ["application/pdf"],
    }),
    ("erudit", "oai:erudit.org:79226ac", {
        "publishers": ["L’Inconvénient", "Érudit"],
        "notes": ["L’Inconvénient ; no. 60 (2015)", "Tous droits réservés © L’inconvénient2015"],
        "identifiers": None, "landing_page": "http://id.erudit.org/iderudit/79226ac",
    }),
    ("escholarship-california", "qt67n6j6dz", {
        "languages": ["en"], "date": "2008-01-01", "identifiers": None,
        "citation": "Sahu, Sulata Kumari. (2008). Studies on phase diagram of Pb–Cr–O system."
        " Journal of Nuclear Materials, 376. UC Davis: Retrieved from:"
        " http://www.escholarship.org/uc/item/67n6j6dz",
        "landing_page": "http://www.escholarship.org/uc/item/67n6j6dz",
    }),
    ("fedora-mla-core", "https://commons.mla.org/deposits/item/mla:3", {
        "creators": [{"literal": "Doug Steward"}], "languages": ["en"],
        "identifiers": {"doi": ["10.17613/m6rp4c"]},
        "landing_page": "http://dx.doi.org/10.17613/M6RP4C",
    }),
    ("gallica-bnf", "oai:bnf.fr:gallica/ark:/12148/bpt6k5440618t", {
        "type": {
            "coar": COAR + "c_2659",
            "other": ["texte", "text", "publication en série imprimée", "printed serial"],
        },
        "titles": [{"value": "Le Poème. Publication mensuelle"}],
        "date": "1889-04", "year": 1889, "languages": ["fr"], "citation": None,
        "landing_page": "http://gallica.bnf.fr/ark:/12148/bpt6k5440618t",
        "notes": [
            "domaine public", "public domain",
            "Notice du catalogue : http://catalogue.bnf.fr/ark:/12148/cb32840451v",
            "application/pdf",
            "http://gallica.bnf.fr/ark:/12148/cb32840451v/date",
            "Bibliothèque nationale de France, département Littérature et art, 8-YE-2446",
        ],
    }),
    ("ghent-biblio", "oai:archive.ugent.be:5909898", {
        "type": {
            "coar": COAR + "c_6501", "info_eu_repo": "info:eu-repo/semantics/article",
            "other": ["journalArticle", "info:eu-repo/semantics/publishedVersion"],
        },
        "container": {"title": "JOURNAL OF THEORETICAL BIOLOGY", "issn": "0022-5193"},
        "identifiers": {"doi": ["10.1016/j.jtbi.2015.03.001"], "hdl": ["1854/LU-5909898"]},
        "landing_page": "https://biblio.ugent.be/publication/5909898",
        "files": ["https://biblio.ugent.be/publication/5909898/file/5909919"],
        "access": "restricted", "date": "2015", "warnings": None,
        "notes": [
            "application/pdf",
            "I have transferred the copyright for this publication to the publisher",
            "info:eu-repo/semantics/embargoedAccess",
            "info:eu-repo/date/embargoEnd/2019-05-08",
        ],
    }),
    ("hubzero-purdue-purr", "http://dx.doi.org/10.4231/R7TQ5ZG3", {
        "type": {"coar": COAR + "c_ddb1", "other": ["publications:dataset"]},
        "identifiers": {"doi": ["10.4231/r7tq5zg3"]},
        "landing_page": "http://dx.doi.org/10.4231/R7TQ5ZG3",
        "date": "2015-12-01T09:16:00Z", "year": 2015,
    }),
    ("icpsr", "2492", {
        "date": "2007-12-20", "year": 2007, "notes": ["12-20-2007"],
        "identifiers": {"doi": ["10.3886/icpsr02492.v2"]},
        "creators": [{"literal": "ABC News"}, {"literal": "The Washington Post"}],
    }),
    ("nature", "oai:nature.com:10.1038/srep22665", {
        "identifiers": {"doi": ["10.1038/srep22665"]},
        "type": {"coar": COAR + "c_6501", "other": ["Article"]},
        "notes": ["© 2016 Macmillan Publishers Limited"],
    }),
    ("ojs-antioquia", "oai:ojs.aprendeenlinea.udea.edu.co:article/17312", {
        "creators": [
            {"family": "Chacon", "given": "Hoover Fabian Rueda"},
            {"family": "García", "given": "Cesar Augusto Vargas"},
            {"family": "Fuentes", "given": "Henry Arguello"},
        ],
        "affiliations": [
            {"name": "University of Delaware"}, {"name": "Universidad Industrial de Santander"},
        ],
        "container": {
            "title": "Revista Facultad de Ingeniería", "issue": "73", "pages": "134-143",
            "issn": "0120-6230",
        },
        "citation": "Revista Facultad de Ingeniería; núm. 73 (2014): Revista Facultad de"
        " Ingeniería; 134-143",
        "languages": ["es"], "date": "2014-11-13",
    }),
    ("pubmedcentral", "oai:pubmedcentral.nih.gov:4069359", {
        "identifiers": {"doi": ["10.1523/jneurosci.4460-13.2014"], "pmid": ["24966387"]},
        "landing_page": "http://www.ncbi.nlm.nih.gov/pmc/articles/PMC4069359/",
        "notes": ["Copyright © 2014 the authors 0270-6474/14/348875-19$15.00/0"],
        "abstracts": None,
    }),
    ("rcaap", "oai:repositorio.ipl.pt:10400.21/5445", {
        "type": {"coar": COAR + "c_8544", "other": ["lecture"]},
        "access": "open", "licence": "CC-BY-NC-4.0", "languages": ["pt"],
        "landing_page": "http://www.rcaap.pt/detail.jsp?id=oai:repositorio.ipl.pt:10400.21/5445",
    }),
    ("subjectsplus-healthnet-nepal", "1", {
        "date": "2011-03-26T19:16:19", "year": 2011, "languages": ["en"],
        "type": {"coar": COAR + "c_e9a0", "other": ["InteractiveResource"]},
        "identifiers": {
            "other": [{"value": "http:http://182.93.84.135/sp1/subjects/guide.php?id=1"}],
        },
        "landing_page": None,
    }),
    ("zenodo-2015", "oai:zenodo.org:17190", {
        "container": {
            "title": "Evolution", "volume": "29", "issue": "4", "pages": "750-762",
        },
        "citation": "Evolution: 29 (1975) no. 4, pp. 750-762",
        "date": "1975-12-31", "year": 1975, "access": "open",
        "abstracts": [{"value": "<p>Uploaded by Plazi from Antbase. HNS:12503</p>"}],
    }),
    ("zenodo-2026", "oai:zenodo.org:20632831", {
        "container": {
            "title": "South American Development Society Journal", "volume": "11", "issue": "31",
            "pages": "271-293",
        },
        "identifiers": {"doi": ["10.24325/issn.2446-5763.v11i31p271-293"]},
        "landing_page": "https://doi.org/10.24325/issn.2446-5763.v11i31p271-293",
        "licence": "CC-BY-4.0",
        "licence_url": "https://creativecommons.org/licenses/by/4.0/legalcode",
        "access": "open", "languages": ["pt"],
        "notes": [
            OPEN, "Creative Commons Attribution 4.0 International",
            "https://zenodo.org/communities/sadsj/",
        ],
    }),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "identifier", "expected"), TYPED, ids=[f"{one[0]} {one[1]}" for one in TYPED]
)
def test_a_record_is_as_typed_from_its_xml(
    file: str, identifier: str, expected: dict[str, Any]
) -> None:
    record, _ = normalised(the(file, identifier))
    assert {key: record.get(key) for key in expected} == expected


def test_every_repository_has_a_typed_record() -> None:
    first_page = {"dataverse-scholarsportal-1"}
    assert {one[0] for one in TYPED} | first_page == {one.file for one in RECORDS}
    assert len(RECORDS) == 262


@pytest.mark.parametrize("source", RECORDS, ids=lambda one: one.name)
def test_every_value_is_told_once_and_found_again(source: Recorded) -> None:
    record, told = normalised(source)
    assert sorted(index for index, _, _ in told) == list(range(len(source.values)))
    missing = [one for one in source.values if one.text.strip() and not is_found_again(one, record)]
    assert missing == []


@pytest.mark.parametrize("source", RECORDS, ids=lambda one: one.name)
def test_places_that_are_told_exist(source: Recorded) -> None:
    record, told = normalised(source)
    for _, _, where in told:
        for place in where.removeprefix("repetition of ").split(" and "):
            if place.startswith("dropped: "):
                continue
            held: Any = record
            for step in re.findall(r"\w+", place):
                held = held[int(step)] if step.isdigit() else held[step]
            assert held


PIECES = (
    "doi:10.1000/a", "https://doi.org/10.1000/b", "https://example.org/1", "; ", ", ", " | ",
    "ISBN", "ISSN: 1539-3755", "1550-2376", "978-1-78374-841-9", "urn:isbn:", "10/2",
    "oai:example.org:1",
    "https://example.org/a/b.pdf", "https://example.org/1/file/2", "A B (2010) Words of a work.",
    "Dupont, Jean", " (éd.)", "، ", ", 1802-1870", "; Université", " et al.", "c2012", "[2012?]",
    "2012-05-03T10:00:00Z", "2012-05-03", "12-20-2007", "December 2010", "2011", "en", "eng", "fr",
    "Comment: ", "Abstract", "SeriesInformation", "Citation: ", "text", "Article", "Thesis / Book",
    "info:eu-repo/semantics/article", "info:eu-repo/semantics/publishedVersion", COAR + "c_5794",
    OPEN, "open", "CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/", "J; Vol. 1 (2010)",
)  # fmt: skip
ELEMENTS = (
    "title", "creator", "subject", "description", "publisher", "contributor", "date", "type",
    "format", "identifier", "source", "language", "relation", "coverage", "rights",
)  # fmt: skip
SOURCES = st.lists(
    st.builds(
        Source,
        st.sampled_from(ELEMENTS),
        st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map("".join),
        st.sampled_from((None, "en")),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=600)
@given(sources=SOURCES)
def test_any_mixture_of_habits_is_told_once_and_found_again(sources: list[Source]) -> None:
    source = Recorded("", "oai:example.org:1", tuple(sources))
    record, told = normalised(source)
    assert sorted(index for index, _, _ in told) == list(range(len(sources)))
    assert [one for one in sources if not is_found_again(one, record)] == []


def strings(held: Any) -> list[str]:
    if isinstance(held, str):
        return [held]
    parts = held.values() if isinstance(held, dict) else held if isinstance(held, list) else ()
    return [one for part in parts for one in strings(part)]


def is_found_again(source: Source, record: dict[str, Any]) -> bool:
    """Verbatim, white space aside, or by the inverse its element's rule has."""
    wanted = squeezed(undone(source.text))
    outside = {key: held for key, held in record.items() if key != "warnings"}
    if wanted in [squeezed(one) for one in strings(outside)]:
        return True
    if source.element == "identifier":
        pieces = re.split(r"\s*[;|]\s+|,\s+|\s+\|\s*|\s+(?=https?://)", source.text)
        if len(pieces) > 1:
            parts = [Source("identifier", one, None) for one in pieces]
            return all(is_found_again(one, record) for one in parts)
    return INVERSES.get(source.element, _is_an_identifier)(wanted, source.text, record)


def _is_a_language(_wanted: str, text: str, record: dict[str, Any]) -> bool:
    return {LANGUAGES.get(one, one) for one in text.split()} <= set(record["languages"])


def _is_a_subject(wanted: str, _text: str, record: dict[str, Any]) -> bool:
    held = {squeezed(one["value"]) for one in record["keywords"]}
    return any(set(wanted.split(mark)) <= held for mark in "|;")


def _is_a_citation(wanted: str, _text: str, record: dict[str, Any]) -> bool:
    return wanted == squeezed("Citation: " + record["citation"])


def _is_a_creator(wanted: str, _text: str, record: dict[str, Any]) -> bool:
    written = [
        squeezed(comma.join(one[key] for key in ("family", "given") if key in one))
        for one in record["creators"]
        for comma in ",،"
    ]
    ends = {wanted, wanted.rstrip(",،")}
    behind = [f";{squeezed(one['name'])}" for one in record.get("affiliations", [])]
    return any(name + after in ends for name in written for after in ("", *behind))


def _is_an_identifier(wanted: str, _text: str, record: dict[str, Any]) -> bool:
    held = {**record.get("identifiers", {}), "issn": [record.get("container", {}).get("issn")]}
    known = [one for key, some in held.items() if key != "other" for one in some if one]
    bare = wanted.casefold().replace("-", "")
    return any(bare.endswith(one.casefold().replace("-", "")) for one in known)


INVERSES = {
    "creator": _is_a_creator,
    "language": _is_a_language,
    "subject": _is_a_subject,
    "description": _is_a_citation,
}


@pytest.mark.parametrize("source", RECORDS, ids=lambda one: one.name)
def test_a_language_is_never_invented(source: Recorded) -> None:
    record, _ = normalised(source)
    given = [one.text.strip() for one in source.values if one.element == "language"]
    tags = {LANGUAGES.get(one, one) for text in given for one in text.split()}
    assert set(record.get("languages", [])) == tags


@pytest.mark.parametrize(
    ("written", "date", "year"),
    [
        ("c2012", "2012", 2012),
        ("©2012", "2012", 2012),
        ("[2012?]", "2012", 2012),
        ("(1876)", "1876", 1876),
        ("ca. 1980", "1980", 1980),
        ("2012-05-03 10:00", "2012-05-03T10:00:00", 2012),
        ("2012/05/03", "2012-05-03", 2012),
        ("20120503", "2012-05-03", 2012),
        ("3 mai 2012", "2012-05-03", 2012),
        ("1er août 2012", "2012-08-01", 2012),
        ("May 3, 2012", "2012-05-03", 2012),
        ("Dezember 2012", "2012-12", 2012),
        ("6 de julho de 1936", "1936-07-06", 1936),
        ("1940-1949", "1940/1949", 1940),
        ("31.12.2007", "2007-12-31", 2007),
        ("12/31/2007", "2007-12-31", 2007),
        ("07/07/2007", "2007-07-07", 2007),
        ("03-04-2007", "2007", 2007),
    ],
)
def test_a_date_in_words_or_signs_is_read_and_kept(written: str, date: str, year: int) -> None:
    record = record_of(("date", written))
    assert (record["date"], record["year"], record["notes"]) == (date, year, [written])
    assert record["warnings"] == [f"date: {written!r} is read as {date!r}"]


@pytest.mark.parametrize(
    "written",
    ["10000-01-01", "n.d.", "2012-13", "31-31-2007", "30 February 2012", "1949-1940", "12345678",
     "Vol. 2012", "2012 and 2013", "Smarch 2012", "0000", "[0000]", "1985-99-99"],
)  # fmt: skip
def test_what_has_no_sure_reading_is_no_date(written: str) -> None:
    record = record_of(("date", written))
    assert (record["date"], record.get("year"), record.get("notes")) == (written, None, None)
    assert record["warnings"] == [f"date: {written!r} is no date; kept as given"]


def test_a_time_stamp_is_kept_as_it_is() -> None:
    record = record_of(("date", "2012-05-03T10:00:00Z"))
    assert (record["date"], record["year"]) == ("2012-05-03T10:00:00Z", 2012)
    assert "warnings" not in record


@pytest.mark.parametrize(
    ("dates", "chosen"),
    [
        (["2013-05-28T14:33:28Z", "2009", "2013-05-28"], "2009"),
        (["2013-05-28T14:33:28Z", "2013-05-28"], "2013-05-28"),
        (["2013-05-01", "2014"], "2013-05-01"),
        (["2015-10-05", "2013-12-10", "2003"], "2003"),
        (["2014-10", "2013-07"], "2014-10"),
        (["embargoed", "2013-07"], "2013-07"),
    ],
)
def test_the_date_of_the_work_among_several(dates: list[str], chosen: str) -> None:
    record = record_of(*(("date", one) for one in dates))
    assert record["date"] == chosen
    assert sorted([*record["notes"], chosen]) == sorted(dates)


def test_several_texts_that_are_no_dates_all_stay() -> None:
    record = record_of(("date", "soon"), ("date", "later"))
    assert "date" not in record
    assert record["notes"] == ["soon", "later"]


@pytest.mark.parametrize(
    ("written", "languages"),
    [
        ("Français", ["fr"]),
        ("FRANÇAIS", ["fr"]),
        ("en_US", ["en-US"]),
        ("en fr", ["en", "fr"]),
        ("eng; fre", ["en", "fr"]),
        ("Deutsch/English", ["de", "en"]),
        ("zz", ["zz"]),
        ("English with summaries", ["English with summaries"]),
    ],
)
def test_languages_by_code_and_by_name(written: str, languages: list[str]) -> None:
    record = record_of(("language", written))
    assert record["languages"] == languages
    kept = [f"languages: {written!r} is no language; kept as given"]
    assert record.get("warnings") == (kept if languages == [written] else None)


@pytest.mark.parametrize(
    ("written", "name", "whole"),
    [
        ("Dupont, Jean (éd.)", {"family": "Dupont", "given": "Jean"}, True),
        ("Dupont, Jean [author]", {"family": "Dupont", "given": "Jean"}, True),
        ("Dupont, Jean, ed.", {"family": "Dupont", "given": "Jean"}, True),
        ("Dumas, Alexandre, 1802-1870", {"family": "Dumas", "given": "Alexandre"}, True),
        ("Dumas, Alexandre (1802-1870)", {"family": "Dumas", "given": "Alexandre"}, True),
        ("Jean Dupont (trad.)", {"literal": "Jean Dupont"}, True),
        ("Smith, Ed", {"family": "Smith", "given": "Ed"}, False),
        ("Vreeland, T., Jr.", {"family": "Vreeland", "given": "T., Jr."}, False),
        ("García Lorca, Federico", {"family": "García Lorca", "given": "Federico"}, False),
        ("Hoffecker (Takahashi), Lilian",
         {"family": "Hoffecker (Takahashi)", "given": "Lilian"}, False),
        ("Reeves (Firm)", {"literal": "Reeves (Firm)"}, False),
        ("College, Ann", {"family": "College", "given": "Ann"}, False),
        ("Institut Pasteur, Paris", {"literal": "Institut Pasteur, Paris"}, False),
        ("(éd.)", {"literal": "(éd.)"}, False),
    ],
)  # fmt: skip
def test_a_role_or_the_years_of_a_life_leave_the_name_and_stay_in_the_notes(
    written: str, name: dict[str, str], whole: bool
) -> None:
    record = record_of(("creator", written))
    assert record["creators"] == [name]
    assert record.get("notes") == ([written] if whole else None)


@pytest.mark.parametrize(
    ("written", "affiliation"),
    [
        ("Botero, Ana; Universidad de Antioquia", "Universidad de Antioquia"),
        ("Botero, Ana; Universidad de Antioquia, Medellín", "Universidad de Antioquia, Medellín"),
    ],
)
def test_an_affiliation_behind_a_semicolon(written: str, affiliation: str) -> None:
    record = record_of(("creator", written))
    assert record["creators"] == [{"family": "Botero", "given": "Ana"}]
    assert record["affiliations"] == [{"name": affiliation}]


@pytest.mark.parametrize(
    "written",
    ["Smith, J.; Jones, K.", "A. Kröller, R. Wessäly, T. Achterberg", "Stanislav Jendrol, et al.",
     "Moreno, Luis; Grupo GIDEM, CDT ASTIN, SENA", "Smith; Jones"],
)  # fmt: skip
def test_what_may_be_several_names_stays_whole(written: str) -> None:
    record = record_of(("creator", written))
    assert record["creators"] == [{"literal": written}]
    assert record["warnings"] == [f"creators: {written!r} may be several names; kept whole"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("doi:10.1000/a; https://example.org/1",
         {"identifiers": {"doi": ["10.1000/a"]}, "landing_page": "https://example.org/1"}),
        ("ISBN 978-1-78374-841-9, ISSN 1539-3755",
         {"identifiers": {"isbn": ["9781783748419"]}, "container": {"issn": "1539-3755"}}),
        (
            "info:eu-repo/semantics/altIdentifier/isbn/978-2-8218-7547-0",
            {"identifiers": {"isbn": ["9782821875470"]}},
        ),
        ("info:doi/10.1000/A", {"identifiers": {"doi": ["10.1000/a"]}}),
        ("https://doi.org/doi:10.1000/A",
         {"identifiers": {"doi": ["10.1000/a"]},
          "landing_page": "https://doi.org/doi:10.1000/A"}),
        ("info:hdl/1765/308", {"identifiers": {"hdl": ["1765/308"]}}),
        ("info:pmid/123", {"identifiers": {"pmid": ["123"]}}),
        ("1988-2015", {"identifiers": {"other": [{"value": "1988-2015"}]}}),
        ("9783319055787 x", {"identifiers": {"other": [{"value": "9783319055787 x"}]}}),
        ("ark:/12148/bpt6k", {"identifiers": {"other": [
            {"scheme": "ARK", "value": "ark:/12148/bpt6k"}]}}),
        ("PMC123", {"identifiers": {"other": [{"scheme": "PMC", "value": "PMC123"}]}}),
        ("https://example.org/", {"identifiers": {"other": [{"value": "https://example.org/"}]}}),
        ("https://example.org/a.PDF?seq=1", {"files": ["https://example.org/a.PDF?seq=1"]}),
        ("oai:example.org:1", {}),
    ],
)  # fmt: skip
def test_one_identifier_element(written: str, expected: dict[str, Any]) -> None:
    assert record_of(("identifier", written)) == {"id": "oai:example.org:1", **expected}


@pytest.mark.parametrize(
    ("written", "scheme", "key"),
    [
        ("doi:10.1/x", "DOI", "identifiers.doi"),
        ("ISBN: 9789462365660", "ISBN", "identifiers.isbn"),
        ("PMID: none", "PUBMED", "identifiers.pmid"),
        ("ISSN 1539-3756", "ISSN", "container.issn"),
    ],
)
def test_a_wrong_identifier_that_names_its_scheme_is_kept_with_a_warning(
    written: str, scheme: str, key: str
) -> None:
    record = record_of(("identifier", written))
    assert record["identifiers"] == {"other": [{"scheme": scheme, "value": written}]}
    (warning,) = record["warnings"]
    assert warning.startswith(f"{key}: {written!r} fails its check; kept under ")


@pytest.mark.parametrize(
    ("address", "scheme", "value"),
    [
        ("https://dx.doi.org/10.1000/A", "doi", "10.1000/a"),
        ("http://www.doi.org/10.1000/A", "doi", "10.1000/a"),
        ("https://hdl.handle.net/1765/308", "hdl", "1765/308"),
        ("https://export.arxiv.org/abs/1303.0980", "arxiv", "1303.0980"),
        ("https://arxiv.org/pdf/1303.0980", "arxiv", "1303.0980"),
        ("https://pubmed.ncbi.nlm.nih.gov/123/", "pmid", "123"),
        ("http://www.ncbi.nlm.nih.gov/pubmed/123", "pmid", "123"),
    ],
)
def test_a_resolvers_address_says_its_scheme(address: str, scheme: str, value: str) -> None:
    record = record_of(("identifier", address))
    assert (record["identifiers"], record["landing_page"]) == ({scheme: [value]}, address)


def test_the_page_that_ends_in_the_oai_identifier_is_the_records_own() -> None:
    record = record_of(
        ("identifier", "https://example.org/elsewhere"),
        ("identifier", "https://example.org/handle/10/2"),
        own="oai:example.org:10/2",
    )
    assert record["landing_page"] == "https://example.org/handle/10/2"
    assert record["identifiers"] == {"other": [{"value": "https://example.org/elsewhere"}]}


@pytest.mark.parametrize(
    ("rights", "licence", "address"),
    [
        (["Creative Commons Attribution 4.0 International"], "CC-BY-4.0", None),
        (["CC BY-NC-ND 3.0"], "CC-BY-NC-ND-3.0", None),
        (["Creative Commons Attribution-NonCommercial-NoDerivatives 4.0"], "CC-BY-NC-ND-4.0", None),
        (["Creative Commons Zero v1.0 Universal"], "CC0-1.0", None),
        (["cc-by"], "CC-BY", None),
        (["MIT License"], "MIT", None),
        (["All rights reserved"], None, None),
        (["Creative Commons"], None, None),
        (["See (https://creativecommons.org/licenses/by-sa/4.0/)."], "CC-BY-SA-4.0",
         "https://creativecommons.org/licenses/by-sa/4.0/"),
        (["CC BY 3.0", "https://creativecommons.org/licenses/by/4.0/"], "CC-BY-4.0",
         "https://creativecommons.org/licenses/by/4.0/"),
        (["https://example.org/copyright"], None, None),
        (["http://rightsstatements.org/vocab/InC/1.0/"], None,
         "http://rightsstatements.org/vocab/InC/1.0/"),
    ],
)  # fmt: skip
def test_licences_by_address_in_prose_and_by_name(
    rights: list[str], licence: str | None, address: str | None
) -> None:
    record = record_of(*(("rights", one) for one in rights))
    assert (record.get("licence"), record.get("licence_url")) == (licence, address)
    assert [one for one in rights if one not in record.get("notes", ())] in ([], [address])


@pytest.mark.parametrize(
    ("written", "access"),
    [
        ("openAccess", "open"),
        ("Open Access", "open"),
        ("http://purl.org/coar/access_right/c_abf2", "open"),
        ("info:eu-repo/semantics/embargoedAccess", "restricted"),
        ("closed access", "restricted"),
        ("metadata only access", "metadata-only"),
        ("Open to visitors", None),
    ],
)
def test_access_by_term_and_by_word(written: str, access: str | None) -> None:
    record = record_of(("rights", written))
    assert (record.get("access"), record["notes"]) == (access, [written])


@pytest.mark.parametrize(
    ("types", "coar", "term"),
    [
        (["info:eu-repo/semantics/publishedVersion", "info:eu-repo/semantics/bookPart"],
         "c_3248", "info:eu-repo/semantics/bookPart"),
        (["info:eu-repo/semantics/publishedVersion"], None, None),
        (["Text", "Working Paper"], "c_8042", None),
        (["Article", COAR + "c_5794"], "c_5794", None),
        (["http://purl.org/dc/dcmitype/StillImage"], "c_ecc8", None),
        (["journal-article"], "c_6501", None),
        (["Conference or Workshop Item"], "c_c94f", None),
        (["Article / Book"], None, None),
        (["Monograph"], None, None),
    ],
)  # fmt: skip
def test_types_by_vocabulary_and_by_word(
    types: list[str], coar: str | None, term: str | None
) -> None:
    held = record_of(*(("type", one) for one in types))["type"]
    assert held.get("coar") == (COAR + coar if coar else None)
    assert held.get("info_eu_repo") == term
    assert set(types) == {*held.get("other", ()), term, held.get("coar")} & set(types)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Cybergeo; Vol. 3, No. 2 (2010): Special; 12-20",
         {"title": "Cybergeo", "volume": "3", "issue": "2", "pages": "12-20"}),
        ("Cybergeo; Bd. 3 Nr. 2 (2010)", {"title": "Cybergeo", "volume": "3", "issue": "2"}),
        ("Cybergeo; v. 3 n. 2 (2010); 12-20",
         {"title": "Cybergeo", "volume": "3", "issue": "2", "pages": "12-20"}),
        ("Cybergeo, 2010, p. 12", None),
    ],
)  # fmt: skip
def test_a_source_in_a_platforms_form(source: str, expected: dict[str, str] | None) -> None:
    record = record_of(("source", source))
    assert record["citation"] == source
    assert record.get("container") == expected


def test_keywords_in_one_value() -> None:
    record = record_of(
        ("subject", "one; two; three", "en"),
        ("subject", "610 Medical sciences; Medicine"),
        ("subject", "a|b"),
    )
    assert record["keywords"] == [
        {"value": "one", "lang": "en"}, {"value": "two", "lang": "en"},
        {"value": "three", "lang": "en"}, {"value": "610 Medical sciences; Medicine"},
        {"value": "a"}, {"value": "b"},
    ]  # fmt: skip
