"""Signing a snapshot with an SSH key, through OpenSSH's ``ssh-keygen -Y``.

What is signed is the tag manifest, which names every other file by its SHA-512, directly or by
the manifest of the data.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from halmirror.errors import SnapshotError, UsageError
from halmirror.snapshot.layout import SIGNATURE, TAG_MANIFEST, read_text

if TYPE_CHECKING:
    from pathlib import Path

NAMESPACE: Final = "halmirror-snapshot"
"""What such a signature is for: one made for anything else does not count."""

_SECONDS: Final = 60


def check_key(key: Path) -> None:
    """Refuse a key that cannot sign before any work is done.  Raises `UsageError`."""
    if shutil.which("ssh-keygen") is None:
        raise UsageError("--sign needs OpenSSH's ssh-keygen; install openssh-client")
    if not key.is_file():
        raise UsageError(f"--sign: there is no key {key}; name the file of a private key")


def sign(folder: Path, key: Path) -> None:
    """Sign a snapshot's tag manifest.  Raises `SnapshotError` where the key cannot."""
    (folder / SIGNATURE).unlink(missing_ok=True)
    done = _run(["-Y", "sign", "-q", "-f", str(key), "-n", NAMESPACE, str(folder / TAG_MANIFEST)])
    if done.returncode or not (folder / SIGNATURE).is_file():
        raise SnapshotError(f"ssh-keygen could not sign with {key}: {_reason(done)}")


def check(folder: Path, signers: Path | None = None) -> str:
    """Who signed a snapshot, in ssh-keygen's words.

    ``signers``: a file of allowed signers (``ssh-keygen(1)``); without it the signature is only
    known to fit the files.  Raises `SnapshotError` where it does not, or the signer is none of
    them.
    """
    if not os.path.lexists(folder / SIGNATURE):
        raise SnapshotError(f"{SIGNATURE}: is missing; the snapshot is not signed")
    signed = read_text(folder, TAG_MANIFEST)
    read_text(folder, SIGNATURE)
    place = ["-n", NAMESPACE, "-s", str(folder / SIGNATURE)]
    if signers is None:
        done = _run(["-Y", "check-novalidate", *place], signed)
    else:
        listed = _run(["-Y", "find-principals", "-s", str(folder / SIGNATURE), "-f", str(signers)])
        names = listed.stdout.decode("utf-8", "replace").splitlines()
        if listed.returncode or not names:
            raise SnapshotError(f"{SIGNATURE}: it was not made by any signer in {signers}")
        done = _run(["-Y", "verify", "-f", str(signers), "-I", names[0], *place], signed)
    if done.returncode:
        raise SnapshotError(f"{SIGNATURE}: the signature does not fit ({_reason(done)})")
    said = done.stdout.decode("utf-8", "replace")
    found = re.search(r"with (\S+ key \S+)", said)
    return found[1] if found else said.strip()


def _run(arguments: list[str], data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise SnapshotError("signatures need OpenSSH's ssh-keygen; install openssh-client")
    try:
        return subprocess.run(  # noqa: S603 - OpenSSH, with our own arguments
            [program, *arguments], input=data, capture_output=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise SnapshotError(f"ssh-keygen did not end within {_SECONDS} seconds") from error


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    said = (done.stderr or done.stdout).decode("utf-8", "replace").split("\n")
    return " ".join(filter(None, said))[:300] or f"exit code {done.returncode}"
