"""What the tests against a cluster share: clients, and waiting for what they should see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from kubernetes_asyncio import client, config

from cluster import Cluster

SECONDS = 20.0


async def client_of(kubeconfig: Path) -> client.ApiClient:
    """The generated client, as a kubeconfig says; to be closed."""
    made = client.Configuration()
    await config.load_kube_config(config_file=str(kubeconfig), client_configuration=made)
    return client.ApiClient(made)


@pytest.fixture
async def api(kubernetes: Cluster) -> AsyncIterator[client.ApiClient]:
    """The session's cluster as its administrator has it."""
    made = await client_of(kubernetes.kubeconfig)
    async with made:
        yield made


@pytest.fixture
def core(api: client.ApiClient) -> client.CoreV1Api:
    """The core group of the session's cluster."""
    return client.CoreV1Api(api)


@pytest.fixture
async def own_core(own_cluster: Cluster) -> AsyncIterator[client.CoreV1Api]:
    """The core group of the test's own cluster."""
    made = await client_of(own_cluster.kubeconfig)
    async with made:
        yield client.CoreV1Api(made)


@pytest.fixture
async def as_account(
    kubernetes: Cluster, namespace: str
) -> AsyncIterator[Callable[[str], Awaitable[client.ApiClient]]]:
    """A client with the rights of a service account of the fresh namespace."""
    made: list[client.ApiClient] = []

    async def one(account: str) -> client.ApiClient:
        made.append(await client_of(kubernetes.kubeconfig_of(account, namespace)))
        return made[-1]

    yield one
    for each in made:
        await each.close()


@pytest.fixture
def eventually() -> Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]:
    """Ask again until the answer is true, and return it."""

    async def asked(question: Callable[[], Awaitable[Any]]) -> Any:
        async with asyncio.timeout(SECONDS):
            while not (answer := await question()):  # noqa: ASYNC110 - the API is asked, nobody tells
                await asyncio.sleep(0.02)
            return answer

    return asked


@pytest.fixture
def pod() -> Callable[..., dict[str, Any]]:
    """A pod's document: its name, its command, what its container asks for, more of its spec."""

    def made(
        name: str, *command: str, limits: dict[str, str] | None = None, **spec: Any
    ) -> dict[str, Any]:
        container = {
            "name": "main",
            "image": "busybox:1.37",
            "command": list(command or ("sleep", "infinity")),
            "resources": {"limits": limits or {}},
        }
        container |= spec.pop("container", {})
        wanted = {"containers": [container], "terminationGracePeriodSeconds": 2} | spec
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": wanted}

    return made
