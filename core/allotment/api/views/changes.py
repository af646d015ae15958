"""What events touched: which servers, devices and people somebody who follows must read again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from allotment.api.views.names import server_id
from allotment.model.allotments import Allotment
from allotment.model.events import Event
from allotment.record import Reading, allotments, events
from allotment.rules.permission import Sight

MOST = 2000
"""Past so many events reading everything again is less work."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Ids of what events touched."""

    servers: frozenset[str]
    devices: frozenset[str]
    people: frozenset[str]


def touched(reading: Reading, sight: Sight, after: int) -> Touched | None:
    """What changed after a sequence; None: read everything again.

    That is so after very much, and for callers who do not see everything: their lists are short,
    what they may see changes too, and what is gone must not name what was never theirs to see.
    """
    if not sight.everything or not 0 <= after <= events.latest_sequence(reading):
        return None
    found = events.after(reading, after, MOST + 1)
    return None if len(found) > MOST else _touched(reading, found)


def _touched(reading: Reading, found: Iterable[Event]) -> Touched:
    servers: set[str] = set()
    devices: set[str] = set()
    people: set[str] = set()
    held: set[str] = set()
    for event in found:
        said = {**(event.before or {}), **(event.after or {})}
        if event.kind.startswith(("allotment.", "ending.", "server.kept")):
            held.add(event.subject)
        elif event.kind == "server.deleted" and event.person is not None:
            servers.add(server_id(said.get("hub", ""), event.person, said.get("server", "")))
        elif event.kind.startswith("device."):
            devices.add(event.subject)
            held |= {said["holder"]} if said.get("holder") else set()
        elif event.kind.startswith("pool."):
            devices.update((event.before or {}).get("devices", ()))
            devices.update((event.after or {}).get("devices", ()))
        if event.person is not None:
            people.add(event.person)
    for allotment in allotments.some(reading, held):
        servers.add(_server(allotment))
        devices.update(device.id for device in allotment.devices)
    return Touched(frozenset(servers), frozenset(devices), frozenset(people))


def _server(allotment: Allotment) -> str:
    return server_id(allotment.hub, allotment.person, allotment.server)
