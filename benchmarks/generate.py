"""Generates a HAL-like repository of any size into a folder, on all cores.

    python benchmarks/generate.py --records 100000            # into the cache folder
    python benchmarks/generate.py --records 1000000 --folder /var/tmp/hal
    python benchmarks/generate.py --records 100000 --update 0.001

The same seed and size give the same bytes.  What is there already is not made again, so a run that
was cut goes on.  An *update* is the same repository some days later, with that share of its
records changed; it stands in a folder of its own beside the shards.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from generated_files import cache_folder, generate
from generated_update import make_update, update_of


def main() -> None:
    """Generate, and print the folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="default: in the user's cache folder")
    parser.add_argument("--workers", type=int, help="default: one a core")
    parser.add_argument("--update", type=float, metavar="SHARE", help="make an update too")
    options = parser.parse_args()
    folder = options.folder or cache_folder(options.records, options.seed)
    begun = time.monotonic()
    generate(folder, options.records, options.seed, options.workers)
    if options.update is not None:
        make_update(folder, update_of(options.update))
    sys.stderr.write(f"{time.monotonic() - begun:.0f} s\n")
    sys.stdout.write(f"{folder}\n")


if __name__ == "__main__":
    main()
