"""Mirrors for tests of the provider, made of records that are handed to them."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from halmirror.batch import Rules, prepare
from halmirror.store.writer import Writer
from provider_answers import NS

BASE = "https://mirror.example.org/oai"


class Source:
    """A source of a mirror whose records are handed to it."""

    def __init__(
        self, writer: Writer, name: str, profile: str = "hal", prefix: str = "oai_dc"
    ) -> None:
        self._writer = writer
        self._rules = Rules(prefix, profile)
        source, _ = writer.source(name, f"https://{name}.example.org/oai", profile)
        self._stream = writer.stream(source, prefix, "")

    def take(self, *records: str) -> None:
        """One commit."""
        page = (
            f'<OAI-PMH xmlns="{NS["o"]}"><responseDate>2026-01-01T00:00:00Z</responseDate>'
            f"<request/><ListRecords>{''.join(records)}</ListRecords></OAI-PMH>"
        )
        batch = prepare(page.encode(), self._rules)
        assert not batch.rejected, batch.rejected
        self._writer.commit_batch(self._stream, batch)


def record(
    name: str,
    title: str | None = "A title",
    sets: Sequence[str] = (),
    day: str = "2024-01-01",
    metadata: str | None = None,
) -> str:
    """A record; without a title it is deleted."""
    specs = "".join(f"<setSpec>{escape(spec)}</setSpec>" for spec in sets)
    status = "" if title else ' status="deleted"'
    inside = metadata or (
        f'<oai_dc:dc xmlns:oai_dc="{NS["oai_dc"]}" xmlns:dc="{NS["dc"]}">'
        f"<dc:title>{title}</dc:title></oai_dc:dc>"
    )
    return (
        f"<record><header{status}><identifier>{escape(name)}</identifier>"
        f"<datestamp>{day}</datestamp>{specs}</header>"
        + (f"<metadata>{inside}</metadata>" if title else "")
        + "</record>"
    )
