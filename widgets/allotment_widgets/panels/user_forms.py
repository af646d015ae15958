"""Forms for users: on-boarding one or many, removing them, moving them between groups."""

from __future__ import annotations

import re
from collections.abc import Sequence

from allotment.model.documents import User
from allotment.model.names import PERSON_RULE
from allotment.model.people import BUILT_IN_ROLES, BuiltInRole, Permission
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.fields import area_field, choice_field
from allotment_widgets.picture import Picture, Topic
from allotment_widgets.sentences import counted_as, listed

NO_GROUP = ""
CHANGED = (Topic.OVERVIEW, Topic.USERS)


def split_names(text: str) -> tuple[str, ...]:
    """Names as people paste them: on lines, with commas, semicolons or blanks between."""
    return tuple(dict.fromkeys(filter(None, re.split(r"[\s,;]+", text))))


def group_options(picture: Picture, nothing: str = "none") -> list[tuple[str, str]]:
    """The groups to choose from, and none."""
    groups = picture.overview.groups if picture.overview else ()
    named = [
        (f"{each.name} · {each.title}" if each.title else each.name, each.name) for each in groups
    ]
    return [(nothing, NO_GROUP), *named]


def role_options(desk: Desk) -> list[tuple[str, str]]:
    """The roles to choose from, with what each may do."""
    roles = desk.picture.roles
    names = {each.name: frozenset(each.permissions) for each in roles} or dict(BUILT_IN_ROLES)
    return [(role_words(name, permissions), name) for name, permissions in names.items()]


def role_words(name: str, permissions: frozenset[Permission]) -> str:
    """A role, and how much it permits."""
    if len(permissions) == len(Permission):
        return f"{name}: everything"
    if not permissions:
        return f"{name}: own things only"
    return f"{name}: {', '.join(sorted(permissions))}"


def onboarding(desk: Desk, slot: Slot) -> Asking:
    """The form that on-boards one or many people."""
    names = area_field("Names, one a line", placeholder="ada\ngrace", rows=3)
    about = desk.picture.about
    proposed = about.default_group if about else None
    group = choice_field("Group", group_options(desk.picture), proposed or NO_GROUP)
    role = choice_field("Role", role_options(desk), str(BuiltInRole.DATA_SCIENTIST))

    async def act() -> str:
        wanted = split_names(names.value)
        done = await desk.call(
            desk.client.users.onboard, wanted, group=group.value or None, role=role.value
        )
        desk.again(*CHANGED)
        verb = "is" if len(wanted) == 1 else "are"
        return " ".join([f"{listed(wanted)} {verb} on board.", *done.notes])

    may = [role] if desk.may(Permission.MANAGE_ROLES) else []
    asking = Asking(
        desk, slot, "On-board people", confirm="On-board", act=act, fields=[names, group, *may]
    )

    def refresh() -> None:
        wanted = split_names(names.value)
        asking.will(*_onboarding_lines(desk.picture, wanted, group.value, role.value))
        asking.enable(possible=bool(wanted))
        asking.relabel(f"On-board {len(wanted)}" if len(wanted) > 1 else "On-board")

    for field in (names, group, role):
        field.observe(lambda _: desk.backend.soon(refresh), "value")
    refresh()
    return asking


def _onboarding_lines(picture: Picture, wanted: Sequence[str], group: str, role: str) -> list[str]:
    if not wanted:
        return [f"Write or paste names. A name has {PERSON_RULE}."]
    known = [name for name in wanted if name in picture.users and picture.users[name].onboarded_at]
    new = [name for name in wanted if name not in known]
    lines = []
    if new:
        number = counted_as(len(new), "person", "people")
        where = f"in group {group}" if group else "in no group"
        lines.append(
            f"{number} can sign in and launch, {where}, with the role {role}: {listed(new)}."
        )
        lines.append("They choose a password with a link: Configure… makes one for each.")
    if known:
        verb = "is" if len(known) == 1 else "are"
        lines.append(f"{listed(known)} {verb} on board already and stay as they are.")
    return lines


def deleting(desk: Desk, slot: Slot, users: Sequence[User]) -> Asking:
    """The form that removes people from the platform."""
    number = counted_as(len(users), "person", "people")

    async def act() -> str:
        done = await desk.call(desk.client.users.delete, [each.name for each in users])
        desk.again(*CHANGED)
        verb = "was" if len(users) == 1 else "were"
        return " ".join([f"{number} {verb} removed.", *done.notes])

    title = f"Remove {number}"
    asking = Asking(desk, slot, title, confirm=title, act=act, tone="risk")
    names = listed(each.name for each in users)
    lines = [
        f"{names} can no longer sign in; tokens, limits and memberships end.",
        "What they did stays in the record. Files in their homes stay.",
    ]
    running = [each.name for each in users if each.servers]
    if running:
        verb = "has" if len(running) == 1 else "have"
        lines.append(f"{listed(running)} {verb} running servers, which stands in the way.")
    asking.will(*lines)
    return asking


def moving(desk: Desk, slot: Slot, users: Sequence[User]) -> Asking:
    """The form that moves people to another group, or out of all."""
    group = choice_field("To group", group_options(desk.picture, "no group"))

    async def act() -> str:
        for user in users:
            await desk.call(desk.client.users.move, user.name, group.value or None)
        desk.again(*CHANGED)
        verb = "is" if len(users) == 1 else "are"
        where = f"in {group.value}" if group.value else "in no group"
        return f"{listed(each.name for each in users)} {verb} {where} now."

    number = counted_as(len(users), "person", "people")
    asking = Asking(desk, slot, f"Move {number}", confirm="Move", act=act, fields=[group])

    def refresh() -> None:
        asking.will(*moving_lines(users, group.value))

    group.observe(lambda _: desk.backend.soon(refresh), "value")
    refresh()
    return asking


def moving_lines(users: Sequence[User], target: str) -> list[str]:
    """Who leaves which group, and what stays, in sentences."""
    lines = []
    by_group: dict[str, list[str]] = {}
    for user in users:
        for group in {each.group for each in user.memberships} - {target}:
            by_group.setdefault(group, []).append(user.name)
    for group, names in sorted(by_group.items()):
        lines.append(f"{listed(names)} {'leaves' if len(names) == 1 else 'leave'} {group}.")
    joining = [each.name for each in users if target not in {one.group for one in each.memberships}]
    if target and joining:
        lines.append(f"{listed(joining)} {'joins' if len(joining) == 1 else 'join'} {target}.")
    if any(each.servers for each in users) and by_group:
        lines.append("Servers that run stay charged to the group that paid when they started.")
    return lines or ["Nothing changes."]
