"""Servers as rows of a grid: what is said about each, and when one counts as idle."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from allotment.model.devices import Isolation
from allotment.model.documents import Device, HeldDevice, Server
from allotment.model.endings import Cause
from allotment.model.money import cost_of, price_words
from allotment_widgets.columns import Column, State
from allotment_widgets.picture import Picture
from allotment_widgets.plot import Plot, PlotState
from allotment_widgets.sentences import server_name

IDLE_AFTER = timedelta(minutes=30)
"""A server with devices in which nothing has run for so long is held but idle."""
IDLE_BELOW = 5.0
"""Percent: a device that is used less counts as unused, as in the chart of use over time."""

STATES = {
    "offered": State("Offered", "info"),
    "starting": State("Starting", "info"),
    "running": State("Running", "ok"),
    "idle": State("Idle", "warn"),
    "ending": State("Ends soon", "warn"),
    "kept": State("Left alone", "info"),
    "ailing": State("Device ails", "bad"),
    "stopping": State("Stopping", "plain"),
    "stopped": State("Stopped", "quiet"),
}

COLUMNS = (
    Column("user", "User", flex=1, width=84),
    Column("name", "Server", flex=1.4, width=124, hover="note"),
    Column("group", "Group", flex=1, width=84),
    Column("pool", "Pool", flex=0.8, width=80, hide_narrow=True, extra=True),
    Column("profile", "Profile", flex=1.6, width=150, hide_narrow=True, extra=True),
    Column("devices", "Devices", kind="devices", flex=1.9, width=140),
    Column("use", "Use", kind="percent", width=70, hover="measured"),
    Column("active", "Last active", kind="time", width=108, hide_narrow=True, extra=True),
    Column("since", "Since", kind="since", width=108),
    Column("cost", "Cost", kind="money", width=88, hover="priced", hide_narrow=True),
    Column("state", "State", kind="state", states=STATES, hover="why", width=136),
    Column("cause", "Why", flex=1, width=110, hover="why", hide_narrow=True, extra=True),
)


def is_active(server: Server) -> bool:
    """Whether a server holds devices and counts."""
    return server.state != "stopped"


def is_idle(server: Server, now: datetime) -> bool:
    """Whether a server holds devices in which nothing has run for :data:`IDLE_AFTER`."""
    use = server.use
    if server.state != "running" or not server.devices or use is None or use.kernels_busy:
        return False
    measured = [each.utilisation for each in use.devices if each.utilisation is not None]
    unused = all(each < IDLE_BELOW for each in measured)
    return unused and now - use.last_activity >= IDLE_AFTER


def server_state(server: Server, now: datetime) -> str:
    """The state that a row shows."""
    if server.state == "running":
        if server.warnings:
            return "ailing"
        if server.endings:
            return "ending"
        if server.keep is not None and server.keep.until > now:
            return "kept"
        if is_idle(server, now):
            return "idle"
    return server.state


def server_row(
    server: Server, picture: Picture, now: datetime, charged_at: datetime | None = None
) -> dict[str, object]:
    """One server as a row. A running one's cost is told as of ``charged_at``, left out: now."""
    state = server_state(server, now)
    active = is_active(server)
    return {
        "id": server.id,
        "user": server.person,
        "name": server_name(server),
        "note": server.note,
        "group": server.group,
        "pool": server.pool,
        "profile": server.size_words,
        "devices": [
            _plot(device, server, picture, idle=state == "idle") for device in server.devices
        ]
        if active
        else [],
        "use": _use(server) if active else None,
        "measured": _measured(server),
        "active": server.use.last_activity if server.use and active else None,
        "since": server.since,
        "cost": server_cost(server, charged_at or now),
        "priced": _priced(server),
        "state": state,
        "why": _why(server, state),
        "cause": _cause(server),
    }


def _cause(server: Server) -> str:
    """Why a server was stopped, or will be, or what it waits for to start; nothing where it ended by itself."""
    if is_active(server):
        return ", ".join(ending.words for ending in server.endings) or server.awaits
    known = {str(cause): cause.words for cause in Cause}
    return known.get(server.stop_cause, server.stop_cause)


def server_cost(server: Server, now: datetime) -> Decimal | None:
    """What a server has cost since it was launched last; None where it has no price, or has not run."""
    if server.running_at is None:
        return None
    return cost_of(server.price, (server.charged_until or now) - server.running_at)


def _plot(device: HeldDevice, server: Server, picture: Picture, *, idle: bool) -> Plot:
    known = picture.devices.get(device.id)
    ails = known is not None and known.state in {"unhealthy", "missing"}
    return Plot(
        id=device.id,
        title=f"{device.node} {device.id}",
        state="unhealthy" if ails else "idle" if idle else "held",
        group=server.group or "",
        colour=picture.palette.colour(server.group or ""),
    )


def _use(server: Server) -> float | None:
    """The mean utilisation of a server's devices, in percent; None where none was measured."""
    if server.use is None:
        return None
    measured = [each.utilisation for each in server.use.devices if each.utilisation is not None]
    return sum(measured) / len(measured) if measured else None


def _measured(server: Server) -> str:
    """How the devices' use was come by."""
    if server.use is None:
        return "The server has reported nothing." if server.devices else ""
    return "; ".join(sorted({each.note or each.measured.words for each in server.use.devices}))


def _why(server: Server, state: str) -> str:
    """What is said about a state on hover."""
    if state == "ailing":
        return " ".join(server.warnings)
    if state == "ending":
        return " ".join(
            f"Stopped at {one.stop_at:%Y-%m-%d %H:%M} UTC. {one.message}" for one in server.endings
        )
    if state == "kept" and server.keep is not None:
        until = f"{server.keep.until:%Y-%m-%d %H:%M} UTC"
        return (
            f"{server.keep.said_by} asked that it be left alone until {until}. {server.keep.note}"
        )
    if state == "idle":
        return "It holds devices, and nothing has run in it for half an hour."
    if server.stop_reason and server.state in {"stopping", "stopped"}:
        by = f"{server.stopped_by}: " if server.stopped_by else ""
        return f"{by}{server.stop_reason}"
    return server.awaits


def device_plot(device: Device, picture: Picture, now: datetime, *, section: str) -> Plot:
    """One device as a square."""
    holder = device.holder
    server = picture.servers.get(holder.server) if holder else None
    group = (holder.group or "") if holder else ""
    return Plot(
        id=device.id,
        title=f"{device.node} {device.id}{_kind(device)}",
        state=_plot_state(device, idle=server is not None and is_idle(server, now)),
        section=section,
        group=group,
        colour=picture.palette.colour(group),
        holder=f"{holder.person} · {holder.display_name or holder.name or 'default'}"
        if holder
        else "",
    )


def _kind(device: Device) -> str:
    """What a device is not, or is only a part of."""
    kinds = ["simulated"] if device.simulated else []
    if device.isolation in {Isolation.MIG, Isolation.TIME_SLICE}:
        kinds.append(device.isolation.words)
    return "".join(f", {kind}" for kind in kinds)


def _plot_state(device: Device, *, idle: bool) -> PlotState:
    if device.state in {"unhealthy", "missing"}:
        return "unhealthy"
    if device.state == "held":
        return "idle" if idle else "held"
    return "free" if device.state == "free" else "out"


def _priced(server: Server) -> str:
    if not server.price:
        return ""
    return f"{price_words(server.price)} per hour, as promised at launch"
