"""Software: what a server of a profile runs, chosen apart from its size."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from allotment.model.names import Name

MOST_SOFTWARE = 20
"""Choices of one profile."""


def _folder(written: str) -> str:
    path = PurePosixPath(written)
    if not path.is_absolute() or ".." in path.parts or not written.isprintable():
        message = "expected the absolute path of a folder, such as /opt/environments/pytorch"
        raise ValueError(message)
    return str(path)


class Software(BaseModel):
    """One choice of software for a size.

    ``image`` is for servers in containers; ``python_environment`` is a folder on the machine (a
    virtual environment, or one of conda) whose programs the server runs. Without either a server
    runs what its profile says. ``environment`` are variables beside the profile's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    title: str = Field(min_length=1, max_length=120)
    description: str = Field(default="", max_length=500)
    image: str | None = Field(default=None, min_length=1, max_length=500)
    python_environment: Annotated[str, AfterValidator(_folder)] | None = Field(
        default=None,
        max_length=1000,
        description="the absolute path of a folder, such as /opt/environments/pytorch",
    )
    environment: dict[str, str] = Field(default_factory=dict)
