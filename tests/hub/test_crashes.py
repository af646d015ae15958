"""The hub is killed at each step of a launch and of a stop. Afterwards all is as if it had been whole."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

import hubs
from hubs import HubUnderTest

CRASHING = """
import os, signal
from pathlib import Path
from allotment_spawner.local import AllotmentLocalSpawner

def step(name):
    at = Path(place["folder"]) / "crash-at"
    if at.exists() and at.read_text() == name:
        os.kill(os.getpid(), signal.SIGKILL)

class Crashing(AllotmentLocalSpawner):
    async def prepare(self, allotment):
        step("admitted")
        await super().prepare(allotment)

    async def note_place(self, allotment):
        step("forked")
        await super().note_place(allotment)
        step("placed")

    async def start(self):
        address = await super().start()
        step("running")
        return address

    async def stop(self, now=False):
        step("before the stop")
        await super().stop(now)
        step("stopped")

    async def prove_gone(self, allotment):
        step("marked as stopping")
        proof = await super().prove_gone(allotment)
        step("proven gone")
        return proof

    async def run_post_stop_hook(self):
        await super().run_post_stop_hook()
        step("after the hook")

c.JupyterHub.spawner_class = Crashing
"""


@pytest.fixture(scope="module")
def crashing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubUnderTest]:
    hub = HubUnderTest(tmp_path_factory.mktemp("hub"), hubs.TINY, CRASHING)
    hub.change(hubs.seed)
    try:
        yield hub.start()
    finally:
        hub.close()


@pytest.fixture
def hub(crashing: HubUnderTest) -> HubUnderTest:
    crashing.clear()
    crashing.token("ada")
    return crashing


def crash_at(hub: HubUnderTest, step: str, method: str) -> None:
    """Ask for a start or a stop of ada's server, lose the hub on the way, and start it again."""
    at = hub.folder / "crash-at"
    at.write_text(step)
    with pytest.raises(httpx.TransportError):
        hub.api(method, "/users/ada/server", None, token=hub.token("ada"))
    assert hub.process is not None
    hub.process.wait(10)
    at.unlink()
    hub.start()
    hub.bring_together()


@pytest.mark.promise("POOL-8", "SERVER-7")
@pytest.mark.parametrize("step", ["admitted", "forked", "placed", "running"])
def test_a_hub_killed_in_a_launch_leaves_nothing_held_and_nothing_running(
    hub: HubUnderTest, step: str
) -> None:
    hub.launch("ada", profile="gpu")
    hub.stop("ada")

    crash_at(hub, step, "POST")

    hub.assert_in_step()
    assert hub.held() == ()
    assert hub.launch("ada", profile="gpu").status_code in {201, 202}
    hub.ready("ada")


@pytest.mark.promise("POOL-8", "SERVER-7")
@pytest.mark.parametrize(
    "step",
    ["before the stop", "marked as stopping", "proven gone", "stopped", "after the hook"],
)
def test_a_hub_killed_in_a_stop_leaves_the_server_running_or_gone_and_its_device_with_it(
    hub: HubUnderTest, step: str
) -> None:
    hub.launch("ada", profile="gpu")
    hub.ready("ada")
    hub.ask_server("ada", "", "detach")

    crash_at(hub, step, "DELETE")

    hub.assert_in_step()
    assert len(hub.held()) == (1 if step == "before the stop" else 0)
