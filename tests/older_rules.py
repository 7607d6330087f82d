"""A mirror as an older halmirror would have left it: harvested by other rules."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from halmirror import batch, config
from halmirror.crosswalks import Crosswalk, crosswalk
from halmirror.harvesting import harvest
from halmirror.record import Body, Identifiers
from halmirror.store import states

Alter = Callable[[Body], Body]


def former(body: Body) -> Body:
    """What the rules of old made of a record: a word before each title, a key and a DOI more."""
    return msgspec.structs.replace(
        body,
        titles=tuple(
            msgspec.structs.replace(title, value=f"Zyzzyva {title.value}") for title in body.titles
        ),
        keywords=(),
        notes=("a note of old",),
        date="1901-02-03",
        year=1901,
        identifiers=Identifiers(doi=("10.9999/of-old",)),
    )


@contextmanager
def older_rules(alter: Alter = former, rules: int = 0) -> Iterator[None]:
    """Within, records are normalised by rules of another version."""

    def altered(prefix: str, profile: str) -> Crosswalk:
        convert = crosswalk(prefix, profile)
        return lambda *arguments: alter(convert(*arguments))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "crosswalk", altered)
        patch.setattr(states, "RULES_VERSION", rules)
        yield


class Silent:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def window(self, *_: object) -> None: ...

    def page(self, *_: object) -> None: ...

    def cut(self, *_: object) -> None: ...

    def ended(self, *_: object) -> None: ...

    def note(self, message: str) -> None:
        self.told.append(message)

    def warning(self, message: str) -> None:
        self.told.append(message)


def harvest_here(folder: Path) -> list[str]:
    """Harvest in this process by the configuration of a folder; what the observer was told."""
    observer = Silent()
    report = harvest.harvest(
        config.load(folder / "config.toml"), harvest.Request(full=True), observer
    )
    assert report.failure is None
    assert report.exit_code == 0, report
    return observer.told
