"""The command that shows and changes what is chosen for the whole platform."""

from __future__ import annotations

from typing import Annotated

import typer

from allotment.cli.options import Json, Url, control_plane
from allotment.cli.output import Output
from allotment.model.documents import About
from allotment.model.groups import Mode


def add_to(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command()(platform)


def platform(
    mode: Annotated[
        Mode | None,
        typer.Option(help="strict: one pool a group, one group a person; flexible: several."),
    ] = None,
    default_group: Annotated[
        str | None, typer.Option(metavar="GROUP", help="Propose this group for new people.")
    ] = None,
    no_default_group: Annotated[
        bool, typer.Option("--no-default-group", help="Propose no group for new people.")
    ] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Say how groups and people go together on this platform; with options, choose."""
    out = Output(as_json=as_json)
    if default_group and no_default_group:
        message = "choose --default-group or --no-default-group, not both"
        raise typer.BadParameter(message)
    group = "" if no_default_group else default_group
    with control_plane(url) as client:
        found = client.about()
        if mode is not None or group is not None:
            found = client.choose(revision=found.revision, mode=mode, default_group=group)
    if as_json:
        out.document({"mode": found.mode, "default_group": found.default_group})
        return
    out.say(_words(found))


def _words(about: About) -> str:
    mode = (
        "Strict mode: a group has one pool, a person is in one group."
        if Mode(about.mode) is Mode.STRICT
        else "Flexible mode: groups may have shares in several pools, people may be in several groups."
    )
    group = about.default_group
    return f"{mode} New people are proposed {f'group {group}' if group else 'no group'}."
