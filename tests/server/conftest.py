"""A Jupyter Server with the extension, and a control plane that is played: a real HTTP server at the seam."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_jupyter.jupyter_server import *  # noqa: F403 - fixtures, for this folder only

from allotment.notebook.keeper import KEEPER_TOKEN, KEEPER_URL
from stand_in_control_plane import ControlPlane, playing, spawned

Fetch = Callable[..., Any]


@pytest.fixture
def control_plane() -> Iterator[ControlPlane]:
    with playing() as stand_in:
        yield stand_in


@pytest.fixture
def server_environment(control_plane: ControlPlane) -> dict[str, str]:
    """What the spawner gives a server. A test module may have one of its own."""
    return spawned(control_plane.url)


@pytest.fixture
def jp_server_config(
    server_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    for name, value in server_environment.items():
        monkeypatch.setenv(name, value)
    return {"ServerApp": {"jpserver_extensions": {"allotment_server": True}}}


@pytest.fixture
def run(jp_asyncio_loop: Any) -> Callable[[Any], Any]:
    """Run a coroutine in the server's event loop."""
    return jp_asyncio_loop.run_until_complete  # type: ignore[no-any-return]  # pytest-jupyter is untyped


@pytest.fixture
def fetch(jp_fetch: Any, run: Callable[[Any], Any]) -> Fetch:
    """Ask the server, as its owner unless headers say otherwise; any status is an answer."""
    return lambda *parts, **options: run(jp_fetch(*parts, raise_error=False, **options))


@pytest.fixture
def started(
    run: Callable[[Any], Any], jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """The extension has started; what it tells those that it starts."""
    for name in (KEEPER_URL, KEEPER_TOKEN):
        monkeypatch.setenv(name, "")  # put back after the test
    run(jp_serverapp.extension_manager.start_all_extensions())
    return {name: os.environ[name] for name in (KEEPER_URL, KEEPER_TOKEN)}
