"""The command line against a real control plane: what it shows, changes, and says when it may not."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from allotment.cli import app
from allotment.model.people import Permission
from allotment.record import groups, people, roles

Run = Callable[..., Result]


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


@pytest.fixture
def run(long_lived: Any, runner: CliRunner) -> Run:
    """Run a command as somebody, over the small platform that many tests read."""

    def invoke(*words: str, who: str = "olga+", **options: Any) -> Result:
        environment = {"ALLOTMENT_API_URL": long_lived.url, "ALLOTMENT_TOKEN": who}
        return runner.invoke(app, list(words), env=environment, **options)

    return invoke


@pytest.fixture
def change(api: Any, runner: CliRunner) -> Run:
    """Run a command as somebody, over a platform of the test's own."""

    def invoke(*words: str, who: str = "olga+", **options: Any) -> Result:
        environment = {"ALLOTMENT_API_URL": api.url, "ALLOTMENT_TOKEN": who}
        return runner.invoke(app, list(words), env=environment, **options)

    return invoke


def test_status_says_what_there_is_and_what_of_it_is_held(run: Run) -> None:
    result = run("status")

    assert result.exit_code == 0
    assert "Devices  1: 1 held, 0 free" in result.stdout
    assert "Servers  1 starting" in result.stdout


def test_status_shows_a_data_scientist_own_things(run: Run) -> None:
    result = run("status", who="zoe")

    assert result.exit_code == 0
    assert "zoe, data-scientist in vision" in result.stdout
    assert "This token shows your own things only." in result.stdout
    assert "analyst-1" not in result.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("pools",), "a100     A100         1     1     0           1      0          0"),
        (("pools", "a100"), "analyst-1/train"),
        (("pools", "a100"), "Cooperative"),
        (("groups",), "vision              2         1 of 1 in a100"),
        (("groups", "vision"), "analyst-1        console"),
        (("users",), "analyst-1  data-scientist  vision        1        1        1"),
        (("users", "analyst-1"), "devices at once             1  no limit"),
        (("servers",), "analyst-1/train  gpu      vision  starting"),
        (("servers", "--person", "zoe"), "No server."),
    ],
)
def test_lists_are_tables_whose_numbers_say_what_is_held(
    run: Run, words: tuple[str, ...], expected: str
) -> None:
    result = run(*words)

    assert result.exit_code == 0
    assert expected in result.stdout


@pytest.mark.parametrize("words", [("pools",), ("groups",), ("users",), ("servers",)])
def test_lists_are_json_for_programs(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words, "--json")

    assert isinstance(json.loads(result.stdout), list)


def test_status_is_one_json_document_for_programs(run: Run) -> None:
    assert json.loads(run("status", "--json").stdout)["capacity"]["held"] == 1


@pytest.mark.promise("OPS-9")
def test_explain_names_every_rule_in_the_way(run: Run) -> None:
    result = run("explain", "zoe", "gpu")

    assert result.exit_code == 1
    assert result.stdout.startswith("zoe would wait for gpu now: 1 rule in the way.\n")
    assert "(share.guarantee)" in result.stdout


@pytest.mark.promise("USER-7")
def test_what_a_role_may_not_do_is_refused_in_words(run: Run) -> None:
    result = run("export", who="zoe")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "may not see this part of the platform" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_refusal_is_json_where_json_was_asked_for(run: Run) -> None:
    result = run("export", "--json", who="zoe")

    assert json.loads(result.stderr)["reasons"][0]["rule"] == "permission"


def test_a_token_that_the_hub_does_not_know_leads_to_where_one_is_made(run: Run) -> None:
    result = run("status", who="guessed")

    assert result.exit_code == 1
    assert "The hub does not know this token" in result.stderr
    assert "/hub/token" in result.stderr


def test_what_is_not_there_is_said(run: Run) -> None:
    result = run("pools", "nowhere")

    assert (result.exit_code, result.stderr.splitlines()[0]) == (
        1,
        "There is no pool 'nowhere'.",
    )


@pytest.mark.promise("OPS-1")
def test_an_export_differs_from_the_platform_in_nothing(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "exported.yaml"
    file.write_text(run("export").stdout)

    result = run("plan", str(file), "--restore", "--exit-code")

    assert (result.exit_code, result.stdout) == (0, "The platform is as the file says.\n")


@pytest.mark.promise("OPS-1")
def test_a_plan_says_what_would_be_made_and_makes_nothing(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "more.yaml"
    file.write_text("groups: [{name: speech, members: [cleo]}]\n")

    first = run("plan", str(file), "--exit-code")
    second = run("plan", str(file))

    assert first.exit_code == 1
    assert first.stdout == second.stdout
    assert "+ group speech is made\n+ cleo in group speech is made\n" in first.stdout


@pytest.mark.promise("OPS-1")
def test_a_file_is_applied_and_applied_again_changes_nothing(change: Run, tmp_path: Path) -> None:
    file = tmp_path / "more.yaml"
    file.write_text("groups: [{name: speech, members: [cleo]}]\n")

    first = change("apply", str(file), "--yes")
    second = change("apply", str(file), "--yes")

    assert first.stdout.endswith("changes made.\n")
    assert second.stdout == "The platform is as the file says.\n0 changes made.\n"
    assert "cleo" in change("users").stdout


@pytest.mark.promise("OPS-1")
def test_what_cannot_be_applied_is_named_with_the_files_own_line(
    change: Run, tmp_path: Path
) -> None:
    file = tmp_path / "more.yaml"
    file.write_text("groups:\n  - {name: speech, shares: [{pool: default, guaranteed: 9}]}\n")

    result = change("apply", str(file), "--yes")

    assert result.exit_code == 1
    assert result.stderr.startswith(f"{file}:2: groups[0]: ")


@pytest.mark.promise("USER-7")
def test_a_data_scientist_applies_nothing(change: Run, tmp_path: Path) -> None:
    file = tmp_path / "more.yaml"
    file.write_text("sign_in: {operators: [bob]}\n")

    result = change("apply", str(file), "--yes", who="bob+")

    assert result.exit_code == 1
    assert "may not apply settings" in result.stderr
    assert change("users", "bob", "--json").stdout.count('"role": "data-scientist"') == 1


@pytest.mark.promise("USER-8")
def test_who_may_do_nearly_everything_makes_nobody_an_operator_by_a_file(
    change: Run, api: Any, lab: Any, tmp_path: Path
) -> None:
    with lab.write() as writing:
        roles.put(writing, "nearly", set(Permission) - {Permission.STOP_SERVERS})
        people.onboard(writing, ["nora"], role="nearly")
    api.hub.give("nora+", "nora", "access:services!service=allotment", "custom:allotment:operate")
    file = tmp_path / "more.yaml"
    file.write_text("sign_in: {operators: [nora]}\n")

    result = change("apply", str(file), "--yes", "--restore", who="nora+")

    assert result.exit_code == 1
    assert json.loads(change("users", "nora", "--json").stdout)["role"] == "nearly"


@pytest.mark.promise("SERVER-4")
def test_servers_are_stopped_by_name_with_a_reason_for_their_user(
    change: Run, api: Any, lab: Any
) -> None:
    lab.granted("ann", "gpu", "train")

    result = change("stop", "ann/train", "--reason", "maintenance", "--yes")

    assert (result.exit_code, result.stdout) == (0, "ann/train is stopping\n")
    assert json.loads(change("servers", "--all", "--json").stdout)[0]["stop_reason"] == (
        "maintenance"
    )
    assert ("DELETE", "/users/ann/servers/train") in [asked[:2] for asked in api.hub.asked]


def test_nothing_is_stopped_where_nobody_can_be_asked(change: Run, lab: Any) -> None:
    lab.granted("ann", "gpu", "train")

    result = change("stop", "ann/train")

    assert result.exit_code == 2
    assert "say --yes" in result.stderr
    assert "starting" in change("servers").stdout


def test_a_server_that_does_not_run_stops_the_whole_command(change: Run, lab: Any) -> None:
    lab.granted("ann", "gpu", "train")

    result = change("stop", "ann/train", "ann/other", "--yes")

    assert (result.exit_code, result.stderr.splitlines()[0]) == (
        1,
        "There is no running server 'ann/other'.",
    )
    assert "stopping" not in change("servers").stdout


def test_the_names_that_people_gave_cannot_steer_the_terminal(change: Run, api: Any) -> None:
    with api.plane.record.writing("olga", datetime.now(UTC)) as writing:
        groups.create(writing, "loud", title="\x1b[31mred\x07[bold]")

    result = change("groups", "loud")

    assert "\x1b" not in result.stdout
    assert "\N{REPLACEMENT CHARACTER}[31mred\N{REPLACEMENT CHARACTER}[bold]" in result.stdout


@pytest.mark.promise("USER-2", "GROUP-3")
def test_the_mode_and_the_default_group_are_chosen(change: Run) -> None:
    assert "Strict mode" in change("platform").stdout

    chosen = change("platform", "--mode", "flexible", "--default-group", "vision")

    assert "Flexible mode" in chosen.stdout
    assert "New people are proposed group vision." in chosen.stdout
    assert "no group" in change("platform", "--no-default-group").stdout
    assert change("platform", "--default-group", "nonesuch").exit_code != 0


@pytest.mark.promise("QUEUE-8")
def test_devices_are_reserved_listed_and_given_back(change: Run) -> None:
    times = ["--from", "2036-12-01T09:00", "--to", "2036-12-01T13:00"]
    made = change("reserve", "a100", "1", *times, "--group", "vision", "--note", "Course", "--json")
    key = json.loads(made.stdout)["id"]

    assert "2036-12-01 09:00" in change("reservations").stdout
    assert "was cancelled" in change("reservations", "--cancel", key).stdout
    assert "Nothing is reserved" in change("reservations").stdout
    assert change("reserve", "a100", "9", *times, "--group", "vision").exit_code != 0


@pytest.mark.promise("CLUSTER-1")
def test_status_and_health_say_how_each_part_is(run: Run) -> None:
    status = run("status").stdout
    assert "Parts" in status
    assert "JupyterHub 6.1.1 answers" in status
    assert "Control planes" in run("health").stdout
    parts = json.loads(run("health", "--json").stdout)
    assert {"hub", "record", "backup"} <= {part["name"] for part in parts["items"]}


@pytest.mark.promise("CLUSTER-2")
def test_about_says_version_licence_and_what_is_new(run: Run) -> None:
    short, long = run("about").stdout, run("about", "--news").stdout
    assert "Licence: BSD-3-Clause. Open use needs no licence key." in short
    assert "0.1.0, not released yet" in long
    assert "operator console" in long
