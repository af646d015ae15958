"""How much of a store is looked at for one dataset: so many names, and for so long."""

from __future__ import annotations

import time
from collections.abc import Callable

from allotment.data.problems import SourceProblem

MOST_NAMES = 1_000_000
"""Names that are walked past, whether they are meant or not."""
SECONDS = 120.0
"""For listing and reading together; requests that are under way then are still waited for."""


class Patience:
    """What one reading of a dataset may take. For one reading, whose threads may share it."""

    def __init__(
        self,
        seconds: float | None = SECONDS,
        names: int = MOST_NAMES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin now; without ``seconds`` it may take as long as it takes."""
        self._clock, self.seconds = clock, seconds
        self._end = None if seconds is None else clock() + seconds
        self._most, self._names = names, 0

    @property
    def is_over(self) -> bool:
        """Whether the time is."""
        return self._end is not None and self._clock() >= self._end

    def seen(self, names: int) -> None:
        """Count names that a store has answered.

        Raises:
            SourceProblem: they are too many, or it takes too long.
        """
        self._names += names
        if self._names > self._most:
            raise SourceProblem(
                f"There are more than {self._most:,} names where the URIs look for files.",
                remedy="Name a folder that holds little else.",
            )
        if self.is_over:
            raise SourceProblem(
                f"The files could not be listed within {self.seconds:,.0f} s: "
                f"{self._names:,} names were told until then.",
                remedy="Name a narrower folder, or several; where there are few, test the source.",
            )
