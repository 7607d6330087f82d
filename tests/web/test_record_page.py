"""A record's address: the page, the other forms, the headers."""

import json
import re

import httpx
import pytest
from lxml import html

from conftest import CommandLine
from web_pages import (
    ENGLISH,
    FRENCH,
    GONE,
    HOSTILE,
    IN_TWO_VERSIONS,
    Served,
    page,
    started,
    text,
)


def test_the_page_has_what_hals_has(web: httpx.Client) -> None:
    shown = page(web, "/hal-04493396")
    main = shown.find(".//main")
    assert text(main.find(".//h1")) == (
        "Les contrats à impact social : une menace pour la solidarité ?"
    )
    words = text(main)
    assert "Journal articles La vie des idées Year: 2018" in words
    assert "No file deposited" in words
    assert "hal-04493396v1 (2024-03-07)" in words
    assert "On March 16, 2016, the government" in words
    (author,) = [a for a in main.iterfind(".//a") if text(a) == "Jean-Sébastien Alix"]
    assert author.get("href") == "/search?author=Jean-S%C3%A9bastien+Alix"
    assert text(shown.get_element_by_id("citation")) == (
        "Jean-Sébastien Alix, Michel Autès, Nathalie Coutinet, Gabrielle Garrigue. "
        "Les contrats à impact social : une menace pour la solidarité ?. "
        "La vie des idées, 2018. ⟨hal-04493396⟩"
    )


def test_the_page_is_french_for_a_french_browser(web: httpx.Client) -> None:
    shown = page(web, "/hal-04493396", FRENCH)
    assert shown.get("lang") == "fr"
    words = text(shown.find(".//main"))
    assert "Article dans une revue La vie des idées Année : 2018" in words
    assert "Fichier non déposé" in words
    assert "hal-04493396v1 (07-03-2024)" in words
    assert "Citer" in words


def test_the_switch_is_remembered(served: Served) -> None:
    with httpx.Client(base_url=served.url, headers=ENGLISH) as client:
        (switch,) = [
            a for a in page(client, "/hal-04493396?style=apa").iterfind(".//a")
            if a.get("hreflang") == "fr"
        ]  # fmt: skip
        assert switch.get("href") == "/hal-04493396?style=apa&ui=fr"
        client.get(switch.get("href"))
        assert page(client, "/").get("lang") == "fr"


@pytest.mark.parametrize(
    "address",
    [
        "/hal-04493396v1",
        "/record/oai:HAL:hal-04493396v1",
        "/record/oai%3AHAL%3Ahal-04493396v1",
        "/record/https%3A%2F%2Fhal.science%2Fhal-04493396",
    ],
)
def test_any_identifier_is_an_address(web: httpx.Client, address: str) -> None:
    assert "Les contrats" in text(page(web, address).find(".//h1"))


def test_a_doi_is_an_address_with_its_slash_encoded_or_not(web: httpx.Client) -> None:
    for address in ("/record/10.3389/fimmu.2022.1002629", "/record/10.3389%2FFIMMU.2022.1002629"):
        assert text(page(web, address).find(".//h1")).startswith("ImmUniverse Consortium")


@pytest.mark.parametrize(
    ("accept", "media_type", "begin"),
    [
        ("application/json", "application/json", b'{"id":"hal-04493396","version":1,'),
        ("application/vnd.citationstyles.csl+json", None, b'[\n{"id":"alix:hal-04493396"'),
        ("application/x-bibtex", None, b"% hal: 1) No commercial use"),
        ("text/turtle;q=0.9, text/html;q=0.1", "text/turtle", b"# hal: 1) No commercial"),
        ("application/xml", None, b"<?xml version="),
        ("application/x-research-info-systems", None, b"TY  - JOUR"),
        ("text/x-bibliography; style=apa", "text/x-bibliography", "Alix, J.-S., Autès".encode()),
        ("*/*", "text/html", b"<!doctype html>"),
    ],
)
def test_other_forms_by_accept(
    web: httpx.Client, accept: str, media_type: str | None, begin: bytes
) -> None:
    answer = web.get("/hal-04493396", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].partition(";")[0] == (media_type or accept)
    assert answer.content.startswith(begin), answer.text
    if media_type != "text/html":
        assert f'<{str(web.base_url).rstrip("/")}/terms>; rel="license"' in answer.headers["Link"]


def test_the_json_is_that_of_show(web: httpx.Client, filled: CommandLine) -> None:
    shown = filled("show", "hal-04493396", "--format", "json")
    answer = web.get("/hal-04493396", headers={"Accept": "application/json"})
    assert answer.json() == json.loads(shown.out)


def test_a_form_by_its_name_and_one_that_is_none(web: httpx.Client) -> None:
    assert web.get("/hal-04493396?format=ris").text.startswith("TY  - JOUR")
    refused = web.get("/hal-04493396?format=docx")
    assert refused.status_code == 400
    assert refused.json()["detail"].startswith("format: it is none of json, csl-json")
    refused = web.get("/hal-04493396", headers={"Accept": "image/png"})
    assert refused.status_code == 406


def test_what_is_known_already_is_not_sent_again(web: httpx.Client) -> None:
    for headers in (ENGLISH, {"Accept": "application/json"}):
        first = web.get("/hal-04493396", headers=headers)
        again = web.get("/hal-04493396", headers=headers | {"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]


def test_machines_read_the_page(web: httpx.Client) -> None:
    answer = web.get("/hal-02148693", headers=ENGLISH)
    shown = html.fromstring(answer.text)
    tags = [(m.get("name"), m.get("content")) for m in shown.iterfind(".//meta[@name]")]
    assert ("citation_doi", "10.14618/IDS-PUB-9021") in tags
    assert ("citation_author", "Ortiz Suárez, Pedro Javier") in tags
    assert ("citation_publication_date", "2019/07/22") in tags
    (block,) = shown.xpath("//script[@type='application/ld+json']/text()")
    described = json.loads(block)
    assert described["@context"] == "https://schema.org/"
    assert described["name"]["@value"].startswith("Asynchronous Pipeline")
    links = answer.headers["Link"]
    assert '<https://doi.org/10.14618/IDS-PUB-9021>; rel="cite-as"' in links
    assert 'format=bibtex>; rel="describedby"; type="application/x-bibtex"' in links
    assert 'rel="item"' in links


def test_versions_history_and_differences(web: httpx.Client) -> None:
    shown = page(web, f"/{IN_TWO_VERSIONS}")
    versions = [text(a) for a in shown.iterfind(".//aside//a") if a.get("href").startswith("/hal-")]
    assert versions[:2] == [f"{IN_TWO_VERSIONS}v4", f"{IN_TWO_VERSIONS}v3"]
    old = text(page(web, f"/{IN_TWO_VERSIONS}v3").find(".//main"))
    assert "This record is not current superseded since" in old
    assert f"followed by {IN_TWO_VERSIONS}v4" in old
    past = page(web, f"/{IN_TWO_VERSIONS}?view=history")
    removed = [text(one) for one in past.iterfind(".//del")]
    added = [text(one) for one in past.iterfind(".//ins")]
    assert [one for one in removed if one.startswith("removed: CAMEMBERT")]
    assert [one for one in added if one.startswith("added: CamemBERT")]


def test_the_metadata_as_they_came(web: httpx.Client) -> None:
    shown = page(web, "/hal-04493396?view=source")
    assert ">Les contrats à impact social : une menace pour la solidarité ?<" in shown.findtext(
        ".//pre"
    )


def test_a_record_that_is_gone_says_so(web: httpx.Client) -> None:
    shown = page(web, f"/{GONE}")
    assert "deleted at the source since" in text(shown.find(".//main"))
    assert shown.find(".//meta[@content='noindex']") is not None


def test_what_strangers_wrote_is_text_and_nothing_else(web: httpx.Client) -> None:
    for address in (f"/{HOSTILE}", f"/{HOSTILE}?view=source", "/search?q=kompetenz", "/"):
        answer = web.get(address, headers=ENGLISH)
        shown = html.fromstring(answer.text)
        assert shown.xpath("//img | //svg | //b | //*[@onload] | //*[@onerror]") == []
        scripts = [s.get("src") or s.get("type") for s in shown.iterfind(".//script")]
        assert all(one == "application/ld+json" or one.startswith("/static/") for one in scripts)
        targets = shown.xpath("//@href | //@src | //@action")
        assert not [one for one in targets if not one.startswith(("/", "http", "#"))]
        assert "49" not in text(shown.find(".//main")).split()
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", answer.text)


def test_a_direction_of_writing_ends_with_its_value(web: httpx.Client) -> None:
    for piece in re.split("[<>]", web.get(f"/{HOSTILE}", headers=ENGLISH).text):
        assert piece.count("\u202e") == piece.count("\u202c"), piece
        assert piece.count("\u2067") == piece.count("\u2069"), piece


def test_nothing_comes_from_another_host_and_no_script_is_inline(web: httpx.Client) -> None:
    answer = web.get("/hal-04493396", headers=ENGLISH)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    shown = html.fromstring(answer.text)
    loaded = shown.xpath(
        "//script/@src | //link[@rel='stylesheet' or @rel='icon']/@href | //img/@src"
    )
    assert len(loaded) == 3
    for address in loaded:
        asset = web.get(address)
        assert asset.status_code == 200
        assert "immutable" in asset.headers["Cache-Control"]


def test_what_is_not_there(web: httpx.Client) -> None:
    for address in ("/hal-99999999", "/nothing", "/record/10.1/none", "/static/none.css"):
        answer = web.get(address, headers={"Accept": "application/json"})
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["title"] == "Not Found"
    shown = web.get("/hal-99999999", headers=FRENCH)
    assert shown.status_code == 404
    assert "Introuvable" in shown.text


def test_another_host_is_refused(web: httpx.Client) -> None:
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1@evil", "a b", ""):
        answer = web.get("/", headers={"Host": host})
        assert answer.status_code in (400, 421), host
    assert web.get("/healthz", headers={"Host": "10.0.0.7"}).text == "ok\n"
    assert web.get("/readyz").text == "ready\n"


def test_without_a_mirror_nothing_is_served(tmp_path: object, halmirror: CommandLine) -> None:
    ran = halmirror("serve", "--port", "0")
    assert ran.code == 1
    assert "there is no mirror at" in ran.err


def test_a_mirror_put_in_its_place_is_served(filled: CommandLine, halmirror: CommandLine) -> None:
    assert halmirror("harvest", "--limit", "30").code == 0
    server = started(halmirror)
    try:
        with httpx.Client(base_url=server.url, headers=ENGLISH) as client:
            assert client.get(f"/{IN_TWO_VERSIONS}v4").status_code == 404
            beside = halmirror.mirror.with_name("restored")
            beside.write_bytes(filled.mirror.read_bytes())
            beside.replace(halmirror.mirror)
            assert client.get(f"/{IN_TWO_VERSIONS}v4").status_code == 200
            halmirror.mirror.unlink()
            gone = client.get("/readyz")
            assert (gone.status_code, gone.headers["Retry-After"]) == (503, "5")
            gone = client.get("/hal-04493396")
            assert (gone.status_code, gone.headers["Retry-After"]) == (503, "30")
    finally:
        assert server.stop() == 0
