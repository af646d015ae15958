"""Commands for the queue: who waits, leaving it, changing its order."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

import typer

from allotment.cli.options import Json, Url, control_plane
from allotment.cli.output import Output, ago
from allotment.cli.waiting import ahead, show_ways, starts_words
from allotment.model.documents import Ticket
from allotment.model.refusals import NotFound
from allotment.model.tickets import TicketState

app = typer.Typer(help="See who waits, leave the queue, change its order.", no_args_is_help=True)

Which = Annotated[
    str,
    typer.Argument(
        metavar="TICKET",
        help="PERSON for a person's default server, PERSON/NAME for a named one, or a ticket's id.",
    ),
]


class Where(StrEnum):
    """Where a ticket goes."""

    FRONT = "front"
    BACK = "back"
    OWN = "own"


def add_to(program: typer.Typer) -> None:
    """Add these commands to the program."""
    program.add_typer(app, name="queue")


@app.command("list")
def list_tickets(
    person: Annotated[str | None, typer.Option(help="Only this person's.")] = None,
    ended: Annotated[bool, typer.Option("--ended", help="Those that ended this week.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List who waits, for what, since when, and why."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.tickets.all(person=person, ended=ended).items
    if as_json:
        out.document(found)
        return
    ticket_table(out, found)


def ticket_table(out: Output, found: Iterable[Ticket], title: str = "") -> None:
    """Tickets by their places."""
    last = 1 << 30
    ordered = sorted(found, key=lambda one: (one.pools, one.position or last, one.since))
    out.table(
        ("#", "Server", "Profile", "Group", "#Devices", "Pool", "State", "For", "90 %", "Why"),
        (
            (
                one.position,
                ticket_name(one),
                one.profile,
                one.group,
                one.devices,
                ", ".join(one.pools),
                one.state + (" (moved)" if one.moved else ""),
                ago(one.since),
                ahead(one.starts_most) if one.state == TicketState.WAITING else "",
                one.end_reason or (one.reason.message if one.reason else ""),
            )
            for one in ordered
        ),
        empty="Nobody waits.",
        title=title,
    )


@app.command()
def show(ticket: Which, url: Url = None, as_json: Json = False) -> None:
    """Show one server that waits: its place, why, by when it starts, and what would be sooner."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.tickets.get(_chosen(client.tickets.all().items, ticket).id)
    if as_json:
        out.document(found)
        return
    place = f", number {found.position} in line" if found.position else ""
    pools = ", ".join(found.pools)
    out.say(f"{ticket_name(found)} ({found.profile}) waits for {pools}{place}.", "bold")
    if found.reason:
        out.say(found.reason.message)
    expected = starts_words(found.starts_half, found.starts_most)
    out.say(f"It {expected}." if expected else "Nobody can say yet by when it starts.")
    show_ways(out, found.sooner or ())


def ticket_name(ticket: Ticket) -> str:
    """What waits, as people write it: ``person`` or ``person/name``."""
    return f"{ticket.person}/{ticket.name}" if ticket.name else ticket.person


@app.command()
def cancel(
    ticket: Which,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Its owner reads it.")] = "",
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Take a server out of the queue."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        chosen = _chosen(client.tickets.all().items, ticket)
        client.tickets.cancel(chosen.id, reason)
        ended = client.tickets.get(chosen.id)
    if as_json:
        out.document(ended)
        return
    out.say(f"{ticket_name(ended)} does not wait any more.")


@app.command()
def move(
    ticket: Which,
    to: Annotated[Where, typer.Argument(help="Before all others, after them, or its own place.")],
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Change the order of the queue; it takes the permission manage-pools."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        chosen = _chosen(client.tickets.all().items, ticket)
        moved = client.tickets.move(chosen.id, to.value)
    if as_json:
        out.document(moved)
        return
    out.say(f"{ticket_name(moved)} {_WORDS[to]}.")


_WORDS = {
    Where.FRONT: "goes before all others",
    Where.BACK: "goes after all others",
    Where.OWN: "has its own place again",
}


def _chosen(found: Iterable[Ticket], name: str) -> Ticket:
    for one in found:
        if name in {one.id, ticket_name(one)}:
            return one
    what = "waiting server"
    raise NotFound(what, name)
