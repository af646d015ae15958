"""What tickets were told of when their turn comes: the first word and the latest, kept to be scored."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from allotment.record.columns import to_stored
from allotment.record.engine import Reading, Writing
from allotment.record.schema import estimates
from allotment.rules.eta import Estimate, Stretch


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of tickets whose turn came: how many were told a time, and for how many the first word held."""

    told: int
    half_held: int
    most_held: int


def keep(writing: Writing, said: Mapping[str, Estimate]) -> None:
    """Keep what tickets are told now: their first word stays, the latest is replaced."""
    if not said:
        return
    rows = [
        {"ticket": ticket, "position": one.position, "half": one.half, "most": one.most}
        for ticket, one in said.items()
    ]
    ids, other = list(said), estimates.alias()
    first = sa.select(sa.func.min(other.c.at)).where(other.c.ticket == estimates.c.ticket)
    for start in range(0, len(ids), _AT_ONCE):
        some = estimates.c.ticket.in_(ids[start : start + _AT_ONCE])
        later = estimates.c.at > first.scalar_subquery()
        writing.run(estimates.delete().where(some, later))
    writing.run(estimates.insert(), [row | {"at": writing.now} for row in rows])


_AT_ONCE = 500


def latest(reading: Reading, tickets: Collection[str]) -> dict[str, Estimate]:
    """What these tickets were told last."""
    found: dict[str, Estimate] = {}
    ids = list(tickets)
    for start in range(0, len(ids), _AT_ONCE):
        some = estimates.c.ticket.in_(ids[start : start + _AT_ONCE])
        for row in reading.all(sa.select(estimates).where(some).order_by(estimates.c.at)):
            found[row.ticket] = Estimate(row.position, row.half, row.most)
    return found


_SCORED = """
SELECT t.offered_at, e.half, e.most FROM tickets t JOIN estimates e ON e.ticket = t.id
WHERE t.offered_at IS NOT NULL AND t.since >= :since AND e.most IS NOT NULL
AND e."at" = (SELECT MIN(o."at") FROM estimates o WHERE o.ticket = t.id) ORDER BY t.offered_at, t.id
"""


def _scored(reading: Reading, since: datetime) -> list[tuple[bool, bool]]:
    """For each ticket whose turn came, in that order: whether its two times held."""
    rows = reading.driver(_SCORED, {"since": to_stored(since)})
    return [
        (row.half is not None and row.offered_at <= row.half, row.offered_at <= row.most)
        for row in rows
    ]


def calibration(reading: Reading, since: datetime) -> Calibration:
    """How well the first words held of tickets that came since then."""
    scored = _scored(reading, since)
    return Calibration(
        len(scored), sum(half for half, _ in scored), sum(most for _, most in scored)
    )


def stretch(reading: Reading, since: datetime) -> Stretch:
    """By how much waits are stretched, learnt from tickets that came since then."""
    learnt = Stretch()
    for half, most in _scored(reading, since):
        learnt = learnt.learn(half_held=half, most_held=most)
    return learnt
