"""``show --explain`` with the real command."""

import json
import re

from conftest import CommandLine


def test_explain_lists_every_value_of_a_record_as_json(harvested: CommandLine) -> None:
    ran = harvested("show", "hal-04493396", "--explain", "--format", "json")
    assert ran.code == 0
    account = json.loads(ran.out)
    assert (account["id"], account["version"], account["as_held"]) == ("hal-04493396", 1, True)
    assert (account["prefix"], account["profile"], account["warnings"]) == ("oai_dc", "hal", [])
    assert [one["position"] for one in account["placements"]] == list(range(1, 19))
    assert account["placements"][0] == {
        "position": 1,
        "element": "publisher",
        "lang": None,
        "text": "HAL CCSD",
        "rule": "archive",
        "section": "HAL's oai_dc (profile `hal`)",
        "outcome": "dropped",
        "reason": "the archive's own name",
    }
    assert account["placements"][9] == {
        "position": 10,
        "element": "source",
        "lang": None,
        "text": "https://hal.science/hal-04493396",
        "rule": "record's address",
        "section": "HAL's oai_dc (profile `hal`)",
        "outcome": "repetition",
        "places": ["landing_page"],
    }


def test_explain_is_a_table_with_nothing_cut(harvested: CommandLine) -> None:
    shown = harvested("show", "hal-04493396", "--explain").out
    lines = shown.splitlines()
    assert lines[0] == "hal-04493396v1 · oai_dc · hal · sections of docs/normalising.md"
    assert max(len(line) for line in lines) <= 80
    assert re.split(r"\s{2,}", lines[2]) == ["Source value", "Rule (section)", "Result"]
    squeezed = " ".join(line[:36].strip() for line in lines)
    assert "resulting challenges for professional practices and beneficiaries." in squeezed
    assert any("repetition of" in line for line in lines)
    french = harvested("--ui", "fr", "show", "hal-04493396", "--explain").out
    assert "Valeur de la source" in french
    assert "répétition de" in french


def test_every_recorded_record_can_be_explained_and_is_as_held(harvested: CommandLine) -> None:
    ids = harvested("search", "--format", "ids", "--limit", "100", "--status", "all").out
    ran = harvested("show", "-", "--explain", "--format", "json", stdin=ids)
    accounts = [json.loads(line) for line in ran.out.splitlines()]
    assert len(accounts) == 73
    assert all(one["as_held"] for one in accounts)


def test_explain_with_bibtex_is_refused_and_an_unknown_record_is_told(
    harvested: CommandLine,
) -> None:
    ran = harvested("show", "hal-04493396", "--explain", "--format", "bibtex")
    assert (ran.code, ran.out) == (2, "")
    assert "--explain is written as text or json, not as bibtex" in ran.err
    ran = harvested("show", "hal-99999999", "--explain")
    assert (ran.code, ran.out) == (1, "")
    assert "hal-99999999: no such record in the mirror" in ran.err
