"""What a launch asks of a cluster follows from its terms, its pool and the settings, and from nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from allotment.model.allotments import Allotment, HeldDevice, State
from allotment.model.nodes import NodeRule
from allotment.model.pod_settings import SHARED_MEMORY, PodSettings
from allotment.model.pods import read_mark
from allotment.model.profiles import Profile
from allotment.settings.catalogue import read_profile
from allotment.settings.kubernetes import KubernetesSettings
from allotment_spawner.environment import pod_environment
from allotment_spawner.kubernetes.placing import devices_asked, of_the_console, pod_name, traits_of

GPU, SLICE = "nvidia.com/gpu", "nvidia.com/mig-1g.10gb"
BASE: dict[str, Any] = {
    "image": "registry.example.org/base:1",
    "cpu_limit": None,
    "cpu_guarantee": None,
    "mem_limit": None,
    "mem_guarantee": None,
    "extra_resource_limits": {},
    "extra_resource_guarantees": {},
    "node_selector": {"example.org/people": "yes"},
    "tolerations": [],
    "node_affinity_required": [],
    "priority_class_name": "",
    "extra_labels": {"team": "platform"},
    "extra_annotations": {},
    "extra_pod_config": {"dnsPolicy": "ClusterFirst"},
    "volumes": {"home": {"name": "home"}},
    "volume_mounts": [{"name": "home", "mountPath": "/home/jovyan"}],
    "storage_pvc_ensure": True,
}


def device(number: int, node: str = "gpu-1", resource: str = GPU) -> HeldDevice:
    return HeldDevice(f"{node}-gpu-{number}", "", node, "A100", 80, "exclusive", resource)


def granted(*devices: HeldDevice, **said: Any) -> Allotment:
    return replace(
        Allotment(
            id="0" * 26 + "abc123",
            hub="hub",
            person="ada@example.org",
            server="train",
            group="vision",
            pool="a100",
            profile="gpu",
            state=State.STARTING,
            terms={},
            devices=devices,
            admitted_at=datetime(2026, 11, 23, tzinfo=UTC),
        ),
        **said,
    )


def profile(**said: Any) -> Profile:
    return Profile.model_validate({"name": "gpu", "title": "GPU", **said})


def cluster(**said: Any) -> KubernetesSettings:
    document = {"namespace": "jupyter", "image": "base:1", **said}
    return KubernetesSettings.model_validate_json(json.dumps(document))


def traits(
    allotment: Allotment | None = None,
    of: Profile | None = None,
    base: dict[str, Any] | None = None,
    nodes: NodeRule | None = None,
    **said: Any,
) -> dict[str, Any]:
    return traits_of(
        allotment or granted(device(0)),
        of or profile(),
        "f" * 64,
        cluster(**said),
        BASE | (base or {}),
        nodes,
    )


@pytest.mark.promise("POOL-1")
def test_devices_are_asked_for_by_their_resource_and_number() -> None:
    allotment = granted(device(0), device(1), device(2, resource=SLICE))

    assert devices_asked(allotment) == {GPU: "2", SLICE: "1"}
    assert traits(allotment)["extra_resource_limits"] == {GPU: "2", SLICE: "1"}
    assert traits(allotment)["extra_resource_guarantees"] == {GPU: "2", SLICE: "1"}


def test_a_pod_is_bound_to_the_node_that_its_claim_was_counted_on() -> None:
    field = {"key": "metadata.name", "operator": "In", "values": ["gpu-1"]}

    assert traits()["node_affinity_required"] == [{"matchFields": [field]}]


def test_each_of_the_deployers_terms_gets_the_node_for_one_of_them_is_enough() -> None:
    terms = [
        {"matchExpressions": [{"key": "zone", "operator": "In", "values": [zone]}]} for zone in "ab"
    ]

    found = traits(base={"node_affinity_required": terms})["node_affinity_required"]

    assert [one["matchExpressions"] for one in found] == [one["matchExpressions"] for one in terms]
    assert all(one["matchFields"][0]["values"] == ["gpu-1"] for one in found)


def test_devices_of_an_elastic_pool_choose_no_node_and_follow_their_pool() -> None:
    said = {
        "placement": {"tolerations": [{"key": GPU, "operator": "Exists"}]},
        "pools": {"a100": {"node_selector": {"example.org/kind": "a100"}}},
    }

    found = traits(granted(device(0, node="")), **said)

    assert found["node_affinity_required"] == []
    assert found["node_selector"] == {"example.org/people": "yes", "example.org/kind": "a100"}
    assert found["tolerations"] == [{"key": GPU, "operator": "Exists"}]


def test_devices_of_an_elastic_pool_go_to_the_nodes_of_its_rule_one_name_in_a_term() -> None:
    rule = NodeRule(selector={"tier": "burst"}, names=("b-1", "b-2"), maximum=4)

    found = traits(granted(device(0, node="")), nodes=rule)

    assert found["node_selector"] == {"example.org/people": "yes", "tier": "burst"}
    fields = [one["matchFields"] for one in found["node_affinity_required"]]
    assert [[field["values"] for field in term] for term in fields] == [[["b-1"]], [["b-2"]]]


def test_a_server_without_devices_does_not_go_where_its_pool_says() -> None:
    said = {"pools": {"a100": {"node_selector": {"example.org/kind": "a100"}}}}

    assert traits(granted(), **said)["node_selector"] == {"example.org/people": "yes"}


@pytest.mark.promise("PROFILE-4")
def test_the_image_is_the_softwares_else_the_profiles_else_the_deployers() -> None:
    assert traits(of=profile(image="pytorch:2"))["image"] == "pytorch:2"
    assert traits()["image"] == "registry.example.org/base:1"


def test_what_is_promised_of_cpu_and_memory_is_guaranteed_and_no_more_may_be_used() -> None:
    found = traits(of=profile(cpu=2, memory="8GiB"))

    assert (found["cpu_guarantee"], found["cpu_limit"]) == (2, 2)
    assert (found["mem_guarantee"], found["mem_limit"]) == (8 * 2**30, 8 * 2**30)


@pytest.mark.parametrize(
    ("priority", "expected"), [("dedicated", "keeps"), ("low", "gives-way")], ids=str
)
def test_the_priority_class_follows_the_profiles_priority(priority: str, expected: str) -> None:
    classes = {"dedicated": "keeps", "low": "gives-way"}

    found = traits(of=profile(priority=priority), priority_classes=classes)

    assert found["priority_class_name"] == expected


def test_a_pod_says_whose_it_is_so_that_it_can_be_found_again() -> None:
    found = traits()

    mark = read_mark(found["extra_labels"], found["extra_annotations"])

    assert mark is not None
    assert (mark.allotment, mark.hub) == ("0" * 26 + "abc123", "hub")
    assert (mark.person, mark.server, mark.group) == ("ada@example.org", "train", "vision")
    assert (mark.devices, mark.token_hash) == (("gpu-1-gpu-0",), "f" * 64)
    assert found["extra_labels"]["team"] == "platform"


@pytest.mark.parametrize(
    ("group", "queue"), [("vision", "vision-queue"), ("audio", "everybody")], ids=str
)
def test_a_pod_waits_in_the_kueue_queue_of_its_group(group: str, queue: str) -> None:
    kueue = {"queues": {"vision": "vision-queue"}, "default": "everybody"}

    found = traits(granted(group=group), kueue=kueue)

    assert found["extra_labels"]["kueue.x-k8s.io/queue-name"] == queue
    assert "kueue.x-k8s.io/queue-name" not in traits()["extra_labels"]


def test_what_a_profile_adds_stands_beside_what_the_deployer_gave() -> None:
    said = {
        "labels": {"example.org/cost": "4711"},
        "annotations": {"example.org/note": "{not a template}"},
        "shared_memory": "8GiB",
        "ephemeral_storage": "50GiB",
        "volumes": [{"name": "scratch", "empty_dir": {"size": "1GiB"}, "mount_path": "/scratch"}],
    }

    found = traits(of=profile(kubernetes=said))

    assert [one["name"] for one in found["volumes"]] == ["home", "scratch", "shared-memory"]
    assert [one["mountPath"] for one in found["volume_mounts"]] == [
        "/home/jovyan",
        "/scratch",
        "/dev/shm",  # noqa: S108 - a mount
    ]
    assert found["extra_resource_limits"]["ephemeral-storage"] == str(50 * 2**30)
    assert found["extra_labels"]["example.org/cost"] == "4711"
    assert found["extra_annotations"]["example.org/note"].format() == "{not a template}"
    assert found["extra_pod_config"] == {"dnsPolicy": "ClusterFirst", "restartPolicy": "Never"}


def test_the_consoles_pod_has_an_empty_home_and_claims_no_storage() -> None:
    home = {"name": "home", "persistentVolumeClaim": {"claimName": "{pvc_name}"}}
    ordinary = traits(base={"volumes": [home]})

    found = of_the_console(cluster(), ordinary)

    assert found["storage_pvc_ensure"] is False
    assert found["volumes"] == [{"name": "console", "emptyDir": {}}]
    assert found["volume_mounts"] == [{"name": "console", "mountPath": "/home/jovyan"}]


def test_a_pods_name_is_a_label_of_dns_and_ends_with_its_allotments_own() -> None:
    assert pod_name("jupyter-ada--train", "0" * 26 + "abc123") == "jupyter-ada--train-abc123"
    assert len(pod_name("jupyter-" + "x" * 60, "0" * 26 + "abc123")) == 63


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("hostPath: /", "node's own files"),
        ("privileged: true", "own its node"),
        ("hostNetwork: true", "node's network"),
        ("serviceAccountName: admin", "act as that account"),
        ("volumes: [{name: a, hostPath: /, mount_path: /a}]", "node's own files"),
        ("volumes: [{name: a, secret: hub, mount_path: /a}]", "secret that is not its own"),
        ("labels: {allotment.dev/hub: other}", "the platform's own"),
        ("initContainers: []", "is not a key here"),
    ],
    ids=lambda value: str(value).split(":", maxsplit=1)[0],
)
def test_what_no_profile_may_say_of_a_pod_is_refused_by_name_and_line(
    tmp_path: Path, line: str, word: str
) -> None:
    file = tmp_path / "training.yaml"
    file.write_text(f"title: Training\nkubernetes:\n  {line}\n")

    found = read_profile(file)

    assert found.profile is None
    assert "training.yaml:3: kubernetes" in found.problem
    assert word in found.problem


def _volume(name: str, path: str) -> dict[str, Any]:
    return {"name": name, "empty_dir": {}, "mount_path": path}


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"volumes": [_volume("a", "/a"), _volume("a", "/b")]}, "two volumes are called 'a'"),
        ({"volumes": [_volume("home", "/a")]}, "'home' is the platform's own"),
        ({"volumes": [_volume("a", "/a"), _volume("b", "/a/")]}, "two volumes are mounted at /a;"),
        (
            {"shared_memory": "1GiB", "volumes": [_volume("a", SHARED_MEMORY)]},
            f"two volumes are mounted at {SHARED_MEMORY};",
        ),
    ],
    ids=["name", "our name", "path", "our path"],
)
def test_volumes_of_a_profile_that_are_in_each_others_way_are_refused(
    said: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValidationError, match=re.escape(problem)):
        PodSettings.model_validate(said)


SHOWS = ("NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "NVIDIA_MIG_MONITOR_DEVICES")


@pytest.mark.promise("POOL-1")
@pytest.mark.parametrize("name", SHOWS, ids=str)
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("title: T\nenvironment:\n  {name}: all\n", "3: environment.{name}"),
        (
            "title: T\nsoftware:\n- name: a\n  title: A\n  environment:\n    {name}: all\n",
            "6: software[0].environment.{name}",
        ),
    ],
    ids=["profile", "software"],
)
def test_no_profile_and_no_software_says_which_devices_a_server_sees(
    tmp_path: Path, text: str, place: str, name: str
) -> None:
    file = tmp_path / "training.yaml"
    file.write_text(text.format(name=name))

    found = read_profile(file)

    assert found.profile is None
    assert f"training.yaml:{place.format(name=name)}: " in found.problem


@pytest.mark.promise("POOL-1")
@pytest.mark.parametrize(
    ("allotment", "told"),
    [
        (granted(), {"NVIDIA_VISIBLE_DEVICES": "void"}),
        (granted(device(0)), {"ALLOTMENT_DEVICE_KINDS": "gpu"}),
    ],
    ids=["without devices", "with devices"],
)
def test_what_a_deployer_says_of_devices_shows_a_pod_none_that_are_not_its_own(
    allotment: Allotment, told: dict[str, str]
) -> None:
    given = {"NVIDIA_VISIBLE_DEVICES": "all", "NVIDIA_MIG_MONITOR_DEVICES": "all", "LANG": "C"}

    assert pod_environment(allotment, given) == {"LANG": "C", **told}


@pytest.mark.promise("IDLE-1")
def test_a_pod_is_told_which_of_its_devices_can_be_measured_in_their_order() -> None:
    shared = replace(device(2), isolation="time-slice")
    allotment = granted(
        device(0), device(1, resource=SLICE), shared, device(3, resource="amd.com/gpu")
    )

    assert pod_environment(allotment, {})["ALLOTMENT_DEVICE_KINDS"] == "gpu,mig,shared,other"
