"""What is done alike with everything that is registered: enabled and disabled, revoked, deleted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any, Literal

from allotment.model.documents import Dataset, Source, VersionTarget
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.picture import Topic
from allotment_widgets.sentences import counted_as, listed

Registered = Source | Dataset | VersionTarget


def enabling(
    desk: Desk,
    slot: Slot,
    thing: Registered,
    edit: Callable[..., Any],
    changed: Collection[Topic],
    *,
    enabled: bool,
    lines: Iterable[str],
) -> Asking:
    """The form that enables or disables a thing by ``edit``; ``lines`` say what follows, unless it is so already."""
    verb = "Enable" if enabled else "Disable"

    async def act() -> str:
        await desk.call(partial(edit, thing.name, revision=thing.revision, enabled=enabled))
        desk.again(*changed)
        return f"{thing.name} is {verb.lower()}d."

    tone: Literal["main", "risk"] = "main" if enabled else "risk"
    asking = Asking(desk, slot, f"{verb} {thing.name}", confirm=verb, act=act, tone=tone)
    done = enabled == thing.enabled
    asking.will(*([f"It is {verb.lower()}d already."] if done else lines))
    asking.enable(possible=not done)
    return asking


def revoking(
    desk: Desk,
    slot: Slot,
    thing: Source | Dataset,
    revoke: Callable[..., Any],
    changed: Collection[Topic],
    *,
    lines: Iterable[str],
) -> Asking:
    """The form that takes a thing back from every server; ``lines`` say what else ends, and when."""

    async def act() -> str:
        await desk.call(revoke, thing.name)
        desk.again(*changed)
        return f"{thing.name} was revoked."

    title = f"Revoke {thing.name}"
    asking = Asking(desk, slot, title, confirm=title, act=act, tone="risk")
    first = "It is disabled, and every server that was promised it loses it."
    asking.will(first, *lost_lines(thing), *lines)
    return asking


def deleting(
    desk: Desk,
    slot: Slot,
    thing: Registered,
    delete: Callable[..., Any],
    changed: Collection[Topic],
    *,
    lines: Iterable[str],
    kept_for: str = "",
) -> Asking:
    """The form that forgets a thing; ``kept_for`` is what needs it: while there is such, it is not deleted."""

    async def act() -> str:
        await desk.call(partial(delete, thing.name, revision=thing.revision))
        desk.again(*changed)
        return f"{thing.name} was deleted."

    asking = Asking(desk, slot, f"Delete {thing.name}", confirm="Delete", act=act, tone="risk")
    asking.will(*([f"It cannot be deleted now: {kept_for}."] if kept_for else lines))
    asking.enable(possible=not kept_for)
    return asking


def kept_lines(thing: Source | Dataset) -> list[str]:
    """Which servers keep something that is disabled."""
    held = thing.held_by
    if not held:
        return [f"Servers that were promised it keep it until they stop. {_nobody(thing)}"]
    number = counted_as(len(held), "server that holds it keeps", "servers that hold it keep")
    return [f"{number} it until it stops: {listed(held)}."]


def lost_lines(thing: Source | Dataset) -> list[str]:
    """Which servers lose something at once."""
    held = thing.held_by
    if not held:
        return [_nobody(thing)]
    number = counted_as(len(held), "server loses", "servers lose")
    return [f"{number} it at once: {listed(held)}."]


def _nobody(thing: Source | Dataset) -> str:
    """Who may use a dataset's source is lent that: then only the promise of the dataset is known."""
    if isinstance(thing, Dataset):
        return "No server that runs was promised it, or is lent its files alone."
    return "No server holds it now."
