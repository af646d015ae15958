"""What the settings say of a cluster's devices: resources that are not known by themselves."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from allotment.model.nodes import LabelName, ResourceName
from allotment.model.profiles import Memory

__all__ = ["DeclaredAccelerator", "ResourceName"]


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
