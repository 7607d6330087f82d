"""HAL's ``oai_dcterms`` gives the same record as its ``oai_dc``, as far as it goes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from crosswalks.inverses import undone
from crosswalks.recorded_values import everything
from halmirror.crosswalks import Source, crosswalk
from halmirror.crosswalks.dublin_core import values
from halmirror.record import Body, Head, Record

TERMS = "{http://purl.org/dc/terms/}"
OAI = "{http://www.openarchives.org/OAI/2.0/}"
PAGE = Path(__file__).resolve().parents[1] / "data" / "hal-dcterms" / "ListRecords.xml"
RECORDS = {
    one.findtext(f"{OAI}header/{OAI}identifier").removeprefix("oai:HAL:"): one
    for one in etree.parse(PAGE).iter(f"{OAI}record")
}
IN_BOTH_FORMATS = (
    "type", "titles", "creators", "domains", "classifications", "date", "year", "languages",
    "landing_page", "files", "access", "licence", "licence_url",
)  # fmt: skip
TERMS_OF_DCMI = (
    "abstract", "accessRights", "alternative", "audience", "available", "bibliographicCitation",
    "conformsTo", "contributor", "coverage", "created", "creator", "date", "dateAccepted",
    "dateSubmitted", "description", "extent", "format", "hasPart", "identifier", "isPartOf",
    "issued", "language", "licence", "license", "medium", "modified", "publisher", "references",
    "relation", "rights", "rightsHolder", "source", "spatial", "subject", "tableOfContents",
    "temporal", "title", "type", "valid", "mediator",
)  # fmt: skip
TEXTS = (
    "ART", "COMM", "HDR", "ETABTHESE", "hal-1", "https://hal.science/hal-1", "10985/7411",
    "https://hal.science/hal-1/document", "doi:10.1103/physreve.87.033017", "2017", "2017-13",
    "[CNRS] CNRS", "[SHS] Humanities and Social Sciences", "JEL : C1", "A : B", "Title",
    "Title : Sub", "https://creativecommons.org/licenses/by/4.0/", "Family, Given", "en", " ",
    "info:eu-repo/semantics/OpenAccess", "Latitude=48.85; Longitude=2.35", "Journal articles",
)  # fmt: skip


def normalised(
    name: str, profile: str = "hal"
) -> tuple[dict[str, Any], list[tuple[int, str, str]], tuple[Source, ...]]:
    element = RECORDS[name]
    sources = values(element.find(f"{OAI}metadata"))
    identifier, _, version = name.rpartition("v")
    told: list[tuple[int, str, str]] = []
    body = crosswalk("oai_dcterms", profile)(
        sources,
        identifier,
        int(version),
        [one.text for one in element.iter(f"{OAI}setSpec")],
        lambda index, rule, where: told.append((index, rule, where)),
    )
    return json.loads(Record(Head(identifier, int(version)), body).json()), told, sources


def body_of(*pairs: tuple[str, str], profile: str = "hal") -> Body:
    sources = [Source(f"{TERMS}{term}", text, None) for term, text in pairs]
    return crosswalk("oai_dcterms", profile)(sources, "hal-1", 1, (), None)


def test_the_record_sent_to_software_heritage() -> None:
    record, _, _ = normalised("hal-01587361v1")
    assert record == {
        "id": "hal-01587361",
        "version": 1,
        "type": {"hal": "SOFTWARE", "coar": "http://purl.org/coar/resource_type/c_5ce6"},
        "titles": [
            {"value": "The assignment problem", "lang": "en"},
            {"value": "AffectationRO", "lang": "fr"},
        ],
        "creators": [{"family": "Gruenpeter", "given": "Morane"}],
        "abstracts": [
            {
                "value": "Project in OR: The assignment problemA java implementation for the "
                "assignment problem first release",
                "lang": "en",
            },
            {"value": "description fr", "lang": "fr"},
        ],
        "notes": ["available: 2017-10-19"],
        "domains": ["info", "info.info-ro"],
        "date": "2015-06-01",
        "year": 2015,
        "languages": ["en"],
        "identifiers": {"doi": ["10.5281/zenodo.438684"]},
        "landing_page": "https://hal.inria.fr/hal-01587361",
        "files": [
            "https://hal.inria.fr/hal-01587361/document",
            "https://hal.inria.fr/hal-01587361/file/AffectationRO-v1.0.0.zip",
        ],
        "access": "restricted",
    }


def test_an_article() -> None:
    record, _, _ = normalised("hal-02737739v1")
    assert record["type"]["hal"] == "ART"
    assert record["container"] == {
        "title": "Engineering Fracture Mechanics",
        "also": [
            "PERGAMON-ELSEVIER SCIENCE LTD",
            "Elsevier",
            "21e. European Conference on Fracture (ECF)",
        ],
    }
    assert record["classifications"] == [
        {
            "scheme": "collection",
            "value": "[CNRS] CNRS - Centre national de la recherche scientifique",
        },
        {"scheme": "collection", "value": "[AGREENIUM] Archive ouverte en agrobiosciences"},
    ]
    assert record["keywords"][-1] == {"value": "Damage", "lang": "fr"}
    assert record["coverage"] == ["Catania, Italy"]
    assert record["access"] == "open"
    assert record["identifiers"] == {"doi": ["10.1016/j.engfracmech.2017.05.006"]}
    assert "warnings" not in record


@pytest.mark.parametrize("name", ["hal-01821474v2", "hal-02737739v1"])
def test_both_formats_of_one_record_agree(name: str) -> None:
    (plain,) = (one for one in everything() if one.name == name)
    body = crosswalk("oai_dc", "hal")(plain.values, plain.id, plain.version, plain.sets, None)
    expected = json.loads(Record(Head(plain.id, plain.version), body).json())
    found, _, _ = normalised(name)
    del expected["type"]["info_eu_repo"]
    found["classifications"] = [
        one for one in found["classifications"] if one["scheme"] != "collection"
    ]
    for key in IN_BOTH_FORMATS:
        assert (found.get(key) or None) == expected.get(key), key


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("profile", ["hal", "generic"])
def test_every_value_is_told_once_and_is_there(name: str, profile: str) -> None:
    record, told, sources = normalised(name, profile)
    assert sorted(index for index, _, _ in told) == list(range(len(sources)))
    for index, rule, where in told:
        held: Any = record
        for step in re.findall(r"\w+", where.removeprefix("repetition of ").split(" and ")[0]):
            held = held[int(step)] if step.isdigit() else held[step]
        text = " ".join(undone(sources[index].text).split())
        if rule in ("title", "abstract", "keyword", "source", "record's address", "file"):
            assert text in (held, held["value"] if isinstance(held, dict) else None)


@given(
    st.lists(
        st.tuples(st.sampled_from(TERMS_OF_DCMI), st.sampled_from(TEXTS)), max_size=12
    ),
    st.sampled_from(["hal", "generic"]),
)  # fmt: skip
def test_any_terms_are_told_once_and_kept(pairs: list[tuple[str, str]], profile: str) -> None:
    sources = [Source(f"{TERMS}{term}", text, None) for term, text in pairs]
    told: list[tuple[int, str, str]] = []
    body = crosswalk("oai_dcterms", profile)(
        sources, "hal-1", 1, (), lambda index, rule, where: told.append((index, rule, where))
    )
    assert sorted(index for index, _, _ in told) == list(range(len(pairs)))
    record = json.loads(Record(Head("hal-1", 1), body).json())
    for index, _, where in told:
        if not where.startswith("dropped: empty"):
            held: Any = record
            for step in re.findall(r"\w+", where.removeprefix("repetition of ").split(" and ")[0]):
                held = held[int(step)] if step.isdigit() else held[step]
            assert held, (pairs[index], where)


@pytest.mark.parametrize(
    ("code", "texts", "title", "conference", "also"),
    [
        ("ART", ["J", "P"], "J", None, ("P",)),
        ("COUV", ["Book", "P", "Book"], "Book", None, ("P",)),
        ("COMM", ["Congress"], "Congress", None, ()),
        ("COMM", ["Acts", "P", "Congress"], None, "Congress", ("Acts", "P")),
        ("OUV", ["P"], None, None, ("P",)),
        ("THESE", [], None, None, ()),
    ],
)
def test_sources_are_named_only_where_certain(
    code: str, texts: list[str], title: str | None, conference: str | None, also: tuple[str, ...]
) -> None:
    body = body_of(("type", code), *(("source", text) for text in texts))
    if body.container is None:
        assert texts == []
        return
    found = (body.container.title, body.container.conference, body.container.also)
    assert found == (title, conference, also)


def test_a_citation_gives_volume_issue_and_pages() -> None:
    body = body_of(
        ("type", "ART"),
        ("source", "Nature"),
        ("bibliographicCitation", "Nature, 2012, 12 (3), pp.1-20"),
    )
    assert body.citation == "Nature, 2012, 12 (3), pp.1-20"
    assert body.container is not None
    held = body.container
    assert (held.title, held.volume, held.issue, held.pages) == ("Nature", "12", "3", "1-20")


def test_terms_without_a_key_keep_their_name() -> None:
    body = body_of(
        ("available", "2030-01-01"), ("extent", "12 p."), ("isPartOf", "A series"),
        ("spatial", "Latitude=48.85; Longitude=2.35"),
    )  # fmt: skip
    assert body.notes == ("available: 2030-01-01", "extent: 12 p.", "isPartOf: A series")
    assert body.coverage == ("Latitude=48.85; Longitude=2.35",)
    assert body.warnings == ()


def test_production_comes_before_publication() -> None:
    both = body_of(("issued", "2016"), ("created", "2015"))
    assert (both.date, both.notes) == ("2015", ("issued: 2016",))
    assert body_of(("issued", "2016")).date == "2016"


def test_a_type_of_one_portal_is_kept() -> None:
    found = body_of(("type", "ETABTHESE")).type
    assert found is not None
    assert (found.hal, found.coar) == ("ETABTHESE", None)


def test_a_bare_handle_and_lower_case_schemes() -> None:
    body = body_of(
        ("identifier", "10985/7411"), ("identifier", "arxiv:1303.0980"),
        ("identifier", "pubmed:23456789"),
    )  # fmt: skip
    assert body.identifiers is not None
    held = body.identifiers
    assert (held.hdl, held.arxiv, held.pmid) == (("10985/7411",), ("1303.0980",), ("23456789",))


def test_other_repositories_terms_are_taken_as_the_elements_they_refine() -> None:
    body = body_of(
        ("alternative", "Another title"), ("abstract", "About it"), ("issued", "2016"),
        ("license", "https://creativecommons.org/licenses/by/4.0/"), ("spatial", "Brest"),
        ("bibliographicCitation", "Nature 12"), ("isPartOf", "A series"), ("type", "Text"),
        profile="generic",
    )  # fmt: skip
    assert body.titles[0].value == "Another title"
    assert body.abstracts[0].value == "About it"
    assert (body.date, body.licence, body.coverage) == ("2016", "CC-BY-4.0", ("Brest",))
    assert (body.citation, body.notes) == ("Nature 12", ("isPartOf: A series",))
    assert body.type is not None
    assert body.type.other == ("Text",)
