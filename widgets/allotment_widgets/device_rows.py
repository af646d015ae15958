"""Devices and pools as rows of grids."""

from __future__ import annotations

from datetime import datetime

from allotment.model.amounts import format_memory
from allotment.model.documents import Device, Pool
from allotment_widgets.columns import Column, State
from allotment_widgets.picture import Picture
from allotment_widgets.sentences import ago
from allotment_widgets.server_rows import is_idle

DEVICE_STATES = {
    "free": State("Free", "plain"),
    "held": State("Held", "ok"),
    "idle": State("Held, idle", "warn"),
    "cordoned": State("Out of use", "plain"),
    "taken": State("Used by others", "plain"),
    "unhealthy": State("Unhealthy", "bad"),
    "missing": State("Gone", "bad"),
}

DEVICE_COLUMNS = (
    Column("id", "Device", flex=0.8, width=80),
    Column("node", "Node", flex=0.8, width=72),
    Column("model", "Model", flex=1.5, width=118, hover="origin"),
    Column("memory", "Memory", kind="bytes", width=86, hide_narrow=True),
    Column("pool", "Pool", flex=0.7, width=66),
    Column("holder", "Held by", flex=1.4, width=112, hover="group"),
    Column("use", "Use", kind="percent", width=64, hover="measured"),
    Column("since", "Since", kind="since", width=112, hide_narrow=True),
    Column(
        "isolation", "Isolation", flex=0.7, width=106, hover="isolation_words", hide_narrow=True
    ),
    Column("state", "State", kind="state", states=DEVICE_STATES, hover="health", width=118),
)

POOL_COLUMNS = (
    Column("id", "Pool", flex=0.8, width=84, hover="made_of"),
    Column("model", "Model", flex=1.3, width=100),
    Column("held", "Held", kind="meter", width=120),
    Column("healthy", "Healthy", kind="number", width=86, hide_narrow=True),
    Column("free", "Free", kind="number", width=68),
    Column("guaranteed", "Guaranteed", kind="number", width=112, hover="guaranteed_words"),
    Column("spare", "Spare", kind="number", width=76, hover="spare_words", hide_narrow=True),
    Column("sharing", "Spare is", width=84, hover="sharing_words", hide_narrow=True),
    Column("shares", "Shares: held of guaranteed", flex=2, width=150),
)


def device_state(device: Device, picture: Picture, now: datetime) -> str:
    """The state that a row shows."""
    if device.state == "held" and device.holder is not None:
        server = picture.servers.get(device.holder.server)
        if server is not None and is_idle(server, now):
            return "idle"
    return device.state


def device_row(device: Device, picture: Picture, now: datetime) -> dict[str, object]:
    """One device as a row."""
    holder, use = device.holder, device.use
    return {
        "id": device.id,
        "node": device.node,
        "model": f"{device.model} (simulated)" if device.simulated else device.model,
        "origin": f"Known from {_ORIGINS[device.origin]}. UUID {device.uuid}.",
        "memory": device.memory,
        "pool": device.pool,
        "holder": f"{holder.person} · {holder.display_name or holder.name or 'default'}"
        if holder
        else None,
        "group": f"Group {holder.group} pays." if holder and holder.group else "",
        "use": use.utilisation if use and holder else None,
        "measured": _measured(device, now),
        "since": holder.since if holder else None,
        "isolation": device.isolation.value.replace("-", " "),
        "isolation_words": device.isolation_words,
        "state": device_state(device, picture, now),
        "health": _why(device),
    }


def _why(device: Device) -> str:
    """Why it is in its state, as far as anybody said."""
    used = f"Used by {device.taken_by}, outside the platform." if device.taken_by else ""
    said = (device.health_note, used, device.cordon, device.node_cordon)
    return " ".join(one for one in said if one)


_ORIGINS = {
    "nvml": "the machine's driver",
    "settings": "the settings",
    "simulated": "nowhere: it is simulated, and does not exist",
    "kubernetes": "the cluster",
}


def _measured(device: Device, now: datetime) -> str:
    """How a device's numbers were come by, and when."""
    if device.holder is None:
        return ""
    if device.use is None:
        return "Its server has reported nothing."
    said = device.use.note or device.use.measured.words
    if device.use.memory_used is not None:
        said = f"{format_memory(device.use.memory_used)} of its memory in use; {said}"
    return f"{said}, {ago(device.used_at, now)}" if device.used_at else said


def pool_row(pool: Pool) -> dict[str, object]:
    """One pool as a row."""
    return {
        "id": pool.name,
        "made_of": f"Made of {pool.nodes.words}." if pool.nodes else "",
        "model": pool.model or ("any" if pool.name == "default" else None),
        "held": (pool.held, pool.total),
        "healthy": pool.healthy,
        "free": pool.free,
        "guaranteed": pool.guaranteed,
        "guaranteed_words": f"Groups are guaranteed {pool.guaranteed} of {pool.total}; {pool.unused_guarantee} of that is not used now.",
        "spare": pool.spare,
        "spare_words": f"{pool.spare} free devices that no guarantee covers.",
        "sharing": "lent" if pool.policy.sharing else "kept",
        "sharing_words": pool.policy.sentence,
        "shares": ", ".join(
            f"{share.group} {share.held} of {share.guaranteed}"
            + (f" (up to {share.ceiling})" if share.ceiling > share.guaranteed else "")
            for share in pool.shares
        )
        or None,
    }
