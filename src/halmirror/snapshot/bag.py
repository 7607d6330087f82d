"""BagIt 1.0 (RFC 8493): the manifests of a folder, written and checked."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from halmirror import whole_file
from halmirror.errors import SnapshotError
from halmirror.snapshot.layout import (
    BAG_INFO,
    BAGIT,
    MANIFEST,
    SIGNATURE,
    TAG_FILES,
    TAG_MANIFEST,
    is_folder,
    is_plain,
    kind_of,
    read_text,
)
from halmirror.snapshot.packed import sums

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from halmirror.snapshot.layout import File

DECLARATION: Final = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_LINE: Final = re.compile(r"([0-9a-fA-F]{128}) [ *](\S.*)")
_DEEPEST: Final = 3
_MOST_EXTRA: Final = 100
"""Files too many that are named one by one."""


def write(folder: Path, files: Sequence[File], info: Sequence[tuple[str, str]]) -> None:
    """Make a bag of a folder in which data and other tag files are there already."""
    size = sum(file.size for file in files)
    told = [*info, ("Payload-Oxum", f"{size}.{len(files)}")]
    whole_file.write(folder / BAGIT, DECLARATION)
    whole_file.write(folder / BAG_INFO, "".join(f"{name}: {value}\n" for name, value in told))
    listed = sorted((file.path, file.sha512) for file in files)
    whole_file.write(folder / MANIFEST, _manifest(listed))
    tags = [(name, sums(folder / name)[1]) for name in sorted(TAG_FILES)]
    whole_file.write(folder / TAG_MANIFEST, _manifest(tags))


def faults(folder: Path, watch: Callable[[str], None] | None = None) -> Iterator[str]:
    """What is wrong with a folder as a bag: one line a fault, none where it is valid.

    ``watch`` is called with each file before it is read.  Raises nothing for what the folder
    holds; what cannot be read is a fault.
    """
    try:
        if read_text(folder, BAGIT).decode("utf-8", "replace") != DECLARATION:
            yield f"{BAGIT}: is no declaration of BagIt 1.0 in UTF-8"
        tags = manifest(folder, TAG_MANIFEST)
        data = manifest(folder, MANIFEST)
    except SnapshotError as error:
        yield str(error)
        return
    for name in TAG_FILES:
        if name not in tags:
            yield f"{name}: is not in {TAG_MANIFEST}"
    size = 0
    for listed, where in ((tags, TAG_MANIFEST), (data, MANIFEST)):
        for path, expected in listed.items():
            known = kind_of(path) is not None if listed is data else path in TAG_FILES
            if not known:
                yield f"{path}: {where} names it, which is no file of a snapshot"
                continue
            if watch is not None:
                watch(path)
            fault, length = _checked(folder, path, expected)
            size += length if listed is data else 0
            if fault:
                yield fault
    yield from _extra(folder, {*tags, *data})
    yield from _oxum(folder, size, len(data))


def manifest(folder: Path, name: str) -> dict[str, str]:
    """The files that a manifest names, with their SHA-512.  Raises `SnapshotError`."""
    return parse_manifest(read_text(folder, name), name)


def parse_manifest(data: bytes, name: str) -> dict[str, str]:
    """The files that the text of a manifest names, with their SHA-512.  Raises `SnapshotError`."""
    found: dict[str, str] = {}
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        parts = _LINE.fullmatch(line)
        if parts is None or parts[2] in found:
            raise SnapshotError(f"{name}: line {number} is no line of a manifest, or a second one")
        found[parts[2]] = parts[1].lower()
    return found


def _manifest(files: Sequence[tuple[str, str]]) -> str:
    return "".join(f"{digest}  {path}\n" for path, digest in files)


def _checked(folder: Path, path: str, expected: str) -> tuple[str | None, int]:
    place = folder / path
    if not all(map(is_folder, list(place.parents)[: path.count("/")])):
        return f"{path}: its folder is missing or a link", 0
    if not is_plain(place):
        reason = "is no plain file" if os.path.lexists(place) else "is missing"
        return f"{path}: {reason}", 0
    try:
        length = place.stat().st_size
        if sums(place)[1] != expected:
            return f"{path}: its SHA-512 is not the manifest's; it was changed or damaged", length
    except OSError as error:
        return f"{path}: cannot be read ({error.strerror or error})", 0
    return None, length


def _extra(folder: Path, listed: set[str]) -> Iterator[str]:
    """Files, links and folders that no manifest names; links are never followed."""
    named = 0
    allowed = {*listed, TAG_MANIFEST, SIGNATURE}
    for place, path in _walk(folder, "", 0):
        if path in allowed:
            continue
        named += 1
        if named > _MOST_EXTRA:
            yield "and more files that no manifest names"
            return
        kind = "a link" if place.is_symlink() else "a folder too deep" if path[-1] == "/" else ""
        yield f"{path}: no manifest names it" + (f"; it is {kind}" if kind else "")


def _walk(folder: Path, start: str, depth: int) -> Iterator[tuple[os.DirEntry[str], str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = start + entry.name
            if entry.is_dir(follow_symlinks=False):
                if depth == _DEEPEST:
                    yield entry, path + "/"
                else:
                    yield from _walk(folder / entry.name, path + "/", depth + 1)
            else:
                yield entry, path


def _oxum(folder: Path, size: int, count: int) -> Iterator[str]:
    try:
        told = bag_info(folder).get("Payload-Oxum")
    except SnapshotError as error:
        yield str(error)
        return
    if told != f"{size}.{count}":
        yield f"{BAG_INFO}: Payload-Oxum is {told or 'missing'}, the data are {size}.{count}"


def bag_info(folder: Path) -> Mapping[str, str]:
    """What a bag says of itself, the last of each name.  Raises `SnapshotError`."""
    found: dict[str, str] = {}
    for line in read_text(folder, BAG_INFO).decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        if colon and not line.startswith((" ", "\t")):
            found[name.strip()] = value.strip()
    return found
