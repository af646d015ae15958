"""The API of the tests' cluster answers the generated client as a real one does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import ClientConnectionError
from kubernetes_asyncio import client, watch
from kubernetes_asyncio.client.exceptions import ApiException

from cluster import Cluster, kinds

Pod = Callable[..., dict[str, Any]]


def status_of(caught: pytest.ExceptionInfo[ApiException]) -> dict[str, Any]:
    answered: dict[str, Any] = json.loads(caught.value.body)
    assert answered["code"] == caught.value.status
    return answered


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"app": name}}, "data": data}


async def test_a_name_that_is_taken_is_a_conflict(core: client.CoreV1Api, namespace: str) -> None:
    await core.create_namespaced_config_map(namespace, config_map("one"))

    with pytest.raises(ApiException) as caught:
        await core.create_namespaced_config_map(namespace, config_map("one"))

    assert status_of(caught) == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'configmaps "one" already exists',
        "reason": "AlreadyExists",
        "details": {"name": "one", "kind": "configmaps"},
        "code": 409,
    }


async def test_what_is_not_there_is_not_found(core: client.CoreV1Api, namespace: str) -> None:
    with pytest.raises(ApiException) as caught:
        await core.read_namespaced_pod("nobody", namespace)

    assert status_of(caught)["reason"] == "NotFound"
    assert status_of(caught)["message"] == 'pods "nobody" not found'


async def test_a_change_of_an_old_version_is_a_conflict(
    core: client.CoreV1Api, namespace: str
) -> None:
    old = await core.create_namespaced_config_map(namespace, config_map("one", a="1"))
    await core.patch_namespaced_config_map("one", namespace, {"data": {"a": "2"}})

    with pytest.raises(ApiException) as caught:
        await core.replace_namespaced_config_map("one", namespace, old)

    assert status_of(caught)["reason"] == "Conflict"
    assert "please apply your changes to the latest version" in status_of(caught)["message"]


async def test_a_pod_with_several_faults_is_refused_with_every_cause(
    core: client.CoreV1Api, namespace: str, pod: Pod
) -> None:
    faulty = pod("Not_A_Name", limits={"cpu": "many", "nvidia.com/gpu": "0.5"})

    with pytest.raises(ApiException) as caught:
        await core.create_namespaced_pod(namespace, faulty)

    answered = status_of(caught)
    assert answered["code"] == 422
    assert answered["reason"] == "Invalid"
    fields = {cause["field"] for cause in answered["details"]["causes"]}
    assert {"metadata.name", "spec.containers[0].resources.limits[cpu]"} <= fields


async def test_a_pod_gets_the_defaults_of_an_api_server(
    core: client.CoreV1Api, namespace: str, pod: Pod
) -> None:
    made = await core.create_namespaced_pod(
        namespace, pod("one", limits={"nvidia.com/gpu": "2"}, nodeSelector={"none": "such"})
    )

    assert made.spec.restart_policy == "Always"
    assert made.spec.service_account_name == "default"
    assert made.spec.containers[0].resources.requests == {"nvidia.com/gpu": "2"}
    assert made.spec.tolerations[0].toleration_seconds == 300
    assert made.spec.volumes[0].projected is not None
    assert made.status.qos_class == "BestEffort"


async def test_unknown_fields_are_dropped_or_refused_where_the_client_is_strict(
    core: client.CoreV1Api, namespace: str
) -> None:
    odd = config_map("one") | {"sort": "odd"}

    made = await core.create_namespaced_config_map(namespace, odd)
    with pytest.raises(ApiException) as caught:
        await core.create_namespaced_config_map(namespace, odd, field_validation="Strict")

    assert "sort" not in made.to_dict()
    assert 'strict decoding error: unknown field "sort"' in status_of(caught)["message"]


async def test_pods_cannot_be_changed_but_in_what_may(
    core: client.CoreV1Api, namespace: str, pod: Pod
) -> None:
    await core.create_namespaced_pod(namespace, pod("one", nodeSelector={"none": "such"}))

    labelled = await core.patch_namespaced_pod(
        "one", namespace, {"metadata": {"labels": {"a": "b"}}}
    )
    with pytest.raises(ApiException) as caught:
        await core.patch_namespaced_pod("one", namespace, {"spec": {"nodeSelector": {"a": "b"}}})

    assert labelled.metadata.labels == {"a": "b"}
    assert "pod updates may not change fields other than" in status_of(caught)["message"]


async def test_lists_come_in_pages_that_end_when_the_past_is_forgotten(
    own_cluster: Cluster, own_core: client.CoreV1Api
) -> None:
    for name in ("a", "b", "c"):
        own_cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}})

    first = await own_core.list_namespaced_secret("default", limit=2)
    second = await own_core.list_namespaced_secret(
        "default", limit=2, _continue=first.metadata._continue
    )
    own_cluster.compact()
    with pytest.raises(ApiException) as caught:
        await own_core.list_namespaced_secret(
            "default", limit=2, _continue=first.metadata._continue
        )

    assert [one.metadata.name for one in first.items + second.items] == ["a", "b", "c"]
    assert first.metadata.remaining_item_count == 1
    assert status_of(caught)["code"] == 410
    assert status_of(caught)["reason"] == "Expired"
    assert "continue" in status_of(caught)["metadata"]


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("app=a", ["a"]),
        ("app!=a", ["b", "c", "kube-root-ca.crt"]),
        ("app in (a,b)", ["a", "b"]),
        ("app notin (a),app", ["b", "c"]),
        ("!app", ["kube-root-ca.crt"]),
    ],
)
async def test_labels_select(
    core: client.CoreV1Api, namespace: str, selector: str, found: list[str]
) -> None:
    for name in ("a", "b", "c"):
        await core.create_namespaced_config_map(namespace, config_map(name))

    listed = await core.list_namespaced_config_map(namespace, label_selector=selector)

    assert [one.metadata.name for one in listed.items] == found


async def test_only_some_fields_can_be_selected(core: client.CoreV1Api, namespace: str) -> None:
    with pytest.raises(ApiException) as caught:
        await core.list_namespaced_pod(namespace, field_selector="spec.hostname=a")

    assert status_of(caught)["message"] == "field label not supported: spec.hostname"


async def test_a_watch_shows_what_happens_and_ends_in_its_time(
    core: client.CoreV1Api, namespace: str
) -> None:
    before = await core.list_namespaced_config_map(namespace)
    await core.create_namespaced_config_map(namespace, config_map("one", a="1"))
    await core.patch_namespaced_config_map("one", namespace, {"data": {"a": "2"}})
    await core.delete_namespaced_config_map("one", namespace)

    seen = []
    async with watch.Watch().stream(
        core.list_namespaced_config_map,
        namespace,
        resource_version=before.metadata.resource_version,
        timeout_seconds=1,
    ) as stream:
        seen = [(event["type"], event["object"].data) async for event in stream]

    assert seen == [("ADDED", {"a": "1"}), ("MODIFIED", {"a": "2"}), ("DELETED", {"a": "2"})]


async def test_what_leaves_a_selection_is_deleted_for_who_watches_it(
    core: client.CoreV1Api, namespace: str
) -> None:
    made = await core.create_namespaced_config_map(namespace, config_map("one"))
    await core.patch_namespaced_config_map(
        "one", namespace, {"metadata": {"labels": {"app": "other"}}}
    )

    async with watch.Watch().stream(
        core.list_namespaced_config_map,
        namespace,
        label_selector="app=one",
        resource_version=made.metadata.resource_version,
        timeout_seconds=1,
    ) as stream:
        seen = [(event["type"], event["object"].metadata.labels) async for event in stream]

    assert seen == [("DELETED", {"app": "one"})]


async def watched(core: client.CoreV1Api, version: str) -> list[Any]:
    """The raw events of a short watch."""
    answered = await core.list_namespaced_config_map(
        "default", resource_version=version, watch=True, timeout_seconds=1, _preload_content=False
    )
    return [json.loads(line) async for line in answered.content]


async def test_a_watch_from_a_forgotten_version_is_told_that_it_is_gone(
    own_cluster: Cluster, own_core: client.CoreV1Api
) -> None:
    old = (await own_core.list_namespaced_config_map("default")).metadata.resource_version
    own_cluster.compact()

    event = (await watched(own_core, old))[0]
    own_cluster.compact(as_status=True)
    answered = await own_core.list_namespaced_config_map(
        "default", resource_version=old, watch=True, _preload_content=False
    )

    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
    assert event["object"]["message"].startswith("too old resource version: ")
    assert answered.status == 410


async def test_a_version_that_has_not_come_is_refused(
    core: client.CoreV1Api, namespace: str
) -> None:
    with pytest.raises(ApiException) as caught:
        await core.list_namespaced_pod(
            namespace, resource_version="999999", resource_version_match="NotOlderThan"
        )

    assert status_of(caught)["code"] == 504
    assert "Too large resource version" in status_of(caught)["message"]


@pytest.mark.parametrize("way", ["refuse", "503"])
async def test_an_api_that_is_away_breaks_watches_and_comes_back_with_everything(
    own_cluster: Cluster, own_core: client.CoreV1Api, way: Any
) -> None:
    watched = asyncio.Event()

    async def follow() -> None:
        async with watch.Watch().stream(own_core.list_namespaced_config_map, "default") as stream:
            async for _ in stream:
                watched.set()

    following = asyncio.create_task(follow())
    await asyncio.wait_for(watched.wait(), 10)
    with own_cluster.away(way):
        refused = await asyncio.gather(
            own_core.list_namespaced_pod("default"), return_exceptions=True
        )
    await asyncio.wait({following}, timeout=10)

    assert following.done()
    assert isinstance(refused[0], ApiException | ClientConnectionError)
    await asyncio.gather(following, return_exceptions=True)
    assert (await own_core.list_namespaced_pod("default")).items == []


async def test_finalizers_hold_what_is_deleted(core: client.CoreV1Api, namespace: str) -> None:
    held = config_map("one")
    held["metadata"]["finalizers"] = ["example.org/hold"]
    await core.create_namespaced_config_map(namespace, held)

    await core.delete_namespaced_config_map("one", namespace)
    marked = await core.read_namespaced_config_map("one", namespace)
    await core.patch_namespaced_config_map("one", namespace, {"metadata": {"finalizers": None}})
    left = await core.list_namespaced_config_map(namespace, field_selector="metadata.name=one")

    assert marked.metadata.deletion_timestamp is not None
    assert left.items == []


async def test_a_deletion_of_another_object_of_that_name_is_refused(
    core: client.CoreV1Api, namespace: str
) -> None:
    await core.create_namespaced_config_map(namespace, config_map("one"))

    with pytest.raises(ApiException) as caught:
        await core.delete_namespaced_config_map(
            "one", namespace, body={"preconditions": {"uid": "another"}}
        )

    assert status_of(caught)["code"] == 409
    assert "Precondition failed: UID in precondition: another" in status_of(caught)["message"]


async def test_a_quota_refuses_in_the_words_of_the_api_server(
    core: client.CoreV1Api, namespace: str, pod: Pod
) -> None:
    hard = {"requests.nvidia.com/gpu": "3"}
    quota = {"metadata": {"name": "devices"}, "spec": {"hard": hard}}
    await core.create_namespaced_resource_quota(namespace, quota)
    away = {"nodeSelector": {"none": "such"}}
    await core.create_namespaced_pod(namespace, pod("one", limits={"nvidia.com/gpu": "2"}, **away))

    with pytest.raises(ApiException) as caught:
        await core.create_namespaced_pod(namespace, pod("two", limits={"nvidia.com/gpu": "2"}))

    assert status_of(caught)["message"] == (
        'pods "two" is forbidden: exceeded quota: devices, requested: requests.nvidia.com/gpu=2, '
        "used: requests.nvidia.com/gpu=2, limited: requests.nvidia.com/gpu=3"
    )


async def test_a_service_account_may_what_its_roles_allow_and_no_more(
    kubernetes: Cluster, namespace: str, as_account: Any
) -> None:
    limited = await as_account("reader")
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"}
    kubernetes.apply({**role, "metadata": {"name": "reading"}, "rules": rules}, namespace)
    subject = {"kind": "ServiceAccount", "name": "reader", "namespace": namespace}
    bound = {"subjects": [subject], "roleRef": {"kind": "Role", "name": "reading"}}
    kubernetes.apply({**role, "kind": "RoleBinding", "metadata": {"name": "r"}, **bound}, namespace)
    reader = client.CoreV1Api(limited)

    listed = await reader.list_namespaced_pod(namespace)
    with pytest.raises(ApiException) as caught:
        await reader.delete_namespaced_pod("one", namespace)

    assert listed.items == []
    assert status_of(caught)["message"] == (
        f'pods "one" is forbidden: User "system:serviceaccount:{namespace}:reader" cannot delete '
        f'resource "pods" in API group "" in the namespace "{namespace}"'
    )


async def test_nobody_gives_rights_that_they_do_not_have(
    kubernetes: Cluster, namespace: str, as_account: Any
) -> None:
    limited = await as_account("editor")
    subject = {"kind": "ServiceAccount", "name": "editor", "namespace": namespace}
    role = {"kind": "ClusterRole", "name": "admin"}
    group = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding"}
    bound = {"metadata": {"name": "e"}, "subjects": [subject], "roleRef": role}
    kubernetes.apply(group | bound, namespace)
    held = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["delete"]}]
    rules = [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["delete"]}]
    granted = await client.RbacAuthorizationV1Api(limited).create_namespaced_role(
        namespace, {"metadata": {"name": "less"}, "rules": held}
    )
    asked = client.RbacAuthorizationV1Api(limited).create_namespaced_role(
        namespace, {"metadata": {"name": "more"}, "rules": rules}
    )

    with pytest.raises(ApiException) as caught:
        await asked

    assert granted.rules[0].verbs == ["delete"]
    assert status_of(caught)["code"] == 403
    assert "attempting to grant RBAC permissions not currently held" in status_of(caught)["message"]


async def test_a_requested_token_is_known_until_its_account_goes(
    core: client.CoreV1Api, api: client.ApiClient, namespace: str
) -> None:
    await core.create_namespaced_service_account(namespace, {"metadata": {"name": "one"}})
    wanted = {"spec": {"expirationSeconds": 600, "audiences": []}}
    asked = await core.create_namespaced_service_account_token("one", namespace, wanted)
    reviews = client.AuthenticationV1Api(api)
    review = {"spec": {"token": asked.status.token}}

    before = await reviews.create_token_review(review)
    await core.delete_namespaced_service_account("one", namespace)
    after = await reviews.create_token_review(review)

    assert before.status.user.username == f"system:serviceaccount:{namespace}:one"
    assert not after.status.authenticated


async def test_a_wrong_token_is_unauthorized(kubernetes: Cluster) -> None:
    made = client.Configuration(host=kubernetes.url)
    made.ssl_ca_cert = str(kubernetes.authority)
    made.api_key = {"BearerToken": "Bearer nonsense"}
    async with client.ApiClient(made) as stranger:
        asked = client.CoreV1Api(stranger).list_namespace()
        with pytest.raises(ApiException) as caught:
            await asked

    assert status_of(caught)["reason"] == "Unauthorized"


async def test_a_namespace_takes_all_that_is_in_it(
    kubernetes: Cluster, core: client.CoreV1Api, eventually: Any
) -> None:
    kubernetes.add_namespace("ending")
    await core.create_namespaced_config_map("ending", config_map("one"))

    await core.delete_namespace("ending")

    async def gone() -> bool:
        listed = await core.list_namespace(field_selector="metadata.name=ending")
        return not listed.items

    await eventually(gone)


async def test_a_claim_is_bound_and_stays_while_a_pod_uses_it(
    core: client.CoreV1Api, namespace: str, pod: Pod, eventually: Any
) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    await core.create_namespaced_persistent_volume_claim(
        namespace, {"metadata": {"name": "home"}, "spec": spec}
    )
    volume = {"name": "home", "persistentVolumeClaim": {"claimName": "home"}}
    user = pod("one", volumes=[volume], nodeSelector={"none": "such"})
    await core.create_namespaced_pod(namespace, user)

    async def claim() -> Any:
        listed = await core.list_namespaced_persistent_volume_claim(namespace)
        return listed.items[0] if listed.items else None

    async def bound() -> bool:
        return (await claim()).status.phase == "Bound"

    async def gone() -> bool:
        return await claim() is None

    await eventually(bound)
    await core.delete_namespaced_persistent_volume_claim("home", namespace)
    held = await claim()
    await core.delete_namespaced_pod("one", namespace)
    await eventually(gone)

    assert held.metadata.deletion_timestamp is not None


ODD: list[Any] = [
    [],
    3,
    {"metadata": []},
    {"metadata": {"name": "x", "labels": {"a": 1}}},
    {"metadata": {"name": "x"}, "spec": None},
    {"metadata": {"name": "y"}, "spec": {"containers": [{}], "taints": [{}]}},
    {"metadata": {"name": "z"}, "subjects": [{}], "roleRef": {}, "rules": [{}]},
]


async def test_whatever_is_sent_is_answered_and_breaks_nothing(own_cluster: Cluster) -> None:
    made = client.Configuration(host=own_cluster.url)
    made.ssl_ca_cert = str(own_cluster.authority)
    made.api_key = {"BearerToken": f"Bearer {own_cluster.token}"}
    codes = set()
    async with client.ApiClient(made) as anyone:
        for kind in (*kinds.STORED, *kinds.REVIEWS):
            start = f"/apis/{kind.group}/v1" if kind.group else "/api/v1"
            place = "/namespaces/default" if kind.namespaced else ""
            for odd in ODD:
                answered = await anyone.call_api(
                    f"{start}{place}/{kind.plural}",
                    "POST",
                    body=odd,
                    auth_settings=["BearerToken"],
                    header_params={"Content-Type": "application/json"},
                    _preload_content=False,
                )
                codes.add(answered.status)

    assert {201, 400, 422} <= codes <= {201, 400, 403, 409, 422}


async def test_a_disruption_budget_holds_back_evictions(
    kubernetes: Cluster, core: client.CoreV1Api, namespace: str, pod: Pod, eventually: Any
) -> None:
    kubernetes.add_node(namespace)
    kept = pod("one", nodeName=namespace)
    kept["metadata"]["labels"] = {"app": "kept"}
    await core.create_namespaced_pod(namespace, kept)
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "kept"}}}
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget"}
    kubernetes.apply({**budget, "metadata": {"name": "kept"}, "spec": spec}, namespace)

    async def runs() -> bool:
        found = await core.read_namespaced_pod("one", namespace)
        return bool(found.status.phase == "Running")

    await eventually(runs)
    eviction = {"metadata": {"name": "one", "namespace": namespace}}
    with pytest.raises(ApiException) as caught:
        await core.create_namespaced_pod_eviction("one", namespace, eviction)
    kubernetes.remove_node(namespace)

    assert status_of(caught)["code"] == 429
    assert status_of(caught)["details"]["causes"][0]["reason"] == "DisruptionBudget"
