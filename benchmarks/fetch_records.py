"""The plainest harvest: one connection kept open by httpx, pages fetched and records counted.

python benchmarks/fetch_records.py URL [LIMIT]
"""

import re
import sys

import httpx

_TOKEN = re.compile(rb"<resumptionToken[^>]*>([^<]+)<")


def main(url: str, limit: int) -> None:
    """Fetch pages of up to ``limit`` records."""
    count = 0
    arguments = {"verb": "ListRecords", "metadataPrefix": "oai_dc"}
    with httpx.Client(timeout=60) as client:
        while True:
            page = client.get(url, params=arguments).raise_for_status().content
            count += page.count(b"<record>")
            token = _TOKEN.search(page)
            if token is None or (limit and count >= limit):
                break
            arguments = {"verb": "ListRecords", "resumptionToken": token[1].decode()}
    sys.stdout.write(f"{count}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0)
