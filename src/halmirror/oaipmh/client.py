"""Sickle's verbs, iterators and exceptions over one kept connection and strict parsing.

    with Client("https://api.archives-ouvertes.fr/oai/hal/") as client:
        for record in client.ListRecords(metadataPrefix="oai_dc"):
            print(record.header.identifier)

As Sickle ships, it parses with recovery on (a page cut in half silently gives half of its
records), opens a connection for each page and finds tokens inside metadata.  Here each page is
parsed once and strictly.  The harvester takes pages (`Client.page`); the iterators are for those
who know Sickle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

from sickle import Sickle, oaiexceptions
from sickle.iterator import OAIItemIterator
from sickle.models import Identify as SickleIdentify
from sickle.models import ResumptionToken

from halmirror.errors import ListError, ProtocolError, ResponseError
from halmirror.oaipmh.protocol import Identity, Page, check_arguments
from halmirror.oaipmh.transport import Answer, Politeness, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lxml import etree

    from halmirror.oaipmh.reply import Reply
    from halmirror.oaipmh.transport import Exchange


class Response:
    """An answer as Sickle's iterators want it: the parsed tree, the raw text, and the `Page`."""

    def __init__(self, answer: Answer, params: Mapping[str, str | None]) -> None:
        self.params = dict(params)
        self.page = answer.page
        self.url = answer.url
        self._body = answer.body
        self._xml: etree._Element | None = None

    @property
    def raw(self) -> str:
        """The answer as text."""
        return self._body.decode("utf-8", errors="replace")

    @property
    def xml(self) -> etree._Element:
        """The answer's root element, parsed strictly."""
        if self._xml is None:
            from halmirror.oaipmh.protocol import document

            self._xml = document(self._body, url=self.url)
        return self._xml


class StrictIterator(OAIItemIterator):  # type: ignore[misc] # Sickle has no types
    """Sickle's item iterator, reading only what the protocol itself says."""

    resumption_token: ResumptionToken | None

    def _get_resumption_token(self) -> ResumptionToken | None:
        token = self.oai_response.page.token
        if token is None:
            return None
        return ResumptionToken(
            token=token.value or None,
            cursor=token.cursor,
            complete_list_size=token.complete_list_size,
            expiration_date=token.expires,
        )

    def _next_response(self) -> None:
        params = self.params
        if self.resumption_token:
            params = {"resumptionToken": self.resumption_token.token, "verb": self.verb}
        self.oai_response = self.sickle.harvest(**params)
        page: Page = self.oai_response.page
        _raise_first(page)
        if page.rejected:
            raise ResponseError(
                f"a record at {page.rejected[0].position} of {self.oai_response.url} cannot be "
                f"taken: {page.rejected[0].reason}",
                url=self.oai_response.url,
                position=page.rejected[0].position,
            )
        sent = params.get("resumptionToken")
        self.resumption_token = self._get_resumption_token()
        if sent and self.resumption_token and self.resumption_token.token == sent:
            raise ListError(f"the server gave resumption token '{sent[:60]}' twice in a row")
        namespace = self.sickle.oai_namespace
        self._items = self.oai_response.xml.iterfind(
            f"{namespace}{self.verb}/{namespace}{self.element}"
        )


class Client(Sickle):  # type: ignore[misc] # Sickle has no types
    """An OAI-PMH client with Sickle's surface; a context manager.

    ``method`` is GET or POST; the other arguments are those of `Transport`.
    """

    def __init__(
        self,
        base_url: str,
        politeness: Politeness | None = None,
        *,
        method: Literal["GET", "POST"] = "GET",
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        on_retry: Callable[[str, float], None] | None = None,
        on_answer: Callable[[Exchange], None] | None = None,
        **timing: Any,  # noqa: ANN401 - sleep, now and chance of Transport
    ) -> None:
        super().__init__(base_url, http_method=method, iterator=StrictIterator)
        self._transport = Transport(
            base_url,
            politeness or Politeness(),
            method=method,
            headers=headers,
            auth=auth,
            on_retry=on_retry,
            on_answer=on_answer,
            **timing,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def page(self, verb: str, arguments: Mapping[str, str], first: Reply | None = None) -> Page:
        """The page that answers one request; OAI-PMH errors are in `Page.errors`.

        ``first``: a reply that `fetch` gave; it is looked into before anything is asked.
        Raises `UsageError` for arguments the verb does not take, and `SourceError`.
        """
        check_arguments(verb, arguments)
        return self._transport.ask(_alone({"verb": verb, **arguments}), first).page

    def fetch(self, verb: str, arguments: Mapping[str, str]) -> Reply:
        """The reply to one request as it came, whatever it says.  Raises as `page` does."""
        check_arguments(verb, arguments)
        return self._transport.fetch(_alone({"verb": verb, **arguments}))

    def identity(self) -> tuple[Identity, Page]:
        """The Identify answer, and the page it came on.  Raises `SourceError`."""
        page = self.page("Identify", {})
        if page.identity is None:
            told = page.errors[0].message if page.errors else "it says nothing"
            raise ResponseError(
                f"{self.endpoint} does not answer Identify ({told}); check base_url",
                url=self.endpoint,
            )
        return page.identity, page

    def harvest(self, **params: str | None) -> Response:
        """One request, as Sickle's iterators ask it; an argument of none is not sent.

        Raises `UsageError` and `SourceError`.
        """
        given = {name: str(text) for name, text in params.items() if text is not None}
        verb = given.pop("verb", "")
        check_arguments(verb, given)
        return Response(self._transport.ask(_alone({"verb": verb, **given})), params)

    def Identify(self) -> SickleIdentify:  # noqa: N802 - the verb's own name
        """Sickle's view of the Identify answer.  Raises `SourceError`."""
        response = self.harvest(verb="Identify")
        _raise_first(response.page)
        return SickleIdentify(response)


def _alone(arguments: dict[str, str]) -> dict[str, str]:
    """The arguments to send: a resumptionToken allows no other but the verb (section 3.5)."""
    if not arguments.get("resumptionToken"):
        return arguments
    return {name: arguments[name] for name in ("verb", "resumptionToken")}


def _condition(sickles: type[Exception]) -> type[ProtocolError]:
    """An exception that is Sickle's as well as halmirror's."""
    return type(sickles.__name__, (sickles, ProtocolError), {"__doc__": sickles.__doc__})


# Sickle's name for noMetadataFormats lacks the s.
_CONDITIONS = {
    "badArgument": _condition(oaiexceptions.BadArgument),
    "badResumptionToken": _condition(oaiexceptions.BadResumptionToken),
    "badVerb": _condition(oaiexceptions.BadVerb),
    "cannotDisseminateFormat": _condition(oaiexceptions.CannotDisseminateFormat),
    "idDoesNotExist": _condition(oaiexceptions.IdDoesNotExist),
    "noMetadataFormats": _condition(oaiexceptions.NoMetadataFormat),
    "noRecordsMatch": _condition(oaiexceptions.NoRecordsMatch),
    "noSetHierarchy": _condition(oaiexceptions.NoSetHierarchy),
}
_OTHER_CONDITION = _condition(oaiexceptions.OAIError)


def _raise_first(page: Page) -> None:
    """Raises the page's first error, if any, by its code (OAI-PMH 2.0, section 3.6)."""
    if page.errors:
        error = page.errors[0]
        kind = _CONDITIONS.get(error.code, _OTHER_CONDITION)
        raise kind(error.message or error.code, error.code)
