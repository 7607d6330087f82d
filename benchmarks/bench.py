"""Measures halmirror beside its peers and floors, and writes what it found.

    scripts/bench                                  # 100,000 records, everything
    scripts/bench --records 1000000 --json million.json --write docs/performance.md
    scripts/bench --only search --keep             # one measurement, on the mirror kept before

Every figure that counts is a ratio to something measured in the same run.  The results are
written after each measurement; a run that was cut goes on with ``--keep`` where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sqlite3
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import harvest_measures
import past_measures
import provider_measures
import read_measures
import serve_measures
from generated_files import cache_folder
from plots import write_plots
from report import rewrite, table
from workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench import Figures

MEASURES: dict[str, Callable[[Workbench], Figures]] = {
    "compare": harvest_measures.compare,
    "full": harvest_measures.full,
    "size": harvest_measures.size,
    "show": read_measures.show,
    "look_up": read_measures.look_up,
    "search": read_measures.search,
    "export": read_measures.export,
    "snapshot": read_measures.snapshot,
    "provider": provider_measures.provider,
    "serve": serve_measures.serve,
    "update": harvest_measures.update,
    "history": past_measures.history,
    "renormalise": harvest_measures.renormalise,
}


def machine() -> Figures:
    """What it was measured on."""
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load": os.getloadavg()[0],
    }


def measure(bench: Workbench, names: list[str], output: Path) -> None:
    """Make the measurements of these names, and write the results after each."""
    for name in names:
        _tell(f"{name}: {(MEASURES[name].__doc__ or '').partition(chr(10))[0]}\n")
        begun = time.monotonic()
        bench.results[name] = MEASURES[name](bench)
        bench.results[name]["took"] = time.monotonic() - begun
        if name != "full":
            shutil.rmtree(bench.mirror(name).parent, ignore_errors=True)
        output.write_text(json.dumps(bench.results, ensure_ascii=False), encoding="utf-8")
        _tell(harvest_measures.as_text(bench.results[name])[:1500] + "\n")


def main() -> None:
    """Measure, and print the table."""
    options = _options()
    folder = cache_folder(options.records, options.seed).parent / f"run-{options.records}"
    output: Path = options.json or folder / "results.json"
    if not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    bench = Workbench(options.records, options.seed, folder, options.repeats)
    if options.keep and output.exists():
        bench.results = json.loads(output.read_text(encoding="utf-8"))
    told = machine() | {"records": options.records, "seed": options.seed}
    bench.results.setdefault("machine", told)
    wanted = options.only or [name for name in MEASURES if name not in bench.results]
    if "full" not in bench.results and "full" not in wanted:
        wanted.insert(0, "full")
    try:
        measure(bench, [name for name in MEASURES if name in wanted], output)
    finally:
        if not options.keep and not options.json:
            _tell(f"results: {output}\n")
        if not options.keep:
            shutil.rmtree(folder / "full", ignore_errors=True)
    sys.stdout.write(table(bench.results))
    if options.write:
        rewrite(options.write, bench.results)
        write_plots(options.write.parent, bench.results["full"]["series"])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=list(MEASURES), metavar="NAME",
                        help=f"of {', '.join(MEASURES)}")  # fmt: skip
    parser.add_argument("--repeats", type=int, default=3, help="of the comparison with peers")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the results go")
    parser.add_argument("--keep", action="store_true",
                        help="keep mirror and results, and use those that were kept")  # fmt: skip
    parser.add_argument("--write", type=Path, metavar="FILE",
                        help="put the table into this Markdown file, plots beside it")  # fmt: skip
    return parser.parse_args()


def _tell(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


if __name__ == "__main__":
    main()
