"""The commands that list and set limits."""

from __future__ import annotations

from typing import Annotated

import typer

from allotment.cli.agreeing import agreed
from allotment.cli.options import Json, Url, Yes, control_plane
from allotment.cli.output import Output
from allotment.model.limits import LimitKind, LimitScope

Subject = Annotated[
    str, typer.Option("--of", metavar="NAME", help="The group or person; none for the platform.")
]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command()(limits)
    app.command()(limit)


def limits(url: Url = None, as_json: Json = False) -> None:
    """List the limits that are set: for everybody, for people of a group, for one person."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.limits.all()
    if as_json:
        out.document(found)
        return
    out.table(
        ("For", "Name", "Limit", "#At most"),
        ((one.scope, one.subject or "everybody", one.words, one.value) for one in found.items),
        empty="No limit is set that you may see.",
    )


def limit(  # noqa: PLR0913, PLR0917 - each is an option of the command
    scope: Annotated[LimitScope, typer.Argument(help="For whom it is.")],
    kind: Annotated[LimitKind, typer.Argument(help="What is limited.")],
    most: Annotated[
        int | None, typer.Argument(min=0, metavar="[MOST]", help="At most so much.")
    ] = None,
    subject: Subject = "",
    remove: Annotated[
        bool, typer.Option("--remove", help="Take it away: a wider one binds.")
    ] = False,
    yes: Yes = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Set a limit, after saying who holds more than that now; or take it away."""
    out = Output(as_json=as_json)
    if (most is None) is not remove:
        message = "say how much, or --remove"
        raise typer.BadParameter(message, param_hint="MOST")
    if (scope is LimitScope.PLATFORM) is bool(subject):
        message = "--of names the group or person; the platform's limits are everybody's"
        raise typer.BadParameter(message)
    with control_plane(url) as client:
        agreed(out, client.limits.consequences(scope, subject, kind, most), yes=yes)
        found = client.limits.put(scope, subject, kind, most)
    if as_json:
        out.document(found)
        return
    whose = subject or "everybody"
    said = "no limit of their own" if most is None else f"at most {most}"
    out.say(f"{kind.words[0].upper()}{kind.words[1:]}, {whose}: {said}.")
