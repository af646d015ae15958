"""How each part of the platform is, and what is new in its version."""

from __future__ import annotations

from fastapi import APIRouter, Response

from allotment.api import news
from allotment.api.answering import answer
from allotment.api.looking import look_around
from allotment.api.plane import Asker, ControlPlane, Plane, require
from allotment.api.views import health
from allotment.model import documents
from allotment.record import Reading, devices, drift, events, leases, mails, presence, upkeep
from allotment.rules.permission import Action
from allotment.work.presence import steps_on_duty
from allotment.work.tenure import lease_name

router = APIRouter(tags=["platform"])


@router.get(
    "/health/parts", response_model=documents.HealthReport, summary="How each part is, in words"
)
def read_parts(plane: Plane, caller: Asker) -> Response:
    """Hub, proxy, cluster, control planes, record, backups, inventory, reconciling, work, mail and disks.

    Each is asked now, or is as the periodic work found it last. It takes seconds where one is away.
    """
    require(caller, Action.SEE_PLATFORM)
    around, now, hub = look_around(plane), plane.now(), plane.environment.hub
    with plane.record.reading() as reading:
        items = health.parts(hub, _inside(plane, reading), around, now)
        sequence = events.latest_sequence(reading)
    return answer(
        documents.HealthReport(state=health.worst(items), at=now, items=items, sequence=sequence)
    )


def _inside(plane: ControlPlane, reading: Reading) -> health.Inside:
    mail, hub = plane.settings.mail, plane.environment.hub
    holder = leases.holder_of(reading, lease_name(hub))
    return health.Inside(
        upkeep=upkeep.read(reading),
        presences=presence.all_said(reading),
        holder=holder,
        steps=steps_on_duty(reading, plane.loop, hub),
        drift=sum(one.hub == hub for one in drift.open_entries(reading)),
        devices=sum(one.present for one in devices.all_devices(reading)),
        mail_server=None if mail is None else mail.host,
        mails_waiting=mails.waiting(reading),
    )


@router.get("/about/news", response_model=documents.ReleaseListing, summary="What is new")
def read_news() -> Response:
    """What each version brought, the newest first: the changelog of the program that answers."""
    return answer(documents.ReleaseListing(items=news.releases()))
