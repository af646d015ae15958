"""The hot path: a claim is decided and written, an allotment steps on, devices are released.

Each function here opens a transaction of its own. Statements are merged and go past SQLAlchemy's
compiler: at some hundred launches a second they, after the disk, are what a decision costs.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Any

from allotment.model.allotments import Allotment, ServerPlace, State
from allotment.model.claims import Claim, Granted, Outcome, Queued, Refused, Waits
from allotment.model.endings import Cause
from allotment.model.reasons import WAITING_RULES, Reason, Rule
from allotment.model.refusals import AllotmentError, Refusal
from allotment.record import (
    allotments,
    budgets,
    claim_facts,
    claim_statements,
    data_terms,
    ids,
    tickets,
    usage,
)
from allotment.record.claim_facts import Facts
from allotment.record.engine import Reading, Record, Writing
from allotment.record.turns import Placed, place
from allotment.record.undone import again_where_undone
from allotment.rules import admission
from allotment.rules.admission import Admitted, paying_group
from allotment.rules.sharing import serving_pools

new_id = ids.new_id


def hash_token(token: str) -> str:
    """The SHA-256 of an API token in hexadecimal: how the record knows a server."""
    return hashlib.sha256(token.encode()).hexdigest()


@again_where_undone
def admit(record: Record, claim: Claim, now: datetime) -> Outcome:
    """Decide a claim and, where it is granted, hold its devices: one transaction.

    Raises:
        RecordUnavailable: the record did not answer in time; nothing was decided.
    """
    with record.writing(claim.person, now, configuration=False) as writing:
        claim_statements.lock(writing, claim)
        facts = claim_facts.read(writing, claim, now)
        decision = place(writing, facts, now)
        if isinstance(decision, Placed):
            return Granted(allot(writing, facts, decision, State.STARTING))
        outcome = _with_holders(writing, facts, decision)
        if claim.wait and isinstance(outcome, Waits):
            return _queue(writing, facts, outcome.reasons)
        _note_refusal(writing, facts, outcome)
        return outcome


def foresee(reading: Reading, claim: Claim, now: datetime) -> Outcome | Admitted:
    """Ask the same rules without writing: for pages, and for explaining.

    A claim that would be granted is answered by the rules' own :class:`Admitted`.
    """
    facts = claim_facts.read(reading, claim, now)
    decision = place(reading, facts, now)
    if isinstance(decision, Placed):
        return decision.admitted
    return _with_holders(reading, facts, decision)


@again_where_undone
def queue(record: Record, claim: Claim, now: datetime) -> Queued | Refused:
    """Let a claim wait, though it might start at once: the queue then starts it when its turn comes."""
    with record.writing(claim.person, now, configuration=False) as writing:
        claim_statements.lock(writing, claim)
        facts = claim_facts.read(writing, claim, now)
        # Whether it would be its turn is not asked: the queue says so in a moment.
        decision = admission.admit(facts.standing)
        if isinstance(decision, Refused):
            _note_refusal(writing, facts, decision)
            return decision
        if isinstance(decision, Admitted) and decision.pool is None:
            return Refused((_NOTHING_TO_WAIT_FOR,))
        return _queue(writing, facts, decision.reasons if isinstance(decision, Waits) else ())


_NOTHING_TO_WAIT_FOR = Reason(
    Rule.QUEUE_TICKET,
    "This profile takes no device, so there is nothing to wait for.",
    remedy="Launch it.",
)


def _queue(writing: Writing, facts: Facts, reasons: tuple[Reason, ...]) -> Queued | Refused:
    standing, profile = facts.standing, facts.standing.profile
    assert profile is not None  # noqa: S101 - the rules know it, or they had refused
    group = paying_group(standing)
    pools = [(pool.pool, pool.model) for pool in serving_pools(standing, group)]
    try:
        ticket = tickets.make(
            writing, standing.claim, profile, group, pools, reasons, beside=facts.tickets
        )
    except Refusal as refusal:
        return Refused(refusal.reasons)
    return Queued(ticket, reasons)


def allot(writing: Writing, facts: Facts, placed: Placed, state: State) -> Allotment:
    """Write a granted claim: its allotment holds the devices from now on."""
    profile, claim = facts.standing.profile, facts.standing.claim
    assert profile is not None  # noqa: S101 - the rules have admitted it
    decision = placed.admitted
    allotment = Allotment(
        id=new_id(writing.now),
        hub=claim.hub,
        person=claim.person,
        server=claim.server,
        group=decision.group,
        pool=decision.pool,
        profile=profile.name,
        state=state,
        terms=_terms(writing, facts),
        devices=placed.devices,
        admitted_at=writing.now,
    )
    claim_statements.insert(writing, allotment, claim)
    return allotment


def _terms(writing: Writing, facts: Facts) -> dict[str, Any]:
    """What the server is promised, whatever becomes of its profile."""
    profile, claim = facts.standing.profile, facts.standing.claim
    software = profile.chosen_software(claim.software) if profile else None
    promised = {key: said for key, said in facts.profile_document.items() if key != "software"}
    chosen = {} if software is None else {"software": software.model_dump(mode="json")}
    data = data_terms.promised(writing, claim.person) if facts.data else {}
    return {"profile": promised, **chosen, **data}


def _note_refusal(writing: Writing, facts: Facts, outcome: Waits | Refused) -> None:
    claim = facts.standing.claim
    writing.event(
        "claim.refused",
        f"{claim.person}/{claim.server}",
        person=claim.person,
        group=claim.group if claim.group in facts.standing.groups else None,
        after={
            "profile": claim.profile[:128],
            "server": claim.server[:128],
            "would_wait": isinstance(outcome, Waits),
            "reasons": [reason.document() for reason in outcome.reasons],
        },
    )


def _with_holders(reading: Reading, facts: Facts, outcome: Waits | Refused) -> Waits | Refused:
    """Add who holds the devices, and since when, to the reasons that waiting would mend."""
    reasons = tuple(
        _held_by(reading, facts, reason) if reason.rule in WAITING_RULES else reason
        for reason in outcome.reasons
    )
    return replace(outcome, reasons=reasons)


def _held_by(reading: Reading, facts: Facts, reason: Reason) -> Reason:
    pools = {pool.pool for pool in facts.standing.pools}
    holders = allotments.holders(reading, pools, facts.standing.groups, facts.standing.claim.person)
    if not holders:
        return reason
    return replace(
        reason, message=f"{reason.message} {holders[0]}", details=reason.details + holders
    )


_PLACED = """
UPDATE allotments SET process_id = :process_id, process_started = :process_started,
pod_namespace = :pod_namespace, pod_name = :pod_name, pod_uid = :pod_uid,
pod_cluster = :pod_cluster WHERE id = :id
"""


@again_where_undone
def placed(record: Record, allotment_id: str, place: ServerPlace, now: datetime) -> None:
    """Remember a server's process from the moment of its fork, or its pod from before it is made."""
    with record.writing("hub", now, configuration=False) as writing:
        writing.driver(_PLACED, {**allotments.place_columns(place), "id": allotment_id})


@again_where_undone
def mark_running(record: Record, allotment_id: str, now: datetime) -> bool:
    """Step from *starting* to *running*. Returns False where it no longer was starting."""
    with record.writing("hub", now, configuration=False) as writing:
        return claim_statements.step(writing, allotment_id, State.RUNNING, "")


@again_where_undone
def mark_stopping(
    record: Record,
    allotment_id: str,
    reason: str,
    by: str,
    now: datetime,
    *,
    cause: Cause | None = None,
) -> bool:
    """Step to *stopping*, with the reason that its user reads. Returns False where it had ended already.

    ``cause`` is kept as data; None: it ended by itself, or nobody knows why.
    """
    with record.writing(by, now, configuration=False) as writing:
        return claim_statements.step(writing, allotment_id, State.STOPPING, reason, cause or "")


_LIVE = """
SELECT person, group_name FROM allotments WHERE id = :id AND state IN ('starting', 'running')
"""


@again_where_undone
def mark_gone(record: Record, allotment_id: str, reason: str, by: str, now: datetime) -> bool:
    """Step to *stopping* a server that was found gone: it is charged until its last sign of life.

    One transaction: whoever ends in the middle of it leaves nobody to pay for the time after that.
    Returns False where it had ended already.
    """
    with record.writing(by, now, configuration=False) as writing:
        whose = writing.driver(_LIVE, {"id": allotment_id}).first()
        if whose is None:
            return False
        # First, as everywhere: whoever holds the counter of events waits for no budget.
        budgets.unsettle(writing, whose.person, whose.group_name)
        if not claim_statements.step(writing, allotment_id, State.STOPPING, reason):
            return False
        usage.charge_until_last_seen(writing, allotment_id)
        return True


@again_where_undone
def release(record: Record, allotment_id: str, proof: str, now: datetime) -> bool:
    """Give the devices back. ``proof`` says how it is known that the server is gone.

    Idempotent: returns False where it was released already, or was never there.

    Raises:
        AllotmentError: the allotment is not *stopping* or *offered*: only those may be released.
    """
    with record.writing("hub", now, configuration=False) as writing:
        state = claim_statements.release(writing, allotment_id, proof)
        if state is None:
            return True
        if state in {State.STARTING, State.RUNNING}:
            message = f"Allotment {allotment_id} is {state}; it is released only after it has been marked as stopping."
            raise AllotmentError(message)
        return False
