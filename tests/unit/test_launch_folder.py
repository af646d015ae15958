"""The folder of a hub: one hub at a time, and nothing in it for others to read."""

import os
from pathlib import Path

import pytest

from allotment_hub.launch import folder, ports
from allotment_hub.launch.place import Place, Ports


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "state", tmp_path / "settings.yaml", Ports(8000, 1, 2, 3))


def mode(file: Path) -> int:
    return file.stat().st_mode & 0o777


def test_a_new_folder_and_its_secrets_are_for_its_owner_only(place: Place) -> None:
    assert folder.prepare(place) == ""
    assert mode(place.state) == 0o700
    assert mode(place.proxy_token) == 0o600
    assert mode(place.hub_database) == 0o600


def test_the_word_between_hub_and_proxy_is_made_once(place: Place) -> None:
    folder.prepare(place)
    before = place.proxy_token.read_text()
    folder.prepare(place)
    assert place.proxy_token.read_text() == before
    assert len(before.strip()) == 64


def test_a_folder_that_others_can_read_is_told(place: Place) -> None:
    place.state.mkdir(mode=0o755)
    place.state.chmod(0o755)
    assert "chmod 700" in folder.prepare(place)


def test_a_second_hub_in_a_folder_is_refused_with_the_first_ones_name(place: Place) -> None:
    with folder.held(place):
        ports.remember(place.known_ports, Ports(8123, 1, 2, 3))
        with pytest.raises(folder.FolderInUseError) as refusal, folder.held(place):
            pytest.fail("two hubs in one folder")
    assert f"process {os.getpid()} at http://127.0.0.1:8123" in str(refusal.value)
    assert "STATE=" in str(refusal.value)


def test_a_folder_is_free_again_when_its_hub_ended(place: Place) -> None:
    with folder.held(place):
        assert place.pid.read_text() == f"{os.getpid()}\n"
    assert not place.pid.exists()
    with folder.held(place):
        pass


def test_a_pid_file_left_by_a_killed_hub_is_no_hindrance(place: Place) -> None:
    place.state.mkdir()
    place.pid.write_text("1\n")
    with folder.held(place):
        assert place.pid.read_text() == f"{os.getpid()}\n"


def test_a_log_that_grew_too_long_is_put_aside(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "LOG_LIMIT", 3)
    place.logs.mkdir(parents=True)
    (place.logs / "hub.log").write_text("old words\n")
    os.close(folder.open_log(place))
    assert (place.logs / "hub.log.1").read_text() == "old words\n"
    assert (place.logs / "hub.log").read_text() == ""
    assert mode(place.logs / "hub.log") == 0o600
