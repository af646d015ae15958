"""What pages say of waiting: places in the queue, why, and what to expect of a wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from allotment.model.amounts import counted
from allotment.model.claims import Claim
from allotment.model.profiles import Profile
from allotment.model.reasons import Reason
from allotment.model.tickets import Ticket, TicketState
from allotment.record import estimates, queue_facts, tickets
from allotment.record.engine import Reading
from allotment.record.queue_facts import PoolModel, Queue
from allotment.record.turns import ASKER, ask
from allotment.rules.eta import Estimate
from allotment.rules.queue_standing import NO_GROUP, Start, WaitingClaim

TOLD_FOR = timedelta(days=1)
"""For so long the home page says why a server that waited did not start."""
ORDINALS = {1: "first", 2: "second", 3: "third"}


@dataclass(frozen=True, slots=True)
class WaitingWords:
    """What a waiting server's row says: its place, and why it does not start."""

    ticket: str
    state_words: str
    tone: str
    since: datetime
    reason: str


def waiting_words(reading: Reading, ticket: Ticket) -> WaitingWords:
    """The words of a live ticket, with when its turn is expected where that is known."""
    if ticket.state is TicketState.OFFERED:
        since = ticket.offered_at or ticket.since
        return WaitingWords(ticket.id, "Its turn has come", "info", since, "")
    place = "Waiting" if ticket.position is None else f"Waiting, {nth(ticket.position)} in line"
    expected = estimate_words(estimates.latest(reading, [ticket.id]).get(ticket.id))
    said = [ticket.waits_for.message] if ticket.waits_for else []
    reason = " ".join([*said, *([expected] if expected else [])])
    return WaitingWords(ticket.id, place, "warn", ticket.since, reason)


def estimate_words(estimate: Estimate | None) -> str:
    """When a turn comes, with both confidences; nothing where nobody can say."""
    if estimate is None or estimate.half is None:
        return ""
    most = "" if estimate.most is None else f", by {_clock(estimate.most)} with 90 %"
    return f"It starts by {_clock(estimate.half)} with 50 %{most}."


def _clock(moment: datetime) -> str:
    return f"{moment:%d %b %H:%M} UTC"


def nth(position: int) -> str:
    """A place as people say it: first, second, 11th."""
    if position in ORDINALS:
        return ORDINALS[position]
    teen = 10 < position % 100 < 14  # noqa: PLR2004 - eleventh to thirteenth
    ending = "th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(position % 10, "th")
    return f"{position}{ending}"


def not_started(reading: Reading, person: str, now: datetime) -> tuple[str, ...]:
    """Servers that waited and did not start, and why, in sentences; the newest first."""
    ended = tickets.ended(reading, since=now - TOLD_FOR, person=person, limit=20)
    told = {
        TicketState.REFUSED: "was not started when its turn came",
        TicketState.EXPIRED: "was not started",
        TicketState.CANCELLED: "was taken out of the queue",
    }
    return tuple(
        f"{one.display_name or one.server or 'default'} {told[one.state]}: {one.end_reason}"
        for one in ended
        if one.state in told and one.end_reason
    )[:5]


class Lines:
    """Who waits for which pool, read once for many cards."""

    def __init__(self, reading: Reading, now: datetime, *, contested: bool) -> None:
        self._reading, self._now, self._contested = reading, now, contested
        self._queues: dict[str, Queue] = {}
        self._asked: dict[tuple[PoolModel, str, int, str], Start | Reason] = {}

    def turn(
        self, key: PoolModel, profile: Profile, claim: Claim, group: str | None
    ) -> Start | Reason | None:
        """Whether such a claim would start in a pool now, or why not; None where nobody waits for anything."""
        if not self._contested:
            return None
        asked = (key, group or NO_GROUP, profile.devices, str(profile.priority))
        if asked not in self._asked:
            mine = WaitingClaim(
                ASKER, asked[1], claim.person, profile.devices, profile.priority, self._now
            )
            self._asked[asked] = ask(self._queue(key[0]), key, mine, self._now)
        return self._asked[asked]

    def expect(self, key: PoolModel | None) -> str:
        """What a wait for a pool begins with: how many are there already."""
        if key is None:
            return ""
        number = len(self._queue(key[0]).waiting.get(key, ())) if self._contested else 0
        if not number:
            return "Nobody waits for it yet: you would be first."
        verb = "waits" if number == 1 else "wait"
        return f"{counted(number, 'server')} {verb} for {key[0]} already."

    def _queue(self, pool: str) -> Queue:
        if pool not in self._queues:
            self._queues[pool] = queue_facts.read(self._reading, self._now, pools=[pool])
        return self._queues[pool]
