"""Reading published snapshots from a web server: ResourceSync's lists, and files with checksums.

Nothing is believed before its SHA-512 is that of the manifest; only addresses below the base are
asked for, under names of `halmirror.snapshot.layout`, and no redirect is followed.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final, Self

import httpx
import msgspec
from lxml import etree

from halmirror.errors import AwayError, SnapshotError, TransportError
from halmirror.oaipmh.protocol import well_formed
from halmirror.snapshot.bag import parse_manifest
from halmirror.snapshot.layout import (
    DESCRIPTION,
    LARGEST_TEXT,
    MANIFEST,
    TAG_MANIFEST,
    Description,
    is_name,
    parse_description,
)
from halmirror.snapshot.publish import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_SITEMAP: Final = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
_MOST_LISTS: Final = 1000
_MOST_NAMES: Final = 100_000
_AT_ONCE: Final = 256 * 1024
_FIRST_WAIT: Final = 1.0
_USER_AGENT: Final = "halmirror (snapshots)"


class Published(msgspec.Struct, frozen=True):
    """A published snapshot: what it says of itself, its manifest, its tag manifest's SHA-512."""

    told: Description
    files: Mapping[str, str]
    tagmanifest: str


class Site:
    """The folder of snapshots at ``base``; a context manager.

    ``timeout`` in seconds; ``sleep`` waits before an attempt is repeated, ``retries`` times at
    most.  Raises `TransportError` and `SnapshotError`.
    """

    def __init__(
        self,
        base: str,
        *,
        timeout: float,
        retries: int,
        verify: bool,
        sleep: Callable[[float], None],
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._base = base.rstrip("/") + "/"
        self._retries = retries
        self._sleep = sleep
        self._client = httpx.Client(
            headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity", **(headers or {})},
            auth=auth,
            timeout=timeout,
            verify=verify,
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.close()

    def names(self) -> list[str]:
        """The names of the snapshots that the resource list has, oldest first."""
        found: set[str] = set()
        waiting = [self._base + RESOURCES]
        read = 0
        while waiting:
            read += 1
            if read > _MOST_LISTS:
                raise SnapshotError(f"{self._base}: its resource list has too many parts")
            url = waiting.pop()
            try:
                root = well_formed(self._small(url))
            except etree.XMLSyntaxError as error:
                raise SnapshotError(f"{url} is no resource list ({error})") from error
            for one in root.iter(f"{_SITEMAP}loc"):
                address = (one.text or "").strip()
                if not address.startswith(self._base):
                    raise SnapshotError(f"{url} leads to {address[:200]}, outside {self._base}")
                path = address.removeprefix(self._base)
                if root.tag == f"{_SITEMAP}sitemapindex":
                    waiting.append(address)
                elif re.fullmatch(rf"[^/]+/{re.escape(DESCRIPTION)}", path):
                    name = path.split("/")[0]
                    if is_name(name):
                        found.add(name)
                if len(found) > _MOST_NAMES:
                    raise SnapshotError(f"{url} names too many snapshots")
        return sorted(found)

    def snapshot(self, name: str) -> Published:
        """A snapshot's description and manifest, both checked by its tag manifest."""
        place = f"{self._base}{name}/"
        tags = self._small(place + TAG_MANIFEST)
        sums = parse_manifest(tags, f"{place}{TAG_MANIFEST}")
        texts = {}
        for one in (MANIFEST, DESCRIPTION):
            texts[one] = self._small(place + one)
            if hashlib.sha512(texts[one]).hexdigest() != sums.get(one):
                raise SnapshotError(f"{place}{one}: its SHA-512 is not that of {TAG_MANIFEST}")
        told = parse_description(texts[DESCRIPTION], place + DESCRIPTION)
        if told.name != name:
            raise SnapshotError(f"{place} calls itself {told.name}")
        files = parse_manifest(texts[MANIFEST], place + MANIFEST)
        return Published(told, files, hashlib.sha512(tags).hexdigest())

    def download(self, snapshot: Published, path: str, place: Path) -> None:
        """A data file of a snapshot, checked as it comes; what an earlier run got is kept."""
        expected = snapshot.files.get(path)
        size = next((one.size for one in snapshot.told.files if one.path == path), None)
        if expected is None or size is None:
            raise SnapshotError(f"{snapshot.told.name}: {path} is missing from its manifest")
        url = f"{self._base}{snapshot.told.name}/{path}"
        place.parent.mkdir(parents=True, exist_ok=True)
        self._insist(url, lambda: self._fetch(url, place, size))
        with place.open("rb") as file:
            found = hashlib.file_digest(file, "sha512").hexdigest()
        if found != expected:
            place.unlink()
            raise SnapshotError(f"{url}: its SHA-512 is not the manifest's; run again later")

    def _fetch(self, url: str, place: Path, size: int) -> None:
        """Bring a file up to its size, from where it stands."""
        have = place.stat().st_size if place.exists() else 0
        if have >= size:
            if have > size:
                place.unlink()
                have = 0
            else:
                return
        headers = {"Range": f"bytes={have}-"} if have else {}
        with self._client.stream("GET", url, headers=headers) as response:
            self._check(url, response, {200, 206} if have else {200})
            goes_on = response.status_code == httpx.codes.PARTIAL_CONTENT
            if goes_on and not response.headers.get("content-range", "").startswith(
                f"bytes {have}-"
            ):
                raise TransportError(f"{url}: the server gives another part than was asked for")
            with place.open("ab" if goes_on else "wb") as out:
                have = have if goes_on else 0
                for block in response.iter_raw(_AT_ONCE):
                    have += len(block)
                    if have > size:
                        raise SnapshotError(f"{url} is longer than the {size} bytes announced")
                    out.write(block)
        if have < size:
            raise httpx.RemoteProtocolError(f"cut after {have} of {size} bytes")

    def _small(self, url: str) -> bytes:
        found = b""

        def fetch() -> None:
            nonlocal found
            parts: list[bytes] = []
            length = 0
            with self._client.stream("GET", url) as response:
                self._check(url, response, {200})
                for block in response.iter_raw(_AT_ONCE):
                    length += len(block)
                    if length > LARGEST_TEXT:
                        raise SnapshotError(f"{url} is larger than {LARGEST_TEXT} bytes")
                    parts.append(block)
            found = b"".join(parts)

        self._insist(url, fetch)
        return found

    @staticmethod
    def _check(url: str, response: httpx.Response, wanted: set[int]) -> None:
        status = response.status_code
        if status in wanted:
            return
        if status == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
            raise httpx.RemoteProtocolError(f"HTTP status {status}")
        raise TransportError(
            f"{url} answers with HTTP status {status}; check base_url: it is the folder that "
            "'snapshot publish' wrote into"
        )

    def _insist(self, url: str, attempt: Callable[[], None]) -> None:
        for again in range(self._retries + 1):
            try:
                attempt()
            except (httpx.RequestError, httpx.InvalidURL) as error:
                if again == self._retries:
                    reason = str(error) or type(error).__name__
                    raise AwayError(
                        f"{url} cannot be had ({reason}); run again later: what came is kept"
                    ) from error
                self._sleep(_FIRST_WAIT * 2**again)
            else:
                return
