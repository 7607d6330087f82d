"""The sources a command means, and the client that reaches each."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Literal, Protocol, Self, TypedDict, TypeVar

import msgspec

from halmirror.config.values import check_base_url
from halmirror.errors import ForbiddenError, MirrorWriteError, UsageError
from halmirror.harvesting.repository import ReplySource
from halmirror.oaipmh.politeness import Pace
from halmirror.stopping import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from halmirror.config import Settings, SourceSettings
    from halmirror.harvesting.watching import Observer
    from halmirror.oaipmh.protocol import Identity, Page
    from halmirror.oaipmh.reply import Reply
    from halmirror.oaipmh.transport import Exchange

_Given = TypeVar("_Given")
_HEADER_VALUE = re.compile(r"[!-~](?:[\t -~]*[!-~])?")


class Client(ReplySource, Protocol):
    """What a harvest needs of an OAI-PMH client."""

    def __enter__(self) -> Self:
        """Open it."""
        ...

    def __exit__(self, *exception: object) -> None:
        """Close it."""

    def identity(self) -> tuple[Identity, Page]:
        """The Identify answer, and the page it came on."""
        ...


def chosen(
    settings: Settings, names: Sequence[str], base_url: str | None = None
) -> list[SourceSettings]:
    """The sources of those names (none: all), asked at ``base_url`` where one is given.

    Raises `UsageError` before anything is touched.
    """
    known = {source.name: source for source in settings.sources}
    for name in names:
        if name not in known:
            raise UsageError(
                f"there is no source '{name}'; the configuration has {', '.join(known) or 'none'}"
            )
    picked = [known[name] for name in dict.fromkeys(names)] or list(settings.sources)
    if not picked:
        raise UsageError("the configuration names no source; add a [[source]] section")
    if base_url is not None:
        if len(picked) != 1:
            raise UsageError("--base-url needs exactly one source; name it")
        try:
            check_base_url(base_url)
        except UsageError as error:
            raise UsageError(f"--base-url: {error}") from error
        picked = [msgspec.structs.replace(picked[0], base_url=base_url)]
    return picked


def speaking_oai_pmh(settings: Settings, names: Sequence[str]) -> list[SourceSettings]:
    """The sources of those names (none: all) that are asked over OAI-PMH.

    Raises `UsageError` for a name that is none's, or one's that publishes snapshots.
    """
    picked = chosen(settings, names)
    for source in picked:
        if names and source.kind != "oai-pmh":
            raise UsageError(
                f'{source.name} is taken from published snapshots (kind = "snapshot"); '
                "this is for sources that are asked over OAI-PMH"
            )
    return [source for source in picked if source.kind == "oai-pmh"]


class Described(TypedDict):
    """A source as ``source list`` tells it.

    ``settings_from``: the file and the variables that say something of it.
    """

    name: str
    base_url: str
    kind: str
    metadata_prefix: str
    profile: str
    sets: list[str]
    connections: int
    settings_from: list[str]


def described(settings: Settings) -> list[Described]:
    """The configured sources, in order."""
    return [
        Described(
            name=source.name,
            base_url=source.base_url,
            kind=source.kind,
            metadata_prefix=source.metadata_prefix,
            profile=source.profile,
            sets=list(source.sets),
            connections=source.connections,
            settings_from=_origins(settings, source.name),
        )
        for source in settings.sources
    ]


def _origins(settings: Settings, name: str) -> list[str]:
    told = (one for key, one in settings.origins.items() if key.startswith(f"{name}."))
    return list(dict.fromkeys(told))


def make_folder(path: Path) -> None:
    """Make the folder of the mirror at ``path``.  Raises `MirrorWriteError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MirrorWriteError(
            f"{path.parent} cannot be made ({error.strerror}); set another [mirror] path"
        ) from error


def access(settings: SourceSettings) -> tuple[tuple[str, str] | None, dict[str, str]]:
    """User name and password, and headers, that a source wants.  Raises `UsageError`."""
    return _credentials(settings), _headers(settings)


def check_secrets(sources: Sequence[SourceSettings]) -> None:
    """Raises `UsageError` where a variable that should hold a secret of a source does not."""
    for source in sources:
        _credentials(source)
        _headers(source)


class Session:
    """What all connections of one run to one source share: its pace, the wish to end, retries."""

    def __init__(self, settings: SourceSettings, stop: Stop) -> None:
        self.settings = settings
        self.stop = stop
        self.pace = Pace(settings.delay)
        self.retries = 0
        self.forbidden: ForbiddenError | None = None

    def connect(self, observer: Observer) -> Client:
        """One more connection.  Raises `UsageError` as `connect` does."""
        return Stoppable(connect(self.settings, observer, session=self), self)


class Stoppable:
    """A client that asks nothing more once the run is to end, or the source wants no more."""

    def __init__(self, client: Client, session: Session) -> None:
        self._client = client
        self._session = session

    def __enter__(self) -> Self:
        self._client.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.__exit__(*exception)

    def page(self, verb: str, arguments: Mapping[str, str], first: Reply | None = None) -> Page:
        """The page that answers a request.  Raises `StoppedError` and `SourceError`."""
        return self._asked(lambda: self._client.page(verb, arguments, first))

    def fetch(self, verb: str, arguments: Mapping[str, str]) -> Reply:
        """The reply to a request as it came.  Raises as `page` does."""
        return self._asked(lambda: self._client.fetch(verb, arguments))

    def _asked(self, ask: Callable[[], _Given]) -> _Given:
        session = self._session
        session.stop.check()
        if session.forbidden is not None:
            raise ForbiddenError(str(session.forbidden))
        try:
            return ask()
        except ForbiddenError as error:
            session.forbidden = error
            raise

    def identity(self) -> tuple[Identity, Page]:
        """The Identify answer, and the page it came on.  Raises as `page` does."""
        self._session.stop.check()
        return self._client.identity()


def connect(
    settings: SourceSettings,
    observer: Observer,
    *,
    method: Literal["GET", "POST"] = "GET",
    on_answer: Callable[[Exchange], None] | None = None,
    session: Session | None = None,
) -> Client:
    """The OAI-PMH client that a source's settings ask for; ``on_answer`` hears of each exchange.

    User name, password and headers come from the environment variables the settings name;
    raises `UsageError` where one is missing or cannot be sent.
    """
    from halmirror.oaipmh.client import Client as OAIClient
    from halmirror.oaipmh.transport import Politeness

    politeness = Politeness(
        timeout=settings.timeout,
        retries=settings.retries,
        max_wait=settings.max_wait,
        delay=settings.delay,
        contact=settings.contact,
        tls_verify=settings.tls_verify,
    )

    session = session or Session(settings, Stop())

    def on_retry(reason: str, seconds: float) -> None:
        session.retries += 1
        observer.note(f"{settings.name}: {reason}; trying again in {seconds:.0f} s")

    return OAIClient(
        settings.base_url,
        politeness,
        method=method,
        headers=_headers(settings),
        auth=_credentials(settings),
        on_retry=on_retry,
        on_answer=on_answer,
        sleep=session.stop.sleep,
        pace=session.pace,
    )


def _credentials(settings: SourceSettings) -> tuple[str, str] | None:
    if settings.user_env is None:
        return None
    found = [os.environ.get(name) for name in (settings.user_env, settings.password_env) if name]
    if None in found:
        raise UsageError(
            f"{settings.name}: the environment variables {settings.user_env} and "
            f"{settings.password_env} must hold user name and password"
        )
    user, password = (*found, "")[:2]
    return user or "", password or ""


def _headers(settings: SourceSettings) -> dict[str, str]:
    """The headers that ``headers_env`` asks for.  Raises `UsageError`; tells no value."""
    found: dict[str, str] = {}
    for name, variable in settings.headers_env:
        value = os.environ.get(variable)
        if not value:
            raise UsageError(
                f"{settings.name}: the environment variable {variable} must hold the value of the "
                f"header {name}; set it, or correct headers_env"
            )
        if not _HEADER_VALUE.fullmatch(value):
            raise UsageError(
                f"{settings.name}: what the environment variable {variable} holds cannot be sent "
                f"as the header {name}: no line breaks, no accents, no blanks around it"
            )
        if name.lower() == "authorization" and settings.user_env is not None:
            raise UsageError(
                f"{settings.name}: user_env and the header {name} of headers_env exclude each "
                "other; keep one"
            )
        found[name] = value
    return found
