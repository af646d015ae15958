"""What an edit would do: it is made, looked at, and undone, so that nothing is said but what would be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from allotment.api.plane import ControlPlane
from allotment.model import documents
from allotment.model.allotments import Allotment
from allotment.model.foresight import Affected, Foresight
from allotment.model.limits import Limit, LimitKind, LimitScope, effective_limit
from allotment.model.money import cost_of
from allotment.record import (
    Reading,
    Writing,
    allotments,
    counts,
    limits,
    memberships,
    queue_facts,
    registered_models,
    storage,
)
from allotment.record.queue_facts import Queue
from allotment.record.tickets import get as get_ticket
from allotment.rules.foreseeing import foresee
from allotment.rules.limiting import GIB
from allotment.rules.permission import Caller

MOST = 200
"""Servers, people and tickets that are named."""
T = TypeVar("T")


def compare(
    plane: ControlPlane,
    caller: Caller,
    look: Callable[[Reading], T],
    change: Callable[[Writing], object],
) -> tuple[T, T]:
    """Look, make the change, look again, and undo it. Writers wait for the second look only.

    Raises:
        Refusal: as the change itself.
    """
    with plane.record.reading() as reading:
        before = look(reading)
    with plane.record.trying(caller.person, plane.now()) as writing:
        change(writing)
        after = look(writing)
    return before, after


def foreseen_in_pools(
    plane: ControlPlane, caller: Caller, pools: Collection[str], change: Callable[[Writing], object]
) -> documents.Consequences:
    """What a change of shares, ceilings or pools would do to what runs and waits in these pools.

    Raises:
        Refusal: as the change itself.
    """
    now = plane.now()

    def look(reading: Reading) -> Queue:
        return queue_facts.read(reading, now, pools=pools)

    before, after = compare(plane, caller, look, change)
    found = foresee((before.standings, before.waiting), (after.standings, after.waiting), now)
    with plane.record.reading() as reading:
        return consequences_document(reading, found, now)


def consequences_document(
    reading: Reading, found: Foresight, now: datetime
) -> documents.Consequences:
    """What was foreseen, with names and money."""
    named = found.servers[:MOST]
    known = {each.id: each for each in allotments.some(reading, [one.allotment for one in named])}
    servers = tuple(
        affected_server(known[one.allotment], one, now) for one in named if one.allotment in known
    )
    tickets = []
    for id_, prospect in found.tickets[:MOST]:
        ticket = get_ticket(reading, id_)
        tickets.append(
            documents.AffectedTicket(
                ticket=id_,
                person=ticket.person,
                name=ticket.server,
                devices=ticket.devices,
                prospect=prospect,
                words=prospect.words,
            )
        )
    beyond = max(0, len(found.servers) - MOST) + max(0, len(found.tickets) - MOST)
    return documents.Consequences(
        consequences=found.lines,
        servers=servers,
        tickets=tuple(tickets),
        rate=sum((one.price or Decimal(0) for one in servers), Decimal(0)),
        cost=sum((one.cost for one in servers), Decimal(0)),
        more=beyond,
    )


def affected_server(
    allotment: Allotment, affected: Affected, now: datetime
) -> documents.AffectedServer:
    """One server that a change concerns."""
    said = allotment.terms.get("profile", {}).get("price")
    price = None if said is None else Decimal(str(said))
    begun = allotment.running_at or allotment.charge_end or now
    return documents.AffectedServer(
        allotment=allotment.id,
        person=allotment.person,
        name=allotment.server,
        group=allotment.group,
        pool=allotment.pool,
        profile=allotment.profile,
        devices=len(allotment.devices),
        effect=affected.effect,
        words=affected.effect.words,
        because=affected.because,
        at=affected.at,
        price=price,
        cost=cost_of(price, (allotment.charge_end or now) - begun) or Decimal(0),
    )


# Limits.

Held = dict[tuple[str, str, LimitKind], tuple[int, int | None]]
"""By person, group that pays (empty: none) and kind: what is used, and the limit that binds."""


def foreseen_for_people(
    plane: ControlPlane,
    caller: Caller,
    scope: LimitScope,
    subject: str,
    change: Callable[[Writing], object],
) -> documents.Consequences:
    """Who would hold more than a changed limit allows.

    Raises:
        Refusal: as the change itself.
    """
    now = plane.now()
    before, after = compare(
        plane, caller, lambda reading: _bound(reading, scope, subject, now), change
    )
    over = [
        documents.AffectedPerson(
            person=person, group=group or None, kind=kind, words=kind.words, used=used, limit=limit
        )
        for (person, group, kind), (used, limit) in sorted(after.items())
        if limit is not None
        and used > limit
        and not _is_over(before.get((person, group, kind), (0, None)))
    ]
    return documents.Consequences(
        consequences=_limit_lines(over), people=tuple(over[:MOST]), more=max(0, len(over) - MOST)
    )


def _is_over(bound: tuple[int, int | None]) -> bool:
    used, limit = bound
    return limit is not None and used > limit


def _limit_lines(over: Iterable[documents.AffectedPerson]) -> tuple[str, ...]:
    people = sorted({one.person for one in over})
    if not people:
        return ()
    one = len(people) == 1
    who = f"{people[0]} holds" if one else f"{len(people)} people hold"
    line = (
        f"{who} more than that now. Nothing of theirs is stopped; nothing new of theirs starts "
        "until they hold less."
    )
    return (line,)


def _bound(reading: Reading, scope: LimitScope, subject: str, now: datetime) -> Held:
    """What those whom a limit concerns use, and what binds them now, in as few questions as there are kinds."""
    used = _used(reading)
    groups = _groups_of(reading, now)
    everybody = {person for uses in used.values() for person in uses}
    if scope is LimitScope.PERSON:
        everybody &= {subject}
    own: dict[str, list[Limit]] = defaultdict(list)
    general: list[Limit] = []
    for one in limits.all_limits(reading):
        (own[one.subject] if one.scope is LimitScope.PERSON else general).append(one)
    found: Held = {}
    for person in everybody:
        binding = (*general, *own.get(person, ()))
        for group in groups.get(person) or ("",):
            if scope is LimitScope.GROUP and group != subject:
                continue
            for kind, uses in used.items():
                limit = effective_limit(kind, binding, group or None)
                found[person, group, kind] = uses.get(person, 0), limit.value
    return found


def _used(reading: Reading) -> Mapping[LimitKind, Mapping[str, int]]:
    held = counts.held_by_person(reading)
    return {
        LimitKind.DEVICES: {person: devices for person, (_, devices) in held.items()},
        LimitKind.SERVERS: {person: servers for person, (servers, _) in held.items()},
        LimitKind.SERVERS_EXISTING: counts.existing_by_person(reading),
        LimitKind.INSTANCES: counts.instances_by_person(reading),
        LimitKind.STORAGE: {
            person: -(-held.used // GIB) for person, held in storage.of_everybody(reading).items()
        },
        LimitKind.MODELS: registered_models.counts(reading),
    }


def _groups_of(reading: Reading, now: datetime) -> dict[str, tuple[str, ...]]:
    """By person: groups that may pay now."""
    found: dict[str, tuple[str, ...]] = {}
    for one in memberships.all_memberships(reading):
        known = found.get(one.person, ())
        if one.group not in known and (one.until is None or one.until > now):
            found[one.person] = (*known, one.group)
    return found
