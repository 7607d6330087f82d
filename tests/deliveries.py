"""Mirrors filled with deliveries made by hand: small records of HAL's form, commit by commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from halmirror.batch import Batch, Rules, prepare
from halmirror.store.writer import Writer

RULES = Rules("oai_dc", "hal")
_DC = (
    'xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"'
)


@dataclass(frozen=True)
class Delivery:
    """A record as a server gives it: a title and a DOI, its sets; ``deleted``: its header alone."""

    number: int
    version: int = 1
    title: str = "A title"
    sets: tuple[str, ...] = ("type:ART",)
    datestamp: str = "2024-01-01"
    deleted: bool = False

    @property
    def id(self) -> str:
        """HAL's id, without the version."""
        return f"hal-{self.number:08d}"

    @property
    def doi(self) -> str:
        """The DOI that goes with the title."""
        return f"10.1234/{self.number}.{self.title.lower().replace(' ', '-')}"

    def xml(self) -> str:
        """The record element."""
        sets = "".join(f"<setSpec>{one}</setSpec>" for one in self.sets)
        status = ' status="deleted"' if self.deleted else ""
        header = (
            f"<header{status}><identifier>oai:HAL:{self.id}v{self.version}</identifier>"
            f"<datestamp>{self.datestamp}</datestamp>{sets}</header>"
        )
        if self.deleted:
            return f"<record>{header}</record>"
        return (
            f"<record>{header}<metadata><oai_dc:dc {_DC}><dc:title>{self.title}</dc:title>"
            f"<dc:identifier>info:doi/{self.doi}</dc:identifier>"
            "<dc:date>2020-01-01</dc:date></oai_dc:dc></metadata></record>"
        )


def batch(deliveries: Sequence[Delivery]) -> Batch:
    """The page that has them, prepared as a harvest does."""
    page = (
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
        "<responseDate>2024-03-01T00:00:00Z</responseDate>"
        f"<ListRecords>{''.join(one.xml() for one in deliveries)}</ListRecords></OAI-PMH>"
    )
    return prepare(page.encode(), RULES)


class Filling:
    """A run that takes pages; a context manager.  Each commit is a minute after the one before.

    ``killed``: it ends as a run does that was killed between its last commit and the index.
    """

    def __init__(self, path: Path, *, day: int = 1, killed: bool = False) -> None:
        self._killed = killed
        self._day = day
        self._minutes = 0
        self.writer = Writer(path, "harvest", now=self._now)

    def __enter__(self) -> Self:
        self.writer.__enter__()
        source, _ = self.writer.source("hal", "https://example.org/oai", "hal")
        self.stream = self.writer.stream(source, "oai_dc", "")
        return self

    def __exit__(self, *exception: object) -> None:
        if not self._killed:
            self.writer.index()
            self.writer.finish("done", {})
        self.writer.__exit__()

    def take(self, *deliveries: Delivery) -> None:
        """One page, a list of its own."""
        self._minutes += 1
        (window,) = self.writer.plan(self.stream, [(None, None)], kind="extra")
        self.writer.commit_page(self.stream, window, batch(deliveries))
        self.writer.close(window, "the list's last page")

    def _now(self) -> str:
        hours, minutes = divmod(self._minutes, 60)
        return f"2024-05-{self._day:02d}T{hours:02d}:{minutes:02d}:00.000Z"
