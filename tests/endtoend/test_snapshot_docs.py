"""Every command of docs/snapshots.md is run as it stands there."""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conftest import REPOSITORY, CommandLine
from recorded_endpoint import RECORDED, RecordedEndpoint

TEXT = (REPOSITORY / "docs" / "snapshots.md").read_text("utf-8")
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()
]
FIRST, SECOND = "2026-11-01T03-00-00Z", "2026-11-02T03-00-00Z"
# DuckDB's command line is no package of Debian's; Python's is the same program.
DUCKDB = '#!/bin/sh\nexec "{python}" -c "import duckdb, sys; print(duckdb.sql(sys.argv[1]))" "$2"\n'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], list[str]]:
    """A mirror with a whole snapshot and an increment, and programs to read them with."""
    command = CommandLine(tmp_path_factory.mktemp("snapshots"))
    names = []
    with RecordedEndpoint(RECORDED) as endpoint:
        command.configure(endpoint.url)
        assert command("harvest").code == 0
        names.append(Path(command("snapshot", "create", "hal").out.strip()).name)
        record = endpoint.record("oai:HAL:hal-04493396v1").edited("une menace", "une chance")
        endpoint.replace(record.stamped(datetime.now(UTC).date().isoformat()))
        assert command("harvest").code == 0
        since = f"hal/{names[0]}"
        names.append(Path(command("snapshot", "create", "hal", "--since", since).out.strip()).name)
    programs = command.folder / "bin"
    programs.mkdir()
    for name, text in (
        ("duckdb", DUCKDB.format(python=sys.executable)),
        ("halmirror", f'#!/bin/sh\nexec "{sys.executable}" -m halmirror "$@"\n'),
    ):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    environment = command.environment()
    environment["PATH"] = f"{programs}:{os.environ['PATH']}"
    return command.folder, environment, names


def test_every_command_does_what_is_said(
    place: tuple[Path, dict[str, str], list[str]],
) -> None:
    folder, environment, names = place
    said: dict[str, str] = {}
    for line in COMMANDS:
        inside = folder
        if "data/" in line or "snapshot.json" in line or line.startswith("sha512sum"):
            inside = folder / "hal" / names[0]
        if "*/data/" in line:
            inside = folder / "hal"
        done = subprocess.run(
            [
                "bash",
                "-euo",
                "pipefail",
                "-c",
                line.replace(FIRST, names[0]).replace(SECOND, names[1]),
            ],
            cwd=inside,
            env=environment,
            capture_output=True,
            check=False,
        )
        # A reader that had enough ends the one before it.
        assert done.returncode in ({0, 141} if "| head" in line else {0}), (line, done.stderr)
        said[line] = done.stdout.decode()

    def of(start: str) -> str:
        (found,) = {text for line, text in said.items() if line.startswith(start)}
        return found

    assert of("sha512sum --quiet -c tag") == of("sha512sum --quiet -c man") == ""
    assert (
        of("jq -r .digest").strip() == of("gunzip -c data/records/*.jsonl.gz | sha256").split()[0]
    )
    assert of("gunzip -c data/records/*.jsonl.gz | jq -r .status").split() == ["73", "active"]
    assert "73" in of('duckdb -c "SELECT status')
    assert '"announced":73,"distinct":73' in of("jq -c '.sources[]")
    assert "Good" in of("ssh-keygen -Y verify")
    assert '"status":"active"' in of("""zstd -dc data/history/*.jsonl.zst | jq -c""")
    assert "73" in of('duckdb -c "SELECT count(*) AS records FROM (SELECT')
    assert of("halmirror snapshot diff").endswith("0 added, 1 changed, 0 removed\n")
    shutil.rmtree(folder / "signed")
