"""Words that are kept as bitmaps: what is found is what it would be without them."""

import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from halmirror import Mirror
from halmirror.batch import Batch, Row
from halmirror.care.doctor import examine, repair
from halmirror.care.forgetting import forget
from halmirror.frame import Codec
from halmirror.mirror import Filters
from halmirror.record import Body, Title, Value, encode
from halmirror.store import indexer
from halmirror.store.writer import Writer

DOCUMENTS = 3000
APART = 30
"""Contents are given numbers that far apart, so that few of them fill a chunk of 65,536."""


class One(NamedTuple):
    """The words of a record, and its year."""

    title: list[str]
    abstract: list[str]
    year: int

    @property
    def words(self) -> list[str]:
        return self.title + self.abstract


Texts = dict[str, One]


def body(one: One) -> Body:
    return Body(
        titles=(Title(" ".join(one.title)),),
        abstracts=(Value(" ".join(one.abstract)),),
        date=str(one.year),
        year=one.year,
    )


def _texts() -> Texts:
    draw = random.Random(5)  # noqa: S311 - the same each time
    made: Texts = {}
    for number in range(DOCUMENTS):
        title = ["of"] if draw.random() < 0.6 else []
        title += ["the"] if draw.random() < 0.5 else []
        title += draw.choices(["sea", "moon", "river", "glass"], k=2)
        title += [f"rare{number % 100}"] if draw.random() < 0.3 else []
        abstract = draw.choices(["in", "of", "the", "light", "water", "stone"], k=6)
        made[f"hal-{number:05d}"] = One(title, abstract, 1950 + number % 70)
    made["hal-00007"] = One(["the", "of"], ["nothing"], 1950)
    return made


TEXTS = _texts()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror whose first chunk is complete, with the frequent words kept."""
    path = tmp_path_factory.mktemp("frequent") / "mirror.sqlite"
    pack = Codec().pack
    with Writer(path, "test") as writer:
        source, _ = writer.source("hal", "https://example.org/oai", "hal")
        stream = writer.stream(source, "oai_dc", "")
        window = writer.plan(stream, [(None, None)], kind="plan", planned=("", "2026-11-20"))[0]
        rows = tuple(
            Row(
                name, 1, f"oai:HAL:{name}v1", "2024-01-01", (), deleted=False,
                digest=name.encode(),
                frame=pack(
                    b"<dc/>",
                    encode(body(one)),
                ),
            )
            for name, one in TEXTS.items()
        )  # fmt: skip
        writer.commit_page(stream, window, Batch(rows, (), None, "2026-11-20T03:00:00Z"))
        writer.connection.execute("PRAGMA foreign_keys = OFF")
        writer.connection.execute("UPDATE content SET id = -id")
        writer.connection.execute("UPDATE content SET id = -id * ?", (APART,))
        writer.connection.execute("UPDATE state SET content = content * ?", (APART,))
        writer.connection.execute("PRAGMA foreign_keys = ON")
        writer.index()
        writer.finish("done", {})
    return path


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    copied = tmp_path / "mirror.sqlite"
    copied.write_bytes(whole.read_bytes())
    return copied


@pytest.fixture(scope="module")
def mirror(whole: Path) -> Iterator[Mirror]:
    with Mirror(whole) as opened:
        yield opened


def kept(path: Path) -> set[tuple[str, str, int]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT kind, value, chunk FROM facet WHERE kind IN ('word', 'title')"
        )
        return set(rows.fetchall())


def found(mirror: Mirror, query: str) -> set[str]:
    hits = mirror.search(query, limit=DOCUMENTS)
    assert hits.total == len(hits.records)
    return {record.id for record in hits.records}


def index_faults(path: Path) -> list[str]:
    return [fault.what for fault in examine(path, deep=True).faults if fault.part == "index"]


def has(test: Callable[[One], bool]) -> set[str]:
    return {name for name, one in TEXTS.items() if test(one)}


def pair(first: str, second: str, *texts: list[str]) -> bool:
    return any((first, second) in pairwise(text) for text in texts)


def test_what_an_eighth_of_a_chunk_has_is_kept_and_nothing_else(whole: Path) -> None:
    rows = kept(whole)
    assert {chunk for _, _, chunk in rows} == {0}  # the second chunk is not complete
    words = {value for kind, value, _ in rows if kind == "word"}
    assert {"of", "the", "in", "sea", "light", "of the"} <= words
    assert not {word for word in words if word.startswith("rare")}
    assert ("title", "of", 0) in rows


@pytest.mark.parametrize(
    ("query", "test"),
    [
        ("the", lambda one: "the" in one.words),
        ("title:the", lambda one: "the" in one.title),
        ("abstract:the", lambda one: "the" in one.abstract),
        ("the of light", lambda one: {"the", "of", "light"} <= {*one.words}),
        ("rare7 the", lambda one: "rare7" in one.title and "the" in one.words),
        ("rare7 OR rare8", lambda one: "rare7" in one.title or "rare8" in one.title),
        ("the OR rare7", lambda one: "the" in one.words or "rare7" in one.title),
        ("stone NOT the", lambda one: "stone" in one.abstract and "the" not in one.words),
        ('"of the"', lambda one: pair("of", "the", one.title, one.abstract)),
        ('title:"of the"', lambda one: pair("of", "the", one.title)),
        ('"light water"', lambda one: pair("light", "water", one.abstract)),
        ("rare1*", lambda one: any(word.startswith("rare1") for word in one.title)),
        ("li* moon", lambda one: {"light", "moon"} <= {*one.words}),
        ("the year:1960..1969", None),
    ],
)  # fmt: skip
def test_hits_are_those_of_the_texts(
    mirror: Mirror, query: str, test: Callable[[One], bool] | None
) -> None:
    if test is None:
        expected = has(lambda one: "the" in one.words and 1960 <= one.year <= 1969)
    else:
        expected = has(test)
    assert expected
    assert found(mirror, query) == expected


def test_a_title_of_frequent_words_alone_comes_first_when_it_is_pasted(mirror: Mirror) -> None:
    hits = mirror.search("The of")
    assert hits.sort == "relevance"
    assert hits.records[0].id == "hal-00007"
    assert hits.total > 500


def test_a_frequent_word_in_the_title_comes_before_one_in_the_abstract(mirror: Mirror) -> None:
    hits = mirror.search("of", Filters(year=("1990",)), limit=100)
    titled = ["of" in TEXTS[record.id].title for record in hits.records]
    assert True in titled
    assert False in titled
    assert titled == sorted(titled, reverse=True)


@pytest.mark.parametrize("sort", ["newest", "oldest"])
@pytest.mark.parametrize("query", ["", "the", "rare7"])
def test_hits_are_in_the_order_of_their_dates_page_by_page(
    mirror: Mirror, query: str, sort: str
) -> None:
    expected = sorted(
        has(lambda one: not query or query in one.words),
        key=lambda name: (TEXTS[name].year * (1 if sort == "oldest" else -1), name),
    )
    names: list[str] = []
    cursor = None
    while len(names) < 300:
        hits = mirror.search(query, sort=sort, limit=70, cursor=cursor)
        names += [record.id for record in hits.records]
        cursor = hits.next
        if cursor is None:
            break
    assert names == expected[: len(names)]
    assert len(names) >= min(300, len(expected))


def test_changed_words_are_no_longer_kept_until_they_are_counted_anew(path: Path) -> None:
    number = 8 * APART  # hal-00007: "the of"
    former = encode(body(TEXTS["hal-00007"]))
    new = body(One(["sea"], [], 1950))
    with Writer(path, "test") as writer:
        with writer.transaction():
            indexer.renew(writer.connection, [(number, indexer.renewal(former, new))])
        assert not kept(path)
        with Mirror(path) as mirror:
            assert "hal-00007" not in found(mirror, "of")
            assert "hal-00007" in found(mirror, "sea")
        writer.index()
        writer.finish("done", {})
    assert ("word", "sea", 0) in kept(path)
    with Mirror(path) as mirror:
        assert "hal-00007" not in found(mirror, "of")
        assert "hal-00007" in found(mirror, "sea")


def test_what_is_forgotten_is_found_by_no_kept_word(path: Path) -> None:
    forget(path, ["hal-00007"], reason="asked")
    assert ("word", "of", 0) in kept(path)
    with Mirror(path) as mirror:
        assert "hal-00007" not in found(mirror, "the of")
    assert not index_faults(path)


def test_doctor_finds_a_kept_word_that_is_wrong_and_makes_it_anew(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE facet SET bits = (SELECT bits FROM facet WHERE kind = 'word' AND value = 'the')"
            " WHERE kind = 'word' AND value = 'sea'"
        )
    assert [fault.partition(",")[0] for fault in index_faults(path)] == [
        "a bitmap does not agree with the words: word sea"
    ]
    repair(path, deep=True)
    assert not index_faults(path)
    assert ("word", "sea", 0) in kept(path)


def test_a_run_that_is_killed_while_words_are_counted_leaves_them_to_the_next(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM facet WHERE kind IN ('word', 'title')")
    program = (
        "import os, sys; from pathlib import Path\n"
        "from halmirror.store import frequent; from halmirror.store.writer import Writer\n"
        "keep = frequent.keep\n"
        "def killed(*a):\n    keep(*a)\n    os.kill(os.getpid(), 9)\n"
        "frequent.keep = killed\n"
        "with Writer(Path(sys.argv[1]), 'test') as writer:\n    writer.index()\n"
    )
    ran = subprocess.run([sys.executable, "-c", program, path], check=False)
    assert ran.returncode == -9
    assert not kept(path)
    with Writer(path, "test") as writer:
        writer.index()
        writer.finish("done", {})
    assert ("word", "sea", 0) in kept(path)
