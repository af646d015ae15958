"""Forms for groups: making, editing, deleting; and for who is in one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from allotment.client import NewShare
from allotment.model.documents import Group, User
from allotment.model.names import NAME_RULE
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.fields import choice_field, text_field
from allotment_widgets.foreseeing import Ask, Foreseen
from allotment_widgets.group_rows import tag_words
from allotment_widgets.panels.department_forms import (
    NO_DEPARTMENT,
    department_options,
    departments_of,
)
from allotment_widgets.panels.share_fields import ShareFields, share_lines
from allotment_widgets.picker import Picker
from allotment_widgets.picture import Topic
from allotment_widgets.sentences import counted_as, listed

_CHANGED = (Topic.OVERVIEW, Topic.USERS)


def read_tags(text: str) -> dict[str, str]:
    """Read ``department=research, project=x``.

    Raises:
        Refusal: a part of it is no name with a value.
    """
    tags = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            message = f"{part!r} is no tag."
            raise Refusal(Reason(Rule.REQUEST, message, remedy="Write tags as name=value, …"))
        tags[key.strip()] = value.strip()
    return tags


def writing(desk: Desk, slot: Slot, group: Group | None) -> Asking:
    """The form that makes a group, or edits one."""
    form = _GroupForm(desk, slot, group)
    form.asking.refresh = form.refresh
    form.refresh()
    return form.asking


class _GroupForm:
    def __init__(self, desk: Desk, slot: Slot, group: Group | None) -> None:
        self._desk, self._group = desk, group
        self._name = text_field("Name", placeholder="vision")
        self._title = text_field(
            "Title", group.title if group else "", placeholder="Computer vision"
        )
        self._tags = text_field(
            "Tags",
            tag_words(group.tags) if group else "",
            placeholder="department=research, project=x",
        )
        self._department = choice_field(
            "Department",
            department_options(desk.picture),
            (group.department if group else None) or NO_DEPARTMENT,
        )
        self._shares = ShareFields(desk, group)
        names = [] if group else [self._name]
        self.asking = Asking(
            desk,
            slot,
            f"Edit group {group.name}" if group else "New group",
            confirm="Save" if group else "Create group",
            act=self._act,
            fields=[*names, self._title, self._tags, *self._above(), self._shares.view],
        )
        self._foreseen = Foreseen(desk, self.asking)
        for field in (self._name, self._title, self._tags, self._department):
            field.observe(lambda _: desk.backend.soon(self.refresh), "value")
        self._shares.on_change(self.refresh)

    def _above(self) -> list[Any]:
        """The choice of a department, where there is one."""
        return [self._department] if departments_of(self._desk.picture) else []

    def refresh(self) -> None:
        """Say what is written now, and ask the control plane what that would do."""
        shares = self._shares.shares()
        lines = [*share_lines(self._group, shares), *self._department_lines()]
        if self._group is None:
            lines = lines or ["It has no share: its people can launch only without devices."]
            lines.append(f"A name has {NAME_RULE}.")
        self.asking.enable(possible=self._group is not None or bool(self._name.value.strip()))
        ask = self._asks(self._group, shares) if self._group is not None and lines else None
        self._foreseen.say(lines or ["Nothing of its shares changes."], ask)

    def _department_lines(self) -> list[str]:
        before = (self._group.department if self._group else None) or NO_DEPARTMENT
        after = self._department.value
        if after == before:
            return []
        if not after:
            return [f"It leaves department {before}, whose ceilings bind it no longer."]
        return [f"It is in department {after}: what its groups may hold together binds it as well."]

    def _asks(self, group: Group, shares: Sequence[NewShare]) -> Ask:
        """The question what this would do to a group that exists."""
        above = self._department.value
        calls = self._desk.client.groups
        return lambda: calls.consequences(group.name, shares, department=above)

    async def _act(self) -> str:
        groups, tags = self._desk.client.groups, read_tags(self._tags.value)
        title, shares = self._title.value.strip(), self._shares.shares()
        above = self._department.value
        if self._group is None:
            name = self._name.value.strip()
            await self._desk.call(
                groups.create, name, title=title, tags=tags, shares=shares, department=above
            )
            said = f"Group {name} was made. It has no people yet."
        else:
            await self._desk.call(
                groups.edit,
                self._group.name,
                revision=self._group.revision,
                title=title,
                tags=tags,
                shares=shares,
                department=above,
            )
            said = f"Group {self._group.name} was changed."
        self._desk.again(*_CHANGED)
        return said


def deleting(desk: Desk, slot: Slot, group: Group) -> Asking:
    """The form that deletes a group."""

    async def act() -> str:
        await desk.call(desk.client.groups.delete, group.name, revision=group.revision)
        desk.again(*_CHANGED)
        return f"Group {group.name} was deleted."

    asking = Asking(
        desk,
        slot,
        f"Delete group {group.name}",
        confirm=f"Delete {group.name}",
        act=act,
        tone="risk",
    )
    lines = ["Its limits go with it; what it used stays in the record."]
    if group.people:
        number = counted_as(group.people, "person is", "people are")
        lines.append(f"{number} in it, which stands in the way: move or remove them first.")
    if group.shares:
        pools = listed(each.pool for each in group.shares)
        lines.append(f"It has a share in {pools}, which stands in the way: take it away first.")
    asking.will(*lines)
    return asking


def adding(desk: Desk, slot: Slot, group: Group) -> Asking:
    """The form that puts people into a group."""
    about, users = desk.picture.about, desk.picture.users
    strict = about is None or about.mode == "strict"
    inside = {
        name
        for name, each in users.items()
        if group.name in {one.group for one in each.memberships}
    }
    offered = [
        name
        for name, each in sorted(users.items())
        if name not in inside and not (strict and each.memberships)
    ]
    people = Picker(desk, "People", offered)

    async def act() -> str:
        for name in people.values:
            await desk.call(desk.client.groups.put_member, group.name, name)
        desk.again(*_CHANGED)
        verb = "is" if len(people.values) == 1 else "are"
        return f"{listed(people.values)} {verb} in {group.name} now."

    asking = Asking(
        desk, slot, f"Add people to {group.name}", confirm="Add", act=act, fields=[people.view]
    )

    def refresh() -> None:
        verb = "joins" if len(people.values) == 1 else "join"
        lines = [f"{listed(people.values)} {verb} {group.name}."] if people.values else []
        if strict:
            lines.append(
                "Only people without a group are offered: here a person is in one group at a time. "
                "Users of other groups are moved in the panel Users."
            )
        asking.will(*lines)
        asking.enable(possible=bool(people.values))

    people.on_change(refresh)
    refresh()
    return asking


def removing(desk: Desk, slot: Slot, group: Group, names: Sequence[str]) -> Asking:
    """The form that takes people out of a group."""
    users = [desk.picture.users[name] for name in names if name in desk.picture.users]

    async def act() -> str:
        for name in names:
            await desk.call(desk.client.groups.remove_member, group.name, name)
        desk.again(*_CHANGED)
        verb = "is" if len(names) == 1 else "are"
        return f"{listed(names)} {verb} no longer in {group.name}."

    number = counted_as(len(names), "person", "people")
    asking = Asking(
        desk,
        slot,
        f"Take {number} out of {group.name}",
        confirm=f"Take {number} out",
        act=act,
        tone="risk",
    )
    asking.will(*_removing_lines(group, users))
    return asking


def _removing_lines(group: Group, users: Sequence[User]) -> list[str]:
    names = listed(each.name for each in users)
    lines = [
        f"{names} can launch nothing on the devices of {group.name} any longer. What runs keeps running."
    ]
    given = {
        one.origin
        for each in users
        for one in each.memberships
        if one.group == group.name and one.origin != "console"
    }
    if given:
        lines.append("Memberships that the settings or the provider gave are taken away as well.")
    return lines
