"""Software: what a server of a profile runs, chosen apart from its size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from allotment.model.devices import DEVICE_VARIABLES
from allotment.model.names import Name

MOST_SOFTWARE = 20
"""Choices of one profile."""


def _folder(written: str) -> str:
    path = PurePosixPath(written)
    if not path.is_absolute() or ".." in path.parts or not written.isprintable():
        message = "expected the absolute path of a folder, such as /opt/environments/pytorch"
        raise ValueError(message)
    return str(path)


class Released(BaseModel):
    """What is said of the version of some software, for the people who use it.

    ``version`` is the operator's own word (``2026.11``): another one, or another image or folder, is a
    new release. ``notes`` say what it brings. From ``update_by`` on no server goes on with an older one;
    without it nobody has to update.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str = Field(default="", max_length=100, examples=["2026.11"])
    notes: str = Field(
        default="",
        max_length=5000,
        description="What this version brings, for its users",
        examples=["PyTorch 2.9 and CUDA 13."],
    )
    update_by: AwareDatetime | None = Field(
        default=None,
        description="When servers with an older version are stopped; left out, they never are",
        examples=["2026-12-01T18:00:00+01:00"],
    )

    @model_validator(mode="after")
    def _a_version_has_notes(self) -> Self:
        if not self.version and (self.notes or self.update_by):
            message = "notes and update_by are said of a version; expected a version as well"
            raise ValueError(message)
        return self


def device_variables(profile: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Variables of a profile's document that a server may not be told: each place, and why not."""
    choices = profile.get("software")
    places: list[tuple[tuple[str | int, ...], object]] = [((), profile)]
    places += [
        (("software", index), one)
        for index, one in enumerate(choices if isinstance(choices, list) else ())
    ]
    for place, one in places:
        named = one.get("environment") if isinstance(one, dict) else None
        for name in named if isinstance(named, dict) else ():
            if str(name).startswith(DEVICE_VARIABLES):
                why = "says which devices a server sees: the platform's word alone; leave it out"
                yield (*place, "environment", name), why


class Software(Released):
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
