"""What planned cordons mean for a pool's future: which devices leave when, which come back, whose servers stop. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from allotment.model.cordons import Cordon
from allotment.rules.cordoning import Spot, stops
from allotment.rules.queue_nodes import Nodes

_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """A device of a pool, and which allotment holds it. It is healthy, and nobody else uses it."""

    spot: Spot
    holder: str | None = None


@dataclass(frozen=True, slots=True)
class Outage:
    """Devices of one node that are out of use from one time to another; ``ends`` None: nobody says until when.

    ``held`` of them are held now. ``whole``: they are all that the pool has there, so that whatever
    begins there before is stopped at ``stops``, too.
    """

    node: str
    begins: datetime
    ends: datetime | None
    devices: int
    held: int
    stops: datetime | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Outages:
    """All of one pool and model. ``stopped``: when servers that hold such devices are stopped, by allotment."""

    spans: tuple[Outage, ...] = ()
    stopped: Mapping[str, datetime] = field(default_factory=dict)


class Away:
    """Devices of a pool's working copy that are away while time goes on in it.

    Of each outage some are away already, and some are owed: held when it began, they leave as soon as
    they are given back.
    """

    def __init__(self, known: Outages, nodes: Nodes, now: datetime) -> None:
        self._spans, self._nodes = known.spans, nodes
        self._gone = [0] * len(self._spans)
        self._owed = [0] * len(self._spans)
        for number, span in enumerate(self._spans):
            if span.begins <= now:
                self._owed[number] = span.held
                self._gone[number] = span.devices - span.held
                if span.whole:
                    # Nothing of such a node can be free, whatever is tried out in this copy.
                    self.was_freed(span.node)

    def leave(self, number: int) -> None:
        """An outage begins."""
        self._owed[number] = self._spans[number].devices
        self.was_freed(self._spans[number].node)

    def come_back(self, number: int) -> None:
        """An outage is over."""
        self._nodes.change(self._spans[number].node, self._gone[number])
        self._gone[number] = self._owed[number] = 0

    def was_freed(self, node: str) -> None:
        """A session gave devices of a node back: those that are owed leave."""
        for number, span in enumerate(self._spans):
            leaving = min(self._owed[number], self._nodes.free(node)) if span.node == node else 0
            if leaving:
                self._nodes.change(node, -leaving)
                self._owed[number] -= leaving
                self._gone[number] += leaving

    def stops(self, node: str, begins: datetime) -> datetime | None:
        """When a session that begins on a node then is stopped for an outage of all its devices; None: it is not."""
        of_node = (span.stops for span in self._spans if span.node == node and span.whole)
        return min((stop for stop in of_node if stop is not None and stop >= begins), default=None)


_Span = tuple[datetime, datetime, datetime | None]
"""From when to when, and when what runs there is stopped."""


def outages(cordons: Sequence[Cordon], places: Sequence[Place]) -> Outages:
    """What these cordons, in force or to come, do to these devices."""
    known: dict[tuple[str, _Span], list[Place]] = {}
    here = Counter(place.spot.node for place in places)
    for place in places:
        for span in _spans(cordons, place.spot):
            known.setdefault((place.spot.node, span), []).append(place)
    return Outages(
        tuple(
            Outage(
                node=node,
                begins=begins,
                ends=None if ends == _EVER else ends,
                devices=len(those),
                held=sum(place.holder is not None for place in those),
                stops=stop,
                whole=len(those) == here[node],
            )
            for (node, (begins, ends, stop)), those in sorted(known.items(), key=_order)
        ),
        _stopped(cordons, places),
    )


def _order(item: tuple[tuple[str, _Span], list[Place]]) -> tuple[datetime, str, datetime]:
    (node, (begins, ends, _)), _ = item
    return begins, node, ends


def _spans(cordons: Iterable[Cordon], spot: Spot) -> list[_Span]:
    """When a device is out of use: cordons that meet are one time."""
    found: list[_Span] = []
    of_it = (one for one in cordons if one.covers(spot.device, spot.node, spot.pool))
    for one in sorted(of_it, key=lambda one: (one.begins_at, one.id)):
        begins, ends, stop = one.begins_at, one.ends_at or _EVER, one.drain_at
        if found and begins <= found[-1][1]:
            before = found.pop()
            begins, ends = before[0], max(before[1], ends)
            stop = min((each for each in (before[2], stop) if each is not None), default=None)
        found.append((begins, ends, stop))
    return found


def _stopped(cordons: Sequence[Cordon], places: Iterable[Place]) -> dict[str, datetime]:
    held: dict[str, list[Spot]] = {}
    for place in places:
        if place.holder is not None:
            held.setdefault(place.holder, []).append(place.spot)
    first = {allotment: stops(cordons, spots) for allotment, spots in held.items()}
    return {
        allotment: one.drain_at
        for allotment, one in first.items()
        if one is not None and one.drain_at is not None
    }
