"""What can be done with a dataset: read again, enable and disable, revoke, delete."""

from __future__ import annotations

from allotment.model.amounts import counted
from allotment.model.documents import Dataset
from allotment.model.refusals import AllotmentError
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.panels import registered
from allotment_widgets.panels.dataset_forms import CHANGED, read_words
from allotment_widgets.sentences import problem_lines
from allotment_widgets.source_rows import audience_words, revoked_words

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
    edit, lines = desk.client.datasets.edit, _enabling_lines(dataset, enabled=enabled)
    return registered.enabling(desk, slot, dataset, edit, CHANGED, enabled=enabled, lines=lines)


def _enabling_lines(dataset: Dataset, *, enabled: bool) -> list[str]:
    if enabled:
        return [f"It can be loaded again by {audience_words(dataset) or 'its users'}."]
    return [
        "It vanishes from people's lists, and new servers cannot load it.",
        *registered.kept_lines(dataset),
        "Revoke takes it from them too, at once.",
    ]


def revoking(desk: Desk, slot: Slot, dataset: Dataset) -> Asking:
    """The form that takes a dataset back from every server, at once."""
    lines = [
        "What was loaded already stays in their memory; nothing more is lent from then on.",
        *_through_lines(desk, dataset),
    ]
    revoke = desk.client.datasets.revoke
    return registered.revoking(desk, slot, dataset, revoke, CHANGED, lines=lines)


def _through_lines(desk: Desk, dataset: Dataset) -> list[str]:
    """When what was lent of its source ends."""
    found = [each for each in desk.picture.sources if each.name == dataset.source]
    return [revoked_words(each) for each in found]


def deleting(desk: Desk, slot: Slot, dataset: Dataset) -> Asking:
    """The form that forgets a dataset."""
    gone = ["what is registered"]
    if dataset.attachments:
        gone.append(counted(len(dataset.attachments), "attached document"))
    if dataset.version:
        gone.append("its versions")
    lines = [
        f"Forgotten: {', '.join(gone)}.",
        "Its files stay where they are.",
        *registered.lost_lines(dataset),
    ]
    delete = desk.client.datasets.delete
    return registered.deleting(desk, slot, dataset, delete, CHANGED, lines=lines)
