"""Search, browsing and status, as pages without a browser."""

import re

import httpx
import pytest
from lxml import html

from conftest import CommandLine
from deliveries import Delivery, Filling
from web_pages import ENGLISH, FRENCH, GONE, Served, page, started, text


def test_a_search_marks_its_words_and_counts_facets(web: httpx.Client) -> None:
    shown = page(web, "/search?q=contrats+impact+social")
    first = shown.xpath("//*[contains(@class, 'hits')]/li")[0]
    assert {text(one).lower() for one in first.iterfind(".//mark")} >= {"contrats", "impact"}
    assert first.xpath(".//h2/a/@href") == ["/hal-04493396"]
    facets = text(page(web, "/search?q=language").xpath("//aside")[0])
    assert "Conference papers31" in facets.replace("papers 31", "papers31")


def test_every_page_of_a_search_is_another_and_all_are_there(web: httpx.Client) -> None:
    address, seen = "/search?q=&sort=newest", []
    while address:
        shown = page(web, address)
        seen += shown.xpath("//*[contains(@class, 'hits')]/li//h2/a/@href")
        following = shown.xpath(
            "//*[contains(@class, 'pager')]//a[starts-with(@rel, 'next')]/@href"
        )
        address = following[0] if following else ""
    assert len(seen) == len(set(seen)) == 72


def test_a_query_that_cannot_be_read_says_where(web: httpx.Client) -> None:
    answer = web.get('/search?q="open', headers=ENGLISH)
    assert answer.status_code == 400
    shown = html.fromstring(answer.text)
    assert "quote" in text(shown.find(".//main"))
    assert shown.xpath("//input[@name='q']/@value")[0] == '"open'


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ('"open', 'le guillemet au caractère 1 n\'est pas fermé ; ajoutez un autre "'),
        ("a) b", ("la parenthèse au caractère 2 ne ferme rien ; supprimez-la, ou mettez-la entre "
                 "guillemets")),
        ("a (b", "la parenthèse au caractère 3 n'est pas fermée ; ajoutez une )"),
        ("year:2020..2015", "year : « 2020..2015 » est à l'envers ; écrivez 2015..2020"),
        ("access:opne", ("access : « opne » n'est pas une de ces valeurs : open, restricted, "
                        "metadata-only ; vouliez-vous dire open ?")),
    ],
)  # fmt: skip
def test_a_french_page_says_in_french_what_is_wrong(
    web: httpx.Client, query: str, told: str
) -> None:
    answer = web.get("/search", params={"q": query}, headers=FRENCH)
    assert answer.status_code == 400
    (notice,) = html.fromstring(answer.text).xpath("//main//div[@role='alert']/p")
    assert (notice.get("lang"), text(notice)) == ("fr", told)


def test_a_french_page_says_where_its_words_are_english(web: httpx.Client) -> None:
    shown = html.fromstring(web.get("/hal-99999999", headers=FRENCH).text)
    assert shown.get("lang") == "fr"
    (told,) = shown.xpath("//main//p[@lang='en']")
    assert text(told)


@pytest.mark.parametrize(
    ("kind", "label", "count"),
    [("type", "Journal articles", 17), ("year", "2004", 14), ("domain", "Economics", None)],
)
def test_browsing_leads_to_as_many_records(
    web: httpx.Client, kind: str, label: str, count: int | None
) -> None:
    shown = page(web, f"/browse/{kind}")
    rows = {text(li.find("a")): li for li in shown.xpath("//ul[@class='values']/li")}
    assert rows
    if count is None:
        label = next(iter(rows))
        count = int(text(rows[label].xpath(".//*[@class='n']")[0]))
    assert text(rows[label].xpath(".//*[@class='n']")[0]) == str(count)
    found = page(web, rows[label].find("a").get("href"))
    assert re.search(rf"\b{count} results?\b", text(found.find(".//main")))


def test_a_search_says_that_the_newest_changes_are_not_in_it(halmirror: CommandLine) -> None:
    halmirror.mirror.parent.mkdir()
    with Filling(halmirror.mirror, killed=True) as filling:
        filling.take(Delivery(1))
    server = started(halmirror)
    try:
        with httpx.Client(base_url=server.url) as client:
            told = client.get("/api/v1/search?q=title").json()
            assert (told["total"], told["trails"]) == (0, True)
            shown = text(page(client, "/search?q=title", FRENCH).find(".//main"))
            assert "Les changements les plus récents ne se cherchent pas encore." in shown
    finally:
        server.stop()


def test_browsing_by_author_is_a_form(web: httpx.Client) -> None:
    form = page(web, "/browse/author", FRENCH).xpath("//main//form")[0]
    assert form.get("action") == "/search"
    assert form.xpath(".//input/@name") == ["author"]


@pytest.mark.parametrize(
    ("address", "location"),
    [
        ("/status/", "/status"),
        ("/hal-04493396//", "/hal-04493396"),
        ("//evil.example/", "/evil.example"),
        ("/%5Cevil.example/", "/%5Cevil.example"),
        ("/a%3Fb%23/?", "/a%3Fb%23"),
    ],
)
def test_a_slash_too_many_leads_to_a_page_of_this_server(
    served: Served, address: str, location: str
) -> None:
    answer = httpx.get(served.url + address)
    assert (answer.status_code, answer.headers["Location"]) == (308, location)


def test_what_cannot_be_browsed_is_not_found(web: httpx.Client) -> None:
    assert web.get("/browse/secrets", headers=ENGLISH).status_code == 404


def test_the_status_page_shows_how_the_mirror_grew(web: httpx.Client) -> None:
    part = page(web, "/status").xpath("//section[@aria-labelledby='h-growth']")[0]
    rows = [text(row) for row in part.iter("tr")][1:]
    assert rows
    assert rows[0].split()[-1].endswith("72")
    assert part.xpath(".//*[local-name()='path'][@class='line']/@d")[0].startswith("M104 232H")
    assert web.get("/status").text.count("<svg") == 2


def test_the_status_page_tells_what_is_held(web: httpx.Client) -> None:
    shown = page(web, "/status")
    figures = [text(one) for one in shown.xpath("//ul[@class='figures']/li")]
    assert figures == [
        "72 active", "1 deleted at the source", "0 withdrawn from the source", "1 superseded",
    ]  # fmt: skip
    rows = [[text(cell) for cell in row] for row in shown.xpath("//section[1]//tbody/tr")]
    assert rows[0][0] == "hal"
    assert rows[0][2:6] == ["72", "74", "0", "0"]
    bars = shown.xpath("//*[name()='rect']")
    years = shown.xpath("//section[@aria-labelledby='h-years']//details//tbody/tr")
    assert len(bars) == len(years) > 10
    assert "2 harvest" in text(shown.find(".//main"))


def test_the_home_page_has_the_newest_and_leads_on(web: httpx.Client) -> None:
    shown = page(web, "/", FRENCH)
    assert "Chercher dans les métadonnées" in text(shown.find(".//h1"))
    assert GONE not in shown.text_content()
    # Links with "ui" would change the language of all who share this client.
    links = [one for one in shown.xpath("//a/@href") if one.startswith("/") and "ui=" not in one]
    for address in dict.fromkeys(links):
        assert web.get(address, headers=FRENCH).status_code == 200, address


@pytest.mark.parametrize(
    "identifier",
    [
        "hal-04493396",
        "hal-04493396v1",
        "oai:HAL:hal-04493396v1",
        "https://hal.science/hal-04493396",
    ],
)
def test_an_identifier_in_the_search_leads_to_its_record(
    web: httpx.Client, identifier: str
) -> None:
    answer = web.get("/search", params={"q": f" {identifier} "}, headers=ENGLISH)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/hal-04493396v1")
    assert web.get(f"/search?q={identifier}&year=2018", headers=ENGLISH).status_code == 200
