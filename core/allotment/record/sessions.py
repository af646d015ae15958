"""How long sessions lasted: what the queue expects of those that run and wait."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from allotment.record.columns import to_stored
from allotment.record.engine import Reading
from allotment.rules import eta

LOOK_BACK = timedelta(days=60)
MOST = 20_000
"""Sessions that are looked at, the newest first."""
FEWEST = 10
"""Sessions of a kind without which nothing is expected of the next."""
SURE = 0.9
"""The part of past sessions that ended by the time that is expected."""

Kind = tuple[str, int]
"""Group and devices."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """Past sessions by group and devices: how long each lasted in seconds, the shortest first."""

    lasted: Mapping[Kind, Sequence[float]] = field(default_factory=dict)
    by_profile: eta.Sessions = field(default_factory=lambda: eta.Sessions({}))
    """The same by profile, for estimates of when a turn comes."""

    def expected(self, _profile: str, group: str, devices: int) -> float | None:
        """By when such a session has ended with 90 %, in seconds from its begin; None: too few are known."""
        known = self.lasted.get((group, devices), ())
        if len(known) < FEWEST:
            return None
        return known[min(len(known) - 1, int(SURE * len(known)))]


_LASTED = """
SELECT profile, COALESCE(group_name, '') AS group_name, device_count, released_at - admitted_at AS lasted FROM allotments
WHERE state = 'released' AND device_count > 0 AND admitted_at > :since ORDER BY id DESC LIMIT :most
"""


def past(reading: Reading, now: datetime) -> Sessions:
    """Read the sessions of the last two months."""
    lasted: dict[Kind, list[float]] = defaultdict(list)
    by_profile: dict[str, list[float]] = defaultdict(list)
    asked = {"since": to_stored(now - LOOK_BACK), "most": MOST}
    for row in reading.driver(_LASTED, asked):
        lasted[row.group_name, row.device_count].append(row.lasted / 1_000_000)
        by_profile[row.profile].append(row.lasted / 1_000_000)
    return Sessions({kind: sorted(some) for kind, some in lasted.items()}, eta.Sessions(by_profile))
