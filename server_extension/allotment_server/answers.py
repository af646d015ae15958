"""What ``GET /allotment/me`` answers, and the page shows."""

from __future__ import annotations

from datetime import UTC, datetime

from allotment.inventory.measuring import is_real
from allotment.model.documents import LimitUse, Me, Notice, Server, Ticket
from allotment.model.documents.capacity import GroupShare
from allotment.model.documents.document import Document
from allotment.model.documents.launching import HeldDevice
from allotment.model.reports import DeviceUse, Measured
from allotment_server.reporting import Reporting
from allotment_server.surroundings import Surroundings


class OwnDevice(Document):
    """A device of this server. ``held`` is what the platform says of it, ``use`` what was measured here."""

    id: str
    held: HeldDevice | None
    use: DeviceUse | None


class ThisServer(Document):
    """This server, as its environment tells it. ``allotment`` is empty for one that the platform did not start."""

    allotment: str
    hub: str
    name: str
    profile: str
    group: str
    devices: tuple[OwnDevice, ...]


class ControlPlaneState(Document):
    """Whether the control plane answers now. ``why``: why not. ``told_at``: of when what is told here is.

    ``configured`` is false for a server that was started without one.
    """

    configured: bool
    reachable: bool
    why: str = ""
    told_at: datetime | None = None


class ReportState(Document):
    """How this server's reports to the control plane go. ``why`` is empty while they arrive."""

    sent_at: datetime | None
    failing_since: datetime | None
    why: str
    next_at: datetime | None


class MeAnswer(Document):
    """The owner of this server: limits, what is held, notices. None: the control plane has never told."""

    person: str
    role: str | None
    groups: tuple[str, ...] | None
    server: ThisServer
    limits: tuple[LimitUse, ...] | None
    shares: dict[str, tuple[GroupShare, ...]] | None
    servers: tuple[Server, ...] | None
    tickets: tuple[Ticket, ...] | None
    notices: tuple[Notice, ...]
    control_plane: ControlPlaneState
    reports: ReportState


def put_together(
    here: Surroundings,
    told: Me | None,
    control_plane: ControlPlaneState,
    uses: tuple[DeviceUse, ...],
    reporting: Reporting,
) -> MeAnswer:
    """Put together what the platform told and what is known here."""
    return MeAnswer(
        person=told.person if told else here.person,
        role=told.role if told else None,
        groups=told.groups if told else None,
        server=_this_server(here, told, uses),
        limits=told.limits if told else None,
        shares=told.shares if told else None,
        servers=told.servers if told else None,
        tickets=told.tickets if told else None,
        notices=_notices(here, told, uses),
        control_plane=control_plane,
        reports=ReportState(
            sent_at=reporting.sent_at,
            failing_since=reporting.failing_since,
            why=reporting.why,
            next_at=reporting.next_at,
        ),
    )


def own_entry(here: Surroundings, servers: tuple[Server, ...]) -> Server | None:
    """This server among those of its owner: the one with its allotment."""
    return next(
        (server for server in servers if here.allotment and server.allotment == here.allotment),
        None,
    )


def _this_server(here: Surroundings, told: Me | None, uses: tuple[DeviceUse, ...]) -> ThisServer:
    entry = own_entry(here, told.servers) if told else None
    held = {device.id: device for device in entry.devices} if entry else {}
    measured = {use.id: use for use in uses}
    return ThisServer(
        allotment=here.allotment,
        hub=here.hub,
        name=here.server,
        profile=here.profile,
        group=here.group,
        devices=tuple(
            OwnDevice(id=device, held=held.get(device), use=measured.get(device))
            for device, _ in here.devices
        ),
    )


def _notices(
    here: Surroundings, told: Me | None, uses: tuple[DeviceUse, ...]
) -> tuple[Notice, ...]:
    """What the platform told, and what only this server sees: a real device that does not answer."""
    platform = told.notices if told else ()
    known = " ".join(notice.message for notice in platform if notice.kind == "device")
    real = {device for device, uuid in here.devices if is_real(uuid)}
    real |= {slot.id for slot in here.slots}
    now = datetime.now(UTC)
    own = tuple(
        Notice(at=now, kind="device", message=f"Device {use.id} cannot be measured. {use.note}")
        for use in uses
        if use.measured is Measured.UNAVAILABLE
        and use.measurable
        and use.id in real
        and use.id not in known
    )
    return platform + own
