"""A real JupyterHub in a process of its own, with a record, to start, kill and start again.

``hub`` runs through a module; each test finds it without servers and with the seeded limits.
``new_hub`` makes one for a single test: with another command, configuration or record.
``page_hub`` is the hub as people get it: with our sign-in, our pages and the real proxy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import hubs
import page_hubs
from allotment.record import Writing
from hubs import HubUnderTest
from page_hubs import PageHub


@pytest.fixture(scope="module")
def hub_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubUnderTest]:
    hub = HubUnderTest(tmp_path_factory.mktemp("hub"), hubs.TINY)
    hub.change(hubs.seed)
    try:
        yield hub.start()
    finally:
        hub.close()


@pytest.fixture
def hub(hub_of_module: HubUnderTest) -> HubUnderTest:
    """A hub that runs, with tiny servers."""
    hub_of_module.clear()
    return hub_of_module


@pytest.fixture
def new_hub(tmp_path: Path) -> Iterator[Callable[..., HubUnderTest]]:
    """Make hubs with a seeded record; each is started unless told otherwise, and ended after the test."""
    made: list[HubUnderTest] = []

    def make(
        *,
        command: list[str] | None = None,
        extra: str = "",
        seeded: Callable[[Writing], object] = hubs.seed,
        started: bool = True,
    ) -> HubUnderTest:
        hub = HubUnderTest(tmp_path / f"hub-{len(made)}", command or hubs.TINY, extra)
        made.append(hub)
        hub.change(seeded)
        return hub.start() if started else hub

    yield make
    for hub in made:
        hub.close()


@pytest.fixture(scope="session")
def page_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageHub]:
    """The hub as people get it, with sign-in and pages; each test uses people of its own (p1, p2, …)."""
    people = "\n".join(f"  p{number}: {{}}" for number in range(1, 31))
    settings = page_hubs.SETTINGS.replace("people: {dan: {}}", f"people:\n  dan: {{}}\n{people}")
    # Who was removed is signed out at once, and not within a minute.
    config = "\nc.LocalAuthenticator.auth_refresh_age = 1\n"
    hub = PageHub(tmp_path_factory.mktemp("pages") / "hub", settings=settings, config=config)
    try:
        yield hub.start()
    finally:
        hub.stop()
