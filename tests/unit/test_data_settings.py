"""What of the data around the platform the settings open."""

from __future__ import annotations

from pathlib import Path

import pytest

from allotment.data.assembling import door_of, read_vault
from allotment.data.keys import new_key, write_keys
from allotment.data.problems import SourceProblem
from allotment.data.vault import KeysWrong
from allotment.model.refusals import SettingsInvalid
from allotment.settings import Settings, load_settings, parse_settings


def _load(tmp_path: Path, text: str) -> Settings:
    (tmp_path / "allotment.yaml").write_text(text)
    (tmp_path / "state").mkdir(exist_ok=True)
    return load_settings(tmp_path / "allotment.yaml", tmp_path / "state")


def test_left_out_a_folder_of_the_hubs_own_is_open_and_nothing_else(tmp_path: Path) -> None:
    settings = _load(tmp_path, "")
    door = door_of(settings, state=tmp_path / "state")
    assert door.path(f"{tmp_path}/state/data/x.csv") == tmp_path / "state" / "data" / "x.csv"
    assert door.networks == ()


@pytest.mark.parametrize(
    "closed", ["state/record.sqlite", "state/data.key", "state/logs/hub.log", "allotment.yaml"]
)
def test_what_the_platform_keeps_is_closed_though_a_root_holds_it(
    tmp_path: Path, closed: str
) -> None:
    settings = _load(tmp_path, f"data: {{roots: ['{tmp_path}']}}")
    with pytest.raises(SourceProblem):
        door_of(settings, state=tmp_path / "state").path(f"{tmp_path}/{closed}")


@pytest.mark.parametrize("end", ["", "-wal", "-shm"])
def test_a_record_elsewhere_is_closed(tmp_path: Path, end: str) -> None:
    settings = _load(
        tmp_path, f"record: sqlite:///{tmp_path}/else.sqlite\ndata: {{roots: ['{tmp_path}']}}"
    )
    with pytest.raises(SourceProblem):
        door_of(settings, state=tmp_path / "state").path(f"{tmp_path}/else.sqlite{end}")


def test_the_records_own_database_is_closed(tmp_path: Path) -> None:
    settings = _load(
        tmp_path, "record: postgresql://a@127.0.0.1:5499/allotment\ndata: {networks: [127.0.0.0/8]}"
    )
    door = door_of(settings, state=tmp_path / "state")
    with pytest.raises(SourceProblem, match="belongs to this platform"):
        door.host("127.0.0.1", 5499)
    assert door.host("127.0.0.1", 5500) == "127.0.0.1"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("{networks: [10.0.0.1/8]}", "expected a network"),
        ("{networks: [somewhere]}", "expected a network"),
        ("{roots: /srv}", "a list"),
        ("{keys_file: a, keys_variable: B}", "one of them"),
        ("{keys_variable: 'B C'}", "keys_variable"),
        ("{secrets: true}", "is not a key here"),
    ],
)
def test_what_cannot_be_is_said(written: str, told: str) -> None:
    with pytest.raises(SettingsInvalid, match=told):
        parse_settings(f"data: {written}")


def test_keys_are_read_from_a_variable(tmp_path: Path) -> None:
    key = new_key()
    settings = _load(tmp_path, "data: {keys_variable: MY_KEYS}")
    assert read_vault(settings, None, {"MY_KEYS": key.decode()}).keys == (key,)
    with pytest.raises(KeysWrong, match="MY_KEYS"):
        read_vault(settings, None, {})


@pytest.mark.promise("DATA-5")
@pytest.mark.parametrize(
    ("text", "accepts"),
    [
        ("", False),
        ("data: {accept_secrets: true}", True),
        ("servers: {system_users: true}", True),
    ],
)
def test_real_secrets_on_a_shared_system_user_need_a_yes(
    tmp_path: Path, text: str, accepts: bool
) -> None:
    settings = _load(tmp_path, text)
    write_keys(tmp_path / "state" / "data.key", [new_key()])
    assert read_vault(settings, tmp_path / "state").accepts is accepts
