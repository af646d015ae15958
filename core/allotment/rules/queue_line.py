"""Those who wait for one pool, in lines of their own kind.

Inside a line all tickets ask for the same, so that only arrival tells them apart: whoever decides
looks at the heads of the lines, not at every ticket. Keep a :class:`Line` between two decisions and
the second costs what the number of lines costs, not what the number of tickets does.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from allotment.model.profiles import Priority
from allotment.rules.queue_standing import WaitingClaim

_LOW = Priority.LOW
Kind = tuple[int, str, int, bool, str]
"""Moved by an operator, group, devices, low priority, and the person where a reservation names one."""


def arrival(claim: WaitingClaim) -> tuple[datetime, str]:
    """When a ticket came; its id decides between those of one moment."""
    return claim.since, claim.id


class Bucket:
    """Tickets of one kind, the oldest first."""

    __slots__ = ("devices", "group", "holder", "low", "moved", "tickets")

    def __init__(self, kind: Kind) -> None:
        self.moved, self.group, self.devices, self.low, self.holder = kind
        self.tickets: list[WaitingClaim] = []


class Line:
    """The tickets of one pool. ``apart`` are people with reservations of their own."""

    def __init__(
        self, waiting: Iterable[WaitingClaim] = (), apart: Collection[str] = frozenset()
    ) -> None:
        self.apart = frozenset(apart)
        self._buckets: dict[Kind, Bucket] = {}
        self._groups: dict[str, dict[Kind, Bucket]] = {}
        self._empty: dict[Kind, Bucket] = {}
        for claim in sorted(waiting, key=arrival):
            self.bucket(claim).tickets.append(claim)
        self._ids = {claim.id for claim in self}

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, ticket: object) -> bool:
        """Whether the ticket of this id waits here."""
        return ticket in self._ids

    def __iter__(self) -> Iterator[WaitingClaim]:
        for bucket in self._buckets.values():
            yield from bucket.tickets

    @property
    def buckets(self) -> Collection[Bucket]:
        """The lines that somebody stands in."""
        return self._buckets.values()

    @property
    def by_group(self) -> Iterable[tuple[str, Collection[Bucket]]]:
        """The lines of each group."""
        return ((name, buckets.values()) for name, buckets in self._groups.items())

    def add(self, claim: WaitingClaim) -> None:
        """Let a ticket wait."""
        tickets = self.bucket(claim).tickets
        if tickets and arrival(claim) < arrival(tickets[-1]):
            insort(tickets, claim, key=arrival)
        else:
            tickets.append(claim)
        self._ids.add(claim.id)

    def copy(self) -> Line:
        """The same, to be changed apart."""
        copied = Line((), self.apart)
        for kind, bucket in self._buckets.items():
            twin = Bucket(kind)
            twin.tickets = list(bucket.tickets)
            copied._open(kind, twin)
        copied._ids = set(self._ids)
        return copied

    def without(self, gone: Collection[str]) -> Line:
        """The same line without some tickets."""
        return Line((claim for claim in self if claim.id not in gone), self.apart)

    def remove(self, claim: WaitingClaim) -> None:
        """Take a ticket out that does not wait any more.

        Raises:
            KeyError: it does not wait here.
        """
        kind = self._kind(claim)
        tickets = self._buckets[kind].tickets
        place = bisect_left(tickets, arrival(claim), key=arrival)
        if place == len(tickets) or tickets[place].id != claim.id:
            raise KeyError(claim.id)
        del tickets[place]
        self._ids.discard(claim.id)
        if not tickets:
            self._close(kind)

    def remove_first(self, bucket: Bucket, count: int) -> None:
        """Take the first tickets of a line out: they have started."""
        self._ids.difference_update(claim.id for claim in bucket.tickets[:count])
        del bucket.tickets[:count]
        if not bucket.tickets:
            self._close((bucket.moved, bucket.group, bucket.devices, bucket.low, bucket.holder))

    def _open(self, kind: Kind, bucket: Bucket) -> None:
        self._buckets[kind] = bucket
        self._groups.setdefault(bucket.group, {})[kind] = bucket

    def _close(self, kind: Kind) -> None:
        bucket = self._empty[kind] = self._buckets.pop(kind)
        del self._groups[bucket.group][kind]

    def _kind(self, claim: WaitingClaim) -> Kind:
        holder = claim.person if claim.person in self.apart else ""
        return claim.moved, claim.group, claim.devices, claim.priority is _LOW, holder

    def bucket(self, claim: WaitingClaim) -> Bucket:
        """The line in which a ticket stands, or would stand."""
        kind = self._kind(claim)
        bucket = self._buckets.get(kind)
        if bucket is None:
            # The same object serves those who come later: what others keep about it stays true.
            bucket = self._empty.pop(kind) if kind in self._empty else Bucket(kind)
            self._open(kind, bucket)
        return bucket
