"""Looks records up in an open mirror, by HAL id and by DOI, as records and as JSON; prints JSON.

python benchmarks/look_up_speed.py MIRROR IDENTIFIERS

``IDENTIFIERS`` is a JSON file: ``{"HAL id": […], "DOI": […]}``.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from halmirror import Mirror


def main(mirror: str, asked: str) -> None:
    """Print the look-ups of each kind a second, by the clock and by the processor."""
    identifiers = json.loads(Path(asked).read_text(encoding="utf-8"))
    ids, dois = identifiers["HAL id"], identifiers["DOI"]
    with Mirror(mirror) as opened:
        opened.get(ids[0])
        told = {
            "json by HAL id": _rate(opened.json, ids),
            "record by HAL id": _rate(opened.get, ids),
            "json by DOI": _rate(opened.json, dois),
            "record by DOI": _rate(opened.get, dois),
        }
    sys.stdout.write(json.dumps(told))


def _rate(look_up: Callable[[str], object], identifiers: Sequence[str]) -> dict[str, float]:
    begun, used = time.perf_counter(), time.process_time()
    for identifier in identifiers:
        if look_up(identifier) is None:
            raise LookupError(identifier)
    clock, processor = time.perf_counter() - begun, time.process_time() - used
    return {"clock": len(identifiers) / clock, "processor": len(identifiers) / processor}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
