"""Commands that take things out of use, and give them back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from allotment.cli.options import Json, Url, control_plane
from allotment.cli.output import Output
from allotment.client import ANY
from allotment.model.amounts import counted
from allotment.model.cordons import Scope
from allotment.model.documents import Cordon, CordonConsequences

_TIME: dict[str, Any] = {"formats": ["%Y-%m-%dT%H:%M"], "metavar": "TIME"}


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command()(cordons)
    app.command()(cordon)
    app.command()(uncordon)


def cordons(url: Url = None, as_json: Json = False) -> None:
    """List what is out of use now or will be."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.cordons.all()
    if as_json:
        out.document(found)
        return
    out.table(
        ("What", "Why", "From", "Servers stop", "Back", "#Devices", "#Servers", "By", "Id"),
        [_row(one) for one in found.items],
        empty="Nothing is out of use.",
    )


def _row(one: Cordon) -> tuple[object, ...]:
    begins = "now" if one.in_force else _local(one.begins_at)
    stops = "they go on" if one.drain_at is None else _local(one.drain_at)
    back = "when lifted" if one.ends_at is None else _local(one.ends_at)
    numbers = (one.devices, one.servers, one.said_by, one.id)
    return (one.subject, one.reason, begins, stops, back, *numbers)


def _local(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def cordon(  # noqa: PLR0913, PLR0917 - each is an option of the command
    names: Annotated[list[str], typer.Argument(metavar="NAME…", help="Nodes, pools or devices.")],
    reason: Annotated[str, typer.Option(help="Why; its users read it.")],
    what: Annotated[Scope, typer.Option("--what", help="What the names are.")] = Scope.NODE,
    begin: Annotated[
        datetime | None, typer.Option("--from", help="From then on; left out: now.", **_TIME)
    ] = None,
    drain: Annotated[
        datetime | None,
        typer.Option("--stop", help="Stop what runs there then; left out: it goes on.", **_TIME),
    ] = None,
    end: Annotated[
        datetime | None, typer.Option("--until", help="Give it back by itself then.", **_TIME)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Take nodes, pools or devices out of use: nothing new comes there; with --stop, what runs there ends then.

    Times such as 2026-12-01T09:00 are in this machine's time zone.
    """
    out = Output(as_json=as_json)
    times = {"begins_at": begin, "drain_at": drain, "ends_at": end}
    aware = {
        name: None if moment is None else moment.astimezone() for name, moment in times.items()
    }
    with control_plane(url) as client:
        if dry_run:
            foreseen = client.cordons.consequences(what, names, reason, **aware)
            _say_consequences(out, foreseen, drain=aware["drain_at"])
            return
        made = client.cordons.create(what, names, reason, **aware)
    if as_json:
        out.document(made)
        return
    begins = "is" if made.in_force else f"will be, from {_local(made.begins_at)} on,"
    out.say(f"{made.subject} {begins} out of use ({made.id}).")
    if made.drain_at is not None and made.servers:
        out.say(f"Users of {counted(made.servers, 'server')} are told of {_local(made.drain_at)}.")


def _say_consequences(out: Output, found: CordonConsequences, drain: datetime | None) -> None:
    if out.as_json:
        out.document(found)
        return
    out.say(f"{counted(len(found.devices), 'device')} would be out of use.")
    ends = "would go on" if drain is None else f"would be stopped at {_local(drain)}"
    for each in found.servers:
        out.say(f"{each.person}/{each.name or 'default'} {ends} ({', '.join(each.devices)}).")
    for pool in found.short:
        out.say(
            f"{pool.pool} could give out {counted(pool.available, 'device')}; "
            f"{max(pool.guaranteed, pool.reserved)} are promised."
        )


def uncordon(
    keys: Annotated[list[str], typer.Argument(metavar="ID…", help="As `allotment cordons` says.")],
    url: Url = None,
) -> None:
    """Give back to use what was out of use; what was to be stopped for it goes on."""
    out = Output(as_json=False)
    with control_plane(url) as client:
        _lift(client, keys)
    out.say(f"{counted(len(keys), 'cordon')} lifted.")


def _lift(client: Any, keys: Sequence[str]) -> None:
    for key in keys:
        client.cordons.lift(key, revision=ANY)
