"""Links between documents of the same work, and one record for an id of several sources."""

import json
from itertools import permutations
from pathlib import Path

import pytest

from halmirror import Mirror
from halmirror.batch import Batch, Row
from halmirror.frame import Codec
from halmirror.mirror import Filters
from halmirror.record import Body, DocumentType, Identifiers, SameAs, Title, encode
from halmirror.record.identifiers import body_keys
from halmirror.store import indexer
from halmirror.store.view import SHARED_BY_AT_MOST
from halmirror.store.writer import Writer

DOI = "10.1000/one"


def row(identifier: str, version: int = 1, *, title: str = "A title", **known: str) -> Row:
    identifiers = Identifiers(**{scheme: (value,) for scheme, value in known.items()})
    body = Body(type=DocumentType("ART"), titles=(Title(title),), identifiers=identifiers)
    source = f"<dc>{title} {known}</dc>".encode()
    return Row(
        identifier,
        version,
        f"oai:HAL:{identifier}v{version}",
        "2024-01-01",
        ("type:ART",),
        deleted=False,
        digest=source,
        frame=Codec().pack(source, encode(body)),
        keys=body_keys(body),
    )


def gone(identifier: str, version: int = 1) -> Row:
    return Row(
        identifier, version, f"oai:HAL:{identifier}v{version}", "2024-02-01", (), deleted=True
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mirror.sqlite"


def take(path: Path, source: str, *rows: Row) -> None:
    """One run that harvests these rows from a source and indexes them."""
    with Writer(path, "test") as writer:
        known, _ = writer.source(source, "https://example.org/oai", "hal")
        stream = writer.stream(known, "oai_dc", "")
        (window,) = writer.plan(stream, [(None, None)], kind="plan", planned=("", "2026-11-20"))
        writer.commit_page(stream, window, Batch(rows, (), None, "2026-11-20T03:00:00Z"))
        indexer.catch_up(writer.connection)


def linked(mirror: Mirror, identifier: str, at: int | None = None) -> list[str]:
    record = mirror.get(identifier, at=at)
    assert record is not None
    return [f"{one.source} {one.id} {one.version}" for one in record.head.same_as]


def exported(mirror: Mirror, **how: object) -> list[dict[str, object]]:
    return [json.loads(line) for line in mirror.lines(**how)]  # type: ignore[arg-type]


def ids(mirror: Mirror, **how: object) -> list[str]:
    return [
        f"{one.head.source} {one.versioned_id}"
        for one in mirror.records(**how)  # type: ignore[arg-type]
    ]


def test_documents_that_share_an_identifier_are_linked_both_ways(path: Path) -> None:
    take(
        path,
        "hal",
        row("hal-1", doi=DOI, arxiv="1303.0980v2"),
        row("hal-2", 2, doi=DOI),
        row("hal-3", pmid="1234"),
        row("hal-4", nnt="2013PA010612", isbn="9781783748419"),
        row("hal-5", isbn="9781783748419"),
    )
    take(
        path,
        "arxiv",
        row("oai:arXiv.org:1303.0980", 0, arxiv="1303.0980", doi=DOI),
        row("oai:theses.fr:2013PA010612", 0, nnt="2013PA010612"),
    )
    with Mirror(path) as mirror:
        record = mirror.get("hal-1")
        assert record is not None
        assert record.head.same_as == (
            SameAs(source="arxiv", id="oai:arXiv.org:1303.0980", by=("doi", "arxiv")),
            SameAs(source="hal", id="hal-2", version=2, by=("doi",)),
        )
        assert linked(mirror, "hal-2") == ["arxiv oai:arXiv.org:1303.0980 None", "hal hal-1 1"]
        assert linked(mirror, "hal-3") == []
        assert linked(mirror, "hal-4") == ["arxiv oai:theses.fr:2013PA010612 None"]
        assert linked(mirror, "hal-5") == []
        lines = {str(one["id"]): one for one in exported(mirror)}
        for identifier, line in lines.items():
            assert json.loads(mirror.json(identifier) or b"") == line
        assert lines["hal-2"]["same_as"] == [
            {"source": "arxiv", "id": "oai:arXiv.org:1303.0980", "by": ["doi"]},
            {"source": "hal", "id": "hal-1", "version": 1, "by": ["doi"]},
        ]
        assert "same_as" not in lines["hal-3"]
        assert list(lines["hal-2"])[5:8] == ["status", "same_as", "sets"]
        (hit,) = mirror.search("", Filters(source=("arxiv",)), limit=1).records
        assert [one.id for one in hit.head.same_as] == ["hal-1", "hal-2"]


def test_one_record_that_bears_an_identifier_alone_or_twice_links_to_nothing(path: Path) -> None:
    take(path, "hal", row("hal-1", 1, doi=DOI), row("hal-1", 2, doi=DOI))
    with Mirror(path) as mirror:
        assert linked(mirror, "hal-1v1") == []
        assert linked(mirror, "hal-1v2") == []


def test_a_link_holds_only_while_both_bear_the_identifier(path: Path) -> None:
    take(path, "hal", row("hal-1", doi=DOI), row("hal-2"))
    take(path, "hal", row("hal-2", doi=DOI))
    take(path, "hal", row("hal-2", doi="10.1000/other"))
    take(path, "hal", row("hal-2", 2, doi=DOI))
    take(path, "hal", gone("hal-2", 2))
    with Mirror(path) as mirror:
        seen = [linked(mirror, "hal-1", at) for at in range(1, 6)]
        assert seen == [[], ["hal hal-2 1"], [], ["hal hal-2 2"], []]
        for at in range(1, 6):
            (line,) = (one for one in exported(mirror, at=at) if one["id"] == "hal-1")
            assert ("same_as" in line) is (at in (2, 4))
        # The record that is gone still tells where its work is.
        assert linked(mirror, "hal-2v2") == ["hal hal-1 1"]
        assert linked(mirror, "hal-2v1", 4) == []


def test_an_identifier_that_many_documents_bear_links_none_of_them(path: Path) -> None:
    most = [row(f"hal-{number}", doi=DOI) for number in range(1, SHARED_BY_AT_MOST + 1)]
    take(path, "hal", *most)
    take(path, "hal", row("hal-1000", doi=DOI, pmid="77"), row("hal-1001", pmid="77"))
    take(path, "hal", gone("hal-1"))
    with Mirror(path) as mirror:
        assert len(linked(mirror, "hal-2", 1)) == SHARED_BY_AT_MOST - 1
        assert linked(mirror, "hal-2", 2) == []
        assert linked(mirror, "hal-1000", 2) == ["hal hal-1001 1"]
        assert len(linked(mirror, "hal-2", 3)) == SHARED_BY_AT_MOST - 1


def test_the_export_is_the_same_in_any_order_of_harvest(tmp_path: Path) -> None:
    runs = [
        ("portal", row("hal-2", doi=DOI, pmid="77")),
        ("hal", row("hal-1", doi=DOI)),
        ("hal", row("hal-2", doi=DOI, pmid="77")),
        ("hal", row("hal-3", pmid="77")),
    ]
    found = set()
    for number, order in enumerate(permutations(runs)):
        path = tmp_path / f"{number}.sqlite"
        for source, one in order:
            take(path, source, one)
        with Mirror(path, ["hal", "portal"]) as mirror:
            everything = b"\n".join(mirror.lines())
            unique = b"\n".join(mirror.lines(unique=True))
            hits = mirror.search("title", facets=True, sort="newest")
            found.add((everything, unique, hits.total, str(hits.facets), str(hits.records)))
    assert len(found) == 1
    ((everything, unique, total, _, _),) = found
    assert (len(everything.splitlines()), len(unique.splitlines()), total) == (4, 3, 3)


@pytest.fixture
def copied(path: Path) -> Path:
    """hal-1 in both sources, hal-2 and hal-3 in one each, hal-4 gone from ``hal`` alone."""
    take(
        path,
        "hal",
        row("hal-1", 1, title="Old words"),
        row("hal-1", 2, title="Shared words"),
        row("hal-2", title="Shared words"),
        row("hal-4", title="Shared words"),
    )
    take(
        path,
        "portal",
        row("hal-1", 2, title="Shared words portal"),
        row("hal-3", title="Shared words"),
        row("hal-4", title="Shared words"),
    )
    take(path, "hal", gone("hal-4"))
    return path


def hits(mirror: Mirror, query: str, filters: Filters | None = None, **more: object) -> list[str]:
    found = mirror.search(query, filters, sort="oldest", facets=True, **more)  # type: ignore[arg-type]
    assert found.total == len(found.records) == found.facets["type"].get("ART", 0)
    return sorted(f"{one.head.source} {one.versioned_id}" for one in found.records)


def test_a_search_gives_an_id_of_two_sources_once(copied: Path) -> None:
    with Mirror(copied, ["portal", "hal"]) as mirror:
        assert hits(mirror, "shared") == [
            "hal hal-2v1",
            "portal hal-1v2",
            "portal hal-3v1",
            "portal hal-4v1",
        ]
    with Mirror(copied, ["hal", "portal"]) as mirror:
        assert hits(mirror, "shared") == [
            "hal hal-1v2",
            "hal hal-2v1",
            "portal hal-3v1",
            "portal hal-4v1",
        ]
        # Only the portal's copy answers, or is asked for.
        assert hits(mirror, "portal") == ["portal hal-1v2"]
        assert "portal hal-1v2" in hits(mirror, "shared", Filters(source=("portal",)))
        # Its versions stay together, and what is active comes first.
        assert hits(mirror, "words", Filters(status=("all",))) == [
            "hal hal-1v1",
            "hal hal-1v2",
            "hal hal-2v1",
            "portal hal-3v1",
            "portal hal-4v1",
        ]
        # Before the second source came, and before hal-4 went.
        assert hits(mirror, "shared", at=1) == ["hal hal-1v2", "hal hal-2v1", "hal hal-4v1"]
        assert hits(mirror, "shared", at=2) == [
            "hal hal-1v2",
            "hal hal-2v1",
            "hal hal-4v1",
            "portal hal-3v1",
        ]
        facets = mirror.search("shared", facets=True).facets["source"]
        assert facets == {"hal": 2, "portal": 2}


def test_an_export_gives_all_copies_or_one(copied: Path) -> None:
    with Mirror(copied, ["hal", "portal"]) as mirror:
        assert ids(mirror) == [
            "hal hal-1v2",
            "hal hal-2v1",
            "portal hal-1v2",
            "portal hal-3v1",
            "portal hal-4v1",
        ]
        assert ids(mirror, unique=True) == [
            "hal hal-1v2",
            "hal hal-2v1",
            "portal hal-3v1",
            "portal hal-4v1",
        ]
        assert ids(mirror, unique=True, filters=Filters(source=("portal",))) == [
            "portal hal-1v2",
            "portal hal-3v1",
            "portal hal-4v1",
        ]
        assert ids(mirror, unique=True, filters=Filters(status=("all",))) == [
            "hal hal-1v1",
            "hal hal-1v2",
            "hal hal-2v1",
            "portal hal-3v1",
            "portal hal-4v1",
        ]
        assert ids(mirror, unique=True, at=2) == [
            "hal hal-1v2",
            "hal hal-2v1",
            "hal hal-4v1",
            "portal hal-3v1",
        ]


def test_an_index_made_anew_knows_the_copies(copied: Path) -> None:
    with Writer(copied, "test") as writer:
        indexer.rebuild(writer.connection)
    with Mirror(copied, ["hal", "portal"]) as mirror:
        assert len(hits(mirror, "shared")) == 4


def test_identifiers_choose_what_an_export_gives(copied: Path) -> None:
    take(copied, "hal", row("hal-8", doi=DOI), row("hal-9", doi=DOI))
    take(copied, "hal", row("hal-9", doi="10.1000/other"))
    with Mirror(copied, ["hal", "portal"]) as mirror:
        chosen = mirror.choose(["hal-3", "nope", "hal-1", f"https://doi.org/{DOI}", "hal-1"])
        assert (chosen.missing, chosen.left_out, len(chosen)) == (("nope",), (), 4)
        assert ids(mirror, only=chosen) == [
            "hal hal-1v2",
            "hal hal-8v1",
            "portal hal-1v2",
            "portal hal-3v1",
        ]
        assert ids(mirror, only=mirror.choose(["hal-1"], unique=True)) == ["hal hal-1v2"]
        # A version that is named is given whatever its status, unless a status is asked for.
        assert ids(mirror, only=mirror.choose(["hal-1v1"])) == ["hal hal-1v1"]
        active = mirror.choose(["hal-1v1", "hal-2"], Filters(status=("active",)))
        assert (active.left_out, ids(mirror, only=active)) == (("hal-1v1",), ["hal hal-2v1"])
        every = mirror.choose(["hal-1"], Filters(status=("all",), source=("hal",)))
        assert ids(mirror, only=every) == ["hal hal-1v1", "hal hal-1v2"]
        # Both bore the DOI then.
        assert ids(mirror, only=mirror.choose([DOI], at=4)) == ["hal hal-8v1", "hal hal-9v1"]
        assert mirror.choose([DOI], at=3).missing == (DOI,)
