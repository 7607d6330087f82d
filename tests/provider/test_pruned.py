"""A mirror whose history was pruned gives the same lists; a list begun before that is over."""

from pathlib import Path

from lxml import etree

from deliveries import Delivery, Filling
from halmirror.care.pruning import prune
from halmirror.mirror import Mirror
from halmirror.provider.answer import answer
from halmirror.provider.identity import Repository
from provider_answers import NS, error, identifier, is_deleted, judged, token

REPOSITORY = Repository("https://example.org/oai", page_size=2)


def ask(path: Path, **arguments: str) -> etree._Element:
    with Mirror(path) as mirror:
        return judged(answer(list(arguments.items()), mirror, REPOSITORY))


def listed(path: Path) -> list[tuple[str, bool]]:
    page = ask(path, verb="ListRecords", metadataPrefix="oai_dc")
    found = []
    while True:
        records = page.iterfind("o:ListRecords/o:record", NS)
        found += [(identifier(one), is_deleted(one)) for one in records]
        if not (value := token(page)):
            return found
        page = ask(path, verb="ListRecords", resumptionToken=value)


def test_lists_and_tokens(tmp_path: Path) -> None:
    path = tmp_path / "mirror.sqlite"
    with Filling(path, day=1) as filling:
        filling.take(*(Delivery(number, title=f"Words {number}") for number in range(1, 7)))
    old = token(ask(path, verb="ListRecords", metadataPrefix="oai_dc"))
    with Filling(path, day=2) as filling:
        filling.take(Delivery(2, deleted=True), Delivery(4, title="Other words"))
    new = token(ask(path, verb="ListRecords", metadataPrefix="oai_dc"))
    before = listed(path)
    assert len(before) == 6
    assert sum(is_gone for _, is_gone in before) == 1
    assert prune(path, keep_days=0).states == 1
    assert listed(path) == before
    assert error(ask(path, verb="ListRecords", resumptionToken=new)) is None
    assert error(ask(path, verb="ListRecords", resumptionToken=old)) == "badResumptionToken"
