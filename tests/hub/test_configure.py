"""What the hub is told, from settings; and how it says that it cannot start."""

from __future__ import annotations

import copy
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from traitlets.config import Config

from allotment.record import credentials, devices, open_record, people, profiles
from allotment.settings import load_settings
from allotment_hub import configure
from allotment_hub.launch.place import Place, Ports
from allotment_hub.roles import CONTROL_PLANE_SCOPE, CUSTOM_SCOPES, SERVICE_SCOPES, token_choices
from allotment_spawner.access import OPERATE_SCOPE

SETTINGS = """
sign_in: {kind: local, operators: [olga]}
devices: [{id: gpu-0, model: A100, memory: 80GiB}]
groups: [{name: vision, members: [ada]}]
servers: {command: [my-server, --flag]}
profiles: [profiles]
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Where a hub could live."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "small.yaml").write_text("title: Small\n")
    (tmp_path / "settings.yaml").write_text(SETTINGS)
    (tmp_path / "state").mkdir()
    return Place(tmp_path / "state", tmp_path / "settings.yaml", Ports(8000, 8001, 8002, 8003))


def configured(place: Place) -> Config:
    c = Config()
    configure(c, load_settings(place.settings, place.state), place)
    return c


@pytest.mark.promise("POOL-1", "PROFILE-1", "USER-2")
def test_the_record_holds_devices_profiles_people_and_passwords_before_anybody_is_served(
    place: Place,
) -> None:
    configured(place)
    record = open_record(f"sqlite:///{place.state}/record.sqlite")
    with record.reading() as reading:
        assert [device.id for device in devices.all_devices(reading)] == ["gpu-0"]
        assert [profile.name for profile in profiles.all_profiles(reading)] == ["small"]
        assert {person.name for person in people.all_people(reading)} == {"olga", "ada"}
        assert credentials.get(reading, "ada")
    record.close()
    names = {line.partition(":")[0] for line in place.first_passwords.read_text().splitlines()}
    assert names == {"olga", "ada"}


def test_a_second_start_gives_nobody_another_password(place: Place) -> None:
    configured(place)
    before = place.first_passwords.read_text()
    configured(place)
    assert place.first_passwords.read_text() == before


@pytest.mark.promise("AUTH-1")
def test_where_the_hubs_folder_ends_with_its_pod_no_password_is_drawn_into_it(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    configured(replace(place, lasts=False))

    assert not place.first_passwords.exists()
    assert "ada, olga. Make one in the hub's pod: allotment password NAME" in caplog.text
    address = f"sqlite:///{place.state}/record.sqlite"
    with closing(open_record(address)) as record, record.reading() as reading:
        assert credentials.get(reading, "olga") is None


def test_the_hub_can_copy_what_it_is_told(place: Place) -> None:
    told = configured(place)
    assert copy.deepcopy(told).JupyterHub.template_vars["allotment"](None) is None


@pytest.mark.promise("USER-7")
def test_the_control_plane_may_start_stop_and_on_board_and_never_mint_tokens(place: Place) -> None:
    told = configured(place)
    (role,) = told.JupyterHub.load_roles
    assert (role["services"], set(role["scopes"])) == (["allotment"], set(SERVICE_SCOPES))
    assert set(SERVICE_SCOPES) == {
        "start:servers",
        "delete:servers",
        "read:servers",
        "list:users",
        "read:users:name",
        "delete:users",
        "custom:allotment:control-plane",
    }
    assert not any("tokens" in scope or "auth_state" in scope for scope in SERVICE_SCOPES)


@pytest.mark.promise("USER-7")
def test_everybody_may_hold_the_marker_and_only_a_token_made_for_everything_carries_it(
    place: Place,
) -> None:
    told = configured(place)
    assert told.JupyterHub.extra_user_scopes == {OPERATE_SCOPE, "access:services!service=allotment"}
    custom = {OPERATE_SCOPE, CONTROL_PLANE_SCOPE}
    assert set(told.JupyterHub.custom_scopes) == set(CUSTOM_SCOPES) == custom
    own, everything = (choice["scopes"].split() for choice in token_choices())
    assert OPERATE_SCOPE not in own
    assert everything == ["inherit"]


def test_nobody_is_an_administrator_and_no_visit_starts_a_server(place: Place) -> None:
    told = configured(place)
    assert told.JupyterHub.admin_access is False
    assert "admin_users" not in told.LocalAuthenticator
    assert told.Spawner.options_form
    assert told.JupyterHub.implicit_spawn_seconds == 0


def test_the_control_plane_knows_the_record_and_servers_do_not_know_the_folder(
    place: Place,
) -> None:
    told = configured(place)
    (service,) = told.JupyterHub.services
    assert (
        service["environment"]["ALLOTMENT_RECORD_URL"] == f"sqlite:///{place.state}/record.sqlite"
    )
    assert service["environment"]["ALLOTMENT_STATE"] == str(place.state)
    assert "ALLOTMENT_STATE" not in told.Spawner.get("environment", {})
    assert told.Spawner.cmd == ["my-server", "--flag"]
    assert str(place.homes) in told.SimpleLocalProcessSpawner.home_dir_template


def test_system_users_need_a_hub_that_runs_as_root(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place.settings.write_text(SETTINGS.replace("servers: {", "servers: {system_users: true, "))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(SystemExit) as ended:
        configured(place)
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "settings.yaml:5: servers.system_users: needs a hub that runs as root" in said
    assert not place.first_passwords.exists()


def test_a_record_of_a_newer_version_stops_the_hub_in_words(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(place)
    engine = sa.create_engine(f"sqlite:///{place.state}/record.sqlite")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(SystemExit):
        configured(place)
    said = capsys.readouterr().err
    assert "newer than this version" in said
    assert "Traceback" not in said


@pytest.mark.promise("SERVER-7")
def test_a_hub_is_called_in_a_shared_record_what_its_settings_say(place: Place) -> None:
    with place.settings.open("a") as file:
        file.write("hub: north\n")

    c = configured(place)

    assert c.AllotmentMixin.hub_id == "north"
    (service,) = c.JupyterHub.services
    assert service["environment"]["ALLOTMENT_HUB"] == "north"
