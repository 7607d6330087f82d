"""Laws of the provider: whatever is asked the answer is valid, whatever happens nothing is lost."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from halmirror import Mirror
from halmirror.provider import answer as answering
from halmirror.provider import asked, tokens
from halmirror.provider.answer import answer
from halmirror.provider.identity import Repository
from halmirror.provider.tokens import ListToken, SetsToken
from halmirror.store import items
from halmirror.store.calendar import utc
from halmirror.store.writer import Writer
from provider_answers import NS, datestamp, error, identifier, is_deleted, judged, token
from provider_mirrors import BASE, Source, record

REPOSITORY = Repository(BASE, page_size=2)
SETS = ["a", "a:b", "c"]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    path = tmp_path_factory.mktemp("small") / "mirror.sqlite"
    with Writer(path, "test") as writer:
        source = Source(writer, "x", "generic")
        for number in range(5):
            source.take(record(f"oai:x:{number}", sets=SETS[: number % 3]))
        source.take(record("oai:x:2", None))
    with Mirror(path) as mirror:
        yield mirror


NATURAL = st.integers(0, 9) | st.integers(0, 2**63 - 1)
MOMENT = st.none() | st.integers(-(2**40), 2**40)
TOKENS = st.builds(
    ListToken,
    st.sampled_from(["ListRecords", "ListIdentifiers", "x"]),
    st.sampled_from(["oai_dc", "oai_dc_norm", "x"]),
    st.none() | st.sampled_from([*SETS, "<"]),
    MOMENT, MOMENT, NATURAL, NATURAL, NATURAL, NATURAL, st.none() | NATURAL,
) | st.builds(SetsToken, st.text(), NATURAL)  # fmt: skip
VALUES = (
    st.text(max_size=20)
    | TOKENS.map(tokens.write)
    | st.sampled_from(
        ["oai_dc", "oai_dc_norm", "oai:x:1", "oai:x:2", *SETS, "2020-01-01", "9999-12-31",
         "0001-01-01", "2026-01-01T00:00:00Z", "2026-02-30", "", "\x00", "\ud800"]
    )
)  # fmt: skip
NAMES = st.sampled_from(
    ["identifier", "metadataPrefix", "set", "from", "until", "resumptionToken"]
) | st.text(max_size=5)
VERBS = st.sampled_from([*asked._ARGUMENTS]) | st.text(max_size=5)
ASKED = st.tuples(VERBS, st.lists(st.tuples(NAMES, VALUES), max_size=4))


@given(ASKED)
@settings(max_examples=300)
def test_whatever_is_asked_the_answer_is_valid(
    small: Mirror, given_: tuple[str, list[tuple[str, str]]]
) -> None:
    verb, arguments = given_
    made = answer([("verb", verb), *arguments], small, REPOSITORY)
    root = judged(made)
    found = root[-1].tag.rpartition("}")[2]
    assert found in (verb, "error")


class Clock:
    """The time of the mirror's machine, which commits and answers share."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def stamp(self) -> str:
        return f"{utc(int(self.now))[:-1]}.{int(self.now % 1 * 1000):03}Z"


class Harvester:
    """A client that goes on from the time of its last list's first answer, or newest datestamp."""

    def __init__(self, mirror: Mirror, *, by_datestamp: bool) -> None:
        self._mirror = mirror
        self._by_datestamp = by_datestamp
        self._since: str | None = None
        self._begun: str | None = None
        self._token = ""
        self._listed: list[str] = []
        self.held: dict[str, str | None] = {}

    @property
    def is_idle(self) -> bool:
        return not self._token

    def page(self) -> None:
        """Ask for one page."""
        given = {"verb": "ListRecords"}
        if self._token:
            given["resumptionToken"] = self._token
        else:
            given["metadataPrefix"] = "oai_dc"
            if self._since:
                given["from"] = self._since
        root = judged(answer(given.items(), self._mirror, REPOSITORY))
        if not self._token:
            self._begun = root.findtext("o:responseDate", None, NS)
            self._listed = []
        if error(root):
            assert error(root) == "noRecordsMatch"
            assert not self._token
            return
        self._take(root.findall("*/o:record", NS))
        self._token = token(root)
        if not self._token and not self._by_datestamp:
            self._since = self._begun

    def _take(self, records: list[etree._Element]) -> None:
        for one in records:
            self._listed.append(identifier(one))
            self.held[identifier(one)] = (
                None if is_deleted(one) else one.findtext(".//dc:title", None, NS)
            )
            if self._by_datestamp:
                self._since = max(self._since or "", datestamp(one))
        assert len(self._listed) == len(set(self._listed))


ACTIONS = st.one_of(
    st.tuples(st.just("take"), st.lists(st.integers(0, 6), min_size=1, max_size=5)),
    st.tuples(st.just("delete"), st.lists(st.integers(0, 6), min_size=1, max_size=3)),
    st.tuples(st.just("wait"), st.sampled_from([0.1, 0.3, 0.5, 0.9, 1.5, 60.0])),
    st.tuples(st.just("page"), st.just(None)),
)


@given(st.lists(ACTIONS, max_size=30), st.sampled_from([0.0, 0.05, 0.2]))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_who_harvests_again_and_again_has_what_the_mirror_has(
    monkeypatch: pytest.MonkeyPatch, actions: list[tuple[str, object]], commit_takes: float
) -> None:
    clock = Clock()
    monkeypatch.setattr(answering, "time", clock)
    monkeypatch.setattr(items, "time", clock)
    truth: dict[str, str | None] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mirror.sqlite"
        with Writer(path, "test", now=clock.stamp) as writer, Mirror(path) as mirror:
            source = Source(writer, "x", "generic")
            harvesters = [Harvester(mirror, by_datestamp=one) for one in (False, True)]
            for number, (what, given_) in enumerate(actions):
                if what == "wait":
                    clock.now += given_
                elif what == "page":
                    for one in harvesters:
                        one.page()
                else:
                    names = dict.fromkeys(f"oai:x:{one}" for one in given_)
                    title = f"T{number}" if what == "take" else None
                    if title is None:
                        names = {name: None for name in names if name in truth}
                    if names:
                        source.take(*(record(name, title) for name in names))
                        truth |= dict.fromkeys(names, title)
                        clock.now += commit_takes
            for one in harvesters:
                while not one.is_idle:
                    one.page()
                one.page()
                while not one.is_idle:
                    one.page()
                assert one.held == truth
