"""What groups and departments hold of a pool while decisions are made, and what they still have room for."""

from __future__ import annotations

from enum import IntEnum

from allotment.rules.queue_standing import Department, GroupInPool


class Room(IntEnum):
    """Whether a share has room for a claim, or what it would pass."""

    ENTITLED = 1
    """Within the group's guarantee."""
    BORROWS = 2
    OVER_GUARANTEE = 3
    OVER_CEILING = 4
    OVER_DEPARTMENT = 5


# Decisions compare them tens of thousands of times; a look-up in the enumeration takes ten times as long.
ENTITLED, BORROWS, OVER_GUARANTEE, OVER_CEILING, OVER_DEPARTMENT = Room


class GroupState:
    """A group's share, and what it holds while decisions are made. Fields as in GroupInPool."""

    __slots__ = (
        "ceiling",
        "changes",
        "dedicated",
        "department",
        "guaranteed",
        "held",
        "name",
        "recent_use",
        "told",
        "weight",
    )

    def __init__(self, group: GroupInPool) -> None:
        self.name = group.name
        self.guaranteed, self.ceiling = group.guaranteed, group.ceiling
        self.weight, self.recent_use = group.weight, group.recent_use
        self.held, self.dedicated = group.held, group.held_dedicated
        self.department = group.department
        self.told = 0
        """Devices of its servers that were told to end."""
        self.changes = 0
        """How often what decides about its room has changed: its own count, or its department's."""

    @property
    def fair(self) -> float:
        """What the group has and had lately for its weight; who has least comes first."""
        return (self.held + self.recent_use) / self.weight

    @property
    def lent_to(self) -> int:
        """Devices beyond its guarantee that it was not yet told to give back."""
        return max(0, self.held - self.told - self.guaranteed)

    def room(self, devices: int, *, low: bool, sharing: bool) -> Room:
        """Whether the share has room. Only low priority borrows, and only where the pool shares."""
        if low or not sharing:
            if self.held + devices <= self.guaranteed:
                return ENTITLED
            if not (low and sharing):
                return OVER_GUARANTEE
            return BORROWS if self.held + devices <= self.ceiling else OVER_CEILING
        if self.dedicated + devices > self.guaranteed:
            return OVER_GUARANTEE
        return ENTITLED if self.held + devices <= self.ceiling else OVER_CEILING


class DepartmentState:
    """What a department's groups hold together."""

    __slots__ = ("ceiling", "held", "name")

    def __init__(self, name: str, ceiling: int | None, held: int) -> None:
        self.name, self.ceiling, self.held = name, ceiling, held

    def over(self, devices: int) -> bool:
        """Whether so many more would pass its ceiling."""
        return self.ceiling is not None and self.held + devices > self.ceiling


def working_copy(department: Department) -> DepartmentState:
    """A department as decisions change it."""
    return DepartmentState(department.name, department.ceiling, department.held)
