"""What can be done with a dataset: read again, enable and disable, revoke, delete."""

from __future__ import annotations

from functools import partial
from typing import Any

from allotment.model.amounts import counted
from allotment.model.documents import Dataset
from allotment.model.refusals import AllotmentError
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.panels.dataset_forms import CHANGED, read_words
from allotment_widgets.panels.source_acts import kept_lines, lost_lines
from allotment_widgets.sentences import problem_lines
from allotment_widgets.source_rows import audience_words

_CHANGING = frozenset({"change", "read", "enable", "disable", "revoke", "delete"})


def senseless(dataset: Dataset | None) -> frozenset[str]:
    """Actions that make no sense for what is chosen: done already, or not this person's to do."""
    if dataset is None:
        return frozenset({"enable"})
    if not dataset.manages:
        return _CHANGING
    done = {"enable" if dataset.enabled else "disable"}
    return frozenset({*done, "revoke"} if dataset.revoked_at and not dataset.enabled else done)


async def reading_again(desk: Desk, dataset: Dataset) -> None:
    """Have the files read as they are now, and say what was found."""
    desk.say(f"Reading the files of {dataset.name}…")
    try:
        found = await desk.call(desk.client.datasets.read, dataset.name)
    except AllotmentError as error:
        desk.say(" ".join(problem_lines(error)), "bad")
    else:
        problems = found.reading.problems if found.reading else ()
        left = f" {counted(len(problems), 'file')} could not be read." if problems else ""
        desk.say(f"{found.name} was read{read_words(found)}{left}", "bad" if problems else "ok")
    finally:
        desk.again(*CHANGED)


def enabling(desk: Desk, slot: Slot, dataset: Dataset, *, enabled: bool) -> Asking:
    """The form that lets new servers load a dataset, or no longer."""
    verb = "Enable" if enabled else "Disable"

    async def act() -> str:
        edit = partial(desk.client.datasets.edit, dataset.name, revision=dataset.revision)
        await desk.call(partial(edit, enabled=enabled))
        desk.again(*CHANGED)
        return f"{dataset.name} is {verb.lower()}d."

    tone: Any = "main" if enabled else "risk"
    asking = Asking(desk, slot, f"{verb} {dataset.name}", confirm=verb, act=act, tone=tone)
    if enabled == dataset.enabled:
        asking.will(f"It is {'enabled' if enabled else 'disabled'} already.")
    elif enabled:
        asking.will(f"It can be loaded again by {audience_words(dataset) or 'its users'}.")
    else:
        asking.will(
            "It vanishes from people's lists, and new servers cannot load it.",
            *kept_lines(dataset),
            "Revoke takes it from them too, at once.",
        )
    asking.enable(possible=enabled != dataset.enabled)
    return asking


def revoking(desk: Desk, slot: Slot, dataset: Dataset) -> Asking:
    """The form that takes a dataset back from every server, at once."""

    async def act() -> str:
        await desk.call(desk.client.datasets.revoke, dataset.name)
        desk.again(*CHANGED)
        return f"{dataset.name} was revoked."

    title = f"Revoke {dataset.name}"
    asking = Asking(desk, slot, title, confirm=title, act=act, tone="risk")
    asking.will(
        "It is disabled, and every server that was promised it loses it.",
        *lost_lines(dataset),
        "What was loaded already stays in their memory; nothing more is read within a minute.",
    )
    return asking


def deleting(desk: Desk, slot: Slot, dataset: Dataset) -> Asking:
    """The form that forgets a dataset."""

    async def act() -> str:
        delete = partial(desk.client.datasets.delete, dataset.name, revision=dataset.revision)
        await desk.call(delete)
        desk.again(*CHANGED)
        return f"{dataset.name} was deleted."

    asking = Asking(desk, slot, f"Delete {dataset.name}", confirm="Delete", act=act, tone="risk")
    gone = ["what is registered"]
    if dataset.attachments:
        gone.append(counted(len(dataset.attachments), "attached document"))
    if dataset.version:
        gone.append("its versions")
    asking.will(
        f"Forgotten: {', '.join(gone)}.", "Its files stay where they are.", *lost_lines(dataset)
    )
    return asking
