"""One look at a person's prospects: which claims could wait, when each would start, what would be sooner."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from allotment.model.allotments import Allotment, State
from allotment.model.claims import Claim, Refused, Waits
from allotment.model.names import CONSOLE_PROFILE, CONSOLE_SERVER
from allotment.model.profiles import Profile
from allotment.model.tickets import Ticket
from allotment.record import outages, queue_facts
from allotment.record.engine import Reading
from allotment.record.page_facts import PersonFacts
from allotment.record.queue_facts import PoolModel, Queue
from allotment.record.sessions import Sessions
from allotment.record.turns import ASKER
from allotment.rules.admission import admit, paying_group
from allotment.rules.eta import Stretch, estimate
from allotment.rules.outages import Outages
from allotment.rules.queue_standing import NO_GROUP, PoolStanding, WaitingClaim
from allotment.rules.sharing import serving_pools
from allotment.rules.sooner import (
    Kind,
    Prospect,
    Way,
    freed,
    kind_of,
    prospect_of,
    soonest,
    without_server,
    worthwhile,
)

MOST_PROFILES = 12
MOST_SERVERS = 3
_ENDABLE = frozenset({State.STARTING, State.RUNNING})


@dataclass(frozen=True, slots=True)
class Learnt:
    """How long sessions last, and by how much waits are stretched."""

    sessions: Sessions
    stretch: Stretch


Found = tuple[dict[str, Prospect], dict[str, tuple[Way, ...]]]
"""Prospects and ways, by profile."""


class Looking:
    """One person's claims, in one state of the record. ``time_left`` says when to leave the rest out.

    ``claim`` says the person, the hub, the server's name, and the group that pays.
    """

    def __init__(
        self,
        reading: Reading,
        facts: PersonFacts,
        claim: Claim,
        now: datetime,
        learnt: Learnt,
        time_left: Callable[[], bool],
    ) -> None:
        self._reading, self._facts, self._claim, self._now = reading, facts, claim, now
        self._sessions, self._stretch = learnt.sessions, learnt.stretch
        self._time_left = time_left
        self._queues: dict[str, Queue] = {}
        self._estimated: dict[tuple[PoolModel, str, int, str, str], Prospect] = {}
        self._outages: dict[str, Mapping[PoolModel, Outages]] = {}
        self._leaves = ""

    def of_profiles(self, only: str = "") -> Found:
        """The prospects of everything with devices, or of one profile, and what would be sooner."""
        offered = self._offered()
        asked = [one for one in offered if only in {"", one.name}][:MOST_PROFILES]
        prospects = {one.name: found for one in asked if (found := self._prospect(one))}
        ways = {
            one.name: worthwhile(
                [*self._others(one, offered), *self._stops(one)], prospects.get(one.name), self._now
            )
            for one in asked
            if one.name not in prospects or not prospects[one.name].at_once
        }
        return prospects, ways

    def of_ticket(self, ticket: Ticket) -> Found:
        """A ticket's own prospects, and what its person could do instead of waiting."""
        self._claim = replace(self._claim, server=ticket.server, group=ticket.group)
        offered = self._offered()
        wanted = next((one for one in offered if one.name == ticket.profile), None)
        mine = self._waiting_claim(ticket)
        base = self._soonest(ticket.candidates, mine)
        prospects = {} if base is None else {ticket.profile: base}
        if wanted is None or (base is not None and base.at_once):
            return prospects, {}
        stops = [
            self._way(Kind.STOP, wanted, found, gone)
            for gone in self._servers()
            if gone.devices and (found := self._soonest(ticket.candidates, mine, gone))
        ]
        self._leaves = ticket.id  # whoever chooses another size gives the place up
        others = self._others(wanted, offered)
        return prospects, {ticket.profile: worthwhile([*stops, *others], base, self._now)}

    def _offered(self) -> list[Profile]:
        return [one for one in self._facts.visible() if one.devices and one.name != CONSOLE_PROFILE]

    def _servers(self) -> list[Allotment]:
        """Own servers that could be stopped: those that hold devices first, the youngest of them first."""
        mine = [
            one
            for one in self._facts.active
            if one.state in _ENDABLE and one.server != CONSOLE_SERVER
        ]
        mine.sort(key=lambda one: (not one.devices, -one.admitted_at.timestamp()))
        return mine[:MOST_SERVERS]

    def _others(self, wanted: Profile, offered: Iterable[Profile]) -> Iterable[Way]:
        own = {pool for pool, _ in self._pools_of(wanted)}
        for other in offered:
            if other.name == wanted.name or not self._time_left():
                continue
            found = self._prospect(other)
            kind = None if found is None else kind_of(wanted, other, found.pool, own)
            if found is not None and kind is not None:
                yield self._way(kind, other, found)

    def _stops(self, wanted: Profile) -> Iterable[Way]:
        for gone in self._servers():
            found = self._prospect(wanted, gone) if self._time_left() else None
            if found is not None:
                yield self._way(Kind.STOP, wanted, found, gone)

    def _way(
        self, kind: Kind, profile: Profile, found: Prospect, gone: Allotment | None = None
    ) -> Way:
        way = Way(kind, profile.name, profile.title, profile.devices, profile.price, found)
        if gone is None:
            return way
        known = {server.allotment.id: server.display_name for server in self._facts.servers}
        title = known.get(gone.id) or gone.server or "default"
        return replace(way, server=gone.server, server_title=title, frees=len(gone.devices))

    def _pools_of(self, profile: Profile) -> list[PoolModel]:
        standing = self._facts.standing(profile, self._claim_for(profile))
        return [(one.pool, one.model) for one in serving_pools(standing, paying_group(standing))]

    def _claim_for(self, profile: Profile) -> Claim:
        return replace(self._claim, profile=profile.name)

    def _prospect(self, profile: Profile, gone: Allotment | None = None) -> Prospect | None:
        """When a new claim for a profile would start; None: rules refuse it that waiting does not mend."""
        standing = self._facts.standing(profile, self._claim_for(profile))
        # A server that waits may be launched with another size once it has left the queue.
        standing = replace(standing, server_waits=False)
        group = paying_group(standing)
        keys = [(one.pool, one.model) for one in serving_pools(standing, group)]
        if gone is not None:
            standing = without_server(standing, gone, self._freed(keys, gone))
        decision = admit(standing)
        if isinstance(decision, Refused) or not keys:
            return None
        if isinstance(decision, Waits) and gone is not None and not gone.devices:
            return None  # it holds nothing that is waited for
        mine = WaitingClaim(
            ASKER,
            group or NO_GROUP,
            self._facts.person,
            profile.devices,
            profile.priority,
            self._now,
            expected=self._sessions.expected(profile.name, group or NO_GROUP, profile.devices),
            kind=profile.name,
        )
        return self._soonest(keys, mine, gone)

    def _freed(self, keys: Iterable[PoolModel], gone: Allotment) -> dict[PoolModel, PoolStanding]:
        found = {key: self._queue(key[0]).standings.get(key) for key in keys}
        return {key: freed(one, gone.id) for key, one in found.items() if one is not None}

    def _waiting_claim(self, ticket: Ticket) -> WaitingClaim:
        group = ticket.group or NO_GROUP
        return WaitingClaim(
            ticket.id,
            group,
            ticket.person,
            ticket.devices,
            ticket.priority,
            ticket.since,
            expected=self._sessions.expected(ticket.profile, group, ticket.devices),
            moved=ticket.moved,
            kind=ticket.profile,
        )

    def _soonest(
        self, keys: Iterable[PoolModel], mine: WaitingClaim, gone: Allotment | None = None
    ) -> Prospect | None:
        found = [self._estimate(key, mine, gone) for key in keys]
        return soonest((one for one in found if one is not None), self._now)

    def _estimate(
        self, key: PoolModel, mine: WaitingClaim, gone: Allotment | None
    ) -> Prospect | None:
        known = (key, mine.id, mine.devices, str(mine.priority), gone.id if gone else "")
        if known in self._estimated:
            return self._estimated[known]
        queue = self._queue(key[0])
        if not self._time_left() or key not in queue.standings:
            return None
        standing = queue.standings[key]
        if gone is not None:
            standing = freed(standing, gone.id)
        told = estimate(
            replace(standing, outages=self._planned(key)),
            self._with(queue, key, mine),
            [mine.id],
            self._now,
            sessions=self._sessions.by_profile,
            stretch=self._stretch,
        )
        self._estimated[known] = prospect_of(key[0], told[mine.id])
        return self._estimated[known]

    def _planned(self, key: PoolModel) -> Outages:
        """What cordons take out of a pool, and give back."""
        if key[0] not in self._outages:
            self._outages[key[0]] = outages.planned(self._reading, [key[0]], self._now)
        return self._outages[key[0]].get(key, Outages())

    def _with(self, queue: Queue, key: PoolModel, mine: WaitingClaim) -> tuple[WaitingClaim, ...]:
        """Who waits, with this claim as it is asked for and without the place that is given up."""
        claims = queue_facts.with_claim(queue, key, mine)
        *others, last = claims
        gone = {mine.id, self._leaves}
        return (*(one for one in others if one.id not in gone), last)

    def _queue(self, pool: str) -> Queue:
        if pool not in self._queues:
            expected = self._sessions.expected
            self._queues[pool] = queue_facts.read(
                self._reading, self._now, pools=[pool], expected=expected
            )
        return self._queues[pool]
