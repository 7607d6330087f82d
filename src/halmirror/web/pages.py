"""Rendering pages: the environment of the templates, and what every page has."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import partial
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import jinja2
from markupsafe import Markup
from starlette.responses import Response

from halmirror.export import past
from halmirror.record import labels
from halmirror.record.citation import display_name, with_subtitle
from halmirror.version import __version__
from halmirror.web import text, words
from halmirror.web.negotiation import language
from halmirror.web.place import Place, record_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

    from halmirror.config import ServeSettings
    from halmirror.record.labels import Ui

COOKIE: Final = "ui"
_UNSAFE = re.compile(
    "[<>&\u2028\u2029\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
"""What may not stand in a script element as it is: markup, line ends, controls, directions."""
_YEAR_SECONDS: Final = 365 * 86_400
_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of ours that pages need: its name with a digest in it, its type, its bytes."""

    name: str
    media_type: str
    data: bytes


def _read_assets() -> dict[str, Asset]:
    """The assets by their plain names."""
    found = {}
    for file in resources.files("halmirror.web").joinpath("static").iterdir():
        stem, _, ending = file.name.rpartition(".")
        if ending in _TYPES:
            data = file.read_bytes()
            digest = hashlib.blake2b(data, digest_size=6).hexdigest()
            found[file.name] = Asset(f"{stem}.{digest}.{ending}", _TYPES[ending], data)
    return found


ASSETS: Final = _read_assets()
ASSETS_BY_NAME: Final = {asset.name: asset for asset in ASSETS.values()}

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("halmirror.web"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
    finalize=text.contained,
)
_templates.filters.update(
    web_link=text.web_link,
    lang=text.lang_attribute,
    person=display_name,
    full_title=with_subtitle,
    shown=past.shown,
)
_templates.globals.update(
    record_path=record_path,
    version=__version__,
    asset=lambda name: f"/static/{ASSETS[name].name}",
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a page: the language, and where the server stands for them.

    ``chosen``: the language was asked for in the address, and is to be remembered.
    """

    ui: Ui
    place: Place
    chosen: bool

    @classmethod
    def of(cls, request: Request, settings: ServeSettings) -> Reader:
        """By the address (``ui=fr``), else a cookie, else the browser's languages."""
        place = Place.of(request, settings)
        asked = request.query_params.get("ui", "")
        told = request.cookies.get(COOKIE, "")
        for value, chosen in ((asked, True), (told, False)):
            if value in ("en", "fr"):
                return cls("fr" if value == "fr" else "en", place, chosen)
        return cls(language(request.headers.get("accept-language", "")), place, False)

    def word(self, key: str) -> str:
        """A word of the pages, else one of the records' labels."""
        return words.word(key, self.ui) if words.has_word(key) else labels.label(key, self.ui)

    def number(self, value: int) -> str:
        """A number as this reader writes it."""
        return words.number(value, self.ui)


def page(
    request: Request,
    reader: Reader,
    template: str,
    *,
    status: int = 200,
    links: Iterable[tuple[str, str, str | None]] = (),
    **context: Any,  # noqa: ANN401 - what the template names
) -> Response:
    """A page made by a template.

    ``links``: targets, relations and media types for the ``Link`` header (RFC 8288).
    """
    ui = reader.ui
    other = "en" if ui == "fr" else "fr"
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "ui"]
    body = _templates.get_template(template).render(
        reader=reader,
        ui=ui,
        w=reader.word,
        n=reader.number,
        url=reader.place.path,
        absolute=reader.place.absolute,
        colon=" : " if ui == "fr" else ": ",
        day=partial(labels.day, ui=ui),
        type_label=partial(labels.type_label, ui=ui),
        domain_label=partial(labels.domain_label, ui=ui),
        language_name=partial(labels.language_name, ui=ui),
        other_ui=other,
        switch=reader.place.path(request.scope["path"], [*kept, ("ui", other)]),
        query=request.query_params.get("q", ""),
        **context,
    )
    headers = {"Vary": "Accept, Accept-Language, Cookie", "Cache-Control": "no-cache"}
    if links:
        headers["Link"] = link_header(links)
    response = Response(body, status, headers, "text/html")
    if reader.chosen:
        response.set_cookie(
            COOKIE, ui, max_age=_YEAR_SECONDS, path=f"{reader.place.prefix}/", samesite="lax"
        )
    return response


def terms_link(place: Place) -> tuple[str, str, None]:
    """What the sources ask of those who take their metadata, as a target of `link_header`."""
    return place.absolute("/terms"), "license", None


def link_header(links: Iterable[tuple[str, str, str | None]]) -> str:
    """Targets, relations and media types as a ``Link`` header; no target can break out of it."""
    return ", ".join(
        f'<{target}>; rel="{relation}"' + (f'; type="{kind}"' if kind else "")
        for target, relation, kind in links
        if target.isascii() and target.isprintable() and not set(target) & set('<>" ')
    )


def json_in_page(value: object) -> Markup:
    """JSON that can stand in a ``script`` element: nothing in it is more than text."""
    made = json.dumps(value, ensure_ascii=False)
    return Markup(_UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", made))  # noqa: S704
