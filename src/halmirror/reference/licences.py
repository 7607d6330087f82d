"""Licence addresses and their SPDX ids.

HAL names a licence by its address: Creative Commons with or without a version, its own
``…/licences/etalab``, ``copyright`` and ``publicDomain`` on whichever host, and free software
licences.  An address without a version gives the name without one (``CC-BY``), since nothing
else would be true; a national port gives SPDX's id of that port where SPDX has one, else that
of the international text.
"""

from __future__ import annotations

import re

from halmirror.remembered import remembered

_CREATIVE = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/licenses/(by(?:-nc)?(?:-nd|-sa)?)"
    r"(?:/([0-9]\.[0-9])(?:/([a-z]{2,3}))?)?(?:/(?:deed|legalcode)[\w.-]*)?/?",
    re.ASCII | re.IGNORECASE,
)
_OWN = re.compile(
    r"https?://[^/]+/(?:\S+/)?licences/(etalab|copyright|publicDomain)/?", re.IGNORECASE
)
_OWN_NAMES = {"etalab": "etalab", "copyright": "copyright", "publicdomain": "publicDomain"}
_GNU = re.compile(
    r"https?://(?:www\.)?gnu\.org/(?:licenses|copyleft)/(?:old-licenses/)?(a|l)?gpl-([0-9]\.[0-9])"
    r"(?:-standalone)?(?:\.[a-z.]+)?",
    re.ASCII | re.IGNORECASE,
)
_SPDX = re.compile(r"https?://spdx\.org/licenses/([A-Za-z0-9.+-]+?)(?:\.html|\.json)?/?", re.ASCII)
_PORTS = frozenset(
    {
        "CC-BY-2.5-AU", "CC-BY-3.0-AT", "CC-BY-3.0-AU", "CC-BY-3.0-DE", "CC-BY-3.0-IGO",
        "CC-BY-3.0-NL", "CC-BY-3.0-US", "CC-BY-NC-3.0-DE", "CC-BY-NC-ND-3.0-DE",
        "CC-BY-NC-ND-3.0-IGO", "CC-BY-NC-SA-2.0-DE", "CC-BY-NC-SA-2.0-FR", "CC-BY-NC-SA-2.0-UK",
        "CC-BY-NC-SA-3.0-DE", "CC-BY-NC-SA-3.0-IGO", "CC-BY-ND-3.0-DE", "CC-BY-SA-2.0-UK",
        "CC-BY-SA-2.1-JP", "CC-BY-SA-3.0-AT", "CC-BY-SA-3.0-DE", "CC-BY-SA-3.0-IGO",
    }
)  # fmt: skip
_FIXED = {
    "creativecommons.org/publicdomain/zero/1.0": "CC0-1.0",
    "creativecommons.org/publicdomain/mark/1.0": "CC-PDM-1.0",
    "apache.org/licenses/license-2.0": "Apache-2.0",
    "apache.org/licenses/license-2.0.txt": "Apache-2.0",
    "opensource.org/licenses/mit": "MIT",
    "opensource.org/licenses/apache-2.0": "Apache-2.0",
    "opensource.org/licenses/bsd-2-clause": "BSD-2-Clause",
    "opensource.org/licenses/bsd-3-clause": "BSD-3-Clause",
    "opensource.org/licenses/mpl-2.0": "MPL-2.0",
    "mozilla.org/mpl/2.0": "MPL-2.0",
    "cecill.info/licences/licence_cecill_v2.1-en.html": "CECILL-2.1",
    "cecill.info/licences/licence_cecill_v2.1-fr.html": "CECILL-2.1",
    "cecill.info/licences/licence_cecill-b_v1-en.html": "CECILL-B",
    "cecill.info/licences/licence_cecill-c_v1-en.html": "CECILL-C",
}
_SCHEME = re.compile(r"https?://(?:www\.)?", re.IGNORECASE)


@remembered(256)
def spdx(address: str) -> str | None:
    """The SPDX id of a licence's address, a name without version, HAL's own name, or None."""
    creative = _CREATIVE.fullmatch(address)
    if creative:
        return _creative_commons(creative[1].upper(), creative[2], creative[3])
    own = _OWN.fullmatch(address)
    if own:
        return _OWN_NAMES[own[1].casefold()]
    gnu = _GNU.fullmatch(address)
    if gnu:
        return f"{(gnu[1] or '').upper()}GPL-{gnu[2]}"
    listed = _SPDX.fullmatch(address)
    if listed:
        return listed[1]
    return _FIXED.get(_SCHEME.sub("", address, count=1).rstrip("/").casefold())


def _creative_commons(terms: str, version: str | None, port: str | None) -> str:
    if version is None:
        return f"CC-{terms}"
    name = f"CC-{terms}-{version}"
    ported = f"{name}-{port.upper()}" if port else name
    return ported if ported in _PORTS else name


_NAMED = re.compile(
    r"(?:creative commons|cc)(?: licen[sc]e)?:? ?(?:attribution|by)"
    r"(?P<terms>(?: (?:non ?commercial|nc|no ?deriv(?:ative)?s?(?: works)?|nd|share ?alike|sa))*)"
    r"(?: licen[sc]e)?(?: (?P<version>[1-4]\.[0-9]))?(?: (?:international|unported|generic))?"
    r"(?: licen[sc]e)?",
    re.ASCII,
)
_ZERO = re.compile(r"(?:creative commons zero|cc ?0|cc zero)(?: v?1\.0)?(?: universal)?", re.ASCII)
_NAMES = {
    "mit license": "MIT",
    "apache license 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    'bsd 2 clause "simplified" license': "BSD-2-Clause",
    'bsd 3 clause "new" or "revised" license': "BSD-3-Clause",
    "mozilla public license 2.0": "MPL-2.0",
    "gnu general public license v3.0 only": "GPL-3.0-only",
    "gnu general public license v3.0 or later": "GPL-3.0-or-later",
}
_ADDRESS = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/(?:licenses|publicdomain)/[A-Za-z0-9./-]*[A-Za-z0-9/]",
    re.ASCII | re.IGNORECASE,
)


def address_in(prose: str) -> str | None:
    """The first Creative Commons address in a sentence about rights, or None."""
    if "creativecommons.org/" not in prose:
        return None
    return next((one[0] for one in _ADDRESS.finditer(prose) if spdx(one[0])), None)


def named(text: str) -> str | None:
    """The SPDX id of a licence that is named in full (``Creative Commons Attribution 4.0``).

    A Creative Commons name without a version gives the name without one, as an address does.
    """
    if len(text) > 120:
        return None
    name = " ".join(text.casefold().replace("-", " ").replace(",", " ").split())
    if name in _NAMES:
        return _NAMES[name]
    if _ZERO.fullmatch(name):
        return "CC0-1.0"
    found = _NAMED.fullmatch(name)
    if found is None:
        return None
    said = found["terms"].replace(" ", "")
    terms = "BY"
    for code, words in (
        ("NC", ("noncommercial", "nc")),
        ("ND", ("noderiv", "nd")),
        ("SA", ("sharealike", "sa")),
    ):
        if any(word in said for word in words):
            terms += f"-{code}"
    return f"CC-{terms}-{found['version']}" if found["version"] else f"CC-{terms}"
