"""What a profile, or the settings, may say of pods beside what the rules decide.

The keys here are all there are: a profile reaches no other field of a pod. What would give a server
the node, another's identity or another's network is named, so that whoever tries it reads why not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from allotment.model.amounts import parse_memory

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
DNS_NAME = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
_QUALIFIED = (
    r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
)
_VALUE = r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$"

LabelKey = Annotated[str, StringConstraints(pattern=_QUALIFIED, max_length=317)]
LabelValue = Annotated[str, StringConstraints(pattern=_VALUE)]
DnsLabel = Annotated[str, StringConstraints(pattern=DNS_LABEL)]
DnsName = Annotated[str, StringConstraints(pattern=DNS_NAME, max_length=253)]

_FREE = frozenset({"labels", "annotations", "node_selector"})
"""Keys whose own keys are anybody's words."""
_OURS = ("allotment.dev/", "hub.jupyter.org/", "app.kubernetes.io/", "kueue.x-k8s.io/")
"""Prefixes of labels and annotations by which the platform, the hub and Kueue know a pod."""
_OUR_LABELS = frozenset({"app", "component", "heritage", "release"})

OUR_VOLUMES = frozenset({"home", "console", "groups", "shared-memory"})
"""Names of the volumes that the platform gives a pod: homes, shared folders, memory."""

SHARED_MEMORY = "/dev/shm"  # noqa: S108 - where a volume is mounted in a pod
FORBIDDEN = {
    "hostPath": "a server would read and write the node's own files",
    "host_path": "a server would read and write the node's own files",
    "privileged": "a server would own its node",
    "hostNetwork": "a server would have its node's network",
    "host_network": "a server would have its node's network",
    "hostPID": "a server would see its node's processes",
    "host_pid": "a server would see its node's processes",
    "hostIPC": "a server would share its node's memory",
    "host_ipc": "a server would share its node's memory",
    "serviceAccountName": "a server would act as that account in the cluster",
    "serviceAccount": "a server would act as that account in the cluster",
    "service_account": "a server would act as that account in the cluster",
    "securityContext": "a server could take more rights than its image has",
    "security_context": "a server could take more rights than its image has",
    "allow_privilege_escalation": "a server could take more rights than its image has",
    "capabilities": "a server could take more rights than its image has",
    "nodeName": "the scheduler, and so every limit of the node, would be passed by",
    "node_name": "the scheduler, and so every limit of the node, would be passed by",
    "resources": "they are counted: say devices, cpu and memory of the profile",
    "extra_resource_limits": "they are counted: say devices, cpu and memory of the profile",
    "priority_class_name": "it follows the profile's priority",
    "priorityClassName": "it follows the profile's priority",
    "secret": "a server could read a secret that is not its own",
}
"""What somebody may look for here, and why no profile may say it."""


def _none_of_ours(named: dict[str, str]) -> dict[str, str]:
    taken = sorted(key for key in named if key in _OUR_LABELS or key.startswith(_OURS))
    if taken:
        message = f"{taken[0]!r} is the platform's own; expected another name"
        raise ValueError(message)
    return named


Labels = Annotated[dict[LabelKey, LabelValue], AfterValidator(_none_of_ours)]
Annotations = Annotated[
    dict[LabelKey, Annotated[str, StringConstraints(max_length=4096)]],
    AfterValidator(_none_of_ours),
]
NodeSelector = dict[LabelKey, LabelValue]
MountPath = Annotated[str, StringConstraints(pattern=r"^/[^:\x00]*$", max_length=1000)]


def _bytes(value: object) -> object:
    return parse_memory(value) if isinstance(value, str) else value


Size = Annotated[int, BeforeValidator(_bytes), Field(gt=0)]
"""An amount of memory or of disk in bytes; in a file ``10GiB``."""


class _Words(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def forbidden(
    said: object, place: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What may not be said of a pod, wherever it stands in a document: each place, and why not."""
    inside = enumerate(said) if isinstance(said, list) else ()
    for key, value in said.items() if isinstance(said, dict) else inside:
        if isinstance(said, dict) and key in FORBIDDEN:
            yield (*place, key), f"may not be said of a pod: {FORBIDDEN[key]}"
        elif key not in _FREE:
            yield from forbidden(value, (*place, key))


class Toleration(_Words):
    """A taint of nodes that a pod puts up with, in Kubernetes' own words."""

    key: LabelKey | None = None
    operator: Literal["Equal", "Exists"] = "Equal"
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Toleration:
        if self.operator == "Exists" and self.value:
            message = "a toleration with operator Exists has no value"
            raise ValueError(message)
        if self.operator == "Equal" and self.key is None:
            message = "a toleration of every key needs operator: Exists"
            raise ValueError(message)
        return self

    @property
    def document(self) -> dict[str, str]:
        """As a pod's specification says it."""
        return {name: str(said) for name, said in self.model_dump().items() if said is not None}


class EmptyDir(_Words):
    """A folder that lives as long as the pod; of ``Memory`` it counts against the pod's memory."""

    medium: Literal["", "Memory"] = ""
    size: Size | None = None


class Volume(_Words):
    """Something to mount: one of the kinds."""

    name: DnsLabel
    empty_dir: EmptyDir | None = None
    config_map: DnsName | None = None
    persistent_volume_claim: DnsName | None = None
    mount_path: MountPath
    read_only: bool = False
    sub_path: Annotated[str, StringConstraints(max_length=1000)] = ""

    @model_validator(mode="after")
    def _one_kind(self) -> Volume:
        kinds = (self.empty_dir, self.config_map, self.persistent_volume_claim)
        if sum(one is not None for one in kinds) != 1:
            message = "expected one of empty_dir, config_map and persistent_volume_claim"
            raise ValueError(message)
        if self.sub_path.startswith("/") or ".." in self.sub_path.split("/"):
            message = "expected a path inside the volume, without '..'"
            raise ValueError(message)
        return self

    @property
    def document(self) -> dict[str, Any]:
        """As a pod's specification says what is mounted."""
        if self.config_map is not None:
            return {"name": self.name, "configMap": {"name": self.config_map}}
        if self.persistent_volume_claim is not None:
            claim = {"claimName": self.persistent_volume_claim, "readOnly": self.read_only}
            return {"name": self.name, "persistentVolumeClaim": claim}
        said = self.empty_dir or EmptyDir()
        size = {} if said.size is None else {"sizeLimit": str(said.size)}
        medium = {"medium": said.medium} if said.medium else {}
        return {"name": self.name, "emptyDir": medium | size}

    @property
    def mount(self) -> dict[str, Any]:
        """As a container's specification says where."""
        where: dict[str, Any] = {"name": self.name, "mountPath": self.mount_path}
        if self.read_only:
            where["readOnly"] = True
        return where | ({"subPath": self.sub_path} if self.sub_path else {})


class PodSettings(_Words):
    """What a profile may say of its servers' pods."""

    node_selector: NodeSelector = Field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    labels: Labels = Field(default_factory=dict)
    annotations: Annotations = Field(default_factory=dict)
    volumes: tuple[Volume, ...] = ()
    shared_memory: Size | None = Field(
        default=None, description="The size of /dev/shm, counted against the memory"
    )
    ephemeral_storage: Size | None = Field(
        default=None, description="What the container may write outside of volumes"
    )

    @model_validator(mode="after")
    def _names_once(self) -> PodSettings:
        names = [one.name for one in self.volumes]
        ours = sorted(OUR_VOLUMES & set(names))
        if ours:
            message = f"a volume called {ours[0]!r} is the platform's own; expected another name"
            raise ValueError(message)
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            message = f"two volumes are called {twice[0]!r}; expected a name for each"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _paths_once(self) -> PodSettings:
        paths = [one.mount_path.rstrip("/") for one in self.volumes]
        paths += [] if self.shared_memory is None else [SHARED_MEMORY]
        twice = sorted({path for path in paths if paths.count(path) > 1})
        if twice:
            message = f"two volumes are mounted at {twice[0]}; expected a path for each"
            raise ValueError(message)
        return self
