"""Folders that groups share: who enters them, and how they come into homes and pods."""

from __future__ import annotations

import grp
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from allotment.inventory import group_folders
from allotment.inventory.group_folders import FIRST_ID, GroupFolder, GroupFolders
from allotment.settings.kubernetes import PodHome
from allotment_server.group_links import link_groups
from allotment_spawner.kubernetes.placing import with_groups
from allotment_spawner.local import _entering

LOG = logging.getLogger(__name__)


@pytest.mark.promise("SERVER-10")
def test_each_group_has_a_folder_that_stays(tmp_path: Path) -> None:
    folders = GroupFolders(tmp_path / "groups", apart=False)
    (vision,) = folders.of(["vision"])
    (vision.path / "plan.txt").write_text("ours")

    again = folders.of(["vision", "audio"])

    assert [one.group for one in again] == ["audio", "vision"]
    assert (tmp_path / "groups" / "vision" / "plan.txt").read_text() == "ours"
    assert {one.system_group for one in again} == {None}


@pytest.mark.promise("SERVER-10")
def test_with_system_users_a_folder_belongs_to_a_system_group_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[str, int, int]] = []
    # Only root may give files away.
    monkeypatch.setattr(os, "chown", lambda path, *ids: given.append((Path(path).name, *ids)))
    own = tmp_path.stat().st_gid
    monkeypatch.setattr(GroupFolders, "_free_id", lambda _folders: own)
    monkeypatch.setattr(group_folders, "FIRST_ID", own)

    (vision,) = GroupFolders(tmp_path / "groups", apart=True).of(["vision"])

    assert given == [(".vision.part", 0, own)]
    assert vision.path.stat().st_mode & 0o7777 == 0o2770
    assert vision.system_group == vision.path.stat().st_gid


@pytest.mark.promise("SERVER-10")
def test_a_folder_of_another_system_group_gives_nobody_that_group(tmp_path: Path) -> None:
    (tmp_path / "vision").mkdir()
    own = tmp_path.stat().st_gid

    with pytest.raises(OSError, match=f"vision belongs to the system group {own}"):
        GroupFolders(tmp_path, apart=True).of(["vision"])

    assert (tmp_path / "vision").stat().st_gid == own


def test_a_link_is_no_groups_folder(tmp_path: Path) -> None:
    (tmp_path / "vision").symlink_to("/etc")
    with pytest.raises(OSError, match="is no folder"):
        GroupFolders(tmp_path, apart=False).of(["vision"])


@pytest.mark.promise("SERVER-10")
def test_a_process_enters_the_folders_of_its_persons_groups_and_keeps_its_users_own() -> None:
    folders = (GroupFolder("vision", Path("/srv/vision"), 70_001),)
    assert _entering({"user": 1000, "extra_groups": [100]}, folders) == {
        "extra_groups": [100, 70_001]
    }
    assert _entering({}, folders) == {}
    assert _entering({"user": 1000}, (GroupFolder("vision", Path("/srv/vision")),)) == {}


def said(root: Path, *groups: str) -> dict[str, str]:
    return {"ALLOTMENT_GROUP_FOLDERS": json.dumps({"root": str(root), "groups": groups})}


@pytest.mark.promise("SERVER-10")
def test_the_home_leads_to_the_folders_of_ones_groups_until_one_leaves(tmp_path: Path) -> None:
    home, root = tmp_path / "home", tmp_path / "groups"
    for group in ("vision", "audio"):
        (root / group).mkdir(parents=True)
    (home / "shared").mkdir(parents=True)
    (home / "shared" / "mine").symlink_to("/tmp")  # noqa: S108 - a link that is not ours

    link_groups(said(root, "vision", "audio"), home, LOG)
    link_groups(said(root, "vision", "audio"), home, LOG)
    (home / "shared" / "vision" / "plan.txt").write_text("ours")
    assert (root / "vision" / "plan.txt").read_text() == "ours"

    link_groups(said(root, "audio"), home, LOG)
    assert sorted(one.name for one in (home / "shared").iterdir()) == ["audio", "mine"]
    assert (root / "vision" / "plan.txt").exists()


@pytest.mark.parametrize("there", ["file", "folder", "nothing said", "nonsense"])
def test_what_lies_there_already_stays_and_keeps_nobody_from_working(
    tmp_path: Path, there: str
) -> None:
    environment = said(tmp_path / "groups", "vision")
    if there == "file":
        (tmp_path / "shared").write_text("mine")
    elif there == "folder":
        (tmp_path / "shared" / "vision").mkdir(parents=True)
    else:
        environment = {} if there == "nothing said" else {"ALLOTMENT_GROUP_FOLDERS": "[]"}

    link_groups(environment, tmp_path, LOG)

    assert not (tmp_path / "shared" / "vision").is_symlink()
    assert (tmp_path / "shared").is_file() is (there == "file")


@pytest.mark.promise("SERVER-10")
def test_a_pod_mounts_the_folder_of_each_group_and_leads_alone_write_where_that_is_said() -> None:
    home = PodHome(groups="team-files", group_writers="leads")
    base: dict[str, Any] = {"volumes": [{"name": "home"}], "volume_mounts": [{"name": "home"}]}

    found = with_groups(home, {"vision": True, "audio": False}, base)

    assert found["volumes"][1] == {
        "name": "groups",
        "persistentVolumeClaim": {"claimName": "team-files"},
    }
    assert [
        (one["mountPath"], one["subPath"], one["readOnly"]) for one in found["volume_mounts"][1:]
    ] == [
        ("/home/jovyan/shared/audio", "audio", True),
        ("/home/jovyan/shared/vision", "vision", False),
    ]
    assert with_groups(PodHome(), {"vision": True}, base) == {}
    assert with_groups(home, {}, base) == {}


def test_ids_of_folders_are_nobody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path.stat().st_gid
    monkeypatch.setattr(group_folders, "FIRST_ID", own)
    (tmp_path / "vision").mkdir()
    free: Callable[[], int] = GroupFolders(tmp_path, apart=True)._free_id
    assert free() != own


def test_ids_that_a_directory_knows_and_does_not_list_are_not_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_a_directory(number: int) -> None:
        if number > FIRST_ID:
            raise KeyError(number)

    monkeypatch.setattr(grp, "getgrgid", of_a_directory)
    free: Callable[[], int] = GroupFolders(tmp_path, apart=True)._free_id
    assert free() == FIRST_ID + 1
