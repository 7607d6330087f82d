"""The record expected of each source, as the files in ``golden`` hold it.

Run as a program it writes them all anew: for whoever changes a rule, reads the difference against
the source, value by value, and raises `halmirror.crosswalks.RULES_VERSION`.
"""

import json
import re
import sys
from functools import cache
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from crosswalks import other_repositories, recorded_values
from halmirror.crosswalks import crosswalk
from halmirror.record import Head, Record

GOLDEN = Path(__file__).parent / "golden"


def text_of(record: Record) -> str:
    """The record's JSON, each key on a line of its own."""
    lines = (
        f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in json.loads(record.json()).items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def hal_record(source: recorded_values.Recorded) -> Record:
    """What the rules make of a record of HAL's."""
    body = crosswalk("oai_dc", "hal")(source.values, source.id, source.version, source.sets, None)
    head = Head(
        source.id,
        source.version,
        source="hal",
        oai_identifier=source.oai_identifier,
        datestamp=source.datestamp,
        sets=tuple(sorted(source.sets)),
    )
    return Record(head, body)


def other_record(source: other_repositories.Recorded) -> Record:
    """What the rules make of another repository's record."""
    body = crosswalk("oai_dc", "generic")(source.values, source.oai_identifier, None, (), None)
    return Record(Head(source.oai_identifier, source=source.file), body)


@cache
def golden() -> dict[str, Record]:
    """Every record that has a file, by the file's place below ``golden``.

    Of HAL's all have one; of the others' those for which somebody made it.
    """
    found = {f"hal/{one.name}.json": hal_record(one) for one in recorded_values.everything()}
    for one in other_repositories.everything():
        name = f"others/{other_name(one)}.json"
        if (GOLDEN / name).exists():
            found[name] = other_record(one)
    return found


def other_name(source: other_repositories.Recorded) -> str:
    """A file's name: the repository's, and what is particular of the identifier."""
    last = re.split(r"[:/]", source.oai_identifier)[-1]
    return f"{source.file}-{last}"


def main() -> None:
    for name, record in golden().items():
        path = GOLDEN / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text_of(record), encoding="utf-8")


if __name__ == "__main__":
    main()
