"""Probing repositories on loopback that do one thing or another wrong."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from endpoint_http import ParsedRequest, Reply
from halmirror.cli.progress import LogObserver
from halmirror.config import SourceSettings
from halmirror.harvesting.probing import Finding, Probe, check, exit_code, probe
from halmirror.harvesting.sources import connect
from recorded_endpoint import RecordedEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WATCHING = LogObserver(quiet=True, verbose=False)
DATA = RecordedEndpoint().directory.parent.parent / "tests" / "data" / "other-oai"


class Edited(RecordedEndpoint):
    """An endpoint whose answers to some verbs are edited or replaced."""

    def edit(self, change: Callable[[ParsedRequest, Reply], Reply]) -> None:
        self._change = change

    def respond(self, request: ParsedRequest) -> Reply:
        return self._change(request, super().respond(request))


def settings(endpoint: RecordedEndpoint, **more: object) -> SourceSettings:
    given = SourceSettings(name="repo", base_url=endpoint.url, retries=0, timeout=5.0)
    return msgspec.structs.replace(given, **more)


def examined(change: Callable[[ParsedRequest, Reply], Reply], **more: object) -> Probe:
    with Edited() as endpoint:
        endpoint.edit(change)
        return check(settings(endpoint, **more), WATCHING)


def replaced(verb: str, old: str, new: str) -> Callable[[ParsedRequest, Reply], Reply]:
    """Every match of a pattern replaced in the answers to a verb."""

    def change(request: ParsedRequest, reply: Reply) -> Reply:
        if request.verb != verb:
            return reply
        body, count = re.subn(old.encode(), new.encode(), reply.body)
        assert count, f"{old} does not occur"
        return replace(reply, body=body)

    return change


def refusing(verb: str, code: str) -> Callable[[ParsedRequest, Reply], Reply]:
    """Every request of a verb answered with an error condition."""
    return replaced(
        verb, f"  <{verb}>.*</{verb}>".replace(".", r"[\s\S]"), f'<error code="{code}"/>'
    )


def found(probed: Probe, what: str) -> Finding:
    (finding,) = (one for one in probed.findings if one.what == what)
    return finding


def levels(probed: Probe, level: str) -> list[str]:
    return [one.what for one in probed.findings if one.level == level]


def test_a_healthy_repository(endpoint: RecordedEndpoint) -> None:
    probed = check(settings(endpoint), WATCHING)
    assert levels(probed, "fail") == []
    assert levels(probed, "warn") == []
    told = {one.what: one.detail for one in probed.findings}
    assert told["Identify"] == "HAL"
    assert told["granularity"] == "YYYY-MM-DD (days)"
    assert told["metadata format"] == "oai_dc; there are: oai_dc, oai_dcterms, xml-tei"
    assert told["sets"] == "35"
    assert told["ListRecords"] == "26 a page; completeListSize is 73"
    assert told["ListRecords, second page"] == "the token works: 26 other records"
    assert told["records"] == "26 of 26 on the first page can be taken"
    assert told["POST"] == "works"
    assert told["gzip"] == "used"
    assert "all 73 records would take less than a minute" in told["speed"]
    assert "reconciling every 30d finds it" in told["deletedRecord"]
    assert probed.formats == ("oai_dc", "oai_dcterms", "xml-tei")
    assert probed.repository_name == "HAL"
    assert probed.repository_identifier == "hal.archives-ouvertes.fr"


def test_a_probe_asks_a_dozen_times_at_most_and_stores_nothing(
    endpoint: RecordedEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    hidden = tuple(f"collection:NONE-{number}" for number in range(9))
    check(settings(endpoint, sets=hidden), WATCHING)
    assert len(endpoint.requests) == 12
    assert list(tmp_path.iterdir()) == []


def test_an_html_answer_ends_the_probe() -> None:
    html = (DATA / "malformed" / "html-instead-of-xml.html").read_bytes()
    probed = examined(lambda _request, _reply: Reply(200, {"Content-Type": "text/html"}, html))
    (only,) = probed.findings
    assert (only.level, only.what) == ("fail", "Identify")
    assert "looks like an HTML page" in only.detail


def test_a_host_that_is_away_ends_the_probe() -> None:
    with RecordedEndpoint() as gone:
        away = settings(gone)
    (only,) = check(away, WATCHING).findings
    assert (only.level, only.what) == ("fail", "Identify")
    assert "cannot be reached" in only.detail


def test_a_missing_secret_is_a_finding(endpoint: RecordedEndpoint) -> None:
    probed = check(settings(endpoint, headers_env=(("X-Key", "NO_SUCH_VARIABLE"),)), WATCHING)
    (only,) = probed.findings
    assert (only.level, only.what) == ("fail", "settings")
    assert "NO_SUCH_VARIABLE" in only.detail
    assert endpoint.requests == []


@pytest.mark.parametrize(
    ("old", "new", "what", "level", "detail"),
    [
        ("(<baseURL>)[^<]*", r"\1http://elsewhere/oai", "baseURL", "warn", "http://elsewhere/oai"),
        (">2.0</protocolVersion>", ">1.1</protocolVersion>", "protocol", "warn", "'1.1', not 2.0"),
        (">YYYY-MM-DD<", ">days<", "granularity", "warn", "'days' is none of OAI-PMH's"),
        (">2002-09-23<", "><", "earliestDatestamp", "warn", "1990-01-01 is taken"),
        (">2002-09-23<", ">2999-01-01<", "earliestDatestamp", "warn", "in the future"),
        (">no</deleted", ">persistent</deleted", "deletedRecord", "ok", "every harvest learns"),
        (">no</deleted", ">transient</deleted", "deletedRecord", "ok", "for some time only"),
        (">no</deleted", ">never</deleted", "deletedRecord", "warn", "'never' is no policy"),
        ("<responseDate>[^<]*", "<responseDate>2020-01-01T00:00:00Z", "clock", "warn", "behind"),
        ("<responseDate>[^<]*", "<responseDate>2020-01-01", "clock", "warn", "a day only"),
        ("<responseDate>[^<]*", "<responseDate>", "clock", "warn", "has no responseDate"),
    ],
)
def test_what_identify_says_is_judged(
    old: str, new: str, what: str, level: str, detail: str
) -> None:
    finding = found(examined(replaced("Identify", old, new)), what)
    assert finding.level == level
    assert detail in finding.detail


def test_untold_deletions_need_reconciling(endpoint: RecordedEndpoint) -> None:
    finding = found(check(settings(endpoint, reconcile_every=0.0), WATCHING), "deletedRecord")
    assert finding.level == "warn"
    assert "reconcile_every is 0" in finding.detail


def test_a_format_that_is_not_there_is_a_failure(endpoint: RecordedEndpoint) -> None:
    probed = check(settings(endpoint, metadata_prefix="marc21"), WATCHING)
    assert found(probed, "metadata format") == Finding(
        "fail", "metadata format", "there is no marc21; there are: oai_dc, oai_dcterms, xml-tei"
    )
    assert found(probed, "ListRecords").level == "fail"
    assert "cannotDisseminateFormat" in found(probed, "ListRecords").detail


def test_a_step_that_fails_leaves_the_others() -> None:
    probed = examined(refusing("ListMetadataFormats", "badVerb"))
    assert levels(probed, "fail") == ["metadata format"]
    assert found(probed, "ListRecords").level == "ok"
    assert probed.formats == ()


def test_a_repository_without_sets_is_well_unless_a_set_is_wanted() -> None:
    without = refusing("ListSets", "noSetHierarchy")
    assert found(examined(without), "sets") == Finding("ok", "sets", "the repository has none")
    assert found(examined(without, sets=("type:ART",)), "sets").level == "warn"


def test_a_set_that_list_sets_hides_is_asked_for_itself(endpoint: RecordedEndpoint) -> None:
    listed = endpoint._recorded("ListSets").decode()
    hidden = next(s for r in endpoint.records for s in r.sets if f">{s}<" not in listed)
    wanted = ("type:ART", hidden, "collection:NO-SUCH")
    probed = check(settings(endpoint, sets=wanted), WATCHING)
    assert found(probed, "set type:ART").level == "ok"
    assert found(probed, f"set {hidden}").level == "warn"
    assert "it gives a list" in found(probed, f"set {hidden}").detail
    assert found(probed, "set collection:NO-SUCH").level == "fail"
    assert "badArgument" in found(probed, "set collection:NO-SUCH").detail
    # The lists are those of a set that works.
    assert found(probed, "ListRecords").detail == "17 records, all on one page"


def test_a_token_that_does_not_work_is_a_failure() -> None:
    def dead(request: ParsedRequest, reply: Reply) -> Reply:
        if not request.argument("resumptionToken"):
            return reply
        return refusing(request.verb or "", "badResumptionToken")(request, reply)

    probed = examined(dead)
    assert levels(probed, "fail") == ["ListIdentifiers, second page", "ListRecords, second page"]
    assert "badResumptionToken" in found(probed, "ListRecords, second page").detail


def test_a_token_that_gives_the_first_page_again_is_a_failure() -> None:
    first: dict[str | None, Reply] = {}
    probed = examined(lambda request, reply: first.setdefault(request.verb, reply))
    assert "first page again" in found(probed, "ListRecords, second page").detail
    assert found(probed, "ListRecords, second page").level == "fail"


def test_a_list_that_announces_no_size_is_a_warning() -> None:
    probed = examined(replaced("ListRecords", ' completeListSize="73"', ""))
    assert levels(probed, "warn") == ["ListRecords"]
    assert "completeListSize is not told" in found(probed, "ListRecords").detail


def test_dates_that_are_ignored_are_a_failure() -> None:
    class Ignoring(RecordedEndpoint):
        def respond(self, request: ParsedRequest) -> Reply:
            kept = tuple(one for one in request.arguments if one[0] not in ("from", "until"))
            return super().respond(replace(request, arguments=kept))

    for profile in ("hal", "generic"):
        with Ignoring() as endpoint:
            probed = check(settings(endpoint, profile=profile), WATCHING)
        finding = found(probed, "from and until")
        assert finding.level == "fail"
        assert "25 of 26 records in a list of 2025-10-22 alone are of other days" in finding.detail


def test_a_server_without_post_or_gzip_still_works() -> None:
    def plain(request: ParsedRequest, reply: Reply) -> Reply:
        if request.method == "POST":
            return Reply(405, {}, b"no")
        return replace(reply, headers={**reply.headers, "Content-Encoding": "identity"})

    probed = examined(plain)
    assert not probed.failed
    assert levels(probed, "warn") == ["POST", "gzip"]
    assert "405" in found(probed, "POST").detail


def test_records_that_would_be_quarantined_are_counted() -> None:
    def spoil(request: ParsedRequest, reply: Reply) -> Reply:
        if request.verb != "ListRecords" or request.argument("resumptionToken"):
            return reply
        return replaced("ListRecords", ">2025-10-22<", ">yesterday<")(request, reply)

    probed = examined(spoil)
    finding = found(probed, "records")
    assert finding.level == "warn"
    assert "1 of 26 would be quarantined" in finding.detail
    assert "yesterday" in finding.detail


def test_the_identifiers_advise_the_profile(endpoint: RecordedEndpoint) -> None:
    generic = settings(endpoint, profile="generic")
    finding = found(check(generic, WATCHING), "identifiers")
    assert finding.level == "warn"
    assert 'set profile = "hal", not "generic"' in finding.detail
    chosen = check(generic, WATCHING, choose_profile=True)
    assert chosen.settings.profile == "hal"
    assert found(chosen, "identifiers").level == "ok"


def seconds(request: ParsedRequest, reply: Reply) -> Reply:
    """HAL's answers as a repository that counts seconds and has identifiers of its own."""
    body = reply.body.replace(b">YYYY-MM-DD<", b">YYYY-MM-DDThh:mm:ssZ<")
    body = body.replace(b"oai:HAL:", b"oai:example.org:")
    body = re.sub(rb"<datestamp>([\d-]+)<", rb"<datestamp>\1T10:11:12Z<", body)
    return replace(reply, body=body)


class Seconds(RecordedEndpoint):
    """Takes from and until in seconds, and refuses days."""

    def respond(self, request: ParsedRequest) -> Reply:
        dates = [value for name, value in request.arguments if name in ("from", "until")]
        if any(len(value) != len("2025-10-22T00:00:00Z") for value in dates):
            return refusing(request.verb or "", "badArgument")(request, super().respond(request))
        cut = tuple(
            (name, value[:10] if name in ("from", "until") else value)
            for name, value in request.arguments
        )
        return seconds(request, super().respond(replace(request, arguments=cut)))


def test_a_repository_that_counts_seconds() -> None:
    with Seconds() as endpoint:
        probed = check(settings(endpoint, profile="generic"), WATCHING)
        asked = [one.argument("until") for one in endpoint.requests if one.argument("until")]
    assert levels(probed, "fail") == []
    assert levels(probed, "warn") == []
    assert found(probed, "granularity").detail == "YYYY-MM-DDThh:mm:ssZ (seconds)"
    assert asked == ["2025-10-22T23:59:59Z"]
    with Seconds() as endpoint:
        fits = check(settings(endpoint), WATCHING, choose_profile=True).settings.profile
    assert fits == "generic"


def test_datestamps_of_another_granularity_are_a_warning() -> None:
    probed = examined(replaced("Identify", ">YYYY-MM-DD<", ">YYYY-MM-DDThh:mm:ssZ<"))
    assert found(probed, "datestamps").level == "warn"
    # The recorded endpoint takes days only, as HAL does.
    assert found(probed, "from and until").level == "fail"


def test_a_probe_keeps_the_delay_and_reads_the_clock(endpoint: RecordedEndpoint) -> None:
    slept: list[float] = []
    later = datetime.now(UTC) + timedelta(hours=2)
    given = settings(endpoint, delay=0.01)
    with connect(given, WATCHING) as client, connect(given, WATCHING, method="POST") as posting:
        probed = probe(given, client, posting=posting, sleep=slept.append, now=lambda: later)
    assert slept == [0.01]
    assert found(probed, "clock").level == "warn"
    assert "120 minutes behind" in found(probed, "clock").detail
    assert "gzip" not in [one.what for one in probed.findings]


def test_the_exit_code_tells_whether_all_or_some_failed(endpoint: RecordedEndpoint) -> None:
    well = Probe(settings(endpoint), (Finding("warn", "gzip", "not used"),))
    ill = Probe(settings(endpoint), (Finding("fail", "Identify", "away"),))
    assert exit_code([well]) == 0
    assert exit_code([ill]) == 1
    assert exit_code([ill, ill]) == 1
    assert exit_code([well, ill]) == 3
