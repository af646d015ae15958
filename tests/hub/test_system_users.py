"""Servers under system users of their own: as root for another user, else for the one who tests."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from allotment.inventory.group_folders import FIRST_ID
from allotment.record import people
from hubs import HubUnderTest, until

SYSTEM_USERS = """
c.JupyterHub.spawner_class = "allotment_spawner.local.AllotmentSystemUserSpawner"
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}
c.Spawner.http_timeout = 120
"""


@pytest.fixture
def user() -> pwd.struct_passwd:
    """A user of this machine whose servers can run: as root an unprivileged one, else oneself."""
    return pwd.getpwnam("daemon") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


@pytest.fixture
def hub(new_hub: Callable[..., HubUnderTest], user: pwd.struct_passwd) -> HubUnderTest:
    hub = new_hub(command=["/bin/sleep", "600"], extra=SYSTEM_USERS)
    hub.change(lambda writing: people.onboard(writing, [user.pw_name], group="vision"))
    return hub


def test_a_server_runs_as_its_persons_system_user_in_that_users_home(
    hub: HubUnderTest, user: pwd.struct_passwd
) -> None:
    hub.launch(user.pw_name, profile="gpu")

    (server,) = until(hub.marked, "the server's process")
    process = psutil.Process(server.process.pid)
    assert set(process.uids()) == {user.pw_uid}
    assert set(process.gids()) == {user.pw_gid}
    assert process.cwd() == user.pw_dir
    assert process.environ()["HOME"] == user.pw_dir

    hub.stop(user.pw_name)

    assert (hub.marked(), hub.held()) == ([], ())


@pytest.fixture
def kept() -> Iterator[Path]:
    """A program with the right to enter a folder of a group's, where every user reaches it."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    program = Path(shutil.copy("/bin/sleep", folder / "kept"))
    os.chown(program, -1, FIRST_ID if os.geteuid() == 0 else os.getegid())
    program.chmod(0o2755)
    yield program
    shutil.rmtree(folder)


@pytest.mark.promise("SERVER-10")
def test_a_program_that_was_kept_enters_no_groups_folder_after_leaving(
    new_hub: Callable[..., HubUnderTest], user: pwd.struct_passwd, kept: Path
) -> None:
    hub = new_hub(command=[str(kept), "600"], extra=SYSTEM_USERS)
    hub.change(lambda writing: people.onboard(writing, [user.pw_name], group="vision"))
    hub.launch(user.pw_name, profile="gpu")

    def running() -> psutil.Process | None:
        found = [psutil.Process(one.process.pid) for one in hub.marked()]
        return next((one for one in found if one.name() == kept.name), None)

    process = until(running, "the program to run")
    assert process is not None
    assert set(process.gids()) == {user.pw_gid}
    hub.stop(user.pw_name)


def test_somebody_who_is_no_user_of_this_machine_is_told_so(hub: HubUnderTest) -> None:
    answer = hub.launch("ada", profile="gpu")

    until(lambda: hub.happened("allotment.released"), "what was admitted to be given back")
    assert answer.status_code in {202, 403}
    assert "This machine has no user 'ada' whose servers could run." in hub.log()
    assert hub.held() == ()
