"""Forms for homes and archives: each says what it does before it is done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from allotment.model.amounts import format_memory
from allotment.model.documents import Home, HomeArchive
from allotment.model.homes import ArchiveAsk, HomeEnd
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.fields import number_field
from allotment_widgets.picture import Topic


def keeping_form(desk: Desk, slot: Slot, home: Home) -> Asking:
    """The form that keeps a home longer."""
    days = number_field("Days from now (0: as long as all others)", 180, least=0)

    def until() -> datetime | None:
        return datetime.now(UTC) + timedelta(days=days.value) if days.value else None

    async def act() -> str:
        kept = await desk.call(desk.client.homes.keep, home.id, until())
        desk.again(Topic.HOMES)
        if kept.keep_until is None:
            return f"The home of {home.person} is kept as long as all others."
        return f"The home of {home.person} is kept until {kept.keep_until:%Y-%m-%d} at least."

    title = f"Keep the home of {home.person}"
    asking = Asking(desk, slot, title, confirm="Keep", act=act, fields=[days])

    def refresh() -> None:
        end = until()
        if end is None:
            asking.will("It is kept as long as the settings say of all homes.")
        else:
            asking.will(
                f"It is kept until {end:%Y-%m-%d} at least, though nobody uses it.",
                f"{home.person} is told anew before it ends.",
            )

    days.observe(lambda _: desk.backend.soon(refresh), "value")
    refresh()
    return asking


def ending_form(desk: Desk, slot: Slot, home: Home, what: HomeEnd) -> Asking:
    """The form that packs a home away, or removes it."""
    packed = what is HomeEnd.ARCHIVE

    async def act() -> str:
        await desk.call(desk.client.homes.end, home.id, what)
        desk.again(Topic.HOMES)
        return f"The home of {home.person} is {what.words} within a minute."

    title = f"{'Pack away' if packed else 'Remove'} the home of {home.person}"
    confirm = "Pack away" if packed else "Remove for good"
    asking = Asking(desk, slot, title, confirm=confirm, act=act, tone="main" if packed else "risk")
    held = "" if home.used is None else f" ({format_memory(home.used)})"
    if packed:
        asking.will(
            f"Everything in it{held} is packed into a file, which is read back before the home goes.",
            f"{home.person} can have it back: Restore… in the list below.",
        )
    else:
        asking.will(
            f"Everything in it{held} is lost for good.",
            f"{home.person} is not asked. Pack it away instead, and it can come back.",
        )
    return asking


def archive_form(desk: Desk, slot: Slot, archive: HomeArchive, what: ArchiveAsk) -> Asking:
    """The form that restores an archive, or deletes it."""
    restores = what is ArchiveAsk.RESTORE

    async def act() -> str:
        await desk.call(desk.client.homes.archive, archive.id, what)
        desk.again(Topic.HOMES)
        return f"{archive.file} is {'restored' if restores else 'deleted'} within a minute."

    title = f"{'Restore' if restores else 'Delete'} {archive.file}"
    confirm = "Restore" if restores else "Delete for good"
    tone: Literal["main", "risk"] = "main" if restores else "risk"
    asking = Asking(desk, slot, title, confirm=confirm, act=act, tone=tone)
    if restores:
        asking.will(
            f"The home of {archive.person} is there again as it was packed {archive.made_at:%Y-%m-%d}.",
            "Where there are files already, nothing is done. The archive stays.",
        )
    else:
        asking.will(f"What was kept of {archive.person} is lost for good.")
    return asking
