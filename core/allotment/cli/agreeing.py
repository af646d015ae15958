"""What a change would do, shown before it is made; and the question whether to go on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime

import typer

from allotment.cli.ending import Exit, Misused
from allotment.cli.output import Output
from allotment.model.amounts import counted
from allotment.model.documents import AffectedServer, Consequences
from allotment.model.money import money_words


def agreed(out: Output, found: Consequences, *, yes: bool) -> None:
    """Show what a change would do, and ask where it would do anything.

    Raises:
        typer.Exit: it was not agreed to.
    """
    if not found.consequences and not found.tickets:
        return
    for line in found.consequences:
        out.say(line)
    if not out.as_json:
        _tables(out, found)
    if not yes and not typer.confirm("Do it all the same?", err=True):
        raise typer.Exit(Exit.REFUSED)


def agree(question: str) -> None:
    """Ask, and go on only where the answer is yes.

    Raises:
        Misused: nobody can be asked.
        typer.Abort: the answer was no.
    """
    if not sys.stdin.isatty():
        message = f"{question}\nNobody can be asked here: say --yes."
        raise Misused(message)
    typer.confirm(question, abort=True, err=True)


def agree_to_take(out: Output, name: str, held_by: Sequence[str]) -> None:
    """Say which servers hold a source or dataset, and ask whether it is taken from them.

    Raises:
        Misused: nobody can be asked.
        typer.Abort: the answer was no.
    """
    for server in held_by:
        out.say(f"  {server}")
    agree(f"Take {name} from {counted(len(held_by), 'server')}? What reads it there breaks.")


def _tables(out: Output, found: Consequences) -> None:
    if found.servers:
        out.table(
            ("Server", "Group", "Pool", "#Devices", "What", "When", "#An hour", "#So far"),
            [
                *(_server(one) for one in found.servers),
                ("in all", "", "", "", "", "", money_words(found.rate), money_words(found.cost)),
            ],
            empty="",
        )
    if found.people:
        out.table(
            ("Person", "Group", "Limit", "#Holds", "#Allowed"),
            ((one.person, one.group, one.words, one.used, one.limit) for one in found.people),
            empty="",
        )
    if found.tickets:
        out.table(
            ("Waiting", "#Devices", "What"),
            ((_name(one.person, one.name), one.devices, one.words) for one in found.tickets),
            empty="",
        )
    if found.more:
        out.say(f"and {found.more} more")


def _server(one: AffectedServer) -> tuple[object, ...]:
    price = "" if one.price is None else money_words(one.price)
    cost = "" if one.price is None else money_words(one.cost)
    name, when = _name(one.person, one.name), _clock(one.at)
    return name, one.group, one.pool, one.devices, one.words, when, price, cost


def _name(person: str, server: str) -> str:
    return f"{person}/{server}" if server else person


def _clock(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"
