"""Which slots of a node count as used by others, and which as unhealthy.

A cluster says how many of a node's devices can be given out and which pods use some, never which
device each has. So they are counted off: slots that nobody of ours holds first. Only where there are
more of them than free slots do they fall on a held one, and then the numbers do not add up in truth:
somebody was given what one of our servers holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slot:
    """One device of a node as the record has it. ``taken_by`` is who used it when it was looked at last."""

    id: str
    held: bool
    taken_by: str = ""
    ailing: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """What slots count as. ``taken``: who uses each, by id. ``ailing``: those that count as unhealthy.

    ``without`` are users, in devices, for whom there was no slot left.
    """

    taken: dict[str, str]
    ailing: frozenset[str]
    without: int = 0


def settle(slots: Sequence[Slot], ailing: int, users: Sequence[tuple[str, int]]) -> Settled:
    """Say of each slot of one node and resource what it counts as.

    Args:
        slots: all of them.
        ailing: how many the node does not give out though it has them.
        users: who else uses some, and how many.
    """
    kept = _kept(slots, dict(users))
    wanted = [
        who
        for who, number in users
        for _ in range(number - sum(one == who for one in kept.values()))
    ]
    unhealthy = _first(slots, ailing, kept)
    open_slots = [one for one in slots if one.id not in kept and one.id not in unhealthy]
    open_slots.sort(key=lambda one: (one.held, one.id))
    taken = kept | {one.id: who for one, who in zip(open_slots, wanted, strict=False)}
    return Settled(taken, unhealthy, max(0, len(wanted) - len(open_slots)))


def _kept(slots: Sequence[Slot], numbers: dict[str, int]) -> dict[str, str]:
    """Who used a slot that nobody holds goes on to be counted on the same."""
    left = dict(numbers)
    kept: dict[str, str] = {}
    for one in sorted(slots, key=lambda slot: slot.id):
        if not one.held and left.get(one.taken_by, 0) > 0:
            left[one.taken_by] -= 1
            kept[one.id] = one.taken_by
    return kept


def _first(slots: Sequence[Slot], number: int, kept: dict[str, str]) -> frozenset[str]:
    """Those that count as unhealthy: what nobody holds or uses, then what counted so before, then the last."""
    order = sorted(slots, key=lambda one: one.id, reverse=True)
    order.sort(key=lambda one: (one.held, one.id in kept, not one.ailing))
    return frozenset(one.id for one in order[: max(0, number)] if one.id not in kept)
