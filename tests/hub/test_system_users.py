"""Servers under system users of their own: as root for another user, else for the one who tests."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable

import psutil
import pytest

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


def test_somebody_who_is_no_user_of_this_machine_is_told_so(hub: HubUnderTest) -> None:
    answer = hub.launch("ada", profile="gpu")

    until(lambda: hub.happened("allotment.released"), "what was admitted to be given back")
    assert answer.status_code in {202, 403}
    assert "This machine has no user 'ada' whose servers could run." in hub.log()
    assert hub.held() == ()
