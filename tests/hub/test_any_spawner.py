"""The mixin before a spawner that runs its servers elsewhere, and whose stop may fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import hubs
from allotment.model.limits import LimitKind, LimitScope
from allotment.record import Writing, limits
from hubs import HubUnderTest, until

ELSEWHERE = """
from pathlib import Path
from jupyterhub.spawner import SimpleLocalProcessSpawner
from allotment.record import claims
from allotment_spawner.admitting import AllotmentMixin

folder = Path(place["folder"])

class Elsewhere(AllotmentMixin, SimpleLocalProcessSpawner):
    '''Knows that a server is gone when a file says so, as another machine would be asked.'''

    async def prove_gone(self, allotment):
        return "The file says so." if (folder / "gone").exists() else None

    async def stop(self, now=False):
        await super().stop(now)
        if (folder / "stop-fails").exists():
            raise RuntimeError("the other machine did not answer")

    async def prepare(self, allotment):
        if (folder / "prepare-fails").exists():
            raise RuntimeError("no room for a home")
        if (folder / "told-to-stop").exists():
            await self._step(claims.mark_stopping, allotment.id, "Maintenance.", "olga")

c.JupyterHub.spawner_class = Elsewhere
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubUnderTest]:
    hub = HubUnderTest(tmp_path_factory.mktemp("hub"), hubs.TINY, ELSEWHERE)
    hub.change(hubs.seed)
    try:
        yield hub.start()
    finally:
        hub.close()


@pytest.fixture
def hub(elsewhere: HubUnderTest) -> HubUnderTest:
    say(elsewhere, "gone")
    elsewhere.clear()
    for name in ("gone", "stop-fails", "prepare-fails", "told-to-stop"):
        (elsewhere.folder / name).unlink(missing_ok=True)
    return elsewhere


def say(hub: HubUnderTest, word: str) -> None:
    (hub.folder / word).touch()


@pytest.mark.promise("LIMIT-3", "POOL-8")
def test_a_server_that_is_not_proven_gone_keeps_its_device_though_the_hub_has_stopped_it(
    hub: HubUnderTest,
) -> None:
    hub.launch("ada", "work", profile="gpu")
    hub.ready("ada", "work")

    hub.stop("ada", "work")

    (held,) = hub.held("ada")
    assert (held.state, len(held.devices)) == ("stopping", 1)
    hub.assert_sound()


@pytest.mark.promise("LIMIT-3", "POOL-8")
def test_a_stop_that_fails_releases_nothing(hub: HubUnderTest) -> None:
    hub.launch("ada", "work", profile="gpu")
    hub.ready("ada", "work")
    say(hub, "stop-fails")

    hub.api("DELETE", "/users/ada/servers/work", token=hub.token("ada"))
    hub.settle("ada")

    assert [one.state for one in hub.held("ada")] == ["stopping"]


def test_a_server_starts_again_only_when_its_last_run_is_proven_gone(hub: HubUnderTest) -> None:
    hub.launch("ada", "work", profile="gpu")
    hub.ready("ada", "work")
    hub.stop("ada", "work")

    early = hub.launch("ada", "work", profile="gpu")
    say(hub, "gone")
    later = hub.launch("ada", "work", profile="gpu")

    assert early.status_code == 403
    assert "still starting, running or stopping" in early.json()["message"]
    assert later.status_code in {201, 202}, later.text
    hub.ready("ada", "work")
    assert len(hub.held("ada")) == 1


def test_what_is_not_proven_gone_counts_against_the_limits(hub: HubUnderTest) -> None:
    hub.change(one_server)
    hub.launch("ada", "first", profile="small")
    hub.ready("ada", "first")
    hub.stop("ada", "first")

    answer = hub.launch("ada", "second", profile="small")

    assert answer.status_code == 403
    assert "You hold 1 running server" in answer.json()["message"]


def one_server(writing: Writing) -> None:
    limits.put(writing, LimitScope.PLATFORM, "", LimitKind.SERVERS, 1)


def test_a_start_that_fails_after_admission_holds_its_device_until_it_is_proven_gone(
    hub: HubUnderTest,
) -> None:
    say(hub, "prepare-fails")

    answer = hub.launch("ada", "work", profile="gpu")

    assert answer.status_code == 500
    assert [one.state for one in hub.held("ada")] == ["stopping"]
    say(hub, "gone")
    (hub.folder / "prepare-fails").unlink()
    assert hub.launch("ada", "work", profile="gpu").status_code in {201, 202}
    until(lambda: len(hub.held("ada")) == 1, "the new run alone")
    hub.ready("ada", "work")


def test_a_server_that_was_told_to_stop_while_it_started_is_not_left_running(
    hub: HubUnderTest,
) -> None:
    say(hub, "gone")
    say(hub, "told-to-stop")

    answer = hub.launch("ada", "work", profile="gpu")

    assert answer.status_code == 409, answer.text
    assert "was stopped while it was starting" in answer.json()["message"]
    assert hub.held("ada") == ()
