"""Published snapshots, followed by readers that know nothing of halmirror."""

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import feedparser
import pytest
from lxml import etree
from resync.capability_list import CapabilityList
from resync.change_list import ChangeList
from resync.client import Client
from resync.resource_list import ResourceList
from resync.source_description import SourceDescription

from conftest import REPOSITORY, CommandLine
from halmirror.errors import UsageError
from halmirror.snapshot import publish as publishing
from halmirror.snapshot.publish import publish

SCHEMAS = REPOSITORY / "tests" / "data" / "schemas"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def parent(harvested: CommandLine, tmp_path: Path) -> Path:
    """Two whole snapshots of the recorded records."""
    folder = tmp_path / "published"
    for _ in range(2):
        assert harvested("snapshot", "create", str(folder)).code == 0
    return folder


@pytest.fixture
def site(parent: Path) -> Iterator[str]:
    """The folder on a plain web server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(parent)))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def check(path: Path, schema: str) -> None:
    etree.RelaxNG(etree.parse(SCHEMAS / schema)).assertValid(etree.parse(path))


def test_an_independent_reader_follows_and_copies_all(
    harvested: CommandLine, parent: Path, site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = harvested("snapshot", "publish", str(parent), "--base-url", site.rstrip("/"))
    assert (ran.code, ran.out) == (0, "")
    for name in (
        publishing.DESCRIPTION,
        publishing.CAPABILITIES,
        publishing.RESOURCES,
        publishing.CHANGES,
    ):
        check(parent / name, "resourcesync.rng")
    check(parent / publishing.FEED, "atom.rng")

    description = SourceDescription()
    description.read(site + ".well-known/resourcesync")
    (capabilities,) = description.resources
    listed = CapabilityList()
    listed.read(capabilities.uri)
    assert listed.has_capability("resourcelist")
    assert listed.has_capability("changelist")
    resources = ResourceList()
    resources.read(listed.capability_info("resourcelist").uri)
    here = {
        f"{site}{one.relative_to(parent)}": one
        for folder in parent.glob("2*")
        for one in folder.rglob("*")
        if one.is_file()
    }
    assert {one.uri for one in resources} == here.keys()
    assert {one.uri: one.length for one in resources} == {
        uri: path.stat().st_size for uri, path in here.items()
    }

    copy = tmp_path / "copy"
    client = Client(hashes=["sha-256"])
    monkeypatch.chdir(tmp_path)  # it keeps notes where it runs
    client.set_mappings([site, str(copy)])
    client.baseline_or_audit(allow_deletion=False)
    for folder in sorted(parent.glob("2*")):
        assert harvested("snapshot", "verify", str(copy / folder.name)).code == 0


def test_what_came_and_went_is_in_the_change_list(harvested: CommandLine, parent: Path) -> None:
    base = "https://data.example.org/hal/"
    publish(parent, base)
    first, second = sorted(one.name for one in parent.glob("2*"))
    shutil.rmtree(parent / first)
    publish(parent, base)
    publish(parent, base)
    changes = ChangeList()
    changes.read(str(parent / publishing.CHANGES))
    told = [(one.change, one.uri) for one in changes]
    files = len(told) // 3
    assert [change for change, _ in told] == ["created"] * 2 * files + ["deleted"] * files
    assert {uri for change, uri in told if change == "deleted"} == {
        uri for change, uri in told[: 2 * files] if f"/{first}/" in uri
    }
    check(parent / publishing.CHANGES, "resourcesync.rng")
    assert f"/{second}/" in (parent / publishing.RESOURCES).read_text("utf-8")
    assert f"/{first}/" not in (parent / publishing.RESOURCES).read_text("utf-8")


def test_the_feed_has_an_entry_for_each(parent: Path) -> None:
    publish(parent, "https://data.example.org/hal")
    feed = feedparser.parse((parent / publishing.FEED).read_bytes())
    assert not feed.bozo
    names = sorted((one.name for one in parent.glob("2*")), reverse=True)
    assert [one.title for one in feed.entries] == names
    assert feed.entries[0].links[0].href == f"https://data.example.org/hal/{names[0]}/README.md"
    assert feed.entries[0].summary.startswith("a whole snapshot: 73 records; hal complete as of ")
    assert len({one.id for one in feed.entries}) == 2


def test_more_entries_than_a_list_may_hold_get_an_index(
    parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "MOST_ENTRIES", 10)
    publish(parent, "https://data.example.org/hal/")
    check(parent / publishing.RESOURCES, "resourcesync.rng")
    index = etree.parse(parent / publishing.RESOURCES).getroot()
    assert etree.QName(index).localname == "sitemapindex"
    parts = sorted((parent / "resourcesync").glob("resourcelist-*.xml"))
    assert len(parts) == len(index.findall("{*}sitemap")) > 2
    for part in parts:
        check(part, "resourcesync.rng")
        assert len(etree.parse(part).getroot().findall("{*}url")) <= 10


@pytest.mark.parametrize(
    "base",
    [
        "data.example.org", "ftp://a/", "https://a/?x=1", "https:///x", "https://a/é/",
        "https://a/\x01/", "https://a/b c/", "https://user:password@a/",
    ],
)  # fmt: skip
def test_a_base_that_is_no_address_is_refused(parent: Path, base: str) -> None:
    with pytest.raises(UsageError, match="--base-url"):
        publish(parent, base)
