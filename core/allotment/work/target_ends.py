"""How long what servers are lent of targets lasts: as their forms say, or as their stores can."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Lock

from allotment.data.door import Door
from allotment.data.kinds.lasting import UNTRIED, chosen, lasting
from allotment.data.opening import known_kind
from allotment.data.versions.target import OpenedTarget
from allotment.work.proving import AGAIN_AFTER, DAILY


class TargetEnds:
    """Finds out which stores of targets end what they lend, and remembers it for a day."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: dict[tuple[str, int], tuple[datetime, int | None]] = {}

    def lasting(self, opened: OpenedTarget, door: Door, now: datetime) -> timedelta:
        """How long a credential for versions in a target lasts. Its store may be asked for that."""
        fields = opened.target.contents
        if chosen(fields) >= UNTRIED:
            return chosen(fields)
        key = (opened.name, opened.target.revision)
        with self._lock:
            known = self._found.get(key)
        if known is None or now - known[0] >= (AGAIN_AFTER if known[1] is None else DAILY):
            proof = known_kind(opened.source_kind).prove(opened.contents_source(), door, now)
            known = (now, proof.ends_within)
            with self._lock:
                self._found[key] = known
        return lasting(fields, known[1])
