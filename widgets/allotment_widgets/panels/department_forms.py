"""Forms for departments: making, editing, deleting; and the choice of one for a group."""

from __future__ import annotations

from collections.abc import Mapping

from allotment.model.documents import Department
from allotment.model.names import NAME_RULE
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.fields import text_field
from allotment_widgets.foreseeing import Ask, Foreseen
from allotment_widgets.picture import Picture, Topic
from allotment_widgets.sentences import devices_count, listed

NO_DEPARTMENT = ""


def departments_of(picture: Picture) -> tuple[Department, ...]:
    """All departments, as last read."""
    return picture.overview.departments if picture.overview else ()


def department_options(picture: Picture) -> list[tuple[str, str]]:
    """The departments to choose from, and none."""
    return [("none", NO_DEPARTMENT), *((one.name, one.name) for one in departments_of(picture))]


def ceiling_words(department: Department) -> str:
    """Ceilings as they are typed: ``a100=6, h100=2``."""
    return ", ".join(f"{one.pool}={one.ceiling}" for one in department.ceilings)


def read_ceilings(text: str) -> dict[str, int]:
    """Read ``a100=6, h100=2``.

    Raises:
        Refusal: a part of it is no pool with a number of devices.
    """
    ceilings = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        pool, _, number = (each.strip() for each in part.partition("="))
        if not pool or not number.isdecimal():
            message = f"{part[:60]!r} is no ceiling."
            raise Refusal(Reason(Rule.REQUEST, message, remedy="Write ceilings as pool=devices, …"))
        ceilings[pool] = int(number)
    return ceilings


def writing(desk: Desk, slot: Slot, department: Department | None) -> Asking:
    """The form that makes a department, or edits one."""
    name = text_field("Name", placeholder="research")
    title = text_field("Title", department.title if department else "", placeholder="Research")
    ceilings = text_field(
        "Ceilings of all its groups together",
        ceiling_words(department) if department else "",
        placeholder="a100=6, h100=2",
    )

    async def act() -> str:
        wanted = read_ceilings(ceilings.value)
        calls = desk.client.departments
        if department is None:
            made = name.value.strip()
            await desk.call(calls.create, made, title=title.value.strip(), ceilings=wanted)
            said = f"Department {made} was made. Groups join it by being edited."
        else:
            await desk.call(
                calls.edit,
                department.name,
                revision=department.revision,
                title=title.value.strip(),
                ceilings=wanted,
            )
            said = f"Department {department.name} was changed."
        desk.again(Topic.OVERVIEW)
        return said

    asking = Asking(
        desk,
        slot,
        f"Edit department {department.name}" if department else "New department",
        confirm="Save" if department else "Create department",
        act=act,
        fields=[*([] if department else [name]), title, ceilings],
    )

    foreseen = Foreseen(desk, asking)

    def refresh() -> None:
        ask: Ask | None = None
        try:
            wanted = read_ceilings(ceilings.value)
            lines = _lines(department, wanted)
            if department is not None:
                calls, known = desk.client.departments, department.name
                ask = lambda: calls.consequences(known, wanted)  # noqa: E731 - a question, for later
        except Refusal as refusal:
            lines = [reason.message for reason in refusal.reasons]
        foreseen.say([*lines, *([] if department else [f"A name has {NAME_RULE}."])], ask)
        asking.enable(possible=department is not None or bool(name.value.strip()))

    for field in (name, title, ceilings):
        field.observe(lambda _: desk.backend.soon(refresh), "value")
    refresh()
    return asking


def _lines(department: Department | None, wanted: Mapping[str, int]) -> list[str]:
    """What is written now."""
    before = {one.pool: one for one in department.ceilings} if department else {}
    lines = []
    for pool, ceiling in wanted.items():
        old = before.pop(pool, None)
        if old is None or old.ceiling != ceiling:
            was = f" (was {old.ceiling})" if old else ""
            lines.append(
                f"Its groups hold at most {devices_count(ceiling)} of pool {pool} together{was}."
            )
    lines += [f"Pool {pool} is limited by the groups' own ceilings again." for pool in before]
    return lines or ["No ceiling changes."]


def deleting(desk: Desk, slot: Slot, department: Department) -> Asking:
    """The form that deletes a department."""

    async def act() -> str:
        calls = desk.client.departments
        await desk.call(calls.delete, department.name, revision=department.revision)
        desk.again(Topic.OVERVIEW)
        return f"Department {department.name} was deleted."

    title = f"Delete department {department.name}"
    asking = Asking(desk, slot, title, confirm=f"Delete {department.name}", act=act, tone="risk")
    lines = ["Its ceilings and its budget go with it."]
    if department.groups:
        verb = "is" if len(department.groups) == 1 else "are"
        lines.append(f"{listed(department.groups)} {verb} in it, which stands in the way.")
    asking.will(*lines)
    return asking
