"""The words of the status page: what the template says, decided here."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from allotment.model.amounts import counted, format_memory
from allotment.model.devices import Isolation
from allotment.model.documents import LimitUse, Server, Ticket
from allotment.model.reports import DeviceUse, Measured
from allotment_server.answers import MeAnswer, OwnDevice, own_entry
from allotment_server.surroundings import Surroundings

NEAR = 0.8
"""From this part of a limit on, its meter asks for attention."""
READ_CLOSELY = 5
"""Seconds below which nobody reads a time that closely."""

_STATES = {
    "offered": ("Offered", "info"),
    "starting": ("Starting", "info"),
    "running": ("Running", "ok"),
    "stopping": ("Stopping", "warn"),
    "stopped": ("Stopped", "plain"),
}


class Meter(NamedTuple):
    """A limit with what is used of it. ``value`` None: no limit is set."""

    title: str
    used: int
    value: int | None
    tone: str
    source: str


class DeviceLine(NamedTuple):
    """A device of this server, in words."""

    id: str
    model: str
    memory: str
    isolation: str
    use: str
    note: str


class ServerLine(NamedTuple):
    """A server of the owner's, in words. ``devices`` are their ids."""

    name: str
    here: bool
    size: str
    state: str
    tone: str
    devices: tuple[str, ...]
    held: str
    since: datetime
    warnings: tuple[str, ...]


def page_words(answer: MeAnswer, here: Surroundings, now: datetime) -> dict[str, Any]:
    """Everything that the template shows."""
    own = own_entry(here, answer.servers or ())
    warned = bool(own and own.warnings)
    return {
        "answer": answer,
        # Of its own devices this server's warnings say the same.
        "notices": [
            notice
            for notice in answer.notices
            if not (warned and own and notice.kind == "device" and notice.server == own.id)
            and not (own and notice.kind == "ending" and notice.server == own.id)
        ],
        "title": server_name(own) if own else here.server or "This server",
        "own": _server_line(own, here) if own else None,
        "home_url": here.home_url,
        "endings": own.endings if own else (),
        "lifetime_end": own.lifetime_end if own else None,
        "keep": own.keep if own else None,
        "until": lambda time: until(time, now),
        "devices": [_device_line(device) for device in answer.server.devices],
        "meters": None if answer.limits is None else _meters(answer.limits),
        "servers": None
        if answer.servers is None
        else _lines(answer.servers, answer.tickets or (), here),
        "shares": _shares(answer),
        "ago": lambda time: ago(time, now),
        "lasting": lambda time: lasting(time, now),
        "counted": counted,
    }


def server_name(server: Server) -> str:
    """What people call a server."""
    return server.display_name or server.name or "Default server"


def ago(time: datetime, now: datetime) -> str:
    """A time in the past, as people say it; exact times are shown on hover."""
    seconds = (now - time).total_seconds()
    return "just now" if seconds < READ_CLOSELY else f"{lasting(time, now)} ago"


def lasting(since: datetime, now: datetime) -> str:
    """How long something has lasted, in its largest unit."""
    seconds = max(0, int((now - since).total_seconds()))
    for size, noun in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return counted(seconds // size, noun)
    return counted(seconds, "second")


def until(time: datetime, now: datetime) -> str:
    """A time to come, as people say it."""
    return "now" if time <= now else f"in {lasting(now, time)}"


def _meters(limits: tuple[LimitUse, ...]) -> list[Meter]:
    """A group is named only where there are several, and limits may differ by it."""
    several = len({limit.group for limit in limits}) > 1
    return [
        Meter(
            _capital(limit.words) + (f", group {limit.group}" if limit.group and several else ""),
            limit.used,
            limit.value,
            _tone(limit.used, limit.value),
            _capital(limit.source),
        )
        for limit in limits
    ]


def _shares(answer: MeAnswer) -> list[Meter]:
    """What each of the owner's groups holds in each pool, of what it may hold there."""
    return [
        Meter(
            f"{group}, pool {share.pool}",
            share.held,
            share.ceiling,
            _tone(share.held, share.ceiling),
            f"{share.guaranteed} guaranteed, {share.free} free in the pool",
        )
        for group, shares in (answer.shares or {}).items()
        for share in shares
    ]


def _tone(used: int, value: int | None) -> str:
    if value is None or used < NEAR * value:
        return ""
    return "full" if used >= value else "near"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _server_line(server: Server, here: Surroundings) -> ServerLine:
    state, tone = _STATES[server.state]
    active = server.state != "stopped"
    held = tuple(device.id for device in server.devices) if active else ()
    return ServerLine(
        name=server_name(server),
        here=bool(here.allotment) and server.allotment == here.allotment,
        size=server.size_words,
        state=state,
        tone=tone,
        devices=held,
        held=counted(len(held), "device") if held else "No devices",
        since=server.since,
        warnings=server.warnings,
    )


def _lines(
    servers: tuple[Server, ...], tickets: tuple[Ticket, ...], here: Surroundings
) -> list[ServerLine]:
    """Servers, and those that wait; one that ran before and waits again is there once."""
    waiting = {(one.hub, one.name) for one in tickets}
    return [
        *(_server_line(one, here) for one in servers if (one.hub, one.name) not in waiting),
        *(_ticket_line(one) for one in tickets),
    ]


def _ticket_line(ticket: Ticket) -> ServerLine:
    """A server that waits, which holds nothing yet."""
    place = f", number {ticket.position} in line" if ticket.position else ""
    offered = ticket.state == "offered"
    return ServerLine(
        name=ticket.display_name or ticket.name or "Default server",
        here=False,
        size=ticket.profile,
        state="Its turn has come" if offered else f"Waiting{place}",
        tone="info" if offered else "warn",
        devices=(),
        held=ticket.reason.message if ticket.reason else "",
        since=ticket.since,
        warnings=(),
    )


def _device_line(device: OwnDevice) -> DeviceLine:
    held = device.held
    return DeviceLine(
        id=device.id,
        model=held.model if held else "",
        memory=format_memory(held.memory) if held and held.memory else "",
        isolation=_isolation(held.isolation) if held else "",
        use=_use(device.use),
        note=device.use.note if device.use else "",
    )


def _isolation(label: str) -> str:
    return Isolation(label).words if label in set(Isolation) else label


def _use(use: DeviceUse | None) -> str:
    if use is None:
        return "Not measured yet"
    if use.measured is not Measured.NVML:
        return _capital(use.measured.words)
    parts = [] if use.utilisation is None else [f"{use.utilisation:.0f} % busy"]
    if use.memory_used is not None and use.memory_total:
        parts.append(
            f"{format_memory(use.memory_used)} of {format_memory(use.memory_total)} in use"
        )
    return ", ".join(parts) or "The driver does not tell"
