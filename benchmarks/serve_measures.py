"""Measurements of the mirror served: pages, the HTTP API and OAI-PMH beside a file of its own.

wrk asks over eight connections (Debian: ``apt-get install wrk``); one process answers.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import httpx

from queries import mix
from workbench import HERE, processor_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench import Figures, Workbench

_ADDRESSES = 5_000
_LIST_PAGES = 40
_CONNECTIONS = 8
_SECONDS = 10
_STYLE = re.compile(r'/static/[^"]+\.css')
_TOKEN = re.compile(rb"<resumptionToken[^>]*>([^<]+)<")


def serve(bench: Workbench) -> Figures:
    """Requests a second and times of records, searches and OAI pages, beside a static file."""
    program = shutil.which("wrk")
    if program is None:
        raise SystemExit("wrk is needed: apt-get install wrk")
    figures: Figures = {"connections": _CONNECTIONS}
    with bench.serving() as (url, server):
        for name, paths in _asked(bench, url).items():
            file = bench.folder / "paths.txt"
            file.write_text("\n".join(paths) + "\n", encoding="ascii")
            options = ("-t1", f"-c{_CONNECTIONS}", f"-d{_SECONDS}s", "--timeout", "60s")
            script = ("-s", HERE / "load.lua", url, "--", file)
            before = processor_of(server)
            told = subprocess.check_output((program, *options, *script), text=True)
            spent = processor_of(server) - before
            figures[name] = one = json.loads(told.splitlines()[-1])
            if one["refused"] or one["broken"]:
                raise SystemExit(f"serve, {name}: not every request was answered: {one}")
            one["rate"] = one["requests"] / one["seconds"]
            one["processor_ms"] = spent / max(one["requests"], 1) * 1000
        figures["memory"] = server.memory_info().rss
    for one in figures.values():
        if isinstance(one, dict):
            one["of_file"] = one["rate"] / figures["file"]["rate"]
    return figures


def _asked(bench: Workbench, url: str) -> dict[str, Sequence[str]]:
    """The paths to ask for, by what they are."""
    names = [quote(name) for name in _identifiers(bench)]
    with bench.truth() as truth:
        words = [query.words for query in mix(truth) if query.words and not query.facets]
    searches = [urlencode({"q": one}) for one in words]
    random.Random(bench.seed).shuffle(searches)
    arguments = "/oai?verb=GetRecord&metadataPrefix=oai_dc&identifier="
    return {
        "file": [_style(url)],
        "record": [f"/{name}" for name in names],
        "record_json": [f"/api/v1/records/{name}" for name in names],
        "search": [f"/search?{one}" for one in searches],
        "search_json": [f"/api/v1/search?{one}" for one in searches],
        "get_record": [f"{arguments}oai:HAL:{name}" for name in names],
        "list_records": _lists(url),
    }


def _style(url: str) -> str:
    """The path of the style sheet, whose name changes with its bytes."""
    found = _STYLE.search(httpx.get(url).raise_for_status().text)
    if found is None:
        raise SystemExit(f"{url} names no style sheet")
    return found[0]


def _identifiers(bench: Workbench) -> list[str]:
    """Records all over the mirror, with their versions, in no order."""
    with closing(sqlite3.connect(f"{bench.mirror().as_uri()}?mode=ro", uri=True)) as connection:
        (last,) = connection.execute("SELECT max(id) FROM document").fetchone()
        chosen = random.Random(bench.seed).choices(range(1, last + 1), k=_ADDRESSES)
        found = connection.execute(
            "SELECT d.local_id || 'v' || s.version FROM document d JOIN state s "
            "ON s.document = d.id WHERE s.status = 'active' "
            "AND d.id IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(set(chosen))),),
        )
        names = [str(row[0]) for row in found]
    random.Random(bench.seed).shuffle(names)
    return names


def _lists(url: str) -> list[str]:
    """Pages of ListRecords, as a harvester asks for them one after another."""
    paths = []
    query = urlencode({"verb": "ListRecords", "metadataPrefix": "oai_dc"})
    with httpx.Client(base_url=url, timeout=600) as client:
        for _ in range(_LIST_PAGES):
            paths.append(f"/oai?{query}")
            token = _TOKEN.search(client.get(paths[-1]).raise_for_status().content)
            if token is None:
                break
            query = urlencode({"verb": "ListRecords", "resumptionToken": token[1].decode()})
    return paths
