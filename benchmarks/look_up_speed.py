"""Looks records up in an open mirror, by HAL id and by DOI, as records and as JSON; prints JSON.

python benchmarks/look_up_speed.py MIRROR REPOSITORY [COUNT]
"""

import json
import random
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from generated_repository import Repository
from halmirror import Mirror

_DOI = re.compile(rb"<dc:identifier>DOI: ([^<]+)<")
_HAL_ID = re.compile(rb"<dc:identifier>([a-z0-9]+[-_]\d+)<")


def main(mirror: str, folder: str, count: int) -> None:
    """Print the look-ups a second of each kind, each over ``count`` records all over the file."""
    ids, dois = [], []
    with Repository(Path(folder)) as repository:
        draw = random.Random(7)
        for position in draw.sample(range(repository.total), min(count, repository.total)):
            xml = repository.xml(position)
            ids += [found[1].decode() for found in [_HAL_ID.search(xml)] if found]
            dois += [found.decode() for found in _DOI.findall(xml)]
    with Mirror(mirror) as opened:
        opened.get(ids[0])
        told = {
            "json by HAL id": _rate(opened.json, ids),
            "record by HAL id": _rate(opened.get, ids),
            "json by DOI": _rate(opened.json, dois),
            "record by DOI": _rate(opened.get, dois),
        }
    sys.stdout.write(json.dumps(told))


def _rate(look_up: Callable[[str], object], identifiers: Sequence[str]) -> float:
    begun = time.perf_counter()
    for identifier in identifiers:
        if look_up(identifier) is None:
            raise LookupError(identifier)
    return len(identifiers) / (time.perf_counter() - begun)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 10_000)
