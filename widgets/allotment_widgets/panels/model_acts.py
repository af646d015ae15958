"""What can be done with a registered model: shared, deleted."""

from __future__ import annotations

from functools import partial

from allotment.model.amounts import format_size
from allotment.model.documents import RegisteredModel
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.audience_fields import AudienceFields
from allotment_widgets.desk import Desk
from allotment_widgets.model_rows import audience_words, model_state
from allotment_widgets.picture import Topic


def sharing(desk: Desk, slot: Slot, model: RegisteredModel) -> Asking:
    """The form that says who may load a version of a model beside its owner."""
    fields = AudienceFields(desk, model.audience, None, "model", managed=False)

    async def act() -> str:
        share = partial(desk.client.models.share, model.name, model.version, fields.audience)
        found = await desk.call(share)
        desk.again(Topic.MODELS)
        return f"{model.name} {model.version} is shared with {audience_words(found)}."

    title = f"Share {model.name} {model.version}"
    asking = Asking(desk, slot, title, confirm="Share", act=act, fields=[fields.view])

    def refresh() -> None:
        changed = "audience" in fields.given
        asking.enable(possible=changed)
        words = fields.audience.words or "nobody else"
        line = f"{model.person} and {words} can load it." if changed else "Nothing is changed yet."
        asking.will(line)

    fields.on_change(refresh)
    refresh()
    return asking


def deleting(desk: Desk, slot: Slot, model: RegisteredModel) -> Asking:
    """The form that forgets a version of a model."""

    async def act() -> str:
        await desk.call(desk.client.models.delete, model.name, model.version)
        desk.again(Topic.MODELS)
        return f"{model.name} {model.version} was deleted."

    title = f"Delete {model.name} {model.version}"
    asking = Asking(desk, slot, title, confirm="Delete", act=act, tone="risk")
    state = model_state(model)
    lost = {
        "kept": f"Its file in {model.target} ({format_size(model.size or 0)}) is deleted too.",
        "elsewhere": f"What lies at {model.uri} stays there.",
        "empty": "No file of it was sent.",
    }
    shared = audience_words(model)
    asking.will(
        "It is gone, with its metrics and what it came from.",
        lost[state],
        f"Those it is shared with lose it: {shared}."
        if shared not in {None, "nobody else"}
        else "",
        f"{model.person} may register one more.",
    )
    return asking
