"""Folders of groups reach the servers of their people, until they leave."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from allotment.record import memberships
from hubs import HubUnderTest, until


def told(hub: HubUnderTest) -> dict[str, object]:
    """What the one server that runs was told of its groups' folders."""
    (server,) = until(hub.marked, "the server's process")
    said = psutil.Process(server.process.pid).environ()["ALLOTMENT_GROUP_FOLDERS"]
    found: dict[str, object] = json.loads(said)
    return found


@pytest.mark.promise("SERVER-10")
def test_a_server_has_the_folders_of_its_persons_groups_and_after_leaving_none_at_the_next_start(
    new_hub: Callable[..., HubUnderTest], tmp_path: Path
) -> None:
    root = tmp_path / "groups"
    hub = new_hub(extra=f"c.LocalServer.group_folders = {str(root)!r}\n")
    hub.launch("ada", profile="gpu")
    assert told(hub) == {"root": str(root), "groups": ["vision"]}
    assert (root / "vision").is_dir()
    hub.stop("ada")

    hub.change(lambda writing: memberships.remove(writing, "ada", "vision"))
    hub.launch("ada", profile="small")

    assert told(hub) == {"root": str(root), "groups": []}
    hub.stop("ada")
