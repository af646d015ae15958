"""The hub is killed at random moments while servers are launched and stopped, again and again.

The same seed gives the same actions and the same moments, as far as a machine's timing lets it:
``ALLOTMENT_SEED=7 pytest tests/hub/test_torture.py``.
"""

from __future__ import annotations

import os
import random
import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest

import hubs
from allotment.model.limits import LimitKind, LimitScope
from allotment.record import Writing, limits
from hubs import HubUnderTest, alive, until

ROUNDS, ROUNDS_IN_SOAK = 3, 20
SERVERS = [(person, f"s{number}") for person in ("ada", "ben") for number in range(3)]
KEEPER = ("cy", "keeper")


def seed_torture(writing: Writing) -> None:
    hubs.seed(writing)
    limits.put(writing, LimitScope.PLATFORM, "", LimitKind.DEVICES, 8)


@dataclass
class Watch:
    """Looks all the time whether processes of two servers live on one device."""

    hub: HubUnderTest
    shared: list[str] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)

    def conflicts(self) -> set[tuple[str, str, str]]:
        """Devices on which two allotments have processes, with both ids."""
        on: dict[str, set[str]] = {}
        for one in self.hub.marked():
            for device in one.devices:
                on.setdefault(device, set()).add(one.allotment)
        return {(device, *sorted(ids)[:2]) for device, ids in on.items() if len(ids) > 1}

    def look(self) -> None:
        """A look takes time, so a device may change hands within one: only what two see is real."""
        seen = self.conflicts()
        if seen:
            self.shared.extend(str(conflict) for conflict in seen & self.conflicts())

    def run(self) -> None:
        while not self.ending.wait(0.02):
            self.look()

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self.ending.set()
            thread.join()


def act(
    hub: HubUnderTest, server: tuple[str, str], dice: random.Random, over: threading.Event
) -> None:
    """Launch and stop one server in turn, until the hub is killed."""
    person, name = server
    while not over.wait(dice.uniform(0, 0.1)):
        try:
            if dice.random() < 0.5:
                hub.launch(person, name, profile=dice.choice(["gpu", "gpu", "two", "small"]))
            else:
                path = f"/users/{person}/servers/{name}"
                hub.api("DELETE", path, token=hub.tokens[person])
        except httpx.HTTPError:
            return


def _dice(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311 - repeatable on purpose


def steps(hub: HubUnderTest) -> int:
    """How many launches were admitted and how many ends begun."""
    return len(hub.happened("allotment.admitted")) + len(hub.happened("allotment.stopping"))


def play(hub: HubUnderTest, seed: str) -> None:
    """Launch and stop from several threads, and kill the hub in the midst of it."""
    dice, over, before = _dice(seed), threading.Event(), steps(hub)
    with ThreadPoolExecutor(len(SERVERS)) as threads:
        for number, server in enumerate(SERVERS):
            threads.submit(act, hub, server, _dice(f"{seed}-{number}"), over)
        enough = before + dice.randint(1, 8)
        until(lambda: steps(hub) >= enough, "launches and stops", 60)
        over.wait(dice.uniform(0, 0.5))
        hub.kill()
        over.set()


@pytest.mark.promise("POOL-8", "SERVER-7", "LIMIT-3")
def test_no_device_is_lost_or_given_twice_however_often_the_hub_is_killed(
    new_hub: Callable[..., HubUnderTest], soak: bool
) -> None:
    seed = os.environ.get("ALLOTMENT_SEED") or secrets.token_hex(4)
    print(f"ALLOTMENT_SEED={seed}")  # noqa: T201 - pytest shows it when the test fails
    hub = new_hub(
        extra="c.Spawner.environment['TINY_DETACHES'] = '1'\nc.LocalServer.leftover_grace = 0.1",
        seeded=seed_torture,
    )
    for person in ("ada", "ben", "cy"):
        hub.token(person)
    hub.launch(*KEEPER, profile="gpu")
    hub.ready(*KEEPER)
    (keeper,) = hub.held("cy")
    watch = Watch(hub)

    with watch.watching():
        for number in range(ROUNDS_IN_SOAK if soak else ROUNDS):
            play(hub, f"{seed}-{number}")
            hub.start()
            hub.bring_together()
            hub.assert_in_step()
            assert hub.held("cy") == (keeper,)
            assert keeper.process is not None
            assert alive(keeper.process.pid)

    assert watch.shared == []
    admitted, ended = hub.happened("allotment.admitted"), hub.happened("allotment.stopping")
    print(f"{len(admitted)} launches, {len(ended)} ends")  # noqa: T201 - likewise
    assert len(admitted) > number
    assert len(ended) > number
