"""Reservations: devices kept for a group or a person from one time to another.

A reservation counts devices of the pool, not of a node. What its holder holds already counts towards it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from allotment.model.profiles import Priority
from allotment.model.sharing import PoolPolicy
from allotment.rules.queue_standing import HeldClaim, Reservation, WaitingClaim

UNKNOWN_SESSION = timedelta(days=1)
"""A session of unknown length is taken to last a day when a reservation is about to begin."""


class _Held:
    """One reservation, and what of it is not yet taken up."""

    def __init__(self, reservation: Reservation, held: Collection[HeldClaim]) -> None:
        self.reservation = reservation
        mine = sum(claim.devices for claim in held if self.is_for(claim.group, claim.person))
        self.left = max(0, reservation.devices - mine)
        self.spare = 0
        """Before it begins: devices that others may hold beyond its beginning."""

    def is_for(self, group: str, person: str) -> bool:
        """Whether this group or person may use it."""
        if self.reservation.person is not None:
            return person == self.reservation.person
        return group == self.reservation.group


class Kept:
    """What reservations keep back from whom, at one moment.

    ``held`` are the servers of then in a pool of so many devices; what starts at that moment is told
    with :meth:`take`.
    """

    def __init__(
        self,
        reservations: Sequence[Reservation],
        total: int,
        policy: PoolPolicy,
        held: Collection[HeldClaim],
        now: datetime,
    ) -> None:
        self._now, self._policy, self._total = now, policy, total
        running = [one for one in reservations if one.begins <= now < one.ends]
        coming = [one for one in reservations if one.begins > now]
        self._active = [_Held(one, held) for one in sorted(running, key=_order)]
        self._coming = [_Held(one, held) for one in sorted(coming, key=_order)]
        for one in self._coming:
            one.spare = self._spare(one, reservations, held)
        self.active_for_groups: dict[str, int] = {}
        for reservation in running:
            if reservation.group is not None and reservation.person is None:
                before = self.active_for_groups.get(reservation.group, 0)
                self.active_for_groups[reservation.group] = before + reservation.devices

    def _spare(
        self, one: _Held, reservations: Sequence[Reservation], held: Collection[HeldClaim]
    ) -> int:
        """Devices that may still be running with others when the reservation begins."""
        begins = one.reservation.begins
        together = sum(
            other.devices for other in reservations if other.begins <= begins < other.ends
        )
        lasting = sum(
            claim.devices
            for claim in held
            if not one.is_for(claim.group, claim.person)
            and claim.reclaim_at is None
            and not (self._policy.sharing and claim.priority is Priority.LOW)
            and (claim.expected_end or self._now + UNKNOWN_SESSION) > begins
        )
        return self._total - together - lasting

    def covers(self, person: str, devices: int) -> bool:
        """Whether a person's own reservation, begun already, has this many devices left."""
        return any(
            held.reservation.person == person and held.left >= devices for held in self._active
        )

    def against(self, ticket: WaitingClaim, free: int) -> Reservation | None:
        """The reservation that a start would break, if any, with ``free`` devices in the pool."""
        back = 0
        for held in self._active:
            if not held.is_for(ticket.group, ticket.person):
                back += held.left
                if free - back < ticket.devices:
                    return held.reservation
        for held in self._coming:
            if held.is_for(ticket.group, ticket.person) or held.spare >= ticket.devices:
                continue
            if self._lasts(held, ticket):
                return held.reservation
        return None

    def take(self, ticket: WaitingClaim) -> None:
        """Count a start."""
        for held in self._active:
            if held.is_for(ticket.group, ticket.person):
                held.left = max(0, held.left - ticket.devices)
        for held in self._coming:
            if not held.is_for(ticket.group, ticket.person) and self._lasts(held, ticket):
                held.spare -= ticket.devices

    def _lasts(self, held: _Held, ticket: WaitingClaim) -> bool:
        """Whether a session that begins now would still hold devices when the reservation begins."""
        begins = held.reservation.begins
        if ticket.priority is Priority.LOW and self._policy.sharing:
            # A borrower can be asked to give back in time.
            return self._now + self._policy.minimum_runtime + self._policy.grace > begins
        lasts = UNKNOWN_SESSION
        if ticket.expected is not None:
            lasts = timedelta(seconds=ticket.expected)
        return self._now + lasts > begins


def _order(reservation: Reservation) -> tuple[datetime, str]:
    return reservation.begins, reservation.id
