"""The rules about what is out of use: which times can be, what a device says, when its server stops. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from allotment.model.cordons import Cordon
from allotment.model.reasons import Reason, Rule


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a device is."""

    device: str
    node: str
    pool: str


def check_times(wanted: Cordon, now: datetime) -> Reason | None:
    """Refuse a cordon whose end has passed, or that stops what runs before it begins or after it ends."""
    ends = wanted.ends_at
    if ends is not None and (ends <= now or ends <= wanted.begins_at):
        message = f"A cordon that ends at {ends:%Y-%m-%d %H:%M} UTC keeps nobody away."
        return Reason(
            Rule.REQUEST, message, remedy="It ends after it begins, and at a time to come."
        )
    if wanted.drain_at is None:
        return None
    if wanted.drain_at < wanted.begins_at or (ends is not None and wanted.drain_at >= ends):
        message = "Servers would be stopped at a time when the cordon is not in force."
        remedy = "Stop them when it begins or later, and before it ends."
        return Reason(Rule.REQUEST, message, remedy=remedy)
    return None


def words(cordons: Iterable[Cordon], spot: Spot, now: datetime) -> str:
    """Why a device is out of use now; empty where it is not."""
    of_it = [one for one in cordons if one.in_force(now) and one.covers(*_where(spot))]
    return "; ".join(one.reason for one in sorted(of_it, key=lambda one: (one.begins_at, one.id)))


def stops(cordons: Iterable[Cordon], spots: Iterable[Spot]) -> Cordon | None:
    """The cordon for which a server on these devices is stopped first; None: it may go on."""
    known = list(spots)
    of_them = [
        one
        for one in cordons
        if one.drain_at is not None and any(one.covers(*_where(spot)) for spot in known)
    ]
    return min(of_them, key=lambda one: (one.drain_at, one.id), default=None)


def message(cordon: Cordon) -> str:
    """What the user of a server reads that is stopped for it, before and after."""
    back = "" if cordon.ends_at is None else f" It is back at {cordon.ends_at:%Y-%m-%d %H:%M} UTC."
    reason = cordon.reason.rstrip(".")
    return f"Its devices are taken out of use ({cordon.subject}): {reason}.{back} Save your work."


def _where(spot: Spot) -> tuple[str, str, str]:
    return spot.device, spot.node, spot.pool
