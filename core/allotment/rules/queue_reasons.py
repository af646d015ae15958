"""Why tickets wait: kept as numbers for each line, put into words for whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cached_property
from typing import overload

from allotment.model.amounts import counted
from allotment.model.reasons import Rule
from allotment.rules.queue_line import Bucket
from allotment.rules.queue_standing import NO_GROUP, Wait, WaitingClaim


class Cause(Enum):
    """What hinders a line: the rule, and how it is told."""

    GUARANTEE = (
        Rule.SHARE_GUARANTEE,
        "{group} is guaranteed {limit} in {pool} and holds {used} of them; this needs {asked} more.",
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
            group=bucket.group if bucket.group != NO_GROUP else "Whoever has no group",
            limit=counted(self.limit, "device"),
            pool=pool,
            used=self.used,
            free=self.limit - self.used,
            asked=bucket.devices,
            about=self.about,
        )


@dataclass(frozen=True, slots=True)
class Waiting:
    """Tickets of one line that wait for the same reason, and where their line stands."""

    bucket: Bucket
    tickets: Sequence[WaitingClaim]
    hindrance: Hindrance
    entitled: bool
    fair: float


class Waits(Sequence[Wait]):
    """Why each ticket waits, in the order in which they are asked; put into words when first looked at."""

    def __init__(self, pool: str, old: datetime, waiting: Sequence[Waiting]) -> None:
        self._pool, self._old, self._waiting = pool, old, waiting

    def __len__(self) -> int:
        return sum(len(one.tickets) for one in self._waiting)

    @overload
    def __getitem__(self, place: int) -> Wait: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Wait]: ...
    def __getitem__(self, place: int | slice) -> Wait | Sequence[Wait]:
        return self._told[place]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self._told))

    @cached_property
    def _told(self) -> list[Wait]:
        order = []
        for number, one in enumerate(self._waiting):
            bucket = one.bucket
            moved, fair, standing = -bucket.moved, one.fair, 1 if one.entitled else 2
            for ticket in one.tickets:
                if one.entitled and ticket.since <= self._old:
                    order.append((moved, 0, 0.0, ticket.since, ticket.id, number))
                else:
                    order.append((moved, standing, fair, ticket.since, ticket.id, number))
        order.sort()
        words = [one.hindrance.message(self._pool, one.bucket) for one in self._waiting]
        told = []
        for position, (_, _, _, _, ticket_id, number) in enumerate(order, 1):
            one = self._waiting[number]
            hindrance = one.hindrance
            told.append(
                Wait(
                    ticket_id,
                    position,
                    hindrance.cause.rule,
                    words[number],
                    hindrance.limit,
                    hindrance.used,
                    one.bucket.devices,
                )
            )
        return told
