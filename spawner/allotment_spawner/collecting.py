"""Python's search for garbage, kept from stopping a hub that has much in memory.

The search in all that lives stops every thread: with two thousand people and a thousand servers for
0.4 seconds, several times in a minute of many launches. What such a search has left over is in use, and
most of it for as long as the hub runs, so it is not searched again. What of it becomes garbage after
all, in circles, is found by a search in everything, once a day.
"""

from __future__ import annotations

import gc
from time import monotonic

ALL = 2
"""The oldest generation: its search is one in everything that is not set aside."""
_OFTEN = 2
"""After how many searches of the middle generation a full one follows: it is short now, and shorter if it is frequent."""
EVERYTHING_EVERY = 24 * 3600.0


def set_survivors_aside() -> None:
    """From now on set aside what a full search leaves over. Calling it again changes nothing."""
    if not any(isinstance(one, _SettingAside) for one in gc.callbacks):
        gc.callbacks.append(_SettingAside())
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, _OFTEN)


class _SettingAside:
    """What the interpreter calls before and after each search."""

    def __init__(self) -> None:
        self._since = monotonic()

    def __call__(self, phase: str, facts: dict[str, int]) -> None:
        if facts["generation"] != ALL:
            return
        if phase == "stop":
            gc.freeze()
        elif monotonic() - self._since > EVERYTHING_EVERY:
            self._since = monotonic()
            gc.unfreeze()
