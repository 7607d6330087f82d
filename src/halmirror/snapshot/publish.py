"""Publishing snapshots on a plain web server: ResourceSync (ANSI/NISO Z39.99-2017) and Atom.

The snapshots' files are the resources, where they lie.  Beside them come a source description, a
capability list, a resource list, a change list and a feed (RFC 4287).  There is no resource dump:
a snapshot is one.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, quoteattr

import msgspec

from halmirror import whole_file
from halmirror.errors import OutputError, SnapshotError, UsageError
from halmirror.snapshot.chain import there
from halmirror.snapshot.create import held
from halmirror.snapshot.layout import (
    MANIFEST,
    README,
    SIGNATURE,
    TAG_FILES,
    TAG_MANIFEST,
    is_plain,
    time_of,
)
from halmirror.snapshot.packed import sums

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from halmirror.snapshot.chain import Link

DESCRIPTION: Final = ".well-known/resourcesync"
CAPABILITIES: Final = "resourcesync/capabilitylist.xml"
RESOURCES: Final = "resourcesync/resourcelist.xml"
CHANGES: Final = "resourcesync/changelist.xml"
FEED: Final = "atom.xml"
_KEPT: Final = "resourcesync/changes.jsonl"

MOST_ENTRIES: Final = 50_000
"""Entries of one list (sitemaps.org, and Z39.99 section 6.3); more stand in parts with an index."""

_MOST_IN_FEED: Final = 100
_TYPES: Final = {
    ".json": "application/json",
    ".md": "text/markdown",
    ".txt": "text/plain",
    ".gz": "application/gzip",
    ".zst": "application/zstd",
    ".parquet": "application/vnd.apache.parquet",
    ".sig": "text/plain",
}


class Published(NamedTuple):
    """What was published: how many snapshots and files, and where the description is."""

    snapshots: int
    resources: int
    description: str


class _Resource(NamedTuple):
    """A file of a snapshot: its path below the published folder."""

    path: str
    size: int
    sha256: str
    at: str


class _Change(msgspec.Struct, frozen=True):
    """A file that came or went: when that was published, and its sums where it came."""

    path: str
    change: str
    at: str
    size: int = 0
    sha256: str = ""


def publish(parent: Path, base_url: str, *, now: datetime | None = None) -> Published:
    """Write or renew what makes the snapshots in a folder followed on the web.

    ``base_url``: the address that the folder has there.  Nothing is sent anywhere.
    Raises `UsageError`, `SnapshotError` and `OutputError`.
    """
    base = _base(base_url)
    at = _time(now or datetime.now(UTC))
    with held(parent):
        links = there(parent)
        if not links:
            raise SnapshotError(f"there are no snapshots in {parent}; run 'snapshot create' first")
        resources = [one for link in links for one in _resources(link)]
        changes = _changes(parent, resources, at)
        for name in (DESCRIPTION, RESOURCES):
            try:
                (parent / name).parent.mkdir(exist_ok=True)
            except OSError as error:
                raise OutputError(f"{error.filename} cannot be made ({error.strerror})") from error
        _Site(parent, base, at).write(links, resources, changes)
    return Published(len(links), len(resources), base + DESCRIPTION)


def _base(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        known = parts.scheme in {"http", "https"} and parts.hostname
    except ValueError:
        known = None
    # What is published is read by all: no letters that an address has not, and no password.
    plain = base_url.isascii() and base_url.isprintable() and " " not in base_url
    if not known or not plain or "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(
            f"--base-url: '{base_url}' is no address of a folder; write it as "
            "https://data.example.org/hal/, other letters as %C3%A9 and without a password"
        )
    return base_url.rstrip("/") + "/"


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _resources(link: Link) -> Iterator[_Resource]:
    """The files of a snapshot; sums are those that it carries, so data are not read again."""
    at = _time(time_of(link.told.name))
    name = link.folder.name
    for tag in sorted((*TAG_FILES, TAG_MANIFEST, SIGNATURE)):
        path = link.folder / tag
        if tag == SIGNATURE and not is_plain(path):
            continue
        if not is_plain(path):
            raise SnapshotError(f"{path}: missing, or no plain file; 'snapshot verify' tells more")
        yield _Resource(f"{name}/{tag}", path.stat().st_size, sums(path)[0], at)
    for file in link.told.files:
        yield _Resource(f"{name}/{file.path}", file.size, file.sha256, at)


def _changes(parent: Path, resources: Sequence[_Resource], at: str) -> list[_Change]:
    """What came and went since the first publication, by time; what is new is kept for the next."""
    known: list[_Change] = []
    kept = parent / _KEPT
    if kept.exists():
        decode = msgspec.json.Decoder(_Change).decode
        try:
            known = [decode(line) for line in kept.read_bytes().splitlines()]
        except (OSError, msgspec.DecodeError) as error:
            raise OutputError(
                f"{kept} cannot be read ({error}); remove it to begin a new change list"
            ) from error
    there_before = {one.path: one for one in known}
    before = {path for path, one in there_before.items() if one.change != "deleted"}
    today = {one.path: one for one in resources}
    known += [_Change(path, "deleted", at) for path in sorted(before - today.keys())]
    for one in resources:
        if one.path not in before:
            known.append(_Change(one.path, "created", at, one.size, one.sha256))
        elif there_before[one.path].sha256 != one.sha256:
            known.append(_Change(one.path, "updated", at, one.size, one.sha256))
    return known


class _Site:
    """Writes the documents of a publication; lists before what points to them."""

    def __init__(self, parent: Path, base: str, at: str) -> None:
        self._parent = parent
        self._base = base
        self._at = at

    def write(
        self, links: Sequence[Link], resources: Sequence[_Resource], changes: Sequence[_Change]
    ) -> None:
        self._list(
            RESOURCES,
            f'capability="resourcelist" at="{self._at}"',
            [self._url(one.path, one.at, _md(one.path, one.size, one.sha256)) for one in resources],
        )
        self._list(
            CHANGES,
            f'capability="changelist" from="{changes[0].at}" until="{self._at}"',
            [
                self._url(
                    one.path,
                    one.at,
                    f'change="{one.change}" datetime="{one.at}"'
                    + (_md(one.path, one.size, one.sha256) if one.sha256 else ""),
                )
                for one in changes
            ],
        )
        told = msgspec.json.Encoder().encode
        whole_file.write(
            self._parent / _KEPT, "".join(told(one).decode() + "\n" for one in changes)
        )
        self._document(
            CAPABILITIES,
            "urlset",
            self._ln("up", DESCRIPTION) + '  <rs:md capability="capabilitylist"/>\n',
            [
                self._url(RESOURCES, None, 'capability="resourcelist"'),
                self._url(CHANGES, None, 'capability="changelist"'),
            ],
        )
        self._document(
            DESCRIPTION,
            "urlset",
            '  <rs:md capability="description"/>\n',
            [self._url(CAPABILITIES, None, 'capability="capabilitylist"')],
        )
        whole_file.write(self._parent / FEED, self._feed(links))

    def _list(self, name: str, about: str, entries: Sequence[str]) -> None:
        """A list, or where it has too many entries its parts and their index."""
        head = self._ln("up", CAPABILITIES) + f"  <rs:md {about}/>\n"
        if len(entries) <= MOST_ENTRIES:
            self._document(name, "urlset", head, entries)
            return
        parts = []
        stem = name.removesuffix(".xml")
        for number, begin in enumerate(range(0, len(entries), MOST_ENTRIES), 1):
            part = f"{stem}-{number:05d}.xml"
            inside = self._ln("up", CAPABILITIES) + self._ln("index", name)
            self._document(
                part,
                "urlset",
                f"{inside}  <rs:md {about}/>\n",
                entries[begin : begin + MOST_ENTRIES],
            )
            parts.append(f"  <sitemap>\n    <loc>{self._to(part)}</loc>\n  </sitemap>\n")
        self._document(name, "sitemapindex", head, parts)

    def _document(self, name: str, root: str, head: str, entries: Sequence[str]) -> None:
        whole_file.write(
            self._parent / name,
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
            'xmlns:rs="http://www.openarchives.org/rs/terms/">\n'
            f"{head}{''.join(entries)}</{root}>\n",
        )

    def _url(self, path: str, at: str | None, about: str) -> str:
        modified = f"    <lastmod>{at}</lastmod>\n" if at else ""
        return (
            f"  <url>\n    <loc>{self._to(path)}</loc>\n{modified}    <rs:md {about.strip()}/>\n"
            "  </url>\n"
        )

    def _ln(self, rel: str, path: str) -> str:
        return f'  <rs:ln rel="{rel}" href={quoteattr(self._base + path)}/>\n'

    def _to(self, path: str) -> str:
        return escape(self._base + path)

    def _feed(self, links: Sequence[Link]) -> str:
        newest = links[::-1][:_MOST_IN_FEED]
        address = quoteattr(self._base + FEED)
        entries = "".join(self._entry(link) for link in newest)
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<feed xmlns="http://www.w3.org/2005/Atom">\n'
            f"  <id>{self._to('')}</id>\n"
            "  <title>Snapshots of bibliographic metadata</title>\n"
            f"  <updated>{_time(time_of(newest[0].told.name))}</updated>\n"
            f"  <author><name>{escape(newest[0].told.software)}</name></author>\n"
            f'  <link rel="self" type="application/atom+xml" href={address}/>\n'
            f"{entries}</feed>\n"
        )

    def _entry(self, link: Link) -> str:
        told = link.told
        name = link.folder.name
        what = "a whole snapshot" if told.since is None else f"what changed since {told.since.name}"
        complete = "; ".join(
            f"{one.name} complete as of {one.complete_as_of}"
            for one in told.sources
            if one.complete_as_of
        )
        summary = f"{what}: {told.digest.records} records" + (f"; {complete}" if complete else "")
        readme = quoteattr(f"{self._base}{name}/{README}")
        manifest = quoteattr(f"{self._base}{name}/{MANIFEST}")
        return (
            "  <entry>\n"
            f"    <id>{uuid.uuid5(uuid.NAMESPACE_OID, f'{told.mirror} {told.name}').urn}</id>\n"
            f"    <title>{escape(told.name)}</title>\n"
            f"    <updated>{_time(time_of(told.name))}</updated>\n"
            f'    <link rel="alternate" type="text/markdown" href={readme}/>\n'
            f'    <link rel="related" type="text/plain" href={manifest}/>\n'
            f"    <summary>{escape(summary)}</summary>\n"
            "  </entry>\n"
        )


def _md(path: str, size: int, sha256: str) -> str:
    """Attributes of ``rs:md`` for a file."""
    ending = "." + path.rsplit(".", 1)[-1]
    media = _TYPES.get(ending, "application/octet-stream")
    return f' hash="sha-256:{sha256}" length="{size}" type="{media}"'
