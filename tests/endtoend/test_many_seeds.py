"""A server that fails by chance, again and again: in the end the mirror equals the truth.

``HALMIRROR_TEST_SEEDS`` says how many seeds are tried (25 unless told).
"""

import os
import re
from pathlib import Path

import pytest

from conftest import CommandLine
from faulty_server import FaultyEndpoint, held

SEEDS = int(os.environ.get("HALMIRROR_TEST_SEEDS", "25"))
MOST_RUNS = 8
LINE = re.compile(
    r"hal: (\d+) new, (\d+) changed, (\d+) unchanged, (\d+) gone, (\d+) quarantined; "
)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_server_that_fails_by_chance_loses_nothing(tmp_path: Path, seed: int) -> None:
    command = CommandLine(tmp_path)
    with FaultyEndpoint(page_size=7 + seed % 20, seed=seed, faults_left=6) as endpoint:
        command.configure(endpoint.url, more=f"connections = {1 + seed % 3}")
        new = 0
        for _ in range(MOST_RUNS):
            ran = command("harvest", "--now")
            assert "Traceback" not in ran.err
            found = LINE.search(ran.out)
            new += int(found[1]) if found else 0
            if ran.code == 0 and endpoint.faults_left <= 0:
                break
            if ran.code == 0:
                endpoint.heal()
        assert ran.code == 0, (endpoint.drawn, ran.err)
        assert held(command) == endpoint.truth(), endpoint.drawn
        # The counts add up: each record was new once.
        assert new == 73, endpoint.drawn
        assert command("quarantine", "list").out == "nothing is in quarantine\n"
