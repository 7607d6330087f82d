"""The floor: one connection kept open by httpx, strict lxml, records counted and nothing kept.

python benchmarks/count_records.py URL [LIMIT]
"""

import sys

import httpx
from lxml import etree

_OAI = "{http://www.openarchives.org/OAI/2.0/}"


def main(url: str, limit: int) -> None:
    """Count up to ``limit`` records."""
    count = 0
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    arguments = {"verb": "ListRecords", "metadataPrefix": "oai_dc"}
    with httpx.Client() as client:
        while True:
            page = etree.fromstring(client.get(url, params=arguments).content, parser)
            count += sum(1 for _ in page.iter(f"{_OAI}record"))
            token = page.findtext(f"{_OAI}ListRecords/{_OAI}resumptionToken")
            if not token or (limit and count >= limit):
                break
            arguments = {"verb": "ListRecords", "resumptionToken": token}
    sys.stdout.write(f"{count}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0)
