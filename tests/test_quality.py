"""`halmirror.quality`: counted by hand, and once more by XPath, over the recorded records."""

import re
import sqlite3
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
from lxml import etree

from conftest import CommandLine
from halmirror.errors import MirrorError, NoMirrorError
from halmirror.quality import (
    FIELDS,
    FURTHER_TYPES,
    TYPES_TOLD,
    Example,
    Group,
    Quality,
    SourceQuality,
    quality,
    together,
    warning_kind,
)
from recorded_endpoint import RECORDED
from written_records import harvested_of, written

OAI = "{http://www.openarchives.org/OAI/2.0/}"
DC = "{http://purl.org/dc/elements/1.1/}"

# records, then one number for each of FIELDS
COUNTED = {
    "all": (73, 64, 49, 11, 22, 50, 49, 72, 13, 73, 72, 8, 64, 73, 0),
    "ART": (17, 15, 14, 6, 4, 10, 9, 17, 13, 17, 16, 2, 17, 17, 0),
    "COMM": (37, 37, 25, 3, 7, 25, 25, 37, 0, 37, 37, 3, 37, 37, 0),
    "POSTER": (5, 2, 2, 0, 3, 5, 5, 5, 0, 5, 5, 1, 5, 5, 0),
    "COUV": (4, 2, 1, 2, 3, 4, 4, 4, 0, 4, 4, 0, 4, 4, 0),
    "OTHER": (2, 2, 2, 0, 1, 2, 2, 2, 0, 2, 2, 0, 0, 2, 0),
    "REPORT": (2, 1, 1, 0, 1, 0, 0, 2, 0, 2, 2, 1, 0, 2, 0),
    "SOFTWARE": (2, 1, 1, 0, 1, 1, 1, 1, 0, 2, 2, 1, 0, 2, 0),
    "IMG": (1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 0, 0, 1, 0),
    "LECTURE": (1, 1, 0, 0, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0),
    "MEM": (1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 0, 0, 1, 0),
    "OUV": (1, 1, 1, 0, 0, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0),
}
YEARS = (
    (2023, 1), (2022, 4), (2020, 9), (2019, 8), (2018, 4), (2017, 1), (2016, 1), (2015, 3),
    (2014, 7), (2013, 1), (2012, 1), (2011, 1), (2010, 1), (2009, 3), (2004, 14), (2003, 2),
    (2002, 5), (2001, 3), (2000, 1), (1998, 1), (1992, 1), (1990, 1),
)  # fmt: skip


def numbers(group: Group) -> tuple[int, ...]:
    return (group.records, *(group.counts[name] for name in FIELDS))


def only(found: Quality) -> SourceQuality:
    (source,) = found.sources
    return source


@pytest.fixture(scope="module")
def recorded(harvested: CommandLine) -> SourceQuality:
    return only(quality(harvested.mirror, ["hal"]))


def test_the_recorded_records_are_counted_as_by_hand(recorded: SourceQuality) -> None:
    found = {"all": recorded.total} | {str(kind): group for kind, group in recorded.types}
    assert {kind: numbers(group) for kind, group in found.items()} == COUNTED
    assert recorded.total.in_journals == 17


def test_types_come_by_frequency_and_then_by_name(recorded: SourceQuality) -> None:
    assert [kind for kind, _ in recorded.types] == [
        "COMM", "ART", "POSTER", "COUV", "OTHER", "REPORT", "SOFTWARE",
        "IMG", "LECTURE", "MEM", "OUV",
    ]  # fmt: skip


def test_years_come_newest_first(recorded: SourceQuality) -> None:
    assert tuple((year, group.records) for year, group in recorded.years) == YEARS
    by_year = dict(recorded.years)
    assert numbers(by_year[2018]) == (4, 2, 0, 0, 2, 3, 3, 3, 0, 4, 3, 0, 3, 4, 0)
    assert numbers(together(by_year.values())) == COUNTED["all"]


def test_xpath_over_the_recorded_pages_counts_the_same() -> None:
    counts: dict[str, Counter[str]] = {}
    for page in ("ListRecords-1.xml", "ListRecords-2.xml", "ListRecords-3.xml"):
        for record in etree.parse(RECORDED / page).iter(f"{OAI}record"):
            sets = [node.text or "" for node in record.iter(f"{OAI}setSpec")]
            (kind,) = [one.removeprefix("type:") for one in sets if one.startswith("type:")]
            has = {"records", *told_by(record)} - ({"issn"} if kind != "ART" else set())
            for name in ("all", kind):
                counts.setdefault(name, Counter()).update(has)
    found = {
        kind: tuple(count[name] for name in ("records", *FIELDS)) for kind, count in counts.items()
    }
    assert found == COUNTED


def told_by(record: "etree._Element") -> set[str]:
    """What a recorded record has, read off its XML alone."""

    def texts(*names: str) -> list[str]:
        nodes = [node for name in names for node in record.iter(f"{DC}{name}")]
        return [" ".join((node.text or "").split()) for node in nodes if (node.text or "").strip()]

    identifiers, sources, rights = texts("identifier"), texts("source"), texts("rights")
    issns = [one for one in sources if re.match("E?ISSN ?:", one)]
    addresses = [one for one in sources if re.match("https?:", one)]
    audiences = {"International audience", "National audience"}
    told = {
        "abstract": set(texts("description")) - audiences,
        "keywords": [one for one in texts("subject") if not re.match(r"\[|MESH :", one)],
        "doi": [one for one in identifiers if re.match("DOI ?:", one)],
        "licence": [one for one in rights if re.match("http", one)],
        "file": [one for one in identifiers if re.search("/document$|/file/", one)],
        "open_access": [one for one in rights if one == "info:eu-repo/semantics/OpenAccess"],
        "language": texts("language"),
        "issn": issns,
        "date": texts("date"),
        "affiliations": [
            one for one in texts("contributor") if re.search(r" \(|Univers|Laborat", one)
        ],
        "funding": [
            one
            for one in texts("relation", "contributor")
            if re.match("info:eu-repo/grantAgreement|ANR-[0-9]+-", one)
        ],
        # one is the whole citation; the title of a journal or book stands beside it
        "container": sources[len(issns) + len(addresses) + 1 :],
        "landing_page": [one for one in identifiers if re.fullmatch(r"https?://[^/]+/[^/]+", one)],
    }
    return {name for name, values in told.items() if values}


def test_the_first_records_that_lack_a_field_are_named(harvested: CommandLine) -> None:
    lacking = only(quality(harvested.mirror, ["hal"], 2)).lacking
    assert lacking["abstract"] == ("anses-01067498v1", "hal-01821474v2")
    assert lacking["language"] == ("hal-01821474v2",)
    assert lacking["affiliations"] == ("hal-04493396v1",)
    assert lacking["date"] == ()
    assert lacking["issn"] == ("anses-01067498v1", "hal-04493396v1")
    assert "warnings" not in lacking


def test_warnings_are_grouped_by_what_they_say(tmp_path: Path) -> None:
    command = harvested_of(
        tmp_path,
        [
            written(
                "oai:HAL:hal-00000001v1", "ART", ("title", "A"), ("date", "2018-13"),
                ("identifier", "ISBN : 978-0"), ("identifier", 'ISBN : it\'s "1"'),
            ),
            written("oai:HAL:hal-00000002v1", "ART", ("title", "B"), ("date", "l'an II")),
            written("oai:HAL:hal-00000003v1", "ART", ("title", "C"), ("date", "2019-00")),
            written("oai:HAL:hal-00000004v1", "ART", ("title", "D"), ("date", "2020")),
        ],
    )  # fmt: skip
    source = only(quality(command.mirror, ["hal"], 2))
    first, second = source.warnings
    assert (first.kind, first.count, first.records) == (
        "date: '…' is no date; kept as given", 3, 3
    )  # fmt: skip
    assert first.examples == (
        Example("hal-00000001v1", "date: '2018-13' is no date; kept as given"),
        Example("hal-00000002v1", 'date: "l\'an II" is no date; kept as given'),
    )
    assert (second.kind, second.count, second.records) == (
        "identifiers.isbn: '…' fails its check; kept under other", 2, 1
    )  # fmt: skip
    assert second.examples == (
        Example("hal-00000001v1", "identifiers.isbn: '978-0' fails its check; kept under other"),
    )
    assert source.total.counts["warnings"] == 3
    assert [(year, group.records) for year, group in source.years] == [(2020, 1), (None, 3)]


@pytest.mark.parametrize(
    ("warning", "kind"),
    [
        ("date: '2018-13' is read as '2018'", "date: '…' is read as '…'"),
        ('date: "l\'an II" is no date', "date: '…' is no date"),
        (r"isbn: 'a \'b\' \"c\"' fails", "isbn: '…' fails"),
        (r"isbn: 'a\\' fails, as 'b' does", "isbn: '…' fails, as '…' does"),
        ("the source's own words", "the source's own words"),
        ("'a: b; c' has no rule", "'…' has no rule"),
        ("an open 'quote", "an open 'quote"),
    ],
)
def test_the_kind_of_a_warning_is_what_is_left_without_values(warning: str, kind: str) -> None:
    assert warning_kind(warning) == kind


def test_only_the_newest_active_version_counts(tmp_path: Path) -> None:
    first = ("title", "A"), ("description", "An abstract."), ("date", "2018")
    gone = written("oai:HAL:hal-00000002v1", "ART", ("title", "B"), ("date", "2017"))
    command = harvested_of(
        tmp_path,
        [
            written("oai:HAL:hal-00000001v1", "ART", *first),
            written("oai:HAL:hal-00000001v2", "COMM", ("title", "A"), ("date", "2019")),
            gone.tombstone("2024-03-08"),
        ],
    )
    source = only(quality(command.mirror, ["hal"]))
    assert source.total.records == 1
    assert source.total.counts["abstract"] == 0
    assert [kind for kind, _ in source.types] == ["COMM"]
    assert source.lacking["abstract"] == ("hal-00000001v2",)


def test_elsewhere_a_type_has_coars_name(tmp_path: Path) -> None:
    command = harvested_of(
        tmp_path,
        [
            written("oai:a:1", None, ("title", "A"), ("type", "Journal Article")),
            written("oai:a:2", None, ("title", "B"), ("type", "Doctoral thesis")),
            written("oai:a:3", None, ("title", "C"), ("type", "sculpture")),
            written(
                "oai:a:4", None, ("title", "D"),
                ("type", "http://purl.org/coar/resource_type/c_7acd"),
            ),
        ],
        'profile = "generic"',
    )  # fmt: skip
    source = only(quality(command.mirror, ["hal"]))
    assert [(kind, group.records, group.in_journals) for kind, group in source.types] == [
        ("article", 1, 1), ("c_7acd", 1, 1), ("doctoral thesis", 1, 0), (None, 1, 0)
    ]  # fmt: skip


def test_an_issn_outside_journals_counts_for_nothing(tmp_path: Path) -> None:
    issn = ("source", "ISSN : 1539-3755")
    command = harvested_of(
        tmp_path,
        [
            written("oai:HAL:hal-00000001v1", "ART", ("title", "A"), ("source", "J"), issn),
            written("oai:HAL:hal-00000002v1", "OUV", ("title", "B"), ("source", "S"), issn),
            written("oai:HAL:hal-00000003v1", "OUV", ("title", "C")),
        ],
    )
    source = only(quality(command.mirror, ["hal"]))
    assert (source.total.counts["issn"], source.total.base("issn")) == (1, 1)
    assert source.total.share("issn") == 1
    assert dict(source.types)["OUV"].share("issn") is None
    assert source.lacking["issn"] == ()


def test_a_source_that_invents_types_is_counted_all_the_same(tmp_path: Path) -> None:
    records = [
        written(f"oai:HAL:hal-{number:08}v1", f"T{number}", ("title", "A"))
        for number in range(1, TYPES_TOLD + 6)
    ]
    types = only(quality(harvested_of(tmp_path, records).mirror, ["hal"])).types
    assert len(types) == TYPES_TOLD + 1
    assert types[0][0] == FURTHER_TYPES
    assert types[0][1].records == 5


@pytest.mark.parametrize(
    ("count", "records", "share"),
    [(1, 3, 0.3333), (2, 3, 0.6666), (99_999, 100_000, 0.9999), (7, 7, 1.0), (0, 7, 0.0)],
)
def test_a_share_is_rounded_down(count: int, records: int, share: float) -> None:
    assert Group(records, 0, {"doi": count}).share("doi") == share


def test_no_records_have_no_share() -> None:
    assert Group(0, 0, dict.fromkeys(FIELDS, 0)).share("doi") is None


def test_configured_sources_come_first_and_show_without_records(harvested: CommandLine) -> None:
    found = quality(harvested.mirror, ["new"]).sources
    assert [(one.name, one.total.records) for one in found] == [("new", 0), ("hal", 73)]
    assert found[0].types == found[0].years == found[0].warnings == ()


def test_no_mirror_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoMirrorError, match="there is no mirror"):
        quality(tmp_path / "none.sqlite")


def copied(harvested: CommandLine, path: Path, times: int) -> Path:
    """A mirror in which each recorded record stands so many times more, under other ids."""
    source, target = sqlite3.connect(harvested.mirror), sqlite3.connect(path)
    source.backup(target)
    source.close()
    (size,) = target.execute("SELECT max(id) FROM content").fetchone()
    (last,) = target.execute("SELECT max(id) FROM document").fetchone()
    (top,) = target.execute("SELECT max(id) FROM state").fetchone()
    for number in range(1, times + 1):
        document, content, state = number * last, number * size, number * top
        target.execute(
            "INSERT INTO document SELECT id + ?, source, local_id || '-' || ? FROM document "
            "WHERE id <= ?",
            (document, number, last),
        )
        target.execute(
            "INSERT INTO content SELECT id + ?, document + ?, version, digest, prefix, rules, "
            "frame FROM content WHERE id <= ?",
            (content, document, size),
        )
        target.execute(
            "INSERT INTO state SELECT id + ?, document + ?, version, content + ?, NULL, "
            "datestamp, sets, status, followed_by, first_seq, end_seq, run FROM state "
            "WHERE id <= ?",
            (state, document, content, top),
        )
    target.commit()
    target.close()
    return path


def test_memory_does_not_grow_with_the_number_of_records(
    harvested: CommandLine, tmp_path: Path
) -> None:
    peaks = []
    for times in (0, 39):
        path = copied(harvested, tmp_path / f"{times}.sqlite", times)
        tracemalloc.start()
        found = only(quality(path, ["hal"]))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert numbers(found.total) == tuple(one * (times + 1) for one in COUNTED["all"])
    # 2,920 records of some 5 kB each are not held.
    assert peaks[1] < peaks[0] + 1_000_000


def test_a_damaged_record_is_named(harvested: CommandLine, tmp_path: Path) -> None:
    path = copied(harvested, tmp_path / "damaged.sqlite", 0)
    connection = sqlite3.connect(path)
    connection.execute(
        "UPDATE content SET frame = x'00' WHERE document = "
        "(SELECT id FROM document WHERE local_id = 'hal-04493396')"
    )
    connection.commit()
    connection.close()
    with pytest.raises(MirrorError, match="hal-04493396v1 is damaged in the mirror"):
        quality(path)
