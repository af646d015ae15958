"""Servers and profiles as documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

from allotment.api.views.endings import EndsView, lifetime_end
from allotment.api.views.names import server_id
from allotment.model import documents
from allotment.model.allotments import Allotment, HeldDevice, State
from allotment.model.instance_types import TypeUse
from allotment.model.profiles import Priority, Profile
from allotment.record import Reading, devices, servers
from allotment.record.claim_facts import priced
from allotment.record.profiles import PublishedProfile
from allotment.record.servers import Server
from allotment.rules.instance_types import unavailable
from allotment.rules.permission import Sight
from allotment.work.live_use import Reported

_STATES: dict[State, Literal["offered", "starting", "running", "stopping", "stopped"]] = {
    State.OFFERED: "offered",
    State.STARTING: "starting",
    State.RUNNING: "running",
    State.STOPPING: "stopping",
    State.RELEASED: "stopped",
}


def server_documents(
    reading: Reading,
    sight: Sight,
    reported: Mapping[str, Reported],
    *,
    person: str | None = None,
    people: Collection[str] | None = None,
) -> list[documents.Server]:
    """Servers that the caller may see, by person, name and hub."""
    ailing, ends = ailing_devices(reading), EndsView.read(reading)
    if not sight.everything and not sight.leads:
        person = sight.person if person in {None, sight.person} else ""
    found = servers.all_servers(reading, person=person, people=people)
    return [
        server_document(one, reported.get(one.allotment.id), ailing.get(one.allotment.id, ()), ends)
        for one in found
        if sight.sees(one.person, (one.allotment.group,))
    ]


def ailing_devices(reading: Reading) -> dict[str, tuple[str, ...]]:
    """By allotment: what is wrong with devices that it holds, in sentences."""
    wrong: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for device in devices.all_devices(reading):
        if device.holder and device.state in {"unhealthy", "missing"}:
            state = "is not healthy" if device.state == "unhealthy" else "is not there any more"
            note = f": {device.health_note}" if device.health_note else ""
            wrong[device.holder] += (f"{device.id} {state}{note}.",)
    return wrong


def server_document(
    server: Server, last: Reported | None, warnings: tuple[str, ...], ends: EndsView
) -> documents.Server:
    """One server as a document."""
    allotment = server.allotment
    promised = allotment.terms.get("profile", {})
    chosen = allotment.terms.get("software", {})
    price = promised.get("price")
    return documents.Server.model_construct(
        id=server_id(server.hub, server.person, server.name),
        hub=server.hub,
        person=server.person,
        name=server.name,
        display_name=server.display_name,
        note=server.note,
        profile=allotment.profile,
        profile_title=promised.get("title", allotment.profile),
        instance_type=promised.get("instance_type"),
        software=chosen.get("name", ""),
        software_title=chosen.get("title", ""),
        group=allotment.group,
        pool=allotment.pool,
        state=_STATES[allotment.state],
        since=since(allotment),
        created_at=server.created_at,
        admitted_at=allotment.admitted_at,
        running_at=allotment.running_at,
        allotment=allotment.id,
        devices=tuple(_held_device(device) for device in allotment.devices),
        price=None if price is None else Decimal(str(price)),
        charged_until=allotment.charge_end,
        awaits=allotment.awaits if allotment.state is State.STARTING else "",
        stop_reason=allotment.stop_reason,
        stopped_by=allotment.stopped_by,
        stop_cause=allotment.stop_cause,
        endings=ends.endings(allotment),
        lifetime_end=lifetime_end(allotment),
        keep=ends.keep(allotment),
        warnings=warnings,
        use=None if last is None or not allotment.active else use_document(last),
    )


def _held_device(device: HeldDevice) -> documents.HeldDevice:
    return documents.HeldDevice.model_construct(
        id=device.id,
        node=device.node,
        model=device.model,
        memory=device.memory,
        isolation=device.isolation,
    )


def since(allotment: Allotment) -> datetime:
    """When an allotment came into its state."""
    if allotment.state is State.RELEASED:
        return allotment.released_at or allotment.admitted_at
    if allotment.state is State.STOPPING:
        return allotment.stopping_at or allotment.admitted_at
    if allotment.state is State.RUNNING:
        return allotment.running_at or allotment.admitted_at
    return allotment.admitted_at


def use_document(last: Reported) -> documents.ServerUse:
    """What a server reported last."""
    report = last.report
    return documents.ServerUse(
        at=last.at,
        kernels=report.kernels,
        kernels_busy=report.kernels_busy,
        terminals=report.terminals,
        last_activity=report.last_activity,
        devices=report.devices,
    )


def report_document(last: Reported) -> documents.UseReport:
    """A report for the stream."""
    return documents.UseReport(
        server=last.server,
        allotment=last.allotment,
        person=last.person,
        group=last.group,
        **dict(use_document(last)),
    )


def _software(profile: Profile, *, every: bool) -> tuple[documents.OfferedSoftware, ...]:
    return tuple(
        documents.OfferedSoftware(
            name=one.name,
            title=one.title,
            description=one.description,
            image=one.image,
            python_environment=(one.python_environment or "") if every else "",
        )
        for one in profile.software
    )


def profile_document(
    published: PublishedProfile, sight: Sight, holders: int, use: TypeUse | None = None
) -> documents.Profile:
    """One profile; files, problems and who may see it only for those who see everything.

    ``use`` is what is known of its instance type.
    """
    profile = None if published.profile is None else priced(published.profile, use)
    every = sight.everything
    return documents.Profile(
        name=published.name,
        title=profile.title if profile else published.name,
        description=profile.description if profile else "",
        devices=profile.devices if profile else 0,
        pool=profile.pool if profile else "any",
        cpu=profile.cpu if profile else None,
        memory=profile.memory if profile else None,
        image=profile.image if profile else None,
        software=_software(profile, every=every) if profile else (),
        instance_type=profile.instance_type if profile else None,
        unavailable=unavailable(profile, use) if profile else "",
        priority=profile.priority if profile else Priority.DEDICATED,
        price=profile.price if profile else None,
        visible_to=profile.visible_to if profile and every else None,
        successor=profile.successor if profile else None,
        successor_message=profile.successor_message if profile else "",
        enabled=published.enabled,
        retired=published.retired,
        offered=published.offered,
        source=published.source if every else "",
        problem=published.problem if every else "",
        servers=holders if every else 0,
        revision=published.revision,
    )
