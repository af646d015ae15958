"""Nodes of a cluster: what they offer, who uses it, and which of them make a pool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from allotment.model.amounts import parse_memory
from allotment.model.devices import Isolation

LABEL_NAME = (
    r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"
)
LabelName = Annotated[str, StringConstraints(strict=True, max_length=317, pattern=LABEL_NAME)]
LabelValue = Annotated[
    str,
    StringConstraints(strict=True, pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$"),
]
NodeName = Annotated[
    str, StringConstraints(strict=True, max_length=128, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")
]
ResourceName = Annotated[
    str,
    StringConstraints(
        strict=True, max_length=200, pattern=r"^[a-z0-9][a-z0-9.-]*/[A-Za-z0-9][A-Za-z0-9._-]*$"
    ),
]
NVIDIA_GPU = "nvidia.com/gpu"


class NodeRule(BaseModel):
    """Which nodes of a cluster a pool is made of, and which of their devices.

    A node is one of the pool's if it is among ``names`` (where there are any) and has every label
    of ``selector``. With a ``maximum`` the pool is elastic: its nodes come when they are asked for,
    so it has that many devices whatever nodes are there now, and none of them has a node.
    ``memory`` is what one device of an elastic pool has, in bytes, where it is known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    selector: dict[LabelName, LabelValue] = Field(default_factory=dict, max_length=32)
    names: tuple[NodeName, ...] = Field(default=(), max_length=5_000)
    resource: ResourceName = NVIDIA_GPU
    maximum: Annotated[int, Field(ge=1, le=10_000)] | None = None
    memory: Annotated[
        int,
        BeforeValidator(lambda value: parse_memory(value) if isinstance(value, str) else value),
        Field(ge=0, le=2**60, description="an amount of memory such as 80GiB"),
    ] = 0

    @model_validator(mode="after")
    def _names_some(self) -> NodeRule:
        if not self.selector and not self.names:
            message = "which nodes? Give selector, names, or both"
            raise ValueError(message)
        return self

    @property
    def elastic(self) -> bool:
        """Whether nodes come when they are asked for."""
        return self.maximum is not None

    def fits(self, node: str, labels: Mapping[str, str]) -> bool:
        """Whether a node is one of the pool's."""
        named = not self.names or node in self.names
        return named and all(labels.get(key) == value for key, value in self.selector.items())

    @property
    def words(self) -> str:
        """The rule in words."""
        labels = ", ".join(f"{key}={value}" for key, value in sorted(self.selector.items()))
        parts = [f"labelled {labels}"] if labels else []
        parts += [f"named {', '.join(self.names)}"] if self.names else []
        most = (
            f", at most {self.maximum}, on nodes that come when asked for" if self.elastic else ""
        )
        return f"{self.resource} of nodes {' and '.join(parts)}{most}"


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One kind of device of a node, by the resource that pods ask for.

    ``capacity`` are those that the node has, ``allocatable`` those that it gives out: fewer where
    some are not healthy. ``memory`` is in bytes, of one of them.
    """

    resource: str
    capacity: int
    allocatable: int
    model: str
    memory: int
    isolation: Isolation = Isolation.EXCLUSIVE


@dataclass(frozen=True, slots=True)
class NodeSight:
    """A node as its cluster tells it now.

    ``problem`` says why nothing on it can be relied on, ``cordon`` why the cluster gives it to
    nobody; both are empty where all is well.
    """

    name: str
    labels: Mapping[str, str]
    accelerators: tuple[Accelerator, ...] = ()
    problem: str = ""
    cordon: str = ""
    version: str = ""
    cpu: str = ""
    memory: str = ""


@dataclass(frozen=True, slots=True)
class PodUse:
    """A pod that is on a node and has not ended, with what it asks for of the accelerators there.

    ``allotment`` is the allotment that it says it runs on; empty for a pod that is none of ours.
    """

    namespace: str
    name: str
    node: str
    state: str
    asks: Mapping[str, int] = field(default_factory=dict)
    allotment: str = ""

    @property
    def words(self) -> str:
        """What a device that it uses is taken by."""
        return f"pod {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class ClusterSight:
    """What a cluster told at one time. ``pods`` None: it may not be asked about them.

    ``cluster`` is the uid of its namespace kube-system; empty where it may not be asked for it.
    """

    nodes: tuple[NodeSight, ...]
    pods: tuple[PodUse, ...] | None = ()
    cluster: str = ""
