"""Tables that several commands show."""

from __future__ import annotations

from collections.abc import Iterable

from allotment.cli.output import Output, ago
from allotment.model.documents import GroupShare, LimitUse, Pool, ReasonDocument, Server


def pool_table(out: Output, found: Iterable[Pool], title: str = "") -> None:
    """Pools, and what of them is held."""
    out.table(
        ("Pool", "Model", "#Devices", "#Held", "#Free", "#Guaranteed", "#Spare", "#Unhealthy"),
        (
            (
                pool.name,
                pool.model or "any",
                pool.total,
                pool.held,
                pool.free,
                pool.guaranteed,
                pool.spare,
                pool.total - pool.healthy,
            )
            for pool in found
        ),
        empty="There is no pool that you may see.",
        title=title,
    )


def share_table(out: Output, shares: Iterable[GroupShare], title: str) -> None:
    """Shares of one group, and what it holds of them."""
    out.table(
        ("Pool", "#Held", "#Guaranteed", "#Ceiling", "#Free in the pool"),
        ((one.pool, one.held, one.guaranteed, one.ceiling, one.free) for one in shares),
        empty="No share: the default pool only.",
        title=title,
    )


def limit_table(out: Output, limits: Iterable[LimitUse]) -> None:
    """Limits that bind one person, and where they come from."""
    out.table(
        ("Limit", "#Used", "#Of", "Comes from"),
        (
            (
                one.words,
                one.used,
                "no limit" if one.value is None else one.value,
                one.source if one.value is not None else "",
            )
            for one in limits
        ),
        empty="No limit is set.",
        title="Limits",
    )


def server_name(server: Server) -> str:
    """A server as people write it: ``person`` or ``person/name``."""
    return f"{server.person}/{server.name}" if server.name else server.person


def server_table(out: Output, found: Iterable[Server], title: str = "") -> None:
    """Servers: whose, what they hold, and since when."""
    out.table(
        ("Server", "Profile", "Group", "State", "For", "Devices", "Note"),
        (
            (
                server_name(server),
                server.profile,
                server.group,
                server.state,
                ago(server.since),
                ", ".join(device.id for device in server.devices)
                if server.state != "stopped"
                else "",
                "; ".join(server.warnings) or server.awaits or server.stop_reason,
            )
            for server in found
        ),
        empty="No server.",
        title=title,
    )


def show_reasons(out: Output, reasons: Iterable[ReasonDocument]) -> None:
    """Each reason with its rule and what would help."""
    for reason in reasons:
        out.say(f"  {reason.message} ({reason.rule})")
        if reason.remedy:
            out.say(f"    {reason.remedy}", "dim")
