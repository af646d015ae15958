"""How often somebody may try a name's password."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

FREE = 5
"""Attempts in a row that cost nothing but the attempt."""
LONGEST_WAIT = 300.0
FORGOTTEN_AFTER = 900.0
MOST_NAMES = 10_000


@dataclass
class _Failures:
    number: int
    last: float

    @property
    def wait(self) -> float:
        """Seconds that must pass after the last attempt before the next one."""
        return 0.0 if self.number < FREE else min(LONGEST_WAIT, 2.0 ** (self.number - FREE + 1))


class Attempts:
    """Counts attempts per name, whether the name exists or not, and says how long to wait.

    An attempt counts from its beginning, so that many at once are as slow as many in a row. Times
    are seconds of a clock that never goes back; they come in as arguments.
    """

    def __init__(self) -> None:
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def begin(self, name: str, now: float) -> float:
        """Count an attempt. Returns 0, or how many seconds are left until one is allowed: then it was none."""
        known = self._failures.get(name)
        if known is None or now - known.last > FORGOTTEN_AFTER:
            known = _Failures(0, now)
        left = known.last + known.wait - now
        if left > 0:
            return left
        self._failures[name] = _Failures(known.number + 1, now)
        self._failures.move_to_end(name)
        while len(self._failures) > MOST_NAMES:
            self._failures.popitem(last=False)
        return 0.0

    def succeeded(self, name: str) -> None:
        """Forget the failures of a name whose password was right."""
        self._failures.pop(name, None)
