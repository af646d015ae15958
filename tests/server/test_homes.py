"""A server's home: its groups' folders are there when it starts, and where only it can look it says what it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stand_in_control_plane import ControlPlane, spawned


@pytest.fixture
def server_environment(control_plane: ControlPlane, tmp_path: Path) -> dict[str, str]:
    """Of somebody in vision, whose home is a claim of storage."""
    (tmp_path / "claim").mkdir()
    (tmp_path / "claim" / "model.bin").write_bytes(bytes(300_000))
    (tmp_path / "groups" / "vision").mkdir(parents=True)
    said = {"root": str(tmp_path / "groups"), "groups": ["vision"]}
    return spawned(control_plane.url) | {
        "HOME": str(tmp_path / "home"),
        "ALLOTMENT_CLAIMED_HOME": str(tmp_path / "claim"),
        "ALLOTMENT_GROUP_FOLDERS": json.dumps(said),
    }


@pytest.mark.promise("SERVER-10", "LIMIT-5")
def test_the_folders_of_groups_are_in_the_home_and_what_a_claim_holds_is_reported(
    started: dict[str, str], run: Any, jp_serverapp: Any, tmp_path: Path
) -> None:
    assert started
    assert (tmp_path / "home" / "shared" / "vision").resolve() == tmp_path / "groups" / "vision"

    (extension,) = jp_serverapp.extension_manager.extension_apps["allotment_server"]
    home = extension._home
    run(home.read())
    run(home._under_way)

    assert run(extension._collect()).home_used >= 300_000
