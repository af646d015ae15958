"""Forms for instance types: adding and changing them, no longer offering them, taking them back."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from allotment.model.documents import InstanceType, Server
from allotment.model.people import Permission
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.fields import text_field
from allotment_widgets.picture import Picture, Topic
from allotment_widgets.sentences import counted_as, listed, server_words
from allotment_widgets.server_rows import is_active
from allotment_widgets.server_table import outcome_words

_CHANGED = (Topic.TYPES, Topic.PROFILES, Topic.OVERVIEW, Topic.SERVERS)
_LABELS = {
    "title": "Title",
    "price": "Price per hour",
    "limit": "Instances at most",
    "vcpus": "vCPUs of one",
    "quota": "Code of its quota",
}
_HINTS = {
    "title": "One A10G",
    "price": "1.258; nothing for no price",
    "limit": "8; nothing for no limit of its own",
    "vcpus": "read from AWS where it is configured",
    "quota": "L-DB2E81BA; read from AWS likewise",
}
_LIMITING = ("limit", "vcpus", "quota")


def holders(picture: Picture, name: str) -> list[Server]:
    """Servers that hold an instance of a type."""
    return [
        each for each in picture.servers.values() if each.instance_type == name and is_active(each)
    ]


def adding(desk: Desk, slot: Slot) -> Asking:
    """The form that makes an instance type."""
    return _TypeForm(desk, slot, None).asking


def changing(desk: Desk, slot: Slot, one: InstanceType) -> Asking:
    """The form that changes title, price and limits of an instance type."""
    return _TypeForm(desk, slot, one).asking


class _TypeForm:
    def __init__(self, desk: Desk, slot: Slot, before: InstanceType | None) -> None:
        self._desk, self._before = desk, before
        self._name = text_field("Name", placeholder="g5.xlarge")
        limits = desk.may(Permission.MANAGE_LIMITS)
        self._fields = {
            key: text_field(label, _text(before, key), placeholder=_HINTS[key])
            for key, label in _LABELS.items()
            if limits or key not in _LIMITING
        }
        fields = [*([] if before else [self._name]), *self._fields.values()]
        title = f"Change {before.name}" if before else "Add an instance type"
        confirm = "Save" if before else "Add"
        self.asking = Asking(desk, slot, title, confirm=confirm, act=self._act, fields=fields)
        for field in fields:
            field.observe(lambda _: desk.backend.soon(self._refresh), "value")
        self.asking.refresh = self._refresh
        self._refresh()

    def _given(self) -> dict[str, Any]:
        """What differs from what it is, as values.

        Raises:
            Refusal: something in a field makes no sense.
        """
        changed = {
            key: field.value.strip()
            for key, field in self._fields.items()
            if field.value.strip() != _text(self._before, key)
        }
        return {key: _value(key, text) for key, text in changed.items()}

    def _refresh(self) -> None:
        try:
            given = self._given()
        except Refusal as refusal:
            self.asking.will(*(reason.sentence for reason in refusal.reasons))
            self.asking.enable(possible=False)
            return
        named = bool(self._before or self._name.value.strip())
        self.asking.enable(possible=named and bool(given or self._before is None))
        self.asking.will(*self._lines(given))

    def _lines(self, given: dict[str, Any]) -> list[str]:
        before = self._before
        if before is None:
            name = self._name.value.strip() or "it"
            return [f"Profiles can name {name} as their instance_type from then on."]
        lines = []
        if "price" in given:
            lines.append(
                "The price counts for servers that start from now on; who runs keeps theirs."
            )
        limit = given.get("limit")
        if limit is not None and before.held > limit:
            held = holders(self._desk.picture, before.name)
            number = counted_as(before.held, "instance is taken", "instances are taken")
            names = f": {listed(server_words(each) for each in held)}" if held else ""
            lines.append(
                f"{number}{names}. They keep running; nothing new starts until there is room."
            )
        elif limit is not None and before.held == limit:
            lines.append(
                "All of them are taken: profiles of this type vanish from the launch page."
            )
        return lines or (["It is changed at once."] if given else ["Nothing is changed yet."])

    async def _act(self) -> str:
        given, calls = self._given(), self._desk.client.instance_types
        if self._before is None:
            made = await self._desk.call(calls.create, self._name.value.strip(), **given)
            said = f"{made.name} was added."
        else:
            made = await self._desk.call(
                calls.edit, self._before.name, revision=self._before.revision, **given
            )
            said = f"{made.name} was changed."
        self._desk.again(*_CHANGED)
        return said


def _text(one: InstanceType | None, key: str) -> str:
    """A field's text, as somebody would write it."""
    value = getattr(one, key) if one is not None else None
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return "" if value is None else str(value)


def _value(key: str, text: str) -> Any:
    if key == "title":
        return text
    if not text:
        return None
    if key == "quota":
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(-1)
    whole = number == number.to_integral_value()
    if number < 0 or not number.is_finite() or (key != "price" and not whole):
        kind = "price" if key == "price" else "whole number"
        message = f"{_LABELS[key]}: {text[:40]!r} is no {kind}."
        raise Refusal(Reason(Rule.REQUEST, message, remedy="Write a number, or nothing."))
    return number if key == "price" else int(number)


def enabling(desk: Desk, slot: Slot, one: InstanceType, *, enabled: bool) -> Asking:
    """The form that lets new servers have an instance type, or no longer."""
    verb = "Enable" if enabled else "Disable"

    async def act() -> str:
        await desk.call(
            desk.client.instance_types.edit, one.name, revision=one.revision, enabled=enabled
        )
        desk.again(*_CHANGED)
        return f"{one.name} is {verb.lower()}d."

    tone: Any = "main" if enabled else "risk"
    asking = Asking(desk, slot, f"{verb} {one.name}", confirm=verb, act=act, tone=tone)
    asking.will(*_enabling_lines(desk.picture, one, enabled=enabled))
    asking.enable(possible=enabled != one.enabled)
    return asking


def _enabling_lines(picture: Picture, one: InstanceType, *, enabled: bool) -> list[str]:
    if enabled == one.enabled:
        return [f"It is {'enabled' if enabled else 'disabled'} already."]
    if enabled:
        return [f"{_profiles(one)} can be launched again."]
    return [_vanishing(one), *_kept(holders(picture, one.name))]


def _profiles(one: InstanceType) -> str:
    return listed(one.profiles) if one.profiles else "What names it"


def _vanishing(one: InstanceType) -> str:
    if not one.profiles:
        return "New servers cannot have it."
    verb = "vanishes" if len(one.profiles) == 1 else "vanish"
    return f"{listed(one.profiles)} {verb} from the launch page, and new servers cannot have it."


def _kept(held: list[Server]) -> list[str]:
    if not held:
        return []
    number = counted_as(len(held), "server that holds it keeps", "servers that hold it keep")
    named = listed(server_words(each) for each in held)
    return [f"{number} it: {named}.", "Revoke takes it from them too."]


def revoking(desk: Desk, slot: Slot, one: InstanceType) -> Asking:
    """The form that disables an instance type and stops every server that holds it."""
    held = holders(desk.picture, one.name)
    reason = text_field("Why? Their users read it.", placeholder="Too dear this month", wide=True)

    async def act() -> str:
        done = await desk.call(desk.client.instance_types.revoke, one.name, reason.value.strip())
        desk.again(*_CHANGED)
        return f"{one.name} is disabled. {outcome_words(done.outcomes)}".strip()

    title = f"Revoke {one.name}"
    asking = Asking(desk, slot, title, confirm=title, act=act, fields=[reason], tone="risk")
    number = counted_as(len(held), "server is stopped", "servers are stopped")
    named = listed(server_words(each) for each in held)
    stopped = f"{number} at once: {named}." if held else "No server holds it now."
    asking.will(_vanishing(one), stopped, "A reason is needed: the users of these servers read it.")
    asking.needs(reason)
    return asking


def deleting(desk: Desk, slot: Slot, one: InstanceType) -> Asking:
    """The form that deletes an instance type."""

    async def act() -> str:
        await desk.call(desk.client.instance_types.delete, one.name, revision=one.revision)
        desk.again(*_CHANGED)
        return f"{one.name} was deleted."

    asking = Asking(desk, slot, f"Delete {one.name}", confirm="Delete", act=act, tone="risk")
    if one.held or one.profiles:
        why = [f"{counted_as(one.held, 'server holds', 'servers hold')} it"] if one.held else []
        why += [f"{listed(one.profiles)} would name nothing"] if one.profiles else []
        asking.will(f"It cannot be deleted now: {' and '.join(why)}.")
        asking.enable(possible=False)
    else:
        asking.will("It is gone, with its price and its limits.")
    return asking
