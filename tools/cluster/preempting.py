"""Which pods are ended for one of a higher priority (the scheduler's default preemption)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .fitting import Misfit, Room, misfits
from .statuses import Document

NO_VICTIMS_YET = "preemption: not eligible due to a terminating pod on the nominated node."


@dataclass(frozen=True)
class Choice:
    """A node, and the pods that have to end there."""

    room: Room
    victims: tuple[Document, ...]


def priority(pod: Document) -> int:
    """A pod's priority."""
    return int(pod["spec"].get("priority", 0))


def terminating_for(pod: Document, nominated: str | None, rooms: Sequence[Room]) -> bool:
    """Whether pods of less priority are already ending on the node that was chosen for a pod."""
    for room in rooms:
        if room.name == nominated:
            return any(
                "deletionTimestamp" in other["metadata"] and priority(other) < priority(pod)
                for other in room.pods
            )
    return False


def choose_victims(
    pod: Document, rooms: Sequence[Room], found: Mapping[str, list[Misfit]]
) -> Choice | None:
    """The node where the least important and fewest pods must end; none if that helps nowhere."""
    choices = [
        Choice(room, victims)
        for room in rooms
        if not any(one.helpless for one in found[room.name])
        if (victims := fewest(pod, room)) is not None
    ]
    return min(choices, key=cost, default=None)


def cost(choice: Choice) -> tuple[int, int, int, str]:
    """What is weighed: the highest priority that ends, their sum, their number."""
    given = [priority(victim) for victim in choice.victims]
    return max(given), sum(given), len(given), choice.room.name


def fewest(pod: Document, room: Room) -> tuple[Document, ...] | None:
    """The pods that must end on a node: all of less priority, less those that can stay after all."""
    lower = [
        other
        for other in room.pods
        if priority(other) < priority(pod) and other["spec"].get("nodeName") == room.name
    ]
    if not lower or misfits(pod, room.without(lower)):
        return None
    victims = list(lower)
    for other in sorted(lower, key=priority, reverse=True):
        fewer = [one for one in victims if one is not other]
        if not misfits(pod, room.without(fewer)):
            victims = fewer
    return tuple(victims) or None
