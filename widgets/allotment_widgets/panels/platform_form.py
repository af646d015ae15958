"""The form that chooses how groups and people go together on the whole platform."""

from __future__ import annotations

from allotment.model.documents import About
from allotment.model.groups import Mode
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.fields import choice_field
from allotment_widgets.panels.user_forms import group_options
from allotment_widgets.picture import Picture, Topic
from allotment_widgets.sentences import listed

MODES = (
    ("Strict: one pool a group, one group a person", str(Mode.STRICT)),
    ("Flexible: several pools a group, several groups a person", str(Mode.FLEXIBLE)),
)


def choosing(desk: Desk, slot: Slot, about: About) -> Asking:
    """The form for the mode and the default group."""
    mode = choice_field("Mode", MODES, str(about.mode))
    group = choice_field(
        "Group of new people", group_options(desk.picture), about.default_group or ""
    )

    async def act() -> str:
        await desk.call(
            desk.client.choose,
            revision=about.revision,
            mode=Mode(mode.value),
            default_group=group.value,
        )
        desk.again(Topic.ABOUT, Topic.OVERVIEW)
        proposed = f"group {group.value}" if group.value else "no group"
        return f"The platform is in {mode.value} mode; new people are proposed {proposed}."

    asking = Asking(
        desk, slot, "Groups of the platform", confirm="Save", act=act, fields=[mode, group]
    )

    def refresh() -> None:
        asking.will(*_lines(desk.picture, about, mode.value, group.value))

    for field in (mode, group):
        field.observe(lambda _: desk.backend.soon(refresh), "value")
    refresh()
    return asking


def _lines(picture: Picture, about: About, mode: str, group: str) -> list[str]:
    lines = []
    if mode != about.mode and mode == Mode.FLEXIBLE:
        lines.append(
            "Groups can get shares in several pools, and people can join several groups. "
            "Who is in several chooses at launch which one pays; a limit of a person holds across all."
        )
    if mode != about.mode and mode == Mode.STRICT:
        lines += ["A group has one pool, and a person is in one group.", *_obstacles(picture)]
    if group != (about.default_group or ""):
        proposed = f"Group {group} is" if group else "No group is"
        lines.append(f"{proposed} chosen already where people are on-boarded. Nobody is moved.")
    return lines or ["Nothing changes."]


def _obstacles(picture: Picture) -> list[str]:
    """What stands in the way of strict mode, said before it is refused."""
    groups = picture.overview.groups if picture.overview else ()
    wide = [each.name for each in groups if len(each.shares) > 1]
    many = [
        name
        for name, each in sorted(picture.users.items())
        if len({one.group for one in each.memberships}) > 1
    ]
    lines = []
    if wide:
        verb = "has shares" if len(wide) == 1 else "have shares"
        lines.append(f"{listed(wide)} {verb} in several pools, which stands in the way.")
    if many:
        verb = "is" if len(many) == 1 else "are"
        lines.append(f"{listed(many)} {verb} in several groups, which stands in the way.")
    return lines
