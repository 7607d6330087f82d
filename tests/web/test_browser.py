"""The pages in a real browser: Debian's Chromium, without a screen."""

import re
import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from web_pages import IN_TWO_VERSIONS, Served

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PAGES = [
    "/", "/search?q=language", "/search?q=zyzzyva", "/hal-04493396", f"/{IN_TWO_VERSIONS}",
    f"/{IN_TWO_VERSIONS}?view=history", "/hal-04493396?view=source", "/browse", "/browse/domain",
    "/browse/author", "/status", "/terms", "/api", "/hal-99999999",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "these tests drive Chromium: install Debian's package chromium"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def visit(browser: Browser, served: Served) -> Iterator[Page]:
    """A page of an English reader; whatever goes wrong in it fails the test."""
    context = browser.new_context(base_url=served.url, locale="en-GB")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
    page.on(
        "request", lambda one: None if one.url.startswith(served.url) else wrong.append(one.url)
    )
    yield page
    context.close()
    assert [one for one in wrong if "404" not in one] == []


def test_search_open_switch_copy_and_export(visit: Page) -> None:
    visit.goto("/")
    visit.get_by_role("searchbox").fill("contrats à impact social")
    visit.get_by_role("button", name="Search").click()
    expect(visit.locator("mark").first).to_be_visible()
    visit.get_by_role("link", name="Les contrats à impact social").first.click()
    expect(visit).to_have_url(re.compile("/hal-04493396$"))
    expect(visit.get_by_role("heading", level=1)).to_contain_text("une menace pour la solidarité")
    visit.get_by_role("link", name="Français").click()
    expect(visit.locator("html")).to_have_attribute("lang", "fr")
    expect(visit.get_by_text("Fichier non déposé")).to_be_visible()
    visit.get_by_role("button", name="Copier").click()
    expect(visit.get_by_text("Copié")).to_be_visible()
    copied = visit.evaluate("navigator.clipboard.readText()")
    assert copied == (
        "Jean-Sébastien Alix, Michel Autès, Nathalie Coutinet, Gabrielle Garrigue. "
        "Les contrats à impact social : une menace pour la solidarité ?. "
        "La vie des idées, 2018. ⟨hal-04493396⟩"
    )
    link = visit.get_by_role("link", name="BibTeX").get_attribute("href")
    answer = visit.request.get(str(link))
    assert "@article{alix:hal-04493396," in answer.text()


def test_the_keyboard_alone(visit: Page) -> None:
    visit.goto("/hal-04493396")
    visit.keyboard.press("Tab")
    assert visit.evaluate("document.activeElement.className") == "skip"
    visit.keyboard.press("Enter")
    assert visit.evaluate("document.activeElement.id") == "content"
    visit.goto("/")
    for _ in range(20):
        visit.keyboard.press("Tab")
        if visit.evaluate("document.activeElement.name") == "q":
            break
    visit.keyboard.type("hal-04493396")
    visit.keyboard.press("Enter")
    expect(visit.get_by_role("heading", level=1)).to_contain_text("Les contrats à impact social")


def test_a_key_or_a_choice_alone_does_not_lead_elsewhere(visit: Page) -> None:
    """WCAG 2.2, 2.1.4 and 3.2.2: no shortcut of one character, no new page by choosing."""
    visit.goto("/search?q=language")
    visit.keyboard.press("/")
    assert visit.evaluate("document.activeElement === document.body")
    visit.get_by_label("Sort").select_option("oldest")
    expect(visit.get_by_role("button", name="OK")).to_be_visible()
    assert visit.url.endswith("/search?q=language")
    visit.get_by_role("button", name="OK").click()
    expect(visit).to_have_url(re.compile(r"sort=oldest"))


def test_without_scripts_everything_is_there(browser: Browser, served: Served) -> None:
    context = browser.new_context(base_url=served.url, locale="fr-FR", java_script_enabled=False)
    page = context.new_page()
    page.goto("/search?q=language")
    expect(page.locator("mark").first).to_be_visible()
    page.goto("/hal-04493396")
    expect(page.locator("#citation")).to_contain_text("La vie des idées, 2018.")
    context.close()


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_anyone_can_use_the_pages(
    browser: Browser, served: Served, width: int, scheme: str
) -> None:
    """WCAG 2.2 AA as far as axe can tell; nothing is wider than the screen."""
    context = browser.new_context(
        base_url=served.url,
        locale="en-GB",
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    for address in PAGES:
        page.goto(address)
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}})
        told = [(one["id"], one["nodes"][0]["html"][:200]) for one in found.response["violations"]]
        assert told == [], address
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, address
    context.close()


def test_on_paper_only_the_record_is_left(visit: Page) -> None:
    visit.goto("/hal-04493396")
    visit.emulate_media(media="print")
    expect(visit.locator("header.site")).to_be_hidden()
    expect(visit.get_by_role("heading", level=1)).to_be_visible()
