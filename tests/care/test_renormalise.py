"""Normalising again, in this process on real SQLite files."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
import zstandard
from lxml import etree

from conftest import REPOSITORY
from halmirror import Mirror
from halmirror.batch import RULES_VERSION, Rules, body_of, normalise, prepare
from halmirror.care.renormalise import Report, renormalise
from halmirror.frame import Codec
from halmirror.mirror import Filters
from halmirror.oaipmh.protocol import parse, well_formed
from halmirror.record import Body, Identifiers, encode
from halmirror.store import indexer
from halmirror.store.writer import Writer
from older_rules import former, older_rules

HAL = Rules("oai_dc", "hal")
LONE_RECORDS = {"aub-beirut", "contentdm-utah"}
DATA = REPOSITORY / "tests" / "data"
PAGES = [
    *((path, HAL) for path in sorted((REPOSITORY / "data" / "hal-oai").glob("*Record*.xml"))),
    *(
        (path, Rules("oai_dc", "generic"))
        for path in sorted((DATA / "other-oai").glob("*.xml"))
        if path.stem not in LONE_RECORDS
    ),
    (DATA / "hal-dcterms" / "ListRecords.xml", Rules("oai_dcterms", "hal")),
]


def answer(*records: str, root: str = "") -> bytes:
    return (
        f'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/" {root}>'
        "<responseDate>2026-11-20T00:00:00Z</responseDate>"
        '<request verb="ListRecords">https://example.org/oai</request>'
        f"<ListRecords>{''.join(records)}</ListRecords></OAI-PMH>"
    ).encode()


def record(
    *elements: str,
    identifier: str = "oai:HAL:hal-00000001v1",
    day: str = "2026-01-01",
    sets: Sequence[str] = (),
) -> str:
    told = "".join(f"<setSpec>{one}</setSpec>" for one in sets)
    return (
        f"<record><header><identifier>{identifier}</identifier><datestamp>{day}</datestamp>{told}"
        '</header><metadata><dc xmlns="http://www.openarchives.org/OAI/2.0/oai_dc/" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/">{"".join(elements)}</dc></metadata></record>'
    )


def tombstone(identifier: str = "oai:HAL:hal-00000001v1", day: str = "2026-02-01") -> str:
    return (
        f'<record><header status="deleted"><identifier>{identifier}</identifier>'
        f"<datestamp>{day}</datestamp></header></record>"
    )


def take(path: Path, *pages: bytes, profile: str = "hal") -> None:
    """Store the pages as lists of their own, and index them."""
    with Writer(path, "test") as writer:
        source, _ = writer.source("hal", "https://example.org/oai", profile)
        stream = writer.stream(source, "oai_dc", "")
        for page in pages:
            window = writer.plan(stream, [(None, None)], kind="plan")[0]
            batch = prepare(page, Rules("oai_dc", profile))
            assert batch.rejected == ()
            writer.commit_page(stream, window, batch)
        indexer.catch_up(writer.connection)


def again(path: Path, **options: object) -> Report:
    report = renormalise(path, processes=1, **options)  # type: ignore[arg-type]
    assert report.failure is None
    return report


def body(path: Path, identifier: str, at: int | None = None) -> Body:
    with Mirror(path) as mirror:
        found = mirror.get(identifier, at=at)
    assert found is not None
    return found.body


def execute(path: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    rows = connection.execute(statement, values).fetchall()
    connection.commit()
    connection.close()
    return rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mirror.sqlite"


@pytest.mark.parametrize(("page", "rules"), PAGES, ids=[path.stem for path, _ in PAGES])
def test_what_is_kept_of_a_record_gives_the_same_body_again(page: Path, rules: Rules) -> None:
    for one in parse(page.read_bytes()).records:
        if one.metadata is None:
            continue
        source, first = normalise(one.metadata, rules, "hal-1", 1, one.header.sets)
        second = body_of(well_formed(source), rules, "hal-1", 1, one.header.sets)
        assert second == first


def test_a_language_that_stands_around_the_record_is_kept_with_its_values(path: Path) -> None:
    page = answer(
        record("<dc:title>Titre</dc:title>", '<dc:title xml:lang="en">Title</dc:title>'),
        root='xml:lang="fr"',
    )
    with older_rules():
        take(path, page)
    again(path)
    assert [title.lang for title in body(path, "hal-00000001").titles] == ["fr", "en"]
    ((frame,),) = execute(path, "SELECT frame FROM content")
    source = etree.fromstring(Codec().open(frame).source)  # type: ignore[arg-type]
    languages = [one.get("{http://www.w3.org/XML/1998/namespace}lang") for one in source]
    assert languages == ["fr", "en"]


def test_a_key_stays_while_any_content_of_the_document_gives_it(path: Path) -> None:
    doi, other = ("<dc:identifier>DOI : 10.1000/one</dc:identifier>", "<dc:title>T</dc:title>")
    with older_rules(lambda one: one):
        take(
            path,
            answer(record(doi, other)),
            answer(record(other, day="2026-02-01")),
            answer(record(other, identifier="oai:HAL:hal-00000002v1")),
        )
    # The rules of old found one DOI where there was none, and one that is another record's.
    lied = Identifiers(doi=("10.1000/one", "10.1000/wrong"))
    for number, frame in execute(path, "SELECT id, frame FROM content WHERE id > 1"):
        source = Codec().open(frame).source  # type: ignore[arg-type]
        wrong = Codec().pack(source, encode(Body(identifiers=lied)))
        execute(path, "UPDATE content SET frame = ? WHERE id = ?", wrong, number)
        for value in lied.doi:
            execute(
                path,
                "INSERT OR IGNORE INTO identifier SELECT 'doi', ?, document FROM content "
                "WHERE id = ?",
                value,
                number,
            )
    again(path)
    assert execute(path, "SELECT scheme, value, document FROM identifier") == [
        ("doi", "10.1000/one", 1)
    ]
    with Mirror(path) as mirror:
        assert mirror.get("10.1000/wrong") is None
        found = mirror.get("10.1000/one")
    assert found is not None
    assert found.id == "hal-00000001"


def test_the_sets_of_a_tombstone_are_not_the_contents(path: Path) -> None:
    with older_rules():
        take(path, answer(record("<dc:title>T</dc:title>", sets=("type:COUV",))))
        take(path, answer(tombstone()))
    again(path)
    kind = body(path, "hal-00000001").type
    assert kind is not None
    assert kind.hal == "COUV"


def test_each_content_keeps_the_profile_it_came_under(path: Path) -> None:
    comma = "<dc:publisher>HAL CCSD</dc:publisher>"
    title = "<dc:title>T</dc:title>"
    generic = "oai:elsewhere.org:1"
    with older_rules():
        take(path, answer(record(title, comma, identifier=generic)), profile="generic")
        take(path, answer(record(title, comma)), profile="hal")
    again(path)
    assert body(path, generic).publishers == ("HAL CCSD",)
    assert body(path, "hal-00000001").publishers == ()


def test_frames_with_a_dictionary_are_read_and_written(path: Path) -> None:
    pages = [answer(record(f"<dc:title>Title {number}</dc:title>")) for number in range(3)]
    with older_rules():
        take(path, *pages)
    words = b"".join(pages) * 20
    dictionary = zstandard.train_dictionary(
        4096, [words[at : at + 300] for at in range(0, 9000, 90)]
    )
    number = dictionary.dict_id()
    execute(
        path,
        "INSERT INTO dictionary (id, bytes, source) VALUES (?, ?, 1)",
        number,
        dictionary.as_bytes(),
    )
    both = Codec({number: dictionary.as_bytes()}, writes=number)
    (content, frame), *_ = execute(path, "SELECT id, frame FROM content")
    held = both.open(frame)  # type: ignore[arg-type]
    packed = both.pack(held.source, held.body)
    execute(path, "UPDATE content SET frame = ? WHERE id = ?", packed, content)
    again(path)
    assert body(path, "hal-00000001").titles[0].value == "Title 2"
    assert body(path, "hal-00000001", at=1).titles[0].value == "Title 0"
    for (stored,) in execute(path, "SELECT frame FROM content"):
        assert zstandard.get_frame_parameters(stored).dict_id == number


@pytest.mark.parametrize(
    "stored",
    [b'{"headline":"Zyzzyva","titles":[{"value":"Zyzzyva"}]}', b'{"titles":7}', b"no JSON"],
)
def test_where_the_former_words_cannot_be_told_the_index_is_made_anew(
    path: Path, stored: bytes
) -> None:
    pages = answer(
        record("<dc:title>One</dc:title>"),
        record("<dc:title>Two</dc:title>", identifier="oai:HAL:hal-00000002v1"),
    )
    with older_rules():
        take(path, pages)
    ((frame,),) = execute(path, "SELECT frame FROM content WHERE id = 1")
    packed = Codec().pack(Codec().open(frame).source, stored)  # type: ignore[arg-type]
    execute(path, "UPDATE content SET frame = ? WHERE id = 1", packed)
    report = again(path)
    assert report.sources[0].changed == 2
    with Mirror(path) as mirror:
        assert mirror.search("zyzzyva").total == 0
        assert [hit.id for hit in mirror.search("one").records] == ["hal-00000001"]
        assert [hit.id for hit in mirror.search("two").records] == ["hal-00000002"]
        assert mirror.search("", Filters(year=("1901",))).total == 0
    assert execute(path, "SELECT name, upto FROM derived WHERE name <> 'renewed at'") == [
        ("content", 2),
        ("copy", 2),
        ("state", 2),
    ]
    assert execute(path, "SELECT sort_date FROM entry") == [(0,), (0,)]


def test_an_index_that_was_left_half_made_is_finished(path: Path) -> None:
    with older_rules():
        take(path, answer(record("<dc:title>One</dc:title>")))
    again(path)
    execute(path, "DELETE FROM derived")
    execute(path, "DELETE FROM entry")
    execute(path, "INSERT INTO search_text (search_text) VALUES ('delete-all')")
    assert again(path).sources[0].looked_at == 0
    with Mirror(path) as mirror:
        assert mirror.search("one").total == 1


def test_several_older_rules_are_brought_up_to_date_in_small_batches(path: Path) -> None:
    for number, rules in enumerate((-3, -1, -2), start=1):
        with older_rules(rules=rules):
            take(
                path,
                *(
                    answer(
                        record(
                            f"<dc:title>T{copy}</dc:title>",
                            identifier=f"oai:HAL:hal-0000000{number}v{copy}",
                        )
                    )
                    for copy in (1, 2, 3)
                ),
            )
    seen: list[tuple[str, int, int]] = []
    again(path, batch=2, watch=lambda *told: seen.append(told))
    assert [done for _, done, _ in seen] == [2, 3, 5, 6, 8, 9]
    assert {(name, total) for name, _, total in seen} == {("hal", 9)}
    assert execute(path, "SELECT DISTINCT rules FROM content") == [(RULES_VERSION,)]


def test_all_that_was_cut_goes_on_after_the_last_batch(path: Path) -> None:
    numbers = range(1, 6)
    take(
        path,
        answer(
            *(
                record(
                    f"<dc:title>T{number}</dc:title>", identifier=f"oai:HAL:hal-0000000{number}v1"
                )
                for number in numbers
            )
        ),
    )

    class CutError(Exception):
        pass

    def cut(_: str, done: int, total: int) -> None:
        assert total == 5
        if done == 4:
            raise CutError

    with pytest.raises(CutError):
        renormalise(path, every=True, processes=1, batch=2, watch=cut)
    assert again(path, every=True).sources[0].looked_at == 1
    assert again(path, every=True).sources[0].looked_at == 5


def test_the_report_can_be_told_as_json(path: Path) -> None:
    with older_rules():
        take(path, answer(record("<dc:title>One</dc:title>")))
    assert json.loads(again(path, samples=1).json()) == {
        "command": "renormalise",
        "rules": RULES_VERSION,
        "dry_run": False,
        "exit_code": 0,
        "failure": None,
        "sources": [
            {
                "name": "hal",
                "looked_at": 1,
                "changed": 1,
                "failures": [],
                "keys": {
                    key: {
                        "added": 0,
                        "changed": int(kind == "changed"),
                        "removed": int(kind == "removed"),
                        "samples": [{"id": "hal-00000001v1", "before": before, "after": after}],
                    }
                    for key, kind, before, after in (
                        ("date", "removed", '"1901-02-03"', None),
                        ("identifiers", "removed", '{"doi":["10.9999/of-old"]}', None),
                        ("notes", "removed", '["a note of old"]', None),
                        ("titles", "changed", '[{"value":"Zyzzyva One"}]', '[{"value":"One"}]'),
                        ("year", "removed", "1901", None),
                    )
                },
            }
        ],
    }


def test_samples_do_not_depend_on_the_order_of_arrival(tmp_path: Path) -> None:
    records = [
        record(f"<dc:title>T{number}</dc:title>", identifier=f"oai:HAL:hal-0000000{number}v1")
        for number in (3, 1, 2)
    ]
    told = []
    for name, order in (("a", records), ("b", records[::-1])):
        with older_rules(lambda one: former(msgspec.structs.replace(one, notes=()))):
            take(tmp_path / name, answer(*order))
        told.append(again(tmp_path / name, samples=2, batch=1).as_dict())
    assert told[0] == told[1]
    assert "hal-00000003v1" not in json.dumps(told[0])
