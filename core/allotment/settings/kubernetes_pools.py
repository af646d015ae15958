"""What the settings say of a cluster's devices: resources that are not known by themselves, and pools of nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from allotment.model.names import DEFAULT_POOL
from allotment.model.nodes import LabelName, ResourceName
from allotment.model.profiles import Memory
from allotment.settings.entries import Entry, Wrong

__all__ = ["DeclaredAccelerator", "ResourceName", "nodes_of_pools"]


class DeclaredAccelerator(BaseModel):
    """A resource of nodes that is a device, and where its model and memory are said.

    The labels of its node come first; ``model`` and ``memory`` (bytes, of one device) are what it is
    where they say nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    model: Annotated[str, StringConstraints(max_length=200)] = ""
    memory: Memory = Field(default=0, ge=0, description="an amount of memory such as 80GiB")
    model_label: LabelName | None = None
    memory_label: LabelName | None = None


def nodes_of_pools(top: Entry) -> Iterator[Wrong]:
    """What is wrong with pools that are made of nodes."""
    for pool in top.entries("pools"):
        if "nodes" not in pool.value:
            continue
        place = (*pool.place, "nodes")
        if pool.text("name") == DEFAULT_POOL:
            yield place, "the default pool holds every device that no other pool holds"
        if pool.value.get("devices"):
            yield place, "a pool has devices, or nodes whose devices it gets; not both"
        if pool.inner("nodes").value.get("maximum") is not None and not pool.text("model"):
            yield (
                place,
                "a pool with a maximum needs its model too: nothing else says what its devices will be",
            )
