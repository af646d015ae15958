"""Commands about reservations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from allotment.cli.options import Json, Url, control_plane
from allotment.cli.output import Output
from allotment.client import ANY
from allotment.model.documents import Reservation


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command()(reservations)
    app.command()(reserve)


def reservations(
    cancel: Annotated[
        str | None, typer.Option(metavar="ID", help="Cancel this reservation.")
    ] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List reservations that have not ended; with --cancel, keep the devices of one no longer."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        if cancel is not None:
            client.reservations.cancel(cancel, revision=ANY)
            out.say(f"Reservation {cancel} was cancelled.")
            return
        found = client.reservations.all()
    if as_json:
        out.document(found)
        return
    out.table(
        ("Pool", "#Devices", "For", "From", "To", "Note", "Id"),
        [_row(one) for one in found.items],
        empty="Nothing is reserved that you may see.",
    )


def _row(one: Reservation) -> tuple[object, ...]:
    times = [f"{moment.astimezone():%Y-%m-%d %H:%M}" for moment in (one.begins_at, one.ends_at)]
    return (one.pool, one.devices, one.group or one.person, *times, one.note, one.id)


def reserve(  # noqa: PLR0913, PLR0917 - each is an option of the command
    pool: Annotated[str, typer.Argument(help="The pool.")],
    devices: Annotated[int, typer.Argument(min=1, help="How many devices.")],
    begin: Annotated[
        datetime,
        typer.Option(
            "--from", formats=["%Y-%m-%dT%H:%M"], metavar="TIME", help="Such as 2026-12-01T09:00."
        ),
    ],
    end: Annotated[
        datetime,
        typer.Option("--to", formats=["%Y-%m-%dT%H:%M"], metavar="TIME", help="When it ends."),
    ],
    group: Annotated[str | None, typer.Option(help="Keep them for this group.")] = None,
    person: Annotated[str | None, typer.Option(help="Keep them for this person.")] = None,
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Keep devices for a group or a person from one time to another, in this machine's time zone."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        made = client.reservations.create(
            pool,
            devices,
            begin.astimezone(),
            end.astimezone(),
            group=group,
            person=person,
            note=note,
        )
    if as_json:
        out.document(made)
        return
    out.say(f"Reservation {made.id} was made.")
