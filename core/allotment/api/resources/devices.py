"""Devices: what there is, how it is, who holds it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from allotment.api.answering import answer, answer_list
from allotment.api.fields import DevicePath, NameQuery, Sequence
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, Plane
from allotment.api.views.capacity import device_documents
from allotment.api.views.changes import touched
from allotment.model import documents
from allotment.model.refusals import NotFound
from allotment.record import events
from allotment.rules.permission import sight

router = APIRouter(prefix="/devices", tags=["devices"])


@router.get("", response_model=documents.DeviceListing, summary="List devices")
def list_devices(
    request: Request,
    plane: Plane,
    caller: Asker,
    page: Paged,
    pool: NameQuery = None,
    changed_after: Sequence = None,
) -> Response:
    """All devices for those who see everything; else those that own and led groups' servers hold."""
    seen, now = sight(caller), plane.now()
    reported, observed = plane.use.latest(now), plane.use.observed(now)
    with plane.record.reading() as reading:
        change = None if changed_after is None else touched(reading, seen, changed_after)
        only = None if change is None else change.devices
        found = device_documents(reading, seen, reported, observed, pool=pool, only=only)
        sequence = events.latest_sequence(reading)
    items, following = cut(found, lambda device: (device.id,), page)
    removed = () if only is None else sorted(only - {device.id for device in found})
    listing = documents.DeviceListing(
        items=items,
        next=following,
        sequence=sequence,
        complete=only is None,
        removed=tuple(removed),
    )
    return answer_list(request, listing)


@router.get("/{device}", response_model=documents.Device, summary="Read a device")
def read_device(plane: Plane, caller: Asker, device: DevicePath) -> Response:
    """One device, where the caller may see it."""
    now = plane.now()
    reported, observed = plane.use.latest(now), plane.use.observed(now)
    with plane.record.reading() as reading:
        found = device_documents(reading, sight(caller), reported, observed, only={device})
    if not found:
        raise NotFound("device", device)
    return answer(found[0])
