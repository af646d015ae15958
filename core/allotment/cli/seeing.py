"""Commands that show: status, pools, groups, users, servers, explain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from allotment.cli.ending import Exit
from allotment.cli.health import show_parts
from allotment.cli.options import Json, Url, control_plane
from allotment.cli.output import Output, ago
from allotment.cli.tables import (
    limit_table,
    pool_table,
    server_table,
    share_table,
    show_reasons,
)
from allotment.cli.waiting import show_ways, starts_words
from allotment.client import AllotmentClient
from allotment.model.amounts import counted
from allotment.model.devices import Isolation
from allotment.model.documents import (
    About,
    Capacity,
    Device,
    Group,
    Me,
    Overview,
    Pool,
    ReasonDocument,
)
from allotment.model.people import Permission

Name = Annotated[str | None, typer.Argument(help="Only this one, with its details.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (status, pools, groups, users, servers, explain):
        app.command()(command)


def status(url: Url = None, as_json: Json = False) -> None:
    """Say how the platform is: capacity, servers, alerts, its parts. Without that permission, what is your own."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        me = client.me()
        if Permission.SEE_ALL not in me.permissions:
            _show_me(out, me)
            return
        overview = client.overview()
        if as_json:
            out.document(overview)
            return
        _show_overview(out, client.about(), overview)
        show_parts(out, client.parts(), title="Parts")


def _show_overview(out: Output, about: About, overview: Overview) -> None:
    out.say(f"Allotment {about.version}, hub {about.hub}, record in {about.record}", "bold")
    out.say(f"Devices  {_capacity(overview.capacity)}")
    states = ", ".join(f"{number} {state}" for state, number in overview.servers.items() if number)
    out.say(f"Servers  {states or 'none'}")
    out.say(f"People   {overview.people}")
    pool_table(out, overview.pools, title="Pools")
    out.table(
        ("Kind", "Alert"),
        ((alert.kind, alert.message) for alert in overview.alerts),
        empty="Nothing needs an eye.",
        title="Alerts",
    )
    out.table(
        ("When", "Person", "Profile", "Why"),
        (
            (f"{ago(one.at)} ago", one.person, one.profile, _messages(one.reasons))
            for one in overview.refusals[:5]
        ),
        empty="Nobody was refused lately.",
        title="Refused last",
    )


def _capacity(capacity: Capacity) -> str:
    parts = [f"{capacity.total}: {capacity.held} held, {capacity.free} free"]
    parts += [f"{capacity.unhealthy} unhealthy"] if capacity.unhealthy else []
    parts += [f"{capacity.missing} missing"] if capacity.missing else []
    parts += [f"{capacity.taken} used by others"] if capacity.taken else []
    parts += [f"{capacity.cordoned} out of use"] if capacity.cordoned else []
    simulated = " (simulated: nothing runs on them)" if capacity.simulated else ""
    return ", ".join(parts) + simulated


def _show_me(out: Output, me: Me) -> None:
    if out.as_json:
        out.document(me)
        return
    groups_said = f" in {', '.join(me.groups)}" if me.groups else ""
    out.say(f"{me.person}, {me.role or 'not on-boarded'}{groups_said}", "bold")
    if me.reach != "everything":
        out.say("This token shows your own things only.", "dim")
    limit_table(out, me.limits)
    for group, shares in me.shares.items():
        share_table(out, shares, title=f"Shares of {group}")
    server_table(out, me.servers, title="Servers")
    for notice in me.notices:
        out.say(f"{ago(notice.at)} ago: {notice.message}")


def pools(name: Name = None, url: Url = None, as_json: Json = False) -> None:
    """List pools: their devices, and what of them is held."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = (client.pools.get(name),) if name else client.pools.all().items
        if as_json:
            out.document(found[0] if name else found)
            return
        pool_table(out, found)
        if name:
            _pool_details(out, client, found[0])


def _pool_details(out: Output, client: AllotmentClient, pool: Pool) -> None:
    out.say(pool.policy.sentence)
    if pool.nodes is not None:
        out.say(f"Made of {pool.nodes.words}.")
    out.table(
        ("Group", "#Held", "#Guaranteed", "#Ceiling", "#Weight"),
        (
            (share.group, share.held, share.guaranteed, share.ceiling, f"{share.weight:g}")
            for share in pool.shares
        ),
        empty="No group has a share in it.",
        title="Shares",
    )
    found = client.devices.all(pool=pool.name).items
    out.table(
        ("Device", "Node", "State", "Held by", "Since", "Isolation", "Note"),
        (
            (
                device.id,
                device.node,
                device.state,
                f"{device.holder.person}/{device.holder.name}" if device.holder else "",
                ago(device.holder.since) if device.holder else "",
                device.isolation_words.partition(":")[0],
                _device_note(device),
            )
            for device in found
        ),
        empty="It has no devices.",
        title="Devices",
    )
    if any(device.isolation is Isolation.TIME_SLICE for device in found):
        out.say(f"{Isolation.TIME_SLICE.words}.")


def _device_note(device: Device) -> str:
    """Why a device is in its state, where anybody said."""
    used = f"used by {device.taken_by}" if device.taken_by else ""
    said = (device.health_note, used, device.cordon, device.node_cordon)
    return "; ".join(one for one in said if one) or ("simulated" if device.simulated else "")


def groups(name: Name = None, url: Url = None, as_json: Json = False) -> None:
    """List groups: their people, and what they hold of their shares."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = (client.groups.get(name),) if name else client.groups.all().items
    if as_json:
        out.document(found[0] if name else found)
        return
    out.table(
        ("Group", "Title", "#People", "Leads", "Holds"),
        (
            (group.name, group.title, group.people, ", ".join(group.leads), _holds(group))
            for group in found
        ),
        empty="There is no group that you may see.",
    )
    if name:
        _group_details(out, found[0])


def _holds(group: Group) -> str:
    each = (f"{one.held} of {one.guaranteed} in {one.pool}" for one in group.shares)
    return ", ".join(each) or "no share"


def _group_details(out: Output, group: Group) -> None:
    share_table(out, group.shares, title="Shares")
    if group.tags:
        out.say("Tags  " + ", ".join(f"{key}: {value}" for key, value in group.tags.items()))
    out.table(
        ("Member", "Lead", "From", "Until"),
        (
            (
                member.person,
                "lead" if member.lead else "",
                member.origin,
                member.until.isoformat(" ", "minutes") if member.until else "",
            )
            for member in group.members or ()
        ),
        empty="Nobody is in it."
        if group.members is not None
        else "Its leads and operators see it.",
        title="Members",
    )


def users(name: Name = None, url: Url = None, as_json: Json = False) -> None:
    """List people: their role, groups, and what they hold. With a name, also the limits that bind."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = (client.users.get(name),) if name else client.users.all().items
    if as_json:
        out.document(found[0] if name else found)
        return
    out.table(
        ("Person", "Role", "Groups", "#Devices", "#Running", "#Servers"),
        (
            (
                user.name,
                user.role if user.onboarded_at else "not on-boarded",
                ", ".join(sorted({one.group for one in user.memberships})),
                user.devices,
                user.servers,
                user.servers_existing,
            )
            for user in found
        ),
        empty="There is nobody whom you may see.",
    )
    if name:
        limit_table(out, found[0].limits or ())


def servers(
    person: Annotated[str | None, typer.Option(help="Only this person's.")] = None,
    group: Annotated[str | None, typer.Option(help="Only those that this group pays.")] = None,
    profile: Annotated[str | None, typer.Option(help="Only those of this profile.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Stopped ones, too.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List servers: whose, what they hold, and since when."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        active = None if every else True
        found = client.servers.all(person=person, group=group, profile=profile, active=active).items
    if as_json:
        out.document(found)
        return
    server_table(out, found)


def explain(
    person: Annotated[str, typer.Argument(help="Who would launch.")],
    profile: Annotated[str, typer.Argument(help="What would be launched.")],
    group: Annotated[str | None, typer.Option(help="The group that would pay.")] = None,
    server: Annotated[str, typer.Option(help="The server's name.")] = "",
    software: Annotated[str | None, typer.Option(help="Software chosen with it.")] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Say whether a person could launch a profile now, and if not, every rule in the way.

    Exit status 0 where it would be granted, else 1.
    """
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.explain(person, profile, group=group, server=server, software=software)
    if as_json:
        out.document(found)
    elif found.outcome == "granted":
        payer = f", paid by {found.group}" if found.group else ""
        where = f", with devices of pool {found.pool}" if found.pool else ""
        out.say(f"{person} may launch {profile} now{where}{payer}.", "bold")
    else:
        verb = "would wait for" if found.outcome == "waits" else "may not launch"
        rules = counted(len(found.reasons), "rule")
        out.say(f"{person} {verb} {profile} now: {rules} in the way.", "bold")
        show_reasons(out, found.reasons)
        expected = starts_words(found.starts_half, found.starts_most)
        if expected:
            out.say(f"It {expected.replace('starts', 'would start', 1)}.")
        show_ways(out, found.sooner)
    if found.outcome != "granted":
        raise typer.Exit(Exit.REFUSED)


def _messages(reasons: Iterable[ReasonDocument]) -> str:
    return " ".join(reason.message for reason in reasons)
