"""Why tickets wait: kept as numbers for each line, put into words for whoever asks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cached_property
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import overload

from allotment.model.amounts import counted
from allotment.model.reasons import Rule
from allotment.rules.queue_line import Bucket
from allotment.rules.queue_shares import Room
from allotment.rules.queue_standing import NO_GROUP, Reservation, Wait, WaitingClaim
from allotment.rules.queue_state import PoolState


class Cause(Enum):
    """What hinders a line: the rule, and how it is told."""

    GUARANTEE = (
        Rule.SHARE_GUARANTEE,
        "{group} is guaranteed {limit} in {pool} and holds {used} of them; this needs {asked} more.",
    )
    LEFT_OVER = (
        Rule.SHARE_GUARANTEE,
        "{limit} in {pool} are guaranteed to no group, and {used} of them are held; this needs {asked} more.",
    )
    CEILING = (
        Rule.SHARE_CEILING,
        "{group} may hold {limit} in {pool} at most and holds {used}; this needs {asked} more.",
    )
    DEPARTMENT = (
        Rule.SHARE_CEILING,
        "The department {about} may hold {limit} in {pool} and holds {used}; this needs {asked} more.",
    )
    FREE = Rule.DEVICES_FREE, "Of {limit} in {pool} {free} can be given out; this needs {asked}."
    SCATTERED = (
        Rule.DEVICES_FREE,
        "No node of {pool} has {asked} to give: the most on one node is {about}.",
    )
    COMING = (
        Rule.DEVICES_FREE,
        "Others give borrowed devices of {pool} back for this ticket, which needs {asked}.",
    )
    ASIDE = (
        Rule.QUEUE_TURN,
        "What is free in {pool} is set aside for others that come first; this needs {asked}.",
    )
    TURN = (
        Rule.QUEUE_TURN,
        "A ticket for {about} in {pool} has waited long and comes first; this one would delay it.",
    )
    RESERVED = Rule.QUEUE_TURN, "{about} in {pool}; what is left is less than the {asked} asked."

    def __init__(self, rule: Rule, sentence: str) -> None:
        self.rule = rule
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Hindrance:
    """What hinders a line. ``about`` names the department, reservation or ticket, where there is one."""

    cause: Cause
    limit: int
    used: int
    about: str = ""

    def message(self, pool: str, bucket: Bucket) -> str:
        """The reason in words, with its amounts."""
        return self.cause.sentence.format(
            group=bucket.group,
            limit=counted(self.limit, "device"),
            pool=pool,
            used=self.used,
            free=self.limit - self.used,
            asked=bucket.devices,
            about=self.about,
        )


def hindrance_of(state: PoolState, bucket: Bucket) -> Hindrance:
    """What hinders a line, by its share first and then by the devices."""
    room = state.room(bucket)
    group = state.group(bucket.group)
    if room is Room.OVER_DEPARTMENT:
        department = state.departments[group.department or ""]
        return Hindrance(
            Cause.DEPARTMENT, department.ceiling or 0, department.held, department.name
        )
    if room is Room.OVER_CEILING:
        return Hindrance(Cause.CEILING, group.ceiling, group.held)
    nobodys = bucket.group == NO_GROUP
    if room is Room.OVER_GUARANTEE and not (nobodys and group.guaranteed == state.total):
        counts = group.held if bucket.low or not state.policy.sharing else group.dedicated
        cause = Cause.LEFT_OVER if nobodys else Cause.GUARANTEE
        return Hindrance(cause, group.guaranteed, counts)
    return _among_devices(state, bucket)


def _among_devices(state: PoolState, bucket: Bucket) -> Hindrance:
    """What hinders a line that has room in its share."""
    if bucket.devices <= state.nodes.most:
        return _about_devices(state, Cause.ASIDE)
    if bucket.devices <= state.nodes.total:
        return _about_devices(state, Cause.SCATTERED, str(state.nodes.most))
    return _about_devices(state, Cause.FREE)


def coming(state: PoolState) -> Hindrance:
    """Borrowers give back what the ticket misses."""
    return _about_devices(state, Cause.COMING)


def turn_of(state: PoolState, before: WaitingClaim) -> Hindrance:
    """Another ticket has waited long and would be delayed."""
    return _about_devices(state, Cause.TURN, counted(before.devices, "device"))


def kept_for(state: PoolState, reservation: Reservation) -> Hindrance:
    """What is free is reserved."""
    holder = reservation.person or reservation.group
    words = f"{counted(reservation.devices, 'device')} from {reservation.begins:%Y-%m-%d %H:%M} UTC are kept for {holder}"
    return _about_devices(state, Cause.RESERVED, words)


def _about_devices(state: PoolState, cause: Cause, about: str = "") -> Hindrance:
    return Hindrance(cause, state.total, state.total - state.nodes.total, about)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Tickets of one line that wait for the same reason; None: for what hinders their line at last."""

    bucket: Bucket
    tickets: Sequence[WaitingClaim]
    hindrance: Hindrance | None


Part = tuple[tuple[int, int, float], Sequence[WaitingClaim], int]
"""What ranks before arrival, tickets of one line of which that is so, and the line's number."""


class Waits(Sequence[Wait]):
    """Why each ticket waits, in the order in which they are asked; put into words when first looked at.

    Until then the state must stay as it was when the decision was made.
    """

    def __init__(self, state: PoolState, old: datetime, waiting: Sequence[Waiting]) -> None:
        self._state, self._old, self._waiting = state, old, waiting

    def __len__(self) -> int:
        return sum(len(one.tickets) for one in self._waiting)

    @overload
    def __getitem__(self, place: int) -> Wait: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Wait]: ...
    def __getitem__(self, place: int | slice) -> Wait | Sequence[Wait]:
        return self._told[place]

    def __iter__(self) -> Iterator[Wait]:
        return iter(self._told)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self._told))

    @cached_property
    def _told(self) -> list[Wait]:
        parts: list[Part] = []
        for number, one in enumerate(self._waiting):
            parts += self._parts(one, number)
        parts.sort(key=itemgetter(0))
        about = [self._about(one) for one in self._waiting]
        told: list[Wait] = []
        for _, alike in groupby(parts, key=itemgetter(0)):
            for ticket, number in _by_arrival(list(alike)):
                told.append(Wait(ticket, len(told) + 1, *about[number]))
        return told

    def _parts(self, one: Waiting, number: int) -> Iterator[Part]:
        """A line's tickets: those that have waited long before the others, where the line is entitled."""
        bucket, tickets = one.bucket, one.tickets
        moved = -bucket.moved
        fair = self._state.group(bucket.group).fair
        if self._state.room(bucket) is not Room.ENTITLED:
            yield (moved, 2, fair), tickets, number
            return
        young = bisect_right(tickets, self._old, key=attrgetter("since"))
        if young:
            yield (moved, 0, 0.0), tickets[:young], number
        if young < len(tickets):
            yield (moved, 1, fair), tickets[young:], number

    def _about(self, one: Waiting) -> tuple[str, str, int, int, int]:
        """The rule, the words, limit, used and asked."""
        why = one.hindrance or hindrance_of(self._state, one.bucket)
        words = why.message(self._state.pool, one.bucket)
        return why.cause.rule, words, why.limit, why.used, one.bucket.devices


def _by_arrival(parts: Sequence[Part]) -> Iterable[tuple[str, int]]:
    """The ids of tickets that rank alike, the first that came first, with the numbers of their lines."""
    if len(parts) == 1:
        _, tickets, number = parts[0]
        return [(ticket.id, number) for ticket in tickets]
    rows = [(ticket.since, ticket.id, number) for _, tickets, number in parts for ticket in tickets]
    rows.sort()
    return [(id_, number) for _, id_, number in rows]
