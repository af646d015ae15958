"""The command that says where a person's notices are sent."""

from __future__ import annotations

from typing import Annotated

import typer

from allotment.cli.options import Json, Url, control_plane
from allotment.cli.output import Output


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(address)


def address(
    email: Annotated[
        str | None, typer.Argument(help="The new address; left out, the present one is shown.")
    ] = None,
    person: Annotated[
        str | None, typer.Option(help="Somebody else's; it takes the permission manage-people.")
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="No mail any more.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show or change where notices are sent by e-mail."""
    out = Output(as_json=as_json)
    wanted = "" if none else email
    with control_plane(url) as client:
        name = person or client.me().person
        users = client.users
        found = users.email(name) if wanted is None else users.set_email(name, wanted)
    if as_json:
        out.document(found)
        return
    out.say(f"{name}: {found.email}" if found.email else f"{name} gets no mail.")
