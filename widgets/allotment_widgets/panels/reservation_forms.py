"""Forms for reservations: keeping devices for a group or a person, and giving them back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from allotment.model.documents import Reservation
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.columns import Column
from allotment_widgets.desk import Desk
from allotment_widgets.fields import choice_field, number_field, text_field
from allotment_widgets.panels.user_forms import group_options
from allotment_widgets.picture import Picture, Topic
from allotment_widgets.sentences import devices_count

RESERVATION_COLUMNS = (
    Column("pool", "Pool", flex=0.9, width=88),
    Column("devices", "Devices", kind="number", width=92),
    Column("holder", "For", flex=1, width=100),
    Column("begins", "From", flex=1, width=140, hover="zone"),
    Column("ends", "To", flex=1, width=140, hover="zone"),
    Column("note", "Note", flex=1.4, width=110, hide_narrow=True),
)
_FORMAT = "%Y-%m-%d %H:%M"


def zone_of(picture: Picture) -> tzinfo:
    """The platform's time zone; UTC where it is not known yet, or not on this machine."""
    name = picture.about.time_zone if picture.about else "UTC"
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return UTC


def reservation_row(one: Reservation, zone: tzinfo = UTC) -> dict[str, object]:
    """One reservation as a row, its times in a time zone."""
    return {
        "id": one.id,
        "pool": one.pool,
        "devices": one.devices,
        "holder": _holder(one),
        "begins": f"{one.begins_at.astimezone(zone):{_FORMAT}}",
        "ends": f"{one.ends_at.astimezone(zone):{_FORMAT}}",
        "zone": f"In the platform's time zone, {zone}",
        "note": one.note or None,
    }


def _holder(one: Reservation) -> str:
    return f"group {one.group}" if one.group else str(one.person)


def read_time(label: str, text: str, zone: tzinfo = UTC) -> datetime:
    """Read ``2026-12-01 09:00``, in a time zone.

    Raises:
        Refusal: it is no such time.
    """
    try:
        return datetime.strptime(text.strip(), _FORMAT).replace(tzinfo=zone)
    except ValueError:
        message = f"{label}: {text[:40]!r} is no time."
        remedy = f"Write a time in {zone}, such as 2026-12-01 09:00."
        raise Refusal(Reason(Rule.REQUEST, message, remedy=remedy)) from None


def reserving(desk: Desk, slot: Slot, pool: str = "") -> Asking:
    """The form that keeps devices of a pool for a group or a person."""
    pools = [each.name for each in desk.picture.overview.pools] if desk.picture.overview else []
    zone = zone_of(desk.picture)
    soon = datetime.now(zone).replace(minute=0) + timedelta(hours=1)
    where = choice_field("Pool", pools, pool)
    devices = number_field("Devices", 1, least=1)
    group = choice_field("For group", group_options(desk.picture, "a person"))
    person = text_field("Or for person", placeholder="ada")
    begins = text_field(f"From ({zone})", f"{soon:{_FORMAT}}")
    ends = text_field(f"To ({zone})", f"{soon + timedelta(hours=4):{_FORMAT}}")
    note = text_field("What it is for", placeholder="Course on segmentation")

    async def act() -> str:
        made = await desk.call(
            desk.client.reservations.create,
            where.value,
            devices.value,
            read_time("From", begins.value, zone),
            read_time("To", ends.value, zone),
            group=group.value or None,
            person=person.value.strip() or None,
            note=note.value.strip(),
        )
        desk.again(Topic.OVERVIEW)
        return f"{devices_count(made.devices)} of pool {made.pool} are kept for {_holder(made)}."

    fields = [where, devices, group, person, begins, ends, note]
    asking = Asking(desk, slot, "Reserve devices", confirm="Reserve", act=act, fields=fields)

    def refresh() -> None:
        holder = f"group {group.value}" if group.value else person.value.strip()
        asking.will(*_lines(desk.picture, where.value, devices.value, holder))
        asking.enable(possible=bool(holder))

    for field in fields:
        field.observe(lambda _: desk.backend.soon(refresh), "value")
    refresh()
    return asking


def _lines(picture: Picture, pool: str, devices: int, holder: str) -> list[str]:
    if not holder:
        return ["Choose a group, or write a person's name."]
    kept = f"{devices_count(devices)} of pool {pool} are kept for {holder} in that time"
    lines = [
        f"{kept}; what its holder has there already counts.",
        "What runs when it begins goes on. Before that, nothing starts that would run into it by its estimate.",
    ]
    pools = picture.overview.pools if picture.overview else ()
    known = next((each for each in pools if each.name == pool), None)
    if known is not None and devices > known.total:
        lines.append(f"The pool has {devices_count(known.total)} only, which stands in the way.")
    return lines


def cancelling(desk: Desk, slot: Slot, one: Reservation) -> Asking:
    """The form that cancels a reservation."""

    async def act() -> str:
        await desk.call(desk.client.reservations.cancel, one.id, revision=one.revision)
        desk.again(Topic.OVERVIEW)
        return f"The reservation of pool {one.pool} for {_holder(one)} was cancelled."

    title = "Cancel the reservation"
    asking = Asking(desk, slot, title, confirm=title, act=act, tone="risk")
    asking.will(
        f"{devices_count(one.devices)} of pool {one.pool} are no longer kept for {_holder(one)}."
    )
    return asking
