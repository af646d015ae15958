"""Groups: people with a share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Mode(StrEnum):
    """How groups, pools and people go together, on the whole platform."""

    STRICT = "strict"
    """A group has one pool, and a person is in one group at a time."""
    FLEXIBLE = "flexible"
    """A group may have shares in several pools; a person may be in several groups and chooses which pays."""


class Origin(StrEnum):
    """Where a membership comes from. None is undone by another's."""

    CONSOLE = "console"
    SETTINGS = "settings"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class Share:
    """What a group has in a pool, in devices: a guarantee, a ceiling, a weight for spare capacity."""

    group: str
    pool: str
    guaranteed: int
    ceiling: int
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Membership:
    """A person in a group, by one origin, perhaps until a time (UTC)."""

    person: str
    group: str
    origin: Origin
    lead: bool = False
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A group as configured."""

    name: str
    title: str
    tags: dict[str, str] = field(default_factory=dict)
    revision: int = 1
    department: str | None = None


@dataclass(frozen=True, slots=True)
class Department:
    """A group of groups. ``ceilings``: by pool, the most devices that its groups may hold together."""

    name: str
    title: str
    ceilings: dict[str, int] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    revision: int = 1
