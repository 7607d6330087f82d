"""What a live repository can and cannot do for a mirror, found out with a dozen requests.

Nothing is stored.  Whatever the server does ends in a finding: a step that fails does not keep
the others from being tried, but for Identify, without which there is nothing to try.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import msgspec
from lxml import etree

from halmirror import windows
from halmirror.batch import Rules, prepare_page
from halmirror.config.values import format_duration
from halmirror.errors import HalmirrorError, UsageError
from halmirror.harvesting.sources import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from halmirror.config import SourceSettings
    from halmirror.harvesting.sources import Client
    from halmirror.harvesting.watching import Observer
    from halmirror.oaipmh.protocol import Header, Identity, Page
    from halmirror.oaipmh.transport import Exchange

Level = Literal["ok", "warn", "fail"]

HAL_HOSTS = ("archives-ouvertes.fr", "hal.science")
"""The domains HAL's endpoints have; other hosts are known by their identifiers."""

_HAL_IDENTIFIERS = ("oai:hal:", "oai:hal.archives-ouvertes.fr:")
_OAI_IDENTIFIER = "{http://www.openarchives.org/OAI/2.0/oai-identifier}repositoryIdentifier"
_GRANULARITIES = {"YYYY-MM-DD": 10, "YYYY-MM-DDThh:mm:ssZ": 20}
_SETS_ASKED = 3
_CLOCK_SECONDS = 300.0
# A doctor does not wait as long as a night's harvest may.
_RETRIES = 1
_MAX_WAIT = 30.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried: ``ok``, ``warn`` (it works, but) or ``fail``; what; and how."""

    level: Level
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class Probe:
    """What was found out about a source.

    ``settings`` are those it was asked with (the profile may be chosen by what was found).
    ``formats``: the metadata prefixes the server names, none where it names none.
    ``repository_name`` and ``repository_identifier`` (of an ``oai-identifier`` description) are
    empty where the server does not tell.
    """

    settings: SourceSettings
    findings: tuple[Finding, ...]
    formats: tuple[str, ...] = ()
    repository_name: str = ""
    repository_identifier: str = ""

    @property
    def failed(self) -> bool:
        """Whether something is wrong enough to spoil a harvest."""
        return any(finding.level == "fail" for finding in self.findings)

    def to_json(self) -> dict[str, object]:
        """The findings as JSON has them."""
        return {
            "name": self.settings.name,
            "base_url": self.settings.base_url,
            "ok": not self.failed,
            "findings": [asdict(finding) for finding in self.findings],
        }


def exit_code(probes: Sequence[Probe]) -> int:
    """0 where nothing failed, 1 where every source did, 3 where some of several did."""
    failed = sum(probe.failed for probe in probes)
    if not failed:
        return 0
    return 1 if failed == len(probes) else 3


def check(settings: SourceSettings, observer: Observer, *, choose_profile: bool = False) -> Probe:
    """Probe a source as its settings reach it, by GET and once by POST.

    Less patient than a harvest: one retry, and no wait longer than 30 seconds.  A secret that is
    missing is a finding too.
    """
    patient = msgspec.structs.replace(
        settings,
        retries=min(settings.retries, _RETRIES),
        max_wait=min(settings.max_wait, _MAX_WAIT),
    )
    heard: list[Exchange] = []
    with ExitStack() as stack:
        try:
            client = stack.enter_context(connect(patient, observer, on_answer=heard.append))
            posting = stack.enter_context(connect(patient, observer, method="POST"))
        except UsageError as error:
            return Probe(settings, (Finding("fail", "settings", str(error)),))
        return probe(settings, client, posting=posting, heard=heard, choose_profile=choose_profile)


def probe(
    settings: SourceSettings,
    client: Client,
    *,
    posting: Client | None = None,
    heard: Sequence[Exchange] = (),
    choose_profile: bool = False,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Probe:
    """Try what a harvest needs of a repository.

    ``posting`` is a client that asks by POST (none: POST is not tried); ``heard`` grows with each
    exchange of ``client`` (`connect`'s ``on_answer``; empty: neither gzip nor speed is told).
    With ``choose_profile`` the records' identifiers decide the profile, not the settings.
    ``sleep`` waits (seconds) and ``now`` is the time, UTC.  Raises nothing for what a server does.
    """
    return _Doctor(settings, client, posting, heard, choose_profile, sleep, now).examine()


class _Doctor:
    """One examination: the steps in their order, and what each found."""

    def __init__(
        self,
        settings: SourceSettings,
        client: Client,
        posting: Client | None,
        heard: Sequence[Exchange],
        choose_profile: bool,
        sleep: Callable[[float], None],
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._client = client
        self._posting = posting
        self._heard = heard
        self._choose_profile = choose_profile
        self._sleep = sleep
        self._now = now
        self._findings: list[Finding] = []
        self._granularity = "YYYY-MM-DD"
        self._set: str | None = None
        self._size: int | None = None

    def examine(self) -> Probe:
        try:
            identity, page = self._client.identity()
        except HalmirrorError as error:
            self._tell("fail", "Identify", str(error))
            return Probe(self._settings, tuple(self._findings))
        self._identify(identity)
        self._clock(page.response_date)
        formats = self._formats()
        self._sets()
        self._list("ListIdentifiers")
        first = self._list("ListRecords")
        if first is not None:
            self._identifiers(first.headers)
            self._records(first)
            self._window(first.headers)
        self._post()
        self._gzip()
        self._speed(first)
        return Probe(
            self._settings,
            tuple(self._findings),
            formats,
            identity.repository_name,
            _repository_identifier(identity),
        )

    def _tell(self, level: Level, what: str, detail: str) -> None:
        self._findings.append(Finding(level, what, detail))

    def _ask(self, what: str, verb: str, arguments: Mapping[str, str]) -> Page | None:
        """A page, or none and the finding that tells why there is none."""
        try:
            return self._client.page(verb, arguments)
        except HalmirrorError as error:
            self._tell("fail", what, str(error))
            return None

    # -- the repository -------------------------------------------------------------------

    def _identify(self, identity: Identity) -> None:
        self._tell("ok", "Identify", identity.repository_name or "it tells no name")
        asked, told = self._settings.base_url, identity.base_url
        if same_address(asked, told):
            self._tell("ok", "baseURL", told)
        else:
            text = f"the server calls itself {told or 'nothing'}; {asked} is asked"
            self._tell("warn", "baseURL", text)
        version = identity.protocol_version
        if version == "2.0":
            self._tell("ok", "protocol", "OAI-PMH 2.0")
        else:
            self._tell("warn", "protocol", f"protocolVersion is '{version}', not 2.0")
        self._granularity = identity.granularity
        if self._granularity in _GRANULARITIES:
            unit = "days" if self._granularity == "YYYY-MM-DD" else "seconds"
            self._tell("ok", "granularity", f"{self._granularity} ({unit})")
        else:
            text = f"'{self._granularity}' is none of OAI-PMH's; seconds are sent"
            self._tell("warn", "granularity", text)
        self._earliest(identity.earliest_datestamp)
        self._deletions(identity.deleted_record)

    def _earliest(self, earliest: str) -> None:
        day = earliest[:10]
        if not windows.is_day(day):
            text = f"none that is a date; {windows.FIRST_DAY} is taken"
            self._tell("warn", "earliestDatestamp", text)
        elif day > self._now().date().isoformat():
            self._tell("warn", "earliestDatestamp", f"{earliest} is in the future")
        else:
            self._tell("ok", "earliestDatestamp", earliest)

    def _deletions(self, policy: str) -> None:
        every = self._settings.reconcile_every
        if policy == "persistent":
            self._tell("ok", "deletedRecord", "persistent: every harvest learns what was deleted")
            return
        meaning = {
            "no": "no: what is withdrawn there vanishes without a word",
            "transient": "transient: deletions are told for some time only",
        }.get(policy, f"'{policy}' is no policy of OAI-PMH: deletions may go untold")
        if every:
            found = f"{meaning}; reconciling every {format_duration(every)} finds it"
            self._tell("ok" if policy in ("no", "transient") else "warn", "deletedRecord", found)
        else:
            text = f"{meaning}, and reconcile_every is 0; set it, or run 'halmirror reconcile'"
            self._tell("warn", "deletedRecord", text)

    def _clock(self, response_date: str) -> None:
        try:
            told = datetime.fromisoformat(response_date)
        except ValueError:
            self._tell("warn", "clock", "the answer has no responseDate; this machine's day counts")
            return
        if len(response_date) == 10:
            days = abs((told.date() - self._now().date()).days)
            level: Level = "ok" if days <= 1 else "warn"
            self._tell(level, "clock", f"responseDate is a day only, {days} days from ours")
            return
        ahead = (told.replace(tzinfo=UTC) - self._now()).total_seconds()
        side = "ahead of" if ahead > 0 else "behind"
        if abs(ahead) <= _CLOCK_SECONDS:
            self._tell("ok", "clock", f"{abs(ahead):.0f} s {side} this machine's")
        else:
            text = f"{abs(ahead) / 60:.0f} minutes {side} this machine's; one of the two is wrong"
            self._tell("warn", "clock", text)

    def _formats(self) -> tuple[str, ...]:
        what, prefix = "metadata format", self._settings.metadata_prefix
        page = self._ask(what, "ListMetadataFormats", {})
        if page is None:
            return ()
        if page.errors:
            self._tell("fail", what, f"ListMetadataFormats is refused: {_refusal(page)}")
            return ()
        formats = tuple(dict.fromkeys(one.prefix for one in page.formats))
        there = ", ".join(formats) or "none"
        if prefix not in formats:
            self._tell("fail", what, f"there is no {prefix}; there are: {there}")
        elif prefix != "oai_dc":
            text = (
                f"{prefix} is kept as it comes, but only oai_dc is normalised; there are: {there}"
            )
            self._tell("warn", what, text)
        else:
            self._tell("ok", what, f"{prefix}; there are: {there}")
        return formats

    # -- sets -----------------------------------------------------------------------------

    def _sets(self) -> None:
        wanted = self._settings.sets
        page = self._ask("sets", "ListSets", {})
        known: set[str] = set()
        if page is not None and page.errors:
            without = page.errors[0].code == "noSetHierarchy"
            text = "the repository has none" if without else f"refused: {_refusal(page)}"
            self._tell("ok" if without and not wanted else "warn", "sets", text)
        elif page is not None:
            known = {one.spec for one in page.sets}
            more = page.token is not None and bool(page.token.value)
            self._tell("ok", "sets", f"{len(page.sets)}{' and more' if more else ''}")
        usable = [one for one in wanted if one in known]
        for name in usable:
            self._tell("ok", f"set {name}", "ListSets names it")
        hidden = [one for one in wanted if one not in known]
        usable += [one for one in hidden[:_SETS_ASKED] if self._hidden_set(one)]
        if unasked := hidden[_SETS_ASKED:]:
            text = f"ListSets does not name {', '.join(unasked)}; not asked for one by one"
            self._tell("warn", "sets", text)
        self._set = usable[0] if usable else None

    def _hidden_set(self, name: str) -> bool:
        """Whether a set that ListSets does not name (HAL hides some) gives a list all the same."""
        what = f"set {name}"
        arguments = {"metadataPrefix": self._settings.metadata_prefix, "set": name}
        page = self._ask(what, "ListIdentifiers", arguments)
        if page is None:
            return False
        if page.errors and page.errors[0].code != "noRecordsMatch":
            self._tell("fail", what, f"ListSets does not name it, and its list is refused: "
                       f"{_refusal(page)}")  # fmt: skip
            return False
        lists = "its list is empty" if not page.headers else "it gives a list"
        self._tell("warn", what, f"ListSets does not name it, but {lists}; check its spelling")
        return bool(page.headers)

    # -- lists ----------------------------------------------------------------------------

    def _arguments(self, span: windows.Span) -> dict[str, str]:
        arguments = {"metadataPrefix": self._settings.metadata_prefix}
        arguments |= windows.arguments(span, self._granularity)
        return arguments | ({"set": self._set} if self._set else {})

    def _list(self, verb: str) -> Page | None:
        """The first page of a list that has records, and the findings about it and the next."""
        first = self._ask(verb, verb, self._arguments((self._settings.from_, None)))
        if first is None:
            return None
        if first.errors:
            empty = first.errors[0].code == "noRecordsMatch"
            text = "the list is empty" if empty else f"refused: {_refusal(first)}"
            self._tell("warn" if empty else "fail", verb, text)
            return None
        count = len(first.headers) + len(first.rejected)
        if not count:
            self._tell("warn", verb, "the list is empty")
            return None
        token = first.token.value if first.token else ""
        size = first.token.complete_list_size if first.token else None
        if not token:
            size = count
            self._tell("ok", verb, f"{count} records, all on one page")
        elif size is None:
            text = f"{count} a page; completeListSize is not told, so a cut list cannot be noticed"
            self._tell("warn", verb, text)
        else:
            self._tell("ok", verb, f"{count} a page; completeListSize is {size}")
        self._size = size
        if token:
            self._second(verb, first, token)
        return first

    def _second(self, verb: str, first: Page, token: str) -> None:
        """Ask for the page a token stands for: without working tokens there is no mirror."""
        what = f"{verb}, second page"
        page = self._ask(what, verb, {"resumptionToken": token})
        if page is None:
            return
        codes = {error.code for error in page.errors}
        size = first.token.complete_list_size if first.token else None
        if codes == {"noRecordsMatch"} and size is not None and len(first.headers) >= size:
            self._tell("ok", what, "none: the list ends with the first page, as it announced")
            return
        again = {header.identifier for header in first.headers}
        fresh = [header for header in page.headers if header.identifier not in again]
        if page.errors:
            self._tell("fail", what, f"the token does not work: {_refusal(page)}")
        elif not fresh and not page.rejected:
            self._tell("fail", what, "the token gives the first page again, or nothing")
        elif page.token is not None and page.token.value == token:
            self._tell("fail", what, "the token does not change: such a list never ends")
        else:
            self._tell("ok", what, f"the token works: {len(fresh)} other records")

    def _identifiers(self, headers: Sequence[Header]) -> None:
        if not headers:
            return
        example = headers[0].identifier
        hals = sum(one.identifier.lower().startswith(_HAL_IDENTIFIERS) for one in headers)
        fits = "hal" if hals > len(headers) // 2 else "generic"
        if self._choose_profile:
            self._settings = msgspec.structs.replace(self._settings, profile=fits)
        profile = self._settings.profile
        if profile == fits:
            self._tell("ok", "identifiers", f"such as {example}; profile {profile} fits")
        else:
            text = f'such as {example}: set profile = "{fits}", not "{profile}"'
            self._tell("warn", "identifiers", text)
        length = _GRANULARITIES.get(self._granularity)
        odd = [one for one in headers if length and len(one.datestamp) != length]
        if odd:
            text = f"{odd[0].datestamp} of {odd[0].identifier} is not in {self._granularity}"
            self._tell("warn", "datestamps", text)

    def _records(self, first: Page) -> None:
        rules = Rules(self._settings.metadata_prefix, self._settings.profile)
        batch = prepare_page(first, rules)
        total = len(batch.rows) + len(batch.rejected)
        if not batch.rejected:
            self._tell("ok", "records", f"{total} of {total} on the first page can be taken")
            return
        one = batch.rejected[0]
        text = (
            f"{len(batch.rejected)} of {total} would be quarantined: {one.position}: {one.reason}"
        )
        self._tell("warn" if batch.rows else "fail", "records", text)

    def _window(self, headers: Sequence[Header]) -> None:
        """Whether from and until are honoured: asked for one day that has a record."""
        if not headers:
            return
        what, day = "from and until", headers[0].datestamp[:10]
        page = self._ask(what, "ListIdentifiers", self._arguments((day, day)))
        if page is None:
            return
        if page.errors and page.errors[0].code != "noRecordsMatch":
            text = f"a list of {day} alone is refused: {_refusal(page)}"
            self._tell("fail", what, text)
            return
        if not page.headers:
            text = f"a list of {day} alone is empty, though {headers[0].identifier} is of that day"
            self._tell("warn", what, text)
            return
        away = [abs(_days_between(day, one.datestamp[:10])) for one in page.headers]
        outside = sum(days > 0 for days in away)
        if not outside:
            text = f"a list of {day} alone has only records of that day"
            self._tell("ok", what, text)
            return
        text = f"{outside} of {len(away)} records in a list of {day} alone are of other days"
        # Elsewhere than at HAL the server's day may be its own; more than that is no window.
        tolerable = self._settings.profile != "hal" and max(away) <= 1
        self._tell("warn" if tolerable else "fail", what, text)

    # -- the transport --------------------------------------------------------------------

    def _post(self) -> None:
        if self._posting is None:
            return
        if self._settings.delay:
            # The other client knows nothing of this one's requests.
            self._sleep(self._settings.delay)
        try:
            self._posting.identity()
        except HalmirrorError as error:
            text = f"not usable, so very long tokens would fail: {error}"
            self._tell("warn", "POST", text)
        else:
            self._tell("ok", "POST", "works")

    def _gzip(self) -> None:
        if not self._heard:
            return
        if any(one.packed for one in self._heard):
            self._tell("ok", "gzip", "used")
        else:
            self._tell("warn", "gzip", "not used: pages travel unpacked")

    def _speed(self, first: Page | None) -> None:
        if not self._heard:
            return
        verbs: dict[str, list[float]] = {}
        for one in self._heard:
            verbs.setdefault(one.verb, []).append(one.seconds)
        told = ", ".join(f"{verb} {max(times):.2f} s" for verb, times in verbs.items())
        slowest = max(one.seconds for one in self._heard)
        if slowest > self._settings.timeout / 2:
            self._tell("warn", "speed", f"{told}; raise timeout ({self._settings.timeout:g} s)")
            return
        pages = verbs.get("ListRecords")
        count = len(first.headers) if first else 0
        if pages and count and self._size:
            page = sum(pages) / len(pages) + self._settings.delay
            minutes = self._size / count * page / 60
            length = "less than a minute" if minutes < 1 else f"some {minutes:.0f} minutes"
            told += f"; all {self._size} records would take {length}"
        self._tell("ok", "speed", told)


def _refusal(page: Page) -> str:
    error = page.errors[0]
    return f"{error.code}: {error.message}" if error.message else error.code


def same_address(one: str, other: str) -> bool:
    """Whether two base URLs are the same but for a final slash and the letter case of the host."""
    return _address(one) == _address(other)


def _address(text: str) -> tuple[str, str, str, str]:
    """An address without what makes no difference: letter case of the host, a final slash."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ("", "", text, "")
    return (parts.scheme.lower(), parts.netloc.lower(), parts.path.rstrip("/"), parts.query)


def _repository_identifier(identity: Identity) -> str:
    try:
        found = etree.fromstring(identity.xml).find(f".//{_OAI_IDENTIFIER}")
    except etree.XMLSyntaxError:
        return ""
    return (found.text or "").strip() if found is not None else ""


def _days_between(one: str, other: str) -> int:
    return (date.fromisoformat(one) - date.fromisoformat(other)).days
