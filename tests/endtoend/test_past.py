"""History, differences and the feed of changes, with the real command and a changing endpoint."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conftest import CommandLine
from recorded_endpoint import RECORDED, RecordedEndpoint

NOW = datetime.now(UTC).date()
YESTERDAY, TODAY = (NOW - timedelta(days=1)).isoformat(), NOW.isoformat()
OLD_TITLE = "Les contrats à impact social : une menace pour la solidarité ?"
NEW_TITLE = "Les contrats à impact social : une chance pour la solidarité ?"


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """Four runs: all; title, date and sets of one record; its datestamp alone; its version 2."""
    command = CommandLine(tmp_path_factory.mktemp("changed"))
    with RecordedEndpoint(RECORDED, page_size=100) as endpoint:
        command.configure(endpoint.url)
        assert command("harvest").code == 0
        first = endpoint.record("oai:HAL:hal-04493396v1")
        second = (
            first.edited("une menace pour", "une chance pour")
            .edited("<dc:date>2018</dc:date>", "<dc:date>2019-02</dc:date>")
            .edited("subject:shs", "collection:TEST")
            .stamped(YESTERDAY)
        )
        endpoint.replace(second)
        assert "0 new, 1 changed" in command("harvest").out
        endpoint.replace(second.stamped(TODAY))
        assert "0 new, 0 changed" in command("harvest").out
        endpoint.remove(second.identifier)
        endpoint.records.append(
            second.edited("hal-04493396v1", "hal-04493396v2")
            .edited("<dc:language>fr</dc:language>", "<dc:language>en</dc:language>")
            .stamped(TODAY)
        )
        assert "1 new, 0 changed" in command("harvest").out
    return command


def states(command: CommandLine, *arguments: str) -> list[dict[str, Any]]:
    ran = command("show", *arguments, "--history", "--format", "json")
    assert ran.code == 0, ran.err
    found: list[dict[str, Any]] = json.loads(ran.out)["states"]
    return found


def without_times(state: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in state.items() if key not in ("at", "seq")}


def test_history_tells_each_state_with_what_changed(changed: CommandLine) -> None:
    found = states(changed, "hal-04493396")
    assert [one["seq"] for one in found] == sorted(one["seq"] for one in found)
    moved = found[1].pop("datestamps")
    assert [(one["run"], one["datestamp"]) for one in moved] == [(3, TODAY)]
    about = {"source": "hal", "id": "hal-04493396", "version": 1}
    about["oai_identifier"] = "oai:HAL:hal-04493396v1"
    assert [without_times(one) for one in found] == [
        about | {"run": 1, "change": "new", "status": "active", "datestamp": "2024-03-07"},
        about
        | {
            "run": 2,
            "change": "changed",
            "status": "active",
            "datestamp": YESTERDAY,
            "since": "hal-04493396v1",
            "keys": ["titles", "date", "year"],
            "sets_added": ["collection:TEST"],
            "sets_removed": ["subject:shs"],
        },
        about
        | {
            "run": 4,
            "change": "superseded",
            "status": "superseded",
            "datestamp": TODAY,
            "followed_by": "hal-04493396v2",
            "since": "hal-04493396v1",
        },
        about
        | {
            "run": 4,
            "version": 2,
            "oai_identifier": "oai:HAL:hal-04493396v2",
            "change": "new",
            "status": "active",
            "datestamp": TODAY,
            "since": "hal-04493396v1",
            "keys": ["languages"],
        },
    ]


def test_history_of_a_version_or_as_of_a_run_is_that_part(changed: CommandLine) -> None:
    assert [one["version"] for one in states(changed, "hal-04493396v2")] == [2]
    assert [one["run"] for one in states(changed, "hal-04493396v1")] == [1, 2, 4]
    assert [one["run"] for one in states(changed, "hal-04493396", "--as-of", "2")] == [1, 2]
    as_of_the_second = states(changed, "hal-04493396", "--as-of", "2")[1]
    assert "datestamps" not in as_of_the_second


def test_history_as_a_table_in_both_languages(changed: CommandLine) -> None:
    shown = changed("show", "hal-04493396", "--history").out
    lines = shown.splitlines()
    assert lines[0] == "hal-04493396 · hal"
    assert lines[2].split() == ["When", "(UTC)", "Record", "and", "What", "changed"]
    assert max(map(len, lines)) <= 80
    for part in (
        "keys that changed: titles, date, year",
        "sets added: collection:TEST",
        "sets removed: subject:shs",
        "followed by hal-04493396v2",
        f"datestamp alone moved to: {TODAY}",
    ):
        assert part in last_column(lines)
    french = changed("--ui", "fr", "show", "hal-04493396", "--history").out.splitlines()
    assert "clés modifiées : titles, date, year" in last_column(french)


def last_column(lines: list[str]) -> str:
    start = lines[2].index("What" if "What" in lines[2] else "Ce qui")
    return " ".join(line[start:].strip() for line in lines[2:])


def test_diff_says_what_changed_from_one_state_to_the_next(changed: CommandLine) -> None:
    ran = changed("diff", "hal-04493396", "--from", "1", "--to", "2")
    assert ran.code == 0
    joined = " ".join(ran.out.split())
    said = [
        f"datestamp: was 2024-03-07 and is now {YESTERDAY}",
        "sets, removed: subject:shs",
        "sets, added: collection:TEST",
        f"titles, removed: {OLD_TITLE} [fr]",
        f"titles, added: {NEW_TITLE} [fr]",
        "date: was 2018 and is now 2019-02",
        "year: was 2018 and is now 2019",
    ]
    heading, _, rest = joined.partition(" (run 2) ")
    assert heading.startswith("hal-04493396v1, ")
    assert "(run 1) → hal-04493396v1, " in heading
    assert rest == " ".join(said)
    assert max(map(len, ran.out.splitlines())) <= 80


def test_diff_as_json_between_the_last_two_states(changed: CommandLine) -> None:
    found = json.loads(changed("diff", "hal-04493396", "--format", "json").out)
    assert (found["before"]["id"], found["after"]["id"]) == ("hal-04493396v1", "hal-04493396v2")
    assert (found["before"]["run"], found["after"]["run"]) == (2, 4)
    assert found["changes"] == [
        {"key": "version", "removed": [1], "added": [2]},
        {
            "key": "oai_identifier",
            "removed": ["oai:HAL:hal-04493396v1"],
            "added": ["oai:HAL:hal-04493396v2"],
        },
        {"key": "languages", "removed": ["fr"], "added": ["en"], "many": True},
    ]
    one = json.loads(changed("diff", "hal-04493396v1", "--format", "json").out)
    assert [change["key"] for change in one["changes"]] == [
        "status",
        "status_since",
        "followed_by",
    ]


def test_diff_of_a_record_with_one_state_and_of_none(changed: CommandLine) -> None:
    ran = changed("diff", "hal-02737739")
    assert ran.code == 0
    assert ran.out.replace("\n", " ").endswith("(run 1): the only state that the mirror holds ")
    ran = changed("diff", "hal-02737739", "--from", "1")
    assert ran.out.endswith("\nNothing differs\n")
    ran = changed("diff", "hal-04493396", "--from", "2000-01-01")
    assert ran.code == 1
    assert "the mirror did not hold it at that time" in ran.err
    assert changed("diff", "hal-99999999").code == 1
    assert changed("diff", "hal-04493396", "--from", "sometime").code == 2


def test_the_feed_has_every_change_in_order_and_no_datestamp(changed: CommandLine) -> None:
    ran = changed("changes", "--since", "1", "--format", "jsonl")
    found = [json.loads(line) for line in ran.out.splitlines()]
    assert [(one["run"], one["id"], one["version"], one["change"]) for one in found] == [
        (2, "hal-04493396", 1, "changed"),
        (4, "hal-04493396", 1, "superseded"),
        (4, "hal-04493396", 2, "new"),
    ]
    assert found[0]["keys"] == ["titles", "date", "year"]
    assert (found[0]["sets_added"], found[0]["sets_removed"]) == (
        ["collection:TEST"],
        ["subject:shs"],
    )
    assert found[1]["seq"] == found[2]["seq"] > found[0]["seq"]
    assert ran.err.splitlines()[-1] == f"3 changes; go on with --cursor {found[2]['seq']}"
    everything = changed("changes", "--since", "2000-01-01", "--format", "jsonl").out
    assert len(everything.splitlines()) == 73 + 3
    names = [json.loads(line)["id"] for line in everything.splitlines()[:73]]
    assert names == sorted(names)


def test_a_program_goes_on_from_the_last_number_it_has_seen(changed: CommandLine) -> None:
    seen: list[str] = []
    cursor = 0
    while lines := changed(
        "changes", "--cursor", str(cursor), "--limit", "1", "--format", "jsonl"
    ).out.splitlines():
        seen += lines
        cursor = json.loads(lines[-1])["seq"]
    assert seen == changed("changes", "--cursor", "0", "--format", "jsonl").out.splitlines()
    ran = changed("changes", "--cursor", "0", "--limit", "1", "--format", "jsonl")
    first = json.loads(ran.out.splitlines()[-1])["seq"]
    assert ran.err.splitlines()[-1] == f"73 changes; go on with --cursor {first}"


def test_the_feed_as_text(changed: CommandLine) -> None:
    ran = changed("-q", "changes", "--since", "2")
    assert ran.err == ""
    first, second = ran.out.splitlines()
    assert first.endswith("Z hal hal-04493396v1 superseded; followed by hal-04493396v2")
    assert second.endswith(
        "Z hal hal-04493396v2 new; keys that changed (hal-04493396v1): languages; "
        f"datestamp: {TODAY}"
    )
    today = changed("changes", "--since", TODAY)
    assert (today.out, today.code) == ("", 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("changes",), "changes needs one of --since TIME and --cursor N"),
        (("changes", "--since", "1", "--cursor", "1"), "changes needs one of"),
        (("changes", "--since", "1", "--source", "tel"), "there is no source 'tel'"),
        (("changes", "--cursor", "9999"), "9999 lies beyond the mirror's last commit"),
        (("changes", "--since", "9999"), "there is no run 9999"),
        (("show", "hal-04493396", "--history", "--format", "dc"), "--history is written as"),
    ],
)
def test_what_cannot_be_is_refused(
    changed: CommandLine, arguments: tuple[str, ...], message: str
) -> None:
    ran = changed(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_a_record_that_vanishes_and_comes_back_is_withdrawn_and_restored(
    halmirror: CommandLine, endpoint: RecordedEndpoint
) -> None:
    assert halmirror("harvest").code == 0
    record = endpoint.record("oai:HAL:hal-04493396v1")
    endpoint.remove(record.identifier)
    assert halmirror("reconcile").code == 0
    endpoint.records.append(record.stamped(TODAY))
    assert halmirror("harvest").code == 0
    found = states(halmirror, "hal-04493396")
    assert [(one["change"], one["status"]) for one in found] == [
        ("new", "active"),
        ("withdrawn", "withdrawn"),
        ("restored", "active"),
    ]
    assert all("keys" not in one and "sets_added" not in one for one in found)
    said = halmirror("diff", "hal-04493396").out
    assert "status: was withdrawn and is now active" in said
