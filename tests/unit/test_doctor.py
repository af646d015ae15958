"""The doctor: every line says how a thing is, what was found, and how to mend it."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from allotment.cli import app, checks, data_checks
from allotment.cli.ending import Exit
from allotment.cli.findings import Finding, Level, Machine, examine
from allotment.data.assembling import open_vault
from allotment.data.keys import new_key, write_keys
from allotment.model.claims import Claim, Granted
from allotment.model.profiles import Profile
from allotment.record import claims, open_record, people, profiles
from allotment.settings import Settings
from allotment_hub import checks as hub_checks
from allotment_hub.launch.folder import held
from allotment_hub.launch.place import Place, Ports

PROFILE = "title: Small\n"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine on which everything is well."""
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    for name in ("small", "operator-console"):
        (profiles / f"{name}.yaml").write_text(PROFILE)
    (tmp_path / "allotment.yaml").write_text("servers: {command: [python3]}\n")
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return Machine(state, tmp_path / "allotment.yaml", port)


def lines(findings: Iterator[Finding], level: Level) -> list[str]:
    return [f"{one.subject}: {one.found}" for one in findings if one.level is level]


def mends(findings: Iterator[Finding]) -> list[str]:
    return [one.mend for one in findings if one.level is not Level.OK]


@contextmanager
def waiting_process(environment: dict[str, str], *words: str) -> Iterator[int]:
    """A process with this environment and these words in its command line; its id."""
    program = "print('up', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program, *words],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.kill()


def test_on_a_machine_where_all_is_well_nothing_fails(machine: Machine) -> None:
    assert lines(examine(machine, checks.CHECKS), Level.FAIL) == []


def test_the_exit_status_says_whether_the_platform_can_work(machine: Machine) -> None:
    words = ["doctor", "--settings", str(machine.settings), "--state", str(machine.state)]
    words += ["--port", str(machine.port), "--json"]
    well = CliRunner().invoke(app, words)
    (machine.state.parent / "allotment.yaml").write_text("group: []\n")

    ill = CliRunner().invoke(app, words)

    assert (well.exit_code, ill.exit_code) == (Exit.DONE, Exit.UNHEALTHY)
    failed = [one for one in json.loads(ill.stdout)["findings"] if one["level"] == "fail"]
    assert failed == [
        {
            "level": "fail",
            "subject": "Settings",
            "found": f"{machine.settings}:1: group: is not a key here; did you mean 'groups'?",
            "mend": "Change that line; docs/settings.md explains every key.",
        }
    ]


def test_parts_of_the_distribution_add_checks_of_their_own(machine: Machine) -> None:
    subjects = {one.subject for one in examine(machine, ())}

    assert {"Proxy", "Console", "State", "Hub", "Port"} <= subjects


def test_a_check_that_breaks_hides_no_other(machine: Machine) -> None:
    def broken_check(_machine: Machine) -> Iterator[Finding]:
        message = "boom"
        raise ZeroDivisionError(message)

    found = list(examine(machine, (broken_check, checks.space)))

    assert lines(iter(found), Level.FAIL) == [
        "broken check: could not be examined: ZeroDivisionError: boom"
    ]
    assert "Disk space" in {one.subject for one in found}


def test_settings_that_nobody_named_are_asked_for(tmp_path: Path) -> None:
    found = checks.settings(Machine(tmp_path, None, 8000))

    assert mends(found) == ["Name it: --settings FILE, or SETTINGS=FILE"]


def test_a_broken_profile_is_named_with_its_line(machine: Machine) -> None:
    (machine.state.parent / "profiles" / "large.yaml").write_text("titel: Large\n")

    assert lines(checks.settings(machine), Level.FAIL) == [
        (
            "Profiles: profiles/large.yaml:1: titel: is not a key here; did you mean 'title'?; "
            "profiles/large.yaml:1: title: is missing"
        )
    ]


def test_without_profiles_nobody_can_launch(machine: Machine) -> None:
    shutil.rmtree(machine.state.parent / "profiles")

    assert lines(checks.settings(machine), Level.FAIL) == [
        "Profiles: there is none, so nobody can launch"
    ]


def test_without_the_consoles_profile_operators_are_told(machine: Machine) -> None:
    (machine.state.parent / "profiles" / "operator-console.yaml").unlink()

    assert "Profiles: small, but no operator-console" in lines(checks.settings(machine), Level.WARN)


def test_a_server_command_that_is_not_there_fails(machine: Machine) -> None:
    (machine.state.parent / "allotment.yaml").write_text("servers: {command: [no-such-program]}\n")

    assert "Server command: no-such-program is not found" in lines(
        checks.settings(machine), Level.FAIL
    )


@pytest.mark.parametrize(
    ("user", "system_users", "level"),
    [
        (0, False, Level.WARN),
        (0, True, Level.OK),
        (1000, True, Level.FAIL),
        (1000, False, Level.OK),
    ],
)
def test_who_runs_everybodys_servers_is_said(
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    user: int,
    system_users: bool,
    level: Level,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    text = f"servers: {{command: [python3], system_users: {str(system_users).lower()}}}\n"
    (machine.state.parent / "allotment.yaml").write_text(text)

    (found,) = [one for one in checks.settings(machine) if one.subject == "System users"]

    assert found.level is level


def test_without_the_program_that_starts_system_users_servers_it_is_told(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda _program: None)
    text = "servers: {command: [python3], system_users: true}\n"
    (machine.state.parent / "allotment.yaml").write_text(text)

    (found,) = [one for one in checks.settings(machine) if one.subject == "System users"]

    assert (found.level, found.mend) == (Level.FAIL, "Install util-linux.")


def test_a_record_that_is_not_there_yet_is_well(machine: Machine) -> None:
    (found,) = checks.record(machine)

    assert (found.level, "is made at the first start" in found.found) == (Level.OK, True)


@pytest.mark.promise("OPS-5")
def test_a_record_of_a_newer_version_fails(machine: Machine) -> None:
    url = f"sqlite:///{machine.state}/record.sqlite"
    open_record(url, migrate=True).close()
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()

    (found,) = checks.record(machine)

    assert (found.level, found.mend) == (
        Level.FAIL,
        "Install the newer version, or restore a backup.",
    )


def test_a_file_that_is_no_record_fails_in_words(machine: Machine) -> None:
    (machine.state / "record.sqlite").write_text("no database" * 100)

    assert lines(checks.record(machine), Level.FAIL) == [
        f"Record: {machine.state}/record.sqlite: The record did not answer: DatabaseError."
    ]


def test_a_record_of_an_older_version_is_migrated_by_the_next_start(machine: Machine) -> None:
    (machine.state / "record.sqlite").touch()

    assert mends(checks.record(machine)) == ["The hub's next start does it; or: allotment migrate"]


def test_devices_that_are_declared_are_counted_by_model(machine: Machine) -> None:
    device = "{id: gpu-0, model: A100, memory: 80GiB, node: elsewhere}"
    (machine.state.parent / "allotment.yaml").write_text(f"devices: [{device}]\n")

    assert lines(checks.devices(machine), Level.OK) == ["Devices: 1 of A100 (from settings)"]


def test_simulated_devices_are_said_to_be_simulated(machine: Machine) -> None:
    assert "four devices are simulated" in lines(checks.devices(machine), Level.WARN)[0]


def test_a_process_of_a_server_that_has_ended_is_named(machine: Machine) -> None:
    record = open_record(f"sqlite:///{machine.state}/record.sqlite", migrate=True)
    with record.writing("operator", NOW) as writing:
        people.onboard(writing, ["ann"])
        profiles.publish(writing, Profile(name="small", title="Small"), "small.yaml", "1")
    outcome = claims.admit(record, Claim("hub", "ann", "", "small", token_hash="1"), NOW)
    assert isinstance(outcome, Granted)
    claims.mark_stopping(record, outcome.allotment.id, "stopped", "ann", NOW)
    claims.release(record, outcome.allotment.id, "its process is gone", NOW)
    record.close()
    environment = {"ALLOTMENT_ID": outcome.allotment.id, "PATH": os.environ["PATH"]}

    with waiting_process(environment) as pid:
        found = lines(checks.strays(machine), Level.WARN)

    assert found == [f"Processes: of servers that have ended: {pid}"]


@pytest.mark.parametrize(
    ("free", "level"), [(2**40, Level.OK), (2**30, Level.WARN), (2**20, Level.FAIL)]
)
def test_little_space_is_said_before_it_is_none(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, free: int, level: Level
) -> None:
    used = shutil.disk_usage(machine.state)._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: used)

    assert [one.level for one in checks.space(machine)] == [level]


def of_the_hub(machine: Machine) -> Iterator[Finding]:
    return (one for one in hub_checks.examine(machine) if one.subject != "Console")


def test_first_passwords_that_others_can_read_are_named_with_the_command(machine: Machine) -> None:
    passwords = machine.state / "first-passwords"
    passwords.write_text("operator: secret\n")
    passwords.chmod(0o644)

    found = list(of_the_hub(machine))

    assert mends(iter(found)) == [f"chmod 600 {passwords}"]
    assert "secret" not in "".join(one.found + one.mend for one in found)


def test_a_state_folder_that_others_can_look_into_is_named(machine: Machine) -> None:
    machine.state.chmod(0o755)

    assert mends(of_the_hub(machine)) == [f"chmod 700 {machine.state}"]


def test_a_port_that_another_program_holds_is_named_with_the_program(machine: Machine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", machine.port))
        taken.listen(1)

        (found,) = lines(of_the_hub(machine), Level.FAIL)

    assert f"Port {machine.port} is taken by process {os.getpid()}" in found


def test_a_hub_that_runs_here_holds_its_port_rightly(machine: Machine) -> None:
    place = Place(machine.state, Path(), Ports(machine.port, 0, 0, 0))
    with held(place):
        found = lines(of_the_hub(machine), Level.OK)

    assert "Hub: runs" in found


def test_a_pid_file_without_a_hub_is_no_hub(machine: Machine) -> None:
    (machine.state / "hub.pid").write_text(f"{os.getpid()}\n")
    (machine.state / "hub.lock").touch()

    assert "Hub: does not run here" in lines(of_the_hub(machine), Level.OK)


def test_what_a_killed_hub_left_behind_is_named(machine: Machine) -> None:
    environment = {"ALLOTMENT_STATE": str(machine.state), "PATH": os.environ["PATH"]}

    with waiting_process(environment, "allotment.api") as pid:
        found = lines(of_the_hub(machine), Level.WARN)

    assert found == [f"Processes: a hub that was killed left processes behind: {pid}"]


def test_a_proxy_that_is_not_installed_fails_with_how_to_install_it(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))

    assert [one for one in mends(hub_checks.examine(machine)) if "make setup" in one] != []


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("", Level.OK),
        ("bind: 0.0.0.0\nservers: {command: [python3], system_users: true}\n", Level.WARN),
    ],
)
def test_one_host_name_for_everybody_is_said_where_others_can_come_in(
    machine: Machine, text: str, level: Level
) -> None:
    (machine.state.parent / "allotment.yaml").write_text(text)

    (found,) = [one for one in of_the_hub(machine) if one.subject == "Host names"]

    assert found.level is level


@pytest.mark.promise("PROFILE-4")
def test_software_that_no_server_could_run_in_is_named_with_what_mends_it(
    machine: Machine, tmp_path: Path
) -> None:
    good = tmp_path / "environments" / "good" / "bin" / "python3"
    good.parent.mkdir(parents=True)
    good.symlink_to(sys.executable)
    (tmp_path / "environments" / "empty").mkdir()
    (tmp_path / "profiles" / "small.yaml").write_text(
        "title: Small\nsoftware:\n"
        + "".join(
            f"  - {{name: {name}, title: T, python_environment: {tmp_path}/{folder}}}\n"
            for name, folder in (
                ("good", "environments/good"),
                ("empty", "environments/empty"),
                ("outside", "elsewhere"),
            )
        )
    )
    (tmp_path / "allotment.yaml").write_text(
        "servers: {command: [python3], python_environments: [environments]}\n"
    )

    found = [one for one in hub_checks.examine(machine) if one.subject == "Software"]

    assert [(one.level, one.found) for one in found] == [
        (
            Level.FAIL,
            f"small, empty: the environment {tmp_path}/environments/empty has no program python3.",
        ),
        (
            Level.FAIL,
            f"small, outside: {tmp_path}/elsewhere is not below a folder that the settings allow.",
        ),
        (Level.OK, "1 Python environment of profiles"),
    ]
    assert [one.mend for one in found][:2] == [
        "Install it there.",
        "Name it in servers.python_environments.",
    ]


@pytest.mark.promise("DATA-5")
def test_keys_that_are_not_the_records_are_named(machine: Machine) -> None:
    record = open_record(f"sqlite:///{machine.state}/record.sqlite", migrate=True)
    open_vault(record, Settings(), machine.state, NOW)
    record.close()
    assert lines(data_checks.secrets(machine), Level.OK) != []

    write_keys(machine.state / "data.key", [new_key()])
    (failure,) = lines(data_checks.secrets(machine), Level.FAIL)
    assert "another key" in failure


DECLARED = """\
servers: {command: [python3]}
sources:
  - name: shop
    kind: postgresql
    fields: {host: db.example.com, database: shop, user: lender}
    secrets: {password: {variable: SHOP_PASSWORD_OF_A_TEST}}
"""


@pytest.mark.promise("AUTH-2", "DATA-5")
def test_a_declared_sources_secret_that_is_not_there_is_said_before_the_start(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert machine.settings is not None
    machine.settings.write_text(DECLARED)

    (told,) = lines(data_checks.sources(machine), Level.WARN)
    monkeypatch.setenv("SHOP_PASSWORD_OF_A_TEST", "planted")

    assert told.endswith("cannot be read: the variable SHOP_PASSWORD_OF_A_TEST is not set.")
    assert lines(data_checks.sources(machine), Level.OK) == ["Sources: 1 source declared"]


@pytest.mark.promise("AUTH-2")
def test_a_declared_source_with_a_field_that_its_kind_has_not_is_named_with_its_line(
    machine: Machine,
) -> None:
    assert machine.settings is not None
    machine.settings.write_text(DECLARED.replace("host:", "hots:"))

    (told,) = lines(data_checks.sources(machine), Level.FAIL)

    assert "allotment.yaml:5: sources[0].fields.hots: There is no field 'hots'." in told
