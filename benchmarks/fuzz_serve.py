"""Sends hostile requests to a server that runs, and tells what it answered.

    python benchmarks/fuzz_serve.py http://127.0.0.1:8077 --requests 50000

The same seed sends the same requests.  Ends with 1 where an answer was 500, 502 or 504, was no
HTTP, did not come within its time, or was a 429 or 503 that does not say when to come back; and
where the server does not answer at the end.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 40.0
"""How long an answer may take: a query's own limit, and what a busy machine adds."""

_READ = 1 << 20
_PATHS = (
    "/", "/search", "/browse", "/browse/type", "/browse/author", "/status", "/terms", "/oai",
    "/hal-04493396", "/hal-04493396v1", "/record/", "/static/style.css", "/metrics", "/readyz",
    "/api", "/api/openapi.json", "/api/v1/records/", "/api/v1/history/", "/api/v1/differences/",
    "/api/v1/search", "/api/v1/changes", "/api/v1/export", "/api/v1/status", "/robots.txt",
)  # fmt: skip
_NAMES = (
    "q", "year", "type", "domain", "lang", "set", "access", "source", "status", "author", "title",
    "sort", "limit", "cursor", "facets", "format", "style", "locale", "view", "ui", "as_of",
    "since", "fields", "from", "to", "verb", "identifier", "metadataPrefix", "resumptionToken",
    "until", "unique", "year_from", "year_to",
)  # fmt: skip
_VALUES: tuple[bytes, ...] = (
    b"", b"a", b"language", b"*", b"a*", b'"', b'"a b"', b"(", b")" * 50, b"(" * 300,
    b"a OR " * 200 + b"b", b"NOT " * 200 + b"a", b"a* OR b* OR c* OR d*", b"author:" * 100,
    b"year:9999..1", b"year:2015..", b"doi:10.1/" + b"x" * 900, b"\0", b"\xff\xfe", b"\xed\xa0\x80",
    "\u202e\u2066\U0001f600".encode(), b"<script>alert(1)</script>", b"'; DROP TABLE state;--",
    b"{{7*7}}", b"${7*7}", b"../../../../etc/passwd", b"..%2f..%2f", b"\r\nX-Injected: 1",
    b"-1", b"0", b"1", b"99999999999999999999", b"1e309", b"NaN", b"true", b"jsonl", b"json",
    b"bibtex", b"csv", b"oai_dc", b"oai_dc_norm", b"Identify", b"ListRecords", b"ListIdentifiers",
    b"GetRecord", b"ListSets", b"ListMetadataFormats", b"2024-01-01", b"2024-13-99",
    b"2024-01-01T00:00:00Z", b"0000-00-00", b"hal-04493396", b"oai:HAL:hal-04493396v1",
    b"10.1007/s00244-013-9942-0", b"WzEsIDIwXQ", b"W1tbW1tbW1tb", b"eyJhIjogMX0", b"newest",
    b"relevance", b"ART", b"all", b"hal", b"fr", b"apa", b"history", b"source", b"id,titles",
    b"identifiers." * 50, b"a" * 1900, b"%", b"%%%00", b"a+b&c=d", b"\x1b[31m",
    "ﬁ œ İ ß ǅ".encode(), b"NEAR(a b)", b"a AND", b"title:", b"^a", b"a-b:c/d", b"x" * 7000,
)  # fmt: skip
_HEADERS: tuple[bytes, ...] = (
    b"Accept: text/html", b"Accept: application/json", b"Accept: " + b"a/b;q=0.1," * 200,
    b"Accept: */*;q=nonsense", b"Accept: \xff\xfe", b"Accept-Encoding: gzip", b"If-None-Match: *",
    b'If-None-Match: "' + b"a" * 2000 + b'"', b"Range: bytes=0-1", b"Cookie: ui=" + b"x" * 3000,
    b"Cookie: ui=fr", b"Accept-Language: " + b"fr," * 500, b"Origin: https://evil.example",
    b"X-Forwarded-For: 999.999.999.999", b"X-Forwarded-Proto: javascript", b"Expect: 100-continue",
    b"Transfer-Encoding: chunked", b"Content-Length: 5", b"Content-Length: -1", b"Upgrade: h2c",
    b"Connection: Upgrade, HTTP2-Settings", b"Host: other.example", b"X-A: " + b"a" * 20000,
    b"no colon here", b": empty", b" folded: yes",
)  # fmt: skip
_METHODS = (b"GET",) * 20 + (
    b"HEAD",
    b"POST",
    b"PUT",
    b"DELETE",
    b"OPTIONS",
    b"TRACE",
    b"G\0T",
    b"",
)


@dataclass
class Told:
    """What was answered: how often each status, what is wrong, and the slowest answer."""

    statuses: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0


def requests(seed: int, count: int, host: str) -> Iterator[bytes]:
    """Requests of one seed."""
    draw = random.Random(seed)
    for _ in range(count):
        yield _request(draw, host)


def _request(draw: random.Random, host: str) -> bytes:
    path = draw.choice(_PATHS).encode()
    if path.endswith(b"/") and draw.random() < 0.9:
        path += quote_from_bytes(draw.choice(_VALUES), safe="/:").encode()
    if draw.random() < 0.05:
        path = bytes(draw.choices(range(33, 256), k=draw.randrange(1, 60)))
    pairs = []
    for _ in range(draw.choice((0, 0, 1, 1, 2, 3, 4, 60))):
        value = draw.choice(_VALUES)
        if draw.random() < 0.2:
            value = _mutated(draw, value)
        raw = value if draw.random() < 0.05 else quote_from_bytes(value).encode()
        pairs.append(draw.choice(_NAMES).encode() + b"=" + raw)
    target = path + (b"?" + b"&".join(pairs) if pairs else b"")
    lines = [draw.choice(_METHODS) + b" " + target + b" HTTP/1.1"]
    if draw.random() < 0.98:
        lines.append(b"Host: " + host.encode())
    lines += draw.sample(_HEADERS, draw.choice((0, 0, 1, 1, 2, 3)))
    body = draw.choice(_VALUES) if draw.random() < 0.05 else b""
    return b"\r\n".join(lines) + b"\r\nConnection: close\r\n\r\n" + body


def _mutated(draw: random.Random, value: bytes) -> bytes:
    changed = bytearray(value or b"?")
    for _ in range(draw.randrange(1, 5)):
        changed[draw.randrange(len(changed))] = draw.randrange(256)
    return bytes(changed) * draw.choice((1, 1, 1, 3))


def send(address: tuple[str, int], request: bytes, told: Told) -> None:
    """Send one request, and note what came of it."""
    begun = time.monotonic()
    try:
        with socket.create_connection(address, timeout=SECONDS) as connection:
            connection.sendall(request)
            answer = connection.recv(_READ)
            while b"\r\n\r\n" not in answer and (more := connection.recv(_READ)):
                answer += more
            while connection.recv(_READ):
                pass
    except TimeoutError:
        told.faults.append(f"no answer within {SECONDS:.0f} s: {request[:300]!r}")
        return
    except ConnectionError:
        told.statuses["connection closed"] += 1
        return
    told.slowest = max(told.slowest, time.monotonic() - begun)
    _judge(request, answer, told)


def _judge(request: bytes, answer: bytes, told: Told) -> None:
    head = answer.partition(b"\r\n\r\n")[0].lower()
    if not answer:
        told.statuses["connection closed"] += 1
        return
    if not head.startswith(b"http/1.1 "):
        told.faults.append(f"no HTTP: {answer[:100]!r} to {request[:300]!r}")
        return
    status = head[9:12].decode("ascii", "replace")
    told.statuses[status] += 1
    if status in ("500", "502", "504"):
        told.faults.append(f"{status}: {request[:600]!r}")
    if status in ("429", "503") and b"\r\nretry-after:" not in head:
        told.faults.append(f"{status} without Retry-After: {request[:300]!r}")
    if b"\r\nx-injected:" in head:
        told.faults.append(f"a header was injected: {request[:300]!r}")


def fuzz(url: str, count: int, seed: int, at_once: int = 8) -> Told:
    """Send ``count`` requests to the server at ``url``, some at once."""
    parts = urlsplit(url)
    address = parts.hostname or "127.0.0.1", parts.port or 80
    told = Told()
    with ThreadPoolExecutor(at_once) as pool:
        for _ in pool.map(
            lambda one: send(address, one, told), requests(seed, count, parts.netloc)
        ):
            pass
    last = f"GET /readyz HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode()
    after = Told()
    send(address, last, after)
    if after.statuses != {"200": 1}:
        told.faults.append("the server does not answer any more")
    return told


def main() -> None:
    """Fuzz, print what was answered as JSON, and end with 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("url")
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begun = time.monotonic()
    told = fuzz(options.url, options.requests, options.seed)
    found = {
        "requests": options.requests,
        "seconds": round(time.monotonic() - begun, 1),
        "slowest": round(told.slowest, 2),
        "statuses": dict(sorted(told.statuses.items())),
        "faults": told.faults[:50],
    }
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    sys.exit(bool(told.faults))


if __name__ == "__main__":
    main()
