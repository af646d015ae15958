"""Low-priority servers that may be asked to give their devices back, kept ready for the choice among them.

Those of one node, group, count of servers and count of devices stand together, the youngest first:
within such a row only age tells them apart, so that the choice looks at rows, not at servers.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping

from allotment.model.profiles import Priority
from allotment.rules.queue_standing import HeldClaim

_LOW = Priority.LOW
Kind = tuple[int, int]
"""Servers that one claim stands for, and its devices."""
Entry = tuple[float, str]
"""Minus the POSIX seconds of its beginning, and its id."""
Rows = dict[Kind, list[Entry]]


class Borrowers:
    """Low-priority servers that were not told yet, by node and group."""

    def __init__(self, held: Iterable[HeldClaim]) -> None:
        self._nodes: dict[str, dict[str, Rows]] = {}
        self._devices: dict[str, int] = {}
        for claim in held:
            if may_be_asked(claim):
                self._row(claim).append(_entry(claim))
                self._devices[claim.node] = self._devices.get(claim.node, 0) + claim.devices
        for groups in self._nodes.values():
            for rows in groups.values():
                for row in rows.values():
                    row.sort()

    def on(self, node: str) -> Mapping[str, Rows]:
        """The servers of a node, by group."""
        return self._nodes.get(node, {})

    def devices_on(self, node: str) -> int:
        """Devices that all of them hold on a node: no more can come back."""
        return self._devices.get(node, 0)

    def add(self, claim: HeldClaim) -> None:
        """Count one more, where it may be asked at all."""
        if may_be_asked(claim):
            insort(self._row(claim), _entry(claim))
            self._devices[claim.node] = self._devices.get(claim.node, 0) + claim.devices

    def remove(self, claim: HeldClaim) -> None:
        """It has ended, or was told; one that is not here changes nothing."""
        if not may_be_asked(claim):
            return
        row, entry = self._row(claim), _entry(claim)
        place = bisect_left(row, entry)
        if place < len(row) and row[place] == entry:
            del row[place]
            self._devices[claim.node] -= claim.devices

    def _row(self, claim: HeldClaim) -> list[Entry]:
        rows = self._nodes.setdefault(claim.node, {}).setdefault(claim.group, {})
        return rows.setdefault((claim.server_count, claim.devices), [])


def may_be_asked(claim: HeldClaim) -> bool:
    """Whether a server may be told to give back, as far as it alone decides."""
    return claim.reclaim_at is None and claim.priority is _LOW


def first_past(row: list[Entry], moment: float) -> int:
    """The place of the youngest that began at a moment (POSIX seconds) or before."""
    return bisect_left(row, (-moment, ""))


def _entry(claim: HeldClaim) -> Entry:
    return -claim.since.timestamp(), claim.id
