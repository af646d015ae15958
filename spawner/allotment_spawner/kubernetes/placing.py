"""From the terms of an allotment to what KubeSpawner is told of its pod. Pure: no cluster is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from allotment.model.allotments import Allotment
from allotment.model.nodes import NodeRule
from allotment.model.pod_settings import EmptyDir, PodSettings, Volume
from allotment.model.pods import KUEUE_QUEUE, PodMark
from allotment.model.profiles import Profile
from allotment.settings.kubernetes import KubernetesSettings, PodHome

Traits = dict[str, Any]
"""Values of KubeSpawner's traits, by name."""

CHANGED = (
    "image",
    "cpu_limit",
    "cpu_guarantee",
    "mem_limit",
    "mem_guarantee",
    "extra_resource_limits",
    "extra_resource_guarantees",
    "node_selector",
    "tolerations",
    "node_affinity_required",
    "priority_class_name",
    "extra_labels",
    "extra_annotations",
    "extra_pod_config",
    "volumes",
    "volume_mounts",
    "storage_pvc_ensure",
)
"""The traits that a launch changes, each from what the deployer gave it."""

_NAME_LENGTH = 63
_OWN = 6
"""Characters of an allotment's id that its pod's name ends with."""
GROUPS = "groups"
"""The volume in which each group has a folder."""
HOME = "home"
"""The volume of a person's home."""
_SHARED_MEMORY = "shared-memory"


def with_groups(home: PodHome, leads: Mapping[str, bool], traits: Mapping[str, Any]) -> Traits:
    """What else the pod of somebody in groups has: the folder of each, at ``shared/GROUP`` in the home.

    ``leads`` are the groups, each with whether its person leads it.
    """
    if home.groups is None or not leads:
        return {}
    volume = {"name": GROUPS, "persistentVolumeClaim": {"claimName": home.groups}}
    mounts = [
        {
            "name": GROUPS,
            "mountPath": f"{home.path.rstrip('/')}/shared/{group}",
            "subPath": group,
            "readOnly": home.group_writers == "leads" and not lead,
        }
        for group, lead in sorted(leads.items())
    ]
    return {
        "volumes": [*traits["volumes"], volume],
        "volume_mounts": [*traits["volume_mounts"], *mounts],
    }


def of_the_console(cluster: KubernetesSettings, traits: Mapping[str, Any]) -> Traits:
    """What else the operator console's pod has: an empty home, so that nothing runs in it that an ordinary server wrote."""
    empty = Volume(name="console", empty_dir=EmptyDir(), mount_path=cluster.home.path)
    names = {_claimed(one) for one in traits["volumes"]}
    return {
        "volumes": [one for one in traits["volumes"] if not _claimed(one)] + [empty.document],
        "volume_mounts": [one for one in traits["volume_mounts"] if one["name"] not in names]
        + [_literal_mount(empty)],
        "storage_pvc_ensure": False,
    }


def _claimed(volume: Mapping[str, Any]) -> str:
    """The name of a volume that is a claim of storage; empty where it is another kind."""
    return str(volume["name"]) if "persistentVolumeClaim" in volume else ""


def pod_name(expanded: str, allotment: str) -> str:
    """A name that no other launch's pod has: a pod that lingers is in nobody's way, and proof is about one pod."""
    own = allotment[-_OWN:]
    return f"{expanded[: _NAME_LENGTH - len(own) - 1].rstrip('-.')}-{own}"


def traits_of(
    allotment: Allotment,
    profile: Profile,
    token_hash: str,
    cluster: KubernetesSettings,
    base: Mapping[str, Any],
    nodes: NodeRule | None = None,
) -> Traits:
    """What a launch changes of KubeSpawner's traits. ``base`` is what the deployer gave them.

    ``nodes`` are those of its pool where that is an elastic one: which of them it will be is the cluster's to choose.
    """
    said = profile.kubernetes or PodSettings()
    asked = devices_asked(allotment)
    storage = _ephemeral(said)
    placement = cluster.placement_of(allotment.pool if allotment.devices else None)
    tolerations = [one.document for one in (*placement.tolerations, *said.tolerations)]
    return {
        "image": profile.image or base["image"],
        "cpu_limit": profile.cpu or base["cpu_limit"],
        "cpu_guarantee": profile.cpu or base["cpu_guarantee"],
        "mem_limit": profile.memory or base["mem_limit"],
        "mem_guarantee": profile.memory or base["mem_guarantee"],
        "extra_resource_limits": {**base["extra_resource_limits"], **asked, **storage},
        "extra_resource_guarantees": {**base["extra_resource_guarantees"], **asked, **storage},
        "node_selector": {
            **base["node_selector"],
            **placement.node_selector,
            **said.node_selector,
            **(nodes.selector if nodes else {}),
        },
        "tolerations": [*_values(base["tolerations"]), *tolerations],
        "node_affinity_required": _on_node(
            _values(base["node_affinity_required"]), allotment, nodes
        ),
        "priority_class_name": cluster.priority_classes.get(
            profile.priority, base["priority_class_name"]
        ),
        **_marks(allotment, token_hash, cluster, said, base),
        "extra_pod_config": {**base["extra_pod_config"], "restartPolicy": "Never"},
        **_volumes(said, base),
    }


def devices_asked(allotment: Allotment) -> dict[str, str]:
    """What the cluster is asked for: how many of each resource."""
    counted = Counter(one.resource for one in allotment.devices if one.resource)
    return {resource: str(number) for resource, number in sorted(counted.items())}


def _ephemeral(said: PodSettings) -> dict[str, str]:
    return (
        {} if said.ephemeral_storage is None else {"ephemeral-storage": str(said.ephemeral_storage)}
    )


def _on_node(
    terms: Sequence[Mapping[str, Any]], allotment: Allotment, pool: NodeRule | None
) -> list[dict[str, Any]]:
    """The terms of which a node must meet one, each with the node that the claim was counted on.

    By its name, not by a label: a node's host name may be another. Devices without a node are of an
    elastic pool: any of its nodes. The cluster takes one name in such a field, so several are several terms.
    """
    counted_on = sorted({one.node for one in allotment.devices if one.node})
    names = counted_on or sorted(pool.names if pool else ())
    if not names:
        return [dict(one) for one in terms]
    fields = [{"key": "metadata.name", "operator": "In", "values": [name]} for name in names]
    return [
        {**one, "matchFields": [*one.get("matchFields", ()), field]}
        for one in terms or [{}]
        for field in fields
    ]


def _marks(
    allotment: Allotment,
    token_hash: str,
    cluster: KubernetesSettings,
    said: PodSettings,
    base: Mapping[str, Any],
) -> Traits:
    mark = PodMark(
        allotment=allotment.id,
        hub=allotment.hub,
        person=allotment.person,
        server=allotment.server,
        profile=allotment.profile,
        group=allotment.group,
        pool=allotment.pool,
        devices=tuple(one.id for one in allotment.devices),
        token_hash=token_hash,
    )
    queue = cluster.kueue.queue_of(allotment.group) if cluster.kueue else ""
    waits = {KUEUE_QUEUE: queue} if queue else {}
    return {
        "extra_labels": {**base["extra_labels"], **said.labels, **mark.labels, **waits},
        "extra_annotations": {
            **base["extra_annotations"],
            **{key: _literal(value) for key, value in said.annotations.items()},
            **{key: _literal(value) for key, value in mark.annotations.items()},
        },
    }


def _literal(text: str) -> str:
    """A text in which KubeSpawner finds nothing to expand."""
    return text.replace("{", "{{").replace("}", "}}")


def _volumes(said: PodSettings, base: Mapping[str, Any]) -> Traits:
    volumes = [one.document for one in said.volumes]
    mounts = [_literal_mount(one) for one in said.volumes]
    if said.shared_memory is not None:
        kind = {"medium": "Memory", "sizeLimit": str(said.shared_memory)}
        volumes.append({"name": _SHARED_MEMORY, "emptyDir": kind})
        mounts.append({"name": _SHARED_MEMORY, "mountPath": "/dev/shm"})  # noqa: S108 - a mount
    return {
        "volumes": [*_values(base["volumes"]), *volumes],
        "volume_mounts": [*_values(base["volume_mounts"]), *mounts],
        "storage_pvc_ensure": base["storage_pvc_ensure"],
    }


def _literal_mount(volume: Volume) -> dict[str, Any]:
    return {
        key: _literal(value) if isinstance(value, str) else value
        for key, value in volume.mount.items()
    }


def _values(given: Mapping[str, Any] | Iterable[Any]) -> list[Any]:
    """A trait that may be a list, or a mapping whose keys only say the order."""
    if isinstance(given, Mapping):
        return [given[key] for key in sorted(given)]
    return list(given)
