"""The peer: plain Sickle as its documentation uses it, writing each record's metadata to a file.

python benchmarks/sickle_jsonl.py URL OUTPUT [LIMIT]
"""

import json
import sys

from sickle import Sickle
from sickle.oaiexceptions import NoRecordsMatch


def main(url: str, output: str, limit: int) -> None:
    """Write the metadata of up to ``limit`` records, one JSON object a line."""
    count = 0
    with open(output, "w", encoding="utf-8") as file:  # noqa: PTH123 -- as a user of Sickle would
        try:
            for record in Sickle(url).ListRecords(metadataPrefix="oai_dc"):
                file.write(json.dumps(record.metadata, ensure_ascii=False) + "\n")
                count += 1
                if count == limit:
                    break
        except NoRecordsMatch:
            pass  # so a list ends whose last page was full
    sys.stdout.write(f"{count}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0)
