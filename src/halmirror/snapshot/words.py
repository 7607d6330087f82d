"""What a snapshot says in words, and to programs that know nothing of halmirror."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from halmirror.snapshot.layout import (
    BAGIT,
    COMMITS,
    DESCRIPTION,
    FORGOTTEN,
    HISTORY,
    MANIFEST,
    PARQUET,
    QUARANTINE,
    RECORDS,
    RUNS,
    SCHEMA,
    SHARDED,
    SIGNATURE,
    SOURCE,
    SOURCES,
    TAG_MANIFEST,
    WINDOWS,
    kind_of,
)

if TYPE_CHECKING:
    from halmirror.snapshot.layout import Description, SourceProof

_MEDIA: Final = {
    "jsonl.gz": ("application/jsonl", "gz"),
    "parquet": ("application/vnd.apache.parquet", None),
    "xml.gz": ("application/xml", "gz"),
    "jsonl.zst": ("application/jsonl", "zst"),
}
_ABOUT: Final = {
    RECORDS: "The records, one JSON object a line, by source, id and version.",
    PARQUET: "The same records as typed, nested columns, in the same order.",
    SOURCE: "The records' metadata as they came from their repositories, as OAI-PMH records.",
    HISTORY: "Every earlier state of the same documents.",
    RUNS: "The runs that wrote to the mirror.",
    COMMITS: "When each change was stored, and by which run.",
    SOURCES: "The repositories, their own words about themselves, and how far they were harvested.",
    WINDOWS: "The spans of modification days that were asked for, what each announced and gave.",
    QUARANTINE: "What came but could not be read, with its bytes.",
    FORGOTTEN: "Documents whose content was removed for good, and why.",
}


def info(made: Description) -> list[tuple[str, str]]:
    """What ``bag-info.txt`` says, without the size of the data."""
    told = [
        ("Bagging-Date", made.created[:10]),
        ("Bag-Software-Agent", made.software),
        ("External-Identifier", made.name),
        ("External-Description", _title(made)),
        ("Halmirror-Commit", f"{made.seq} ({made.at})"),
    ]
    if made.since is not None:
        told.append(("Halmirror-Since", made.since.name))
    told += [(f"Halmirror-Records-{name.title()}", str(n)) for name, n in made.records.items()]
    told.append(
        ("Halmirror-Digest", f"sha256:{made.digest.sha256} ({made.digest.records} records)")
    )
    told.append(
        ("Halmirror-Mirror-Digest", f"sha256:{made.whole.sha256} ({made.whole.records} records)")
    )
    for source in made.sources:
        told.append(("Source-Organization", f"{source.name} ({source.base_url})"))
        told.append(("Halmirror-Completeness", _proof(source)))
    told += [("Halmirror-Library", f"{name} {n}") for name, n in made.libraries.items()]
    # A line break in what a repository says of itself must not begin a line of the bag's.
    return [(name, " ".join(value.split())) for name, value in told]


def data_package(made: Description) -> str:
    """``datapackage.json``: the folder as a Data Package (Frictionless, version 1)."""
    resources: list[dict[str, Any]] = []
    for file in made.files:
        kind = kind_of(file.path) or file.path
        ending = SHARDED.get(kind, "jsonl.gz")
        media, compression = _MEDIA[ending]
        name = file.path.removeprefix("data/").split(".")[0].replace("/", "-")
        if kind == PARQUET:
            name = name.replace("parquet-", "parquet-columns-", 1)
        one: dict[str, Any] = {
            "name": name,
            "path": file.path,
            "description": _ABOUT[kind],
            "format": ending.split(".")[0],
            "mediatype": media,
            "bytes": file.size,
            "hash": f"sha512:{file.sha512}",
        }
        if compression:
            one["compression"] = compression
            one["encoding"] = "utf-8"
        if kind in {RECORDS, PARQUET}:
            one["jsonSchema"] = SCHEMA
        resources.append(one)
    package = {
        "profile": "data-package",
        "name": f"halmirror-{made.name.lower()}",
        "title": _title(made),
        "description": "See README.md.",
        "version": made.name,
        "created": f"{made.name[:10]}T{made.name[11:].replace('-', ':')}",
        "sources": [{"title": one.name, "path": one.base_url} for one in made.sources],
        "resources": resources,
    }
    return json.dumps(package, ensure_ascii=False, indent=2) + "\n"


def _title(made: Description) -> str:
    names = ", ".join(source.name for source in made.sources)
    what = "Snapshot" if made.since is None else f"What changed since {made.since.name} in a copy"
    return f"{what} of the metadata of {names}, as of {made.at}"


def _proof(source: SourceProof) -> str:
    since = f"from {source.first_day} " if source.first_day else ""
    day = source.complete_as_of
    complete = f"complete {since}to {day}" if day else "not complete"
    return (
        f"{source.name}: {complete}; {source.windows} windows, {source.open_windows} of them open; "
        f"those that announced a size announced {source.announced} records, gave "
        f"{source.distinct}, named {source.withheld} that could not be given or read; "
        f"{source.quarantined} in quarantine"
    )


def readme(made: Description) -> str:
    """``README.md``: for people who have never heard of halmirror."""
    parts = [_HEAD.format(title=_title(made), total=made.digest.records, name=made.name)]
    if made.since is None:
        parts.append(_FULL)
    else:
        parts.append(_INCREMENT.format(since=made.since.name))
    if made.history_from:
        parts.append(_PRUNED.format(first=made.history_from))
    rows = [f"| {status} | {count:,} |" for status, count in made.records.items()]
    parts.append("| status | records |\n|---|---:|\n" + "\n".join(rows) + "\n")
    parts.append(
        _FILES.format(
            schema=SCHEMA, description=DESCRIPTION, bagit=BAGIT, manifest=MANIFEST,
            tag_manifest=TAG_MANIFEST, signature=SIGNATURE,
        )
    )  # fmt: skip
    parts.append(
        _CHECK.format(
            digest=made.digest.sha256,
            since="" if made.since is None else _DIGEST_OF_ALL.format(
                whole=made.whole.sha256, records=made.whole.records
            ),
        )
    )  # fmt: skip
    parts.append("## Where it comes from, and what may be done with it\n")
    for source in made.sources:
        asks = " ".join((source.statement or "").split())
        parts.append(
            f"* **{source.name}**, <{source.base_url}>. {_proof(source)}.\n"
            + (f"  The repository says: {asks}\n" if asks else _NO_STATEMENT)
        )
    parts.append(_LICENCE.format(software=made.software, at=made.at))
    return "\n".join(parts)


_HEAD: Final = """\
# {title}

This folder holds {total:,} records that describe scholarly publications: titles, authors, abstracts, identifiers, dates, licences, addresses of files; not the publications themselves. A program called halmirror took them from the repositories named below over the protocol OAI-PMH. Nothing in here needs that program: the files are text, XML and Parquet, compressed with gzip or zstd.

The folder is a *bag* as RFC 8493 (BagIt 1.0) has it, and a *Data Package*. Its name, {name}, is the time (UTC) at which it was begun.
"""
_FULL: Final = "It is whole: it holds every record the mirror held at that time.\n"
_INCREMENT: Final = """\
It is an **increment**: it holds only the documents that changed, each whole, since the snapshot {since}. Where a document is in both, the one in here counts.
"""
_PRUNED: Final = """\
Its history begins with commit {first}: what the mirror held before that was pruned.
"""
_FILES: Final = """\
## The files

| file | what is in it |
|---|---|
| `data/records/records-*.jsonl.gz` | the records, one JSON object a line, by source, id and version; `{schema}` says what each key means |
| `data/parquet/records-*.parquet` | the same records as typed, nested columns, for DuckDB, pandas, Polars, R or Spark |
| `data/source/source-*.xml.gz` | the metadata as they came, mostly Dublin Core, in OAI-PMH records |
| `data/history/history-*.jsonl.zst` | every earlier state of the same documents: `"kind": "content"` is what a version said (metadata as they came, and the normalised record), `"kind": "state"` how it stood from one commit until before another |
| `data/harvest/` | how it was harvested: runs, commits (with their times), sources, windows of modification days, what could not be read, and the documents whose content was removed for good |
| `{description}` | this folder for programs: counts, digests, completeness, versions |
| `datapackage.json` | the same files as a Frictionless Data Package |
| `{bagit}`, `bag-info.txt`, `{manifest}`, `{tag_manifest}` | BagIt: what belongs to the folder, with SHA-512 |
| `{signature}` | where it is there: an OpenSSH signature of `{tag_manifest}` |

A record's `status` is `active`; `deleted` (the repository said so), `withdrawn` (it vanished from the repository) or `superseded` (by a higher version, or by another record).

```
gunzip -c data/records/records-00001.jsonl.gz | head -n 1 | jq .
duckdb -c "SELECT year, count(*) FROM 'data/parquet/*.parquet' WHERE status = 'active' GROUP BY year ORDER BY year"
```
"""
_CHECK: Final = """\
## Is it still as it was?

```
sha512sum --quiet -c tagmanifest-sha512.txt && sha512sum --quiet -c manifest-sha512.txt
gunzip -c data/records/*.jsonl.gz | sha256sum
```

The first says nothing where all is well. The second gives

    {digest}

whatever compressed the files. {since}`halmirror snapshot verify FOLDER` does all that and more; `halmirror snapshot restore FOLDER --output mirror.sqlite` makes a searchable mirror of it again.
"""
_DIGEST_OF_ALL: Final = """\
The mirror as a whole had {records:,} records at that time, with the digest `{whole}`. """
_NO_STATEMENT: Final = "  The repository says nothing of how its metadata may be used: ask it.\n"
_LICENCE: Final = """
The metadata are the repositories' and their depositors'; this copy changes nothing in their terms. Each record may name the licence of the *document* it describes (`licence`): that is no licence of the record. Whoever uses these data names the repository they come from and the day, {at}.

Made by {software}.
"""
