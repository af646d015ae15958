"""How a start that the cluster does not carry out reaches whoever launched."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from kubernetes_asyncio.client.exceptions import ApiException
from kubespawner.spawner import KubeSpawner
from traitlets.config import Config

from allotment.settings.kubernetes import KubernetesSettings
from allotment_spawner.kubernetes.starting import PodServer
from allotment_spawner.refusing import LaunchRefused


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a server whose pod KubeSpawner cannot make, with this error."""
    for connects in ("load_config", "shared_client"):  # no cluster is asked here
        monkeypatch.setattr(f"kubespawner.spawner.{connects}", lambda *_, **__: None)

    def made(error: Exception) -> PodServer:
        async def start() -> None:
            raise error

        monkeypatch.setattr(KubeSpawner, "start", lambda _self: asyncio.ensure_future(start()))
        c = Config()
        c.PodServer.cluster = KubernetesSettings(namespace="jupyter", image="lab:1")
        server: PodServer = PodServer(_mock=True, config=c)  # type: ignore[no-untyped-call]  # KubeSpawner's
        return server

    return made


@pytest.mark.parametrize(
    "error",
    [
        aiohttp.ServerDisconnectedError(),
        ConnectionRefusedError(111, "Connection refused"),
        TimeoutError("it took too long"),
        ApiException(status=429, reason="Too Many Requests"),
        ApiException(status=503, reason="Service Unavailable"),
    ],
    ids=["cut off", "refused", "late", "too many requests", "unavailable"],
)
async def test_a_cluster_that_does_not_answer_is_nobodys_failed_server(
    failing: Any, error: Exception
) -> None:
    # Of what is no SpawnException JupyterHub counts how often it happens, and ends itself.
    with pytest.raises(LaunchRefused, match="The cluster does not answer") as caught:
        await failing(error).start()

    assert caught.value.status_code == 503


async def test_a_pod_that_the_cluster_refuses_is_said_to_be_refused(failing: Any) -> None:
    with pytest.raises(LaunchRefused, match="The cluster refuses its pod: Unprocessable") as caught:
        await failing(ApiException(status=422, reason="Unprocessable")).start()

    assert caught.value.status_code == 500
