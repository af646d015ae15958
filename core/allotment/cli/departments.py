"""Commands about departments: groups above groups, whose ceilings bind all of theirs together."""

from __future__ import annotations

from typing import Annotated

import typer

from allotment.cli.agreeing import agreed
from allotment.cli.options import Json, Url, Yes, control_plane
from allotment.cli.output import Output
from allotment.client import AllotmentClient
from allotment.model.documents import Department
from allotment.model.refusals import NotFound

Name = Annotated[str, typer.Argument(help="The department.")]
Ceilings = Annotated[
    list[str] | None,
    typer.Option(
        "--ceiling",
        metavar="POOL=N",
        help="What all of its groups may hold of a pool together; POOL= takes it away. Repeatable.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command()(departments)
    app.command()(department)


def departments(url: Url = None, as_json: Json = False) -> None:
    """List departments: their groups, and what these hold of each ceiling together."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.departments.all()
    if as_json:
        out.document(found)
        return
    out.table(
        ("Department", "Title", "Groups", "Holds"),
        ((one.name, one.title, ", ".join(one.groups), _holds(one)) for one in found.items),
        empty="There is no department.",
    )


def _holds(one: Department) -> str:
    each = (f"{ceiling.held} of {ceiling.ceiling} in {ceiling.pool}" for ceiling in one.ceilings)
    return ", ".join(each) or "no ceiling"


def department(  # noqa: PLR0913, PLR0917 - each is an option of the command
    name: Name,
    title: Annotated[str | None, typer.Option(help="What people read.")] = None,
    ceiling: Ceilings = None,
    group: Annotated[
        list[str] | None, typer.Option(help="Put this group into it. Repeatable.")
    ] = None,
    leave: Annotated[
        list[str] | None, typer.Option(help="Take this group out of it. Repeatable.")
    ] = None,
    remove: Annotated[
        bool, typer.Option("--remove", help="Delete it; no group may be in it.")
    ] = False,
    yes: Yes = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Make a department or change one, after saying what a lower ceiling would do."""
    out = Output(as_json=as_json)
    wanted = _parsed(ceiling or [])
    with control_plane(url) as client:
        if remove:
            client.departments.delete(name, revision=client.departments.get(name).revision)
            out.say(f"Department {name} was deleted.")
            return
        _write(out, client, name, title, wanted, yes=yes)
        for joins in group or []:
            _move(client, joins, name)
        for leaves in leave or []:
            _move(client, leaves, "")
        found = client.departments.get(name)
    if as_json:
        out.document(found)
        return
    groups = ", ".join(found.groups) or "no group"
    held = f"holds {_holds(found)}" if found.ceilings else "no ceiling"
    out.say(f"Department {name}: {groups}; {held}.")


def _parsed(said: list[str]) -> dict[str, int | None]:
    """Ceilings by pool; None: none any more."""
    wanted: dict[str, int | None] = {}
    for each in said:
        pool, equals, number = each.partition("=")
        if not pool or not equals or not (number.isdecimal() or not number):
            message = f"{each!r} is no ceiling: expected a pool and a number, such as a100=8"
            raise typer.BadParameter(message, param_hint="--ceiling")
        wanted[pool] = int(number) if number else None
    return wanted


def _write(
    out: Output,
    client: AllotmentClient,
    name: str,
    title: str | None,
    wanted: dict[str, int | None],
    *,
    yes: bool,
) -> None:
    try:
        before = client.departments.get(name)
    except NotFound:
        given = {pool: number for pool, number in wanted.items() if number is not None}
        client.departments.create(name, title=title or "", ceilings=given)
        return
    if title is None and not wanted:
        return
    after: dict[str, int | None] = {one.pool: one.ceiling for one in before.ceilings}
    ceilings = {pool: most for pool, most in (after | wanted).items() if most is not None}
    agreed(out, client.departments.consequences(name, ceilings), yes=yes)
    client.departments.edit(name, title=title, ceilings=ceilings, revision=before.revision)


def _move(client: AllotmentClient, group: str, department: str) -> None:
    """Put a group into a department; with an empty name, out of any."""
    before = client.groups.get(group)
    client.groups.edit(group, department=department, revision=before.revision)
