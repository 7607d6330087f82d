"""Mirrors out of the ordinary: several sources, other formats, wrong clocks, hostile names."""

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from halmirror import Mirror
from halmirror.care.forgetting import forget
from halmirror.provider import tokens
from halmirror.provider.answer import SETS_A_PAGE, answer
from halmirror.provider.identity import Repository
from halmirror.provider.tokens import ListToken, SetsToken
from halmirror.store.items import Selection
from halmirror.store.writer import Writer
from provider_answers import NS, datestamp, error, identifier, is_deleted, judged, token
from provider_mirrors import BASE, Source, record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mirror.sqlite"


def clock(times: Sequence[str]) -> Iterator[str]:
    """The commits' times, the last one over and over."""
    for number in count():
        yield times[min(number, len(times) - 1)]


class Asking:
    """A mirror asked without HTTP."""

    def __init__(self, path: Path, sources: Sequence[str] = (), page_size: int = 3) -> None:
        self._path, self._sources = path, sources
        self._repository = Repository(BASE, page_size=page_size)

    def ask(self, verb: str, **arguments: str) -> etree._Element:
        given = {"verb": verb, **{name.strip("_"): value for name, value in arguments.items()}}
        with Mirror(self._path, self._sources) as mirror:
            return judged(answer(given.items(), mirror, self._repository))

    def records(self, verb: str = "ListRecords", **arguments: str) -> list[etree._Element]:
        """The records, or headers, of a whole list."""
        page = self.ask(verb, **{"metadataPrefix": "oai_dc"} | arguments)
        found = [*page.iterfind(f"o:{verb}/*", NS)]
        while value := token(page):
            page = self.ask(verb, resumptionToken=value)
            found += page.iterfind(f"o:{verb}/*", NS)
        return [one for one in found if "resumptionToken" not in one.tag]


def titles(records: list[etree._Element]) -> dict[str, str | None]:
    return {identifier(one): one.findtext(".//dc:title", None, NS) for one in records}


def test_an_empty_mirror(path: Path) -> None:
    with Writer(path, "test"):
        pass
    asking = Asking(path)
    told = asking.ask("Identify")
    assert told.findtext("*/o:repositoryName", None, NS) == "Mirror of nothing yet"
    assert told.findtext("*/o:adminEmail", None, NS) == "postmaster@mirror.example.org"
    assert told.findtext("*/o:earliestDatestamp", None, NS) == told.findtext(
        "o:responseDate", None, NS
    )
    assert error(asking.ask("ListSets")) == "noSetHierarchy"
    assert error(asking.ask("ListRecords", metadataPrefix="oai_dc")) == "noRecordsMatch"
    assert error(asking.ask("ListRecords", metadataPrefix="oai_dc", set="a")) == "noSetHierarchy"
    missing = asking.ask("GetRecord", identifier="oai:HAL:hal-1v1", metadataPrefix="oai_dc")
    assert error(missing) == "idDoesNotExist"


def test_one_item_for_an_identifier_that_two_sources_hold(path: Path) -> None:
    one, two = "oai:HAL:hal-00000001v1", "oai:HAL:hal-00000002v1"
    times = iter(f"2026-01-01T00:00:{second:02}.000Z" for second in range(60))
    with Writer(path, "test", now=lambda: next(times)) as writer:
        portal, whole = Source(writer, "portal"), Source(writer, "whole")
        whole.take(record(one, "of the whole", ["b"]), record(two, "of the whole"))
        portal.take(record(one, "of the portal", ["a"]))
        asking = Asking(path, ["portal", "whole"])
        assert titles(asking.records()) == {one: "of the portal", two: "of the whole"}
        since = {identifier(found): datestamp(found) for found in asking.records()}
        assert since[one] > since[two]
        whole.take(record(one, "of the whole, changed", ["b"]))
        later = {identifier(found): datestamp(found) for found in asking.records()}
        assert later[one] > since[one]
        assert later[two] == since[two]
        assert titles(asking.records())[one] == "of the portal"
        page = asking.ask("ListRecords", metadataPrefix="oai_dc", from_=later[one])
        assert titles(page.findall("*/o:record", NS)) == {one: "of the portal"}
        with Mirror(path) as mirror, mirror.items.reading():
            assert mirror.items.count(Selection(), 3) == 2
        portal.take(record(one, None))
        (found,) = asking.records(from_=later[one])
        assert not is_deleted(found)
        assert found.findtext(".//dc:title", None, NS) == "of the whole, changed"
        assert found.findtext(".//p:baseURL", None, NS) == "https://whole.example.org/oai"
        whole.take(record(one, None))
        assert [is_deleted(found) for found in asking.records()] == [False, True]
        single = asking.ask("GetRecord", identifier=one, metadataPrefix="oai_dc")
        assert is_deleted(single.find("*/o:record", NS))
        assert datestamp(single) == datestamp(asking.records()[1])


def test_where_sources_share_too_much_the_list_is_not_counted(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"oai:HAL:hal-0000000{number}v1" for number in range(8)]
    with Writer(path, "test") as writer:
        for source in ("one", "two"):
            Source(writer, source).take(*(record(name, f"of {source}") for name in names))
    asking = Asking(path, ["one"])
    first = asking.ask("ListRecords", metadataPrefix="oai_dc")
    assert first.find("*/o:resumptionToken", NS).get("completeListSize") == "8"
    monkeypatch.setattr("halmirror.store.items._MOST_COUNTED", 7)
    first = asking.ask("ListRecords", metadataPrefix="oai_dc")
    assert first.find("*/o:resumptionToken", NS).get("completeListSize") is None
    assert titles(asking.records()) == dict.fromkeys(names, "of one")
    assert error(asking.ask("ListRecords", metadataPrefix="oai_dc", from_="2999-01-01"))


@pytest.mark.parametrize(
    ("namespace", "told"),
    [
        ("http://www.loc.gov/MARC21/slim", "http://www.loc.gov/MARC21/slim"),
        ("http://x.example/a?b=1&amp;c#d", "http://x.example/a?b=1&c#d"),
        ("x:y", "x:y"),
    ],
)
def test_other_formats_are_given_as_dublin_core(path: Path, namespace: str, told: str) -> None:
    marc = f'<m:record xmlns:m="{namespace}"><m:x>A</m:x></m:record>'
    with Writer(path, "test") as writer:
        Source(writer, "marc", "generic", "marcxml").take(record("oai:x:1", metadata=marc))
    found = Asking(path).records()
    origin = found[0].find(".//p:originDescription", NS)
    assert origin.get("altered") == "true"
    assert origin.findtext("p:metadataNamespace", None, NS) == told
    assert found[0].find("o:metadata/oai_dc:dc", NS) is not None


def test_what_the_schema_forbids_is_left_out_and_told(path: Path) -> None:
    metadata = (
        f'<oai_dc:dc xmlns:oai_dc="{NS["oai_dc"]}" xmlns:dc="{NS["dc"]}">'
        '<dc:title xml:lang="">-- a -- title --></dc:title></oai_dc:dc>'
    )
    with Writer(path, "test") as writer:
        Source(writer, "x", "generic").take(record("oai:x:1", metadata=metadata))
    (found,) = Asking(path).records()
    assert found.find(".//p:originDescription", NS).get("altered") == "true"
    (comment,) = found.find("o:about", NS).iter(etree.Comment)
    assert "lang='' of title" in comment.text
    assert found.findtext(".//dc:title", None, NS) == "-- a -- title -->"


NAMES = [
    "oai:x:1",
    "oai:x:a b",
    "no-uri",
    ":",
    "%zz",
    "oai:x:é&<\"'",
    "oai:x:[1]",
    "oai:x:1#a#b",
    "urn:x:100%",
    "http://x.example/?a=1&b=2",
    "1:2",
    "oai:HAL:hal-00000001",
    "oai:hal.archives-ouvertes.fr:hal-00000002v3",
]


@pytest.mark.parametrize("profile", ["generic", "hal"])
def test_any_identifier_and_set_makes_valid_answers(path: Path, profile: str) -> None:
    sets = ["a", "a:b", "a b", "é", "a::b", "<&>", "x" * 2000, ":", "(a):~b"]
    with Writer(path, "test") as writer:
        source = Source(writer, "x", profile)
        source.take(*(record(name, f"T{number}", sets) for number, name in enumerate(NAMES)))
    asking = Asking(path)
    found = titles(asking.records())
    assert sorted(found.values()) == sorted(f"T{number}" for number in range(len(NAMES)))
    assert len(asking.records("ListIdentifiers")) == len(NAMES)
    for name, title in found.items():
        one = asking.ask("GetRecord", identifier=name, metadataPrefix="oai_dc")
        assert titles([one.find("*/o:record", NS)]) == {name: title}
    for name in NAMES:
        one = asking.ask("GetRecord", identifier=name, metadataPrefix="oai_dc")
        assert error(one) is None
    listed = [one.text for one in asking.ask("ListSets").iterfind("*/*/o:setSpec", NS)]
    assert listed == ["(a):~b", "a", "a:b"]
    assert len(asking.records(set="a")) == len(NAMES)


def test_a_clock_that_goes_back_does_not_take_datestamps_back(path: Path) -> None:
    times = clock(
        ["2026-01-01T00:00:09.900Z"] * 6
        + ["2026-01-01T00:00:01.000Z"] * 5
        + ["2026-01-01T00:00:11.000Z"]
    )
    with Writer(path, "test", now=lambda: next(times)) as writer:
        source = Source(writer, "x", "generic")
        for number in range(9):
            source.take(record(f"oai:x:{number}"))
        at = [row[0] for row in writer.connection.execute('SELECT at FROM "commit" ORDER BY seq')]
    assert at == sorted(at)
    asking = Asking(path)
    found = asking.records()
    assert [identifier(one) for one in found] == [f"oai:x:{number}" for number in range(9)]
    stamps = [datestamp(one) for one in found]
    assert stamps == sorted(stamps)
    assert {stamps[0], stamps[-1]} == {"2026-01-01T00:00:09Z", "2026-01-01T00:00:11Z"}
    for stamp in stamps:
        assert len(asking.records(from_=stamp)) == sum(one >= stamp for one in stamps)
    told = asking.ask("Identify").findtext("*/o:earliestDatestamp", None, NS)
    assert told == "2026-01-01T00:00:09Z"


def test_a_mirror_of_an_earlier_release_whose_clock_went_back(path: Path) -> None:
    with Writer(path, "test") as writer:
        source = Source(writer, "x", "generic")
        for number in range(4):
            source.take(record(f"oai:x:{number}"))
        for seq, second in enumerate((5, 3, 4, 6), 1):
            writer.connection.execute(
                'UPDATE "commit" SET at = ? WHERE seq = ?', (f"2020-01-01T00:00:0{second}.5Z", seq)
            )
    found = Asking(path).records()
    assert [datestamp(one)[-3:-1] for one in found] == ["05", "05", "05", "06"]
    assert len(Asking(path).records(from_="2020-01-01T00:00:05Z")) == 4


@pytest.mark.parametrize("size", [1, 2, 7])
def test_a_commit_larger_than_a_page_is_cut_by_what_does_not_depend_on_its_rows(
    path: Path, tmp_path: Path, size: int
) -> None:
    """Two mirrors of the same commits, whose rows are in another order, go on from each other."""
    names = [f"oai:x:{number}" for number in range(20)]
    other = tmp_path / "other.sqlite"
    for place, ordered in ((path, names), (other, names[::-1])):
        with Writer(place, "test", now=lambda: "2026-01-01T00:00:00.000Z") as writer:
            Source(writer, "x", "generic").take(*map(record, ordered))
    here, there = Asking(path, page_size=size), Asking(other, page_size=size)
    found: list[str] = []
    page = here.ask("ListIdentifiers", metadataPrefix="oai_dc")
    for number in count():
        found += [one.text for one in page.iterfind(".//o:header/o:identifier", NS)]
        if not token(page):
            break
        asking = (there, here)[number % 2]
        page = asking.ask("ListIdentifiers", resumptionToken=token(page))
    assert sorted(found) == sorted(names)


def test_many_sets_come_in_pages(path: Path) -> None:
    sets = [f"s{number:05}" for number in range(2 * SETS_A_PAGE + 5)]
    with Writer(path, "test") as writer:
        Source(writer, "x", "generic").take(record("oai:x:1", sets=sets))
    asking = Asking(path)
    page = asking.ask("ListSets")
    found: list[str] = []
    cursors = []
    while True:
        found += [one.text for one in page.iterfind("*/*/o:setSpec", NS)]
        cursors.append(page.find("*/o:resumptionToken", NS).get("cursor"))
        if not token(page):
            break
        page = asking.ask("ListSets", resumptionToken=token(page))
    assert found == sets
    assert cursors == ["0", str(SETS_A_PAGE), str(2 * SETS_A_PAGE)]


def test_a_page_of_very_large_records_ends_early(path: Path) -> None:
    with Writer(path, "test") as writer:
        Source(writer, "x", "generic").take(
            *(record(f"oai:x:{number}", "word " * 800_000) for number in range(5))
        )
    asking = Asking(path, page_size=500)
    page = asking.ask("ListRecords", metadataPrefix="oai_dc")
    assert len(page.findall("*/o:record", NS)) == 3
    assert page.find("*/o:resumptionToken", NS).get("completeListSize") == "5"
    assert len(asking.records()) == 5


def test_a_token_of_a_mirror_that_has_been_put_back_is_refused(path: Path, tmp_path: Path) -> None:
    earlier = tmp_path / "earlier.sqlite"
    for place, commits in ((path, 9), (earlier, 2)):
        with Writer(place, "test") as writer:
            source = Source(writer, "x", "generic")
            for number in range(commits):
                source.take(record(f"oai:x:{number}"))
    page = Asking(path).ask("ListRecords", metadataPrefix="oai_dc")
    refused = Asking(earlier).ask("ListRecords", resumptionToken=token(page))
    assert error(refused) == "badResumptionToken"


NATURAL = st.integers(0, 2**63 - 1)
MOMENT = st.none() | st.integers(-(2**40), 2**40)


@given(
    st.builds(ListToken, st.text(), st.text(), st.none() | st.text(), MOMENT, MOMENT,
              NATURAL, NATURAL, NATURAL, NATURAL, NATURAL)
    | st.builds(SetsToken, st.text(), NATURAL)
)  # fmt: skip
def test_a_token_is_read_as_it_was_written(made: ListToken | SetsToken) -> None:
    text = tokens.write(made)
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert tokens.read(text) in (made, None if len(text) > 4000 else made)
    assert tokens.read(text[:-1]) is None


@given(st.text() | st.binary().map(lambda data: data.hex()))
def test_no_other_text_is_a_token(text: str) -> None:
    assert tokens.read(text) is None


def test_what_is_forgotten_while_a_list_is_read_does_not_come(path: Path) -> None:
    names = [f"oai:x:{number}" for number in range(6)]
    with Writer(path, "test") as writer:
        source = Source(writer, "x", "generic")
        for name in names:
            source.take(record(name, f"secret of {name}"))
    with Mirror(path) as held:  # as a server holds it
        repository = Repository(BASE, page_size=2)
        first = judged(
            answer([("verb", "ListRecords"), ("metadataPrefix", "oai_dc")], held, repository)
        )
        forget(path, [names[4]], "a court asked")
        pages = [first]
        while value := token(pages[-1]):
            given = [("verb", "ListRecords"), ("resumptionToken", value)]
            pages.append(judged(answer(given, held, repository)))
        listed = [identifier(one) for page in pages for one in page.iterfind("*/o:record", NS)]
        assert listed == [*names[:4], names[5]]
    since = first.findtext("o:responseDate", None, NS)
    (found,) = [one for one in Asking(path).records(from_=since) if is_deleted(one)]
    assert identifier(found) == names[4]
    assert b"secret of oai:x:4" not in path.read_bytes()
