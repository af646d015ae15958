"""Devices of each node that could still be given out, sorted, so that the tightest node is found at once."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping


class Nodes:
    """Devices of each node that could still be given out."""

    def __init__(self, free: Mapping[str, int]) -> None:
        self._free = dict(free)
        self._by_free = sorted((free, name) for name, free in self._free.items())
        self.total = sum(self._free.values())

    @property
    def names(self) -> Iterable[str]:
        """All nodes."""
        return self._free

    def free(self, node: str) -> int:
        """Devices of one node that could still be given out."""
        return self._free.get(node, 0)

    @property
    def most(self) -> int:
        """The most devices that one node could still give."""
        return self._by_free[-1][0] if self._by_free else 0

    def fitting(self, devices: int) -> Iterable[str]:
        """Nodes with room, the tightest first: large gaps are left for large claims."""
        place = bisect_left(self._by_free, (devices, ""))
        return (name for _, name in self._by_free[place:])

    def tightest(self, devices: int) -> str | None:
        """The node with the least room that suffices; of several the last by name."""
        place = bisect_left(self._by_free, (devices, ""))
        if place == len(self._by_free):
            return None
        return self._by_free[bisect_left(self._by_free, (self._by_free[place][0] + 1, "")) - 1][1]

    def change(self, node: str, by: int) -> None:
        """Give devices back to a node, or take them (below zero)."""
        before = self._free.get(node)
        if before is not None:
            del self._by_free[bisect_left(self._by_free, (before, node))]
        self._free[node] = after = (before or 0) + by
        insort(self._by_free, (after, node))
        self.total += by
