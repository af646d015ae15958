"""Profiles: what can be launched."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_serializer,
    model_validator,
)

from allotment.model.amounts import parse_memory
from allotment.model.idleness import Extend, ExtendRule, Idle, IdleRule, Lifetime, ending_words
from allotment.model.names import CONSOLE_PROFILE, Name, PersonName
from allotment.model.pod_settings import PodSettings
from allotment.model.software import MOST_SOFTWARE, Released, Software


def _decimal(value: object) -> object:
    """Read 2.40 from YAML as the decimal that was written, not as its binary neighbour."""
    written = isinstance(value, int | float) and not isinstance(value, bool)
    return Decimal(str(value)) if written else value


Memory = Annotated[
    int,
    BeforeValidator(
        lambda value: (
            parse_memory(value)
            if isinstance(value, str | int) and not isinstance(value, bool)
            else value
        )
    ),
]
Price = Annotated[Decimal, BeforeValidator(_decimal), Field(ge=0, max_digits=12, decimal_places=6)]


class Priority(StrEnum):
    """Whether a server keeps what it was given."""

    DEDICATED = "dedicated"
    LOW = "low"


class PoolByModel(BaseModel):
    """Any pool of one model of device."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    model: str = Field(min_length=1, max_length=200)


class Audience(BaseModel):
    """Who may see a profile: people of these groups, and these people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    groups: tuple[Name, ...] = ()
    people: tuple[PersonName, ...] = ()


class Profile(Released):
    """One compute profile, as its file says it. The file's name is the profile's name.

    Its version is that of its own image; where its users choose their software, each choice has one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    title: str = Field(min_length=1, max_length=120)
    description: str = Field(default="", max_length=2000)
    devices: int = Field(default=0, ge=0, le=1024, strict=True)
    pool: Literal["any"] | Name | PoolByModel = Field(
        default="any", description="any, a pool's name, or {model: …}"
    )
    cpu: float | None = Field(default=None, gt=0, le=4096)
    memory: Memory | None = Field(default=None, gt=0, description="Bytes")
    image: str | None = Field(default=None, min_length=1, max_length=500)
    environment: dict[str, str] = Field(default_factory=dict)
    software: tuple[Software, ...] = Field(
        default=(),
        max_length=MOST_SOFTWARE,
        description="What its users may choose apart from the size; the first is proposed",
    )
    instance_type: Name | None = Field(
        default=None, description="The instance type that a server of it takes one of"
    )
    priority: Priority = Priority.DEDICATED
    price: Price | None = Field(
        default=None, description="Per hour; left out, that of the instance type"
    )
    cleans_up: bool = Field(
        default=False,
        strict=True,
        description="Whether it can be launched by somebody who is over their limit of storage",
    )
    visible_to: Audience | None = None
    successor: Name | None = Field(default=None, description="The profile that replaces it")
    successor_message: str = Field(
        default="", max_length=500, description="What its users are told about the change"
    )
    idle: Idle = Field(
        default=None,
        description="When a server without use is stopped, or off; left out: warned after 45 "
        "minutes and stopped after 60 where the profile has devices, else off",
    )
    lifetime: Lifetime = Field(
        default=None, description="How long a server may run, or off", examples=["12h"]
    )
    extend: Extend = Field(
        default=ExtendRule(), description="How its user may put an announced end off, or off"
    )

    kubernetes: PodSettings | None = Field(
        default=None, description="What its pods have beside, where servers are pods"
    )

    @model_validator(mode="after")
    def _devices_are_given_back(self) -> Profile:
        """What holds devices and says nothing of idleness has the rule with its defaults."""
        # After the model, not before: what a validator before it returns is no longer read as JSON is.
        if self.devices and "idle" not in self.model_fields_set:
            object.__setattr__(self, "idle", IdleRule())
        return self

    @model_validator(mode="after")
    def _console_holds_no_devices(self) -> Profile:
        if self.name == CONSOLE_PROFILE and self.devices:
            message = "the operator console holds no devices; expected devices: 0"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _software_is_told_apart(self) -> Profile:
        names = [one.name for one in self.software]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            message = f"two choices of software are called {twice[0]!r}; expected a name for each"
            raise ValueError(message)
        if self.name == CONSOLE_PROFILE and self.software:
            message = "the operator console runs its own software; expected no choice of it"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _one_place_says_the_version(self) -> Profile:
        if self.version and self.software:
            message = "its software has versions of its own; expected version at each choice"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _another_succeeds(self) -> Profile:
        if self.successor == self.name:
            message = "a profile cannot replace itself; expected another as successor"
            raise ValueError(message)
        if self.successor_message and self.successor is None:
            message = "a successor_message needs a successor"
            raise ValueError(message)
        return self

    @field_serializer("pool")
    def _pool_as_written(self, pool: str | PoolByModel) -> str | dict[str, Any]:
        return pool if isinstance(pool, str) else pool.model_dump()

    @property
    def ending_words(self) -> str:
        """When its servers end by themselves, in one sentence; empty: never."""
        return ending_words(self.idle, self.lifetime)

    @property
    def pool_words(self) -> str:
        """Which pools the profile takes devices from, in words."""
        if isinstance(self.pool, PoolByModel):
            return f"a pool of {self.pool.model}"
        return "any pool" if self.pool == "any" else f"pool {self.pool}"

    def chosen_software(self, name: str) -> Software | None:
        """The software of a name; with no name the one that is proposed. None: there is none such."""
        if not name:
            return self.software[0] if self.software else None
        return next((one for one in self.software if one.name == name), None)

    def running(self, software: Software | None) -> Profile:
        """The same profile as a server runs it with this software: its image and variables."""
        if software is None:
            return self
        changes = {
            "image": software.image or self.image,
            "environment": {**self.environment, **software.environment},
        }
        return self.model_copy(update=changes)

    def visible_for(self, person: str, groups: tuple[str, ...]) -> bool:
        """Whether a person in these groups may see and launch the profile (the console aside)."""
        if self.visible_to is None:
            return True
        return person in self.visible_to.people or not set(groups).isdisjoint(
            self.visible_to.groups
        )
