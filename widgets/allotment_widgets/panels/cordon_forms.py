"""Forms for what is out of use: taking nodes, pools and devices out, and giving them back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

from allotment.model.amounts import counted
from allotment.model.cordons import Scope
from allotment.model.documents import (
    AffectedServer,
    Consequences,
    Cordon,
    CordonConsequences,
    Device,
    DrainedServer,
)
from allotment.model.foresight import Effect
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.columns import Column
from allotment_widgets.desk import Desk
from allotment_widgets.fields import choice_field, helped, text_field
from allotment_widgets.foreseeing import Foreseen
from allotment_widgets.panels.reservation_forms import read_time, zone_of
from allotment_widgets.picture import Topic
from allotment_widgets.sentences import devices_count

CORDON_COLUMNS = (
    Column("subject", "What", flex=1, width=120),
    Column("reason", "Why", flex=1.4, width=130, hover="by"),
    Column("begins", "From", flex=0.9, width=136, hover="zone"),
    Column("drains", "Servers stop", flex=0.9, width=136, hover="zone"),
    Column("ends", "Back", flex=0.9, width=136, hover="zone", hide_narrow=True),
    Column("devices", "Devices", kind="number", width=92),
    Column("servers", "Servers", kind="number", width=92),
)
_FORMAT = "%Y-%m-%d %H:%M"
_CHANGED = (Topic.OVERVIEW, Topic.DEVICES)
_FIRST = "Choose what, and write why."
_CHOSEN = "the selected devices"


def cordon_row(one: Cordon, zone: tzinfo = UTC) -> dict[str, object]:
    """One cordon as a row, its times in a time zone."""

    def at(moment: datetime | None, otherwise: str) -> str:
        return otherwise if moment is None else f"{moment.astimezone(zone):{_FORMAT}}"

    return {
        "id": one.id,
        "subject": one.subject,
        "reason": one.reason,
        "by": f"Said by {one.said_by}, {one.said_at.astimezone(zone):{_FORMAT}}",
        "begins": "now" if one.in_force else at(one.begins_at, ""),
        "drains": at(one.drain_at, "they go on"),
        "ends": at(one.ends_at, "when given back"),
        "zone": f"In the platform's time zone, {zone}",
        "devices": one.devices,
        "servers": one.servers,
    }


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a form says: the arguments of ``client.cordons.create``."""

    scope: Scope
    names: tuple[str, ...]
    reason: str
    times: dict[str, datetime | None]


class _Fields:
    """The fields of the form."""

    def __init__(self, desk: Desk, chosen: Sequence[Device]) -> None:
        self._chosen = tuple(each.id for each in chosen)
        self.zone = zone_of(desk.picture)
        self.what = choice_field("What", _choices(desk, chosen))
        self.reason = text_field("Why (its users read this)", placeholder="New power supply")
        self.begins = text_field(f"From ({self.zone})", placeholder="now")
        self.drains = text_field(f"Stop its servers at ({self.zone})", placeholder="they go on")
        self.ends = text_field(f"Back at ({self.zone})", placeholder="when given back")
        hint = "Times such as 2026-12-01 09:00. Left empty, it begins now, servers go on, and it stays out."
        self.all: list[Any] = [self.what, self.reason, self.begins, self.drains, self.ends]
        self.shown = [self.what, self.reason, self.begins, self.drains, helped(self.ends, hint)]

    def wanted(self) -> _Wanted:
        """What is written.

        Raises:
            Refusal: something that is no time.
        """
        scope, _, name = self.what.value.partition(" ")
        names = self._chosen if scope == Scope.DEVICE else (name,)
        texts = {"begins_at": self.begins, "drain_at": self.drains, "ends_at": self.ends}
        times = {
            key: read_time(field.description or "Time", field.value, self.zone)
            for key, field in texts.items()
            if field.value.strip()
        }
        return _Wanted(Scope(scope), names, self.reason.value.strip(), dict(times))


def _choices(desk: Desk, chosen: Sequence[Device]) -> list[tuple[str, str]]:
    """Everything that can be taken out of use; the selected devices first, where there are any."""
    nodes = sorted({each.node for each in desk.picture.devices.values() if each.node})
    pools = [each.name for each in desk.picture.overview.pools] if desk.picture.overview else []
    selected = [(f"{devices_count(len(chosen))} selected", f"{Scope.DEVICE} {_CHOSEN}")]
    return [
        *(selected if chosen else []),
        *((f"node {name}", f"{Scope.NODE} {name}") for name in nodes),
        *((f"pool {name}", f"{Scope.POOL} {name}") for name in pools),
    ]


def cordoning(desk: Desk, slot: Slot, chosen: Sequence[Device] = ()) -> Asking:
    """The form that takes the selected devices, a node or a pool out of use."""
    fields = _Fields(desk, chosen)

    async def act() -> str:
        wanted = fields.wanted()
        made = await desk.call(
            desk.client.cordons.create, wanted.scope, wanted.names, wanted.reason, **wanted.times
        )
        desk.again(*_CHANGED)
        return f"{made.subject.capitalize()} {_verb(made)} out of use."

    asking = Asking(
        desk,
        slot,
        "Take out of use",
        confirm="Take out of use",
        act=act,
        fields=fields.shown,
        tone="risk",
    )
    foreseen = Foreseen(desk, asking)

    def refresh() -> None:
        written = tuple(field.value for field in fields.all)
        ready = bool(fields.what.value and fields.reason.value.strip())
        asking.enable(possible=ready)

        def ask() -> Consequences:
            wanted = fields.wanted()
            call = desk.client.cordons.consequences
            found = call(wanted.scope, wanted.names, wanted.reason, **wanted.times)
            return as_consequences(found, wanted.times.get("drain_at"))

        foreseen.say([] if ready else [_FIRST], ask if ready else None, of=written)

    for field in fields.all:
        field.observe(lambda _: desk.backend.soon(refresh), "value")
    refresh()
    return asking


def _verb(made: Cordon) -> str:
    return "is" if made.in_force else f"will be from {made.begins_at:{_FORMAT}} UTC on"


def as_consequences(found: CordonConsequences, drain_at: datetime | None) -> Consequences:
    """What it would do, as forms show it."""
    lines = [f"Nothing new is put on {devices_count(len(found.devices))} meanwhile."]
    if found.servers and drain_at is None:
        lines.append(f"{counted(len(found.servers), 'server')} there may go on.")
    elif found.servers:
        lines.append(
            f"Users of {counted(len(found.servers), 'server')} there are told now; what still runs then is stopped."
        )
    lines += [
        f"Pool {one.pool} could give out {devices_count(one.available)}, and "
        f"{max(one.guaranteed, one.reserved)} are promised."
        for one in found.short
    ]
    return Consequences(
        consequences=tuple(lines), servers=tuple(_server(one, drain_at) for one in found.servers)
    )


def _server(one: DrainedServer, drain_at: datetime | None) -> AffectedServer:
    return AffectedServer(
        allotment=one.server,
        person=one.person,
        name=one.name,
        group=one.group,
        pool=one.pool,
        profile="",
        devices=len(one.devices),
        effect=Effect.OVER if drain_at is None else Effect.STOPPED,
        words="goes on" if drain_at is None else "is stopped",
        because=", ".join(one.devices),
        at=drain_at,
        cost=Decimal(0),
    )


def giving_back(desk: Desk, slot: Slot, one: Cordon) -> Asking:
    """The form that gives something back to use."""

    async def act() -> str:
        await desk.call(desk.client.cordons.lift, one.id, revision=one.revision)
        desk.again(*_CHANGED)
        return f"{one.subject.capitalize()} {'is' if len(one.names) == 1 else 'are'} in use again."

    asking = Asking(desk, slot, "Give back", confirm="Give back", act=act)
    lines = [f"{devices_count(one.devices)} of {one.subject} can be given out again."]
    if one.drain_at is not None and one.servers:
        lines.append(
            f"{counted(one.servers, 'server')} that would have been stopped: not any more."
        )
    asking.will(*lines)
    return asking
