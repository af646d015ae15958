"""The hot path: a claim is decided and written, an allotment steps on, devices are released.

Each function here opens a transaction of its own. Statements are merged and go past SQLAlchemy's
compiler: at some hundred launches a second they, after the disk, are what a decision costs.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from datetime import datetime

from allotment.model.allotments import Allotment, ServerProcess, State
from allotment.model.claims import Claim, Granted, Outcome, Refused, Waits
from allotment.model.endings import Cause
from allotment.model.reasons import WAITING_RULES, Reason
from allotment.model.refusals import AllotmentError
from allotment.record import allotments, claim_facts, claim_statements
from allotment.record.claim_facts import Facts
from allotment.record.columns import to_stored
from allotment.record.engine import Reading, Record, Writing
from allotment.rules.admission import Admitted
from allotment.rules.admission import admit as decide


def hash_token(token: str) -> str:
    """The SHA-256 of an API token in hexadecimal: how the record knows a server."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_id(now: datetime) -> str:
    """A new id that sorts by time: milliseconds since the epoch and 80 random bits, in hexadecimal."""
    return f"{to_stored(now) // 1000:012x}{secrets.token_hex(10)}"


def admit(record: Record, claim: Claim, now: datetime) -> Outcome:
    """Decide a claim and, where it is granted, hold its devices: one transaction.

    Raises:
        RecordUnavailable: the record did not answer in time; nothing was decided.
    """
    with record.writing(claim.person, now, configuration=False) as writing:
        claim_statements.lock(writing, claim)
        facts = claim_facts.read(writing, claim, now)
        decision = decide(facts.standing)
        if isinstance(decision, Admitted):
            return Granted(_allot(writing, claim, facts, decision))
        outcome = _with_holders(writing, facts, decision)
        _note_refusal(writing, facts, outcome)
        return outcome


def foresee(reading: Reading, claim: Claim, now: datetime) -> Outcome | Admitted:
    """Ask the same rules without writing: for pages, and for explaining.

    A claim that would be granted is answered by the rules' own :class:`Admitted`.
    """
    facts = claim_facts.read(reading, claim, now)
    decision = decide(facts.standing)
    return decision if isinstance(decision, Admitted) else _with_holders(reading, facts, decision)


def _allot(writing: Writing, claim: Claim, facts: Facts, decision: Admitted) -> Allotment:
    profile = facts.standing.profile
    assert profile is not None  # noqa: S101 - the rules have admitted it
    devices = (
        facts.candidates[decision.pool, decision.model] if decision.pool and decision.model else ()
    )
    allotment = Allotment(
        id=new_id(writing.now),
        hub=claim.hub,
        person=claim.person,
        server=claim.server,
        group=decision.group,
        pool=decision.pool,
        profile=profile.name,
        state=State.STARTING,
        terms={"profile": facts.profile_document},
        devices=devices,
        admitted_at=writing.now,
    )
    claim_statements.insert(writing, allotment, claim)
    return allotment


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


def placed(record: Record, allotment_id: str, process: ServerProcess, now: datetime) -> None:
    """Remember a local server's process from the moment of its fork."""
    with record.writing("hub", now, configuration=False) as writing:
        writing.driver(
            "UPDATE allotments SET process_id = :pid, process_started = :started WHERE id = :id",
            {"pid": process.pid, "started": process.started, "id": allotment_id},
        )


def mark_running(record: Record, allotment_id: str, now: datetime) -> bool:
    """Step from *starting* to *running*. Returns False where it no longer was starting."""
    with record.writing("hub", now, configuration=False) as writing:
        return claim_statements.step(writing, allotment_id, State.RUNNING, "")


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
