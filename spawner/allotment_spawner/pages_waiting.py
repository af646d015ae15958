"""What pages say of waiting: places in the queue, why, and what to expect of a wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from allotment.model.amounts import counted
from allotment.model.claims import Claim
from allotment.model.profiles import Profile
from allotment.model.reasons import Reason
from allotment.model.tickets import Ticket, TicketState
from allotment.record import estimates, queue_facts, waits
from allotment.record.engine import Reading
from allotment.record.prospects import Question
from allotment.record.queue_facts import PoolModel, Queue
from allotment.record.turns import ASKER, ask
from allotment.record.waits import WaitOver
from allotment.rules.queue_standing import NO_GROUP, Start, WaitingClaim
from allotment.rules.sooner import Way
from allotment_spawner.foreseen import Look

MOST_TOLD = 5

ORDINALS = {1: "first", 2: "second", 3: "third"}


@dataclass(frozen=True, slots=True)
class WaitingWords:
    """What a waiting server's row says: its place, why it does not start, by when it does, what would be sooner."""

    ticket: str
    state_words: str
    tone: str
    since: datetime
    reason: str
    half: datetime | None = None
    most: datetime | None = None
    ways: tuple[Way, ...] = ()
    looked: bool = False
    """Whether it was looked up: where no time is told then, nobody can say."""


def waiting_words(reading: Reading, ticket: Ticket, look: Look) -> WaitingWords:
    """The words of a live ticket, with when its turn is expected where that is known."""
    if ticket.state is TicketState.OFFERED:
        since = ticket.offered_at or ticket.since
        return WaitingWords(ticket.id, "Its turn has come", "info", since, "")
    place = "Waiting" if ticket.position is None else f"Waiting, {nth(ticket.position)} in line"
    told = estimates.latest(reading, [ticket.id]).get(ticket.id)
    outlook = look(Question(ticket.hub, ticket.person, ticket.server, ticket=ticket.id))
    found = outlook.prospects.get(ticket.profile) if outlook else None
    # What the queue told it counts: that is what its estimates are scored by.
    expected = found if told is None or told.half is None else told
    return WaitingWords(
        ticket.id,
        place,
        "warn",
        ticket.since,
        ticket.waits_for.message if ticket.waits_for else "",
        expected.half if expected else None,
        expected.most if expected else None,
        outlook.ways.get(ticket.profile, ()) if outlook else (),
        outlook is not None,
    )


def nth(position: int) -> str:
    """A place as people say it: first, second, 11th."""
    if position in ORDINALS:
        return ORDINALS[position]
    teen = 10 < position % 100 < 14  # noqa: PLR2004 - eleventh to thirteenth
    ending = "th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(position % 10, "th")
    return f"{position}{ending}"


_PLACES = """
SELECT t.id, t.position, (SELECT MAX(e."at") FROM estimates e WHERE e.ticket = t.id) AS told FROM tickets t
WHERE t.hub = :hub AND t.person = :person AND t.state IN ('waiting', 'offered') ORDER BY t.id
"""


def place_state(reading: Reading, hub: str, person: str) -> str:
    """Changes with every place in the queue and every time that a person is told: neither is an event."""
    rows = reading.driver(_PLACES, {"hub": hub, "person": person})
    return sha256(repr([tuple(row) for row in rows]).encode()).hexdigest()[:16]


def waits_over(reading: Reading, person: str, now: datetime) -> tuple[WaitOver, ...]:
    """What the home page tells of waits that are over, the newest first."""
    return waits.of_person(reading, person, now)[:MOST_TOLD]


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
