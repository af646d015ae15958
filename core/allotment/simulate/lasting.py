"""What the rules may know of how long a launch will last: what earlier ones lasted."""

from __future__ import annotations

from bisect import insort
from collections import defaultdict

EXPECTED_QUANTILE = 0.9
FIRST_GUESS = 3600.0
"""Seconds that the first launch of all is expected to last."""


class Lasting:
    """What sessions lasted so far, by group and size."""

    def __init__(self) -> None:
        self._past: dict[tuple[str, int], list[float]] = defaultdict(list)
        self._of_all: dict[int, list[float]] = defaultdict(list)

    def learn(self, group: str, devices: int, seconds: float) -> None:
        """Remember one that has ended."""
        insort(self._past[group, devices], seconds)
        self._of_all[devices].append(seconds)

    def expected(self, group: str, devices: int) -> float:
        """Seconds that nine of ten such sessions lasted at most; of all groups, where it had none yet."""
        past = self._past.get((group, devices)) or sorted(self._of_all.get(devices, ()))
        if not past:
            return FIRST_GUESS
        return past[min(len(past) - 1, int(len(past) * EXPECTED_QUANTILE))]

    def by_kind(self) -> dict[str, list[float]]:
        """All of it, by the kind that waiting claims carry."""
        return {f"{group}/{devices}": past for (group, devices), past in self._past.items()}
