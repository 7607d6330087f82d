"""The normalised record: what a mirror says of one version of one document.

Every class is a frozen value.  Field order is the order of the JSON keys; what is empty is
left out at every depth.  A record has two parts, which JSON shows as one object:

* the `Head`: which record it is, where it came from and how it stands in the mirror;
* the `Body`: what the metadata say, a pure function of the metadata, of the header's
  identifier and ``type:`` sets, and of the rules (``docs/normalising.md``).
"""

from __future__ import annotations

from typing import Literal

import msgspec

Status = Literal["active", "deleted", "withdrawn", "superseded"]
Access = Literal["open", "restricted", "metadata-only"]
Shared = Literal["doi", "arxiv", "pmid", "nnt"]
STATUSES: tuple[Status, ...] = ("active", "deleted", "withdrawn", "superseded")
EVERY_STATUS = "all"
"""Stands for all of them where statuses are asked for."""


class Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text and the language it is in (BCP 47), where the source tells it."""

    value: str
    lang: str | None = None


class Title(msgspec.Struct, frozen=True, omit_defaults=True):
    """A title in one language; ``subtitle`` where the source also gives ``Title : Subtitle``."""

    value: str
    subtitle: str | None = None
    lang: str | None = None


class Name(msgspec.Struct, frozen=True, omit_defaults=True):
    """A creator: a person with ``family`` (and ``given``), or a ``literal`` kept whole."""

    family: str | None = None
    given: str | None = None
    literal: str | None = None


class DocumentType(msgspec.Struct, frozen=True, omit_defaults=True):
    """HAL's document type code, its COAR resource type, and the info:eu-repo term as it came.

    ``other`` holds type values that no table knows, as they came.
    """

    hal: str | None = None
    coar: str | None = None
    info_eu_repo: str | None = None
    other: tuple[str, ...] = ()


class Affiliation(msgspec.Struct, frozen=True, omit_defaults=True):
    """A laboratory with its acronym and the institutions above it, split only where certain."""

    name: str
    acronym: str | None = None
    parents: tuple[str, ...] = ()


class Funding(msgspec.Struct, frozen=True, omit_defaults=True):
    """A funded project; ``number`` is the grant's, ``call`` and ``year`` as they came."""

    funder: str | None = None
    programme: str | None = None
    number: str | None = None
    acronym: str | None = None
    title: str | None = None
    call: str | None = None
    year: str | None = None


class Classification(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A code or heading of a classification scheme (JEL, ACM, MESH …)."""

    scheme: str | None = None
    value: str


class Container(msgspec.Struct, frozen=True, omit_defaults=True):
    """The journal, book or conference a work appeared in.

    ``conference`` is there where the source names a conference beside the container;
    ``also`` holds further container titles; ``link`` the publisher's address.
    """

    title: str | None = None
    series: str | None = None
    volume: str | None = None
    issue: str | None = None
    pages: str | None = None
    issn: str | None = None
    eissn: str | None = None
    conference: str | None = None
    also: tuple[str, ...] = ()
    link: str | None = None


class OtherIdentifier(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An identifier of a scheme without a key of its own, or one that failed its check."""

    scheme: str | None = None
    value: str


class Identifiers(msgspec.Struct, frozen=True, omit_defaults=True):
    """Identifiers by scheme, each in its normal form."""

    doi: tuple[str, ...] = ()
    arxiv: tuple[str, ...] = ()
    pmid: tuple[str, ...] = ()
    nnt: tuple[str, ...] = ()
    isbn: tuple[str, ...] = ()
    hdl: tuple[str, ...] = ()
    report: tuple[str, ...] = ()
    patent: tuple[str, ...] = ()
    other: tuple[OtherIdentifier, ...] = ()


class SameAs(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Another document of the same work: its newest active version, and what says so.

    ``by`` names the schemes of the identifiers that both bear.
    """

    source: str
    id: str
    version: int | None = None
    by: tuple[Shared, ...]


class Head(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which record this is and how it stands: the first keys of the JSON object.

    ``status_since`` (UTC time stamp) and ``followed_by`` (an id with version) are there only
    where ``status`` is not ``active``.  ``same_as`` is worked out when the record is read.
    """

    id: str
    version: int | None = None
    source: str = ""
    oai_identifier: str = ""
    datestamp: str = ""
    status: str = ""
    status_since: str | None = None
    followed_by: str | None = None
    same_as: tuple[SameAs, ...] = ()
    sets: tuple[str, ...] = ()


class Body(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the metadata say, by the rules: the remaining keys of the JSON object."""

    type: DocumentType | None = None
    titles: tuple[Title, ...] = ()
    creators: tuple[Name, ...] = ()
    affiliations: tuple[Affiliation, ...] = ()
    contributors: tuple[str, ...] = ()
    funding: tuple[Funding, ...] = ()
    abstracts: tuple[Value, ...] = ()
    notes: tuple[str, ...] = ()
    keywords: tuple[Value, ...] = ()
    domains: tuple[str, ...] = ()
    classifications: tuple[Classification, ...] = ()
    date: str | None = None
    year: int | None = None
    languages: tuple[str, ...] = ()
    container: Container | None = None
    citation: str | None = None
    publishers: tuple[str, ...] = ()
    identifiers: Identifiers | None = None
    landing_page: str | None = None
    files: tuple[str, ...] = ()
    access: Access | None = None
    licence: str | None = None
    licence_url: str | None = None
    audience: str | None = None
    coverage: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Record(msgspec.Struct, frozen=True):
    """One version of one document, as ``Mirror.get`` gives it.

    ``head`` and ``body`` are the two halves; ``json()`` is the one object of the contract.
    """

    head: Head
    body: Body

    @property
    def id(self) -> str:
        """The document's id, without version."""
        return self.head.id

    @property
    def versioned_id(self) -> str:
        """The id with ``vN`` where the record has a version."""
        return versioned(self.head.id, self.head.version)

    def json(self) -> bytes:
        """The record as one line of JSON (UTF-8), keys in the contract's order."""
        return join_json(encode(self.head), encode(self.body))


_encoder = msgspec.json.Encoder()
_body_decoder = msgspec.json.Decoder(Body)


def versioned(identifier: str, version: int | None) -> str:
    """``hal-1`` and 2 give ``hal-1v2``; without a version the id alone."""
    return f"{identifier}v{version}" if version else identifier


def encode(part: Head | Body) -> bytes:
    """JSON of one half of a record, empty parts left out (an empty object in whole: ``{}``)."""
    return _encoder.encode(part)


def decode_body(data: bytes) -> Body:
    """The body that `encode` gave.  Raises `msgspec.DecodeError` on anything else."""
    return _body_decoder.decode(data)


def join_json(head: bytes, body: bytes) -> bytes:
    """The one JSON object of the contract from the JSON of the two halves."""
    if body == b"{}":
        return head
    return head[:-1] + b"," + body[1:]
