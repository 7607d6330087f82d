"""Journal, volume, issue and pages from ``dc:source``, where a platform's own form shows them.

Each form is that of one widespread program; a text that differs anywhere is read as none.
"""

from __future__ import annotations

import re

from halmirror.record import Container

_PAGES = r"[A-Za-z]?[0-9]+(?: ?[-–] ?[A-Za-z]?[0-9]+)?"
_VOLUME = r"(?:vol(?:ume|umen)?|v|bd|t(?:ome|omo)?|årg|cilt)\.? ?([0-9]+[A-Za-z]?)"
_ISSUE = r"(?:no|n[º°o]?|nr|núm|num|issue|heft|sayı)\.? ?([0-9]+(?:[-–/][0-9]+)?)"
_OJS = re.compile(
    rf"([^;]{{1,300}}); (?:{_VOLUME})?(?:,? ?(?:{_ISSUE}))? ?\([12][0-9]{{3}}\)"
    rf"(?:: ?[^;]{{0,300}})?(?:; ({_PAGES}))?",
    re.IGNORECASE,
)
"""Open Journal Systems: ``Journal; Vol. 3, No. 2 (2010): Title of the issue; 12-20``."""
_INVENIO = re.compile(
    rf"([^;]{{1,300}}?), ([0-9]+[A-Za-z]?)\(([0-9]+[A-Za-z]?(?:[-–][0-9]+)?)\)"
    rf"(?:, ({_PAGES}))?, \([12][0-9]{{3}}(?:-[0-9]{{2}}){{0,2}}\)"
)
"""InvenioRDM: ``Journal, 5(11), 11-15, (2025-11-18)``."""
_INVENIO_1 = re.compile(
    rf"([^;:]{{1,300}}): ([0-9]+[A-Za-z]?) \([12][0-9]{{3}}\)(?: no\. ([0-9]+))?,? pp\. ({_PAGES})"
)
"""Invenio 1: ``Journal: 29 (1975) no. 4, pp. 750-762``."""
_LONGEST = 700


def container(text: str) -> Container | None:
    """The parts of a source in a known form, each as it stands there; None in any other."""
    if len(text) > _LONGEST:
        return None
    for form in (_OJS, _INVENIO, _INVENIO_1):
        found = form.fullmatch(text)
        if found:
            title, volume, issue, pages = found.groups()
            return Container(title=title, volume=volume, issue=issue, pages=pages)
    return None
