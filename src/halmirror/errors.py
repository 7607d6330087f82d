"""Every exception halmirror raises for its users, in one tree.

    HalmirrorError                     exit code
      UsageError                          2   refused before a mirror or the network is touched
        ConfigError                       2   a setting is wrong; names file and line
        QueryError                        2   a search query or filter cannot be read
        NetworkFileSystemError            2   the mirror lies where SQLite cannot keep it safe
      NotFoundError                       1   no such record
      MirrorError                         1   the mirror file cannot serve
        NoMirrorError                     1   there is none at that path
        NotAMirrorError                   1   the file is something else
        NewerMirrorError                  1   a later halmirror wrote it
        OlderMirrorError                  1   an earlier one wrote it; the next writer renews it
        MirrorWriteError                  1   read-only, or the disk is full
        MirrorBusyError                   4   another run writes to it
        OverdueError                      1   a look-up took longer than its caller allows
        PrunedError                       1   asked for a time of which the history was pruned
      SourceError                         1   a repository could not be harvested
        TransportError                    1   no usable HTTP answer (faults, statuses, limits)
          RetryLaterError                 3   the server asks for a longer pause than allowed
          AwayError                       1   the server is not there, or not in service
          TooHeavyError                   1   an answer that the server cannot make, or we not take
          ForbiddenError                  1   the server wants us gone (403, 410)
        ResponseError                     1   an answer that is not OAI-PMH 2.0
        ProtocolError                     1   an OAI-PMH error condition (section 3.6)
        ListError                         1   a list that contradicts itself
        ReconcileRefusedError             1   too many records would be withdrawn
      OutputError                         1   an export could not be written
      SnapshotError                       1   a snapshot that is damaged, not whole or not ours
      WorkerError                         1   a worker process died
      StoppedError                      130   a signal, or the caller, asked the run to end

Messages name the thing, the reason and the way out, in one line.  ``exit_code`` is the
process's exit code where the error ends a command; a harvest that achieved a part of its
work turns it into 3.
"""

from __future__ import annotations

from typing import ClassVar


class HalmirrorError(Exception):
    """Root of the tree: an error with a message for the user, and an exit code."""

    exit_code: ClassVar[int] = 1


class UsageError(HalmirrorError):
    """An option, date, source name or other argument that cannot be obeyed."""

    exit_code: ClassVar[int] = 2


class ConfigError(UsageError):
    """A configuration file, key or value that cannot be used."""


class QueryError(UsageError):
    """A search query or filter that cannot be read.

    ``french``: the same in French, for the pages; none where only programs can be told it.
    """

    def __init__(self, message: str, french: str | None = None) -> None:
        super().__init__(message)
        self.french = french


class NetworkFileSystemError(UsageError):
    """The mirror lies on a network file system, and nobody said that it may be written there."""


class NotFoundError(HalmirrorError):
    """No record of the mirror answers to an identifier."""


class MirrorError(HalmirrorError):
    """The mirror file cannot do what is asked."""


class NoMirrorError(MirrorError):
    """No file at the mirror's path."""


class NotAMirrorError(MirrorError):
    """The file at the mirror's path was not written by halmirror."""


class NewerMirrorError(MirrorError):
    """The mirror has a schema that only a later halmirror knows."""


class OlderMirrorError(MirrorError):
    """The mirror has an earlier schema, which only a writer brings up to date."""


class MirrorWriteError(MirrorError):
    """The mirror cannot be written: read-only, or no room left."""


class MirrorBusyError(MirrorError):
    """Another run holds the mirror."""

    exit_code: ClassVar[int] = 4


class OverdueError(MirrorError):
    """A look-up or search took longer than its caller allows."""


class PrunedError(MirrorError):
    """A time from before the history that the mirror keeps: what it held then was pruned."""


class SourceError(HalmirrorError):
    """A repository could not be harvested."""


class TransportError(SourceError):
    """No usable HTTP answer: connection, status, size or time limit."""


class RetryLaterError(TransportError):
    """The server asks for a longer pause than ``max_wait``.

    ``seconds`` is the pause it asked for.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class AwayError(TransportError):
    """The server cannot be reached, breaks off, or says that it is out of service (429, 503)."""


class TooHeavyError(TransportError):
    """An answer that is too large or takes too long; a smaller list may do (413, 502, 504 …)."""


class ForbiddenError(TransportError):
    """The server answers 403 or 410: it is not to be asked again in this run."""


class ResponseError(SourceError):
    """An answer that is not a well-formed OAI-PMH 2.0 response.

    ``url`` and ``position`` (line and column, where known) say where.
    """

    def __init__(
        self, message: str, *, url: str | None = None, position: str | None = None
    ) -> None:
        super().__init__(message)
        self.url = url
        self.position = position


class ProtocolError(SourceError):
    """An OAI-PMH error condition (OAI-PMH 2.0, section 3.6), ``code`` being its name."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class ListError(SourceError):
    """A list that contradicts itself: a token that repeats, an end before the end."""


class ReconcileRefusedError(SourceError):
    """More records than ``max_loss`` allows would be withdrawn; nothing was changed."""


class OutputError(HalmirrorError):
    """An export could not be written."""


class SnapshotError(HalmirrorError):
    """A snapshot that is damaged, not whole, or not what it has to be."""


class WorkerError(HalmirrorError):
    """A process that did a part of the work died."""


class StoppedError(HalmirrorError):
    """A run was asked to end before its work was done; what was committed stays."""

    exit_code: ClassVar[int] = 130
