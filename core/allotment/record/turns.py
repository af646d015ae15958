"""Whether it is a claim's turn: where others wait, the queue decides who comes first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from allotment.model.allotments import HeldDevice
from allotment.model.claims import Claim, Refused, Waits
from allotment.model.reasons import Reason, Rule
from allotment.model.tickets import Ticket
from allotment.record import queue_facts
from allotment.record.claim_facts import Facts
from allotment.record.engine import Reading
from allotment.record.queue_facts import PoolModel, Queue
from allotment.rules.admission import Admitted, admit
from allotment.rules.queue_standing import NO_GROUP, Start, Wait, WaitingClaim
from allotment.rules.queueing import decide

ASKER = "~"
"""The id of a claim that is asked: behind everybody who came in the same moment."""


def claim_of(ticket: Ticket) -> Claim:
    """The claim that waits."""
    return Claim(
        hub=ticket.hub,
        person=ticket.person,
        server=ticket.server,
        profile=ticket.profile,
        group=ticket.group,
        display_name=ticket.display_name,
        note=ticket.note,
        software=ticket.software,
    )


@dataclass(frozen=True, slots=True)
class Placed:
    """The claim is granted, with these devices."""

    admitted: Admitted
    devices: tuple[HeldDevice, ...]


def place(reading: Reading, facts: Facts, now: datetime) -> Placed | Waits | Refused:
    """Ask the rules and, where somebody waits or devices are kept for somebody, the queue as well."""
    decision = admit(facts.standing)
    passed: list[Reason] = []
    while facts.contested and isinstance(decision, Admitted) and decision.pool:
        turn = _turn(reading, facts, decision, now)
        if isinstance(turn, Start):
            return Placed(decision, devices_on(reading, facts, decision, turn.node))
        passed.append(turn)
        pools = facts.standing.pools
        others = tuple(p for p in pools if (p.pool, p.model) != (decision.pool, decision.model))
        facts = replace(facts, standing=replace(facts.standing, pools=others))
        decision = admit(facts.standing)
    if isinstance(decision, Admitted):
        return Placed(
            decision, facts.candidates.get((decision.pool or "", decision.model or ""), ())
        )
    return Waits(tuple(passed)) if passed else decision


def _turn(reading: Reading, facts: Facts, decision: Admitted, now: datetime) -> Start | Reason:
    """Ask the queue of the pool with the claim as one more; it starts, or here is why it waits."""
    pool, model = decision.pool or "", decision.model or ""
    queue = queue_facts.read(reading, now, pools=[pool])
    if not queue.waiting.get((pool, model)) and not queue.standings[pool, model].reservations:
        devices = facts.candidates[pool, model]
        return Start(ASKER, devices[0].node, len(devices), 0)
    return ask(queue, (pool, model), asking(facts, decision.group, now), now)


def ask(queue: Queue, key: PoolModel, claim: WaitingClaim, now: datetime) -> Start | Reason:
    """Ask the queue of a pool with one claim more, whose id is :data:`ASKER`."""
    waiting = queue_facts.with_claim(queue, key, claim)
    decisions = decide(queue.standings[key], waiting, now, reasons=True)
    start = next((one for one in decisions.starts if one.ticket == ASKER), None)
    if start is not None:
        return start
    wait = next((one for one in decisions.waits if one.ticket == ASKER), None)
    before = len(decisions.starts) + (0 if wait is None else wait.position - 1)
    return turn_reason(key[0], wait, before)


def asking(facts: Facts, group: str | None, now: datetime) -> WaitingClaim:
    """The claim that is asked, as the queue sees it."""
    profile, claim = facts.standing.profile, facts.standing.claim
    assert profile is not None  # noqa: S101 - the rules have admitted it
    return WaitingClaim(
        ASKER, group or NO_GROUP, claim.person, profile.devices, profile.priority, now
    )


def turn_reason(pool: str, wait: Wait | None, before: int) -> Reason:
    """Why it is not a claim's turn, though there would be room for it: ``before`` others come first."""
    who = "One other waits" if before == 1 else f"{before} others wait"
    message = f"{who} for {pool} and come first." if before else f"It is not its turn in {pool}."
    if wait is not None and wait.message:
        message = f"{message} {wait.message}"
    return Reason(
        Rule.QUEUE_TURN,
        message,
        used=before,
        remedy="Wait in the queue, or choose another size or pool.",
    )


_ON_NODE = """
SELECT id, uuid, node, model, memory, isolation, resource FROM devices
WHERE pool = :pool AND model = :model AND node = :node AND free AND healthy AND present AND usable ORDER BY id LIMIT :number
"""


def devices_on(
    reading: Reading, facts: Facts, decision: Admitted, node: str
) -> tuple[HeldDevice, ...]:
    """The devices that a claim is given on a node; too few where others were faster."""
    chosen = facts.candidates.get((decision.pool or "", decision.model or ""), ())
    if chosen and chosen[0].node == node:
        return chosen
    profile = facts.standing.profile
    asked: dict[str, Any] = {
        "pool": decision.pool,
        "model": decision.model,
        "node": node,
        "number": profile.devices if profile else 0,
    }
    rows = reading.driver(_ON_NODE, asked)
    return tuple(
        HeldDevice(row.id, row.uuid, row.node, row.model, row.memory, row.isolation, row.resource)
        for row in rows
    )
