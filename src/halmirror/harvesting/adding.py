"""A new source: probed first, then written into the configuration."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from halmirror.config import SourceSettings, variable_part
from halmirror.config.values import READERS
from halmirror.config.writing import Written, add_source, free_name
from halmirror.errors import UsageError
from halmirror.harvesting.probing import HAL_HOSTS, Probe, check, same_address

if TYPE_CHECKING:
    from halmirror.config import Settings
    from halmirror.harvesting.watching import Observer

_LONGEST_NAME = 40
_SAYS_NOTHING = frozenset({"www", "oai", "oai-pmh", "api", "export", "ws"})
"""First parts of host names that name a service and no repository."""


@dataclass(frozen=True, slots=True)
class NewSource:
    """What is asked for: the address, and what is to be chosen by hand (none: by what is found).

    ``force``: written even where the probe failed.
    """

    base_url: str
    name: str | None = None
    prefix: str = "oai_dc"
    sets: tuple[str, ...] = ()
    profile: str | None = None
    from_day: str | None = None
    contact: str | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class Added:
    """The probe of a new source, and what was written; none where the probe failed."""

    probe: Probe
    written: Written | None


def add(settings: Settings, request: NewSource, observer: Observer) -> Added:
    """Probe a repository and append it to the configuration.

    Raises `UsageError` before anything is asked for a wrong or taken value, and after it where
    the repository has not the format; `ConfigError` and `OutputError` as `add_source` does.
    """
    draft = _draft(settings, request)
    probe = check(draft, observer, choose_profile=request.profile is None)
    if probe.formats and draft.metadata_prefix not in probe.formats:
        raise UsageError(
            f"--prefix: {draft.base_url} has no {draft.metadata_prefix}; "
            f"it has {', '.join(probe.formats)}"
        )
    source = probe.settings
    if request.name is None:
        taken = [one.name for one in settings.sources]
        source = msgspec.structs.replace(source, name=free_name(_name(probe), taken))
    probe = replace(probe, settings=source)
    if probe.failed and not request.force:
        return Added(probe, None)
    comment = f"{probe.repository_name or urlsplit(source.base_url).hostname}"
    return Added(probe, add_source(settings, source, [comment]))


def _draft(settings: Settings, request: NewSource) -> SourceSettings:
    """The source as far as it is known before it is asked.  Raises `UsageError`."""
    given = {
        "base_url": ("URL", request.base_url),
        "name": ("--name", request.name),
        "metadata_prefix": ("--prefix", request.prefix),
        "sets": ("--set", list(request.sets)),
        "profile": ("--profile", request.profile),
        "from": ("--from", request.from_day),
        "contact": ("--contact", request.contact),
    }
    values: dict[str, object] = {}
    for key, (option, value) in given.items():
        try:
            values[key] = None if value is None else READERS[key](value)
        except UsageError as error:
            raise UsageError(f"{option}: {error}") from error
    for source in settings.sources:
        if same_address(source.base_url, request.base_url):
            raise UsageError(
                f"{request.base_url} is configured already, as '{source.name}'; "
                "change that section instead"
            )
        if request.name and variable_part(source.name) == variable_part(request.name):
            raise UsageError(
                f"--name: the name '{source.name}' is taken; names differ by more than case, "
                "'-' and '_'"
            )
    return SourceSettings(
        name=request.name or _name_by_host(request.base_url),
        base_url=request.base_url,
        metadata_prefix=request.prefix,
        profile=request.profile or ("hal" if _is_hal(request.base_url) else "generic"),
        sets=tuple(dict.fromkeys(request.sets)),
        from_=request.from_day,
        contact=request.contact,
    )


def _host(base_url: str) -> str:
    return urlsplit(base_url).hostname or ""


def _is_hal(base_url: str) -> bool:
    host = _host(base_url)
    return any(host == one or host.endswith(f".{one}") for one in HAL_HOSTS)


def _name(probe: Probe) -> str:
    """A name for a repository: a portal's for HAL, else from its identifier or its host.

    Every portal of HAL has the repositoryIdentifier of the whole; its address tells them apart.
    """
    base_url = probe.settings.base_url
    portal = [part for part in urlsplit(base_url).path.split("/") if part]
    if probe.settings.profile == "hal" and portal:
        return _plain(portal[-1]) or "hal"
    return _plain(_short(probe.repository_identifier.lower())) or _name_by_host(base_url)


def _name_by_host(base_url: str) -> str:
    return _plain(_short(_host(base_url))) or "repository"


def _short(host: str) -> str:
    """A host without what says nothing: ``oai.zenodo.org`` is ``zenodo``; an address stays."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        labels = host.split(".")
    kept = labels[:-1] or labels
    while len(kept) > 1 and kept[0] in _SAYS_NOTHING:
        kept = kept[1:]
    return "-".join(kept)


def _plain(text: str) -> str:
    """The text as a source's name may be: letters, digits and hyphens."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", text)[:_LONGEST_NAME].strip("-")
