"""The commands that put the end of a server off, and that have one left alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from allotment.cli.ending import Misused
from allotment.cli.options import Json, Url, control_plane
from allotment.cli.output import Output
from allotment.cli.tables import server_name
from allotment.client import AllotmentClient
from allotment.model.documents import Server
from allotment.model.durations import parse_duration
from allotment.model.refusals import NotFound

ServerName = Annotated[
    str,
    typer.Argument(
        metavar="SERVER",
        help="PERSON for a person's default server, PERSON/NAME for a named one, or a server's id.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command()(extend)
    app.command()(keep)


def extend(name: ServerName, url: Url = None, as_json: Json = False) -> None:
    """Put off the announced end of a server, as its profile lets its user."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        server = client.servers.extend(_find(client, name).id)
    if as_json:
        out.document(server)
    for ending in server.endings:
        left = f"; can be put off {ending.extensions_left} more times" if ending.extend_by else ""
        out.say(
            f"{server_name(server)} is stopped at {ending.stop_at:%Y-%m-%d %H:%M:%S} UTC "
            f"({ending.words.lower()}){left}"
        )


def keep(
    name: ServerName,
    lasting: Annotated[
        str, typer.Option("--for", help="How long from now, such as 4h.", metavar="DURATION")
    ],
    note: Annotated[
        str, typer.Option("--note", "-n", help="Why. Leads and operators see it.")
    ] = "",
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Have an unattended server left alone for a time, though it looks idle."""
    out = Output(as_json=as_json)
    try:
        until = datetime.now(UTC) + parse_duration(lasting)
    except ValueError as error:
        raise Misused(str(error)) from None
    with control_plane(url) as client:
        server = client.servers.keep(_find(client, name).id, until, note)
    if as_json:
        out.document(server)
    if server.keep is not None:
        out.say(
            f"{server_name(server)} is left alone until {server.keep.until:%Y-%m-%d %H:%M} UTC; "
            "it is charged meanwhile"
        )


def _find(client: AllotmentClient, name: str) -> Server:
    for server in client.servers.all(active=True).items:
        if name in {server.id, server_name(server)}:
            return server
    what = "running server"
    raise NotFound(what, name)
