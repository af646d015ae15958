"""The roles that are shipped, in a cluster that enforces them: enough for what hub and control plane do, and no more."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kubernetes_asyncio import client, config
from ruamel.yaml import YAML

from allotment.inventory.kubernetes.inventory import KubernetesInventory
from allotment.settings.kubeconfigs import Kubeconfigs
from allotment_hub.kubeconfigs import Asked, issue
from cluster import Cluster

FILES = Path(__file__).parents[2] / "hub_config" / "kubernetes"
HOUR = timedelta(hours=1)
AsAccount = Callable[[str], Awaitable[client.ApiClient]]
Refused = client.exceptions.ApiException


@dataclass(frozen=True)
class Access:
    """A kubeconfig, as the inventory asks for one."""

    kubeconfig: Path
    context: None = None


@pytest.fixture
def installed(kubernetes: Cluster, namespace: str) -> str:
    """The namespace, with the shipped roles in it."""
    for name in ("rbac.yaml", "kubeconfigs.yaml"):
        for document in YAML(typ="safe").load_all((FILES / name).read_text()):
            one = in_namespace(document, namespace)
            kubernetes.apply(one, one["metadata"].get("namespace", namespace))
    return namespace


def people_of(namespace: str) -> str:
    """The namespace of people's accounts."""
    return f"{namespace}-people"


def in_namespace(document: dict[str, Any], namespace: str) -> dict[str, Any]:
    """The document as kustomize would put it into a namespace; what the whole cluster shares is renamed."""
    text = json.dumps(document).replace('"jupyterhub"', f'"{namespace}"')
    text = text.replace('"jupyterhub-people"', f'"{people_of(namespace)}"')
    one: dict[str, Any] = json.loads(text)
    if one["kind"].startswith("Cluster"):
        one["metadata"]["name"] += f"-{namespace}"
    if one.get("roleRef", {}).get("kind") == "ClusterRole":
        one["roleRef"]["name"] += f"-{namespace}"
    for subject in one.get("subjects", []):
        subject.setdefault("namespace", namespace)
    return one


@pytest.mark.promise("POOL-1")
def test_the_control_plane_sees_devices_with_its_role_and_asks_for_nothing_else(
    kubernetes: Cluster, installed: str
) -> None:
    node = f"gpu-{installed}"
    kubernetes.add_node(node, resources={"nvidia.com/gpu": 2})
    inventory = KubernetesInventory(Access(kubernetes.kubeconfig_of("allotment", installed)))
    try:
        found = inventory.observe()
    finally:
        inventory.close()
        kubernetes.remove_node(node)

    assert found.complete, found.note
    assert sum(one.node == node for one in found.devices) == 2
    asked = kubernetes.calls_of("allotment", installed)
    listed = {(verb, "", what) for verb in ("list", "watch") for what in ("nodes", "pods")}
    assert asked <= listed | {("get", "", "namespaces")}
    assert found.cluster is not None
    assert found.cluster.cluster


@pytest.fixture
async def people(
    kubernetes: Cluster, installed: str, as_account: AsAccount, tmp_path: Path
) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """Gives somebody a kubeconfig for pods, as the hub does, and answers a client that uses it."""
    hub = await as_account("hub")
    settings = Kubeconfigs(
        server=kubernetes.url,
        certificate_authority=kubernetes.authority,
        accounts=people_of(installed),
        lasts=HOUR,
    )
    made: list[client.ApiClient] = []

    async def given(person: str, *pods: str) -> Any:
        document = await issue(hub, Asked("hub", person, installed, pods), settings)
        file = tmp_path / f"{person}.kubeconfig"
        file.write_text(json.dumps(document))
        configuration = client.Configuration()
        await config.load_kube_config(config_file=str(file), client_configuration=configuration)
        made.append(client.ApiClient(configuration))
        return client.CoreV1Api(made[-1])

    yield given
    for each in made:
        await each.close()


async def status_of(asking: Awaitable[Any]) -> int:
    try:
        await asking
    except Refused as refused:
        return int(refused.status)
    return 200


@pytest.mark.promise("SERVER-6", "USER-7")
async def test_a_kubeconfig_reaches_own_pods_and_nothing_else(
    kubernetes: Cluster,
    installed: str,
    people: Callable[..., Awaitable[Any]],
) -> None:
    for name in ("jupyter-ann-1", "jupyter-ben-1"):
        kubernetes.add_pod(name, installed)
    ann = await people("ann", "jupyter-ann-1")

    own = await ann.read_namespaced_pod("jupyter-ann-1", installed)
    assert own.metadata.name == "jupyter-ann-1"
    refused = [
        ann.read_namespaced_pod("jupyter-ben-1", installed),
        ann.read_namespaced_pod_log("jupyter-ben-1", installed),
        ann.list_namespaced_pod(installed),
        ann.delete_namespaced_pod("jupyter-ann-1", installed),
        ann.create_namespaced_pod(installed, {"metadata": {"name": "x"}, "spec": {}}),
        ann.list_namespaced_secret(installed),
        ann.read_namespaced_service_account("hub", installed),
        ann.list_node(),
        ann.read_namespaced_pod("jupyter-ann-1", "default"),
    ]
    assert [await status_of(one) for one in refused] == [403] * len(refused)
    assert await may_run_in(ann, installed, "jupyter-ann-1")
    assert not await may_run_in(ann, installed, "jupyter-ben-1")


async def may_run_in(core: Any, namespace: str, pod: str) -> bool:
    """Whether somebody may run commands in a pod, as the cluster itself says."""
    asked = {
        "verb": "create",
        "resource": "pods",
        "subresource": "exec",
        "namespace": namespace,
        "name": pod,
    }
    reviews: Any = client.AuthorizationV1Api(core.api_client)
    answer = await reviews.create_self_subject_access_review(
        {"spec": {"resourceAttributes": asked}}
    )
    return bool(answer.status.allowed)


@pytest.mark.promise("SERVER-6")
async def test_the_next_kubeconfig_is_for_the_pods_of_then(
    kubernetes: Cluster,
    installed: str,
    people: Callable[..., Awaitable[Any]],
) -> None:
    for name in ("jupyter-ann-1", "jupyter-ann-2"):
        kubernetes.add_pod(name, installed)
    await people("ann", "jupyter-ann-1")
    ann = await people("ann", "jupyter-ann-2")

    assert await status_of(ann.read_namespaced_pod("jupyter-ann-1", installed)) == 403
    assert await status_of(ann.read_namespaced_pod("jupyter-ann-2", installed)) == 200


@pytest.mark.promise("SERVER-6")
async def test_a_kubeconfig_ends_when_the_settings_say(
    kubernetes: Cluster, people: Callable[..., Awaitable[Any]], tmp_path: Path
) -> None:
    await people("ann", "jupyter-ann-1")

    document = json.loads((tmp_path / "ann.kubeconfig").read_text())
    token = document["users"][0]["user"]["token"]
    now = datetime.now(UTC)
    assert kubernetes._tokens.find(token, now + HOUR / 2) is not None
    assert kubernetes._tokens.find(token, now + HOUR + timedelta(minutes=1)) is None


@pytest.mark.promise("USER-7")
async def test_the_hub_can_make_tokens_of_nobody_but_its_people(
    installed: str, as_account: AsAccount
) -> None:
    hub: Any = client.CoreV1Api(await as_account("hub"))
    wanted = {"spec": {"audiences": [], "expirationSeconds": 600}}

    for account in ("allotment", "hub", "default"):
        asking = hub.create_namespaced_service_account_token(account, installed, wanted)
        assert await status_of(asking) == 403
    asking = hub.create_namespaced_service_account(installed, {"metadata": {"name": "another"}})
    assert await status_of(asking) == 403


async def test_the_hub_gives_kubeconfigs_with_no_more_than_its_roles(
    kubernetes: Cluster, installed: str, people: Callable[..., Awaitable[Any]]
) -> None:
    await people("ann", "jupyter-ann-1")
    await people("ann", "jupyter-ann-2")

    assert kubernetes.calls_of("hub", installed) == {
        ("create", "", "serviceaccounts"),
        ("create", "", "serviceaccounts/token"),
        ("create", "rbac.authorization.k8s.io", "roles"),
        ("update", "rbac.authorization.k8s.io", "roles"),
        ("create", "rbac.authorization.k8s.io", "rolebindings"),
    }
